"""One target brought to what is wanted: targets that refuse, drop, forget or fall over in the middle."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from calsync import book, config, reminders, sync
from calsync.errors import SyncFailedError, UnreachableError
from calsync.identity import uid_of
from calsync.model import Mark, Resource
from calsync.plan import Action
from calsync.state import opened
from calsync.targets.base import ConflictError, ItemError, Listing, MissingError
from calsync.targets.memory import MemoryTarget
from calsync.uids import uids
from tests.samples import JOURNAL, MOVED, REJECTED, RENAMED

TODAY = date(2026, 11, 23)
NOW = datetime.fromisoformat("2026-11-23T07:00:00+01:00")
CALL, CHECK, FOLLOW = "bolt/application-call/1", "acme/check-in/1.1", "acme/interview-follow-up/1.1"


class Desk:
    """A user's folder and the target that stands for their calendar."""

    def __init__(self, folder: Path, target: MemoryTarget | None = None) -> None:
        self.folder = folder
        self.target = target or MemoryTarget()
        self.target.name = "caldav"
        folder.mkdir(exist_ok=True)
        self.write(JOURNAL)
        (folder / "config.yaml").write_text(
            "timezone: Europe/Berlin\napplications: applications.yaml\netiquette: {horizon_days: 14}\n"
            "caldav: {url: 'https://dav.example/'}\n",
            encoding="utf-8",
        )

    def write(self, journal: str) -> None:
        (self.folder / "applications.yaml").write_text(journal, encoding="utf-8")

    def run(self, now: datetime = NOW, **flags: Any) -> sync.Report:
        settings = config.load(self.folder / "config.yaml", {}, self.folder)
        moment = sync.Moment.of(now, None, settings.timezone)
        targets: Mapping[str, Any] = {"caldav": lambda **_settings: self.target}
        environ = {"STATE_DIRECTORY": str(self.folder / "state")}
        return sync.run_once(settings, moment, environ, targets=targets, **flags)

    def lose_state(self) -> None:
        (self.folder / "state" / "state.sqlite3").unlink()

    def calendar(self) -> list[str]:
        """What stands there, whatever its moments of writing."""
        stamps = re.compile(r"^(DTSTAMP|LAST-MODIFIED|X-CALSYNC-WRITTEN):\w+\r\n", re.MULTILINE)
        return sorted(stamps.sub("", body) for body in self.target.items.values())

    def titles(self) -> list[str]:
        return sorted(re.findall(r"^SUMMARY:(.*)\r$", "".join(self.calendar()), re.MULTILINE))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def counted(report: sync.Report) -> tuple[int, int, int]:
    actions = [change.action for outcome in report.outcomes for change, _ in outcome.changes]
    return actions.count(Action.CREATE), actions.count(Action.UPDATE), actions.count(Action.DELETE)


def kept(report: sync.Report) -> dict[str, str]:
    return {each.window: each.because for outcome in report.outcomes for each in outcome.kept}


def failed(report: sync.Report) -> dict[str, str]:
    return {each.change.window: each.because for outcome in report.outcomes for each in outcome.failed}


def test_a_first_sync_draws_each_reminder_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    moments: list[Mapping[str, datetime]] = []
    draw = reminders.reminders
    monkeypatch.setattr(
        reminders,
        "reminders",
        lambda shown, form, written, now: moments.append(written) or draw(shown, form, written, now),
    )
    assert counted(desk.run())[0]
    assert moments == [{}]
    desk.write(RENAMED)
    desk.run(NOW + timedelta(hours=1))
    assert len(moments) == 3, "as of when each was written, and as of now"


# ------------------------------------------------------------------------------------ targets with a quirk


class Refusing(MemoryTarget):
    """Refuses some writes: `errors` maps a word of the text, or an href, to what is raised."""

    def __init__(self) -> None:
        super().__init__()
        self.errors: dict[str, Exception] = {}

    def create(self, href: str, body: str) -> Resource:
        self._refuse(body)
        return super().create(href, body)

    def update(self, item: Resource, body: str) -> Resource:
        self._refuse(item.body)
        return super().update(item, body)

    def delete(self, item: Resource) -> None:
        self._refuse(item.body)
        super().delete(item)

    def _refuse(self, body: str) -> None:
        for word, error in self.errors.items():
            if word in body.replace("\r\n ", ""):
                raise error


