"""What is shown of a journal: its windows, and what a check found, as text for people and as JSON for programs.

The JSON is a contract (`docs/commands.md`). Nothing is printed here: functions give lines or values, and nothing is
imported that only a sync needs. Public face: `titles`; `current`, `windows_json`, `windows_text`; `check_json`,
`check_text`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from calsync.config import Config
from calsync.errors import Problem
from calsync.model import Outlook, State, Window
from calsync.terminal import PLAIN, Look
from calsync.texts import Texts
from calsync.titles import PlainTitles, Titles
from calsync.workdays import say


def titles(config: Config) -> Titles:
    """What windows are called: in the user's own words or language, else in plain English."""
    if config.texts == Texts():
        return PlainTitles()
    from calsync.sync import words

    return words(config)


def current(windows: Iterable[Window], *, everything: bool) -> list[Window]:
    """The windows that are shown: what is past is left out unless `everything` is asked for."""
    return [window for window in windows if everything or not window.state.is_past]


# Windows.


def windows_json(windows: Iterable[Window], uids: Mapping[str, str]) -> list[dict[str, object]]:
    """A list of objects, one a window, in the order given."""
    return [_window_json(window, uids[window.id]) for window in windows]


def _window_json(window: Window, uid: str) -> dict[str, object]:
    lead = window.applications[0]
    return {
        "id": window.id,
        "uid": uid,
        "rule": window.rule,
        "applications": [application.id for application in window.applications],
        "company": lead.company,
        "companies": list(dict.fromkeys(application.company for application in window.applications)),
        "roles": [application.role for application in window.applications if application.role],
        "contact": {"name": lead.contact.name, "email": lead.contact.email, "phone": lead.contact.phone},
        "by": window.by,
        "opens": window.opens.isoformat(),
        "closes": window.closes.isoformat(),
        "starts": window.starts and window.starts.isoformat(),
        "ends": window.ends and window.ends.isoformat(),
        "state": window.state,
        "done_on": window.done_on and window.done_on.isoformat(),
        "why": list(window.why),
    }


_STYLES = {State.DONE: "green", State.MISSED: "yellow", State.SKIPPED: "dim", State.FIRM: "", State.TENTATIVE: "dim"}


def windows_text(outlook: Outlook, words: Titles, *, everything: bool, why: bool, look: Look = PLAIN) -> Iterator[str]:
    """A line a window; with `why`, the reasons below it, and why other applications have none.

    On a terminal the lines fit its width, and a last one counts them.
    """
    windows = current(outlook.windows, everything=everything)
    if not windows:
        yield "Nothing to do: no window is open or ahead."
    for window, line in zip(windows, _lines(windows, words, look), strict=True):
        yield line
        if why:
            yield from (f"    {reason}" for reason in window.why)
    without = [standing for standing in outlook.standings if standing.why_not]
    if why and without:
        yield "Without a window:"
        yield from (f"    {standing.application.id}: {standing.why_not}" for standing in without)
    if windows and look.width is not None:
        yield look.paint(_count(windows), "bold")


def _lines(windows: list[Window], words: Titles, look: Look) -> list[str]:
    days = [span_of(window.opens, window.closes) for window in windows]
    if look.width is None:
        width = max(map(len, days), default=0)
        return [
            f"{when:<{width}}  {window.state:<9}  {words.summary(window)}  [{window.id}]"
            for window, when in zip(windows, days, strict=True)
        ]
    if not windows:
        return []
    rows = [
        (when, str(window.state), words.summary(window), f"[{window.id}]")
        for window, when in zip(windows, days, strict=True)
    ]
    return look.table(rows, (3, 2), [_STYLES[window.state] for window in windows])


def _count(windows: list[Window]) -> str:
    """How many windows there are in each state: "5 windows: 3 firm, 2 tentative"."""
    counts = {state: sum(window.state is state for window in windows) for state in State}
    told = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
    return f"{len(windows)} window{'' if len(windows) == 1 else 's'}: {told}"


def span_of(opens: date, closes: date) -> str:
    """Days as people write them: "Mon 30 Nov to Fri 4 Dec"."""
    return say(opens) if opens == closes else f"{say(opens)} to {say(closes)}"


# Checks.


def check_json(problems: Iterable[Problem], warnings: Iterable[str]) -> dict[str, object]:
    """Every mistake with its place (`line` and `column` count from 1; 0 for a whole file), and the warnings."""
    found = [{"file": each.file, "line": each.line, "column": each.column, "text": each.text} for each in problems]
    return {"problems": found, "warnings": list(warnings)}


def check_text(config: Config, outlook: Outlook) -> Iterator[str]:
    """What was read without a mistake."""
    files = " and ".join(str(path) for path in (config.path, *config.applications))
    count = len(outlook.standings)
    yield f"{files}: fine, {count} application{'' if count == 1 else 's'}."
