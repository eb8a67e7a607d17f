"""Random journals, realistic and nasty, for comparing `calsync.etiquette` with its oracle.

One generator makes them, out of small choices that it asks a `Chooser` for: Hypothesis (whose journals shrink) or
a seeded `random.Random` (which is fast).

Public face: `one_application()`, `one_person()`, `several_persons()` (strategies), `random_journal(rng, ...)`,
`Case`, `public_holidays`.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import cache
from typing import NamedTuple, Protocol, TypeVar

import holidays
from hypothesis import strategies as st
from msgspec.structs import replace

from calsync import model as m
from tests.etiquette.reading import read

T = TypeVar("T")

STARTS = (date(2026, 11, 2), date(2026, 11, 5), date(2026, 12, 8), date(2027, 3, 15), date(2028, 2, 21))
GAPS = (0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 16, 20, 25, 45, 100)
AHEAD = (1, 2, 3, 5, 7, 8, 10, 12, 15, 21, 30, 60)
PLACES = ((None, None), (None, None), ("US", None), ("US", "IL"), ("DE", None), ("DE", "BY"), ("GB", "SCT"))
RULES = ("interview-follow-up", "agreed-follow-up", "timeline-follow-up", "check-in")
PROMPTS = ("application-call", "ask-before-leaving", "thank-you", "offer-deadline")
CHANNELS = (m.Channel.CALL, m.Channel.EMAIL)


class Case(NamedTuple):
    """What the etiquette is asked about."""

    applications: tuple[m.Application, ...]
    policy: m.Policy
    today: date


class Chooser(Protocol):
    """Where choices come from."""

    def pick(self, choices: Sequence[T]) -> T:
        """One of them; the first are the simplest."""
        ...


class Dice:
    """Choices of a seeded generator."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def pick(self, choices: Sequence[T]) -> T:
        """Any of them."""
        return self.rng.choice(choices)


