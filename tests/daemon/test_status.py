"""`calsync status`, where a daemon has run on the same state."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from calsync import cli
from calsync.daemon import health
from calsync.daemon.health import Health

CONFIG = "timezone: Europe/Berlin\napplications: applications.yaml\nfeed: {path: f.ics}\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The state's folder, with a config and a journal beside it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    monkeypatch.setenv("CACHE_DIRECTORY", str(tmp_path / "cache"))
    monkeypatch.delenv("CALSYNC_CONFIG", raising=False)
    (tmp_path / "config.yaml").write_text(CONFIG)
    (tmp_path / "applications.yaml").write_text("applications: [{company: Acme}]\n")
    (tmp_path / "state").mkdir()
    return tmp_path / "state"


def fine() -> Health:
    now = datetime.now(UTC)
    return Health(pid=1, started=now, updated=now, config="c", versions={"calsync": "1"}, next_run=now)


def test_without_a_daemon_there_is_nothing_to_say_of_it(folder: Path, capsys):
    assert cli.main(["status"]) == 0
    assert "daemon" not in capsys.readouterr().out


def test_the_daemon_stands_below_the_table(folder: Path, capsys):
    health.publish(folder, fine())
    with health.locked(folder):
        assert cli.main(["status"]) == 0
    out = capsys.readouterr().out
    assert "acme" in out
    assert out.index("acme") < out.index("daemon: fine, process 1 since ")


@pytest.mark.parametrize("arguments", [["status"], ["status", "--json"], ["status", "--daemon"]])
def test_a_stale_daemon_ends_it_with_1(folder: Path, capsys, arguments):
    health.publish(folder, fine())  # and nobody has the lock
    assert cli.main(arguments) == 1
    said = capsys.readouterr()
    assert "daemon: stale, it ended unasked" in (said.err if "--json" in arguments else said.out)


def test_the_daemon_alone_needs_no_config(folder: Path, capsys):
    (folder.parent / "config.yaml").unlink()
    stopped = replace(fine(), stopped=datetime.now(UTC) - timedelta(days=1))
    health.publish(folder, stopped)
    assert cli.main(["status", "--daemon", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["verdict"], told["versions"], told["runs"]) == ("stopped", {"calsync": "1"}, False)
    assert cli.main(["status", "--daemon"]) == 0
    assert capsys.readouterr().out.startswith("daemon: stopped, since ")


def test_who_asks_for_a_daemon_where_none_was_gets_an_error(folder: Path, capsys):
    assert cli.main(["status", "--daemon"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("calsync: no daemon has run on this state")
