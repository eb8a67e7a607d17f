"""Marks, UIDs and hashes: the same for what means the same, and never mistaken for another's."""

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from calsync import identity
from calsync.model import Mark, Reminder

REMINDER = Reminder(
    start=date(2026, 11, 9),
    end=date(2026, 11, 14),
    summary="Call Dana Ruiz at Acme (by Fri 13 Nov)",
    description="One call.\n\nCompany: Acme",
    location="+1 312 555 0100",
    categories=("Follow-up", "Work"),
    alarms=(timedelta(hours=9, minutes=30), timedelta(days=4, hours=9, minutes=30)),
)

names = st.text(min_size=1) | st.sampled_from(["a;b", "a,b", "a\\", "\\;", "%3B", "ü 日本 🎉", " ", "a\nb"])
marks = st.builds(Mark, names, names, st.integers(1, 999_999))


def test_an_ordinary_mark_reads_as_the_documentation_shows_it():
    mark = Mark("default", "acme-data-engineer/check-in/1.1", 2)
    assert identity.mark_text(mark) == "v1;default;acme-data-engineer/check-in/1.1;2"


@given(marks)
def test_a_mark_is_read_as_it_was_written(mark):
    assert identity.read_mark(identity.mark_text(mark)) == mark


@given(marks)
def test_a_mark_is_read_also_where_a_server_escaped_or_padded_it(mark):
    text = identity.mark_text(mark)
    escaped = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    assert identity.read_mark(escaped) == mark
    assert identity.read_mark(f" {text} ") == mark


@given(marks)
def test_a_mark_is_plain_text_on_one_line(mark):
    assert re.fullmatch(r"v1;[!-~]+;[!-~]+;\d+", identity.mark_text(mark))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "v1",
        "v1;a;b",
        "v2;a;b;1",
        "v1;;b;1",
        "v1;a;;1",
        "v1;a;b;",
        "v1;a;b;x",
        "v1;a;b;-1",
        "v1;a;b;1;2",
        "v1;a;b;²",
    ],
)
def test_what_is_no_mark_is_read_as_none(text):
    assert identity.read_mark(text) is None


@given(st.text())
def test_no_text_makes_the_reading_of_a_mark_or_of_hashes_fail(text):
    identity.read_mark(text)
    identity.read_hashes(text)


@given(marks, st.sampled_from(["caldav", "feed"]))
def test_a_uid_is_letters_digits_and_dashes_and_always_the_same(mark, target):
    uid = identity.uid_of(mark, target)
    assert re.fullmatch(r"[A-Za-z0-9-]{1,64}", uid)
    assert uid == identity.uid_of(replace(mark), target)


def test_a_uid_never_changes_between_versions():
    # Events that stand in people's calendars are found by it.
    assert identity.uid_of(Mark("default", "acme/check-in/1.1", 1), "caldav") == "81a3ede6-47c9-5f14-a828-aa78fda4ddc5"


@pytest.mark.parametrize(
    ("mark", "target"),
    [
        (Mark("other", "a/check-in/1.1", 1), "caldav"),
        (Mark("default", "a/check-in/1.2", 1), "caldav"),
        (Mark("default", "a/check-in/1.1", 2), "caldav"),
        (Mark("default", "a/check-in/1.1", 1), "feed"),
    ],
)
def test_another_name_window_generation_or_target_has_another_uid(mark, target):
    assert identity.uid_of(mark, target) != identity.uid_of(Mark("default", "a/check-in/1.1", 1), "caldav")


def test_hashes_are_read_as_they_were_written():
    values = identity.hashes(REMINDER)
    assert identity.read_hashes(identity.hashes_text(values)) == values
    assert tuple(values) == identity.OWNED


def test_hashes_of_a_later_version_are_read_as_far_as_they_are_known():
    values = identity.hashes(REMINDER)
    assert identity.read_hashes(f"{identity.hashes_text(values)} url=01234567") == values


@pytest.mark.parametrize("name", identity.OWNED)
def test_hashes_with_a_field_missing_are_no_base(name):
    text = identity.hashes_text(identity.hashes(REMINDER))
    assert identity.read_hashes(re.sub(rf"\b{name}=\w+", "", text)) is None


def test_hashes_do_not_depend_on_who_computes_them():
    # They stand in events that other versions of calsync read.
    assert identity.hashes_text(identity.hashes(REMINDER)) == (
        "start=d66834b1 end=57cac9f8 summary=8b61c270 description=716b91df location=db467222 "
        "status=102cf144 categories=05e41685 alarms=92bf91ca transp=5667512c classification=7109ec08"
    )


TIMED = replace(
    REMINDER,
    start=datetime(2026, 11, 9, 8, 30, tzinfo=UTC),
    end=datetime(2026, 11, 9, 8, 45, tzinfo=UTC),
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (REMINDER, replace(REMINDER, categories=("Work", "Follow-up"))),
        (REMINDER, replace(REMINDER, alarms=REMINDER.alarms[::-1])),
        (REMINDER, replace(REMINDER, summary=f" {REMINDER.summary} ")),
        (REMINDER, replace(REMINDER, description="One call.  \r\n\r\nCompany: Acme\r\n")),
        (TIMED, replace(TIMED, start=datetime(2026, 11, 9, 9, 30, tzinfo=ZoneInfo("Europe/Berlin")))),
    ],
)
def test_what_means_the_same_has_the_same_hashes(one, other):
    assert identity.hashes(one) == identity.hashes(other)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("start", date(2026, 11, 10)),
        ("start", datetime(2026, 11, 9, tzinfo=UTC)),
        ("end", date(2026, 11, 13)),
        ("summary", "call Dana Ruiz at Acme (by Fri 13 Nov)"),
        ("description", "One call.\n\nCompany: Acme\n\nthey like jazz"),
        ("location", ""),
        ("status", "CANCELLED"),
        ("categories", ("Follow-up",)),
        ("categories", ("Follow-up", "Work", "Work")),
        ("alarms", ()),
        ("alarms", (timedelta(hours=9), timedelta(days=4, hours=9, minutes=30))),
        ("transp", "OPAQUE"),
        ("classification", "PUBLIC"),
    ],
)
def test_an_edit_shows_in_exactly_its_own_field(field, value):
    before, after = identity.hashes(REMINDER), identity.hashes(replace(REMINDER, **{field: value}))
    assert identity.differing(before, after) == (field,)


def test_reports_show_days_moments_and_seconds():
    assert identity.shown(TIMED) == {
        "start": "2026-11-09T08:30:00+00:00",
        "end": "2026-11-09T08:45:00+00:00",
        "summary": "Call Dana Ruiz at Acme (by Fri 13 Nov)",
        "description": "One call.\n\nCompany: Acme",
        "location": "+1 312 555 0100",
        "status": "CONFIRMED",
        "categories": ["Follow-up", "Work"],
        "alarms": [34200, 379800],
        "transp": "TRANSPARENT",
        "classification": "PRIVATE",
    }
    assert identity.shown(REMINDER)["start"] == "2026-11-09"


def test_reports_show_nothing_of_an_event_that_is_not_there():
    assert identity.shown(None) == dict.fromkeys(identity.OWNED)
