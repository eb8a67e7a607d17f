"""What the daemon publishes, and what others make of it."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from calsync.daemon import health
from calsync.daemon.health import Health, LastSync, Verdict
from calsync.errors import BusyError, CalsyncError

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
FINE = Health(
    pid=4711,
    started=NOW - timedelta(days=3),
    updated=NOW,
    config="/home/alice/config.yaml",
    versions={"calsync": "0.1.0", "Python": "3.13.5"},
    last_sync=LastSync(at=NOW, because="interval", took=0.25, requests=1, unchanged=3),
    last_good=NOW,
    next_run=NOW + 15 * MINUTE,
    next_window="2026-11-30",
)


@pytest.mark.parametrize(
    ("found", "later", "verdict", "code"),
    [
        (FINE, 0 * MINUTE, Verdict.FINE, 0),
        (FINE, 24 * MINUTE, Verdict.FINE, 0),
        (FINE, 26 * MINUTE, Verdict.STALE, 1),
        (replace(FINE, errors={"server": "away"}), MINUTE, Verdict.FAILING, 1),
        (replace(FINE, runs=False), MINUTE, Verdict.STALE, 1),
        (replace(FINE, runs=False, stopped=NOW), timedelta(days=9), Verdict.STOPPED, 0),
        (replace(FINE, stopped=NOW), MINUTE, Verdict.FINE, 0),
        (replace(FINE, next_run=None), 9 * MINUTE, Verdict.FINE, 0),
        (replace(FINE, next_run=None), 11 * MINUTE, Verdict.STALE, 1),
    ],
)
def test_the_verdict_says_whether_somebody_should_look(found, later, verdict, code):
    assert found.verdict(NOW + later) is verdict
    assert found.exit_code(NOW + later) == code
    assert next(found.text(NOW + later)).startswith(f"daemon: {verdict}, ")
    assert found.as_json(NOW + later)["verdict"] == verdict


def test_what_is_published_is_what_is_read(tmp_path: Path):
    full = replace(FINE, errors={"journal": "a.yaml:1:1: wrong\n    x\n    ^"}, stopped=NOW)
    for each in (FINE, full, replace(FINE, last_sync=None, last_good=None, next_run=None, next_window=None)):
        health.publish(tmp_path, each)
        with health.locked(tmp_path):
            assert health.read({"STATE_DIRECTORY": str(tmp_path)}) == each
        assert health.read({"STATE_DIRECTORY": str(tmp_path)}) == replace(each, runs=False)


def test_a_path_that_is_no_text_is_told_all_the_same(tmp_path: Path):
    """Names of files are bytes; Python hands on what is no UTF-8 as lone surrogates (PEP 383)."""
    odd = replace(FINE, config="/home/alice/caf\udce9/config.yaml")
    health.publish(tmp_path, odd)
    assert health.read({"STATE_DIRECTORY": str(tmp_path)}) == replace(odd, runs=False)


def test_it_is_for_its_owner_alone(tmp_path: Path):
    health.publish(tmp_path, FINE)
    assert stat.S_IMODE((tmp_path / "daemon.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("text", [None, "", "{", "[]", "3", '{"pid": 1}', '{"nonsense": 1}'])
def test_no_file_or_another_one_is_no_health(tmp_path: Path, text):
    if text is not None:
        (tmp_path / "daemon.json").write_text(text)
    assert health.read({"STATE_DIRECTORY": str(tmp_path)}) is None
    assert health.read({"STATE_DIRECTORY": str(tmp_path / "nowhere")}) is None
    (tmp_path / "file").touch()
    assert health.read({"STATE_DIRECTORY": str(tmp_path / "file")}) is None


def test_times_are_told_in_the_zone_of_who_reads_and_errors_with_all_their_lines():
    from zoneinfo import ZoneInfo

    found = replace(FINE, errors={"journal": "a.yaml:1:1: wrong\n    x"}, last_good=NOW - timedelta(days=1))
    assert list(found.text((NOW + MINUTE).astimezone(ZoneInfo("Europe/Berlin")))) == [
        "daemon: failing, process 4711 since 2026-11-20 13:00",
        "    last sync  13:00:00 (interval), 0.2 s, 1 requests, 3 unchanged",
        "    last good  2026-11-22 13:00",
        "    next sync  13:15:00",
        "    error      journal: a.yaml:1:1: wrong",
        "                   x",
        "    versions   calsync 0.1.0, Python 3.13.5",
    ]


def test_of_one_that_is_fine_the_last_good_sync_is_no_news_and_of_one_that_was_stopped_the_next_is_none():
    before = replace(FINE, last_good=NOW - timedelta(days=1))
    assert [line.split()[:2] for line in before.text(NOW)] == [
        ["daemon:", "fine,"],
        ["last", "sync"],
        ["next", "sync"],
        ["versions", "calsync"],
    ]
    stopped = replace(FINE, runs=False, stopped=NOW)
    assert [line.split()[:2] for line in stopped.text(NOW)] == [
        ["daemon:", "stopped,"],
        ["last", "sync"],
        ["versions", "calsync"],
    ]
    never = replace(FINE, last_good=None, next_run=None, errors={"server": "away"})
    assert not any("None" in line or "last good" in line or "next sync" in line for line in never.text(NOW))


def test_there_is_one_daemon_for_a_state(tmp_path: Path):
    with health.locked(tmp_path / "state"), pytest.raises(BusyError), health.locked(tmp_path / "state"):
        pass
    (tmp_path / "file").write_text("")
    with pytest.raises(CalsyncError, match="cannot be written"), health.locked(tmp_path / "file"):
        pass
