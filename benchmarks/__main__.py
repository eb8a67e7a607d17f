"""`python -m benchmarks [NAME...]`: the tables of docs/performance.md.

A NAME is a row's, its beginning up to a dash, or a pattern (`sync-*`). Without any, all rows run, and the tables are
written into the page. The exit code is 1 where a row ended in an error; a missed aim is no error.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import sys
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from fnmatch import fnmatch
from pathlib import Path

from benchmarks import daemon, feed, peers, process, sync, windows
from benchmarks.bench import Bench
from benchmarks.table import HEADER, Benchmark, Growth, Row, write

PAGE = peers.ROOT / "docs" / "performance.md"
BENCHMARKS: tuple[Benchmark, ...] = (*windows.BENCHMARKS, *sync.BENCHMARKS, *daemon.BENCHMARKS, *feed.BENCHMARKS)
GROWTH: tuple[Growth, ...] = (*windows.GROWTH, *sync.GROWTH)


class Runner:
    """Runs what is chosen, and notes what failed."""

    def __init__(self, bench: Bench, names: Sequence[str], head: str) -> None:
        self._bench = bench
        self._names = names
        self._head = head
        self.failed: list[str] = []

    def lines(self) -> Iterator[str]:
        """The page's lines, each as soon as it is known."""
        yield self._head
        yield ""
        yield HEADER
        for each in BENCHMARKS:
            if self._chosen(each.name):
                yield str(self._row(each))
        for table in GROWTH:
            if self._chosen(table.name):
                yield from self._growth(table)

    def _chosen(self, name: str) -> bool:
        return not self._names or any(fnmatch(name, word) or name.startswith(f"{word}-") for word in self._names)

    def _row(self, each: Benchmark) -> Row:
        try:
            return Row(each, each.measure(self._bench))
        except Exception as error:  # noqa: BLE001  # whatever it was: the row shows it, and the others go on
            return Row(each, None, self._note(each.name, error))

    def _growth(self, table: Growth) -> Iterator[str]:
        try:
            yield from table.rows(self._bench)
        except Exception as error:  # noqa: BLE001  # as above
            yield f"| error: {self._note(table.name, error)} |"

    def _note(self, name: str, error: Exception) -> str:
        self.failed.append(name)
        traceback.print_exception(error)
        return f"{type(error).__name__}: {error}".strip().splitlines()[-1].replace("|", "/")


def _head(revision: str | None) -> str:
    """Install calsync. Returns where and when that is, and who is compared."""
    load = os.getloadavg()[0]  # before installing adds to it
    commit = peers.install(revision)
    model = re.search(r"^model name\s*:\s*(.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    told = [
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        f"{model[1] if model else platform.machine()}, {os.cpu_count()} processors, {platform.system()}",
        f"Python {platform.python_version()}",
        ", ".join(f"{name} {version}" for name, version in {**peers.versions(), **feed.versions()}.items()),
        f"commit {commit}",
        f"load average at the start {load:.1f}",
    ]
    return "; ".join(told) + "."


def main() -> int:
    """Run, print, and write the page where all ran."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    known = ", ".join([each.name for each in BENCHMARKS] + [each.name for each in GROWTH])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"what to run: {known}")
    parser.add_argument("--revision", help="measure calsync as of this commit; as it stands in the folder unless said")
    told = parser.parse_args()
    names = told.names
    process.unwind_on_sigterm()
    lines = []
    with tempfile.TemporaryDirectory(prefix="calsync-bench-") as name, Bench(Path(name)) as bench:
        runner = Runner(bench, names, _head(told.revision))
        for line in runner.lines():
            print(line, flush=True)
            lines.append(line)
    if len(lines) <= 3:
        parser.error(f"nothing is called {' or '.join(names)}; there are: {known}")
    if not names:
        write(PAGE, lines)
    if runner.failed:
        print(f"These ended in errors: {', '.join(runner.failed)}", file=sys.stderr)
    return 1 if runner.failed else 0


if __name__ == "__main__":
    sys.exit(main())
