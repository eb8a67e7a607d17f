"""What no good CalDAV server answers, and some do: nothing of it may pass for success, for data, or for absence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from calsync.credentials import Secret
from calsync.errors import CalsyncError, ConfigError, LoginError, SyncFailedError, UnreachableError
from calsync.model import Resource
from calsync.targets.base import ConflictError, ItemError, MissingError
from calsync.targets.caldav import CaldavTarget
from tests.scripted import Asked, Reply, Script, Scripted, multistatus, response, serve
from tests.targets.contract import event

PASSWORD = "zinnober-quartz-otter"
HTML = {"Content-Type": "text/html; charset=utf-8"}
LOGIN_PAGE = Reply(200, "<!DOCTYPE html><html><body><p>Log in<br></body></html>", HTML)
CALENDAR = response("/cal/", "<D:resourcetype><D:collection/><C:calendar/></D:resourcetype>")
ITEM = Resource("/cal/one.ics", '"1"', event("one"))


def item(href: str, etag: str | None = '"1"', kind: str = "text/calendar") -> str:
    """An item's response in a listing."""
    told = f"<D:getetag>{etag}</D:getetag>" if etag is not None else ""
    return response(href, f"{told}<D:resourcetype/><D:getcontenttype>{kind}</D:getcontenttype>")


def data(href: str, body: str, etag: str = '"1"') -> str:
    """An item's response in a multiget."""
    return response(href, f"<D:getetag>{etag}</D:getetag><C:calendar-data>{body}</C:calendar-data>")


ICS = Reply(200, event("one"), {"Content-Type": "text/calendar", "ETag": '"1"'})
GARBLED = Reply(200, "<multistatus", {"Content-Type": "text/xml"})

Open = Callable[..., tuple[CaldavTarget, Scripted]]


@pytest.fixture
def opened() -> Iterator[Open]:
    """Opens a target on a server that follows a script (or always gives one reply)."""
    contexts, targets = [], []

    def open_on(script: Script | Reply, **settings: Any) -> tuple[CaldavTarget, Scripted]:
        context = serve((lambda _: script) if isinstance(script, Reply) else script)
        scripted = context.__enter__()
        contexts.append(context)
        login = {"username": "alice", "password": Secret(PASSWORD), "sleep": lambda _seconds: None}
        targets.append(CaldavTarget(**{"url": scripted.url, "calendar": "/cal/", **login, **settings}))
        return targets[-1], scripted

    yield open_on
    for target in targets:
        target.close()
    for context in contexts:
        context.__exit__(None, None, None)


def by_method(**replies: Reply) -> Script:
    """A script that answers by method; whatever is not named is a 500."""
    return lambda asked: replies.get(asked.method, Reply(500))


# Writes


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("write", ["create", "update", "delete"])
def test_a_redirected_write_is_no_success_and_is_not_sent_again(opened: Open, status: int, write: str) -> None:
    target, scripted = opened(Reply(status, "", {"Location": "/login"}))
    with pytest.raises(UnreachableError, match="redirect"):
        written(target, write)
    assert len(scripted.asked) == 1


@pytest.mark.parametrize("write", ["create", "update", "delete"])
def test_a_login_page_as_the_answer_to_a_write_is_no_success(opened: Open, write: str) -> None:
    target, _ = opened(LOGIN_PAGE)
    with pytest.raises(UnreachableError, match="web page"):
        written(target, write)


def test_a_web_page_that_comes_with_201_is_a_success(opened: Open) -> None:
    """Apache says "201 Created" in HTML."""
    target, _ = opened(Reply(201, "<html>Created</html>", HTML))
    assert target.create("one.ics", event("one")) == Resource("/cal/one.ics", None, event("one"))


def written(target: CaldavTarget, write: str) -> object:
    """Do one write."""
    if write == "create":
        return target.create("one.ics", event("one"))
    if write == "update":
        return target.update(ITEM, event("one", "Other"))
    return target.delete(ITEM)


def test_conditions_are_sent_with_the_etag_exactly_as_it_came(opened: Open) -> None:
    target, scripted = opened(Reply(204))
    odd = Resource("/cal/one.ics", '"a-gzip;\\x"', event("one"))
    target.create("two.ics", event("two"))
    target.update(odd, event("one", "Other"))
    target.delete(odd)
    assert [asked.headers.get("if-none-match") for asked in scripted.asked] == ["*", None, None]
    assert [asked.headers.get("if-match") for asked in scripted.asked] == [None, odd.etag, odd.etag]


