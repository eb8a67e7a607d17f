"""The feed keeps the promises of a target, and writes its file at once, only when needed, and only if it is ours."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

import icalendar
import pytest

from calsync.errors import GuardError, SyncFailedError
from calsync.targets.base import ItemError
from calsync.targets.feed import PRODID, FeedTarget
from tests.targets.contract import Place, TargetContract, event


class InFile:
    """A feed, and another program that edits its file between two runs."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.target = FeedTarget(path=path)

    def put(self, name: str, body: str) -> str:
        uid = name.removesuffix(".ics")
        block = body[body.index("BEGIN:VEVENT") : body.index("END:VCALENDAR")]
        self.edit(lambda events: events | {uid: block})
        return uid

    def remove(self, href: str) -> None:
        self.edit(lambda events: {uid: text for uid, text in events.items() if uid != href})

    def items(self) -> Mapping[str, str]:
        self.target.commit()
        blocks = re.findall(r"BEGIN:VEVENT\r\n.*?END:VEVENT\r\n", self.path.read_bytes().decode(), re.DOTALL)
        return {re.findall(r"\nUID:(.*)\r", block)[0]: block for block in blocks}

    def edit(self, change) -> None:  # a function on the file's events
        events = change(dict(self.items()))
        head = self.path.read_bytes().decode().partition("BEGIN:VEVENT")[0].removesuffix("END:VCALENDAR\r\n")
        self.path.write_bytes(f"{head}{''.join(events.values())}END:VCALENDAR\r\n".encode())
        self.target = FeedTarget(path=self.path)


class TestFeed(TargetContract):
    requests_of_a_listing = 0

    @pytest.fixture
    def place(self, tmp_path: Path) -> Place:
        return InFile(tmp_path / "follow-ups.ics")


def written(path: Path, *uids: str) -> FeedTarget:
    """A feed with these events, written."""
    target = FeedTarget(path=path)
    for uid in uids:
        target.create(f"{uid}.ics", event(uid))
    target.commit()
    return target


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "feed.ics"


def test_the_calendar_has_what_subscribers_read(path: Path) -> None:
    target = FeedTarget(path=path, title="Jobs, calls; ü" + "x" * 80)
    target.create("one.ics", event("one"))
    target.commit()
    calendar = icalendar.Calendar.from_ical(path.read_bytes())
    assert calendar["PRODID"] == PRODID
    assert calendar["METHOD"] == "PUBLISH"
    assert calendar["NAME"] == calendar["X-WR-CALNAME"] == r"Jobs\, calls\; ü" + "x" * 80
    assert calendar["X-PUBLISHED-TTL"] == "PT1H"
    assert b"REFRESH-INTERVAL;VALUE=DURATION:PT1H\r\n" in path.read_bytes()
    assert b"CALSCALE:GREGORIAN\r\n" in path.read_bytes()
    assert [str(found["UID"]) for found in calendar.walk("VEVENT")] == ["one"]
    assert all(len(line) <= 75 for line in path.read_bytes().split(b"\r\n"))
    assert b"\n" not in path.read_bytes().replace(b"\r\n", b"")


def test_the_same_events_give_the_same_bytes_in_any_order(tmp_path: Path) -> None:
    written(tmp_path / "a.ics", "one", "two", "three")
    written(tmp_path / "b.ics", "three", "one", "two")
    assert (tmp_path / "a.ics").read_bytes() == (tmp_path / "b.ics").read_bytes()


def test_events_stand_in_the_order_of_their_days(path: Path) -> None:
    target = FeedTarget(path=path)
    target.create("a.ics", event("a").replace("20261130", "20261215"))
    target.create("b.ics", event("b"))
    target.commit()
    assert re.findall(r"\nUID:(\w)\r", path.read_bytes().decode()) == ["b", "a"]


def test_a_zone_is_written_once_and_comes_with_the_event(path: Path) -> None:
    zone = "BEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\nEND:VTIMEZONE\r\n"
    target = FeedTarget(path=path)
    for uid in ("one", "two"):
        body = event(uid).replace("DTSTART;VALUE=DATE:20261130", "DTSTART;TZID=Europe/Berlin:20261130T093000")
        target.create(f"{uid}.ics", body.replace("BEGIN:VEVENT", f"{zone}BEGIN:VEVENT"))
    target.create("plain.ics", event("plain"))
    target.commit()
    again = FeedTarget(path=path)
    assert path.read_bytes().decode().count(zone) == 1
    assert zone in again.fetch(["one"])["one"].body
    assert zone not in again.fetch(["plain"])["plain"].body
    for uid in ("one", "two"):
        again.delete(again.fetch([uid])[uid])
    again.commit()
    assert "VTIMEZONE" not in path.read_bytes().decode()


def test_a_token_stands_for_the_file_as_it_is(path: Path) -> None:
    token = written(path, "one").token()
    assert token is not None
    changes = FeedTarget(path=path).changes(token)
    assert changes is not None
    assert (dict(changes.etags), changes.gone, changes.token) == ({}, frozenset(), token)
    path.write_bytes(path.read_bytes().replace(b"DTSTART", b"X-DTSTART"))
    assert FeedTarget(path=path).changes(token) is None


