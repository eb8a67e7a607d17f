"""`calsync daemon`: stays, and syncs whenever there is a reason to.

Threads: one works (`work.py`); the alarm (`timer.py`), the watcher (`watching.py`) and the signals (`posix.py`) only
leave word for it in the `inbox.py`. When and why is decided by pure functions (`scheduling.py`). What runs besides,
such as a server, is a service (`services.py`). Others read how it does from `health.py`. Public face: `run`.
"""

from __future__ import annotations

import contextlib
import signal
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from calsync import paths
from calsync.config import Config


def run(load: Callable[[], Config], environ: Mapping[str, str], *, form: str, level: int) -> int:
    """Work until SIGTERM or SIGINT; returns the exit code. The log goes to standard error, in this form and level.

    `load` reads the config, now and whenever it changed. Raises ConfigError if it is wrong at the start, BusyError
    where another daemon runs on the same state.
    """
    from calsync.daemon import health, logs
    from calsync.daemon.inbox import Inbox
    from calsync.daemon.notify import Notifier
    from calsync.daemon.posix import hold_standard_files, signals
    from calsync.daemon.scheduling import Reason
    from calsync.daemon.services import Services
    from calsync.daemon.timer import Timer
    from calsync.daemon.watching import Watcher
    from calsync.daemon.work import Daemon

    hold_standard_files()
    logs.set_up(sys.stderr, environ, form, level)
    inbox = Inbox()
    wishes = {signal.SIGHUP: Reason.RELOAD, signal.SIGUSR1: Reason.SIGNAL}
    working: list[Daemon] = []

    def handle(received: signal.Signals) -> None:
        if received in wishes:
            inbox.ask(wishes[received])
        else:
            inbox.stop()

    def late() -> None:
        for each in working:
            each.leave()

    with contextlib.ExitStack() as stack:
        stack.enter_context(signals(handle, late))
        hold = stack.enter_context(health.locked(paths.state_folder(environ)))
        daemon = Daemon(
            load,
            environ,
            clock=_SystemClock(),
            services=stack.enter_context(contextlib.closing(Services(environ))),
            alarm=stack.enter_context(contextlib.closing(Timer())),
            watch=stack.enter_context(contextlib.closing(Watcher(inbox.ask))),
            inbox=inbox,
            notifier=Notifier(environ),
            hold=hold,
        )
        working.append(daemon)
        daemon.run()
    return 0


class _SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()
