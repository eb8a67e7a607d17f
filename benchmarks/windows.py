"""Rows about commands that need no server: their start, large journals. Public face: `BENCHMARKS`, `GROWTH`."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
from collections.abc import Iterator

from benchmarks import peers, samples
from benchmarks.bench import Bench
from benchmarks.pairs import ROUNDS, Cost, in_turn, run
from benchmarks.table import MS, Benchmark, Growth, Measured, spread

SIZES = (10, 100, 1_000, 10_000)
LOAD_ALONE = "import yaml; assert len(yaml.load(open('applications.yaml', 'rb'), yaml.CSafeLoader)['applications']) > 9"


class Windows:
    """`calsync windows` on a journal of so many applications."""

    def __init__(self, bench: Bench, count: int) -> None:
        self.folder = bench.folder(f"windows-{count}")
        (self.folder / "config.yaml").write_text(samples.WINDOWS_CONFIG, encoding="utf-8")
        samples.save(self.folder, samples.windows_journal(count))
        self._command = [str(peers.ourselves() / "calsync"), "--today", "2026-11-20", "windows"]
        self._environ = samples.environ(self.folder)
        said = subprocess.run(
            [*self._command, "--json"], env={**os.environ, **self._environ}, check=True, capture_output=True
        )
        windows = json.loads(said.stdout)
        assert len(windows) >= count, f"{len(windows)} windows of {count} applications"

    def text(self) -> Cost:
        """For people."""
        return run(self._command, self.folder, self._environ)

    def told(self) -> Cost:
        """For programs."""
        return run([*self._command, "--json"], self.folder, self._environ)


def _start(bench: Bench, peer: str) -> Measured:
    ours = bench.once(Windows, 100)
    command = [peer, "--version"]
    return _walls(*in_turn(lambda _: ours.text(), lambda _: run(command, ours.folder, {})))


def _walls(ours: list[Cost], theirs: list[Cost], besides: str = "") -> Measured:
    return Measured([cost.wall for cost in ours], [cost.wall for cost in theirs], besides=besides)


def _load(bench: Bench) -> Measured:
    ours = bench.once(Windows, 10_000)
    load = [str(peers.ourselves() / "python"), "-c", LOAD_ALONE]
    mine, theirs = in_turn(lambda _: ours.told(), lambda _: run(load, ours.folder, {}))
    cpus = (1000 * statistics.median(cost.cpu for cost in costs) for costs in (mine, theirs))
    return _walls(mine, theirs, "processor time {:,.0f} and {:,.0f} ms".format(*cpus))


def _growth(bench: Bench) -> Measured:
    large, small = bench.once(Windows, 10_000), bench.once(Windows, 1_000)
    return _walls(*in_turn(lambda _: large.told(), lambda _: small.told()))


def _sizes(bench: Bench) -> Iterator[list[str]]:
    """How the cost grows with the journal."""
    for count in SIZES:
        windows = bench.once(Windows, count)
        costs = [windows.told() for _ in range(ROUNDS)]
        walls, cpus = [cost.wall for cost in costs], [cost.cpu for cost in costs]
        yield [f"{count:,}", spread(walls, MS), spread(cpus, MS), f"{1000 * sorted(cpus)[ROUNDS // 2] / count:.2f} ms"]


BENCHMARKS = (
    Benchmark(
        name="windows-start",
        what="`calsync windows`, 100 applications, holidays of one country cached / `vdirsyncer --version`",
        aim=0.8,
        measure=lambda bench: _start(bench, peers.vdirsyncer()),
    ),
    Benchmark(
        name="windows-khal",
        what="the same / `khal --version`",
        measure=lambda bench: _start(bench, peers.khal()),
    ),
    Benchmark(
        name="windows-load",
        what="`calsync windows --json`, 10,000 applications / a Python that loads the file with CSafeLoader",
        aim=0.8,
        measure=_load,
    ),
    Benchmark(
        name="windows-growth",
        what="`calsync windows --json`, 10,000 applications / 1,000",
        aim=11,
        measure=_growth,
    ),
)
GROWTH = (
    Growth(
        name="growth-applications",
        title="`calsync windows --json`, the whole process",
        header=("applications", "wall", "CPU", "CPU each"),
        lines=_sizes,
    ),
)
