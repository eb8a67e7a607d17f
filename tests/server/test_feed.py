"""The feed over HTTP: what subscribers get, what others do not, and what happens when something behind it breaks."""

from __future__ import annotations

import gzip
import logging
import os
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path

import icalendar
import pytest

from calsync.errors import CalsyncError, ConfigError, UnreachableError
from calsync.feedsettings import FeedSettings
from calsync.server import subscribers
from calsync.server.feed import links, serve
from calsync.server.listening import Listener
from calsync.targets.feed import FeedTarget
from tests.server.asking import Answer, ask, get
from tests.servers import free_port
from tests.targets.contract import event


class Feed:
    """A feed that is served, and its parts."""

    def __init__(self, folder: Path) -> None:
        self.words = folder / "words"
        self.settings = FeedSettings(path=folder / "f.ics", listen=f"127.0.0.1:{free_port()}")

    @property
    def url(self) -> str:
        return links(self.settings, self.words)[0].url

    @property
    def word(self) -> str:
        return self.url.split("/")[3]

    @property
    def base(self) -> str:
        return f"http://{self.settings.listen}/"

    def write(self, *names: str) -> None:
        target = FeedTarget(path=self.settings.path)
        for name in names:
            target.create(f"{name}.ics", event(name))
        target.commit()

    def spoil(self, data: bytes) -> None:
        """Another program writes over the file."""
        self.settings.path.write_bytes(data)


@pytest.fixture
def feed(tmp_path: Path) -> Iterator[Feed]:
    one = Feed(tmp_path)
    one.write("one")
    with serve(one.settings, one.words):
        yield one


def uids(answer: Answer) -> list[str]:
    body = gzip.decompress(answer.body) if answer.headers.get("content-encoding") == "gzip" else answer.body
    return sorted(str(each["UID"]) for each in icalendar.Calendar.from_ical(body.decode()).walk("VEVENT"))


# ------------------------------------------------------------------------------------ what is sent


def test_it_is_a_calendar_with_the_headers_of_the_docs(feed: Feed) -> None:
    answer = get(feed.url)
    assert answer.status == 200
    assert uids(answer) == ["one"]
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert answer.headers["cache-control"] == "private"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-robots-tag"] == "noindex"
    assert answer.headers["vary"] == "Accept-Encoding"
    assert re.fullmatch(r'"[^"]+"', answer.headers["etag"]), "a strong entity tag"
    assert parsedate_to_datetime(answer.headers["last-modified"]) <= parsedate_to_datetime(answer.headers["date"])
    assert int(answer.headers["content-length"]) == len(answer.body)


def test_the_address_ends_in_ics_and_has_128_bits_or_more(feed: Feed) -> None:
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/[a-z0-9]{27}/follow-ups\.ics", feed.url)
    assert 31**27 > 2**128


def test_it_is_the_file_and_its_own_address(feed: Feed) -> None:
    lines = get(feed.url).body.replace(b"\r\n ", b"").splitlines(keepends=True)
    source = [line for line in lines if line.startswith(b"SOURCE")]
    assert source == [f"SOURCE;VALUE=URI:{feed.url}\r\n".encode()]
    rest = b"".join(line for line in lines if line not in source)
    assert rest == feed.settings.path.read_bytes().replace(b"\r\n ", b"")
    assert max(map(len, get(feed.url).body.split(b"\r\n"))) <= 75
    assert feed.word.encode() not in feed.settings.path.read_bytes()


def test_a_public_url_is_in_the_links_and_in_the_feed(tmp_path: Path) -> None:
    listen = f"127.0.0.1:{free_port()}"
    settings = FeedSettings(path=tmp_path / "f.ics", listen=listen, public_url="https://me.example.org/c/")
    FeedTarget(path=settings.path).commit()
    with serve(settings, tmp_path / "words"):
        link = links(settings, tmp_path / "words")[0]
        assert link.url.startswith("https://me.example.org/c/")
        assert link.webcal == link.url.replace("https://", "webcal://")
        body = get(link.url.replace("https://me.example.org/c/", f"http://{listen}/")).body
        assert f"SOURCE;VALUE=URI:{link.url}".encode() in body.replace(b"\r\n ", b"")


def test_head_is_get_without_the_body(feed: Feed) -> None:
    whole, head = get(feed.url), get(feed.url, "HEAD")
    assert (head.status, head.body) == (200, b"")
    assert {**head.headers, "date": ""} == {**whole.headers, "date": ""}


