"""A second, independent reading of the etiquette, as an oracle for the tests of `calsync.etiquette`.

It is written from `docs/etiquette.md` alone, to the letter, and knows nothing of the replay that it checks.
It is deliberately slow and plain: what is known of an application at a moment is asked of the list of the
events up to that moment (`Record`), again and again; only the chain of windows is carried along (`Chain`).

Public face: `read(applications, policy, today, holidays) -> list[Line]`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from typing import NamedTuple

from calsync import model as m

Holidays = Callable[[str, str | None, int], Mapping[date, str]]
DAY = timedelta(days=1)
STATED = ("agreed-follow-up", "timeline-follow-up")


class Line(NamedTuple):
    """One window as the page gives it; `applications` are ids, the one that gives the window's id first."""

    id: str
    by: str | None
    opens: date
    closes: date
    state: str
    done_on: date | None
    applications: tuple[str, ...]


# --- Words: business days, next, prev, span, following_week -----------------------------------------------


class Days:
    """The business days of one contact. `paused=False` leaves the pauses out (for `offer-deadline`)."""

    def __init__(self, contact: m.Contact, policy: m.Policy, holidays: Holidays) -> None:
        self.policy, self.holidays = policy, holidays
        if contact.country is not None:
            self.country, self.subdivision = contact.country, contact.subdivision
        else:
            self.country, self.subdivision = policy.country, policy.subdivision
        self.years: dict[int, Mapping[date, str]] = {}

    def is_business(self, day: date, *, paused: bool = True) -> bool:
        if day.weekday() not in self.policy.weekdays:
            return False
        if self.country is not None:
            if day.year not in self.years:
                self.years[day.year] = self.holidays(self.country, self.subdivision, day.year)
            if day in self.years[day.year]:
                return False
        return not (paused and any(p.first <= day <= p.last for p in self.policy.pauses))

    def next(self, day: date) -> date:
        while not self.is_business(day):
            day += DAY
        return day

    def prev(self, day: date, *, paused: bool = True) -> date:
        while not self.is_business(day, paused=paused):
            day -= DAY
        return day

    def span(self, o: date, c: date, n: date | None = None) -> tuple[date, date]:
        bar = date.min if n is None else n
        opens, closes = self.next(max(o, bar)), self.prev(c)
        if opens <= closes:
            return opens, closes
        a = self.next(max(c + DAY, bar))
        return a, max(a, self.prev(a + (c - o)))


def following_week(d: date) -> tuple[date, date]:
    """What `span` is given for the week after d's."""
    monday = d - timedelta(days=d.weekday()) + timedelta(days=7)
    return max(monday, d + timedelta(days=3)), monday + timedelta(days=4)


# --- What is on record of one application at some moment --------------------------------------------------


