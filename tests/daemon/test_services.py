"""What the daemon keeps running: started, stopped and started anew as the config says."""

from __future__ import annotations

import contextlib
import http.client
import ssl
import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import trustme

from calsync import config, opening
from calsync.config import Config
from calsync.daemon.services import Services
from tests.servers import free_port

BASE = "timezone: Europe/Berlin\napplications: applications.yaml\n"


class Home:
    """A config and the services on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = {"STATE_DIRECTORY": str(folder / "state")}
        self.services = Services(self.environ)

    def config(self, text: str) -> Config:
        path = self.folder / "config.yaml"
        path.write_text(BASE + text)
        return config.load(path, {}, self.folder)

    def follow(self, text: str) -> Config:
        settings = self.config(text)
        self.services.follow(settings)
        return settings


@pytest.fixture
def home(tmp_path: Path):
    made = Home(tmp_path)
    before = threading.enumerate()
    yield made
    made.services.close()
    left = [thread for thread in threading.enumerate() if thread not in before]
    for thread in left:  # those of requests end when they find that there are no more
        thread.join(10)
    assert not any(thread.is_alive() for thread in left)


def answer(url: str) -> int:
    """The status of an answer; 0 where nobody listens."""
    try:
        with urllib.request.urlopen(url, timeout=10) as response:  # a URL of our own
            return response.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except urllib.error.URLError:
        return 0


def test_the_feed_is_served_where_and_while_the_config_says_so(home: Home):
    first, second = (f"127.0.0.1:{free_port()}" for _ in range(2))
    settings = home.follow(f'feed: {{path: f.ics, listen: "{first}"}}\n')
    assert home.services.errors == {}
    [link] = opening.links(settings, home.environ, None, renew=False)
    assert link.url.startswith(f"http://{first}/")
    assert answer(link.url) == 503, "there is no feed yet"
    home.follow(f'feed: {{path: f.ics, listen: "{second}"}}\n')
    assert answer(link.url) == 0
    assert answer(link.url.replace(first, second)) == 503
    home.follow("feed: {path: f.ics}\n")
    assert answer(link.url.replace(first, second)) == 0


def test_the_calendar_server_shares_an_address_with_the_feed(home: Home):
    where = f"127.0.0.1:{free_port()}"
    settings = home.follow(f'caldav: {{url: embedded, listen: "{where}"}}\nfeed: {{path: f.ics, listen: "{where}"}}\n')
    assert home.services.errors == {}
    [link] = opening.links(settings, home.environ, None, renew=False)
    assert answer(link.url) == 503
    assert answer(f"http://{where}/calsync/") == 401


def test_what_is_wanted_as_before_goes_on(home: Home):
    where = f"127.0.0.1:{free_port()}"
    text = f'feed: {{path: f.ics, listen: "{where}"}}\n'
    home.follow(text)
    names = {thread.name: thread.ident for thread in threading.enumerate()}
    with contextlib.closing(http.client.HTTPConnection(where, timeout=10)) as connection:
        connection.request("GET", "/")
        connection.getresponse().read()
        before = connection.sock
        home.follow(text + "remind_at: 10:00\n")
        connection.request("GET", "/")
        assert connection.getresponse().status == 404
        assert connection.sock is before, "connections stay"
        assert names.items() <= {thread.name: thread.ident for thread in threading.enumerate()}.items()


def certified(folder: Path, name: str) -> None:
    """A fresh certificate with its key in the folder, as a renewal puts it there."""
    issued = trustme.CA().issue_cert("127.0.0.1")
    issued.cert_chain_pems[0].write_to_path(str(folder / f"{name}.pem"))
    issued.private_key_pem.write_to_path(str(folder / f"{name}.key"))


@pytest.mark.parametrize("services", ["caldav", "feed", "caldav feed"])
def test_a_renewed_certificate_is_served_from_the_next_sync_on(home: Home, services):
    """Certificates last for weeks, the daemon runs for months."""
    port = free_port()
    tls = f'listen: "127.0.0.1:{port}", tls_certificate: a.pem, tls_key: a.key'
    blocks = {"caldav": f"caldav: {{url: embedded, {tls}}}\n", "feed": f"feed: {{path: f.ics, {tls}}}\n"}
    text = "".join(blocks[service] for service in services.split())
    certified(home.folder, "a")
    home.follow(text)
    first = ssl.get_server_certificate(("127.0.0.1", port))
    home.follow(text)
    assert ssl.get_server_certificate(("127.0.0.1", port)) == first
    certified(home.folder, "a")
    home.follow(text)
    second = ssl.get_server_certificate(("127.0.0.1", port))
    assert second != first
    certified(home.folder, "b")
    home.follow(text.replace("a.pem", "b.pem").replace("a.key", "b.key"))
    assert home.services.errors == {}
    assert ssl.get_server_certificate(("127.0.0.1", port)) not in (first, second)


def test_a_certificate_that_is_not_there_is_an_error_until_it_is(home: Home):
    text = f'feed: {{path: f.ics, listen: "127.0.0.1:{free_port()}", tls_certificate: a.pem, tls_key: a.key}}\n'
    home.follow(text)
    assert "a.pem" in home.services.errors["feed server"]
    certified(home.folder, "a")
    home.follow(text)
    assert home.services.errors == {}


def test_an_address_that_is_taken_is_an_error_and_tried_again(home: Home):
    other = Services({"STATE_DIRECTORY": str(home.folder / "other")})
    where = f"127.0.0.1:{free_port()}"
    text = f'feed: {{path: f.ics, listen: "{where}"}}\n'
    other.follow(home.config(text))
    home.follow(text)
    assert where in home.services.errors["feed server"]
    other.close()
    home.follow(text)
    assert home.services.errors == {}