class WithoutETags(MemoryTarget):
    """Tells no ETags at all."""

    def listing(self) -> Listing:
        return Listing(dict.fromkeys(super().listing().etags))

    def fetch(self, hrefs: Iterable[str]) -> Mapping[str, Resource]:
        return {href: Resource(href, None, item.body) for href, item in super().fetch(hrefs).items()}

    def create(self, href: str, body: str) -> Resource:
        super().create(href, body)
        return Resource(href, None, body)

    def update(self, item: Resource, body: str) -> Resource:
        return Resource(item.href, None, super().update(self._now(item), body).body)

    def delete(self, item: Resource) -> None:
        super().delete(self._now(item))

    def _now(self, item: Resource) -> Resource:
        if self._items.get(item.href, ("", ""))[1] != item.body:
            raise ConflictError("changed")
        return Resource(item.href, self._items[item.href][0], item.body)


class Stripping(MemoryTarget):
    """Drops all X- properties, as some servers do, and says nothing of an ETag on a write (RFC 4791 5.3.4)."""

    def create(self, href: str, body: str) -> Resource:
        super().create(href, stripped(body))
        return Resource(href, None, body)

    def update(self, item: Resource, body: str) -> Resource:
        super().update(item, stripped(body))
        return Resource(item.href, None, body)


class Moving(MemoryTarget):
    """Keeps items under names of its own, and tells them."""

    def create(self, href: str, body: str) -> Resource:
        made = super().create(f"/calendars/alice/{href}", body)
        return Resource(made.href, made.etag, body)


