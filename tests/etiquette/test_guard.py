"""The contact guard, rule by rule (docs/etiquette.md): what becomes of applications that lead to one person.

Days are of 2026. 4 November is a Wednesday, 5 November a Thursday. All applications are to Dana at Acme, unless said.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from calsync import model as m
from calsync.etiquette import outlook
from tests.etiquette.asking import CALL, DANA, EMAIL, POLICY, app, holidays, on, pausing

PAGE = Path(__file__).resolve().parents[2] / "docs" / "etiquette.md"


def applied(day: str) -> m.Applied:
    return m.Applied(day=on(day))


def interview(day: str, *, follow_up: str | None = None, timeline: str | None = None) -> m.Interview:
    return m.Interview(day=on(day), follow_up_on=follow_up and on(follow_up), timeline=timeline and on(timeline))


def heard(day: str, *, timeline: str | None = None) -> m.Heard:
    return m.Heard(day=on(day), timeline=timeline and on(timeline))


def touch(day: str) -> m.Contacted:
    return m.Contacted(day=on(day))


def snoozed(day: str, until: str) -> m.Snoozed:
    return m.Snoozed(day=on(day), until=on(until))


def skipped(day: str, window: str) -> m.Skipped:
    return m.Skipped(day=on(day), window=window)


def pinned(day: str, window: str, opens: str, closes: str) -> m.Pinned:
    return m.Pinned(day=on(day), window=window, opens=on(opens), closes=on(closes))


def a(*events: m.Event, contact: m.Contact = DANA, do_not: tuple[m.Channel, ...] = ()) -> m.Application:
    return app(*events, contact=contact, do_not=do_not, name="a")


def b(*events: m.Event, contact: m.Contact = DANA, do_not: tuple[m.Channel, ...] = ()) -> m.Application:
    return app(*events, contact=contact, do_not=do_not, name="b")


def c(*events: m.Event) -> m.Application:
    return app(*events, name="c")


def seen(applications: list[m.Application], today: str, policy: m.Policy = POLICY) -> list[str]:
    """The windows of contacts, but for those drawn ahead: id, "+" those that it serves too, days, state."""
    found = outlook(applications, policy, on(today), holidays).windows
    return [line(each) for each in found if each.by is not None and each.state is not m.State.TENTATIVE]


def ahead(applications: list[m.Application], today: str, policy: m.Policy = POLICY) -> list[str]:
    """The tentative windows, likewise."""
    found = outlook(applications, policy, on(today), holidays).windows
    return [line(each) for each in found if each.state is m.State.TENTATIVE]


def line(window: m.Window) -> str:
    also = "".join(f"+{application.id}" for application in window.applications[1:])
    done = f" {window.done_on:%m-%d}" if window.done_on else ""
    return f"{window.id}{also} {window.opens:%m-%d}..{window.closes:%m-%d} {window.state}{done}"


def why(applications: list[m.Application], today: str, window: str, policy: m.Policy = POLICY) -> tuple[str, ...]:
    found = {each.id: each.why for each in outlook(applications, policy, on(today), holidays).windows}
    return found[window]


# ------------------------------------------------------------------------------------------ worked examples

ROWS = {
    "A applied 2026-11-04, B applied 2026-11-10, same person": (
        [a(applied("11-04")), b(applied("11-10"))],
        "11-11",
        ["a/application-call/1 11-09..11-13 firm", "b/application-call/1 11-23..11-27 firm"],
    ),
    "A and B both applied 2026-11-04, same person": (
        [a(applied("11-04")), b(applied("11-04"))],
        "11-05",
        ["a/application-call/1+b 11-09..11-13 firm"],
    ),
}


@pytest.mark.parametrize("row", ROWS)
def test_worked_example(row):
    applications, today, expected = ROWS[row]
    assert seen(applications, today) == expected
    assert seen(applications[::-1], today) == expected


def test_the_rows_of_two_applications_are_those_of_the_page():
    table = PAGE.read_text(encoding="utf-8").partition("## Worked examples")[2].splitlines()
    rows = [text.split("|")[1].strip() for text in table if text.startswith("| A ")]
    assert rows == list(ROWS)


# ------------------------------------------------------------------------------------------------ 1. the bar


@pytest.mark.parametrize(
    ("applications", "today", "window"),
    [
        # after a touch nothing opens for ten days, under whichever application it is recorded
        ([a(applied("11-09")), c(touch("11-10"))], "11-10", "a/application-call/1 11-20..11-20 firm"),
        # nor after the last day of a window that was missed: they may have been called all the same
        ([a(applied("11-04")), b(interview("11-10"))], "11-16", "b/interview-follow-up/1.1 11-23..11-27 firm"),
        # an answer lifts it, in any of the applications, from its day on
        ([b(applied("11-09")), c(touch("11-10"), heard("11-12"))], "11-12", "b/application-call/1 11-16..11-20 firm"),
        ([b(applied("11-09")), c(touch("11-10"), heard("11-18"))], "11-18", "b/application-call/1 11-18..11-20 firm"),
        (
            [b(applied("11-09")), c(touch("11-10"), interview("11-11"))],
            "11-11",
            "b/application-call/1+c 11-16..11-20 firm",
        ),
        # one that came before the touch does not
        ([b(applied("11-09")), c(heard("11-09"), touch("11-10"))], "11-10", "b/application-call/1 11-20..11-20 firm"),
        # an interview that is planned lifts nothing before its day
        (
            [b(applied("11-09")), c(touch("11-10"), interview("11-12"))],
            "11-10",
            "b/application-call/1 11-20..11-20 firm",
        ),
        # a courtesy sets none
        (
            [b(applied("11-09")), c(m.Contacted(day=on("11-10"), thanks=True))],
            "11-10",
            "b/application-call/1 11-16..11-20 firm",
        ),
        ([b(applied("11-10"), touch("11-10"))], "11-10", "b/application-call/1 11-16..11-20 firm"),
        # agreed windows ignore it
        (
            [b(interview("11-06", follow_up="11-12")), c(touch("11-10"))],
            "11-10",
            "b/agreed-follow-up/1.1 11-12..11-13 firm",
        ),
        # a window that was skipped sets none
        (
            [a(applied("11-04"), skipped("11-05", "a/application-call/1")), b(applied("11-09"))],
            "11-09",
            "b/application-call/1 11-16..11-20 firm",
        ),
    ],
)
def test_the_bar(applications, today, window):
    found = [each for each in seen(applications, today) if each.endswith("firm")]
    assert window in found


def test_another_person_is_not_barred():
    sam = m.Contact(name="Sam Lee", email="sam@acme.example", phone="+1 312 555 0199")
    apart = [a(applied("11-04")), b(applied("11-10"), contact=sam)]
    assert seen(apart, "11-11") == ["a/application-call/1 11-09..11-13 firm", "b/application-call/1 11-16..11-20 firm"]


def test_the_gap_is_the_policys():
    close = replace(POLICY, contact_gap_days=5)
    assert (
        seen([a(applied("11-04")), b(applied("11-10"))], "11-11", close)[1] == "b/application-call/1 11-18..11-20 firm"
    )


# --------------------------------------------------------------------------------- 2. one touch serves all


@pytest.mark.parametrize(
    ("applications", "today", "expected"),
    [
        # all that is open on its day, under whichever application it is recorded
        (
            [a(applied("11-04")), b(applied("11-04"), touch("11-10"))],
            "11-10",
            ["a/application-call/1+b 11-09..11-13 done 11-10"],
        ),
        (
            [a(applied("11-04")), c(touch("11-10"))],
            "11-10",
            ["a/application-call/1 11-09..11-13 done 11-10"],
        ),
        # what is not open stays, but for the window of the touch's own application
        (
            [a(applied("11-04")), b(applied("11-10"), touch("11-11"))],
            "11-11",
            ["a/application-call/1 11-09..11-13 done 11-11", "b/application-call/1 11-23..11-27 done 11-11"],
        ),
        (
            [a(applied("11-04")), c(touch("11-06"))],
            "11-06",
            ["a/application-call/1 11-16..11-20 firm"],
        ),
        # each is tested for its own D or T: a waits for the twelfth, and then keeps ten days from the touch
        (
            [a(interview("11-05", timeline="11-12")), b(applied("11-04"), touch("11-10"))],
            "11-10",
            ["b/application-call/1 11-13..11-13 done 11-10", "a/timeline-follow-up/1.1 11-20..11-26 firm"],
        ),
        (
            [a(interview("11-05", follow_up="11-12")), c(touch("11-10"))],
            "11-10",
            ["a/agreed-follow-up/1.1 11-12..11-13 firm"],
        ),
    ],
)
def test_one_touch_serves_all(applications, today, expected):
    assert sorted(seen(applications, today)) == sorted(expected)


# -------------------------------------------------------------------------------------------- 3. overlap


@pytest.mark.parametrize(
    ("applications", "expected"),
    [
        # the days that they share; the id of the one that opens first by its own rule
        (
            [a(interview("11-05", timeline="11-10")), b(applied("11-04"))],
            ["b/application-call/1+a 11-11..11-13 firm"],
        ),
        # then of the one that closes first, then by id
        (
            [a(interview("11-05", timeline="11-09")), b(applied("11-07"))],
            ["b/application-call/1+a 11-10..11-13 firm"],
        ),
        ([b(applied("11-04")), a(applied("11-04"))], ["a/application-call/1+b 11-09..11-13 firm"]),
        # three of them
        (
            [a(applied("11-04")), b(interview("11-05")), c(interview("11-05", timeline="11-11"))],
            ["a/application-call/1+b+c 11-12..11-13 firm"],
        ),
        # only days that are business days for all of them count; US has Veterans Day on Wed 11
        (
            [
                a(applied("11-08"), contact=replace(DANA, country="US")),
                b(interview("11-05"), contact=replace(DANA, country="DE")),
            ],
            ["b/interview-follow-up/1.1+a 11-12..11-13 firm"],
        ),
    ],
)
def test_windows_that_overlap_become_one(applications, expected):
    assert seen(applications, "11-08") == expected


def test_windows_that_share_no_business_day_stay_apart():
    """The one in the US has Wed 11 off, and the other one nothing but Wed 11."""
    only_wednesday = replace(POLICY, weekdays=frozenset({2}))
    abroad = replace(DANA, country="US")
    found = seen([a(applied("11-04")), b(applied("11-04"), contact=abroad)], "11-05", only_wednesday)
    assert found == ["a/application-call/1 11-11..11-11 firm", "b/application-call/1 11-25..11-25 firm"]


@pytest.mark.parametrize(
    ("forbidden_a", "forbidden_b", "by"),
    [
        ((), (), CALL),
        ((), (CALL,), EMAIL),
        ((CALL,), (), EMAIL),
        ((), (EMAIL,), CALL),
        ((CALL,), (EMAIL,), m.Channel.ANY),
        ((CALL, EMAIL), (), m.Channel.ANY),
    ],
)
def test_a_merged_window_has_the_channel_of_its_lead_unless_a_member_forbids_it(forbidden_a, forbidden_b, by):
    both = [a(interview("11-05"), do_not=forbidden_a), b(interview("11-05"), do_not=forbidden_b)]
    (window,) = [
        each for each in outlook(both, POLICY, on("11-06"), holidays).windows if each.rule == "interview-follow-up"
    ]
    assert [application.id for application in window.applications] == ["a", "b"]
    assert window.by is by


def test_a_channel_of_which_no_member_has_an_address_is_no_way_out():
    phone_alone = m.Contact(name="Dana Ruiz", phone=DANA.phone)
    both = [a(interview("11-05"), contact=phone_alone), b(interview("11-05"), contact=phone_alone, do_not=(CALL,))]
    found = outlook(both, POLICY, on("11-06"), holidays).windows
    assert [each.by for each in found if each.rule == "interview-follow-up"] == [m.Channel.ANY]


def test_their_wish_beats_the_advertisement_of_the_member_that_it_was_said_to():
    wish = replace(interview("11-05"), follow_up_by=CALL)
    both = [a(interview("11-05")), b(wish, do_not=(CALL,))]
    found = outlook(both, POLICY, on("11-06"), holidays).windows
    assert [each.by for each in found if each.rule == "interview-follow-up"] == [CALL]


MERGED = [a(applied("11-04")), b(interview("11-05", timeline="11-10"))]  # 11..13; alone 9..13 and 11..17


def test_after_a_touch_each_chain_goes_on_from_it():
    touched = [MERGED[0], b(*MERGED[1].events, touch("11-12"))]
    assert seen(touched, "11-12") == [
        "a/application-call/1+b 11-11..11-13 done 11-12",
        "b/check-in/1.1 11-23..11-26 firm",
    ]


def test_missed_each_chain_goes_on_from_the_later_of_its_own_last_day_and_the_shared_one():
    """b's own last day is Tue 17, so its check-in opens on Fri 27."""
    assert seen(MERGED, "11-18") == [
        "a/application-call/1+b 11-11..11-13 missed",
        "b/check-in/1.1 11-27..12-01 firm",
    ]


