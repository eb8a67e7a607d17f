"""HTTP messages, from and to what the sites know: headers by name, a request of one line, an answer as bytes.

RFC 9110, 9112. Pure, but for the clock. Public face: `Headers`, `request_of_line`, `to_bytes`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import Protocol

from calsync.server.site import Request, Response

_WITHOUT_BODY = frozenset((HTTPStatus.NO_CONTENT.value, HTTPStatus.NOT_MODIFIED.value))
_REASONS = {status.value: status.phrase for status in HTTPStatus}


_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) (/[!-~]*) HTTP/1\.[01]\r\n")


class Lines(Iterable[str], Protocol):
    """Header lines as a parser has them: their names, as often as they came; the values of one name, as UTF-8."""

    def getall(self, key: str, /) -> Sequence[str]:
        """Raises KeyError if there is none."""
        ...


class Headers(Mapping[str, str]):
    """The headers of a request: names in any case, the lines of one name together (RFC 9110 5.3), bytes as Latin-1."""

    __slots__ = ("_lines",)

    def __init__(self, lines: Lines) -> None:
        self._lines = lines

    def __getitem__(self, name: str) -> str:
        value = ", ".join(self._lines.getall(name))
        return value if value.isascii() else value.encode(errors="surrogateescape").decode("latin-1")

    def __iter__(self) -> Iterator[str]:
        return iter({name.lower(): name for name in self._lines}.values())

    def __len__(self) -> int:
        return sum(1 for _ in self)


def request_of_line(data: bytes) -> Request | None:
    """A request of which only the first line counts; None if that is none either."""
    found = _LINE.match(data)
    return Request(method=found[1].decode(), path=found[2].decode(), headers={}) if found else None


def to_bytes(response: Response, *, is_head: bool = False, connection: str = "") -> bytes:
    """An answer with its date, the length of its body and, if it is to have one, the header `connection`.

    A length that the answer tells itself counts only for HEAD, which has no body to be measured. Raises ValueError
    where a header cannot be sent: it has a line break or the like, or is not Latin-1.
    """
    lines = [f"HTTP/1.1 {response.status} {_REASONS.get(response.status, 'Unknown')}"]
    length = str(len(response.body))
    for name, value in response.headers:
        if name.lower() != "content-length":
            lines.append(f"{name}: {value}")
        elif is_head:
            length = value
    lines.append(f"Date: {_date(int(time.time()))}")
    has_body = response.status not in _WITHOUT_BODY
    if has_body:
        lines.append(f"Content-Length: {length}")
    if connection:
        lines.append(f"Connection: {connection}")
    if not all(map(str.isprintable, lines)):
        raise ValueError("a header has a line break or the like")
    head = "\r\n".join((*lines, "", "")).encode("latin-1")
    return head + response.body if has_body and not is_head else head


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    """The value of Date in this second of the epoch (RFC 9110 6.6.1)."""
    return formatdate(second, usegmt=True)
