"""One item of `events:` -> one `model.Event`.

The key names the kind, its value is the day (or day and time), the other keys say more. `KINDS` is the whole table: a
new kind of event is a line there, a maker below, and a class in `model.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import NamedTuple, TypedDict
from zoneinfo import ZoneInfo

from calsync import fields as f
from calsync import model
from calsync.fields import Fields
from calsync.model import Channel, Ending, Place
from calsync.yamlfile import Document, Mapping, Node, quote

BY = {"call": Channel.CALL, "email": Channel.EMAIL, "any": Channel.ANY}
"""The words for a channel."""

_BY = f.one_of(BY)


class _Base(TypedDict):
    """What every event has: see `model.Happening`."""

    day: date
    note: str | None
    place: Place


class _Said(TypedDict):
    """What the employer said: see `model.Statement`."""

    timeline: date | None
    follow_up_on: date | None
    follow_up_by: Channel | None


class Kind(NamedTuple):
    """One kind of event: how it is made, and its keys beside `COMMON`.

    `make` is handed the moment in the event's own zone, if it has a time of day.
    """

    make: Callable[[Fields, _Base, datetime | None], model.Event | None]
    keys: frozenset[str] = frozenset()


COMMON = ("note", "timezone")
"""Keys that any event may have."""


def _applied(_: Fields, base: _Base, _at: datetime | None) -> model.Event:
    return model.Applied(**base)


def _acknowledged(_: Fields, base: _Base, _at: datetime | None) -> model.Event:
    return model.Acknowledged(**base)


def _interview(fields: Fields, base: _Base, at: datetime | None) -> model.Event:
    return model.Interview(
        **base,
        **_said(fields, base["day"]),
        at=at,
        duration=fields.get_or("duration", f.duration, timedelta(hours=1)),
        interviewer=fields.get("with", f.line),
        location=fields.get("place", f.line),
    )


def _heard(fields: Fields, base: _Base, _at: datetime | None) -> model.Event:
    return model.Heard(**base, **_said(fields, base["day"]), by=fields.get("by", _BY))


def _contacted(fields: Fields, base: _Base, _at: datetime | None) -> model.Event:
    return model.Contacted(
        **base,
        by=fields.get("by", _BY),
        article=fields.get("article", f.line),
        thanks=fields.get_or("thanks", f.switch, default=False),
        window=fields.get("window", f.line),
        via=fields.get("via", f.line),
    )


def _snoozed(fields: Fields, base: _Base, _at: datetime | None) -> model.Event | None:
    until = _later(fields, "until", base["day"]) if fields.need("until", f.day) else None
    return None if until is None else model.Snoozed(**base, until=until)


def _skipped(fields: Fields, base: _Base, _at: datetime | None) -> model.Event | None:
    window = fields.need("window", f.line)
    via = fields.get("via", f.line)
    return None if window is None else model.Skipped(**base, window=window, via=via)


def _pinned(fields: Fields, base: _Base, _at: datetime | None) -> model.Event | None:
    window = fields.need("window", f.line)
    opens, closes = fields.need("opens", f.day), fields.need("closes", f.day)
    via = fields.get("via", f.line)
    if opens is None or closes is None or window is None:
        return None
    if closes < opens:
        fields.complain(f"'closes' is {closes}, before 'opens', {opens}", "closes")
    return model.Pinned(**base, window=window, opens=opens, closes=closes, via=via)


def _offer(fields: Fields, base: _Base, _at: datetime | None) -> model.Event:
    respond_by = fields.get("respond_by", f.day)
    if respond_by is not None and respond_by < base["day"]:
        fields.complain(f"'respond_by' is {respond_by}, before the offer of {base['day']}", "respond_by")
    return model.Offer(**base, respond_by=respond_by)


def _ended(how: Ending) -> Callable[[Fields, _Base, datetime | None], model.Event]:
    def make(_: Fields, base: _Base, _at: datetime | None) -> model.Event:
        return model.Ended(**base, how=how)

    return make


KINDS: dict[str, Kind] = {
    "applied": Kind(_applied),
    "interview": Kind(_interview, frozenset({"duration", "with", "place", "timeline", "follow_up"})),
    "heard": Kind(_heard, frozenset({"by", "timeline", "follow_up"})),
    "contacted": Kind(_contacted, frozenset({"by", "article", "thanks", "window", "via"})),
    "acknowledged": Kind(_acknowledged),
    "snoozed": Kind(_snoozed, frozenset({"until"})),
    "skipped": Kind(_skipped, frozenset({"window", "via"})),
    "pinned": Kind(_pinned, frozenset({"window", "opens", "closes", "via"})),
    "offer": Kind(_offer, frozenset({"respond_by"})),
} | {how.value: Kind(_ended(how)) for how in Ending}
"""Every kind of event by the key that names it."""

_ALL_KEYS = (*KINDS, *COMMON, *sorted(frozenset().union(*(kind.keys for kind in KINDS.values()))))


def read_event(document: Document, node: Node, zone: ZoneInfo) -> model.Event | None:
    """Read one item of `events:`, with days in the user's `zone`. None if it is wrong, which is then recorded."""
    if not isinstance(node, Mapping):
        document.complain("an event must be a map, as in 'applied: 2026-11-02'", node)
        return None
    fields = Fields(document, node)
    named = [key for key in node.entries if key in KINDS]
    if len(named) != 1:
        _complain_of_kind(fields, named)
        return None
    kind = KINDS[named[0]]
    _complain_of_strays(fields, named[0], kind)
    own_zone = fields.get("timezone", f.zone)
    note = fields.get("note", f.text)
    when = fields.get(named[0], f.moment)
    if when is None and fields.is_nothing(named[0]):
        document.complain(f"{quote(named[0])} needs a date, as in 2026-11-12", fields.key(named[0]))
    at = when and f.aware(when, own_zone or zone)
    place = Place(document.name, node.line, node.column)
    if when is None:  # what else is wrong with it is told all the same; no day is earlier than this one
        kind.make(fields, _Base(day=date.min, note=note, place=place), at)
        return None
    day = when.day if at is None else at.astimezone(zone).date()
    return kind.make(fields, _Base(day=day, note=note, place=place), at)


