"""Every row of "Worked examples" in docs/etiquette.md, but for the two of applications that share a person."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from calsync import model as m
from tests.etiquette.asking import APPLIED, CALL, DANA, EMAIL, INTERVIEW, TOUCHED, app, on, see, stand

PAGE = Path(__file__).resolve().parents[2] / "docs" / "etiquette.md"
SUNDAY = m.Applied(day=on("11-08"))
HEARD = m.Heard(day=on("11-20"))
T27 = replace(INTERVIEW, timeline=on("11-27"))
D19 = replace(INTERVIEW, follow_up_on=on("11-19"), follow_up_by=EMAIL)

ROWS: dict[str, tuple[m.Application, str, list[str]]] = {
    "applied Wed 2026-11-04, phone known": (
        app(APPLIED),
        "11-05",
        ["application-call/1 call 11-09..11-13 firm"],
    ),
    "the same, applied Sun 2026-11-08": (
        app(SUNDAY),
        "11-08",
        ["application-call/1 call 11-11..11-13 firm"],
    ),
    "the same with `country: US`": (
        app(SUNDAY, contact=replace(DANA, country="US")),
        "11-08",
        ["application-call/1 call 11-12..11-13 firm"],
    ),
    "applied, `do_not: [call]`": (app(APPLIED, do_not=(CALL,)), "11-05", []),
    "applied 2026-11-04, contacted 2026-11-10": (
        app(APPLIED, m.Contacted(day=on("11-10"))),
        "11-11",
        ["application-call/1 call 11-09..11-13 done 11-10"],
    ),
    "interview Thu 2026-11-12 14:00, nothing else": (
        app(INTERVIEW),
        "11-13",
        [
            "interview-follow-up/1.1 call 11-16..11-20 firm",
            "check-in/1.1 email 11-30..12-04 tentative",
        ],
    ),
    "the same, nothing recorded": (
        app(INTERVIEW),
        "11-23",
        [
            "interview-follow-up/1.1 call 11-16..11-20 missed",
            "check-in/1.1 email 11-30..12-04 firm",
            "check-in/1.2 email 12-14..12-18 tentative",
        ],
    ),
    "interview 2026-11-12, timeline 2026-11-27": (
        app(T27),
        "11-13",
        ["timeline-follow-up/1.1 call 11-30..12-04 firm"],
    ),
    "interview 2026-11-12 with follow_up on 2026-11-19 by email": (
        app(D19),
        "11-13",
        [
            "agreed-follow-up/1.1 email 11-19..11-20 firm",
            "check-in/1.1 email 11-30..12-04 tentative",
        ],
    ),
    "interview 2026-11-12, contacted 2026-11-17": (
        app(INTERVIEW, TOUCHED),
        "11-18",
        [
            "interview-follow-up/1.1 call 11-16..11-20 done 11-17",
            "check-in/1.1 email 11-27..12-01 firm",
            "check-in/1.2 email 12-11..12-15 tentative",
        ],
    ),
    "the same, heard 2026-11-20": (
        app(INTERVIEW, TOUCHED, HEARD),
        "11-23",
        [
            "interview-follow-up/1.1 call 11-16..11-20 done 11-17",
            "check-in/1.1 email 11-30..12-04 firm",
            "check-in/1.2 email 12-14..12-18 tentative",
        ],
    ),
    "the same, then interview 2026-12-10": (
        app(INTERVIEW, TOUCHED, HEARD, m.Interview(day=on("12-10"))),
        "11-23",
        [
            "interview-follow-up/1.1 call 11-16..11-20 done 11-17",
            "ask-before-leaving/2 None 12-10..12-10 firm",
            "interview-follow-up/2.1 call 12-14..12-18 tentative",
        ],
    ),
    "interview 2026-11-12, timeline 2026-11-27, contacted 2026-11-25": (
        app(T27, m.Contacted(day=on("11-25"))),
        "11-26",
        [
            "timeline-follow-up/1.1 email 12-07..12-11 firm",
            "check-in/1.1 email 12-21..12-25 tentative",
        ],
    ),
}


@pytest.mark.parametrize("row", ROWS)
def test_worked_example(row):
    application, today, expected = ROWS[row]
    assert see(application, today) == expected


def test_the_rows_are_those_of_the_page():
    """The page's table has no row that is not tested here, but for those of A and B, who share a person."""
    table = PAGE.read_text(encoding="utf-8").partition("## Worked examples")[2].splitlines()
    rows = [line.split("|")[1].strip() for line in table if line.startswith("| ")]
    assert [row for row in rows[1:] if not row.startswith("A ")] == list(ROWS)


@pytest.mark.parametrize("today", ["11-04", "11-05", "11-13", "2027-11-13"])
def test_an_advertisement_that_says_not_to_call_is_obeyed_on_any_day(today):
    application = app(APPLIED, do_not=(CALL,))
    assert see(application, today) == []
    assert stand(application, today).why_not == "The advertisement says not to call."
