"""What is shown: the JSON key for key, and the text as people read it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from calsync import book, config, listing, report, sync
from calsync.identity import OWNED
from calsync.model import Resource
from calsync.targets import TARGETS
from calsync.targets.base import ItemError
from calsync.targets.memory import MemoryTarget
from calsync.uids import uids

TODAY = date(2026, 11, 23)
NOW = datetime.fromisoformat("2026-11-23T07:00:00+01:00")
CALL, FOLLOW = "bolt/application-call/1", "acme/interview-follow-up/1.1"
ASK, DONE = "dune/ask-before-leaving/1", "core/application-call/1"

JOURNAL = """\
applications:
  - id: acme
    company: Acme Corp
    role: Data Engineer
    contact: {name: Dana Ruiz, phone: +1 312 555 0100, email: dana@acme.example}
    events:
      - interview: 2026-11-19
  - id: bolt
    company: Bolt
    contact: {name: Lee, phone: +1 312 555 0101}
    events:
      - applied: 2026-11-18
  - id: core
    company: Core
    contact: {phone: +1 312 555 0102}
    events:
      - applied: 2026-11-10
      - contacted: 2026-11-17
        by: call
  - id: dune
    company: Dune
    events:
      - interview: 2026-11-26 14:00
"""
KEYS = [
    *("id", "uid", "rule", "applications", "company", "companies", "roles", "contact", "by", "opens", "closes"),
    *("starts", "ends", "state", "done_on", "why"),
]


class Refusing(MemoryTarget):
    """Refuses to create the event of the window `no`, or all of them."""

    name = "caldav"
    no: str | None = None

    def create(self, href: str, body: str) -> Resource:
        if self.no and f";{self.no}" in unfolded(body):
            raise ItemError("the server refuses to write it: its quota is full")
        return super().create(href, body)


class Desk:
    """A user's folder, with a feed and a calendar in memory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.target = Refusing()
        self.write(JOURNAL)
        self.configure("caldav: {url: 'https://dav.example/'}\n")

    def configure(self, text: str) -> None:
        base = "timezone: Europe/Berlin\napplications: applications.yaml\netiquette: {horizon_days: 14}\n"
        (self.folder / "config.yaml").write_text(base + text, encoding="utf-8")

    def write(self, journal: str) -> None:
        (self.folder / "applications.yaml").write_text(journal, encoding="utf-8")

    @property
    def settings(self) -> config.Config:
        return config.load(self.folder / "config.yaml", {}, self.folder)

    @property
    def environ(self) -> Mapping[str, str]:
        return {"STATE_DIRECTORY": str(self.folder / "state")}

    def run(self, today: date | None = None, **flags: bool) -> sync.Report:
        targets: Mapping[str, Any] = {**TARGETS, "caldav": lambda **_settings: self.target}
        moment = sync.Moment.of(NOW, today, self.settings.timezone)
        return sync.run_once(self.settings, moment, self.environ, targets=targets, **flags)

    def windows(self, *, everything: bool = True) -> list[dict[str, Any]]:
        outlook = book.look(self.settings, TODAY)
        shown = listing.current(outlook.windows, everything=everything)
        listed = listing.windows_json(shown, uids(self.settings, shown, self.environ))
        return json.loads(json.dumps(listed))  # type: ignore[no-any-return]  # what programs get

    def edit(self, window: str, old: str, new: str) -> None:
        for href, body in self.target.items.items():
            if f";{window};" in unfolded(body):
                self.target.put(href, unfolded(body).replace(old, new))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    return Desk(tmp_path)


def unfolded(body: str) -> str:
    return body.replace("\r\n ", "")


def told(done: sync.Report) -> dict[str, Any]:
    """The JSON of a run, as programs read it."""
    return json.loads(json.dumps(report.run_json(done)))  # type: ignore[no-any-return]  # as above


def text(done: sync.Report) -> str:
    return "\n".join(report.run_text(done))


# ------------------------------------------------------------------------------------------ windows --json


def test_a_window_has_exactly_the_keys_of_the_contract(desk: Desk):
    for window in desk.windows():
        assert list(window) == KEYS
        assert list(window["contact"]) == ["name", "email", "phone"]