def test_what_is_sent_is_what_was_given(opened: Open) -> None:
    target, scripted = opened(Reply(201))
    target.create("one.ics", event("one", "Grüße"))
    (asked,) = scripted.asked
    assert asked.body == event("one", "Grüße")
    assert asked.headers["content-type"] == "text/calendar; charset=utf-8"
    assert asked.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(("told", "etag"), [(None, None), ("", None), ('"7"', '"7"'), ('W/"7"', 'W/"7"')])
def test_the_etag_after_a_write_is_what_the_server_tells(opened: Open, told: str | None, etag: str | None) -> None:
    target, _ = opened(Reply(204, "", {} if told is None else {"ETag": told}))
    assert target.update(ITEM, event("one", "Other")).etag == etag


@pytest.mark.parametrize("header", ["Location", "Content-Location"])
def test_mailbox_org_renames_a_new_item_and_its_word_counts(opened: Open, header: str) -> None:
    target, scripted = opened(lambda _: Reply(201, "", {header: f"{scripted.url}cal/renamed%40x.ics"}))
    assert target.create("one.ics", event("one")).href == "/cal/renamed%40x.ics"


def test_a_new_place_outside_the_calendar_is_not_believed(opened: Open) -> None:
    target, _ = opened(Reply(201, "", {"Location": "/elsewhere/one.ics"}))
    assert target.create("one.ics", event("one")).href == "/cal/one.ics"


@pytest.mark.parametrize("etag", ['W/"1"', None])
def test_without_a_strong_etag_the_item_is_read_and_the_fresh_one_used(opened: Open, etag: str | None) -> None:
    """GMX: weak on PUT, strong on GET."""
    text = {"Content-Type": "text/calendar", "ETag": '"9"'}
    target, scripted = opened(by_method(GET=Reply(200, event("one"), text), PUT=Reply(204), DELETE=Reply(204)))
    target.update(Resource("/cal/one.ics", etag, event("one")), event("one", "Other"))
    target.delete(Resource("/cal/one.ics", etag, event("one")))
    assert scripted.methods() == ["GET", "PUT", "GET", "DELETE"]
    assert [asked.headers.get("if-match") for asked in scripted.asked[1::2]] == ['"9"', '"9"']


def test_a_weak_etag_never_makes_a_blind_write(opened: Open) -> None:
    weak = Resource("/cal/one.ics", 'W/"1"', event("one"))
    text = {"Content-Type": "text/calendar", "ETag": 'W/"2"'}
    target, scripted = opened(by_method(GET=Reply(200, event("one", "Changed"), text), PUT=Reply(204)))
    with pytest.raises(ConflictError):
        target.update(weak, event("one", "Other"))
    with pytest.raises(ConflictError):
        target.delete(weak)
    scripted.script = by_method(GET=LOGIN_PAGE, PUT=Reply(204))
    with pytest.raises(ItemError, match="not touched"):
        target.update(weak, event("one", "Other"))
    assert set(scripted.methods()) == {"GET"}


def test_a_server_with_weak_etags_alone_can_still_be_written_to(opened: Open) -> None:
    text = {"Content-Type": "text/calendar", "ETag": 'W/"1"'}
    target, scripted = opened(by_method(GET=Reply(200, event("one"), text), PUT=Reply(204)))
    target.update(Resource("/cal/one.ics", 'W/"1"', event("one")), event("one", "Other"))
    assert "if-match" not in scripted.asked[-1].headers


# Refusals


def error(name: str, status: int = 403, namespace: str = "urn:ietf:params:xml:ns:caldav") -> Reply:
    """A refusal that says why (RFC 4918 16)."""
    return Reply(status, f'<D:error xmlns:D="DAV:"><X:{name} xmlns:X="{namespace}"/></D:error>')