def test_each_member_keeps_its_own_number():
    """a's application-call was no follow-up of b: that one has used no number."""
    after = [MERGED[0], b(*MERGED[1].events, touch("11-12"), heard("11-13", timeline="11-17"))]
    assert seen(after, "11-13")[-1] == "b/timeline-follow-up/1.2 11-18..11-24 firm"


def test_a_merged_window_is_what_comes_next_for_all_whom_it_serves():
    found = outlook(MERGED, POLICY, on("11-06"), holidays).standings
    assert [(each.application.id, each.next) for each in found] == [
        ("a", "a/application-call/1"),
        ("b", "a/application-call/1"),
    ]


# --------------------------------------------------------------------------- 4. agreed windows keep their days


@pytest.mark.parametrize(
    ("applications", "today", "expected"),
    [
        # an ordinary window loses the days within ten before it
        (
            [a(interview("11-05")), b(interview("11-05", follow_up="11-20"))],
            "11-06",
            ["a/interview-follow-up/1.1 11-09..11-10 firm", "b/agreed-follow-up/1.1 11-20..11-20 firm"],
        ),
        # if none are left, it joins
        (
            [a(interview("11-05")), b(interview("11-05", follow_up="11-18"))],
            "11-06",
            ["b/agreed-follow-up/1.1+a 11-18..11-19 firm"],
        ),
        # if it overlaps, it joins too, and the agreed one has the days, the id and the channel
        (
            [a(interview("11-05")), b(interview("11-05", follow_up="11-12"))],
            "11-06",
            ["b/agreed-follow-up/1.1+a 11-12..11-13 firm"],
        ),
        # behind it the gap holds
        (
            [a(interview("11-05")), b(interview("10-29", follow_up="11-05"))],
            "11-05",
            ["b/agreed-follow-up/1.1 11-05..11-06 firm", "a/interview-follow-up/1.1 11-16..11-20 firm"],
        ),
        # two agreed ones that overlap share their days
        (
            [a(interview("11-05", follow_up="11-16")), b(interview("11-05", follow_up="11-17"))],
            "11-06",
            ["a/agreed-follow-up/1.1+b 11-17..11-17 firm"],
        ),
        # two that do not keep theirs, however close
        (
            [a(interview("11-05", follow_up="11-16")), b(interview("11-05", follow_up="11-18"))],
            "11-06",
            ["a/agreed-follow-up/1.1 11-16..11-17 firm", "b/agreed-follow-up/1.1 11-18..11-19 firm"],
        ),
        # pushed behind one agreed window into another: it joins that
        (
            [
                a(interview("11-05")),
                b(interview("10-29", follow_up="11-05")),
                c(interview("10-29", follow_up="11-19")),
            ],
            "11-05",
            ["b/agreed-follow-up/1.1 11-05..11-06 firm", "c/agreed-follow-up/1.1+a 11-19..11-20 firm"],
        ),
    ],
)
def test_agreed_windows_keep_their_days(applications, today, expected):
    assert seen(applications, today) == expected


