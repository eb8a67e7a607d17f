"""How a calendar takes writes: one event is made, changed and removed, and told apart by its ETags.

Public face: `findings`.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from datetime import datetime

from msgspec.structs import replace

from calsync.errors import CalsyncError
from calsync.model import Resource
from calsync.targets.base import ConflictError, ItemError, MissingError, Target

About = tuple[str, str, str]
"""What was looked at, "fine", "note" or "bad", and the words, as in a `doctor.Finding`."""


def findings(target: Target, now: datetime) -> Iterator[About]:
    """Try it; the event is gone at the end, whatever happens, or the last words say that it is not.

    Raises ServerError where the server fails in the middle.
    """
    uid = f"calsync-doctor-{secrets.token_hex(8)}"
    made: Resource | None = None
    try:
        made = target.create(f"{uid}.ics", _event(uid, now, "calsync doctor: this may be deleted"))
        yield "writing", "fine", "an event could be made"
        yield from _etags(target, made, uid, now)
    except ItemError as error:
        yield "writing", "bad", str(error)
    finally:
        left = made is not None and not _removed(target, made.href)
    if left:
        assert made is not None
        yield "deleting", "bad", f"the event {made.href} could not be removed; delete it in your calendar app"
    elif made is not None:
        yield "deleting", "fine", "the event was removed"


def _etags(target: Target, made: Resource, uid: str, now: datetime) -> Iterator[About]:
    read = target.fetch([made.href]).get(made.href)
    if read is None:
        yield "reading", "bad", "the event that was made cannot be read"
        return
    if read.etag is None or read.etag.startswith("W/"):
        yield "etags", "note", "the server has no strong ETags: calsync compares texts before each write"
    elif made.etag is None:
        yield "etags", "fine", "the server tells no ETag on writing: calsync reads again"
    else:
        yield "etags", "fine", "the server tells ETags"
    target.update(read, _event(uid, now, "calsync doctor: changed"))
    try:
        target.update(replace(read), _event(uid, now, "calsync doctor: changed blindly"))
    except (ConflictError, MissingError):
        yield "conditions", "fine", "a change that nobody has seen is not overwritten"
    else:
        yield "conditions", "note", "the server lets changes be overwritten unseen: edit on one device at a time"


def _removed(target: Target, href: str) -> bool:
    """Whether the event is gone; tried with what stands there now."""
    with contextlib.suppress(CalsyncError):
        for _ in range(2):
            standing = target.fetch([href]).get(href)
            if standing is None:
                return target.gone(href)
            with contextlib.suppress(ItemError):
                target.delete(standing)
    return False


def _event(uid: str, now: datetime, summary: str) -> str:
    """An event of today that keeps no time occupied."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//calsync//doctor//EN",
        "BEGIN:VEVENT",
        f"UID:{uid}",
        f"DTSTAMP:{now:%Y%m%dT%H%M%SZ}",
        f"DTSTART;VALUE=DATE:{now:%Y%m%d}",
        f"SUMMARY:{summary}",
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "\r\n".join(lines) + "\r\n"
