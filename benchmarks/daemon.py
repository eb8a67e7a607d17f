"""What the daemon costs while nothing happens, and how soon an edit is on the server: part of `make bench`.

Idle: its wake-ups in a minute (voluntary context switches of all threads, as /proc counts them) and its memory, beside
a bare Python that has imported the same libraries. Latency: a hundred edits of the journal, from the save to the event
on a Xandikos on loopback, beside the debounce and one raw PUT.
"""

from __future__ import annotations

import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests import servers  # noqa: E402 - where it is, is said just above

IDLE_SECONDS, EDITS, DEBOUNCE = 60, 100, 0.5
SLACK = 8
"""Wake-ups in a minute that are its timers' own: a tick or two, each of a few switches."""

JOURNAL = """\
applications:
  - id: acme
    company: {company}
    events:
      - applied: 2020-11-19
      - offer: 2020-12-01
        respond_by: 2199-12-10
"""
CONFIG = """\
timezone: Europe/Berlin
applications: applications.yaml
etiquette: {{horizon_days: 0}}
caldav: {{url: "{url}", username: alice, password_file: password, calendar: "{calendar}"}}
daemon: {{interval: 12h}}
"""
SAME_LIBRARIES = """\
import sqlite3, time
import apscheduler.schedulers.background, caldav.davclient, icalendar, inotify_simple, jinja2, tzlocal, yaml
print("ready", flush=True)
time.sleep(600)
"""


def switches(pid: int) -> int:
    """How often the threads of a process went to sleep of their own accord, so far."""
    texts = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/status")]
    return sum(int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", text, re.MULTILINE)[1]) for text in texts)


def resident(pid: int) -> float:
    """Resident memory, in MiB."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"^VmRSS:\s+(\d+) kB", text, re.MULTILINE)[1]) / 1024


def save(folder: Path, company: str) -> None:
    """As editors do."""
    fresh = folder / ".applications.yaml.new"
    fresh.write_text(JOURNAL.format(company=company))
    fresh.replace(folder / "applications.yaml")


def bare() -> float:
    """The memory of a Python with the same libraries."""
    with subprocess.Popen([sys.executable, "-c", SAME_LIBRARIES], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        taken = resident(process.pid)
        process.kill()
    return taken


def idle(process: subprocess.Popen[bytes]) -> None:
    """A minute of nothing."""
    time.sleep(3)  # what the first sync left to do
    before = switches(process.pid)
    time.sleep(IDLE_SECONDS)
    woken, ours, theirs = switches(process.pid) - before, resident(process.pid), bare()
    threads = len(list(Path(f"/proc/{process.pid}/task").iterdir()))
    ratio, verdict = ours / theirs, "ok" if ours / theirs <= 1.2 and ours < 75 else "over"
    name = "daemon idle, memory / bare Python with the same libraries"
    print(f"{name:52} {ratio:5.2f}  (aim 1.20, {verdict})   {ours:.0f} MiB / {theirs:.0f} MiB")
    verdict = "ok" if woken <= SLACK else "over"
    print(f"{'daemon idle, wake-ups in a minute':52} {woken:5}  (aim {SLACK}, {verdict})   {threads} threads")


def latency(server: servers.Server, calendar: str, folder: Path) -> None:
    """A hundred edits, each waited for on the server."""
    [href] = server.hrefs(calendar)
    url = f"http://127.0.0.1:{server.port}{href}"
    puts, took = [], []
    body = server.get(url).body
    for number in range(10):
        begin = time.perf_counter()
        server.put(f"{calendar}other.ics", body.replace("UID:", f"UID:{number}-", 1))
        puts.append(time.perf_counter() - begin)
    server.delete(f"{calendar}other.ics")
    for number in range(EDITS):
        word = f"Company number {number} GmbH"
        begin = time.perf_counter()
        save(folder, word)
        while word not in re.sub(r"\r\n[ \t]", "", server.get(url).body):
            time.sleep(0.005)
        took.append(time.perf_counter() - begin)
    least = DEBOUNCE + statistics.median(puts)
    middle, ratio = statistics.median(took), statistics.median(took) / least
    verdict = "ok" if ratio <= 1.5 else "over"
    name = f"save to server, {EDITS} edits, median / debounce and a PUT"
    print(f"{name:52} {ratio:5.2f}  (aim 1.50, {verdict})   {1000 * middle:.0f} ms, worst {1000 * max(took):.0f} ms")


def main() -> None:
    """Print three lines."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "server").mkdir()
        server = servers.xandikos(folder / "server")
        calendar = server.calendar()
        save(folder, "Acme")
        (folder / "password").touch(mode=0o600)
        (folder / "password").write_text(server.password)
        (folder / "config.yaml").write_text(CONFIG.format(url=server.url, calendar=calendar))
        environ = {"STATE_DIRECTORY": f"{name}/state", "CACHE_DIRECTORY": f"{name}/cache", "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "calsync", "--config", f"{name}/config.yaml", "daemon", "-q"]
        process = subprocess.Popen(command, env={**os.environ, **environ})
        try:
            while not server.hrefs(calendar):
                time.sleep(0.1)
            idle(process)
            latency(server, calendar, folder)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(10)
            server.stop()


if __name__ == "__main__":
    main()