def test_what_was_written_since_a_token_is_read_anew(path: Path) -> None:
    target = written(path, "one")
    token = target.token() or ""
    target.create("two.ics", event("two"))
    assert target.changes(token) is not None, "nothing is written before commit"
    target.commit()
    assert target.changes(token) is None


@pytest.mark.parametrize("left", [None, b"", b"BEGIN:VCALENDAR\r\nPRODID:-//calsync//feed//EN\r\nBEGIN:VEVENT\r\n"])
def test_a_file_that_is_missing_or_cut_off_has_no_token(path: Path, left: bytes | None) -> None:
    if left is not None:
        path.write_bytes(left)
    assert FeedTarget(path=path).token() is None
    assert FeedTarget(path=path).changes("") is None


def test_an_unchanged_feed_is_not_touched(path: Path) -> None:
    written(path, "one")
    before = path.stat()
    again = FeedTarget(path=path)
    item = again.fetch(["one"])["one"]
    again.update(item, event("one", "Other"))
    again.update(again.fetch(["one"])["one"], event("one"))
    again.commit()
    after = path.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_nothing_is_written_before_commit(path: Path) -> None:
    FeedTarget(path=path).create("one.ics", event("one"))
    assert not path.exists()


def test_a_feed_without_events_is_written_all_the_same(path: Path) -> None:
    written(path)
    assert dict(FeedTarget(path=path).listing().etags) == {}
    assert path.read_bytes().endswith(b"END:VCALENDAR\r\n")


def test_no_temporary_file_stays_behind(path: Path) -> None:
    written(path, "one")
    assert [entry.name for entry in path.parent.iterdir()] == ["feed.ics"]


def test_a_new_file_can_be_read_by_all_and_an_old_one_keeps_its_mode(path: Path) -> None:
    target = written(path, "one")
    assert path.stat().st_mode & 0o777 == 0o644
    path.chmod(0o600)
    target.create("two.ics", event("two"))
    target.commit()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_link_stays_a_link_and_its_target_is_written(path: Path, tmp_path: Path) -> None:
    (tmp_path / "public").mkdir()
    real = tmp_path / "public" / "real.ics"
    path.symlink_to(real)
    written(path, "one")
    assert path.is_symlink()
    assert b"UID:one" in real.read_bytes()


@pytest.mark.parametrize(
    "text",
    [
        "shopping list\n",
        event("foreign"),
        event("foreign").replace("-//calsync//EN", "-//Mozilla.org//EN"),
        "<html></html>",
        "\xff\xfe",
    ],
)
def test_a_file_of_somebody_else_is_refused_and_kept(path: Path, text: str) -> None:
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(GuardError, match="another file"):
        FeedTarget(path=path).listing()
    with pytest.raises(GuardError):
        FeedTarget(path=path).commit()
    assert path.read_bytes() == text.encode("latin-1")


def test_a_file_without_a_byte_is_nobodys(path: Path) -> None:
    path.touch()
    written(path, "one")
    assert list(FeedTarget(path=path).listing().etags) == ["one"]


def test_a_feed_cut_short_is_no_whole_listing(path: Path) -> None:
    written(path, "one", "two")
    path.write_bytes(path.read_bytes()[:-100])
    target = FeedTarget(path=path)
    assert not target.listing().whole
    assert not target.gone("two")


def test_a_file_that_another_program_wrote_meanwhile_is_not_overwritten(path: Path) -> None:
    target = written(path, "one")
    target.create("two.ics", event("two"))
    written(path, "three")
    before = path.read_bytes()
    with pytest.raises(SyncFailedError, match="at the same time"):
        target.commit()
    assert path.read_bytes() == before


def test_a_missing_folder_and_a_folder_as_file_are_told_plainly(tmp_path: Path) -> None:
    with pytest.raises(SyncFailedError, match="No such file or directory"):
        written(tmp_path / "nowhere" / "feed.ics")
    with pytest.raises(SyncFailedError, match="Is a directory"):
        FeedTarget(path=tmp_path).listing()


def test_a_body_without_exactly_one_event_is_refused(path: Path) -> None:
    target = FeedTarget(path=path)
    with pytest.raises(ItemError):
        target.create("none.ics", "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n")
    target.create("one.ics", event("one"))
    with pytest.raises(ItemError, match="UID"):
        target.update(target.fetch(["one"])["one"], event("two"))


def test_a_failed_write_leaves_the_old_feed_and_no_rubbish(path: Path) -> None:
    target = written(path, "one")
    target.create("two.ics", event("two"))
    before = path.read_bytes()
    limit = os.path.getsize(path)  # noqa: PTH202  # a number is what setrlimit takes
    import resource  # not on every system, and needed here alone
    import signal  # as above

    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, old[1]))
    try:
        with pytest.raises(SyncFailedError, match="File too large"):
            target.commit()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == ["feed.ics"]
