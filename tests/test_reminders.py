"""From windows to reminders: which days, when it rings, in whose office hours."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from calsync.model import Application, Channel, Contact, Interview, State, Window
from calsync.reminders import Form, reminders
from tests.words import WORDS

BERLIN, CHICAGO = ZoneInfo("Europe/Berlin"), ZoneInfo("America/Chicago")
AUCKLAND, ANGELES = ZoneInfo("Pacific/Auckland"), ZoneInfo("America/Los_Angeles")
DANA = Contact(name="Dana Ruiz", email="dana@acme.example", phone="+1 312 555 0100")
ACME = Application(id="acme", company="Acme", contact=DANA)
MON, FRI = date(2026, 11, 9), date(2026, 11, 13)
WEEK = tuple(MON + timedelta(days=n) for n in range(5))
CALL = Window(
    id="acme/application-call/1",
    rule="application-call",
    applications=(ACME,),
    by=Channel.CALL,
    opens=MON,
    closes=FRI,
    days=WEEK,
    state=State.FIRM,
)
EMAIL = replace(CALL, id="acme/check-in/1.1", rule="check-in", by=Channel.EMAIL)
BEFORE = datetime(2026, 11, 5, 12, tzinfo=UTC)
HALF_PAST_NINE = timedelta(hours=9, minutes=30)


def form(style="window", zone=BERLIN, remind_at=time(9, 30)):
    return Form(style, remind_at, zone, ZoneInfo, WORDS)


def at(text, zone=BERLIN):
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def drawn(window, how, moment=BEFORE):
    return reminders([window], how, {}, moment)[window.id]


def in_zone(zone, window=CALL):
    return replace(window, applications=(replace(ACME, contact=replace(DANA, timezone=zone.key)),))


def rings(window, moment, how=None):
    """When the alarms of an all-day event ring, as the user's clock shows it."""
    reminder = drawn(window, how or form(), moment)
    midnight = datetime.combine(reminder.start, time())
    return [f"{midnight + alarm:%d %H:%M}" for alarm in reminder.alarms]


# All-day events over the window.


def test_a_window_is_one_all_day_event_that_rings_on_its_first_and_last_day():
    reminder = drawn(CALL, form())
    assert (reminder.start, reminder.end) == (MON, date(2026, 11, 14))
    assert reminder.alarms == (HALF_PAST_NINE, timedelta(days=4) + HALF_PAST_NINE)
    assert reminder.status == "CONFIRMED"
    assert reminder.transp == "TRANSPARENT"
    assert reminder.classification == "PRIVATE"
    assert reminder.categories == ("Follow-up",)
    assert reminder.summary == "Call Dana Ruiz at Acme (by Fri 13 Nov)"
    assert reminder.location == "+1 312 555 0100"


def test_a_window_of_one_day_rings_once():
    one = replace(CALL, closes=MON, days=(MON,))
    assert drawn(one, form()).end == MON + timedelta(days=1)
    assert rings(one, BEFORE) == ["09 09:30"]


def test_it_rings_on_business_days_only():
    long = replace(CALL, closes=date(2026, 11, 15), days=WEEK[1:4])
    assert rings(long, BEFORE) == ["10 09:30", "12 09:30"]


def test_a_window_whose_days_are_not_told_rings_when_it_opens():
    assert rings(replace(CALL, days=()), BEFORE) == ["09 09:30"]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2026-11-09T09:30", ["09 09:30", "13 09:30"]),  # just in time
        ("2026-11-09T09:31", ["09 09:45", "13 09:30"]),  # the next quarter of an hour
        ("2026-11-09T09:45", ["09 09:45", "13 09:30"]),
        ("2026-11-09T16:45", ["09 16:45", "13 09:30"]),  # the last one within office hours
        ("2026-11-09T16:46", ["10 09:30", "13 09:30"]),  # else the next business day
        ("2026-11-10T08:30", ["10 09:30", "13 09:30"]),
        ("2026-11-10T09:00", ["10 09:00", "13 09:30"]),
        ("2026-11-12T18:00", ["13 09:30"]),
        ("2026-11-13T09:30", ["13 09:30"]),
        ("2026-11-13T10:01", ["13 10:15"]),
        ("2026-11-13T17:00", []),
        ("2026-11-15T10:00", []),
    ],
)
def test_a_reminder_whose_time_has_passed_rings_at_the_next_fair_moment(written, expected):
    assert rings(EMAIL, at(written)) == expected


