"""How many connections a server sees, what becomes of those that it closes while nobody looks, how answers are read."""

from __future__ import annotations

import base64
import gzip
import logging
import re
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from calsync.credentials import Secret
from calsync.errors import UnreachableError
from calsync.targets.davhttp import BrokenError, Connection, NoAnswerError, OverloadedError
from calsync.targets.davlogin import Login
from calsync.targets.davretry import Patience
from calsync.targets.davtrust import Trust
from tests import internet as net
from tests.internet import Internet


class Counting:
    """A server that counts its connections and requests; `hangs_up`: it closes each after an answer, unannounced."""

    def __init__(self, *, hangs_up: bool) -> None:
        counting = self
        self.connections, self.requests = 0, 0

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def setup(self) -> None:
                super().setup()
                counting.connections += 1

            def do_PUT(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                counting.requests += 1
                self.send_response(201)
                self.send_header("Content-Length", "0")
                self.end_headers()
                self.close_connection = hangs_up

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(params=[False])
def server(request: pytest.FixtureRequest) -> Iterator[Counting]:
    counting = Counting(hangs_up=request.param)
    yield counting
    counting.close()


@pytest.fixture
def connection(server: Counting) -> Iterator[Connection]:
    made = Connection(server.url, Login(("alice",), Secret("word"), None), timeout=5, trust=Trust())
    yield made
    made.close()


def test_one_after_the_other_they_share_a_connection(server: Counting, connection: Connection) -> None:
    for number in range(10):
        assert connection.write("PUT", f"{server.url}{number}.ics", "x").status == 201
    assert (server.connections, server.requests) == (1, 10)


def test_of_so_many_at_a_time_each_has_one_and_keeps_it(server: Counting, connection: Connection) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: connection.write("PUT", f"{server.url}{number}.ics", "x"), range(40)))
    assert server.connections <= 4
    assert server.requests == connection.requests == 40


@pytest.mark.parametrize("server", [True], indirect=True)
def test_one_that_the_server_closed_meanwhile_is_replaced_without_another_request(
    server: Counting, connection: Connection
) -> None:
    for number in range(3):
        assert connection.write("PUT", f"{server.url}{number}.ics", "x").status == 201
        time.sleep(0.05)  # until its goodbye has come
    assert (server.connections, server.requests, connection.requests) == (3, 3, 3)


# Answers as they come over the wire, with TLS and without

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
GZIP = gzip.compress(b"hi")
LOGIN = base64.b64encode(b"alice:zinnober-quartz-otter").decode()


class Raw:
    """A server that gives these bytes in turn, the last ones for ever, one a connection; then it closes that."""

    def __init__(self, answers: list[bytes], *, keeps: int = 1, host: str = "127.0.0.1") -> None:
        self.answers, self.asked, self.keeps = answers, list[str](), keeps
        self.socket = socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.port = self.socket.getsockname()[1]
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    def _serve(self) -> None:
        while True:
            with self.socket.accept()[0] as connection:
                if self.over.is_set():
                    return
                for _ in range(self.keeps):
                    self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        with connection.makefile("rb") as stream:
            lines = list(iter(stream.readline, b"\r\n")) if stream.peek(1) else []
            lengths = [line.split()[1] for line in lines if line.lower().startswith(b"content-length:")]
            stream.read(int(*lengths))
        if not lines:
            return
        self.asked.append(b"".join(lines).decode("latin-1"))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer == b"silence":
            self.over.wait()
        connection.sendall(answer)

    @property
    def lines(self) -> list[str]:
        """The first line of each request."""
        return [request.split("\r\n")[0] for request in self.asked]

    def close(self) -> None:
        self.over.set()
        with socket.create_connection(self.socket.getsockname()[:2]):
            self.thread.join()
        self.socket.close()


@dataclass
class Line:
    """A connection of ours to a raw server."""

    raw: Raw
    url: str
    connection: Connection


Lines = Callable[..., Line]


@pytest.fixture(scope="module")
def internet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Internet]:
    with (
        pytest.MonkeyPatch.context() as environment,
        net.opened(tmp_path_factory.mktemp("internet"), environment, {}) as internet,
    ):
        yield internet


