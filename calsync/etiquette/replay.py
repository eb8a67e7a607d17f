"""The replay of one application: each event changes its one current window.

`docs/etiquette.md`, "One application, event by event", is followed line by line. A `Chain` knows what its application
asks for (`Claim`); the days that it gets depend on all that leads to its person: `guard.py` keeps that, and says when
a window was used up or missed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any, ClassVar

from msgspec import Struct
from msgspec.structs import replace

from calsync.etiquette.rule import EMAIL_FIRST, Due, Record, is_courtesy, reachable
from calsync.etiquette.rules import ANSWERING, PROMPTS, RULES, check_in
from calsync.etiquette.stage import Happened, Stage, Wish, counts
from calsync.etiquette.told import Told
from calsync.etiquette.why import MOVED, SKIPPED, SNOOZE, Bar
from calsync.model import (
    Application,
    Applied,
    Channel,
    Contacted,
    Ended,
    Happening,
    Heard,
    Interview,
    Offer,
    Pinned,
    Policy,
    Skipped,
    Snoozed,
    Standing,
    State,
    Statement,
    Window,
)
from calsync.workdays import Span, Workdays, days, say


class Claim(Struct, frozen=True):
    """A window as its application asks for it: the days that are due, and the id that it has or will have.

    `is_agreed`: the employer named its days.
    """

    chain: Chain
    due: Due
    window: str
    is_agreed: bool

    @property
    def pin(self) -> Span | None:
        """The days that the user gave it, if they did."""
        return self.chain.pins.get(self.window)

    @property
    def own_days(self) -> Span:
        """The days by its own rule, before bars and snoozes."""
        return self.chain.workdays.span(self.due.first, self.due.last)

    def bars(self, of_person: Bar | None) -> list[Bar]:
        """The bars that hold for it: what was agreed ignores that of the person, but not the user's snooze."""
        return [bar for bar in (None if self.is_agreed else of_person, self.chain.snooze) if bar is not None]

    def days(self, of_person: Bar | None) -> Span:
        """The days that it gets under the person's bar, given what the user wished."""
        pin = self.pin
        return self.days_under(of_person) if pin is None else pin

    def days_under(self, of_person: Bar | None) -> Span:
        """The days that it gets under the person's bar where the user did not move it."""
        snooze = self.chain.snooze
        bar = None if self.is_agreed else of_person
        if snooze is not None and (bar is None or snooze.until > bar.until):
            bar = snooze
        due = self.due
        return self.chain.workdays.span(due.first, due.last, None if bar is None else bar.until)