@pytest.mark.parametrize(
    ("reply", "expected", "words"),
    [
        (Reply(412), ConflictError, "changed in the meantime"),
        (error("no-uid-conflict", 409), ConflictError, "no-uid-conflict"),
        (error("no-uid-conflict", 412), ConflictError, "no-uid-conflict"),
        (error("unique-scheduling-object-resource"), ConflictError, "unique-scheduling"),
        (error("max-resource-size"), ItemError, "larger than the server allows"),
        (error("supported-calendar-component"), ItemError, "takes no events"),
        (error("quota-not-exceeded", 507, "DAV:"), ItemError, "space on the server is used up"),
        (error("need-privileges", 403, "DAV:"), ItemError, "may not do that"),
        (Reply(403), ItemError, "read-only"),
        (Reply(507), ItemError, "used up"),
        (Reply(401), LoginError, "refuses the login"),
        (Reply(404), SyncFailedError, "is gone"),
    ],
)
def test_a_refused_create_says_why(opened: Open, reply: Reply, expected: type[CalsyncError], words: str) -> None:
    target, scripted = opened(reply)
    with pytest.raises(expected, match=words) as caught:
        target.create("one.ics", event("one"))
    assert type(caught.value) is expected
    assert PASSWORD not in str(caught.value)
    assert len(scripted.asked) == 1


def test_nextcloud_says_in_words_that_a_uid_is_taken_or_in_its_trash_bin(opened: Open) -> None:
    message = "<s:message>Deleted calendar object with uid already exists in this calendar collection.</s:message>"
    body = f'<d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns">{message}</d:error>'
    target, _ = opened(Reply(400, body))
    with pytest.raises(ConflictError, match="uid already exists"):
        target.create("one.ics", event("one"))


def test_the_daemon_is_told_how_long_to_stay_away(opened: Open) -> None:
    target, _ = opened(Reply(429, "", {"Retry-After": "300"}))
    with pytest.raises(UnreachableError) as caught:
        target.listing()
    assert caught.value.retry_after == 300


@pytest.mark.parametrize("status", [404, 410])
def test_an_update_or_delete_of_nothing_is_told_from_a_conflict(opened: Open, status: int) -> None:
    target, scripted = opened(Reply(status))
    for write in ("update", "delete"):
        with pytest.raises(MissingError):
            written(target, write)
    scripted.script = by_method(PUT=Reply(412), DELETE=Reply(412), GET=Reply(status))
    for write in ("update", "delete"):
        with pytest.raises(MissingError):
            written(target, write)
    scripted.script = by_method(PUT=Reply(412), DELETE=Reply(412), GET=LOGIN_PAGE)
    for write in ("update", "delete"):
        with pytest.raises(ConflictError):
            written(target, write)


# Listings


@pytest.mark.parametrize(
    "reply",
    [
        LOGIN_PAGE,
        Reply(207, "<html><p>", {"Content-Type": "text/xml"}),
        Reply(207, multistatus(CALENDAR, item("/cal/a.ics")).body[:-40]),
        Reply(207, multistatus(CALENDAR, item("/cal/a.ics")).body, cut=40),
        Reply(207, ""),
        Reply(207, "<D:other xmlns:D='DAV:'/>"),
        Reply(200, "", {"Content-Type": "text/calendar"}),
        Reply(500),
        Reply(302, "", {"Location": "/cal/"}),
        error("number-of-matches-within-limits"),
    ],
)
def test_a_listing_that_cannot_be_read_is_never_an_empty_one(opened: Open, reply: Reply) -> None:
    target, _ = opened(reply)
    with pytest.raises(UnreachableError):
        target.listing()


@pytest.mark.parametrize(
    "reply",
    [
        multistatus(),
        multistatus(item("/cal/a.ics")),
        multistatus(CALENDAR, "<D:response><D:status>HTTP/1.1 200 OK</D:status></D:response>"),
        multistatus(CALENDAR, "<D:response><D:href>/cal/</D:href><D:status>HTTP/1.1 507 Full</D:status></D:response>"),
        multistatus(CALENDAR, "<D:response><D:href>/cal/b.ics</D:href><D:status>nonsense</D:status></D:response>"),
        multistatus(
            CALENDAR, "<D:response><D:href>/cal/b.ics</D:href><D:status>HTTP/1.1 500 Oh</D:status></D:response>"
        ),
    ],
)
def test_a_listing_with_a_hole_is_not_whole(opened: Open, reply: Reply) -> None:
    target, _ = opened(by_method(REPORT=Reply(500), PROPFIND=reply))
    assert not target.listing().whole


