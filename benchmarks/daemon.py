"""Rows about the daemon: a sync with nothing to do, its cost while nothing happens, how soon an edit is on the server.

Public face: `BENCHMARKS`.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import signal
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from benchmarks import peers, process
from benchmarks.bench import Bench
from benchmarks.clients import Calsync
from benchmarks.pairs import in_turn
from benchmarks.sync import EVENTS, Pair
from benchmarks.table import MIB, Benchmark, Measured
from tests import servers
from tests.servers import Server

ROUNDS = 60
"""For what takes milliseconds."""
IDLE_SECONDS, EDITS, DEBOUNCE = 60, 40, 0.5
SLACK = 8
"""Wake-ups in a minute that are its timers' own: a tick or two, each of a few switches."""
PATIENCE = 30.0

SAME_LIBRARIES = """\
import sqlite3, sys
import apscheduler.schedulers.background, caldav.base_client, icalendar, inotify_simple
import jinja2, msgspec, pycurl, tzlocal, yaml
print("ready", flush=True)
sys.stdin.read()
"""

SYNC = (
    '<?xml version="1.0"?><D:sync-collection xmlns:D="DAV:"><D:sync-token>{}</D:sync-token>'
    "<D:sync-level>1</D:sync-level><D:prop><D:getetag/></D:prop></D:sync-collection>"
)


