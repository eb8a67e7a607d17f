"""Where the firm windows to one person stand: agreed ones first, the others spaced behind and before them.

`docs/etiquette.md`, "The contact guard", rules 3 to 5. What comes of it for one application alone is its own window
under the bar of its person.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from datetime import date, timedelta

from msgspec import Struct
from msgspec.structs import replace

from calsync.etiquette.replay import Claim
from calsync.etiquette.why import ANSWERED, GAP, Bar
from calsync.workdays import Span, say


class Placed(Struct, frozen=True):
    """One window in its place: the claims that it serves, the one that gives id and channel first.

    `days` are the business days of all of them from `span.opens` to `span.closes`. `bar` is the one that it was placed
    under, `notes` tell what else was done to its days. `pin` are the days that the user gave one of those that it
    serves. `parts` are the windows that became this one, where it serves several.
    """

    claims: tuple[Claim, ...]
    span: Span
    days: tuple[date, ...]
    bar: Bar | None = None
    pin: Span | None = None
    notes: tuple[str, ...] = ()
    parts: tuple[Placed, ...] = ()

    @property
    def lead(self) -> Claim:
        """The claim that gives the window its id and its channel."""
        return self.claims[0]

    @property
    def is_agreed(self) -> bool:
        """Whether the employer named its days."""
        return self.lead.is_agreed

    def last_day(self, claim: Claim, bar: Bar | None) -> date:
        """From where one of its claims goes on without a touch: the later of its own last day and this window's."""
        if len(self.claims) == 1:
            return self.span.closes
        return max(claim.days(bar).closes, self.span.closes)


class Spacing(Struct, frozen=True):
    """The time between two touches to a person, and the days on which that person answered, in order."""

    gap: timedelta
    answers: tuple[date, ...] = ()

    def until(self, touch: date) -> date:
        """Until when a touch on the day `touch` bars the next: an answer that came later lifts that bar."""
        until = touch + self.gap
        place = bisect_right(self.answers, touch)
        return min(until, self.answers[place]) if place < len(self.answers) else until

    def after(self, touch: date, what: str) -> Bar:
        """The bar after a touch on the day `touch`, told as `what` ("You were in touch")."""
        until = self.until(touch)
        return Bar(until, GAP if until == touch + self.gap else ANSWERED, touch, what)

    def behind(self, placed: Placed) -> Bar:
        """The bar that a window sets for those behind it, from its last day."""
        return self.after(placed.span.closes, f"A window for {placed.lead.chain.name}, with the same person, closes")


def later(*bars: Bar | None) -> Bar | None:
    """The bar that holds longest."""
    latest = None
    for bar in bars:
        if bar is not None and (latest is None or bar.until > latest.until):
            latest = bar
    return latest


def alone(claim: Claim, bar: Bar | None) -> Placed:
    """The window of one claim as if there were no other to the person."""
    pin = claim.pin
    span = claim.days_under(bar) if pin is None else pin
    return Placed((claim,), span, claim.chain.workdays.between(span.opens, span.closes), bar, pin)


def place(claims: Sequence[Claim], bar: Bar | None, spacing: Spacing) -> list[Placed]:
    """Place the firm windows to one person, `bar` being that of the touches so far."""
    if len(claims) < 2:
        return [alone(claim, None if claim.is_agreed else bar) for claim in claims]
    return _Firm(bar, spacing).place(claims)


