"""What each preset makes of the same events: a table a preset (`docs/etiquette.md`, "Presets")."""

import random
from collections import Counter

import pytest
from msgspec.structs import replace

from calsync import model as m
from calsync.etiquette import windows
from tests.etiquette.asking import APPLIED, DANA, INTERVIEW, TOUCHED, app, on, see, stand
from tests.etiquette.journals import public_holidays, random_journal

POLICY = m.Policy(horizon_days=60)
EMAIL_FIRST = replace(POLICY, first_channel=m.Channel.EMAIL, email_instead=True)
CAMPUS = replace(POLICY, application_days=(10, 14), thank_you=True, max_check_ins=2)
CONSERVATIVE = replace(POLICY, max_check_ins=0)

NO_MAIL = replace(DANA, email=None)
NO_PHONE = replace(DANA, phone=None)


@pytest.mark.parametrize(
    ("application", "today", "expected"),
    [
        (app(APPLIED), "11-05", ["application-call/1 email 11-09..11-13 firm"]),
        (app(APPLIED, contact=NO_MAIL), "11-05", ["application-call/1 call 11-09..11-13 firm"]),
        (app(APPLIED, contact=NO_PHONE), "11-05", ["application-call/1 email 11-09..11-13 firm"]),
        (app(APPLIED, do_not=(m.Channel.EMAIL,)), "11-05", ["application-call/1 call 11-09..11-13 firm"]),
        (app(APPLIED, do_not=(m.Channel.CALL, m.Channel.EMAIL)), "11-05", []),
        (app(INTERVIEW), "11-13", "interview-follow-up/1.1 email 11-16..11-20 firm"),
        (
            app(m.Interview(day=on("11-12"), follow_up_by=m.Channel.CALL)),
            "11-13",
            "interview-follow-up/1.1 call 11-16..11-20 firm",  # their wish beats the preset
        ),
    ],
)
def test_email_first_writes_where_it_can(application, today, expected):
    found = see(application, today, EMAIL_FIRST)
    assert (found[0] if isinstance(expected, str) else found) == expected


@pytest.mark.parametrize(
    ("events", "today", "expected"),
    [
        (
            [APPLIED],
            "11-05",
            ["application-call/1 call 11-16..11-18 firm"],
        ),  # from a Saturday on
        (
            [INTERVIEW],
            "11-12",
            [
                "ask-before-leaving/1 None 11-12..11-12 firm",
                "thank-you/1 email 11-13..11-13 firm",
                "interview-follow-up/1.1 call 11-16..11-20 firm",
                "check-in/1.1 email 11-30..12-04 tentative",
                "check-in/1.2 email 12-14..12-18 tentative",
            ],
        ),
        (
            [INTERVIEW, TOUCHED, m.Contacted(day=on("11-30"))],
            "12-01",
            [
                "interview-follow-up/1.1 call 11-16..11-20 done 11-17",
                "check-in/1.1 email 11-27..12-01 done 11-30",
                "check-in/1.2 email 12-10..12-14 firm",
            ],
        ),
        (
            [INTERVIEW, TOUCHED, m.Contacted(day=on("11-30")), m.Contacted(day=on("12-10"))],
            "12-11",
            [
                "interview-follow-up/1.1 call 11-16..11-20 done 11-17",
                "check-in/1.1 email 11-27..12-01 done 11-30",
                "check-in/1.2 email 12-10..12-14 done 12-10",
            ],
        ),
    ],
)
def test_campus_waits_thanks_and_checks_in_twice(events, today, expected):
    assert see(app(*events), today, CAMPUS) == expected


@pytest.mark.parametrize(
    ("events", "today", "expected"),
    [
        ([APPLIED], "11-05", ["application-call/1 call 11-09..11-13 firm"]),
        ([APPLIED], "11-20", ["application-call/1 call 11-09..11-13 missed"]),
        ([INTERVIEW], "11-13", ["interview-follow-up/1.1 call 11-16..11-20 firm"]),
        ([INTERVIEW], "11-23", ["interview-follow-up/1.1 call 11-16..11-20 missed"]),
        ([INTERVIEW, TOUCHED], "11-18", ["interview-follow-up/1.1 call 11-16..11-20 done 11-17"]),
        # A reply before the follow-up: the check-in is the one touch.
        ([INTERVIEW, m.Heard(day=on("11-13"))], "11-13", ["check-in/1.1 email 11-23..11-27 firm"]),
        ([INTERVIEW, m.Heard(day=on("11-13"))], "11-30", ["check-in/1.1 email 11-23..11-27 missed"]),
        # What they ask for is kept, and a new interview starts anew.
        (
            [INTERVIEW, TOUCHED, m.Heard(day=on("11-18"), follow_up_on=on("11-25"))],
            "11-18",
            ["interview-follow-up/1.1 call 11-16..11-20 done 11-17", "agreed-follow-up/1.1 email 11-25..11-26 firm"],
        ),
        (
            [INTERVIEW, TOUCHED, m.Interview(day=on("11-26"))],
            "11-27",
            ["interview-follow-up/1.1 call 11-16..11-20 done 11-17", "interview-follow-up/2.1 call 11-30..12-04 firm"],
        ),
    ],
)
def test_conservative_allows_one_touch(events, today, expected):
    assert see(app(*events), today, CONSERVATIVE) == expected


def test_after_the_last_check_in_it_says_that_it_is_up_to_them():
    standing = stand(app(INTERVIEW, TOUCHED), "11-18", CONSERVATIVE)
    assert standing.why_not == "That is all (max_check_ins: 0): now it is up to them."
    assert not standing.stale


@pytest.mark.parametrize("limit", [0, 1, 2, 5])
def test_check_ins_are_as_many_as_allowed_however_they_were_passed_over(limit):
    policy = replace(POLICY, max_check_ins=limit, stale_after_days=3650, horizon_days=366)
    for today in ("11-13", "2027-06-01"):
        found = [line for line in see(app(INTERVIEW), today, policy) if line.startswith("check-in/")]
        assert len(found) == limit


@pytest.mark.parametrize("policy", [EMAIL_FIRST, CAMPUS, CONSERVATIVE], ids=["email-first", "campus", "conservative"])
def test_whatever_the_journal_a_preset_keeps_its_limits(policy):
    """On seeded journals of one application: ids are unique, check-ins as many as allowed, thanks as asked for."""
    for seed in range(200):
        (application,), _policy, today = random_journal(random.Random(seed))
        found = windows([application], policy, today, public_holidays)
        assert len({window.id for window in found}) == len(found)
        check_ins = Counter(window.id.rpartition(".")[0] for window in found if window.rule == "check-in")
        if policy.max_check_ins is not None:
            assert all(count <= policy.max_check_ins + 1 for count in check_ins.values()), seed
        assert policy.thank_you or not [window for window in found if window.rule == "thank-you"]
