"""The replay of one application: what each event does to the current window, and what the user wants of windows.

Days are of 2026 unless said. 4 November is a Wednesday, 12 November a Thursday.
"""

from __future__ import annotations

import gc
from typing import get_args

import pytest
from msgspec.structs import replace

from calsync import model as m
from calsync.etiquette import outlook
from calsync.etiquette.replay import Chain
from calsync.etiquette.stage import Happened, Wish
from tests.etiquette.asking import (
    APPLIED,
    INTERVIEW,
    POLICY,
    TOUCHED,
    app,
    current,
    holidays,
    on,
    see,
    stand,
    windows_of,
)

IFU = "a/interview-follow-up/1.1"
WIDE_GAP = replace(POLICY, contact_gap_days=20)


def test_each_kind_of_event_that_is_replayed_has_an_effect_and_no_kind_below_it() -> None:
    kinds = {*get_args(Happened), *get_args(Wish)}
    assert set(Chain.EFFECTS) == kinds == {*get_args(m.Event)} - {m.Acknowledged}
    assert not any(kind.__subclasses__() for kind in kinds), "the replay goes by `type(event)`"


def touched(day: str) -> m.Contacted:
    return m.Contacted(day=on(day))


def heard(day: str, **said: str) -> m.Heard:
    return m.Heard(day=on(day), **{key: on(value) for key, value in said.items()})


def snoozed(day: str, until: str) -> m.Snoozed:
    return m.Snoozed(day=on(day), until=on(until))


def skipped(day: str, window: str) -> m.Skipped:
    return m.Skipped(day=on(day), window=window)


def pinned(day: str, window: str, opens: str, closes: str) -> m.Pinned:
    return m.Pinned(day=on(day), window=window, opens=on(opens), closes=on(closes))


def ended(day: str, how: m.Ending = m.Ending.REJECTED) -> m.Ended:
    return m.Ended(day=on(day), how=how)


# ------------------------------------------------------------------------------------- time passes


def test_a_window_is_firm_through_its_last_day_and_missed_on_the_next():
    assert see(app(APPLIED), "11-13") == ["application-call/1 call 11-09..11-13 firm"]
    assert see(app(APPLIED), "11-14") == ["application-call/1 call 11-09..11-13 missed"]


def test_what_follows_a_missed_window_counts_from_its_last_day():
    """The user may have called all the same: the gap holds too."""
    assert current(app(INTERVIEW), "11-21", WIDE_GAP) == ["check-in/1.1 email 12-10..12-14 firm"]


def test_a_touch_on_the_last_day_is_in_time_and_one_day_later_is_not():
    in_time, late = (see(app(INTERVIEW, touched(day)), "11-23") for day in ("11-20", "11-21"))
    assert in_time[0] == "interview-follow-up/1.1 call 11-16..11-20 done 11-20"
    assert late[:2] == [
        "interview-follow-up/1.1 call 11-16..11-20 missed",
        "check-in/1.1 email 11-30..12-04 done 11-21",
    ]


def test_an_interview_withdraws_what_was_current_before():
    """No time passes before it: they have answered, so nothing was missed."""
    again = m.Interview(day=on("12-15"))
    assert see(app(INTERVIEW, again), "12-15") == [
        "ask-before-leaving/2 None 12-15..12-15 firm",
        "interview-follow-up/2.1 call 12-21..12-25 firm",
        "check-in/2.1 email 01-04..01-08 tentative",
    ]


def test_an_interview_lifts_the_bar():
    """A touch of yesterday does not move the follow-up of today's interview."""
    again = m.Interview(day=on("11-18"), timeline=on("11-19"))
    assert current(app(INTERVIEW, TOUCHED, again), "11-19") == ["timeline-follow-up/2.1 call 11-20..11-26 firm"]


@pytest.mark.parametrize(("day", "check_in"), [("11-18", "11-30..12-02"), ("11-19", "12-09..12-11")])
def test_an_interview_lifts_the_bar_of_a_window_that_closed_before_it(day, check_in):
    """Its own window was moved to that day. On the day of the interview it sets the bar as ever."""
    planned = m.Interview(day=on("11-19"))
    moved = pinned("11-13", "a/interview-follow-up/2.1", day, day)
    assert current(app(INTERVIEW, planned, moved), "11-20", WIDE_GAP) == [f"check-in/2.1 email {check_in} firm"]


