"""A second, independent reading of the etiquette, as an oracle for the tests of `calsync.etiquette`.

It is written from `docs/etiquette.md` alone, to the letter, and knows nothing of the replay that it checks.
It is deliberately slow and plain: what is known of an application at a moment is asked of the list of the
events up to that moment (`Record`), again and again; only the chain of windows is carried along (`Chain`).

Public face: `read(applications, policy, today, holidays) -> list[Line]`.
"""

from __future__ import annotations

import unicodedata
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
        where = policy if contact.country is None else contact
        self.country, self.subdivision = where.country, where.subdivision
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
    def applied_count(self) -> int:
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
        for i, e in enumerate(self.events):
            if isinstance(e, m.Snoozed):
                until = e.until
            elif isinstance(e, m.Interview | m.Heard) and e.follow_up_on is not None and e.day <= self.today:
                before = replace(self, events=self.events[:i])
                until = None if before.listens(e) else until
        return until

    def listens(self, event: m.Interview | m.Heard) -> bool:
        """Whether a statement counts: not with an offer, and after an end only an interview."""
        return self.stage in ("new", "open") or (self.stage == "ended" and isinstance(event, m.Interview))

    @property
    def skips(self) -> set[str]:
        return {e.window for e in self.events if isinstance(e, m.Skipped)}

    def has(self, channel: m.Channel) -> bool:
        contact = self.application.contact
        return bool(contact.phone if channel is m.Channel.CALL else contact.email)

    def known(self, channel: m.Channel) -> bool:
        return self.has(channel) and channel not in self.application.do_not

    @property
    def wish(self) -> m.Channel | None:
        """The latest `follow_up.by` said since L."""
        return ([None] + [e.follow_up_by for e in self.said if e.follow_up_by is not None])[-1]

    def channel(self, rule: str) -> m.Channel:
        if self.wish is not None:
            return self.wish
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
class Chain:
    """Where one application's windows stand: at most one is current.

    `past` tells the rule and k of each window that is history, `pins` are those in force, by id.
    """

    record: Record
    days: Days
    policy: m.Policy
    current: Claim | None = None
    past: tuple[tuple[str, int], ...] = ()
    pins: tuple[tuple[str, date, date], ...] = ()

    def id_of(self, claim: Claim, drawn: int = 0) -> str:
        """The id of a claim, behind `drawn` others of its rule that are not in the past yet."""
        head = f"{self.record.application.id}/{claim.rule}"
        if claim.rule == "application-call":
            return f"{head}/{self.record.applied_count}"
        n = 1 + drawn + self.past.count((claim.rule, claim.k))
        return f"{head}/{claim.k}.{n}"

    @property
    def id(self) -> str:
        assert self.current is not None
        return self.id_of(self.current)

    def own_days(self) -> tuple[date, date]:
        """The days of the current window by its own rule."""
        assert self.current is not None
        return self.days.span(self.current.o, self.current.c)

    @property
    def name(self) -> str:
        return self.record.application.id

    @property
    def is_agreed(self) -> bool:
        return self.current is not None and self.current.rule == "agreed-follow-up"

    def with_pin(self, window: str, opens: date, closes: date) -> Chain:
        others = tuple(p for p in self.pins if p[0] != window)
        return replace(self, pins=(*others, (window, opens, closes)))

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

    def retired(self) -> Chain:
        """The current window becomes history; what follows is not yet set."""
        assert self.current is not None
        return replace(self, current=None, past=(*self.past, (self.current.rule, self.current.k)))

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

    if isinstance(event, m.Applied) and record.applied_count > before.applied_count:
        return become(application_call(record, chain.policy, event.day))
    if isinstance(event, m.Interview) and before.listens(event):
        said = None if event.day > record.today else stated(event, record.k)
        week = following_week(event.day)
        return become(said or Claim("interview-follow-up", record.k, *week))
    if isinstance(event, m.Heard) and before.listens(event):
        if (said := stated(event, record.k)) is not None:
            return become(said)
        if named_later(chain.current, event.day):
            return known
        return become(known.after(event.day))
    if isinstance(event, m.Offer | m.Ended):
        return become(None)
    if isinstance(event, m.Pinned):
        return known.with_pin(event.window, event.opens, event.closes)
    return known


