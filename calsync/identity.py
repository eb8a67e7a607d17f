"""Who an event belongs to, and what we wrote into it last. Pure (`docs/identity.md`).

- `Mark` and its text, the value of `X-CALSYNC`: "v1;NAME;WINDOW-ID;GENERATION", other characters than letters, digits
  and "-._~/" percent-encoded, so that no server's escaping can change its meaning.
- `uid_of`: the UID that a mark gives; letters, digits and dashes, always the same.
- `hashes` and their text, the value of `X-CALSYNC-BASE`: a short hash of each owned field, taken after normalising, so
  that what means the same has the same hash whoever spelled it.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from urllib.parse import quote, unquote

from calsync.model import Hashes, Mark, Reminder

OWNED = Reminder.__struct_fields__
"""The names of the owned fields, as `X-CALSYNC-BASE` and reports use them."""

DAYS = ("start", "end")
"""Two fields that are one to people: when the event is."""

_VERSION = "v1"
_GENERATION = re.compile("[0-9]{1,9}")
_UIDS = uuid.UUID("0d0c1d52-7a5d-5b0e-9d3e-0c6f2a3d9b1e")


@lru_cache(maxsize=2**15)
def uid_of(mark: Mark, target: str) -> str:
    """The UID of the event of `mark` in the target of that name: the feed's differ from those on CalDAV.

    A run asks for each several times, so they are kept.
    """
    return str(uuid.uuid5(_UIDS, "\n".join((target, mark.name, mark.window, str(mark.generation)))))


def mark_text(mark: Mark) -> str:
    """The value of `X-CALSYNC`."""
    return f"{_VERSION};{quote(mark.name)};{quote(mark.window)};{mark.generation}"


def read_mark(text: str) -> Mark | None:
    """The mark that `text` holds, plain or with its semicolons escaped (RFC 5545 3.3.11); None if it is none."""
    parts = text.strip().replace("\\;", ";").split(";")
    if len(parts) != 4:
        return None
    version, name, window, generation = parts
    if version != _VERSION or not (name and window and _GENERATION.fullmatch(generation)):
        return None
    return Mark(unquote(name), unquote(window), int(generation))


def hashes(reminder: Reminder) -> Hashes:
    """A short hash of each owned field."""
    return {name: _hash(getattr(reminder, name)) for name in OWNED}


@lru_cache(maxsize=512)
def _hash(value: object) -> str:
    """The hash of a field. Values that are equal have the same: most reminders have most of them in common."""
    return sha256(_normal(value).encode()).hexdigest()[:8]


def hashes_text(values: Hashes) -> str:
    """The value of `X-CALSYNC-BASE`."""
    return " ".join(f"{name}={values[name]}" for name in OWNED)


def read_hashes(text: str) -> Hashes | None:
    """The hashes that `text` holds; None if a field is missing, as after an edit or in another version."""
    values = dict(pair.split("=", 1) for pair in text.split() if "=" in pair)
    return {name: values[name] for name in OWNED} if all(name in values for name in OWNED) else None


def differing(before: Hashes, after: Hashes) -> tuple[str, ...]:
    """The names of the fields that differ, in the order of the fields."""
    return tuple(name for name in OWNED if before[name] != after[name])


def shown(reminder: Reminder | None) -> Mapping[str, object]:
    """The owned fields as reports show them: days and moments in ISO form, triggers as seconds; None for no event."""
    if reminder is None:
        return dict.fromkeys(OWNED)
    return {name: _shown(getattr(reminder, name)) for name in OWNED}


def _shown(value: object) -> object:
    match value:
        case date():
            return _normal(value)
        case timedelta():
            return int(value.total_seconds())
        case tuple():
            return [_shown(each) for each in value]
        case _:
            return value


def _normal(value: object) -> str:
    """One spelling for what means the same: moments in UTC, text trimmed, lists sorted."""
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat()
        case date():
            return value.isoformat()
        case timedelta():
            return str(int(value.total_seconds()))
        case tuple():
            return "\n".join(sorted(_normal(each) for each in value))
        case _:
            lines = str(value).replace("\r\n", "\n").strip().split("\n")
            return "\n".join(line.rstrip() for line in lines)