def test_an_ordinary_window_around_an_agreed_one_joins_it_where_they_share_no_business_day_too():
    """b's check-in is open from Sun 8 to Sun 22, but for a long feast, 9 to 16; a was promised Tue 10 or Wed 11."""
    policy = replace(POLICY, weekdays=frozenset(range(7)), check_in_days=(10, 24))
    check_in = b(interview("10-20"), touch("10-29"), contact=replace(DANA, country="XX"))
    assert seen([check_in], "11-04", policy)[-1] == "b/check-in/1.1 11-08..11-22 firm"
    both = [a(interview("11-04", follow_up="11-10")), check_in]
    assert seen(both, "11-04", policy)[-1] == "a/agreed-follow-up/1.1+b 11-10..11-11 firm"


# ------------------------------------------------------------------------------------------------ 5. order


def test_firm_windows_are_placed_by_their_days_each_setting_the_bar_for_the_next():
    """Not by application: b's comes first. Three that do not overlap stand ten days apart."""
    three = [a(interview("11-17")), b(applied("11-04")), c(interview("11-10"))]
    assert seen(three, "11-17")[0] == "b/application-call/1 11-09..11-13 missed"
    assert seen(three, "11-17")[1:] == [
        "c/interview-follow-up/1.1 11-17..11-20 firm",
        "a/interview-follow-up/1.1 11-30..12-04 firm",
    ]


