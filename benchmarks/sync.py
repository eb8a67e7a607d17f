"""Rows about syncs with a CalDAV server, beside vdirsyncer's. Public face: `BENCHMARKS`, `GROWTH`."""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterator

from benchmarks.bench import Bench
from benchmarks.calendars import Filled, events, free
from benchmarks.clients import Calsync, Vdirsyncer
from benchmarks.counting import Counting
from benchmarks.pairs import ROUNDS, Cost, in_turn
from benchmarks.table import MS, Benchmark, Growth, Measured, spread
from tests.servers import Server

EVENTS = 1_000
SIZES, GROWTH_ROUNDS = (10, 100, 1_000, 10_000), 3


class Pair:
    """Both with a calendar of 1,000 events of their own on one server, and nothing to do.

    Both reach it through a forwarder that counts; `requests` are those of our last run, by method.
    """

    def __init__(self, bench: Bench, name: str) -> None:
        filled = bench.once(Filled, name)
        self.server = filled.server
        self.our_calendar, self.their_calendar = filled.calendars(EVENTS)
        self._forwarder = bench.enter_context(Counting(self.server.port))
        self.requests: dict[str, int] = {}
        self.ours = Calsync(bench, self.server, self.our_calendar, EVENTS, self._forwarder.port)
        self.ours.settle()
        self.theirs = Vdirsyncer(bench, self.server, self.their_calendar, {}, self._forwarder.port)
        self.theirs.sync()
        assert len(list(self.theirs.items.iterdir())) == EVENTS
        self.theirs.sync()

    def sync_ours(self) -> Cost:
        """A run of calsync, its requests counted."""
        self._forwarder.taken()
        cost = self.ours.sync()
        self.requests = self._forwarder.taken()
        return cost


def _nothing(bench: Bench, name: str) -> Measured:
    pair = bench.once(Pair, name)
    ours, theirs = in_turn(lambda _: pair.sync_ours(), lambda _: pair.theirs.sync())
    pair.ours.settle()
    return _compared(ours, theirs, pair.requests, at_most=1)


def _change(bench: Bench, name: str) -> Measured:
    pair = bench.once(Pair, name)

    def ours(number: int) -> Cost:
        pair.ours.rename(number, f"Renamed {number}")
        return pair.sync_ours()

    def theirs(number: int) -> Cost:
        pair.theirs.rename(number, f"Renamed {number}")
        return pair.theirs.sync()

    measured = in_turn(ours, theirs)
    for calendar in (pair.our_calendar, pair.their_calendar):
        renamed = _titled(pair.server, calendar, "Renamed")
        assert renamed == ROUNDS + 1, f"{renamed} events were renamed in {calendar}"
    return _compared(*measured, pair.requests, at_most=2)


def _titled(server: Server, calendar: str, word: str) -> int:
    """How many events have this word in their titles."""
    return sum(bool(re.search(f"^SUMMARY.*{word}", text, re.MULTILINE)) for text in server.items(calendar).values())


def _compared(ours: list[Cost], theirs: list[Cost], requests: dict[str, int], at_most: int) -> Measured:
    """Wall times, and the requests of a run: at least one, or nothing was measured."""
    told = ", ".join(f"{number} {method}" for method, number in requests.items())
    fault = "" if 0 < sum(requests.values()) <= at_most else f"{at_most} at most"
    return Measured([cost.wall for cost in ours], [cost.wall for cost in theirs], besides=told, fault=fault)


class Creates:
    """First syncs of so many events on a server that costs nothing, each with a new calendar and a new state."""

    def __init__(self, bench: Bench, milliseconds: int, count: int) -> None:
        self._bench, self._count = bench, count
        self._server = bench.once(free, milliseconds)
        self._items = bench.once(events, count)

    def ours(self, _number: int) -> Cost:
        """calsync."""
        calendar = self._server.calendar()
        return self._checked(calendar, Calsync(self._bench, self._server, calendar, self._count).sync())

    def theirs(self, _number: int) -> Cost:
        """vdirsyncer."""
        calendar = self._server.calendar()
        return self._checked(calendar, Vdirsyncer(self._bench, self._server, calendar, self._items).sync())

    def _checked(self, calendar: str, cost: Cost) -> Cost:
        there = len(self._server.hrefs(calendar))
        assert there == self._count, f"{there} events of {self._count} on the server"
        return cost


def _creates(bench: Bench, milliseconds: int, count: int) -> tuple[list[Cost], list[Cost]]:
    creates = Creates(bench, milliseconds, count)
    return in_turn(creates.ours, creates.theirs)


def _creates_cpu(bench: Bench) -> Measured:
    ours, theirs = _creates(bench, 0, 1_000)
    walls = (1000 * statistics.median(cost.wall for cost in costs) for costs in (ours, theirs))
    besides = "by the clock {:,.0f} and {:,.0f} ms".format(*walls)
    return Measured([cost.cpu for cost in ours], [cost.cpu for cost in theirs], besides=besides)


def _creates_far(bench: Bench) -> Measured:
    ours, theirs = _creates(bench, 20, 200)
    return Measured([cost.wall for cost in ours], [cost.wall for cost in theirs])


def _sizes(bench: Bench) -> Iterator[list[str]]:
    """How the cost grows with the calendar: the first sync once for a size, then syncs with nothing to do."""
    server = bench.once(free, 0)
    for count in SIZES:
        calendar = server.calendar()
        calsync = Calsync(bench, server, calendar, count)
        first = calsync.sync()
        assert len(server.hrefs(calendar)) == count
        calsync.settle()
        costs = [calsync.sync() for _ in range(GROWTH_ROUNDS)]
        yield [
            f"{count:,}",
            f"{1000 * first.wall:,.0f} ms",
            f"{1000 * first.cpu:,.0f} ms",
            spread([cost.wall for cost in costs], MS),
            spread([cost.cpu for cost in costs], MS),
        ]


def _on(server: str) -> tuple[Benchmark, Benchmark]:
    """The rows of a real server."""
    name = server.capitalize()
    return (
        Benchmark(
            name=f"sync-nothing-{server}",
            what=f"`calsync`, nothing to do, 1,000 events on {name}, one request / `vdirsyncer sync` of the same",
            aim=0.8,
            measure=lambda bench: _nothing(bench, server),
        ),
        Benchmark(
            name=f"sync-change-{server}",
            what=f"one change, 1,000 events on {name}, two requests / `vdirsyncer sync` of the same",
            aim=0.85,
            measure=lambda bench: _change(bench, server),
        ),
    )


BENCHMARKS = (
    *_on("radicale"),
    *_on("xandikos"),
    Benchmark(
        name="sync-creates",
        what="1,000 creates on a server that costs nothing, the client's CPU / vdirsyncer's",
        aim=0.5,
        measure=_creates_cpu,
    ),
    Benchmark(
        name="sync-far",
        what="200 creates at a round trip of 20 ms / `vdirsyncer sync` of the same",
        aim=0.25,
        measure=_creates_far,
    ),
)
GROWTH = (
    Growth(
        name="growth-events",
        title="`calsync` on a server that costs nothing, an event an application",
        header=("events", "first sync, wall", "first sync, CPU", "nothing to do, wall", "nothing to do, CPU"),
        lines=_sizes,
    ),
)
