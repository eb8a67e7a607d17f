"""Runs `calsync sync` in children of its own that are killed at one step, as by a power cut; see `test_crashes.py`.

Reads lines "STEP STATE CONFIG" from standard input and forks for each. The child kills itself with SIGKILL just before
its STEP-th statement to SQLite or rename of a file (0: never). Prints the child's id, then its exit code. What it
hooks into is Python's own (audit events, the trace of SQLite): there is nothing in calsync for it.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
from collections.abc import Callable
from typing import Any

import calsync.targets.caldav
from calsync import cli, ical, sync

LOADED = (calsync.targets.caldav, ical, sync)  # so that a child need not


class Step:
    """Counts steps, and dies at the one that is named."""

    def __init__(self) -> None:
        self.left = 0

    def __call__(self, _statement: str = "") -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def audit(self, event: str, _arguments: tuple[Any, ...]) -> None:
        if event == "os.rename":
            self()


def traced(connect: Callable[..., sqlite3.Connection], step: Step) -> Callable[..., sqlite3.Connection]:
    """`sqlite3.connect`, but each statement is a step."""

    def connected(*arguments: Any, **options: Any) -> sqlite3.Connection:
        database = connect(*arguments, **options)
        database.set_trace_callback(step)
        return database

    return connected


def main() -> None:
    """Serve until there are no more lines."""
    step = Step()
    sys.addaudithook(step.audit)
    sqlite3.connect = traced(sqlite3.connect, step)
    for line in sys.stdin:
        at, state, path = line.rstrip("\n").split(" ", 2)
        child = os.fork()
        if child == 0:
            step.left = int(at)
            os.environ["STATE_DIRECTORY"] = state
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            os._exit(cli.main(["sync", "--today", "2026-11-23", "--config", path]))
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()
        sys.stdout.write(f"{os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
