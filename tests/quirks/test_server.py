"""The quirk server is a good CalDAV server without flags, and each flag changes what it says it does."""

from __future__ import annotations

import base64
import http.client
import re
from collections.abc import Callable, Iterator
from urllib.parse import urljoin, urlsplit
from xml.etree import ElementTree as ET

import pytest

from tests.quirks import Fault, Limits, Quirk, QuirkServer
from tests.quirks.server import PASSWORD, USERNAME
from tests.targets.contract import event

XML = {"Content-Type": "application/xml; charset=utf-8"}
LISTING = '<D:propfind xmlns:D="DAV:"><D:prop><D:getetag/><D:resourcetype/></D:prop></D:propfind>'
CTAG = '<D:propfind xmlns:D="DAV:" xmlns:S="http://calendarserver.org/ns/"><D:prop><S:getctag/></D:prop></D:propfind>'


class Client:
    """Plain HTTP to a quirk server, on one connection, and one calendar of it."""

    def __init__(self, server: QuirkServer) -> None:
        self.server = server
        self.calendar = server.calendar()
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)

    def ask(self, method: str, name: str = "", body: str = "", **headers: str) -> http.client.HTTPResponse:
        """The answer; its text is in `.text`, names of headers are written with underscores."""
        login = base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
        sent = {"Authorization": f"Basic {login}", **{key.replace("_", "-"): value for key, value in headers.items()}}
        if method in ("PROPFIND", "REPORT"):
            sent = {**XML, **sent}
        self.connection.request(method, urlsplit(urljoin(self.calendar, name)).path, body.encode(), sent)
        answer = self.connection.getresponse()
        answer.text = answer.read().decode()
        return answer

    def put(self, name: str, **headers: str) -> http.client.HTTPResponse:
        return self.ask("PUT", f"{name}.ics", event(name), **headers)

    def sync(self, token: str = "") -> tuple[int, dict[str, int], str]:
        """A sync-collection: the status, the names that it tells with theirs, and the new token."""
        body = (
            f'<D:sync-collection xmlns:D="DAV:"><D:sync-token>{token}</D:sync-token><D:sync-level>1</D:sync-level>'
            "<D:prop><D:getetag/></D:prop></D:sync-collection>"
        )
        answer = self.ask("REPORT", body=body)
        if answer.status != 207:
            return answer.status, {}, ""
        tree = ET.fromstring(answer.text)
        told = {}
        for each in tree.iterfind("{DAV:}response"):
            name = each.findtext("{DAV:}href", "").rpartition("/")[2]
            told[name] = int((each.findtext("{DAV:}status") or "HTTP/1.1 200").split()[1])
        return 207, told, tree.findtext("{DAV:}sync-token", "")

    def names(self) -> list[str]:
        """What a listing names."""
        text = self.ask("PROPFIND", body=LISTING, Depth="1").text
        return re.findall(r"<D:href>[^<]*/([^/<]+)</D:href>", text)

    def ctag(self) -> str:
        return re.findall(r"<CS:getctag>(.*)</CS:getctag>", self.ask("PROPFIND", body=CTAG, Depth="0").text)[0]


Opened = Callable[..., Client]


@pytest.fixture
def opened() -> Iterator[Opened]:
    clients: list[Client] = []

    def open_with(*flags: Quirk, clock: Callable[[], float] = lambda: 0.0, **limits: int) -> Client:
        server = QuirkServer(flags, limits=Limits(**limits), clock=clock).start()
        clients.append(Client(server))
        return clients[-1]

    yield open_with
    for client in clients:
        client.connection.close()
        client.server.stop()


def test_sync_collection_tells_what_changed_since_a_token(opened: Opened) -> None:
    client = opened()
    client.put("one")
    client.put("two")
    status, told, token = client.sync()
    assert (status, told) == (207, {"one.ics": 200, "two.ics": 200})
    assert client.sync(token)[1] == {}
    client.ask("DELETE", "one.ics")
    client.put("three")
    assert client.sync(token)[1] == {"one.ics": 404, "three.ics": 200}


def test_seconds_as_tokens_hide_what_happens_within_one(opened: Opened) -> None:
    seconds = [7.0]
    client = opened(Quirk.SOGO_SECONDS_AS_TOKENS, clock=lambda: seconds[0])
    client.put("one")
    token = client.sync()[2]
    client.put("two")
    seconds[0] = 8.0
    client.put("three")
    assert client.sync(token)[1] == {"three.ics": 200}


