"""What changed in a calendar since a token: sync-collection (RFC 6578), or its ctag where there is none.

A token is kept with a word before it that says which of the two it is. All that is not a good answer is None, and the
calendar is listed in full then. Public face: `Tokens`.
"""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from calsync.targets import davxml
from calsync.targets.base import Changes
from calsync.targets.davhttp import Connection, GarbledError
from calsync.targets.davwords import Answer
from calsync.targets.davxml import CTAG, DAV, Multistatus

_SYNC, _CTAG = "sync ", "ctag "
_DEPTH_0 = {**davxml.XML_HEADERS, "Depth": "0"}

_SECONDS = re.compile(r"(?<![0-9A-Za-z])\d{10}(?![0-9A-Za-z])")
"""A moment in seconds since 1970, as of these decades: SOGo's tokens and ctags are the second of the last change."""


class Tokens:
    """Takes tokens and asks for changes over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._has_sync = True
        self._ctag: str | None = None

    def take(self, calendar: str) -> str | None:
        """A token for now; None where the server has none. At most one request."""
        if self._ctag is not None:
            return self._ctag
        answer = self._ask("PROPFIND", calendar, davxml.TOKENS)
        multistatus = _multistatus(answer)
        own = multistatus.about(urlsplit(answer.url).path) if answer and multistatus else None
        if answer is None or own is None:
            return None
        sync, ctag = own.text(f"{DAV}sync-token"), own.text(CTAG)
        if sync and self._has_sync:
            return _good(_SYNC + sync, answer)
        return _good(_CTAG + ctag, answer) if ctag else None

    def changes(self, calendar: str, token: str) -> Changes | None:
        """What changed since `token`; None where it is refused, or the answer is in doubt."""
        if token.startswith(_SYNC):
            return self._sync(calendar, token.removeprefix(_SYNC))
        self._has_sync = False  # the server once said so; the listing of the day asks again
        self._ctag = None  # ask anew: what was taken before tells of before
        self._ctag = self.take(calendar)
        return Changes({}, frozenset(), token) if self._ctag == token else None

    def _sync(self, calendar: str, token: str) -> Changes | None:
        """RFC 6578 3.2. An answer cut short (507 for the calendar, 3.6) is in doubt, as all that are not whole.

        A token that is refused is told by its element, whatever the status: Xandikos says 412, others 403.
        """
        answer = self._ask("REPORT", calendar, davxml.sync_collection(token))
        if answer is None:
            return None
        if answer.status != 207:
            self._has_sync = f"{DAV}valid-sync-token" in answer.preconditions
            return None
        multistatus = _multistatus(answer)
        new = (answer.tree.findtext(f"{DAV}sync-token") or "").strip() if answer.tree is not None else ""
        if multistatus is None or not new:
            return None
        own = urlsplit(answer.url).path
        events = davxml.listing(multistatus, own)
        gone = frozenset(entry.path for entry in multistatus.entries if entry.status in (404, 410))
        if not events.whole or any(davxml.canonical(path) == davxml.canonical(own) for path in gone):
            return None
        return Changes(events.etags, gone, _good(_SYNC + new, answer))

    def _ask(self, method: str, calendar: str, body: str) -> Answer | None:
        try:
            return self._connection.read(method, calendar, body, _DEPTH_0)
        except GarbledError:
            return None


def _multistatus(answer: Answer | None) -> Multistatus | None:
    return davxml.parse(answer.tree) if answer is not None and answer.status == 207 else None


def _good(token: str, answer: Answer) -> str | None:
    """The token, unless it is a second that may not be over: another change in it would not be seen."""
    seconds = [int(found) for found in _SECONDS.findall(token)]
    if not seconds:
        return token
    try:
        sent = parsedate_to_datetime(answer.header("Date") or "").timestamp()
    except ValueError:
        return None
    return token if max(seconds) < sent - 1 else None
