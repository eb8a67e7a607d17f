"""The CalDAV target keeps the promises of a target on real servers, and finds or makes its calendar there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest

from calsync.credentials import Secret
from calsync.errors import ConfigError, LoginError, SyncFailedError, UnreachableError
from calsync.targets.base import ConflictError
from calsync.targets.caldav import CaldavTarget
from tests.servers import Server
from tests.targets.contract import Place, TokenContract, event


class Opener:
    """Opens targets with a server's login, and closes them in the end."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.targets: list[CaldavTarget] = []

    def __call__(self, **settings: Any) -> CaldavTarget:
        login = {"username": self.server.username, "password": Secret(self.server.password)}
        self.targets.append(CaldavTarget(**{"url": self.server.url, **login, **settings}))
        return self.targets[-1]

    def close(self) -> None:
        for target in self.targets:
            target.close()


class OnServer:
    """A CalDAV target on a fresh calendar, and plain HTTP beside it."""

    def __init__(self, server: Server, opened: Opener) -> None:
        self.server = server
        self.calendar = server.calendar()
        self.target = opened(calendar=self.calendar)

    def put(self, name: str, body: str) -> str:
        assert self.server.put(urljoin(self.calendar, name), body).status in (201, 204)
        return urlsplit(urljoin(self.calendar, name)).path

    def remove(self, href: str) -> None:
        assert self.server.delete(urljoin(self.calendar, href)).status in (200, 204)

    def items(self) -> Mapping[str, str]:
        return self.server.items(self.calendar)


