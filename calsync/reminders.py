"""From windows to reminders: which days, which alarms, which words. Pure.

Two forms (`docs/calendars.md`): `window`, one all-day event over the window's days, and `slot`, a quarter of an hour on
its first day. A reminder depends on the moment at which it is written, because one whose time has passed then rings
at the next fair moment. So callers hand in the moment of writing: that of the stored event where there is one, and
the same input gives the same reminder on every run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Literal

from msgspec import Struct

from calsync.model import Channel, Reminder, State, Window
from calsync.wording import Wording
from calsync.workdays import DAY

QUARTER = timedelta(minutes=15)
OFFICE_OPENS, OFFICE_CLOSES = time(9), time(17)

Style = Literal["window", "slot"]


class Form(Struct, frozen=True):
    """How the user wants reminders: the style, the time of day at which they ring, the zone of both, the words.

    `zones` finds the zone of a contact by its IANA name.
    """

    style: Style
    remind_at: time
    zone: tzinfo
    zones: Callable[[str], tzinfo]
    words: Wording


def reminders(
    windows: Iterable[Window], form: Form, written: Mapping[str, datetime], now: datetime
) -> dict[str, Reminder]:
    """The reminder of each window, by window id.

    `written` has the moment at which the event of a window was written; `now` stands in for those without one.
    """
    taken: set[datetime] = set()
    found: dict[str, Reminder] = {}
    for window in windows:
        moment = written.get(window.id, now)
        if window.state is State.DONE:
            found[window.id] = _done(window, form)
        elif window.starts and window.ends:
            found[window.id] = _timed(window, form, window.starts, window.ends)
        elif form.style == "slot":
            start = _free(_slot(window, form, moment), taken)
            found[window.id] = _timed(window, form, start, start + QUARTER)
        else:
            found[window.id] = _all_day(window, form, moment)
    return found


def _done(window: Window, form: Form) -> Reminder:
    day = window.done_on or window.closes
    return _reminder(window, form, day, day + DAY, ())


def _timed(window: Window, form: Form, start: datetime, end: datetime) -> Reminder:
    alarms = () if window.state is State.TENTATIVE else (timedelta(0),)
    return _reminder(window, form, start.astimezone(UTC), end.astimezone(UTC), alarms)


def _all_day(window: Window, form: Form, moment: datetime) -> Reminder:
    alarms: tuple[timedelta, ...] = ()
    if window.state is not State.TENTATIVE:
        midnight = datetime.combine(window.opens, time())
        rings = dict.fromkeys(_rings(window, form, moment))
        alarms = tuple(ring.astimezone(form.zone).replace(tzinfo=None) - midnight for ring in rings)
    return _reminder(window, form, window.opens, window.closes + DAY, alarms)


def _reminder(window: Window, form: Form, start: date, end: date, alarms: tuple[timedelta, ...]) -> Reminder:
    return Reminder(
        start=start,
        end=end,
        summary=form.words.summary(window),
        description=form.words.description(window),
        location=_location(window, form),
        status="TENTATIVE" if window.state is State.TENTATIVE else "CONFIRMED",
        alarms=alarms,
    )


def _location(window: Window, form: Form) -> str:
    """Where a click helps: the number to call, or the place of the interview."""
    if window.interview is not None and window.by is None:
        return window.interview.location or ""
    if window.by in (Channel.CALL, Channel.ANY) and window.state is not State.DONE:
        return form.words.phone(window)
    return ""


def _rings(window: Window, form: Form, moment: datetime) -> Iterator[datetime]:
    """When an all-day event rings: on its first day and on its last; if the first is past, at the next fair moment."""
    days = window.days or (window.opens,)
    times = [datetime.combine(day, form.remind_at, form.zone) for day in days]
    if times[0] >= moment:
        yield times[0]
    elif (first := _next_moment(window, form, times, moment)) is not None:
        yield first
    if times[-1] >= moment:
        yield times[-1]


def _next_moment(window: Window, form: Form, times: list[datetime], moment: datetime) -> datetime | None:
    """The next quarter of an hour within office hours of a day of the window, else the time on its next day."""
    soon = _ceil(moment).astimezone(_office_zone(window, form))
    on_days = {soon.date(), soon.astimezone(form.zone).date()}
    if on_days <= set(window.days) and OFFICE_OPENS <= soon.time() < OFFICE_CLOSES:
        return soon
    return next((each for each in times if each >= moment), None)


def _ceil(moment: datetime) -> datetime:
    """The next full quarter of an hour, at or after `moment`."""
    seconds = QUARTER.total_seconds()
    return datetime.fromtimestamp(-(-moment.timestamp() // seconds) * seconds, UTC)


def _office_zone(window: Window, form: Form) -> tzinfo:
    """Calls fall in the office hours of the contact; everything else in those of the user."""
    zone = window.applications[0].contact.timezone
    return form.zones(zone) if zone and window.by is Channel.CALL else form.zone


def _slot(window: Window, form: Form, moment: datetime) -> datetime:
    """The quarter of an hour in which a window stands: at `remind_at` of its first day that is not past."""
    days = window.days or (window.opens,)
    times = [_in_office_hours(window, form, day) for day in days]
    if times[0] >= moment:
        return times[0]
    return _next_moment(window, form, times, moment) or times[-1]


def _in_office_hours(window: Window, form: Form, day: date) -> datetime:
    """`remind_at` on `day`; for a call, the nearest time to it in the contact's office hours.

    Those of the contact's own `day`; where that is another day for the user, those of the contact's day before or
    after, if it belongs to the window and shares hours with the user's `day`.
    """
    wanted = datetime.combine(day, form.remind_at, form.zone)
    if window.by is not Channel.CALL:
        return wanted
    zone = _office_zone(window, form)
    nearest = _nearest(wanted, day, zone)
    others = (_nearest(wanted, each, zone) for each in (day + DAY, day - DAY) if each in window.days)
    on_day = (moment for moment in (nearest, *others) if moment.astimezone(form.zone).date() == day)
    return next(on_day, nearest)


def _nearest(wanted: datetime, day: date, zone: tzinfo) -> datetime:
    """The nearest time to `wanted` in the office hours of `day` in `zone`."""
    opens = datetime.combine(day, OFFICE_OPENS, zone)
    last = datetime.combine(day, OFFICE_CLOSES, zone) - QUARTER
    return min(max(wanted, opens), last)


def _free(start: datetime, taken: set[datetime]) -> datetime:
    """The first quarter of an hour from `start` on that no other reminder has a part of."""
    start = start.astimezone(UTC)
    while clash := [other for other in taken if abs(other - start) < QUARTER]:
        start = max(clash) + QUARTER
    taken.add(start)
    return start
