"""What is told to people: why a window has its days, why there is none, where an application stands, what is ahead.

Days are of 2026 unless said. 4 November is a Wednesday, 12 November a Thursday.
"""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from calsync import model as m
from calsync.etiquette import outlook
from tests.etiquette.asking import (
    APPLIED,
    CALL,
    DANA,
    EMAIL,
    INTERVIEW,
    POLICY,
    TOUCHED,
    app,
    holidays,
    on,
    pausing,
    stand,
    windows_of,
)

FOLLOWING_WEEK = "Without an agreed day, the following week is the time to follow up."
EVERY = "A check-in every 10 to 14 days is polite."
T27 = replace(INTERVIEW, timeline=on("11-27"))


def why(application: m.Application, today: str, window: str, policy: m.Policy = POLICY) -> tuple[str, ...]:
    """Why that window has its days."""
    found = {each.id: each.why for each in windows_of(application, today, policy)}
    return found[f"a/{window}"]


@pytest.mark.parametrize(
    ("events", "today", "window", "reasons"),
    [
        (
            [APPLIED],
            "11-05",
            "application-call/1",
            ("You applied on Wed 4 Nov.", "One brief call in the following week is polite, then no more."),
        ),
        ([INTERVIEW], "11-13", "interview-follow-up/1.1", ("Interview on Thu 12 Nov.", FOLLOWING_WEEK)),
        ([INTERVIEW], "11-13", "check-in/1.1", ("The window before closes on Fri 20 Nov.", EVERY)),
        ([INTERVIEW], "11-23", "check-in/1.1", ("The window before closed on Fri 20 Nov.", EVERY)),
        (
            [INTERVIEW, TOUCHED],
            "11-18",
            "check-in/1.1",
            ("You were in touch on Tue 17 Nov.", EVERY),
        ),
        ([INTERVIEW, m.Heard(day=on("11-13"))], "11-13", "check-in/1.1", ("They were in touch on Fri 13 Nov.", EVERY)),
        (
            [INTERVIEW, m.Skipped(day=on("11-13"), window="a/interview-follow-up/1.1")],
            "11-13",
            "check-in/1.1",
            ("The window that you skipped closes on Fri 20 Nov.", EVERY),
        ),
        (
            [T27],
            "11-13",
            "timeline-follow-up/1.1",
            (
                "On Thu 12 Nov they said: we decide by Fri 27 Nov.",
                "The week after that day is the time to ask.",
                "Sat 28 Nov to Sun 29 Nov: no working day; opens Mon 30 Nov.",
            ),
        ),
        (
            [replace(T27, follow_up_on=on("11-19"))],
            "11-13",
            "agreed-follow-up/1.1",
            ("On Thu 12 Nov they said: follow up on Thu 19 Nov.", "That day or the next is what was agreed."),
        ),
        (
            [replace(T27, follow_up_on=on("11-19"))],
            "11-13",
            "check-in/1.1",
            ("The window before closes on Fri 20 Nov.", EVERY),
        ),
        (
            [replace(T27, timeline=on("12-01"), follow_up_on=on("11-19"))],
            "11-13",
            "check-in/1.1",
            (
                "The window before closes on Fri 20 Nov.",
                EVERY,
                "They decide by Tue 1 Dec: not before the day after.",
                "Sat 5 Dec to Sun 6 Dec: no working day; closes Fri 4 Dec.",
            ),
        ),
        (
            [INTERVIEW],
            "11-12",
            "ask-before-leaving/1",
            (
                "Interview on Thu 12 Nov.",
                "Never leave without asking the next steps, the timeline and the channel they like.",
            ),
        ),
        (
            [m.Offer(day=on("11-12"), respond_by=on("11-20"))],
            "11-12",
            "offer-deadline/1",
            ("They made an offer on Thu 12 Nov.", "Your answer is due by Fri 20 Nov."),
        ),
    ],
)
def test_a_window_tells_its_event_and_its_rule(events, today, window, reasons):
    assert why(app(*events), today, window) == reasons


def test_thanks_tell_the_interview():
    reasons = why(app(INTERVIEW), "11-12", "thank-you/1", replace(POLICY, thank_you=True))
    assert reasons == ("Interview on Thu 12 Nov.", "A short thank-you on the next business day is a courtesy.")


LATE = "That leaves no day up to Fri 13 Nov; late is polite, early is not."
APPLIED_ON_SUNDAY = m.Applied(day=on("11-08"))