@pytest.mark.parametrize(
    ("quirk", "unissued", "expired"),
    [
        (None, (403, 0), (403, 0)),
        (Quirk.XANDIKOS_TOKEN_ERROR_412, (412, 0), (412, 0)),
        (Quirk.STALWART_BOGUS_TOKEN_LISTS_ALL, (207, 3), (403, 0)),
        (Quirk.STALWART_EXPIRED_TOKEN_IS_PARTIAL, (403, 0), (207, 1)),
        (Quirk.DAVICAL_UNISSUED_TOKEN_ACCEPTED, (207, 0), (403, 0)),
        (Quirk.SABRE_NO_SYNC_COLLECTION, (403, 0), (403, 0)),
        (Quirk.NO_SYNC_COLLECTION_501, (501, 0), (501, 0)),
    ],
)
def test_tokens_that_are_no_good(opened: Opened, quirk: Quirk | None, unissued: tuple, expired: tuple) -> None:
    """How many items each kind of token tells, of three of which one came after the tokens expired."""
    client = opened(*filter(None, [quirk]))
    client.put("one")
    token = client.sync()[2]
    client.put("two")
    client.server.model.expire_tokens()
    client.put("three")
    for sent, expected in (("http://quirks.example/sync/999", unissued), (token, expired)):
        status, told, _ = client.sync(sent)
        assert (status, len(told)) == expected


def test_sync_in_pages_tells_everything_in_the_end(opened: Opened) -> None:
    client = opened(Quirk.SYNC_IN_PAGES, page=2)
    for name in ("one", "two", "three"):
        client.put(name)
    _, first, token = client.sync()
    assert first == {"": 507, "one.ics": 200, "two.ics": 200}
    assert client.sync(token)[1] == {"three.ics": 200}


def test_a_ctag_changes_with_every_change_or_with_the_second(opened: Opened) -> None:
    good, slow = opened(), opened(Quirk.SOGO_SLOW_CTAG, clock=lambda: 7.5)
    for client, changes in ((good, True), (slow, False)):
        client.put("one")
        before = client.ctag()
        assert client.ctag() == before
        client.put("two")
        assert (client.ctag() != before) is changes


def test_conditions_are_kept(opened: Opened) -> None:
    client = opened()
    etag = client.put("one", If_None_Match="*").getheader("ETag")
    assert client.put("one", If_None_Match="*").status == 412
    assert client.put("two", If_Match='"x"').status == 412
    assert client.put("one", If_Match='"x"').status == 412
    assert client.ask("DELETE", "one.ics", If_Match='"x"').status == 412
    assert client.ask("DELETE", "one.ics", If_Match=str(etag)).status == 204
    assert client.names() == []


@pytest.mark.parametrize(
    ("quirk", "headers", "status"),
    [
        (Quirk.SOGO_IF_NONE_MATCH_OVERWRITES, {"If_None_Match": "*"}, 204),
        (Quirk.ZIMBRA_IGNORES_IF_MATCH, {"If_Match": '"x"'}, 204),
        (Quirk.OX_BLIND_OVERWRITE_409, {}, 409),
        (Quirk.ICLOUD_IF_MATCH_STAR_INVERTED, {"If_Match": "*"}, 412),
        (Quirk.CALENDAR_FULL_507, {}, 204),
        (Quirk.MAX_RESOURCE_SIZE_403, {}, 403),
        (Quirk.PUT_REDIRECTS_TO_LOGIN, {}, 302),
    ],
)
def test_writing_over_what_stands_there(opened: Opened, quirk: Quirk, headers: dict[str, str], status: int) -> None:
    client = opened(quirk, size=10, room=1)
    client.server.put(f"{client.calendar}one.ics", event("one"))
    assert client.put("one", **headers).status == status


@pytest.mark.parametrize(
    ("quirks", "status", "word"),
    [
        ((), 403, "no-uid-conflict"),
        ((Quirk.CYRUS_UID_CLASH_403,), 403, "unique-scheduling-object-resource"),
        ((Quirk.RADICALE_UID_CLASH_409,), 409, "no-uid-conflict"),
        ((Quirk.XANDIKOS_UID_CLASH_412,), 412, "no-uid-conflict"),
        ((Quirk.NEXTCLOUD_UID_CLASH_400,), 400, "uid already exists"),
        ((Quirk.BAIKAL_ACCEPTS_DUPLICATE_UIDS,), 201, ""),
    ],
)
def test_a_uid_that_stands_elsewhere(opened: Opened, quirks: tuple[Quirk, ...], status: int, word: str) -> None:
    client = opened(*quirks)
    client.put("one")
    answer = client.ask("PUT", "other.ics", event("one"))
    assert answer.status == status
    assert word in answer.text


def test_a_deleted_uid_lies_in_the_trash_bin(opened: Opened) -> None:
    for quirks, status in (((), 201), ((Quirk.NEXTCLOUD_TRASH_BIN,), 400)):
        client = opened(*quirks)
        client.put("one")
        client.ask("DELETE", "one.ics")
        assert client.put("one").status == status


@pytest.mark.parametrize(
    ("quirk", "told", "stored"),
    [
        (None, '"', '"'),
        (Quirk.BAIKAL_NO_ETAG_WHEN_REWRITTEN, None, '"'),
        (Quirk.GOOGLE_NO_ETAG_ON_PUT, None, '"'),
        (Quirk.GMX_WEAK_ETAG_ON_PUT, "W", '"'),
        (Quirk.NGINX_WEAK_ETAGS, "W", "W"),
    ],
)
def test_the_etag_on_put_and_on_get(opened: Opened, quirk: Quirk | None, told: str | None, stored: str) -> None:
    """By its first character; None where there is none."""
    client = opened(*filter(None, [quirk]))
    etags = client.put("one").getheader("ETag"), client.ask("GET", "one.ics").getheader("ETag")
    assert [etag and etag[0] for etag in etags] == [told, stored]