def test_what_an_interview_ahead_says_counts_from_its_day_on():
    planned = replace(INTERVIEW, follow_up_on=on("11-24"), follow_up_by=m.Channel.EMAIL)
    before, after = (see(app(planned), day) for day in ("11-11", "11-12"))
    assert before[1] == "interview-follow-up/1.1 call 11-16..11-20 tentative"
    assert after[1] == "agreed-follow-up/1.1 email 11-24..11-25 firm"


def test_events_count_by_their_day_not_by_their_place():
    assert see(app(TOUCHED, INTERVIEW), "11-18") == see(app(INTERVIEW, TOUCHED), "11-18")


def test_on_one_day_events_count_in_the_order_of_the_file():
    """A reply before the touch is answered by it; one after it is an answer."""
    agreed = heard("11-17", follow_up_on="11-24")
    plain = heard("11-17")
    assert current(app(INTERVIEW, agreed, plain), "11-17") == ["agreed-follow-up/1.1 call 11-24..11-25 firm"]
    assert current(app(INTERVIEW, plain, TOUCHED), "11-17") == ["check-in/1.2 email 11-27..12-01 firm"]
    assert current(app(INTERVIEW, TOUCHED, plain), "11-17") == ["check-in/1.1 email 11-27..12-01 firm"]


# ------------------------------------------------------------------------------ touches and replies


@pytest.mark.parametrize(
    "courtesy",
    [
        m.Contacted(day=on("11-12")),  # on the day of the interview
        m.Contacted(day=on("11-04")),  # on the day of applying
        m.Contacted(day=on("11-17"), thanks=True),
    ],
)
def test_a_courtesy_is_no_touch(courtesy):
    """It changes nothing, and sets no bar."""
    assert see(app(APPLIED, INTERVIEW, courtesy), "11-18") == see(app(APPLIED, INTERVIEW), "11-18")


def test_a_receipt_changes_nothing():
    events = [APPLIED, INTERVIEW, TOUCHED]
    receipts = [m.Acknowledged(day=event.day) for event in events]
    mixed = [each for pair in zip(receipts, events, strict=True) for each in pair]
    assert see(app(*mixed), "11-18") == see(app(*events), "11-18")
    assert see(app(m.Acknowledged(day=on("11-04"))), "11-18") == []


def test_a_touch_without_a_window_sets_the_bar_alone():
    """Called too early for anything: the window after the interview keeps its distance, a reply lifts it."""
    assert see(app(touched("11-02")), "11-03") == []
    early = app(touched("11-03"), APPLIED)
    assert current(early, "11-05") == ["application-call/1 call 11-13..11-13 firm"]
    assert current(app(touched("11-03"), heard("11-03"), m.Interview(day=on("11-04"))), "11-05") == [
        "interview-follow-up/1.1 call 11-09..11-13 firm"
    ]


def test_a_reply_lifts_the_bar():
    timeline = replace(INTERVIEW, timeline=on("11-20"))
    assert current(app(timeline, TOUCHED), "11-18") == ["timeline-follow-up/1.1 email 11-27..11-27 firm"]
    assert current(app(timeline, TOUCHED, heard("11-18")), "11-18") == [
        "timeline-follow-up/1.1 email 11-23..11-27 firm"
    ]


def test_a_reply_without_an_interview_leaves_the_ball_with_them():
    assert see(app(APPLIED, heard("11-06")), "11-07") == []
    assert current(app(APPLIED, heard("11-06", timeline="11-13")), "11-07") == [
        "timeline-follow-up/0.1 call 11-16..11-20 firm"
    ]


def test_without_an_interview_nothing_follows_a_window():
    application = app(APPLIED, heard("11-06", follow_up_on="11-12"))
    assert see(app(*application.events, touched("11-12")), "11-16") == [
        "agreed-follow-up/0.1 call 11-12..11-13 done 11-12"
    ]
    assert see(application, "11-16") == ["agreed-follow-up/0.1 call 11-12..11-13 missed"]


@pytest.mark.parametrize("before", [APPLIED, heard("11-06"), INTERVIEW])
def test_applied_counts_only_at_the_start(before):
    again = m.Applied(day=on("11-13"))
    assert see(app(before, again), "11-14") == see(app(before), "11-14")


# ------------------------------------------------------------------------------------------ snoozed


