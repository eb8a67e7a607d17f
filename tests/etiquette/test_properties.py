"""What always holds, whatever the journal: politeness, business days, and that nothing told is untold.

Of journals of one application, unless said.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from calsync import model as m
from calsync.etiquette import outlook, windows
from calsync.etiquette.rules import PROMPTS, RULES
from calsync.workdays import Workdays, following_week
from tests.etiquette.journals import Case, one_application, public_holidays, several_persons

CASES = one_application()


def windows_of(case: Case) -> tuple[m.Window, ...]:
    return windows(*case, public_holidays)


def without(case: Case, *kinds: type[m.Happening]) -> Case:
    """The case without events of these kinds."""
    (application,) = case.applications
    events = tuple(event for event in application.events if not isinstance(event, kinds))
    return case._replace(applications=(replace(application, events=events),))


def up_to(case: Case, day: date) -> Case:
    """What was known on that day: no event after it, and no plan."""
    (application,) = case.applications
    events = tuple(event for event in application.events if event.day <= day)
    return Case((replace(application, events=events),), case.policy, day)


def last_day(case: Case) -> date:
    return max(event.day for event in case.applications[0].events)


def pinned(case: Case) -> set[str]:
    return {e.window for a in case.applications for e in a.events if isinstance(e, m.Pinned)}


def workdays(case: Case) -> Workdays:
    """Business days at the place of the contact."""
    where = case.applications[0].contact if case.applications[0].contact.country else case.policy

    def table(year: int) -> dict[date, str]:
        return dict(public_holidays(where.country, where.subdivision, year)) if where.country else {}

    return Workdays(case.policy.weekdays, table, case.policy.pauses)


def ordinary(case: Case) -> Iterator[m.Window]:
    """Windows of a touch whose days the rules gave."""
    return (window for window in windows_of(case) if window.rule in RULES and window.id not in pinned(case))


# ------------------------------------------------------------------------------------------- each window


@given(CASES)
def test_a_window_opens_no_later_than_it_closes_and_says_why(case):
    for window in windows_of(case):
        assert window.opens <= window.closes
        assert window.opens <= window.days[0] <= window.days[-1] <= window.closes
        assert window.why
        assert all(reason.endswith((".", "?")) for reason in window.why)


@given(CASES)
def test_a_window_opens_and_closes_on_business_days(case):
    """But for prompts, and for what the user moved."""
    place = workdays(case)
    for window in ordinary(case):
        assert place.is_business_day(window.opens)
        assert place.is_business_day(window.closes)
        assert all(map(place.is_business_day, window.days))


@given(CASES)
def test_nobody_is_called_who_does_not_want_it(case):
    """What the advertisement forbids is asked for only by `follow_up.by`."""
    (application,) = case.applications
    wishes = {e.follow_up_by for e in application.events if isinstance(e, m.Statement)}
    for window in windows_of(case):
        if window.rule in RULES:
            assert window.by not in application.do_not or window.by in wishes


@given(CASES)
def test_ids_are_unique_and_of_the_application(case):
    ids = [window.id for window in windows_of(case)]
    assert len(ids) == len(set(ids))
    assert all(window.id.startswith(f"acme/{window.rule}/") for window in windows_of(case))


@given(CASES)
def test_windows_are_of_known_rules_in_the_order_of_their_days(case):
    found = windows_of(case)
    assert [(window.opens, window.id) for window in found] == sorted((window.opens, window.id) for window in found)
    assert {window.rule for window in found} <= {*RULES, *PROMPTS}


@given(CASES)
def test_states_fit_the_day(case):
    """Missed ones are over, the others are not; what is done has the day of its touch."""
    for window in windows_of(case):
        assert (window.done_on is not None) == (window.state is m.State.DONE)
        if window.state is m.State.MISSED:
            assert window.closes < case.today
        if window.state is m.State.FIRM and window.id not in pinned(case):
            assert window.closes >= case.today


# --------------------------------------------------------------------------------------------- never early


@given(CASES)
def test_no_window_opens_before_its_rules_own_days(case):
    """Not before the week after, nor the day agreed, nor the day after the timeline."""
    events = case.applications[0].events
    earliest = {
        "application-call": [following_week(e.day)[0] for e in events if isinstance(e, m.Applied)],
        "interview-follow-up": [following_week(e.day)[0] for e in events if isinstance(e, m.Interview)],
        "agreed-follow-up": [e.follow_up_on for e in events if isinstance(e, m.Statement) and e.follow_up_on],
        "timeline-follow-up": [
            e.timeline + timedelta(days=1) for e in events if isinstance(e, m.Statement) and e.timeline
        ],
    }
    for window in ordinary(case):
        if window.rule != "check-in":
            assert window.opens >= min(earliest[window.rule])


@given(CASES)
def test_check_ins_keep_their_distance(case):
    """Each opens so many days after the one before was done or closed, as the policy says."""
    (low, _high), moved = case.policy.check_in_days, pinned(case)
    found = {window.id: window for window in windows_of(case) if window.rule == "check-in"}
    for name, window in found.items():
        head, number = name.rsplit(".", 1)
        after = found.get(f"{head}.{int(number) + 1}")
        if after is not None and after.id not in moved:
            assert after.opens >= (window.done_on or window.closes) + timedelta(days=low)


@given(CASES, st.integers(1, 30))
def test_after_a_touch_nobody_is_bothered_for_the_gap(case, days):
    """As long as they do not answer, only an agreed window opens within it."""
    touch = m.Contacted(day=last_day(case) + timedelta(days=days))
    (application,) = case.applications
    touched = replace(application, events=(*application.events, touch))
    for window in ordinary(Case((touched,), case.policy, touch.day)):
        if not window.state.is_past and window.rule != "agreed-follow-up":
            assert window.opens >= touch.day + timedelta(days=case.policy.contact_gap_days)


# ---------------------------------------------------------------------------------- nothing told is untold


@given(CASES)
def test_the_same_input_gives_the_same_output(case):
    assert outlook(*case, public_holidays) == outlook(*case, public_holidays)


@given(CASES, st.randoms(use_true_random=False))
def test_the_order_of_days_in_the_file_does_not_matter(case, rng):
    """Within a day it does."""
    (application,) = case.applications
    days = sorted({event.day for event in application.events})
    rng.shuffle(days)
    events = tuple(event for day in days for event in application.events if event.day == day)
    mixed = case._replace(applications=(replace(application, events=events),))
    assert told(mixed) == told(case)


@given(CASES)
def test_a_receipt_changes_nothing(case):
    assert told(without(case, m.Acknowledged)) == told(case)


@given(CASES, st.integers(0, 60))
def test_todays_moving_on_moves_no_firm_window(case, days):
    """As long as nothing new is recorded, a firm window keeps its days; at last it is missed."""
    case = up_to(case, max(case.today, last_day(case)))
    later = {window.id: window for window in told(case._replace(today=case.today + timedelta(days=days)))}
    for window in told(case):
        if window.rule in RULES and window.state is m.State.FIRM:
            after = later[window.id]
            assert after.state in (m.State.FIRM, m.State.MISSED)
            assert replace(after, state=m.State.FIRM) == window


@given(CASES, st.data())
def test_a_longer_journal_keeps_the_history_of_a_shorter(case, data):
    """What was done or missed on the day of an event stays so, whatever is recorded of later days.

    A pin may put a window before the day on which it is said. The shorter journal then misses it at once, where in the
    longer one an interview may come first and withdraw it: pins are left out here.
    """
    case = without(case, m.Pinned)
    day = data.draw(st.sampled_from(sorted({event.day for event in case.applications[0].events})))
    longer = told(case._replace(today=max(day, case.today)))
    for window in told(up_to(case, day)):
        if window.state in (m.State.DONE, m.State.MISSED):
            assert window in longer


def told(case: Case) -> list[m.Window]:
    """The windows, without the journal that they come from."""
    return [replace(window, applications=()) for window in windows_of(case)]


# --------------------------------------------------------------------------------------------- applications


@given(several_persons())
def test_the_order_of_applications_does_not_matter(case):
    backwards = case._replace(applications=case.applications[::-1])
    assert windows_of(backwards) == windows_of(case)


@given(several_persons())
def test_every_application_has_its_standing(case):
    """With a window that is still to come it names it; without one it says why not."""
    found = outlook(*case, public_holidays)
    assert [standing.application for standing in found.standings] == list(case.applications)
    ids = {window.id for window in found.windows if not window.state.is_past}
    for standing in found.standings:
        assert (standing.next is None) != (standing.why_not is None)
        assert standing.next is None or standing.next in ids
        assert not standing.stale or standing.stage == "interviewed"
