"""The quirk server on real sockets: what comes in is logged, faults strike at the requests that a test names.

HTTP/1.1 with connections kept alive, a thread a connection, Basic auth. A test looks at the model and acts on it
directly, which is no request. Public face: `QuirkServer`, `Fault`, `Logged`.
"""

from __future__ import annotations

import base64
import contextlib
import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import formatdate
from enum import Enum
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from tests.quirks.dav import HOME, ROOTS, Dav
from tests.quirks.flags import Limits, Quirk
from tests.quirks.model import Model, Stored
from tests.scripted import Asked, Reply

USERNAME, PASSWORD = "alice", "zinnober-quartz-otter"
SLOW_SECONDS = 0.05
CONDITIONS = ("if-match", "if-none-match")


class Fault(Enum):
    """What strikes one request."""

    LOST_BEFORE = "lost before"  # the connection is closed, and nothing was done
    LOST_AFTER = "lost after"  # it was done, and the connection closed without an answer
    HALF = "half"  # it was done, and half of the answer comes
    SLOW = "slow"  # all is well, a little later


@dataclass(frozen=True)
class Logged:
    """One request: its number from 1, its conditions by lower-case name, the status answered (None if none was)."""

    number: int
    method: str
    href: str
    conditions: Mapping[str, str]
    status: int | None
    fault: Fault | None = None

    @property
    def is_write(self) -> bool:
        return self.method in ("PUT", "DELETE")