class OnCaldav(TokenContract):
    """The contract, and what CalDAV adds."""

    @pytest.fixture
    def opened(self, server: Server) -> Iterator[Opener]:
        opener = Opener(server)
        yield opener
        opener.close()

    @pytest.fixture
    def place(self, server: Server, opened: Opener) -> Place:
        return OnServer(server, opened)

    def test_a_listing_of_a_known_calendar_is_one_request(self, place: OnServer) -> None:
        place.put("one.ics", event("one"))
        assert len(place.target.listing().etags) == 1
        assert place.target.requests == 1 + place.server.login_requests

    def test_one_multiget_fetches_fifty(self, place: OnServer) -> None:
        hrefs = [place.put(f"n{number}.ics", event(f"n{number}")) for number in range(51)]
        place.target.listing()
        before = place.target.requests
        place.target.fetch(hrefs)
        assert place.target.requests == before + 2

    def test_eight_threads_may_write_at_once(self, place: OnServer) -> None:
        place.target.listing()
        names = [f"n{number}" for number in range(32)]
        with ThreadPoolExecutor(8) as pool:
            created = list(pool.map(lambda name: place.target.create(f"{name}.ics", event(name)), names))
        assert sorted(place.items()) == sorted(item.href for item in created)
        more = place.target.requests - (2 + len(names))
        assert more == 0 or place.server.login_requests  # each thread of a Digest login is challenged once

    def test_a_create_with_a_uid_that_stands_elsewhere_is_a_conflict(self, place: OnServer) -> None:
        place.put("one.ics", event("one"))
        with pytest.raises(ConflictError):
            place.target.create("other.ics", event("one"))
        assert len(place.items()) == 1

    def test_tasks_are_not_listed(self, place: OnServer) -> None:
        task = event("task").replace("VEVENT", "VTODO").replace("DTEND;VALUE=DATE", "DUE;VALUE=DATE")
        place.put("task.ics", task)
        href = place.put("event.ics", event("event"))
        assert list(place.target.listing().etags) == [href]

    def test_hrefs_with_odd_letters_are_read_written_and_deleted(self, place: OnServer) -> None:
        place.put("a%20b%40c%2Bd.ics", event("odd"))
        (href,) = place.target.listing().etags
        item = place.target.fetch([href])[href]
        place.target.update(item, event("odd", "Changed"))
        (body,) = place.items().values()
        assert "SUMMARY:Changed" in body
        place.target.delete(place.target.fetch([href])[href])
        assert place.items() == {}

    def test_it_is_found_by_its_name(self, server: Server, opened: Opener) -> None:
        url = server.calendar("Found: by <name> & all")
        target = opened(calendar="Found: by <name> & all")
        assert dict(target.listing().etags) == {}
        assert (target.where, target.created) == (url, False)

    def test_the_url_itself_may_be_the_calendar(self, server: Server, opened: Opener) -> None:
        url = server.calendar("Itself")
        for name in (None, "Itself"):
            target = opened(url=url.rstrip("/"), calendar=name)
            assert target.listing().whole
            assert target.where == url

    def test_two_calendars_of_one_name_are_an_error_that_lists_both(self, server: Server, opened: Opener) -> None:
        urls = [server.calendar("Twins"), server.calendar("Twins")]
        with pytest.raises(ConfigError) as error:
            opened(calendar="Twins").listing()
        assert all(url in str(error.value) for url in urls)

    def test_a_missing_calendar_is_made_with_its_name_and_found_again(self, server: Server, opened: Opener) -> None:
        target = opened(calendar="Jobs, “made” anew")
        assert dict(target.listing().etags) == {}
        assert target.created
        href = target.create("x.ics", event("made-anew")).href
        again = opened(calendar="Jobs, “made” anew")
        assert list(again.listing().etags) == [href]
        assert (again.where, again.created) == (target.where, False)
        server.delete(target.where)

    def test_a_missing_calendar_named_by_its_url_is_made(self, server: Server, opened: Opener) -> None:
        url = urljoin(server.url, f"{server.home}by-url/")
        target = opened(calendar=url)
        target.create("x.ics", event("by-url")) if target.listing().whole else None
        assert len(server.items(url)) == 1
        server.delete(url)

    def test_a_dry_run_makes_no_calendar_and_takes_it_for_empty(self, server: Server, opened: Opener) -> None:
        for calendar in ("Never made", f"{server.home}never-made/"):
            target = opened(calendar=calendar, create=False)
            listing = target.listing()
            assert (dict(listing.etags), listing.whole) == ({}, True)
            assert dict(target.fetch([f"{server.home}never-made/x.ics"])) == {}
            assert not target.gone("x.ics")
            assert "never-made" in target.where
            with pytest.raises(SyncFailedError):
                target.create("x.ics", event("x"))
        assert server.request("GET", urljoin(server.url, f"{server.home}never-made/")).status == 404

    def test_a_calendar_known_from_before_saves_the_search(self, server: Server, opened: Opener) -> None:
        url = server.calendar("Known")
        server.put(f"{url}one.ics", event("one"))
        target = opened(calendar="Known", known=url)
        target.listing()
        assert (target.requests, target.where) == (1 + server.login_requests, url)

    def test_a_calendar_that_moved_since_is_found_anew(self, server: Server, opened: Opener) -> None:
        url = server.calendar("Moved")
        target = opened(calendar="Moved", known=urljoin(server.url, f"{server.home}was-here/"))
        assert target.listing().whole
        assert target.where == url

    def test_without_a_calendar_the_error_tells_which_there_are(self, server: Server, opened: Opener) -> None:
        server.calendar("To choose")
        with pytest.raises(ConfigError, match="To choose"):
            opened().listing()

    def test_a_wrong_password_is_a_login_error_that_does_not_show_it(self, server: Server, opened: Opener) -> None:
        target = opened(calendar=server.calendar(), password=Secret("wrong-sesame-word"))
        with pytest.raises(LoginError) as error:
            target.listing()
        assert "wrong-sesame-word" not in f"{error.value} {error.value!r} {vars(target)}"

    def test_a_server_that_is_away_is_unreachable_and_works_again_after(self, place: OnServer) -> None:
        place.target.create("one.ics", event("one"))
        with place.server.away(), pytest.raises(UnreachableError, match="refused"):
            place.target.listing()
        assert len(place.target.listing().etags) == 1


class TestRadicale(OnCaldav):
    @pytest.fixture
    def server(self, radicale: Server) -> Server:
        return radicale


class TestXandikos(OnCaldav):
    @pytest.fixture
    def server(self, xandikos: Server) -> Server:
        return xandikos