def test_it_does_not_ring_on_days_that_are_no_business_days():
    with_holiday = replace(EMAIL, days=(WEEK[0], WEEK[3], WEEK[4]))
    assert rings(with_holiday, at("2026-11-10T11:00")) == ["12 09:30", "13 09:30"]


def test_the_next_fair_moment_of_a_call_is_in_the_office_hours_of_the_contact():
    call = in_zone(CHICAGO)
    assert rings(call, at("2026-11-09T11:00")) == ["10 09:30", "13 09:30"]  # night in Chicago
    assert rings(call, at("2026-11-09T15:50")) == ["09 16:00", "13 09:30"]  # nine in Chicago
    assert rings(call, at("2026-11-09T23:20")) == ["09 23:30", "13 09:30"]  # half past four in the afternoon
    assert rings(in_zone(CHICAGO, EMAIL), at("2026-11-09T11:00")) == ["09 11:00", "13 09:30"]


def test_it_does_not_ring_on_the_users_saturday():
    # Friday, 23:50 in Berlin, is Friday, 14:50 in Los Angeles: the next quarter is Saturday's.
    assert rings(in_zone(ANGELES), at("2026-11-13T23:50")) == []
    assert rings(in_zone(ANGELES), at("2026-11-13T23:40")) == ["13 23:45"]


def test_it_does_not_ring_on_the_contacts_sunday():
    # Monday, 10:00 in Auckland: Sunday, 13:00 in Los Angeles.
    assert rings(in_zone(ANGELES), at("2026-11-09T10:00", AUCKLAND), form(zone=AUCKLAND)) == ["10 09:30", "13 09:30"]
    # Tuesday, 07:00 in Auckland: Monday, 10:00 in Los Angeles.
    assert rings(in_zone(ANGELES), at("2026-11-10T07:00", AUCKLAND), form(zone=AUCKLAND)) == ["10 07:00", "13 09:30"]


@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25)])
def test_it_rings_at_the_same_time_of_day_when_the_clock_changes(day):
    over = replace(EMAIL, opens=day, closes=day + timedelta(days=1), days=(day, day + timedelta(days=1)))
    assert drawn(over, form(), datetime(2026, 1, 1, tzinfo=UTC)).alarms == (
        HALF_PAST_NINE,
        timedelta(days=1) + HALF_PAST_NINE,
    )


@pytest.mark.parametrize("style", ["window", "slot"])
def test_a_tentative_window_says_so_and_does_not_ring(style):
    reminder = drawn(replace(CALL, state=State.TENTATIVE), form(style))
    assert reminder.status == "TENTATIVE"
    assert reminder.alarms == ()


@pytest.mark.parametrize("style", ["window", "slot"])
def test_a_window_that_was_used_up_stands_on_the_day_of_the_touch_and_does_not_ring(style):
    done = replace(CALL, state=State.DONE, done_on=date(2026, 11, 6), done_by=Channel.EMAIL)
    reminder = drawn(done, form(style))
    assert (reminder.start, reminder.end) == (date(2026, 11, 6), date(2026, 11, 7))
    assert reminder.summary == "✓ E-mailed Dana Ruiz at Acme"
    assert (reminder.alarms, reminder.location, reminder.status) == ((), "", "CONFIRMED")


def test_a_window_used_up_on_a_day_that_is_not_known_stands_on_its_last():
    assert drawn(replace(CALL, state=State.DONE), form()).start == FRI


# Slots of a quarter of an hour.


def slot(window, moment=BEFORE, zone=BERLIN, **how):
    reminder = drawn(window, form("slot", zone, **how), moment)
    assert reminder.end - reminder.start == timedelta(minutes=15)
    assert reminder.start.tzinfo is UTC
    return f"{reminder.start.astimezone(zone):%d %H:%M}"


def test_a_slot_is_a_quarter_of_an_hour_that_rings_as_it_begins():
    reminder = drawn(EMAIL, form("slot"))
    assert reminder.start == datetime(2026, 11, 9, 8, 30, tzinfo=UTC)
    assert reminder.end == datetime(2026, 11, 9, 8, 45, tzinfo=UTC)
    assert reminder.alarms == (timedelta(0),)
    assert "Mon 9 Nov to Fri 13 Nov" in reminder.description


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2026-11-09T09:30", "09 09:30"),
        ("2026-11-09T09:31", "09 09:45"),
        ("2026-11-09T16:50", "10 09:30"),
        ("2026-11-11T07:00", "11 09:30"),
        ("2026-11-13T10:01", "13 10:15"),
        ("2026-11-13T17:00", "13 09:30"),  # nothing is left of it: it stays on its last day
    ],
)
def test_a_slot_stands_on_the_first_day_that_is_not_past(written, expected):
    assert slot(EMAIL, at(written)) == expected


