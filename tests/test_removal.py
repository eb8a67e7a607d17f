"""`calsync remove`: everything of ours goes, and the calendar is byte for byte as before calsync came."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from calsync import config, removal, state, sync
from calsync.errors import GuardError, SyncFailedError, UnreachableError
from calsync.outcome import Outcome
from calsync.plan import Action, remove
from calsync.targets.base import ItemError, Listing
from calsync.targets.memory import MemoryTarget
from tests.samples import JOURNAL
from tests.servers import Server
from tests.test_plan import COPY, HREF, MOVED, PAST, THEIRS, WINDOW, A, cached, event, known, said, stripped
from tests.test_sync import FOREIGN, NOW, TOUCHED, InMemory, OnServer, World, counted, uid

# ------------------------------------------------------------------------------------------- what goes, as a table

UNLISTED = "keep: the server's list was incomplete and did not name it"
OTHER = "bolt/application-call/1"

ROWS = {
    "ours": (known(event(A), memory=cached()), ["delete 1"]),
    "ours, past": (known(event(PAST, PAST), memory=cached()), ["delete 1"]),
    "changed by hand": (known(event(THEIRS), memory=cached()), ["delete 1"]),
    "moved by hand, cache lost": (known(event(MOVED)), ["delete 1"]),
    "our mark without a base": (known(replace(event(A), item=replace(event(A).item, base=None))), ["delete 1"]),
    "two generations": (known(event(A), event(A, generation=2), memory=cached(generation=2)), ["delete 1", "delete 2"]),
    "mark dropped, in the cache": (known(stripped(A), memory=cached()), ["delete 1"]),
    "mark dropped, an old generation": (known(stripped(A), memory=cached(generation=3)), ["delete 1"]),
    "mark dropped, in the journal": (known(stripped(A, window=OTHER)), ["delete 1"]),
    "mark dropped, in neither": (known(stripped(A, window="gone/check-in/1.1")), []),
    "gone": (known(memory=cached()), []),
    "not in a doubtful list": (known(memory=cached(), whole=False), [UNLISTED]),
    "another's at our href": (known(memory=cached(), whole=False, others=frozenset({HREF})), []),
    "a copy of ours": (known(replace(event(A), item=COPY)), []),
    "another name's": (known(event(A, name="second")), []),
    "foreign": (known(others=frozenset({"/cal/dentist.ics"})), []),
    "nothing": (known(), []),
}


@pytest.mark.parametrize(("stands", "then"), ROWS.values(), ids=ROWS)
def test_the_table_of_what_is_removed(stands, then):
    assert said(remove(stands, [WINDOW, OTHER])) == then


def test_every_change_of_a_removal_is_a_delete_of_what_was_found():
    found = [event(A), event(THEIRS, window=OTHER)]
    plan = remove(known(*found))
    assert [change.action for change in plan.changes] == [Action.DELETE] * 2
    assert sorted(change.before.href for change in plan.changes) == sorted(each.href for each in found)


# --------------------------------------------------------------------------------------------- what is done


def take_out(world: World, *, dry_run: bool = False, today: date | None = None, targets: Any = None) -> sync.Report:
    """Run the removal of the name `default`, whose config the last `world.run` wrote."""
    settings = config.load(world.folder / "default.yaml", {}, world.folder)
    moment = sync.Moment.of(NOW, today, settings.timezone)
    return removal.remove(settings, moment, world.environ(), dry_run=dry_run, targets=targets or world.targets)


class RemovalContract:
    """What holds wherever the calendar is. A subclass gives the fixture `world`."""

    def test_the_calendar_is_byte_for_byte_as_before(self, world: World):
        world.put("dentist-1.ics", FOREIGN)
        world.run("second")
        before = world.items()
        assert len(before) == 4
        world.run()
        world.edit("bolt/application-call/1", "Call Lee at Bolt", "Ring Lee")
        world.edit("acme/check-in/1.1", "DTSTART", "X-MINE:1\r\nDTSTART")
        world.write(TOUCHED)
        world.run()
        later = take_out(world, today=date(2027, 3, 1))
        assert counted(later) == (0, 0, 3), "what is past and what was changed by hand goes too"
        assert (later.exit_code, later.errors) == (0, [])
        assert world.items() == before

    def test_a_second_removal_finds_nothing(self, world: World):
        world.run()
        take_out(world)
        again = take_out(world)
        assert (counted(again), again.exit_code) == ((0, 0, 0), 0)

    def test_a_dry_run_shows_it_and_writes_nothing(self, world: World):
        world.run()
        before = world.items(), {path: path.read_bytes() for path in world.folder.rglob("state/*")}
        assert counted(take_out(world, dry_run=True)) == (0, 0, 3)
        assert (world.items(), {path: path.read_bytes() for path in world.folder.rglob("state/*")}) == before

    def test_without_the_state_it_goes_by_the_marks(self, world: World):
        href = world.put("dentist-1.ics", FOREIGN)
        world.run()
        (world.folder / "state" / "state.sqlite3").unlink()
        assert counted(take_out(world)) == (0, 0, 3)
        assert list(world.items()) == [href]

    def test_without_a_journal_it_goes_on_and_warns(self, world: World):
        world.run()
        (world.folder / "applications.yaml").unlink()
        report = take_out(world)
        assert counted(report) == (0, 0, 3)
        assert "the journal cannot be read" in report.warnings[0]
        assert world.items() == {}

    def test_an_event_without_its_mark_is_known_by_its_uid(self, world: World):
        """Some servers drop X- properties; here a hand does, and the state is lost too."""
        world.run()
        href = world.href_of("bolt/application-call/1")
        body = "\r\n".join(line for line in world.items()[href].split("\r\n") if not line.startswith(("X-CAL", " ")))
        world.put(href, body)
        (world.folder / "state" / "state.sqlite3").unlink()
        take_out(world)
        assert world.items() == {}

    def test_the_state_forgets_the_place_but_not_the_uids_that_are_used_up(self, world: World):
        world.put("dentist-1.ics", FOREIGN)
        world.run()
        before = {uid(body) for body in world.ours().values()}
        world.remove(world.href_of("bolt/application-call/1"))
        report = take_out(world)
        with state.opened(world.folder / "state", writes=False) as cache:
            place = f"{report.outcomes[0].target} default {report.outcomes[0].where}"
            assert cache.entries(place) == {}
            assert len(cache.retired(place)) == 3, "also that of the event which the user deleted"
        assert counted(world.run()) == (3, 0, 0), "calsync may come again"
        assert not before & {uid(body) for body in world.ours().values()}
        assert counted(world.run()) == (0, 0, 0)


class TestInMemory(RemovalContract):
    @pytest.fixture
    def world(self, tmp_path: Path) -> InMemory:
        return InMemory(tmp_path)

    def test_what_changes_in_between_is_left_and_said(self, world: InMemory):
        world.run()
        report = take_out(world, targets=_wrapped(world.target, _Meddled(world.target)))
        assert counted(report) == (0, 0, 2)
        [error] = report.errors
        assert isinstance(error, SyncFailedError)
        assert (report.exit_code, str(error)) == (
            1,
            "1 event of ours is still in memory, as they stood in doubt; run calsync remove again",
        )
        assert counted(take_out(world)) == (0, 0, 1)
        assert world.items() == {}

    def test_what_a_doubtful_list_left_out_is_said(self, world: InMemory):
        world.run()
        report = take_out(world, targets=_wrapped(world.target, _Halved(world.target)))
        assert (counted(report), report.exit_code) == ((0, 0, 1), 1)
        assert counted(take_out(world)) == (0, 0, 2)

    @pytest.mark.parametrize("target", ["_Meddled", "_Refusing", "_GoingAway"])
    def test_what_is_left_without_a_mark_is_known_by_the_state_alone(self, world: InMemory, target: str):
        """So the state forgets nothing where anything is left: the journal may be gone by the second time."""
        world.run()
        for href, body in world.items().items():
            world.put(href, "\r\n".join(line for line in _lines(body) if not line.startswith("X-")) + "\r\n")
        report = take_out(world, targets=_wrapped(world.target, globals()[target](world.target)))
        assert len(world.items()) == 1
        assert report.exit_code != 0
        world.write("applications: [\n")
        take_out(world)
        assert world.items() == {}


def _lines(body: str) -> list[str]:
    return body.replace("\r\n ", "").split("\r\n")[:-1]


class _Wrapped:
    """A memory target with something wrong about it."""

    def __init__(self, inner: MemoryTarget) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class _Meddled(_Wrapped):
    """Somebody else writes into the first event just before it is deleted."""

    def fetch(self, hrefs):
        return self._inner.fetch(hrefs)

    def delete(self, item):
        if not getattr(self, "done", False):
            self.done = True
            self._inner.put(item.href, item.body.replace("SUMMARY:", "SUMMARY:My "))
        self._inner.delete(item)


class _Refusing(_Wrapped):
    """The first event may not be deleted."""

    def delete(self, item):
        if not getattr(self, "done", False):
            self.done = True
            raise ItemError("no")
        self._inner.delete(item)


class _GoingAway(_Wrapped):
    """Cannot be reached any more once two events are deleted."""

    def delete(self, item):
        if len(self._inner.items) == 1:
            raise UnreachableError("away")
        self._inner.delete(item)


class _Halved(_Wrapped):
    """Its list is cut off after the first event."""

    def listing(self):
        return Listing(dict(list(self._inner.listing().etags.items())[:1]), whole=False)


def _wrapped(_inner: MemoryTarget, target: _Wrapped) -> Mapping[str, Callable[..., Any]]:
    return {"caldav": lambda **_settings: target}


class TestOnRadicale(RemovalContract):
    @pytest.fixture
    def world(self, tmp_path: Path, radicale: Server) -> OnServer:
        return OnServer(tmp_path, radicale)


class TestOnXandikos(RemovalContract):
    @pytest.fixture
    def world(self, tmp_path: Path, xandikos: Server) -> OnServer:
        return OnServer(tmp_path, xandikos)


# ------------------------------------------------------------------------------------------- the feed, the command


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user with a feed alone, and a sync behind them."""
    (tmp_path / "applications.yaml").write_text(JOURNAL, encoding="utf-8")
    (tmp_path / "config.yaml").write_text(
        "timezone: Europe/Berlin\napplications: applications.yaml\nfeed: {path: follow-ups.ics}\n", encoding="utf-8"
    )
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    assert main("sync", "--today", "2026-11-23") == 0
    assert (tmp_path / "follow-ups.ics").read_text().count("BEGIN:VEVENT") >= 3
    return tmp_path


