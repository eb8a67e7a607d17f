"""A zone's rules as calendars read them: the same clock as the zone itself has."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import vobject
from dateutil.tz import tzical
from icalendar import Timezone

from calsync.vtimezone import vtimezone

ZONES = [
    "Europe/Berlin",
    "Europe/London",
    "Europe/Dublin",  # its winter is the one that is "saved"
    "America/New_York",
    "America/Chicago",
    "America/Sao_Paulo",  # no summer time any more
    "America/Santiago",  # the first Sunday after a day of the month
    "America/Nuuk",
    "Africa/Casablanca",  # by the moon: no rule
    "Africa/Cairo",
    "Asia/Kolkata",  # half an hour
    "Asia/Kathmandu",  # three quarters
    "Asia/Jerusalem",
    "Asia/Beirut",  # at midnight
    "Asia/Almaty",  # changed for good in March 2024
    "Australia/Lord_Howe",  # by half an hour
    "Australia/Sydney",  # summer over the new year
    "Pacific/Auckland",
    "Pacific/Kiritimati",
    "UTC",
]
YEARS = [2024, 2026, 2037]


def moments(zone, year):
    """Two moments of each day of `year`, and each quarter of an hour around a change of the clock."""
    moment, end = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    while moment < end:
        after = moment + timedelta(hours=12)
        yield moment
        if moment.astimezone(zone).utcoffset() != after.astimezone(zone).utcoffset():
            yield from (moment + timedelta(minutes=15) * quarter for quarter in range(48))
        moment = after


def unambiguous(zone, moment):
    local = moment.astimezone(zone)
    return local.replace(fold=1).utcoffset() == local.replace(fold=0).utcoffset()


@pytest.mark.parametrize("year", YEARS)
@pytest.mark.parametrize("name", ZONES)
def test_dateutil_reads_the_same_clock(name, year, tmp_path):
    zone = ZoneInfo(name)
    path = tmp_path / "zone.ics"
    path.write_text(f"BEGIN:VCALENDAR\r\n{vtimezone(zone, name, year)}END:VCALENDAR\r\n", newline="")
    read = tzical(str(path)).get(name)
    wrong = []
    for moment in moments(zone, year):
        local = moment.astimezone(zone).replace(tzinfo=None, fold=0)
        if unambiguous(zone, moment) and local.replace(tzinfo=read).utcoffset() != moment.astimezone(zone).utcoffset():
            wrong.append(local)
    assert wrong == []


@pytest.mark.parametrize("name", ZONES)
def test_icalendar_reads_the_same_clock(name):
    zone = ZoneInfo(name)
    component = Timezone.from_ical(vtimezone(zone, name, 2026))
    assert not component.errors
    read = component.to_tz(lookup_tzid=False)
    wrong = []
    for moment in list(moments(zone, 2026))[::3]:
        local = moment.astimezone(zone).replace(tzinfo=None, fold=0)
        expected = moment.astimezone(zone).utcoffset()
        if unambiguous(zone, moment) and local.replace(tzinfo=read).utcoffset() != expected:
            wrong.append(local)
    assert wrong == []


@pytest.mark.parametrize(
    ("name", "rules"),
    [
        ("Europe/Berlin", {"BYMONTH=3;BYDAY=-1SU", "BYMONTH=10;BYDAY=-1SU"}),
        ("America/New_York", {"BYMONTH=3;BYDAY=2SU", "BYMONTH=11;BYDAY=1SU"}),
        ("Australia/Sydney", {"BYMONTH=4;BYDAY=1SU", "BYMONTH=10;BYDAY=1SU"}),
        ("Asia/Kolkata", set()),
        ("Africa/Casablanca", set()),
        ("UTC", set()),
    ],
)
def test_where_the_clock_changes_by_a_rule_the_rule_is_written(name, rules):
    text = vtimezone(ZoneInfo(name), name, 2026)
    assert set(re.findall("RRULE:FREQ=YEARLY;([^\r]*)", text)) == rules
    assert "RDATE" not in text


@pytest.mark.parametrize("year", YEARS)
@pytest.mark.parametrize("name", ZONES)
def test_it_is_small_and_whole(name, year):
    text = vtimezone(ZoneInfo(name), name, year)
    lines = text.split("\r\n")
    assert len(text) < 1000
    assert lines[:2] == ["BEGIN:VTIMEZONE", f"TZID:{name}"]
    assert lines[-2:] == ["END:VTIMEZONE", ""]
    assert max(map(len, lines)) <= 75
    assert not [line for line in lines if line.endswith(":")]
    blocks = re.findall(r"BEGIN:(STANDARD|DAYLIGHT)\r\n(.*?)END:\1", text, flags=re.DOTALL)
    assert blocks
    for _, block in blocks:
        assert re.fullmatch(
            r"DTSTART:\d{8}T\d{6}\r\n(RRULE:\S+\r\n)?TZOFFSETFROM:[+-]\d{4}\r\nTZOFFSETTO:[+-]\d{4}\r\nTZNAME:\S+\r\n",
            block,
        )
    vobject.readOne(f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{text}END:VCALENDAR\r\n")


def test_a_rule_begins_on_a_day_that_it_names():
    # RFC 5545 3.6.5: DTSTART is the first onset, so it must be one that the rule gives.
    text = vtimezone(ZoneInfo("America/Chicago"), "America/Chicago", 2026)
    assert re.findall("DTSTART:([^\r]*)", text) == ["20250309T020000", "20251102T020000"]


def test_the_same_zone_and_year_give_the_same_text():
    vtimezone.cache_clear()
    first = vtimezone(ZoneInfo("Europe/Berlin"), "Europe/Berlin", 2026)
    vtimezone.cache_clear()
    assert vtimezone(ZoneInfo("Europe/Berlin"), "Europe/Berlin", 2026) == first
