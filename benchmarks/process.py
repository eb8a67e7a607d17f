"""A daemon as a child process, how both of us end, and what /proc tells of processes.

Public face: `daemon`, `ended`, `unwind_on_sigterm`, `switches`, `Size`, `size`.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import IO, NamedTuple


class Size(NamedTuple):
    """Resident memory in MiB, open descriptors, threads."""

    memory: float
    descriptors: int
    threads: int


def daemon(
    command: list[str], folder: Path, *flags: str, environ: Mapping[str, str], log: IO[bytes] | int
) -> subprocess.Popen[bytes]:
    """Start `calsync daemon` with the config of a folder; `log` is where it goes, or subprocess.PIPE."""
    words = [*command, "--config", str(folder / "config.yaml"), "daemon", *flags]
    return subprocess.Popen(words, env={**os.environ, **environ}, stderr=log)


def ended(process: subprocess.Popen[bytes]) -> None:
    """End a process, in peace or after ten seconds by force, and wait until it is gone. Twice is no harm."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def unwind_on_sigterm() -> None:
    """From now on SIGTERM ends us as an error does: what was started is ended. A second one must not cut that short.

    `make` passes on its own SIGTERM, so that a process may well get two.
    """

    def end(*_: object) -> None:
        signal.signal(signal.SIGTERM, lambda *_: None)
        raise SystemExit(128 + signal.SIGTERM)

    signal.signal(signal.SIGTERM, end)


def switches(pid: int) -> int:
    """How often the threads of a process went to sleep of their own accord, so far."""
    texts = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/status")]
    return sum(_number("voluntary_ctxt_switches", text) for text in texts)


def size(pid: int) -> Size:
    """How large a process is."""
    place = Path(f"/proc/{pid}")
    memory = _number("VmRSS", (place / "status").read_text()) / 1024
    return Size(memory, len(list((place / "fd").iterdir())), len(list((place / "task").iterdir())))


def _number(name: str, status: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+)", status, re.MULTILINE)
    assert found is not None, f"/proc tells no {name}"
    return int(found[1])
