"""The daemon's log: lines for people, JSON for programs, priorities where journald reads them.

journald takes the priority from `<N>` before each line (sd-daemon(3)); whether it is journald that reads is told by
`JOURNAL_STREAM`, the device and inode of the stream (systemd.exec(5)). Public face: `set_up`, `FORMATS`.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TextIO

FORMATS = ("text", "json")
_PRIORITIES = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}


def set_up(stream: TextIO | None, environ: Mapping[str, str], form: str, level: int) -> None:
    """Let calsync's log go to `stream` in a form of `FORMATS`, from `level` on; that of libraries from WARNING.

    None is what Python has for a standard error that was closed: then the log goes nowhere.
    """
    to_journal = _is_journal(stream, environ)
    formatter = _Json() if form == "json" else _Text(with_time=not to_journal)
    handler = logging.NullHandler() if stream is None else logging.StreamHandler(stream)
    handler.setFormatter(_Prioritized(formatter) if to_journal else formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("calsync").setLevel(level)


def _is_journal(stream: TextIO | None, environ: Mapping[str, str]) -> bool:
    if stream is None:
        return False
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):  # closed, or no file at all
        return False
    return environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


class _Text(logging.Formatter):
    """A line a message; the time before it unless the reader notes that itself, and the level if it matters."""

    def __init__(self, *, with_time: bool) -> None:
        super().__init__("%(asctime)s %(message)s" if with_time else "%(message)s", "%Y-%m-%d %H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        """As the parent's."""
        text = super().format(record)
        if record.levelno < logging.WARNING or "%(asctime)" not in (self._fmt or ""):
            return text
        return f"{text[:19]} {record.levelname.lower()}:{text[19:]}"


class _Json(logging.Formatter):
    """An object a line: `time` (RFC 3339, UTC), `level`, `message`; of a sync its figures under `sync`."""

    def format(self, record: logging.LogRecord) -> str:
        """As the parent's."""
        told: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        if (figures := getattr(record, "sync", None)) is not None:
            told["sync"] = figures
        if record.exc_info:
            told["traceback"] = self.formatException(record.exc_info)
        return json.dumps(told, ensure_ascii=False)


class _Prioritized(logging.Formatter):
    """Every line of another formatter's text with its priority, else journald gives the second line another one."""

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self._inner = inner

    def format(self, record: logging.LogRecord) -> str:
        """As the parent's."""
        priority = _PRIORITIES.get(record.levelno, 6)
        return "\n".join(f"<{priority}>{line}" for line in self._inner.format(record).splitlines())