@pytest.mark.parametrize(
    ("until", "days"),
    [
        ("11-06", "11-09..11-13"),  # over before it opens
        ("11-11", "11-11..11-13"),
        ("11-14", "11-16..11-20"),  # no day is left: it keeps its length
        ("2027-01-06", "01-06..01-08"),
    ],
)
def test_a_snoozed_window_opens_no_earlier(until, days):
    assert see(app(APPLIED, snoozed("11-05", until)), "11-05") == [f"application-call/1 call {days} firm"]


def test_the_last_snooze_counts():
    application = app(APPLIED, snoozed("11-05", "11-20"), snoozed("11-06", "11-11"))
    assert see(application, "11-06") == ["application-call/1 call 11-11..11-13 firm"]


def test_a_snooze_holds_for_all_that_follows():
    application = app(INTERVIEW, snoozed("11-13", "12-07"), touched("11-17"))
    assert current(application, "11-18") == ["check-in/1.1 email 12-07..12-11 firm"]


def test_a_snooze_does_not_bring_back_what_was_over():
    application = app(APPLIED, snoozed("11-14", "11-20"))
    assert see(application, "11-16") == ["application-call/1 call 11-09..11-13 missed"]


@pytest.mark.parametrize(
    ("said", "lines"),
    [
        ({"follow_up_on": "11-19"}, ["agreed-follow-up/1.1 call 11-19..11-20 firm"]),
        ({"timeline": "11-19"}, ["timeline-follow-up/1.1 call 12-07..12-11 firm"]),
        ({}, ["check-in/1.1 email 12-07..12-11 firm"]),
    ],
)
def test_only_an_agreed_day_ends_a_snooze(said, lines):
    assert current(app(INTERVIEW, snoozed("11-13", "12-07"), heard("11-16", **said)), "11-16") == lines


def test_an_agreed_day_is_snoozed_by_a_later_wish():
    application = app(replace(INTERVIEW, follow_up_on=on("11-19")), snoozed("11-13", "11-25"))
    assert current(application, "11-13") == ["agreed-follow-up/1.1 call 11-25..11-26 firm"]


def test_prompts_are_not_snoozed():
    application = app(m.Interview(day=on("11-13")), snoozed("11-12", "12-31"), m.Offer(day=on("11-14")))
    assert "ask-before-leaving/1 None 11-13..11-13 firm" in see(application, "11-12")
    offered = app(snoozed("11-01", "12-31"), m.Offer(day=on("11-12"), respond_by=on("11-20")))
    assert see(offered, "11-12") == ["offer-deadline/1 None 11-18..11-20 firm"]


# ------------------------------------------------------------------------------------------ skipped


def test_a_skipped_window_is_passed_over_without_a_bar():
    """What follows counts from its last day, by its own rule alone."""
    lines = see(app(INTERVIEW, skipped("11-13", IFU)), "11-13", WIDE_GAP)
    assert lines[:2] == [
        "interview-follow-up/1.1 call 11-16..11-20 skipped",
        "check-in/1.1 email 11-30..12-04 firm",
    ]


def test_a_window_that_is_drawn_ahead_can_be_skipped():
    policy = replace(WIDE_GAP, horizon_days=60)
    lines = see(app(INTERVIEW, skipped("11-13", "a/check-in/1.1")), "11-13", policy)
    assert lines[:3] == [
        "interview-follow-up/1.1 call 11-16..11-20 firm",
        "check-in/1.1 email 12-10..12-14 skipped",  # 20 days after the one before
        "check-in/1.2 email 12-24..12-28 tentative",  # 10 days after, without a bar
    ]
    assert see(app(INTERVIEW, skipped("11-13", "a/check-in/1.1")), "11-23", policy)[1:3] == [
        "check-in/1.1 email 12-10..12-14 skipped",
        "check-in/1.2 email 12-24..12-28 firm",
    ]


def test_several_windows_in_a_row_can_be_skipped():
    application = app(INTERVIEW, skipped("11-13", "a/check-in/1.1"), skipped("11-13", IFU))
    assert see(application, "11-13")[:3] == [
        "interview-follow-up/1.1 call 11-16..11-20 skipped",
        "check-in/1.1 email 11-30..12-04 skipped",
        "check-in/1.2 email 12-14..12-18 firm",
    ]


