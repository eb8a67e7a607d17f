"""The daemon as a process: real signals, a real server, real files. What systemd does to it is in `tests/system`."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from calsync.daemon import health
from calsync.daemon.health import Health
from calsync.errors import BusyError
from tests import scripted
from tests.servers import PASSWORD, Server, free_port
from tests.servers import radicale as start_radicale

JOURNAL = """\
applications:
  - id: acme
    company: Acme Corp
    contact: {name: Dana Ruiz, phone: +1 312 555 0100, email: dana@acme.example}
    events:
      - applied: 2020-11-19
      - offer: 2020-12-01
        respond_by: 2199-12-10
"""
"""An offer with a term far ahead: there is a window in whichever year the tests are run."""

SECONDS = 20
"""How long anything may take before a test gives up."""


def eventually(ask: Callable[[], object], process: subprocess.Popen[bytes]) -> object:
    """What `ask` gives as soon as it gives anything."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        if found := ask():
            return found
        assert process.poll() is None or ask(), "the daemon ended"
        time.sleep(0.02)
    raise AssertionError("it did not come to pass")


class Home:
    """A user's folder with a daemon on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "log"
        self.environ = {"STATE_DIRECTORY": str(folder / "state"), "CACHE_DIRECTORY": str(folder / "cache")}
        self.write("applications.yaml", JOURNAL)
        self.process: subprocess.Popen[bytes] | None = None

    def write(self, name: str, text: str) -> None:
        """As editors do: whole, or not at all."""
        fresh = self.folder / f".{name}.new"
        fresh.touch(mode=0o600)
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(self.folder / name)

    def config(self, url: str, *, calendar: str = "Job search", more: str = "") -> None:
        self.write("password", PASSWORD)
        self.write(
            "config.yaml",
            "timezone: Europe/Berlin\napplications: applications.yaml\netiquette: {horizon_days: 0}\n"
            f"caldav: {{url: '{url}', username: alice, password_file: password, calendar: '{calendar}'}}\n{more}",
        )

    def start(self, *options: str, **environ: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "calsync", "--config", str(self.folder / "config.yaml"), "daemon", *options]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, env={**os.environ, **self.environ, **environ}, stdin=subprocess.DEVNULL, stderr=log
            )
        return self.process

    def run(self, *options: str) -> int:
        """Start it, and wait until it ends."""
        return self.start(*options).wait(SECONDS)

    def said(self, pattern: str) -> list[str]:
        """The lines of the log in which this is found."""
        return [line for line in self.log.read_text(encoding="utf-8").splitlines() if re.search(pattern, line)]

    def until(self, pattern: str, times: int = 1) -> None:
        """Wait for so many such lines."""
        assert self.process is not None
        eventually(lambda: len(self.said(pattern)) >= times, self.process)

    def signal(self, which: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(which)

    def stop(self) -> int:
        self.signal(signal.SIGTERM)
        assert self.process is not None
        return self.process.wait(5)

    @property
    def health(self) -> Health:
        found = health.read(self.environ)
        assert found is not None
        return found


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path)
    yield made
    if made.process is not None and made.process.poll() is None:
        made.process.kill()
        made.process.wait(SECONDS)


def on_server(radicale: Server, calendar: str) -> str:
    """All that stands in a calendar, as one text."""
    return "".join(radicale.items(calendar).values())


def test_a_day_in_its_life(home: Home, radicale: Server):
    """First sync, journal edit, signals, a bad config and a good one, and the end: all seen on the server."""
    calendar, other = radicale.calendar(), radicale.calendar()
    home.config(radicale.url, calendar=calendar)
    process = home.start("-v")
    home.until(r"Synced \(start\)")
    assert "Acme Corp" in on_server(radicale, calendar)
    home.write("applications.yaml", JOURNAL.replace("Acme Corp", "Bolt"))
    eventually(lambda: "Bolt" in on_server(radicale, calendar), process)
    home.until(r"Synced \(journal changed\).* 1 updated")
    home.signal(signal.SIGUSR1)
    home.until(r"Synced \(asked by signal\).* 1 unchanged")

    home.write("applications.yaml", "applications: [")
    home.until("journal: .*applications.yaml:1")
    assert "Bolt" in on_server(radicale, calendar)
    home.write("applications.yaml", JOURNAL)
    home.until("The journal is fine again")
    eventually(lambda: "Acme Corp" in on_server(radicale, calendar), process)

    home.write("config.yaml", "nope: 1\n")
    home.until("config: refused")
    home.signal(signal.SIGHUP)
    home.until("config: refused", 2)
    assert home.health.errors["config"]
    home.config(radicale.url, calendar=other)
    home.signal(signal.SIGHUP)
    home.until(r"Synced \((reload|config changed)\).* 1 created")
    assert "Acme Corp" in on_server(radicale, other)
    assert process.pid == home.health.pid
    assert home.health.runs

    assert home.stop() == 0
    assert home.health.stopped
    assert not home.health.runs
    assert PASSWORD not in home.log.read_text(encoding="utf-8")
    assert not home.said("Traceback")


def test_a_server_that_goes_away_and_comes_back(home: Home, tmp_path: Path):
    (tmp_path / "radicale").mkdir()
    server = start_radicale(tmp_path / "radicale")
    try:
        calendar = server.calendar()
        home.config(server.url, calendar=calendar)
        process = home.start()
        home.until(r"Synced \(start\)")
        with server.away():
            home.write("applications.yaml", JOURNAL.replace("Acme Corp", "Bolt"))
            home.until("The server is away")
            home.signal(signal.SIGUSR1)
            eventually(lambda: "server" in home.health.errors, process)
        home.signal(signal.SIGUSR1)
        home.until("The server is back after")
        assert "Bolt" in on_server(server, calendar)
        assert len(home.said("The server is away")) == 1
        assert home.stop() == 0
    finally:
        server.stop()


def test_killed_at_any_moment_it_goes_on_without_doubles(home: Home, radicale: Server):
    calendar = radicale.calendar()
    home.config(radicale.url, calendar=calendar)
    process = home.start()
    eventually(lambda: radicale.items(calendar), process)
    process.kill()
    process.wait(SECONDS)
    found = home.health if health.read(home.environ) else None
    assert found is None or not found.runs
    home.start()
    home.until(r"Synced \(start\).* 1 unchanged")
    assert len(radicale.items(calendar)) == 1
    assert home.stop() == 0


def test_a_request_that_hangs_does_not_hold_up_the_end(home: Home):
    """It has four seconds; then the process ends all the same."""
    with scripted.serve(lambda _asked: scripted.Reply(silent=True)) as server:
        home.config(server.url)
        process = home.start()
        eventually(lambda: server.asked, process)
        home.signal(signal.SIGTERM)
        assert process.wait(5) == 0
    assert home.said("takes too long")
    assert home.health.stopped


def test_sigint_ends_it_as_well(home: Home, radicale: Server):
    home.config(radicale.url, calendar=radicale.calendar())
    process = home.start()
    home.until("Synced")
    home.signal(signal.SIGINT)
    assert process.wait(5) == 0
    assert home.said("Stopped")
    assert not home.said("takes too long")


def test_exit_codes_of_a_daemon_that_cannot_start(home: Home, radicale: Server):
    home.write("config.yaml", "nope: 1\n")
    assert home.run() == 3
    home.write("config.yaml", "applications: applications.yaml\n")
    assert home.run() == 3
    assert home.run("--log-format", "xml") == 2
    home.config(radicale.url, calendar=radicale.calendar())
    with health.locked(home.folder / "state"):
        assert home.run() == 75
    assert home.said("calsync: another calsync daemon runs")


@contextmanager
def manager(folder: Path) -> Iterator[tuple[str, socket.socket]]:
    """A service manager: the path of its socket, and the socket."""
    path = folder / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(path))
        receiver.settimeout(SECONDS)
        yield str(path), receiver


def test_systemd_is_told(home: Home, radicale: Server):
    home.config(radicale.url, calendar=radicale.calendar())
    with manager(home.folder) as (path, receiver):

        def hear(wanted: str) -> str:
            while wanted not in (message := receiver.recv(4096).decode()):
                pass
            return message

        home.start(NOTIFY_SOCKET=path, WATCHDOG_USEC="500000")
        assert hear("READY=1").startswith("READY=1\nSTATUS=")
        assert re.search(r"last good sync \d{4}.*next window \d{4}.*next sync \d\d:\d\d", hear("STATUS=last good"))
        for _ in range(3):
            hear("WATCHDOG=1")
        home.signal(signal.SIGHUP)
        assert re.search(r"^MONOTONIC_USEC=\d+$", hear("RELOADING=1"), re.MULTILINE)
        hear("READY=1")
        home.signal(signal.SIGTERM)
        hear("STOPPING=1")
        assert home.process is not None
        assert home.process.wait(5) == 0


def test_the_log_for_programs_is_an_object_a_line(home: Home):
    home.config(f"http://127.0.0.1:{free_port()}/")
    home.start("--log-format", "json", "-v")
    home.until("The server is away")
    home.until("Synced")
    assert home.stop() == 0
    lines = [json.loads(line) for line in home.said("")]
    assert {"time", "level", "message"} <= set.intersection(*map(set, lines))
    [away] = [line for line in lines if "is away" in line["message"]]
    assert away["level"] == "warning"
    [synced] = [line for line in lines if "sync" in line]
    assert synced["sync"]["failed"] == 1


def test_quiet_says_what_is_wrong_alone(home: Home, radicale: Server):
    home.config(radicale.url, calendar=radicale.calendar())
    process = home.start("-q")
    eventually(lambda: health.read(home.environ) and home.health.last_sync, process)
    assert home.stop() == 0
    assert home.said("") == []


def test_priorities_go_to_journald_alone(home: Home):
    """That it is journald is told by the stream's own number."""
    home.config(f"http://127.0.0.1:{free_port()}/")
    home.log.touch()
    status = home.log.stat()
    home.start(JOURNAL_STREAM=f"{status.st_dev}:{status.st_ino}")
    home.until("The server is away")
    assert home.stop() == 0
    assert all(re.match("<[46]>", line) for line in home.said(""))
    assert home.said("^<4>The server is away")
    home.log.unlink()
    home.start(JOURNAL_STREAM="1:2")
    home.until("The server is away")
    assert home.stop() == 0
    assert not home.said("^<")


