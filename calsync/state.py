"""The cache of what was last seen and written, in SQLite. The only door to sqlite3.

It saves work and remembers what a calendar cannot: that an event stood there and is gone. Its file may be deleted at
any time; what is lost then is told in `docs/identity.md`. One process at a time writes it (`Lock`). Public face:
`opened`, which gives a `State`; `Entry`, one item of one calendar.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from msgspec import Struct

from calsync.errors import BusyError, CalsyncError
from calsync.identity import OWNED
from calsync.model import Hashes, Item, Mark, Reminder, Resource, Stamp

_VERSION = 1
_FILE = "state.sqlite3"
BATCH = 50
"""So many results may be lost by a crash. Each transaction takes five times as long as what is in it."""
_TABLES = (
    """CREATE TABLE items (
        place TEXT NOT NULL, href TEXT NOT NULL, etag TEXT, body TEXT NOT NULL, item TEXT, written TEXT, base TEXT,
        PRIMARY KEY (place, href)
    ) WITHOUT ROWID""",
    """CREATE TABLE retired (
        place TEXT NOT NULL, window TEXT NOT NULL, generation INTEGER NOT NULL, PRIMARY KEY (place, window)
    ) WITHOUT ROWID""",
    "CREATE TABLE notes (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
)


class Entry(Struct, frozen=True, kw_only=True):
    """An item as it was last seen at a place. `item` is None for what is not ours; then its text is not kept either.

    `written` is the mark under which we wrote it and `base` the hashes of what we wrote, None where we did not: they
    outlive a server that drops both from the event.
    """

    resource: Resource
    item: Item | None = None
    written: Mark | None = None
    base: Hashes | None = None


class State:
    """The cache: the entries of each place (a calendar or a feed file, for one journal's name)."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def entries(self, place: str) -> dict[str, Entry]:
        """All entries of `place`, by href."""
        rows = self._database.execute(
            "SELECT href, etag, body, item, written, base FROM items WHERE place = ?", (place,)
        ).fetchall()
        items, marks, bases = (_all_from_json(row[at] for row in rows) for at in (3, 4, 5))
        each = zip(rows, items, marks, bases, strict=True)
        return {row[0]: _entry(Resource(*row[:3]), item, mark, base) for row, item, mark, base in each}

    def hrefs(self, place: str) -> set[str]:
        """The hrefs of all entries of `place`."""
        return {href for (href,) in self._database.execute("SELECT href FROM items WHERE place = ?", (place,))}

    def put(self, place: str, entry: Entry) -> None:
        """Remember `entry`."""
        resource = entry.resource
        item = entry.item and json.dumps(_item_to_json(entry.item, entry))
        written = entry.written and json.dumps(_mark_to_json(entry.written))
        base = entry.base and json.dumps(dict(entry.base))
        row = (place, resource.href, resource.etag, resource.body if entry.item else "", item, written, base)
        self._database.execute("INSERT OR REPLACE INTO items VALUES (?, ?, ?, ?, ?, ?, ?)", row)

    def forget(self, place: str, href: str) -> None:
        """Remember nothing of `href` any more."""
        self._database.execute("DELETE FROM items WHERE place = ? AND href = ?", (place, href))

    def start_anew(self, place: str, used: Mapping[str, int]) -> None:
        """Forget what stood at `place`, which is gone as a whole; `used` has the last generation of each window."""
        for window, generation in used.items():
            self.retire(place, window, generation)
        self._database.execute("DELETE FROM items WHERE place = ?", (place,))

    def retire(self, place: str, window: str, generation: int) -> None:
        """Remember that the UID of this generation was deleted, so that it and those before are not used again."""
        self._database.execute(
            "INSERT INTO retired VALUES (?, ?, ?)"
            " ON CONFLICT DO UPDATE SET generation = max(generation, excluded.generation)",
            (place, window, generation),
        )

    def retired(self, place: str) -> dict[str, int]:
        """The last generation of each window that was deleted at `place`."""
        return dict(self._database.execute("SELECT window, generation FROM retired WHERE place = ?", (place,)))

    def generations(self, target: str, name: str) -> dict[str, int]:
        """The generation of each window's event in a target, wherever that is, as far as one is known."""
        places = f"{target} {name} *"
        rows = self._database.execute(
            "SELECT window, generation + 1 FROM retired WHERE place GLOB :places UNION ALL "
            "SELECT written ->> 'window', written ->> 'generation' FROM items "
            "WHERE place GLOB :places AND written IS NOT NULL ORDER BY 2",
            {"places": places},
        )
        return dict(rows.fetchall())

    def note(self, key: str) -> str | None:
        """What was noted under `key`, such as where a calendar was found."""
        row = self._database.execute("SELECT value FROM notes WHERE key = ?", (key,)).fetchone()
        return row and str(row[0])

    def take_note(self, key: str, value: str) -> None:
        """Note `value` under `key`."""
        self._database.execute("INSERT OR REPLACE INTO notes VALUES (?, ?)", (key, value))

    def drop_note(self, key: str) -> None:
        """Remember nothing under `key` any more."""
        self._database.execute("DELETE FROM notes WHERE key = ?", (key,))

    def undo(self, target: str, name: str, window: str) -> int:
        """Remember that the user took an answer about `window` back: its event of now is to make way for a new one.

        Returns its generation. It counts wherever the calendar is: that is not known here.
        """
        marks = [written for written in self._marks(target, name) if written.window == window]
        used = [mark.generation for mark in marks] + [self._last_retired(target, name, window), 1]
        undone = {**self.undone(target, name), window: max(used)}
        self.take_note(_undone_key(target, name), json.dumps(undone))
        return undone[window]

    def undone(self, target: str, name: str) -> dict[str, int]:
        """Window id -> the generation up to which its events are to go, as their answers were taken back."""
        return dict(json.loads(self.note(_undone_key(target, name)) or "{}"))

    def _marks(self, target: str, name: str) -> list[Mark]:
        rows = self._database.execute(
            "SELECT written FROM items WHERE place GLOB ? AND written IS NOT NULL", (f"{target} {name} *",)
        )
        return [Mark(**json.loads(row[0])) for row in rows]

    def _last_retired(self, target: str, name: str, window: str) -> int:
        query = "SELECT max(generation) FROM retired WHERE place GLOB ? AND window = ?"
        return self._database.execute(query, (f"{target} {name} *", window)).fetchone()[0] or 0

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Several changes as one."""
        with self._database:
            self._database.execute("BEGIN")
            yield

    @contextmanager
    def in_batches(self, size: int = BATCH) -> Iterator[Callable[[], None]]:
        """Changes that come one by one are kept so many at a time, all of them at the end, also where an error ends it.

        Gives what is to be called after each.
        """
        count = 0
        self._database.execute("BEGIN")

        def taken() -> None:
            nonlocal count
            count += 1
            if count % size == 0:
                self._database.execute("COMMIT")
                self._database.execute("BEGIN")

        try:
            yield taken
        finally:
            if self._database.in_transaction:  # a full disk may have ended it
                self._database.execute("COMMIT")


def _undone_key(target: str, name: str) -> str:
    return f"undone {target} {name}"


def is_there(folder: Path) -> bool:
    """Whether there is a state in `folder`, good or not."""
    return (folder / _FILE).exists()


@contextmanager
def opened(folder: Path, *, writes: bool) -> Iterator[State]:
    """The state in `folder`, made where it is missing; with `writes=False` nothing on the disk is touched.

    The folder is for the user alone. Raises BusyError if another calsync writes it, CalsyncError if it cannot be used,
    also later, as when the disk is full.
    """
    with contextlib.ExitStack() as stack:
        path = folder / _FILE
        if writes:
            stack.enter_context(_locked(folder))
            database = _usable(path)
        else:
            database = _readable(path)
        stack.callback(database.close)
        try:
            yield State(database)
        except sqlite3.Error as error:
            raise CalsyncError(f"the state {path} cannot be {'written' if writes else 'read'}: {error}") from error


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; the system lets go of it when the process ends, however it ends."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = (folder / "lock").open("a")
    except OSError as error:
        raise CalsyncError(f"the state folder {folder} cannot be written: {error.strerror}") from error
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BusyError(f"another calsync is at work on {folder}; this one leaves it to that") from None
        yield


def _usable(path: Path) -> sqlite3.Connection:
    """The state, made anew where there is none or where it cannot be read."""
    try:
        with contextlib.suppress(sqlite3.DatabaseError):
            return _writable(path)
        for each in (path, path.with_name(f"{path.name}-journal")):
            each.unlink(missing_ok=True)
        return _writable(path)
    except (OSError, sqlite3.DatabaseError) as error:
        raise CalsyncError(f"the state {path} cannot be written: {error}") from error


def _writable(path: Path) -> sqlite3.Connection:
    return _sound(_checked(_connect(f"{path.absolute().as_uri()}?mode=rwc"), create=True), path)


def _readable(path: Path) -> sqlite3.Connection:
    """The state for a run that writes nothing: an empty one where there is none, or none of this version."""
    with contextlib.suppress(OSError, sqlite3.DatabaseError):
        if path.exists():
            return _sound(_checked(_connect(f"{path.absolute().as_uri()}?mode=ro"), create=False), path)
    return _checked(_connect("file::memory:"), create=True)


def _connect(uri: str) -> sqlite3.Connection:
    """No write waits for the disk: a crash of calsync loses nothing, one of the machine may cost the cache."""
    database = sqlite3.connect(uri, uri=True, isolation_level=None)
    with contextlib.suppress(sqlite3.DatabaseError):  # `_checked` says what is wrong with it, and closes it
        database.execute("PRAGMA synchronous = OFF")
    return database


def _checked(database: sqlite3.Connection, *, create: bool) -> sqlite3.Connection:
    """Raises sqlite3.DatabaseError where this is no state of this version."""
    try:
        version = database.execute("PRAGMA user_version").fetchone()[0]
        if version == 0 and create:
            with database:
                database.execute("BEGIN")
                for table in _TABLES:
                    database.execute(table)
                database.execute(f"PRAGMA user_version = {_VERSION}")
        elif version != _VERSION:
            raise sqlite3.DatabaseError(f"state of version {version}")  # noqa: TRY301 - it is closed just below
        for table in ("items", "retired", "notes"):
            database.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchall()  # noqa: S608 - our own names
    except sqlite3.DatabaseError:
        database.close()
        raise
    return database


def _sound(database: sqlite3.Connection, path: Path) -> sqlite3.Connection:
    """Raises sqlite3.DatabaseError where something within the file is damaged."""
    about = path.stat()
    if not _is_sound(path, (about.st_ino, about.st_mtime_ns, about.st_size)):
        database.close()
        raise sqlite3.DatabaseError("the state is damaged")
    return database


@lru_cache(maxsize=1)
def _is_sound(path: Path, _identity: tuple[int, ...]) -> bool:
    """Whether SQLite finds nothing wrong in the file; it reads all of it, so once for a file that stays the same."""
    with contextlib.closing(_connect(f"{path.absolute().as_uri()}?mode=ro")) as database:
        try:
            return bool(database.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
        except sqlite3.DatabaseError:
            return False


def _all_from_json(texts: Iterable[str | None]) -> list[Any]:
    """The values of JSON texts, None for none; read at once, which takes half as long as one by one."""
    return list(json.loads(f"[{','.join(text or 'null' for text in texts)}]"))


def _entry(resource: Resource, item: Any, mark: Any, base: Any) -> Entry:  # noqa: ANN401 - they are what JSON has
    written = Mark(**mark) if mark else None
    told = _item_from_json(item, written, base) if item else None
    return Entry(resource=resource, item=told, written=written, base=base)


def _item_to_json(item: Item, entry: Entry) -> dict[str, object]:
    """What an event tells of itself; its mark and base only where they are not the entry's own."""
    fields = {name: getattr(item.reminder, name) for name in OWNED}
    reminder = {
        **fields,
        "start": item.reminder.start.isoformat(),
        "end": item.reminder.end.isoformat(),
        "alarms": [trigger.total_seconds() for trigger in item.reminder.alarms],
    }
    stamp = [item.stamp.moment.isoformat(), item.stamp.sequence]
    written = item.written and item.written.isoformat()
    told: dict[str, object] = {"uid": item.uid, "reminder": reminder, "stamp": stamp, "written": written}
    if item.mark != entry.written:
        told["mark"] = item.mark and _mark_to_json(item.mark)
    if item.base != entry.base:
        told["base"] = dict(item.base) if item.base else None
    return told


def _mark_to_json(mark: Mark) -> dict[str, object]:
    return {"name": mark.name, "window": mark.window, "generation": mark.generation}


def _item_from_json(values: Mapping[str, Any], mark: Mark | None, base: Hashes | None) -> Item:
    """The item; `mark` and `base` are the entry's, which stand in for its own where those are the same."""
    if "mark" in values:
        mark = Mark(**values["mark"]) if values["mark"] else None
    reminder = {
        **values["reminder"],
        "start": _moment(values["reminder"]["start"]),
        "end": _moment(values["reminder"]["end"]),
        "categories": tuple(values["reminder"]["categories"]),
        "alarms": tuple(timedelta(seconds=seconds) for seconds in values["reminder"]["alarms"]),
    }
    moment, sequence = values["stamp"]
    return Item(
        uid=values["uid"],
        reminder=Reminder(**reminder),
        mark=mark,
        base=values.get("base", base),
        stamp=Stamp(datetime.fromisoformat(moment), sequence),
        written=datetime.fromisoformat(values["written"]) if values["written"] else None,
    )


def _moment(text: str) -> date:
    return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)
