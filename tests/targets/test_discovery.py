"""A server is found by a mail address or a domain (RFC 6764); the DNS, which may be forged, never gets the password."""

from __future__ import annotations

import base64
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.rdatatype
import dns.rrset
import pytest

from calsync.credentials import Secret
from calsync.errors import ConfigError, LoginError, SyncFailedError, UnreachableError
from calsync.targets.caldav import CaldavTarget
from calsync.targets.davdns import look_up
from calsync.targets.davservice import Entrance, entrances
from calsync.targets.davurl import allowed
from tests import internet as net
from tests.internet import Internet
from tests.scripted import Asked, Reply, Scripted, multistatus, response, serve
from tests.servers import Server
from tests.targets.contract import event

Open = Callable[..., CaldavTarget]


# From an address to the places to begin at


def begin(address: str, **records: Sequence[str]) -> list[str]:
    """The URLs to try, in turn."""
    return [url for entrance in entrances(address, net.dns(**records)) for url in entrance.urls]


def test_a_url_is_taken_at_its_word_and_no_dns_is_asked() -> None:
    def no_dns(name: str, kind: str) -> Sequence[str]:
        raise AssertionError("asked")

    url = "https://dav.example.org/alice/"
    assert entrances(url, no_dns) == (Entrance(url, (url, "https://dav.example.org/.well-known/caldav")),)
    assert [entrance.home for entrance in entrances("example.org:8443", no_dns)] == ["https://example.org:8443/"]


@pytest.mark.parametrize("address", ["alice@example.org", "example.org", "Alice@Example.ORG"])
def test_the_srv_record_tells_the_server_and_the_txt_record_the_path(address: str) -> None:
    found = begin(
        address,
        caldavs__example_org=["0 1 8443 Dav.example.org."],
        caldavs__example_org_txt=["note=hi", "path=/dav/x"],
    )
    home = "https://dav.example.org:8443/"
    assert found == [f"{home}dav/x", f"{home}.well-known/caldav", home]


def test_without_records_the_domain_itself_is_asked() -> None:
    assert begin("alice@example.org") == ["https://example.org/.well-known/caldav", "https://example.org/"]


def test_the_server_of_the_lowest_priority_and_the_highest_weight_comes_first() -> None:
    records = ["20 9 443 c.example.org.", "10 1 443 b.example.org.", "10 5 443 a.example.org."]
    homes = [each.home for each in entrances("example.org", net.dns(caldavs__example_org=records))]
    assert homes == [f"https://{name}.example.org/" for name in "abc"]


@pytest.mark.parametrize("path", ["//evil.example/", "dav/", "https://evil.example/", ""])
def test_a_path_in_the_dns_that_leaves_the_server_is_not_taken(path: str) -> None:
    found = begin(
        "example.org", caldavs__example_org=["0 1 443 d.example.org."], caldavs__example_org_txt=[f"path={path}"]
    )
    assert found == ["https://d.example.org/.well-known/caldav", "https://d.example.org/"]


@pytest.mark.parametrize("host", ["dav.example.net", "evil-example.org", "example.org.evil.example", "org"])
def test_a_server_in_another_domain_is_named_and_not_asked(host: str) -> None:
    with pytest.raises(ConfigError, match=rf"https://{host}/.*write that address as caldav\.url"):
        begin("alice@example.org", caldavs__example_org=[f"0 1 443 {host}."])


def test_of_servers_here_and_elsewhere_those_here_are_asked() -> None:
    records = ["0 1 443 dav.example.net.", "9 1 443 dav.example.org."]
    assert begin("example.org", caldavs__example_org=records)[-1] == "https://dav.example.org/"


def test_a_server_without_tls_gets_no_password_on_the_word_of_the_dns() -> None:
    with pytest.raises(ConfigError, match=r"http://dav\.example\.org:80/ with allow_insecure: true"):
        begin("alice@example.org", caldav__example_org=["0 1 80 dav.example.org."])
    both = {"caldav__example_org": ["0 1 80 dav.example.org."], "caldavs__example_org": ["0 1 443 d.example.org."]}
    assert all(url.startswith("https://d.example.org/") for url in begin("example.org", **both))


def test_a_domain_that_says_it_has_none_is_believed() -> None:
    """RFC 2782: the target "." means that the service is not to be had."""
    with pytest.raises(ConfigError, match="has no CalDAV server"):
        begin("alice@example.org", caldavs__example_org=["0 0 0 ."])
    assert begin("example.org", caldav__example_org=["0 0 0 ."])


