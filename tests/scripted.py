"""An HTTP server on loopback that answers what a test tells it to, and remembers what it was asked.

For the answers that no good CalDAV server gives. Public face: `Scripted`, `Reply`, `Asked`, `multistatus`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Asked:
    """One request as it came: header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: str


@dataclass(frozen=True)
class Reply:
    """What to answer. `cut` bytes are missing at the end; with `silent` no answer comes while the test runs."""

    status: int = 207
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int = 0
    silent: bool = False


Script = Callable[[Asked], Reply]


@dataclass
class Scripted:
    """A running server; change `script` whenever the answers are to change."""

    port: int
    script: Script
    asked: list[Asked] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def methods(self) -> list[str]:
        """The methods of all requests so far, in order."""
        return [asked.method for asked in self.asked]


@contextmanager
def serve(script: Script) -> Iterator[Scripted]:
    """Run it while the block runs."""
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else each answer is 40 ms late

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            headers = {name.lower(): value for name, value in self.headers.items()}
            scripted.asked.append(Asked(self.command, self.path, headers, body))
            reply = scripted.script(scripted.asked[-1])
            if reply.silent:
                over.wait()
                self.close_connection = True
                return
            data = reply.body.encode("utf-8", "surrogateescape")
            self.send_response(reply.status)
            for name, value in {"Content-Type": "application/xml; charset=utf-8", **reply.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[: len(data) - reply.cut])
            if reply.cut:
                self.close_connection = True

        do_GET = do_PUT = do_DELETE = do_PROPFIND = do_REPORT = do_MKCALENDAR = answer  # noqa: N815  # http.server's names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the parent's name for it
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, request: object, client_address: object) -> None:
            pass  # a client that gave up is what some tests are about

    server = Server(("127.0.0.1", 0), Handler)
    scripted = Scripted(server.server_port, script)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield scripted
    finally:
        over.set()
        server.shutdown()
        server.server_close()
        thread.join()


def response(href: str, props: str, status: str = "200 OK") -> str:
    """One `response` element with one propstat."""
    found = f"<D:propstat><D:prop>{props}</D:prop><D:status>HTTP/1.1 {status}</D:status></D:propstat>"
    return f"<D:response><D:href>{href}</D:href>{found}</D:response>"


def multistatus(*responses: str) -> Reply:
    """A 207 with these `response` elements."""
    opening = '<D:multistatus xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">'
    return Reply(207, f'<?xml version="1.0"?>{opening}{"".join(responses)}</D:multistatus>')
