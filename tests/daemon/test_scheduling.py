"""When the daemon works next: intervals, midnights across DST, backoff, clocks that part."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from calsync.daemon.scheduling import ClockWatch, Reason, backoff, next_midnight, next_run

BERLIN = ZoneInfo("Europe/Berlin")
QUARTER = timedelta(minutes=15)
HOUR = timedelta(hours=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "zone", "midnight"),
    [
        ("2026-11-23 12:00", "Europe/Berlin", "2026-11-23 23:00"),
        ("2026-11-23 23:00", "Europe/Berlin", "2026-11-24 23:00"),  # just midnight there: the next one
        ("2026-11-23 22:59:59", "Europe/Berlin", "2026-11-23 23:00"),
        ("2026-03-28 23:30", "Europe/Berlin", "2026-03-29 22:00"),  # a day of 23 hours
        ("2026-10-24 22:30", "Europe/Berlin", "2026-10-25 23:00"),  # a day of 25 hours
        ("2026-04-23 12:00", "Africa/Cairo", "2026-04-23 22:00"),  # 00:00 does not exist: the day begins at 01:00
        ("2026-10-29 19:00", "Africa/Cairo", "2026-10-29 22:00"),  # 23:00 to 24:00 happens twice
        ("2026-03-28 12:00", "Asia/Beirut", "2026-03-28 22:00"),  # as in Cairo
        ("2026-11-23 12:00", "Pacific/Kiritimati", "2026-11-24 10:00"),
        ("2026-11-23 12:00", "America/St_Johns", "2026-11-24 03:30"),
    ],
)
def test_the_day_begins_with_its_first_moment_whatever_the_clocks_do(now, zone, midnight):
    assert next_midnight(utc(now), ZoneInfo(zone)) == utc(midnight)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Africa/Cairo", "Asia/Beirut", "Australia/Lord_Howe", "UTC"])
def test_each_day_of_a_year_begins_once_and_is_another_day_than_the_moment_before(zone):
    there = ZoneInfo(zone)
    now = utc("2026-01-01 12:00")
    for _ in range(366):
        midnight = next_midnight(now, there)
        before = (midnight - timedelta(seconds=1)).astimezone(there).date()
        assert midnight.astimezone(there).date() == before + timedelta(days=1)
        assert now < midnight <= now + timedelta(hours=26)
        now = midnight


@pytest.mark.parametrize(("spread", "minutes"), [(0, 15), (1, 16.5), (-1, 13.5)])
def test_the_next_run_comes_after_the_interval_a_tenth_earlier_or_later(spread, minutes):
    now = utc("2026-11-23 12:00")
    following = next_run(now, BERLIN, QUARTER, spread)
    assert (following.moment, following.reason) == (now + timedelta(minutes=minutes), Reason.INTERVAL)


@pytest.mark.parametrize("interval", [QUARTER, 10 * HOUR])
def test_no_run_sleeps_over_midnight(interval):
    following = next_run(utc("2026-11-23 22:50"), BERLIN, interval, 0)
    assert (following.moment, following.reason) == (utc("2026-11-23 23:00"), Reason.MIDNIGHT)


def test_a_retry_takes_the_place_of_the_interval():
    now = utc("2026-11-23 12:00")
    for retry in (timedelta(seconds=30), HOUR):
        following = next_run(now, BERLIN, QUARTER, 1, retry)
        assert (following.moment, following.reason) == (now + retry, Reason.RETRY)


def test_the_interval_is_counted_in_real_time_across_a_change_of_the_clocks():
    """From 01:50 to 03:05 summer time it is a quarter of an hour."""
    following = next_run(datetime(2026, 3, 29, 1, 50, tzinfo=BERLIN), BERLIN, QUARTER, 0)
    assert following.moment.astimezone(BERLIN).isoformat() == "2026-03-29T03:05:00+02:00"


def test_backoff_doubles_from_half_a_minute_up_to_an_hour():
    waits = [backoff(failures).total_seconds() for failures in range(1, 10)]
    assert waits == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
    assert backoff(10_000) == HOUR


def test_a_server_that_asks_for_time_gets_it_up_to_a_day():
    assert backoff(1, 600) == timedelta(minutes=10)
    assert backoff(9, 600) == HOUR
    assert backoff(1, 10**9) == timedelta(days=1)


NOON = utc("2026-11-23 12:00")


@pytest.mark.parametrize(
    ("wall", "monotonic", "moved"),
    [
        (60, 60, None),  # a tick
        (60, 59, None),  # slewed
        (60 + 7 * 86400, 60, 7 * 86400),  # a week's sleep
        (60 - 3600, 60, -3600),  # set back
        (60 + 29, 60, None),
        (60 + 30, 60, 30),
    ],
)
def test_a_jump_is_where_the_clocks_part(wall, monotonic, moved):
    watch = ClockWatch(NOON, 1000.0)
    assert watch.moved(NOON + timedelta(seconds=wall), 1000.0 + monotonic) == moved


def test_a_jump_is_told_once():
    watch = ClockWatch(NOON, 0.0)
    assert watch.moved(NOON + HOUR, 60.0) is not None
    assert watch.moved(NOON + HOUR + timedelta(minutes=1), 120.0) is None


def test_the_change_to_summer_time_is_no_jump():
    before, after = datetime(2026, 3, 29, 1, 59, 30, tzinfo=BERLIN), datetime(2026, 3, 29, 3, 0, 30, tzinfo=BERLIN)
    assert ClockWatch(before, 0.0).moved(after, 60.0) is None
