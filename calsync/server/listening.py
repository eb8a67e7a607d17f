"""One listener for all that calsync serves: a thread of this process that takes requests on some addresses.

The HTTP is that of `exchange.py`. Idle it does nothing: no polling, no timers but those of open connections.

Public face: `Listen`, an address; `Listener`, which has sites on addresses; `listening`, for one site.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import ssl
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from msgspec import Struct, field
from msgspec.structs import replace

from calsync.errors import CalsyncError, UnreachableError
from calsync.server.site import Site

if TYPE_CHECKING:
    from calsync.server.exchange import Server

LOOPBACK = "127.0.0.1"
GRACE_SECONDS = 4
"""How long requests under way may go on when the listener stops."""

_BACKLOG = 64
_THREADS = 8
T = TypeVar("T")


class Listen(Struct, frozen=True):
    """Where to listen: a host and a port (0 for a free one), and the files for TLS, both or none."""

    host: str = LOOPBACK
    port: int = 0
    certificate: Path | None = None
    key: Path | None = None

    @classmethod
    def of(cls, endpoint: str, certificate: Path | None = None, key: Path | None = None) -> Listen:
        """From "host:port"; an IPv6 address in square brackets."""
        host, _, port = endpoint.rpartition(":")
        return cls(host.strip("[]"), int(port), certificate, key)

    @property
    def is_plain_loopback(self) -> bool:
        """Whether only this machine can reach it, without TLS."""
        try:
            return self.certificate is None and ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.certificate is None and self.host == "localhost"

    @property
    def url(self) -> str:
        """For apps. A server on all addresses is called by this machine's name."""
        host = socket.gethostname() if self.host in ("0.0.0.0", "::") else self.host  # noqa: S104  # compared only
        shown = f"[{host}]" if ":" in host else host
        return f"{'https' if self.certificate else 'http'}://{shown}:{self.port}/"


class _Address(Struct):
    """An address that is listened on. The list of sites is the one that the server asks."""

    listen: Listen
    server: Server
    sites: list[Site] = field(default_factory=list)


class Listener:
    """Serves sites on addresses from `start` to `stop`, or while a `with` block runs. Nothing wakes it but requests.

    One address may have several sites, each for its own paths. Its methods are for one thread at a time.
    """

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="calsync listener", daemon=True)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="calsync request")
        self._addresses: list[_Address] = []

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Listen no more, let requests under way end, for at most `GRACE_SECONDS`, and end the thread."""
        if not self._thread.is_alive():
            return
        for address in self._addresses:
            self._do(address.server.leave(GRACE_SECONDS))
        self._addresses.clear()
        self._do(self._end_tasks())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def add(self, site: Site, listen: Listen) -> Listen:
        """Serve `site` on an address, which others may have too; gives it with the port that it has.

        Raises UnreachableError where the address is taken, CalsyncError where a certificate cannot be used.
        """
        address = self._address(listen)
        address.sites.append(site)
        return address.listen

    def remove(self, site: Site, listen: Listen) -> None:
        """Serve `site` there no more; `listen` as `add` gave it. An address without a site is listened on no more."""
        for address in [each for each in self._addresses if each.listen == listen and site in each.sites]:
            address.sites.remove(site)
            if not address.sites:
                self._addresses.remove(address)
                self._do(address.server.leave(GRACE_SECONDS))

    def _address(self, listen: Listen) -> _Address:
        for address in self._addresses:
            if (address.listen.host, address.listen.port) == (listen.host, listen.port):
                if address.listen != listen:
                    text = f"{listen.host}:{listen.port} is to be served with two certificates. Set the same for both."
                    raise CalsyncError(text)
                return address
        address = self._opened(listen)
        self._addresses.append(address)
        return address

    def _opened(self, listen: Listen) -> _Address:
        from calsync.server.exchange import Server  # loads aiohttp

        tls = _tls(listen)
        sites: list[Site] = []
        listening_socket = _bound(listen)
        server = self._do(Server.on(listening_socket, sites, self._threads, tls))
        return _Address(replace(listen, port=listening_socket.getsockname()[1]), server, sites)

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        """Have the thread do it, and wait."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _end_tasks(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@contextlib.contextmanager
def listening(site: Site, *wanted: Listen, listener: Listener | None = None) -> Iterator[list[Listen]]:
    """Serve `site` on the addresses `wanted` while the block runs; gives them with the ports that they have.

    On `listener`, if there is one already. Raises as `Listener.add`.
    """
    with contextlib.ExitStack() as stack:
        used = listener or stack.enter_context(Listener())
        found = []
        for listen in wanted:
            found.append(used.add(site, listen))
            stack.callback(used.remove, site, found[-1])
        yield found


def _bound(listen: Listen) -> socket.socket:
    """A socket that accepts connections, which wait from here on."""
    family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
    both = listen.host == "::" and socket.has_dualstack_ipv6()
    try:
        return socket.create_server((listen.host, listen.port), family=family, backlog=_BACKLOG, dualstack_ipv6=both)
    except OSError as error:
        where = f"{listen.host}:{listen.port}"
        raise UnreachableError(f"calsync cannot listen on {where}: {_reason(error)}.") from None


def _tls(listen: Listen) -> ssl.SSLContext | None:
    if listen.certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(listen.certificate, listen.key, password=lambda: b"")  # never ask on the terminal
    except OSError as error:  # ssl.SSLError is one
        reason = error.reason if isinstance(error, ssl.SSLError) else error.strerror
        pair = f"the TLS certificate {listen.certificate} with the key {listen.key}"
        raise CalsyncError(f"calsync cannot use {pair}: {reason}.") from None
    return context


def _reason(error: OSError) -> str:
    """What the system says; `socket.create_server` adds the address to it, which is told already."""
    return (error.strerror or str(error)).partition(" (while attempting")[0]
