"""From an event in the calendar back to the journal: what `calsync why` tells of a window or an application.

Public face: `find`, `text`, `as_json`. Nothing is printed here. An id is a window's, the UID of its event, an
application's, or a beginning that only one of them has.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping

from msgspec import Struct

from calsync import listing
from calsync.errors import UsageError
from calsync.model import Application, Contacted, Event, Heard, Interview, Outlook, Standing, Window, kind_of
from calsync.status import days, standing_json
from calsync.titles import Titles
from calsync.workdays import say

_DETAILS = {
    "by": "by {}",
    "timeline": "they decide by {}",
    "follow_up_on": "follow up on {}",
    "follow_up_by": "they like: {}",
    "until": "until {}",
    "respond_by": "answer due {}",
    "window": "window {}",
    "opens": "opens {}",
    "closes": "closes {}",
    "note": "note: {}",
}
"""What an event may say besides its day, and how it is told."""


class Subject(Struct, frozen=True):
    """What is asked about: `windows`, the `applications` they serve, and the `others` that lead to the same person."""

    windows: tuple[Window, ...]
    applications: tuple[Standing, ...]
    others: tuple[Standing, ...]


def find(outlook: Outlook, uids: Mapping[str, str], wanted: str) -> Subject:
    """What `wanted` names; `uids` maps the UIDs of events to window ids.

    An application's id stands for its windows that are not past. Raises UsageError where nothing has that id, or
    where it is the beginning of several.
    """
    windows = {window.id: window for window in outlook.windows}
    standings = {standing.application.id: standing for standing in outlook.standings}
    name = _resolved([*windows], [*standings], uids, wanted)
    if name in windows:
        found: tuple[Window, ...] = (windows[name],)
        served = [application.id for application in windows[name].applications]
    else:
        of_it = (each for each in outlook.windows if name in {application.id for application in each.applications})
        found = tuple(window for window in of_it if not window.state.is_past)
        served = [name]
    person = next(group for group in outlook.persons if any(each.id == served[0] for each in group))
    others = [application.id for application in person if application.id not in served]
    return Subject(found, tuple(standings[each] for each in served), tuple(standings[each] for each in others))


def _resolved(windows: list[str], applications: list[str], uids: Mapping[str, str], wanted: str) -> str:
    """The one id of a window or an application that `wanted` means."""
    exact = {**{each: each for each in (*windows, *applications)}, **uids}
    if wanted in exact:
        return exact[wanted]
    begun = {name: meant for name, meant in exact.items() if name.startswith(wanted)}
    meant = sorted(set(begun.values()))
    of_applications = [each for each in meant if each in applications]
    if len(of_applications) == 1 and all(each.startswith(of_applications[0]) for each in meant):
        return of_applications[0]
    if len(meant) == 1:
        return meant[0]
    if meant:
        several = [each for each in sorted(begun) if not each.startswith(tuple(f"{name}/" for name in of_applications))]
        raise UsageError(f"'{wanted}' is the beginning of several: {_listed(several)}; write more of it")
    near = difflib.get_close_matches(wanted, [*windows, *applications], n=3, cutoff=0.5)
    near += [each for each in windows if each.startswith(f"{wanted.partition('/')[0]}/") and each not in near]
    hint = f"the nearest are {_listed(near)}" if near else "'calsync windows --all' shows all windows"
    raise UsageError(f"no window, event or application has the id '{wanted}'; {hint}")


def _listed(names: list[str]) -> str:
    more = f", and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(f"'{name}'" for name in names[:5]) + more


def text(subject: Subject, words: Titles, uids: Mapping[str, str]) -> Iterator[str]:
    """Each window with its reasons, then the journal that it comes from, then the person's other applications.

    `uids` maps window ids to the UIDs of their events on CalDAV.
    """
    for window in subject.windows:
        yield words.summary(window)
        yield f"  {days(window)}, {window.state}"
        yield f"  window {window.id}"
        yield f"  event {uids[window.id]}"
        yield "  Why:"
        yield from (f"  - {reason}" for reason in window.why)
    for standing in subject.applications:
        if standing.why_not and not subject.windows:
            yield f"{standing.application.id} has no window: {standing.why_not}"
    for standing in subject.applications:
        yield f"From the journal, {_name(standing.application)}:"
        yield from (f"  {event.place}: {_told(event)}" for event in _by_day(standing.application))
    if subject.others:
        yield "Also to the same person:"
    for standing in subject.others:
        yield from _other(standing, subject)


def _other(standing: Standing, subject: Subject) -> Iterator[str]:
    """What another application brings to the person: its window or why it has none, and what sets or lifts the bar."""
    application = standing.application
    shown = {window.id for window in subject.windows}
    next_ = f"window {standing.next}" if standing.next else f"no window: {standing.why_not}"
    same = ", the same contact" if standing.next in shown else ""
    yield f"  {_name(application)} ({application.id}), {standing.stage}; {next_}{same}"
    for event in _by_day(application):
        if isinstance(event, Contacted | Heard | Interview):
            yield f"    {event.place}: {_told(event)}"


def as_json(subject: Subject, uids: Mapping[str, str]) -> dict[str, object]:
    """One object: `windows` as `calsync windows --json` has them, `applications` and `same_person` by id."""
    return {
        "windows": listing.windows_json(subject.windows, uids),
        "applications": {each.application.id: _application_json(each) for each in subject.applications},
        "same_person": {each.application.id: _application_json(each) for each in subject.others},
    }


def _application_json(standing: Standing) -> dict[str, object]:
    events = [
        {"file": event.place.file, "line": event.place.line, "column": event.place.column, "text": _told(event)}
        for event in _by_day(standing.application)
    ]
    return {**standing_json(standing), "events": events}


def _by_day(application: Application) -> list[Event]:
    return sorted(application.events, key=lambda event: event.day)


def _name(application: Application) -> str:
    return f"{application.company}, {application.role}" if application.role else application.company


def _told(event: Event) -> str:
    """An event in a line: "interview on Thu 12 Nov, they decide by Fri 27 Nov"."""
    words = [f"{kind_of(event)} on {say(event.day)}"]
    for key, form in _DETAILS.items():
        value = getattr(event, key, None)
        if value is not None:
            words.append(form.format(say(value) if hasattr(value, "weekday") else value))
    return ", ".join(words)
