"""The command line: options, exit codes, messages, and that nothing is written or told that must not be."""

from __future__ import annotations

import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from calsync import __version__, cli
from calsync.state import opened
from tests import scripted
from tests.servers import PASSWORD, Server, free_port

TODAY = "2026-11-23"
JOURNAL = """\
applications:
  - id: acme
    company: Acme Corp
    role: Data Engineer
    contact: {name: Dana Ruiz, phone: +1 312 555 0100, email: dana@acme.example}
    events:
      - interview: 2026-11-19
  - id: bolt
    company: Bolt Café
    contact: {name: Lee, phone: +1 312 555 0101}
    events:
      - applied: 2026-11-18
"""
ASKED = JOURNAL.replace("interview: 2026-11-19", "interview: 2026-11-19\n        follow_up: {by: call}")
"""The same, with an answer before leaving: `calsync check` has nothing to warn of."""

ANSWERS = """\
applications:
  - id: acme
    events:
      - skipped: 2026-11-23
        via: calendar
        window: acme/check-in/1.1
"""

FEED = "timezone: Europe/Berlin\ncountry: DE\napplications: applications.yaml\nfeed: {path: follow-ups.ics}\n"


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


class Home:
    """A user's home, with the config in ~/job, where the command is run."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root = root
        self.folder = root / "job"
        self.folder.mkdir()
        self._capsys = capsys
        self.write("config.yaml", FEED)
        self.write("applications.yaml", JOURNAL)

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def secret(self, word: str) -> None:
        path = self.folder / "password"
        path.touch(mode=0o600)
        path.write_text(word, encoding="utf-8")

    def on(self, server: str, *, calendar: str = "Job search", also: str = "") -> None:
        """Let the config name a CalDAV server."""
        self.secret(PASSWORD)
        login = "username: alice, password_file: password, timeout: 5"
        base = "timezone: Europe/Berlin\ncountry: DE\napplications: applications.yaml\n"
        self.write("config.yaml", f"{base}caldav: {{url: '{server}', {login}, calendar: '{calendar}'}}\n{also}")

    def run(self, *arguments: str) -> Said:
        """The command, in this process."""
        self._capsys.readouterr()
        code = cli.main(arguments)
        out, err = self._capsys.readouterr()
        return Said(code, out, err)

    def process(self, *arguments: str, **environ: str) -> Said:
        """The command, as a process of its own."""
        done = subprocess.run(
            command(*arguments),
            env={**os.environ, **environ},
            capture_output=True,
            timeout=60,
            check=False,
        )
        return Said(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))

    def tree(self) -> dict[str, tuple[int, int, bytes]]:
        """Everything below the home: mode, time of change, and text."""
        return {
            str(path.relative_to(self.root)): (
                path.stat().st_mode,
                path.stat().st_mtime_ns,
                path.read_bytes() if path.is_file() else b"",
            )
            for path in sorted(self.root.rglob("*"))
        }


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "calsync", *arguments]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Home:
    made = Home(tmp_path, capsys)
    for name in ("STATE_DIRECTORY", "CACHE_DIRECTORY", "CALSYNC_CONFIG", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(made.folder)
    return made


def one_clear_message(said: Said) -> bool:
    """An error on standard error alone, and no traceback."""
    return said.err.startswith("calsync: ") and "Traceback" not in said.err and not said.out


# ----------------------------------------------------------------------------------------- the options


def test_version_and_help_are_told(home: Home):
    assert home.run("--version") == Said(0, f"calsync {__version__}\n", "")
    said = home.run("--help")
    assert said.code == 0
    assert all(verb in said.out for verb in ("sync", "windows", "check", "demo"))


@pytest.mark.parametrize(
    "arguments",
    [
        ("--dry-run", "--today", TODAY, "--json"),
        ("sync", "--dry-run", "--today", TODAY, "--json"),
        ("--dry-run", "--today", TODAY, "--json", "sync"),
        ("--json", "sync", "--today", TODAY, "--dry-run"),
        ("--config", "config.yaml", "sync", "--dry-run", "--today", TODAY, "--json"),
        ("sync", "--config", "config.yaml", "--dry-run", "--today", TODAY, "--json"),
    ],
)
def test_sync_is_the_command_unless_another_is_named_and_options_stand_anywhere(home: Home, arguments):
    said = home.run(*arguments)
    assert said.code == 0
    assert [change["id"] for change in said.json["changes"]] == [
        "acme/check-in/1.1",
        "acme/check-in/1.2",
        "acme/interview-follow-up/1.1",
        "bolt/application-call/1",
    ]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (["--all", "windows"], ["windows", "--all"]),
        (["--today", TODAY, "--why", "windows", "--json"], ["windows", "--why", "--today", TODAY, "--json"]),
        (["--json", "why", "acme"], ["why", "acme", "--json"]),
        (["--config", "sync", "check"], ["check", "--config", "sync"]),
        (["--version", "windows"], ["--version"]),
    ],
)
def test_an_option_of_one_command_may_stand_before_it(home: Home, before, after):
    home.write("sync", FEED)
    assert home.run(*before) == home.run(*after)


@pytest.mark.parametrize(
    "command_line",
    [
        ["undo", "acme/check-in/1.1"],
        ["feed", "--new"],
        ["password", "--new"],
        ["windows"],
        ["demo", "--once"],
    ],
)
def test_a_dry_run_of_a_command_that_has_none_is_refused_and_writes_nothing(home: Home, command_line):
    home.write("answers.yaml", ANSWERS)
    before = home.tree()
    said = home.run("--dry-run", *command_line)
    assert said.code == 2
    assert "unrecognized arguments: --dry-run" in said.err
    assert home.tree() == before


@pytest.mark.parametrize("verb", ["sync", "windows", "check"])
def test_config_today_and_json_are_options_of_every_command_that_computes(home: Home, verb):
    other = home.folder / "other"
    other.mkdir()
    (home.folder / "config.yaml").rename(other / "config.yaml")
    (home.folder / "applications.yaml").rename(other / "applications.yaml")
    dry = ["--dry-run"] if verb == "sync" else []
    for arguments in (
        [verb, "--config", "other/config.yaml", "--today", TODAY, "--json", *dry],
        [*dry, "--config", "other/config.yaml", "--today", TODAY, "--json", verb],
    ):
        said = home.run(*arguments)
        assert (said.code, said.err) == (0, "")
        assert said.json


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--today", "tomorrow"], "'tomorrow' is not a day, as in 2026-11-12"),
        (["--today", "2026-02-30"], "there is no day 2026-02-30"),
        (["windows", "--today", "9999-12-31"], "the year 9999 is out of range"),
        (["windows", "--today", "0001-01-01"], "the year 0001 is out of range"),
        (["--offline"], "--offline and --exit-code go with --dry-run"),
        (["sync", "--exit-code"], "--offline and --exit-code go with --dry-run"),
        (["windwos"], "windwos"),
        (["windows", "--frobnicate"], "--frobnicate"),
        (["demo", "--once", "--today", "1970-01-02"], "the demo needs a day from 1971 to 2198"),
    ],
)
def test_a_command_line_that_makes_no_sense_ends_with_2(home: Home, arguments, text):
    before = home.tree()
    said = home.run(*arguments)
    assert said.code == 2
    assert text in said.err
    assert said.out == ""
    assert home.tree() == before


@pytest.mark.parametrize("day", ["1970-01-01", "2024-02-29", "2199-12-31"])
def test_today_may_be_any_day_that_a_journal_may_have(home: Home, day):
    assert home.run("windows", "--today", day, "--all", "--why").code == 0
    assert home.run("--dry-run", "--today", day).code == 0


# -------------------------------------------------------------------------------- exit codes and errors


def test_no_config_names_every_path_tried_and_shows_one_that_works(home: Home):
    (home.folder / "config.yaml").unlink()
    said = home.run("windows")
    assert said.code == 3
    assert one_clear_message(said)
    assert "config.yaml" in said.err
    assert str(home.root / ".config" / "calsync" / "config.yaml") in said.err
    minimal = said.err.partition("A small one is:\n\n")[2]
    lines = [line.removeprefix("    ") for line in minimal.splitlines() if line.startswith("    ")]
    assert len(lines) == 5
    home.write("config.yaml", "\n".join(lines))
    assert home.run("windows").code == 0


def test_a_named_config_that_is_not_there_is_an_error_with_its_path(home: Home, monkeypatch):
    said = home.run("--config", "nowhere.yaml", "check")
    assert (said.code, one_clear_message(said)) == (3, True)
    assert "nowhere.yaml" in said.err
    monkeypatch.setenv("CALSYNC_CONFIG", "elsewhere.yaml")
    said = home.run("check")
    assert (said.code, one_clear_message(said)) == (3, True)
    assert "elsewhere.yaml" in said.err


WRONG = """\
applications:
  - role: Data Engineer
  - company: Acme
    colour: red
    events:
      - applied: 2026-02-30
