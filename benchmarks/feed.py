"""The row about the feed: how many 304s a second its server gives, beside nginx with the same file.

nginx and wrk are Debian's, unpacked under build/ on first use; nothing is installed. Both servers take requests on
loopback over four connections that stay, for two seconds a round. Each has one process.
Public face: `BENCHMARKS`, `versions`.
"""

from __future__ import annotations

import contextlib
import http.client
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks import peers
from benchmarks.bench import Bench
from benchmarks.pairs import in_turn
from benchmarks.table import A_SECOND, Benchmark, Measured
from tests.servers import free_port

PEERS = peers.BUILD / "bench-debian"
PACKAGES = ("nginx", "wrk", "libluajit-5.1-2")
SECONDS = 2

CONFIG = """\
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/log;
events {{}}
http {{
  access_log off; keepalive_requests 100000000; types {{ text/calendar ics; }}
  client_body_temp_path {folder}/1; proxy_temp_path {folder}/2; fastcgi_temp_path {folder}/3;
  uwsgi_temp_path {folder}/4; scgi_temp_path {folder}/5;
  server {{ listen 127.0.0.1:{port}; root {folder}/www; }}
}}
"""

SERVE = """\
import sys, time
from pathlib import Path
from calsync.feedsettings import FeedSettings
from calsync.server.feed import links, serve
settings = FeedSettings(path=Path(sys.argv[1]), listen=sys.argv[2])
with serve(settings, Path(sys.argv[3])):
    print(links(settings, Path(sys.argv[3]))[0].url, flush=True)
    time.sleep(3600)
"""

EVENT = """\
BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:{number}\r\nDTSTAMP:20261120T090000Z\r
DTSTART;VALUE=DATE:20261123\r\nDTEND;VALUE=DATE:20261127\r\nSUMMARY:Call Dana Ruiz at Company {number}\r
END:VEVENT\r\nEND:VCALENDAR\r\n"""


def commands() -> tuple[str, list[str]]:
    """The commands nginx and wrk, unpacked on first use."""
    if not (PEERS / "usr" / "bin" / "wrk").exists():
        PEERS.mkdir(parents=True, exist_ok=True)
        subprocess.run(["apt-get", "download", "-qq", *PACKAGES], cwd=PEERS, check=True)
        for package in PEERS.glob("*.deb"):
            subprocess.run(["dpkg", "-x", str(package), str(PEERS)], check=True)
    libraries = next(PEERS.rglob("libluajit-5.1.so.2")).parent
    return str(PEERS / "usr" / "sbin" / "nginx"), ["env", f"LD_LIBRARY_PATH={libraries}", str(PEERS / "usr/bin/wrk")]


def make_feed(path: Path) -> None:
    """A feed of a hundred events, as calsync writes it."""
    from calsync.targets.feed import FeedTarget

    target = FeedTarget(path=path)
    for number in range(100):
        target.create(f"{number}.ics", EVENT.format(number=number))
    target.commit()


@contextlib.contextmanager
def running(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    """A server in a process of its own."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()


def etag(url: str) -> str:
    """The entity tag of what is there, as soon as the server is up; it is checked that it gives a 304."""
    address = urlsplit(url)
    for _ in range(100):
        connection = http.client.HTTPConnection(address.netloc)
        with contextlib.suppress(ConnectionRefusedError):
            connection.request("GET", address.path)
            answer = connection.getresponse()
            answer.read()
            connection.request("GET", address.path, headers={"If-None-Match": answer.headers["ETag"]})
            assert connection.getresponse().status == 304
            connection.close()
            return str(answer.headers["ETag"])
        time.sleep(0.1)
    raise RuntimeError(f"no server at {address.netloc}")


def rate(wrk: list[str], url: str, tag: str) -> float:
    """304s a second."""
    command = [*wrk, "-t1", "-c4", f"-d{SECONDS}", "-H", f"If-None-Match: {tag}", url]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert "Socket errors" not in said, said
    told = re.search(r"Requests/sec:\s+([0-9.]+)", said)
    assert told is not None, said
    return float(told[1])


def versions() -> dict[str, str]:
    """The version of nginx."""
    said = subprocess.run([commands()[0], "-v"], check=True, capture_output=True, text=True).stderr
    return {"nginx": said.strip().rpartition("/")[2]}


def _rates(bench: Bench) -> Measured:
    nginx, wrk = commands()
    folder = bench.folder("feed")
    for each in (folder, folder.parent):
        each.chmod(0o755)  # nginx drops its rights and reads as somebody else
    (folder / "www").mkdir()
    make_feed(folder / "www" / "f.ics")
    port, peers_port = free_port(), free_port()
    (folder / "nginx.conf").write_text(CONFIG.format(folder=folder, port=peers_port), encoding="utf-8")
    words = [str(folder / "www" / "f.ics"), f"127.0.0.1:{port}", str(folder / "words")]
    python = str(peers.ourselves() / "python")
    with contextlib.ExitStack() as stack:
        stack.enter_context(running([nginx, "-p", str(folder), "-c", f"{folder}/nginx.conf", "-e", f"{folder}/log"]))
        ours = stack.enter_context(running([python, "-c", SERVE, *words]))
        assert ours.stdout is not None
        url, peer = ours.stdout.readline().strip(), f"http://127.0.0.1:{peers_port}/f.ics"
        tags = etag(url), etag(peer)
        mine, theirs = in_turn(lambda _: rate(wrk, url, tags[0]), lambda _: rate(wrk, peer, tags[1]))
    return Measured(mine, theirs, A_SECOND)


BENCHMARKS = (
    Benchmark(
        name="feed",
        what="the feed's 304s a second over four connections / those of nginx",
        aim=0.1,
        at_least=True,
        measure=_rates,
    ),
)