class QuirkServer:
    """A CalDAV server with one user and these flags. `faults`: the request's number, from 1 -> what strikes it.

    A context manager; or call `start` and `stop`. After a stop it can be started again, on the same port, and holds
    what it held. `log` has every request in order.
    """

    username, password, home = USERNAME, PASSWORD, HOME

    def __init__(
        self,
        flags: Iterable[Quirk] = (),
        faults: Mapping[int, Fault] | None = None,
        limits: Limits | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.flags = frozenset(flags)
        self.limits = limits or Limits()
        self.clock = clock
        self.model = Model(self.flags, clock)
        self.log: list[Logged] = []
        self.faults = dict(faults or {})
        self.port = 0
        self._dav = Dav(self.model, self.flags, self.limits)
        self._numbers = itertools.count(1)
        self._number = 0
        self._calendars = itertools.count(1)
        self._http: _Http | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    # Its life

    def start(self) -> QuirkServer:
        self._http = _Http(("127.0.0.1", self.port), self)
        self.port = self._http.server_port
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Close everything, also connections that are kept alive. Twice is no harm."""
        if self._http is None or self._thread is None:
            return
        self._http.shutdown()
        self._http.hang_up()
        self._http.server_close()
        self._thread.join()
        self._http = None

    @contextmanager
    def away(self) -> Iterator[None]:
        """The server is down within this block, and up again after it."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    def __enter__(self) -> QuirkServer:
        return self.start()

    def __exit__(self, *_error: object) -> None:
        self.stop()

    # Faults and the log

    def inject(self, fault: Fault, at: int = 1) -> None:
        """Let the fault strike the request that is `at` requests from now: 1 is the next one."""
        self.faults[self._number + at] = fault

    def writes(self) -> list[Logged]:
        """Every PUT and DELETE that came."""
        return [each for each in self.log if each.is_write]

    def blind_writes(self) -> list[Logged]:
        """The writes that could have destroyed what nobody has looked at.

        A write needs `If-None-Match: *` or an `If-Match` with a strong ETag. Where the server has weak ones alone, the
        item must have been read just before. `If-Match: *` is never right.
        """
        return [each for each in self.writes() if not self._is_careful(each)]

    def _is_careful(self, write: Logged) -> bool:
        match = write.conditions.get("if-match", "")
        if write.conditions.get("if-none-match") == "*" and write.method == "PUT":
            return True
        if Quirk.NGINX_WEAK_ETAGS in self.flags and not match:
            earlier = [each for each in self.log if each.number < write.number and each.href == write.href]
            return bool(earlier) and (earlier[-1].method, earlier[-1].status) == ("GET", 200)
        return match.startswith('"')

    # The user with another app

    def calendar(self, name: str | None = None) -> str:
        """Make an empty calendar; returns its URL."""
        number = next(self._calendars)
        path = f"{HOME}test-{number}/"
        self.model.calendars[path] = name or f"Test {number}"
        return urljoin(self.url, path)

    def items(self, calendar: str) -> dict[str, str]:
        """href -> text of all items of a calendar, by its URL."""
        return {href: item.body for href, item in self.model.inside(urlsplit(calendar).path).items()}

    def put(self, href: str, body: str) -> Stored:
        """Write an item (by href or URL), whatever stands there."""
        return self.model.store(unquote(urlsplit(href).path), body)

    def edit(self, href: str, change: Callable[[str], str]) -> Stored:
        """Change an item's text."""
        with self.model.lock:
            return self.model.store(href, change(self.model.items[href].body))

    def remove(self, href: str) -> None:
        """Delete an item."""
        self.model.remove(unquote(urlsplit(href).path))

    # Requests

    def next_number(self) -> int:
        with self.model.lock:
            self._number = next(self._numbers)
            return self._number

    def reply(self, asked: Asked, number: int) -> Reply:
        """What to answer to a request, with the flags that concern every one of them."""
        if not self._may(asked):
            return Reply(401, "", {"WWW-Authenticate": 'Basic realm="quirks"'})
        if number % self.limits.every == 0:
            if Quirk.OX_429 in self.flags:
                return Reply(429, "", {"Retry-After": str(self.limits.retry_after)})
            if Quirk.PROXY_503 in self.flags:
                return Reply(503)
        return self._dav.answer(asked, self.url.rstrip("/"))

    def _may(self, asked: Asked) -> bool:
        login = base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
        if asked.headers.get("authorization") == f"Basic {login}":
            return True
        is_root = asked.path in ROOTS and asked.method == "PROPFIND"
        return is_root and Quirk.CYRUS_ROOT_WITHOUT_LOGIN in self.flags

    def note(self, number: int, asked: Asked, status: int | None, fault: Fault | None) -> None:
        conditions = {name: asked.headers[name] for name in CONDITIONS if name in asked.headers}
        href = unquote(urlsplit(asked.path).path)
        self.log.append(Logged(number, asked.method, href, conditions, status, fault))


class _Http(ThreadingHTTPServer):
    """The sockets; it knows its connections, so as to close them."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], owner: QuirkServer) -> None:
        self.owner = owner
        self.connections: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def hang_up(self) -> None:
        for connection in list(self.connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that gave up is nothing to print."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each answer is 40 ms late
    server: _Http

    def setup(self) -> None:
        super().setup()
        self.server.connections.add(self.connection)
        self.answered = 0
        self.owner = self.server.owner

    def finish(self) -> None:
        self.server.connections.discard(self.connection)
        super().finish()

    def handle_request(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.command, self.path, headers, body)
        owner = self.owner
        number = owner.next_number()
        fault = owner.faults.get(number)
        if fault is Fault.LOST_BEFORE:
            owner.note(number, asked, None, fault)
            self.close_connection = True
            return
        if fault is Fault.SLOW:
            time.sleep(SLOW_SECONDS)
        reply = owner.reply(asked, number)
        lost = fault in (Fault.LOST_AFTER, Fault.HALF)
        owner.note(number, asked, None if lost else reply.status, fault)
        self._send(reply, fault)

    def _send(self, reply: Reply, fault: Fault | None) -> None:
        flags, limits = self.owner.flags, self.owner.limits
        self.answered += 1
        version = "HTTP/1.0" if Quirk.RADICALE_HTTP_1_0 in flags else "HTTP/1.1"
        body = reply.body.encode()
        always = {"Date": formatdate(self.owner.clock(), usegmt=True), "Content-Length": str(len(body))}
        headers = {"Content-Type": "application/xml; charset=utf-8", **reply.headers, **always}
        lines = [f"{version} {reply.status} {_phrase(reply.status)}", *(f"{key}: {headers[key]}" for key in headers)]
        head = ("\r\n".join(lines) + "\r\n\r\n").encode()
        body = b"" if self.command == "HEAD" else body
        tired = Quirk.CLOSES_CONNECTIONS in flags and self.answered >= limits.per_connection
        if fault in (Fault.LOST_AFTER, Fault.HALF) or tired or version == "HTTP/1.0":
            self.close_connection = True
        if fault is Fault.LOST_AFTER:
            return
        sent = head + body
        if fault is Fault.HALF:
            sent = sent[: len(head) + len(body) // 2] if body else sent[: len("HTTP/1.1 2")]
        self.wfile.write(sent)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self.handle_request
        raise AttributeError(name)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the parent's name for it
        pass


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Status"