def _complain_of_kind(fields: Fields, named: list[str]) -> None:
    document = fields.document
    if named:
        text = f"this event is of two kinds, {quote(named[0])} and {quote(named[1])}: begin each with its own '- '"
        document.complain(text, fields.key(named[1]))
        return
    unknown = [key for key in fields if key not in _ALL_KEYS]
    if unknown:
        near = f.did_you_mean(unknown[0], KINDS) or ": known are " + f.list_of(KINDS)
        document.complain(f"unknown kind of event {quote(unknown[0])}{near}", fields.key(unknown[0]))
    else:
        document.complain(f"this event has no kind; one of {f.list_of(KINDS)} must name it", fields.node)


def _complain_of_strays(fields: Fields, name: str, kind: Kind) -> None:
    """Complain of keys that are unknown, or belong to other kinds of event."""
    for key in fields:
        if key == name or key in kind.keys or key in COMMON:
            continue
        owners = [other for other in KINDS if key in KINDS[other].keys]
        if owners:
            text = f"{quote(key)} does not belong to {quote(name)}, but to {f.list_of(owners)}"
        else:
            text = f.unknown_key(key, (*sorted(kind.keys), *COMMON))
        fields.document.complain(text, fields.key(key))


def _said(fields: Fields, day: date) -> _Said:
    timeline = _later(fields, "timeline", day)
    follow_up = fields.fields("follow_up", ("by", "on"))
    if follow_up is None:
        return _Said(timeline=timeline, follow_up_on=None, follow_up_by=None)
    on, by = _later(follow_up, "on", day), follow_up.get("by", _BY)
    return _Said(timeline=timeline, follow_up_on=on, follow_up_by=by)


def _later(fields: Fields, key: str, day: date) -> date | None:
    """The day `key`, which must be later than the `day` of its event."""
    found = fields.get(key, f.day)
    if found is not None and found <= day:
        fields.complain(f"{quote(key)} is {found}, and must be later than its event of {day}", key)
        return None
    return found