@pytest.mark.parametrize(
    ("accepted", "zipped"),
    [
        ("gzip, deflate, br", True),
        ("GZIP;q=0.5", True),
        ("x-gzip", True),
        ("*", True),
        ("*;q=0, gzip", True),
        ("gzip;q=0, *", False),
        ("gzip; q=0.000", False),
        ("br", False),
        ("identity", False),
        ("", False),
    ],
)
def test_gzip_goes_to_those_who_take_it_under_a_tag_of_its_own(feed: Feed, accepted: str, zipped: bool) -> None:
    plain, answer = get(feed.url), get(feed.url, Accept_Encoding=accepted)
    assert (answer.headers.get("content-encoding") == "gzip") == zipped
    assert (answer.headers["etag"] != plain.headers["etag"]) == zipped
    assert uids(answer) == ["one"]
    assert answer.headers["vary"] == "Accept-Encoding"


def test_no_accept_header_is_asked_for(feed: Feed) -> None:
    for accept in ("text/html", "image/png", "*/*;q=0"):
        assert get(feed.url, Accept=accept).status == 200


def test_the_same_file_gives_the_same_answer_after_a_restart(feed: Feed, tmp_path: Path) -> None:
    before = get(feed.url, Accept_Encoding="gzip")
    other = Feed(tmp_path)
    other.settings = FeedSettings(path=feed.settings.path, listen=other.settings.listen, public_url=feed.base)
    with serve(other.settings, feed.words):
        after = get(feed.url.replace(feed.base, other.base), Accept_Encoding="gzip")
    assert (after.headers["etag"], after.body) == (before.headers["etag"], before.body)
    assert after.headers["last-modified"] == before.headers["last-modified"]


# ------------------------------------------------------------------------------- what they have already


def test_who_has_this_copy_is_told_so_without_it(feed: Feed) -> None:
    for coding in ("identity", "gzip"):
        first = get(feed.url, Accept_Encoding=coding)
        for known in ({"If_None_Match": first.headers["etag"]}, {"If_Modified_Since": first.headers["last-modified"]}):
            for method in ("GET", "HEAD"):
                again = get(feed.url, method, Accept_Encoding=coding, **known)
                assert (again.status, again.body) == (304, b"")
                kept = {name: first.headers[name] for name in ("etag", "cache-control", "vary")}
                assert {**again.headers, **kept} == again.headers
                assert again.headers.keys() - kept.keys() <= {"date", "connection"}


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ("{}", 304),
        ("W/{}", 304),
        ('"other", {}', 304),
        ('"a,b" , W/{},', 304),
        ("*", 304),
        ('"other"', 200),
        ("", 200),
        ("nonsense", 200),
    ],
)
def test_if_none_match_in_its_forms(feed: Feed, form: str, status: int) -> None:
    etag = get(feed.url).headers["etag"]
    assert get(feed.url, If_None_Match=form.format(etag)).status == status


def test_the_tag_of_the_plain_text_is_not_that_of_the_zipped(feed: Feed) -> None:
    etag = get(feed.url).headers["etag"]
    assert get(feed.url, If_None_Match=etag, Accept_Encoding="gzip").status == 200


def test_if_none_match_beats_if_modified_since(feed: Feed) -> None:
    first = get(feed.url)
    ahead = format_datetime(datetime.now(UTC) + timedelta(days=1), usegmt=True)
    long_ago = "Mon, 01 Jan 2001 00:00:00 GMT"
    assert get(feed.url, If_None_Match='"other"', If_Modified_Since=ahead).status == 200
    assert get(feed.url, If_None_Match=first.headers["etag"], If_Modified_Since=long_ago).status == 304


@pytest.mark.parametrize("since", ["yesterday", "", "2026-11-23", "Mon, 99 Nov 2026 00:00:00 GMT", "0", "9" * 400])
def test_a_date_that_is_none_is_passed_over(feed: Feed, since: str) -> None:
    assert get(feed.url, If_Modified_Since=since).status == 200


def test_old_forms_of_dates_are_understood(feed: Feed) -> None:
    """RFC 9110 5.6.7."""
    modified = parsedate_to_datetime(get(feed.url).headers["last-modified"])
    for form in ("%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y"):
        assert get(feed.url, If_Modified_Since=modified.strftime(form)).status == 304


def test_a_new_copy_is_served_at_once_and_has_another_tag_and_a_later_date(feed: Feed) -> None:
    first = get(feed.url)
    feed.write("two")
    second = get(feed.url, If_None_Match=first.headers["etag"])
    assert uids(second) == ["one", "two"]
    assert second.headers["etag"] != first.headers["etag"]
    assert get(feed.url, If_Modified_Since=first.headers["last-modified"]).status == 200, "also within one second"
    before, after = (parsedate_to_datetime(each.headers["last-modified"]) for each in (first, second))
    assert after > before