# --- The contact guard (S7): all applications to one person --------------------------------------------------


@dataclass(frozen=True)
class Group:
    """Current windows that are one window with the days `opens` to `closes`; `lead` gives id and channel."""

    opens: date
    closes: date
    chains: tuple[Chain, ...]
    lead: Chain

    @property
    def id(self) -> str:
        return self.lead.id

    @property
    def pin(self) -> tuple[date, date] | None:
        return next((p for c in self.chains if (p := c.pinned(c.id)) is not None), None)

    def line(self, state: m.State, done_on: date | None = None) -> Line:
        others = sorted(c.name for c in self.chains if c.name != self.lead.name)
        days = (self.opens, self.closes)
        return Line(self.id, self.by(), *days, state, done_on, (self.lead.name, *others))

    def by(self) -> m.Channel:
        """The lead's channel; where a member forbids it the other one, else `any`."""
        assert self.lead.current is not None
        wanted = self.lead.by(self.lead.current)
        if wanted is m.Channel.ANY or len(self.chains) == 1 or not self.forbidden(wanted):
            return wanted
        other = m.Channel.CALL if wanted is m.Channel.EMAIL else m.Channel.EMAIL
        known = any(c.record.has(other) for c in self.chains)
        return other if known and not self.forbidden(other) else m.Channel.ANY

    def forbidden(self, channel: m.Channel) -> bool:
        """Whether the advertisement of a member forbids it; their later wish beats the advertisement."""
        records = [c.record for c in self.chains]
        return any(channel in r.application.do_not and r.wish is not channel for r in records)


def shared(one: Group, two: Group) -> tuple[date, date] | None:
    """The first and the last of the days that are business days for all of both."""
    calendars = [c.days for c in (*one.chains, *two.chains)]
    day, last = max(one.opens, two.opens), min(one.closes, two.closes)
    common = []
    while day <= last:
        if all(calendar.is_business(day) for calendar in calendars):
            common.append(day)
        day += DAY
    return (common[0], common[-1]) if common else None


def met(one: Group, two: Group) -> tuple[date, date] | None:
    """The days of the one window that both become, or None where they do not; a pinned window keeps its days."""
    if one.pin is not None and two.pin is not None:
        return one.pin if one.pin == two.pin else None
    days = shared(one, two)
    return None if days is None else one.pin or two.pin or days


def by_own_rule(chain: Chain) -> tuple[bool, date, date, str]:
    """The first of some gives id and channel: an agreed window, then the one that opens first by its own rule."""
    return (not chain.is_agreed, *chain.own_days(), chain.id)


