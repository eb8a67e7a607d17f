"""The contact guard: all touches to one person are spaced together (S7).

A person's applications are replayed in one order of events, under one bar: after a touch, no window to that person
opens for `contact_gap_days`; a reply or an interview lifts it. For now each application counts as a person of its own;
`persons` is the place where they will meet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import TypeGuard

from calsync.etiquette.replay import Chain, Happened, Wish
from calsync.etiquette.why import Bar
from calsync.model import Acknowledged, Application, Contacted, Event, Heard, Interview, Window
from calsync.workdays import say


def persons(applications: Iterable[Application]) -> Iterator[tuple[Application, ...]]:
    """Group the applications by the person who is contacted for them."""
    for application in applications:
        yield (application,)


class Person:
    """The chains that lead to one person, and the bar that holds for all of them."""

    def __init__(self, chains: tuple[Chain, ...], today: date, gap: timedelta) -> None:
        """Start before the first event; `gap` is the time between two touches."""
        self.chains = chains
        self.today = today
        self.gap = gap
        self.bar: Bar | None = None
        self._answers: list[date] = []

    def replay(self) -> None:
        """Let all events happen in order, and time pass to today."""
        for chain, event in self._events():
            if not isinstance(event, Interview):
                self._pass_time(event.day)
            chain.apply(event, self.bar)
            self._move_bar(chain, event)
            self._pass_over(chain)
        self._pass_time(self.today)

    def windows(self) -> Iterator[Window]:
        """All windows of the person, what is past first."""
        for chain in self.chains:
            yield from chain.history
            yield from chain.ahead(self.bar, self._bar_after)
            yield from chain.prompts()

    def _events(self) -> Iterator[tuple[Chain, Happened | Wish]]:
        """The events that count, by day, then application, then place in the file."""
        entries = [
            (event.day, chain.application.id, place, chain, event)
            for chain in self.chains
            for place, event in enumerate(chain.application.events)
            if happens(event, self.today)
        ]
        for _day, _id, _place, chain, event in sorted(entries, key=lambda entry: entry[:3]):
            yield chain, event

    def _pass_time(self, day: date) -> None:
        """Count as missed every window that closed before `day`: the user may have called all the same."""
        for chain in self.chains:
            while chain.current is not None and (last := chain.days(self.bar).closes) < day:
                chain.miss(self.bar)
                self.bar = self._bar_after(last, "The window before closed", self.bar)
                self._pass_over(chain)

    def _pass_over(self, chain: Chain) -> None:
        while chain.is_skipped:
            chain.skip(self.bar)

    def _move_bar(self, chain: Chain, event: Happened | Wish) -> None:
        if isinstance(event, Heard | Interview):
            self._lift(event.day)
        elif isinstance(event, Contacted) and not chain.is_courtesy(event):
            self.bar = self._bar_after(event.day, "You were in touch", self.bar)

    def _lift(self, day: date) -> None:
        """They answered, or will on `day`: from then on no touch before it bars another."""
        self._answers.append(day)
        if self.bar is not None and self.bar.until > day:
            self.bar = replace(self.bar, until=day)

    def _bar_after(self, touch: date, what: str, bar: Bar | None) -> Bar:
        """The bar after a touch on the day `touch`, told as `what`, where `bar` held before.

        An answer that came, or comes, later than the touch lifts it.
        """
        until = min([touch + self.gap, *(day for day in self._answers if day > touch)])
        if bar is not None and bar.until > until:
            return bar
        gap = f"{self.gap.days} days between two contacts, so not before {say(until)}"
        return Bar(until, f"{what} on {say(touch)}: {gap}.")


def happens(event: Event, today: date) -> TypeGuard[Happened | Wish]:
    """Whether the replay reads `event` as of `today`: what is ahead has not happened, but an interview is a plan.

    An automatic receipt changes nothing, so it is not read at all.
    """
    return not isinstance(event, Acknowledged) and (event.day <= today or isinstance(event, Interview))
