"""The cache: it gives back what it was given, one process writes it, and it may be lost at any time."""

import json
import os
import resource
import sqlite3
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from calsync.errors import BusyError, CalsyncError
from calsync.identity import hashes
from calsync.model import Item, Mark, Reminder, Resource, Stamp
from calsync.state import Entry, opened

REMINDER = Reminder(start=date(2026, 11, 9), end=date(2026, 11, 14), summary="Call Dana Ruiz")
MARK = Mark("default", "acme/check-in/1.1", 1)
ITEM = Item(
    uid="uid",
    reminder=REMINDER,
    mark=MARK,
    base=hashes(REMINDER),
    stamp=Stamp(datetime(2026, 11, 5, 8, tzinfo=UTC), 2),
    written=datetime(2026, 11, 5, 8, tzinfo=UTC),
)
ENTRY = Entry(
    resource=Resource("/cal/uid.ics", '"1"', "BEGIN:VCALENDAR"), item=ITEM, written=MARK, base=hashes(REMINDER)
)
PLACE = "caldav default https://dav.example.org/cal/"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "state"


def remembered(folder, place=PLACE):
    with opened(folder, writes=False) as state:
        return state.entries(place)


def remember(folder, *entries):
    with opened(folder, writes=True) as state:
        for entry in entries:
            state.put(PLACE, entry)