@pytest.mark.parametrize(
    ("quirk", "gains", "loses"),
    [
        (Quirk.RADICALE_STAMPS, "DTSTAMP:20261123", "DTSTAMP:20261101"),
        (Quirk.RADICALE_ESCAPES_X, "X-CALSYNC:v1\\;default", "X-CALSYNC:v1;"),
        (Quirk.SOGO_ADDS_CLASS, "CLASS:PUBLIC", ""),
        (Quirk.OUTLOOK_DROPS_X, "", "X-CALSYNC"),
        (Quirk.GOOGLE_RENUMBERS, "SEQUENCE:0", "PRODID:-//calsync"),
        (Quirk.APPLE_TOUCHES_ALARMS, "ACKNOWLEDGED", ""),
    ],
)
def test_bodies_are_rewritten(opened: Opened, quirk: Quirk, gains: str, loses: str) -> None:
    client = opened(quirk)
    client.put("one")
    body = client.ask("GET", "one.ics").text
    assert gains in body
    assert not loses or loses not in body
    assert "SUMMARY:Call Dana Ruiz" in body


def test_two_good_listings_two_bad_ones_and_so_on(opened: Opened) -> None:
    expected = {
        Quirk.LISTING_EMPTY: [],
        Quirk.LISTING_MISSES_AN_ITEM: ["one.ics"],
        Quirk.LISTING_TRUNCATED: ["one.ics"],
        Quirk.LISTING_IS_HTML: [],
    }
    for quirk, bad in expected.items():
        client = opened(quirk)
        client.put("one")
        client.put("two")
        whole = ["one.ics", "two.ics"]
        assert [client.names() for _ in range(5)] == [whole, whole, bad, bad, whole]


def test_renamed_items_stand_where_the_server_likes(opened: Opened) -> None:
    for quirk, told in ((Quirk.OX_RENAMES, True), (Quirk.RENAMES_SILENTLY, False)):
        client = opened(quirk)
        location = client.put("one").getheader("Location")
        [name] = client.names()
        assert name != "one.ics"
        assert location == (urljoin(urlsplit(client.calendar).path, name) if told else None)
        assert client.put("one").status == 403


def test_every_fifth_request_may_be_refused(opened: Opened) -> None:
    for quirk, status in ((Quirk.OX_429, 429), (Quirk.PROXY_503, 503)):
        client = opened(quirk)
        assert [client.ask("GET", "one.ics").status for _ in range(6)] == [404, 404, 404, 404, status, 404]


@pytest.mark.parametrize(
    ("fault", "is_done", "answers"),
    [
        (Fault.LOST_BEFORE, False, False),
        (Fault.LOST_AFTER, True, False),
        (Fault.HALF, True, False),
        (Fault.SLOW, True, True),
    ],
)
def test_faults_strike_the_request_that_was_named(opened: Opened, fault: Fault, is_done: bool, answers: bool) -> None:
    client = opened()
    client.put("one")
    client.server.inject(fault, at=2)
    client.put("two")
    if answers:
        assert client.put("three").status == 201
    else:
        with pytest.raises((http.client.HTTPException, OSError)):
            client.put("three")
    assert (f"{urlsplit(client.calendar).path}three.ics" in client.server.model.items) is is_done
    assert [each.fault for each in client.server.log] == [None, None, fault]


def test_connections_close_when_they_are_tired(opened: Opened) -> None:
    client = opened(Quirk.CLOSES_CONNECTIONS, per_connection=2)
    assert [client.put("one").status, client.put("two").status] == [201, 201]
    with pytest.raises((http.client.HTTPException, OSError)):
        client.put("three")


def test_blind_writes_are_told_from_careful_ones(opened: Opened) -> None:
    client = opened()
    etag = str(client.put("one", If_None_Match="*").getheader("ETag"))
    client.put("one", If_Match=etag)
    assert client.server.blind_writes() == []
    client.put("one")
    client.put("one", If_Match="*")
    client.ask("DELETE", "one.ics")
    assert [each.method for each in client.server.blind_writes()] == ["PUT", "PUT", "DELETE"]


def test_without_the_password_nothing_is_told(opened: Opened) -> None:
    client = opened()
    assert client.ask("PROPFIND", body=LISTING, Authorization="Basic d3Jvbmc6d3Jvbmc=").status == 401


def test_it_comes_back_on_the_same_port_with_what_it_held(opened: Opened) -> None:
    client = opened()
    client.put("one")
    client.connection.close()
    with client.server.away(), pytest.raises(ConnectionRefusedError):
        client.ask("GET", "one.ics")
    client.connection.close()
    assert client.names() == ["one.ics"]
