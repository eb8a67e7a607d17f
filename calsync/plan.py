"""The three-way decision: what is wanted, what we wrote last, what stands there. Pure (`docs/identity.md`).

Everything is decided before anything is written (vdirsyncer, `sync/__init__.py`; external-dns, `plan/plan.go`).
Public face: `decide` for a calendar that is the user's, `mirror` for a file that is all ours, `remove` for the way out;
all give a `Plan` of small `Change`s, deletes before creates before updates.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta, tzinfo
from enum import IntEnum

from msgspec import Struct, field
from msgspec.structs import replace

from calsync.identity import DAYS, OWNED, differing, hashes, uid_of
from calsync.model import Hashes, Item, Mark, Reminder

_UNKNOWN = "what we wrote into it is not known any more"
CANCELLED = "CANCELLED"
_UNLISTED = "the server's list was incomplete and did not name it"


class Action(IntEnum):
    """What is done to an event, in the order in which a plan is carried out."""

    DELETE = 1
    CREATE = 2
    UPDATE = 3


class Wanted(Struct, frozen=True):
    """How a window should stand in the calendar.

    A reminder depends on the moment of writing (`reminders.py`): `kept` is as of the stored event's own stamp and is
    compared, `fresh` is as of now and is written. `creates` is False for what is only updated where it stands already:
    a window that was used up.
    """

    kept: Reminder
    fresh: Reminder
    creates: bool = True


class Found(Struct, frozen=True):
    """An event that stands at `href`, and what it tells of itself."""

    href: str
    etag: str | None
    item: Item


class Remembered(Struct, frozen=True):
    """What the cache says of a window's event: where it was, its generation, and what we wrote."""

    href: str
    generation: int
    base: Hashes


class Change(Struct, frozen=True):
    """One thing to do. `before` is what stands there (None for a create), `after` what will (None for a delete).

    `theirs` names the fields that a person changed: an update leaves them as they are, a delete loses them.
    """

    action: Action
    window: str
    mark: Mark
    before: Found | None = None
    after: Reminder | None = None
    theirs: tuple[str, ...] = ()

    @property
    def order(self) -> tuple[Action, str]:
        """The place of the change in a plan."""
        return self.action, self.window


class Kept(Struct, frozen=True, order=True):
    """An event that is left alone although something speaks for a change; `because` says why, for people."""

    window: str
    uid: str
    because: str


class Plan(Struct, frozen=True):
    """What is to be done, what is left alone, and how many events are right as they stand."""

    changes: tuple[Change, ...] = ()
    kept: tuple[Kept, ...] = ()
    unchanged: int = 0


class Known(Struct, frozen=True):
    """What stands in a calendar and what the cache remembers of it.

    `found` are its events; `others` the hrefs of everything else in it. `retired` has the last generation of each
    window whose UID was deleted, `undone` that up to which its events make way, as the user took an answer back.
    `whole` is False where the listing was in doubt. `name` is the journal's, `target` the target's.
    """

    name: str
    target: str
    found: tuple[Found, ...]
    others: frozenset[str] = frozenset()
    memory: Mapping[str, Remembered] = field(default_factory=dict)
    retired: Mapping[str, int] = field(default_factory=dict)
    undone: Mapping[str, int] = field(default_factory=dict)
    whole: bool = True

    def is_undone(self, mark: Mark) -> bool:
        """Whether the event of `mark` makes way: what it says was taken back, and another one stands for its window."""
        return mark.generation <= self.undone.get(mark.window, 0)

    def is_ours(self, item: Item) -> bool:
        """Whether `item` has our mark, with our name and the UID that the mark gives: a copy of ours is not ours."""
        return item.mark is not None and item.mark.name == self.name and item.uid == uid_of(item.mark, self.target)


def decide(wanted: Mapping[str, Wanted], known: Known, day: datetime) -> Plan:
    """Say what is to be done to a calendar in which people and other programs write too.

    `day` is the midnight, in the user's zone, with which today begins. For each window, W what is wanted, C what the
    cache or the event's own base says that we wrote, S what stands on the server; the decision is made field by field,
    the days being one of them:

        W  C  S                        then
        A  -  -                        create, generation 1, or the one after the last that was deleted
        A  A  A                        nothing; the new ETag is noted
        B  A  A                        update over A's body: same UID, sequence + 1
        A  A  changed by hand          keep, and say so
        B  A  changed by hand          update: their fields as they are, the others B
        A  A  gone                     keep away: the user deleted it
        A  A  not in a doubtful list   keep, and say so
        A  A  another's at our href    create, generation + 1
        A  -  changed, mark dropped    keep, and say so: what we wrote is not known
        -  A  A, or changed by hand    delete: the window is no more
        -  A  A, ended before today    nothing: it is the user's history
        A  A  undone                   delete, and create generation + 1: what it says was taken back
        -  A  cancelled                nothing: it is the user's word
        -  -  foreign                  nothing, ever
    """
    steps = [*_wanted_steps(wanted, known, day), *_unwanted_steps(wanted, known, day)]
    return _plan(steps)


