"""The embedded server really serves CalDAV, to its one user alone, once a folder, and leaves nothing running."""

from __future__ import annotations

import http.client
import logging
import socket
import ssl
import subprocess
import sys
import threading
from base64 import b64encode
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from calsync.credentials import Secret
from calsync.errors import BusyError, CalsyncError, LoginError, UnreachableError
from calsync.server import embedded, login
from calsync.server.embedded import EmbeddedServer, at_hand, for_reading, serve
from calsync.server.listening import Listen
from calsync.targets.caldav import CaldavTarget
from tests.servers import free_port
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
    assert "calsync listener" not in {thread.name for thread in threading.enumerate()}


def test_it_ends_when_the_block_fails(folder: Path) -> None:
    with pytest.raises(ZeroDivisionError), serve(folder):
        raise ZeroDivisionError
    assert "calsync listener" not in {thread.name for thread in threading.enumerate()}


def test_the_password_is_readable_by_its_owner_alone_and_not_in_the_log(folder: Path) -> None:
    with serve(folder) as server:
        word = server.password.reveal()
        stranger = target(server, Secret("wrong"))
        with pytest.raises(LoginError):
            stranger.listing()
        stranger.close()
    assert (folder / "users").stat().st_mode & 0o777 == 0o600
    assert (folder / "password").stat().st_mode & 0o777 == 0o600
    assert (folder / "users").read_text().startswith("calsync:$2b$"), "a bcrypt hash"
    assert word not in (folder / "users").read_text()
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


def test_a_process_of_its_own_prints_nothing_at_the_first_start(folder: Path) -> None:
    """Radicale has things to say then, before anything else is logged."""
    code = "from calsync.server.embedded import *; from pathlib import Path\nwith serve(Path('{}')): pass"
    done = subprocess.run([sys.executable, "-c", code.format(folder)], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")
    assert "creating now" in (folder / "log").read_text()


def test_one_process_serves_a_folder_and_the_others_find_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(folder) as first:
        with monkeypatch.context() as patience:
            patience.setattr(embedded, "ANSWER_SECONDS", 0.1)
            with pytest.raises(BusyError, match="another calsync runs the CalDAV server"):
                _start(folder, Listen())
        for finding in (at_hand(folder), for_reading(folder)):
            with finding as found:
                assert found.url == first.url
                assert found.password.reveal() == first.password.reveal()
    with at_hand(folder) as second:
        assert list(folder.glob("address"))
        assert second.password.reveal() == first.password.reveal()


def test_an_address_that_a_killed_server_left_behind_is_not_believed(folder: Path) -> None:
    with serve(folder):
        pass
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        stranger.settimeout(0)
        (folder / "address").write_text(f"http://127.0.0.1:{stranger.getsockname()[1]}/")
        with at_hand(folder) as server:
            assert str(stranger.getsockname()[1]) not in server.url
        with pytest.raises(BlockingIOError):  # nobody has come to it with the password
            stranger.accept()


def test_reading_touches_nothing_in_the_folder(folder: Path) -> None:
    with for_reading(folder) as server:
        first = target(server)
        assert first.listing().whole
        first.close()
    assert not folder.exists()
    with serve(folder) as server:
        first = target(server)
        first.listing()
        first.create("one.ics", event("one"))
        first.close()
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    with for_reading(folder) as server:
        second = target(server)
        assert len(second.listing().etags) == 1
        second.create("two.ics", event("two"))
        second.close()
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_other_users_of_the_machine_may_not_read_the_password_file(folder: Path) -> None:
    with serve(folder):
        pass
    (folder / "password").chmod(0o644)
    with pytest.raises(LoginError, match="chmod 600"):
        _start(folder, Listen())


def test_a_lost_or_odd_htpasswd_file_is_made_again_from_the_password(folder: Path) -> None:
    word = login.password(folder).reveal()
    for odd in (None, "", "calsync:plain\n", "calsync:$2b$05$short\n"):
        (folder / "users").unlink()
        if odd is not None:
            (folder / "users").write_text(odd)
        with serve(folder) as server:
            assert server.password.reveal() == word


def test_a_taken_port_is_told(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(UnreachableError, match=f"127.0.0.1:{port}: Address already in use"):
            _start(folder, Listen(port=port))


def _start(folder: Path, listen: Listen) -> None:
    with serve(folder, listen):
        pass


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for localhost, signed by itself, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "server.pem", folder / "server.key"
    request = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    files = ["-out", str(certificate), "-keyout", str(key)]
    subprocess.run(["openssl", "req", *request, *names, *files], check=True, capture_output=True)
    return certificate, key


def test_tls_is_for_others_and_calsync_comes_over_loopback(folder: Path, pair: tuple[Path, Path]) -> None:
    port = free_port()
    with serve(folder, Listen("127.0.0.1", port, *pair)) as server:
        assert server.url.startswith("http://127.0.0.1:")
        assert urlsplit(server.url).port != port
        context = ssl.create_default_context(cafile=pair[0])
        with socket.create_connection(("127.0.0.1", port)) as stalled:  # greets nobody, and holds nobody up
            https = http.client.HTTPSConnection("localhost", port, context=context, timeout=10)
            word = b64encode(f"{server.username}:{server.password.reveal()}".encode()).decode()
            https.request("PROPFIND", "/calsync/", headers={"Authorization": f"Basic {word}", "Depth": "0"})
            assert https.getresponse().status == 207
            https.close()
            assert stalled.fileno() > 0
        plain = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        plain.request("PROPFIND", "/calsync/", headers={"Authorization": f"Basic {word}"})
        with pytest.raises((OSError, http.client.HTTPException)):
            plain.getresponse()
        plain.close()


def test_a_certificate_that_cannot_be_used_is_told(folder: Path, pair: tuple[Path, Path], tmp_path: Path) -> None:
    for certificate, key in ((tmp_path / "none.pem", pair[1]), (pair[1], pair[0]), (pair[0], pair[0])):
        with pytest.raises(CalsyncError, match="cannot use the TLS certificate"):
            _start(folder, Listen("127.0.0.1", 0, certificate, key))


@pytest.mark.parametrize(
    ("listen", "url"),
    [
        (Listen.of("127.0.0.1:5232"), "http://127.0.0.1:5232/"),
        (Listen.of("[::1]:5232"), "http://[::1]:5232/"),
        (Listen.of("dav.home:443", Path("c"), Path("k")), "https://dav.home:443/"),
        (Listen.of("0.0.0.0:5232"), f"http://{socket.gethostname()}:5232/"),
    ],
)
def test_the_address_for_apps(listen: Listen, url: str) -> None:
    assert listen.url == url


def test_it_listens_on_ipv6_too(folder: Path) -> None:
    with serve(folder, Listen("::1", 0)) as server:
        assert server.url.startswith("http://[::1]:")
        first = target(server)
        assert first.listing().whole
        first.close()


def test_a_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CalsyncError, match="cannot use the folder"), serve(tmp_path / "file"):
        pass


def test_without_radicale_the_error_says_what_to_install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("radicale", "bcrypt"):
        monkeypatch.setitem(sys.modules, module, None)  # as if it were not installed
        with pytest.raises(CalsyncError, match=r"pip install 'calsync\[server\]'"):
            _start(folder, Listen())