@dataclass(frozen=True)
class Record:
    """The events of one application up to some moment, in order, and what can be asked of them."""

    application: m.Application
    today: date
    events: tuple[m.Event, ...] = ()

    def __add__(self, event: m.Event) -> Record:
        return replace(self, events=(*self.events, event))

    @cached_property
    def _life(self) -> tuple[str, int, int | None, int]:
        """(stage, index where the present life began, index of its last interview, counted `applied`s).

        The stage is "new", "open", "offered" or "ended".
        """
        stage, since, last, count = "new", 0, None, 0
        for i, e in enumerate(self.events):
            if isinstance(e, m.Ended):
                stage = "ended"
            elif isinstance(e, m.Offer) and stage != "ended":
                stage = "offered"
            elif isinstance(e, m.Applied) and stage != "open":
                stage, since, last, count = "open", i, None, count + 1
            elif isinstance(e, m.Interview) and stage != "offered":
                since = i if stage == "ended" else since
                stage, last = "open", i
            elif isinstance(e, m.Heard) and stage == "new":
                stage = "open"
        return stage, since, last, count

    @property
    def stage(self) -> str:
        return self._life[0]

    @property
    def interview(self) -> m.Interview | None:
        """L, where there is one in this life."""
        last = self._life[2]
        event = None if last is None else self.events[last]
        assert event is None or isinstance(event, m.Interview)
        return event

    @property
    def ahead(self) -> bool:
        return self.interview is not None and self.interview.day > self.today

    @property
    def k(self) -> int:
        return sum(isinstance(e, m.Interview) for e in self.events)

    @property
    def m(self) -> int:
        return self._life[3]

    @property
    def since(self) -> tuple[m.Event, ...]:
        """The events since L, itself included (without an interview: since a)."""
        _, since, last, _ = self._life
        return self.events[since if last is None else last :]

    @property
    def said(self) -> list[m.Interview | m.Heard]:
        """What the employer has said since L; an interview that is ahead has said nothing yet."""
        return [e for e in self.since if isinstance(e, m.Interview | m.Heard) and e.day <= self.today]

    @property
    def timeline(self) -> date | None:
        """The T last said since L."""
        return ([None] + [e.timeline for e in self.said if e.timeline is not None])[-1]

    @property
    def last_word(self) -> date:
        """The latest of L, replies, D, T since L."""
        assert self.interview is not None
        told = [d for e in self.said for d in (e.day, e.timeline, e.follow_up_on) if d is not None]
        return max([self.interview.day, *told])

    def is_touch(self, event: m.Event) -> bool:
        """Whether it is a touch that counts, no courtesy."""
        if not isinstance(event, m.Contacted) or event.thanks:
            return False
        same_day = [e for e in self.application.events if e.day == event.day]
        return not any(isinstance(e, m.Applied | m.Interview) for e in same_day)

    @property
    def snooze(self) -> date | None:
        """The day before which nothing opens, by the last snooze that no `follow_up.on` has ended."""
        until = None
        for e in self.events:
            if isinstance(e, m.Snoozed):
                until = e.until
            elif isinstance(e, m.Interview | m.Heard) and e.follow_up_on is not None and e.day <= self.today:
                until = None
        return until

    @property
    def skips(self) -> set[str]:
        return {e.window for e in self.events if isinstance(e, m.Skipped)}

    def known(self, channel: m.Channel) -> bool:
        contact = self.application.contact
        address = contact.phone if channel is m.Channel.CALL else contact.email
        return bool(address) and channel not in self.application.do_not

    def channel(self, rule: str) -> m.Channel:
        wishes = [e.follow_up_by for e in self.said if e.follow_up_by is not None]
        if wishes:
            return wishes[-1]
        order = [m.Channel.CALL, m.Channel.EMAIL]
        if rule == "check-in" or any(self.is_touch(e) for e in self.since):
            order.reverse()
        return next((c for c in order if self.known(c)), m.Channel.ANY)


# --- The chain of windows ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Claim:
    """A window by its own rule: what `span` is given (`o`, `c`), and D or T where there is one (`named`)."""

    rule: str
    k: int
    o: date
    c: date
    named: date | None = None
    by: m.Channel | None = None


@dataclass(frozen=True)
class Past:
    """A window that is history."""

    rule: str
    k: int
    line: Line