# The DNS itself


@pytest.fixture
def name_server() -> Iterator[tuple[str, int]]:
    """A DNS server on loopback that knows one domain, and nothing of others."""
    records = {
        ("_caldavs._tcp.example.org.", "SRV"): ["0 1 443 dav.example.org.", "5 0 8443 b.example.org."],
        ("_caldavs._tcp.example.org.", "TXT"): ['"path=" "/dav/"'],
        ("_caldavs._tcp.xn--mnchen-3ya.example.", "SRV"): ["0 1 443 dav.xn--mnchen-3ya.example."],
    }
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))

        def serve_names() -> None:
            while True:
                wire, client = listening.recvfrom(4096)
                if not wire:
                    return
                question = dns.message.from_wire(wire)
                answer = dns.message.make_response(question)
                name, kind = question.question[0].name, dns.rdatatype.to_text(question.question[0].rdtype)
                if found := records.get((name.to_text().lower(), kind)):
                    answer.answer.append(dns.rrset.from_text(name, 60, "IN", kind, *found))
                listening.sendto(answer.to_wire(), client)

        thread = threading.Thread(target=serve_names, daemon=True)
        thread.start()
        yield listening.getsockname()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", listening.getsockname())
        thread.join()


def test_records_are_read_from_the_dns(name_server: tuple[str, int]) -> None:
    assert sorted(look_up("_caldavs._tcp.example.org", "SRV", name_server)) == [
        "0 1 443 dav.example.org.",
        "5 0 8443 b.example.org.",
    ]
    assert look_up("_caldavs._tcp.example.org", "TXT", name_server) == ["path=/dav/"]
    assert look_up("_caldavs._tcp.münchen.example", "SRV", name_server) == ["0 1 443 dav.xn--mnchen-3ya.example."]


def test_no_record_and_no_name_are_nothing_known(name_server: tuple[str, int]) -> None:
    assert look_up("_caldavs._tcp.example.net", "SRV", name_server) == []
    assert look_up("_caldavs._tcp.a..b", "SRV", name_server) == []


# From there to the calendar


@pytest.fixture
def internet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Internet]:
    with net.opened(tmp_path, monkeypatch, {}) as internet:
        yield internet


@pytest.fixture
def opened(internet: Internet) -> Iterator[Open]:
    """Opens targets that trust our CA, and closes them in the end."""
    targets: list[CaldavTarget] = []

    def open_target(**settings: Any) -> CaldavTarget:
        usual = {"password": Secret("zinnober-quartz-otter"), "ca_file": internet.ca_file, "resolve": net.dns()}
        targets.append(CaldavTarget(**{**usual, **settings}))
        return targets[-1]

    yield open_target
    for target in targets:
        target.close()


class OnServer:
    """What holds on every real server."""

    def test_a_mail_address_is_enough(self, server: Server, internet: Internet, opened: Open) -> None:
        server.calendar("Found by mail")
        internet.routes["dav.example.org:443"] = server.port
        known = {"caldavs__example_org": ["0 1 443 dav.example.org."]}
        login = {"url": "me@example.org", "username": server.username, "password": Secret(server.password)}
        target = opened(calendar="Found by mail", resolve=net.dns(**known), **login)
        assert target.listing().whole
        assert target.where.startswith(f"https://dav.example.org{server.home}")
        href = target.create("x.ics", event("found-by-mail")).href
        again = opened(calendar="Found by mail", resolve=net.dns(**known), known=target.where, **login)
        assert list(again.listing().etags) == [href]
        assert again.requests == 1 + server.login_requests

    def test_a_domain_is_enough_without_any_record(self, server: Server, internet: Internet, opened: Open) -> None:
        server.calendar("Found by domain")
        internet.routes["example.org:443"] = server.port
        login = {"url": "example.org", "username": server.username, "password": Secret(server.password)}
        target = opened(calendar="Found by domain", **login)
        assert target.listing().whole
        assert target.where.startswith(f"https://example.org{server.home}")

    def test_all_calendars_are_told_with_rights_and_components(self, server: Server, opened: Open) -> None:
        made = {server.calendar("Seen: A"), server.calendar("Seen: B")}
        target = opened(url=server.url, username=server.username, password=Secret(server.password))
        seen = [calendar for calendar in target.calendars() if calendar.name.startswith("Seen: ")]
        assert [calendar.name for calendar in seen] == ["Seen: A", "Seen: B"]
        assert {calendar.url for calendar in seen} == made
        assert all({"read", "write", "all"} & set(calendar.rights or ()) for calendar in seen)
        assert all(calendar.components is None or "VEVENT" in calendar.components for calendar in seen)

    def test_a_new_calendar_has_a_name_a_colour_and_takes_events_alone(self, server: Server, opened: Open) -> None:
        target = opened(
            url=server.url, username=server.username, password=Secret(server.password), calendar="New & blue"
        )
        target.listing()
        assert target.created
        (made,) = [calendar for calendar in target.calendars() if calendar.name == "New & blue"]
        assert (made.url, made.components) == (target.where, ("VEVENT",))
        body = '<D:propfind xmlns:D="DAV:"><D:prop><A:calendar-color xmlns:A="http://apple.com/ns/ical/"/></D:prop></D:propfind>'
        told = server.request("PROPFIND", target.where, body, {"Content-Type": "application/xml", "Depth": "0"})
        assert "#3A7CA5FF" in told.body.upper()
        server.delete(target.where)


