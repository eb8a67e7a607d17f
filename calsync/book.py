"""The journal, its answers, and what the etiquette says of both: what a run goes by, and adds to.

Public face: `Book`; `look`, for who only wants to know.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING

from msgspec.structs import replace

from calsync import collector, journal, phones
from calsync.config import Config
from calsync.errors import JournalError
from calsync.etiquette import outlook
from calsync.model import Journal, Outlook
from calsync.publicholidays import PublicHolidays

if TYPE_CHECKING:
    from calsync.signals import Answer

ASKED = PublicHolidays()
"""Public holidays of which nothing is kept: who has a cache folder gives their own."""


def read_journal(config: Config, known: PublicHolidays = ASKED) -> Journal:
    """The journal of `config` with the answers. Raises JournalError with every mistake in it."""
    return journal.read(config.applications, config.answers, config.timezone, known.check_place)


def look(config: Config, today: date, known: PublicHolidays = ASKED) -> Outlook:
    """The windows of the journal as of `today`. Raises JournalError."""
    return Book(config, today, known).outlook


class Book:
    """The journal as it was read, with what was learnt since."""

    def __init__(
        self, config: Config, today: date, known: PublicHolidays = ASKED, forgiving: str | None = None
    ) -> None:
        """Read the journal. Raises JournalError; with `forgiving` a wrong one is empty, with that as its warning."""
        self._config = config
        self._today = today
        self._known = known
        with collector.paused():
            try:
                self._journal = read_journal(config, known)
            except JournalError:
                if forgiving is None:
                    raise
                self._journal = Journal(applications=(), warnings=(forgiving,))
            self.outlook = self._look()

    def learn(self, said: Iterable[Answer], *, writes: bool) -> None:
        """Add answers to the file of answers, unless nothing is to be written, and look again.

        Raises CalsyncError where the file cannot be added to.
        """
        said = tuple(said)
        if writes:
            from calsync import answers

            entries = [(answer.application.id, answer.event) for answer in said]
            answers.append(self._config.answers, entries, self._config.timezone)
        applications = tuple(
            replace(
                application,
                events=(
                    *application.events,
                    *(answer.event for answer in said if answer.application.id == application.id),
                ),
            )
            for application in self._journal.applications
        )
        self._journal = replace(self._journal, applications=applications)
        self.outlook = self._look()

    def _look(self) -> Outlook:
        config = self._config
        spelling = phones.spelling(config.policy.country)
        found = outlook(self._journal.applications, config.policy, self._today, self._known.table, spelling)
        return replace(found, warnings=(*self._journal.warnings, *found.warnings))
