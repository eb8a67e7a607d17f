"""Text to typed values, as people mean it; what does not fit is refused with words that help."""

import contextlib
from datetime import UTC, date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calsync import fields
from calsync.fields import FieldError, Moment

NOV = date(2026, 11, 12)


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ("2026-11-12", Moment(NOV)),
        ("2026-11-1", Moment(date(2026, 11, 1))),
        ("1970-01-01", Moment(date(1970, 1, 1))),
        ("2199-12-31", Moment(date(2199, 12, 31))),
        ("2026-11-12 14:00", Moment(NOV, time(14))),
        ("2026-11-12  9:30", Moment(NOV, time(9, 30))),
        ("2026-11-12T14:00:30.5", Moment(NOV, time(14, 0, 30))),
        ("2026-11-12t14:00Z", Moment(NOV, time(14), UTC)),
        ("2026-11-12 14:00 +1", Moment(NOV, time(14), timezone(timedelta(hours=1)))),
        ("2026-11-12T14:00:00-0330", Moment(NOV, time(14), timezone(-timedelta(hours=3, minutes=30)))),
        ("2026-11-12T14:00:00+05:45", Moment(NOV, time(14), timezone(timedelta(hours=5, minutes=45)))),
    ],
)
def test_a_moment_is_a_day_with_or_without_a_time(written, means):
    assert fields.moment(written) == means


@pytest.mark.parametrize(
    ("written", "wrong"),
    [
        ("2026-02-30", "there is no day 2026-02-30"),
        ("2026-13-01", "there is no day 2026-13-01"),
        ("1969-12-31", "the year 1969 is out of range: 1970 to 2199"),
        ("2200-01-01", "the year 2200 is out of range: 1970 to 2199"),
        ("12.11.2026", "'12.11.2026' is not a day or a day and time, as in 2026-11-12 or 2026-11-12 14:00"),
        ("20261112", "'20261112' is not a day or a day and time, as in 2026-11-12 or 2026-11-12 14:00"),
        ("2026-11-12 2pm", "'2026-11-12 2pm' is not a day or a day and time, as in 2026-11-12 or 2026-11-12 14:00"),
        (
            "\u0662\u0660\u0662\u0666-11-12",
            "'\u0662\u0660\u0662\u0666-11-12' is not a day or a day and time, as in 2026-11-12 or 2026-11-12 14:00",
        ),
        ("2026-11-12 24:00", "there is no time 24:00"),
        ("2026-11-12 10:00:60", "there is no time 10:00:60"),
        ("2026-11-12 10:00+15:00", "there is no offset +15:00 from UTC"),
        ("2026-11-12 10:00+01:60", "there is no offset +01:60 from UTC"),
    ],
)
def test_an_impossible_moment_is_refused(written, wrong):
    with pytest.raises(FieldError) as caught:
        fields.moment(written)
    assert str(caught.value) == wrong


@pytest.mark.parametrize(
    ("parse", "written", "means"),
    [
        (fields.text, "a\n\tb", "a\n\tb"),
        (fields.line, "a\n\tb", "a b"),
        (fields.line, "a\N{NO-BREAK SPACE}b", "a\N{NO-BREAK SPACE}b"),
        (fields.country, "no", "NO"),
        (fields.day, "2026-11-12", NOV),
        (fields.switch, "YES", True),
        (fields.switch, "off", False),
        (fields.whole(5, 10), "+7", 7),
        (fields.clock, "9:30", time(9, 30)),
        (fields.clock, "23:59:59", time(23, 59, 59)),
        (fields.duration, "45m", timedelta(minutes=45)),
        (fields.duration, "90 min", timedelta(minutes=90)),
        (fields.duration, "1h", timedelta(hours=1)),
        (fields.duration, "1h 30m", timedelta(minutes=90)),
        (fields.duration, "1:30", timedelta(minutes=90)),
        (fields.duration, "2D", timedelta(days=2)),
        (fields.duration, "14d", timedelta(days=14)),
        (fields.duration, "30s", timedelta(seconds=30)),
        (fields.zone, "Europe/Berlin", ZoneInfo("Europe/Berlin")),
        (fields.zone_name, "America/Chicago", "America/Chicago"),
    ],
)
def test_a_text_is_given_its_type(parse, written, means):
    assert parse(written) == means


