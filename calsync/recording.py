"""What the state remembers of a run on one target: what was written, what is gone, and the token for the next run.

Public face: `Recorder`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from calsync import views
from calsync.identity import hashes, uid_of
from calsync.model import Hashes, Item, Mark, Reminder, Resource, Stamp
from calsync.outcome import Outcome
from calsync.plan import Found, Wanted
from calsync.state import Entry, State
from calsync.survey import Survey
from calsync.targets.base import Target


class Recorder:
    """Notes the results of one run in the state, each as it is known."""

    def __init__(self, target: Target, state: State, survey: Survey) -> None:
        self.target = target
        self.state = state
        self.survey = survey
        self.written: set[str] = set()
        self.unread: dict[str, Entry] = {}

    def record(self, resource: Resource, reminder: Reminder, mark: Mark, base: Hashes, stamp: Stamp) -> None:
        """Remember what was written; where the server told no ETag, it is read again: it may have been rewritten."""
        uid, written = uid_of(mark, self.target.name), stamp.written or stamp.moment
        item = Item(uid=uid, reminder=reminder, mark=mark, base=base, stamp=stamp, written=written)
        entry = Entry(resource=resource, item=item, written=mark, base=base)
        if resource.etag is None:
            self.unread[resource.href] = entry
        self.state.put(self.survey.place, entry)
        self.written.add(resource.href)

    def read_back(self) -> None:
        """Read what was written and got no ETag, all at once."""
        for href, stored in (self.target.fetch(self.unread) if self.unread else {}).items():
            self.state.put(self.survey.place, self.survey.eyes.entry(stored, self.unread[href]))

    def retire(self, href: str, mark: Mark) -> None:
        """Remember that the event of `mark` is no more, and that its UID is used up."""
        self.state.forget(self.survey.place, href)
        self.state.retire(self.survey.place, mark.window, mark.generation)

    def forget_missing(self, is_current: Callable[[str], bool]) -> None:
        """Forget what is gone and was not ours, or is wanted no more; its UID is not used again."""
        if not self.survey.known.whole:
            return
        missing = self.survey.missing
        with self.state.transaction():
            for href, entry in self.survey.before.items():
                if href in self.survey.seen:
                    continue
                if entry.written is None:
                    self.state.forget(self.survey.place, href)
                elif not is_current(entry.written.window) or self.survey.known.is_undone(entry.written):
                    self.retire(href, entry.written)
                elif entry.written.window not in missing:  # it stands elsewhere by now, or is spelled otherwise
                    self.state.forget(self.survey.place, href)

    def keep_token(self, *, is_sure: bool) -> None:
        """Let the next run ask for what changed since this one, unless the cache does not agree with the calendar."""
        survey, state = self.survey, self.state
        if not is_sure:
            views.drop(state, survey.place)
        elif survey.known.whole and not (survey.before.keys() - survey.seen.keys()) & state.hrefs(survey.place):
            views.keep(state, survey.place, survey.view, self.written)

    def adopt_unmarked(self, standing: Mapping[str, Found], wanted: Mapping[str, Wanted]) -> None:
        """Remember as written what stands as it should on a server that drops marks, so that it follows the journal.

        Also in place of what is remembered: what was written last may be lost by a crash, or by another computer.
        """
        with self.state.transaction():
            for window, found in standing.items():
                want, entry = wanted.get(window), self.survey.seen[found.href]
                if want is None or found.item.base is not None:
                    continue
                base, mark = hashes(want.kept), self.survey.eyes.mark(found.item)
                if base == hashes(found.item.reminder) and base != entry.base:
                    self.state.put(self.survey.place, replace(entry, written=mark, base=base))

    def forget_all(self, outcome: Outcome) -> None:
        """Forget the place, unless something of ours is left. UIDs stay used up, also those that the user deleted."""
        if outcome.kept or outcome.failed:
            return
        with self.state.transaction():
            for href, entry in self.state.entries(self.survey.place).items():
                if entry.written is None:
                    self.state.forget(self.survey.place, href)
                else:
                    self.retire(href, entry.written)
