"""The oracle itself gives every row of the page's "Worked examples"."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given, settings
from msgspec.structs import replace

from calsync import model as m
from tests.etiquette.journals import Case, one_application, one_person, public_holidays, several_persons
from tests.etiquette.reading import Line, persons, read

DANA = m.Contact(name="Dana", email="dana@acme.example", phone="+1 312 555 0100")
VETERANS_DAY = {date(2026, 11, 11): "Veterans Day"}


def holidays(country: str, subdivision: str | None, year: int) -> Mapping[date, str]:
    return VETERANS_DAY if (country, year) == ("US", 2026) else {}


def on(text: str) -> date:
    """`11-04` is that day of 2026."""
    return date.fromisoformat(f"2026-{text}")


def app(
    *events: m.Event, name: str = "a", contact: m.Contact = DANA, do_not: tuple[m.Channel, ...] = ()
) -> m.Application:
    return m.Application(id=name, company="Acme", contact=contact, events=events, do_not=frozenset(do_not))


def seen(today: str, *applications: m.Application) -> list[str]:
    """Each window as `id by opens..closes state`."""
    return [shown(line) for line in read(applications, m.Policy(), on(today), holidays)]


def shown(line: Line) -> str:
    alone = line.applications == (line.id.split("/")[0],)
    name = line.id if alone else f"{line.id}({','.join(line.applications)})"
    days = f"{line.opens:%m-%d}..{line.closes:%m-%d}"
    done = [f"{line.done_on:%m-%d}"] if line.done_on else []
    return " ".join([name, str(line.by), days, line.state, *done])


APPLIED = m.Applied(day=on("11-04"))
INTERVIEW = m.Interview(day=on("11-12"))
TOUCHED = m.Contacted(day=on("11-17"))
HEARD = m.Heard(day=on("11-20"))
T27 = replace(INTERVIEW, timeline=on("11-27"))
D19 = replace(INTERVIEW, follow_up_on=on("11-19"), follow_up_by=m.Channel.EMAIL)

ROWS = {
    "applied on a Wednesday": (
        "11-05",
        [app(APPLIED)],
        ["a/application-call/1 call 11-09..11-13 firm"],
    ),
    "applied on a Sunday": (
        "11-08",
        [app(m.Applied(day=on("11-08")))],
        ["a/application-call/1 call 11-11..11-13 firm"],
    ),
    "applied on a Sunday, with a holiday": (
        "11-08",
        [app(m.Applied(day=on("11-08")), contact=replace(DANA, country="US"))],
        ["a/application-call/1 call 11-12..11-13 firm"],
    ),
    "do not call": ("11-05", [app(APPLIED, do_not=(m.Channel.CALL,))], []),
    "called": (
        "11-11",
        [app(APPLIED, m.Contacted(day=on("11-10")))],
        ["a/application-call/1 call 11-09..11-13 done 11-10"],
    ),
    "interview": (
        "11-13",
        [app(INTERVIEW)],
        [
            "a/interview-follow-up/1.1 call 11-16..11-20 firm",
            "a/check-in/1.1 email 11-30..12-04 tentative",
        ],
    ),
    "interview, then nothing": (
        "11-23",
        [app(INTERVIEW)],
        [
            "a/interview-follow-up/1.1 call 11-16..11-20 missed",
            "a/check-in/1.1 email 11-30..12-04 firm",
            "a/check-in/1.2 email 12-14..12-18 tentative",
        ],
    ),
    "timeline": ("11-13", [app(T27)], ["a/timeline-follow-up/1.1 call 11-30..12-04 firm"]),
    "follow-up agreed": (
        "11-13",
        [app(D19)],
        [
            "a/agreed-follow-up/1.1 email 11-19..11-20 firm",
            "a/check-in/1.1 email 11-30..12-04 tentative",
        ],
    ),
    "interview and touch": (
        "11-18",
        [app(INTERVIEW, TOUCHED)],
        [
            "a/interview-follow-up/1.1 call 11-16..11-20 done 11-17",
            "a/check-in/1.1 email 11-27..12-01 firm",
            "a/check-in/1.2 email 12-11..12-15 tentative",
        ],
    ),
    "interview, touch, reply": (
        "11-23",
        [app(INTERVIEW, TOUCHED, HEARD)],
        [
            "a/interview-follow-up/1.1 call 11-16..11-20 done 11-17",
            "a/check-in/1.1 email 11-30..12-04 firm",
            "a/check-in/1.2 email 12-14..12-18 tentative",
        ],
    ),
    "interview, touch, reply, interview planned": (
        "11-23",
        [app(INTERVIEW, TOUCHED, HEARD, m.Interview(day=on("12-10")))],
        [
            "a/interview-follow-up/1.1 call 11-16..11-20 done 11-17",
            "a/ask-before-leaving/2 None 12-10..12-10 firm",
            "a/interview-follow-up/2.1 call 12-14..12-18 tentative",
        ],
    ),
    "touch before the timeline": (
        "11-26",
        [app(T27, m.Contacted(day=on("11-25")))],
        [
            "a/timeline-follow-up/1.1 email 12-07..12-11 firm",
            "a/check-in/1.1 email 12-21..12-25 tentative",
        ],
    ),
    "two applications to one person": (
        "11-11",
        [app(APPLIED, name="A"), app(m.Applied(day=on("11-10")), name="B")],
        [
            "A/application-call/1 call 11-09..11-13 firm",
            "B/application-call/1 call 11-23..11-27 firm",
        ],
    ),
    "two applications to one person on one day": (
        "11-05",
        [app(APPLIED, name="A"), app(APPLIED, name="B")],
        ["A/application-call/1(A,B) call 11-09..11-13 firm"],
    ),
}


@pytest.mark.parametrize("row", ROWS)
def test_worked_example(row: str) -> None:
    """The page's own table, row by row."""
    today, applications, windows = ROWS[row]
    assert seen(today, *applications) == windows


