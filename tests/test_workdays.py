"""Business days and spans, as the page's "Words" have them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calsync.model import Pause
from calsync.workdays import Span, Workdays, following_week, say

MON_TO_FRI = frozenset(range(5))
FEASTS = {date(2026, 11, 11): "Veterans Day", date(2026, 11, 26): "Thanksgiving", date(2027, 1, 1): "New Year"}
"""A Wednesday, a Thursday, a Friday."""


def table(year: int) -> dict[date, str]:
    return {day: name for day, name in FEASTS.items() if day.year == year}


PLAIN = Workdays(MON_TO_FRI, lambda year: {})
FEASTING = Workdays(MON_TO_FRI, table, (Pause(date(2026, 11, 16), date(2026, 11, 18)),), "US")


def nov(day: int) -> date:
    return date(2026, 11, 1) + timedelta(days=day - 1)


# ------------------------------------------------------------------------------------------------ days


@pytest.mark.parametrize(
    ("day", "cause"),
    [
        (nov(10), None),
        (nov(11), "Veterans Day in US"),
        (nov(14), "no working day"),
        (nov(15), "no working day"),
        (nov(16), "in your pause"),
        (nov(18), "in your pause"),
        (nov(19), None),
        (date(2027, 1, 1), "New Year in US"),
    ],
)
def test_a_day_that_is_no_business_day_has_a_cause(day, cause):
    assert FEASTING.cause(day) == cause
    assert FEASTING.is_business_day(day) is (cause is None)


def test_a_holiday_without_a_place_names_none():
    assert Workdays(MON_TO_FRI, table).cause(nov(11)) == "Veterans Day"


def test_without_pauses_only_pauses_are_gone():
    unpaused = FEASTING.without_pauses()
    assert unpaused.is_business_day(nov(16))
    assert not unpaused.is_business_day(nov(11))
    assert not FEASTING.is_business_day(nov(16))


@pytest.mark.parametrize(
    ("day", "following", "before"),
    [
        (nov(10), nov(10), nov(10)),
        (nov(11), nov(12), nov(10)),  # a holiday
        (nov(14), nov(19), nov(13)),  # a weekend with a pause behind it
        (date(2027, 1, 1), date(2027, 1, 4), date(2026, 12, 31)),  # over the end of a year
    ],
)
def test_next_and_prev_are_the_nearest_business_days(day, following, before):
    assert FEASTING.next(day) == following
    assert FEASTING.prev(day) == before


def test_between_has_the_business_days():
    assert FEASTING.between(nov(10), nov(19)) == (nov(10), nov(12), nov(13), nov(19))


def test_between_has_all_days_where_none_is_a_business_day():
    """A reminder that the user moved to a weekend rings on the weekend."""
    assert FEASTING.between(nov(14), nov(15)) == (nov(14), nov(15))


def test_say_is_english_whatever_the_locale():
    assert [say(nov(1)), say(date(2028, 2, 29))] == ["Sun 1 Nov", "Tue 29 Feb"]


# ------------------------------------------------------------------------------------------------ span


@pytest.mark.parametrize(
    ("first", "last", "bar", "opens", "closes"),
    [
        (9, 13, None, 9, 13),
        (9, 13, 9, 9, 13),
        (9, 13, 11, 11, 13),
        (9, 13, 13, 13, 13),
        (9, 13, 14, 16, 20),  # no day is left: it moves, and keeps its length
        (9, 13, 21, 23, 27),
        (9, 13, 25, 25, 27),  # a length of four days ends on Sunday: it closes on Friday
        (7, 8, None, 9, 10),  # a weekend
        (8, 14, None, 9, 13),
        (14, 14, None, 16, 16),
        (13, 14, None, 13, 13),
        (14, 15, 20, 20, 20),  # the length ends on Saturday: it closes on Friday
        (9, 13, 1, 9, 13),  # a bar that is over
    ],
)
def test_span(first, last, bar, opens, closes):
    found = PLAIN.span(nov(first), nov(last), None if bar is None else nov(bar))
    assert found == Span(nov(opens), nov(closes))


@pytest.mark.parametrize(
    ("first", "last", "opens", "closes"),
    [
        (11, 11, 12, 12),  # a holiday
        (9, 11, 9, 10),  # closes before it
        (16, 18, 19, 20),  # a pause: the days after it, as many
        (14, 18, 19, 23),
    ],
)
def test_span_keeps_off_holidays_and_pauses(first, last, opens, closes):
    assert FEASTING.span(nov(first), nov(last)) == Span(nov(opens), nov(closes))


def test_a_late_span_never_closes_before_it_opens():
    """It opens on the one working day before a long rest."""
    workdays = Workdays(frozenset({2}), lambda year: {})
    assert workdays.span(nov(13), nov(16)) == Span(nov(18), nov(18))


DAYS = st.dates(date(2026, 1, 1), date(2032, 1, 1))
WEEKDAYS = st.frozensets(st.integers(0, 6), min_size=1)
PAUSES = st.builds(lambda first, length: Pause(first, first + timedelta(days=length)), DAYS, st.integers(0, 60))
PLACES = st.builds(
    lambda weekdays, days, pauses: Workdays(weekdays, lambda year: dict.fromkeys(days, "a feast"), pauses),
    WEEKDAYS,
    st.frozensets(DAYS, max_size=20),
    st.lists(PAUSES, max_size=3).map(tuple),
)


@given(PLACES, DAYS, st.integers(0, 40), st.none() | DAYS)
def test_a_span_is_of_business_days_and_never_early(workdays, first, length, bar):
    """It opens no later than it closes, on business days, not before its first day and its bar; as soon as it may."""
    last = first + timedelta(days=length)
    found = workdays.span(first, last, bar)
    earliest = first if bar is None else max(first, bar)
    assert earliest <= found.opens <= found.closes
    assert workdays.is_business_day(found.opens)
    assert workdays.is_business_day(found.closes)
    assert found.opens == workdays.next(earliest)
    assert found.closes <= max(last, found.opens + timedelta(days=length))


@given(PLACES, DAYS)
def test_next_and_prev_skip_no_business_day(workdays, day):
    for found in (workdays.next(day), workdays.prev(day)):
        low, high = sorted((day, found))
        inside = [low + timedelta(days=offset) for offset in range((high - low).days + 1)]
        assert [each for each in inside if workdays.is_business_day(each)] == [found]


@given(PLACES, DAYS)
def test_a_day_has_a_cause_or_is_a_business_day(workdays, day):
    assert workdays.is_business_day(day) is (workdays.cause(day) is None)


# -------------------------------------------------------------------------------------- following week


@pytest.mark.parametrize(
    ("day", "first", "last"),
    [
        ("2026-11-02", "2026-11-09", "2026-11-13"),  # Monday
        ("2026-11-06", "2026-11-09", "2026-11-13"),  # Friday
        ("2026-11-07", "2026-11-10", "2026-11-13"),  # Saturday
        ("2026-11-08", "2026-11-11", "2026-11-13"),  # Sunday
        ("2026-12-31", "2027-01-04", "2027-01-08"),  # Thursday of ISO week 53
        ("2027-01-02", "2027-01-05", "2027-01-08"),  # Saturday of the same week, in the next year
        ("2028-02-23", "2028-02-28", "2028-03-03"),  # a leap year
    ],
)
def test_following_week(day, first, last):
    assert following_week(date.fromisoformat(day)) == (date.fromisoformat(first), date.fromisoformat(last))


@given(DAYS)
def test_following_week_is_in_the_next_iso_week(day):
    first, last = following_week(day)
    monday = day - timedelta(days=day.isocalendar().weekday - 1) + timedelta(weeks=1)
    assert first.isocalendar()[:2] == last.isocalendar()[:2] == monday.isocalendar()[:2]
    assert (first - day).days >= 3
    assert last.isocalendar().weekday == 5