def test_a_window_has_the_types_of_the_contract(desk: Desk):
    windows = {window["id"]: window for window in desk.windows()}
    assert {key: windows[FOLLOW][key] for key in KEYS if key not in ("uid", "why")} == {
        "id": FOLLOW,
        "rule": "interview-follow-up",
        "applications": ["acme"],
        "company": "Acme Corp",
        "companies": ["Acme Corp"],
        "roles": ["Data Engineer"],
        "contact": {"name": "Dana Ruiz", "email": "dana@acme.example", "phone": "+1 312 555 0100"},
        "by": "call",
        "opens": "2026-11-23",
        "closes": "2026-11-27",
        "starts": None,
        "ends": None,
        "state": "firm",
        "done_on": None,
    }
    assert windows[FOLLOW]["why"]
    assert all(isinstance(reason, str) for reason in windows[FOLLOW]["why"])
    assert (windows[DONE]["state"], windows[DONE]["done_on"]) == ("done", "2026-11-17")
    ask = windows[ASK]
    assert ask["by"] is None
    assert ask["roles"] == []
    assert ask["contact"] == {"name": None, "email": None, "phone": None}
    rfc3339 = r"2026-11-26T\d\d:\d\d:\d\d[+-]\d\d:\d\d"
    assert all(re.fullmatch(rfc3339, ask[key]) for key in ("starts", "ends"))
    assert datetime.fromisoformat(ask["starts"]) == datetime.fromisoformat("2026-11-26T13:45:00+01:00")
    assert datetime.fromisoformat(ask["ends"]) == datetime.fromisoformat("2026-11-26T14:00:00+01:00")


def test_windows_are_ordered_by_opens_then_id_and_the_past_is_left_out(desk: Desk):
    windows = desk.windows()
    order = [(window["opens"], window["id"]) for window in windows]
    assert order == sorted(order)
    assert DONE in [window["id"] for window in windows]
    current = desk.windows(everything=False)
    assert [window["state"] for window in current if window["state"] not in ("firm", "tentative")] == []
    assert [window for window in windows if window["state"] in ("firm", "tentative")] == current


def uids_written(desk: Desk) -> dict[str, str]:
    bodies = map(unfolded, desk.target.items.values())
    pairs = (re.search(r"X-CALSYNC:v1;default;(.*);\d+\r", body) for body in bodies)
    uids = (re.search(r"UID:(.*)\r", unfolded(body)) for body in desk.target.items.values())
    return {mark[1]: uid[1] for mark, uid in zip(pairs, uids, strict=True) if mark and uid}


def test_uid_is_that_of_the_event_that_a_sync_then_writes(desk: Desk):
    """Before the first sync, after it, and after a deletion that used a UID up."""
    for journal in (JOURNAL, JOURNAL, JOURNAL.replace("applied: 2026-11-18", "rejected: 2026-11-20"), JOURNAL):
        desk.write(journal)
        foretold = {window["id"]: window["uid"] for window in desk.windows(everything=False)}
        desk.run()
        assert uids_written(desk) == foretold
        assert {window["id"]: window["uid"] for window in desk.windows(everything=False)} == foretold


# ------------------------------------------------------------------------------------------------ runs


def test_the_json_of_a_first_run(desk: Desk):
    done = told(desk.run())
    contract = ["changes", "kept", "unchanged", "failed", "requests"]
    assert list(done) == [*contract, "answers", "targets", "not_compared", "errors", "warnings"]
    for change in done["changes"]:
        assert list(change) == ["action", "target", "id", "uid", "summary", "fields"]
        assert (change["action"], change["target"]) == ("create", "caldav")
        assert list(change["fields"]) == list(OWNED)
        assert [before for before, _after in change["fields"].values()] == [None] * len(OWNED)
    assert {change["id"]: change["uid"] for change in done["changes"]} == uids_written(desk)
    [call] = [change for change in done["changes"] if change["id"] == CALL]
    assert call["summary"] == "Call Lee at Bolt (by Fri 27 Nov)"
    assert call["fields"]["start"] == [None, "2026-11-23"]
    assert call["fields"]["end"] == [None, "2026-11-28"]
    assert call["fields"]["alarms"] == [None, [34200, 4 * 86400 + 34200]]
    assert done["kept"] == done["failed"] == done["errors"] == done["warnings"] == []
    assert done["unchanged"] == 0
    assert done["requests"] == 2 + len(done["changes"])
    assert done["targets"] == {"caldav": "memory"}
    assert done["not_compared"] is None