def mirror(wanted: Mapping[str, Wanted], known: Known) -> Plan:
    """Say what is to be done to a file that only we write: it is to hold what is wanted and nothing else of ours."""
    ours = _ours(wanted, known)
    standing = {mark.window: (mark, found) for mark, found in ours}
    steps: list[Change | Kept | None] = []
    for window, want in wanted.items():
        if window not in standing:
            steps.append(Change(Action.CREATE, window, Mark(known.name, window, 1), after=want.fresh))
            continue
        mark, found = standing[window]
        stands = found.item.reminder
        is_right = stands == want.kept or hashes(stands) == hashes(want.kept)
        steps.append(None if is_right else _update(mark, found, want))
    steps += [_delete(*pair) for pair in ours if standing[pair[0].window] != pair or pair[0].window not in wanted]
    return _plan(steps)


def remove(known: Known, windows: Iterable[str] = ()) -> Plan:
    """Say what is to be done so that nothing of ours stands there any more, and everything else as it was.

    `windows` are those of the journal: by them and by the cache an event is known that lost its mark. For each event,
    C what the cache says that we wrote, S what stands there:

        C  S                               then
        A  A                               delete, also if it is past
        A  changed by hand                 delete
        -  our mark, and the UID it gives  delete, of every generation
        -  a UID of ours, mark dropped     delete
        A  gone                            nothing
        A  not in a doubtful list          keep, and say so
        -  our mark, another UID (a copy)  nothing, ever
        -  another name's, foreign         nothing, ever
    """
    latest = [_mark(window, known) for window in {*windows, *known.memory}]
    marks = [replace(mark, generation=number) for mark in latest for number in range(1, mark.generation + 1)]
    by_uid = {uid_of(mark, known.target): mark for mark in marks}
    steps: list[Change | Kept | None] = []
    for found in known.found:
        mark = found.item.mark if known.is_ours(found.item) else None
        if found.item.mark is None:
            mark = by_uid.get(found.item.uid)
        if mark is not None:
            steps.append(_delete(mark, found))
    if not known.whole:
        standing = {found.href for found in known.found} | known.others
        for window, remembered in known.memory.items():
            if remembered.href not in standing:
                uid = uid_of(Mark(known.name, window, remembered.generation), known.target)
                steps.append(Kept(window, uid, _UNLISTED))
    return _plan(steps)


def _plan(steps: Iterable[Change | Kept | None]) -> Plan:
    """Sort the steps; None stands for an event that is right as it is."""
    steps = list(steps)
    return Plan(
        changes=tuple(sorted((step for step in steps if isinstance(step, Change)), key=lambda change: change.order)),
        kept=tuple(sorted(step for step in steps if isinstance(step, Kept))),
        unchanged=steps.count(None),
    )


def _wanted_steps(wanted: Mapping[str, Wanted], known: Known, day: datetime) -> Iterator[Change | Kept | None]:
    ours = _ours(wanted, known)
    standing = {mark.window: (mark, found) for mark, found in ours if not known.is_undone(mark)}
    for window, want in wanted.items():
        if window in standing:
            yield _compare(*standing[window], known, want, day.tzinfo)
        elif want.creates and not is_past(want.fresh, day):
            yield _missing(window, known, want)


def _compare(mark: Mark, found: Found, known: Known, want: Wanted, zone: tzinfo | None) -> Change | Kept | None:
    """Decide about an event that stands where it should."""
    event = found.item.reminder
    if event == want.kept:
        return None
    stands, kept = hashes(event), hashes(want.kept)
    base = _base(mark, found, known)
    if stands == kept:
        return None
    if base is None:
        return Kept(mark.window, found.item.uid, _UNKNOWN)
    theirs = edited(base, stands)
    if "start" in theirs:
        want = replace(want, kept=_at_their_time(want.kept, event, zone), fresh=_at_their_time(want.fresh, event, zone))
        kept = hashes(want.kept)
    if any(kept[name] != stands[name] for name in OWNED if name not in theirs):
        return _update(mark, found, want, theirs)
    return Kept(mark.window, found.item.uid, f"changed by hand: {', '.join(differing(stands, kept))}")