def test_a_window_that_is_pushed_behind_another_into_the_gap_before_an_agreed_one_joins_that():
    """b's own week, 16 to 20, is far enough from Mon 30; behind a's it would be 23 to 27."""
    three = [a(applied("11-04")), b(applied("11-10")), c(interview("11-05", follow_up="11-30"))]
    assert seen(three, "11-10") == [
        "a/application-call/1 11-09..11-13 firm",
        "c/agreed-follow-up/1.1+b 11-30..12-01 firm",
    ]


def test_a_snooze_counts_in_the_order():
    """a would be first, but is snoozed behind b."""
    both = [a(applied("11-04"), snoozed("11-05", "11-23")), b(applied("11-10"))]
    assert seen(both, "11-10") == ["b/application-call/1 11-16..11-20 firm", "a/application-call/1 11-30..12-04 firm"]


@pytest.mark.parametrize(
    ("applications", "today", "expected"),
    [
        # it would touch or overlap the firm one: behind the last firm one
        (
            [a(applied("11-04")), b(interview("11-06"))],
            "11-05",
            ["b/interview-follow-up/1.1 11-23..11-27 tentative"],
        ),
        # there is room before an agreed one: it stays, without the days that are too close
        (
            [a(interview("11-05", follow_up="11-27")), b(interview("11-11"))],
            "11-06",
            ["b/interview-follow-up/1.1 11-16..11-17 tentative"],
        ),
        # two tentative ones keep their distance as well; they do not merge
        (
            [a(interview("11-11")), b(interview("11-11"))],
            "11-06",
            ["a/interview-follow-up/1.1 11-16..11-20 tentative", "b/interview-follow-up/1.1 11-30..12-04 tentative"],
        ),
    ],
)
def test_tentative_windows_stand_behind_firm_ones(applications, today, expected):
    assert ahead(applications, today)[: len(expected)] == expected