@dataclass(frozen=True)
class Chain:
    """Where one application's windows stand: at most one is current; `pins` are those in force, by id."""

    record: Record
    days: Days
    policy: m.Policy
    current: Claim | None = None
    past: tuple[Past, ...] = ()
    pins: tuple[tuple[str, date, date], ...] = ()

    def id_of(self, claim: Claim, drawn: int = 0) -> str:
        """The id of a claim, behind `drawn` others of its rule that are not in the past yet."""
        head = f"{self.record.application.id}/{claim.rule}"
        if claim.rule == "application-call":
            return f"{head}/{self.record.m}"
        n = 1 + drawn + sum((p.rule, p.k) == (claim.rule, claim.k) for p in self.past)
        return f"{head}/{claim.k}.{n}"

    @property
    def id(self) -> str:
        assert self.current is not None
        return self.id_of(self.current)

    def pinned(self, window: str) -> tuple[date, date] | None:
        return next(((o, c) for i, o, c in self.pins if i == window), None)

    def placed(self, claim: Claim, window: str, bar: date | None) -> tuple[date, date]:
        """The days of a claim under the snooze and the bar of the guard."""
        pin = self.pinned(window)
        if pin is not None:
            return pin
        bars = [self.record.snooze, None if claim.rule == "agreed-follow-up" else bar]
        return self.days.span(claim.o, claim.c, max((b for b in bars if b is not None), default=None))

    def by(self, claim: Claim) -> m.Channel:
        return claim.by or self.record.channel(claim.rule)

    def check_in(self, b: date) -> Claim | None:
        """`check-in` counted from b; None when stale."""
        first, last = (timedelta(days=d) for d in self.policy.check_in_days)
        o, c, t = b + first, b + last, self.record.timeline
        if t is not None and t + DAY > o:
            o, c = t + DAY, t + timedelta(days=5)
        opens, _ = self.days.span(o, c)
        if opens - self.record.last_word > timedelta(days=self.policy.stale_after_days):
            return None
        return Claim("check-in", self.record.k, o, c)

    def after(self, b: date) -> Claim | None:
        """What follows a window that was used up, missed or skipped, counted from b."""
        return None if self.record.interview is None else self.check_in(b)

    def retire(self, state: m.State, days: tuple[date, date], done_on: date | None = None) -> Chain:
        """The current window becomes history; what follows is not yet set."""
        assert self.current is not None
        claim = self.current
        line = Line(self.id, self.by(claim), *days, state, done_on, (self.record.application.id,))
        return replace(self, current=None, past=(*self.past, Past(claim.rule, claim.k, line)))

    def become(self, claim: Claim | None) -> Chain:
        """The current window is replaced or moved, which ends its pin."""
        pins = self.pins if self.current is None else tuple(p for p in self.pins if p[0] != self.id)
        return replace(self, current=claim, pins=pins)


def stated(event: m.Interview | m.Heard, k: int) -> Claim | None:
    """The window that a statement names."""
    if (d := event.follow_up_on) is not None:
        return Claim("agreed-follow-up", k, d, d + DAY, d)
    if (t := event.timeline) is not None:
        return Claim("timeline-follow-up", k, t + DAY, t + timedelta(days=7), t)
    return None


def named_later(claim: Claim | None, day: date) -> bool:
    """Whether it is an agreed or timeline window whose D or T is later than `day`."""
    return claim is not None and claim.named is not None and claim.named > day


def application_call(record: Record, policy: m.Policy, a: date) -> Claim | None:
    if record.known(m.Channel.CALL):
        by = m.Channel.CALL
    elif policy.email_instead and record.known(m.Channel.EMAIL):
        by = m.Channel.EMAIL
    else:
        return None
    return Claim("application-call", record.k, *following_week(a), by=by)


def applied_event(chain: Chain, event: m.Event) -> Chain:
    """The chain after an event that says or does something to the current window; no touches here."""
    before, record = chain.record, chain.record + event
    known = replace(chain, record=record)

    def become(claim: Claim | None) -> Chain:
        return replace(chain.become(claim), record=record)

    if isinstance(event, m.Applied) and record.m > before.m:
        return become(application_call(record, chain.policy, event.day))
    if isinstance(event, m.Interview) and before.stage != "offered":
        said = None if event.day > record.today else stated(event, record.k)
        week = following_week(event.day)
        return become(said or Claim("interview-follow-up", record.k, *week))
    if isinstance(event, m.Heard) and before.stage in ("new", "open"):
        if (said := stated(event, record.k)) is not None:
            return become(said)
        if named_later(chain.current, event.day):
            return known
        return become(known.after(event.day))
    if isinstance(event, m.Offer | m.Ended):
        return become(None)
    if isinstance(event, m.Pinned):
        others = tuple(p for p in chain.pins if p[0] != event.window)
        return replace(known, pins=(*others, (event.window, event.opens, event.closes)))
    return known


