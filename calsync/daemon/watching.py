"""Notices that the user's files changed: a thread that blocks on inotify, and costs nothing while nothing happens.

Editors replace a file by renaming another over it, people keep files behind symbolic links, a journal may be a folder:
so it is the folders on the way to a file that are watched (inotify(7)), and what counts is whether the file is another
one then. Where inotify does not work, as on network mounts, files are looked at every few seconds.

Public face: `Watcher`; `points`, `on_network` and `seen`, which it is made of.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import select
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from calsync.daemon.scheduling import Reason

if TYPE_CHECKING:
    from inotify_simple import INotify

QUIET_SECONDS = 0.5
"""Some editors write in several steps: what counts is the state after this much silence."""
LONGEST_SECONDS = 2.0
"""But a file that is written all the time is looked at after this time."""
POLL_SECONDS = 10.0
"""How often files are looked at where inotify does not work."""

_NETWORKS = frozenset(
    ("9p", "afs", "ceph", "cifs", "davfs", "glusterfs", "lustre", "nfs", "nfs4", "smb3", "smbfs", "vboxsf", "virtiofs")
)
_LINKS = 40
"""How many symbolic links are followed, as the kernel does (path_resolution(7))."""
_ESCAPED = re.compile(r"\\([0-7]{3})")
"""A blank, say, in the list of mounts (proc_pid_mountinfo(5)); other letters stand as they are."""
_ITSELF = "."
_log = logging.getLogger(__name__)

Seen = tuple[tuple[str, ...] | tuple[str, int, int, int, int, int, int], ...]


def points(path: Path) -> Iterator[tuple[Path, str]]:
    """The names on the way to `path` that decide what it is, each with the folder that it stands in.

    These are the symbolic links, and the last name, or the first that is missing. A "" stands for every name in a
    folder of files, and a "." for a folder itself, which may be moved away with all that is in it.
    """
    here, ahead, links = Path(path.anchor), list(path.parts[1:]), 0
    while ahead:
        name = ahead.pop(0)
        step = here.parent if name == ".." else here / name
        try:
            target = step.readlink() if step.is_symlink() else None
            mode = None if target else step.stat().st_mode
        except OSError:
            yield here, name
            return
        if target is not None:
            yield here, name
            links += 1
            if links > _LINKS:
                return
            here = Path(target.anchor) if target.is_absolute() else here
            ahead = [*(target.parts[1:] if target.is_absolute() else target.parts), *ahead]
            continue
        if not ahead and name != "..":
            yield here, name
            if mode is not None and stat.S_ISDIR(mode):
                yield from _points_in(step)
        elif ahead:
            yield step, _ITSELF
        here = step


def _points_in(folder: Path) -> Iterator[tuple[Path, str]]:
    yield folder, ""
    with contextlib.suppress(OSError):
        links = [each for each in folder.iterdir() if each.name.endswith(".yaml") and each.is_symlink()]
        for link in links:
            yield from (point for point in points(link) if point[0] != folder)


def seen(path: Path) -> Seen:
    """What can be told of a file without reading it; of a folder, of each *.yaml in it. Another value, another file."""
    try:
        if path.is_dir():
            return tuple(_looks(each) for each in sorted(path.glob("*.yaml")))
    except OSError:
        return (("unreadable",),)
    return (_looks(path),)


def _looks(path: Path) -> tuple[str, ...] | tuple[str, int, int, int, int, int, int]:
    try:
        at = path.stat()
    except OSError as error:
        return (path.name, type(error).__name__)
    return (path.name, at.st_dev, at.st_ino, at.st_size, at.st_mtime_ns, at.st_ctime_ns, at.st_mode)


def on_network(folder: Path, mounts: str) -> bool:
    """Whether others may change `folder` unnoticed by this kernel. `mounts` is the text of /proc/self/mountinfo."""
    found, kind = "", ""
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        place = _ESCAPED.sub(lambda found: chr(int(found[1], 8)), before.split()[4])
        if len(place) >= len(found) and folder.is_relative_to(place):
            found, kind = place, after.split()[0]
    return kind in _NETWORKS or kind.startswith("fuse.")


def _mounts() -> str:
    try:
        return Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:  # another system
        return ""


class Watcher:
    """Calls `changed` with the reason that belongs to a file, after it changed. `follow` says which files."""

    def __init__(
        self,
        changed: Callable[[Reason], None],
        *,
        quiet_seconds: float = QUIET_SECONDS,
        poll_seconds: float = POLL_SECONDS,
        inotify: bool = True,
    ) -> None:
        self._changed = changed
        self._quiet_seconds = quiet_seconds
        self._poll_seconds = poll_seconds
        self._lock = threading.Lock()
        self._files: dict[Path, Reason] = {}
        self._seen: dict[Path, Seen] = {}
        self._names: dict[int, frozenset[str]] = {}
        self._polls = False
        self._inotify = _inotify() if inotify else None
        self._woken, self._wake = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._thread = threading.Thread(target=self._watch, name="watcher", daemon=True)
        self._thread.start()

    @property
    def polls(self) -> bool:
        """Whether files are looked at every few seconds, as inotify does not work for all of them."""
        return self._polls

    def follow(self, files: Mapping[Path, Reason]) -> None:
        """Watch these files and folders, and no others. What changed before the first call with a file is not told."""
        with self._lock:
            self._files = {path.absolute(): reason for path, reason in files.items()}
            self._aim()
            self._seen = {path: self._seen.get(path) or seen(path) for path in self._files}
        os.write(self._wake, b".")

    def close(self) -> None:
        """Watch nothing any more."""
        self._files = {}
        os.close(self._wake)
        self._thread.join()
        os.close(self._woken)
        if self._inotify is not None:
            self._inotify.close()

    # From here on, with the lock held.

    def _aim(self) -> None:
        """Watch the folders that matter now, and let go of the others."""
        wanted: dict[Path, set[str]] = {}
        for path in self._files:
            for folder, name in points(path):
                wanted.setdefault(folder, set()).add(name)
        mounts = _mounts()
        self._polls = any(on_network(folder, mounts) for folder, each in wanted.items() if each != {_ITSELF})
        names: dict[int, frozenset[str]] = {}
        for folder, each in wanted.items():
            alone = each == {_ITSELF}
            if (watch := self._watched(folder, _mask(alone=alone))) is not None:
                names[watch] = names.get(watch, frozenset()) | each
            elif not alone:
                self._polls = True
        if self._inotify is not None:
            for watch in self._names.keys() - names.keys():
                with contextlib.suppress(OSError):  # gone with its folder
                    self._inotify.rm_watch(watch)
        self._names = names

    def _watched(self, folder: Path, mask: int) -> int | None:
        """The number of the folder's watch; None where it cannot be watched."""
        if self._inotify is not None:
            with contextlib.suppress(OSError):
                watch: int = self._inotify.add_watch(folder, mask)
                return watch
        return None

    def _compare(self) -> None:
        """Tell what is not as it was."""
        self._aim()
        for path, reason in self._files.items():
            now = seen(path)
            if now != self._seen.get(path):
                self._seen[path] = now
                self._changed(reason)

    # The thread.

    def _watch(self) -> None:
        poller = select.poll()
        poller.register(self._woken, select.POLLIN)
        if self._inotify is not None:
            poller.register(self._inotify.fileno(), select.POLLIN)
        first: float | None = None
        last = looked = time.monotonic()
        while True:
            ready = dict(poller.poll(self._milliseconds(first, last, looked)))
            if self._woken in ready and not os.read(self._woken, 4096):
                return  # the other end was closed
            now = time.monotonic()
            if self._matters():
                first, last = first or now, now
            quiet = first is not None and (now - last >= self._quiet_seconds or now - first >= LONGEST_SECONDS)
            if quiet or (self._polls and now - looked >= self._poll_seconds):
                first, looked = None, now
                with self._lock:
                    self._compare()

    def _milliseconds(self, first: float | None, last: float, looked: float) -> int | None:
        """How long to wait for an event: for ever, unless there was one just now or files are to be looked at."""
        if first is not None:
            until = min(last + self._quiet_seconds, first + LONGEST_SECONDS)
        elif self._polls:
            until = looked + self._poll_seconds
        else:
            return None
        return max(0, round(1000 * (until - time.monotonic())) + 1)

    def _matters(self) -> bool:
        """Whether something happened to a name that is watched, or to a folder itself."""
        if self._inotify is None:
            return False
        with self._lock:
            found = False
            for event in self._inotify.read(timeout=0):
                names = self._names.get(event.wd, frozenset())
                found |= not event.name or event.name in names or ("" in names and event.name.endswith(".yaml"))
            return found


def _inotify() -> INotify | None:
    if sys.platform != "linux":
        return None
    from inotify_simple import INotify

    try:
        return INotify()
    except OSError as error:  # the user's limit of instances
        _log.warning("Changes are looked for every %d s: no inotify (%s).", POLL_SECONDS, error.strerror)
        return None


def _mask(*, alone: bool) -> int:
    """A file is finished, comes, goes or gets other rights; the folder itself goes. Links and pipes are only made.

    With `alone` the folder itself matters, and nothing in it: a busy one wakes nobody up. A folder may be watched under
    two paths, so nothing is taken from what it is watched for already.
    """
    from inotify_simple import flags

    folder = flags.DELETE_SELF | flags.MOVE_SELF | flags.ONLYDIR | flags.MASK_ADD
    if alone:
        return int(folder)
    files = flags.CLOSE_WRITE | flags.MOVED_TO | flags.MOVED_FROM | flags.CREATE | flags.DELETE | flags.ATTRIB
    return int(folder | files)
