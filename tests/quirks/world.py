"""A user's folder and a calendar on a quirk server, beside a dentist's appointment that is nobody's to touch.

Public face: `OnQuirks`, `shown`, `wanted`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urljoin, urlsplit

from calsync.sync import Report
from tests.quirks.bodies import Component, parsed
from tests.quirks.server import QuirkServer
from tests.test_sync import FOREIGN, InMemory, World

Shown = tuple[str, ...]
"""What a person sees of an event: its title, its days, and when it rings."""


def shown(body: str) -> Shown:
    """What a person sees of the event in this text."""
    calendar = parsed(body)
    assert calendar is not None
    event = next(part for part in calendar.parts if part.name == "VEVENT")
    alarms = sorted(line for part in event.parts for line in _lines(part, "TRIGGER"))
    return (*_lines(event, "SUMMARY"), *_lines(event, "DTSTART"), *_lines(event, "DTEND"), *alarms)


def _lines(component: Component, name: str) -> list[str]:
    return [line for line in component.lines if line.startswith((f"{name}:", f"{name};"))]


@cache
def wanted(journal: str) -> tuple[Shown, ...]:
    """What a calendar shows that follows this journal, as an honest target in memory has it."""
    with TemporaryDirectory() as folder:
        world = InMemory(Path(folder))
        world.write(journal)
        world.run()
        return tuple(sorted(map(shown, world.items().values())))


class OnQuirks(World):
    """calsync and its user at a calendar of a quirk server: a fresh one, or that of `another` machine of theirs."""

    def __init__(self, folder: Path, server: QuirkServer, another: OnQuirks | None = None) -> None:
        folder.mkdir(exist_ok=True)
        super().__init__(folder)
        self.server = server
        self.day: date | None = None
        """The day of the runs; None is that of NOW."""
        self.is_settled = False
        """Whether the last `settle` came to its end."""
        self.calendar = another.calendar if another else server.calendar("Job search")
        self.foreign = another.foreign if another else self.put("dentist-1.ics", FOREIGN)
        secret = folder / "password"
        secret.touch(mode=0o600)
        secret.write_text(server.password, encoding="utf-8")

    def caldav(self) -> str:
        login = f"username: {self.server.username}, password_file: password"
        return f"url: '{self.server.url}', {login}, calendar: '{self.calendar}'"

    def items(self) -> Mapping[str, str]:
        return self.server.items(self.calendar)

    def put(self, name: str, body: str) -> str:
        href = urlsplit(urljoin(self.calendar, name)).path
        self.server.put(href, body)
        return href

    def remove(self, href: str) -> None:
        self.server.remove(href)

    def lose_state(self) -> None:
        """Delete the cache, as a user may at any time."""
        (self.folder / "state" / "state.sqlite3").unlink(missing_ok=True)

    def shown(self) -> tuple[Shown, ...]:
        """All that a person sees in the calendar, but for the dentist."""
        return tuple(sorted(shown(body) for href, body in self.items().items() if href != self.foreign))

    def find(self, words: str) -> str:
        """The href of the one event with these words in its title."""
        [href] = [href for href, body in self.items().items() if words in shown(body)[0]]
        return href

    def retitle(self, words: str, title: str) -> None:
        """Another program changes a title."""
        old = shown(self.items()[self.find(words)])[0]

        def change(body: str) -> str:
            calendar = parsed(body)
            assert calendar is not None
            return "\r\n".join(calendar.text()).replace(old, f"SUMMARY:{title}") + "\r\n"

        self.server.edit(self.find(words), change)

    def writes_of(self, *, dry_run: bool = False) -> tuple[Report, int]:
        """Run once; returns the report and how many writes were sent."""
        before = len(self.server.writes())
        report = self.run(today=self.day, dry_run=dry_run)
        return report, len(self.server.writes()) - before

    def settle(self, runs: int, until: Callable[[], bool] = lambda: True) -> None:
        """Run until a run is fine, writes nothing, and has nothing to look at again; at most so many times."""
        self.is_settled = False
        for _ in range(runs):
            report, writes = self.writes_of()
            if report.exit_code == 0 and writes == 0 and not self._waits(report) and until():
                self.is_settled = True
                return

    def _waits(self, report: Report) -> bool:
        """Whether the report says that something is to be looked at again."""
        return any(re.search("next run|again|incomplete", kept.because) for kept in report.outcomes[0].kept)

    def must_be_unharmed(self) -> None:
        """The dentist's appointment is as it was; no write was blind; nothing stands there twice."""
        assert self.items()[self.foreign] == FOREIGN
        assert self.server.blind_writes() == []
        titles = Counter(self.shown())
        assert [event for event, times in titles.items() if times > 1] == []
