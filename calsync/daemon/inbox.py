"""Where the daemon's threads leave word for the one that works. Public face: `Inbox`.

Timer, watcher and signals only put a reason here. Reasons that come while a sync runs lie side by side and are taken
all at once: so syncs never overlap, and ten wishes become one sync.
"""

from __future__ import annotations

import threading

from calsync.daemon.scheduling import Reason


class Inbox:
    """Reasons for a sync, and the wish to end. Every method may be called from any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._reasons: set[Reason] = set()
        self._stopping = False

    def ask(self, reason: Reason) -> None:
        """Ask for a sync."""
        with self._changed:
            self._reasons.add(reason)
            self._changed.notify()

    def stop(self) -> None:
        """Ask the daemon to end."""
        with self._changed:
            self._stopping = True
            self._changed.notify()

    @property
    def stopping(self) -> bool:
        """Whether the daemon is to end."""
        return self._stopping

    def wait(self, seconds: float) -> frozenset[Reason]:
        """Take all reasons as soon as there is one or the daemon is to end; none when so many seconds are over."""
        with self._changed:
            self._changed.wait_for(lambda: self._reasons or self._stopping, seconds)
            taken = frozenset(self._reasons)
            self._reasons.clear()
            return taken
