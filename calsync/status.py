"""Where each application stands, as a table for people and as JSON for programs (`docs/commands.md`).

Public face: `text`, `as_json`, and `standing_json` for one application. Nothing is printed here.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from calsync.model import Interview, Outlook, Standing, Window
from calsync.terminal import PLAIN, Look
from calsync.titles import Titles
from calsync.workdays import say

_COLUMNS = ("APPLICATION", "STAGE", "LAST WORD", "NEXT")


def as_json(outlook: Outlook) -> dict[str, object]:
    """An object an application, by its id, in the order of the file."""
    return {standing.application.id: standing_json(standing) for standing in outlook.standings}


def standing_json(standing: Standing) -> dict[str, object]:
    """Where one application stands; `next` is the id of a window, `last_word` a day, which may lie ahead."""
    return {
        "company": standing.application.company,
        "role": standing.application.role,
        "stage": standing.stage,
        "stale": standing.stale,
        "last_word": standing.last_word and standing.last_word.isoformat(),
        "next": standing.next,
        "why_not": standing.why_not,
    }


def text(outlook: Outlook, words: Titles, today: date, look: Look = PLAIN) -> Iterator[str]:
    """A line an application, then the question for each one that is stale. On a terminal the lines fit its width."""
    if not outlook.standings:
        yield "The journal has no applications yet."
        return
    windows = {window.id: window for window in outlook.windows}
    rows = [_COLUMNS, *(_row(standing, windows, words, today) for standing in outlook.standings)]
    styles = ["bold", *("yellow" if standing.stale else "" for standing in outlook.standings)]
    yield from look.table(rows, (3, 0, 2), styles)
    for standing in outlook.standings:
        if standing.stale:
            yield ""
            yield from _question(standing, today)


def _row(standing: Standing, windows: dict[str, Window], words: Titles, today: date) -> tuple[str, str, str, str]:
    next_ = f"none: {standing.why_not}" if standing.next is None else in_a_line(windows[standing.next], words)
    stage = f"{standing.stage}, stale" if standing.stale else standing.stage
    return standing.application.id, stage, _last_word(standing, today), next_


def in_a_line(window: Window, words: Titles) -> str:
    """A window as "Mon 30 Nov to Fri 4 Dec, firm: E-mail Dana Ruiz at Acme (by Fri 4 Dec) [ID]"."""
    return f"{days(window)}, {window.state}: {words.summary(window)} [{window.id}]"


def days(window: Window) -> str:
    """The days of a window: "Mon 30 Nov to Fri 4 Dec"."""
    return say(window.opens) if window.opens == window.closes else f"{say(window.opens)} to {say(window.closes)}"


def _last_word(standing: Standing, today: date) -> str:
    """When they were last heard; a day that is still ahead is one that they named, or a planned interview."""
    day = standing.last_word
    if day is None:
        return "-"
    if day <= today:
        return say(day)
    planned = any(isinstance(event, Interview) and event.day == day for event in standing.application.events)
    return f"ahead: interview {say(day)}" if planned else f"ahead: they named {say(day)}"


def _question(standing: Standing, today: date) -> Iterator[str]:
    application = standing.application
    name = f"{application.company}, {application.role}" if application.role else application.company
    since = f" since {say(standing.last_word)}" if standing.last_word else ""
    yield f"{name} has been silent{since}. Close it? If so, write under the events of '{application.id}':"
    yield f"  - closed: {today}"