def _at_their_time(wanted: Reminder, stands: Reminder, zone: tzinfo | None) -> Reminder:
    """What is wanted, with alarms for the start that a person gave: triggers for a day are no good for a moment.

    An event that got a time of day rings when it starts; one that lost it rings at the time, in `zone`, that it had.
    """
    is_timed, becomes_timed = (isinstance(each.start, datetime) for each in (wanted, stands))
    if is_timed is becomes_timed or not wanted.alarms:
        return wanted
    trigger = timedelta(0)
    if isinstance(wanted.start, datetime):
        local = wanted.start.astimezone(zone)
        trigger = timedelta(hours=local.hour, minutes=local.minute)
    return replace(wanted, alarms=(trigger,))


def edited(base: Hashes, stands: Hashes) -> tuple[str, ...]:
    """The fields that a person changed since we wrote them. Start and end are the days: who moves one, sets both."""
    found = differing(base, stands)
    if set(found) & set(DAYS):
        found = (*DAYS, *(name for name in found if name not in DAYS))
    return found


def _base(mark: Mark, found: Found, known: Known) -> Hashes | None:
    """What was written last, by us or by another calsync: the event tells it; the cache where a server drops that."""
    if found.item.base is not None:
        return found.item.base
    remembered = known.memory.get(mark.window)
    return remembered.base if remembered is not None and remembered.href == found.href else None


def _missing(window: str, known: Known, want: Wanted) -> Change | Kept:
    """Decide about a window whose event is not there."""
    mark, remembered = _mark(window, known), known.memory.get(window)
    if remembered is None:
        return Change(Action.CREATE, window, mark, after=want.fresh)
    if remembered.href in known.others:
        again = Mark(mark.name, window, mark.generation + 1)
        return Change(Action.CREATE, window, again, after=want.fresh)
    if known.whole:
        return Kept(window, uid_of(mark, known.target), "deleted from the calendar: it stays deleted")
    return Kept(window, uid_of(mark, known.target), _UNLISTED)


def _unwanted_steps(wanted: Mapping[str, Wanted], known: Known, day: datetime) -> Iterator[Change | Kept]:
    ours = _ours(wanted, known)
    standing = {mark.window: found for mark, found in ours}
    for mark, found in ours:
        if known.is_undone(mark):
            yield _delete(mark, found)
            continue
        needed = mark.window in wanted and standing[mark.window] is found
        if needed or is_past(found.item.reminder, day):
            continue
        if found.item.reminder.status == CANCELLED:
            continue
        base = _base(mark, found, known)
        if base is None:
            yield Kept(mark.window, found.item.uid, f"no longer needed, but {_UNKNOWN}")
        else:
            yield _delete(mark, found, edited(base, hashes(found.item.reminder)))


def is_past(reminder: Reminder, day: datetime) -> bool:
    """Whether the event is over before the day that begins at `day`."""
    if isinstance(reminder.end, datetime):
        return reminder.end <= day
    return reminder.end <= day.date()


def _ours(wanted: Iterable[str], known: Known) -> list[tuple[Mark, Found]]:
    """Our events with their marks, the latest generation last; of two alike, the one that we remember.

    Where a server dropped the mark it is the one that gives the event's UID.
    """
    stripped = any(found.item.mark is None for found in known.found)
    marks = [*_undone_marks(known), *(_mark(window, known) for window in {*wanted, *known.memory})] if stripped else []
    by_uid = {uid_of(mark, known.target): mark for mark in marks}
    ours = []
    for found in known.found:
        mark = by_uid.get(found.item.uid) if found.item.mark is None else found.item.mark
        if mark is not None and (found.item.mark is None or known.is_ours(found.item)):
            ours.append((mark, found))

    def latest(pair: tuple[Mark, Found]) -> tuple[int, bool, str]:
        mark, found = pair
        remembered = known.memory.get(mark.window)
        return mark.generation, remembered is not None and remembered.href == found.href, found.href

    return sorted(ours, key=latest)


def _mark(window: str, known: Known) -> Mark:
    """The mark of the window's event: as we remember it, else the first that was not deleted."""
    remembered = known.memory.get(window)
    return Mark(known.name, window, remembered.generation if remembered else known.retired.get(window, 0) + 1)


def _undone_marks(known: Known) -> Iterator[Mark]:
    for window, last in known.undone.items():
        yield from (Mark(known.name, window, generation) for generation in range(1, last + 1))


def _update(mark: Mark, found: Found, want: Wanted, theirs: tuple[str, ...] = ()) -> Change:
    """What we want, with the fields that are theirs as they stand."""
    kept = {name: getattr(found.item.reminder, name) for name in theirs}
    after = replace(want.fresh, **kept)
    return Change(Action.UPDATE, mark.window, mark, before=found, after=after, theirs=theirs)


def _delete(mark: Mark, found: Found, theirs: tuple[str, ...] = ()) -> Change:
    return Change(Action.DELETE, mark.window, mark, before=found, theirs=theirs)