class TestOnRadicale(OnServer):
    @pytest.fixture
    def server(self, radicale: Server) -> Server:
        return radicale


class TestOnXandikos(OnServer):
    @pytest.fixture
    def server(self, xandikos: Server) -> Server:
        return xandikos


# What good servers do not do

CALENDAR = "<D:resourcetype><D:collection/><C:calendar/></D:resourcetype><D:displayname>{name}</D:displayname>"


def dav(asked: Asked) -> Reply:
    """A server whose calendars are found from its root."""
    if asked.method in ("MKCALENDAR", "REPORT"):
        return Reply(501)
    answers = {
        "/": response(
            "/", "<D:current-user-principal><D:href>/p/</D:href></D:current-user-principal><D:resourcetype/>"
        ),
        "/p/": response("/p/", "<C:calendar-home-set><D:href>/home/</D:href></C:calendar-home-set>"),
        "/home/": response("/home/jobs/", CALENDAR.format(name="Jobs"))
        + response(
            "/home/read/",
            CALENDAR.format(name="Holidays")
            + "<C:supported-calendar-component-set><C:comp name='VEVENT'/><C:comp name='VTODO'/>"
            "</C:supported-calendar-component-set>"
            "<D:current-user-privilege-set><D:privilege><D:read/></D:privilege>"
            "<D:privilege><C:read-free-busy/></D:privilege></D:current-user-privilege-set>",
        ),
        "/home/jobs/": response("/home/jobs/", CALENDAR.format(name="Jobs")),
    }
    return multistatus(answers[asked.path]) if asked.path in answers else Reply(404)


@pytest.fixture
def server(internet: Internet) -> Iterator[Scripted]:
    """It stands at example.org."""
    with serve(dav) as scripted:
        internet.routes["example.org:443"] = scripted.port
        yield scripted


def test_a_server_that_is_away_leads_to_the_next_one(internet: Internet, server: Scripted, opened: Open) -> None:
    known = {"caldavs__example_org": ["0 1 443 away.example.org.", "1 1 443 dav.example.org."]}
    internet.routes["dav.example.org:443"] = server.port
    target = opened(url="alice@example.org", calendar="Jobs", resolve=net.dns(**known))
    assert target.listing().whole
    assert target.where == "https://dav.example.org/home/jobs/"


def test_the_well_known_address_may_lead_to_a_host_of_the_domain_and_no_further(
    internet: Internet, server: Scripted, opened: Open
) -> None:
    with serve(lambda _: Reply(301, "", {"Location": "https://dav.example.org/"})) as front:
        internet.routes |= {"example.org:443": front.port, "dav.example.org:443": server.port}
        target = opened(url="alice@example.org", calendar="Jobs")
        target.fetch([])
        assert target.where == "https://dav.example.org/home/jobs/"
        asked = len(server.asked)
        front.script = lambda _: Reply(301, "", {"Location": "https://dav.example.net/"})
        internet.routes["dav.example.net:443"] = server.port
        with pytest.raises(UnreachableError, match=r"https://dav\.example\.net, which does not get your password"):
            opened(url="alice@example.org", calendar="Jobs").fetch([])
        assert len(server.asked) == asked