def test_a_query_cut_short_by_the_server_is_not_whole(opened: Open) -> None:
    """RFC 6578 3.6, which Apple's server and others follow for queries too."""
    end = "<D:response><D:href>/cal/</D:href><D:status>HTTP/1.1 507 Full</D:status></D:response>"
    target, scripted = opened(multistatus(item("/cal/a.ics"), end))
    listing = target.listing()
    assert (dict(listing.etags), listing.whole) == ({"/cal/a.ics": '"1"'}, False)
    assert scripted.methods() == ["REPORT"]


@pytest.mark.parametrize("query", [multistatus(), Reply(403), Reply(501), LOGIN_PAGE, GARBLED])
def test_a_query_that_finds_nothing_is_not_taken_at_its_word(opened: Open, query: Reply) -> None:
    target, scripted = opened(by_method(REPORT=query, PROPFIND=multistatus(CALENDAR, item("/cal/a.ics"))))
    assert list(target.listing().etags) == ["/cal/a.ics"]
    scripted.script = by_method(REPORT=query, PROPFIND=LOGIN_PAGE)
    with pytest.raises(UnreachableError):
        target.listing()


def test_a_listing_has_the_events_alone(opened: Open) -> None:
    target, _ = opened(
        multistatus(
            CALENDAR,
            item("/cal/plain.ics"),
            item("http://inside:8080/cal/absolute.ics", 'W/"2"', "text/calendar; component=vevent"),
            item("/cal/no%20etag.ics", None),
            item("/cal/task.ics", '"3"', "text/calendar;charset=utf-8;component=VTODO"),
            item("/cal/card.vcf", '"4"', "text/vcard"),
            response("/cal/sub/", "<D:resourcetype><D:collection/></D:resourcetype>"),
            "<D:response><D:href>/cal/gone.ics</D:href><D:status>HTTP/1.1 404 Not Found</D:status></D:response>",
        )
    )
    listing = target.listing()
    assert dict(listing.etags) == {"/cal/plain.ics": '"1"', "/cal/absolute.ics": 'W/"2"', "/cal/no%20etag.ics": None}
    assert listing.whole


def test_a_read_follows_redirects_and_writes_go_there_too(opened: Open) -> None:
    def script(asked: Asked) -> Reply:
        if asked.path.startswith("/cal"):
            return Reply(301, "", {"Location": "/moved/"})
        if asked.method == "PUT":
            return Reply(201)
        return multistatus(item("/moved/a.ics"))

    target, scripted = opened(script)
    assert target.listing().whole
    assert target.create("one.ics", event("one")).href == "/moved/one.ics"
    assert scripted.methods() == ["REPORT", "REPORT", "PUT"]
    assert scripted.asked[1].body == scripted.asked[0].body
    assert target.requests == 3


def test_the_password_does_not_follow_a_redirect_to_another_place(opened: Open) -> None:
    with serve(lambda _: multistatus(CALENDAR)) as other:
        target, _ = opened(Reply(302, "", {"Location": f"{other.url}cal/"}))
        with pytest.raises(UnreachableError, match="does not get your password"):
            target.listing()
        assert other.asked == []


def test_a_refused_read_tells_the_login_from_the_rights(opened: Open) -> None:
    target, scripted = opened(Reply(401, "", {"WWW-Authenticate": "Basic realm=x"}))
    with pytest.raises(LoginError, match="user name and the password"):
        target.listing()
    scripted.script = lambda _: Reply(403)
    with pytest.raises(LoginError, match="May this user read it"):
        target.listing()


# Items


@pytest.mark.parametrize("multiget", [Reply(404), Reply(500), Reply(403), LOGIN_PAGE, multistatus(), Reply(207, "<")])
def test_where_a_multiget_fails_items_are_read_one_by_one(opened: Open, multiget: Reply) -> None:
    """Sabre 1.8 answers 404 for all where one href is missing."""

    def script(asked: Asked) -> Reply:
        if asked.method == "REPORT":
            return multiget
        return ICS if asked.path == "/cal/one.ics" else Reply(404)

    target, _ = opened(script)
    assert dict(target.fetch(["/cal/one.ics", "/cal/gone.ics"])) == {"/cal/one.ics": ITEM}


