"""A feed: one .ics file that calendar apps subscribe to. Written whole, at once, and only when something differs.

Form: RFC 5545, RFC 7986 (NAME, COLOR, REFRESH-INTERVAL), and the X- properties that Apple and Outlook read; see
`docs/calendars.md`, "The feed". The text of each event is kept as it was given.

Public face: `FeedTarget`; `is_whole` and `with_source`, for a server.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from calsync.errors import GuardError, SyncFailedError
from calsync.model import Resource
from calsync.targets.base import Changes, ConflictError, ItemError, Listing, MissingError

PRODID = "-//calsync//feed//EN"
"""What says that a file is a feed of ours, and may be written over."""

NEW_FILE_MODE = 0o644
"""A feed is there to be read, by a web server too. An existing file keeps its mode."""

_EVENT = re.compile(r"^BEGIN:VEVENT\r\n.*?^END:VEVENT\r\n", re.MULTILINE | re.DOTALL)
_ZONE = re.compile(r"^BEGIN:VTIMEZONE\r\n.*?^END:VTIMEZONE\r\n", re.MULTILINE | re.DOTALL)
_OPENING, _CLOSING = "BEGIN:VCALENDAR\r\n", "END:VCALENDAR\r\n"


class FeedTarget:
    """The events of one feed file; see `base.Target`, which tells what each method promises.

    An item's href is its UID, its ETag a hash of its text. Everything happens in memory until `commit`. `title` is
    what calendar apps call the feed, `color` a CSS colour name (RFC 7986 5.9).

    Raises GuardError if the file is not ours, SyncFailedError if it cannot be read or written.
    """

    name = "feed"
    connections = 1

    def __init__(self, *, path: Path, title: str = "Follow-ups", color: str = "steelblue") -> None:
        self._path = path
        self._head = _head(title, color)
        self._stored: str | None = None
        self._loaded = False
        self._whole = True
        self._events: dict[str, str] = {}
        self._zones: dict[str, str] = {}
        self.requests = 0

    @property
    def where(self) -> str:
        """The file's path."""
        return str(self._path)

    def listing(self) -> Listing:
        """See `base.Target.listing`."""
        self._load()
        return Listing({uid: _etag(text) for uid, text in self._events.items()}, self._whole)

    def token(self) -> str | None:
        """See `base.Target.token`: a hash of the file; None where it is missing or cut off."""
        self._load()
        return _etag(self._stored) if self._stored and self._whole else None

    def changes(self, token: str) -> Changes | None:
        """See `base.Target.changes`: nothing where the file is the same, and all is read again where it is not."""
        return Changes({}, frozenset(), token) if token == self.token() else None

    def fetch(self, hrefs: Iterable[str]) -> Mapping[str, Resource]:
        """See `base.Target.fetch`."""
        self._load()
        return {uid: self._item(uid) for uid in hrefs if uid in self._events}

    def gone(self, href: str) -> bool:
        """See `base.Target.gone`."""
        self._load()
        return self._whole and href not in self._events

    def create(self, href: str, body: str) -> Resource:
        """See `base.Target.create`. Whatever `href` is, the new item's href is the UID in its text."""
        self._load()
        uid, text, zones = _parts(body, href)
        if uid in self._events:
            raise ConflictError(f"The feed has an event with the UID {uid} already.")
        return self._put(uid, text, zones, body)

    def update(self, item: Resource, body: str) -> Resource:
        """See `base.Target.update`."""
        self._check(item)
        uid, text, zones = _parts(body, item.href)
        if uid != item.href:
            raise ItemError(f"An event cannot change its UID from {item.href} to {uid}.")
        return self._put(uid, text, zones, body)

    def delete(self, item: Resource) -> None:
        """See `base.Target.delete`."""
        self._check(item)
        del self._events[item.href]

    def commit(self) -> None:
        """Write the file, unless it holds exactly this already: then it is not touched."""
        self._load()
        text = self._text()
        if text == self._stored:
            return
        if self._read() != self._stored:
            raise SyncFailedError(f"Another program wrote {self._path} at the same time. Run calsync again.")
        try:
            _write(self._path.resolve(), text.encode())
        except OSError as error:
            raise SyncFailedError(f"Cannot write the feed {self._path}: {error.strerror}.") from None
        self._stored = text
        self._whole = True

    def close(self) -> None:
        """See `base.Target.close`: no file is kept open."""

    def _load(self) -> None:
        """Read the file, once."""
        if self._loaded:
            return
        self._stored = self._read()
        text = self._stored or ""
        if text and not _is_ours(text):
            raise GuardError(
                f"{self._path} is not a feed of calsync, so it is not written over."
                " Set feed.path to another file, or move this one away."
            )
        self._events = {_value(block, "UID"): block for block in _EVENT.findall(text)}
        self._zones = {_value(block, "TZID"): block for block in _ZONE.findall(text)}
        self._whole = not text or text.endswith(_CLOSING)
        self._loaded = True

    def _read(self) -> str | None:
        """The file's text; None where there is no file, "" for one without a byte."""
        try:
            return self._path.read_bytes().decode()
        except FileNotFoundError:
            return None
        except UnicodeDecodeError:
            raise GuardError(f"{self._path} is no calendar file. Set feed.path to another file.") from None
        except OSError as error:
            raise SyncFailedError(f"Cannot read the feed {self._path}: {error.strerror}.") from None

    def _put(self, uid: str, text: str, zones: Mapping[str, str], body: str) -> Resource:
        self._events[uid] = text
        self._zones.update(zones)
        return Resource(uid, _etag(text), body)

    def _check(self, item: Resource) -> None:
        """Raise unless `item` still stands as it was read."""
        self._load()
        if item.href not in self._events:
            raise MissingError(f"The feed has no event with the UID {item.href} any more.")
        now = self._item(item.href)
        if now.etag != item.etag if item.etag is not None else now.body != item.body:
            raise ConflictError(f"The event {item.href} was changed since it was read.")

    def _item(self, uid: str) -> Resource:
        """One event as a calendar of its own, with the zones that it names."""
        text = self._events[uid]
        body = f"{_OPENING}VERSION:2.0\r\nPRODID:{PRODID}\r\n{self._zones_of([text])}{text}{_CLOSING}"
        return Resource(uid, _etag(text), body)

    def _zones_of(self, events: Iterable[str]) -> str:
        used = {zone for text in events for zone in re.findall(r';TZID="?([^":;]+)', _unfolded(text))}
        return "".join(block for zone, block in sorted(self._zones.items()) if zone in used)

    def _text(self) -> str:
        """The whole file: the same events give the same bytes, in whatever order they came."""
        events = sorted(self._events.values(), key=lambda text: (_value(text, "DTSTART"), _value(text, "UID")))
        return f"{self._head}{self._zones_of(events)}{''.join(events)}{_CLOSING}"