class _Firm:
    """The firm windows while they are placed: the agreed ones, and the others in order."""

    def __init__(self, bar: Bar | None, spacing: Spacing) -> None:
        self.bar = bar
        self.spacing = spacing
        self.agreed: list[Placed] = []
        self.others: list[Placed] = []

    def place(self, claims: Sequence[Claim]) -> list[Placed]:
        """Rule 5: the agreed windows stand, then the others by their days after snooze and touches."""
        ordered = sorted(claims, key=self._order)
        for claim in ordered:
            if claim.is_agreed:
                self._stand(claim)
        before_last: Bar | None = None
        for claim in ordered:
            if not claim.is_agreed:
                before_last = self._add(claim, before_last)
        return self.agreed + self.others

    def _order(self, claim: Claim) -> tuple[date, date, str]:
        span = claim.days(self.bar)
        return span.opens, span.closes, claim.window

    def _stand(self, claim: Claim) -> None:
        """Rule 4: an agreed window keeps its days; with another that it overlaps it shares them."""
        new = alone(claim, None)
        for number, placed in enumerate(self.agreed):
            if merged := _merged(placed, new):
                self.agreed[number] = merged
                return
        self.agreed.append(new)

    def _add(self, claim: Claim, before_last: Bar | None) -> Bar | None:
        """Place an ordinary window; gives the bar of all others but the last, which it may still overlap (rule 3)."""
        new = self._around_agreed(claim, before_last)
        if new is None:
            return before_last
        if not self.others:
            self.others.append(new)
            return before_last
        if merged := _merged(self.others[-1], new):
            self.others[-1] = merged
            return before_last
        bar = later(before_last, self.spacing.behind(self.others[-1]))
        new = self._around_agreed(claim, bar)
        if new is None:
            return before_last
        self.others.append(new)
        return bar

    def _around_agreed(self, claim: Claim, bar: Bar | None) -> Placed | None:
        """The window of `claim` under `bar` where agreed ones keep their days (rule 4); None if it joins one."""
        new = alone(claim, later(self.bar, bar))
        if claim.pin is not None:
            return new
        for number, placed in enumerate(self.agreed):
            if placed.span.opens <= new.span.closes and new.span.opens <= placed.span.closes:
                self._join(number, new)
                return None
        for placed in self.agreed:
            if placed.span.closes < new.span.opens < self.spacing.until(placed.span.closes):
                return self._around_agreed(claim, later(bar, self.spacing.behind(placed)))
        for number, placed in enumerate(self.agreed):
            if placed.span.opens - self.spacing.gap < new.span.closes < placed.span.opens:
                shorter = cut(new, placed, self.spacing.gap)
                if shorter is None:
                    self._join(number, new)
                    return None
                new = shorter
        return new

    def _join(self, number: int, ordinary: Placed) -> None:
        """Let the agreed window stand for an ordinary one too."""
        placed = self.agreed[number]
        claims = sorted((*placed.claims, ordinary.lead), key=_by_own_rule)
        self.agreed[number] = replace(placed, claims=tuple(claims), parts=(*_parts(placed), ordinary))


def cut(window: Placed, agreed: Placed, gap: timedelta) -> Placed | None:
    """`window` without the days that come within `gap` before an agreed one; None if none are left."""
    limit = agreed.span.opens - gap
    days = tuple(day for day in window.days if day <= limit)
    if not days:
        return None
    note = (
        f"You agreed on {say(agreed.span.opens)}, and {gap.days} days lie between two contacts; closes {say(days[-1])}."
    )
    return replace(window, span=Span(days[0], days[-1]), days=days, notes=(*window.notes, note))


def _shared(one: Placed, two: Placed) -> tuple[date, ...]:
    """The days that are business days for all whom the two serve."""
    if one.span.closes < two.span.opens or two.span.closes < one.span.opens:
        return ()
    return tuple(sorted(set(one.days).intersection(two.days)))


def _merged(one: Placed, two: Placed) -> Placed | None:
    """Rule 3: both as one window with the days that they share; None where they share none.

    A window that the user has moved keeps its days and takes the other in; two that were moved apart stay apart.
    """
    if not (days := _shared(one, two)):
        return None
    if one.pin is not None and two.pin is not None and one.pin != two.pin:
        return None
    claims = list(one.claims)
    for claim in two.claims:
        insort(claims, claim, key=_by_own_rule)
    parts = (*_parts(one), *_parts(two))
    pinned = one if one.pin is not None else two
    if pinned.pin is None:
        return Placed(tuple(claims), Span(days[0], days[-1]), days, parts=parts)
    return Placed(tuple(claims), pinned.span, pinned.days, pin=pinned.pin, parts=parts)


def _parts(placed: Placed) -> tuple[Placed, ...]:
    """The windows of single claims that a window is made of."""
    return placed.parts or (placed,)


def _by_own_rule(claim: Claim) -> tuple[bool, date, date, str]:
    """An agreed window gives id and channel before an ordinary one; else the one that opens first by its own rule."""
    own = claim.own_days
    return not claim.is_agreed, own.opens, own.closes, claim.window