@pytest.mark.parametrize(
    ("events", "policy", "country", "shifts"),
    [
        ([APPLIED], POLICY, "US", ()),  # a holiday inside moves nothing
        ([APPLIED_ON_SUNDAY], POLICY, "US", ("Wed 11 Nov is Veterans Day in US; opens Thu 12 Nov.",)),
        ([APPLIED], pausing("11-09", "11-09"), None, ("Mon 9 Nov is in your pause; opens Tue 10 Nov.",)),
        ([APPLIED], pausing("11-12", "11-13"), None, ("Thu 12 Nov to Fri 13 Nov: in your pause; closes Wed 11 Nov.",)),
        (
            [APPLIED],
            replace(POLICY, weekdays=frozenset({1, 2})),
            None,
            (
                "Mon 9 Nov is no working day; opens Tue 10 Nov.",
                "Thu 12 Nov to Fri 13 Nov: no working day; closes Wed 11 Nov.",
            ),
        ),
        (
            [APPLIED],
            POLICY,
            "XX",
            (
                "Mon 9 Nov to Fri 13 Nov: Long Feast in XX.",
                LATE,
                "Sat 14 Nov to Mon 16 Nov: Long Feast in XX; opens Tue 17 Nov.",
                "Sat 21 Nov is no working day; closes Fri 20 Nov.",
            ),
        ),
        (
            [APPLIED, m.Snoozed(day=on("11-05"), until=on("11-11"))],
            POLICY,
            "US",
            (
                "You snoozed it on Thu 5 Nov until Wed 11 Nov.",
                "Wed 11 Nov is Veterans Day in US; opens Thu 12 Nov.",
            ),
        ),
        (
            [APPLIED, m.Snoozed(day=on("11-05"), until=on("11-14"))],
            POLICY,
            None,
            (
                "You snoozed it on Thu 5 Nov until Sat 14 Nov.",
                LATE,
                "Sat 14 Nov to Sun 15 Nov: no working day; opens Mon 16 Nov.",
            ),
        ),
        ([APPLIED, m.Snoozed(day=on("11-05"), until=on("11-09"))], POLICY, None, ()),  # it moves nothing
        (
            [m.Contacted(day=on("11-01")), APPLIED],
            POLICY,
            "US",
            (
                "You were in touch on Sun 1 Nov: 10 days between two contacts, so not before Wed 11 Nov.",
                "Wed 11 Nov is Veterans Day in US; opens Thu 12 Nov.",
            ),
        ),
        (
            [APPLIED, m.Pinned(day=on("11-05"), window="a/application-call/1", opens=on("11-14"), closes=on("11-15"))],
            POLICY,
            "XX",
            (
                "You moved it to these days yourself.",
                "That is outside of the polite days, Tue 17 Nov to Fri 20 Nov.",
            ),
        ),
        (
            [APPLIED, m.Pinned(day=on("11-05"), window="a/application-call/1", opens=on("11-09"), closes=on("11-13"))],
            POLICY,
            None,
            ("You moved it to these days yourself.",),  # within them
        ),
    ],
)
def test_a_window_tells_every_shift_of_its_days(events, policy, country, shifts):
    application = app(*events, contact=replace(DANA, country=country))
    assert why(application, "11-08", "application-call/1", policy)[2:] == shifts


def test_a_missed_window_tells_the_gap_that_it_sets():
    reasons = why(app(INTERVIEW), "11-23", "check-in/1.1", replace(POLICY, contact_gap_days=11))
    assert (
        reasons[2] == "The window before closed on Fri 20 Nov: 11 days between two contacts, so not before Tue 1 Dec."
    )


# --------------------------------------------------------------------------------------- why there is none

SILENT = "They have been silent since Thu 12 Nov: is it still open?"
DONE = "The one follow-up was made or is past: they call if you fit."
NO_NUMBER = "No telephone number of a contact is known, so there is nobody to call."
NOT_TO_CALL = "The advertisement says not to call."


