"""Measuring in pairs: ours and theirs in turn, so that what else the machine does falls on both.

Public face: `Cost`, `run` (a whole process), `in_turn`, `ROUNDS`.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

ROUNDS = 5
T = TypeVar("T")


class Cost(NamedTuple):
    """What a process took, in seconds: by the clock, and of a processor (user and system)."""

    wall: float
    cpu: float


def run(command: Sequence[str], folder: Path, environ: Mapping[str, str]) -> Cost:
    """Run a command to its end, its output thrown away. Raises RuntimeError with what it said where it fails."""
    with tempfile.TemporaryFile() as said:
        start = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, env={**os.environ, **environ}, stdout=subprocess.DEVNULL, stderr=said
        )
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            process.wait()
            raise
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            said.seek(0)
            raise RuntimeError(f"{' '.join(command)}: exit code {process.returncode}: {said.read().decode()[-2000:]}")
    return Cost(wall, usage.ru_utime + usage.ru_stime)


def in_turn(ours: Callable[[int], T], theirs: Callable[[int], T], rounds: int = ROUNDS) -> tuple[list[T], list[T]]:
    """Call both with the numbers of the rounds; who is first changes. Round 0 warms up and does not count."""
    mine, other = [], []
    for number in range(rounds + 1):
        if number % 2:
            second, first = theirs(number), ours(number)
        else:
            first, second = ours(number), theirs(number)
        mine.append(first)
        other.append(second)
    return mine[1:], other[1:]
