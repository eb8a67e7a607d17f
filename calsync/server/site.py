"""What a listener serves: a `Site` takes a `Request` and gives a `Response`. Values alone; no socket, no library.

Idea: WSGI's (PEP 3333), with values in place of callbacks. Public face: `Request`, `Response`, `Site`, `ask`, `Wsgi`,
which makes a site of a WSGI application, `HEADERS`, `plain` and `NOT_FOUND`.
"""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import unquote

from msgspec import Struct

if TYPE_CHECKING:
    from types import TracebackType
    from wsgiref.types import WSGIApplication

_LOGGER = logging.getLogger(__name__)

HEADERS = (
    ("Referrer-Policy", "no-referrer"),
    ("X-Robots-Tag", "noindex"),
    ("X-Content-Type-Options", "nosniff"),
)
"""What every answer of our own says: an address that is a secret must not be told on (RFC 9110 10.1.3), nor listed."""


class Request(Struct, frozen=True):
    """One request. `path` is as it was sent, not decoded, without the query; `headers` know names in any case.

    The repr tells neither path and query nor headers and body: each may hold a secret.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    query: str = ""
    body: bytes = b""
    client: str = ""
    server: tuple[str, int] = ("127.0.0.1", 80)
    secure: bool = False

    def __repr__(self) -> str:
        return f"Request({self.method}, client={self.client!r}, server={self.server}, secure={self.secure})"


class Response(Struct, frozen=True):
    """One answer: the status code, the headers in order, the body. Length and date are added when it is sent."""

    status: int
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""


class Site(Protocol):
    """Some paths of a listener."""

    in_thread: bool
    """Whether it is asked in a thread, after all others: so must be what takes longer than to read a file."""

    longest_body: int
    """How many bytes the body of a request may have."""

    def answer(self, request: Request) -> Response | None:
        """The answer; None if the path is another site's."""
        ...


def plain(status: int, text: str, *more: tuple[str, str]) -> Response:
    """A short answer in words."""
    return Response(status, (("Content-Type", "text/plain; charset=utf-8"), *HEADERS, *more), text.encode())


NOT_FOUND = plain(404, "Not found.\n")
"""The same for everything that is not there, whatever the reason."""

_BROKEN = plain(500, "Something is wrong with calsync. Its log says more.\n")


def ask(sites: Iterable[Site], request: Request, *, in_thread: bool = False) -> Response | None:
    """The answer of the first site that has one, of those that are asked in a thread or of the others.

    A site that breaks is logged, and answered for.
    """
    try:
        for site in sites:
            if site.in_thread == in_thread and (found := site.answer(request)) is not None:
                return found
    except Exception:  # what is wrong with one answer must not stop the others
        _LOGGER.exception("a request could not be answered")
        return _BROKEN
    return None


class Wsgi:
    """A WSGI application (PEP 3333) as a site, on all paths. Its request and its answer are whole in memory.

    The path has UTF-8 where PEP 3333 has bytes as Latin-1, as Radicale's own server has it.
    """

    in_thread = True

    def __init__(self, application: WSGIApplication, *, longest_body: int = 10_000_000) -> None:
        self._application = application
        self.longest_body = longest_body

    def answer(self, request: Request) -> Response:
        """See `Site.answer`. What the application raises goes on."""
        begun: list[tuple[str, list[tuple[str, str]]]] = []
        chunks: list[bytes] = []

        def start_response(
            status: str,
            headers: list[tuple[str, str]],
            exc_info: tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None] | None = None,  # noqa: ARG001  # nothing was sent, so a second start needs no more
        ) -> Any:  # noqa: ANN401  # PEP 3333's write(), whose result nobody looks at
            begun[:] = [(status, headers)]
            return chunks.append

        answered: Iterable[bytes] = self._application(environ(request), start_response)
        try:
            chunks.extend(answered)
        finally:
            if close := getattr(answered, "close", None):
                close()
        status, headers = begun[0]
        return Response(int(status.split()[0]), headers, b"".join(chunks))


def environ(request: Request) -> dict[str, Any]:
    """The WSGI environment of a request."""
    host, port = request.server
    values: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(request.path),
        "QUERY_STRING": request.query,
        "CONTENT_LENGTH": str(len(request.body)),
        "REMOTE_ADDR": request.client,
        "REMOTE_HOST": request.client,
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https" if request.secure else "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    if request.secure:
        values["HTTPS"] = "on"
    for name, value in request.headers.items():
        key = name.upper().replace("-", "_")
        if key == "CONTENT_TYPE":
            values[key] = value
        elif key not in ("CONTENT_LENGTH", "TRANSFER_ENCODING") and "_" not in name:
            values[f"HTTP_{key}"] = value
    return values