def main(*arguments: str) -> int:
    from calsync.cli import main

    return main(arguments)


def test_what_has_nothing_of_ours_is_not_asked_about(tmp_path: Path):
    world = InMemory(tmp_path)
    world.run()
    report = take_out(world, dry_run=True)
    report.outcomes.append(Outcome(target="feed", where="follow-ups.ics"))
    assert removal.question(report) == f"Remove 3 events from {report.outcomes[0].where}? [y/N] "


def test_the_feed_is_emptied_and_stays_a_feed(folder: Path):
    assert main("remove", "--yes") == 0
    text = (folder / "follow-ups.ics").read_text()
    assert "BEGIN:VEVENT" not in text
    assert text.startswith("BEGIN:VCALENDAR")


def test_a_feed_that_was_never_written_is_not_made(folder: Path):
    (folder / "follow-ups.ics").unlink()
    assert main("remove", "--yes") == 0
    assert not (folder / "follow-ups.ics").exists()


def command(stdin: int) -> subprocess.CompletedProcess[str]:
    """`calsync remove` as a process of its own, with this as its standard input."""
    program = [sys.executable, "-m", "calsync", "remove"]
    return subprocess.run(program, stdin=stdin, capture_output=True, text=True, check=False)


def test_without_a_terminal_and_without_yes_it_refuses_and_names_the_flag(folder: Path):
    before = (folder / "follow-ups.ics").read_bytes()
    done = subprocess.run(
        [sys.executable, "-m", "calsync", "remove"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (GuardError.exit_code, "")
    assert "--yes" in done.stderr
    assert (folder / "follow-ups.ics").read_bytes() == before


@pytest.mark.parametrize(
    ("answer", "code", "left"), [("y\n", 0, 0), ("Yes\n", 0, 0), ("n\n", 1, 1), ("\n", 1, 1), ("\x04", 1, 1)]
)
def test_on_a_terminal_it_asks(folder: Path, answer: str, code: int, left: int):
    ours, theirs = pty.openpty()
    os.write(ours, answer.encode())
    done = subprocess.run(
        [sys.executable, "-m", "calsync", "remove"], stdin=theirs, capture_output=True, text=True, check=False
    )
    os.close(ours)
    os.close(theirs)
    assert done.returncode == code
    assert "events from follow-ups.ics? [y/N]" in done.stderr
    assert ((folder / "follow-ups.ics").read_text().count("BEGIN:VEVENT") > 0) == bool(left)


def test_a_dry_run_and_its_json_show_what_would_go(folder: Path, capsys: pytest.CaptureFixture[str]):
    capsys.readouterr()
    before = (folder / "follow-ups.ics").read_bytes()
    assert main("remove", "--dry-run", "--json") == 0
    changes = json.loads(capsys.readouterr().out)["changes"]
    assert {change["action"] for change in changes} == {"delete"}
    assert {change["fields"]["start"][1] for change in changes} == {None}
    assert (folder / "follow-ups.ics").read_bytes() == before


def test_a_config_that_syncs_to_nothing_is_said_to(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "config.yaml").write_text("applications: applications.yaml\n", encoding="utf-8")
    assert main("remove", "--yes") == 3
    assert "nothing to sync to" in capsys.readouterr().err
