"""What people say by what they do to an event: done, skipped, moved. Pure (`docs/calendars.md`).

A signal becomes an event in the answers, so that journal and answers stay the only truth. Only a window that is
current, or drawn ahead, is asked: what is history says nothing more, and nothing is said twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime, time, tzinfo

from msgspec import Struct

from calsync.identity import DAYS, differing, hashes
from calsync.model import Application, Contacted, Event, Hashes, Pinned, Reminder, Skipped, Window
from calsync.plan import CANCELLED
from calsync.workdays import DAY

CALENDAR = "calendar"
"""The `via` of every answer that was read off a calendar."""

_DONE = re.compile(r"✓|✔|✅|☑|\[x\]|(?<!\bnot )\bdone\b", re.IGNORECASE)


class Answer(Struct, frozen=True):
    """An event for the answers of an application."""

    application: Application
    event: Contacted | Skipped | Pinned


class Seen(Struct, frozen=True):
    """The event of a window as it stands, with the title that we gave it and the hashes of what we wrote."""

    window: Window
    stands: Reminder
    title: str
    base: Hashes


def answers(seen: Iterable[Seen], gone: Iterable[Window], today: date, zone: tzinfo) -> tuple[Answer, ...]:
    """What the events of current windows say, in the order of the windows' ids.

    `gone` are the windows whose events a person deleted. Days are in `zone`, the user's.
    """
    found = [(each.window, event) for each in seen if (event := _said(each, today, zone))]
    found += [(window, _skip(window, today)) for window in gone]
    found.sort(key=lambda pair: pair[0].id)
    return tuple(
        Answer(window.applications[0], event)
        for window, event in found
        if not _is_known(event, window.applications[0].events)
    )


def _said(seen: Seen, today: date, zone: tzinfo) -> Contacted | Skipped | Pinned | None:
    """What one event says; done beats cancelled, cancelled beats moved."""
    window, stands = seen.window, seen.stands
    changed = differing(seen.base, hashes(stands))
    if _is_done(seen, changed):
        return _done(window, today)
    if "status" in changed and stands.status == CANCELLED:
        return _skip(window, today)
    if set(changed) & set(DAYS) and window.starts is None:
        opens, closes = _days(window, stands, zone)
        if (opens, closes) != (window.opens, window.closes):
            return Pinned(day=today, window=window.id, opens=opens, closes=closes, via=CALENDAR)
    return None


def _is_done(seen: Seen, changed: tuple[str, ...]) -> bool:
    """Whether the title begins with a mark of being done or gained one, or a category says so."""
    if "summary" in changed and _says_done(seen.stands.summary.strip(), seen.title):
        return True
    return "categories" in changed and any(each.casefold() == "done" for each in seen.stands.categories)


def _says_done(stands: str, ours: str) -> bool:
    """Whether the title says more of being done than `ours` does, as that of somebody called Done."""
    begins = bool(_DONE.match(stands)) and not _DONE.match(ours)
    return begins or len(_DONE.findall(stands)) > len(_DONE.findall(ours))


def _done(window: Window, today: date) -> Contacted | Skipped:
    """A touch today, or on the window's last day if that is past; what asks for no touch is only put away."""
    if window.by is None:
        return _skip(window, today)
    thanks = window.rule == "thank-you"
    return Contacted(day=min(today, window.closes), thanks=thanks, window=window.id, via=CALENDAR)


def _skip(window: Window, today: date) -> Skipped:
    return Skipped(day=today, window=window.id, via=CALENDAR)


def _days(window: Window, stands: Reminder, zone: tzinfo) -> tuple[date, date]:
    """The days that the event has now.

    An all-day event gives its own. A timed one tells the first day; the window stays open as long as it was.
    """
    if isinstance(stands.start, datetime) or isinstance(stands.end, datetime):
        opens = _moment(stands.start, zone).astimezone(zone).date()
        return opens, max(opens, window.closes)
    return stands.start, max(stands.start, stands.end - DAY)


def _moment(value: date, zone: tzinfo) -> datetime:
    return value if isinstance(value, datetime) else datetime.combine(value, time(), zone)


def _is_known(event: Contacted | Skipped | Pinned, events: Iterable[Event]) -> bool:
    """Whether `events` say it already: a window is done or skipped once; of its pins the last one counts."""
    same = [known for known in events if isinstance(known, type(event)) and known.window == event.window]
    if isinstance(event, Pinned):
        pins = [(known.opens, known.closes) for known in same if isinstance(known, Pinned)]
        return pins[-1:] == [(event.opens, event.closes)]
    return bool(same)
