"""The embedded server really serves CalDAV, to its one user alone, and leaves nothing running."""

from __future__ import annotations

import logging
import socket
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from calsync.credentials import Secret
from calsync.errors import CalsyncError, LoginError, UnreachableError
from calsync.server import embedded
from calsync.server.embedded import EmbeddedServer, serve
from calsync.targets.caldav import CaldavTarget
from tests.targets.contract import event


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "a folder with spaces, ü"


def target(server: EmbeddedServer, password: Secret | None = None) -> CaldavTarget:
    """A calendar on it, as `caldav.url: embedded` uses it."""
    login = {"username": server.username, "password": password or server.password}
    return CaldavTarget(url=server.url, calendar="Job search", **login)


def test_a_calendar_can_be_made_found_and_read(folder: Path) -> None:
    with serve(folder) as server:
        first = target(server)
        assert first.listing().whole
        href = first.create("one.ics", event("one")).href
        second = target(server)
        assert list(second.listing().etags) == [href]
        assert second.where == server.calendar_url("job-search")
        first.close()
        second.close()


def test_data_and_password_are_there_again_after_a_restart(folder: Path) -> None:
    with serve(folder) as server:
        before = server.password.reveal()
        first = target(server)
        first.listing()
        first.create("one.ics", event("one"))
        first.close()
    with serve(folder) as server:
        assert server.password.reveal() == before
        second = target(server)
        assert len(second.listing().etags) == 1
        second.close()


def test_only_its_user_gets_in(folder: Path) -> None:
    with serve(folder) as server:
        stranger = target(server, Secret("wrong"))
        with pytest.raises(LoginError):
            stranger.listing()
        stranger.close()


def test_it_listens_on_loopback_alone_and_no_more_after_the_end(folder: Path) -> None:
    with serve(folder) as server:
        address = urlsplit(server.url)
        assert address.hostname == "127.0.0.1"
    with pytest.raises(ConnectionRefusedError), socket.create_connection((address.hostname, address.port)):
        pass
    assert "embedded CalDAV" not in {thread.name for thread in threading.enumerate()}


def test_it_ends_when_the_block_fails(folder: Path) -> None:
    with pytest.raises(ZeroDivisionError), serve(folder):
        raise ZeroDivisionError
    assert "embedded CalDAV" not in {thread.name for thread in threading.enumerate()}


def test_the_password_is_readable_by_its_owner_alone_and_not_in_the_log(folder: Path) -> None:
    with serve(folder) as server:
        word = server.password.reveal()
        stranger = target(server, Secret("wrong"))
        with pytest.raises(LoginError):
            stranger.listing()
        stranger.close()
    assert (folder / "users").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert word not in (folder / "log").read_text()
    assert word not in repr(server)
    assert len(word) >= 20


def test_it_is_quiet_but_for_its_log_file(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    handlers = list(logging.getLogger().handlers)
    with serve(folder) as server:
        stranger = target(server, Secret("wrong"))
        with pytest.raises(LoginError):
            stranger.listing()
        stranger.close()
    assert capfd.readouterr() == ("", "")
    assert logging.getLogger().handlers == handlers
    assert "Failed login" in (folder / "log").read_text()


def test_a_taken_port_is_told(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(UnreachableError, match=f"127.0.0.1:{port}: Address already in use"), serve(folder, port):
            pass


def test_a_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CalsyncError, match="cannot use the folder"), serve(tmp_path / "file"):
        pass


def test_without_radicale_the_error_says_what_to_install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "radicale", None)  # as if it were not installed
    with pytest.raises(CalsyncError, match=r"pip install 'calsync\[server\]'"), embedded.serve(folder):
        pass