# --- Replay -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Moment:
    """All applications to one person at some moment, and what was heard from and sent to that person.

    `touches` are (day, position), `lifts` too: the bar of a touch is lifted by a later reply or interview.
    """

    chains: tuple[Chain, ...]
    policy: m.Policy
    touches: tuple[tuple[date, int], ...] = ()
    lifts: tuple[tuple[date, int], ...] = ()
    position: int = 0

    def bar(self) -> date | None:
        """The day before which no window to the person opens."""
        gap = timedelta(days=self.policy.contact_gap_days)
        bars = [min([day + gap] + [x for x, j in self.lifts if (x, j) > (day, i)]) for day, i in self.touches]
        return max(bars, default=None)

    def touched(self, day: date) -> Moment:
        return replace(self, touches=(*self.touches, (day, self.position)), position=self.position + 1)

    def lifted(self, day: date) -> Moment:
        return replace(self, lifts=(*self.lifts, (day, self.position)), position=self.position + 1)

    def with_chain(self, chain: Chain) -> Moment:
        mine = chain.record.application.id
        return replace(self, chains=tuple(chain if c.record.application.id == mine else c for c in self.chains))

    def chain(self, application: m.Application) -> Chain:
        return next(c for c in self.chains if c.record.application.id == application.id)

    def current_days(self, chain: Chain) -> tuple[date, date]:
        assert chain.current is not None
        return chain.placed(chain.current, chain.id, self.bar())


def skipped_over(moment: Moment) -> Moment:
    """Every current window that the user has skipped is passed over, without a bar."""
    for chain in moment.chains:
        if chain.current is not None and chain.id in chain.record.skips:
            days = moment.current_days(chain)
            gone = chain.retire(m.State.SKIPPED, days)
            return skipped_over(moment.with_chain(replace(gone, current=gone.after(days[1]))))
    return moment


def passed(moment: Moment, day: date) -> Moment:
    """Time passes to `day`: what closed before it is missed."""
    over = []
    for chain in moment.chains:
        if chain.current is not None:
            days = moment.current_days(chain)
            if days[1] < day:
                over.append((days[1], days[0], chain.id, chain))
    if not over:
        return moment
    closes, opens, _, chain = min(over, key=lambda x: x[:3])
    gone = chain.retire(m.State.MISSED, (opens, closes))
    after = moment.with_chain(replace(gone, current=gone.after(closes))).touched(closes)
    return passed(skipped_over(after), day)


def touched(moment: Moment, application: m.Application, event: m.Event) -> Moment:
    """A touch on its day uses up the current window, unless its D or T is later."""
    chain = moment.chain(application)
    record = chain.record + event
    if chain.current is not None and not named_later(chain.current, event.day):
        gone = chain.retire(m.State.DONE, moment.current_days(chain), event.day)
        gone = replace(gone, record=record)
        chain = replace(gone, current=gone.after(event.day))
    else:
        chain = replace(chain, record=record)
    return moment.with_chain(chain).touched(event.day)


def step(moment: Moment, application: m.Application, event: m.Event) -> Moment:
    if not isinstance(event, m.Interview):
        moment = passed(moment, event.day)
    chain = moment.chain(application)
    if chain.record.is_touch(event):
        moment = touched(moment, application, event)
    else:
        moment = moment.with_chain(applied_event(chain, event))
        if isinstance(event, m.Interview | m.Heard):
            moment = moment.lifted(event.day)
    return skipped_over(moment)


def happened(application: m.Application, today: date) -> list[m.Event]:
    """The events that count as having happened, in order of date, then of place."""
    kept = [e for e in application.events if not isinstance(e, m.Acknowledged)]
    kept = [e for e in kept if e.day <= today or isinstance(e, m.Interview)]
    return sorted(kept, key=lambda e: e.day)