"""
MISTAKES = [("applications.yaml", 2), ("applications.yaml", 4), ("applications.yaml", 6)]


@pytest.mark.parametrize("verb", ["sync", "windows", "check"])
def test_a_wrong_journal_ends_with_3_and_tells_every_mistake_with_its_place(home: Home, verb):
    home.write("applications.yaml", WRONG)
    before = home.tree()
    said = home.run(verb)
    assert said.code == 3
    assert one_clear_message(said)
    assert all(f"{file}:{line}:" in said.err for file, line in MISTAKES)
    assert {path for path in home.tree() if not path.startswith("cache")} == set(before)


@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_check_tells_the_mistakes_of_config_and_journal_at_once(home: Home, flags):
    home.write("config.yaml", FEED.replace("DE", "XX").replace("timezone", "timezon"))
    home.write("applications.yaml", WRONG)
    said = home.run("check", *flags)
    assert said.code == 3
    places = re.findall(r"^calsync: (\S+?):(\d+):|^(\S+?):(\d+):", said.err, re.MULTILINE)
    found = [(one or other, int(line or number)) for one, line, other, number in places]
    if flags:
        found = [(each["file"], each["line"]) for each in said.json["problems"]]
    assert found == [("config.yaml", 1), ("config.yaml", 2), *MISTAKES]
    home.write("applications.yaml", JOURNAL)
    assert home.run("check", *flags).code == 3
    home.write("config.yaml", "")
    assert home.run("check", *flags).code == 3


def test_check_json_tells_every_mistake(home: Home):
    home.write("applications.yaml", WRONG)
    said = home.run("check", "--json")
    assert (said.code, said.err) == (3, "")
    assert list(said.json) == ["problems", "warnings"]
    assert [(each["file"], each["line"]) for each in said.json["problems"]] == MISTAKES
    assert {tuple(each) for each in said.json["problems"]} == {("file", "line", "column", "text")}
    assert said.json["warnings"] == []


def test_check_json_of_a_missing_config_is_a_problem_of_a_whole_file(home: Home):
    (home.folder / "config.yaml").unlink()
    said = home.run("check", "--json")
    assert said.code == 3
    assert [(each["line"], each["column"]) for each in said.json["problems"]] == [(0, 0)]


def test_check_says_what_is_fine_and_warns_of_what_is_ahead(home: Home):
    home.write("applications.yaml", ASKED)
    said = home.run("check", "--today", TODAY)
    assert said == Said(0, "config.yaml and applications.yaml: fine, 2 applications.\n", "")
    home.write("applications.yaml", ASKED.replace("2026-11-18", "2026-12-24"))
    for verb in ("check", "windows", "sync"):
        said = home.run(verb, "--today", TODAY)
        assert said.code == 0
        assert said.err == (
            "warning: applications.yaml:13:9: applied on 2026-12-24 is still ahead: it is left out until then\n"
        )
    home.write("applications.yaml", f"{ASKED}      - accepted: 2026-12-24\n")
    assert ":14:9: accepted on 2026-12-24 is still ahead" in home.run("check", "--today", TODAY).err
    said = home.run("check", "--today", TODAY, "--json")
    assert said.err == ""
    assert said.json["problems"] == []
    assert "still ahead" in said.json["warnings"][0]


def test_one_application_is_not_several(home: Home):
    home.write("applications.yaml", "applications: [{company: Acme}]\n")
    assert home.run("check").out == "config.yaml and applications.yaml: fine, 1 application.\n"


@pytest.mark.parametrize("name", ["config.yaml", "applications.yaml", "answers.yaml"])
@pytest.mark.parametrize("kind", ["a folder", "not UTF-8", "a loop"])
def test_a_file_that_cannot_be_read_is_one_clear_message(home: Home, name, kind):
    path = home.folder / name
    path.unlink(missing_ok=True)
    if kind == "a folder":
        (path / "inner.yaml").mkdir(parents=True)
    elif kind == "a loop":
        path.symlink_to(path)
    else:
        path.write_bytes(b"applications: \xff\xfe\n")
    said = home.run("windows")
    assert (said.code, one_clear_message(said)) == (3, True)
    assert name in said.err


def test_a_config_with_nothing_to_sync_to_says_so(home: Home):
    home.write("config.yaml", "applications: applications.yaml\n")
    said = home.run()
    assert (said.code, one_clear_message(said)) == (3, True)
    assert "nothing to sync to" in said.err
    assert home.run("windows", "--today", TODAY).code == 0


def test_a_feed_that_is_not_ours_is_refused_with_1(home: Home):
    home.write("follow-ups.ics", "my diary\n")
    for flags in ([], ["--dry-run"]):
        said = home.run(*flags)
        assert said.code == 1
        assert "is not a feed of calsync" in said.err
    assert (home.folder / "follow-ups.ics").read_text() == "my diary\n"


def test_a_state_folder_that_cannot_be_made_is_one_clear_message(home: Home, monkeypatch):
    home.write("state", "a file stands here")
    monkeypatch.setenv("STATE_DIRECTORY", str(home.folder / "state"))
    said = home.run()
    assert (said.code, one_clear_message(said)) == (1, True)
    assert str(home.folder / "state") in said.err


def test_a_second_calsync_on_the_same_state_ends_with_75(home: Home):
    with opened(home.root / ".local" / "state" / "calsync", writes=True):
        said = home.process("--today", TODAY)
        dry = home.process("--today", TODAY, "--dry-run")
    assert said.code == 75
    assert one_clear_message(said)
    assert "another calsync is at work" in said.err
    assert not (home.folder / "follow-ups.ics").exists()
    assert dry.code == 0


def test_a_server_that_is_away_ends_with_4_and_the_feed_is_written_all_the_same(home: Home):
    home.on(f"http://127.0.0.1:{free_port()}/", also="feed: {path: follow-ups.ics}\n")
    said = home.run("--today", TODAY)
    assert said.code == 4
    assert said.err.startswith("calsync: ")
    assert "Traceback" not in said.err
    assert "4 created" in said.out
    assert (home.folder / "follow-ups.ics").exists()


def test_a_dry_run_with_the_server_away_shows_the_windows_and_says_so(home: Home):
    home.on(f"http://127.0.0.1:{free_port()}/")
    before = home.tree()
    said = home.run("--dry-run", "--today", TODAY)
    assert (said.code, said.err) == (0, "")
    assert "could not be compared" in said.out
    assert "Call Dana Ruiz at Acme Corp" in said.out
    code = home.run("--dry-run", "--today", TODAY, "--exit-code").code
    assert code == 0
    said = home.run("--dry-run", "--today", TODAY, "--json")
    assert said.code == 0
    assert said.json["not_compared"]
    assert home.tree() == before


def test_offline_asks_no_server(home: Home):
    def script(_asked: scripted.Asked) -> scripted.Reply:
        return scripted.Reply(500)

    with scripted.serve(script) as server:
        home.on(server.url)
        said = home.run("--dry-run", "--offline", "--today", TODAY)
        assert server.asked == []
    assert (said.code, said.err) == (0, "")
    assert "not asked (--offline)" in said.out
    assert "Call Dana Ruiz at Acme Corp" in said.out


def test_exit_code_tells_whether_there_is_anything_to_change(home: Home):
    assert home.run("--dry-run", "--exit-code", "--today", TODAY).code == 10
    assert home.run("--today", TODAY).code == 0
    assert home.run("--dry-run", "--exit-code", "--today", TODAY).code == 0
    assert home.run("--dry-run", "--today", TODAY).code == 0


def test_each_exit_code_leaves_the_process(home: Home):
    """0, 1, 75 and 130 are in other tests of this file."""
    assert home.process("--today", TODAY, "--dry-run", "--exit-code").code == 10
    assert home.process("--offline").code == 2
    home.on(f"http://127.0.0.1:{free_port()}/")
    assert home.process().code == 4
    home.write("applications.yaml", WRONG)
    assert home.process().code == 3


# ------------------------------------------------------------------------------------------- printing


def test_a_closed_pipe_ends_quietly(home: Home):
    for arguments in (["windows", "--today", TODAY, "--why", "--all"], ["--help"], ["check"]):
        read, write = os.pipe()
        os.close(read)
        with os.fdopen(write, "wb") as pipe:
            done = subprocess.run(command(*arguments), stdout=pipe, stderr=subprocess.PIPE, timeout=60, check=False)
        assert (done.returncode, done.stderr) == (0, b"")


def test_a_closed_standard_output_is_no_error(home: Home):
    done = subprocess.run(
        ["/bin/sh", "-c", f'"{sys.executable}" -m calsync windows --today {TODAY} >&-'],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_full_disk_is_one_clear_message(home: Home):
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command("windows"), stdout=full, stderr=subprocess.PIPE, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr == b"calsync: No space left on device\n"


@pytest.mark.parametrize("environ", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "LANG": "C"}, {"LC_ALL": "POSIX"}])
def test_a_terminal_without_our_characters_is_served(home: Home, environ):
    home.write("applications.yaml", JOURNAL + "      - contacted: 2026-11-20\n")
    said = home.process("windows", "--all", "--today", TODAY, **environ)
    assert (said.code, said.err) == (0, "")
    assert "Called Lee at Bolt Caf" in said.out
    listed = home.process("windows", "--all", "--today", TODAY, "--json", **environ)
    assert "Bolt Café" in [window["company"] for window in listed.json]


def test_ctrl_c_leaves_with_130_and_no_traceback(home: Home):
    def script(_asked: scripted.Asked) -> scripted.Reply:
        return scripted.Reply(silent=True)

    with scripted.serve(script) as server:
        home.on(server.url)
        with subprocess.Popen(command(), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            until(lambda: bool(server.asked))
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (130, b"", b"")


def until(true, seconds: float = 30) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


# -------------------------------------------------------------------------------------------- windows


def test_windows_are_a_line_each_in_the_order_of_their_days(home: Home):
    said = home.run("windows", "--today", TODAY)
    assert (said.code, said.err) == (0, "")
    days = "Mon 23 Nov to Fri 27 Nov"
    assert said.out.splitlines()[:2] == [
        f"{days}  firm       Call Dana Ruiz at Acme Corp (by Fri 27 Nov)  [acme/interview-follow-up/1.1]",
        f"{days}  firm       Call Lee at Bolt Café (by Fri 27 Nov)  [bolt/application-call/1]",
    ]
    assert [window["id"] for window in home.run("windows", "--today", TODAY, "--json").json] == [
        line.rpartition("[")[2].rstrip("]") for line in said.out.splitlines()
    ]


def test_windows_need_no_network(home: Home):
    home.on("http://127.0.0.1:1/")
    home.secret("")
    assert home.run("windows", "--today", TODAY).code == 0


def test_all_adds_what_is_past_and_why_the_reasons(home: Home):
    past = "2026-12-07"
    plain, everything = home.run("windows", "--today", past), home.run("windows", "--today", past, "--all")
    assert "missed" not in plain.out
    assert "missed" in everything.out
    assert set(plain.out.splitlines()) < set(everything.out.splitlines())
    why = home.run("windows", "--today", past, "--all", "--why").out
    assert "bolt:" in why.partition("Without a window:")[2]
    reasons = [each["why"] for each in home.run("windows", "--today", past, "--all", "--json").json]
    assert all(f"    {reason}\n" in why for each in reasons for reason in each)


def test_nothing_to_do_is_said(home: Home):
    home.write("applications.yaml", "applications: []\n")
    assert home.run("windows").out == "Nothing to do: no window is open or ahead.\n"
    assert home.run("windows", "--json").json == []


# -------------------------------------------------------------------------------------- what is written


def test_a_dry_run_makes_no_file_of_any_kind(home: Home, radicale: Server):
    home.on(radicale.url, calendar=f"Dry {home.root.name}", also="feed: {path: follow-ups.ics}\n")
    (home.folder / "applications.yaml").write_text(
        ASKED.replace("email: dana", "country: US, subdivision: IL, email: dana"), encoding="utf-8"
    )
    before = home.tree()
    for arguments in (["--dry-run"], ["--dry-run", "--offline"], ["--dry-run", "--json"]):
        said = home.run(*arguments, "--today", TODAY)
        assert (said.code, said.err) == (0, "")
        assert home.tree() == before
    assert home.process("--dry-run", "--today", TODAY).code == 0
    assert home.tree() == before


@pytest.mark.parametrize("command", ["windows", "status", "check"])
def test_what_asks_no_server_writes_holiday_tables_alone(home: Home, command):
    home.on("https://dav.example.org/")
    (home.folder / "applications.yaml").write_text(ASKED.replace("email: dana", "country: US, email: dana"))
    before = set(home.tree())
    assert home.run(command, "--today", TODAY).code == 0
    new = set(home.tree()) - before
    assert {path.split("/")[0] for path in new} == {"cache"}
    assert any(path.endswith("/US-2026.json") for path in new)


def test_a_dry_run_after_a_sync_touches_nothing_either(home: Home, radicale: Server):
    home.on(radicale.url, calendar=radicale.calendar(), also="feed: {path: follow-ups.ics}\n")
    assert home.run("--today", TODAY).code == 0
    home.write("applications.yaml", JOURNAL.replace("Lee", "Lee Chang"))
    before = home.tree()
    said = home.run("--dry-run", "--today", TODAY)
    assert said.code == 0
    assert "1 would be updated" in said.out
    assert home.tree() == before


def test_the_state_is_for_the_user_alone(home: Home):
    home.run("--today", TODAY)
    folder = home.root / ".local" / "state" / "calsync"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_same_today_gives_the_same_bytes(home: Home):
    feeds = []
    for _ in range(2):
        assert home.run("--today", TODAY).code == 0
        feeds.append((home.folder / "follow-ups.ics").read_bytes())
        (home.folder / "follow-ups.ics").unlink()
        (home.root / ".local" / "state" / "calsync" / "state.sqlite3").unlink()
    assert feeds[0] == feeds[1]
    assert b"BEGIN:VEVENT" in feeds[0]


def test_today_is_the_users_own_where_none_is_given(home: Home):
    """An event of yesterday is not ahead in any zone."""
    yesterday = datetime.now(ZoneInfo("Europe/Berlin")).date() - timedelta(days=1)
    home.write("applications.yaml", f"applications: [{{company: Acme, events: [{{interview: {yesterday}}}]}}]\n")
    assert home.run("windows").err == ""
    opens = date.fromisoformat(home.run("windows", "--json").json[0]["opens"])
    assert opens > yesterday
    assert home.run("--json").json["changes"]
    assert datetime.now(UTC).strftime("DTSTAMP:%Y%m") in (home.folder / "follow-ups.ics").read_text()


# ------------------------------------------------------------------------------------------- the secret


@contextmanager
def answering(status: int) -> Iterator[scripted.Scripted]:
    def script(_asked: scripted.Asked) -> scripted.Reply:
        return scripted.Reply(status, f"<html>{status}</html>", {"Retry-After": "0"} if status in (429, 503) else {})

    with scripted.serve(script) as server:
        yield server


def told(home: Home, *words: str) -> list[str]:
    """Every file below the home, but for the password file, that holds one of the words."""
    return [
        name
        for name, (_, _, text) in home.tree().items()
        if name != "job/password" and any(word.encode() in text for word in words)
    ]


ASKING = ([], ["--json"], ["--dry-run"])
"""The commands that ask the server."""

OTHERS = (["windows"], ["windows", "--json"], ["check"], ["check", "--json"])


def runs(home: Home) -> list[Said]:
    return [home.run(*arguments) for arguments in (*ASKING, *OTHERS)]


def runs_at_once(home: Home) -> list[Said]:
    """The same; those that ask a server at fault wait for seconds, so they run side by side, each on its own state."""

    def asked(arguments: list[str]) -> Said:
        return home.process(*arguments, STATE_DIRECTORY=str(home.root / "-".join(["state", *arguments])))

    with ThreadPoolExecutor(len(ASKING)) as pool:
        asking = pool.map(asked, ASKING)
        others = [home.run(*arguments) for arguments in OTHERS]
        return [*asking, *others]


@pytest.mark.parametrize("status", [200, 301, 401, 403, 404, 429, 500, 503])
def test_the_password_is_in_no_output_whatever_the_server_says(home: Home, status):
    with answering(status) as server:
        home.on(server.url)
        said = runs_at_once(home) if status == 500 else runs(home)
    assert not [each for each in said if PASSWORD in each.out + each.err]
    assert not [each for each in said if "Traceback" in each.err]
    assert said[0].code in (1, 4)
    assert told(home, PASSWORD) == []


def test_the_password_is_in_no_file_and_no_output_of_a_sync(home: Home, radicale: Server):
    home.on(radicale.url, calendar=radicale.calendar(), also="feed: {path: follow-ups.ics}\n")
    said = runs(home)
    assert {each.code for each in said} == {0}
    assert not [each for each in said if PASSWORD in each.out + each.err]
    assert told(home, PASSWORD) == []


@pytest.mark.parametrize("flags", [[], ["--dry-run"]])
def test_a_wrong_password_ends_with_4_and_is_not_told(home: Home, radicale: Server, flags):
    home.on(radicale.url)
    home.secret("quite-another-word")
    said = home.run(*flags)
    assert said.code == 4
    assert "refuses the login" in said.err
    assert "quite-another-word" not in said.out + said.err
    assert told(home, "quite-another-word") == []


@pytest.mark.parametrize("key", ["password", "pasword", "passwrd", "pwd", "tokn"])
def test_a_password_in_the_config_is_refused_and_not_shown(home: Home, key):
    home.on("http://127.0.0.1:1/")
    text = (home.folder / "config.yaml").read_text().replace("username", f"{key}: {PASSWORD}, username")
    home.write("config.yaml", text)
    for said in runs(home):
        assert said.code == 3
        assert PASSWORD not in said.out + said.err


def test_a_password_command_that_fails_does_not_tell_what_it_printed(home: Home):
    home.on("http://127.0.0.1:1/")
    text = (home.folder / "config.yaml").read_text()
    home.write("word", PASSWORD)
    home.write("config.yaml", text.replace("password_file: password", "password_command: 'cat word; exit 3'"))
    said = home.run()
    assert said.code == 4
    assert "exit code 3" in said.err
    assert PASSWORD not in said.out + said.err
