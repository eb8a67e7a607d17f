"""`calsync windows --json` of a large journal is what the small parts of it would come to, in one order."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from calsync import book, config, dump, listing
from calsync.uids import uids

TODAY = date(2026, 11, 20)
APPLICATIONS = 2 * dump.LEAST + 100
"""Two processors have enough to do, though a tenth of the applications lead to a person of others."""


def journal(folder: Path, count: int) -> Path:
    lines = ["applications:"]
    for number in range(count):
        lines += [
            f"  - company: Company {number}",
            f"    contact: {{name: Contact {number}, email: 'c{number if number % 10 else number // 20}@example.com'}}",
            f"    events: [applied: 2026-11-{number % 9 + 1:02}, interview: 2026-11-{number % 9 + 10}]",
        ]
    (folder / "applications.yaml").write_text("\n".join(lines), encoding="utf-8")
    (folder / "config.yaml").write_text("applications: applications.yaml\ntimezone: Europe/Berlin\n", encoding="utf-8")
    return folder / "config.yaml"


def process(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`calsync windows --json` in a process of its own, as it may fork."""
    command = [sys.executable, "-m", "calsync", "windows", "--json", "--config", str(folder / "config.yaml")]
    environ = {**os.environ, "XDG_STATE_HOME": str(folder / "state")}
    return subprocess.run([*command, *arguments], env=environ, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("count", [0, 3, APPLICATIONS])
@pytest.mark.parametrize("everything", [False, True])
def test_the_windows_are_those_of_the_outlook(tmp_path: Path, count: int, everything: bool) -> None:
    path = journal(tmp_path, count)
    settings = config.load(path, {}, tmp_path)
    shown = listing.current(book.look(settings, TODAY).windows, everything=everything)
    expected = listing.windows_json(shown, uids(settings, shown, {"XDG_STATE_HOME": str(tmp_path / "state")}))
    done = process(tmp_path, "--today", str(TODAY), *(["--all"] if everything else []))
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert told == json.loads(json.dumps(expected))
    assert len(told) >= count * 2 // 3


def test_a_wrong_journal_says_so_and_gives_nothing(tmp_path: Path) -> None:
    journal(tmp_path, APPLICATIONS)
    with (tmp_path / "applications.yaml").open("a", encoding="utf-8") as file:
        file.write("\n  - company: Acme\n    events: [applied: yesterday]\n")
    done = process(tmp_path)
    assert (done.returncode, done.stdout) == (3, "")
    assert "'yesterday' is not a day" in done.stderr
