"""The table of results: what is compared, what came out, and how it is shown and written into the docs.

Public face: `Benchmark` (a row to be), `Measured` (what came out), `Row` (both), `Growth` (a table of sizes), the
units, `HEADER`, `spread`, `write`.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from benchmarks.bench import Bench

BEGIN, END = "<!-- `make bench` writes what follows -->", "<!-- `make bench` wrote what stands above -->"
HEADER = (
    "| What / against | ratio | aim | | ours | theirs | besides | `make bench` |\n|---|---|---|---|---|---|---|---|"
)


class Unit(NamedTuple):
    """How values are shown: times `factor`, with a name behind."""

    name: str
    factor: float = 1


MS, MIB, A_SECOND = Unit("ms", 1000), Unit("MiB"), Unit("a second")


def spread(values: Sequence[float], unit: Unit) -> str:
    """Median, least and most."""
    shown = [_digits(unit.factor * value) for value in (statistics.median(values), min(values), max(values))]
    return f"{shown[0]} {unit.name} ({shown[1]}..{shown[2]})"


def _digits(value: float) -> str:
    """Three digits that count, and no more than one behind the point."""
    return f"{value:,.1f}" if value < 100 else f"{value:,.0f}"


@dataclass(frozen=True, slots=True)
class Measured:
    """What came out: a value a round. `besides` is what else was seen, `fault` what of that is not as it must be."""

    ours: Sequence[float]
    theirs: Sequence[float]
    unit: Unit = MS
    besides: str = ""
    fault: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """A row to be. `aim` is what the ratio is to be at most, or `at_least`; None where the row only informs."""

    name: str
    what: str
    measure: Callable[[Bench], Measured]
    aim: float | None = None
    at_least: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A benchmark with what came out, or with the error that it ended in."""

    benchmark: Benchmark
    measured: Measured | None
    error: str = ""

    @property
    def ratio(self) -> float:
        """Our median by theirs."""
        assert self.measured is not None
        return statistics.median(self.measured.ours) / statistics.median(self.measured.theirs)

    @property
    def verdict(self) -> str:
        """ "ok", "missed", "error"; nothing where there is no aim."""
        if self.measured is None:
            return "error"
        aim = self.benchmark.aim
        if aim is None:
            return ""
        reached = self.ratio >= aim if self.benchmark.at_least else self.ratio <= aim
        return "ok" if reached and not self.measured.fault else "missed"

    def __str__(self) -> str:
        each = self.benchmark
        aim = "" if each.aim is None else f"{'≥' if each.at_least else '≤'} {each.aim:g}"
        command = f"`ARGS={each.name}`"
        if self.measured is None:
            return f"| {each.what} | | {aim} | error | | | {self.error} | {command} |"
        found = self.measured
        besides = "; ".join(filter(None, (found.besides, found.fault)))
        ours, theirs = spread(found.ours, found.unit), spread(found.theirs, found.unit)
        return (
            f"| {each.what} | {self.ratio:.2f} | {aim} | {self.verdict} | {ours} | {theirs} | {besides} | {command} |"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """A table of how a cost grows: `lines` gives its cells, a size a line."""

    name: str
    title: str
    header: Sequence[str]
    lines: Callable[[Bench], Iterator[Sequence[str]]]

    def rows(self, bench: Bench) -> Iterator[str]:
        """The table, line by line, as soon as each is known."""
        yield f"\n{self.title} (`ARGS={self.name}`):\n"
        yield f"| {' | '.join(self.header)} |"
        yield "|---" * len(self.header) + "|"
        for cells in self.lines(bench):
            yield f"| {' | '.join(cells)} |"


def write(page: Path, lines: Sequence[str]) -> None:
    """Put the lines between the two marks of a page. Raises ValueError where the page has no such marks."""
    text = page.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page} has no place for the tables: {BEGIN} and {END}")
    page.write_text("\n".join([before + begin, "", *lines, "", end + after]), encoding="utf-8")
