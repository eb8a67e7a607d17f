"""Signals, handed on by a thread of their own, so that they are seen whatever the working thread waits for.

Python runs its handlers in the main thread, and not before a name look-up, say, has ended; the wake-up descriptor is
written to at once (signal.set_wakeup_fd). Children inherit no mask and no handler. Public face: `signals`; and
`hold_standard_files`, for a daemon that was started without them.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

END_SECONDS = 4.0
"""How long a request that is under way may take when the daemon is to end; people and init systems wait for us."""

_WANTED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)
_ENDING = (signal.SIGTERM, signal.SIGINT)
_log = logging.getLogger(__name__)


def hold_standard_files() -> None:
    """Let the standard files that are closed (0, 1 and 2) lead nowhere, here and in children.

    Else what is opened next gets their numbers, and what is written for people goes into it.
    """
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(number, True)  # noqa: FBT003  # it takes no names
    os.close(number)


@contextmanager
def signals(handle: Callable[[signal.Signals], None], late: Callable[[], None]) -> Iterator[None]:
    """Call `handle` for SIGTERM, SIGINT, SIGHUP and SIGUSR1 while the block runs. Only for the main thread.

    After the first two, if the block does not end within `END_SECONDS`, `late` is called and the process ends with 0:
    all that calsync keeps is written so that it is whole at any moment.
    """
    reader, writer = socket.socketpair()
    writer.settimeout(0)
    over = threading.Event()

    def listen() -> None:
        while received := reader.recv(1):
            each = signal.Signals(received[0])
            if each not in _WANTED:
                continue
            handle(each)
            if each in _ENDING and not over.wait(END_SECONDS):
                _log.warning("The work under way takes too long: it is broken off. Nothing is lost.")
                late()
                logging.shutdown()
                os._exit(0)

    before = {each: signal.signal(each, lambda _signal, _frame: None) for each in _WANTED}
    signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    thread = threading.Thread(target=listen, name="signals", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        signal.set_wakeup_fd(-1)
        for each, handler in before.items():
            signal.signal(each, handler)
        writer.close()
        thread.join()
        reader.close()