texts = st.text(max_size=30)
moments = st.datetimes(datetime(1970, 1, 1), datetime(2199, 1, 1), timezones=st.just(UTC))
marks = st.builds(Mark, texts, texts, st.integers(1, 99))
bases = st.dictionaries(texts, texts, max_size=3)
reminders = st.builds(
    Reminder,
    start=st.dates() | moments,
    end=st.dates() | moments,
    summary=texts,
    description=texts,
    location=texts,
    status=texts,
    categories=st.lists(texts, max_size=3).map(tuple),
    alarms=st.lists(st.timedeltas(timedelta(-400), timedelta(400)), max_size=3).map(tuple),
    transp=texts,
    classification=texts,
)
items = st.builds(
    Item,
    uid=texts,
    reminder=reminders,
    mark=st.none() | marks,
    base=st.none() | bases.filter(bool),
    stamp=st.builds(Stamp, moments, st.integers(0, 2**31)),
    written=st.none() | moments,
)
entries = st.builds(
    Entry,
    resource=st.builds(Resource, texts, st.none() | texts, texts),
    item=items,
    written=st.none() | marks,
    base=st.none() | bases.filter(bool),
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    with opened(tmp_path_factory.mktemp("state"), writes=True) as state:
        yield state


numbers = count()


@given(st.lists(entries, max_size=3, unique_by=lambda entry: entry.resource.href))
def test_whatever_an_event_tells_it_comes_back_as_it_was(shared, given_entries):
    place = f"place {next(numbers)}"
    with shared.transaction():
        for entry in given_entries:
            shared.put(place, entry)
    assert shared.entries(place) == {entry.resource.href: entry for entry in given_entries}


def test_what_was_put_is_there_in_the_next_run(folder):
    remember(folder, ENTRY)
    assert remembered(folder) == {"/cal/uid.ics": ENTRY}
    assert remembered(folder, "another place") == {}


def test_mark_and_base_are_kept_once_and_also_read_where_they_stand_in_the_event_too(folder):
    remember(folder, ENTRY)
    with sqlite3.connect(folder / "state.sqlite3") as database:
        told = json.loads(database.execute("SELECT item FROM items").fetchone()[0])
        assert not {"mark", "base"} & told.keys()
        twice = {**told, "mark": {"name": MARK.name, "window": MARK.window, "generation": 1}, "base": hashes(REMINDER)}
        database.execute("UPDATE items SET item = ?", (json.dumps(twice),))
    database.close()
    assert remembered(folder) == {"/cal/uid.ics": ENTRY}


def test_what_is_put_again_replaces_what_was_there(folder):
    again = replace(ENTRY, resource=replace(ENTRY.resource, etag=None))
    remember(folder, ENTRY, again)
    assert remembered(folder) == {"/cal/uid.ics": again}


def test_the_text_of_what_is_not_ours_is_not_kept(folder):
    remember(folder, Entry(resource=Resource("/cal/x.ics", '"7"', "SUMMARY:see the doctor")))
    assert remembered(folder) == {"/cal/x.ics": Entry(resource=Resource("/cal/x.ics", '"7"', ""))}
    assert b"doctor" not in (folder / "state.sqlite3").read_bytes()


def test_what_is_forgotten_is_gone_at_its_place_alone(folder):
    with opened(folder, writes=True) as state:
        for place in ("a", "b"):
            state.put(place, ENTRY)
        state.forget("a", "/cal/uid.ics")
        state.forget("a", "never there")
    assert remembered(folder, "a") == {}
    assert remembered(folder, "b") == {"/cal/uid.ics": ENTRY}


def test_the_last_generation_that_was_deleted_is_remembered(folder):
    with opened(folder, writes=True) as state:
        state.retire("a", "acme/check-in/1.1", 1)
        state.retire("a", "acme/check-in/1.1", 2)
        state.retire("b", "acme/check-in/1.1", 7)
    with opened(folder, writes=False) as state:
        assert state.retired("a") == {"acme/check-in/1.1": 2}
        assert state.retired("c") == {}


def test_notes_are_kept_and_replaced(folder):
    with opened(folder, writes=True) as state:
        assert state.note("calendar") is None
        state.take_note("calendar", "/one/")
        state.take_note("calendar", "/two/")
    with opened(folder, writes=False) as state:
        assert state.note("calendar") == "/two/"


def put_and_fail(state):
    with state.transaction():
        state.put(PLACE, ENTRY)
        raise ZeroDivisionError


def test_a_transaction_that_fails_changes_nothing(folder):
    with opened(folder, writes=True) as state:
        state.take_note("kept", "yes")
        with pytest.raises(ZeroDivisionError):
            put_and_fail(state)
        assert state.entries(PLACE) == {}
        assert state.note("kept") == "yes"
        state.put(PLACE, ENTRY)
    assert len(remembered(folder)) == 1


# One at a time.

HOLD = """
import sys
from pathlib import Path
from calsync.state import opened
with opened(Path(sys.argv[1]), writes=True) as state:
    state.take_note("from", "the other")
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def holder(folder):
    """Another process that holds the state."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_writer_is_told_that_another_is_at_work(folder, holder):
    with pytest.raises(BusyError, match="another calsync is at work on") as caught, opened(folder, writes=True):
        pass
    assert caught.value.exit_code == 75


def test_one_who_only_reads_is_not_kept_waiting(folder, holder):
    with opened(folder, writes=False) as state:
        assert state.note("from") == "the other"


def test_a_lock_ends_with_its_process_however_that_ends(folder, holder):
    holder.kill()
    holder.wait()
    with opened(folder, writes=True) as state:
        assert state.note("from") == "the other"


def test_the_lock_is_let_go_also_after_an_error(folder):
    with pytest.raises(ZeroDivisionError), opened(folder, writes=True):
        raise ZeroDivisionError
    with opened(folder, writes=True):
        pass


# On the disk.


def tree(folder):
    return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.rglob("*") if path.is_file()}


def test_reading_makes_no_folder(folder):
    with opened(folder, writes=False) as state:
        state.put(PLACE, ENTRY)  # of a run that writes nothing: gone with it
        assert state.entries(PLACE) == {"/cal/uid.ics": ENTRY}
    assert not folder.exists()


def test_reading_touches_nothing(folder):
    remember(folder, ENTRY)
    before, changed = tree(folder), folder.stat().st_mtime_ns
    assert len(remembered(folder)) == 1
    assert tree(folder) == before
    assert folder.stat().st_mtime_ns == changed


def test_what_is_read_only_cannot_be_written(folder):
    remember(folder, ENTRY)
    with opened(folder, writes=False) as state, pytest.raises(sqlite3.OperationalError, match="readonly"):
        state.put(PLACE, ENTRY)


def test_the_folder_is_for_the_user_alone(folder):
    before = os.umask(0o022)
    try:
        remember(folder)
    finally:
        os.umask(before)
    assert folder.stat().st_mode & 0o777 == 0o700


def garbage(folder):
    (folder / "state.sqlite3").write_bytes(b"this is no database, whatever its name says" * 100)


def another_version(folder):
    with sqlite3.connect(folder / "state.sqlite3") as database:
        database.execute("PRAGMA user_version = 99")
    database.close()