def test_a_state_folder_that_is_removed_is_made_anew_and_is_this_daemons_again(home: Home, radicale: Server):
    """It is a cache: people may remove it at any time."""
    calendar = radicale.calendar()
    home.config(radicale.url, calendar=calendar)
    process = home.start()
    home.until(r"Synced \(start\)")
    shutil.rmtree(home.folder / "state")
    home.signal(signal.SIGUSR1)
    eventually(lambda: health.read(home.environ) and home.health.last_sync, process)
    assert home.health.runs
    assert len(radicale.items(calendar)) == 1
    with pytest.raises(BusyError), health.locked(home.folder / "state"):
        pass
    assert home.stop() == 0


def test_a_zone_of_the_system_that_no_table_has_stops_nothing(home: Home, radicale: Server):
    """POSIX knows TZ=CET-1CEST, the tables of zones do not; the config says which zone counts."""
    home.config(radicale.url, calendar=radicale.calendar())
    process = home.start(TZ="CET-1CEST")
    eventually(lambda: health.read(home.environ) and home.health.next_run, process)
    assert home.stop() == 0
    assert not home.said("Traceback")


def test_without_a_standard_error_it_works_all_the_same(home: Home, radicale: Server):
    """As people start it from a shell: `calsync daemon 2>&-`. What it opens must not become its standard error."""
    calendar = radicale.calendar()
    home.config(radicale.url, calendar=calendar)
    command = [sys.executable, "-m", "calsync", "--config", str(home.folder / "config.yaml"), "daemon"]
    closed = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *command]
    home.process = subprocess.Popen(closed, env={**os.environ, **home.environ})
    eventually(lambda: health.read(home.environ) and home.health.last_sync, home.process)
    assert len(radicale.items(calendar)) == 1
    numbers = Path(f"/proc/{home.process.pid}/fd")
    assert {str((numbers / number).readlink()) for number in "012"} == {os.devnull}
    assert home.stop() == 0
