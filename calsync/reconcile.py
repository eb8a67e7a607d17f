"""Bring one target to what is wanted: read, decide, write, remember.

Order of a run (`docs/identity.md`): read everything, decide everything (`plan.py`), then write, recording each result
as it is known. A crash between any two steps, and a second run, end the same: what was written without being recorded
is met again as ours. Public face: `reconcile` and `remove`, which give an `Outcome`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, tzinfo

from calsync.errors import CalsyncError
from calsync.identity import hashes, uid_of
from calsync.model import Item, Mark, Reminder, Resource, Stamp
from calsync.plan import Action, Change, Found, Kept, Known, Plan, Remembered, Wanted, decide, mirror
from calsync.plan import remove as plan_removal
from calsync.state import Entry, State
from calsync.targets.base import ConflictError, ItemError, MissingError, Target

_SECOND = timedelta(seconds=1)
_UID = re.compile(r"^UID(?:;[^:\r\n]*)?:([^\r\n]*)", re.MULTILINE | re.IGNORECASE)
_GENERATIONS = 5
"""How many UIDs are tried for one window in one run, where a server refuses each as known or used up."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A change that could not be made, and why, in words."""

    change: Change
    uid: str
    because: str


@dataclass(slots=True)
class Outcome:
    """What became of one target; in a dry run, what would. The UID that each change is about stands beside it.

    `ended` is the error after which nothing more could be written.
    """

    target: str
    where: str
    changes: list[tuple[Change, str]] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)
    unchanged: int = 0
    requests: int = 0
    ended: CalsyncError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """What a target is to show.

    `draw` gives each window's reminder, from the moments at which their events were written; a window that is not
    among these is drawn as of now. `creates` are the windows that may be made new; the others are only kept up.
    """

    draw: Callable[[Mapping[str, datetime]], Mapping[str, Reminder]]
    creates: frozenset[str]
    windows: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a run on one target goes by: the journal's name, the user's zone, the moment, and `day`, today's midnight.

    `owned`: all that stands in the target is ours to write, as in a feed file. `named` says what the state and reports
    call the target's `where`, if that is another in each run.
    """

    name: str
    zone: tzinfo
    now: datetime
    day: datetime
    owned: bool = False
    named: Callable[[str], str] = str


def reconcile(target: Target, desired: Desired, state: State, terms: Terms, *, dry_run: bool) -> Outcome:
    """Bring `target` to what is desired; in a dry run only say what would be done, and write nothing at all.

    Raises ServerError where the target as a whole cannot be used; if that happens among the writes, the outcome tells
    what was written before. An item that fails does not stop the others.
    """
    run = _Run(target, desired, state, terms, dry_run=dry_run)
    run.read()
    run.decide()
    if not dry_run:
        run.carry_out()
    if not dry_run and run.outcome.ended is None:
        target.commit()
    return run.told()


def remove(target: Target, windows: frozenset[str], state: State, terms: Terms, *, dry_run: bool) -> Outcome:
    """Take all that is ours out of `target` and forget it, but for the UIDs that are used up; or say what would go.

    `windows` are those of the journal: by them an event is known that lost its mark. Errors as `reconcile`.
    """
    nothing = Desired(draw=lambda _written: {}, creates=frozenset(), windows=windows)
    run = _Run(target, nothing, state, terms, dry_run=dry_run)
    run.read()
    run.decide_removal()
    if not dry_run:
        run.carry_out()
    if not dry_run and run.outcome.ended is None:
        target.commit()
        run.forget()
    return run.told()


class _Run:
    """One run on one target, step by step."""

    def __init__(self, target: Target, desired: Desired, state: State, terms: Terms, *, dry_run: bool) -> None:
        self.target = target
        self.desired = desired
        self.state = state
        self.terms = terms
        self.dry_run = dry_run
        self.place = ""
        self.marks: dict[str, Mark] = {}
        self.seen: dict[str, Entry] = {}
        self.known = Known(terms.name, target.name, ())
        self.outcome = Outcome(target.name, target.where)

    # Read.

    def read(self) -> None:
        """See what stands there; only what is new or changed since the last run is fetched."""
        listing = self.target.listing()
        self.place = f"{self.target.name} {self.terms.name} {self.terms.named(self.target.where)}"
        before = self.state.entries(self.place)
        retired = self.state.retired(self.place)
        fresh = [href for href, etag in listing.etags.items() if etag is None or _etag(before.get(href)) != etag]
        fetched = self.target.fetch(fresh) if fresh else {}
        self.marks = self._marks(before, retired)
        self.seen = {href: entry for href, entry in before.items() if href in listing.etags}
        self.seen |= {href: self._entry(resource, before.get(href)) for href, resource in fetched.items()}
        lost = [href for href in fresh if href not in fetched and href in before]
        for href in lost:
            del self.seen[href]
        self.known = Known(
            name=self.terms.name,
            target=self.target.name,
            found=tuple(_found(self.seen)),
            others=frozenset(href for href, entry in self.seen.items() if entry.item is None),
            memory=_memory({**before, **self.seen}),
            retired=retired,
            whole=listing.whole and not lost,
        )
        self._remember(before, fetched)

    def _marks(self, before: Mapping[str, Entry], retired: Mapping[str, int]) -> dict[str, Mark]:
        """UID -> mark of the events that we remember, and of those that we would make where the cache is lost.

        By these UIDs our events are known on a server that drops their marks.
        """
        ours = {entry.written for entry in before.values() if entry.written is not None}
        for window in self.desired.windows:
            ours |= {Mark(self.terms.name, window, generation) for generation in (1, retired.get(window, 0) + 1)}
        return {uid_of(mark, self.target.name): mark for mark in ours}

    def _entry(self, resource: Resource, before: Entry | None) -> Entry:
        """What `resource` is to us: an event of ours, or something to leave alone."""
        item = self._item(resource.body)
        if before is None:
            before = Entry(resource=resource)
        if item is None or item.mark is None or item.base is None:
            if item is not None and item.written is None and before.item is not None:
                item = replace(item, written=before.item.written)
            return Entry(resource=resource, item=item, written=before.written, base=before.base)
        return Entry(resource=resource, item=item, written=item.mark, base=item.base)

    def _item(self, body: str) -> Item | None:
        """The event of ours that `body` holds, if it does; nothing else is worth the time of parsing."""
        if "X-CALSYNC" not in body and self.marks.keys().isdisjoint(_UID.findall(body)):
            return None
        from calsync import ical

        item = ical.parse(body)
        if item is None or not (self.known.is_ours(item) or (item.mark is None and item.uid in self.marks)):
            return None
        return item

    def _remember(self, before: Mapping[str, Entry], fetched: Mapping[str, Resource]) -> None:
        """Note what was seen; forget what is gone and was not ours, or is wanted no more."""
        if self.dry_run:
            return
        with self.state.transaction():
            for href in fetched:
                self.state.put(self.place, self.seen[href])
            if not self.known.whole:
                return
            for href, entry in before.items():
                if href in self.seen:
                    continue
                if entry.written is None:
                    self.state.forget(self.place, href)
                elif entry.written.window not in self.desired.windows:
                    self._retire(href, entry.written)

    # Decide.

    def decide(self) -> None:
        """Compare each window as it was to be written when it was, and as it is to be written now."""
        items = [found.item for found in self.known.found]
        standing = {mark.window: item for item in items if (mark := item.mark or self.marks.get(item.uid))}
        kept = self.desired.draw({window: item.written or item.stamp.moment for window, item in standing.items()})
        fresh = self.desired.draw({window: self._moment(item) for window, item in standing.items()})
        wanted = {
            window: Wanted(reminder, fresh[window], creates=window in self.desired.creates)
            for window, reminder in kept.items()
        }
        plan = mirror(wanted, self.known) if self.terms.owned else decide(wanted, self.known, self.terms.day)
        self._decided(plan)

    def decide_removal(self) -> None:
        """All that is ours is to go."""
        self._decided(plan_removal(self.known, self.desired.windows))

    def _decided(self, plan: Plan) -> None:
        self.outcome.kept, self.outcome.unchanged = list(plan.kept), plan.unchanged
        self.outcome.changes = [(change, uid_of(change.mark, self.target.name)) for change in plan.changes]

    def _moment(self, before: Item | None) -> datetime:
        """The moment of writing: now, but later than that of what stood there, whatever the clock says."""
        return max(self.terms.now, before.stamp.moment + _SECOND) if before else self.terms.now

    # Write.

    def carry_out(self) -> None:
        """Make the changes, each on its own, recording each result as it is known."""
        planned, self.outcome.changes = self.outcome.changes, []
        make = {Action.CREATE: self._create, Action.UPDATE: self._update, Action.DELETE: self._delete}
        for change, uid in planned:
            try:
                make[change.action](change)
            except (ConflictError, MissingError):
                self.outcome.kept.append(Kept(change.window, uid, "changed on the server just now: look again later"))
            except ItemError as error:
                self.outcome.failed.append(Failure(change, uid, str(error)))
            except CalsyncError as error:
                self.outcome.ended = error
                return

    def _create(self, change: Change) -> None:
        from calsync import ical

        assert change.after is not None
        stamp, mark = Stamp(self._moment(None), 0), change.mark
        for _ in range(_GENERATIONS):
            uid = uid_of(mark, self.target.name)
            self.marks[uid] = mark
            body = ical.build(change.after, mark, uid, stamp, self.terms.zone)
            try:
                resource = self.target.create(f"{uid}.ics", body)
            except ConflictError:
                if self._adopt(f"{uid}.ics", change):
                    return
                mark = Mark(mark.name, mark.window, mark.generation + 1)
                continue
            self._record(resource, change.after, mark, stamp)
            self.outcome.changes.append((change, uid))
            return
        raise ItemError("the server says that it has this event already, but does not show it")

    def _adopt(self, href: str, change: Change) -> bool:
        """Whether the event that stands in the way is ours: then the next run finds it in the list, and decides.

        Raises ItemError where that cannot be known: another event, made in doubt, could be a second one.
        """
        resource = self.target.fetch([href]).get(href)
        if resource is None:
            if self.target.gone(href):
                return False  # the server knows the UID from elsewhere, as from a trash bin
            raise ItemError("an event stands there already that cannot be read now")
        item = self._item(resource.body)
        if item is None:
            return False
        if change.after is not None and hashes(item.reminder) == hashes(change.after):
            self.outcome.unchanged += 1
        else:
            self.outcome.kept.append(Kept(change.window, item.uid, "was there already: see the next run"))
        return True

    def _update(self, change: Change) -> None:
        from calsync import ical

        assert change.before is not None
        assert change.after is not None
        before = change.before.item
        stamp = Stamp(self._moment(before), before.stamp.sequence + 1)
        resource = self.seen[change.before.href].resource
        body = ical.patch(resource.body, change.after, change.mark, stamp, self.terms.zone)
        self._record(self.target.update(resource, body), change.after, change.mark, stamp)
        self.outcome.changes.append((change, before.uid))

    def _delete(self, change: Change) -> None:
        assert change.before is not None
        self.target.delete(self.seen[change.before.href].resource)
        self._retire(change.before.href, change.mark)
        self.outcome.changes.append((change, change.before.item.uid))

    def _record(self, resource: Resource, reminder: Reminder, mark: Mark, stamp: Stamp) -> None:
        """Remember what was written; where the server told no ETag, read it again: the text may have been rewritten."""
        base = hashes(reminder)
        uid, written = uid_of(mark, self.target.name), stamp.moment
        item = Item(uid=uid, reminder=reminder, mark=mark, base=base, stamp=stamp, written=written)
        entry = Entry(resource=resource, item=item, written=mark, base=base)
        if resource.etag is None:
            stored = self.target.fetch([resource.href]).get(resource.href)
            entry = self._entry(stored, entry) if stored else entry
        self.state.put(self.place, entry)

    def _retire(self, href: str, mark: Mark) -> None:
        self.state.forget(self.place, href)
        self.state.retire(self.place, mark.window, mark.generation)

    def forget(self) -> None:
        """Forget the place, unless something of ours is left. UIDs stay used up, also those that the user deleted."""
        if self.outcome.kept or self.outcome.failed:
            return
        with self.state.transaction():
            for href, entry in self.state.entries(self.place).items():
                if entry.written is None:
                    self.state.forget(self.place, href)
                else:
                    self._retire(href, entry.written)

    def told(self) -> Outcome:
        """What became of it, with where that was and what it cost."""
        self.outcome.where = self.terms.named(self.target.where)
        self.outcome.requests = self.target.requests
        return self.outcome


def _etag(entry: Entry | None) -> str | None:
    return entry.resource.etag if entry else None


def _found(seen: Mapping[str, Entry]) -> Iterator[Found]:
    for href, entry in sorted(seen.items()):
        if entry.item is not None:
            yield Found(href, entry.resource.etag, entry.item)


def _memory(entries: Mapping[str, Entry]) -> dict[str, Remembered]:
    """What we wrote for each window; of two, the later generation."""
    memory: dict[str, Remembered] = {}
    for href, entry in entries.items():
        mark, base = entry.written, entry.base
        if mark is None or base is None:
            continue
        if mark.window not in memory or memory[mark.window].generation < mark.generation:
            memory[mark.window] = Remembered(href, mark.generation, base)
    return memory
