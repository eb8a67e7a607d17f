"""The three-way decision: what is wanted, what we wrote last, what stands there. Pure (`docs/identity.md`).

Everything is decided before anything is written (vdirsyncer, `sync/__init__.py`; external-dns, `plan/plan.go`).
Public face: `decide` for a calendar that is the user's, `mirror` for a file that is all ours; both give a `Plan` of
small sortable `Change`s, deletes before creates before updates.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum

from calsync.identity import differing, hashes, uid_of
from calsync.model import Hashes, Item, Mark, Reminder


class Action(IntEnum):
    """What is done to an event, in the order in which a plan is carried out."""

    DELETE = 1
    CREATE = 2
    UPDATE = 3


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a window should stand in the calendar.

    A reminder depends on the moment of writing (`reminders.py`): `kept` is as of the stored event's own stamp and is
    compared, `fresh` is as of now and is written. `creates` is False for what is only updated where it stands already:
    a window that was used up.
    """

    kept: Reminder
    fresh: Reminder
    creates: bool = True


@dataclass(frozen=True, slots=True)
class Found:
    """An event that stands at `href`, and what it tells of itself."""

    href: str
    etag: str | None
    item: Item


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the cache says of a window's event: where it was, its generation, and what we wrote."""

    href: str
    generation: int
    base: Hashes


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """One thing to do. `before` is what stands there (None for a create), `after` what will (None for a delete)."""

    action: Action
    window: str
    mark: Mark = field(compare=False)
    before: Found | None = field(compare=False, default=None)
    after: Reminder | None = field(compare=False, default=None)


