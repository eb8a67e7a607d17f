"""The collector of garbage waits, and is as it was afterwards."""

from __future__ import annotations

import gc
import weakref

import pytest

from calsync import collector


@pytest.mark.parametrize("to_the_end", [False, True])
def test_it_waits_meanwhile_and_looks_at_nothing_more_where_the_process_ends(to_the_end: bool) -> None:
    with collector.paused(to_the_end=to_the_end):
        assert not gc.isenabled()
    try:
        assert gc.isenabled()
        assert (gc.get_freeze_count() > 0) is to_the_end
    finally:
        gc.unfreeze()


def test_what_is_left_is_freed_by_the_collector_alone() -> None:
    class Value:
        """Anything."""

    with collector.paused():
        seen = weakref.ref(collector.left(Value()))
        assert seen() is not None
    gc.collect()
    assert seen() is None