@dataclass(frozen=True)
class Moment:
    """All applications to one person at some moment, and what was heard from and sent to that person.

    `touches` are (day, position), `lifts` too: the bar of a touch is lifted by a later reply or interview.
    """

    chains: tuple[Chain, ...]
    policy: m.Policy
    today: date
    history: tuple[Line, ...] = ()
    touches: tuple[tuple[date, int], ...] = ()
    lifts: tuple[tuple[date, int], ...] = ()
    position: int = 0

    @property
    def gap(self) -> timedelta:
        return timedelta(days=self.policy.contact_gap_days)

    def bar(self) -> date | None:
        """The day before which no window to the person opens, by the touches so far."""
        bars = [min([d + self.gap] + [x for x, j in self.lifts if (x, j) > (d, i)]) for d, i in self.touches]
        return max(bars, default=None)

    def bar_from(self, last: date) -> date:
        """The bar that a window sets from its last day."""
        return min([last + self.gap] + [x for x, _ in self.lifts if x > last])

    def touched(self, day: date) -> Moment:
        return replace(self, touches=(*self.touches, (day, self.position)), position=self.position + 1)

    def lifted(self, day: date) -> Moment:
        return replace(self, lifts=(*self.lifts, (day, self.position)), position=self.position + 1)

    def with_chain(self, chain: Chain) -> Moment:
        return replace(self, chains=tuple(chain if c.name == chain.name else c for c in self.chains))

    def with_line(self, line: Line) -> Moment:
        return replace(self, history=(*self.history, line))

    def chain(self, name: str) -> Chain:
        return next(c for c in self.chains if c.name == name)

    def own(self, chain: Chain) -> tuple[date, date]:
        """The days of a current window after snooze and touches."""
        assert chain.current is not None
        return chain.placed(chain.current, chain.id, self.bar())

    def under(self, chain: Chain, n: date | None) -> Group:
        """A current window alone, under a further bar."""
        assert chain.current is not None
        bars = [b for b in (self.bar(), n) if b is not None]
        return Group(*chain.placed(chain.current, chain.id, max(bars, default=None)), (chain,), chain)

    def order(self, chain: Chain) -> tuple[date, date, str]:
        return (*self.own(chain), chain.id)

    def firm(self) -> list[Group]:
        """The firm windows, each in its place: the agreed ones, then the others in order."""
        chains = [c for c in self.chains if c.current is not None and not c.record.ahead]
        chains.sort(key=self.order)
        agreed: list[Group] = []
        for chain in chains:
            if chain.is_agreed:
                self.stand(agreed, chain)
        others: list[Group] = []
        n = None
        for chain in chains:
            if not chain.is_agreed:
                n = self.place(agreed, others, chain, n)
        return agreed + others

    def stand(self, agreed: list[Group], chain: Chain) -> None:
        """An agreed window stands, or merges with an agreed one that it overlaps."""
        alone = self.under(chain, None)
        for i, group in enumerate(agreed):
            if (days := met(group, alone)) is not None:
                agreed[i] = self.merged(group, chain, days)
                return
        agreed.append(alone)

    def merged(self, group: Group, chain: Chain, days: tuple[date, date]) -> Group:
        """Both as one; an agreed window stands for an ordinary one, else the first gives id and channel."""
        chains = (*group.chains, chain)
        return Group(*days, chains, min(chains, key=by_own_rule))

    def place(self, agreed: list[Group], others: list[Group], chain: Chain, n: date | None) -> date | None:
        """Place an ordinary window behind `others`; returns the bar of all `others` but the last.

        `n` is that bar before: the window may still overlap with the last of them.
        """
        alone = self.around(agreed, chain, n)
        if alone is None:
            return n
        if not others:
            others.append(alone)
            return n
        if (days := met(others[-1], alone)) is not None:
            others[-1] = self.merged(others[-1], chain, days)
            return n
        bar = max(d for d in (n, self.bar_from(others[-1].closes)) if d is not None)
        alone = self.around(agreed, chain, bar)
        if alone is None:
            return n
        others.append(alone)
        return bar

    def around(self, agreed: list[Group], chain: Chain, n: date | None) -> Group | None:
        """An ordinary window under the bar n, such that agreed ones keep their days; None if it joins one."""
        alone = self.under(chain, n)
        if chain.pinned(chain.id) is not None:
            return alone
        for i, group in enumerate(agreed):
            if group.opens <= alone.closes and alone.opens <= group.closes:
                agreed[i] = self.merged(group, chain, (group.opens, group.closes))
                return None
        for group in agreed:
            bar = self.bar_from(group.closes)
            if group.closes < alone.opens < bar:
                return self.around(agreed, chain, bar)
        for i, group in enumerate(agreed):
            if group.opens - self.gap < alone.closes < group.opens:
                closes = chain.days.prev(group.opens - self.gap)
                if closes < alone.opens:
                    agreed[i] = self.merged(group, chain, (group.opens, group.closes))
                    return None
                alone = replace(alone, closes=closes)
        return alone

    def last_day(self, chain: Chain, group: Group) -> date:
        """The later of its own last day and the merged one's: what a chain goes on from without a touch."""
        return group.closes if len(group.chains) == 1 else max(self.own(chain)[1], group.closes)

    def current(self) -> list[Group]:
        """All current windows in their places, firm and tentative."""
        firm = self.firm()
        if not any(c.current is not None and c.record.ahead for c in self.chains):
            return firm
        heads = Ahead(self, firm).heads()
        return firm + [Group(h.opens, h.closes, (h.chain,), h.chain) for h in heads]


