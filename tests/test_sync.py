"""The promises of a sync, as one class of tests: in memory, on Radicale and on Xandikos (see `tests/servers.py`)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest

from calsync import book, config, sync
from calsync.errors import BusyError, ConfigError, LoginError, UnreachableError
from calsync.plan import Action
from calsync.state import opened
from calsync.targets import TARGETS
from calsync.targets.memory import MemoryTarget
from calsync.uids import uids
from tests.samples import JOURNAL, REJECTED
from tests.servers import Server

TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)

HEARD = JOURNAL.replace("interview: 2026-11-19", "interview: 2026-11-19\n        timeline: 2026-11-30")
TOUCHED = JOURNAL.replace("applied: 2026-11-18", "applied: 2026-11-18\n      - contacted: 2026-11-23")

MANY = "applications:\n" + "".join(
    f"""\
  - company: Company {number}
    contact: {{phone: +1 312 555 010{number}}}
    events: [applied: 2026-11-18]
"""
    for number in range(8)
)

FOREIGN = "\r\n".join(
    [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//someone//else//EN",
        "BEGIN:VEVENT",
        "UID:dentist-1",
        "DTSTAMP:20261101T080000Z",
        "DTSTART:20261124T090000Z",
        "DTEND:20261124T093000Z",
        "SUMMARY:Dentist",
        "X-CALSYNC:v1;another;acme/check-in/1.1;1",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]
)


class World:
    """A user's folder and a calendar; subclasses say which."""

    login_requests = 0
    more = ""
    """What else is in the config."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.write(JOURNAL)

    def write(self, journal: str) -> None:
        """Save the journal."""
        (self.folder / "applications.yaml").write_text(journal, encoding="utf-8")

    def run(
        self,
        name: str = "default",
        *,
        today: date | None = None,
        caldav: str = "",
        machine: str = "state",
        **flags: bool,
    ) -> sync.Report:
        """Run calsync once, as of NOW or of the first moment of `today`, with the state of one of two machines."""
        path = self.folder / f"{name}.yaml"
        path.write_text(
            f"name: {name}\ntimezone: Europe/Berlin\napplications: applications.yaml\netiquette: {{horizon_days: 14}}\n"
            f"caldav: {{{caldav or self.caldav()}}}\n{self.more}",
            encoding="utf-8",
        )
        settings = config.load(path, {}, self.folder)
        moment = sync.Moment.of(NOW, today, settings.timezone)
        return sync.run_once(settings, moment, self.environ(machine), targets=self.targets, **flags)

    def environ(self, machine: str = "state") -> Mapping[str, str]:
        return {"STATE_DIRECTORY": str(self.folder / machine)}

    def answers(self) -> str:
        """What calsync learnt from the calendar, as it stands in the file."""
        path = self.folder / "answers.yaml"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    @property
    def targets(self) -> Mapping[str, Any]:
        """The real ones, but that they do not wait before they try again."""
        return {**TARGETS, "caldav": partial(TARGETS["caldav"], sleep=lambda _seconds: None)}

    def caldav(self) -> str:
        raise NotImplementedError

    def items(self) -> Mapping[str, str]:
        raise NotImplementedError

    def put(self, name: str, body: str) -> str:
        raise NotImplementedError

    def remove(self, href: str) -> None:
        raise NotImplementedError

    def ours(self) -> dict[str, str]:
        """Our events by window id."""
        return {window_of(body): body for body in self.items().values() if ";default;" in unfolded(body)}

    def href_of(self, window: str) -> str:
        return next(href for href, body in self.items().items() if f";default;{window};" in unfolded(body))

    def edit(self, window: str, old: str, new: str) -> None:
        """Another program changes an event."""
        href = self.href_of(window)
        body = unfolded(self.items()[href])
        assert old in body
        self.put(href, body.replace(old, new))


def unfolded(body: str) -> str:
    """Long lines whole again, and the mark as we wrote it: Radicale escapes the semicolons of all it does not know."""
    return body.replace("\r\n ", "").replace("\\;", ";")


def window_of(body: str) -> str:
    found = re.search(r"^X-CALSYNC:v1;\w+;(.*);\d+\r?$", unfolded(body), re.MULTILINE)
    assert found
    return found[1]


def uid(body: str) -> str:
    return re.findall(r"^UID:(.*)\r$", body, re.MULTILINE)[0]


def counted(report: sync.Report) -> tuple[int, int, int]:
    """How many events were created, updated and deleted."""
    actions = [change.action for outcome in report.outcomes for change, _ in outcome.changes]
    return actions.count(Action.CREATE), actions.count(Action.UPDATE), actions.count(Action.DELETE)


class SyncContract:
    """What holds wherever the calendar is. A subclass gives the fixture `world`."""

    def test_first_sync_writes_each_window_that_is_open_or_ahead(self, world: World):
        report = world.run()
        assert report.exit_code == 0
        assert counted(report) == (3, 0, 0)
        assert sorted(world.ours()) == ["acme/check-in/1.1", "acme/interview-follow-up/1.1", "bolt/application-call/1"]
        body = unfolded(world.ours()["bolt/application-call/1"])
        assert "SUMMARY:Call Lee at Bolt (by Fri 27 Nov)" in body
        assert "DTSTART;VALUE=DATE:20261123" in body
        assert "DTEND;VALUE=DATE:20261128" in body

    def test_second_sync_writes_nothing(self, world: World):
        world.run()
        before = world.items()
        report = world.run()
        assert counted(report) == (0, 0, 0)
        assert report.outcomes[0].unchanged == 3
        assert report.outcomes[0].requests == 1 + world.login_requests
        assert world.items() == before

    def test_nothing_is_written_on_the_next_day_either(self, world: World):
        world.run()
        before = world.items()
        assert counted(world.run(today=date(2026, 11, 24))) == (0, 0, 0)
        assert world.items() == before

    def test_a_journal_change_keeps_the_uid_and_costs_one_put(self, world: World):
        world.run()
        before = world.ours()
        world.write(JOURNAL.replace("Lee", "Lee Chang"))
        report = world.run()
        assert counted(report) == (0, 1, 0)
        assert report.outcomes[0].requests == 2 + world.login_requests
        after = world.ours()
        assert uid(after["bolt/application-call/1"]) == uid(before["bolt/application-call/1"])
        assert "SEQUENCE:1" in after["bolt/application-call/1"]
        assert "Call Lee Chang at Bolt" in after["bolt/application-call/1"]
        assert counted(world.run()) == (0, 0, 0)

    def test_an_answer_of_theirs_moves_the_windows(self, world: World):
        world.run()
        world.write(HEARD)
        world.run()
        assert sorted(world.ours()) == ["acme/timeline-follow-up/1.1", "bolt/application-call/1"]

    def test_a_rejection_takes_the_reminder_away(self, world: World):
        world.run()
        world.write(REJECTED)
        assert counted(world.run()) == (0, 0, 1)
        assert sorted(world.ours()) == ["acme/check-in/1.1", "acme/interview-follow-up/1.1"]

    def test_a_uid_that_was_deleted_is_not_used_again(self, world: World):
        world.run()
        first = uid(world.ours()["bolt/application-call/1"])
        world.write(REJECTED)
        world.run()
        world.write(JOURNAL)
        world.run()
        assert uid(world.ours()["bolt/application-call/1"]) != first
        assert counted(world.run()) == (0, 0, 0)

    def test_a_touch_turns_the_reminder_into_history(self, world: World):
        world.run()
        world.write(TOUCHED)
        assert counted(world.run()) == (0, 1, 0)
        body = unfolded(world.ours()["bolt/application-call/1"])
        assert "SUMMARY:✓ Called Lee at Bolt" in body
        assert "DTSTART;VALUE=DATE:20261123" in body
        assert "DTEND;VALUE=DATE:20261124" in body
        assert "VALARM" not in body
        assert counted(world.run()) == (0, 0, 0)

    def test_what_is_past_stays_as_the_users_history(self, world: World):
        world.run()
        world.write(REJECTED)
        report = world.run(today=date(2026, 11, 30))
        assert counted(report)[2] == 0
        assert "bolt/application-call/1" in world.ours()

    def test_nothing_that_is_past_is_created(self, world: World):
        report = world.run(today=date(2026, 11, 30))
        assert not [body for body in world.ours().values() if "DTEND;VALUE=DATE:20261128" in body]
        assert counted(report) == (1, 0, 0)

    def test_a_dry_run_writes_nothing_anywhere(self, world: World):
        before = sorted(path for path in world.folder.rglob("*") if path.name != "default.yaml")
        report = world.run(dry_run=True)
        assert counted(report) == (3, 0, 0)
        assert world.items() == {}
        assert sorted(path for path in world.folder.rglob("*") if path.name != "default.yaml") == before

    def test_a_dry_run_after_a_sync_tells_each_field_that_would_change(self, world: World):
        world.run()
        before = world.items()
        stamps = {path: path.stat().st_mtime_ns for path in world.folder.rglob("state/*")}
        world.write(JOURNAL.replace("Lee", "Lee Chang"))
        report = world.run(dry_run=True)
        [(change, _uid)] = report.outcomes[0].changes
        assert change.before is not None
        assert change.after is not None
        assert change.before.item.reminder.summary == "Call Lee at Bolt (by Fri 27 Nov)"
        assert change.after.summary == "Call Lee Chang at Bolt (by Fri 27 Nov)"
        assert world.items() == before
        assert {path: path.stat().st_mtime_ns for path in world.folder.rglob("state/*")} == stamps

    def test_foreign_events_stay_as_they_are_to_the_byte(self, world: World):
        href = world.put("dentist-1.ics", FOREIGN)
        before = world.items()[href]
        for journal in (JOURNAL, HEARD, REJECTED, "applications: []\n"):
            world.write(journal)
            world.run()
            assert world.items()[href] == before
        assert list(world.items()) == [href]

    def test_two_names_share_a_calendar_without_touching_each_other(self, world: World):
        world.run()
        first = world.items()
        assert counted(world.run("second")) == (3, 0, 0)
        assert len(world.items()) == 6
        assert {href: body for href, body in world.items().items() if href in first} == first
        world.write("applications: []\n")
        world.run("second")
        assert world.items() == first

    def test_a_lost_state_changes_nothing_in_the_calendar(self, world: World):
        world.run()
        before = world.items()
        (world.folder / "state" / "state.sqlite3").unlink()
        report = world.run()
        assert counted(report) == (0, 0, 0)
        assert report.outcomes[0].unchanged == 3
        assert world.items() == before
        (world.folder / "state" / "state.sqlite3").unlink()
        world.write(REJECTED)
        assert counted(world.run()) == (0, 0, 1)
        assert counted(world.run()) == (0, 0, 0)

    def test_a_lost_state_and_a_changed_journal_update_in_place(self, world: World):
        world.run()
        before = world.ours()
        (world.folder / "state" / "state.sqlite3").unlink()
        world.write(JOURNAL.replace("Lee", "Lee Chang"))
        assert counted(world.run()) == (0, 1, 0)
        assert uid(world.ours()["bolt/application-call/1"]) == uid(before["bolt/application-call/1"])

    def test_a_hand_edit_is_left_alone_and_said(self, world: World):
        world.run()
        world.edit("bolt/application-call/1", "SUMMARY:Call Lee at Bolt", "SUMMARY:Ring Lee, ask for the team")
        before = world.items()
        report = world.run()
        assert counted(report) == (0, 0, 0)
        [kept] = report.outcomes[0].kept
        assert (kept.window, kept.because) == ("bolt/application-call/1", "changed by hand: summary")
        assert world.items() == before

    def test_other_fields_follow_the_journal_beside_a_hand_edit(self, world: World):
        world.run()
        world.edit("bolt/application-call/1", "SUMMARY:Call Lee at Bolt", "SUMMARY:Ring Lee at Bolt")
        for name in ("Lee Chang", "Lee Wong"):
            world.write(JOURNAL.replace("Lee", name))
            assert counted(world.run()) == (0, 1, 0)
            body = unfolded(world.ours()["bolt/application-call/1"])
            assert "SUMMARY:Ring Lee at Bolt" in body
            assert f"Contact: {name}" in body
            assert counted(world.run()) == (0, 0, 0)

    def test_a_reminder_that_the_user_deleted_stays_deleted(self, world: World):
        world.run()
        world.remove(world.href_of("bolt/application-call/1"))
        first = world.run()
        assert [answer.event.window for answer in first.outcomes[0].answers] == ["bolt/application-call/1"]
        assert "skipped: 2026-11-23" in world.answers()
        for _ in range(2):
            report = world.run()
            assert counted(report) == (0, 0, 0)
            assert report.outcomes[0].answers == ()
        assert "bolt/application-call/1" not in world.ours()
        assert world.answers().count("skipped") == 1

    def test_a_deleted_reminder_stays_deleted_after_the_state_is_lost(self, world: World):
        world.run()
        world.remove(world.href_of("bolt/application-call/1"))
        world.run()
        (world.folder / "state" / "state.sqlite3").unlink()
        assert counted(world.run()) == (0, 0, 0)
        assert "bolt/application-call/1" not in world.ours()

    def test_a_title_that_says_done_is_a_touch_and_the_next_window_follows_in_the_same_run(self, world: World):
        world.run()
        world.edit("acme/interview-follow-up/1.1", "SUMMARY:Call", "SUMMARY:✓ Call")
        report = world.run()
        assert "contacted: 2026-11-23" in world.answers()
        assert "window: 'acme/interview-follow-up/1.1'" in world.answers()
        ours = world.ours()
        assert "DTSTART;VALUE=DATE:20261203" in ours["acme/check-in/1.1"]
        done = unfolded(ours["acme/interview-follow-up/1.1"])
        assert "SUMMARY:✓ Call Dana Ruiz at Acme Corp (by Fri 27 Nov)" in done
        assert "VALARM" not in done
        assert report.exit_code == 0
        again = world.run()
        assert (counted(again), again.outcomes[0].answers) == ((0, 0, 0), ())

    def test_a_cancelled_event_is_a_skip_and_stays_as_it_is(self, world: World):
        world.run()
        world.edit("bolt/application-call/1", "STATUS:CONFIRMED", "STATUS:CANCELLED")
        world.run()
        assert "skipped: 2026-11-23" in world.answers()
        assert counted(world.run()) == (0, 0, 0)
        assert "STATUS:CANCELLED" in world.ours()["bolt/application-call/1"]

    def test_a_moved_event_keeps_the_days_that_it_was_given(self, world: World):
        world.run()
        world.edit("acme/interview-follow-up/1.1", "DATE:20261128", "DATE:20261126")
        report = world.run()
        assert "pinned: 2026-11-23" in world.answers()
        assert "opens: 2026-11-23" in world.answers()
        assert "closes: 2026-11-25" in world.answers()
        assert report.outcomes[0].failed == []
        assert "DTEND;VALUE=DATE:20261126" in world.ours()["acme/interview-follow-up/1.1"]
        assert "DTSTART;VALUE=DATE:20261207" in world.ours()["acme/check-in/1.1"]
        again = world.run()
        assert (counted(again), again.outcomes[0].answers) == ((0, 0, 0), ())

    def test_an_event_that_is_given_a_time_of_day_rings_then(self, world: World):
        world.run()
        window = "acme/interview-follow-up/1.1"
        at_two = "DTSTART:20261125T130000Z\r\nDTEND:20261125T140000Z"
        world.edit(window, "DTSTART;VALUE=DATE:20261123\r\nDTEND;VALUE=DATE:20261128", at_two)
        world.run()
        body = world.ours()[window]
        assert "DTSTART:20261125T130000Z" in body
        assert re.findall("TRIGGER[^:]*:(.*)\r", body) in (["PT0S"], ["P0D"])  # Xandikos spells it so
        assert counted(world.run()) == (0, 0, 0)

    def test_an_event_that_is_moved_back_to_where_it_was_stays_there(self, world: World):
        world.run()
        for old, new in (("DATE:20261128", "DATE:20261126"), ("DATE:20261126", "DATE:20261128")):
            world.edit("acme/interview-follow-up/1.1", old, new)
            for _ in range(2):
                world.run()
            assert f"DTEND;VALUE={new}" in world.ours()["acme/interview-follow-up/1.1"]
        assert re.findall("closes: (.*)", world.answers()) == ["2026-11-25", "2026-11-27"]

    def test_a_dry_run_tells_what_the_calendar_said_and_writes_no_answer(self, world: World):
        world.run()
        world.edit("acme/interview-follow-up/1.1", "SUMMARY:Call", "SUMMARY:✓ Call")
        report = world.run(dry_run=True)
        assert [type(answer.event).__name__ for answer in report.outcomes[0].answers] == ["Contacted"]
        assert counted(report)[1] > 0
        assert world.answers() == ""

    def test_answers_that_cannot_be_written_leave_the_calendar_alone(self, world: World):
        world.run()
        world.remove(world.href_of("bolt/application-call/1"))
        before = world.items()
        (world.folder / "answers.yaml").write_text("applications: [{id: acme, events: []}]\n", encoding="utf-8")
        world.write(JOURNAL.replace("Dana", "Diana"))
        report = world.run()
        assert report.exit_code == 1
        assert "nothing can be added to" in str(report.errors[0])
        assert world.items() == before

    def test_many_gone_at_once_stop_the_run_until_it_is_forced(self, world: World):
        world.write(MANY)
        world.run()
        for href in list(world.items())[:6]:
            world.remove(href)
        before = world.items()
        report = world.run()
        assert report.exit_code == 1
        assert "6 of the 8 reminders that calsync wrote" in str(report.errors[0])
        assert "--force" in str(report.errors[0])
        assert (world.items(), world.answers()) == (before, "")
        assert world.run(force=True).exit_code == 0
        assert world.answers().count("skipped") == 6

    def test_an_emptied_journal_stops_the_run_until_it_is_forced(self, world: World):
        world.write(MANY)
        world.run()
        before = world.items()
        world.write("applications: []\n")
        report = world.run()
        assert report.exit_code == 1
        assert "are wanted no more (is the journal whole?). Nothing was changed." in str(report.errors[0])
        assert world.items() == before
        assert counted(world.run(force=True)) == (0, 0, 8)
        assert world.items() == {}

    def test_where_a_guard_stops_the_run_the_feed_stays_too(self, world: World):
        world.more = "feed: {path: follow-ups.ics}\n"
        world.write(MANY)
        world.run()
        feed = world.folder / "follow-ups.ics"
        before = feed.read_bytes()
        world.write("applications: []\n")
        assert world.run().exit_code == 1
        assert feed.read_bytes() == before
        assert world.run(force=True).exit_code == 0
        assert b"VEVENT" not in feed.read_bytes()

    def test_two_machines_on_one_calendar_converge_without_duplicates(self, world: World):
        world.run()
        before = world.items()
        assert counted(world.run(machine="second")) == (0, 0, 0)
        world.write(JOURNAL.replace("Lee", "Lee Chang"))
        assert counted(world.run(machine="second")) == (0, 1, 0)
        assert counted(world.run()) == (0, 0, 0)
        assert list(world.items()) == list(before)

    def test_an_event_of_others_at_our_place_is_left_and_ours_goes_elsewhere(self, world: World):
        world.run()
        href = world.href_of("bolt/application-call/1")
        first = uid(world.items()[href])
        world.remove(href)
        world.put(href, FOREIGN)
        before = world.items()[href]
        assert counted(world.run()) == (1, 0, 0)
        assert world.items()[href] == before
        assert uid(world.ours()["bolt/application-call/1"]) != first
        assert counted(world.run()) == (0, 0, 0)

    def test_a_crash_after_a_write_and_before_it_is_noted_costs_nothing(self, world: World):
        world.run()
        before = world.items()
        state = world.folder / "state" / "state.sqlite3"
        saved = state.read_bytes()
        world.write(HEARD)
        world.run()
        after = world.items()
        state.write_bytes(saved)
        assert counted(world.run()) == (0, 0, 0)
        assert world.items() == after != before

    def test_a_second_run_on_the_same_state_leaves(self, world: World):
        with opened(world.folder / "state", writes=True), pytest.raises(BusyError, match="another calsync is at work"):
            world.run()
        assert world.items() == {}


class InMemory(World):
    """The memory target as the calendar."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.target = MemoryTarget()

    def caldav(self) -> str:
        return "url: 'https://dav.example/', calendar: Job search"

    @property
    def targets(self) -> Mapping[str, Any]:
        self.target.requests = 0
        return {**TARGETS, "caldav": lambda **_settings: self.target}

    def items(self) -> Mapping[str, str]:
        return self.target.items

    def put(self, name: str, body: str) -> str:
        self.target.put(name, body)
        return name

    def remove(self, href: str) -> None:
        self.target.remove(href)


