"""See what stands in a target: its listing, the cache, and what is new since the last run.

Only what is new or changed is fetched, and only what may be ours is parsed. Public face: `survey`, which gives a
`Survey`, `changes` and `guard_many`; nothing is decided here (`plan.py`), and nothing written but the cache.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, tzinfo
from functools import cached_property

from msgspec import Struct
from msgspec.structs import replace

from calsync import views
from calsync.errors import GuardError
from calsync.identity import uid_of
from calsync.model import Item, Mark, Resource
from calsync.plan import Found, Known, Remembered
from calsync.state import Entry, State
from calsync.targets.base import Target
from calsync.views import View

_UID = re.compile(r"^UID(?:;[^:\r\n]*)?:([^\r\n]*)", re.MULTILINE | re.IGNORECASE)
_FEW = 5
"""If more are said to be gone than these, they are not asked for one by one: all is listed."""


_MANY = 5
"""More than so many, and more than a third of what there is: then a guard asks whether that is meant."""


class Terms(Struct, frozen=True, kw_only=True):
    """What a run on one target goes by: the journal's name, the user's zone, the moment, and `day`, today's midnight.

    `owned`: all that stands in the target is ours to write, as in a feed file. `named` says what the state and reports
    call the target's `where`, if that is another in each run; `expected` is that name as of the last run. `force`: the
    user says that guards are to let pass what they would refuse. `progress` is told after each write how many of how
    many are done.
    """

    name: str
    zone: tzinfo
    now: datetime
    day: datetime
    owned: bool = False
    named: Callable[[str], str] = str
    expected: str | None = None
    force: bool = False
    progress: Callable[[int, int], None] | None = None

    def place(self, target: Target, where: str | None = None) -> str:
        """The key under which the state keeps what stands in `target`."""
        return f"{target.name} {self.name} {self.named(target.where) if where is None else where}"


class Survey(Struct, frozen=True):
    """What stands in a target: `seen` by href, and `known`, what a plan is made of.

    `before` is what the cache had. `eyes` can look at one more item. `view` is what the target told; `confirmed` are
    items of ours that are gone, and the target said so when it was asked for each.
    """

    place: str
    before: Mapping[str, Entry]
    seen: dict[str, Entry]
    known: Known
    eyes: Eyes
    view: View
    confirmed: frozenset[str] = frozenset()

    @property
    def missing(self) -> dict[str, Entry]:
        """What we wrote and is not in the listing, by window; one that stands elsewhere by now is not missing."""
        standing = {mark.window for found in self.known.found if (mark := self.eyes.mark(found.item))}
        gone = {
            entry.written.window: entry
            for href, entry in self.before.items()
            if entry.written is not None and href not in self.seen and not self.known.is_undone(entry.written)
        }
        return {window: entry for window, entry in gone.items() if window not in standing}


Ask = Callable[[], View | None]
"""`changes` of a target, asked once."""


def survey(
    target: Target, state: State, terms: Terms, windows: Iterable[str], *, ask: Ask | None = None, dry_run: bool
) -> Survey:
    """Look at `target`; `windows` are those of the journal, by which an event is known that lost its mark.

    `ask` asks it for `changes`, if that is not to be done anew. Raises GuardError where the calendar is not the one
    that it was, ServerError where it cannot be used.
    """
    found = _of_changes(target, state, terms, windows, ask)
    if found is None:
        view = views.in_full(target, terms.now, dry_run=dry_run)
        _guard_place(target, view, state, terms)
        found = _look(target, state, terms, windows, view)
    if not dry_run:
        with state.transaction():
            if found.view.is_new:
                state.start_anew(found.place, found.known.retired)
            for href, entry in found.seen.items():
                if entry is not found.before.get(href):
                    state.put(found.place, entry)
    return found


def changes(target: Target, state: State, terms: Terms) -> View | None:
    """What `target` tells that changed since the last run; None where all is to be listed, or it is another place."""
    if terms.force or terms.expected is None:
        return None
    place = terms.place(target, terms.expected)
    view = views.since_token(target, state, place, terms.now)
    return None if terms.place(target) != place else view


def _of_changes(target: Target, state: State, terms: Terms, windows: Iterable[str], ask: Ask | None) -> Survey | None:
    """A survey of what changed since the last run, if its token is good and the answer beyond doubt.

    It is in doubt where the place is another one, where the text of an item is not to be had, where an event of ours
    stands twice (the server spells it otherwise now), and where many are said to be gone, or one is that is not.
    """
    view = ask() if ask is not None else changes(target, state, terms)
    if view is None:
        return None
    found = _look(target, state, terms, windows, view)
    missing = [entry.resource.href for entry in found.missing.values()]
    uids = [each.item.uid for each in found.known.found]
    if not found.known.whole or len(set(uids)) < len(uids) or len(missing) > _FEW:
        return None
    return replace(found, confirmed=frozenset(missing)) if all(map(target.gone, missing)) else None


def _look(target: Target, state: State, terms: Terms, windows: Iterable[str], view: View) -> Survey:
    """What the cache and the target give together; what is new to the cache is fetched."""
    place = terms.place(target)
    before, undone = state.entries(place), state.undone(target.name, terms.name)
    retired = _latest(state.retired(place), undone)
    if view.is_new:  # its events went with the old calendar: nobody deleted one of them, and their UIDs are used up
        before, retired = {}, _latest(retired, _generations(before))
    eyes = Eyes(target, terms, before, retired, windows)
    fresh, standing = view.fresh(before), view.standing(before)
    fetched = target.fetch(fresh) if fresh else {}
    lost = {href for href in fresh if href not in fetched and href in before}
    seen = {href: entry for href, entry in before.items() if href in standing and href not in lost}
    seen |= {href: eyes.entry(resource, before.get(href)) for href, resource in fetched.items()}
    known = Known(
        name=terms.name,
        target=target.name,
        found=tuple(_found(seen)),
        others=frozenset(href for href, entry in seen.items() if entry.item is None),
        memory=_memory({**before, **seen}, undone),
        retired=retired,
        undone=undone,
        whole=view.whole and not lost,
    )
    return Survey(place, before, seen, known, eyes, view)


def _guard_place(target: Target, view: View, state: State, terms: Terms) -> None:
    """Stop where a calendar in which we wrote is gone, or another one stands in for it."""
    if terms.force or terms.expected is None:
        return
    if not view.is_new and terms.named(target.where) == terms.expected:
        return
    if state.entries(terms.place(target, terms.expected)):
        found = "it is not there any more" if view.is_new else f"{target.where} was found instead"
        which = "a new one" if view.is_new else "this one"
        raise GuardError(
            f"The calendar at {terms.expected} holds reminders of calsync, but {found}. Nothing was changed. "
            f"If that is as it should be, run calsync once with --force: then {which} gets all of them."
        )


def guard_many(target: Target, terms: Terms, count: int, of: int, what: str) -> None:
    """Stop where many of ours, and more than a third, are concerned, unless the user says that it is meant."""
    if terms.force or count <= _MANY or count * 3 <= of:
        return
    raise GuardError(
        f"{count} of the {of} reminders that calsync wrote to {target.where} {what}. Nothing was changed. "
        f"If that is as it should be, run calsync once with --force."
    )


class Eyes:
    """Tells our events from others: by their mark, or on a server that drops marks by their UID."""

    def __init__(
        self,
        target: Target,
        terms: Terms,
        before: Mapping[str, Entry],
        retired: Mapping[str, int],
        windows: Iterable[str],
    ) -> None:
        self._known = Known(terms.name, target.name, ())
        self._before, self._retired, self._windows = before, retired, windows
        self._made: dict[str, Mark] = {}

    @cached_property
    def _marks(self) -> Mapping[str, Mark]:
        """UID -> mark of the events that we remember, and of those that we would make where the cache is lost."""
        name, target = self._known.name, self._known.target
        ours = {entry.written for entry in self._before.values() if entry.written is not None}
        for window in self._windows:
            last = self._retired.get(window, 0)
            ours |= {Mark(name, window, generation) for generation in (1, last or 1, last + 1)}
        return {uid_of(mark, target): mark for mark in ours}

    def expect(self, uid: str, mark: Mark) -> None:
        """From now on the event of this UID is ours."""
        self._made[uid] = mark

    def _mark_of(self, uid: str) -> Mark | None:
        return self._made.get(uid) or self._marks.get(uid)

    def entry(self, resource: Resource, before: Entry | None) -> Entry:
        """What `resource` is to us: an event of ours, or something to leave alone."""
        item = self.item(resource.body)
        if before is None:
            before = Entry(resource=resource)
        if item is None or item.mark is None or item.base is None:
            if item is not None and item.written is None and before.item is not None:
                item = replace(item, written=before.item.written)
            return Entry(resource=resource, item=item, written=before.written, base=before.base)
        return Entry(resource=resource, item=item, written=item.mark, base=item.base)

    def item(self, body: str) -> Item | None:
        """The event of ours that `body` holds, if it does; nothing else is worth the time of parsing."""
        if "X-CALSYNC" not in body and not any(map(self._mark_of, _UID.findall(body))):
            return None
        from calsync import ical

        item = ical.parse(body)
        if item is None or not (self._known.is_ours(item) or (item.mark is None and self._mark_of(item.uid))):
            return None
        return item

    def mark(self, item: Item) -> Mark | None:
        """The mark of an event of ours, also where a server dropped it."""
        return item.mark or self._mark_of(item.uid)


def _etag(entry: Entry | None) -> str | None:
    return entry.resource.etag if entry else None


def _found(seen: Mapping[str, Entry]) -> Iterator[Found]:
    for href, entry in sorted(seen.items()):
        if entry.item is not None:
            yield Found(href, entry.resource.etag, entry.item)


def _latest(retired: Mapping[str, int], others: Mapping[str, int]) -> dict[str, int]:
    """The last generation of each window that is used up, either way."""
    return {window: max(retired.get(window, 0), others.get(window, 0)) for window in {*retired, *others}}


def _generations(entries: Mapping[str, Entry]) -> dict[str, int]:
    """The last generation of each window that we wrote."""
    marks = sorted((entry.written for entry in entries.values() if entry.written), key=lambda mark: mark.generation)
    return {mark.window: mark.generation for mark in marks}


def _memory(entries: Mapping[str, Entry], undone: Mapping[str, int]) -> dict[str, Remembered]:
    """What we wrote for each window; of two, the later generation, and nothing that was undone."""
    memory: dict[str, Remembered] = {}
    for href, entry in entries.items():
        mark, base = entry.written, entry.base
        if mark is None or base is None or mark.generation <= undone.get(mark.window, 0):
            continue
        if mark.window not in memory or memory[mark.window].generation < mark.generation:
            memory[mark.window] = Remembered(href, mark.generation, base)
    return memory
