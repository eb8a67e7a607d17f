"""Our own events, every rule in every form: what other people's libraries are to read without complaint.

`python -m tests.system.readers.corpus FOLDER` writes one file for each, and `expected.json`: file name -> what it says.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from calsync import book, config, ical
from calsync.etiquette.rules import PROMPTS, RULES
from calsync.identity import hashes, uid_of
from calsync.model import Mark, Reminder, Stamp, Window
from calsync.reminders import Form, reminders
from tests.words import WORDS

EXAMPLE = Path("applications.example.yaml")
ZONES = ("Europe/Berlin", "America/St_Johns", "Africa/Casablanca", "UTC")
STYLES: tuple[Literal["window", "slot"], ...] = ("window", "slot")
FIRST_DAY = date(2026, 10, 20)

EVERY_SWITCH = """\
timezone: Europe/Berlin
country: DE
applications: {journal}
etiquette: {{thank_you: yes, email_instead: yes}}
feed: {{path: unused.ics}}
"""
ODD = """\
applications:
  - company: 'Ölçer; "Söhne", \\ & 日本 🎉 — GmbH, with a name that is long enough to be folded over more than a line'
    role: "Büro: Leitung; alles, was\\nanfällt"
    contact: {name: 'Åsa "Ö" Ñandú; Jr.', email: o@example.org, phone: +49 30 901820}
    strengths: ["a, b; c: d \\\\n e", "100 % \\"quoted\\""]
    events:
      - applied: 2026-11-11
      - interview: 2026-11-18 14:00
        follow_up: {by: email, on: 2026-11-25}
"""


def windows(folder: Path) -> Iterator[tuple[date, Window]]:
    """Windows of the example and of odd names, as of many days; each once in each of its states."""
    (folder / "odd.yaml").write_text(ODD, encoding="utf-8")
    (folder / "config.yaml").write_text(EVERY_SWITCH.format(journal=f"[{EXAMPLE.resolve()}, odd.yaml]"))
    settings = config.load(folder / "config.yaml", {}, folder)
    seen = set()
    for number in range(0, 90, 3):
        today = FIRST_DAY + timedelta(days=number)
        for window in book.look(settings, today).windows:
            if (window.id, window.state) not in seen:
                seen.add((window.id, window.state))
                yield today, window


def events(folder: Path) -> Iterator[tuple[str, str, Reminder]]:
    """(UID, text, what it says) of each event."""
    rules = set()
    for number, (today, window) in enumerate(windows(folder)):
        rules.add(window.rule)
        for style in STYLES:
            for name in ZONES:
                zone = ZoneInfo(name)
                now = datetime.combine(today, time(7), UTC)
                (reminder,) = reminders([window], Form(style, time(9, 30), zone, ZoneInfo, WORDS), {}, now).values()
                mark = Mark(f"corpus-{style}-{name.replace('/', '-').replace('_', '-')}", window.id, number + 1)
                text = ical.build(
                    reminder, mark, uid_of(mark, "caldav"), Stamp(now, number % 2), zone, hashes(reminder)
                )
                yield uid_of(mark, "caldav"), text, reminder
    assert rules == {*RULES, *PROMPTS}, "the corpus lacks a rule"


def says(uid: str, reminder: Reminder) -> dict[str, Any]:
    """What readers should find: moments in UTC."""
    return {
        "uid": uid,
        "summary": reminder.summary,
        "description": reminder.description,
        "start": _moment(reminder.start),
        "end": _moment(reminder.end),
        "alarms": len(reminder.alarms),
    }


def _moment(value: date | datetime) -> str:
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(value, datetime) else value.isoformat()


def main(folder: Path) -> None:
    """Write the corpus."""
    folder.mkdir(parents=True, exist_ok=True)
    expected = {}
    for uid, text, reminder in events(folder):
        (folder / f"{uid}.ics").write_bytes(text.encode())
        expected[f"{uid}.ics"] = says(uid, reminder)
    (folder / "expected.json").write_text(json.dumps(expected), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
