"""`calsync demo`: it always shows something, and leaves nothing behind."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from itertools import takewhile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calsync import demo

EXAMPLE = (Path(__file__).parent.parent / "applications.example.yaml").read_text(encoding="utf-8")
ANCHOR = date(2026, 11, 18)
DAYS = ["2026-11-22", "2024-02-29", "2025-12-31", "1971-01-01", "2198-12-31"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where temporary folders are made."""
    made = tmp_path / "temporary"
    made.mkdir()
    monkeypatch.setenv("TMPDIR", str(made))
    monkeypatch.setattr("tempfile.tempdir", str(made))
    monkeypatch.setenv("HOME", str(tmp_path))
    return made


def run(today: str) -> tuple[int, list[str]]:
    lines: list[str] = []
    return demo.run(date.fromisoformat(today), once=True, say=lines.append), lines


@pytest.mark.parametrize("today", DAYS)
def test_on_any_day_it_shows_a_calendar_and_leaves_nothing(folder: Path, today: str):
    code, lines = run(today)
    assert code == 0
    begin = next(number for number, line in enumerate(lines) if "read back from the server" in line)
    agenda = lines[begin + 1 : lines.index("", begin)]
    [created] = re.findall(r"^    (\d+) created, .* requests$", "\n".join(lines[:begin]), re.MULTILINE)
    assert int(created) > 5
    assert len([line for line in agenda if line.startswith("      ")]) == int(created)
    assert any("Priya Nair" in line for line in agenda)
    assert list(folder.iterdir()) == []


def test_it_shows_times_and_what_is_tentative_and_names_no_server_that_has_ended(folder: Path):
    _code, lines = run("2026-11-18")
    said = "\n".join(lines)
    assert re.search(r"1\d:\d\d to 1\d:\d\d", said), "a timed event has its times"
    assert "(tentative)" in said
    assert lines[-1].startswith("All of it is removed again. Without --once the server stays up")
    assert "password" not in said


@given(st.dates(date(1971, 1, 1), date(2198, 12, 31)))
def test_the_example_moves_by_whole_weeks_into_that_of_today(today: date):
    moved = demo.shifted(EXAMPLE, today)
    was, now = (re.findall(r"\d{4}-\d{2}-\d{2}", text) for text in (EXAMPLE, moved))
    steps = {date.fromisoformat(after) - date.fromisoformat(before) for before, after in zip(was, now, strict=True)}
    assert len(steps) == 1
    step = steps.pop().days
    assert step % 7 == 0
    assert date.fromisocalendar(*today.isocalendar()[:2], 1) <= ANCHOR + (date.resolution * step)
    assert ANCHOR + date.resolution * step <= date.fromisocalendar(*today.isocalendar()[:2], 7)


def must_say_where_to_look(said: str) -> None:
    url = re.search(r"server    (http://127\.0\.0\.1:\d+/)", said)
    assert url
    assert f"caldav: {url[1]}" in said
    assert re.search(r"user      \S+\n", said)
    assert re.search(r"password  \S{20,}\n", said)
    assert re.search(r"follow-ups\.ics\n", said)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_it_stays_until_it_is_told_to_end_and_then_takes_everything_away(folder: Path, ending: signal.Signals):
    with subprocess.Popen(
        [sys.executable, "-m", "calsync", "demo", "--today", "2026-11-18"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        must_say_where_to_look("".join(takewhile(lambda line: "until you press Ctrl-C" not in line, process.stdout)))
        assert [path.name for path in folder.iterdir() if path.name.startswith("calsync-demo-")]
        process.send_signal(ending)
        rest, errors = process.communicate(timeout=30)
    assert (process.returncode, rest, errors) == (0, "Removed.\n", "")
    assert list(folder.iterdir()) == []


def test_a_signal_in_the_middle_of_its_work_takes_everything_away_too(folder: Path):
    with subprocess.Popen(
        [sys.executable, "-m", "calsync", "demo", "--today", "2026-11-18"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        _rest, errors = process.communicate(timeout=30)
    assert process.returncode in (0, 130)
    assert "Traceback" not in errors
    assert list(folder.iterdir()) == []
