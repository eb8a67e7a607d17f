"""A CalDAV server that costs as good as nothing: `python freeserver.py PORT MILLISECONDS`.

It keeps everything in memory, takes any login, and sends each answer so many milliseconds after the request: a round
trip. It knows what calsync and vdirsyncer ask for: PROPFIND, MKCALENDAR, GET, PUT and DELETE with If-Match and
If-None-Match, and the REPORTs sync-collection (RFC 6578), calendar-query (every event) and calendar-multiget. A path
that ends in a slash is a calendar as soon as it is made; connections are kept and do not wait for each other.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Iterable
from email.utils import formatdate
from typing import NamedTuple
from xml.sax.saxutils import escape

PREFIX = "http://free.example/sync/"
NAMESPACES = 'xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:S="http://calendarserver.org/ns/"'
OK = "<status>HTTP/1.1 200 OK</status>"
GONE = "<response><href>{}</href><status>HTTP/1.1 404 Not Found</status></response>"
PHRASES = {200: "OK", 201: "Created", 204: "No Content", 207: "Multi-Status", 403: "Forbidden", 404: "Not Found"}
HREF = re.compile(r"<(?:\w+:)?href>\s*([^<]*?)\s*</")
TOKEN = re.compile(r"<(?:\w+:)?sync-token>\s*([^<]*?)\s*</")
LENGTH = re.compile(rb"^content-length:\s*(\d+)", re.IGNORECASE | re.MULTILINE)


class Request(NamedTuple):
    """Method, path, headers (names in lower case), body."""

    method: str
    path: str
    headers: dict[str, str]
    body: str


class Answer(NamedTuple):
    """Status, body, entity tag."""

    status: int
    body: str = ""
    etag: str = ""


class Calendar:
    """The items of a calendar, by path: entity tag and text; and what changed when, by path."""

    def __init__(self) -> None:
        self.items: dict[str, tuple[str, str]] = {}
        self.changed: dict[str, int] = {}
        self.revision = 0

    def note(self, path: str) -> str:
        """A change of this item. Returns a fresh entity tag."""
        self.revision += 1
        self.changed.pop(path, None)  # so that the latest changes stand last
        self.changed[path] = self.revision
        return f'"{self.revision}"'


class Store:
    """All calendars, and the answer to each request."""

    def __init__(self) -> None:
        self.calendars: dict[str, Calendar] = {}

    def answer(self, request: Request) -> Answer:
        """What is asked, done."""
        folder = request.path[: request.path.rindex("/") + 1]
        calendar = self.calendars.get(folder)
        if request.method == "MKCALENDAR":
            self.calendars[folder] = Calendar()
            return Answer(201)
        if request.method == "PROPFIND":
            return _multistatus(self._properties(request, folder))
        if calendar is None:
            return Answer(404)
        if request.method == "REPORT":
            return _report(calendar, request.body)
        return _item(calendar, request)

    def _properties(self, request: Request, folder: str) -> Iterable[str]:
        calendar = self.calendars.get(folder)
        kind = "<collection/><C:calendar/>" if calendar is not None else "<collection/>"
        revision = calendar.revision if calendar is not None else 0
        own = (
            f"<resourcetype>{kind}</resourcetype><displayname>{escape(folder)}</displayname>"
            f"<sync-token>{PREFIX}{revision}</sync-token><S:getctag>{revision}</S:getctag>"
            f"<current-user-principal><href>/</href></current-user-principal>"
            f"<C:calendar-home-set><href>/</href></C:calendar-home-set>"
        )
        yield _response(folder, own)
        if calendar is not None and request.headers.get("depth") == "1":
            yield from (_response(path, _tagged(etag)) for path, (etag, _) in calendar.items.items())


def _report(calendar: Calendar, body: str) -> Answer:
    if "calendar-multiget" in body:
        return _multistatus(_told(calendar, path) for path in HREF.findall(body))
    if "sync-collection" in body:
        return _changes(calendar, body)
    return _multistatus(_response(path, _tagged(etag)) for path, (etag, _) in calendar.items.items())


def _told(calendar: Calendar, path: str) -> str:
    if path not in calendar.items:
        return GONE.format(path)
    etag, text = calendar.items[path]
    return _response(path, f"{_tagged(etag)}<C:calendar-data>{escape(text)}</C:calendar-data>")


def _changes(calendar: Calendar, body: str) -> Answer:
    """RFC 6578 3.2: the latest changes stand last, so only they are looked at."""
    told = TOKEN.search(body)
    since = told[1].removeprefix(PREFIX) if told else ""
    if since and not since.isdigit():
        return Answer(403, f"<error {NAMESPACES}><valid-sync-token/></error>")
    found = []
    for path, revision in reversed(calendar.changed.items()):
        if revision <= int(since or 0):
            break
        item = calendar.items.get(path)
        found.append(GONE.format(path) if item is None else _response(path, _tagged(item[0])))
    return _multistatus([*found, f"<sync-token>{PREFIX}{calendar.revision}</sync-token>"])


def _item(calendar: Calendar, request: Request) -> Answer:
    """GET, PUT and DELETE of one item, under their conditions (RFC 9110 13)."""
    path, headers = request.path, request.headers
    standing = calendar.items.get(path)
    if standing is not None and headers.get("if-none-match") == "*":
        return Answer(412)
    if "if-match" in headers and (standing is None or headers["if-match"] not in (standing[0], "*")):
        return Answer(412)
    if request.method == "PUT":
        etag = calendar.note(path)
        calendar.items[path] = etag, request.body
        return Answer(204 if standing else 201, etag=etag)
    if standing is None:
        return Answer(404)
    if request.method == "DELETE":
        del calendar.items[path]
        calendar.note(path)
        return Answer(204)
    return Answer(200, standing[1], standing[0]) if request.method == "GET" else Answer(405)


def _response(path: str, properties: str) -> str:
    return f"<response><href>{path}</href><propstat><prop>{properties}</prop>{OK}</propstat></response>"


def _tagged(etag: str) -> str:
    return f"<getetag>{escape(etag)}</getetag><resourcetype/><getcontenttype>text/calendar</getcontenttype>"


def _multistatus(parts: Iterable[str]) -> Answer:
    return Answer(
        207, f'<?xml version="1.0" encoding="utf-8"?><multistatus {NAMESPACES}>{"".join(parts)}</multistatus>'
    )


class Connection(asyncio.Protocol):
    """One connection, request by request."""

    def __init__(self, store: Store, delay: float) -> None:
        self._store, self._delay = store, delay
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (request := self._next()) is not None:
            answer = _bytes(self._store.answer(request))
            if self._delay:
                asyncio.get_running_loop().call_later(self._delay, self._transport.write, answer)
            else:
                self._transport.write(answer)

    def _next(self) -> Request | None:
        """The next whole request of the buffer."""
        end = self._buffer.find(b"\r\n\r\n") + 4
        if end < 4:
            return None
        told = LENGTH.search(self._buffer, 0, end)
        length = int(told[1]) if told else 0
        if len(self._buffer) < end + length:
            return None
        first, *lines = self._buffer[: end - 4].decode("latin-1").split("\r\n")
        body = self._buffer[end : end + length].decode()
        self._buffer = self._buffer[end + length :]
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        method, path, _ = first.split(" ")
        return Request(method, path, headers, body)


def _bytes(answer: Answer) -> bytes:
    body = answer.body.encode()
    kind = "application/xml" if answer.body.startswith("<") else "text/calendar"
    etag = f"ETag: {answer.etag}\r\n" if answer.etag else ""
    head = (
        f"HTTP/1.1 {answer.status} {PHRASES.get(answer.status, 'No')}\r\nDate: {formatdate(usegmt=True)}\r\n"
        f"Content-Type: {kind}; charset=utf-8\r\n{etag}Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def serve(port: int, delay: float) -> None:
    """Listen until the process ends; `delay` in seconds."""
    store = Store()
    server = await asyncio.get_running_loop().create_server(lambda: Connection(store, delay), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2]) / 1000))
