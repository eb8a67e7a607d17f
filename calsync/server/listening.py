"""Serve a WSGI application on some addresses, each in a thread of this process, with or without TLS.

Python's own wsgiref, with a thread for each request. Public face: `Listen`, an address; `listening`.
"""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import socket
import socketserver
import ssl
import threading
import wsgiref.simple_server
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from calsync.errors import CalsyncError, UnreachableError

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Listen:
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


@contextlib.contextmanager
def listening(application: WSGIApplication, *wanted: Listen) -> Iterator[list[Listen]]:
    """Serve `application` on the addresses `wanted` while the block runs; gives them with the ports that they have.

    Raises UnreachableError where one is taken, CalsyncError where a certificate cannot be used.
    """
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(_bound(listen)) for listen in wanted]
        for server in servers:
            server.set_app(application)
            thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="embedded CalDAV", daemon=True)
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.shutdown)
        yield [
            Listen(listen.host, server.server_port, listen.certificate, listen.key)
            for listen, server in zip(wanted, servers, strict=True)
        ]


def _bound(listen: Listen) -> _Server:
    """A server that accepts connections, which wait from here on."""
    context = _tls(listen)
    try:
        return _Server(listen, context)
    except OSError as error:
        where = f"{listen.host}:{listen.port}"
        raise UnreachableError(f"The CalDAV server cannot listen on {where}: {error.strerror}.") from None


def _tls(listen: Listen) -> ssl.SSLContext | None:
    if listen.certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(listen.certificate, listen.key, password=lambda: b"")  # never ask on the terminal
    except OSError as error:  # ssl.SSLError is one
        reason = error.reason if isinstance(error, ssl.SSLError) else error.strerror
        pair = f"the TLS certificate {listen.certificate} with the key {listen.key}"
        raise CalsyncError(f"The CalDAV server cannot use {pair}: {reason}.") from None
    return context


class _Server(socketserver.ThreadingMixIn, wsgiref.simple_server.WSGIServer):
    """A thread for each request. The queue is long enough for eight clients at once and more."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, listen: Listen, tls: ssl.SSLContext | None) -> None:
        self._tls = tls
        self.address_family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
        super().__init__((listen.host, listen.port), _Handler)

    def server_bind(self) -> None:
        """As the parent's, but without asking DNS for this machine's name."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])
        self.setup_environ()
        if self._tls is not None:
            self.base_environ["HTTPS"] = "on"

    def get_request(self) -> tuple[Any, Any]:
        """A new connection. TLS greets within the request's own thread: a client that stalls stops no other."""
        connection, address = super().get_request()
        if self._tls is not None:
            connection = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, address

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002  # the parent's arguments
        """A client that went away in the middle is no error of ours."""
        logging.getLogger("radicale").info("A request ended early.", exc_info=True)


class _Handler(wsgiref.simple_server.WSGIRequestHandler):
    """Quiet, and with paths in UTF-8, as Radicale's own handler has them."""

    timeout = 30

    def get_environ(self) -> dict[str, str]:
        """The WSGI environment of a request."""
        return {**super().get_environ(), "PATH_INFO": unquote(self.path.partition("?")[0])}

    def address_string(self) -> str:
        """The client's address, not looked up."""
        return str(self.client_address[0])

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the parent's name for it
        """Nothing: Radicale logs what matters."""
