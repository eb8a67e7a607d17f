"""The listener: HTTP/1.1 as clients rely on it, and no client that can hold it up, fill it or bring it down."""

from __future__ import annotations

import contextlib
import http.client
import io
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import trustme

from calsync.errors import CalsyncError, UnreachableError
from calsync.server import exchange
from calsync.server.listening import Listen, Listener, listening
from calsync.server.site import Request, Response, Wsgi, plain
from tests.server.asking import ask, get, read


class Page:
    """A site with one path, which answers with what it was asked."""

    longest_body = 1000

    def __init__(self, path: str = "/page", *, in_thread: bool = False, body: bytes = b"") -> None:
        self.in_thread = in_thread
        self.path = path
        self.body = body
        self.asked: list[Request] = []

    def answer(self, request: Request) -> Response | None:
        if request.path != self.path:
            return None
        self.asked.append(request)
        return Response(200, [("Content-Type", "text/plain")], self.body or request.body or b"yes")


@pytest.fixture
def page() -> Page:
    return Page()


@pytest.fixture
def url(page: Page) -> Iterator[str]:
    with listening(page, Listen()) as (listen,):
        yield f"{listen.url}page"


def connected(url: str) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", urlsplit(url).port), timeout=10)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def ends(connection: socket.socket) -> bytes:
    """All that comes until the other side hangs up."""
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while chunk := connection.recv(65536):
            data += chunk
    return data


ASK = b"GET /page HTTP/1.1\r\nHost: x\r\n\r\n"

# ---------------------------------------------------------------------------------------- HTTP/1.1


def test_a_connection_serves_one_request_after_the_other(url: str) -> None:
    with connected(url) as connection, connection.makefile("rb") as stream:
        for _ in range(3):
            connection.sendall(ASK)
            answer = read(stream)
            assert answer is not None
            assert (answer.status, answer.body) == (200, b"yes")


def test_requests_sent_at_once_are_answered_in_order(url: str) -> None:
    with connected(url) as connection, connection.makefile("rb") as stream:
        connection.sendall(ASK + ASK.replace(b"/page", b"/none") + ASK)
        assert [read(stream).status for _ in range(3)] == [200, 404, 200]  # type: ignore[union-attr]  # None fails too


def test_a_connection_is_closed_where_the_client_says_so_or_speaks_http_1_0(url: str) -> None:
    for raw in (ASK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), b"GET /page HTTP/1.0\r\n\r\n"):
        with connected(url) as connection:
            connection.sendall(raw)
            assert ends(connection).startswith(b"HTTP/1.1 200 OK\r\n")


def test_bodies_come_by_length_and_in_chunks(url: str, page: Page) -> None:
    assert get(url, "PUT", body=b"abc").body == b"abc"
    chunked = b"PUT /page HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    answer = ask(url, chunked)
    assert answer is not None
    assert answer.body == b"abcde"
    waits = ask(url, b"PUT /page HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n")
    assert waits is not None
    assert waits.status == 100


@pytest.mark.parametrize(
    "raw",
    [
        b"GET /page HTTP/1.1\r\n\r\n",
        b"GET /page HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET /page\r\n\r\n",
        b"GET /pa ge HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /page\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /page HTTP/2.0\r\nHost: x\r\n\r\n",
        b"GET /page HTTP/1.1\r\nHost : x\r\n\r\n",
        b"GET /page HTTP/1.1\r\nno colon\r\n\r\n",
        b"PUT /page HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"PUT /page HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"PUT /page HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"PUT /page HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    ],
)
def test_what_is_no_request_gets_400_and_nothing_else(url: str, raw: bytes, page: Page) -> None:
    answer = ask(url, raw)
    assert answer is not None
    assert answer.status == 400
    assert page.asked == []
    assert get(url).status == 200