@dataclass(frozen=True, slots=True, order=True)
class Kept:
    """An event that is left alone although something speaks for a change; `because` says why, for people."""

    window: str
    uid: str
    because: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done, what is left alone, and how many events are right as they stand."""

    changes: tuple[Change, ...] = ()
    kept: tuple[Kept, ...] = ()
    unchanged: int = 0


@dataclass(frozen=True, slots=True)
class Known:
    """What stands in a calendar and what the cache remembers of it.

    `found` are its events; `others` the hrefs of everything else in it. `retired` has the last generation of each
    window whose UID was deleted. `whole` is False where the listing was in doubt. `name` is the journal's, `target` the
    target's.
    """

    name: str
    target: str
    found: tuple[Found, ...]
    others: frozenset[str] = frozenset()
    memory: Mapping[str, Remembered] = field(default_factory=dict)
    retired: Mapping[str, int] = field(default_factory=dict)
    whole: bool = True

    def is_ours(self, item: Item) -> bool:
        """Whether `item` has our mark, with our name and the UID that the mark gives: a copy of ours is not ours."""
        return item.mark is not None and item.mark.name == self.name and item.uid == uid_of(item.mark, self.target)


def decide(wanted: Mapping[str, Wanted], known: Known, day: datetime) -> Plan:
    """Say what is to be done to a calendar in which people and other programs write too.

    `day` is the midnight, in the user's zone, with which today begins. For each window, W what is wanted, C what the
    cache or the event's own base says that we wrote, S what stands on the server:

        W  C  S                        then
        A  -  -                        create, generation 1, or the one after the last that was deleted
        A  A  A                        nothing; the new ETag is noted
        B  A  A                        update over A's body: same UID, sequence + 1
        A  A  changed by hand          keep, and say so
        A  A  gone                     keep away: the user deleted it
        A  A  not in a doubtful list   keep, and say so
        A  A  another's at our href    create, generation + 1
        -  A  A                        delete
        -  A  A, ended before today    nothing: it is the user's history
        -  A  changed by hand          keep, and say so
        -  -  foreign                  nothing, ever
    """
    steps = [*_wanted_steps(wanted, known), *_unwanted_steps(wanted, known, day)]
    return _plan(steps)


def mirror(wanted: Mapping[str, Wanted], known: Known) -> Plan:
    """Say what is to be done to a file that only we write: it is to hold what is wanted and nothing else of ours."""
    standing = _standing(known)
    steps: list[Change | Kept | None] = []
    for window, want in wanted.items():
        found = standing.get(window)
        if found is None:
            steps.append(Change(Action.CREATE, window, Mark(known.name, window, 1), after=want.fresh))
        else:
            changed = hashes(found.item.reminder) != hashes(want.kept)
            steps.append(_update(window, known, found, want) if changed else None)
    steps += [_delete(found) for found in _ours(known) if standing[_window(found)] is not found]
    steps += [_delete(found) for window, found in standing.items() if window not in wanted]
    return _plan(steps)


def _plan(steps: Iterable[Change | Kept | None]) -> Plan:
    """Sort the steps; None stands for an event that is right as it is."""
    steps = list(steps)
    return Plan(
        changes=tuple(sorted(step for step in steps if isinstance(step, Change))),
        kept=tuple(sorted(step for step in steps if isinstance(step, Kept))),
        unchanged=steps.count(None),
    )


def _wanted_steps(wanted: Mapping[str, Wanted], known: Known) -> Iterator[Change | Kept | None]:
    standing = _standing(known)
    stripped = {found.item.uid: found for found in known.found if found.item.mark is None}
    for window, want in wanted.items():
        remembered = known.memory.get(window)
        mark = Mark(known.name, window, remembered.generation if remembered else known.retired.get(window, 0) + 1)
        if found := standing.get(window) or stripped.get(uid_of(mark, known.target)):
            yield _compare(window, known, found, want)
        elif remembered:
            yield _missing(mark, known, remembered, want)
        elif want.creates:
            yield Change(Action.CREATE, window, mark, after=want.fresh)


def _compare(window: str, known: Known, found: Found, want: Wanted) -> Change | Kept | None:
    """Decide about an event that stands where it should."""
    stands, kept = hashes(found.item.reminder), hashes(want.kept)
    base = _base(window, known, found)
    if base is None:
        if stands == kept:
            return None
        return Kept(window, found.item.uid, "what we wrote into it is not known any more")
    if edited := differing(base, stands):
        return Kept(window, found.item.uid, f"changed by hand: {', '.join(edited)}")
    if base == kept:
        return None
    return _update(window, known, found, want)


def _base(window: str, known: Known, found: Found) -> Hashes | None:
    """What was written last, by us or by another calsync: the event tells it; the cache where a server drops that."""
    if found.item.base is not None:
        return found.item.base
    remembered = known.memory.get(window)
    return remembered.base if remembered is not None and remembered.href == found.href else None


def _missing(mark: Mark, known: Known, remembered: Remembered, want: Wanted) -> Change | Kept | None:
    """Decide about an event that we wrote and that is not there."""
    if remembered.href in known.others:
        again = Mark(mark.name, mark.window, mark.generation + 1)
        return Change(Action.CREATE, mark.window, again, after=want.fresh) if want.creates else None
    uid = uid_of(mark, known.target)
    if not known.whole:
        return Kept(mark.window, uid, "the server's list was incomplete and did not name it")
    return Kept(mark.window, uid, "deleted from the calendar: it stays deleted")


def _unwanted_steps(wanted: Mapping[str, Wanted], known: Known, day: datetime) -> Iterator[Change | Kept]:
    standing = _standing(known)
    for found in _ours(known):
        window = _window(found)
        if (window in wanted and standing[window] is found) or is_past(found.item.reminder, day):
            continue
        base = _base(window, known, found)
        edited = differing(base, hashes(found.item.reminder)) if base is not None else ()
        if edited or base is None:
            yield Kept(window, found.item.uid, f"no longer needed, but changed by hand: {', '.join(edited)}")
        else:
            yield _delete(found)


def is_past(reminder: Reminder, day: datetime) -> bool:
    """Whether the event is over before the day that begins at `day`."""
    if isinstance(reminder.end, datetime):
        return reminder.end <= day
    return reminder.end <= day.date()


def _ours(known: Known) -> Iterator[Found]:
    for found in known.found:
        if known.is_ours(found.item):
            yield found


def _standing(known: Known) -> dict[str, Found]:
    """The event of each window; of two, the later generation."""
    ours = sorted(_ours(known), key=lambda found: _mark(found).generation)
    return {_window(found): found for found in ours}


def _mark(found: Found) -> Mark:
    assert found.item.mark is not None
    return found.item.mark


def _window(found: Found) -> str:
    return _mark(found).window


def _update(window: str, known: Known, found: Found, want: Wanted) -> Change:
    remembered = known.memory.get(window)
    mark = found.item.mark or Mark(known.name, window, remembered.generation if remembered else 1)
    return Change(Action.UPDATE, window, mark, before=found, after=want.fresh)


def _delete(found: Found) -> Change:
    return Change(Action.DELETE, _window(found), _mark(found), before=found)