def another_program(folder):
    (folder / "state.sqlite3").unlink()
    with sqlite3.connect(folder / "state.sqlite3") as database:
        database.execute("CREATE TABLE items (x)")
    database.close()


def table_lost(folder):
    with sqlite3.connect(folder / "state.sqlite3") as database:
        database.execute("DROP TABLE retired")
    database.close()


def cut_short(folder):
    path = folder / "state.sqlite3"
    path.write_bytes(path.read_bytes()[:-4096])


def damaged_inside(folder):
    path = folder / "state.sqlite3"
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))


def damaged_deep_inside(folder):
    path = folder / "state.sqlite3"
    path.write_bytes(path.read_bytes()[:-4096] + b"\xff" * 4096)


def emptied(folder):
    (folder / "state.sqlite3").write_bytes(b"")


@pytest.mark.parametrize(
    "damage",
    [garbage, another_version, another_program, table_lost, cut_short, damaged_inside, damaged_deep_inside, emptied],
)
def test_a_state_that_cannot_be_read_is_made_anew(folder, damage):
    remember(folder, *(replace(ENTRY, resource=replace(ENTRY.resource, href=f"/{n}.ics")) for n in range(50)))
    damage(folder)
    before = tree(folder)
    assert remembered(folder) == {}
    assert tree(folder) == before, "reading repairs nothing"
    with opened(folder, writes=True) as state:
        assert state.entries(PLACE) == {}
        assert state.retired(PLACE) == {}
        state.put(PLACE, ENTRY)
    assert remembered(folder) == {"/cal/uid.ics": ENTRY}


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    place = tmp_path / "file" / "state"
    with pytest.raises(CalsyncError) as caught, opened(place, writes=True):
        pass
    assert str(caught.value) == f"the state folder {place} cannot be written: Not a directory"
    with opened(place, writes=False) as state:
        assert state.entries(PLACE) == {}


def test_a_folder_in_the_place_of_the_state_is_a_clear_error(folder):
    (folder / "state.sqlite3").mkdir(parents=True)
    with (
        pytest.raises(CalsyncError, match=r"the state \S+/state.sqlite3 cannot be written: "),
        opened(folder, writes=True),
    ):
        pass
    with opened(folder, writes=False) as state:
        assert state.entries(PLACE) == {}


@pytest.fixture
def no_room():
    """No file may grow beyond 64 KiB: writes fail as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def note_much(state):
    state.take_note("much", "x" * 100_000)


def note_much_at_once(state):
    with state.transaction():
        note_much(state)


def note_much_one_by_one(state):
    with state.in_batches() as taken:
        for _ in range(3):
            note_much(state)
            taken()


@pytest.mark.parametrize("write", [note_much, note_much_at_once, note_much_one_by_one])
@pytest.mark.usefixtures("no_room")
def test_a_full_disk_is_a_clear_error_and_what_was_there_stays(folder, write):
    remember(folder, ENTRY)
    with pytest.raises(CalsyncError) as caught, opened(folder, writes=True) as state:
        write(state)
    assert str(caught.value).startswith(f"the state {folder / 'state.sqlite3'} cannot be written: d")
    assert remembered(folder) == {"/cal/uid.ics": ENTRY}


def test_a_relative_folder_with_odd_signs_is_found(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    odd = type(tmp_path)("ü ?#%20&mode=rwc")
    remember(odd, ENTRY)
    assert remembered(odd) == {"/cal/uid.ics": ENTRY}
    assert sorted(path.name for path in (tmp_path / odd).iterdir()) == ["lock", "state.sqlite3"]


def test_results_that_come_one_by_one_share_transactions_and_outlive_an_error(tmp_path):
    begun = []

    def write_and_fail(cache):
        with cache.in_batches() as taken:
            for number in range(120):
                cache.take_note(f"{number}", "noted")
                taken()
            raise KeyboardInterrupt

    with opened(tmp_path, writes=True) as cache:
        cache._database.set_trace_callback(lambda text: begun.append(text) if text == "BEGIN" else None)
        with pytest.raises(KeyboardInterrupt):
            write_and_fail(cache)
    assert len(begun) == 3
    with opened(tmp_path, writes=False) as cache:
        assert all(cache.note(f"{number}") for number in range(120))