def test_the_json_of_a_dry_run_is_that_of_the_run(desk: Desk):
    dry, wet = told(desk.run(dry_run=True)), told(desk.run())
    assert {**dry, "requests": 0} == {**wet, "requests": 0}
    assert dry["requests"] == 1


def test_the_json_of_an_update_has_only_the_fields_that_differ(desk: Desk):
    desk.run()
    desk.write(JOURNAL.replace("+1 312 555 0101", "+1 312 555 0199"))
    [change] = told(desk.run())["changes"]
    assert (change["action"], change["id"]) == ("update", CALL)
    assert list(change["fields"]) == ["description", "location"]
    assert [re.sub(r"\D", "", each) for each in change["fields"]["location"]] == ["13125550101", "13125550199"]


def test_the_json_of_a_delete_tells_what_stood_there(desk: Desk):
    desk.run()
    uid = uids_written(desk)[CALL]
    desk.write(JOURNAL.replace("applied: 2026-11-18", "rejected: 2026-11-20"))
    done = told(desk.run())
    [change] = done["changes"]
    assert (change["action"], change["id"], change["uid"]) == ("delete", CALL, uid)
    assert change["fields"]["start"] == ["2026-11-23", None]
    assert change["summary"] == "Call Lee at Bolt (by Fri 27 Nov)"


def test_the_json_of_what_is_kept_and_what_failed(desk: Desk):
    desk.target.no = FOLLOW
    done = desk.run()
    [failure] = told(done)["failed"]
    assert list(failure) == ["action", "target", "id", "uid", "because"]
    assert (failure["action"], failure["id"]) == ("create", FOLLOW)
    assert failure["because"] == "the server refuses to write it: its quota is full"
    assert failure["uid"] == next(window["uid"] for window in desk.windows() if window["id"] == FOLLOW)
    assert done.exit_code == 1
    desk.edit(CALL, "Call Lee", "Ring Lee")
    [kept] = told(desk.run())["kept"]
    assert kept == {
        "target": "caldav",
        "id": CALL,
        "uid": uids_written(desk)[CALL],
        "because": "changed by hand: summary",
    }


def test_the_changes_of_feed_and_calendar_stand_in_one_list(desk: Desk):
    desk.configure("caldav: {url: 'https://dav.example/'}\nfeed: {path: follow-ups.ics}\n")
    done = told(desk.run())
    assert {change["target"] for change in done["changes"]} == {"feed", "caldav"}
    assert done["targets"] == {"feed": str(desk.folder / "follow-ups.ics"), "caldav": "memory"}
    again = told(desk.run())
    assert again["changes"] == []
    assert again["unchanged"] == len(done["changes"])


# ------------------------------------------------------------------------------------------------ text


def test_a_dry_run_reads_like_a_plan(desk: Desk):
    desk.run()
    desk.edit(FOLLOW, "SUMMARY:Call Dana", "SUMMARY:Ring Dana")
    desk.write(
        JOURNAL.replace("Lee, phone: +1 312 555 0101", "Kim, email: kim@bolt.example").replace(
            "interview: 2026-11-26 14:00", "interview: 2026-11-27 15:00"
        )
        + "  - {id: echo, company: Echo, contact: {phone: +1 312 555 0103}, events: [{applied: 2026-11-19}]}\n"
    )
    lines = text(desk.run(dry_run=True)).splitlines()
    assert lines[0] == "caldav: memory"
    assert "  + Mon 23 Nov to Fri 27 Nov  Call Echo (by Fri 27 Nov)" in lines
    assert any(line.startswith("  ~ Fri 27 Nov 1") and "Before you leave Dune" in line for line in lines)
    assert "      start: Thu 26 Nov 13:45 -> Fri 27 Nov 14:45" in lines
    assert "  - Mon 23 Nov to Fri 27 Nov  Call Lee at Bolt (by Fri 27 Nov)" in lines
    assert f"  = {FOLLOW}: left alone, changed by hand: summary" in lines
    assert re.fullmatch(
        r"  \d would be created, \d would be updated, \d would be deleted, \d unchanged, 1 left alone; \d requests?",
        lines[-1],
    )
    done = text(desk.run()).splitlines()
    assert [line for line in done[:-1] if line not in lines] == []
    assert "would" not in done[-1]


