"""A paced target: the same, with a pulse before each thing that it does."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from calsync.daemon.paced import paced
from calsync.targets.base import Target
from calsync.targets.memory import MemoryTarget


class Counted(MemoryTarget):
    """Knows whether it was closed."""

    closed = False

    def close(self) -> None:
        self.closed = True


WORK: dict[str, Callable[[Target], object]] = {
    "listing": lambda target: target.listing(),
    "token": lambda target: target.token(),
    "changes": lambda target: target.changes("0"),
    "fetch": lambda target: target.fetch(["a.ics"]),
    "gone": lambda target: target.gone("a.ics"),
    "create": lambda target: target.create("b.ics", "text"),
    "update": lambda target: target.update(target.fetch(["a.ics"])["a.ics"], "text"),
    "delete": lambda target: target.delete(target.fetch(["a.ics"])["a.ics"]),
    "commit": lambda target: target.commit(),
}


@pytest.mark.parametrize("work", WORK.values(), ids=WORK)
def test_there_is_a_pulse_before_each_thing_and_what_it_raises_ends_it(work):
    """So the daemon ends between two requests, and not in the middle of one."""
    inner, pulses, over = Counted({"a.ics": "old"}), [], []

    def pulse() -> None:
        pulses.append(1)
        if over:
            raise KeyboardInterrupt

    target = paced({"caldav": lambda: inner}, pulse)["caldav"]()
    assert len(pulses) == 1, "one before it is opened"
    work(target)
    assert len(pulses) == (3 if work in (WORK["update"], WORK["delete"]) else 2), "those two fetch first"
    before = dict(inner.items), inner.requests
    over.append(True)
    with pytest.raises(KeyboardInterrupt):
        work(target)
    assert (dict(inner.items), inner.requests) == before


def test_it_is_closed_in_any_case_and_tells_of_itself_as_it_is():
    def pulse() -> None:
        raise AssertionError("nothing is done")

    inner = Counted()
    target = paced({"caldav": lambda: inner}, lambda: None)["caldav"]()
    target._pulse = pulse
    assert (target.name, target.where, target.requests, target.connections) == ("memory", "memory", 0, 1)
    target.close()
    assert inner.closed