@pytest.mark.parametrize(
    ("parse", "written", "wrong"),
    [
        (fields.text, "a\x07", "the character U+0007 may not stand here"),
        (fields.line, "a\x00", "the character U+0000 may not stand here"),
        (fields.text, "\ud800", "the character U+D800 may not stand here"),
        (
            fields.day,
            "2026-11-12 14:00",
            "'2026-11-12 14:00' has a time of day, and a day alone is meant, as in 2026-11-12",
        ),
        (fields.day, "soon", "'soon' is not a day, as in 2026-11-12"),
        (fields.switch, "maybe", "'maybe' is none of true, yes, on, false, no, off"),
        (fields.switch, "tru", "'tru' is none of true, yes, on, false, no, off: did you mean 'true'?"),
        (fields.whole(5, 10), "7.5", "'7.5' is no whole number"),
        (fields.whole(5, 10), "\u0667", "'\u0667' is no whole number"),
        (fields.whole(5, 10), "4", "4 is out of range: 5 to 10"),
        (fields.whole(5, 10, "or so"), "11", "11 is out of range: 5 to 10, or so"),
        (fields.clock, "930", "'930' is not a time of day, as in 09:30"),
        (fields.clock, "24:00", "there is no time 24:00"),
        (fields.duration, "45", "'45' is not a duration, as in 45m, 1h or 1h30m"),
        (fields.duration, "0m", "'0m' is too short: more than 0m and at most 14d"),
        (fields.duration, "15d", "'15d' is too long: at most 14d"),
        (fields.duration, "12345678d", "'12345678d' is too long: at most 14d"),
        (fields.zone, "Berlin", "no time zone is named 'Berlin': did you mean 'Europe/Berlin'?"),
        (fields.zone, "europe/berlni", "no time zone is named 'europe/berlni': did you mean 'Europe/Berlin'?"),
        (fields.zone, "new york", "no time zone is named 'new york': did you mean 'America/New_York'?"),
        (fields.zone, "Osloo", "no time zone is named 'Osloo': did you mean 'Europe/Oslo'?"),
        (fields.zone, "Europe", "no time zone is named 'Europe'"),
        (fields.zone, "../../etc/passwd", "no time zone is named '../../etc/passwd'"),
        (fields.zone, "qqq", "no time zone is named 'qqq', as in Europe/Berlin or America/Chicago"),
        (fields.zone, "x" * 5000, "no time zone is named"),
    ],
)
def test_a_text_that_does_not_fit_is_refused(parse, written, wrong):
    with pytest.raises(FieldError) as caught:
        parse(written)
    assert str(caught.value).startswith(wrong)


@pytest.mark.parametrize(
    ("written", "zone", "utc"),
    [
        ("2026-11-12 14:00", "Europe/Berlin", "2026-11-12 13:00"),
        ("2026-07-12 14:00", "Europe/Berlin", "2026-07-12 12:00"),
        ("2026-11-12 14:00Z", "Europe/Berlin", "2026-11-12 14:00"),
        ("2026-11-12 14:00-06:00", "Europe/Berlin", "2026-11-12 20:00"),
        ("2026-03-29 02:30", "Europe/Berlin", "2026-03-29 01:30"),  # skipped: shown as 03:30
        ("2026-10-25 02:30", "Europe/Berlin", "2026-10-25 00:30"),  # comes twice: the first
    ],
)
def test_a_time_of_day_is_an_instant_in_its_zone(written, zone, utc):
    at = fields.aware(fields.moment(written), ZoneInfo(zone))
    assert at.astimezone(UTC) == datetime.fromisoformat(utc).replace(tzinfo=UTC)
    assert at.tzinfo == ZoneInfo(zone)


def test_a_time_that_the_clocks_skip_is_shown_as_the_next_that_there_is():
    at = fields.aware(fields.moment("2026-03-29 02:30"), ZoneInfo("Europe/Berlin"))
    assert at.hour == 3
    assert fields.aware(fields.moment("2026-03-29"), ZoneInfo("Europe/Berlin")) is None


PARSERS = [
    fields.text,
    fields.line,
    fields.country,
    fields.switch,
    fields.whole(0, 9),
    fields.day,
    fields.moment,
    fields.clock,
    fields.duration,
    fields.zone,
]
WORDS = st.one_of(st.text(min_size=1), st.from_regex(r"\A[0-9]{1,5}[-:dhms +TZ.][0-9dhmsTZ:+ -]{0,20}\Z"))


@pytest.mark.parametrize("parse", PARSERS)
@given(written=WORDS)
def test_any_text_has_a_type_or_is_refused(parse, written):
    with contextlib.suppress(FieldError):
        parse(written)
