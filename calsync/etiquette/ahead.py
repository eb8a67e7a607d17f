"""The tentative windows to one person, behind and between the firm ones (`docs/etiquette.md`, rule 5, "Ahead")."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from heapq import heapify, heappop, heappush
from typing import NamedTuple

from msgspec.structs import replace

from calsync.etiquette.placing import Placed, Spacing, alone, cut, later
from calsync.etiquette.replay import Claim
from calsync.etiquette.rules import check_in
from calsync.etiquette.why import MEETING, Bar
from calsync.workdays import Span


class _Head(NamedTuple):
    """The next tentative window of an application: its current one, or a check-in behind `drawn` others.

    `order` is by its days under the touches so far, and its id: what is drawn first.
    """

    order: tuple[date, date, str]
    claim: Claim
    drawn: int
    floor: Bar | None = None

    @property
    def is_current(self) -> bool:
        """Whether it waits for an interview, and so is shown however far ahead it opens."""
        return self.claim is self.claim.chain.claim


def draw(
    firm: list[Placed], waiting: list[Claim], bar: Bar | None, spacing: Spacing, horizon: date
) -> Iterator[Placed]:
    """The tentative windows: those that are `waiting` for an interview, and check-ins that open by `horizon`.

    Each check-in counts from the last day of the window before it. The firm windows are not changed by them.
    """
    return _Ahead(firm, bar, spacing, horizon).draw(waiting)


class _Ahead:
    def __init__(self, firm: list[Placed], bar: Bar | None, spacing: Spacing, horizon: date) -> None:
        self.firm = sorted(firm, key=lambda placed: placed.span.opens)
        self.bar = bar
        self.spacing = spacing
        self.horizon = horizon
        self.running: Bar | None = None

    def draw(self, waiting: list[Claim]) -> Iterator[Placed]:
        heads = [self._head(claim, 0) for claim in waiting]
        for placed in self.firm:
            heads += self._behind_firm(placed)
        heapify(heads)
        while heads:
            head = heappop(heads)
            placed = self._place(head)
            if placed.span.opens > self.horizon and not head.is_current:
                continue
            if not head.claim.chain.is_skipped(head.claim.window):
                self.running = later(self.running, self.spacing.behind(placed))
            yield placed
            is_check_in = head.drawn > 0 or head.claim.due.rule == check_in.NAME
            if following := self._next(head.claim, placed.span.closes, head.drawn + is_check_in, head.floor):
                heappush(heads, following)

    def _behind_firm(self, placed: Placed) -> Iterator[_Head]:
        floor = self.spacing.behind(placed)
        for claim in placed.claims:
            drawn = int(claim.due.rule == check_in.NAME)
            if following := self._next(claim, placed.last_day(claim, self.bar), drawn, floor):
                yield following

    def _next(self, claim: Claim, last: date, drawn: int, floor: Bar | None) -> _Head | None:
        following = claim.chain.behind(last, drawn)
        if following is None or (following.due.first > self.horizon and following.pin is None):
            return None
        return self._head(following, drawn, floor)

    def _head(self, claim: Claim, drawn: int, floor: Bar | None = None) -> _Head:
        span = claim.days(self._touches(claim))
        return _Head((span.opens, span.closes, claim.window), claim, drawn, floor)

    def _touches(self, claim: Claim) -> Bar | None:
        """The bar of the touches so far; an interview that is ahead will lift it, for what comes after it."""
        planned = claim.chain.planned
        if self.bar is not None and planned is not None and planned < self.bar.until:
            return replace(self.bar, until=planned, form=MEETING)
        return self.bar

    def _place(self, head: _Head) -> Placed:
        """Under the bars of what comes before; behind the last firm window where it would come too close to one."""
        bar = later(self._touches(head.claim), head.floor, self.running)
        placed = alone(head.claim, bar)
        if placed.pin is not None:
            return placed
        for firm in self.firm:
            if firm.span.closes < placed.span.opens < self.spacing.until(firm.span.closes):
                bar = later(bar, self.spacing.behind(firm))
                placed = alone(head.claim, bar)
        for firm in self.firm:
            if not _clashes(placed.span, firm.span, self.spacing.gap):
                continue
            shorter = (
                cut(placed, firm, self.spacing.gap) if firm.is_agreed and placed.span.closes < firm.span.opens else None
            )
            if shorter is None:
                last = max(self.firm, key=lambda each: each.span.closes)
                return alone(head.claim, later(bar, self.spacing.behind(last)))
            placed = shorter
        return placed


def _clashes(span: Span, firm: Span, gap: timedelta) -> bool:
    """Whether a window would overlap a firm one, or come within the gap before or behind it."""
    return span.opens < firm.closes + gap and firm.opens < span.closes + gap