@pytest.mark.parametrize(
    ("home", "other", "may"),
    [
        ("example.org", "dav.example.org", True),
        ("dav.example.org", "p1.example.org", True),
        ("dav.gmx.de", "dav2.gmx.de", True),
        ("example.org", "evil-example.org", False),
        ("dav.example.org", "example.org", False),
        ("example.org", "evil.org", False),
        ("example.co.uk", "evil.co.uk", False),
        ("example.co.uk", "dav.example.co.uk", True),
        ("localhost", "evil.localhost", False),
    ],
)
def test_the_password_follows_a_redirect_within_the_family_alone(home: str, other: str, *, may: bool) -> None:
    if may:
        assert allowed(f"https://{home}/", f"https://{other}/x") == f"https://{other}/x"
        return
    with pytest.raises(UnreachableError, match="does not get your password"):
        allowed(f"https://{home}/", f"https://{other}/x")


@pytest.mark.parametrize("user", ["alice@example.org", "alice"])
def test_the_user_is_the_whole_mail_address_or_what_stands_before_its_at(
    server: Scripted, opened: Open, user: str
) -> None:
    """RFC 6764 6, step 5."""
    right = f"Basic {base64.b64encode(f'{user}:zinnober-quartz-otter'.encode()).decode()}"
    refused = Reply(401, "", {"WWW-Authenticate": "Basic realm=x"})
    server.script = lambda asked: dav(asked) if asked.headers["authorization"] == right else refused
    assert opened(url="alice@example.org", calendar="Jobs").listing().whole
    server.script = lambda _: refused
    with pytest.raises(LoginError, match=r"It was tried as alice@example\.org and as alice"):
        opened(url="alice@example.org", calendar="Jobs").listing()


def test_a_web_server_without_caldav_is_told_with_all_that_was_asked(server: Scripted, opened: Open) -> None:
    server.script = lambda _: Reply(405)
    with pytest.raises(UnreachableError, match=r"https://example\.org/\.well-known/caldav, https://example\.org/\."):
        opened(url="alice@example.org", calendar="Jobs").listing()


def test_a_place_known_from_before_is_not_used_where_the_dns_has_another_server_now(
    internet: Internet, server: Scripted, opened: Open
) -> None:
    internet.routes["dav.example.org:443"] = server.port
    old = "https://old.example.net/home/jobs/"
    known = {"caldavs__example_org": ["0 1 443 dav.example.org."]}
    target = opened(url="alice@example.org", calendar="Jobs", known=old, resolve=net.dns(**known))
    assert target.listing().whole
    assert target.where == "https://dav.example.org/home/jobs/"


def test_a_calendar_may_be_named_by_its_path_or_its_url_without_a_server(server: Scripted, opened: Open) -> None:
    by_path = opened(url="alice@example.org", calendar="/home/jobs/")
    assert by_path.listing().whole
    assert by_path.where == "https://example.org/home/jobs/"
    by_url = opened(url="alice@example.net", username="alice", calendar="https://example.org/home/jobs/")
    assert by_url.listing().whole


def test_what_the_server_does_not_say_of_its_calendars_is_not_made_up(server: Scripted, opened: Open) -> None:
    holidays, jobs = opened(url="alice@example.org").calendars()
    assert (jobs.name, jobs.url, jobs.rights, jobs.components) == ("Jobs", "https://example.org/home/jobs/", None, None)
    assert (holidays.rights, holidays.components) == (("read", "read-free-busy"), ("VEVENT", "VTODO"))


@pytest.mark.parametrize("status", [404, 405, 501])
def test_where_the_server_makes_no_calendars_the_error_says_what_to_do(
    server: Scripted, opened: Open, status: int
) -> None:
    """Google (its CalDAV guide: "MKCALENDAR is not supported")."""
    server.script = lambda asked: Reply(status) if asked.method == "MKCALENDAR" else dav(asked)
    with pytest.raises(SyncFailedError, match=r"'New' is not there yet\.\nMake it in your.*Holidays, Jobs"):
        opened(url="alice@example.org", calendar="New").listing()
    assert [asked.method for asked in server.asked].count("MKCALENDAR") == 1


def test_a_server_that_refuses_the_colour_gets_a_calendar_without(server: Scripted, opened: Open) -> None:
    def script(asked: Asked) -> Reply:
        if asked.path == "/home/new/" and asked.method == "PROPFIND":
            return multistatus(response("/home/new/", CALENDAR.format(name="New")))
        if asked.method != "MKCALENDAR":
            return dav(asked)
        return Reply(403 if "calendar-color" in asked.body else 201)

    server.script = script
    target = opened(url="alice@example.org", calendar="New")
    assert target.listing().whole
    assert target.created
