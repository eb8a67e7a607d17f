"""A week of the daemon in seconds, on a fast clock: nothing grows, and each day rolls its windows."""

from __future__ import annotations

import gc
import logging
import sys
import threading
from datetime import timedelta
from pathlib import Path

from calsync.daemon.scheduling import Reason
from tests.daemon.test_work import CONFIG, JOURNAL, NOON, Home


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def a_day(home: Home) -> int:
    """Let the alarm ring for a day, with an edit of the journal by day; returns how many syncs that were."""
    end, syncs = home.clock.wall + timedelta(days=1), 0
    while home.clock.wall < end:
        home.ring()
        syncs += 1
        if syncs % 12 == 0:
            home.write("applications.yaml", JOURNAL.replace("Lee", f"Lee {syncs % 24}"))
            home.sync(Reason.JOURNAL)
    return syncs


def test_a_week_leaves_no_trace_in_memory_descriptors_threads_and_state(tmp_path: Path):
    """Bounds are small: if each sync left twenty objects behind, the week would not pass."""
    logging.getLogger("calsync").setLevel(logging.ERROR)
    home = Home(tmp_path)
    home.secret()
    home.write("config.yaml", CONFIG + "feed: {path: follow-ups.ics}\ndaemon: {interval: 1h}\n")
    home.sync(Reason.CONFIG)
    state = tmp_path / "state" / "state.sqlite3"
    for _ in range(2):
        a_day(home)
    gc.collect()
    before = (descriptors(), threading.active_count(), state.stat().st_size)
    blocks = sys.getallocatedblocks()
    syncs = sum(a_day(home) for _ in range(5))
    gc.collect()
    grown = sys.getallocatedblocks() - blocks
    logging.getLogger("calsync").setLevel(logging.NOTSET)
    assert home.clock.wall >= NOON + timedelta(days=7)
    assert 5 * 24 <= syncs <= 5 * 30
    assert (descriptors(), threading.active_count()) == before[:2]
    assert state.stat().st_size <= before[2] + 16_384
    assert grown < 20 * syncs
    assert len(home.target.items) <= 6
