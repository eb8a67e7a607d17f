"""libical, as GNOME, KDE and Cyrus have it: reads FOLDER/*.ics, checks them against RFC 5545, prints what each says.

Over ctypes, so that the library alone is needed and no compiler.
"""

from __future__ import annotations

import ctypes
import json
import sys
from pathlib import Path
from typing import Any


class Time(ctypes.Structure):
    """struct icaltimetype of libical 3."""

    _fields_ = (
        *((name, ctypes.c_int) for name in ("year", "month", "day", "hour", "minute", "second", "is_date", "is_dst")),
        ("zone", ctypes.c_void_p),
    )


LIBRARY = ctypes.CDLL("libical.so.3")
POINTER, TEXT, NUMBER = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int


def function(name: str, result: Any, *arguments: Any) -> Any:
    """A function of the library with its types."""
    found = getattr(LIBRARY, name)
    found.restype, found.argtypes = result, arguments
    return found


parse = function("icalparser_parse_string", POINTER, TEXT)
count_errors = function("icalcomponent_count_errors", NUMBER, POINTER)
check = function("icalrestriction_check", NUMBER, POINTER)
kind = function("icalcomponent_string_to_kind", NUMBER, TEXT)
count = function("icalcomponent_count_components", NUMBER, POINTER, NUMBER)
first = function("icalcomponent_get_first_component", POINTER, POINTER, NUMBER)
uid = function("icalcomponent_get_uid", TEXT, POINTER)
summary = function("icalcomponent_get_summary", TEXT, POINTER)
description = function("icalcomponent_get_description", TEXT, POINTER)
start = function("icalcomponent_get_dtstart", Time, POINTER)
end = function("icalcomponent_get_dtend", Time, POINTER)
utc = function("icaltimezone_get_utc_timezone", POINTER)
converted = function("icaltime_convert_to_zone", Time, Time, POINTER)
as_text = function("icalcomponent_as_ical_string", TEXT, POINTER)
free = function("icalcomponent_free", None, POINTER)


def moment(time: Time) -> str:
    """A day, or a moment in UTC."""
    if time.is_date:
        return f"{time.year:04}-{time.month:02}-{time.day:02}"
    now = converted(time, utc())
    return f"{now.year:04}-{now.month:02}-{now.day:02}T{now.hour:02}:{now.minute:02}:{now.second:02}Z"


def read(path: Path) -> dict[str, Any]:
    """What a file says; an exit with libical's own words where it complains."""
    calendar = parse(path.read_bytes())
    if not calendar or not check(calendar) or count_errors(calendar):
        sys.exit(f"{path.name}: libical complains:\n{as_text(calendar).decode() if calendar else 'nothing was read'}")
    if count(calendar, kind(b"VEVENT")) != 1:
        sys.exit(f"{path.name}: not one event")
    event = first(calendar, kind(b"VEVENT"))
    found = {
        "uid": uid(event).decode(),
        "summary": summary(event).decode(),
        "description": (description(event) or b"").decode(),
        "start": moment(start(event)),
        "end": moment(end(event)),
        "alarms": count(event, kind(b"VALARM")),
    }
    free(calendar)
    return found


if __name__ == "__main__":
    json.dump({path.name: read(path) for path in Path(sys.argv[1]).glob("*.ics")}, sys.stdout)