@pytest.mark.parametrize(
    ("application", "stage", "why_not"),
    [
        (app(), "new", "No application, interview or reply is recorded yet."),
        (app(m.Acknowledged(day=on("11-04"))), "new", "No application, interview or reply is recorded yet."),
        (app(TOUCHED), "new", "No application, interview or reply is recorded yet."),
        (app(APPLIED, contact=m.Contact()), "applied", NO_NUMBER),
        (app(APPLIED, contact=replace(DANA, phone=None), do_not=(CALL,)), "applied", NO_NUMBER),
        (app(APPLIED, do_not=(CALL,)), "applied", NOT_TO_CALL),
        (app(APPLIED), "applied", DONE),
        (app(APPLIED, m.Contacted(day=on("11-10"))), "applied", DONE),
        (
            app(APPLIED, m.Heard(day=on("11-10"))),
            "applied",
            "They replied on Tue 10 Nov and named no day: the ball is theirs.",
        ),
        (app(INTERVIEW, m.Offer(day=on("11-16"))), "offered", "They made an offer on Mon 16 Nov: the answer is yours."),
        (
            app(INTERVIEW, m.Ended(day=on("11-16"), how=m.Ending.WITHDRAWN)),
            "withdrawn",
            "It ended on Mon 16 Nov: withdrawn.",
        ),
        (app(INTERVIEW), "interviewed", SILENT),
    ],
)
def test_an_application_without_a_window_says_why_not(application, stage, why_not):
    standing = stand(application, "2027-06-01")
    assert (standing.stage, standing.why_not, standing.next) == (stage, why_not, None)
    assert standing.stale is (why_not == SILENT)


def test_an_application_with_a_window_names_it():
    standing = stand(app(INTERVIEW), "11-13")
    assert (standing.next, standing.why_not, standing.stale) == ("a/interview-follow-up/1.1", None, False)


def test_a_stale_application_comes_back_to_life():
    """A touch then only sets the bar; a reply counts as ever."""
    touched = m.Contacted(day=on("2027-06-01"))
    assert stand(app(INTERVIEW, touched), "2027-06-01").stale
    standing = stand(app(INTERVIEW, touched, m.Heard(day=on("2027-06-02"))), "2027-06-02")
    assert (standing.stale, standing.next) == (False, "a/check-in/1.7")


@pytest.mark.parametrize("end", [m.Offer(day=on("2027-06-01")), m.Ended(day=on("2027-06-01"), how=m.Ending.CLOSED)])
def test_what_is_over_is_not_stale(end):
    assert not stand(app(INTERVIEW, end), "2027-06-01").stale


@pytest.mark.parametrize(
    ("events", "last_word"),
    [
        ([APPLIED], None),
        ([APPLIED, m.Heard(day=on("11-06"))], "11-06"),
        ([INTERVIEW], "11-12"),
        ([INTERVIEW, TOUCHED], "11-12"),
        ([T27], "11-27"),
        ([INTERVIEW, m.Heard(day=on("11-16"), follow_up_on=on("11-19"), timeline=on("11-18"))], "11-19"),
        ([T27, m.Heard(day=on("11-16"))], "11-27"),
        ([T27, m.Interview(day=on("11-17"))], "11-17"),  # since the last interview
    ],
)
def test_last_word_is_the_latest_day_that_they_spoke_on_or_of(events, last_word):
    assert stand(app(*events), "11-18").last_word == (last_word and on(last_word))


# ------------------------------------------------------------------------------------------------ ahead


@pytest.mark.parametrize(
    ("event", "warnings"),
    [
        (TOUCHED, ("j.yaml:3:5: contacted on 2026-11-17 is still ahead: it is left out until then",)),
        (m.Heard(day=on("11-17")), ("j.yaml:3:5: heard on 2026-11-17 is still ahead: it is left out until then",)),
        (m.Interview(day=on("11-17")), ()),  # a plan
        (m.Acknowledged(day=on("11-17")), ()),  # changes nothing
        (m.Heard(day=on("11-16")), ()),  # today
    ],
)
def test_what_is_ahead_is_left_out_with_a_warning(event, warnings):
    event = replace(event, place=m.Place("j.yaml", 3, 5))
    found = outlook([app(INTERVIEW, event)], POLICY, on("11-16"), holidays)
    assert found.warnings == warnings
    if warnings:
        assert found.windows == tuple(
            replace(window, applications=(app(INTERVIEW, event),)) for window in windows_of(app(INTERVIEW), "11-16")
        )


def test_several_applications_are_told_together():
    """Windows by their first day, then id; standings in the order of the file."""
    wide = app(APPLIED, name="b")
    narrow = app(
        m.Applied(day=on("11-05")), name="a", contact=m.Contact(name="Sam Lee", email="s@x.example", phone="1")
    )
    early = app(INTERVIEW, name="c", contact=m.Contact(name="Kim", email="k@x.example"))
    found = outlook([early, wide, narrow], POLICY, on("11-05"), holidays)
    assert [window.id for window in found.windows] == [
        "a/application-call/1",
        "b/application-call/1",
        "c/ask-before-leaving/1",
        "c/interview-follow-up/1.1",
        "c/check-in/1.1",
    ]
    assert [standing.application.id for standing in found.standings] == ["c", "b", "a"]
    assert [window.by for window in found.windows] == [CALL, CALL, None, EMAIL, EMAIL]
