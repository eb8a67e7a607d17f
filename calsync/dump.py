"""All windows of a journal as JSON; those of a large one are reckoned on all processors. Public face: `windows`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from itertools import chain

from calsync import book, collector, etiquette, listing, phones, processors
from calsync.config import Config
from calsync.etiquette.persons import Group, persons
from calsync.publicholidays import PublicHolidays
from calsync.uids import uids

LEAST = 500
"""Persons that are worth a processor: a fork costs some 30 ms, which is what it saves with half as many."""

_Row = tuple[int, str, str]
"""A window as JSON, behind what it is sorted by (`etiquette.order`)."""


def windows(
    config: Config,
    today: date,
    known: PublicHolidays,
    environ: Mapping[str, str],
    written: Callable[[object], str],
    *,
    everything: bool,
) -> list[str]:
    """The windows of the journal as of `today`, each `written`, in order; past ones too if `everything` is asked for.

    Raises JournalError.
    """
    policy = config.policy

    def rows(people: Sequence[Group]) -> list[_Row]:
        found = etiquette.windows_to(people, policy, today, known.table)
        shown = listing.current(found, everything=everything)
        told = map(written, listing.windows_json(shown, uids(config, shown, environ)))
        return sorted((*etiquette.order(window), text) for window, text in zip(shown, told, strict=True))

    applications = collector.left(book.read_journal(config, known).applications)
    people = persons(applications, phones.spelling(policy.country))
    return [text for *_, text in sorted(chain.from_iterable(processors.on_all(rows, people, least=LEAST)))]
