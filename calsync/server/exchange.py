"""HTTP/1.1 by aiohttp: connections and requests, within bounds, to the sites of an address. The only aiohttp import.

Why aiohttp: `docs/decisions/0011-one-listener.md`. What is bounded: see the constants. A client that goes beyond is
answered with 400 or nothing, and let go of. Public face: `Server`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial
from http import HTTPStatus
from itertools import chain
from typing import TYPE_CHECKING

from aiohttp import web
from aiohttp.http_exceptions import BadHttpMethod

from calsync.server.message import Headers, request_of_line, to_bytes
from calsync.server.site import NOT_FOUND, Request, Response, Site, ask, plain

if TYPE_CHECKING:
    from aiohttp.abc import AbstractStreamWriter
    from aiohttp.http_parser import RawRequestMessage
    from aiohttp.streams import StreamReader

CONNECTIONS = 128
"""Open at a time on one address; more are closed at once."""

HEADER_BYTES = 16_384
"""How long the headers of a request may be altogether."""

AHEAD_BYTES = 65_536
"""How much a client may send ahead, of further requests, before it is answered."""

REQUEST_SECONDS = 20
"""How long a connection may be without a whole request line and headers; how long a body may take after them."""

ANSWER_SECONDS = 60.0
"""How long a client may take to read an answer."""

LINGER_SECONDS = 2.0
"""How long what comes after a refusal is dropped before the connection is closed."""

_PIECE = 65_536
_LOGGER = logging.getLogger(__name__)
_BAD_REQUEST = plain(400, "This is no request that calsync understands.\n")


class Server:
    """The connections of one address. Made by `on`, in the event loop in which it runs."""

    def __init__(
        self, listening: socket.socket, sites: Sequence[Site], threads: Executor, tls: ssl.SSLContext | None
    ) -> None:
        self.sites, self.threads, self.tls = sites, threads, tls
        self.name: tuple[str, int] = listening.getsockname()[:2]
        self.web = web.Server(_exchange, request_factory=_begin)
        self.open: set[_Connection] = set()
        self.under_way = 0
        self.is_leaving = False
        self._listening = listening
        self._loop = asyncio.get_running_loop()

    @classmethod
    async def on(
        cls, listening: socket.socket, sites: Sequence[Site], threads: Executor, tls: ssl.SSLContext | None
    ) -> Server:
        """Serve `sites`, which may change meanwhile, on a socket that listens."""
        server = cls(listening, sites, threads, tls)
        listening.settimeout(0)
        server._listen()
        return server

    async def leave(self, seconds: float) -> None:
        """Listen no more; close the connections once no request is under way, at the latest after these seconds."""
        self.is_leaving = True
        self._loop.remove_reader(self._listening)
        self._listening.close()
        await _until(lambda: not self.under_way, seconds)
        for let_go in (_Connection.force_close, _Connection.abort):
            for connection in tuple(self.open):
                let_go(connection)
            await _until(lambda: not self.open, 1)

    def _listen(self) -> None:
        if not self.is_leaving:
            self._loop.add_reader(self._listening, self._accept)

    def _accept(self) -> None:
        """Take a connection that waits. It counts from here on, as the greeting of TLS may be begun and left."""
        try:
            wire, _ = self._listening.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return
        except OSError:  # this process has as many files as it may, so the connection goes on waiting
            self._loop.remove_reader(self._listening)
            self._loop.call_later(1, self._listen)
            return
        if len(self.open) >= CONNECTIONS:
            wire.close()
            return
        wire.settimeout(0)
        connection = _Connection(self, wire)
        self.open.add(connection)
        connection.greeting = self._loop.create_task(self._greet(connection, wire))

    async def _greet(self, connection: _Connection, wire: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(
                lambda: connection, wire, ssl=self.tls, ssl_handshake_timeout=REQUEST_SECONDS if self.tls else None
            )
        except OSError:  # no greeting, a broken one, or one that took too long
            self.open.discard(connection)


async def _until(reached: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not reached() and time.monotonic() < deadline:
        await asyncio.sleep(0.01)


class _Connection(web.RequestHandler):
    """A connection of aiohttp's, with the bounds that aiohttp does not have.

    `begun` is what has come since something was last made of what came: a request, or a piece of a body. Of that there
    is at most `allowed`; 0 is for what is only dropped. `taken` is what the request was made of.

    The time for a request's headers is aiohttp's: it lets go of a connection that has waited `keepalive_timeout` for a
    whole request, from its start or from its last answer on, whatever has come meanwhile.
    """

    def __init__(self, server: Server, wire: socket.socket) -> None:
        super().__init__(
            server.web,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=REQUEST_SECONDS,
            logger=_LOGGER,
            access_log=None,  # type: ignore[arg-type]  # how its documents say it is turned off
            max_line_size=HEADER_BYTES,
            max_field_size=HEADER_BYTES,
            lingering_time=0,
            auto_decompress=False,
        )
        self.server = server
        self.client = ""
        self.begun = self.taken = b""
        self.allowed = HEADER_BYTES
        self.greeting: asyncio.Task[None] | None = None
        self._wire: socket.socket | asyncio.Transport = wire
        self._gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is up, and encrypted if it is to be."""
        assert isinstance(transport, asyncio.Transport)
        self._wire = transport
        if self.server.is_leaving:
            transport.abort()
            return
        transport.set_write_buffer_limits(high=1)  # so that an answer counts as taken when the system has all of it
        self.client = (transport.get_extra_info("peername") or ("",))[0]
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        """The connection has ended."""
        self.server.open.discard(self)
        super().connection_lost(exc)
        if not self._gone.done():
            self._gone.set_result(None)

    def abort(self) -> None:
        """End the connection at once."""
        if isinstance(self._wire, asyncio.Transport):
            self._wire.abort()
        else:  # asyncio is at its greeting, and will see
            with contextlib.suppress(OSError):
                self._wire.shutdown(socket.SHUT_RDWR)

    def data_received(self, data: bytes) -> None:
        """More has come, and what came before has been looked at; or nothing has, and aiohttp goes on with that."""
        if data and self.allowed:
            if len(self.begun) > self.allowed:
                self.abort()
                return
            self.begun += data
        super().data_received(data)

    def begin(self) -> None:
        """What has come makes a request, or none that aiohttp's parser takes."""
        self.taken, self.begun, self.allowed = self.begun, b"", AHEAD_BYTES

    async def exchange(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        self.server.under_way += 1
        try:
            response = await self._response(request)
            stays = request.keep_alive and response is not _BAD_REQUEST
            await self._send(request, response, stays=stays)
        finally:
            self.server.under_way -= 1
        self.begun, self.allowed = b"", HEADER_BYTES
        if response is _BAD_REQUEST:
            return _Refused(self)
        return _STAYS if stays else _ENDS

    def handle_error(
        self,
        request: web.BaseRequest,  # noqa: ARG002  # the parent's
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002  # the parent's; it may tell what the client sent
    ) -> web.StreamResponse:
        """The answer to what is no request, or after a mistake of ours. aiohttp's own tells too much.

        Where only the method is wrong the sites are asked: aiohttp's parser has a list of methods, and other words end
        here.
        """
        if status != HTTPStatus.BAD_REQUEST:
            _LOGGER.error("a request could not be answered", exc_info=exc)
            self.force_close()
            return _ENDS
        asked = request_of_line(self.taken) if isinstance(exc, BadHttpMethod) else None
        response = _BAD_REQUEST if asked is None else ask(self.server.sites, asked) or NOT_FOUND
        if self.transport is not None:
            self.transport.write(to_bytes(response, connection="close"))
        return _Refused(self)

    async def linger(self) -> None:
        """Say that this was all, and drop for a while what still comes: else its client may not come to see the answer.

        RFC 9112 9.6.
        """
        self.close()
        self.allowed = 0
        if self.transport is not None:
            if self.transport.can_write_eof():
                self.transport.write_eof()
            await asyncio.wait([self._gone], timeout=LINGER_SECONDS)

    async def _response(self, request: web.BaseRequest) -> Response:
        body = await self._body(request) if request.can_read_body else b""
        asked = None if body is None else self._request(request, body)
        if asked is None:
            return _BAD_REQUEST
        sites = self.server.sites
        response = ask(sites, asked)
        if response is None and any(site.in_thread for site in sites):
            work = partial(ask, tuple(sites), asked, in_thread=True)
            response = await asyncio.get_running_loop().run_in_executor(self.server.threads, work)
        return NOT_FOUND if response is None else response

    async def _body(self, request: web.BaseRequest) -> bytes | None:
        """The body of a request; None if it is too long, takes too long, or is none."""
        longest = max((site.longest_body for site in self.server.sites), default=0)
        if (request.content_length or 0) > longest:
            return None
        if request.headers.get("Expect", "").lower() == "100-continue":
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = bytearray()
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                while piece := await request.content.readany():
                    self.begun = b""
                    body += piece
                    if len(body) > longest:
                        return None
        except (OSError, web.RequestPayloadError):  # it took too long, the client has gone, its chunks are wrong
            return None
        return bytes(body)

    def _request(self, request: web.BaseRequest, body: bytes) -> Request | None:
        """The request; None if it is none. A path may be a whole URL, of which the host says nothing (RFC 9112 3.2)."""
        path, _, query = request.raw_path.partition("?")
        if (
            request.version not in _VERSIONS
            or not request.raw_path.isascii()
            or "," in request.headers.get("Host", "")
            or _header_bytes(request) > HEADER_BYTES
        ):
            return None
        if path.startswith(("http://", "https://")):
            path = "/" + path.split("/", 3)[3] if path.count("/") > 2 else "/"
        return Request(
            method=request.method,
            path=path,
            headers=Headers(request.headers),
            query=query,
            body=body,
            client=self.client,
            server=self.server.name,
            secure=self.server.tls is not None,
        )

    async def _send(self, request: web.BaseRequest, response: Response, *, stays: bool) -> None:
        """Send the answer; a client that does not take it in time is let go of."""
        connection = ("keep-alive" if request.version == _HTTP_1_0 else "") if stays else "close"
        try:
            data = to_bytes(response, is_head=request.method == "HEAD", connection=connection)
        except ValueError:  # a header that cannot be sent
            _LOGGER.exception("an answer could not be sent")
            self.force_close()
            return
        if self.transport is not None:
            self.transport.write(data[:_PIECE])
        if self.writing_paused or len(data) > _PIECE:
            await self._send_rest(request.writer, data)

    async def _send_rest(self, writer: AbstractStreamWriter, data: bytes) -> None:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                for start in range(_PIECE, len(data), _PIECE):
                    await writer.drain()
                    if self.transport is None or self.transport.is_closing():
                        return
                    self.transport.write(data[start : start + _PIECE])
                await writer.drain()
        except TimeoutError:
            self.abort()
        except ConnectionError:  # the client has gone
            return


async def _exchange(request: web.BaseRequest) -> web.StreamResponse:
    assert isinstance(request.protocol, _Connection)
    return await request.protocol.exchange(request)


def _begin(
    message: RawRequestMessage,
    payload: StreamReader,
    protocol: web.RequestHandler,
    writer: AbstractStreamWriter,
    task: asyncio.Task[None],
) -> web.BaseRequest:
    assert isinstance(protocol, _Connection)
    protocol.begin()
    return web.BaseRequest(message, payload, protocol, writer, task, task.get_loop())


class _Sent(web.StreamResponse):
    """Tells aiohttp that the answer is on its way, and whether the connection stays.

    aiohttp's own answers have headers that nobody asked for (Server, Content-Type), and write all of them in UTF-8.
    """

    def __init__(self, *, stays: bool) -> None:
        super().__init__()
        self._stays = stays

    @property
    def keep_alive(self) -> bool:
        """Whether there may be another request."""
        return self._stays

    async def prepare(self, request: web.BaseRequest) -> None:
        """Nothing is left to do."""

    async def write_eof(self, data: bytes = b"") -> None:
        """Nothing is left to do."""


class _Refused(_Sent):
    """The same of an answer to what was not read to its end."""

    def __init__(self, connection: _Connection) -> None:
        super().__init__(stays=False)
        self._connection = connection

    async def write_eof(self, data: bytes = b"") -> None:  # noqa: ARG002  # the parent's
        """Wait for a client that is still sending."""
        await self._connection.linger()


_STAYS, _ENDS = _Sent(stays=True), _Sent(stays=False)


def _header_bytes(request: web.BaseRequest) -> int:
    """How long the request's headers are altogether, with the address in its first line."""
    lines = request.raw_headers
    return len(request.raw_path) + sum(map(len, chain.from_iterable(lines))) + len(": \r\n") * len(lines)


_HTTP_1_0, _HTTP_1_1 = (1, 0), (1, 1)
_VERSIONS = (_HTTP_1_1, _HTTP_1_0)
