"""Real CalDAV servers on loopback for tests: Radicale and Xandikos, each a child process with Basic auth.

They are looked at with plain http.client, so that what a test sees does not pass through the code under test.
Public face: `Server` (what a test holds), `radicale`, `xandikos` (start one), `started` (another), `Item`.

Radicale answers HTTP/1.0, a connection a request, as its own server does; Xandikos keeps connections alive.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import itertools
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit
from xml.sax.saxutils import escape

USERNAME = "alice"
PASSWORD = "zinnober-quartz-otter"
"""Words that no log contains by chance, so that a test can look for them."""

START_SECONDS = 30
XML = {"Content-Type": "application/xml; charset=utf-8"}

PROPFIND = '<?xml version="1.0"?><D:propfind xmlns:D="DAV:"><D:prop><D:getetag/><D:resourcetype/></D:prop></D:propfind>'
MKCALENDAR = (
    '<?xml version="1.0"?><C:mkcalendar xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:set><D:prop>'
    "<D:displayname>{name}</D:displayname></D:prop></D:set></C:mkcalendar>"
)


@dataclass(frozen=True)
class Item:
    """What a server answers: status, headers (names in lower case), body."""

    status: int
    headers: Mapping[str, str]
    body: str

    @property
    def etag(self) -> str | None:
        return self.headers.get("etag")


@dataclass
class Server:
    """One server with one user. `url` is where clients begin; `home` the path under which calendars lie."""

    name: str
    folder: Path
    port: int
    home: str
    command: Callable[[int], list[str]]
    username: str = USERNAME
    password: str = PASSWORD
    login_requests: int = 0
    """How many requests go before the first answer, until the login is as this server wants it."""
    _process: subprocess.Popen[bytes] | None = None
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    # The server's life

    def start(self) -> None:
        """Start it, on the port it had before, and wait until it answers a login. Where it does not, none is left."""
        log = (self.folder / "log").open("ab")
        self._process = subprocess.Popen(
            self.command(self.port),
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, "HOME": str(self.folder)},
            start_new_session=True,
        )
        log.close()
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop it, and wait until it is gone; then connections are refused. Twice is no harm."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)
        self._process = None

    @contextmanager
    def away(self) -> Iterator[None]:
        """The server is down within this block, and up again after it, with the same data."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    @property
    def log(self) -> str:
        """What the server printed."""
        return (self.folder / "log").read_text(errors="replace")

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            assert self._process is not None
            if self._process.poll() is not None:
                raise RuntimeError(f"{self.name} ended at once:\n{self.log}")
            try:
                if self.request("PROPFIND", self.url, PROPFIND, XML | {"Depth": "0"}).status == 207:
                    return
            except OSError:
                pass
            time.sleep(0.02)
        raise RuntimeError(f"{self.name} does not answer:\n{self.log}")

    # Its calendars and items, past our own client

    def calendar(self, name: str | None = None) -> str:
        """Make a fresh, empty calendar with this display name; returns its URL, which ends in a slash."""
        number = next(self._numbers)
        url = urljoin(self.url, f"{self.home}test-{number}/")
        name = name or f"Test {number}"
        answer = self.request("MKCALENDAR", url, MKCALENDAR.format(name=escape(name)), XML)
        assert answer.status == 201, answer
        return url

    def get(self, url: str) -> Item:
        """Read one item; `status` tells if it is there."""
        return self.request("GET", url)

    def put(self, url: str, body: str, **headers: str) -> Item:
        """Write an item, without a condition unless `If_Match="..."` or the like is given."""
        sent = {"Content-Type": "text/calendar; charset=utf-8"}
        sent.update({name.replace("_", "-"): value for name, value in headers.items()})
        return self.request("PUT", url, body, sent)

    def delete(self, url: str) -> Item:
        """Delete an item or a calendar, without a condition."""
        return self.request("DELETE", url)

    def hrefs(self, calendar: str) -> list[str]:
        """The paths of all items of a calendar, sorted."""
        answer = self.request("PROPFIND", calendar, PROPFIND, XML | {"Depth": "1"})
        assert answer.status == 207, answer
        found = re.findall(r"<(?:\w+:)?href>([^<]*)</(?:\w+:)?href>", answer.body)
        own = unquote(urlsplit(calendar).path).rstrip("/")
        return sorted({href for href in found if unquote(href).rstrip("/") not in ("", own)})

    def items(self, calendar: str) -> dict[str, str]:
        """href -> text of all items of a calendar, byte for byte as the server gives them."""
        return {href: self.get(urljoin(self.url, href)).body for href in self.hrefs(calendar)}

    def authorization(self, method: str, path: str) -> str:
        """The user's login, as it goes with this request."""
        return f"Basic {base64.b64encode(f'{self.username}:{self.password}'.encode()).decode()}"

    def request(self, method: str, url: str, body: str | None = None, headers: Mapping[str, str] | None = None) -> Item:
        """One request with the user's login, on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            path = urlsplit(url).path
            sent = {"Authorization": self.authorization(method, path), **(headers or {})}
            connection.request(method, path, body.encode() if body is not None else None, sent)
            answer = connection.getresponse()
            text = answer.read().decode()
            return Item(answer.status, {key.lower(): value for key, value in answer.getheaders()}, text)
        finally:
            connection.close()


def radicale(folder: Path) -> Server:
    """Start Radicale with its data in `folder`."""
    (folder / "users").write_text(f"{USERNAME}:{PASSWORD}\n")
    (folder / "config").write_text(
        "[auth]\ntype = htpasswd\nhtpasswd_filename = users\nhtpasswd_encryption = plain\ndelay = 0\n"
        "[storage]\nfilesystem_folder = collections\n"
        "[web]\ntype = none\n[logging]\nlevel = warning\n"
    )

    def command(port: int) -> list[str]:
        return [sys.executable, "-m", "radicale", "--config", "config", "--server-hosts", f"127.0.0.1:{port}"]

    return started(lambda port: Server("Radicale", folder, port, f"/{USERNAME}/", command))


def xandikos(folder: Path) -> Server:
    """Start Xandikos with its data in `folder`."""
    digest = base64.b64encode(hashlib.sha1(PASSWORD.encode()).digest()).decode()
    (folder / "users").write_text(f"{USERNAME}:{{SHA}}{digest}\n")

    def command(port: int) -> list[str]:
        script = Path(__file__).with_name("xandikos_with_login.py")
        return [sys.executable, str(script), ".", "users", USERNAME, str(port)]

    return started(lambda port: Server("Xandikos", folder, port, f"/{USERNAME}/calendars/", command))


def started(make: Callable[[int], Server]) -> Server:
    """Start what is made for a free port. Another process may take the port in between: then try the next one."""
    for attempt in range(5):
        server = make(free_port())
        try:
            server.start()
        except RuntimeError:
            if attempt == 4:
                raise
        else:
            return server
    raise AssertionError("unreachable")


def free_port() -> int:
    """A port on loopback where nobody listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
