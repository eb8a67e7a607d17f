"""HTTP/1.1 without TLS, over connections that stay: what a server on loopback is asked with.

Python's own `http.client` speaks it, at a third of the HTTP library's cost. Whatever needs more (TLS, a proxy, Digest)
is left to the library, see `davhttp.py`.
Public face: `Wire`, `Reply`.
"""

from __future__ import annotations

import contextlib
import re
import select
import socket
import threading
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, IncompleteRead
from io import BufferedReader
from urllib.parse import quote, urlsplit

_AS_IT_IS = "/:@!$&'()*+,;=~%?"
"""Beside letters, digits and "-._": what may stand in a path or query (RFC 3986 3.3, 3.4), and what is encoded."""

_EITHER = zlib.MAX_WBITS | 32
"""The format of zlib's that takes gzip and deflate."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A server's answer, read to its end, with the names that the HTTP library's answers have."""

    status_code: int
    reason: str
    headers: Mapping[str, str]
    """By lower-case name; what came more than once is joined by commas."""
    content: bytes

    @property
    def text(self) -> str:
        """The body as text, for people to read."""
        return self.content.decode("utf-8", "replace")


class _Lines(BufferedReader):
    """What a server sends; the end in the middle of a line is an error, which `http.client` takes for a head's end."""

    def readline(self, size: int | None = -1, /) -> bytes:
        """As the parent's. Raises IncompleteRead."""
        line = super().readline(size)
        if not line.endswith(b"\n"):
            raise IncompleteRead(line)
        return line


class _Response(HTTPResponse):
    def __init__(self, sock: socket.socket, debuglevel: int = 0, method: str | None = None) -> None:
        super().__init__(sock, debuglevel, method)
        self.fp = _Lines(self.fp.detach())


class _Connection(HTTPConnection):
    response_class = _Response


class Wire:
    """Kept connections. Its method may be called from several threads; each request has a connection for itself."""

    def __init__(self) -> None:
        self._idle: dict[str, list[HTTPConnection]] = {}
        self._lock = threading.Lock()

    def ask(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str], timeout: float) -> Reply:
        """Send one request, once, and read the answer; `timeout` in seconds.

        A user or password in the URL is not sent. Raises OSError and http.client.HTTPException, also where a kept
        connection was closed just now: whoever asked knows whether to ask again.
        """
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        connection = self._taken(host) or _Connection(host, timeout=timeout)
        target = quote((parts.path or "/") + (f"?{parts.query}" if parts.query else ""), _AS_IT_IS)
        try:
            with contextlib.suppress(BrokenPipeError):  # the server may have answered before it had read all
                connection.request(method, target, body, headers)
            reply = _read(connection.getresponse())
        except BaseException:
            connection.close()
            raise
        if connection.sock is not None:  # the server keeps it open
            with self._lock:
                self._idle.setdefault(host, []).append(connection)
        return reply

    def close(self) -> None:
        """Close all connections that nobody uses now."""
        with self._lock:
            for connection in (each for idle in self._idle.values() for each in idle):
                connection.close()
            self._idle.clear()

    def _taken(self, host: str) -> HTTPConnection | None:
        """A kept connection that is still good; those that the server closed meanwhile are let go of."""
        with self._lock:
            idle = self._idle.get(host, [])
            while idle:
                connection = idle.pop()
                if not select.select([connection.sock], [], [], 0)[0]:  # what it has to say unasked is its goodbye
                    return connection
                connection.close()
        return None


def _read(response: HTTPResponse) -> Reply:
    """The answer, read to its end. Raises OSError and HTTPException, also for an interim answer (1xx) but 100."""
    if response.status < 200:
        raise HTTPException(f"an interim answer ({response.status})")
    headers: dict[str, str] = {}
    for name in dict.fromkeys(name.lower() for name in response.headers):
        values = response.headers.get_all(name, [])
        headers[name] = ", ".join(re.sub(r"\r?\n[ \t]+", " ", value) for value in values)  # RFC 9110 5.3, RFC 9112 5.2
    return Reply(response.status, response.reason, headers, _unpacked(response.read(), headers.get("content-encoding")))


def _unpacked(content: bytes, encoding: str | None) -> bytes:
    """The body as it was meant: a server may compress though it was asked not to. Raises HTTPException."""
    if not content or (encoding or "").lower() not in ("gzip", "x-gzip", "deflate"):
        return content
    try:
        return zlib.decompress(content, _EITHER)
    except zlib.error as error:
        raise HTTPException(str(error)) from None
