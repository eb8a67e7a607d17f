"""Why a window has its days: every shift that was made to them, in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from calsync.etiquette.rule import Due
from calsync.workdays import DAY, Span, Workdays, say

SKIPPED = "You skipped it, so it is shown no more."
MOVED = "You moved it to these days yourself."


@dataclass(frozen=True, slots=True)
class Bar:
    """A day before which no touch is polite, and what set it."""

    until: date
    because: str


def shifts(due: Due, span: Span, bars: tuple[Bar, ...], workdays: Workdays) -> Iterator[str]:
    """Tell how the days that `due` asks for became `span`, given the bars that counted."""
    start, last = due.first, due.last
    for bar in bars:
        if bar.until > due.first:
            yield bar.because
            start = max(start, bar.until)
    if span.opens > last:
        yield from _causes(start, last, workdays)
        yield f"That leaves no day up to {say(last)}; late is polite, early is not."
        start, last = max(start, last + DAY), span.opens + (due.last - due.first)
    yield from _causes(start, span.opens - DAY, workdays, f"; opens {say(span.opens)}")
    yield from _causes(span.closes + DAY, last, workdays, f"; closes {say(span.closes)}")


def _causes(first: date, last: date, workdays: Workdays, shift: str = "") -> Iterator[str]:
    """Why the days `first` to `last` do not count, and what `shift` that makes; nothing if there are no such days.

    None of them is a business day.
    """
    if first > last:
        return
    days = [first + DAY * offset for offset in range((last - first).days + 1)]
    told = []
    for cause, (day, *more) in groupby(days, workdays.cause):
        which = f"{say(day)} to {say(more[-1])}:" if more else f"{say(day)} is"
        told.append(f"{which} {cause}")
    yield f"{'; '.join(told)}{shift}."
