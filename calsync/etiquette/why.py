"""Why a window has its days: every shift that was made to them, in plain words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from msgspec import Struct

from calsync.etiquette.rule import Due
from calsync.workdays import DAY, Span, Workdays, say

SKIPPED = "You skipped it, so it is shown no more."
MOVED = "You moved it to these days yourself."
OUTSIDE = "That is outside of the polite days, {opens} to {closes}."

SNOOZE = "You snoozed it on {since} until {until}."
GAP = "{what} on {since}: {days} days between two contacts, so not before {until}."
ANSWERED = "{what} on {since}, and they answered on {until}: not before that day."
MEETING = "{what} on {since}, and the interview is on {until}: not before that day."
LIFTED = "They answered on {until}, after your last contact: not before that day."


class Bar(Struct, frozen=True):
    """A day before which no touch is polite, and what set it: `what` on the day `since`, told in the words `form`.

    Most bars move nothing, so the words are put together when they are asked for.
    """

    until: date
    form: str
    since: date
    what: str = ""

    @property
    def because(self) -> str:
        """What set it, as a sentence."""
        days = (self.until - self.since).days
        return self.form.format(what=self.what, since=say(self.since), until=say(self.until), days=days)


def moved(pinned: Span, polite: Span) -> Iterator[str]:
    """Tell that the user moved a window to the days `pinned`, and if they are not within those that it had."""
    yield MOVED
    if not polite.opens <= pinned.opens <= pinned.closes <= polite.closes:
        yield OUTSIDE.format(opens=say(polite.opens), closes=say(polite.closes))


def shifts(due: Due, span: Span, bars: Iterable[Bar], workdays: Workdays) -> Iterator[str]:
    """Tell how the days that `due` asks for became `span`, given the bars that counted."""
    start, last = due.first, due.last
    for bar in bars:
        if bar.until > due.first:
            yield bar.because
            start = max(start, bar.until)
    if span.opens > last:
        if start <= last:
            yield f"{workdays.causes(start, last)}."
        yield f"That leaves no day up to {say(last)}; late is polite, early is not."
        start, last = max(start, last + DAY), span.opens + (due.last - due.first)
    if start < span.opens:
        yield f"{workdays.causes(start, span.opens - DAY)}; opens {say(span.opens)}."
    if span.closes < last:
        yield f"{workdays.causes(span.closes + DAY, last)}; closes {say(span.closes)}."