class Chain:
    """One application in replay: at most one current window, and the numbers of those before it."""

    def __init__(self, application: Application, policy: Policy, workdays: Workdays, today: date) -> None:
        """Start before the first event; `workdays` are those of the contact's place."""
        self.application = application
        self.policy = policy
        self.workdays = workdays
        self.today = today
        self.claim: Claim | None = None
        """What the application asks for at present: its current window, if it has one."""
        self.snooze: Bar | None = None
        """The day before which the user wants to see nothing of it."""
        self.stale = False
        self.why_not = "No application, interview or reply is recorded yet."
        self._stage = Stage.NEW
        self._told = Told()
        self._numbers: dict[tuple[str, int], int] = {}
        self._interviews: list[Interview] = []
        self._series = self._over = 0
        self._spoken_to = False
        self._ending: Ended | None = None
        self._offer: Offer | None = None
        self._applications = self._offers = 0
        self._skipped: set[str] = set()
        self.pins: dict[str, Span] = {}
        """The days that the user gave a window, by its id."""

    @property
    def name(self) -> str:
        """The application as people call it: "Acme Corp, Data Engineer"."""
        application = self.application
        return f"{application.company}, {application.role}" if application.role else application.company

    # What stands now.

    @property
    def planned(self) -> date | None:
        """The day of the interview that the current window waits for, while that is still ahead."""
        if self._stage is not Stage.INTERVIEWED:
            return None
        day = self._interviews[self._series - 1].day
        return day if day > self.today else None

    @property
    def is_to_be_skipped(self) -> bool:
        """Whether the user wants to see no more of the current window."""
        return bool(self._skipped) and self.claim is not None and self.claim.window in self._skipped

    def is_skipped(self, window: str) -> bool:
        """Whether the user wants to see no more of the window with this id."""
        return window in self._skipped

    def _used(self, rule: str) -> int:
        """How many windows of a rule are history since the last interview."""
        return self._numbers.get((rule, self._series), 0)

    def _claim(self, due: Due, ahead: int = 0) -> Claim:
        """What is due as a claim with its id, `ahead` others of its rule being drawn before it."""
        rule = RULES[due.rule]
        if rule.numbered_by_interview:
            number = f"{self._series}.{self._used(due.rule) + ahead + 1}"
        else:
            number = str(self._applications)
        return Claim(self, due, f"{self.application.id}/{due.rule}/{number}", rule.agreed)

    # What happens.

    def apply(self, event: Happened | Wish) -> None:
        """Let `event` change what stands; the guard has let time pass, and has dealt with the touch that it may be."""
        kind = type(event)
        if type(event) is Interview:
            self._interviews.append(event)
        if kind is Offer:
            self._offers += 1
        if counts(kind, self._stage, spoken_to=self._spoken_to):
            self.EFFECTS[kind](self, event)

    def _on_snoozed(self, event: Snoozed) -> None:
        self.snooze = Bar(event.until, SNOOZE, event.day)

    def _on_skipped(self, event: Skipped) -> None:
        self._skipped.add(event.window)

    def _on_pinned(self, event: Pinned) -> None:
        self.pins[event.window] = Span(event.opens, event.closes)

    def _on_applied(self, event: Applied) -> None:
        self._stage, self._told, self._spoken_to = Stage.APPLIED, Told(), True
        self._ending = self._offer = None
        self._applications += 1
        self._drop(self._no_call())
        self._series = len(self._interviews)
        self._answer(event)

    def _no_call(self) -> str:
        """Why an application without an interview gets no call, should it get none."""
        if not self.application.contact.phone:
            return "No telephone number of a contact is known, so there is nobody to call."
        return "The advertisement says not to call."

    def _on_interview(self, event: Interview) -> None:
        if event.day > self.today:
            event = replace(event, timeline=None, follow_up_on=None, follow_up_by=None)
        self._stage, self._told, self._spoken_to = Stage.INTERVIEWED, Told().hear(event), True
        self._ending = self._offer = None
        self._withdraw()
        self._series = len(self._interviews)
        self._end_snooze(event)
        self._answer(event)

    def _on_heard(self, event: Heard) -> None:
        self._spoken_to = True
        self._told = self._told.hear(event)
        self._end_snooze(event)
        if self._answer(event) or self.waits(event.day):
            return
        if self._stage is Stage.INTERVIEWED:
            self._check_in(event.day, "They were in touch")
        else:
            self._drop(f"They replied on {say(event.day)} and named no day: the ball is theirs.")

    def _on_contacted(self, event: Contacted) -> None:
        if not is_courtesy(self.application, event):
            self._told = replace(self._told, touched=True)

    def _on_offer(self, event: Offer) -> None:
        self._offer, self._stage = event, Stage.OFFERED
        self._drop(f"They made an offer on {say(event.day)}: the answer is yours.")

    def _on_ended(self, event: Ended) -> None:
        self._ending, self._stage = event, Stage.ENDED
        self._offer, self._over = None, len(self._interviews)
        self._drop(f"It ended on {say(event.day)}: {event.how}.")

    EFFECTS: ClassVar[Mapping[type[Happening], Callable[[Chain, Any], None]]] = {
        Applied: _on_applied,
        Interview: _on_interview,
        Heard: _on_heard,
        Contacted: _on_contacted,
        Offer: _on_offer,
        Ended: _on_ended,
        Snoozed: _on_snoozed,
        Skipped: _on_skipped,
        Pinned: _on_pinned,
    }
    """What an event does, by its kind: all of `Happened` and `Wish`."""

    def _end_snooze(self, event: Statement) -> None:
        if event.follow_up_on is not None:
            self.snooze = None

    def waits(self, day: date) -> bool:
        """Whether the current window waits for a day that the employer named and that is still ahead on `day`."""
        return self.claim is not None and self.claim.due.named is not None and self.claim.due.named > day

    def use_up(self, day: date) -> None:
        """A touch on `day` has done what the current window asks for."""
        self._leave()
        self._go_on(day, "You were in touch")

    def pass_over(self, last: date, what: str) -> None:
        """The current window is missed or skipped; what follows counts from `last`, told as `what`."""
        self._leave()
        self._go_on(last, what)

    def pin_current(self, span: Span) -> None:
        """Give the current window these days: they were given to the one that stands for it."""
        assert self.claim is not None
        self.pins[self.claim.window] = span

    def _leave(self) -> None:
        """The current window is history, and its number is used."""
        assert self.claim is not None
        rule = self.claim.due.rule
        self._numbers[rule, self._series] = self._used(rule) + 1
        self.claim = None

    # What follows.

    def _answer(self, event: Happened) -> bool:
        """Make the window that the first rule asks for on `event` the current one, if any does."""
        for rule in ANSWERING[type(event)]:
            if due := rule.due(event, self.application, self.policy):
                self._become(due)
                return True
        return False

    def _become(self, due: Due) -> None:
        self._withdraw()
        self.claim = self._claim(due)

    def _drop(self, why_not: str) -> None:
        self._withdraw()
        self.why_not = why_not

    def _withdraw(self) -> None:
        """The current window is no more, done or not. What replaces or moves it ends its pin."""
        if self.claim is not None:
            self.pins.pop(self.claim.window, None)
        self.claim = None
        self.stale = False

    def _go_on(self, day: date, what: str) -> None:
        """Let the chain go on from `day`: with a check-in after an interview, else with nothing."""
        if self._stage is Stage.INTERVIEWED:
            self._check_in(day, what)
        else:
            self._drop("The one follow-up was made or is past: they call if you fit.")

    def _check_in(self, day: date, what: str) -> None:
        if self._is_enough(0, is_followed=False):
            self._drop(f"That is all (max_check_ins: {self.policy.max_check_ins}): now it is up to them.")
            return
        if due := self._check_in_due(day, what):
            self._become(due)
            return
        self._drop(f"They have been silent since {say(self._told.last_word or day)}: is it still open?")
        self.stale = True

    def _is_enough(self, drawn: int, *, is_followed: bool) -> bool:
        """Whether no check-in may follow those of the past and `drawn` ahead.

        `max_check_ins` of them follow the first contact after an interview; a check-in may itself be that first one,
        unless `is_followed`: a follow-up is ahead.
        """
        if self.policy.max_check_ins is None:
            return False
        others = [rule for rule in RULES if rule != check_in.NAME and self._used(rule)]
        first = 0 if others or is_followed else 1
        return self._used(check_in.NAME) + drawn >= first + self.policy.max_check_ins

    def _check_in_due(self, day: date, what: str) -> Due | None:
        """The check-in counted from `day`; None where it would open too long after the employer's last word."""
        due = check_in.after(day, what, self._told.timeline, self.policy)
        opens = self.workdays.span(due.first, due.last).opens
        limit = (self._told.last_word or day) + days(self.policy.stale_after_days)
        return due if opens <= limit else None

    def behind(self, last: date, drawn: int) -> Claim | None:
        """The check-in that would follow a window that closes on `last`, behind `drawn` others of its rule."""
        if self._stage is not Stage.INTERVIEWED or self.claim is None:
            return None
        if self._is_enough(drawn, is_followed=self.claim.due.rule != check_in.NAME):
            return None
        due = self._check_in_due(last, "The window before closes")
        return None if due is None else self._claim(due, drawn)

    # What is told.

    def channel(self, due: Due) -> Channel:
        """Their later wish beats the advertisement; else the first channel that is known and not forbidden."""
        if self._told.by is not None:
            return self._told.by
        writes_first = self._told.touched or self.policy.first_channel is Channel.EMAIL
        order = EMAIL_FIRST if writes_first else RULES[due.rule].channels
        for channel in order:
            if reachable(self.application, channel):
                return channel
        return Channel.ANY

    def forbids(self, channel: Channel) -> bool:
        """Whether the advertisement forbids `channel`, and no later wish of theirs allows it."""
        return channel in self.application.do_not and self._told.by is not channel

    def prompts(self) -> Iterator[Window]:
        """The windows beside the current one."""
        alive = tuple(enumerate(self._interviews, start=1))[self._over :]
        record = Record(self.application, alive, self._offer, self._offers)
        for prompt in PROMPTS.values():
            for window in prompt(record, self.today, self.policy, self.workdays):
                yield self._as_wished(window)

    def _as_wished(self, window: Window) -> Window:
        """A prompt as the user skipped or moved it."""
        if window.id in self._skipped:
            window = replace(window, state=State.SKIPPED, why=(*window.why, SKIPPED))
        if pin := self.pins.get(window.id):
            days = self.workdays.between(pin.opens, pin.closes)
            why = (*window.why, MOVED)
            window = replace(window, opens=pin.opens, closes=pin.closes, days=days, starts=None, ends=None, why=why)
        return window

    def standing(self, next_: str | None) -> Standing:
        """Where the application stands, for people; `next_` is the window that serves it."""
        stage = self._ending.how.value if self._ending else self._stage.name.lower()
        return Standing(
            application=self.application,
            stage=stage,
            stale=self.stale,
            last_word=self._told.last_word,
            next=next_,
            why_not=None if self.claim else self.why_not,
        )
