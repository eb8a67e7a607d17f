"""The contact guard: all touches to one person are spaced together (S7).

The applications that lead to a person are replayed in one order of events, under one bar: after a touch, no window to
that person opens for `contact_gap_days`; a reply or an interview lifts it. What stands where is said by `placing.py`
and `ahead.py`, who is one person by `persons.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from typing import NamedTuple, TypeGuard

from msgspec.structs import replace

from calsync.etiquette.ahead import draw
from calsync.etiquette.placing import Placed, Spacing, place
from calsync.etiquette.replay import Chain, Claim
from calsync.etiquette.rule import is_courtesy
from calsync.etiquette.stage import Happened, Wish
from calsync.etiquette.why import LIFTED, SKIPPED, Bar, moved, shifts
from calsync.model import (
    Acknowledged,
    Application,
    Channel,
    Contacted,
    Event,
    Heard,
    Interview,
    Pinned,
    Policy,
    Skipped,
    Standing,
    State,
    Window,
)
from calsync.workdays import Span, days, say


class _Standing(NamedTuple):
    """The firm windows in their places, and the current windows that wait for an interview which is still ahead."""

    firm: list[Placed]
    waiting: list[Claim]


class Person:
    """The chains that lead to one person, what was sent and heard, and what has become of windows."""

    def __init__(self, chains: tuple[Chain, ...], policy: Policy, today: date) -> None:
        """Start before the first event."""
        self.chains = chains
        self.today = today
        self.spacing = Spacing(days(policy.contact_gap_days))
        self.horizon = today + days(policy.horizon_days)
        self.history: list[Window] = []
        self._bar: Bar | None = None
        self._now: _Standing | None = None

    def replay(self) -> None:
        """Let all events happen in order, and time pass to today."""
        for chain, event in self._events():
            kind = type(event)
            if kind is not Interview:
                self._pass_time(event.day)
            if type(event) is Contacted and not is_courtesy(chain.application, event):
                self._touch(chain, event)
            elif type(event) is Skipped or type(event) is Pinned:
                self._wish(chain, event)
            chain.apply(event)
            self._now = None
            if (kind is Heard or kind is Interview) and event.day <= self.today:
                self._lift(event.day)
            self._pass_over_skipped()
        self._pass_time(self.today)

    def windows(self) -> Iterator[Window]:
        """All windows of the person, what is past first."""
        yield from self.history
        for placed in self._stand().firm:
            yield self._window(placed, State.FIRM)
        for placed in self._draw():
            lead = placed.lead
            skipped = lead.chain.is_skipped(lead.window)
            yield self._window(placed, State.SKIPPED if skipped else State.TENTATIVE)
        for chain in self.chains:
            yield from chain.prompts()

    def standings(self) -> Iterator[Standing]:
        """Where each application stands; `next` is the window that serves it, whichever application gives its id."""
        serving = {claim.chain: placed.lead.window for placed in self._current() for claim in placed.claims}
        for chain in self.chains:
            yield chain.standing(serving.get(chain))

    def forget(self) -> None:
        """Undo the cycle of chains and claims once all is told: the memory serves the next person, still warm."""
        self._now = None
        for chain in self.chains:
            chain.claim = None

    def _events(self) -> Iterator[tuple[Chain, Happened | Wish]]:
        """The events that count, by day, then application, then place in the file."""
        entries = [
            (event.day, chain.application.id, place, chain, event)
            for chain in self.chains
            for place, event in enumerate(chain.application.events)
            if happens(event, self.today)
        ]
        for _day, _id, _place, chain, event in sorted(entries):
            yield chain, event

    # What stands.

    def _stand(self) -> _Standing:
        """What stands, which holds until something happens: whoever lets it clears `_now`."""
        if self._now is None:
            claims: list[Claim] = []
            waiting: list[Claim] = []
            for chain in self.chains:
                if chain.claim is not None:
                    (claims if chain.planned is None else waiting).append(chain.claim)
            self._now = _Standing(place(claims, self._bar, self.spacing), waiting)
        return self._now

    def _current(self) -> list[Placed]:
        """All current windows in their places."""
        firm, waiting = self._stand()
        if not waiting:
            return firm
        return firm + [placed for placed in self._draw() if placed.lead is placed.lead.chain.claim]

    def _draw(self) -> Iterator[Placed]:
        """The tentative windows in their places."""
        return draw(*self._stand(), self._bar, self.spacing, self.horizon)

    # What happens.

    def _pass_time(self, day: date) -> None:
        """Count as missed every window that closed before `day`: the user may have called all the same."""
        while closed := [placed for placed in self._current() if placed.span.closes < day]:
            first = min(closed, key=lambda placed: (placed.span.closes, placed.span.opens, placed.lead.window))
            self._go_past(first, State.MISSED)
            self._bar = self._bar_after(first.span.closes, "The window before closed")
            self._now = None
            self._pass_over_skipped()

    def _pass_over_skipped(self) -> None:
        """What the user wants to see no more of is passed over, for that application alone."""
        while any(chain.is_to_be_skipped for chain in self.chains):
            placed, claim = next(
                (placed, claim) for placed in self._current() for claim in placed.claims if claim.chain.is_to_be_skipped
            )
            self._go_past(replace(placed, claims=(claim,)), State.SKIPPED)

    def _go_past(self, placed: Placed, state: State) -> None:
        """A window is missed or skipped, for all whom it serves."""
        self.history.append(self._window(placed, state))
        what = "The window that you skipped closes" if state is State.SKIPPED else "The window before closed"
        lasts = [(claim.chain, placed.last_day(claim, self._bar)) for claim in placed.claims]
        for chain, last in lasts:
            chain.pass_over(last, what)
        self._now = None

    def _touch(self, chain: Chain, touch: Contacted) -> None:
        """One touch serves all: what is open on its day, and what its own application asks for.

        A window that waits for a day that the employer named, and that is still ahead, stays.
        """
        for placed in self._current():
            is_open = placed.span.opens <= touch.day <= placed.span.closes
            if not is_open and all(claim.chain is not chain for claim in placed.claims):
                continue
            used = tuple(claim for claim in placed.claims if not claim.chain.waits(touch.day))
            if used:
                served = placed if len(used) == len(placed.claims) else replace(placed, claims=used)
                self.history.append(self._window(served, State.DONE, touch))
            for claim in used:
                claim.chain.use_up(touch.day)
        self._now = None
        self._bar = self._bar_after(touch.day, "You were in touch")

    def _wish(self, chain: Chain, wish: Skipped | Pinned) -> None:
        """A skip or a pin of a window that serves several applications is meant for all of them."""
        for placed in self._current():
            if len(placed.claims) == 1 or placed.lead.window != wish.window or placed.lead.chain is not chain:
                continue
            if isinstance(wish, Skipped):
                self._go_past(placed, State.SKIPPED)
            else:
                for claim in placed.claims:
                    claim.chain.pin_current(Span(wish.opens, wish.closes))
                self._now = None

    def _lift(self, day: date) -> None:
        """They answered: from `day` on no touch before it bars another."""
        self.spacing = replace(self.spacing, answers=(*self.spacing.answers, day))
        if self._bar is not None and self._bar.until > day:
            self._bar = Bar(day, LIFTED, day)

    def _bar_after(self, touch: date, what: str) -> Bar:
        """The bar after a touch on the day `touch`, told as `what`; an answer that came later lifts it."""
        bar = self.spacing.after(touch, what)
        return self._bar if self._bar is not None and self._bar.until > bar.until else bar

    # What is told.

    def _window(self, placed: Placed, state: State, touch: Contacted | None = None) -> Window:
        """A window as it is told; `touch` is what has used it up."""
        lead = placed.lead
        return Window(
            id=lead.window,
            rule=lead.due.rule,
            applications=_served(placed),
            by=_channel(placed),
            opens=placed.span.opens,
            closes=placed.span.closes,
            days=placed.days,
            state=state,
            done_on=touch.day if touch else None,
            done_by=touch.by if touch else None,
            why=(*_why(placed), SKIPPED) if state is State.SKIPPED else tuple(_why(placed)),
        )


def _served(placed: Placed) -> tuple[Application, ...]:
    """The applications that a window serves: the lead's, then the others by id."""
    if len(placed.claims) == 1:
        return (placed.lead.chain.application,)
    first, *others = (claim.chain.application for claim in placed.claims)
    return (first, *sorted(others, key=lambda each: each.id))