class Doubtful(MemoryTarget):
    """Leaves `hidden` out of its lists, which it says are not whole; `mute` items cannot be read."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden: set[str] = set()
        self.mute: set[str] = set()

    def token(self) -> None:
        """So that each run lists."""

    def listing(self) -> Listing:
        etags = super().listing().etags
        return Listing({href: etag for href, etag in etags.items() if href not in self.hidden}, not self.hidden)

    def fetch(self, hrefs: Iterable[str]) -> Mapping[str, Resource]:
        return super().fetch(href for href in hrefs if href not in self.mute)


class Falling(MemoryTarget):
    """Falls over at the write number `at`, before it (`done` False) or after it was made."""

    def __init__(self, at: int, *, done: bool, error: Exception) -> None:
        super().__init__()
        self.at, self.done, self.error = at, done, error
        self.writes = itertools.count(1)

    def create(self, href: str, body: str) -> Resource:
        return self._write(lambda: MemoryTarget.create(self, href, body))

    def update(self, item: Resource, body: str) -> Resource:
        return self._write(lambda: MemoryTarget.update(self, item, body))

    def delete(self, item: Resource) -> None:
        self._write(lambda: MemoryTarget.delete(self, item))

    def _write(self, write: Any) -> Any:
        falls = next(self.writes) == self.at
        if falls and not self.done:
            raise self.error
        written = write()
        if falls:
            raise self.error
        return written


def stripped(body: str) -> str:
    return re.sub(r"^X-[^\r]*(?:\r\n [^\r]*)*\r\n", "", body, flags=re.MULTILINE)


# -------------------------------------------------------------------------------------- one event's failure


def test_one_events_failure_stops_no_other_and_is_said_and_tried_again(tmp_path: Path):
    target = Refusing()
    desk = Desk(tmp_path, target)
    target.errors = {"Lee": ItemError("the server says: too late")}
    report = desk.run()
    assert counted(report) == (2, 0, 0)
    assert failed(report) == {CALL: "the server says: too late"}
    assert report.exit_code == 1
    assert len(target.items) == 2
    target.errors = {}
    assert counted(desk.run()) == (1, 0, 0)
    for journal, done in ((RENAMED, (0, 1, 0)), (REJECTED, (0, 0, 1))):
        desk.write(journal)
        target.errors = {"Lee": ItemError("no")}
        report = desk.run()
        assert (counted(report), report.exit_code) == ((0, 0, 0), 1)
        target.errors = {}
        assert counted(desk.run()) == done


@pytest.mark.parametrize("error", [ConflictError("412"), MissingError("404")])
@pytest.mark.parametrize("journal", [RENAMED, REJECTED])
def test_what_was_changed_just_now_is_left_alone_and_said(tmp_path: Path, error, journal):
    target = Refusing()
    desk = Desk(tmp_path, target)
    desk.run()
    before = dict(target.items)
    desk.write(journal)
    target.errors = {"Lee": error}
    report = desk.run()
    assert (counted(report), report.exit_code) == ((0, 0, 0), 0)
    assert kept(report) == {CALL: "changed on the server just now: look again later"}
    assert target.items == before
    target.errors = {}
    assert sum(counted(desk.run())) == 1


def test_an_error_of_the_whole_target_among_the_writes_ends_it_and_tells_what_was_written(tmp_path: Path):
    for number, error in enumerate((UnreachableError("away"), SyncFailedError("the calendar is gone"))):
        desk = Desk(tmp_path / str(number), Falling(2, done=False, error=error))
        report = desk.run()
        assert report.exit_code == error.exit_code
        assert report.errors == [error]
        assert counted(report) == (1, 0, 0)
        assert len(desk.target.items) == 1
        assert counted(desk.run()) == (2, 0, 0)


# -------------------------------------------------------------------------------------- refused creates


def uid_for(desk: Desk, window: str) -> str:
    report = desk.run(dry_run=True)
    return next(uid for outcome in report.outcomes for change, uid in outcome.changes if change.window == window)


FOREIGN = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:dentist\r\nSUMMARY:Dentist\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"


def test_after_an_error_of_the_whole_target_nothing_more_is_written(tmp_path: Path):
    desk = Desk(tmp_path, target := Falling(0, done=False, error=UnreachableError("away")))
    desk.run()
    before = target.items
    target.writes, target.at = itertools.count(1), 1
    desk.write(MOVED)
    report = desk.run()
    assert (report.exit_code, counted(report), target.items) == (4, (0, 0, 0), before)


def test_an_event_of_others_at_our_place_is_left_and_ours_is_made_elsewhere(desk: Desk):
    uid = uid_for(desk, CALL)
    desk.target.put(f"{uid}.ics", FOREIGN)
    report = desk.run()
    assert (counted(report), report.exit_code) == ((3, 0, 0), 0)
    assert desk.target.items[f"{uid}.ics"] == FOREIGN
    [(_, other)] = [(change, uid) for change, uid in report.outcomes[0].changes if change.window == CALL]
    assert other != uid
    assert f"{other}.ics" in desk.target.items
    assert counted(desk.run()) == (0, 0, 0)
    settings = config.load(desk.folder / "config.yaml", {}, desk.folder)
    windows = book.look(settings, TODAY).windows
    assert uids(settings, windows, {"STATE_DIRECTORY": str(desk.folder / "state")})[CALL] == other


class Race(Doubtful):
    """What is hidden was made by another calsync between our list and our write: the list says that it is whole."""

    def listing(self) -> Listing:
        return Listing(super().listing().etags)


@pytest.mark.parametrize("target", [Doubtful, Race])
def test_our_own_event_that_stands_there_already_is_met_as_ours(tmp_path: Path, target):
    desk = Desk(tmp_path, target())
    desk.run()
    desk.lose_state()
    before = desk.target.items
    desk.target.hidden = set(before)
    report = desk.run()
    assert (counted(report), report.exit_code, report.outcomes[0].unchanged) == ((0, 0, 0), 0, 3)
    assert desk.target.items == before
    desk.write(RENAMED)
    report = desk.run()
    assert kept(report) == {CALL: "was there already: see the next run"}
    desk.target.hidden = set()
    assert counted(desk.run()) == (0, 1, 0)
    desk.write(REJECTED)
    assert counted(desk.run()) == (0, 0, 1)
    desk.write(JOURNAL)
    assert counted(desk.run()) == (1, 0, 0)


def test_an_event_that_stands_there_and_cannot_be_read_is_never_made_twice(tmp_path: Path):
    desk = Desk(tmp_path, Doubtful())
    desk.run()
    desk.lose_state()
    before = desk.target.items
    desk.target.mute = set(before)
    report = desk.run()
    assert (counted(report), report.exit_code) == ((0, 0, 0), 1)
    assert set(failed(report).values()) == {"an event stands there already that cannot be read now"}
    assert desk.target.items == before
    desk.target.mute = set()
    assert counted(desk.run()) == (0, 0, 0)


class UsedUp(MemoryTarget):
    """Refuses UIDs that it has in its trash bin, as Nextcloud does: `refusals` creates in all."""

    refusals = 0

    def create(self, href: str, body: str) -> Resource:
        if self.refusals:
            self.refusals -= 1
            raise ConflictError("the UID is in use")
        return super().create(href, body)


def renamed(target: MemoryTarget, href: str) -> None:
    """As by an app that exports and imports."""
    target.put("imported.ics", target.items[href])
    target.remove(href)


@pytest.mark.parametrize("happens", [renamed, lambda target, _: target.remove("dentist-1.ics")])
def test_what_is_gone_and_is_no_deletion_of_ours_is_forgotten(desk: Desk, happens):
    """Nothing is written or said of it, and soon one question is enough again, the next day too."""
    desk.target.put("dentist-1.ics", FOREIGN)
    desk.run()
    happens(desk.target, next(href for href, body in desk.target.items.items() if "Lee" in body))
    next_day = NOW + timedelta(days=1)
    for now in (NOW, NOW, next_day):
        report = desk.run(now)
        assert (counted(report), kept(report), report.outcomes[0].answers) == ((0, 0, 0), {}, ())
    before = desk.target.requests
    desk.run(next_day)
    assert desk.target.requests == before + 1


def test_a_used_up_uid_costs_a_generation_and_five_are_tried(tmp_path: Path):
    target = UsedUp()
    desk = Desk(tmp_path, target)
    target.refusals = 4
    report = desk.run()
    assert (counted(report), report.exit_code) == ((3, 0, 0), 0)
    desk = Desk(tmp_path / "other", target := UsedUp())
    target.refusals = 5
    report = desk.run()
    assert (counted(report), report.exit_code) == ((2, 0, 0), 1)
    assert [*failed(report).values()] == ["the server says that it has this event already, but does not show it"]


# ------------------------------------------------------------------------------- servers that drop or hide


@pytest.mark.parametrize("target", [MemoryTarget, WithoutETags, Stripping, Moving])
def test_second_sync_writes_nothing_and_a_lost_state_makes_no_second_event(tmp_path: Path, target):
    desk = Desk(tmp_path, target())
    assert counted(desk.run()) == (3, 0, 0)
    before = desk.target.items
    for later in (timedelta(0), timedelta(hours=5), timedelta(days=1), timedelta(days=3)):
        report = desk.run(NOW + later)
        assert counted(report) == (0, 0, 0)
        assert kept(report) == {}
        assert report.outcomes[0].unchanged == 3
    desk.lose_state()
    report = desk.run(NOW + timedelta(hours=5))
    assert (counted(report), kept(report)) == ((0, 0, 0), {})
    assert desk.target.items == before


@pytest.mark.parametrize("target", [MemoryTarget, WithoutETags, Stripping, Moving])
def test_the_journal_is_followed_whatever_the_server_drops(tmp_path: Path, target):
    desk = Desk(tmp_path, target())
    desk.run()
    desk.write(RENAMED)
    assert counted(desk.run(NOW + timedelta(hours=5))) == (0, 1, 0)
    assert counted(desk.run(NOW + timedelta(hours=6))) == (0, 0, 0)
    desk.write(REJECTED)
    assert counted(desk.run()) == (0, 0, 1)
    desk.write(JOURNAL)
    assert counted(desk.run()) == (1, 0, 0)
    assert counted(desk.run()) == (0, 0, 0)
    assert len(desk.titles()) == 3


def test_where_marks_are_dropped_an_event_of_a_late_generation_is_known_again(tmp_path: Path):
    desk = Desk(tmp_path, Stripping())
    for generation in (1, 2):
        desk.target.put(f"{uid_of(Mark('default', CALL, generation), 'caldav')}.ics", FOREIGN)
    assert counted(desk.run()) == (3, 0, 0)
    assert counted(desk.run()) == (0, 0, 0)
    desk.write(RENAMED)
    assert counted(desk.run()) == (0, 1, 0)


class StrippingAndRefusing(Stripping, Refusing):
    """Drops marks, and refuses some writes."""


def test_where_marks_are_dropped_an_update_that_was_refused_is_tried_again(tmp_path: Path):
    desk = Desk(tmp_path, target := StrippingAndRefusing())
    desk.run()
    target.errors = {"Lee": ItemError("no")}
    desk.write(RENAMED)
    assert list(failed(desk.run())) == [CALL]
    target.errors = {}
    assert counted(desk.run()) == (0, 1, 0)
    assert "Call Lee Chang at Bolt (by Fri 27 Nov)" in desk.titles()


def test_an_event_that_lost_its_base_alone_is_met_as_ours_whatever_its_generation(desk: Desk):
    """As where another version wrote other fields into it, and the state is lost."""
    uid = uid_for(desk, CALL)
    desk.target.put(f"{uid}.ics", FOREIGN)
    desk.run()
    for href, body in desk.target.items.items():
        desk.target.put(href, re.sub(r"X-CALSYNC-BASE:[^\r]*(?:\r\n [^\r]*)*\r\n", "", body))
    desk.lose_state()
    assert counted(desk.run()) == (0, 0, 0)
    desk.write(RENAMED)
    assert counted(desk.run()) == (0, 1, 0)


def test_where_marks_are_dropped_and_the_state_lost_what_differs_is_theirs(tmp_path: Path):
    desk = Desk(tmp_path, Stripping())
    desk.run()
    desk.lose_state()
    desk.write(RENAMED)
    report = desk.run()
    assert counted(report) == (0, 0, 0)
    assert kept(report) == {CALL: "what we wrote into it is not known any more"}


@pytest.mark.parametrize("target", [MemoryTarget, WithoutETags, Stripping])
def test_an_alarm_that_was_dismissed_is_no_change(tmp_path: Path, target):
    """The app stamps the event when it notes the dismissal: what we wrote is as of our own moment all the same."""
    desk = Desk(tmp_path, target())
    desk.run()
    for href, body in desk.target.items.items():
        stamped = re.sub(r"^(DTSTAMP|LAST-MODIFIED):\w+", r"\1:20261123T110000Z", body, flags=re.MULTILINE)
        desk.target.put(href, stamped.replace("END:VALARM", "ACKNOWLEDGED:20261123T110000Z\r\nEND:VALARM"))
    before = desk.target.items
    for later in (timedelta(hours=5), timedelta(days=1)):
        report = desk.run(NOW + later)
        assert (counted(report), kept(report)) == ((0, 0, 0), {})
    assert desk.target.items == before


class Rewriting(WithoutETags):
    """Another program changes an event in the moment in which it is written."""

    def create(self, href: str, body: str) -> Resource:
        made = super().create(href, body)
        self.put(href, body.replace("Call Lee", "Ring Lee"))
        return made


def test_what_is_changed_in_the_moment_of_writing_is_theirs(tmp_path: Path):
    desk = Desk(tmp_path, Rewriting())
    desk.run()
    desk.write(RENAMED)
    desk.run()
    assert "Ring Lee at Bolt (by Fri 27 Nov)" in desk.titles()


class Touching(MemoryTarget):
    """Another program notes something in an event just before the first update of it."""

    touched = False

    def update(self, item: Resource, body: str) -> Resource:
        if not self.touched:
            self.touched = True
            self.put(item.href, item.body.replace("END:VALARM", "ACKNOWLEDGED:20261123T060000Z\r\nEND:VALARM"))
        return super().update(item, body)


def test_what_is_noted_in_the_moment_of_writing_stays_and_the_update_is_made(tmp_path: Path):
    desk = Desk(tmp_path, Touching())
    desk.run()
    desk.write(RENAMED)
    assert counted(desk.run()) == (0, 1, 0)
    [body] = [body for body in desk.target.items.values() if "Lee Chang" in body]
    assert "ACKNOWLEDGED" in body
    assert counted(desk.run()) == (0, 0, 0)


class Vanishing(WithoutETags):
    """Has no text to give for what was just written."""

    vanish = False

    def fetch(self, hrefs: Iterable[str]) -> Mapping[str, Resource]:
        return {} if self.vanish else super().fetch(hrefs)


def test_what_cannot_be_read_after_a_write_is_remembered_as_written(tmp_path: Path):
    desk = Desk(tmp_path, target := Vanishing())
    target.vanish = True
    assert counted(desk.run()) == (3, 0, 0)
    target.vanish = False
    assert counted(desk.run()) == (0, 0, 0)


# ------------------------------------------------------------------------------------------- doubtful lists


def test_a_doubtful_list_proves_no_deletion(tmp_path: Path):
    desk = Desk(tmp_path, Doubtful())
    desk.run()
    before = desk.target.items
    desk.target.hidden = set(before)
    report = desk.run()
    assert counted(report) == (0, 0, 0)
    assert set(kept(report).values()) == {"the server's list was incomplete and did not name it"}
    desk.target.hidden = set()
    report = desk.run()
    assert (counted(report), kept(report)) == ((0, 0, 0), {})
    assert desk.target.items == before


def test_a_listed_event_whose_text_cannot_be_had_is_in_doubt(tmp_path: Path):
    desk = Desk(tmp_path, Doubtful())
    desk.run()
    for href, body in desk.target.items.items():
        desk.target.put(href, body.replace("END:VEVENT", "X-APPLE-NOISE:1\r\nEND:VEVENT"))
    before = desk.target.items
    desk.target.mute = set(before)
    report = desk.run()
    assert counted(report) == (0, 0, 0)
    assert set(kept(report).values()) == {"the server's list was incomplete and did not name it"}
    desk.target.mute = set()
    assert (counted(desk.run()), desk.target.items) == ((0, 0, 0), before)


def test_what_is_gone_and_wanted_no_more_is_forgotten(desk: Desk):
    desk.target.put("dentist.ics", FOREIGN)
    desk.run()
    first = {*desk.target.items}
    for href in first:
        desk.target.remove(href)
    desk.write(REJECTED)
    desk.run()
    desk.write(JOURNAL)
    report = desk.run()
    assert counted(report) == (1, 0, 0)
    assert first.isdisjoint(desk.target.items)


# ------------------------------------------------------------------------------------------------ crashes


class CrashError(Exception):
    """The process ends here, as if it had been killed."""


LATER = JOURNAL.replace("applied: 2026-11-18", "applied: 2026-11-23")
"""The call to Bolt is a week later than in JOURNAL."""

WRITES = {JOURNAL: 3, MOVED: 4, REJECTED: 1}


def quiet(folder: Path, journal: str) -> list[str]:
    """The calendar after the same runs, without a crash."""
    desk = Desk(folder)
    if journal != JOURNAL:
        desk.run()
    desk.write(journal)
    assert sum(counted(desk.run())) == WRITES[journal]
    return desk.calendar()


CASES = [(journal, at, done) for journal, writes in WRITES.items() for at in range(1, writes + 1) for done in (0, 1)]


@pytest.mark.parametrize(("journal", "at", "done"), CASES)
def test_a_crash_at_any_write_and_a_second_run_end_the_same(tmp_path: Path, journal, at, done):
    target = Falling(0, done=bool(done), error=CrashError())
    desk = Desk(tmp_path / "crashing", target)
    if journal != JOURNAL:
        desk.run()
    desk.write(journal)
    target.writes, target.at = itertools.count(1), at
    with pytest.raises(CrashError):
        desk.run()
    target.at = 0
    desk.run(NOW + timedelta(minutes=1))
    assert desk.calendar() == quiet(tmp_path / "quiet", journal)
    report = desk.run(NOW + timedelta(minutes=2))
    assert (counted(report), kept(report)) == ((0, 0, 0), {})


class Witness(MemoryTarget):
    """Looks, at each delete, which events the state still has on the disk: what a run after a crash would know."""

    connections = 1

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.known: list[int] = []

    def delete(self, item: Resource) -> None:
        with opened(self.folder, writes=False) as state:
            self.known.append(len(state.hrefs("caldav default memory")))
        super().delete(item)


def test_each_delete_is_on_record_before_the_next(tmp_path: Path):
    """Else, after a crash, a window that is wanted again would count as deleted by the user."""
    desk = Desk(tmp_path, Witness(tmp_path / "state"))
    desk.run()
    desk.write("applications: []\n")
    assert counted(desk.run()) == (0, 0, 3)
    assert desk.target.known == [3, 2, 1]


@pytest.mark.parametrize("lost", [False, True])
def test_a_crash_on_a_server_that_drops_marks_makes_no_second_event(tmp_path: Path, lost):
    class Both(Stripping):
        writes = itertools.count(1)

        def create(self, href: str, body: str) -> Resource:
            made = super().create(href, body)
            if next(self.writes) == 2:
                raise CrashError
            return made

    desk = Desk(tmp_path, Both())
    with pytest.raises(CrashError):
        desk.run()
    if lost:
        desk.lose_state()
    assert counted(desk.run()) == (1, 0, 0)
    assert len(desk.target.items) == 3
    assert counted(desk.run()) == (0, 0, 0)


class StrippingAndFalling(Stripping):
    """As Stripping; each update that is made is the last thing the process does while `falls`."""

    falls = False

    def update(self, item: Resource, body: str) -> Resource:
        written = super().update(item, body)
        if self.falls:
            raise CrashError
        return written


@pytest.mark.parametrize(("last", "then"), [(RENAMED, JOURNAL), (LATER, JOURNAL), (JOURNAL, LATER)])
def test_a_crash_on_a_server_that_drops_marks_makes_no_hand_edit_of_what_we_wrote(tmp_path: Path, last, then):
    """What was written and not recorded follows the journal, and nobody is said to have moved it."""
    target = StrippingAndFalling()
    desk, honest = Desk(tmp_path / "crashing", target), Desk(tmp_path / "honest")
    desk.write(then)
    desk.run()
    target.falls = True
    desk.write(last)
    with pytest.raises(CrashError):
        desk.run()
    target.falls = False
    desk.run()
    for each in (desk, honest):
        each.write(then)
        each.run()
    assert desk.titles() == honest.titles()
    assert not (desk.folder / "answers.yaml").exists()


def test_on_a_server_that_drops_marks_what_another_computer_wrote_follows_the_journal(tmp_path: Path):
    desk = Desk(tmp_path / "one", Stripping())
    other = Desk(tmp_path / "another", desk.target)
    for each, journal in ((desk, JOURNAL), (other, JOURNAL), (desk, LATER), (other, LATER)):
        each.write(journal)
        each.run()
    other.write(JOURNAL)
    report = other.run()
    assert (counted(report), kept(report)) == ((0, 1, 0), {})
    assert report.outcomes[0].answers == ()


# ---------------------------------------------------------------------------------------------- the clock


def test_a_clock_that_went_back_still_stamps_later(desk: Desk):
    """ICSx5 skips an event whose LAST-MODIFIED did not grow."""
    desk.run()
    desk.write(RENAMED)
    desk.run(NOW - timedelta(days=2))
    stamps = re.findall(r"LAST-MODIFIED:(\w+)", "".join(desk.target.items.values()))
    assert sorted(stamps)[-1] == "20261123T060001Z"


def test_what_was_written_by_a_clock_that_went_back_is_written_once(desk: Desk):
    """The stamp is later than the moment by which the alarms were set, and the event tells both."""
    desk.run(NOW + timedelta(hours=5))
    desk.write(RENAMED)
    assert counted(desk.run(NOW - timedelta(hours=1))) == (0, 1, 0)
    assert counted(desk.run(NOW)) == (0, 0, 0)


def test_of_two_generations_the_later_stands_and_the_other_goes(desk: Desk):
    """As where two computers made the same event before either saw the other's."""
    uid = uid_for(desk, CALL)
    desk.target.put(f"{uid}.ics", FOREIGN)
    desk.run()
    desk.target.remove(f"{uid}.ics")
    other = Desk(desk.folder / "other", desk.target)
    twin = Desk(desk.folder / "twin")
    twin.run()
    desk.target.put(f"{uid}.ics", twin.target.items[f"{uid}.ics"])
    assert counted(other.run()) == (0, 0, 1)
    assert len(desk.titles()) == 3
    assert counted(desk.run()) == (0, 0, 0)