@pytest.fixture(params=["http", "https"])
def line(request: pytest.FixtureRequest, internet: Internet) -> Iterator[Lines]:
    with ExitStack() as stack:

        def open_line(*answers: bytes, timeout: float = 5, **settings: Any) -> Line:
            raw = Raw(list(answers), **settings)
            stack.callback(raw.close)
            is_plain = request.param == "http"
            url = f"{request.param}://127.0.0.1:{raw.port if is_plain else internet.front(raw.port)}/"
            login = Login(("alice", "alice@example.org"), Secret("zinnober-quartz-otter"), None)
            patience = Patience(lambda _: None)
            trust = Trust(ca_file=internet.ca_file)
            made = Connection(url, login, timeout=timeout, trust=trust, patience=patience)
            stack.callback(made.close)
            return Line(raw, url, made)

        yield open_line


@pytest.mark.parametrize(
    "answer",
    {
        "kept": OK,
        "closed": b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi",
        "1.0": b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi",
        "1.0 without a length": b"HTTP/1.0 200 OK\r\n\r\nhi",
        "without a length": b"HTTP/1.1 200 OK\r\n\r\nhi",
        "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nh\r\n1\r\ni\r\n0\r\n\r\n",
        "100 first": b"HTTP/1.1 100 Continue\r\n\r\n" + OK,
        "compressed unasked": b"HTTP/1.1 200 OK\r\ncontent-encoding: GZIP\r\nContent-Length: %d\r\n\r\n%b"
        % (len(GZIP), GZIP),
        "folded": b"HTTP/1.1 200 OK\r\nX-Long: a\r\n b\r\nCONTENT-LENGTH: 2\r\n\r\nhi",
    }.items(),
    ids=lambda case: case[0],
)
def test_an_answer_is_read_to_its_end_however_it_is_told(line: Lines, answer: tuple[str, bytes]) -> None:
    """Twice in a row: also where the connection has ended meanwhile."""
    here = line(answer[1])
    for _ in range(2):
        told = here.connection.read("GET", f"{here.url}x")
        assert (told.status, told.text) == (200, "hi")
        assert told.header("x-long") in (None, "a b")
    assert here.raw.lines == ["GET /x HTTP/1.1"] * 2


