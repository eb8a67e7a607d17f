"""One alarm clock, by APScheduler; the only import of that library.

`scheduling.py` decides when; the library sleeps until then in a thread of its own, which wakes up for nothing else. An
alarm that came due while the machine slept is late, not lost (`misfire_grace_time=None`; the default is a second). Its
sleep does not count the time that the machine slept, nor does it see that the clock was set: the daemon notices both
(`scheduling.ClockWatch`) and sets the alarm anew. Public face: `Timer`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime

from apscheduler.executors.debug import DebugExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.date import DateTrigger


class Timer:
    """Calls a function at a moment. Setting it again replaces what was set before."""

    def __init__(self) -> None:
        logging.getLogger("apscheduler").setLevel(logging.WARNING)
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            # What is called only leaves word, so the scheduler's own thread may call it: no pool of threads.
            executors={"default": DebugExecutor()},
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        self._scheduler.start()

    def set(self, moment: datetime, call: Callable[[], None]) -> None:
        """Call `call` at `moment`, or at once if that is past.

        Without a zone the library would ask for the system's, and raise where no table of zones has it.
        """
        self._scheduler.add_job(call, DateTrigger(moment, UTC), id="next", replace_existing=True)

    def close(self) -> None:
        """Call nothing any more."""
        self._scheduler.shutdown()