@pytest.mark.parametrize(
    "got",
    [
        LOGIN_PAGE,
        Reply(200, "", {"Content-Type": "text/calendar"}),
        Reply(200, event("one")[:200], {"Content-Type": "text/calendar"}),
        Reply(200, event("one", "\udcff"), {"Content-Type": "text/calendar"}),
        GARBLED,
        Reply(410),
        Reply(500),
        Reply(507),
    ],
)
def test_what_is_no_event_is_left_out(opened: Open, got: Reply) -> None:
    target, _ = opened(by_method(REPORT=Reply(500), GET=got))
    assert dict(target.fetch(["/cal/one.ics"])) == {}


def test_data_that_a_multiget_could_not_give_is_asked_for_again(opened: Open) -> None:
    broken = response("/cal/one.ics", "<C:calendar-data/>", "500 Oh")
    target, _ = opened(by_method(REPORT=multistatus(broken), GET=ICS))
    assert target.fetch(["/cal/one.ics"])["/cal/one.ics"] == ITEM


def test_an_item_is_known_by_its_path_however_the_server_spells_it(opened: Open) -> None:
    told = multistatus(data("http://inside/cal/a@b%2Ec.ics", event("one")))
    target, scripted = opened(by_method(REPORT=told))
    assert list(target.fetch(["/cal/a%40b.c.ics"])) == ["/cal/a%40b.c.ics"]
    assert "<D:href>/cal/a%40b.c.ics</D:href>" in scripted.asked[0].body


@pytest.mark.parametrize(
    ("reply", "gone"), [(Reply(404), True), (Reply(410), True), (LOGIN_PAGE, False), (GARBLED, False)]
)
def test_gone_is_only_what_the_server_says_is_gone(opened: Open, reply: Reply, *, gone: bool) -> None:
    target, _ = opened(reply)
    assert target.gone("/cal/one.ics") is gone


def test_an_answer_of_500_does_not_mean_gone(opened: Open) -> None:
    target, _ = opened(Reply(500))
    assert not target.gone("/cal/one.ics")


# Connections


def test_a_server_that_says_nothing_is_given_up_after_the_timeout(opened: Open) -> None:
    target, scripted = opened(Reply(silent=True), timeout=0.2)
    with pytest.raises(UnreachableError, match=r"no answer within 0\.2 seconds"):
        target.listing()
    assert len(scripted.asked) == 1


def test_a_name_that_dns_does_not_know_is_told() -> None:
    target = CaldavTarget(url="https://calsync.invalid/", username="alice", password=Secret(PASSWORD))
    with pytest.raises(UnreachableError, match=r"calsync\.invalid"):
        target.listing()
    target.close()


def test_tls_with_a_server_that_speaks_none_is_told(opened: Open) -> None:
    _, scripted = opened(Reply(200))
    target = CaldavTarget(url=scripted.url.replace("http:", "https:"), username="alice", password=Secret(PASSWORD))
    with pytest.raises(UnreachableError, match="No TLS connection"):
        target.listing()
    target.close()


@pytest.mark.parametrize(
    "url",
    ["http://dav.example.org/", "http://127.0.0.1.example.org/", "http://localhost.example.org/", "http://10.0.0.1/"],
)
def test_a_password_never_goes_out_in_clear_text(url: str) -> None:
    for settings in ({"url": url}, {"url": "https://dav.example.org/", "calendar": f"{url}cal/"}):
        with pytest.raises(ConfigError, match="in clear text"):
            CaldavTarget(username="alice", password=Secret(PASSWORD), **settings)


@pytest.mark.parametrize(
    "url", ["dav://dav.example.org", "ftp://dav.example.org/", "https://", "https://[", "https://a:x/"]
)
def test_what_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="no web address"):
        CaldavTarget(url=url)


def test_a_url_with_a_password_in_it_is_refused_and_not_shown() -> None:
    with pytest.raises(ConfigError) as caught:
        CaldavTarget(url=f"https://alice:{PASSWORD}@dav.example.org/")
    assert PASSWORD not in str(caught.value)


