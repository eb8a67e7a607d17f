"""Python's collector of cyclic garbage, and when it had better wait. Public face: `paused`."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


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
