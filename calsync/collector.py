"""Python's collector of cyclic garbage, and when it had better wait. Public face: `paused`, `left`."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")


@contextmanager
def paused(*, to_the_end: bool = False) -> Iterator[None]:
    """Keep the collector from walking a growing journal again and again.

    `to_the_end`: the process ends behind it, so what is left is not looked at any more: the system takes it all back.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if to_the_end:
            gc.freeze()
        if enabled:
            gc.enable()


def left(value: T) -> T:
    """`value`, which only the collector frees: where it is paused to the end of the process, nobody takes the time."""
    ring: list[object] = [value]
    ring.append(ring)
    return value
