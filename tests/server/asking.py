"""A client that sends exactly the bytes that it is told, and reads what comes.

Public face: `Answer`, `ask`, `get`, `read`.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Answer:
    """What a server answers; the names of headers in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def read(stream: BinaryIO, method: str = "GET") -> Answer | None:
    """The next answer; None if there is none any more."""
    line = stream.readline()
    if not line:
        return None
    status = int(line.split()[1])
    headers = {}
    while (line := stream.readline().rstrip(b"\r\n")) != b"":
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    length = 0 if method == "HEAD" or status in (204, 304) else int(headers.get("content-length", 0))
    return Answer(status, headers, stream.read(length))


def ask(url: str, raw: bytes, method: str = "GET") -> Answer | None:
    """What comes back for these bytes; None for a connection that is closed without a word."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        with contextlib.suppress(ConnectionError):  # it may hang up before all is sent
            connection.sendall(raw)
        try:
            return read(connection.makefile("rb"), method)
        except ConnectionResetError:
            return None


def get(url: str, method: str = "GET", body: bytes = b"", **headers: str) -> Answer:
    """A request as programs make it; `If_None_Match="x"` is the header If-None-Match."""
    address = urlsplit(url)
    target = address.path + (f"?{address.query}" if address.query else "")
    lines = [f"{method} {target} HTTP/1.1", f"Host: {address.netloc}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    answer = ask(url, "\r\n".join([*lines, "", ""]).encode("latin-1") + body, method)
    assert answer is not None
    return answer