@pytest.mark.parametrize(
    ("contact", "user", "remind_at", "expected"),
    [
        (BERLIN, BERLIN, time(9, 30), "09 09:30"),
        (BERLIN, BERLIN, time(7), "09 09:00"),
        (BERLIN, BERLIN, time(20), "09 16:45"),
        (CHICAGO, BERLIN, time(9, 30), "09 16:00"),  # nine in Chicago
        (BERLIN, CHICAGO, time(9, 30), "09 09:30"),  # half past four in Berlin, so as it is
        (BERLIN, CHICAGO, time(11), "09 09:45"),  # a quarter to five in Berlin
        (AUCKLAND, ANGELES, time(9, 30), "09 12:00"),  # Tuesday, nine
        (ANGELES, AUCKLAND, time(9, 30), "10 06:00"),  # Monday, nine: not on their Sunday
    ],
)
def test_a_call_stands_in_the_office_hours_of_the_contact(contact, user, remind_at, expected):
    assert slot(in_zone(contact), zone=user, remind_at=remind_at) == expected


def test_a_call_across_the_date_line_is_on_a_business_day_of_the_contact():
    # Friday, half past nine in Auckland, is Thursday in Los Angeles.
    assert slot(in_zone(ANGELES), at("2026-11-13T01:00", AUCKLAND), AUCKLAND) == "13 09:30"
    # Friday in Los Angeles is Saturday in Auckland, but for hours at which nobody works there.
    friday = replace(in_zone(AUCKLAND), opens=FRI, days=(FRI,))
    assert slot(friday, zone=ANGELES) == "12 19:45"


def test_a_call_without_a_zone_of_the_contact_is_in_the_office_hours_of_the_user():
    assert slot(CALL, remind_at=time(7)) == "09 09:00"


def test_an_e_mail_may_be_written_at_any_time():
    assert slot(in_zone(CHICAGO, EMAIL), remind_at=time(7)) == "09 07:00"


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2026, 3, 9), datetime(2026, 3, 9, 14, tzinfo=UTC)),  # Chicago has summer time already, Berlin has not
        (date(2026, 3, 30), datetime(2026, 3, 30, 14, tzinfo=UTC)),
        (date(2026, 10, 26), datetime(2026, 10, 26, 14, tzinfo=UTC)),  # Berlin's is over, Chicago's is not
        (date(2026, 11, 2), datetime(2026, 11, 2, 15, tzinfo=UTC)),
    ],
)
def test_office_hours_are_by_the_contacts_clock_on_that_day(day, expected):
    call = replace(in_zone(CHICAGO), opens=day, closes=day, days=(day,))
    assert drawn(call, form("slot"), datetime(2026, 1, 1, tzinfo=UTC)).start == expected


@pytest.mark.parametrize(
    ("day", "hour"), [(date(2026, 3, 28), 8), (date(2026, 3, 29), 7), (date(2026, 10, 24), 7), (date(2026, 10, 25), 8)]
)
def test_a_slot_keeps_its_time_of_day_when_the_clock_changes(day, hour):
    over = replace(EMAIL, opens=day, closes=day, days=(day,))
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    assert drawn(over, form("slot"), moment).start == datetime(day.year, day.month, day.day, hour, 30, tzinfo=UTC)


def test_several_on_one_day_stand_one_behind_the_other():
    windows = [replace(EMAIL, id=f"{letter}/check-in/1.1") for letter in "abc"]
    found = reminders(windows, form("slot"), {}, BEFORE)
    assert [f"{found[window.id].start.astimezone(BERLIN):%H:%M}" for window in windows] == ["09:30", "09:45", "10:00"]


def test_slots_that_would_share_minutes_stand_one_behind_the_other():
    mine = replace(EMAIL, id="a/check-in/1.1")
    late = replace(EMAIL, id="b/check-in/1.1")
    now = at("2026-11-09T09:41")
    found = reminders([mine, late], form("slot", remind_at=time(9, 40)), {mine.id: BEFORE}, now)
    assert f"{found[late.id].start.astimezone(BERLIN):%H:%M}" == "09:55"


# What is timed in either style.

