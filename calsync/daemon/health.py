"""What the daemon publishes of itself, in a file of the state folder, and what others make of it.

The file is replaced as a whole, so a reader always finds all of it. Whether the daemon runs is told by its lock, which
the system lets go of however it ends. Public face: `Health`, `LastSync`, `Verdict`, `publish`, `read`, `locked`,
`versions`.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import platform
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Any

from msgspec import Struct, field
from msgspec.structs import asdict, replace

from calsync import __version__, paths
from calsync.errors import BusyError, CalsyncError

GRACE = timedelta(minutes=10)
"""How late a run may be before something is wrong: a long sync, a machine just woken up."""
_FILE, _LOCK = "daemon.json", "daemon.lock"


class Verdict(StrEnum):
    """How the daemon does."""

    FINE = "fine"
    FAILING = "failing"
    STALE = "stale"
    STOPPED = "stopped"


class LastSync(Struct, frozen=True, kw_only=True):
    """One sync: when it ended, why it was made, how many seconds it took, and its counts."""

    at: datetime
    because: str
    took: float
    requests: int = 0
    created: int = 0
    updated: int = 0
    deleted: int = 0
    unchanged: int = 0
    kept: int = 0
    failed: int = 0


class Health(Struct, frozen=True, kw_only=True):
    """The daemon as of `updated`. Moments are aware.

    `errors` has what is wrong now, by what it is about. `last_good` is when everything was last brought up to date,
    `next_window` the first day of the next window. `runs` is whether the process is there at all: it is looked up.
    """

    pid: int
    started: datetime
    updated: datetime
    config: str
    versions: Mapping[str, str]
    last_sync: LastSync | None = None
    last_good: datetime | None = None
    next_run: datetime | None = None
    next_window: str | None = None
    errors: Mapping[str, str] = field(default_factory=dict)
    stopped: datetime | None = None
    runs: bool = True

    def verdict(self, now: datetime) -> Verdict:
        """Stale is what should have been heard of by `now`; a daemon that was stopped on purpose is not."""
        if self.stopped is not None and not self.runs:
            return Verdict.STOPPED
        if not self.runs or now > (self.next_run or self.updated) + GRACE:
            return Verdict.STALE
        return Verdict.FAILING if self.errors else Verdict.FINE

    def exit_code(self, now: datetime) -> int:
        """For `calsync status`: 1 where somebody should look."""
        return 1 if self.verdict(now) in (Verdict.STALE, Verdict.FAILING) else 0

    def text(self, now: datetime) -> Iterator[str]:
        """The same for people, as lines; times in the zone of `now`."""
        verdict = self.verdict(now)
        yield f"daemon: {verdict}, {self._where_it_is(verdict, now)}"
        if self.last_sync:
            done = self.last_sync
            what = counts(done, zeros=False) or "nothing to do"
            yield f"    last sync  {_say(done.at, now)} ({done.because}), {done.took:.1f} s, {what}"
        if self.last_good and self.errors:
            yield f"    last good  {_say(self.last_good, now)}"
        if self.next_run and verdict is not Verdict.STOPPED:
            yield f"    next sync  {_say(self.next_run, now)}"
        for about, error in self.errors.items():
            first, *others = error.splitlines()
            yield f"    error      {about}: {first}"
            yield from (f"               {line}" for line in others)
        yield f"    versions   {', '.join(f'{name} {version}' for name, version in self.versions.items())}"

    def _where_it_is(self, verdict: Verdict, now: datetime) -> str:
        if verdict is Verdict.STOPPED and self.stopped:
            return f"since {_say(self.stopped, now)}"
        if not self.runs:
            return f"it ended unasked; last heard of {_say(self.updated, now)}"
        if verdict is Verdict.STALE:
            return f"process {self.pid} was last heard of {_say(self.updated, now)}"
        return f"process {self.pid} since {_say(self.started, now)}"

    def as_json(self, now: datetime) -> dict[str, Any]:
        """The same for programs: the file, with the verdict."""
        return {"verdict": self.verdict(now), **_written(self), "runs": self.runs}


def counts(done: LastSync, *, zeros: bool = True) -> str:
    """The counts of a sync, in a line; with `zeros` those too that are 0."""
    names = ("requests", "created", "updated", "deleted", "unchanged", "kept", "failed")
    return ", ".join(f"{getattr(done, name)} {name}" for name in names if zeros or getattr(done, name))


def versions() -> dict[str, str]:
    """Those of calsync, Python and the libraries that a report of a fault should name."""
    libraries = ("apscheduler", "caldav", "icalendar")
    return {"calsync": __version__, "Python": platform.python_version()} | {name: version(name) for name in libraries}


def publish(folder: Path, health: Health) -> None:
    """Write it. Raises OSError.

    A path of bytes that are no UTF-8 holds lone surrogates, which are escaped as JSON does it.
    """
    path = folder / _FILE
    fresh = path.with_suffix(".new")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
        json.dump(_written(health), file, ensure_ascii=False, indent=1)
    fresh.replace(path)


def read(environ: Mapping[str, str]) -> Health | None:
    """What the daemon of this user told last; None where there was none. What is no such file is not read either.

    Raises OSError where it may not be read.
    """
    folder = paths.state_folder(environ)
    try:
        told = json.loads((folder / _FILE).read_bytes())
        return replace(_health(told), runs=_is_locked(folder))
    except (FileNotFoundError, NotADirectoryError, ValueError, TypeError, KeyError):
        return None


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[Callable[[], None]]:
    """Be the one daemon of this state folder. Raises BusyError where there is one, CalsyncError for a bad folder.

    Gives what is to be called now and then: it makes folder and lock anew where they were removed meanwhile, as people
    may do with a cache. It raises nothing.
    """
    with contextlib.ExitStack() as held:
        held.enter_context(_lock(folder))

        def hold() -> None:
            with contextlib.suppress(CalsyncError):
                if not _is_locked(folder):
                    held.enter_context(_lock(folder))

        yield hold


@contextlib.contextmanager
def _lock(folder: Path) -> Iterator[None]:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = (folder / _LOCK).open("a")
    except OSError as error:
        raise CalsyncError(f"the state folder {folder} cannot be written: {error.strerror}") from None
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BusyError(f"another calsync daemon runs on {folder}; this one leaves it to that") from None
        yield


def _is_locked(folder: Path) -> bool:
    try:
        with (folder / _LOCK).open() as handle:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _written(health: Health) -> dict[str, Any]:
    told = {name: getattr(health, name) for name in health.__struct_fields__ if name != "runs"}
    told["last_sync"] = health.last_sync and asdict(health.last_sync)
    return {name: _plain(value) for name, value in told.items()}


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    return value.isoformat() if isinstance(value, datetime) else value


def _health(told: Mapping[str, Any]) -> Health:
    moments = ("started", "updated", "last_good", "next_run", "stopped")
    values = {**told, **{name: _moment(told[name]) for name in moments}}
    if last := told["last_sync"]:
        values["last_sync"] = LastSync(**{**last, "at": datetime.fromisoformat(last["at"])})
    return Health(**values)


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _say(moment: datetime, now: datetime) -> str:
    local = moment.astimezone(now.tzinfo)
    return f"{local:%H:%M:%S}" if local.date() == now.date() else f"{local:%Y-%m-%d %H:%M}"
