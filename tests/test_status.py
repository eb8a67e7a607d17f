"""`calsync status` and `calsync why`: where each application stands, and from an event back to the journal.

Days are of 2026. The journal is read as of Mon 23 November.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from calsync import cli

TODAY = "2026-11-23"
CONFIG = "timezone: Europe/Berlin\napplications: applications.yaml\nfeed: {path: follow-ups.ics}\n"
JOURNAL = """\
applications:
  - id: acme-engineer
    company: Acme
    role: Engineer
    contact: {name: Dana Ruiz, phone: +1 312 555 0100, email: dana@acme.example}
    events:
      - interview: 2026-11-19
        follow_up: {by: call}
  - id: acme-analyst
    company: Acme
    role: Analyst
    contact: {name: Dana Ruiz, phone: +1 312 555 0100, email: Dana@acme.example}
    events:
      - interview: 2026-11-09
        timeline: 2026-11-20
        note: they liked the charts
      - contacted: 2026-11-09
        by: email
      - snoozed: 2026-11-10
        until: 2026-11-11
  - id: bolt
    company: Bolt
    contact: {name: Lee}
    do_not: [call]
    events:
      - applied: 2026-11-18
  - id: core
    company: Core
    contact: {name: Kim, email: kim@core.example}
    events:
      - interview: 2026-06-01
  - id: dune
    company: Dune
    contact: {name: Ada, email: ada@dune.example}
    events:
      - interview: 2026-12-01 14:00
  - id: even
    company: Even
    contact: {name: Bo, email: bo@even.example}
    events:
      - interview: 2026-11-20
        timeline: 2026-11-27
  - id: fern
    company: Fern
    contact: {name: Cy}
    events:
      - applied: 2026-10-01
      - offer: 2026-11-19
        respond_by: 2026-12-01
      - accepted: 2026-11-20
