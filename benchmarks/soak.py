"""`make soak`: the daemon for half an hour (DURATION= seconds) among random edits, server restarts and kills.

Every few seconds something happens: an edit of the journal, a broken journal, a server that goes away, a kill -9, a
SIGHUP, a SIGUSR1. After each, the calendar must come to what the journal says, without an event twice. Printed are the
counts, how long it took, and what memory, descriptors and threads came to. The seed of the dice is printed (SEED=).
"""

from __future__ import annotations

import collections
import contextlib
import os
import random
import re
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import process, samples
from tests import servers

DURATION = float(os.environ.get("DURATION") or 1800)
SEED = int(os.environ.get("SEED") or time.time_ns() % 1_000_000)
PATIENCE = 90
"""Seconds in which the calendar must be right: a restarted server is tried again after half a minute."""


class Soak:
    """A daemon, a server, and the journal that they are to agree on."""

    def __init__(self, folder: Path, closing: contextlib.ExitStack) -> None:
        self.folder = folder
        (folder / "server").mkdir()
        self.server = servers.radicale(folder / "server")
        closing.callback(self.server.stop)
        self.calendar = self.server.calendar()
        self.companies = {number: f"Company {number}" for number in range(5)}
        self.dice = random.Random(SEED)
        self.done: collections.Counter[str] = collections.Counter()
        self.took: list[float] = []
        self.sizes: list[process.Size] = []
        login = {"username": self.server.username, "password": self.server.password}
        samples.write_config(folder, url=self.server.url, calendar=self.calendar, **login, timeout=5, interval="1m")
        self.save()
        self.start()
        closing.callback(self.kill_daemon)

    def start(self) -> None:
        command, environ = [sys.executable, "-m", "calsync"], samples.environ(self.folder)
        with (self.folder / "log").open("ab") as log:
            self.log_begins = log.tell()
            self.process = process.daemon(command, self.folder, "-v", environ=environ, log=log)

    def kill_daemon(self) -> None:
        self.process.kill()
        self.process.wait()

    def save(self, more: str = "") -> None:
        """Write the journal, as editors do."""
        applications = [samples.offer(number, company) for number, company in self.companies.items()]
        samples.save(self.folder, samples.offers([*applications, more]))

    # What happens.

    def edit(self) -> None:
        number = self.dice.randrange(8)
        if number in self.companies and len(self.companies) > 1 and self.dice.random() < 0.3:
            del self.companies[number]
        else:
            self.companies[number] = f"Company {number} x{self.dice.randrange(1000)}"
        self.save()

    def burst(self) -> None:
        for _ in range(self.dice.randrange(2, 8)):
            self.edit()
            time.sleep(self.dice.random() * 0.4)

    def broken(self) -> None:
        self.save("  - [")
        time.sleep(1)
        self.must_run()
        self.save()

    def server_restart(self) -> None:
        with self.server.away():
            self.edit()
            time.sleep(self.dice.random() * 3)

    def kill(self) -> None:
        self.edit()
        time.sleep(self.dice.random())
        self.kill_daemon()
        self.start()

    def stop_and_start(self) -> None:
        self.edit()
        time.sleep(self.dice.random())
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(6) == 0, "SIGTERM"
        self.start()

    def hup(self) -> None:
        self.process.send_signal(signal.SIGHUP)

    def usr1(self) -> None:
        self.process.send_signal(signal.SIGUSR1)

    # What must hold.

    def has_started(self) -> bool:
        """Whether the daemon says that it has; a signal before that ends it, as it would end any program."""
        return b" started with " in (self.folder / "log").read_bytes()[self.log_begins :]

    def is_right(self) -> bool:
        """Whether there is one event for each company, and none besides."""
        texts = [re.sub(r"\r\n[ \t]", "", body) for body in self.server.items(self.calendar).values()]
        found = [re.search(r"^SUMMARY:(.*?)\r?$", text, re.MULTILINE) for text in texts]
        titles = [match[1] for match in found if match]  # one that was deleted since it was listed has none
        wanted = list(self.companies.values())
        return len(titles) == len(wanted) and all(
            sum(bool(re.search(rf"{company}(?! x|\d)", title)) for title in titles) == 1 for company in wanted
        )

    def must_run(self) -> None:
        """Whatever happened, the daemon runs."""
        assert self.process.poll() is None, f"the daemon ended: {self.process.returncode}"

    def settle(self) -> None:
        """Wait until the daemon runs and the calendar is right."""
        begin = time.monotonic()
        while not (self.has_started() and self.is_right()):
            if time.monotonic() - begin > PATIENCE:
                raise AssertionError(f"not right after {PATIENCE} s: {self.companies}")
            self.must_run()
            time.sleep(0.1)
        self.must_run()
        self.took.append(time.monotonic() - begin)

    def measure(self) -> None:
        """How large the daemon is."""
        self.sizes.append(process.size(self.process.pid))

    def run(self) -> None:
        """Let things happen until the time is over."""
        frequent = [self.edit, self.edit, self.edit, self.burst, self.broken, self.hup, self.usr1]
        rare = [self.server_restart, self.kill, self.stop_and_start]
        end = time.monotonic() + DURATION
        self.settle()
        while time.monotonic() < end:
            happens = self.dice.choice(rare if self.dice.random() < 0.15 else frequent)
            happens()
            self.done[happens.__name__] += 1
            self.settle()
            self.measure()
            time.sleep(self.dice.random() * 2)

    def tell(self) -> None:
        """The figures."""
        log = (self.folder / "log").read_text()
        syncs = len(re.findall(r"Synced \(", log))
        print(f"{DURATION:.0f} s, seed {SEED}: {syncs} syncs; {dict(self.done.most_common())}")
        print(f"right again after: median {statistics.median(self.took):.2f} s, worst {max(self.took):.2f} s")
        for name, values in zip(("memory, MiB", "descriptors", "threads"), zip(*self.sizes, strict=True), strict=True):
            print(f"{name}: first {values[0]:.0f}, last {values[-1]:.0f}, most {max(values):.0f}")
        print(f"tracebacks in the log: {log.count('Traceback')}; the password in it: {self.server.password in log}")


def main() -> None:
    """Soak, and tell; ends with an error where something did not hold."""
    process.unwind_on_sigterm()
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as closing:
        soak = Soak(Path(name), closing)
        try:
            soak.run()
            soak.tell()
        except BaseException:
            print((soak.folder / "log").read_text()[-3000:], file=sys.stderr)
            print(f"seed {SEED}", file=sys.stderr)
            raise


if __name__ == "__main__":
    main()