class Daemon:
    """`calsync daemon` with the folder of a client, its log as JSON lines."""

    def __init__(self, client: Calsync) -> None:
        command = [str(peers.ourselves() / "calsync")]
        flags = ("--log-format", "json")
        self.process = process.daemon(command, client.folder, *flags, environ=client.environ, log=subprocess.PIPE)

    def synced(self) -> dict[str, object]:
        """Wait for its next sync, and tell the figures of it."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            told = json.loads(line)
            if "sync" in told:
                figures: dict[str, object] = told["sync"]
                return figures
        raise RuntimeError("the daemon ended")

    def close(self) -> None:
        """End it."""
        assert self.process.stderr is not None
        self.process.stderr.close()
        process.ended(self.process)


class Raw:
    """One sync-collection request after the other over one connection, by http.client alone."""

    def __init__(self, server: Server, calendar: str) -> None:
        self._path = urlsplit(calendar).path
        self._headers = {
            "Authorization": server.authorization("REPORT", self._path),
            "Content-Type": "application/xml; charset=utf-8",
            "Depth": "0",
        }
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port)
        self._token = ""
        self.ask()

    def ask(self) -> str:
        """What changed since the answer before."""
        self._connection.request("REPORT", self._path, SYNC.format(self._token), self._headers)
        answer = self._connection.getresponse()
        text = answer.read().decode()
        found = re.search(r"<(?:\w+:)?sync-token>([^<]*)<", text)
        assert answer.status == 207, f"{answer.status}: {text}"
        assert found is not None, text
        self._token = found[1]
        return text


def _timed(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _sync(bench: Bench, name: str) -> Measured:
    """From SIGUSR1 to the line in the log, after a first sync; beside the request, warm."""
    pair = bench.once(Pair, name)
    raw = Raw(pair.server, pair.our_calendar)
    with contextlib.closing(Daemon(pair.ours)) as daemon:
        daemon.synced()
        took: list[float] = []

        def once() -> None:
            daemon.process.send_signal(signal.SIGUSR1)
            figures = daemon.synced()
            assert (figures["requests"], figures["unchanged"], figures["failed"]) == (1, EVENTS, 0), figures
            took.append(float(str(figures["took"])))

        ours, theirs = in_turn(lambda _: _timed(once), lambda _: _timed(raw.ask), ROUNDS)
    assert "<response" not in raw.ask(), "nothing was to have changed"
    return Measured(ours, theirs, besides=f"the sync itself, by its log: {1000 * statistics.median(took):,.0f} ms")


class Small:
    """A daemon with one event on a Xandikos."""

    def __init__(self, bench: Bench) -> None:
        self.server = servers.xandikos(bench.folder("xandikos-daemon"))
        bench.callback(self.server.stop)
        self.calendar = self.server.calendar()
        self.client = Calsync(bench, self.server, self.calendar, 1)
        self.daemon = bench.enter_context(contextlib.closing(Daemon(self.client)))
        self.daemon.synced()
        [href] = self.server.hrefs(self.calendar)
        self.url = f"http://127.0.0.1:{self.server.port}{href}"


def _bare() -> float:
    """The memory of a Python with the same libraries."""
    command = [str(peers.ourselves() / "python"), "-c", SAME_LIBRARIES]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as bare:
        assert bare.stdout is not None
        assert bare.stdout.readline() == b"ready\n"
        return process.size(bare.pid).memory


def _idle(bench: Bench) -> Measured:
    """A minute of nothing, its memory looked at every twelve seconds."""
    pid = bench.once(Small).daemon.process.pid
    time.sleep(3)  # what the first sync left to do
    before, ours, theirs = process.switches(pid), [], []
    end = time.monotonic() + IDLE_SECONDS
    for number in range(5):
        theirs.append(_bare())
        time.sleep(max(0.0, end - (4 - number) * IDLE_SECONDS / 5 - time.monotonic()))
        ours.append(process.size(pid).memory)
    woken, threads = process.switches(pid) - before, process.size(pid).threads
    besides = f"{woken} wake-ups in {IDLE_SECONDS} s (its timers': {SLACK} at most), {threads} threads"
    return Measured(ours, theirs, MIB, besides, fault="" if woken <= SLACK else "too many wake-ups")


def _edits(small: Small) -> Iterator[float]:
    """Seconds from a save to the event on the server, edit by edit."""
    for number in range(EDITS):
        word = f"Edited {number} GmbH"
        start = time.perf_counter()
        small.client.rename(0, word)
        while word not in re.sub(r"\r?\n[ \t]", "", small.server.get(small.url).body):
            if time.perf_counter() - start > PATIENCE:
                raise TimeoutError(f"the edit was not on the server after {PATIENCE:.0f} s")
            time.sleep(0.005)
        yield time.perf_counter() - start
        small.daemon.synced()


def _puts(small: Small) -> Iterator[float]:
    """Seconds of one PUT of an event that is not there, again and again, in a calendar of its own."""
    calendar = small.server.calendar()
    body = small.server.get(small.url).body
    for number in range(EDITS):
        text = body.replace("UID:", f"UID:{number}-", 1)
        start = time.perf_counter()
        small.server.put(f"{calendar}{number}.ics", text)
        yield time.perf_counter() - start


def _latency(bench: Bench) -> Measured:
    small = bench.once(Small)
    ours, theirs = in_turn(_next(_edits(small)), _next(_puts(small)), EDITS - 1)
    worst = f"worst {1000 * max(ours):,.0f} ms of {len(ours)} edits"
    return Measured(ours, [DEBOUNCE + each for each in theirs], besides=worst)


def _next(values: Iterator[float]) -> Callable[[int], float]:
    return lambda _: next(values)


def _sync_on(server: str) -> Benchmark:
    return Benchmark(
        name=f"daemon-sync-{server}",
        what=f"the daemon's sync with nothing to do, 1,000 events on {server.capitalize()}, from SIGUSR1 to its log"
        " / one raw sync-collection request, warm",
        aim=1.5,
        measure=lambda bench: _sync(bench, server),
    )


BENCHMARKS = (
    _sync_on("radicale"),
    _sync_on("xandikos"),
    Benchmark(
        name="daemon-idle",
        what="the idle daemon's resident memory / a bare Python with the same libraries",
        aim=1.2,
        measure=_idle,
    ),
    Benchmark(
        name="daemon-edit",
        what="from the save in the editor to the event on a Xandikos / the debounce of 0.5 s and one raw PUT",
        aim=1.5,
        measure=_latency,
    ),
)
