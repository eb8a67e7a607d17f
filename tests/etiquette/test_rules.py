"""Each rule's own table: its days, its channel, and what may move or swallow them. Prompts: see `test_prompts.py`.

Days are of 2026 unless said. 4 November is a Wednesday, 12 November a Thursday.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from calsync import model as m
from tests.etiquette.asking import (
    APPLIED,
    CALL,
    DANA,
    EMAIL,
    INTERVIEW,
    POLICY,
    TOUCHED,
    app,
    current,
    on,
    pausing,
    see,
    windows_of,
)

SUN_TO_THU = replace(POLICY, weekdays=frozenset({6, 0, 1, 2, 3}))
INSTEAD = replace(POLICY, email_instead=True)
NO_PHONE = replace(DANA, phone=None)
NO_EMAIL = replace(DANA, email=None)
NOBODY = m.Contact(name="Dana Ruiz")


def living_in(country: str, subdivision: str | None = None) -> m.Contact:
    return replace(DANA, country=country, subdivision=subdivision)


# ---------------------------------------------------------------------------------- application-call


@pytest.mark.parametrize(
    ("applied", "opens", "closes"),
    [
        ("11-02", "11-09", "11-13"),  # a Monday
        ("11-06", "11-09", "11-13"),  # Friday: Monday is three days later
        ("11-07", "11-10", "11-13"),  # Saturday: not before Tuesday
        ("11-08", "11-11", "11-13"),  # Sunday: not before Wednesday
        ("12-28", "2027-01-04", "2027-01-08"),  # Monday of ISO week 53
        ("2027-01-01", "2027-01-04", "2027-01-08"),  # Friday of week 53 of the year before
        ("2027-01-03", "2027-01-06", "2027-01-08"),  # Sunday of week 53 of the year before
        ("12-23", "12-28", "2027-01-01"),  # over the end of the year
        ("2028-02-24", "2028-02-28", "2028-03-03"),  # over a leap day
        ("2028-02-29", "2028-03-06", "2028-03-10"),  # on a leap day
        ("2026-03-25", "2026-03-30", "2026-04-03"),  # clocks change on the Sunday between
    ],
)
def test_application_call_is_in_the_following_week(applied, opens, closes):
    (window,) = windows_of(app(m.Applied(day=on(applied))), applied)
    assert (window.opens, window.closes, window.state) == (on(opens), on(closes), m.State.FIRM)
    assert window.by is CALL


@pytest.mark.parametrize(
    ("contact", "do_not", "policy", "by"),
    [
        (DANA, (), POLICY, "call"),
        (DANA, (EMAIL,), POLICY, "call"),
        (DANA, (CALL,), POLICY, None),
        (NO_PHONE, (), POLICY, None),
        (NOBODY, (), POLICY, None),
        (DANA, (), INSTEAD, "call"),
        (DANA, (CALL,), INSTEAD, "email"),
        (NO_PHONE, (), INSTEAD, "email"),
        (NO_PHONE, (EMAIL,), INSTEAD, None),
        (DANA, (CALL, EMAIL), INSTEAD, None),
        (NOBODY, (), INSTEAD, None),
    ],
)
def test_application_call_needs_a_number_that_may_be_called(contact, do_not, policy, by):
    """With `email_instead` an address stands in."""
    expected = [] if by is None else [f"application-call/1 {by} 11-09..11-13 firm"]
    assert see(app(APPLIED, contact=contact, do_not=do_not), "11-05", policy) == expected


@pytest.mark.parametrize(
    ("policy", "contact", "opens", "closes"),
    [
        (SUN_TO_THU, DANA, "11-09", "11-12"),  # the Sunday before is of the week of applying
        (pausing("11-09", "11-09"), DANA, "11-10", "11-13"),
        (pausing("11-12", "11-30"), DANA, "11-09", "11-11"),
        (pausing("11-09", "11-13"), DANA, "11-16", "11-20"),  # the whole week: late is polite
        (pausing("11-01", "11-17"), DANA, "11-18", "11-20"),  # a week long, but for the weekend
        (POLICY, living_in("XX"), "11-17", "11-20"),  # holidays swallow the week
        (replace(POLICY, country="XX"), DANA, "11-17", "11-20"),
        (replace(POLICY, country="XX"), living_in("US"), "11-09", "11-13"),  # it is the contact's place that counts
        (replace(POLICY, weekdays=frozenset({2})), DANA, "11-11", "11-11"),  # Wednesdays alone
        (replace(POLICY, weekdays=frozenset({5})), DANA, "11-14", "11-14"),  # Saturdays: none in the week
    ],
)
def test_application_call_keeps_to_business_days(policy, contact, opens, closes):
    (window,) = windows_of(app(APPLIED, contact=contact), "11-05", policy)
    assert (window.opens, window.closes) == (on(opens), on(closes))


def test_days_of_a_window_are_the_business_days_in_it():
    (window,) = windows_of(app(APPLIED, contact=living_in("US")), "11-05")
    assert window.days == tuple(map(on, ("11-09", "11-10", "11-12", "11-13")))


# ------------------------------------------------------------------------------ interview-follow-up


@pytest.mark.parametrize(
    ("interview", "window"),
    [
        (INTERVIEW, "interview-follow-up/1.1 call 11-16..11-20 firm"),
        (replace(INTERVIEW, day=on("11-14")), "interview-follow-up/1.1 call 11-17..11-20 firm"),  # Saturday
        (replace(INTERVIEW, follow_up_by=EMAIL), "interview-follow-up/1.1 email 11-16..11-20 firm"),
        (replace(INTERVIEW, follow_up_on=on("11-13")), "agreed-follow-up/1.1 call 11-13..11-13 firm"),
        (replace(INTERVIEW, follow_up_on=on("11-18")), "agreed-follow-up/1.1 call 11-18..11-19 firm"),
        (replace(INTERVIEW, follow_up_on=on("11-20")), "agreed-follow-up/1.1 call 11-20..11-20 firm"),
        (replace(INTERVIEW, follow_up_on=on("11-21")), "agreed-follow-up/1.1 call 11-23..11-24 firm"),  # a weekend
        (replace(INTERVIEW, timeline=on("11-20")), "timeline-follow-up/1.1 call 11-23..11-27 firm"),
        (replace(INTERVIEW, timeline=on("11-16")), "timeline-follow-up/1.1 call 11-17..11-23 firm"),
        (
            replace(INTERVIEW, timeline=on("11-27"), follow_up_on=on("11-18"), follow_up_by=CALL),
            "agreed-follow-up/1.1 call 11-18..11-19 firm",  # what was agreed beats the timeline
        ),
    ],
)
def test_what_was_said_at_the_interview_gives_the_window(interview, window):
    the_day_after = interview.day + timedelta(days=1)
    assert current(app(interview), the_day_after.isoformat()) == [window]


def test_an_agreed_day_before_the_timeline_gives_check_ins_after_it():
    """The check-in behind an agreed window never opens on or before the timeline."""
    interview = replace(INTERVIEW, timeline=on("12-04"), follow_up_on=on("11-18"))
    assert see(app(interview), "11-14")[1] == "check-in/1.1 email 12-07..12-09 tentative"


def test_a_timeline_holds_until_another_is_said():
    """What they say next of another day does not take it back."""
    interview = replace(INTERVIEW, timeline=on("12-04"))
    agreed = m.Heard(day=on("11-16"), follow_up_on=on("11-18"))
    assert see(app(interview, agreed), "11-16")[1] == "check-in/1.1 email 12-07..12-09 tentative"
    sooner = replace(agreed, timeline=on("11-30"))
    assert see(app(interview, sooner), "11-16")[1] == "check-in/1.1 email 12-01..12-04 tentative"


@pytest.mark.parametrize(("timeline", "days"), [("11-29", "11-30..12-10"), ("11-30", "12-01..12-04")])
def test_a_timeline_moves_a_check_in_only_where_it_is_later(timeline, days):
    """30 November is ten days after the agreed window."""
    interview = replace(INTERVIEW, follow_up_on=on("11-19"), timeline=on(timeline))
    policy = replace(POLICY, check_in_days=(10, 20))
    assert see(app(interview), "11-13", policy)[1] == f"check-in/1.1 email {days} tentative"


@pytest.mark.parametrize(
    ("heard", "window"),
    [
        (m.Heard(day=on("11-17")), "check-in/1.1 email 11-27..12-01 firm"),
        (m.Heard(day=on("11-17"), follow_up_on=on("11-19")), "agreed-follow-up/1.1 call 11-19..11-20 firm"),
        (m.Heard(day=on("11-17"), timeline=on("11-20")), "timeline-follow-up/1.1 call 11-23..11-27 firm"),
        (m.Heard(day=on("11-17"), follow_up_by=CALL), "check-in/1.1 call 11-27..12-01 firm"),
    ],
)
def test_a_reply_after_an_interview_moves_the_window(heard, window):
    assert current(app(INTERVIEW, heard), "11-18") == [window]


@pytest.mark.parametrize(
    ("said", "heard", "window"),
    [
        ({"timeline": "11-27"}, "11-20", "timeline-follow-up/1.1 call 11-30..12-04 firm"),  # T is still to come
        ({"timeline": "11-27"}, "11-27", "check-in/1.1 email 12-07..12-11 firm"),  # T is the day itself
        ({"follow_up_on": "11-24"}, "11-20", "agreed-follow-up/1.1 call 11-24..11-25 firm"),
        ({"follow_up_on": "11-24"}, "11-24", "check-in/1.1 email 12-04..12-08 firm"),
    ],
)
def test_a_reply_without_a_day_leaves_a_named_day_to_come(said, heard, window):
    interview = replace(INTERVIEW, **{key: on(day) for key, day in said.items()})
    assert current(app(interview, m.Heard(day=on(heard))), heard) == [window]


def test_a_reply_that_moves_a_window_keeps_its_number():
    application = app(
        replace(INTERVIEW, timeline=on("11-27")),
        m.Heard(day=on("11-20"), timeline=on("12-04")),
    )
    assert current(application, "11-23") == ["timeline-follow-up/1.1 call 12-07..12-11 firm"]


@pytest.mark.parametrize(
    ("said", "touched", "lines"),
    [
        ({"follow_up_on": "11-24"}, "11-20", ["agreed-follow-up/1.1 email 11-24..11-25 firm"]),  # before the bar
        ({"follow_up_on": "11-24"}, "11-24", ["check-in/1.1 email 12-04..12-08 firm"]),
        ({"timeline": "11-27"}, "11-20", ["timeline-follow-up/1.1 email 11-30..12-04 firm"]),
        ({"timeline": "11-27"}, "11-27", ["check-in/1.1 email 12-07..12-11 firm"]),
    ],
)
def test_a_touch_leaves_a_named_day_to_come(said, touched, lines):
    """An agreed day is kept whatever the bar says; a timeline only if the bar is over."""
    interview = replace(INTERVIEW, **{key: on(day) for key, day in said.items()})
    assert current(app(interview, m.Contacted(day=on(touched))), touched) == lines


def test_a_touch_uses_up_the_window_before_it_opens():
    assert see(app(APPLIED, m.Contacted(day=on("11-06"))), "11-06") == [
        "application-call/1 call 11-09..11-13 done 11-06"
    ]


# ----------------------------------------------------------------------------------------- check-in


@pytest.mark.parametrize(
    ("numbers", "first", "second"),
    [
        ({}, "11-27..12-01", "12-11..12-15"),
        ({"check_in_days": (7, 10)}, "11-27..11-27", "12-07..12-07"),  # the gap of 10 days holds
        ({"check_in_days": (14, 21)}, "12-01..12-08", "12-22..12-29"),
        ({"contact_gap_days": 14}, "12-01..12-01", "12-15..12-15"),
        ({"contact_gap_days": 20}, "12-07..12-11", "12-31..01-04"),  # later than all days of the rule
        ({"weekdays": frozenset({6, 0, 1, 2, 3})}, "11-29..12-01", "12-13..12-15"),
    ],
)
def test_check_ins_follow_the_numbers_of_the_policy(numbers, first, second):
    """Each is counted from the last day of the one before; the gap between two contacts holds."""
    policy = replace(POLICY, horizon_days=60, **numbers)
    assert see(app(INTERVIEW, TOUCHED), "11-18", policy)[1:3] == [
        f"check-in/1.1 email {first} firm",
        f"check-in/1.2 email {second} tentative",
    ]


@pytest.mark.parametrize(("horizon", "drawn"), [(0, 0), (16, 0), (17, 1), (30, 1), (31, 2), (60, 4)])
def test_check_ins_are_drawn_up_to_the_horizon(horizon, drawn):
    """They open on 30 November and every 14 days after; 17 days are from the 13th to the 30th."""
    lines = see(app(INTERVIEW), "11-13", replace(POLICY, horizon_days=horizon))
    assert lines[0] == "interview-follow-up/1.1 call 11-16..11-20 firm"
    assert len(lines[1:]) == drawn


def test_the_current_window_is_shown_beyond_the_horizon():
    application = app(replace(INTERVIEW, timeline=on("2027-01-15")))
    assert current(application, "11-13") == ["timeline-follow-up/1.1 call 01-18..01-22 firm"]


@pytest.mark.parametrize(
    ("touched", "lines"),
    [
        ("2027-01-22", ["check-in/1.6 email 02-01..02-05 firm"]),  # the 90th day after the interview
        ("2027-01-23", []),  # the 91st would be the first
    ],
)
def test_no_check_in_opens_more_than_90_days_after_the_last_word(touched, lines):
    application = app(m.Interview(day=on("11-03")), m.Contacted(day=on(touched)))
    assert current(application, touched) == lines


@pytest.mark.parametrize(("stale_after", "drawn"), [(18, 1), (17, 0)])
def test_no_check_in_is_drawn_that_would_be_stale(stale_after, drawn):
    """30 November is 18 days after the interview."""
    lines = see(app(INTERVIEW), "11-13", replace(POLICY, stale_after_days=stale_after))
    assert len(lines) == 1 + drawn


@pytest.mark.parametrize("said", [{}, {"timeline": on("12-01")}, {"follow_up_on": on("12-01")}])
def test_any_word_of_theirs_keeps_it_fresh(said):
    """What they said, and the days that they named, count from the latest of them."""
    application = app(INTERVIEW, m.Heard(day=on("11-20"), **said), m.Contacted(day=on("12-01")))
    until_11_december = 10 if said else 21
    for stale_after, expected in [(until_11_december, ["12-11..12-15"]), (until_11_december - 1, [])]:
        policy = replace(POLICY, stale_after_days=stale_after)
        assert [line.split()[2] for line in current(application, "12-01", policy)] == expected


def test_the_gap_and_a_snooze_do_not_make_it_stale():
    """Staleness asks for the days of the rule itself, 27 November, before snooze and guard."""
    policy = replace(POLICY, stale_after_days=15, contact_gap_days=20)
    assert current(app(INTERVIEW, TOUCHED), "11-18", policy) == ["check-in/1.1 email 12-07..12-11 firm"]
    snoozed = app(INTERVIEW, TOUCHED, m.Snoozed(day=on("11-18"), until=on("2027-03-01")))
    assert current(snoozed, "11-18", policy) == ["check-in/1.1 email 03-01..03-05 firm"]


# ------------------------------------------------------------------------------------------ channel

WISH = m.Heard(day=on("11-16"), timeline=on("11-20"))


@pytest.mark.parametrize(
    ("contact", "do_not", "wish", "touched", "first", "check_in"),
    [
        (DANA, (), None, False, "call", "email"),
        (DANA, (), None, True, "email", "email"),  # a touch is on record: a link to an article wants an e-mail
        (DANA, (CALL,), None, False, "email", "email"),
        (DANA, (EMAIL,), None, False, "call", "call"),
        (DANA, (CALL, EMAIL), None, False, "any", "any"),
        (DANA, (CALL,), CALL, False, "call", "call"),  # their later wish beats the advertisement
        (DANA, (), EMAIL, False, "email", "email"),
        (NO_PHONE, (), None, False, "email", "email"),
        (NO_EMAIL, (), None, True, "call", "call"),
        (NO_PHONE, (EMAIL,), None, False, "any", "any"),
        (NOBODY, (), None, False, "any", "any"),
        (NOBODY, (), CALL, False, "call", "call"),
        (DANA, (), m.Channel.ANY, False, "any", "any"),
    ],
)
def test_channel(contact, do_not, wish, touched, first, check_in):
    """A follow-up calls first, a check-in writes first; what is unknown or forbidden is left out."""
    touch = [m.Contacted(day=on("11-17"))] if touched else []
    application = app(INTERVIEW, replace(WISH, follow_up_by=wish), *touch, contact=contact, do_not=do_not)
    lines = see(application, "11-18")
    assert lines == [
        f"timeline-follow-up/1.1 {first} {'11-27..11-27' if touched else '11-23..11-27'} firm",
        f"check-in/1.1 {check_in} 12-07..12-11 tentative",
    ]


def test_a_wish_holds_until_the_next_interview():
    wished = replace(INTERVIEW, follow_up_by=CALL)
    assert current(app(wished, m.Heard(day=on("11-16"))), "11-16") == ["check-in/1.1 call 11-26..11-30 firm"]
    wished = replace(INTERVIEW, follow_up_by=EMAIL)
    again = m.Interview(day=on("11-19"))
    assert current(app(wished, again), "11-20") == ["interview-follow-up/2.1 call 11-23..11-27 firm"]
