"""When the daemon works next. Pure: every clock is an argument, so DST, steps and sleep are tested by table.

Moments are aware and compared as instants. Public face: `Reason`, `Next`, `next_run`, `next_midnight`, `backoff`,
`ClockWatch`.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta, tzinfo
from enum import StrEnum

from msgspec import Struct

from calsync.workdays import DAY

JITTER = 0.1
"""By how much of the interval a run comes earlier or later, so that not all calsyncs ask a server at once."""
FIRST_RETRY = timedelta(seconds=30)
LONGEST_RETRY = timedelta(hours=1)
LONGEST_PLEA = timedelta(days=1)
"""The longest time that a server may ask us to stay away (Retry-After)."""
JUMP = 30.0
"""By how many seconds the clocks must part before it counts: less hurts nobody."""


class Reason(StrEnum):
    """Why a sync takes place, in the words of log and status."""

    START = "start"
    INTERVAL = "interval"
    MIDNIGHT = "midnight"
    RETRY = "retry"
    JOURNAL = "journal changed"
    CONFIG = "config changed"
    SECRET = "password file changed"  # noqa: S105  # a reason, not a password
    CLOCK = "clock moved"
    SIGNAL = "asked by signal"
    RELOAD = "reload"


class Next(Struct, frozen=True):
    """The next run that nobody has to ask for."""

    moment: datetime
    reason: Reason


def next_run(now: datetime, zone: tzinfo, interval: timedelta, spread: float, retry: timedelta | None = None) -> Next:
    """The next run after one that ended `now`: after the interval or the `retry`, but no later than midnight.

    `spread`, from -1 to 1, says where in the jitter the run lies; a retry has none.
    """
    wait = interval * (1 + JITTER * spread) if retry is None else retry
    soon = Next(now.astimezone(UTC) + wait, Reason.INTERVAL if retry is None else Reason.RETRY)
    midnight = Next(next_midnight(now, zone), Reason.MIDNIGHT)
    return min(midnight, soon, key=lambda each: each.moment)


def next_midnight(now: datetime, zone: tzinfo) -> datetime:
    """The first moment of the next day in `zone`, in UTC.

    Where the clocks skip midnight, as in Cairo or Beirut in spring, the day begins at the end of the gap: with fold=0,
    a time in the gap is read with the offset from before it (PEP 495), and that is just this moment.
    """
    day = now.astimezone(zone).date() + DAY
    return datetime.combine(day, time(), zone).astimezone(UTC)


def backoff(failures: int, plea: float | None = None) -> timedelta:
    """How long to wait after so many failures in a row: half a minute, doubled each time, up to an hour.

    `plea` is for how many seconds the server asked us to stay away, if it did (Retry-After).
    """
    wait = min(FIRST_RETRY * (1 << min(failures - 1, 10)), LONGEST_RETRY)
    return max(wait, min(timedelta(seconds=plea or 0), LONGEST_PLEA))


class ClockWatch:
    """Notices that the machine slept or that the clock was set.

    The wall clock goes on in sleep, the monotonic one stands still (clock_gettime(2)); a step moves the first alone.
    """

    def __init__(self, wall: datetime, monotonic: float) -> None:
        self._apart = wall.timestamp() - monotonic

    def moved(self, wall: datetime, monotonic: float) -> float | None:
        """By how many seconds the clock went ahead (or back, below 0) since it last moved; None if it did not."""
        apart = wall.timestamp() - monotonic
        moved = apart - self._apart
        if abs(moved) < JUMP:
            return None
        self._apart = apart
        return moved
