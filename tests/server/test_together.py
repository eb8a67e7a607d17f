"""The feed and the embedded CalDAV server on one listener, at one address or at two, each with its own life."""

from __future__ import annotations

from pathlib import Path

import pytest

from calsync.feedsettings import FeedSettings
from calsync.server import embedded
from calsync.server.feed import links, serve
from calsync.server.listening import Listen, Listener
from calsync.targets.caldav import CaldavTarget
from calsync.targets.feed import FeedTarget
from tests.server.asking import get
from tests.servers import free_port
from tests.targets.contract import event


@pytest.mark.parametrize("same", [True, False])
def test_the_feed_and_the_calendar_are_on_one_listener(tmp_path: Path, same: bool) -> None:
    port = free_port()
    settings = FeedSettings(path=tmp_path / "f.ics", listen=f"127.0.0.1:{port}")
    FeedTarget(path=settings.path).commit()
    listen = Listen(port=port if same else free_port())
    with Listener() as listener, serve(settings, tmp_path / "words", listener):
        url = links(settings, tmp_path / "words")[0].url
        with embedded.serve(tmp_path / "server", listen, listener) as server:
            assert server.url == listen.url
            target = CaldavTarget(
                url=server.url, username=server.username, password=server.password, calendar="Job search"
            )
            assert target.listing().whole
            target.create("one.ics", event("one"))
            target.close()
            assert get(url).status == 200
            assert get(f"{listen.url}calsync/", "PROPFIND").status == 401
            assert get(f"{listen.url}robots.txt").status == (200 if same else 401)
        assert get(url).status == 200
        if same:
            assert get(f"{listen.url}calsync/", "PROPFIND").status == 404
        else:
            with pytest.raises(ConnectionRefusedError):
                get(listen.url)


def test_the_calendars_own_connection_stays_open_between_requests(tmp_path: Path) -> None:
    """It was HTTP/1.0 with a connection a request before."""
    import http.client

    with embedded.serve(tmp_path / "server") as server:
        connection = http.client.HTTPConnection("127.0.0.1", int(server.url.split(":")[2].strip("/")), timeout=10)
        connection.connect()
        first = connection.sock
        for _ in range(3):
            connection.request("PROPFIND", "/calsync/")
            answer = connection.getresponse()
            answer.read()
            assert (answer.status, answer.version) == (401, 11)
            assert connection.sock is first
        connection.close()
