"""The feed over HTTP, at a secret address for each subscriber: `/WORD/follow-ups.ics`.

Phones and web calendars cannot subscribe to a file. What each header is for is told in `docs/calendars.md`, "The feed
over HTTP". Public face: `serve`; `FeedSite`, its site; `links`, the addresses to hand out.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import re
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

from msgspec import Struct

from calsync.errors import ConfigError, Problem
from calsync.feedsettings import FeedSettings
from calsync.server import subscribers
from calsync.server.conditional import not_modified, takes_gzip
from calsync.server.listening import Listen, Listener, listening
from calsync.server.site import HEADERS, NOT_FOUND, Request, Response, plain
from calsync.server.subscribers import Gate, Standing
from calsync.targets import feed

FILE_NAME = "follow-ups.ics"
"""How every address ends: some apps want a name in .ics."""

LONGEST_FILE = 16_000_000
"""Bytes; a feed has about a thousand events and less than 1 MB."""

_PATH = re.compile(rf"/([a-z0-9]{{{subscribers.LENGTH}}})/{re.escape(FILE_NAME)}")
_METHODS = ("GET", "HEAD")
_NOT_ALLOWED = plain(405, "This address is for reading.\n", ("Allow", ", ".join(_METHODS)))
_GONE = plain(410, "This address was revoked. Ask for a new one.\n")
_NOT_YET = plain(503, "There is no feed yet. Try again in a while.\n", ("Retry-After", "300"))
_ROBOTS = plain(200, "User-agent: *\nAllow: /\n", ("Cache-Control", "max-age=86400"))


class Link(Struct, frozen=True):
    """A subscriber's address: over HTTP, and in the form that makes phones subscribe."""

    name: str
    url: str

    @property
    def webcal(self) -> str:
        """The address as apps are handed it (an old scheme of Apple's, which all of them know)."""
        return "webcal" + self.url.removeprefix("https").removeprefix("http")


def links(settings: FeedSettings, folder: Path) -> list[Link]:
    """The address of each subscriber; there is one at least. `folder` keeps their words.

    Raises ConfigError where the config does not serve the feed, CalsyncError where the words cannot be kept.
    """
    base = settings.public_url or _listen(settings).url
    return [
        Link(name, f"{base}{word.reveal()}/{FILE_NAME}") for name, word in sorted(subscribers.words(folder).items())
    ]


@contextlib.contextmanager
def serve(settings: FeedSettings, folder: Path, listener: Listener | None = None) -> Iterator[str]:
    """Serve the feed of `settings` while the block runs; gives the URL under which its addresses are.

    It is on `listener`, if there is one, with all else that is served there. The first subscriber's word is made where
    there is none. Raises as `links`, and as `Listener.add`.
    """
    listen = _listen(settings)
    subscribers.words(folder)
    site = FeedSite(settings.path, folder, settings.public_url or listen.url)
    with listening(site, listen, listener=listener):
        yield site.base


def _listen(settings: FeedSettings) -> Listen:
    if settings.listen is None:
        text = "the feed is not served: write 'listen: 127.0.0.1:8422' under 'feed'"
        raise ConfigError([Problem("feed.listen", 0, 0, text)])
    return Listen.of(settings.listen, settings.tls_certificate, settings.tls_key)


class _Copy(Struct, frozen=True):
    """What one subscriber is sent in one coding: the whole, and what says that they have it already."""

    tag: str
    whole: Response
    unchanged: Response

    @classmethod
    def of(cls, body: bytes, tag: str, date: str, *more: tuple[str, str]) -> _Copy:
        known = (("ETag", tag), ("Cache-Control", "private"), ("Vary", "Accept-Encoding"))
        about = (("Last-Modified", date), *HEADERS, ("Content-Type", "text/calendar; charset=utf-8"), *more)
        # A 304 has what a cache needs to go on, and no more (RFC 9110 15.4.5).
        return cls(tag, Response(200, (*known, *about), body), Response(304, known))


class _Copies(Struct, frozen=True):
    """What one subscriber is sent. The text and the same compressed have an entity tag each (RFC 9110 8.8.3.3)."""

    plain: _Copy
    zipped: _Copy

    @classmethod
    def of(cls, text: str, date: str) -> _Copies:
        body = text.encode()
        digest = hashlib.sha256(body).hexdigest()[:32]
        zipped = gzip.compress(body, 6, mtime=0)
        return cls(
            _Copy.of(body, f'"{digest}"', date),
            _Copy.of(zipped, f'"{digest}-gzip"', date, ("Content-Encoding", "gzip")),
        )


class FeedSite:
    """The site of one feed file. It looks at the file before each answer, and reads it when it has changed.

    Where the file is gone, cannot be read, is not whole or not ours, the last good copy goes on being served. `base`
    is the URL under which the site's paths are, for the feed to tell its own address.
    """

    in_thread = False
    longest_body = 65_536

    def __init__(self, path: Path, folder: Path, base: str) -> None:
        self.base = base
        self._path = path
        self._gate = Gate(folder)
        self._seen: tuple[int, ...] | None = None
        self._text = ""
        self._modified = datetime.min.replace(tzinfo=UTC)
        self._date = ""
        self._sent: dict[str, _Copies] = {}

    def answer(self, request: Request) -> Response | None:
        """See `site.Site.answer`. What is no address of a feed is another site's."""
        if request.path == "/robots.txt":
            return _ROBOTS if request.method in _METHODS else _NOT_ALLOWED
        found = _PATH.fullmatch(request.path)
        if found is None:
            return None
        match self._gate.standing(found[1]):
            case Standing.UNKNOWN:
                return NOT_FOUND
            case Standing.REVOKED:
                return _GONE
            case Standing.KNOWN:
                return self._feed(request) if request.method in _METHODS else _NOT_ALLOWED

    def _feed(self, request: Request) -> Response:
        self._refresh()
        if not self._text:
            return _NOT_YET
        copies = self._copies(request.path)
        copy = copies.zipped if takes_gzip(request.headers.get("Accept-Encoding", "")) else copies.plain
        return copy.unchanged if not_modified(request.headers, copy.tag, self._modified) else copy.whole

    def _copies(self, path: str) -> _Copies:
        """What is sent to the subscriber with this path, which its feed tells as its source."""
        if path not in self._sent:
            url = self.base + path.removeprefix("/")
            self._sent[path] = _Copies.of(feed.with_source(self._text, url), self._date)
        return self._sent[path]

    def _refresh(self) -> None:
        """Read the file if it has changed, and take it if it is good."""
        try:
            status = self._path.stat()
            seen = (status.st_mtime_ns, status.st_ino, status.st_size)
            if seen == self._seen:
                return
            text = _read(self._path)
        except (OSError, UnicodeDecodeError):
            return
        self._seen = seen
        if text == self._text or not feed.is_whole(text):
            return
        # Two copies of one second must not have one date, and none is of the future (RFC 9110 8.8.2.1).
        written = datetime.fromtimestamp(int(status.st_mtime), UTC)
        now = datetime.now(UTC).replace(microsecond=0)
        after = self._modified + timedelta(seconds=1) if self._text else self._modified
        self._text, self._modified = text, max(min(written, now), after)
        self._date = format_datetime(self._modified, usegmt=True)
        self._sent.clear()


def _read(path: Path) -> str:
    """The text of a regular file; nothing that would make us wait, such as a pipe. Raises OSError."""
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError("no regular file")
        raw = file.read(LONGEST_FILE + 1)
    return raw.decode() if len(raw) <= LONGEST_FILE else ""