@pytest.mark.parametrize(
    "answer",
    {
        "nothing": b"",
        "another protocol": b"SSH-2.0-OpenSSH_9\r\n",
        "no status": b"HTTP/1.1 abc x\r\n\r\n",
        "half a status": b"HTTP/1.1 2",
        "half a head": b"HTTP/1.1 201 Created\r\nETag: ",
        "cut off": b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhi",
        "a chunk cut off": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\nhi",
        "no chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhi\r\n0\r\n\r\n",
    }.items(),
    ids=lambda case: case[0],
)
def test_a_write_whose_answer_cannot_be_read_is_lost_and_sent_once_and_no_password_shows(
    line: Lines, answer: tuple[str, bytes], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    here = line(answer[1])
    with pytest.raises(BrokenError) as caught:
        here.connection.write("PUT", f"{here.url}x.ics", "x")
    assert here.raw.lines == ["PUT /x.ics HTTP/1.1"]
    shown = "".join(traceback.format_exception(caught.value)) + caplog.text + repr(caught.getrepr(showlocals=True))
    assert LOGIN in here.raw.asked[0]
    for secret in ("zinnober-quartz-otter", LOGIN):
        assert secret not in shown


def test_an_answer_that_does_not_unpack_is_an_error(line: Lines) -> None:
    here = line(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nhi")
    with pytest.raises(UnreachableError):
        here.connection.read("GET", f"{here.url}x")


def test_a_kept_connection_that_is_closed_under_a_write_is_a_lost_answer_and_the_next_write_goes(line: Lines) -> None:
    here = line(OK, b"", OK, keeps=2)
    here.connection.write("PUT", f"{here.url}1.ics", "x")
    with pytest.raises(BrokenError):
        here.connection.write("PUT", f"{here.url}2.ics", "x")
    here.connection.write("PUT", f"{here.url}3.ics", "x")
    assert here.raw.lines == [f"PUT /{number}.ics HTTP/1.1" for number in (1, 2, 3)]


def test_silence_is_no_lost_connection_and_not_asked_again(line: Lines) -> None:
    here = line(b"silence", timeout=0.3)
    with pytest.raises(NoAnswerError, match=r"no answer within 0\.3 seconds") as caught:
        here.connection.read("GET", f"{here.url}x")
    assert not isinstance(caught.value, BrokenError)
    assert here.raw.lines == ["GET /x HTTP/1.1"]


def test_all_challenges_count_also_those_in_a_header_of_their_own(line: Lines) -> None:
    """Basic is offered beside Digest: the user's other name is tried with it, as with one header for both."""
    refusal = b'HTTP/1.1 401 No\r\nwww-authenticate: Basic realm=x\r\nWWW-Authenticate: Digest realm="x", nonce="1"'
    here = line(refusal + b"\r\nContent-Length: 0\r\n\r\n", OK)
    assert here.connection.read("GET", f"{here.url}x").text == "hi"
    other = base64.b64encode(b"alice@example.org:zinnober-quartz-otter").decode()
    logins = [re.findall("(?im)^authorization: (.*)\r$", request) for request in here.raw.asked]
    assert logins == [[f"Basic {LOGIN}"], [f"Basic {other}"]]


def test_retry_after_is_known_in_any_spelling(line: Lines) -> None:
    here = line(b"HTTP/1.1 503 Busy\r\nRETRY-after: 7\r\nContent-Length: 0\r\n\r\n")
    with pytest.raises(OverloadedError) as caught:
        here.connection.write("PUT", f"{here.url}x.ics", "x")
    assert caught.value.retry_after == 7


def test_a_redirect_of_a_write_is_told_and_not_followed(line: Lines) -> None:
    here = line(b"HTTP/1.1 302 Found\r\nlocation: /login\r\nContent-Length: 0\r\n\r\n", OK)
    with pytest.raises(UnreachableError, match="redirect, to /login"):
        here.connection.write("PUT", f"{here.url}x.ics", "x")
    assert here.raw.lines == ["PUT /x.ics HTTP/1.1"]


@pytest.mark.parametrize("told", ["/café/", "/caf%C3%A9/"])
def test_a_read_follows_a_redirect_also_to_a_path_that_is_not_encoded(line: Lines, told: str) -> None:
    here = line(f"HTTP/1.1 301 Moved\r\nLocation: {told}\r\nContent-Length: 0\r\n\r\n".encode(), OK)
    assert here.connection.read("GET", f"{here.url}x").text == "hi"
    assert here.raw.lines == ["GET /x HTTP/1.1", "GET /caf%C3%A9/ HTTP/1.1"]


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("café/x y.ics", "/caf%C3%A9/x%20y.ics"),
        ("caf%C3%A9/a%2Fb@c+d~.ics?x=1", "/caf%C3%A9/a%2Fb@c+d~.ics?x=1"),
        ("a;b=1/c'd(e)*!$&,=:.ics#here", "/a;b=1/c'd(e)*!$&,=:.ics"),
        ("?q=é", "/?q=%C3%A9"),
        ("a\\b|[c]", "/a%5Cb%7C%5Bc%5D"),
    ],
)
def test_a_path_is_sent_encoded_and_never_twice(line: Lines, path: str, sent: str) -> None:
    here = line(OK)
    here.connection.read("GET", f"{here.url}{path}")
    assert here.raw.lines == [f"GET {sent} HTTP/1.1"]


BOMB = b"""<!DOCTYPE d [<!ENTITY a0 "aaaaaaaaaa">%b]><d>&a9;</d>""" % b"".join(
    b'<!ENTITY a%d "%b">' % (number, b"&a%d;" % (number - 1) * 10) for number in range(1, 10)
)
OUTSIDE = b"""<!DOCTYPE d [<!ENTITY file SYSTEM "file:///etc/hostname">]><d>&file;</d>"""


@pytest.mark.parametrize("body", [BOMB, OUTSIDE], ids=["entities that grow", "an entity that is a file"])
def test_xml_that_wants_more_than_it_says_is_not_read(line: Lines, body: bytes) -> None:
    head = b"HTTP/1.1 207 Multi-Status\r\nContent-Type: application/xml\r\nContent-Length: %d\r\n\r\n"
    here = line(head % len(body) + body)
    with pytest.raises(UnreachableError, match="cannot be read"):
        here.connection.read("PROPFIND", here.url)


# A server that ends TLS before it has begun


@pytest.mark.parametrize("last", [b"", b"\x15\x03\x03\x00\x02\x01\x00"], ids=["without a word", "with a goodbye"])
def test_a_connection_that_ends_before_tls_has_begun_is_lost_and_no_mistake_in_the_config(last: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:

        def hang_up() -> None:
            with listener.accept()[0] as accepted:
                accepted.recv(4096)
                accepted.sendall(last)

        done = pool.submit(hang_up)
        url = f"https://127.0.0.1:{listener.getsockname()[1]}/"
        connection = Connection(url, Login((), None, None), timeout=5, trust=Trust())
        with pytest.raises(BrokenError, match=r"^The connection to 127\.0\.0\.1:\d+ broke"):
            connection.write("PUT", f"{url}x.ics")
        done.result()