def _channel(placed: Placed) -> Channel:
    """The lead's channel, unless a member forbids it: then the other one, else any."""
    wanted = placed.lead.chain.channel(placed.lead.due)
    if len(placed.claims) == 1 or wanted is Channel.ANY:
        return wanted
    chains = [claim.chain for claim in placed.claims]
    if not any(chain.forbids(wanted) for chain in chains):
        return wanted
    other = Channel.CALL if wanted is Channel.EMAIL else Channel.EMAIL
    contacts = [chain.application.contact for chain in chains]
    known = any(contact.phone if other is Channel.CALL else contact.email for contact in contacts)
    return other if known and not any(chain.forbids(other) for chain in chains) else Channel.ANY


def _why(placed: Placed) -> Iterable[str]:
    """The events and rules that the window comes from, and every shift that was made to its days."""
    return _why_together(placed) if placed.parts else _why_alone(placed)


def _why_together(placed: Placed) -> Iterator[str]:
    """What each application asks for, and the days that all of it shares."""
    parts = {part.lead.window: part for part in placed.parts}
    names = Counter(claim.chain.name for claim in placed.claims)
    for claim in placed.claims:
        part, name = parts[claim.window], claim.chain.name
        whose = f"{name} ({claim.chain.application.id})" if names[name] > 1 else name
        if claim.pin is not None:
            yield from (f"{whose}: {reason}" for reason in claim.due.because)
            continue
        yield from (f"{whose}: {reason}" for reason in _why_alone(part))
        yield f"{whose}: that alone would be {say(part.span.opens)} to {say(part.span.closes)}."
    yield "One contact serves all of this, as it leads to the same person."
    days = f"{say(placed.span.opens)} to {say(placed.span.closes)}"
    if placed.pin is not None:
        yield f"You moved it to {days}."
    elif placed.is_agreed:
        yield f"The days that you agreed on stand: {days}."
    else:
        yield f"The days that all of it shares: {days}."


def _why_alone(placed: Placed) -> tuple[str, ...]:
    """The event, the rule and the shifts of a window that serves one application."""
    lead = placed.lead
    if placed.pin is not None:
        return (*lead.due.because, *moved(placed.pin, lead.days_under(placed.bar)))
    before_notes = lead.days(placed.bar) if placed.notes else placed.span
    shifted = shifts(lead.due, before_notes, lead.bars(placed.bar), lead.chain.workdays)
    return (*lead.due.because, *shifted, *placed.notes)


def happens(event: Event, today: date) -> TypeGuard[Happened | Wish]:
    """Whether the replay reads `event` as of `today`: what is ahead has not happened, but an interview is a plan.

    An automatic receipt changes nothing, so it is not read at all.
    """
    kind = type(event)
    return kind is not Acknowledged and (event.day <= today or kind is Interview)