# --- Replay --------------------------------------------------------------------------------------------------


def over(moment: Moment, group: Group, state: m.State) -> Moment:
    """A window is missed or skipped, for all whom it served."""
    moved = moment.with_line(group.line(state))
    for chain in group.chains:
        gone = chain.retired()
        moved = moved.with_chain(replace(gone, current=gone.after(moment.last_day(chain, group))))
    return moved.touched(group.closes) if state is m.State.MISSED else moved


def skipped_over(moment: Moment) -> Moment:
    """Every current window whose own id the user has skipped is passed over, without a bar."""
    if not any(c.current is not None and c.id in c.record.skips for c in moment.chains):
        return moment
    for group in moment.current():
        for chain in group.chains:
            if chain.id in chain.record.skips:
                alone = replace(group, chains=(chain,), lead=chain)
                return skipped_over(over(moment, alone, m.State.SKIPPED))
    return moment


def passed(moment: Moment, day: date) -> Moment:
    """Time passes to `day`: what closed before it is missed."""
    closed = [g for g in moment.current() if g.closes < day]
    if not closed:
        return moment
    first = min(closed, key=lambda g: (g.closes, g.opens, g.id))
    return passed(skipped_over(over(moment, first, m.State.MISSED)), day)


def touched(moment: Moment, name: str, event: m.Event) -> Moment:
    """A touch uses up the current window of its application, and all that are open on its day.

    A merged window is one window: it is used up for all whom it serves, each tested for its own D or T.
    """
    t = event.day
    recorded = moment.with_chain(replace(moment.chain(name), record=moment.chain(name).record + event))
    moved = recorded
    for group in moment.current():
        is_meant = group.opens <= t <= group.closes or any(c.name == name for c in group.chains)
        used = [c for c in group.chains if is_meant and not named_later(c.current, t)]
        if not used:
            continue
        lead = min(used, key=by_own_rule)
        moved = moved.with_line(replace(group, chains=tuple(used), lead=lead).line(m.State.DONE, t))
        for chain in used:
            gone = replace(chain, record=recorded.chain(chain.name).record).retired()
            moved = moved.with_chain(replace(gone, current=gone.after(t)))
    return moved.touched(t)


def answered(moment: Moment, name: str, event: m.Event) -> Moment:
    """A skip or a pin of a window that stands for several applications is said of all of them."""
    if not isinstance(event, m.Skipped | m.Pinned):
        return moment
    for group in moment.current():
        if len(group.chains) > 1 and group.id == event.window and group.lead.name == name:
            if isinstance(event, m.Skipped):
                return over(moment, group, m.State.SKIPPED)
            for chain in group.chains:
                moment = moment.with_chain(chain.with_pin(chain.id, event.opens, event.closes))
    return moment


def step(moment: Moment, name: str, event: m.Event) -> Moment:
    """What one event of one application changes."""
    if not isinstance(event, m.Interview):
        moment = passed(moment, event.day)
    if moment.chain(name).record.is_touch(event):
        return skipped_over(touched(moment, name, event))
    moment = answered(moment, name, event)
    moment = moment.with_chain(applied_event(moment.chain(name), event))
    if isinstance(event, m.Interview | m.Heard) and event.day <= moment.today:
        moment = moment.lifted(event.day)
    return skipped_over(moment)


def happened(application: m.Application, today: date) -> list[m.Event]:
    """The events that count as having happened, in order of date, then of place."""
    kept = [e for e in application.events if not isinstance(e, m.Acknowledged)]
    kept = [e for e in kept if e.day <= today or isinstance(e, m.Interview)]
    return sorted(kept, key=lambda e: e.day)


# --- Ahead, and beside the current window -----------------------------------------------------------------


@dataclass(frozen=True)
class Head:
    """A tentative window of a chain: its current one, or the `drawn`-th check-in behind it."""

    chain: Chain
    claim: Claim
    window: str
    opens: date
    closes: date
    drawn: int


