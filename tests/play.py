"""A user, two computers and a calendar, played at random: what may happen, and what must hold whatever happens.

`Play` acts on a `World` (`tests/test_sync.py`), in memory or on a quirk server, and keeps its own books of what a
person did, so that after each run it can say whether anything was lost. `tests/test_machine.py` lets Hypothesis play,
`tests/torture.py` for as long as asked. Public face: `Play`, `Shaky`, `CrashError`, `figures`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from calsync import book, config, ical, undo
from calsync.errors import GuardError, UnreachableError
from calsync.identity import hashes, uid_of
from calsync.journal import read_answers
from calsync.model import Contacted, Event, Item, Pinned, Resource, Skipped, Window
from calsync.sync import Report
from calsync.targets.base import Changes, ItemError, Listing
from calsync.targets.memory import MemoryTarget
from tests.quirks.bodies import Component, parsed
from tests.test_sync import FOREIGN, World

T = TypeVar("T")
ZONE = ZoneInfo("Europe/Berlin")
FIRST_DAY = date(2026, 11, 23)
MACHINES = ("one", "two")
CONTACTS = (
    {"name": "Dana Ruiz", "phone": "+1 312 555 0100", "email": "dana@acme.example"},
    {"name": "Lee", "phone": "+1 312 555 0101"},
    {"name": "Kim", "email": "kim@corp.example"},
)
SAID = (Contacted, Skipped, Pinned)

figures: Counter[str] = Counter()
"""What was played so far: steps, runs, faults, crashes survived."""


# ------------------------------------------------------------------------------------------ a shaky target


class CrashError(BaseException):
    """The process ends here: nothing catches it."""


class Blow(Enum):
    """What strikes one request to a target in memory."""

    LOST_BEFORE = "lost before"
    LOST_AFTER = "lost after"
    REFUSED = "refused"
    CRASH_BEFORE = "crash before"
    CRASH_AFTER = "crash after"
    DOUBTFUL = "a list in doubt"
    LYING = "a list that misses an item and does not say so"


class Shaky(MemoryTarget):
    """An honest target that a blow strikes at one request; `writes` counts what was tried."""

    name = "caldav"

    def __init__(self) -> None:
        super().__init__()
        self.blow: Blow | None = None
        self.at = 0
        self.writes = 0

    def strike(self, blow: Blow, at: int) -> None:
        """Let it strike the request that is `at` requests from now."""
        self.blow, self.at = blow, at

    def _pass(self, do: Callable[[], T]) -> T:
        self.at -= 1
        blow = self.blow if self.at == 0 else None
        if blow is not None:
            figures[f"struck: {blow.value}"] += 1
        if blow is Blow.CRASH_BEFORE:
            raise CrashError
        if blow is Blow.LOST_BEFORE:
            raise UnreachableError("away")
        if blow is Blow.REFUSED:
            raise ItemError("not now")
        done = do()
        if blow is Blow.CRASH_AFTER:
            raise CrashError
        if blow is Blow.LOST_AFTER:
            raise UnreachableError("away")
        return done

    def _write(self, do: Callable[[], T]) -> T:
        self.writes += 1
        return self._pass(do)

    def listing(self) -> Listing:
        is_struck = self.at == 1 and self.blow in (Blow.DOUBTFUL, Blow.LYING)
        found = self._pass(super().listing)
        if not is_struck:
            return found
        shown = dict(list(found.etags.items())[:-2])
        return Listing(shown, whole=self.blow is Blow.LYING)

    def token(self) -> str | None:
        return self._pass(super().token)

    def changes(self, token: str) -> Changes | None:
        return self._pass(lambda: MemoryTarget.changes(self, token))

    def fetch(self, hrefs: Iterable[str]) -> Mapping[str, Resource]:
        return self._pass(lambda: MemoryTarget.fetch(self, hrefs))

    def gone(self, href: str) -> bool:
        return self._pass(lambda: MemoryTarget.gone(self, href))

    def create(self, href: str, body: str) -> Resource:
        return self._write(lambda: MemoryTarget.create(self, href, body))

    def update(self, item: Resource, body: str) -> Resource:
        return self._write(lambda: MemoryTarget.update(self, item, body))

    def delete(self, item: Resource) -> None:
        self._write(lambda: MemoryTarget.delete(self, item))


# ------------------------------------------------------------------------------------------------ the play


@dataclass
class Ours:
    """An event of ours as it stands: its href, text, and what it tells."""

    href: str
    body: str
    item: Item

    @property
    def window(self) -> str:
        assert self.item.mark is not None
        return self.item.mark.window


@dataclass
class Before:
    """What stood there before a run."""

    items: dict[str, str]
    answers: list[tuple[str, Event]]
    ours: dict[str, Ours]
    current: set[str]
    writes: int


@dataclass
class Play:
    """The books: `theirs` has the hash of each field that a person changed, by UID. `foreign` is what is not ours.

    `known` are the UIDs that a computer has in its state, for sure. `deleted` and `done` are what a person did and no
    run has answered yet: UID -> window. `skipped` are windows that must stay away.
    """

    world: World
    writes: Callable[[], int]
    today: date = FIRST_DAY
    applications: list[dict[str, Any]] = field(default_factory=list)
    theirs: dict[str, dict[str, str]] = field(default_factory=dict)
    foreign: dict[str, str] = field(default_factory=dict)
    known: dict[str, set[str]] = field(default_factory=lambda: {machine: set() for machine in MACHINES})
    deleted: dict[str, str] = field(default_factory=dict)
    done: dict[str, str] = field(default_factory=dict)
    skipped: set[str] = field(default_factory=set)
    taken_out: dict[str, list[dict[str, str]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        href = self.world.put("dentist-1.ics", FOREIGN)
        self.foreign[href] = self.world.items()[href]
        for contact, days_ago in ((CONTACTS[0], 5), (CONTACTS[1], 3)):
            self.apply_somewhere(contact, days_ago)
        self.settle(MACHINES[0])

    # The journal.

    def write(self) -> None:
        """Save the journal; JSON is YAML."""
        self.world.write(json.dumps({"applications": self.applications}))

    def apply_somewhere(self, contact: Mapping[str, str], days_ago: int) -> None:
        number = len(self.applications)
        applied = {"applied": str(self.today - timedelta(days=days_ago))}
        entry = {"id": f"app-{number}", "company": f"Company {number}", "contact": dict(contact), "events": [applied]}
        self.applications.append(entry)
        self.write()

    def happen(self, number: int, kind: str, days: int) -> None:
        """Something happens to an application, `days` from today."""
        application = self.applications[number % len(self.applications)]
        application["events"].append({kind: str(self.today + timedelta(days=days))})
        self.write()

    def rename(self, number: int, name: str) -> None:
        """The contact has another name; which may part persons, or join them."""
        self.applications[number % len(self.applications)]["contact"]["name"] = name
        self.write()

    def take_out(self, number: int) -> None:
        """What happened to an application vanishes from the journal, or is back."""
        application = self.applications[number % len(self.applications)]
        kept = self.taken_out.pop(application["id"], [])
        if not kept:
            self.taken_out[application["id"]] = application["events"]
        application["events"] = kept
        self.write()

    def pass_days(self, days: int) -> None:
        self.today += timedelta(days=days)

    # The person with another app.

    def ours(self) -> dict[str, Ours]:
        """Our events by UID; a copy is not ours."""
        found = {}
        for href, body in self.world.items().items():
            item = ical.parse(body)
            mark = item.mark if item else None
            if item and mark and mark.name == "default" and item.uid == uid_of(mark, "caldav"):
                assert item.uid not in found, "one UID stands twice"
                found[item.uid] = Ours(href, body, item)
        return found

    def edit(self, event: Ours, change: Callable[[Component], None]) -> None:
        """Change an event's text; what that changes in owned fields is theirs from now on."""
        tree = parsed(event.body)
        assert tree is not None
        change(next(part for part in tree.parts if part.name == "VEVENT"))
        self.world.put(event.href, "\r\n".join(tree.text()) + "\r\n")
        after = self.ours()[event.item.uid].item.reminder
        old, new = hashes(event.item.reminder), hashes(after)
        base, theirs = event.item.base or {}, self.theirs.setdefault(event.item.uid, {})
        theirs |= {name: new[name] for name in new if new[name] != old[name]}
        for name in [each for each in theirs if theirs[each] == base.get(each)]:
            del theirs[name]  # back at what we wrote: ours again

    def retitle(self, event: Ours, title: str) -> None:
        self.edit(event, lambda each: each.set("SUMMARY", title))
        self.done.pop(event.item.uid, None)  # a title that says done no more is not heard

    def describe(self, event: Ours) -> None:
        self.edit(event, lambda each: each.set("DESCRIPTION", "Ask for the team."))

    def say_done(self, event: Ours) -> None:
        self.retitle(event, f"✓ {event.item.reminder.summary.replace('✓ ', '')}")
        self.done[event.item.uid] = event.window

    def cancel(self, event: Ours) -> None:
        self.edit(event, lambda each: each.set("STATUS", "CANCELLED"))

    def move(self, event: Ours, days: int) -> None:
        """Move start and end by whole days."""
        values = {"DTSTART": event.item.reminder.start, "DTEND": event.item.reminder.end}

        def change(component: Component) -> None:
            for name, value in values.items():
                later = value + timedelta(days=days)
                is_moment = isinstance(later, datetime)
                text = f"{name}:{later:%Y%m%dT%H%M%SZ}" if is_moment else f"{name};VALUE=DATE:{later:%Y%m%d}"
                component.set(name, "")
                component.lines = [text if line == f"{name}:" else line for line in component.lines]

        self.edit(event, change)

    def silence(self, event: Ours) -> None:
        self.edit(event, lambda each: each.parts.clear())

    def touch(self, event: Ours) -> None:
        """An app notes that an alarm was dismissed, stamps the event and sorts it: noise."""

        def change(component: Component) -> None:
            component.set("DTSTAMP", "20261201T120000Z")
            component.set("X-MOZ-LASTACK", "20261201T120000Z")
            component.lines.sort()
            for alarm in component.parts:
                alarm.set("ACKNOWLEDGED", "20261201T120000Z")

        self.edit(event, change)

    def delete(self, event: Ours) -> None:
        self.world.remove(event.href)
        self.theirs.pop(event.item.uid, None)
        self.done.pop(event.item.uid, None)
        self.deleted[event.item.uid] = event.window

    def copy(self, event: Ours) -> None:
        """The app makes a copy: it has the mark, but a UID of its own, so it is the person's."""
        number = len(self.foreign)
        body = event.body.replace(f"UID:{event.item.uid}", f"UID:copy-{number}")
        href = self.world.put(f"copy-{number}.ics", body)
        self.foreign[href] = self.world.items()[href]

    def lose_state(self, machine: str) -> None:
        (self.world.folder / machine / "state.sqlite3").unlink(missing_ok=True)
        self.known[machine] = set()

    # calsync.

    def run(self, machine: str, *, is_quiet: bool = True, force: bool = False) -> Report | None:
        """One sync, after which all must hold that a sync promises; None where it crashed.

        `is_quiet`: no fault strikes it, so that it must do all that it should.
        """
        before = self._before()
        try:
            report = self.world.run(today=self.today, machine=machine, force=force)
        except CrashError:
            report = None
            figures["crashes survived"] += 1
        figures["runs"] += 1
        self._must_hold(before, report)
        if report is None or report.exit_code or not is_quiet:
            return report
        self._must_be_done(before, machine)
        self.known[machine] = set(self.ours())
        return report

    def settle(self, machine: str) -> None:
        """Run until all is done: the run after the next one writes nothing and learns nothing."""
        report = self.run(machine)
        if report is not None and any(isinstance(error, GuardError) for error in report.errors):
            figures["guards"] += 1
            report = self.run(machine, force=True)
        assert report is not None
        assert report.exit_code == 0, [str(each) for each in report.errors] + report.outcomes
        before, answers = self.writes(), self.answers()
        again = self.run(machine)
        assert again is not None
        assert (again.exit_code, self.writes() - before) == (0, 0), again.outcomes
        assert self.answers() == answers
        figures["settled"] += 1

    def take_back(self, machine: str, number: int) -> None:
        """`calsync undo`, and a sync after it, as the docs say: the window is as if nothing had been said."""
        windows = [event.window for _, event in self.answers() if isinstance(event, SAID)]
        if not windows:
            return
        window = windows[number % len(windows)]
        assert window is not None
        before = self.answers()
        taken = undo.undo(self._config(), self.world.environ(machine), window)
        assert len(self.answers()) == len(before) - 1
        assert (taken.application, taken.event) in before
        figures["undone"] += 1
        self.skipped.discard(window)
        for uid, ours in self.ours().items():
            if ours.window == window:
                self.theirs.pop(uid, None)
                self.done.pop(uid, None)
        self.deleted = {uid: each for uid, each in self.deleted.items() if each != window}
        self.settle(machine)

    # What must hold.

    def answers(self) -> list[tuple[str, Event]]:
        blocks = read_answers(self.world.folder / "answers.yaml", ZONE)
        return [(block.id, event) for block in blocks for event in block.events]

    def _config(self) -> config.Config:
        return config.load(self.world.folder / "default.yaml", {}, self.world.folder)

    def windows(self) -> dict[str, Window]:
        """The windows of the journal and the answers as they are now."""
        if not (self.world.folder / "default.yaml").exists():
            return {}
        return {window.id: window for window in book.look(self._config(), self.today).windows}

    def _before(self) -> Before:
        current = {id_ for id_, window in self.windows().items() if not window.state.is_past}
        return Before(dict(self.world.items()), self.answers(), self.ours(), current, self.writes())

    def _must_hold(self, before: Before, report: Report | None) -> None:
        """What holds after every run, however it ended."""
        items, answers, ours = self.world.items(), self.answers(), self.ours()
        for href, body in self.foreign.items():
            assert items[href] == body, "a foreign event was touched"
        assert answers[: len(before.answers)] == before.answers, "an answer was lost"
        said = Counter((type(event), event.window) for _, event in answers if isinstance(event, Contacted | Skipped))
        assert [each for each, times in said.items() if times > 1] == [], "said twice"
        windows = self.windows()
        for uid, fields in self.theirs.items():
            if uid in ours:
                now = hashes(ours[uid].item.reminder)
                assert {name: now[name] for name in fields} == fields, "a field of theirs was overwritten"
        wanted = {id_ for id_, window in windows.items() if not window.state.is_past}
        for uid in before.ours.keys() - ours.keys():
            window = before.ours[uid].window
            others = {each.window for each in ours.values()}
            assert window not in wanted or window in others or self._may_vanish(uid), f"{window} lost its event"
            self.theirs.pop(uid, None)
            self.done.pop(uid, None)
        if report is not None and any(isinstance(error, GuardError) for error in report.errors):
            assert (items, answers) == (before.items, before.answers), "a guard spoke, and something was changed"

    def _may_vanish(self, uid: str) -> bool:
        """Whether a run may take the event of a wanted window away and not bring another yet: only where undone."""
        return uid in self.deleted

    def _must_be_done(self, before: Before, machine: str) -> None:
        """What holds after a run that nothing struck and that met no error."""
        ours, answers = self.ours(), self.answers()
        count = Counter(each.window for each in ours.values())
        assert [window for window, times in count.items() if times > 1] == [], "two events of one window"
        skips = {event.window for _, event in answers if isinstance(event, Skipped)}
        for uid, window in list(self.deleted.items()):
            if uid in ours:
                assert uid not in self.known[machine], "what was deleted came back"
                del self.deleted[uid]
            elif uid in self.known[machine] and window in before.current and window not in count:
                assert window in skips, "a deletion was not heard"
                self.skipped.add(window)
                del self.deleted[uid]
        for uid, window in list(self.done.items()):
            if window in before.current:
                said = [each for _, each in answers if isinstance(each, Contacted | Skipped) and each.window == window]
                assert said, "a title that says done was not heard"
            self.done.pop(uid, None)
        for each in ours.values():
            assert each.window not in self.skipped, "what was deleted came back"