def test_an_answer_has_the_headers_of_its_site_its_date_and_its_length(url: str) -> None:
    with connected(url) as connection:
        connection.sendall(b"GET /page HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        lines = connection.recv(1000).split(b"\r\n")
    assert lines[:2] == [b"HTTP/1.1 200 OK", b"Content-Type: text/plain"]
    assert lines[2].startswith(b"Date: ")
    assert lines[3:] == [b"Content-Length: 3", b"Connection: keep-alive", b"", b"yes"]


def test_lines_of_one_header_are_one_value_with_its_bytes_as_latin_1(url: str, page: Page) -> None:
    """RFC 9110 5.3; PEP 3333."""
    ask(url, b"GET /page HTTP/1.1\r\nHost: x\r\nIf-None-Match: a\r\nif-none-match: b\r\nX: \xe9\r\n\r\n")
    headers = page.asked[0].headers
    assert (headers["IF-NONE-MATCH"], headers["x"], headers.get("y")) == ("a, b", "\xe9", None)
    assert sorted(name.lower() for name in headers) == ["host", "if-none-match", "x"]
    assert len(headers) == 3


def test_a_site_that_breaks_gives_500_and_the_log_has_the_reason(
    url: str, page: Page, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(page, "asked", None)
        assert get(url).status == 500
    assert "AttributeError" in caplog.text
    assert get(url).status == 200


# ------------------------------------------------------------------------------------------ bounds


def test_huge_headers_are_not_read(url: str) -> None:
    with connected(url) as connection:
        with contextlib.suppress(ConnectionError):
            connection.sendall(b"GET /page HTTP/1.1\r\nHost: x\r\nX: ")
            for _ in range(100):
                connection.sendall(b"a" * 1024)
        assert b"200" not in ends(connection)
    for raw in (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", ASK[:-2] + b"A: b\r\n" * 5000 + b"\r\n"):
        answer = ask(url, raw)
        assert answer is None or answer.status >= 400
    assert get(url).status == 200


def test_headers_are_bounded_altogether_however_they_come(url: str, page: Page) -> None:
    """Also behind another request."""
    lines = b"".join(b"X-%d: %s\r\n" % (number, b"a" * 1000) for number in range(20))
    for raw in (ASK[:-2] + lines + b"\r\n", ASK.replace(b"/page", b"/none") + ASK[:-2] + lines + b"\r\n"):
        with connected(url) as connection:
            connection.sendall(raw)
            assert b"200 OK" not in ends(connection)
    assert page.asked == []
    assert get(url, X="a" * 8000, Y="b" * 8000).status == 200


def test_who_sends_ahead_and_takes_no_answers_is_let_go_of(url: str, page: Page) -> None:
    """As requests that wait are in memory."""
    page.body = b"a" * 10_000_000
    large = ASK[:-2] + b"X: " + b"a" * 15_000 + b"\r\n\r\n"
    with connected(url) as connection:
        sent = [connection.send(large) for _ in range(3)]
        with contextlib.suppress(ConnectionError):
            while sum(sent) < 100_000_000:
                sent.append(connection.send(large * 10))
    assert sum(sent) < 100_000_000
    assert len(page.asked) == 1


def test_who_sends_ahead_and_takes_the_answers_has_all_of_them(url: str) -> None:
    with connected(url) as connection, connection.makefile("rb") as stream:
        connection.sendall(ASK * 300)
        assert [read(stream).status for _ in range(300)] == [200] * 300  # type: ignore[union-attr]  # None fails too


def test_a_refused_body_is_answered_though_it_is_still_being_sent(url: str, page: Page) -> None:
    with connected(url) as connection, connection.makefile("rb") as stream:
        connection.sendall(b"PUT /page HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n")
        for _ in range(20):
            connection.sendall(b"a" * 100_000)
        answer = read(stream)
        assert answer is not None
        assert (answer.status, answer.headers["connection"]) == (400, "close")
    assert page.asked == []


def test_a_body_of_many_megabytes_comes_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    page = Page()
    page.longest_body = 20_000_000
    body = os.urandom(15_000_000)
    with listening(page, Listen()) as (listen,):
        assert get(f"{listen.url}page", "PUT", body=body).body == body


def test_a_body_that_is_too_long_is_not_read(url: str, page: Page) -> None:
    for raw in (
        b"PUT /page HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n",
        b"PUT /page HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        + (b"64\r\n" + b"a" * 100 + b"\r\n") * 20,
    ):
        answer = ask(url, raw)
        assert answer is not None
        assert answer.status == 400
    assert page.asked == []


def test_a_client_that_does_not_get_on_is_let_go_of(
    page: Page, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Also one that sends a byte now and then: the bound is for all headers, or the whole body, not for one byte."""
    monkeypatch.setattr(exchange, "REQUEST_SECONDS", 0.3)
    with listening(page, Listen()) as (listen,):
        for begun in (b"", b"GET /pa", ASK[:-2], ASK, b"PUT /page HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"):
            with connected(listen.url) as connection:
                connection.sendall(begun)
                connection.settimeout(0.05)
                answered = b""
                for _ in range(200):
                    with contextlib.suppress(TimeoutError):
                        if not (chunk := connection.recv(1000)):
                            break
                        answered += chunk
                    if begun != ASK:
                        connection.sendall(b"a")
                else:
                    pytest.fail(f"still connected after {begun!r}")
                assert (b"200 OK" in answered) == (begun == ASK)
        assert get(f"{listen.url}page").status == 200
    assert capfd.readouterr() == ("", "")


def test_a_client_that_does_not_read_its_answer_is_let_go_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "ANSWER_SECONDS", 0.3)
    with listening(Page(body=b"a" * 30_000_000), Listen()) as (listen,):
        with socket.socket() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.settimeout(10)
            connection.connect(("127.0.0.1", listen.port))
            connection.sendall(ASK)
            time.sleep(1)
            got = ends(connection)
        assert 0 < len(got) < 30_000_000
        assert len(get(f"{listen.url}page").body) == 30_000_000, "those who read have it"


def test_an_answer_that_was_taken_ends_no_later_request(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "ANSWER_SECONDS", 0.2)
    with contextlib.ExitStack() as stack:
        (listen,) = stack.enter_context(listening(Page(body=b"a" * 5_000_000), Listen()))
        connection = stack.enter_context(connected(listen.url))
        stream = stack.enter_context(connection.makefile("rb"))
        for _ in range(2):
            connection.sendall(ASK)
            answer = read(stream)
            assert answer is not None
            assert len(answer.body) == 5_000_000
            time.sleep(0.5)


def test_slow_clients_do_not_hold_up_the_others(url: str) -> None:
    with contextlib.ExitStack() as stack:
        for number in range(100):
            stack.enter_context(connected(url)).sendall(ASK[: 5 + number % 20])
        assert [get(url).status for _ in range(5)] == [200] * 5


def test_there_are_no_more_connections_than_the_bound(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "CONNECTIONS", 3)
    with contextlib.ExitStack() as stack:
        for _ in range(3):
            connection = stack.enter_context(connected(url))
            connection.sendall(ASK)
            assert connection.recv(15) == b"HTTP/1.1 200 OK"
        with connected(url) as fourth:
            with contextlib.suppress(ConnectionError):
                fourth.sendall(ASK)
            assert ends(fourth) == b""
    for _ in range(100):
        with contextlib.suppress(AssertionError, ConnectionError):  # the three are still being closed
            if get(url).status == 200:
                return
        time.sleep(0.05)
    pytest.fail("those that have gone still count")


def test_many_clients_at_once_are_all_answered(url: str) -> None:
    with ThreadPoolExecutor(30) as clients:
        assert set(clients.map(lambda _: get(url).status, range(300))) == {200}


# ----------------------------------------------------------------------- several sites, several addresses


def test_one_address_has_several_sites_those_in_threads_last() -> None:
    slow, one, two = Page("/page", in_thread=True, body=b"slow"), Page("/page", body=b"quick"), Page("/two")
    with Listener() as listener:
        listen = listener.add(slow, Listen())
        assert get(f"{listen.url}page").body == b"slow"
        assert listener.add(one, listen) == listener.add(two, listen) == listen
        assert get(f"{listen.url}page").body == b"quick"
        assert get(f"{listen.url}two").body == b"yes"
        assert get(f"{listen.url}three").status == 404
        listener.remove(one, listen)
        assert get(f"{listen.url}page").body == b"slow"
        listener.remove(slow, listen)
        assert get(f"{listen.url}page").status == 404
        listener.remove(two, listen)
        with pytest.raises(ConnectionRefusedError):
            get(listen.url)
        assert listener.add(two, listen) == listen, "and again"


def test_an_address_with_two_certificates_is_refused(tmp_path: Path, page: Page) -> None:
    with Listener() as listener:
        listen = listener.add(page, Listen())
        with pytest.raises(CalsyncError, match="two certificates"):
            listener.add(page, Listen(port=listen.port, certificate=tmp_path / "c", key=tmp_path / "k"))


def test_a_taken_port_and_an_unknown_host_are_told(page: Page) -> None:
    with listening(page, Listen()) as (listen,), Listener() as other:
        with pytest.raises(
            UnreachableError, match=rf"^calsync cannot listen on 127.0.0.1:{listen.port}: Address already"
        ):
            other.add(page, listen)
        with pytest.raises(UnreachableError, match=r"cannot listen on no\.such\.host\.invalid:80"):
            other.add(page, Listen("no.such.host.invalid", 80))


@pytest.fixture
def secure(tmp_path: Path) -> tuple[Path, Path, ssl.SSLContext]:
    """A certificate for localhost, its key, and what trusts it."""
    ca = trustme.CA()
    pair = ca.issue_cert("localhost")
    pair.cert_chain_pems[0].write_to_path(tmp_path / "c.pem")
    pair.private_key_pem.write_to_path(tmp_path / "k.pem")
    context = ssl.create_default_context()
    ca.configure_trust(context)
    return tmp_path / "c.pem", tmp_path / "k.pem", context


def test_who_only_begins_to_greet_counts_as_a_connection(
    secure: tuple[Path, Path, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "CONNECTIONS", 3)
    with listening(Page(), Listen("127.0.0.1", 0, *secure[:2])) as (listen,), contextlib.ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(connected(listen.url)).sendall(b"\x16\x03\x01")
        time.sleep(0.2)
        with connected(listen.url) as fourth:
            assert ends(fourth) == b""
        stack.close()
        for _ in range(100):
            https = http.client.HTTPSConnection("localhost", listen.port, context=secure[2], timeout=10)
            with contextlib.suppress(OSError), contextlib.closing(https):  # the three are still being closed
                https.request("GET", "/page")
                assert https.getresponse().read() == b"yes"
                return
            time.sleep(0.05)
    pytest.fail("those that have gone still count")


def test_who_does_not_read_an_encrypted_answer_is_let_go_of(
    secure: tuple[Path, Path, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "ANSWER_SECONDS", 0.3)
    with (
        listening(Page(body=b"a" * 30_000_000), Listen("127.0.0.1", 0, *secure[:2])) as (listen,),
        connected(listen.url) as plain_text,
        secure[2].wrap_socket(plain_text, server_hostname="localhost") as connection,
    ):
        connection.sendall(ASK)
        time.sleep(1)
        got = 0
        with contextlib.suppress(OSError):
            while chunk := connection.recv(65536):
                got += len(chunk)
    assert 0 < got < 30_000_000


def test_tls_and_a_client_that_stalls_in_its_greeting(
    secure: tuple[Path, Path, ssl.SSLContext],
    page: Page,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(exchange, "REQUEST_SECONDS", 1)
    certificate, key, context = secure
    with listening(page, Listen("127.0.0.1", 0, certificate, key)) as (listen,):
        assert listen.url.startswith("https://")
        with connected(listen.url) as stalled:
            stalled.sendall(b"\x16\x03\x01")
            https = http.client.HTTPSConnection("localhost", listen.port, context=context, timeout=10)
            for _ in range(2):
                https.request("GET", "/page")
                assert https.getresponse().read() == b"yes"
            https.close()
            ends(stalled)
        with connected(listen.url) as plain_text:
            plain_text.sendall(ASK)
            assert b"200" not in ends(plain_text)
        assert page.asked[0].secure
    assert capfd.readouterr() == ("", "")


# ------------------------------------------------------------------------------------- start and stop


def test_a_request_under_way_is_answered_before_the_stop() -> None:
    begun, go_on = threading.Event(), threading.Event()

    class Slow(Page):
        def answer(self, request: Request) -> Response | None:
            begun.set()
            go_on.wait(10)
            return super().answer(request)

    listener = Listener()
    listener.start()
    listen = listener.add(Slow(in_thread=True), Listen())
    with ThreadPoolExecutor(2) as threads:
        answer = threads.submit(get, f"{listen.url}page")
        assert begun.wait(10)
        stopped = threads.submit(listener.stop)
        while True:  # it listens no more
            try:
                connected(listen.url).close()
            except ConnectionRefusedError:
                break
            time.sleep(0.01)
        assert not stopped.done()
        go_on.set()
        assert answer.result().body == b"yes"
        stopped.result()
    listener.stop()  # twice is no harm


def test_a_request_that_does_not_end_does_not_hold_up_the_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    from calsync.server import listening as module

    monkeypatch.setattr(module, "GRACE_SECONDS", 0.2)
    go_on = threading.Event()

    class Endless(Page):
        def answer(self, request: Request) -> Response | None:
            go_on.wait(30)
            return None

    with Listener() as listener:
        listen = listener.add(Endless(in_thread=True), Listen())
        with connected(listen.url) as connection:
            connection.sendall(ASK)
            time.sleep(0.1)
            listener.stop()
            assert ends(connection) == b""
    go_on.set()


def test_idle_connections_do_not_hold_up_the_stop(page: Page) -> None:
    with listening(page, Listen()) as (listen,):
        waiting = [connected(listen.url) for _ in range(5)]
        waiting[0].sendall(ASK)
        waiting[1].sendall(ASK[:10])
        assert waiting[0].recv(15) == b"HTTP/1.1 200 OK"
    for connection in waiting:
        ends(connection)
        connection.close()


def test_nothing_is_left_after_many_starts(page: Page) -> None:
    def open_files() -> int:
        return len(os.listdir("/proc/self/fd")) if sys.platform == "linux" else 0  # noqa: PTH208  # a count

    with listening(page, Listen()) as (listen,):
        get(f"{listen.url}page")
    before = open_files()
    for _ in range(10):
        with listening(page, Listen()) as (listen,):
            get(f"{listen.url}page")
    assert open_files() <= before
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("calsync")]


def test_idle_it_is_not_woken(tmp_path: Path) -> None:
    """Counted by the kernel, in a process of its own: how often its listener's thread ran."""
    code = """
import sys, threading, time
from pathlib import Path
from calsync.server.listening import *
from calsync.server.site import *
class Nothing:
    in_thread, longest_body = False, 0
    def answer(self, request): return None
def switches():
    text = Path(f"/proc/self/task/{native}/status").read_text()
    return sum(int(line.split()[1]) for line in text.splitlines() if "ctxt_switches" in line)
with listening(Nothing(), Listen()) as (listen,):
    native = next(t.native_id for t in threading.enumerate() if t.name == "calsync listener")
    time.sleep(0.5)
    before = switches()
    time.sleep(3)
    print(switches() - before)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) == 0


def test_a_process_that_is_interrupted_ends() -> None:
    code = """
from calsync.server.listening import *
class Nothing:
    in_thread, longest_body = False, 0
    def answer(self, request): return None
import time
with listening(Nothing(), Listen()) as (listen,):
    print("up", flush=True)
    time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(10) != 0


# --------------------------------------------------------------------------------------------- WSGI


def echo(environ: dict, start_response: Callable) -> list[bytes]:
    start_response("207 Multi-Status", [("X-Path", repr(environ["PATH_INFO"])), ("X-Query", environ["QUERY_STRING"])])
    return [environ["REQUEST_METHOD"].encode(), b" ", environ["wsgi.input"].read()]


def test_a_wsgi_application_is_served() -> None:
    with listening(Wsgi(echo), Listen()) as (listen,):
        answer = get(f"{listen.url}a%20b/%C3%BC?q=1", "PROPFIND", body=b"<x/>")
    assert (answer.status, answer.body) == (207, b"PROPFIND <x/>")
    assert (answer.headers["x-path"], answer.headers["x-query"]) == ("'/a b/ü'", "q=1")


def test_a_wsgi_environment_has_what_pep_3333_asks_for() -> None:
    seen: dict = {}

    def application(environ: dict, start_response: Callable) -> list[bytes]:
        from wsgiref.validate import check_environ

        check_environ({**environ, "wsgi.input": io.BytesIO(), "wsgi.errors": sys.__stderr__})
        seen.update(environ)
        start_response("204 No Content", [])
        return []

    with listening(Wsgi(application), Listen()) as (listen,):
        answer = get(f"{listen.url}p?q=1", "PUT", body=b"abc", Content_Type="text/x", X_One="1", X__Two="2")
    assert (answer.status, "content-length" in answer.headers) == (204, False)
    assert seen["CONTENT_LENGTH"] == "3"
    assert seen["CONTENT_TYPE"] == "text/x"
    assert (seen["QUERY_STRING"], seen["REMOTE_ADDR"], seen["HTTP_X_ONE"]) == ("q=1", "127.0.0.1", "1")
    assert seen["SERVER_PORT"] == str(listen.port)


def test_a_wsgi_application_that_breaks_gives_500_and_is_closed(caplog: pytest.LogCaptureFixture) -> None:
    closed: list[bool] = []

    class Body:
        def __iter__(self) -> Iterator[bytes]:
            yield b"some"
            raise ZeroDivisionError

        def close(self) -> None:
            closed.append(True)

    def application(environ: dict, start_response: Callable) -> Body:
        start_response("200 OK", [])
        return Body()

    with listening(Wsgi(application), Listen()) as (listen,):
        assert get(listen.url).status == 500
    assert closed == [True]
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize("header", [("X", "a\r\nSet-Cookie: b"), ("X", "\u20ac")])
def test_a_header_that_cannot_be_sent_ends_the_connection_and_no_other(header: tuple[str, str]) -> None:
    def application(environ: dict, start_response: Callable) -> list[bytes]:
        start_response("200 OK", [header] if environ["PATH_INFO"] == "/bad" else [("Content-Length", "999")])
        return [b"good"]

    with listening(Wsgi(application), Listen()) as (listen,):
        assert ask(f"{listen.url}bad", ASK.replace(b"/page", b"/bad")) is None
        assert get(listen.url).body == b"good", "its length is counted, not believed"
        assert get(listen.url, "HEAD").headers["content-length"] == "999"


def test_two_requests_of_an_application_run_at_the_same_time() -> None:
    together = threading.Barrier(2, timeout=10)

    def application(environ: dict, start_response: Callable) -> list[bytes]:
        together.wait()
        start_response("200 OK", [])
        return [b"both"]

    with listening(Wsgi(application), Listen()) as (listen,), ThreadPoolExecutor(2) as clients:
        assert [answer.body for answer in clients.map(get, [listen.url] * 2)] == [b"both"] * 2


def test_a_request_shows_no_path() -> None:
    assert "secret" not in repr(Request("GET", "/secret", {"a": "secret"}, query="secret", body=b"secret"))
    assert plain(200, "ü").body == "ü".encode()
