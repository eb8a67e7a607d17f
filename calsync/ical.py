"""Reminder -> iCalendar text, and back to the fields that people may change. The only door to icalendar.

- `build` writes a new event; `patch` puts the owned fields into the body that stands on a server and leaves the rest.
- `parse` reads an item into an `Item`: its mark, its base, its fields; None where it holds no event.

Stamp and sequence are arguments, so the same input gives the same bytes. What counts as noise and not as an edit is
told in `docs/calendars.md` ("What people and programs do to it").
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Any

from icalendar import Alarm, Calendar, Component, Event, Timezone
from icalendar.prop import vDuration, vInline, vText

from calsync.identity import DAYS, differing, hashes, hashes_text, mark_text, read_hashes, read_mark
from calsync.model import Hashes, Item, Mark, Reminder, Stamp
from calsync.vtimezone import vtimezone

PRODID = "-//calsync//calsync//EN"
MARK, BASE, WRITTEN = "X-CALSYNC", "X-CALSYNC-BASE", "X-CALSYNC-WRITTEN"
_PROPERTIES: Mapping[str, str] = {
    "start": "DTSTART",
    "end": "DTEND",
    "summary": "SUMMARY",
    "description": "DESCRIPTION",
    "location": "LOCATION",
    "status": "STATUS",
    "categories": "CATEGORIES",
    "transp": "TRANSP",
    "classification": "CLASS",
}
"""The properties of the owned fields; the alarms are components."""
_MOMENT = "%Y%m%dT%H%M%SZ"
_NO_TIME = "PT0S"
"""A trigger of no length. icalendar writes "P0D", which is right and which some clients do not read."""
_ROOM = 74
"""The octets of a line in one piece of it: 75 with the space that a further piece begins with (RFC 5545 3.1)."""
_ESCAPES = re.compile(r"[\\;,\r\n]")
"""What text is not written as it is (3.3.11)."""
_UNREADABLE = (ValueError, LookupError, AttributeError, TypeError, ArithmeticError)
"""What icalendar, or a value of another kind than RFC 5545 gives the property, may raise."""
_SENTINEL_YEAR = 1976
"""The year of the alarm by which Apple's Calendar says "no alarm"."""


def build(reminder: Reminder, mark: Mark, uid: str, stamp: Stamp, zone: tzinfo, base: Hashes) -> str:
    """A whole VCALENDAR with the event of `reminder`; timed ones are written in `zone`. `base` are its hashes.

    The library's values escape; its components take ten times as long, and are for events that stand there.
    """
    start, timezone = _local(reminder.start, zone), ""
    if isinstance(start, datetime) and start.tzinfo is not UTC:
        timezone = vtimezone(zone, str(zone), start.year)
    lines = [
        *("BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{PRODID}", *timezone.splitlines(), "BEGIN:VEVENT"),
        *_event_lines(reminder, uid, stamp, zone),
        f"{MARK}:{mark_text(mark)}",
        f"{BASE}:{hashes_text(base)}",
        f"{WRITTEN}:{_moment(stamp.written or stamp.moment)}",
        *(line for trigger in reminder.alarms for line in _alarm_lines(trigger, reminder.summary)),
        *("END:VEVENT", "END:VCALENDAR"),
    ]
    return "\r\n".join([*map(_folded, lines), ""])


def _event_lines(reminder: Reminder, uid: str, stamp: Stamp, zone: tzinfo) -> Iterator[str]:
    """The owned fields, those that are empty left out, and what tells the event's identity and age."""
    for name, prop in _PROPERTIES.items():
        value = getattr(reminder, name)
        if name in DAYS:
            yield f"{prop}{_when(_local(value, zone), zone)}"
        elif value:
            yield f"{prop}:{','.join(map(_escaped, value)) if isinstance(value, tuple) else _escaped(value)}"
    moment = _moment(stamp.moment)
    yield from (f"UID:{uid}", f"DTSTAMP:{moment}", f"LAST-MODIFIED:{moment}", f"SEQUENCE:{stamp.sequence}")


def _alarm_lines(trigger: timedelta, text: str) -> Iterator[str]:
    yield from ("BEGIN:VALARM", "ACTION:DISPLAY", f"DESCRIPTION:{_escaped(text)}")
    yield from (f"TRIGGER:{_trigger(trigger)}", "END:VALARM")


@lru_cache(maxsize=64)
def _trigger(trigger: timedelta) -> str:
    return _own_text(vDuration(trigger)) if trigger else _NO_TIME


