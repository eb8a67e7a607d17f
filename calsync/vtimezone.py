"""A small VTIMEZONE for a zone: two observances with a yearly RRULE each (RFC 5545 3.6.5). Pure.

icalendar's own `add_missing_timezones()` writes lists of RDATEs, which Outlook's documented parser may refuse. The
rules are found by asking the zone itself: where its clock changes on the same weekday of a month for some years
running, that is the rule; where it does not, each change is written as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache

from msgspec import Struct

_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_MINUTE = timedelta(minutes=1)


class _Change(Struct, frozen=True):
    """One change of a zone's clock: the wall time before it, the offsets around it, and its new name."""

    wall: datetime
    before: timedelta
    after: timedelta
    name: str
    summer: bool

    def by_day(self, *, from_end: bool) -> str | None:
        """The day as an RRULE says it ("BYMONTH=3;BYDAY=-1SU"), its week counted from the month's end or start."""
        day = self.wall.date()
        if from_end and (day + timedelta(days=7)).month == day.month:
            return None
        week = -1 if from_end else (day.day - 1) // 7 + 1
        return f"BYMONTH={day.month};BYDAY={week}{_DAYS[day.weekday()]}"


@lru_cache(maxsize=64)
def vtimezone(zone: tzinfo, name: str, year: int) -> str:
    """The VTIMEZONE text (CRLF, no folding needed) for `zone` under the TZID `name`, good for moments in `year`."""
    lines = ["BEGIN:VTIMEZONE", f"TZID:{name}"]
    years = [list(_changes(zone, each)) for each in range(year - 1, year + 3)]
    rules = [_rule(alike) for alike in zip(*years, strict=False)]
    if rules and all(rules) and len({len(changes) for changes in years}) == 1:
        for change, rule in zip(years[0], rules, strict=True):
            lines += _observance(change, f"RRULE:FREQ=YEARLY;{rule}")
    else:
        for change in [_at(zone, date(year - 1, 1, 1)), *years[0], *years[1]]:
            lines += _observance(change)
    return "\r\n".join([*lines, "END:VTIMEZONE", ""])


def _changes(zone: tzinfo, year: int) -> Iterator[_Change]:
    """The changes of the clock in `year`, to the minute."""
    moment = datetime(year, 1, 1, tzinfo=UTC)
    while moment.year == year:
        after = moment + timedelta(days=1)
        if _offset(zone, moment) != _offset(zone, after):
            yield _change(zone, moment, after)
        moment = after


def _change(zone: tzinfo, low: datetime, high: datetime) -> _Change:
    while high - low > _MINUTE:
        middle = low + (high - low) // 2 // _MINUTE * _MINUTE
        if _offset(zone, middle) == _offset(zone, low):
            low = middle
        else:
            high = middle
    before, local = _offset(zone, low), high.astimezone(zone)
    wall = (high + before).replace(tzinfo=None)
    return _Change(wall, before, _offset(zone, high), local.tzname() or "", bool(local.dst()))


def _at(zone: tzinfo, day: date) -> _Change:
    """The state of a zone on `day`, as if it had begun then."""
    moment = datetime(day.year, day.month, day.day, tzinfo=zone)
    offset = _offset(zone, moment)
    return _Change(moment.replace(tzinfo=None), offset, offset, moment.tzname() or "", bool(moment.dst()))


def _offset(zone: tzinfo, moment: datetime) -> timedelta:
    offset = moment.astimezone(zone).utcoffset()
    assert offset is not None
    return offset


def _rule(changes: tuple[_Change, ...]) -> str | None:
    """The RRULE parts on which all of `changes`, one a year, agree."""
    if len({(change.wall.time(), change.before, change.after) for change in changes}) > 1:
        return None
    for from_end in (True, False):
        days = {change.by_day(from_end=from_end) for change in changes}
        if len(days) == 1 and None not in days:
            return days.pop()
    return None


def _observance(change: _Change, rule: str = "") -> list[str]:
    kind = "DAYLIGHT" if change.summer else "STANDARD"
    lines = [
        f"BEGIN:{kind}",
        f"DTSTART:{change.wall:%Y%m%dT%H%M%S}",
        rule,
        f"TZOFFSETFROM:{_sign(change.before)}",
        f"TZOFFSETTO:{_sign(change.after)}",
        f"TZNAME:{change.name}",
        f"END:{kind}",
    ]
    return [line for line in lines if line]


def _sign(offset: timedelta) -> str:
    minutes = abs(offset) // _MINUTE
    return f"{'-' if offset < timedelta(0) else '+'}{minutes // 60:02}{minutes % 60:02}"
