"""A small internet on loopback: a proxy that leads made-up hosts to a test's servers, with TLS by a CA made on the fly.

What real clients meet beyond loopback (host names, certificates, proxies) without leaving the machine. Requests go
there because HTTPS_PROXY says so; nothing of calsync is replaced. Public face: `Internet`, `opened`, `dns`.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trustme

HOSTS = ("example.org", "*.example.org", "example.net", "*.example.net", "localhost", "127.0.0.1")
"""Who has a certificate here."""


def dns(**records: Sequence[str]) -> Callable[[str, str], Sequence[str]]:
    """A DNS with these SRV and TXT records; names as `caldavs__example_org`, for `_caldavs._tcp.example.org`."""

    def resolve(name: str, kind: str) -> Sequence[str]:
        service, _, domain = name.removeprefix("_").partition("._tcp.")
        suffix = "_txt" if kind == "TXT" else ""
        return records.get(f"{service}__{domain.replace('.', '_')}{suffix}", ())

    return resolve


@dataclass
class Internet:
    """The running proxy. `routes` leads "host:port" to a port on loopback; `asked` has each request's first line."""

    ca: trustme.CA
    folder: Path
    routes: dict[str, int] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    port: int = 0
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _servers: list[asyncio.Server] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ca_file(self) -> Path:
        """The certificate that clients must trust, as a file."""
        path = self.folder / "ca.pem"
        self.ca.cert_pem.write_to_path(str(path))
        return path

    def certificate(self, name: str) -> Path:
        """A certificate of our CA with its key, for a client to show."""
        path = self.folder / f"{name}.pem"
        self.ca.issue_cert(f"{name}@example.org").private_key_and_cert_chain_pem.write_to_path(str(path))
        return path

    def front(self, port: int, *, at: int = 0, wants_certificate: bool = False) -> int:
        """A port on loopback (`at`, or any) that speaks TLS, and leads to this one. It may want a client certificate of
        our CA.
        """
        context = self._context(wants_certificate=wants_certificate)

        async def lead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await _join(reader, writer, port)

        async def start() -> int:
            self._servers.append(await asyncio.start_server(lead, "127.0.0.1", at, ssl=context))
            return int(self._servers[-1].sockets[0].getsockname()[1])

        return asyncio.run_coroutine_threadsafe(start(), self._loop).result(10)

    def shut(self, door: int) -> None:
        """Let nobody in any more at this port of a `front`."""

        async def stop() -> None:
            for server in self._servers:
                if server.is_serving() and server.sockets[0].getsockname()[1] == door:
                    server.close()

        asyncio.run_coroutine_threadsafe(stop(), self._loop).result(10)

    def _context(self, *, wants_certificate: bool = False) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert(*HOSTS).configure_cert(context)
        if wants_certificate:
            self.ca.configure_trust(context)
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    async def _serve(self) -> None:
        context = self._context()

        async def lead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            async with _closing(writer):
                head = await reader.readuntil(b"\r\n\r\n")
                first = head.split(b"\r\n")[0].decode()
                self.asked.append(first)
                method, target, _ = first.split()
                port = self.routes.get(target if method == "CONNECT" else target.split("/")[2])
                if port is None:
                    writer.write(b"HTTP/1.1 502 No such host\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                    await writer.drain()
                elif method == "CONNECT":
                    writer.transport.pause_reading()  # TLS begins at once, and is not for this reader
                    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
                    await writer.start_tls(context)
                    await _join(reader, writer, port)
                else:
                    await _join(reader, writer, port, head)

        self._servers.append(await asyncio.start_server(lead, "127.0.0.1", 0))
        self.port = int(self._servers[0].sockets[0].getsockname()[1])

    async def _end(self) -> None:
        for server in self._servers:
            server.close()
        for _ in range(3):  # what ends may leave something behind that ends a step later
            others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def _closing(writer: asyncio.StreamWriter) -> AsyncIterator[None]:
    """Peers may leave whenever they like."""
    try:
        with contextlib.suppress(OSError, EOFError, asyncio.CancelledError):
            yield
            await writer.drain()
    finally:
        writer.transport.abort()


async def _join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int, head: bytes = b"") -> None:
    """Pass everything on between a client and the server at this port, until one of them leaves."""
    async with _closing(writer):
        back_reader, back_writer = await asyncio.open_connection("127.0.0.1", port)
        async with _closing(back_writer):
            back_writer.write(head)
            ways = [
                asyncio.ensure_future(_pump(reader, back_writer)),
                asyncio.ensure_future(_pump(back_reader, writer)),
            ]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.transport.set_write_buffer_limits(high=1, low=0)  # so that all is out when `drain` returns
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


@contextlib.contextmanager
def opened(folder: Path, environment: pytest.MonkeyPatch, routes: Mapping[str, int]) -> Iterator[Internet]:
    """The internet while the block runs; the environment names its proxy."""
    internet = Internet(trustme.CA(), folder, dict(routes))
    thread = threading.Thread(target=internet._loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(internet._serve(), internet._loop).result(10)
    for variable in ("HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        environment.delenv(variable, raising=False)
    environment.setenv("HTTPS_PROXY", internet.url)
    try:
        yield internet
    finally:
        asyncio.run_coroutine_threadsafe(internet._end(), internet._loop).result(10)
        internet._loop.call_soon_threadsafe(internet._loop.stop)
        thread.join()
        internet._loop.close()