class Ahead:
    """Places the tentative windows to one person behind the firm ones."""

    def __init__(self, moment: Moment, firm: list[Group]) -> None:
        self.moment, self.firm = moment, firm
        self.waiting: list[Head] = []
        self.placed: list[Head] = []
        self.bar: date | None = None
        self.floor: dict[str, date] = {}
        for chain in moment.chains:
            if chain.current is not None and chain.record.ahead:
                own = chain.placed(chain.current, chain.id, self.bar_for(chain))
                self.waiting.append(Head(chain, chain.current, chain.id, *own, 0))
        for group in firm:
            for chain in group.chains:
                self.floor[chain.name] = moment.bar_from(group.closes)
                drawn = 0 if chain.current is None or chain.current.rule != "check-in" else 1
                self.follow(chain, moment.last_day(chain, group), drawn)

    def bar_for(self, chain: Chain) -> date | None:
        """The bar of the touches so far; its own interview that is ahead will lift it."""
        bar, planned = self.moment.bar(), chain.record.interview
        if bar is not None and chain.record.ahead and planned is not None:
            return min(bar, planned.day)
        return bar

    def follow(self, chain: Chain, last: date, drawn: int) -> None:
        """The next check-in of a chain waits for its place."""
        claim = chain.after(last)
        if claim is not None:
            window = chain.id_of(claim, drawn)
            days = chain.placed(claim, window, self.bar_for(chain))
            self.waiting.append(Head(chain, claim, window, *days, drawn + 1))

    def under(self, head: Head, n: date | None) -> Head:
        bars = [b for b in (self.bar_for(head.chain), self.floor.get(head.chain.name), n) if b is not None]
        opens, closes = head.chain.placed(head.claim, head.window, max(bars, default=None))
        return replace(head, opens=opens, closes=closes)

    def place(self, head: Head, n: date | None) -> Head:
        """Behind the firm windows before it; behind the last firm one where it would touch or overlap any."""
        head = self.under(head, n)
        if not self.firm or head.chain.pinned(head.window) is not None:
            return head
        behind = self.moment.bar_from(max(g.closes for g in self.firm))
        if any(head.opens <= g.closes and g.opens <= head.closes for g in self.firm):
            return self.under(head, max(b for b in (behind, n) if b is not None))
        for group in self.firm:
            bar = self.moment.bar_from(group.closes)
            if group.closes < head.opens < bar:
                return self.place(head, max(b for b in (bar, n) if b is not None))
        for group in self.firm:
            if group.opens - self.moment.gap < head.closes < group.opens:
                if not group.lead.is_agreed:
                    return self.under(head, max(b for b in (behind, n) if b is not None))
                closes = head.chain.days.prev(group.opens - self.moment.gap)
                if closes < head.opens:
                    return self.under(head, max(b for b in (behind, n) if b is not None))
                head = replace(head, closes=closes)
        return head

    def run(self) -> list[Head]:
        """All tentative windows by `today + horizon_days`, in their places, and the current ones beyond."""
        horizon = self.moment.today + timedelta(days=self.moment.policy.horizon_days)
        while self.waiting:
            first = min(self.waiting, key=lambda h: (h.opens, h.closes, h.window))
            self.waiting.remove(first)
            head = self.place(first, self.bar)
            if head.opens > horizon and head.claim is not head.chain.current:
                continue
            self.placed.append(head)
            if head.window not in head.chain.record.skips:
                bar = self.moment.bar_from(head.closes)
                self.bar = bar if self.bar is None else max(bar, self.bar)
            is_other = head.drawn == 0 and head.claim.rule != "check-in"
            self.follow(head.chain, head.closes, 0 if is_other else max(head.drawn, 1))
        return self.placed

    def heads(self) -> list[Head]:
        """The current ones among them."""
        return [h for h in self.run() if h.claim is h.chain.current]


def ahead(moment: Moment) -> list[Line]:
    """The current windows, and the check-ins that are drawn behind them."""
    firm = moment.firm()
    lines = [group.line(m.State.FIRM) for group in firm]
    for head in Ahead(moment, firm).run():
        state = m.State.SKIPPED if head.window in head.chain.record.skips else m.State.TENTATIVE
        by = head.chain.by(head.claim)
        lines.append(Line(head.window, by, head.opens, head.closes, state, None, (head.chain.name,)))
    return lines