class TestInMemory(SyncContract):
    @pytest.fixture
    def world(self, tmp_path: Path) -> InMemory:
        return InMemory(tmp_path)


class OnServer(World):
    """A fresh calendar on a real server, found by its URL."""

    def __init__(self, folder: Path, server: Server) -> None:
        super().__init__(folder)
        self.server = server
        self.login_requests = server.login_requests
        self.calendar = server.calendar()
        self.secret(server.password)

    def secret(self, password: str) -> None:
        path = self.folder / "password"
        path.touch(mode=0o600)
        path.write_text(password, encoding="utf-8")

    def caldav(self) -> str:
        return (
            f"url: '{self.server.url}', username: {self.server.username}, password_file: password, "
            f"calendar: '{self.calendar}'"
        )

    def items(self) -> Mapping[str, str]:
        return self.server.items(self.calendar)

    def put(self, name: str, body: str) -> str:
        url = urljoin(self.calendar, name)
        assert self.server.put(url, body).status in (200, 201, 204)
        return urlsplit(url).path

    def remove(self, href: str) -> None:
        assert self.server.delete(urljoin(self.calendar, href)).status in (200, 204)


class ServerContract(SyncContract):
    """What holds beyond that where there is a server with a login."""

    def test_a_wrong_password_ends_with_4_and_says_so(self, world: OnServer):
        world.secret("a word that is not it")
        for flags in ({}, {"dry_run": True}):
            report = world.run(**flags)
            assert report.exit_code == 4
            [error] = report.errors
            assert isinstance(error, LoginError)
            assert "a word that is not it" not in str(error)
        assert world.items() == {}

    def test_a_deleted_calendar_is_made_anew_with_its_reminders_once_that_is_said_to_be_right(self, world: OnServer):
        """Its events went with it; nobody deleted one of them. UIDs that were deleted are not used again."""
        world.run()
        before = world.ours()
        assert world.server.delete(world.calendar).status in (200, 204)
        assert "not there any more" in str(world.run().errors[0])
        assert counted(world.run(force=True, dry_run=True)) == (len(before), 0, 0)
        report = world.run(force=True)
        assert (counted(report), world.answers()) == ((len(before), 0, 0), "")
        after = world.ours()
        assert sorted(after) == sorted(before)
        assert not {uid(body) for body in after.values()} & {uid(body) for body in before.values()}
        assert counted(world.run()) == (0, 0, 0)

    def test_a_server_that_is_away_ends_with_4_and_a_dry_run_with_0(self, world: OnServer):
        world.run()
        before = world.items()
        world.write(REJECTED)
        with world.server.away():
            report = world.run()
            assert report.exit_code == 4
            assert isinstance(report.errors[0], UnreachableError)
            dry = world.run(dry_run=True)
            assert dry.exit_code == 0
            assert dry.not_compared
            assert dry.outlook.windows[0].id == "acme/interview-follow-up/1.1"
        assert world.items() == before
        assert counted(world.run()) == (0, 0, 1)

    def test_offline_does_not_ask_the_server(self, world: OnServer):
        with world.server.away():
            report = world.run(dry_run=True, offline=True)
        assert (report.exit_code, report.not_compared) == (0, "not asked (--offline)")

    def test_a_calendar_is_found_by_name_made_where_missing_and_said(self, world: OnServer):
        name = f"Follow-ups of {world.folder.name}"
        by_name = world.caldav().split(", calendar:")[0] + f", calendar: '{name}'"
        dry = world.run(caldav=by_name, dry_run=True)
        assert counted(dry) == (3, 0, 0)
        first = world.run(caldav=by_name)
        where = first.outcomes[0].where
        assert where.startswith(world.server.url)
        assert len(world.server.hrefs(where)) == 3
        second = world.run(caldav=by_name)
        assert second.outcomes[0].where == where
        assert second.outcomes[0].requests == 1 + world.login_requests


