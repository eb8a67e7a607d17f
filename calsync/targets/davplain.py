"""HTTP/1.1 without TLS, over connections that stay: what a server on loopback is asked with.

Python's own `http.client` speaks it, at a third of the HTTP library's cost. Whatever needs more (TLS, a proxy, Digest)
is left to the library, see `davhttp.py`.
Public face: `Wire`, `Reply`.
"""

from __future__ import annotations

import select
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Reply:
    """A server's answer, read to its end, with the names that the HTTP library's answers have."""

    status_code: int
    reason: str
    headers: Mapping[str, str]
    content: bytes

    @property
    def text(self) -> str:
        """The body as text, for people to read."""
        return self.content.decode("utf-8", "replace")


class Wire:
    """Kept connections. Its method may be called from several threads; each request has a connection for itself."""

    def __init__(self) -> None:
        self._idle: dict[str, list[HTTPConnection]] = {}
        self._lock = threading.Lock()

    def ask(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str], timeout: float) -> Reply:
        """Send one request and read the answer; `timeout` in seconds. Raises OSError and http.client.HTTPException."""
        parts = urlsplit(url)
        connection = self._taken(parts.netloc) or HTTPConnection(parts.netloc, timeout=timeout)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            connection.request(method, target, body, headers)
            response = connection.getresponse()
            reply = Reply(response.status, response.reason, dict(response.headers.items()), response.read())
        except BaseException:
            connection.close()
            raise
        if connection.sock is not None:  # the server keeps it open
            with self._lock:
                self._idle.setdefault(parts.netloc, []).append(connection)
        return reply

    def close(self) -> None:
        """Close all connections that nobody uses now."""
        with self._lock:
            for connection in (each for idle in self._idle.values() for each in idle):
                connection.close()
            self._idle.clear()

    def _taken(self, netloc: str) -> HTTPConnection | None:
        """A kept connection that is still good; those that the server closed meanwhile are let go of."""
        with self._lock:
            idle = self._idle.get(netloc, [])
            while idle:
                connection = idle.pop()
                if not select.select([connection.sock], [], [], 0)[0]:  # what it has to say unasked is its goodbye
                    return connection
                connection.close()
        return None