"""
MERGED = "acme-analyst/timeline-follow-up/1.1"


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def json(self):
        return json.loads(self.out)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """The command, in a folder with the config and the journal."""
    for name in ("STATE_DIRECTORY", "CACHE_DIRECTORY", "CALSYNC_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "applications.yaml").write_text(JOURNAL, encoding="utf-8")

    def command(*arguments: str, today: str = TODAY) -> Said:
        code = cli.main([*arguments, "--today", today])
        return Said(code, *capsys.readouterr())

    return command


# ---------------------------------------------------------------------------------------------------- status


def test_status_is_a_table_of_the_applications_in_the_order_of_the_file(run):
    """A window that serves two applications stands in both rows; a last word may lie ahead, and says so."""
    said = run("status")
    call = (
        "Mon 23 Nov to Fri 27 Nov, firm: Call Dana Ruiz at Acme (by Fri 27 Nov) [acme-analyst/timeline-follow-up/1.1]"
    )
    thanks = "Mon 7 Dec to Fri 11 Dec, tentative: E-mail Ada at Dune (by Fri 11 Dec) [dune/interview-follow-up/1.1]"
    ask = "Mon 30 Nov to Fri 4 Dec, firm: E-mail Bo at Even (by Fri 4 Dec) [even/timeline-follow-up/1.1]"
    assert (said.code, said.err) == (0, "")
    assert [re.split(r"  +", line) for line in said.lines[:8]] == [
        ["APPLICATION", "STAGE", "LAST WORD", "NEXT"],
        ["acme-engineer", "interviewed", "Thu 19 Nov", call],
        ["acme-analyst", "interviewed", "Fri 20 Nov", call],
        ["bolt", "applied", "-", "none: No telephone number of a contact is known, so there is nobody to call."],
        ["core", "interviewed, stale", "Mon 1 Jun", "none: They have been silent since Mon 1 Jun: is it still open?"],
        ["dune", "interviewed", "ahead: interview Tue 1 Dec", thanks],
        ["even", "interviewed", "ahead: they named Fri 27 Nov", ask],
        ["fern", "accepted", "-", "none: It ended on Fri 20 Nov: accepted."],
    ]


def test_the_columns_of_status_stand_below_each_other(run):
    lines = run("status").lines[:8]
    for title in ("STAGE", "LAST WORD", "NEXT"):
        column = lines[0].index(title)
        assert all(line[column - 2 : column] == "  " and line[column] != " " for line in lines)


def test_status_asks_whether_to_close_what_is_stale_and_says_how(run):
    assert run("status").lines[8:] == [
        "",
        "Core has been silent since Mon 1 Jun. Close it? If so, write under the events of 'core':",
        "  - closed: 2026-11-23",
    ]


def test_nothing_stale_asks_nothing(run, tmp_path):
    (tmp_path / "applications.yaml").write_text(JOURNAL.replace("2026-06-01", "2026-11-20"), encoding="utf-8")
    assert len(run("status").lines) == 8


def test_a_role_is_named_where_there_is_one(run, tmp_path):
    (tmp_path / "applications.yaml").write_text(
        JOURNAL.replace("company: Core", "company: Core\n    role: Cook"), "utf-8"
    )
    assert run("status").lines[9].startswith("Core, Cook has been silent")


def test_status_of_an_empty_journal_says_so(run, tmp_path):
    (tmp_path / "applications.yaml").write_text("applications: []\n", encoding="utf-8")
    assert run("status").out == "The journal has no applications yet.\n"
    assert run("status", "--json").json == {}


def test_status_warns_of_what_is_ahead(run, tmp_path):
    (tmp_path / "applications.yaml").write_text(JOURNAL.replace("applied: 2026-11-18", "applied: 2026-12-18"), "utf-8")
    said = run("status")
    assert said.code == 0
    assert said.err.startswith("warning: applications.yaml:26:9: applied on 2026-12-18 is still ahead")


def test_status_json_is_an_object_an_application(run):
    said = run("status", "--json")
    assert (said.code, said.err) == (0, "")
    assert list(said.json) == ["acme-engineer", "acme-analyst", "bolt", "core", "dune", "even", "fern"]
    assert said.json["acme-analyst"] == {
        "company": "Acme",
        "role": "Analyst",
        "stage": "interviewed",
        "stale": False,
        "last_word": "2026-11-20",
        "next": MERGED,
        "why_not": None,
    }
    assert said.json["core"] == {
        "company": "Core",
        "role": None,
        "stage": "interviewed",
        "stale": True,
        "last_word": "2026-06-01",
        "next": None,
        "why_not": "They have been silent since Mon 1 Jun: is it still open?",
    }


# ------------------------------------------------------------------------------------------------------- why


def test_why_leads_from_a_window_to_the_journal(run):
    said = run("why", "even/timeline-follow-up/1.1")
    uid = window(run, "even/timeline-follow-up/1.1")["uid"]
    assert (said.code, said.err) == (0, "")
    assert said.lines == [
        "E-mail Bo at Even (by Fri 4 Dec)",
        "  Mon 30 Nov to Fri 4 Dec, firm",
        "  window even/timeline-follow-up/1.1",
        f"  event {uid}",
        "  Why:",
        "  - On Fri 20 Nov they said: we decide by Fri 27 Nov.",
        "  - The week after that day is the time to ask.",
        "  - Sat 28 Nov to Sun 29 Nov: no working day; opens Mon 30 Nov.",
        "From the journal, Even:",
        "  applications.yaml:41:9: interview on Fri 20 Nov, they decide by Fri 27 Nov",
    ]


def window(run, name: str):
    return next(each for each in run("windows", "--all", "--json").json if each["id"] == name)


def test_why_of_a_merged_window_tells_all_whom_it_serves(run):
    lines = run("why", MERGED).lines
    assert "  - One contact serves all of this, as it leads to the same person." in lines
    assert lines[-6:] == [
        "From the journal, Acme, Analyst:",
        "  applications.yaml:14:9: interview on Mon 9 Nov, they decide by Fri 20 Nov, note: they liked the charts",
        "  applications.yaml:17:9: contacted on Mon 9 Nov, by email",
        "  applications.yaml:19:9: snoozed on Tue 10 Nov, until Wed 11 Nov",
        "From the journal, Acme, Engineer:",
        "  applications.yaml:7:9: interview on Thu 19 Nov, they like: call",
    ]


def test_why_tells_what_else_leads_to_the_same_person(run, tmp_path):
    """Its window, or why it has none, and what sets or lifts the bar."""
    (tmp_path / "applications.yaml").write_text(
        JOURNAL.replace("timeline: 2026-11-20", "timeline: 2026-12-02"), "utf-8"
    )
    lines = run("why", "acme-engineer/interview-follow-up/1.1").lines
    assert lines[lines.index("Also to the same person:") + 1 :] == [
        "  Acme, Analyst (acme-analyst), interviewed; window acme-analyst/timeline-follow-up/1.1",
        "    applications.yaml:14:9: interview on Mon 9 Nov, they decide by Wed 2 Dec, note: they liked the charts",
        "    applications.yaml:17:9: contacted on Mon 9 Nov, by email",
    ]
    ended = JOURNAL.replace("snoozed: 2026-11-10\n        until: 2026-11-11", "rejected: 2026-11-21")
    (tmp_path / "applications.yaml").write_text(ended, "utf-8")
    assert (
        "  Acme, Analyst (acme-analyst), rejected; no window: It ended on Sat 21 Nov: rejected."
        in run("why", "acme-engineer/interview-follow-up/1.1").lines
    )


def test_why_takes_the_uid_of_an_event_in_the_calendar_and_in_the_feed(run, tmp_path):
    by_id = run("why", MERGED).out
    assert run("why", window(run, MERGED)["uid"]).out == by_id
    assert run("sync").code == 0
    feed = (tmp_path / "follow-ups.ics").read_text(encoding="utf-8").replace("\n ", "")
    event = next(each for each in feed.split("BEGIN:VEVENT") if MERGED in each)
    uid = re.search(r"^UID:(\S+)", event, flags=re.MULTILINE)[1]
    assert uid != window(run, MERGED)["uid"]
    assert run("why", uid).out == by_id
    assert run("why", uid[:8]).out == by_id


def test_why_takes_an_application_for_its_windows_that_are_not_past(run):
    said = run("why", "dune")
    assert [line.strip() for line in said.lines if line.startswith("  window")] == [
        "window dune/ask-before-leaving/1",
        "window dune/interview-follow-up/1.1",
        "window dune/check-in/1.1",
    ]
    assert run("why", "dun").out == said.out
    assert f"  window {MERGED}" in run("why", "acme-engineer").lines


def test_why_of_an_application_without_windows_says_why_not(run):
    assert run("why", "bolt").lines == [
        "bolt has no window: No telephone number of a contact is known, so there is nobody to call.",
        "From the journal, Bolt:",
        "  applications.yaml:26:9: applied on Wed 18 Nov",
    ]
    assert run("why", "fern").lines[1:] == [
        "From the journal, Fern:",
        "  applications.yaml:47:9: applied on Thu 1 Oct",
        "  applications.yaml:48:9: offer on Thu 19 Nov, answer due Tue 1 Dec",
        "  applications.yaml:50:9: accepted on Fri 20 Nov",
    ]


def test_why_takes_a_past_window_by_its_own_id(run):
    said = run("why", "acme-engineer/interview-follow-up/1.1", today="2026-12-20")
    assert said.code == 2  # it was never a window of its own
    said = run("why", MERGED, today="2026-12-20")
    assert "  Mon 23 Nov to Fri 27 Nov, missed" in said.lines


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (
            "nothing-like-it",
            "no window, event or application has the id 'nothing-like-it'; 'calsync windows --all' shows all windows",
        ),
        ("evne", "no window, event or application has the id 'evne'; the nearest are 'even'"),
        ("acme", "'acme' is the beginning of several: 'acme-analyst', 'acme-engineer'"),
        (
            "dune/",
            "'dune/' is the beginning of several: 'dune/ask-before-leaving/1', 'dune/check-in/1.1', 'dune/int",
        ),
        ("", "'' is the beginning of several: "),
    ],
)
def test_why_of_an_unknown_id_names_the_nearest(run, wanted, message):
    said = run("why", wanted)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(f"calsync: {message}")


def test_a_beginning_that_events_share_with_an_application_names_both(run):
    said = run("why", "d")
    assert said.code == 2
    assert re.search(r"several: ('d[0-9a-f]{7}(-[0-9a-f]+){4}', )+'dune'; write more of it", said.err)


def test_why_of_an_unknown_window_names_those_of_its_application(run):
    assert "'dune/ask-before-leaving/1'" in run("why", "dune/xyz").err


def test_why_json_has_windows_applications_and_the_same_person(run, tmp_path):
    said = run("why", MERGED, "--json")
    assert said.code == 0
    assert list(said.json) == ["windows", "applications", "same_person"]
    assert said.json["windows"] == [window(run, MERGED)]
    assert list(said.json["applications"]) == ["acme-analyst", "acme-engineer"]
    assert said.json["same_person"] == {}
    status = run("status", "--json").json
    for name, application in said.json["applications"].items():
        events = application.pop("events")
        assert application == status[name]
        assert {"file", "line", "column", "text"} == set(events[0])
    alone = run("why", "bolt", "--json").json
    assert alone["windows"] == []
    assert alone["applications"]["bolt"]["events"] == [
        {"file": "applications.yaml", "line": 26, "column": 9, "text": "applied on Wed 18 Nov"}
    ]


def test_why_and_status_write_nothing(run, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    for arguments in (["status"], ["status", "--json"], ["why", MERGED], ["why", "bolt", "--json"]):
        assert run(*arguments).code == 0
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("arguments", [["why"], ["why", "a", "b"]])
def test_why_wants_one_id(run, arguments):
    assert run(*arguments).code == 2


def test_check_warns_of_what_was_not_polite_and_is_content(run, tmp_path):
    """With its place and the rule; the exit code stays."""
    rude = JOURNAL.replace(
        "applied: 2026-11-18", "applied: 2026-11-18\n      - contacted: 2026-11-20\n        by: call"
    )
    (tmp_path / "applications.yaml").write_text(rude, encoding="utf-8")
    said = run("check")
    assert said.code == 0
    assert said.err.splitlines()[0] == (
        "warning: applications.yaml:27:9: this was a call, but the advertisement says not to call, "
        "and they had not asked for it (S2)"
    )
    as_json = run("check", "--json")
    assert (as_json.code, as_json.err) == (0, "")
    assert [f"warning: {each}" for each in as_json.json["warnings"]] == said.err.splitlines()
    assert "(S" not in run("windows").err + run("status").err