def test_no_date_lies_ahead(tmp_path: Path) -> None:
    one = Feed(tmp_path)
    one.write("one")
    os.utime(one.settings.path, (time.time() + 86400, time.time() + 86400))
    with serve(one.settings, one.words):
        answer = get(one.url)
    assert parsedate_to_datetime(answer.headers["last-modified"]) <= parsedate_to_datetime(answer.headers["date"])


def test_a_file_that_is_only_touched_is_no_new_copy(feed: Feed) -> None:
    first = get(feed.url)
    os.utime(feed.settings.path, (2_000_000_000, 2_000_000_000))
    again = get(feed.url, If_Modified_Since=first.headers["last-modified"])
    assert again.status == 304
    assert again.headers["etag"] == first.headers["etag"]


# --------------------------------------------------------------------------------------- who may read


def test_everything_else_is_not_found_in_the_same_words(feed: Feed) -> None:
    paths = [
        "/",
        "/follow-ups.ics",
        f"/{feed.word}",
        f"/{feed.word}/",
        f"/{feed.word}/other.ics",
        f"/{feed.word[:-1]}/follow-ups.ics",
        f"/{'a' * 27}/follow-ups.ics",
        f"/{feed.word.upper()}/follow-ups.ics",
        f"/{feed.word}/../{feed.word}/follow-ups.ics",
        f"//{feed.word}/follow-ups.ics",
        f"/{feed.word}//follow-ups.ics",
        f"/{feed.word}/%66ollow-ups.ics",
        f"/%2e%2e/{feed.word}/follow-ups.ics",
        f"/{feed.word}/follow-ups.ics/",
        f"/{feed.word}/follow-ups.ics%00",
        f"/{feed.word}/follow-ups.ics%0a",
        "/../../../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/robots.txt/",
        "/" + "a" * 8000,
    ]
    said = [get(feed.base.rstrip("/") + path) for path in paths]
    assert {answer.status for answer in said} <= {404}
    assert {answer.body for answer in said} == {b"Not found.\n"}
    assert {answer.headers["x-robots-tag"] for answer in said} == {"noindex"}
    headers = [{name: value for name, value in answer.headers.items() if name != "date"} for answer in said]
    assert all(each == headers[0] for each in headers)


def test_a_path_may_be_a_whole_url_and_have_a_query(feed: Feed) -> None:
    path = feed.url.removeprefix(feed.base.rstrip("/"))
    for target in (feed.url, f"https://elsewhere.example{path}", f"{path}?nocache=1"):
        answer = ask(feed.url, f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        assert answer is not None
        assert answer.status == 200


def test_only_reading_is_allowed(feed: Feed) -> None:
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "PROPFIND", "PATCH", "TRACE", "get"):
        answer = get(feed.url, method, body=b"a=b" if method in ("POST", "PUT") else b"")
        assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")
        assert get(f"{feed.base}elsewhere", method).status == 404
    assert uids(get(feed.url)) == ["one"]


