"""`caldav.url: embedded`: a sync runs the server for its own time, or finds it; a dry run touches nothing."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest

from calsync import config, opening, sync
from calsync.config import Config
from calsync.credentials import Secret
from calsync.errors import ConfigError, LoginError, UnreachableError
from calsync.targets.caldav import CaldavTarget
from tests.samples import JOURNAL, REJECTED
from tests.servers import free_port
from tests.test_sync import NOW, counted


class Home:
    """A user's folder with an embedded server."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.write(JOURNAL)

    @property
    def environ(self) -> Mapping[str, str]:
        return {"STATE_DIRECTORY": str(self.folder / "state")}

    def write(self, journal: str) -> None:
        (self.folder / "applications.yaml").write_text(journal, encoding="utf-8")

    def settings(self, more: str = "") -> Config:
        path = self.folder / "config.yaml"
        path.write_text(
            "timezone: Europe/Berlin\napplications: applications.yaml\netiquette: {horizon_days: 14}\n"
            f"caldav: {{url: embedded{more}}}\n",
            encoding="utf-8",
        )
        return config.load(path, {}, self.folder)

    def run(self, more: str = "", **flags: bool) -> sync.Report:
        settings = self.settings(more)
        return sync.run_once(settings, sync.Moment.of(NOW, None, settings.timezone), self.environ, **flags)

    def files(self) -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in self.folder.rglob("*") if path.is_file()}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_a_sync_writes_into_a_calendar_of_its_own_and_the_next_has_nothing_to_do(home: Home):
    first = home.run()
    assert (counted(first), first.exit_code) == ((3, 0, 0), 0)
    assert first.outcomes[0].where == "embedded/calsync/job-search/"
    second = home.run()
    assert (counted(second), second.outcomes[0].unchanged) == ((0, 0, 0), 3)
    assert second.outcomes[0].where == first.outcomes[0].where
    assert second.outcomes[0].requests == 1, "the calendar was found by the note, whatever the port"


def test_a_deletion_by_hand_is_remembered_though_the_port_is_another_each_time(home: Home):
    home.run()
    with opening.server(home.settings().caldav, home.environ) as server:
        target = CaldavTarget(url=server.url, username=server.username, password=server.password, calendar="Job search")
        with closing(target):
            found = target.fetch(target.listing().etags)
            target.delete(next(item for item in found.values() if "bolt" in item.body))
    report = home.run()
    assert counted(report) == (0, 0, 0)
    assert [answer.event.window for answer in report.outcomes[0].answers] == ["bolt/application-call/1"]
    assert counted(home.run()) == (0, 0, 0)


def test_the_data_outlive_the_cache(home: Home):
    home.run()
    (home.folder / "state" / "state.sqlite3").unlink()
    report = home.run()
    assert (counted(report), report.outcomes[0].unchanged) == ((0, 0, 0), 3)


def test_nothing_listens_after_the_sync(home: Home):
    home.run()
    assert "embedded CalDAV" not in {thread.name for thread in threading.enumerate()}
    assert not (home.folder / "state" / "server" / "address").exists()


def test_a_dry_run_starts_nothing_on_the_users_data(home: Home):
    before = {**home.files(), home.folder / "config.yaml": b""}
    report = home.run(dry_run=True)
    assert (counted(report), report.not_compared) == ((3, 0, 0), None)
    assert set(home.files()) == set(before)
    home.run()
    home.write(REJECTED)
    before = home.files()
    report = home.run(dry_run=True)
    assert counted(report) == (0, 0, 1)
    assert home.files() == before


def test_a_server_that_runs_already_is_used_by_syncs_and_dry_runs(home: Home):
    port = free_port()
    settings = home.settings(f", listen: '127.0.0.1:{port}'")
    with opening.server(settings.caldav, home.environ) as server:
        assert server.url == f"http://127.0.0.1:{port}/"
        first = home.run(f", listen: '127.0.0.1:{port}'")
        assert (counted(first), first.errors) == ((3, 0, 0), [])
        dry = home.run(f", listen: '127.0.0.1:{port}'", dry_run=True)
        assert (counted(dry), dry.outcomes[0].unchanged) == ((0, 0, 0), 3)
        elsewhere = home.run()
        assert elsewhere.outcomes[0].unchanged == 3, "it is found by its folder, not by the config's address"
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    assert home.run().outcomes[0].unchanged == 3


def test_a_taken_address_ends_the_sync_with_4(home: Home):
    with socket.create_server(("127.0.0.1", 0)) as other:
        report = home.run(f", listen: '127.0.0.1:{other.getsockname()[1]}'")
    assert report.exit_code == 4
    [error] = report.errors
    assert isinstance(error, UnreachableError)


def test_a_new_password_counts_at_once_and_the_old_one_no_more(home: Home):
    settings = home.settings()
    old = opening.login(settings, home.environ, new=False)
    assert opening.login(settings, home.environ, new=False).password.reveal() == old.password.reveal()
    with opening.server(settings.caldav, home.environ) as server:
        _ask(server.url, old.password)
        new = opening.login(settings, home.environ, new=True)
        assert new.password.reveal() != old.password.reveal()
        _ask(server.url, new.password)
        with pytest.raises(LoginError):
            _ask(server.url, old.password)
        assert home.run().exit_code == 0


def _ask(url: str, password: Secret) -> None:
    with closing(CaldavTarget(url=url, username="calsync", password=password, calendar="Job search")) as target:
        target.listing()


def test_only_an_embedded_server_has_a_password_to_show(home: Home):
    settings = home.settings()
    path = home.folder / "config.yaml"
    path.write_text(path.read_text().replace("embedded", "'https://dav.example/'"), encoding="utf-8")
    with pytest.raises(ConfigError, match="no server of calsync's own"):
        opening.login(config.load(path, {}, home.folder), home.environ, new=False)
    assert opening.login(settings, home.environ, new=False).url is None


def test_the_command_shows_the_login_and_changes_it(home: Home, capsys: pytest.CaptureFixture[str], monkeypatch):
    from calsync.cli import main

    home.settings(", listen: '127.0.0.1:5232'")
    monkeypatch.setenv("STATE_DIRECTORY", str(home.folder / "state"))
    options = ["--config", str(home.folder / "config.yaml")]
    assert main(["password", *options]) == 0
    shown = capsys.readouterr().out
    assert main(["password", *options, "--json"]) == 0
    login = json.loads(capsys.readouterr().out)
    assert login["url"] == "http://127.0.0.1:5232/"
    assert login["password"] in shown
    assert main(["password", *options, "--new"]) == 0
    assert login["password"] not in capsys.readouterr().out
