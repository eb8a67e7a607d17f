"""HTTP/1.1 by Tornado: connections and requests, within bounds, to the sites of an address. The only tornado import.

Why Tornado: `docs/decisions/0011-one-listener.md`. What is bounded: see the constants. A client that goes beyond is
answered with 400 or nothing, and let go of. Public face: `Server`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
import time
from collections.abc import Sequence
from concurrent.futures import Executor
from email.utils import formatdate
from functools import lru_cache, partial
from http import HTTPStatus

from tornado import httputil, iostream
from tornado.http1connection import HTTP1Connection
from tornado.httpserver import HTTPServer

from calsync.server.site import NOT_FOUND, Request, Response, Site, plain

CONNECTIONS = 128
"""Open at a time on one address; more are closed at once."""

HEADER_BYTES = 16_384
REQUEST_SECONDS = 20
"""How long a connection may be without a whole request line and headers; how long a body may take after them."""

ANSWER_SECONDS = 60.0
"""How long a client may take to read an answer."""

_LOGGER = logging.getLogger(__name__)

# Tornado's own logs tell addresses, of which some are secret, and what clients do wrong, which is no error of ours.
for _name, _level in {"tornado.access": logging.CRITICAL, "tornado.general": logging.ERROR}.items():
    logging.getLogger(_name).setLevel(_level)


class Server(HTTPServer):
    """The connections of one address. Made by `on`, in the event loop in which it runs."""

    sites: Sequence[Site]
    threads: Executor
    name: tuple[str, int]
    is_secure: bool
    under_way = 0
    _open = 0

    @classmethod
    async def on(
        cls, listening: socket.socket, sites: Sequence[Site], threads: Executor, tls: ssl.SSLContext | None
    ) -> Server:
        """Serve `sites`, which may change meanwhile, on a socket that listens."""
        server = cls(
            _nobody,
            ssl_options=tls,
            max_header_size=HEADER_BYTES,
            idle_connection_timeout=REQUEST_SECONDS,
            body_timeout=REQUEST_SECONDS,
        )
        server.sites, server.threads = sites, threads
        server.name, server.is_secure = listening.getsockname()[:2], tls is not None
        listening.settimeout(0)
        server.add_sockets([listening])
        return server

    async def leave(self, seconds: float) -> None:
        """Listen no more; close the connections once no request is under way, at the latest after these seconds."""
        self.stop()
        deadline = time.monotonic() + seconds
        while self.under_way and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self.close_all_connections(), 1)

    def handle_stream(self, stream: iostream.IOStream, address: tuple[str, int]) -> None:
        """A new connection."""
        if self._open >= CONNECTIONS:
            stream.close()
            return
        self._open += 1
        stream.set_nodelay(True)
        super().handle_stream(stream, address)

    def on_close(self, server_conn: object) -> None:
        """A connection has ended."""
        self._open -= 1
        super().on_close(server_conn)

    def start_request(self, server_conn: object, request_conn: httputil.HTTPConnection) -> httputil.HTTPMessageDelegate:  # noqa: ARG002  # the parent's
        """What takes the next request of a connection."""
        assert isinstance(request_conn, HTTP1Connection)
        return _Exchange(self, request_conn)


def _nobody(request: httputil.HTTPServerRequest) -> None:
    """Never called: `Server.start_request` is in its place."""


class _Exchange(httputil.HTTPMessageDelegate):
    """One request and its answer."""

    def __init__(self, server: Server, connection: HTTP1Connection) -> None:
        self._server = server
        self._connection = connection
        self._body: list[bytes] = []

    def headers_received(
        self, start_line: httputil.RequestStartLine | httputil.ResponseStartLine, headers: httputil.HTTPHeaders
    ) -> None:
        """The request's line and headers are there."""
        assert isinstance(start_line, httputil.RequestStartLine)
        self._start_line, self._headers = start_line, headers
        self._server.under_way += 1
        self._connection.set_max_body_size(max((site.longest_body for site in self._server.sites), default=0))

    def data_received(self, chunk: bytes) -> None:
        """Some of the body is there."""
        self._body.append(chunk)

    def on_connection_close(self) -> None:
        """The client has gone, or was let go of, before its request was whole."""
        self._server.under_way -= 1

    def finish(self) -> None:
        """The request is whole: ask the sites, those that may take long last, and in a thread."""
        request = self._request()
        if request is None:
            self._send(plain(400, "This is no request that calsync understands.\n"))
            return
        slow = [site for site in self._server.sites if site.in_thread]
        quick = [site for site in self._server.sites if not site.in_thread]
        answer = _answer(quick, request)
        if answer is None and slow:
            asyncio.get_running_loop().create_task(self._send_later(slow, request))
        else:
            self._send(NOT_FOUND if answer is None else answer)

    def _request(self) -> Request | None:
        """The request; None if it is none. A path may be a whole URL, of which the host says nothing (RFC 9112 3.2)."""
        line = self._start_line
        host = self._headers.get("Host")
        if (host is None and line.version != "HTTP/1.0") or (host is not None and "," in host):
            return None
        path, _, query = line.path.partition("?")
        if path.startswith(("http://", "https://")):
            path = "/" + path.split("/", 3)[3] if path.count("/") > 2 else "/"
        return Request(
            method=line.method,
            path=path,
            headers=self._headers,
            query=query,
            body=b"".join(self._body),
            client=getattr(self._connection.context, "remote_ip", ""),
            server=self._server.name,
            secure=self._server.is_secure,
        )

    async def _send_later(self, sites: Sequence[Site], request: Request) -> None:
        work = partial(_answer, sites, request)
        answer = await asyncio.get_running_loop().run_in_executor(self._server.threads, work)
        self._send(NOT_FOUND if answer is None else answer)

    def _send(self, response: Response) -> None:
        """Send the answer; a client that does not take it in time is let go of."""
        self._server.under_way -= 1
        connection, stream = self._connection, self._connection.stream
        is_head = self._start_line.method == "HEAD"
        headers = _headers(response, is_head=is_head)
        line = httputil.ResponseStartLine("HTTP/1.1", response.status, _REASONS.get(response.status, "Unknown"))
        body = None if is_head or response.status in _WITHOUT_BODY else response.body
        try:
            sent = connection.write_headers(line, headers, body)
            connection.finish()
        except ValueError:  # a header that cannot be sent
            _LOGGER.exception("an answer could not be sent")
            stream.close()
            return
        if not sent.done():
            timer = asyncio.get_running_loop().call_later(ANSWER_SECONDS, stream.close)
            sent.add_done_callback(lambda _: timer.cancel())


def _headers(response: Response, *, is_head: bool) -> httputil.HTTPHeaders:
    """The headers of an answer, with its date and the length of its body."""
    headers = httputil.HTTPHeaders()
    for name, value in response.headers:
        if name in headers:
            headers.add(name, value)
        else:
            headers[name] = value
    headers["Date"] = _date(int(time.time()))
    if response.status not in _WITHOUT_BODY and not (is_head and "Content-Length" in headers):
        headers["Content-Length"] = str(len(response.body))
    return headers


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    """The value of Date in this second of the epoch (RFC 9110 6.6.1)."""
    return formatdate(second, usegmt=True)


_WITHOUT_BODY = frozenset((HTTPStatus.NO_CONTENT.value, HTTPStatus.NOT_MODIFIED.value))
_REASONS = {status.value: status.phrase for status in HTTPStatus}


def _answer(sites: Sequence[Site], request: Request) -> Response | None:
    """The answer of the first site that has one."""
    try:
        return next((found for site in sites if (found := site.answer(request)) is not None), None)
    except Exception:  # what is wrong with one answer must not stop the others
        _LOGGER.exception("a request could not be answered")
        return plain(500, "Something is wrong with calsync. Its log says more.\n")
