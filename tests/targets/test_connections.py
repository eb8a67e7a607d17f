"""How many connections a server sees, and what becomes of those that it closes while nobody looks."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from calsync.credentials import Secret
from calsync.targets.davhttp import Connection, Trust
from calsync.targets.davlogin import Login


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
