"""The oracle itself gives every row of the page's "Worked examples"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import pytest

from calsync import model as m
from tests.etiquette.reading import Line, read

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
