"""What `calsync check` tells of what was done: the etiquette's rules S1, S2, S4 and S7, each on a line of the journal.

Days are of 2026. The n-th event of an application stands in line n of `a.yaml`, `b.yaml` and so on.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from calsync import model as m
from calsync.etiquette import outlook
from calsync.etiquette.lint import lint
from tests.etiquette.asking import CALL, DANA, EMAIL, POLICY, app, holidays, on
from tests.etiquette.journals import one_person, public_holidays, several_persons

TODAY = "12-31"
SAM = m.Contact(name="Sam Lee", email="sam@acme.example", phone="+1 312 555 0199")


def applied(day: str) -> m.Event:
    return m.Applied(day=on(day))


def touch(day: str, by: m.Channel | None = None, *, thanks: bool = False) -> m.Event:
    return m.Contacted(day=on(day), by=by, thanks=thanks)


def interview(day: str, **said: object) -> m.Event:
    return m.Interview(day=on(day), **said)  # type: ignore[arg-type]  # the keys are those of the class


def heard(day: str, **said: object) -> m.Event:
    return m.Heard(day=on(day), **said)  # type: ignore[arg-type]  # the keys are those of the class


ASKED = {"timeline": on("11-27")}


def written(
    name: str, *events: m.Event, do_not: tuple[m.Channel, ...] = (), contact: m.Contact = DANA
) -> m.Application:
    placed = (replace(event, place=m.Place(f"{name}.yaml", line, 9)) for line, event in enumerate(events, start=1))
    return app(*placed, name=name, do_not=do_not, contact=contact)


def told(*applications: m.Application, today: str = TODAY, policy: m.Policy = POLICY) -> list[str]:
    """The warnings, each as its place and the number of its rule."""
    found = warnings(*applications, today=today, policy=policy)
    return [f"{each.split(': ')[0]} {each.rpartition('(')[2].rstrip(')').partition(':')[0]}" for each in found]


def warnings(*applications: m.Application, today: str = TODAY, policy: m.Policy = POLICY) -> tuple[str, ...]:
    return lint(outlook(applications, policy, on(today), holidays), policy, on(today))


# ------------------------------------------------------------------------------------ S7: two contacts too close


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([interview("11-05", **ASKED), touch("11-10"), touch("11-19")], ["a.yaml:3:9 S7"]),
        ([interview("11-05", **ASKED), touch("11-10"), touch("11-20")], []),
        # daily: each after the one before
        (
            [interview("11-05", **ASKED), touch("11-10"), touch("11-11"), touch("11-12")],
            ["a.yaml:3:9 S7", "a.yaml:4:9 S7"],
        ),
        # an answer between them, on either day too
        ([interview("11-05", **ASKED), touch("11-10"), heard("11-11"), touch("11-12")], []),
        ([interview("11-05", **ASKED), touch("11-10"), heard("11-12"), touch("11-12")], []),
        ([interview("11-05", **ASKED), touch("11-10"), interview("11-11", **ASKED), touch("11-12")], []),
        # an automatic receipt is none
        (
            [interview("11-05", **ASKED), touch("11-10"), m.Acknowledged(day=on("11-11")), touch("11-12")],
            ["a.yaml:4:9 S7"],
        ),
        # courtesies count for nothing
        ([interview("11-05", **ASKED), touch("11-05"), touch("11-10")], []),
        ([interview("11-05", **ASKED), touch("11-06", thanks=True), touch("11-10")], []),
        # they asked for the second one
        ([interview("11-05", follow_up_on=on("11-12")), touch("11-10"), touch("11-12")], []),
        # what is ahead has not happened
        ([interview("11-05", **ASKED), touch("12-30"), touch("2027-01-04")], []),
        # the order of the file does not matter
        ([interview("11-05", **ASKED), touch("11-12"), touch("11-10")], ["a.yaml:2:9 S7"]),
    ],
)
def test_two_contacts_closer_than_the_gap_without_an_answer(events, expected):
    assert told(written("a", *events)) == expected


def test_contacts_of_one_person_are_compared_across_applications():
    a = written("a", interview("11-05", **ASKED), touch("11-10"))
    assert told(a, written("b", interview("11-05", **ASKED), touch("11-12"))) == ["b.yaml:2:9 S7"]
    assert told(a, written("b", interview("11-05", **ASKED), touch("11-12"), contact=SAM)) == []
    assert told(a, written("b", heard("11-11"), touch("11-12"))) == []


def test_one_contact_that_is_recorded_twice_is_told_as_such():
    a, b = (written(name, interview("11-05", **ASKED), touch("11-10")) for name in "ab")
    (warning,) = warnings(a, b)
    assert warning == (
        "b.yaml:2:9: the same person has a contact on that day already (a.yaml:2:9); if it was one contact, record it "
        "once: it serves all applications (S7)"
    )


def test_the_gap_is_the_policys():
    one = written("a", interview("11-05", **ASKED), touch("11-10"), touch("11-15"))
    assert told(one, policy=replace(POLICY, contact_gap_days=5)) == []
    assert told(one, policy=replace(POLICY, contact_gap_days=6)) == ["a.yaml:3:9 S7"]


@pytest.mark.parametrize(("second", "days"), [("11-11", "1 day"), ("11-13", "3 days")])
def test_a_contact_too_close_names_the_one_before(second, days):
    (warning,) = warnings(written("a", interview("11-05", **ASKED), touch("11-10"), touch(second)))
    assert warning == (
        f"a.yaml:3:9: {days} after the contact on Tue 10 Nov (a.yaml:2:9), to the same person, without an answer; "
        "polite is 10 days, never daily (S7)"
    )


# -------------------------------------------------------------------------------- S2: against the advertisement


@pytest.mark.parametrize(
    ("do_not", "events", "expected"),
    [
        ((CALL,), [applied("11-04"), touch("11-10", CALL)], ["a.yaml:2:9 S2"]),
        ((CALL,), [applied("11-04"), touch("11-10", EMAIL)], []),
        ((CALL,), [applied("11-04"), touch("11-10")], []),  # nobody knows how
        ((), [applied("11-04"), touch("11-10", CALL)], []),
        ((EMAIL,), [applied("11-04"), touch("11-10", EMAIL)], ["a.yaml:2:9 S2"]),
        # thanks by a call are a call
        ((CALL,), [applied("11-04"), touch("11-10", CALL, thanks=True)], ["a.yaml:2:9 S2"]),
        # they asked for it, before or after
        ((CALL,), [interview("11-05", follow_up_by=CALL), touch("11-10", CALL)], []),
        ((CALL,), [interview("11-05", follow_up_by=EMAIL), touch("11-10", CALL)], ["a.yaml:2:9 S2"]),
        (
            (CALL,),
            [interview("11-05", **ASKED), touch("11-10", CALL), heard("11-11", follow_up_by=CALL)],
            ["a.yaml:2:9 S2"],
        ),
        ((CALL,), [applied("11-04"), touch("2027-01-04", CALL)], []),  # ahead
    ],
)
def test_a_contact_in_a_way_that_the_advertisement_forbids(do_not, events, expected):
    assert told(written("a", *events, do_not=do_not)) == expected


def test_a_forbidden_contact_is_told_in_words():
    by_call = written("a", applied("11-04"), touch("11-10", CALL), do_not=(CALL,))
    by_email = written("b", applied("11-04"), touch("11-10", EMAIL), do_not=(EMAIL,), contact=SAM)
    assert warnings(by_call, by_email) == (
        "a.yaml:2:9: this was a call, but the advertisement says not to call, and they had not asked for it (S2)",
        "b.yaml:2:9: this was an e-mail, but the advertisement says not to write, and they had not asked for it (S2)",
    )


# ------------------------------------------------------------------------------------ S1: once after a résumé


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([applied("11-04"), touch("11-10")], []),
        ([applied("11-04"), touch("11-10"), touch("11-23")], ["a.yaml:3:9 S1"]),
        ([applied("11-04"), touch("11-10"), touch("11-23"), touch("12-07")], ["a.yaml:3:9 S1", "a.yaml:4:9 S1"]),
        # a reply, or an interview, and it is another matter
        ([applied("11-04"), touch("11-10"), heard("11-12"), touch("11-23")], []),
        ([applied("11-04"), touch("11-10"), interview("11-12", **ASKED), touch("11-23")], []),
        ([applied("11-04"), heard("11-05"), touch("11-10"), touch("11-23")], []),
        # not a receipt, nor an interview that is still ahead
        ([applied("11-04"), touch("11-10"), m.Acknowledged(day=on("11-12")), touch("11-23")], ["a.yaml:4:9 S1"]),
        ([applied("11-04"), touch("11-10"), touch("11-23"), interview("2027-01-12")], ["a.yaml:3:9 S1"]),
        # courtesies do not count
        ([applied("11-04"), touch("11-04"), touch("11-10")], []),
        # nor what came before the résumé
        ([touch("10-20"), applied("11-04"), touch("11-10")], []),
        # a second résumé starts again only after an end
        (
            [
                applied("11-04"),
                touch("11-10"),
                m.Ended(day=on("11-12"), how=m.Ending.REJECTED),
                applied("11-13"),
                touch("11-23"),
            ],
            [],
        ),
        ([applied("11-04"), touch("11-10"), applied("11-13"), touch("11-23")], ["a.yaml:4:9 S1"]),
        ([applied("11-04"), touch("11-10"), m.Offer(day=on("11-12")), touch("11-23")], []),
    ],
)
def test_a_second_contact_after_a_resume_without_a_reply(events, expected):
    assert told(written("a", *events)) == expected


def test_a_second_contact_names_the_first():
    (warning,) = warnings(written("a", applied("11-04"), touch("11-10"), touch("11-23")))
    assert warning == (
        "a.yaml:3:9: a second contact after the résumé, without a reply; the one on Tue 10 Nov (a.yaml:2:9) is "
        "all that is polite (S1)"
    )


# --------------------------------------------------------------------------- S4: an interview without answers


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([interview("11-05")], ["a.yaml:1:9 S4"]),
        ([interview("11-05", timeline=on("11-27"))], []),
        ([interview("11-05", follow_up_on=on("11-12"))], []),
        ([interview("11-05", follow_up_by=EMAIL)], []),
        # they said it later
        ([interview("11-05"), heard("11-09", timeline=on("11-27"))], []),
        ([interview("11-05"), heard("11-09")], ["a.yaml:1:9 S4"]),
        # what was said before counts for another interview
        ([interview("11-05", timeline=on("11-27")), interview("11-12")], ["a.yaml:2:9 S4"]),
        # only the last one can still be asked about, while the application is open
        ([interview("11-05"), interview("11-12")], ["a.yaml:2:9 S4"]),
        ([interview("11-05"), m.Offer(day=on("11-12"))], []),
        ([interview("11-05"), m.Ended(day=on("11-12"), how=m.Ending.REJECTED)], []),
        # today's may not be over yet, and a plan is a plan
        ([interview(TODAY)], []),
        ([interview("2027-01-12")], []),
        ([interview("11-05"), interview(TODAY)], []),
        ([interview("11-05"), interview("2027-01-12")], ["a.yaml:1:9 S4"]),
    ],
)
def test_an_interview_of_which_no_timeline_and_no_follow_up_is_on_record(events, expected):
    assert told(written("a", *events)) == expected


# ------------------------------------------------------------------------------------------------- in general


def test_warnings_are_in_the_order_of_the_files():
    a = written("a", applied("11-04"), touch("11-10", CALL), touch("11-12", CALL), do_not=(CALL,))
    b = written("b", interview("11-05"), contact=SAM)
    expected = ["a.yaml:2:9 S2", "a.yaml:3:9 S7", "a.yaml:3:9 S1", "a.yaml:3:9 S2", "b.yaml:1:9 S4"]
    assert told(b, a) == expected


def test_a_polite_journal_has_no_warnings():
    """Every window used on its days, every answer recorded."""
    polite = (
        applied("11-04"),
        touch("11-10"),
        interview("11-17", **ASKED),
        touch("12-01"),
        heard("12-02"),
        touch("12-15"),
    )
    assert warnings(written("a", *polite)) == ()


@given(st.one_of(one_person(), several_persons()))
def test_the_order_of_applications_does_not_matter(case):
    def told_of(case):
        return lint(outlook(*case, public_holidays), case.policy, case.today)

    assert told_of(case) == told_of(case._replace(applications=case.applications[::-1]))
