"""A new event as iCalendar text (RFC 5545), written without the library, whose import takes as long as 300 events.

What stands on a server is read and changed with the library (`ical.py`); a test holds the two to the same words.
Public face: `build`; what both need: the names of properties, `local`, `moment_text`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache

from calsync.identity import DAYS, hashes_text, mark_text
from calsync.model import Hashes, Mark, Reminder, Stamp
from calsync.vtimezone import vtimezone

PRODID = "-//calsync//calsync//EN"
MARK, BASE, WRITTEN = "X-CALSYNC", "X-CALSYNC-BASE", "X-CALSYNC-WRITTEN"
PROPERTIES: Mapping[str, str] = {
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
MOMENT = "%Y%m%dT%H%M%SZ"
NO_TIME = "PT0S"
"""A trigger of no length. icalendar writes "P0D", which is right and which some clients do not read."""
_ROOM = 74
"""The octets of a line in one piece of it: 75 with the space that a further piece begins with (RFC 5545 3.1)."""
_ESCAPES = re.compile(r"[\\;,\r\n]")
"""What text is not written as it is (3.3.11)."""
_ESCAPED = (("\\N", "\n"), ("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\r\n", "\\n"), ("\n", "\\n"), ("\r", "\\n"))
"""How it is written, one after the other, as the library has it."""


def build(reminder: Reminder, mark: Mark, uid: str, stamp: Stamp, zone: tzinfo, base: Hashes) -> str:
    """A whole VCALENDAR with the event of `reminder`; timed ones are written in `zone`. `base` are its hashes.

    The library's components would take ten times as long.
    """
    start, timezone = local(reminder.start, zone), ""
    if isinstance(start, datetime) and start.tzinfo is not UTC:
        timezone = vtimezone(zone, str(zone), start.year)
    lines = [
        *("BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{PRODID}", *timezone.splitlines(), "BEGIN:VEVENT"),
        *_event_lines(reminder, uid, stamp, zone),
        f"{MARK}:{mark_text(mark)}",
        f"{BASE}:{hashes_text(base)}",
        f"{WRITTEN}:{moment_text(stamp.written or stamp.moment)}",
        *(line for trigger in reminder.alarms for line in _alarm_lines(trigger, reminder.summary)),
        *("END:VEVENT", "END:VCALENDAR"),
    ]
    return "\r\n".join([*map(_folded, lines), ""])


def _event_lines(reminder: Reminder, uid: str, stamp: Stamp, zone: tzinfo) -> Iterator[str]:
    """The owned fields, those that are empty left out, and what tells the event's identity and age."""
    for name, prop in PROPERTIES.items():
        value = getattr(reminder, name)
        if name in DAYS:
            yield f"{prop}{_when(local(value, zone), zone)}"
        elif value:
            yield f"{prop}:{','.join(map(_escaped, value)) if isinstance(value, tuple) else _escaped(value)}"
    moment = moment_text(stamp.moment)
    yield from (f"UID:{uid}", f"DTSTAMP:{moment}", f"LAST-MODIFIED:{moment}", f"SEQUENCE:{stamp.sequence}")


def _alarm_lines(trigger: timedelta, text: str) -> Iterator[str]:
    yield from ("BEGIN:VALARM", "ACTION:DISPLAY", f"DESCRIPTION:{_escaped(text)}")
    yield from (f"TRIGGER:{_trigger(trigger)}", "END:VALARM")


@lru_cache(maxsize=64)
def _trigger(trigger: timedelta) -> str:
    """A duration (3.3.6), to the second; hours and seconds have minutes between them."""
    if not trigger:
        return NO_TIME
    sign, length = ("-", -trigger) if trigger < timedelta(0) else ("", trigger)
    hours, rest = divmod(length.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    days = f"{length.days}D" if length.days or not length.seconds else ""
    hour = f"{hours}H" if hours else ""
    minute = f"{minutes}M" if minutes or (hours and seconds) else ""
    second = f"{seconds}S" if seconds else ""
    return f"{sign}P{days}{'T' if length.seconds else ''}{hour}{minute}{second}"


def _when(moment: date, zone: tzinfo) -> str:
    """What follows the name of DTSTART or DTEND (RFC 5545 3.3.4, 3.3.5)."""
    if not isinstance(moment, datetime):
        return f";VALUE=DATE:{moment:%Y%m%d}"
    return f":{moment_text(moment)}" if moment.tzinfo is UTC else f";TZID={zone}:{moment:%Y%m%dT%H%M%S}"


def moment_text(moment: datetime) -> str:
    """A moment in UTC (3.3.5)."""
    return moment.astimezone(UTC).strftime(MOMENT)


def _escaped(text: str) -> str:
    """Text (3.3.11); every kind of line end is one."""
    if not _ESCAPES.search(text):
        return text
    for plain, written in _ESCAPED:
        text = text.replace(plain, written)
    return text


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


def local(moment: date, zone: tzinfo) -> date:
    """A moment in the user's zone, UTC where that is the zone; a day as it is."""
    if not isinstance(moment, datetime):
        return moment
    local = moment.astimezone(zone)
    return moment.astimezone(UTC) if str(zone) in ("UTC", "Etc/UTC", "GMT") else local