# --- Ahead, and beside the current window -----------------------------------------------------------------


def ahead(chain: Chain, moment: Moment) -> list[Line]:
    """The current window, and the check-ins that are drawn behind it."""
    if chain.current is None:
        return []
    record, policy = chain.record, chain.policy
    mine = (record.application.id,)
    opens, closes = moment.current_days(chain)
    state = m.State.TENTATIVE if record.ahead else m.State.FIRM
    lines = [Line(chain.id, chain.by(chain.current), opens, closes, state, None, mine)]
    drawn = 1 if chain.current.rule == "check-in" else 0
    horizon = record.today + timedelta(days=policy.horizon_days)
    bars = [moment.bar(), closes + timedelta(days=policy.contact_gap_days)]
    while (claim := chain.after(closes)) is not None:
        window = chain.id_of(claim, drawn)
        opens, closes = chain.placed(claim, window, max(b for b in bars if b is not None))
        if opens > horizon:
            break
        skipped = window in record.skips
        state = m.State.SKIPPED if skipped else m.State.TENTATIVE
        lines.append(Line(window, chain.by(claim), opens, closes, state, None, mine))
        if not skipped:
            bars.append(closes + timedelta(days=policy.contact_gap_days))
        drawn += 1
    return lines


def beside(chain: Chain) -> list[Line]:
    """`ask-before-leaving`, `thank-you` and `offer-deadline`."""
    record, today = chain.record, chain.record.today
    name = record.application.id
    events = record.events
    lines = []
    for i, event in enumerate(events):
        later = events[i + 1 :]
        if not isinstance(event, m.Interview) or any(isinstance(e, m.Ended) for e in later):
            continue
        k = sum(isinstance(e, m.Interview) for e in events[: i + 1])
        if event.day >= today:
            lines.append((f"{name}/ask-before-leaving/{k}", None, event.day, event.day, m.State.FIRM))
        thanks = chain.days.next(event.day + DAY)
        if chain.policy.thank_you and thanks >= today and not any(isinstance(e, m.Offer) for e in later):
            state = m.State.TENTATIVE if event.day > today else m.State.FIRM
            lines.append((f"{name}/thank-you/{k}", m.Channel.EMAIL, thanks, thanks, state))
    offers = [e for e in events if isinstance(e, m.Offer)]
    if record.stage == "offered" and (due := offers[-1].respond_by) is not None and due >= today:
        opens = max(offers[-1].day, chain.days.prev(due - 2 * DAY, paused=False))
        lines.append((f"{name}/offer-deadline/{len(offers)}", None, opens, due, m.State.FIRM))
    return [amended(chain, *line) for line in lines]


def amended(chain: Chain, window: str, by: m.Channel | None, opens: date, closes: date, state: m.State) -> Line:
    """What stands beside the current window, as the user's skip or pin of it says."""
    if window in chain.record.skips:
        state = m.State.SKIPPED
    opens, closes = chain.pinned(window) or (opens, closes)
    return Line(window, by, opens, closes, state, None, (chain.record.application.id,))


def read_one(application: m.Application, policy: m.Policy, today: date, holidays: Holidays) -> list[Line]:
    """All windows of one application, ordered by `opens`, then id."""
    days = Days(application.contact, policy, holidays)
    moment = Moment((Chain(Record(application, today), days, policy),), policy)
    for event in happened(application, today):
        moment = step(moment, application, event)
    moment = passed(moment, today)
    chain = moment.chains[0]
    lines = [p.line for p in chain.past] + ahead(chain, moment) + beside(chain)
    return sorted(lines, key=lambda line: (line.opens, line.id))


def read(applications: Sequence[m.Application], policy: m.Policy, today: date, holidays: Holidays) -> list[Line]:
    """All windows of all applications, ordered by `opens`, then id."""
    lines = [line for app in applications for line in read_one(app, policy, today, holidays)]
    return sorted(lines, key=lambda line: (line.opens, line.id))