def is_whole(text: str) -> bool:
    """Whether this is a feed of ours, to its end."""
    return _is_ours(text) and text.endswith(_CLOSING)


def with_source(text: str, url: str) -> str:
    """The feed with the address at which it is served (RFC 7986 5.8), which the file does not have: it is a secret."""
    head, product, rest = text.partition(f"\r\nPRODID:{PRODID}\r\n")
    return f"{head}{product}{_folded(f'SOURCE;VALUE=URI:{url}')}\r\n{rest}"


def _is_ours(text: str) -> bool:
    return text.startswith(_OPENING) and f"\r\nPRODID:{PRODID}\r\n" in text


def _head(title: str, color: str) -> str:
    """The properties of the calendar as a whole."""
    escaped = re.sub(r"([\\;,])", r"\\\1", " ".join(title.split()))
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:{PRODID}",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"NAME:{escaped}",
        f"X-WR-CALNAME:{escaped}",
        f"COLOR:{color}",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        "X-PUBLISHED-TTL:PT1H",
    ]
    return "".join(f"{_folded(line)}\r\n" for line in lines)


def _folded(line: str) -> str:
    """A line of at most 75 bytes, and the rest of it on lines that begin with a space (RFC 5545 3.1)."""
    lines, size = [""], 0
    for character in line:
        size += len(character.encode())
        if size > 75:  # the number that the RFC gives
            lines.append(" ")
            size = 1 + len(character.encode())
        lines[-1] += character
    return "\r\n".join(lines)


def _parts(body: str, href: str) -> tuple[str, str, dict[str, str]]:
    """The UID, the one event and the zones of a calendar object."""
    text = body.replace("\r\n", "\n").replace("\n", "\r\n")
    events = _EVENT.findall(text)
    uid = _value(events[0], "UID") if events else ""
    if len(events) != 1 or not uid:
        raise ItemError(f"{href} does not hold exactly one event with a UID.")
    return uid, events[0], {_value(block, "TZID"): block for block in _ZONE.findall(text)}


def _value(block: str, name: str) -> str:
    """The text after the first `NAME:` or `NAME;PARAMETERS:` of a block; "" where there is none."""
    found = re.search(rf"^{name}(?:;[^:\r\n]*)?:([^\r\n]*)", _unfolded(block), re.MULTILINE)
    return found[1].strip() if found else ""


def _unfolded(block: str) -> str:
    return block.replace("\r\n ", "").replace("\r\n\t", "")


def _etag(text: str) -> str:
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:16]}"'


def _write(path: Path, data: bytes) -> None:
    """Write a file at once: readers see the old text or the new one, also after a power cut."""
    mode, owner = NEW_FILE_MODE, None
    with contextlib.suppress(FileNotFoundError):
        status = path.stat()
        mode, owner = status.st_mode & 0o7777, (status.st_uid, status.st_gid)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            if owner is not None:
                with contextlib.suppress(PermissionError):  # only root gives files away
                    os.fchown(file.fileno(), *owner)
            os.fchmod(file.fileno(), mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