def test_the_last_one_can_be_skipped():
    assert see(app(APPLIED, skipped("11-05", "a/application-call/1")), "11-05") == [
        "application-call/1 call 11-09..11-13 skipped"
    ]


@pytest.mark.parametrize("window", ["a/check-in/7.1", "b/application-call/1", "nonsense"])
def test_a_skip_of_no_window_changes_nothing(window):
    assert see(app(APPLIED, skipped("11-05", window)), "11-05") == see(app(APPLIED), "11-05")


def test_a_prompt_can_be_skipped():
    lines = see(app(INTERVIEW, skipped("11-10", "a/ask-before-leaving/1")), "11-10")
    assert lines[0] == "ask-before-leaving/1 None 11-12..11-12 skipped"


# ------------------------------------------------------------------------------------------- pinned


def test_a_pinned_window_keeps_its_days_whatever_else_says():
    """On a weekend, in a snooze, within the gap; what follows counts from its last day."""
    application = app(
        INTERVIEW, TOUCHED, snoozed("11-17", "12-07"), pinned("11-18", "a/check-in/1.1", "11-21", "11-22")
    )
    first, second = windows_of(application, "11-18")[1:3]
    assert (first.opens, first.closes, first.days) == (on("11-21"), on("11-22"), (on("11-21"), on("11-22")))
    assert (second.opens, second.closes) == (on("12-07"), on("12-11"))


def test_the_chain_goes_on_from_a_pin_that_was_missed_or_done():
    events = INTERVIEW, pinned("11-13", IFU, "11-23", "11-24")
    assert see(app(*events), "11-25")[:2] == [
        "interview-follow-up/1.1 call 11-23..11-24 missed",
        "check-in/1.1 email 12-04..12-08 firm",
    ]
    assert see(app(*events, touched("11-16")), "11-16")[:2] == [
        "interview-follow-up/1.1 call 11-23..11-24 done 11-16",
        "check-in/1.1 email 11-26..11-30 firm",
    ]


def test_the_last_pin_counts():
    events = INTERVIEW, pinned("11-13", IFU, "11-23", "11-24"), pinned("11-14", IFU, "11-18", "11-18")
    assert current(app(*events), "11-14") == ["interview-follow-up/1.1 call 11-18..11-18 firm"]


def test_a_reply_that_moves_the_window_ends_its_pin():
    timeline = replace(INTERVIEW, timeline=on("11-27"))
    moved = pinned("11-13", "a/timeline-follow-up/1.1", "12-01", "12-01")
    assert current(app(timeline, moved), "11-13") == ["timeline-follow-up/1.1 call 12-01..12-01 firm"]
    assert current(app(timeline, moved, heard("11-16")), "11-16") == ["timeline-follow-up/1.1 call 12-01..12-01 firm"]
    assert current(app(timeline, moved, heard("11-16", timeline="12-04")), "11-16") == [
        "timeline-follow-up/1.1 call 12-07..12-11 firm"
    ]


def test_a_window_that_is_drawn_ahead_can_be_pinned():
    events = INTERVIEW, pinned("11-13", "a/check-in/1.1", "12-07", "12-08")
    assert see(app(*events), "11-13")[1] == "check-in/1.1 email 12-07..12-08 tentative"
    assert current(app(*events), "11-23") == ["check-in/1.1 email 12-07..12-08 firm"]


def test_the_window_of_an_interview_ahead_can_be_pinned():
    """Also where a window of the same rule was current before: its end is not that of the pin."""
    planned = m.Interview(day=on("11-19"))
    events = INTERVIEW, planned, pinned("11-13", "a/interview-follow-up/2.1", "11-25", "11-25")
    assert see(app(*events), "11-13")[1] == "interview-follow-up/2.1 call 11-25..11-25 tentative"
    assert current(app(*events), "11-20") == ["interview-follow-up/2.1 call 11-25..11-25 firm"]


def test_a_skip_beats_a_pin():
    events = INTERVIEW, pinned("11-13", IFU, "11-23", "11-24"), skipped("11-14", IFU)
    assert see(app(*events), "11-14")[:2] == [
        "interview-follow-up/1.1 call 11-23..11-24 skipped",
        "check-in/1.1 email 12-04..12-08 firm",
    ]


