"""Short words for tests of the etiquette: days, applications, and windows as one line of text each.

Public face: `on`, `app`, `pausing`, `windows_of`, `see`, `current`, `stand`, `APPLIED`, `INTERVIEW`, `TOUCHED`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from msgspec.structs import replace

from calsync import model as m
from calsync.etiquette import outlook, windows

POLICY = m.Policy()
DANA = m.Contact(name="Dana Ruiz", email="dana@acme.example", phone="+1 312 555 0100")
CALL, EMAIL = m.Channel.CALL, m.Channel.EMAIL

HOLIDAYS: Mapping[str, Mapping[date, str]] = {
    "US": {date(2026, 11, 11): "Veterans Day", date(2026, 11, 26): "Thanksgiving Day"},
    "US-IL": {date(2026, 11, 11): "Veterans Day", date(2026, 11, 27): "Lincoln's Day"},
    "XX": {date(2026, 11, day): "Long Feast" for day in range(9, 17)},
    "YY": {date(2026, 12, 31): "Old Year", date(2027, 1, 1): "New Year"},
}
"""Places with few holidays; those of XX swallow a whole week."""


def holidays(country: str, subdivision: str | None, year: int) -> Mapping[date, str]:
    """The days of `HOLIDAYS` in that year."""
    place = f"{country}-{subdivision}" if subdivision else country
    return {day: name for day, name in HOLIDAYS.get(place, {}).items() if day.year == year}


def on(text: str) -> date:
    """`11-04` is that day of 2026; another year is written out."""
    return date.fromisoformat(text if len(text) > 5 else f"2026-{text}")


APPLIED = m.Applied(day=on("11-04"))
INTERVIEW = m.Interview(day=on("11-12"))
TOUCHED = m.Contacted(day=on("11-17"))


def app(
    *events: m.Event, contact: m.Contact = DANA, do_not: tuple[m.Channel, ...] = (), name: str = "a"
) -> m.Application:
    """An application to Dana at Acme."""
    return m.Application(id=name, company="Acme", contact=contact, do_not=frozenset(do_not), events=events)


def windows_of(application: m.Application, today: str, policy: m.Policy = POLICY) -> tuple[m.Window, ...]:
    """Its windows as of a day."""
    return windows([application], policy, on(today), holidays)


def pausing(first: str, last: str, policy: m.Policy = POLICY) -> m.Policy:
    """The policy of a user who pauses on these days."""
    return replace(policy, pauses=(m.Pause(on(first), on(last)),))


def see(application: m.Application, today: str, policy: m.Policy = POLICY) -> list[str]:
    """Its windows, each as `id by opens..closes state`, with `done_on` where it is done."""
    return [shown(window) for window in windows_of(application, today, policy)]


def current(application: m.Application, today: str, policy: m.Policy = POLICY) -> list[str]:
    """As `see`, without what is past and what is drawn ahead."""
    return [line for line in see(application, today, policy) if line.endswith(" firm")]


def shown(window: m.Window) -> str:
    """One window as `id by opens..closes state`; the id without the application."""
    name = window.id.removeprefix(f"{window.applications[0].id}/")
    done = [f"{window.done_on:%m-%d}"] if window.done_on else []
    return " ".join([name, str(window.by), f"{window.opens:%m-%d}..{window.closes:%m-%d}", window.state, *done])


def stand(application: m.Application, today: str, policy: m.Policy = POLICY) -> m.Standing:
    """Where it stands as of a day."""
    (standing,) = outlook([application], policy, on(today), holidays).standings
    return standing