def test_netrc_and_debug_variables_of_the_library_change_nothing(
    opened: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login bob password from-netrc\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    target, scripted = opened(multistatus(CALENDAR), username=None, password=None)
    target.listing()
    assert "authorization" not in scripted.asked[0].headers


def test_a_proxy_is_not_asked_for_loopback(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    target, _ = opened(multistatus(CALENDAR))
    assert target.listing().whole


@pytest.mark.parametrize(("auth", "expected"), [("bearer", f"Bearer {PASSWORD}"), ("basic", "Basic YWxpY2U6")])
def test_the_login_goes_with_the_first_request(opened: Open, auth: str, expected: str) -> None:
    target, scripted = opened(multistatus(item("/cal/a.ics")), auth=auth)
    target.listing()
    assert scripted.asked[0].headers["authorization"].startswith(expected)
    assert len(scripted.asked) == 1


def test_a_digest_challenge_is_answered_and_both_requests_are_counted(opened: Open) -> None:
    challenge = Reply(401, "", {"WWW-Authenticate": 'Digest realm="x", nonce="1", qop="auth", algorithm=MD5'})
    target, scripted = opened(
        lambda asked: multistatus(item("/cal/a.ics")) if "authorization" in asked.headers else challenge, auth="digest"
    )
    assert target.listing().whole
    assert scripted.asked[1].headers["authorization"].startswith('Digest username="alice"')
    assert target.requests == 2


# Finding the calendar


def discovery(asked: Asked) -> Reply:
    """A server whose calendars are at a home that a principal names; none can be made."""
    answers = {
        "/.well-known/caldav": Reply(301, "", {"Location": "/dav/"}),
        "/dav/": multistatus(
            response("/dav/", "<D:current-user-principal><D:href>/p/a@b/</D:href></D:current-user-principal>")
        ),
        "/p/a@b/": multistatus(
            response("/p/a@b/", "<C:calendar-home-set><D:href>/home/</D:href></C:calendar-home-set>")
        ),
        "/home/": multistatus(
            response("/home/", "<D:resourcetype><D:collection/></D:resourcetype>"),
            calendar("/home/one/", "Jobs"),
            calendar("/home/two/", "Tasks", "VTODO"),
        ),
    }
    if asked.method == "MKCALENDAR":
        return error("calendar-collection-location-ok")
    return answers.get(asked.path, Reply(404))


def calendar(href: str, name: str, component: str = "VEVENT") -> str:
    """A calendar's response in its home."""
    return response(
        href,
        f"<D:resourcetype><D:collection/><C:calendar/></D:resourcetype><D:displayname>{name}</D:displayname>"
        f'<C:supported-calendar-component-set><C:comp name="{component}"/></C:supported-calendar-component-set>',
    )


def test_the_way_leads_over_the_well_known_address(opened: Open) -> None:
    target, scripted = opened(discovery, calendar="Jobs")
    target.fetch([])
    assert target.where == f"{scripted.url}home/one/"
    assert target.requests == len(scripted.asked) == 5


def test_a_calendar_that_cannot_be_made_is_an_error_that_names_the_others(opened: Open) -> None:
    target, _ = opened(discovery, calendar="Tasks")
    with pytest.raises(SyncFailedError, match=r"Make it in your calendar app.*Jobs"):
        target.listing()


@pytest.mark.parametrize("reply", [Reply(404), Reply(405), LOGIN_PAGE, multistatus(), multistatus(response("/", ""))])
def test_what_is_no_caldav_server_is_told(opened: Open, reply: Reply) -> None:
    target, _ = opened(reply, calendar="Jobs")
    with pytest.raises(UnreachableError):
        target.listing()


def test_icloud_keeps_its_calendars_on_a_sister_host() -> None:
    from calsync.targets.davurl import allowed  # one fact, no room of its own

    home = "https://caldav.icloud.com/"
    assert allowed(home, "https://p42-caldav.icloud.com:443/1/calendars/")
    for other in ("https://caldav.icloud.com.evil.example/", "https://example.com/", "http://p42-caldav.icloud.com/"):
        with pytest.raises(UnreachableError):
            allowed(home, other)


def test_a_calendar_that_vanishes_in_the_middle_is_not_made_anew(opened: Open) -> None:
    target, scripted = opened(multistatus(CALENDAR))
    target.listing()
    scripted.script = lambda _: Reply(404)
    with pytest.raises(SyncFailedError, match="is gone"):
        target.listing()
    assert "MKCALENDAR" not in scripted.methods()
