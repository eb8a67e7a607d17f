"""A new event as iCalendar text: content lines, escaped and folded (RFC 5545 3.1, 3.3.11). Pure.

Text that stands on a server is read and changed with the icalendar library (`ical.py`); for text of our own its model
of components is not needed, and took most of the time of a first sync. Public face: `build`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo

from calsync.identity import hashes_text, mark_text
from calsync.model import Hashes, Mark, Reminder, Stamp
from calsync.vtimezone import vtimezone

PRODID = "-//calsync//calsync//EN"
MARK, BASE, WRITTEN = "X-CALSYNC", "X-CALSYNC-BASE", "X-CALSYNC-WRITTEN"
MOMENT = "%Y%m%dT%H%M%SZ"
_OCTETS = 74
"""As many a line, before its CRLF; the library folds there too. RFC 5545 3.1 allows 75."""


def build(reminder: Reminder, mark: Mark, uid: str, stamp: Stamp, zone: tzinfo, base: Hashes) -> str:
    """A whole VCALENDAR with the event of `reminder`; timed ones are written in `zone`. `base` are its hashes."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{PRODID}"]
    start = local(reminder.start, zone)
    if isinstance(start, datetime) and start.tzinfo is not UTC:
        lines += vtimezone(zone, str(zone), start.year).splitlines()
    lines += _event(reminder, mark, uid, stamp, zone, base)
    lines.append("END:VCALENDAR")
    return "\r\n".join([*map(_folded, lines), ""])


def _event(reminder: Reminder, mark: Mark, uid: str, stamp: Stamp, zone: tzinfo, base: Hashes) -> Iterator[str]:
    """The unfolded lines of the VEVENT; an empty field is left out."""
    stamped = stamp.moment.astimezone(UTC).strftime(MOMENT)
    texts = {
        "CATEGORIES": ",".join(map(_escaped, reminder.categories)),
        "CLASS": _escaped(reminder.classification),
        "DESCRIPTION": _escaped(reminder.description),
        "LAST-MODIFIED": stamped,
        "LOCATION": _escaped(reminder.location),
        "STATUS": _escaped(reminder.status),
        "TRANSP": _escaped(reminder.transp),
    }
    summary = _escaped(reminder.summary)
    yield "BEGIN:VEVENT"
    if summary:
        yield f"SUMMARY:{summary}"
    yield f"DTSTART{_when(local(reminder.start, zone), zone)}"
    yield f"DTEND{_when(local(reminder.end, zone), zone)}"
    yield f"DTSTAMP:{stamped}"
    yield f"UID:{uid}"
    yield f"SEQUENCE:{stamp.sequence}"
    yield from (f"{name}:{text}" for name, text in texts.items() if text)
    yield f"{MARK}:{mark_text(mark)}"
    yield f"{BASE}:{hashes_text(base)}"
    yield f"{WRITTEN}:{(stamp.written or stamp.moment).astimezone(UTC).strftime(MOMENT)}"
    for trigger in reminder.alarms:
        yield from ("BEGIN:VALARM", "ACTION:DISPLAY", f"DESCRIPTION:{summary}", f"TRIGGER:{_duration(trigger)}")
        yield "END:VALARM"
    yield "END:VEVENT"


def local(moment: date, zone: tzinfo) -> date:
    """A moment in the user's zone, UTC where that is the zone; a day as it is."""
    if not isinstance(moment, datetime):
        return moment
    return moment.astimezone(UTC if str(zone) in ("UTC", "Etc/UTC", "GMT") else zone)


def _when(moment: date, zone: tzinfo) -> str:
    """What follows the name of DTSTART or DTEND (3.3.4, 3.3.5)."""
    if not isinstance(moment, datetime):
        return f";VALUE=DATE:{moment:%Y%m%d}"
    if moment.tzinfo is UTC:
        return f":{moment.strftime(MOMENT)}"
    return f";TZID={zone}:{moment:%Y%m%dT%H%M%S}"


def _duration(span: timedelta) -> str:
    """A duration (3.3.6). One of no length is PT0S: P0D is right too, and some clients do not read it."""
    minutes, seconds = divmod(abs(span) // timedelta(seconds=1), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    time = "".join(f"{count}{unit}" for count, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if count)
    text = (f"{days}D" if days else "") + (f"T{time}" if time else "")
    return f"{'-' if span < timedelta(0) else ''}P{text or 'T0S'}"


def _escaped(text: str) -> str:
    """A TEXT value (3.3.11)."""
    for sign, escaped in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\r\n", "\\n"), ("\r", "\\n"), ("\n", "\\n")):
        text = text.replace(sign, escaped)
    return text


def _folded(line: str) -> str:
    """`line` in pieces, never within a character nor between a backslash and what it escapes (3.1)."""
    if len(line) <= _OCTETS and line.isascii():
        return line
    data, pieces, start = line.encode(), [], 0
    while len(data) - start > _OCTETS:
        end = start + _OCTETS
        while data[end] & 0xC0 == 0x80:  # the middle of a character in UTF-8
            end -= 1
        if data[end - 1] == 0x5C:  # a backslash
            end -= 1
        pieces.append(data[start:end].decode())
        start = end
    return "\r\n ".join([*pieces, data[start:].decode()])