INTERVIEW = Interview(day=date(2026, 11, 12), at=at("2026-11-12T14:00"), location="https://meet.example/abc")
ASK = Window(
    id="acme/ask-before-leaving/1",
    rule="ask-before-leaving",
    applications=(ACME,),
    by=None,
    opens=INTERVIEW.day,
    closes=INTERVIEW.day,
    days=(INTERVIEW.day,),
    state=State.FIRM,
    interview=INTERVIEW,
    starts=at("2026-11-12T13:45"),
    ends=at("2026-11-12T14:00"),
)


@pytest.mark.parametrize("style", ["window", "slot"])
def test_the_questions_come_a_quarter_of_an_hour_before_the_interview(style):
    reminder = drawn(ASK, form(style))
    assert reminder.start == datetime(2026, 11, 12, 12, 45, tzinfo=UTC)
    assert reminder.end == datetime(2026, 11, 12, 13, tzinfo=UTC)
    assert reminder.alarms == (timedelta(0),)
    assert reminder.location == "https://meet.example/abc"


def test_the_questions_of_an_interview_without_a_time_stand_on_its_day():
    whole_day = replace(ASK, starts=None, ends=None, interview=Interview(day=INTERVIEW.day))
    reminder = drawn(whole_day, form())
    assert (reminder.start, reminder.end) == (INTERVIEW.day, INTERVIEW.day + timedelta(days=1))
    assert reminder.alarms == (HALF_PAST_NINE,)
    assert reminder.location == ""


# What is kept.


@pytest.mark.parametrize("style", ["window", "slot"])
def test_a_reminder_is_drawn_as_of_the_moment_of_its_writing_and_not_of_now(style):
    written = {EMAIL.id: BEFORE}
    early = reminders([EMAIL], form(style), written, BEFORE)
    late = reminders([EMAIL], form(style), written, at("2026-11-11T15:00"))
    assert late == early
    assert reminders([EMAIL], form(style), {}, at("2026-11-11T15:00")) != early


@pytest.mark.parametrize(
    ("by", "location"),
    [(Channel.CALL, "+1 312 555 0100"), (Channel.ANY, "+1 312 555 0100"), (Channel.EMAIL, ""), (None, "")],
)
def test_the_number_is_in_the_location_where_a_call_may_be_meant(by, location):
    assert drawn(replace(CALL, by=by), form()).location == location


def test_without_a_number_the_location_is_empty():
    unknown = replace(CALL, applications=(replace(ACME, contact=Contact(name="Dana Ruiz")),))
    assert drawn(unknown, form()).location == ""


zones = st.sampled_from(["Europe/Berlin", "America/Chicago", "Pacific/Auckland", "America/Los_Angeles", "Asia/Kolkata"])
days = st.dates(date(2026, 1, 1), date(2027, 12, 31))


@st.composite
def windows(draw):
    opens = draw(days)
    length = draw(st.integers(1, 10))
    every = [opens + timedelta(days=n) for n in range(length)]
    state = draw(st.sampled_from(list(State)))
    contact = replace(DANA, timezone=draw(zones | st.none()))
    return Window(
        id=f"{draw(st.text('abc', min_size=1, max_size=3))}/check-in/1.1",
        rule="check-in",
        applications=(replace(ACME, contact=contact),),
        by=draw(st.sampled_from(list(Channel))),
        opens=opens,
        closes=every[-1],
        days=tuple(day for day in every if day.weekday() < 5) or (opens,),
        state=state,
        done_on=draw(st.sampled_from([None, opens])),
    )


forms = st.builds(
    form,
    st.sampled_from(["window", "slot"]),
    zones.map(ZoneInfo),
    st.times().map(lambda t: t.replace(second=0, microsecond=0)),
)
now = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))


@given(st.lists(windows(), max_size=5, unique_by=lambda window: window.id), forms, now)
def test_every_window_has_a_reminder_that_ends_after_it_begins_and_never_two_at_once(each, how, moment):
    found = reminders(each, how, {}, moment)
    assert list(found) == [window.id for window in each]
    assert all(reminder.start < reminder.end for reminder in found.values())
    assert found == reminders(each, how, {window.id: moment for window in each}, BEFORE)
    starts = sorted(reminder.start for reminder in found.values() if isinstance(reminder.start, datetime))
    assert all(after - before >= timedelta(minutes=15) for before, after in pairwise(starts))


@given(windows(), forms, now)
def test_no_alarm_rings_before_it_was_written_nor_outside_the_window(window, how, moment):
    reminder = drawn(window, replace(how, style="window"), moment)
    for alarm in reminder.alarms:
        ring = (datetime.combine(reminder.start, time()) + alarm).replace(tzinfo=how.zone)
        assert ring >= moment
        assert ring.date() in window.days