def test_changed_days_and_alarms_are_shown_as_people_read_them(desk: Desk):
    desk.run()
    desk.write(JOURNAL + "      - heard: 2026-11-20\n        timeline: 2026-12-03\n")
    desk.configure(
        "caldav: {url: 'https://dav.example/'}\nremind_at: '10:00'\npauses: [{from: 2026-11-26, to: 2026-11-29}]\n"
    )
    lines = text(desk.run(dry_run=True)).splitlines()
    assert "      end: Fri 27 Nov -> Wed 25 Nov" in lines
    assert "      alarms: 9:30:00; 4 days, 9:30:00 -> 10:00:00; 2 days, 10:00:00" in lines
    desk.write(JOURNAL.replace("phone: +1 312 555 0100, ", ""))
    assert any(re.fullmatch(r"      location: \+.* -> none", line) for line in text(desk.run()).splitlines())


def test_a_changed_description_is_shown_line_by_line(desk: Desk):
    desk.run()
    desk.write(JOURNAL.replace("+1 312 555 0101", "+1 312 555 0199"))
    lines = text(desk.run(dry_run=True)).splitlines()
    begin = lines.index("      description:")
    changed = lines[begin + 1 : next(i for i, line in enumerate(lines) if line.startswith("      location: "))]
    assert [line.strip() for line in changed if "555 01" in line] == [
        "- Phone: +1 312 555 0101",
        "+ Phone: +1 312 555 0199",
    ]
    assert all(line.startswith(("        - ", "        + ")) for line in changed)


def test_a_deleted_event_is_shown_with_its_days(desk: Desk):
    desk.run()
    desk.write(JOURNAL.replace("applied: 2026-11-18", "rejected: 2026-11-20"))
    lines = text(desk.run(dry_run=True)).splitlines()
    assert lines[1] == "  - Mon 23 Nov to Fri 27 Nov  Call Lee at Bolt (by Fri 27 Nov)"


def test_what_a_person_wrote_into_an_event_that_goes_is_shown(desk: Desk):
    desk.run()
    desk.edit(CALL, "DESCRIPTION:", "DESCRIPTION:Lee is away until Friday.\\nTry his desk.\\n")
    desk.edit(CALL, "LOCATION:", "LOCATION:my office\\, ")
    desk.run()
    desk.write(JOURNAL.replace("applied: 2026-11-18", "rejected: 2026-11-20"))
    lines = text(desk.run()).splitlines()
    assert lines[1] == "  - Mon 23 Nov to Fri 27 Nov  Call Lee at Bolt (by Fri 27 Nov)"
    assert lines[2:5] == ["      description:", "        - Lee is away until Friday.", "        - Try his desk."]
    assert "      location: my office, +1 312 555 0101 -> none" in lines


def test_a_prompt_marked_as_done_is_not_said_to_be_deleted(desk: Desk):
    desk.run()
    desk.edit(ASK, "SUMMARY:", "SUMMARY:✓ ")
    assert f"  > {ASK}: deleted, cancelled or put away: it is skipped" in text(desk.run()).splitlines()


def test_a_failure_is_said_in_words_and_counted(desk: Desk):
    desk.target.no = FOLLOW
    done = desk.run()
    assert f"  ! {FOLLOW}: the server refuses to write it: its quota is full" in text(done).splitlines()
    assert ", 1 failed; " in text(done)
    assert list(report.failures(done)) == ["1 event could not be written (caldav); the next run tries again"]
    desk.target.no = "default;"
    desk.write(JOURNAL.replace("id: ", "id: new-"))
    assert re.match(r"[2-9] events could not be written", next(report.failures(desk.run())))


def test_beside_a_calendar_the_feed_is_a_line_but_alone_it_is_told(desk: Desk):
    desk.configure("caldav: {url: 'https://dav.example/'}\nfeed: {path: follow-ups.ics}\n")
    both = text(desk.run(dry_run=True))
    assert both.count("Call Lee at Bolt") == 1
    desk.configure("feed: {path: follow-ups.ics}\n")
    alone = text(desk.run(dry_run=True))
    assert alone.count("Call Lee at Bolt") == 1
    assert alone.splitlines()[-1].endswith("0 unchanged")


def test_without_the_server_the_windows_are_shown(desk: Desk):
    lines = text(desk.run(dry_run=True, offline=True)).splitlines()
    assert lines[0] == "The calendar could not be compared: not asked (--offline)"
    assert any(f"[{CALL}]" in line for line in lines)
