"""A forwarder in front of an HTTP server that counts the requests by method. Public face: `Counting`."""

from __future__ import annotations

import collections
import contextlib
import socket
import threading
from typing import BinaryIO


class Counting:
    """Listens on `port` while the block runs, and hands everything on to another port, byte for byte."""

    def __init__(self, upstream: int) -> None:
        self._upstream = upstream
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.counts: collections.Counter[str] = collections.Counter()

    def __enter__(self) -> Counting:
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def taken(self) -> dict[str, int]:
        """The counts since this was last asked."""
        counts = dict(self.counts)
        self.counts.clear()
        return counts

    def _listen(self) -> None:
        with contextlib.suppress(OSError):  # the listener was closed: the block is over
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._upstream))
                threading.Thread(target=self._requests, args=(client, server), daemon=True).start()
                threading.Thread(target=_pump, args=(server, client), daemon=True).start()

    def _requests(self, client: socket.socket, server: socket.socket) -> None:
        """Hand the client's requests on, one by one."""
        with contextlib.suppress(OSError), client.makefile("rb") as lines:
            while first := lines.readline():
                self.counts[first.split(b" ", 1)[0].decode()] += 1
                server.sendall(first + _rest(lines))
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_WR)


def _rest(lines: BinaryIO) -> bytes:
    """The headers and the body of a request, whose length its header tells."""
    head, length = b"", 0
    while (line := lines.readline()).strip():
        head += line
        name, _, value = line.partition(b":")
        length = int(value) if name.lower() == b"content-length" else length
        if name.lower() == b"transfer-encoding":
            raise OSError("a body in chunks: this forwarder reads none")
    return head + line + lines.read(length)


def _pump(server: socket.socket, client: socket.socket) -> None:
    """Hand the answers on until the server is done."""
    with contextlib.suppress(OSError):
        while data := server.recv(65536):
            client.sendall(data)
        client.shutdown(socket.SHUT_RDWR)