@settings(max_examples=40)
@given(one_application() | one_person() | several_persons())
def test_ids_are_unique(case: Case) -> None:
    """No two windows of a journal have one id."""
    ids = [line.id for line in read(*case, public_holidays)]
    assert len(ids) == len(set(ids))


@settings(max_examples=40)
@given(several_persons())
def test_order_of_the_file_does_not_matter(case: Case) -> None:
    """Applications in another order give the same windows."""
    backwards = case._replace(applications=case.applications[::-1])
    assert read(*backwards, public_holidays) == read(*case, public_holidays)


@settings(max_examples=40)
@given(one_application() | one_person())
def test_what_is_over_is_not_firm(case: Case) -> None:
    """Windows that are to come end today or later; what is done or missed ended before, or was used up."""
    for line in read(*case, public_holidays):
        if line.state in (m.State.FIRM, m.State.TENTATIVE):
            assert case.today <= line.closes or any(
                isinstance(e, m.Pinned) for a in case.applications for e in a.events
            )
        if line.state is m.State.MISSED:
            assert line.closes < case.today


@settings(max_examples=40)
@given(one_person())
def test_firm_windows_keep_the_gap(case: Case) -> None:
    """Two firm windows to one person are a gap apart, unless one was agreed, pinned, or an interview lies between."""
    pinned = {e.window for a in case.applications for e in a.events if isinstance(e, m.Pinned)}
    interviews = [e.day for a in case.applications for e in a.events if isinstance(e, m.Interview)]
    beside = ("ask-before-leaving", "thank-you", "offer-deadline", "agreed-follow-up")
    firm = [line for line in read(*case, public_holidays) if line.state is m.State.FIRM]
    firm = [line for line in firm if line.id.split("/")[1] not in beside and line.id not in pinned]
    for one, two in pairwise(firm):
        if len(persons(case.applications)) == 1 and not any(one.closes <= day <= two.opens for day in interviews):
            assert (two.opens - one.closes).days >= case.policy.contact_gap_days


def test_a_bare_name_does_not_link_two_persons() -> None:
    """ "Dana at Acme" may be either of two; with one Dana alone there is no doubt."""
    bare = app(name="bare", contact=m.Contact(name="Dana"))
    one = app(name="one", contact=m.Contact(name="dana", email="d@acme.example"))
    two = app(name="two", contact=m.Contact(name="Dana", phone="+1 312 555 0199"))
    assert [[a.id for a in p] for p in persons([one, two, bare])] == [["bare"], ["one"], ["two"]]
    assert [[a.id for a in p] for p in persons([one, bare])] == [["bare", "one"]]


GUARD_ROWS = {
    "an ordinary window that overlaps an agreed one joins it": (
        "11-13",
        [app(replace(INTERVIEW, follow_up_on=on("11-18")), name="A"), app(INTERVIEW, name="B")],
        [
            "A/agreed-follow-up/1.1(A,B) call 11-18..11-19 firm",
            "A/check-in/1.1 email 11-30..12-03 tentative",
        ],
    ),
    "an ordinary window loses the days within the gap before an agreed one": (
        "11-09",
        [app(m.Heard(day=on("11-06"), follow_up_on=on("11-20")), name="A"), app(APPLIED, name="B")],
        [
            "B/application-call/1 call 11-09..11-10 firm",
            "A/agreed-follow-up/0.1 call 11-20..11-20 firm",
        ],
    ),
    "an overlap becomes the shared days": (
        "11-08",
        [app(APPLIED, name="A"), app(m.Applied(day=on("11-08")), name="B")],
        ["A/application-call/1(A,B) call 11-11..11-13 firm"],
    ),
    "a merged window that is missed is missed for both": (
        "11-16",
        [app(APPLIED, name="A"), app(m.Applied(day=on("11-08")), name="B")],
        ["A/application-call/1(A,B) call 11-11..11-13 missed"],
    ),
    "one touch serves all": (
        "11-12",
        [app(APPLIED, name="A"), app(APPLIED, m.Contacted(day=on("11-11")), name="B")],
        ["A/application-call/1(A,B) call 11-09..11-13 done 11-11"],
    ),
    "a tentative window stands behind the firm one that it would overlap": (
        "11-20",
        [app(m.Applied(day=on("11-20")), name="A"), app(m.Interview(day=on("11-21")), name="B")],
        [
            "B/ask-before-leaving/1 None 11-21..11-21 firm",
            "A/application-call/1 call 11-23..11-27 firm",
            "B/interview-follow-up/1.1 call 12-07..12-10 tentative",
        ],
    ),
    "a reply to one application lifts the bar of all": (
        "11-11",
        [
            app(APPLIED, m.Contacted(day=on("11-09")), m.Heard(day=on("11-11")), name="A"),
            app(m.Applied(day=on("11-06")), m.Snoozed(day=on("11-06"), until=on("11-16")), name="B"),
        ],
        [
            "A/application-call/1 call 11-09..11-13 done 11-09",
            "B/application-call/1 call 11-16..11-20 firm",
        ],
    ),
}


@pytest.mark.parametrize("row", GUARD_ROWS)
def test_guard(row: str) -> None:
    """The contact guard, worked by hand."""
    today, applications, windows = GUARD_ROWS[row]
    assert seen(today, *applications) == windows