@pytest.mark.parametrize("plan", ["11-06", "11-09", "11-12", "11-16", "11-23"])
def test_a_firm_window_does_not_change_when_a_tentative_one_appears(plan):
    firm = [a(applied("11-04")), b(applied("11-10"))]
    assert seen([*firm, c(interview(plan))], "11-05") == seen(firm, "11-05")


# ------------------------------------------------------------------------- pauses, snoozes, skips and pins


def test_a_pause_moves_a_merged_window_and_is_told():
    """A pause on the first two days that they share."""
    policy = pausing("11-11", "11-12")
    assert seen(MERGED, "11-06", policy) == ["a/application-call/1+b 11-13..11-13 firm"]
    assert "Acme (b): Wed 11 Nov to Thu 12 Nov: in your pause; opens Fri 13 Nov." in why(
        MERGED, "11-06", "a/application-call/1", policy
    )


BEHIND_A = (
    "A window for Acme, with the same person, closes on Fri 13 Nov: "
    "10 days between two contacts, so not before Mon 23 Nov."
)


def test_a_pause_moves_a_window_behind_the_guard_and_is_told():
    both = [a(applied("11-04")), b(applied("11-10"))]
    reasons = why(both, "11-11", "b/application-call/1", pausing("11-23", "11-24"))
    assert seen(both, "11-11", pausing("11-23", "11-24"))[1] == "b/application-call/1 11-25..11-27 firm"
    assert reasons[2:] == (
        BEHIND_A,
        "That leaves no day up to Fri 20 Nov; late is polite, early is not.",
        "Mon 23 Nov to Tue 24 Nov: in your pause; opens Wed 25 Nov.",
        "Sat 28 Nov to Sun 29 Nov: no working day; closes Fri 27 Nov.",
    )