class TestOnRadicale(ServerContract):
    @pytest.fixture
    def world(self, tmp_path: Path, radicale: Server) -> OnServer:
        return OnServer(tmp_path, radicale)


class TestOnXandikos(ServerContract):
    @pytest.fixture
    def world(self, tmp_path: Path, xandikos: Server) -> OnServer:
        return OnServer(tmp_path, xandikos)


class TestFeed:
    """The feed file, alone: see also `tests/targets/test_feed.py`."""

    @pytest.fixture
    def feed(self, tmp_path: Path) -> Iterator[Path]:
        (tmp_path / "applications.yaml").write_text(JOURNAL, encoding="utf-8")
        (tmp_path / "config.yaml").write_text(
            "timezone: Europe/Berlin\napplications: applications.yaml\netiquette: {horizon_days: 14}\n"
            "feed: {path: follow-ups.ics}\n",
            encoding="utf-8",
        )
        return tmp_path / "follow-ups.ics"

    def run(self, feed: Path, today: date | None = None, **flags: bool) -> sync.Report:
        settings = config.load(feed.parent / "config.yaml", {}, feed.parent)
        moment = sync.Moment.of(NOW, today, settings.timezone)
        return sync.run_once(settings, moment, {"STATE_DIRECTORY": str(feed.parent / "state")}, **flags)

    def test_feed_holds_the_windows_under_uids_of_its_own(self, feed: Path):
        report = self.run(feed)
        text = unfolded(feed.read_bytes().decode())
        assert text.count("BEGIN:VEVENT") == 3
        windows = book.look(config.load(feed.parent / "config.yaml", {}, feed.parent), TODAY).windows
        on_caldav = uids(config.load(feed.parent / "config.yaml", {}, feed.parent), windows, {})
        assert not any(each in text for each in on_caldav.values())
        assert counted(report) == (3, 0, 0)

    def test_feed_gives_times_in_utc_and_needs_no_zones(self, feed: Path):
        at = JOURNAL.replace("interview: 2026-11-19", "interview: 2026-11-26 14:00")
        (feed.parent / "applications.yaml").write_text(at, encoding="utf-8")
        self.run(feed)
        text = feed.read_text(encoding="utf-8")
        assert "DTSTART:20261126T124500Z" in text
        assert "VTIMEZONE" not in text

    def test_feed_is_untouched_when_nothing_but_stamps_would_change(self, feed: Path):
        self.run(feed)
        before = (feed.read_bytes(), feed.stat().st_mtime_ns, feed.stat().st_ino)
        assert counted(self.run(feed, today=date(2026, 11, 24))) == (0, 0, 0)
        assert (feed.read_bytes(), feed.stat().st_mtime_ns, feed.stat().st_ino) == before

    def test_feed_follows_the_journal_and_stamps_only_what_changed(self, feed: Path):
        self.run(feed)
        (feed.parent / "applications.yaml").write_text(JOURNAL.replace("Lee", "Lee Chang"), encoding="utf-8")
        assert counted(self.run(feed)) == (0, 1, 0)
        text = feed.read_bytes().decode()
        assert (text.count("SEQUENCE:0"), text.count("SEQUENCE:1")) == (2, 1)

    def test_feed_is_written_over_whatever_a_hand_did_to_it(self, feed: Path):
        self.run(feed)
        before = feed.read_bytes()
        feed.write_bytes(before.replace(b"Call Lee", b"Ring Lee"))
        assert counted(self.run(feed)) == (0, 1, 0)
        assert b"Ring Lee" not in feed.read_bytes()

    def test_dry_run_makes_no_feed(self, feed: Path):
        assert counted(self.run(feed, dry_run=True)) == (3, 0, 0)
        assert not feed.exists()
        assert not (feed.parent / "state").exists()

    def test_feed_without_alarms_has_none(self, feed: Path):
        path = feed.parent / "config.yaml"
        path.write_text(path.read_text().replace("ics}", "ics, alarms: no}"), encoding="utf-8")
        self.run(feed)
        assert b"VALARM" not in feed.read_bytes()


def test_a_config_with_nothing_to_sync_to_is_an_error(tmp_path: Path):
    (tmp_path / "applications.yaml").write_text(JOURNAL, encoding="utf-8")
    (tmp_path / "config.yaml").write_text("applications: applications.yaml\n", encoding="utf-8")
    settings = config.load(tmp_path / "config.yaml", {}, tmp_path)
    with pytest.raises(ConfigError, match="nothing to sync to"):
        sync.run_once(settings, sync.Moment.of(NOW, None, settings.timezone), {"STATE_DIRECTORY": str(tmp_path)})
