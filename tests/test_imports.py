"""What each command may load: libraries and parts of calsync come in where they are needed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

JOURNAL = """\
applications:
  - company: Acme
    contact: {name: Dana, phone: +1 312 555 0100, country: US, subdivision: IL}
    events: [{interview: 2026-11-12}]
"""
CONFIG = """\
timezone: Europe/Berlin
country: DE
applications: applications.yaml
feed: {path: follow-ups.ics}
caldav: {url: "http://127.0.0.1:9", username: alice, password_env: WORD, calendar: Job search}
"""
HEAVY = set(
    """
    aiohttp apscheduler bcrypt caldav dns holidays icalendar inotify_simple jinja2 lxml niquests phonenumbers pycurl
    radicale requests sqlite3 ssl subprocess tenacity tzlocal asyncio email http importlib.metadata logging tempfile
    """.split()  # noqa: SIM905  # a list of words reads better without the quotes
)
"""What takes longer to load than a journal to read, or has no business where nothing is written or asked."""

MAY_LOAD: dict[str, set[str]] = {
    "windows": set(),
    "windows --all --why": set(),
    "windows --json": {"sqlite3"},
    "check": set(),
    "why acme": {"sqlite3"},
    "--version": set(),
    "--help": set(),
    "--dry-run": set(  # nothing answers there, so it is tried again
        "caldav email jinja2 logging lxml phonenumbers pycurl sqlite3 tempfile tenacity".split()  # noqa: SIM905  # as above
    ),
}
"""Of these, what each command may load once the holiday tables are in the cache."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A config and a journal, with the holidays of both places in the cache."""
    made = tmp_path_factory.mktemp("imports")
    (made / "config.yaml").write_text(CONFIG)
    (made / "applications.yaml").write_text(JOURNAL)
    loaded(made, "windows")
    return made


def loaded(folder: Path, command: str) -> set[str]:
    """The modules that a command loads, in a process of its own that has nothing else to do."""
    code = (
        "import sys, json; before = set(sys.modules)\n"
        "from calsync.cli import main\n"
        "code = main([*sys.argv[1:]])\n"
        "print(json.dumps([code, sorted(set(sys.modules) - before)]), file=sys.stderr)"
    )
    keep = {name: value for name, value in os.environ.items() if "COV" not in name}  # coverage loads things itself
    environ = keep | {
        "XDG_CACHE_HOME": str(folder / "cache"),
        "XDG_STATE_HOME": str(folder / "state"),
        "WORD": "secret",
    }
    today = ["--today", "2026-11-20"] if not command.startswith("--") else []
    arguments = [sys.executable, "-c", code, *command.split(), *today]
    done = subprocess.run(arguments, cwd=folder, env=environ, capture_output=True, text=True, check=True)
    result, modules = json.loads(done.stderr.splitlines()[-1])
    assert result == 0, done.stderr
    return set(modules)


@pytest.mark.parametrize(("command", "allowed"), MAY_LOAD.items())
def test_a_command_loads_what_it_needs(folder, command, allowed):
    assert loaded(folder, command) & HEAVY <= allowed


@pytest.mark.parametrize("command", ["windows", "check"])
def test_a_command_that_asks_no_server_knows_no_part_of_a_sync(folder, command):
    parts = {"sync", "reconcile", "state", "plan", "ical", "targets", "server", "daemon", "opening", "remote"}
    assert {module for module in loaded(folder, command) if module.startswith("calsync.")} & {
        f"calsync.{part}" for part in parts
    } == set()