def test_a_snooze_takes_a_member_out_of_a_merged_window():
    both = [a(applied("11-04")), b(applied("11-04"), snoozed("11-05", "11-16"))]
    assert seen(both, "11-05") == ["a/application-call/1 11-09..11-13 firm", "b/application-call/1 11-23..11-27 firm"]


def test_a_snooze_of_one_member_moves_the_days_that_they_share_and_is_told():
    both = [a(applied("11-04")), b(applied("11-04"), snoozed("11-05", "11-12"))]
    assert seen(both, "11-05") == ["a/application-call/1+b 11-12..11-13 firm"]
    assert "Acme (b): You snoozed it on Thu 5 Nov until Thu 12 Nov." in why(both, "11-05", "a/application-call/1")


def test_a_skip_of_a_merged_window_is_meant_for_all_whom_it_serves():
    both = [a(applied("11-04"), skipped("11-06", "a/application-call/1")), b(applied("11-04"))]
    assert seen(both, "11-06") == ["a/application-call/1+b 11-09..11-13 skipped"]


def test_after_the_skip_of_a_merged_window_the_chains_go_on_without_a_bar():
    both = [a(applied("11-04"), skipped("11-09", "a/application-call/1")), b(interview("11-05", timeline="11-10"))]
    assert seen([*both, c(applied("11-09"))], "11-09") == [
        "a/application-call/1+b 11-11..11-13 skipped",
        "c/application-call/1 11-16..11-20 firm",
        "b/check-in/1.1 11-30..12-01 firm",
    ]
    reasons = why([*both, c(applied("11-09"))], "11-09", "b/check-in/1.1")
    assert reasons[0] == "The window that you skipped closes on Tue 17 Nov."


def test_a_skip_that_came_before_the_windows_met_is_for_its_own_application():
    both = [a(applied("11-04"), skipped("11-04", "a/application-call/1")), b(applied("11-05"))]
    assert seen(both, "11-05") == [
        "a/application-call/1 11-09..11-13 skipped",
        "b/application-call/1 11-09..11-13 firm",
    ]


def test_a_pin_of_a_merged_window_moves_it_for_all():
    both = [a(applied("11-04"), pinned("11-06", "a/application-call/1", "11-17", "11-18")), b(applied("11-04"))]
    assert seen(both, "11-06") == ["a/application-call/1+b 11-17..11-18 firm"]
    assert why(both, "11-06", "a/application-call/1")[-1] == "You moved it to Tue 17 Nov to Wed 18 Nov."
    assert seen(both, "11-19") == ["a/application-call/1+b 11-17..11-18 missed"]


def test_a_pinned_window_keeps_its_days_whatever_the_guard_says():
    both = [a(applied("11-04")), b(applied("11-10"), pinned("11-10", "b/application-call/1", "11-16", "11-16"))]
    assert seen(both, "11-11") == ["a/application-call/1 11-09..11-13 firm", "b/application-call/1 11-16..11-16 firm"]
    assert why(both, "11-11", "b/application-call/1")[2:] == (
        "You moved it to these days yourself.",
        "That is outside of the polite days, Mon 23 Nov to Fri 27 Nov.",
    )


def test_a_pinned_window_takes_in_what_overlaps_it_and_keeps_its_days():
    both = [a(applied("11-04"), pinned("11-04", "a/application-call/1", "11-12", "11-17")), b(applied("11-04"))]
    assert seen(both, "11-05") == ["a/application-call/1+b 11-12..11-17 firm"]
    reversed_ = [a(applied("11-04")), b(applied("11-04"), pinned("11-04", "b/application-call/1", "11-12", "11-17"))]
    assert seen(reversed_, "11-05") == ["a/application-call/1+b 11-12..11-17 firm"]


def test_windows_that_the_user_moved_apart_stay_apart():
    both = [
        a(applied("11-04"), pinned("11-04", "a/application-call/1", "11-12", "11-13")),
        b(applied("11-04"), pinned("11-04", "b/application-call/1", "11-13", "11-16")),
    ]
    assert seen(both, "11-05") == ["a/application-call/1 11-12..11-13 firm", "b/application-call/1 11-13..11-16 firm"]