def _when(moment: date, zone: tzinfo) -> str:
    """What follows the name of DTSTART or DTEND (RFC 5545 3.3.4, 3.3.5)."""
    if not isinstance(moment, datetime):
        return f";VALUE=DATE:{moment:%Y%m%d}"
    return f":{_moment(moment)}" if moment.tzinfo is UTC else f";TZID={zone}:{moment:%Y%m%dT%H%M%S}"


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime(_MOMENT)


def _escaped(text: str) -> str:
    return _own_text(vText(text)) if _ESCAPES.search(text) else text


def _folded(line: str) -> str:
    """A content line in pieces of at most 75 octets; the library goes character by character."""
    if len(line) <= _ROOM and line.isascii():
        return line
    octets = line.encode()
    pieces, start = [], 0
    while len(octets) - start > _ROOM:
        end = _fold(octets, start)
        pieces.append(octets[start:end])
        start = end
    return b"\r\n ".join([*pieces, octets[start:]]).decode()


def _fold(octets: bytes, start: int) -> int:
    """Where the piece that begins at `start` ends: within no character, and not behind a backslash that escapes."""
    end = start + _ROOM
    while octets[end] & 0b1100_0000 == 0b1000_0000:  # a further octet of a character of UTF-8
        end -= 1
    piece = octets[start:end]
    return end - (len(piece) - len(piece.rstrip(b"\\"))) % 2


def _own_text(value: Any) -> str:  # noqa: ANN401 - the library's values have no type in common
    """A value of the library as it stands in a file."""
    return bytes(value.to_ical()).decode()


def patch(body: str, reminder: Reminder, mark: Mark, base: Hashes, stamp: Stamp, zone: tzinfo) -> str:
    """`body` with the owned fields that differ from `reminder` set to it; all else stays as it is.

    `base` are the hashes of what we wrote last, now: a field that is the user's keeps its old one. The alarms are
    replaced only if their triggers change; those that show the old title then show the new one. Raises ValueError if
    `body` holds no event.
    """
    calendar = _calendar(body)
    event = _main_event(calendar)
    before = _reminder(event)
    names = differing(hashes(before), hashes(reminder))
    if "DURATION" in event or "DTEND" not in event or set(names) & set(DAYS):
        event.pop("DURATION", None)
        names = (*DAYS, *names)
    _write(event, reminder, dict.fromkeys(names), zone)
    _write_mark(event, mark, base, stamp)
    if sorted(before.alarms) != sorted(reminder.alarms):
        _write_alarms(event, reminder)
    for alarm in _alarms(event):
        if alarm.get("DESCRIPTION") == before.summary:
            alarm["DESCRIPTION"] = vText(reminder.summary)
    return _text(calendar, reminder, zone)


def parse(body: str) -> Item | None:
    """What the item with the text `body` tells of itself; None where it holds no event that can be read."""
    try:
        event = _main_event(_calendar(body))
        modified = "LAST-MODIFIED" if "LAST-MODIFIED" in event else "DTSTAMP"
        return Item(
            uid=str(event.get("UID", "")),
            reminder=_reminder(event),
            mark=read_mark(_raw(event, MARK)),
            base=read_hashes(_raw(event, BASE)),
            stamp=Stamp(_utc(_dt(event, modified)), int(event.get("SEQUENCE", 0))),
            written=_written(event),
        )
    except _UNREADABLE:
        return None


def _calendar(body: str) -> Calendar:
    calendar = Calendar.from_ical(body)
    if not isinstance(calendar, Calendar):
        raise ValueError("not a VCALENDAR")  # noqa: TRY004 - what a server sent is a value, not a type
    return calendar


def _main_event(calendar: Calendar) -> Event:
    """The event itself, not one of the overrides of a recurrence that somebody gave it."""
    for event in calendar.events:
        if "RECURRENCE-ID" not in event:
            return event
    raise ValueError("no VEVENT")


def _write(event: Event, reminder: Reminder, names: Iterable[str], zone: tzinfo) -> None:
    """Set the fields of these names; an empty one is left out."""
    for name in names:
        prop = _PROPERTIES.get(name)
        if prop is None:
            continue
        value = getattr(reminder, name)
        event.pop(prop, None)
        if name in DAYS:
            event.add(prop, _local(value, zone))
        elif value:
            event.add(prop, list(value) if isinstance(value, tuple) else value)