def test_a_pinned_prompt_is_of_whole_days():
    prompt = pinned("11-10", "a/ask-before-leaving/1", "11-11", "11-11")
    window = windows_of(app(INTERVIEW, prompt), "11-10")[0]
    assert (window.opens, window.closes, window.days) == (on("11-11"), on("11-11"), (on("11-11"),))
    assert (window.starts, window.ends) == (None, None)


# ----------------------------------------------------------------------------------- offer and ends

OFFER = m.Offer(day=on("11-16"), respond_by=on("11-24"))
DEADLINE = "offer-deadline/1 None 11-20..11-24 firm"


@pytest.mark.parametrize(
    "later",
    [heard("11-17", follow_up_on="11-19"), touched("11-17"), m.Interview(day=on("11-17")), snoozed("11-17", "12-01")],
)
def test_with_an_offer_there_is_its_deadline_alone(later):
    assert see(app(INTERVIEW, OFFER, later), "11-18") == [DEADLINE]


def test_an_interview_after_an_offer_still_has_its_prompt():
    again = m.Interview(day=on("11-19"))
    assert see(app(INTERVIEW, OFFER, again), "11-18") == ["ask-before-leaving/2 None 11-19..11-19 firm", DEADLINE]


def test_an_offer_without_a_day_has_no_deadline():
    assert see(app(INTERVIEW, replace(OFFER, respond_by=None)), "11-18") == []


def test_another_offer_takes_the_place_of_the_first():
    better = m.Offer(day=on("11-18"), respond_by=on("11-27"))
    assert see(app(OFFER, better), "11-18") == ["offer-deadline/2 None 11-25..11-27 firm"]


@pytest.mark.parametrize("how", list(m.Ending))
def test_an_end_ends_windows_and_prompts(how):
    assert see(app(INTERVIEW, m.Interview(day=on("11-18")), ended("11-18", how)), "11-18") == []
    assert see(app(OFFER, ended("11-18", how)), "11-18") == []
    assert stand(app(APPLIED, ended("11-18", how)), "11-18").stage == how.value


@pytest.mark.parametrize(
    "later", [heard("11-07", follow_up_on="11-09"), touched("11-07"), m.Offer(day=on("11-07"), respond_by=on("11-20"))]
)
def test_after_an_end_nothing_but_a_new_start_counts(later):
    assert see(app(APPLIED, ended("11-06"), later), "11-08") == []


def test_what_is_done_stays_done_after_an_end():
    assert see(app(INTERVIEW, TOUCHED, ended("11-18")), "11-18") == [
        "interview-follow-up/1.1 call 11-16..11-20 done 11-17"
    ]


def test_applying_again_after_an_end_starts_again():
    """The second `applied` that counts has the number 2; the interview before the end counts no more."""
    again = m.Applied(day=on("12-02"))
    assert see(app(APPLIED, ended("11-06"), again), "12-02") == ["application-call/2 call 12-07..12-11 firm"]
    restarted = app(INTERVIEW, ended("11-13"), again)
    assert see(restarted, "12-02") == ["application-call/1 call 12-07..12-11 firm"]
    assert see(restarted, "12-14") == ["application-call/1 call 12-07..12-11 missed"]


@pytest.mark.parametrize("before", [ended("11-13"), m.Offer(day=on("11-13"))])
def test_applying_again_starts_again_after_an_offer_too(before):
    again = m.Applied(day=on("12-02"))
    assert see(app(APPLIED, touched("11-10"), before, again), "12-02") == [
        "application-call/1 call 11-09..11-13 done 11-10",
        "application-call/2 call 12-07..12-11 firm",
    ]


def test_an_interview_after_an_end_starts_again():
    again = m.Interview(day=on("12-03"))
    assert see(app(INTERVIEW, ended("11-13"), again), "12-04")[0] == "interview-follow-up/2.1 call 12-07..12-11 firm"


# ------------------------------------------------------------------------------------- memory


def test_what_a_replay_holds_is_freed_without_the_collector():
    """It waits while a journal is replayed; with cycles left, memory would grow with each person."""
    gc.collect()
    gc.disable()
    try:
        for applications in ((app(INTERVIEW),), (app(INTERVIEW, TOUCHED), replace(app(APPLIED), id="b"))):
            assert outlook(applications, POLICY, on("11-30"), holidays).windows
            assert not [each for each in gc.get_objects() if isinstance(each, Chain)]
    finally:
        gc.enable()