class Drawn:
    """Choices of Hypothesis."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw

    def pick(self, choices: Sequence[T]) -> T:
        """Any of them; shrinks to the first."""
        return choices[self.draw(_index(len(choices)))]


@cache
def _index(count: int) -> st.SearchStrategy[int]:
    """A place in a sequence; made once, as making a strategy takes longer than drawing from it."""
    return st.integers(0, count - 1)


@cache
def public_holidays(country: str, subdivision: str | None, year: int) -> Mapping[date, str]:
    """Public holidays as the `holidays` package has them."""
    return dict(holidays.country_holidays(country, subdiv=subdivision, years=year))


def chance(choose: Chooser, one_in: int) -> bool:
    """True once in so many."""
    return choose.pick(range(one_in)) == one_in - 1


def days(count: int) -> timedelta:
    """So many days."""
    return timedelta(days=count)


def policy(choose: Chooser, start: date) -> m.Policy:
    """The preset, or other numbers, weekdays and pauses."""
    country, subdivision = choose.pick(PLACES) if chance(choose, 3) else (None, None)
    chosen = m.Policy(country=country, subdivision=subdivision, email_instead=chance(choose, 4))
    chosen = replace(chosen, thank_you=chance(choose, 4))
    if chance(choose, 4):
        chosen = replace(
            chosen,
            check_in_days=choose.pick(((7, 10), (5, 5), (10, 20), (14, 21))),
            contact_gap_days=choose.pick((5, 7, 10, 14, 20)),
            stale_after_days=choose.pick((90, 30, 15, 60)),
            horizon_days=choose.pick((28, 0, 14, 60, 120)),
        )
    if chance(choose, 5):
        weekdays = choose.pick(((0, 1, 2, 3, 6), (0, 1, 2, 3, 4, 5, 6), (2,), (5, 6), (1, 3)))
        chosen = replace(chosen, weekdays=frozenset(weekdays))
    pauses = []
    for _ in range(choose.pick((0, 0, 0, 1, 1, 2))):
        first = start + days(choose.pick(range(90)))
        pauses.append(m.Pause(first, first + days(choose.pick((0, 1, 4, 10, 25)))))
    return replace(chosen, pauses=tuple(pauses))


def statement(choose: Chooser, day: date) -> dict[str, object]:
    """What an employer may say on a day."""
    said: dict[str, object] = {}
    if chance(choose, 3):
        said["timeline"] = day + days(choose.pick(AHEAD))
    if chance(choose, 4):
        said["follow_up_on"] = day + days(choose.pick(AHEAD))
    if chance(choose, 4):
        said["follow_up_by"] = choose.pick(CHANNELS)
    return said


def event(choose: Chooser, day: date, kind: str) -> m.Event:
    """One event of a kind that names no window."""
    match kind:
        case "applied":
            return m.Applied(day=day)
        case "interview":
            return m.Interview(day=day, **statement(choose, day))  # type: ignore[arg-type]  # built key by key
        case "heard":
            return m.Heard(day=day, **statement(choose, day))  # type: ignore[arg-type]  # built key by key
        case "acknowledged":
            return m.Acknowledged(day=day)
        case "snoozed":
            return m.Snoozed(day=day, until=day + days(choose.pick(AHEAD)))
        case "offer":
            due = day + days(choose.pick((0, *AHEAD))) if chance(choose, 2) else None
            return m.Offer(day=day, respond_by=due)
        case "ended":
            return m.Ended(day=day, how=choose.pick(tuple(m.Ending)))
        case _:
            return m.Contacted(day=day, by=choose.pick((None, *CHANNELS)), thanks=chance(choose, 6))


FIRST = ("applied", "applied", "applied", "interview", "interview", "interview", "heard", "contacted", "offer")
LATER = (
    *("contacted",) * 7,
    *("heard",) * 5,
    *("interview",) * 5,
    *("applied", "acknowledged", "snoozed", "snoozed", "offer", "ended", "ended"),
)


def events(choose: Chooser, start: date) -> tuple[m.Event, ...]:
    """What happened to one application, but for skips and pins; mostly in order of days."""
    day, found = start, []
    for i in range(choose.pick((1, 2, 2, 3, 3, 4, 5, 6, 8))):
        day += days(choose.pick(GAPS)) if i else days(0)
        found.append(event(choose, day, choose.pick(FIRST if not i else LATER)))
    if chance(choose, 6):
        found.insert(0, found.pop(choose.pick(range(len(found)))))
    return tuple(found)


def contact(choose: Chooser, number: int) -> m.Contact:
    """A contact whose address, number, place may be missing; `number` tells persons apart."""
    country, subdivision = choose.pick(PLACES)
    return m.Contact(
        name=f"Dana {number}",
        email=None if chance(choose, 6) else f"dana{number}@acme.example",
        phone=None if chance(choose, 6) else f"+1 312 555 010{number}",
        country=country,
        subdivision=subdivision,
    )


def application(choose: Chooser, name: str, whom: m.Contact, start: date) -> m.Application:
    """One application, without skips and pins."""
    do_not = frozenset(c for c in CHANNELS if chance(choose, 7))
    return m.Application(id=name, company="Acme", contact=whom, do_not=do_not, events=events(choose, start))


def any_window(choose: Chooser, name: str) -> str:
    """An id that may or may not exist."""
    if chance(choose, 4):
        return f"{name}/{choose.pick(PROMPTS)}/{choose.pick((1, 2))}"
    return f"{name}/{choose.pick(RULES)}/{choose.pick((1, 0, 2))}.{choose.pick((1, 2, 3))}"


def answered(choose: Chooser, case: Case) -> Case:
    """The case, with skips and pins of windows that stood in the calendar on some day, or never did."""
    for _ in range(choose.pick((0, 0, 1, 1, 2, 3))):
        index = choose.pick(range(len(case.applications)))
        app = case.applications[index]
        day = choose.pick(app.events).day + days(choose.pick((0, 1, 3, 6, 11)))
        shown = [w.id for w in read(case.applications, case.policy, day, public_holidays)]
        shown = [w for w in shown if w.startswith(f"{app.id}/")]
        window = choose.pick(shown) if shown and not chance(choose, 4) else any_window(choose, app.id)
        if chance(choose, 2):
            opens = day + days(choose.pick((1, 0, 2, 4, 7, 10, 15, 30, -3)))
            closes = opens + days(choose.pick((0, 1, 4, 9)))
            new: m.Event = m.Pinned(day=day, window=window, opens=opens, closes=closes)
        else:
            new = m.Skipped(day=day, window=window)
        longer = replace(app, events=(*app.events, new))
        changed = (*case.applications[:index], longer, *case.applications[index + 1 :])
        case = case._replace(applications=changed)
    return case


def a_today(choose: Chooser, applications: Sequence[m.Application]) -> date:
    """Some day around the events; more often after the last one."""
    known = sorted(e.day for a in applications for e in a.events)
    day = choose.pick((known[-1], known[-1], choose.pick(known)))
    return day + days(choose.pick((0, 1, 2, 3, 5, 8, 12, 18, 25, 40, 80, 130, -1, -4)))


def alone(choose: Chooser) -> Case:
    """One application."""
    start = choose.pick(STARTS) + days(choose.pick(range(7)))
    app = application(choose, "acme", contact(choose, 1), start)
    chosen = policy(choose, start)
    return answered(choose, Case((app,), chosen, a_today(choose, [app])))


def together(choose: Chooser) -> Case:
    """Two or three applications to one person, in any order of file."""
    start = choose.pick(STARTS) + days(choose.pick(range(7)))
    names = choose.pick((("a", "b"), ("b", "a"), ("a", "b", "c"), ("c", "a", "b")))
    whom = replace(contact(choose, 1), email="dana1@acme.example")
    apps = []
    for name in names:
        mine = whom if not chance(choose, 4) else replace(contact(choose, 1), email=whom.email)
        apps.append(application(choose, name, mine, start + days(choose.pick((0, 1, 2, 4, 6, 9, 15)))))
    return answered(choose, Case(tuple(apps), policy(choose, start), a_today(choose, apps)))


def crowd(choose: Chooser) -> Case:
    """Applications to several persons, with details that link them, or nearly."""
    start = choose.pick(STARTS)
    apps = []
    for name in choose.pick((("a", "b"), ("c", "a", "b"), ("d", "b", "a", "c"))):
        whom = m.Contact(
            name=choose.pick(("Dana Ruiz", "dana ruiz", "Sam Lee", None)),
            email=choose.pick((None, "dana@acme.example", " Dana@Acme.example", "sam@acme.example")),
            phone=choose.pick((None, "+1 312 555 0100", "+1 (312) 555-0100", "+1 312 555 0199")),
        )
        app = application(choose, name, whom, start + days(choose.pick(range(10))))
        apps.append(replace(app, company=choose.pick(("Acme", "Acme", "acme ", "Umbrella"))))
    return answered(choose, Case(tuple(apps), policy(choose, start), a_today(choose, apps)))


KINDS = {"alone": alone, "together": together, "crowd": crowd}


def random_journal(rng: random.Random, kind: str = "alone") -> Case:
    """A case out of a seeded generator; `kind` is one of `KINDS`."""
    return KINDS[kind](Dice(rng))


@st.composite
def _case(draw: st.DrawFn, kind: str) -> Case:
    return KINDS[kind](Drawn(draw))


def one_application() -> st.SearchStrategy[Case]:
    """Journals of one application."""
    return _case("alone")


def one_person() -> st.SearchStrategy[Case]:
    """Journals of two or three applications that share a person."""
    return _case("together")


def several_persons() -> st.SearchStrategy[Case]:
    """Journals of some applications whose contacts may or may not be one person."""
    return _case("crowd")