def beside(chain: Chain) -> list[Line]:
    """`ask-before-leaving`, `thank-you` and `offer-deadline`."""
    record, today = chain.record, chain.record.today
    name = record.application.id
    events = record.events
    lines: list[tuple[str, m.Channel | None, date, date, m.State]] = []
    for i, event in enumerate(events):
        later = events[i + 1 :]
        if not isinstance(event, m.Interview) or any(isinstance(e, m.Ended) for e in later):
            continue
        k = sum(isinstance(e, m.Interview) for e in events[: i + 1])
        if event.day >= today:
            lines.append((f"{name}/ask-before-leaving/{k}", None, event.day, event.day, m.State.FIRM))
        thanks = chain.days.next(event.day + DAY)
        if chain.policy.thank_you and thanks >= today:
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


# --- Persons -------------------------------------------------------------------------------------------------


def plain(text: str | None) -> str:
    """Without regard to case, accents and blanks."""
    apart = unicodedata.normalize("NFKD", (text or "").casefold())
    return " ".join("".join(c for c in apart if unicodedata.category(c) != "Mn").split())


def digits(phone: str | None) -> str:
    """A number without its punctuation; 00 is +."""
    number = "".join(c for c in phone or "" if c.isdigit())
    return number.removeprefix("00")


def linked(one: m.Contact, two: m.Contact) -> bool:
    """Whether two contacts share an e-mail address or a phone number."""
    by_email = plain(one.email) != "" and plain(one.email) == plain(two.email)
    return by_email or (digits(one.phone) != "" and digits(one.phone) == digits(two.phone))


def joined(groups: list[list[m.Application]], pair: Callable[[m.Application, m.Application], bool]) -> None:
    """Join groups of which any two members make a pair, until none do."""
    for i, one in enumerate(groups):
        for two in groups[i + 1 :]:
            if any(pair(a, b) for a in one for b in two):
                one.extend(two)
                groups.remove(two)
                joined(groups, pair)
                return


def persons(applications: Sequence[m.Application]) -> list[list[m.Application]]:
    """The applications by person, each list by application id."""
    groups = [[a] for a in sorted(applications, key=lambda a: a.id)]
    joined(groups, lambda a, b: linked(a.contact, b.contact))

    def who(a: m.Application) -> tuple[str, str]:
        return plain(a.contact.name), plain(a.company)

    def bare(a: m.Application) -> bool:
        return not plain(a.contact.email) and not digits(a.contact.phone)

    known = [{who(a) for a in g} for g in groups if not all(bare(a) for a in g)]
    doubtful = {w for names in known for w in names if sum(w in other for other in known) > 1}

    def same(a: m.Application, b: m.Application) -> bool:
        named = a.contact.name is not None and who(a) == who(b) and who(a) not in doubtful
        return named and (bare(a) or bare(b))

    joined(groups, same)
    return [sorted(g, key=lambda a: a.id) for g in groups]


def read_person(applications: Sequence[m.Application], policy: m.Policy, today: date, holidays: Holidays) -> list[Line]:
    """All windows of the applications to one person."""
    chains = [Chain(Record(a, today), Days(a.contact, policy, holidays), policy) for a in applications]
    moment = Moment(tuple(chains), policy, today)
    events = [(e, a.id) for a in applications for e in happened(a, today)]
    for event, name in sorted(events, key=lambda pair: (pair[0].day, pair[1])):
        moment = step(moment, name, event)
    moment = passed(moment, today)
    return [*moment.history, *ahead(moment), *(w for c in moment.chains for w in beside(c))]


def read(applications: Sequence[m.Application], policy: m.Policy, today: date, holidays: Holidays) -> list[Line]:
    """All windows of all applications, ordered by `opens`, then id."""
    groups = persons(applications)
    lines = [line for group in groups for line in read_person(group, policy, today, holidays)]
    return sorted(lines, key=lambda line: (line.opens, line.id))