def _write_mark(event: Event, mark: Mark, base: Hashes, stamp: Stamp) -> None:
    """Set what tells whose the event is, what was written, and when."""
    values = {
        "DTSTAMP": stamp.moment,
        "LAST-MODIFIED": stamp.moment,
        "SEQUENCE": stamp.sequence,
        MARK: vInline(mark_text(mark)),
        BASE: vInline(hashes_text(base)),
        WRITTEN: vInline(_moment(stamp.written or stamp.moment)),
    }
    for name, value in values.items():
        event.pop(name, None)
        event.add(name, value)


def _write_alarms(event: Event, reminder: Reminder) -> None:
    event.subcomponents = [part for part in event.subcomponents if part.name != "VALARM"]
    for trigger in reminder.alarms:
        alarm = Alarm()
        alarm.add("ACTION", "DISPLAY")
        alarm.add("DESCRIPTION", reminder.summary)
        alarm.add("TRIGGER", trigger)
        event.add_component(alarm)


def _text(calendar: Calendar, reminder: Reminder, zone: tzinfo) -> str:
    """The text, with the VTIMEZONE that a timed event needs and no other of that name."""
    start = _local(reminder.start, zone)
    if isinstance(start, datetime) and start.tzinfo is not UTC:
        name = str(zone)
        others = [part for part in calendar.subcomponents if part.name != "VTIMEZONE" or str(part.get("TZID")) != name]
        calendar.subcomponents = [Timezone.from_ical(vtimezone(zone, name, start.year)), *others]
    text: str = calendar.to_ical().decode()
    return text.replace("\r\nTRIGGER:P0D\r\n", f"\r\nTRIGGER:{_NO_TIME}\r\n")


def _local(moment: date, zone: tzinfo) -> date:
    """A moment in the user's zone, UTC where that is the zone; a day as it is."""
    if not isinstance(moment, datetime):
        return moment
    local = moment.astimezone(zone)
    return moment.astimezone(UTC) if str(zone) in ("UTC", "Etc/UTC", "GMT") else local


def _reminder(event: Event) -> Reminder:
    start = _day_or_utc(_dt(event, "DTSTART"))
    end = _end(event, start)
    return Reminder(
        start=start,
        end=end,
        summary=str(event.get("SUMMARY", "")),
        description=str(event.get("DESCRIPTION", "")),
        location=str(event.get("LOCATION", "")),
        status=str(event.get("STATUS", "")),
        categories=tuple(_categories(event)),
        alarms=tuple(_triggers(event, start, end)),
        transp=str(event.get("TRANSP", "OPAQUE")),
        classification=str(event.get("CLASS", "PUBLIC")),
    )


def _end(event: Event, start: date) -> date:
    if "DTEND" in event:
        return _day_or_utc(_dt(event, "DTEND"))
    if "DURATION" in event:
        duration: timedelta = _dt(event, "DURATION")
        return start + duration
    return start if isinstance(start, datetime) else start + timedelta(days=1)


def _dt(component: Component, name: str) -> Any:  # noqa: ANN401 - a day, a moment or a duration, as the text says
    return component[name].dt  # type: ignore[union-attr]  # another kind of property raises, as `parse` expects


def _categories(event: Event) -> Iterator[str]:
    found = event.get("CATEGORIES", [])
    for line in found if isinstance(found, list) else [found]:
        yield from map(str, line.cats)


def _alarms(event: Event) -> Iterator[Component]:
    """The alarms, without snoozes, which are noise."""
    for part in event.subcomponents:
        if part.name == "VALARM" and "RELATED-TO" not in part and "TRIGGER" in part:
            yield part


def _triggers(event: Event, start: date, end: date) -> Iterator[timedelta]:
    """The triggers of the alarms, relative to the start; without sentinels, which are noise."""
    for alarm in _alarms(event):
        trigger = _dt(alarm, "TRIGGER")
        if isinstance(trigger, timedelta):
            from_end = alarm["TRIGGER"].params.get("RELATED", "START").upper() == "END"
            yield trigger + (end - start if from_end else timedelta(0))
        elif trigger.year != _SENTINEL_YEAR:
            yield _utc(trigger) - _utc(start)


def _written(event: Event) -> datetime | None:
    """The moment of our last write, None where that is not told."""
    try:
        return datetime.strptime(_raw(event, WRITTEN), _MOMENT).replace(tzinfo=UTC)
    except ValueError:
        return None


def _raw(component: Component, name: str) -> str:
    value = component.get(name)
    return "" if value is None else bytes(value.to_ical()).decode()


def _day_or_utc(value: date) -> date:
    return _utc(value) if isinstance(value, datetime) else value


def _utc(value: date) -> datetime:
    """A moment in UTC; what has no zone is taken as UTC, so that it compares."""
    moment = value if isinstance(value, datetime) else datetime.combine(value, time())
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