def test_a_pinned_tentative_window_keeps_its_days_next_to_a_firm_one():
    plan = b(interview("11-06"), pinned("11-05", "b/interview-follow-up/1.1", "11-16", "11-17"))
    assert ahead([a(applied("11-04")), plan], "11-05")[0] == "b/interview-follow-up/1.1 11-16..11-17 tentative"


# -------------------------------------------------------------------------------------------------- why


def test_a_merged_window_tells_where_each_part_comes_from():
    named = [replace(MERGED[0], role="Engineer"), replace(MERGED[1], role="Analyst")]
    assert why(named, "11-06", "a/application-call/1") == (
        "Acme, Engineer: You applied on Wed 4 Nov.",
        "Acme, Engineer: One brief call in the following week is polite, then no more.",
        "Acme, Engineer: that alone would be Mon 9 Nov to Fri 13 Nov.",
        "Acme, Analyst: On Thu 5 Nov they said: we decide by Tue 10 Nov.",
        "Acme, Analyst: The week after that day is the time to ask.",
        "Acme, Analyst: that alone would be Wed 11 Nov to Tue 17 Nov.",
        "One contact serves all of this, as it leads to the same person.",
        "The days that all of it shares: Wed 11 Nov to Fri 13 Nov.",
    )


def test_an_agreed_window_tells_what_joined_it():
    joined = [a(interview("11-05")), b(interview("11-05", follow_up="11-18"))]
    assert why(joined, "11-06", "b/agreed-follow-up/1.1")[-3:] == (
        "Acme (a): that alone would be Mon 9 Nov to Fri 13 Nov.",
        "One contact serves all of this, as it leads to the same person.",
        "The days that you agreed on stand: Wed 18 Nov to Thu 19 Nov.",
    )


def test_a_window_before_an_agreed_one_tells_what_it_lost():
    both = [a(interview("11-05")), b(interview("11-05", follow_up="11-20"))]
    assert why(both, "11-06", "a/interview-follow-up/1.1")[-1] == (
        "You agreed on Fri 20 Nov, and 10 days lie between two contacts; closes Tue 10 Nov."
    )


def test_a_window_tells_the_answer_that_lifted_the_bar():
    both = [a(applied("11-09")), c(touch("11-10"), heard("11-18"))]
    assert why(both, "11-18", "a/application-call/1")[2:] == (
        "They answered on Wed 18 Nov, after your last contact: not before that day.",
    )


def test_a_window_tells_the_answer_that_came_after_one_was_missed():
    """b's call was missed on Fri 13; c's interview on Tue 17 lifts the bar of that for a."""
    three = [a(interview("11-12"), snoozed("11-12", "11-16")), b(applied("11-04")), c(interview("11-17"))]
    assert seen(three, "11-17")[1] == "a/interview-follow-up/1.1 11-17..11-20 firm"
    assert why(three, "11-17", "a/interview-follow-up/1.1")[2] == (
        "The window before closed on Fri 13 Nov, and they answered on Tue 17 Nov: not before that day."
    )


def test_what_was_skipped_says_so():
    both = [a(applied("11-04"), skipped("11-06", "a/application-call/1")), b(applied("11-04"))]
    assert why(both, "11-06", "a/application-call/1")[-1] == "You skipped it, so it is shown no more."
    plan = a(interview("11-12"), skipped("11-06", "a/ask-before-leaving/1"))
    assert why([plan], "11-06", "a/ask-before-leaving/1")[-1] == "You skipped it, so it is shown no more."
    drawn = a(interview("11-05"), skipped("11-06", "a/check-in/1.1"))
    assert why([drawn], "11-06", "a/check-in/1.1")[-1] == "You skipped it, so it is shown no more."


def test_a_prompt_that_was_moved_says_so():
    plan = a(interview("11-12"), pinned("11-06", "a/ask-before-leaving/1", "11-11", "11-11"))
    assert why([plan], "11-06", "a/ask-before-leaving/1")[-1] == "You moved it to these days yourself."


def test_a_barred_window_tells_the_touch_that_bars_it():
    assert why([a(applied("11-09")), c(touch("11-10"))], "11-10", "a/application-call/1")[2] == (
        "You were in touch on Tue 10 Nov: 10 days between two contacts, so not before Fri 20 Nov."
    )
