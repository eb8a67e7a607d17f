"""The etiquette: from applications to the windows in which a contact is polite (Szlucha 2013).

Public face: `outlook` and its shorter form `windows`; `windows_to` and `order` for who goes person by person.
Pure: `today` and the holidays are arguments. The rules stand one a file in `rules/`, the replay of one application in
`replay.py`, what holds for a person in `guard.py`; the page that they follow is `docs/etiquette.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from functools import cache

from calsync.etiquette.bringing import bring
from calsync.etiquette.guard import Person, happens
from calsync.etiquette.persons import Group, Phone, digits, persons
from calsync.etiquette.replay import Chain
from calsync.model import Acknowledged, Application, Outlook, Policy, Standing, Window, kind_of
from calsync.workdays import HolidayTable, Workdays

Holidays = Callable[[str, str | None, int], HolidayTable]
"""The public holidays of (country, subdivision, year)."""


def outlook(
    applications: Iterable[Application], policy: Policy, today: date, holidays: Holidays, phone: Phone = digits
) -> Outlook:
    """Replay all applications as of `today`: their windows by `opens` and id, and where each one stands.

    `phone` gives a telephone number its one spelling, by which contacts are known to be one person.
    """
    applications = tuple(applications)
    people = tuple(persons(applications, phone))
    windows: list[Window] = []
    standings: dict[str, Standing] = {}
    for group, person in _replayed(people, policy, today, holidays):
        windows.extend(bring(person.windows(), group, today))
        standings.update((standing.application.id, standing) for standing in person.standings())
    windows.sort(key=order)
    return Outlook(
        windows=tuple(windows),
        standings=tuple(standings[each.id] for each in applications),
        warnings=tuple(_ahead(applications, today)),
        persons=people,
    )


def windows_to(people: Iterable[Group], policy: Policy, today: date, holidays: Holidays) -> Iterator[Window]:
    """The windows to these `persons`, to one after the other: none depends on what leads to another person."""
    for group, person in _replayed(people, policy, today, holidays):
        yield from bring(person.windows(), group, today)


def order(window: Window) -> tuple[int, str]:
    """The order in which windows are told: by `opens`, as a number that is sooner sent than the day, and id."""
    return window.opens.toordinal(), window.id


def windows(
    applications: Iterable[Application], policy: Policy, today: date, holidays: Holidays, phone: Phone = digits
) -> tuple[Window, ...]:
    """All windows of `applications` as of `today`, done and missed ones too, by `opens` and id."""
    return outlook(applications, policy, today, holidays, phone).windows


def _replayed(
    people: Iterable[Group], policy: Policy, today: date, holidays: Holidays
) -> Iterator[tuple[Group, Person]]:
    """Each group of applications with its person, who may be asked until the next one comes."""
    places = _places(policy, holidays)
    for group in people:
        person = Person(
            tuple(Chain(each, policy, places(*_place(each, policy)), today) for each in group), policy, today
        )
        person.replay()
        yield group, person
        person.forget()


def _place(application: Application, policy: Policy) -> tuple[str | None, str | None]:
    """Where the contact's public holidays are: at the contact's country, else at the config's."""
    contact = application.contact
    if contact.country:
        return contact.country, contact.subdivision
    return policy.country, policy.subdivision


def _places(policy: Policy, holidays: Holidays) -> Callable[[str | None, str | None], Workdays]:
    """Make the business days of each place once."""

    @cache
    def workdays(country: str | None, subdivision: str | None) -> Workdays:
        @cache
        def table(year: int) -> HolidayTable:
            return holidays(country, subdivision, year) if country else {}

        place = "-".join(filter(None, (country, subdivision)))
        return Workdays(policy.weekdays, table, policy.pauses, place)

    return workdays


def _ahead(applications: Iterable[Application], today: date) -> Iterator[str]:
    for application in applications:
        for event in application.events:
            if event.day > today and not happens(event, today) and not isinstance(event, Acknowledged):
                yield f"{event.place}: {kind_of(event)} on {event.day} is still ahead: it is left out until then"
