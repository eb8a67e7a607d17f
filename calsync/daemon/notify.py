"""What the daemon tells systemd: sd_notify(3) and sd_watchdog_enabled(3), in a datagram. Public face: `Notifier`.

Without systemd nothing is told to anybody.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Mapping


class Notifier:
    """Speaks to the service manager named by the environment, if there is one."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self.watchdog = _watchdog(environ)

    def ready(self, status: str) -> None:
        """Started, or done with reloading."""
        self._send("READY=1", f"STATUS={status}")

    def reloading(self) -> None:
        """About to read the config again."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def status(self, status: str) -> None:
        """A line for `systemctl status`. Everybody on the machine can read it: no names in it."""
        self._send(f"STATUS={status}")

    def stopping(self) -> None:
        """About to end."""
        self._send("STOPPING=1", "STATUS=stopping")

    def alive(self) -> None:
        """A sign of life."""
        if self.watchdog is not None:
            self._send("WATCHDOG=1")

    def _send(self, *lines: str) -> None:
        if not self._address:
            return
        # A service manager that does not listen is no reason to stop working.
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.connect(self._address)
            sender.sendall("\n".join(lines).encode())


def _watchdog(environ: Mapping[str, str]) -> float | None:
    """Within how many seconds systemd wants a sign of life; None where it wants none from this process."""
    microseconds, pid = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
    if not microseconds.isdecimal() or int(microseconds) == 0 or pid not in ("", str(os.getpid())):
        return None
    return int(microseconds) / 1_000_000
