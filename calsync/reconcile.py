"""Bring one target to what is wanted: read, listen, decide, write, remember.

Order of a run (`docs/identity.md`): read everything (`survey.py`), hand on what people said by what they did to events
(`signals.py`), compute again, decide everything (`plan.py`), then write, recording each result as it is known. A crash
between any two steps, and a second run, end the same: what was written without being recorded is met again as ours.
Public face: `reconcile` and `remove`, which give an `Outcome` (`outcome.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from itertools import groupby

from msgspec.structs import replace

from calsync import signals, views
from calsync.errors import CalsyncError
from calsync.identity import DAYS, hashes, uid_of
from calsync.model import Hashes, Item, Mark, Reminder, Resource, Stamp, Window
from calsync.outcome import Desired, Failure, Learn, Outcome, Write
from calsync.plan import Action, Change, Found, Kept, Plan, Wanted, decide, is_past, mirror
from calsync.plan import remove as plan_removal
from calsync.recording import Recorder
from calsync.several import at_once
from calsync.signals import Seen
from calsync.state import BATCH, State
from calsync.survey import Ask, Survey, Terms, guard_many, survey
from calsync.targets.base import ConflictError, ItemError, MissingError, Target

_SECOND = timedelta(seconds=1)
_GENERATIONS = 5
"""How many UIDs are tried for one window in one run, where a server refuses each as known or used up."""


def reconcile(
    target: Target,
    desired: Desired,
    state: State,
    terms: Terms,
    *,
    learn: Learn | None = None,
    ask: Ask | None = None,
    dry_run: bool,
) -> Outcome:
    """Bring `target` to what is desired; in a dry run only say what would be done, and write nothing at all.

    `learn` takes what the calendar tells; without it, it is not asked. `ask` as for `survey`. Raises
    ServerError where the target as a whole cannot be used; if that happens among the writes, the outcome tells what was
    written before. An item that fails does not stop the others. Raises GuardError, before anything is written, where so
    much is gone that it may be a mistake.
    """
    run = _Run(target, desired, state, terms, ask=ask, dry_run=dry_run)
    if learn is not None:
        run.listen(learn)
    run.decide()
    if not dry_run:
        run.carry_out()
    if not dry_run and run.outcome.ended is None:
        target.commit()
        run.notes.keep_token(is_sure=run.is_sure)
    return run.told()


def remove(target: Target, windows: Mapping[str, Window], state: State, terms: Terms, *, dry_run: bool) -> Outcome:
    """Take all that is ours out of `target` and forget it, but for the UIDs that are used up; or say what would go.

    `windows` are those of the journal: by them an event is known that lost its mark. Errors as `reconcile`.
    """
    nothing = Desired(draw=lambda _standing, _only: {}, creates=frozenset(), windows=windows)
    run = _Run(target, nothing, state, terms, dry_run=dry_run)
    run.decide_removal()
    if not dry_run:
        run.carry_out()
    if not dry_run and run.outcome.ended is None:
        target.commit()
        run.notes.forget_all(run.outcome)
        views.drop(state, run.survey.place)
    return run.told()


class _Run:
    """One run on one target, step by step."""

    def __init__(
        self, target: Target, desired: Desired, state: State, terms: Terms, *, ask: Ask | None = None, dry_run: bool
    ) -> None:
        self.target = target
        self.desired = desired
        self.state = state
        self.terms = terms
        self.dry_run = dry_run
        self.survey: Survey = survey(target, state, terms, desired.windows, ask=ask, dry_run=dry_run)
        self.kept: Mapping[str, Reminder] | None = None
        """The reminders as they were to be written when their events were; drawn once."""
        self.wanted: Mapping[str, Wanted] = {}
        self.is_removal = False
        self.is_sure = True
        """Whether nothing was met that the view of the calendar did not tell."""
        self.notes = Recorder(target, state, self.survey)
        self.outcome = Outcome(target.name, target.where)

    # Listen.

    def listen(self, learn: Learn) -> None:
        """Hand on what people said by what they did to events, and desire what follows from that."""
        gone = self._deleted()
        zone = self.terms.zone
        said = signals.answers(self._seen(), gone, self.terms.day.astimezone(zone).date(), zone)
        if said:
            self.desired = learn(said)
            self.outcome.answers = said
            self.kept = None

    def _deleted(self) -> list[Window]:
        """The windows whose events a person deleted: remembered, not in a whole listing, and gone when asked."""
        missing = self.survey.missing
        if not self.survey.known.whole:
            return []
        guard_many(self.target, self.terms, len(missing), len(self.survey.known.memory), "are gone from the calendar")
        return [
            self.desired.windows[window]
            for window, entry in sorted(missing.items())
            if self._is_current(window) and self._is_gone(entry.resource.href)
        ]

    def _is_gone(self, href: str) -> bool:
        """Whether the item is gone; where it is not, the list left it out, and the next run lists anew."""
        gone = href in self.survey.confirmed or self.target.gone(href)
        self.is_sure = self.is_sure and gone
        return gone

    def _seen(self) -> Iterator[Seen]:
        """The events of current windows that tell what we wrote into them."""
        drawn = self._drawn()
        for window, found in self._standing().items():
            stands = found.item.reminder
            if window not in drawn or stands == drawn[window] or not self._is_current(window):
                continue
            base = found.item.base or self._remembered_base(window, found)
            if base is not None:
                yield Seen(self.desired.windows[window], stands, drawn[window].summary, base)

    def _is_current(self, window: str) -> bool:
        return window in self.desired.windows and not self.desired.windows[window].state.is_past

    def _remembered_base(self, window: str, found: Found) -> Hashes | None:
        remembered = self.survey.known.memory.get(window)
        return remembered.base if remembered is not None and remembered.href == found.href else None

    def _marked(self) -> list[tuple[Mark, Found]]:
        """Our events as the survey found them, with their marks, by generation."""
        marked = [(mark, found) for found in self.survey.known.found if (mark := self.survey.eyes.mark(found.item))]
        return sorted(marked, key=lambda pair: pair[0].generation)

    def _standing(self) -> dict[str, Found]:
        """The event of each window: the latest; one that was undone stands for nothing."""
        return {mark.window: found for mark, found in self._marked() if not self.survey.known.is_undone(mark)}

    def _drawn(self) -> Mapping[str, Reminder]:
        if self.kept is None:
            self.kept = self.desired.draw({window: found.item for window, found in self._standing().items()}, None)
        return self.kept

    def _fresh(self, kept: Mapping[str, Reminder]) -> Mapping[str, Reminder]:
        """The reminders as they are to be written now; those that stand are not written."""
        marked = self._marked()
        standing = {mark.window for mark, _ in marked}
        if kept.keys().isdisjoint(standing):  # drawn as of now already
            return kept
        other = {mark.window for mark, found in marked if found.item.reminder != kept.get(mark.window)}
        wrong = kept.keys() - (standing - other)
        return {**kept, **self.desired.draw({}, wrong)} if wrong else kept

    # Decide.

    def decide(self) -> None:
        """Compare each window as it was to be written when it was, and as it is to be written now."""
        kept = self._drawn()
        fresh = self._fresh(kept)
        self.wanted = {
            window: Wanted(reminder, fresh[window], creates=window in self.desired.creates)
            for window, reminder in kept.items()
        }
        known, day = self.survey.known, self.terms.day
        plan = mirror(self.wanted, known) if self.terms.owned else decide(self.wanted, known, day)
        if not self.terms.owned:
            deletes = sum(change.action is Action.DELETE for change in plan.changes)
            ahead = sum(not is_past(found.item.reminder, day) for found in known.found)
            guard_many(self.target, self.terms, deletes, ahead, "are wanted no more (is the journal whole?)")
        self._decided(plan)

    def decide_removal(self) -> None:
        """All that is ours is to go."""
        self.is_removal = True
        self._decided(plan_removal(self.survey.known, self.desired.windows))

    def _decided(self, plan: Plan) -> None:
        self.outcome.kept, self.outcome.unchanged = list(plan.kept), plan.unchanged
        self.outcome.changes = [(change, uid_of(change.mark, self.target.name)) for change in plan.changes]

    def _stamp(self, before: Item | None) -> Stamp:
        """The stamp of what is written now: later than that of what stood there, whatever the clock says."""
        now = self.terms.now
        if before is None:
            return Stamp(now, 0)
        return Stamp(max(now, before.stamp.moment + _SECOND), before.stamp.sequence + 1, written=now)

    # Write.

    def carry_out(self) -> None:
        """Make the changes, several at a time where the target takes that: deletes, then creates, then updates.

        Each result is recorded as it comes, here, in the one thread that has the state. What a crash loses of that is
        met again in the calendar as ours; but a delete would be taken for the user's, so each of these is kept at once.
        """
        self.notes.forget_missing(self._is_current)
        self.notes.adopt_unmarked(self._standing(), self.wanted)
        if self.outcome.changes:
            views.drop(self.state, self.survey.place)  # until the end: a crash on the way costs a list
        planned, self.outcome.changes = self.outcome.changes, []
        concluded = 0
        for action, phase in groupby(planned, key=lambda each: each[0].action):
            writes = (self._prepared(change) for change, _ in phase)
            with self.state.in_batches(1 if action is Action.DELETE else BATCH) as recorded:
                for write, result in at_once(((write, write.send) for write in writes), self.target.connections):
                    self._conclude(write, result)
                    recorded()
                    concluded += 1
                    if self.terms.progress:
                        self.terms.progress(concluded, len(planned))
            if self.outcome.ended is not None:
                break
        else:
            self.notes.read_back()
        self.outcome.changes.sort(key=lambda each: each[0].order)

    def _conclude(self, write: Write, result: Resource | CalsyncError | None) -> None:
        """Record what became of a write."""
        change = write.change
        try:
            if isinstance(result, ConflictError) and not self.is_removal:
                self.is_sure = False
                self._meet(write)
            elif isinstance(result, CalsyncError):
                raise result
            else:
                write.record(result)
        except (ConflictError, MissingError):
            self.is_sure = False
            because = "changed on the server just now: look again later"
            self.outcome.kept.append(Kept(change.window, write.uid, because))
        except ItemError as error:
            self.outcome.failed.append(Failure(change, write.uid, str(error)))
        except CalsyncError as error:
            self.outcome.ended = self.outcome.ended or error

    def _meet(self, write: Write) -> None:
        """Deal with what another has made of the event: decide again, once, on what stands there now."""
        if write.change.action is Action.CREATE:
            self._make_elsewhere(write)
        elif (again := self._decided_again(write.change)) is not None:
            other = self._prepared(again)
            other.record(other.send())

    def _decided_again(self, change: Change) -> Change | None:
        """What is to be done now that somebody else has changed the event. Raises MissingError if it is gone."""
        assert change.before is not None, "a create deals with what stands in its way"
        href = change.before.href
        resource = self.target.fetch([href]).get(href)
        if resource is None:
            raise MissingError(href)
        entry = self.survey.eyes.entry(resource, self.survey.seen.get(href))
        self.survey.seen[href] = entry
        self.state.put(self.survey.place, entry)
        found = (Found(href, resource.etag, entry.item),) if entry.item else ()
        others = frozenset() if found else frozenset({href})
        wanted = {window: want for window, want in self.wanted.items() if window == change.window}
        plan = decide(wanted, replace(self.survey.known, found=found, others=others), self.terms.day)
        self.outcome.kept += plan.kept
        self.outcome.unchanged += plan.unchanged
        return next((each for each in plan.changes if each.action is not Action.CREATE), None)

    def _prepared(self, change: Change) -> Write:
        prepare = {Action.CREATE: self._create, Action.UPDATE: self._update, Action.DELETE: self._delete}
        return prepare[change.action](change)

    def _create(self, change: Change) -> Write:
        from calsync import ical

        assert change.after is not None
        after, mark, stamp, base = change.after, change.mark, self._stamp(None), hashes(change.after)
        uid = uid_of(mark, self.target.name)
        self.survey.eyes.expect(uid, mark)
        body = ical.build(after, mark, uid, stamp, self.terms.zone, base)

        def record(resource: Resource | None) -> None:
            assert resource is not None
            self.notes.record(resource, after, mark, base, stamp)
            self.outcome.changes.append((change, uid))

        return Write(change, uid, lambda: self.target.create(f"{uid}.ics", body), record)

    def _make_elsewhere(self, write: Write) -> None:
        """Adopt what stands in the way if it is ours; else make the event under another UID."""
        for _ in range(_GENERATIONS - 1):
            if self._adopt(f"{write.uid}.ics", write.change):
                return
            mark = write.change.mark
            write = self._create(replace(write.change, mark=Mark(mark.name, mark.window, mark.generation + 1)))
            try:
                made = write.send()
            except ConflictError:
                continue
            write.record(made)
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
        item = self.survey.eyes.item(resource.body)
        if item is None:
            return False
        if change.after is not None and hashes(item.reminder) == hashes(change.after):
            self.outcome.unchanged += 1
        else:
            self.outcome.kept.append(Kept(change.window, item.uid, "was there already: see the next run"))
        return True

    def _update(self, change: Change) -> Write:
        from calsync import ical

        assert change.before is not None
        assert change.after is not None
        before, after = change.before.item, change.after
        stamp = self._stamp(before)
        old, base = self.survey.seen[change.before.href].resource, self._base(change)
        body = ical.patch(old.body, after, change.mark, base, stamp, self.terms.zone)

        def record(resource: Resource | None) -> None:
            assert resource is not None
            self.notes.record(resource, after, change.mark, base, stamp)
            self.outcome.changes.append((change, before.uid))

        return Write(change, before.uid, lambda: self.target.update(old, body), record)

    def _delete(self, change: Change) -> Write:
        assert change.before is not None
        found, old = change.before, self.survey.seen[change.before.href].resource

        def record(_nothing: Resource | None) -> None:
            self.notes.retire(found.href, change.mark)
            self.outcome.changes.append((change, found.item.uid))

        return Write(change, found.item.uid, lambda: self.target.delete(old), record)

    # Remember.

    def _base(self, change: Change) -> Hashes:
        """What we wrote last, once the change is made: of a field that is the user's, that is what it was before.

        Days that were heard and are wanted so by now are ours again: else who moves them back would not be heard.
        """
        assert change.before is not None
        assert change.after is not None
        fresh, after = self.wanted[change.window].fresh, change.after
        heard = DAYS if all(getattr(fresh, name) == getattr(after, name) for name in DAYS) else ()
        old = change.before.item.base or self._remembered_base(change.window, change.before) or {}
        return {**hashes(after), **{name: old[name] for name in change.theirs if name in old and name not in heard}}

    def told(self) -> Outcome:
        """What became of it, with where that was and what it cost."""
        self.outcome.where = self.terms.named(self.target.where)
        self.outcome.requests = self.target.requests
        self.outcome.is_sure = self.is_sure and self.survey.known.whole
        return self.outcome