def test_robots_may_fetch_it_since_google_asks_first(feed: Feed) -> None:
    answer = get(f"{feed.base}robots.txt")
    assert (answer.status, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert answer.body == b"User-agent: *\nAllow: /\n"
    assert get(f"{feed.base}robots.txt", "HEAD").body == b""
    assert get(f"{feed.base}robots.txt", "POST").status == 405


def test_a_revoked_address_is_gone_at_once_and_the_new_one_works(feed: Feed) -> None:
    old = feed.url
    assert get(old).status == 200
    subscribers.new_word(feed.words, subscribers.DEFAULT, renew=True)
    for method in ("GET", "HEAD", "POST"):
        assert get(old, method).status == 410
    assert b"BEGIN" not in get(old).body
    assert uids(get(feed.url)) == ["one"]
    assert feed.url != old


def test_each_subscriber_has_an_address_and_a_feed_that_tells_it(feed: Feed) -> None:
    first = feed.url
    subscribers.new_word(feed.words, "phone", renew=False)
    phone = next(link.url for link in links(feed.settings, feed.words) if link.name == "phone")
    assert phone != first
    for url in (first, phone):
        assert f"SOURCE;VALUE=URI:{url}".encode() in get(url).body.replace(b"\r\n ", b"")
    subscribers.new_word(feed.words, "phone", renew=True)
    assert (get(phone).status, get(first).status) == (410, 200)


def test_an_address_from_before_the_words_were_lost_is_not_found(feed: Feed) -> None:
    old = feed.url
    (feed.words / "subscribers.json").unlink()
    assert get(old).status == 404
    assert get(feed.url).status == 200
    assert get(old).status == 404


def test_words_that_cannot_be_read_leave_things_as_they_were(feed: Feed) -> None:
    assert get(feed.url).status == 200
    url = feed.url
    (feed.words / "subscribers.json").write_text("{")
    assert get(url).status == 200
    with pytest.raises(CalsyncError, match="damaged"):
        links(feed.settings, feed.words)


def test_no_log_has_the_secret(feed: Feed, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    caplog.set_level(logging.DEBUG)
    path = f"/{feed.word}/follow-ups.ics"
    old = feed.word
    get(feed.url)
    get(feed.url, "POST", body=b"x")
    for raw in (
        f"GET /x HTTP/1.1 {path}\r\n\r\n",
        f"GET  {path}\r\n\r\n",
        f"GET / {path}\r\n\r\n",
        f"GET {path} HTTP/1.1\r\nHost: x\r\n{path}\r\n\r\n",
        f"GET {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {path}\r\n\r\n",
        f"GET {path} HTTP/1.1\r\n\r\n",
    ):
        ask(feed.url, raw.encode())
    subscribers.new_word(feed.words, subscribers.DEFAULT, renew=True)
    get(f"{feed.base}{old}/follow-ups.ics")
    out = capfd.readouterr()
    for text in (caplog.text, out.out, out.err):
        assert old not in text
        assert feed.word not in text


# --------------------------------------------------------------------------------- what breaks behind it


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(path.read_bytes()[:-10]),
        lambda path: path.write_bytes(path.read_bytes().replace(b"BEGIN:VCALENDAR", b"BEGIN:VCARD")),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"\xff" * 100),
        lambda path: path.write_bytes(b"BEGIN:VCALENDAR\r\nPRODID:somebody else\r\nEND:VCALENDAR\r\n"),
        lambda path: (path.unlink(), path.mkdir()),
        lambda path: (path.unlink(), os.mkfifo(path)),
        lambda path: (path.unlink(), path.symlink_to(path)),
        lambda path: os.truncate(path, 17_000_000),
    ],
    ids=["gone", "half", "vcard", "empty", "bytes", "foreign", "folder", "pipe", "loop", "huge"],
)
def test_the_last_good_copy_goes_on_being_served(feed: Feed, spoil) -> None:  # a function on the path
    good = get(feed.url)
    spoil(feed.settings.path)
    for _ in range(2):
        now = get(feed.url)
        assert (now.status, now.body, now.headers["etag"]) == (200, good.body, good.headers["etag"])
        assert get(feed.url, If_None_Match=good.headers["etag"]).status == 304


def test_a_file_that_is_whole_again_is_served(feed: Feed) -> None:
    get(feed.url)
    whole = feed.settings.path.read_bytes()
    feed.spoil(whole[:50])
    assert uids(get(feed.url)) == ["one"]
    feed.spoil(whole.replace(b"UID:one", b"UID:two"))
    assert uids(get(feed.url)) == ["two"]


def test_before_there_is_a_feed_subscribers_are_asked_to_come_back(tmp_path: Path) -> None:
    one = Feed(tmp_path)
    with serve(one.settings, one.words):
        early = get(one.url)
        assert early.status == 503
        assert int(early.headers["retry-after"]) > 0
        one.write("one")
        assert get(one.url).status == 200


# ------------------------------------------------------------------------------------------ serving it


def test_it_serves_while_the_block_runs_and_no_longer(tmp_path: Path) -> None:
    one = Feed(tmp_path)
    one.write("one")
    with serve(one.settings, one.words) as base:
        assert base == one.base
        assert get(one.url).status == 200
    with pytest.raises(ConnectionRefusedError):
        get(one.url)


def test_a_port_that_is_taken_is_told(feed: Feed) -> None:
    with pytest.raises(UnreachableError, match=re.escape(feed.settings.listen or "")), serve(feed.settings, feed.words):
        pass


def test_a_feed_that_is_not_served_has_no_address(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="listen"):
        links(FeedSettings(path=tmp_path / "f.ics"), tmp_path)


def test_a_listener_that_runs_already_is_used(tmp_path: Path) -> None:
    one, two = Feed(tmp_path / "1"), Feed(tmp_path / "2")
    for each in (one, two):
        each.settings.path.parent.mkdir()
        each.write("one")
    with Listener() as listener, serve(one.settings, one.words, listener):
        with serve(two.settings, two.words, listener):
            assert get(one.url).status == get(two.url).status == 200
        assert get(one.url).status == 200
        with pytest.raises(ConnectionRefusedError):
            get(two.url)
