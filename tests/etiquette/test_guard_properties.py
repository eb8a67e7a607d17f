"""What the contact guard always holds, on journals of several applications to one person or to some (issue 4).

Pins are left out where days are compared: the user may put a window anywhere, whatever the guard says.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from types import FrameType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from calsync import model as m
from calsync.etiquette import outlook
from calsync.etiquette.rule import is_courtesy
from calsync.etiquette.rules import RULES
from calsync.workdays import following_week
from tests.etiquette.asking import holidays
from tests.etiquette.journals import Case, one_person, public_holidays, random_journal, several_persons

CASES = st.one_of(one_person(), several_persons())
SEEDS = range(0, 500, 100)


def look(case: Case) -> m.Outlook:
    return outlook(*case, public_holidays)


def touches(case: Case) -> list[m.Window]:
    """The windows of contacts, prompts left out."""
    return [window for window in look(case).windows if window.rule in RULES]


def keeping(case: Case, keep: Callable[[m.Event], bool]) -> Case:
    """The case with those events alone."""
    apps = (replace(each, events=tuple(filter(keep, each.events))) for each in case.applications)
    return case._replace(applications=tuple(apps))


def without_pins(case: Case) -> Case:
    return keeping(case, lambda event: not isinstance(event, m.Pinned))


def gap(case: Case) -> timedelta:
    return timedelta(days=case.policy.contact_gap_days)


def by_person(case: Case) -> Iterator[tuple[set[str], list[m.Window]]]:
    """The ids of the applications to each person, and the windows to that person by their days."""
    found = look(case)
    for person in found.persons:
        ids = {application.id for application in person}
        yield ids, [each for each in found.windows if each.rule in RULES and each.applications[0].id in ids]


def told(windows: list[m.Window]) -> list[m.Window]:
    """Without the journal that they come from, which may have grown."""
    return [replace(window, applications=()) for window in windows]


# ------------------------------------------------------------------------------------------------ distance


def keeps_the_gap(case: Case) -> None:
    """No two windows to one person are closer than the gap, except before an agreed one."""
    case = without_pins(case)
    for _, windows in by_person(case):
        current = [window for window in windows if not window.state.is_past]
        for number, later in enumerate(current):
            if later.rule != "agreed-follow-up":
                for earlier in current[:number]:
                    assert later.opens - earlier.closes >= gap(case), (earlier.id, later.id)


def keeps_off_after_a_touch(case: Case) -> None:
    """After a touch, also one assumed on the last day of a missed window, unless an answer came; agreed ones may."""
    case = without_pins(case)
    persons = {application.id: application for application in case.applications}
    for ids, windows in by_person(case):
        applications = [persons[each] for each in ids]
        days = [window.closes for window in windows if window.state is m.State.MISSED]
        days += [event.day for each in applications for event in each.events if is_touch(each, event, case.today)]
        answers = [e.day for each in applications for e in each.events if isinstance(e, m.Heard | m.Interview)]
        for window in windows:
            if window.state.is_past or window.rule == "agreed-follow-up":
                continue
            for day in days:
                assert window.opens - day >= gap(case) or any(answer >= day for answer in answers), window.id


def is_touch(application: m.Application, event: m.Event, today: date) -> bool:
    return isinstance(event, m.Contacted) and event.day <= today and not is_courtesy(application, event)


@settings(max_examples=200)
@given(CASES)
def test_no_two_windows_to_one_person_are_closer_than_the_gap(case):
    keeps_the_gap(case)
    keeps_off_after_a_touch(case)


@pytest.mark.parametrize("first", SEEDS)
def test_no_two_windows_are_closer_in_random_journals(first):
    """Seeded, so the same in every run; `random_journal(random.Random(seed), kind)` is the journal of a seed."""
    for seed in range(first, first + 100):
        for kind in ("together", "crowd"):
            case = random_journal(random.Random(seed), kind)
            keeps_the_gap(case)
            keeps_off_after_a_touch(case)


@given(CASES)
def test_no_window_opens_before_the_days_of_the_rules_that_it_serves(case):
    """Not before the week after, nor the day agreed, nor the day after the timeline; an agreed one stands for all."""
    case = without_pins(case)
    for window in touches(case):
        served = window.applications[:1] if window.rule == "agreed-follow-up" else window.applications
        for application in served:
            assert window.opens >= min(earliest(application, case.policy)), window.id


def earliest(application: m.Application, policy: m.Policy) -> Iterator[date]:
    """The first day that each event gives a window, and each other one a check-in."""
    for event in application.events:
        if isinstance(event, m.Applied | m.Interview):
            yield following_week(event.day)[0]
        if isinstance(event, m.Statement):
            yield event.follow_up_on or (event.timeline and event.timeline + timedelta(days=1)) or event.day
            yield event.day + timedelta(days=policy.check_in_days[0])


@given(CASES)
def test_check_ins_keep_their_distance_from_the_window_before(case):
    """Each opens so many days after the one before it was done or closed, whoever gives its id."""
    case = without_pins(case)
    found = {window.id: window for window in touches(case)}
    for name, window in found.items():
        head, _, number = name.rpartition(".")
        after = found.get(f"{head}.{int(number) + 1}") if "/check-in/" in head else None
        if after is not None:
            assert after.opens - (window.done_on or window.closes) >= timedelta(days=case.policy.check_in_days[0])


# --------------------------------------------------------------------------------------- nothing is lost


def loses_nothing(case: Case) -> None:
    """Every application that has a window alone has one here, unless a touch to that person served it.

    That is: unless its own history here is another than alone, as one touch used up its window too, or the guard
    moved it, so that it was missed on other days.
    """
    found = look(case)
    for standing in found.standings:
        alone = look(case._replace(applications=(standing.application,)))
        if alone.standings[0].next is not None and standing.next is None:
            assert served(found, standing.application) != served(alone, standing.application), standing.application.id


def served(found: m.Outlook, application: m.Application) -> list[tuple[date, date, m.State, date | None]]:
    """What is past of an application, whoever gives its id."""
    past = [each for each in found.windows if each.rule in RULES and each.state.is_past]
    return [(each.opens, each.closes, each.state, each.done_on) for each in past if application in each.applications]


@settings(max_examples=200)
@given(CASES)
def test_every_application_that_has_a_window_alone_has_one_here(case):
    loses_nothing(case)


@pytest.mark.parametrize("first", SEEDS)
def test_nothing_is_lost_in_random_journals(first):
    for seed in range(first, first + 100):
        for kind in ("together", "crowd"):
            loses_nothing(random_journal(random.Random(seed), kind))


@given(CASES)
def test_a_window_serves_each_application_once_and_no_touch_is_due_twice(case):
    """An application has at most one window that is firm."""
    for _, windows in by_person(case):
        firm = Counter(a.id for window in windows if window.state is m.State.FIRM for a in window.applications)
        assert all(count == 1 for count in firm.values())


@given(CASES)
def test_an_application_to_somebody_else_changes_nothing(case):
    stranger = m.Contact(name="Kim Park", email="kim@elsewhere.example", phone="+44 20 7946 0000")
    events = (m.Applied(day=case.today), m.Interview(day=case.today), m.Contacted(day=case.today))
    other = m.Application(id="other", company="Elsewhere", contact=stranger, events=events)
    more = look(case._replace(applications=(other, *case.applications)))
    assert [window for window in more.windows if other not in window.applications] == list(look(case).windows)


@given(one_person(), st.randoms(use_true_random=False))
def test_the_order_of_applications_in_the_file_does_not_matter(case, rng):
    mixed = list(case.applications)
    rng.shuffle(mixed)
    assert look(case._replace(applications=tuple(mixed))).windows == look(case).windows


# --------------------------------------------------------------------------------------------- steadiness


def firm(case: Case) -> list[m.Window]:
    return [window for window in touches(case) if window.state is m.State.FIRM]


@given(one_person(), st.integers(1, 40))
def test_a_firm_window_does_not_change_when_a_tentative_one_appears(case, days):
    """A plan for an interview, to the same person: whatever it draws, the firm windows stay."""
    plan = m.Interview(day=case.today + timedelta(days=days))
    new = m.Application(id="new", company="Acme", contact=case.applications[0].contact, events=(plan,))
    assert firm(case._replace(applications=(*case.applications, new))) == firm(case)


@given(CASES, st.integers(0, 200))
def test_a_firm_window_does_not_change_with_the_horizon(case, horizon):
    assert firm(case._replace(policy=replace(case.policy, horizon_days=horizon))) == firm(case)


@given(CASES, st.integers(1, 60))
def test_todays_moving_on_never_moves_a_window_that_has_opened(case, days):
    """As long as nothing new happens: it keeps its days until it is missed. A plan is news on its day."""
    case = keeping(without_pins(case), lambda event: event.day <= case.today)
    later = {window.id: window for window in touches(case._replace(today=case.today + timedelta(days=days)))}
    for window in firm(case):
        if window.opens <= case.today:
            after = later[window.id]
            assert after.state in (m.State.FIRM, m.State.MISSED)
            assert replace(after, state=m.State.FIRM) == window


@given(CASES)
def test_the_same_input_gives_the_same_output(case):
    assert look(case) == look(case)


@given(CASES)
def test_a_window_tells_why_in_sentences(case):
    for window in look(case).windows:
        assert window.why
        assert all(reason.endswith((".", "?")) for reason in window.why)


# --------------------------------------------------------------------------------------------------- cost


def journal(persons: int, each: int) -> list[m.Application]:
    """So many applications to each of so many persons, a week of them missed, a week ahead."""
    return [
        m.Application(
            id=f"p{person}-{number}",
            company="Acme",
            contact=m.Contact(email=f"dana{person}@acme.example", phone=f"+1 312 555 {person:04}"),
            events=(m.Interview(day=date(2026, 11, 2) + timedelta(days=3 * number)),),
        )
        for person in range(persons)
        for number in range(each)
    ]


def steps(applications: list[m.Application]) -> int:
    """How many functions of the etiquette are called to look at these."""
    count = 0

    def see(frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event == "call" and "etiquette" in frame.f_code.co_filename

    before = sys.getprofile()
    sys.setprofile(see)
    try:
        outlook(applications, m.Policy(), date(2026, 11, 30), holidays)
    finally:
        sys.setprofile(before)
    return count


def test_twice_the_persons_cost_twice_the_steps():
    """10,000 applications to 2,000 persons cost about linear time: the work for a person knows no other."""
    some = steps(journal(20, 5))
    assert some > 0
    assert steps(journal(40, 5)) <= 2.05 * some
    assert steps(journal(80, 5)) <= 4.1 * some


def test_many_applications_to_one_person_end_in_good_time():
    """Twice as many cost at most eight times the steps: no worse than every window against every pair."""
    assert steps(journal(1, 24)) <= 8 * steps(journal(1, 12))
