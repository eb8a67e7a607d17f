"""Business days and spans: the arithmetic of the etiquette. Pure.

A business day is a working weekday that is no public holiday where the contact is, and not paused. The public face is
`Workdays` with `next`, `prev`, `span` and `following_week`, named as in `docs/etiquette.md` ("Words").
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from functools import cache, lru_cache
from itertools import groupby

from msgspec import Struct

from calsync.model import Pause

DAY = timedelta(days=1)

HolidayTable = Mapping[date, str]
"""The public holidays of one place in one year: day -> name."""

_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@cache
def days(count: int) -> timedelta:
    """A time span of so many days."""
    return timedelta(days=count)


@lru_cache(maxsize=4096)
def say(day: date) -> str:
    """A day as people write it, in English whatever the locale: "Thu 26 Nov"."""
    return f"{_WEEKDAYS[day.weekday()]} {day.day} {_MONTHS[day.month - 1]}"


class Span(Struct, frozen=True):
    """The days `opens` to `closes`, both included."""

    opens: date
    closes: date


class Workdays:
    """The business days at one place.

    `weekdays` are the working days (Monday is 0; at least one). `holidays` gives the table of a year. `place` names the
    place in reasons ("US", "US-IL"). What was computed once is remembered: many applications ask for the same days.
    """

    def __init__(
        self,
        weekdays: frozenset[int],
        holidays: Callable[[int], HolidayTable],
        pauses: tuple[Pause, ...] = (),
        place: str = "",
    ) -> None:
        self.weekdays = weekdays
        self.holidays = holidays
        self.pauses = pauses
        self.place = place
        self._days: dict[tuple[date, date], tuple[date, ...]] = {}
        self._spans: dict[tuple[date, date, date | None], Span] = {}
        self._causes: dict[tuple[date, date], str] = {}

    def without_pauses(self) -> Workdays:
        """The same place for a user who does not pause."""
        return Workdays(self.weekdays, self.holidays, place=self.place)

    def is_business_day(self, day: date) -> bool:
        """Whether people work on `day`, and the user does not pause."""
        return (
            day.weekday() in self.weekdays
            and day not in self.holidays(day.year)
            and not any(pause.first <= day <= pause.last for pause in self.pauses)
        )

    def cause(self, day: date) -> str | None:
        """What makes `day` no business day, as in "Thu 26 Nov is ..."; None if it is one."""
        if any(pause.first <= day <= pause.last for pause in self.pauses):
            return "in your pause"
        if name := self.holidays(day.year).get(day):
            return f"{name} in {self.place}" if self.place else name
        if day.weekday() not in self.weekdays:
            return "no working day"
        return None

    def causes(self, first: date, last: date) -> str:
        """Why the days `first` to `last` do not count, of which none is a business day: "Thu 26 Nov is ..."."""
        told = self._causes.get((first, last))
        if told is None:
            told = self._causes[first, last] = "; ".join(self._told(first, last))
        return told

    def _told(self, first: date, last: date) -> Iterator[str]:
        days = [first + DAY * offset for offset in range((last - first).days + 1)]
        for cause, (day, *more) in groupby(days, self.cause):
            yield f"{say(day)} to {say(more[-1])}: {cause}" if more else f"{say(day)} is {cause}"

    def next(self, day: date) -> date:
        """The first business day on or after `day`."""
        while not self.is_business_day(day):
            day += DAY
        return day

    def prev(self, day: date) -> date:
        """The last business day on or before `day`."""
        while not self.is_business_day(day):
            day -= DAY
        return day

    def between(self, first: date, last: date) -> tuple[date, ...]:
        """The business days from `first` to `last`, both included; all days where none of them is one."""
        found = self._days.get((first, last))
        if found is None:
            every = tuple(first + DAY * offset for offset in range((last - first).days + 1))
            found = self._days[first, last] = tuple(filter(self.is_business_day, every)) or every
        return found

    def span(self, first: date, last: date, bar: date | None = None) -> Span:
        """The business days from `first` to `last`, none of them before `bar`.

        Where that leaves no day, the window moves behind `last` and `bar` and keeps its length: late is polite,
        early is not.
        """
        found = self._spans.get((first, last, bar))
        if found is None:
            found = self._spans[first, last, bar] = self._span(first, last, bar)
        return found

    def _span(self, first: date, last: date, bar: date | None) -> Span:
        opens = self.next(first if bar is None else max(first, bar))
        closes = self.prev(last)
        if opens <= closes:
            return Span(opens, closes)
        after = last + DAY
        late = self.next(after if bar is None else max(after, bar))
        return Span(late, max(late, self.prev(late + (last - first))))


def following_week(day: date) -> tuple[date, date]:
    """First and last day, before holidays, of the ISO week after `day`'s, not within three days of it.

    The article (S1) says "the following week"; the three days are ours: nobody who applied on Sunday should call
    on Monday.
    """
    to_monday = 7 - day.weekday()
    return day + days(max(to_monday, 3)), day + days(to_monday + 4)
