"""The fields of a YAML map, each typed by what it is for; mistakes are collected, never raised.

Idea: strictyaml: a scalar is text, and the field says what it means. So `country: NO` is Norway and `id: 007` keeps its
zeros, because nobody but the field was asked. todoman's table of settings gave the other half: one parser a type.

Public face: `Fields`, the keys of one map; and the parsers: functions from text (never blank, no space around it) to a
value, which raise `FieldError` with words for the user.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import lru_cache
from typing import NamedTuple, TypeVar
from zoneinfo import ZoneInfo, available_timezones

from calsync import yamlfile
from calsync.yamlfile import Document, Node, Scalar, quote

T = TypeVar("T")
Parse = Callable[[str], T]

FIRST_YEAR, LAST_YEAR = 1970, 2199
"""No job search is older or later; a year beyond is a slip of the finger."""

_DAY = r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})"
_CLOCK = r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:[.,][0-9]+)?)?"
_OFFSET = r"(Z|z|[+-][0-9]{1,2}(?::?[0-9]{2})?)"
_MOMENT = re.compile(rf"{_DAY}(?:(?:[Tt]|\s+){_CLOCK}(?:\s*{_OFFSET})?)?")
_CLOCK_ALONE = re.compile(_CLOCK)
_DURATION = re.compile(r"(?:([0-9]+)d)?(?:([0-9]+)h)?(?:([0-9]+)m(?:in)?)?(?:([0-9]+)s)?", re.I)
_HOURS_AND_MINUTES = re.compile(r"([0-9]{1,2}):([0-5][0-9])")
_ENDPOINT = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s:/\[\]]+):([0-9]{1,5})")
_LONGEST = timedelta(days=14)

_SWITCH = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


class FieldError(ValueError):
    """A text that does not fit its field; the message completes "'field': ..."."""


class Moment(NamedTuple):
    """A day, with the time of day and the offset from UTC where they were given."""

    day: date
    time: time | None = None
    offset: timezone | None = None


class Fields:
    """The keys of the map `node`, read one by one. Keys not in `known` are complained of, if it is given.

    So are those in `answered`, but by who reads the map: no message offers them.
    All readers return None or nothing where the key is absent, its value empty, or wrong (which is then recorded).
    """

    def __init__(
        self,
        document: Document,
        node: yamlfile.Mapping,
        known: Collection[str] | None = None,
        answered: Collection[str] = (),
    ) -> None:
        self.document = document
        self.node = node
        self._entries = node.entries
        if known is not None:
            for key in self._entries:
                if key not in known and key not in answered:
                    document.complain(unknown_key(key, known), self.key(key))

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def key(self, key: str) -> Node:
        """The place of a key; of the map if it has no such key."""
        return self._entries[key][0] if key in self._entries else self.node

    def value(self, key: str) -> Node:
        """The place of a key's value; of the map if it has no such key."""
        return self._entries[key][1] if key in self._entries else self.node

    def complain(self, text: str, key: str) -> None:
        """Record a mistake in the value of `key`."""
        self.document.complain(text, self.value(key))

    def get(self, key: str, parse: Parse[T]) -> T | None:
        """The value of `key`: a scalar, as `parse` reads it."""
        entry = self._entries.get(key)
        return None if entry is None else self._typed(key, entry[1], parse)

    def get_or(self, key: str, parse: Parse[T], default: T) -> T:
        """As `get`, but `default` for None."""
        value = self.get(key, parse)
        return default if value is None else value

    def need(self, key: str, parse: Parse[T]) -> T | None:
        """As `get`, but an absent or empty value is a mistake."""
        value = self.get(key, parse)
        if value is None and self.is_nothing(key):
            where = self.value(key) if key in self else self.node
            self.document.complain(f"{quote(key)} is missing", where)
        return value

    def many(self, key: str, parse: Parse[T]) -> list[T]:
        """The values of `key`: a list of scalars, or one scalar, as `parse` reads them."""
        entry = self._entries.get(key)
        if entry is None:
            return []
        items = entry[1].items if isinstance(entry[1], yamlfile.Sequence) else [entry[1]]
        values = [self._typed(key, item, parse) for item in items]
        return [value for value in values if value is not None]

    def some(self, key: str, parse: Parse[T], otherwise: str) -> list[T]:
        """As `many`, but to have none is the mistake `otherwise`."""
        before = len(self.document.problems)
        values = self.many(key, parse)
        if not values and len(self.document.problems) == before:
            self.complain(otherwise, key)
        return values

    def items(self, key: str) -> list[Node]:
        """The nodes of the list `key`."""
        entry = self._entries.get(key)
        if entry is None or is_nothing(entry[1]):
            return []
        if isinstance(entry[1], yamlfile.Sequence):
            return entry[1].items
        self.complain(f"{quote(key)} must be a list (lines that begin with '- '), not {_kind(entry[1])}", key)
        return []

    def fields(self, key: str, known: Collection[str], answered: Collection[str] = ()) -> Fields | None:
        """The map `key`, in which `known` are the keys; `answered` as for the class."""
        entry = self._entries.get(key)
        if entry is None or is_nothing(entry[1]):
            return None
        if isinstance(entry[1], yamlfile.Mapping):
            return Fields(self.document, entry[1], known, answered)
        self.complain(f"{quote(key)} must be a map ({list_of(known)}), not {_kind(entry[1])}", key)
        return None

    def is_nothing(self, key: str) -> bool:
        """Whether `key` is absent, or nothing stands there."""
        return key not in self._entries or is_nothing(self._entries[key][1])

    def is_blank(self, key: str) -> bool:
        """Whether the value of `key` is an empty text that somebody wrote, in quotes."""
        value = self.value(key)
        return isinstance(value, Scalar) and value.text is not None and not value.text.strip()

    def _typed(self, key: str, node: Node, parse: Parse[T]) -> T | None:
        if not isinstance(node, Scalar):
            self.document.complain(f"{quote(key)} must be text, not {_kind(node)}", node)
            return None
        text = (node.text or "").strip()
        if not text:
            return None
        try:
            return parse(text)
        except FieldError as error:
            self.document.complain(f"{quote(key)}: {error}", node)
            return None


def is_nothing(node: Node) -> bool:
    """Whether nothing stands there: no text, or blanks."""
    return isinstance(node, Scalar) and not (node.text and node.text.strip())


def _kind(node: Node) -> str:
    if isinstance(node, Scalar):
        return "text"
    return "a list" if isinstance(node, yamlfile.Sequence) else "a map"


def list_of(words: Collection[str]) -> str:
    """Return "a, b, c" for a message."""
    return ", ".join(words)


def unknown_key(key: str, known: Collection[str]) -> str:
    """Say that `key` is not known, with the nearest of those that are."""
    return f"unknown key {quote(key)}{did_you_mean(key, known) or ': known here are ' + list_of(known)}"


def did_you_mean(word: str, known: Collection[str]) -> str:
    """Return ": did you mean 'x'?" with the nearest word, or nothing if none is near."""
    from difflib import get_close_matches

    by_fold = {name.casefold(): name for name in known}
    near = get_close_matches(word.casefold()[:60], by_fold, n=1)
    return f": did you mean {quote(by_fold[near[0]])}?" if near else ""


def complain_of_place(
    fields: Fields, country: str | None, subdivision: str | None, check: Callable[[str, str | None], str | None]
) -> None:
    """Record what is wrong with the values of `country` and `subdivision`, if anything is."""
    if country is None:
        if subdivision is not None and fields.is_nothing("country"):
            fields.complain("'subdivision' needs a 'country' beside it", "subdivision")
    elif wrong := check(country, None):
        fields.complain(f"'country': {wrong}", "country")
    elif subdivision is not None and (wrong := check(country, subdivision)):
        fields.complain(f"'subdivision': {wrong}", "subdivision")


# ------------------------------------------------------------------------------------------------ parsers


def text(written: str) -> str:
    """Text of one or more lines. Control characters are refused: no calendar may hold them."""
    if not written.isprintable():
        for character in written:
            if unicodedata.category(character) in ("Cc", "Cs") and character not in "\n\t":
                raise FieldError(f"the character U+{ord(character):04X} may not stand here")
    return written


def line(written: str) -> str:
    """Text on one line; line breaks become spaces."""
    if written.isprintable():
        return written
    return " ".join(text(written).split()) if "\n" in written or "\t" in written else text(written)


def country(written: str) -> str:
    """A country's code, in capitals; which ones there are is not known here."""
    return line(written).upper()


def switch(written: str) -> bool:
    """True or false, in the words that YAML knows."""
    return one_of(_SWITCH)(written)


def one_of(words: Mapping[str, T]) -> Parse[T]:
    """A parser of one of `words` (lower case), in any case of letters."""

    def parse(written: str) -> T:
        if (word := written.casefold()) in words:
            return words[word]
        raise FieldError(f"{quote(written)} is none of {list_of(words)}{did_you_mean(written, words)}")

    return parse


def endpoint(written: str) -> str:
    """An address and a port to listen on, as in 127.0.0.1:8422."""
    match = _ENDPOINT.fullmatch(written)
    if match is None or int(match[2]) > 65535:
        raise FieldError(f"{quote(written)} must be an address and a port, as in 127.0.0.1:8422")
    return written


def whole(low: int, high: int, reason: str = "") -> Parse[int]:
    """A parser of a whole number from `low` to `high`; `reason` says why not less."""

    def parse(written: str) -> int:
        if not re.fullmatch(r"[+-]?[0-9]{1,9}", written):
            raise FieldError(f"{quote(written)} is no whole number")
        if not low <= int(written) <= high:
            raise FieldError(f"{written} is out of range: {low} to {high}{reason and ', ' + reason}")
        return int(written)

    return parse


def day(written: str) -> date:
    """A day, as in 2026-11-12."""
    moment_ = moment(written, "a day, as in 2026-11-12")
    if moment_.time is not None:
        raise FieldError(f"{quote(written)} has a time of day, and a day alone is meant, as in {moment_.day}")
    return moment_.day


@lru_cache(maxsize=4096)
def moment(written: str, form: str = "a day or a day and time, as in 2026-11-12 or 2026-11-12 14:00") -> Moment:
    """A day, or a day and a time of day (24 hours), which may have an offset from UTC."""
    match = _MOMENT.fullmatch(written)
    if match is None:
        raise FieldError(f"{quote(written)} is not {form}")
    year, month, day_, hour, minute, second, offset = match.groups()
    try:
        found = date(int(year), int(month), int(day_))
    except ValueError:
        raise FieldError(f"there is no day {year}-{month}-{day_}") from None
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise FieldError(f"the year {year} is out of range: {FIRST_YEAR} to {LAST_YEAR}")
    if hour is None:
        return Moment(found)
    return Moment(found, _time(hour, minute, second), _offset(offset) if offset else None)


def _time(hour: str, minute: str, second: str | None) -> time:
    try:
        return time(int(hour), int(minute), int(second or 0))
    except ValueError:
        raise FieldError(f"there is no time {hour}:{minute}{':' + second if second else ''}") from None


def _offset(written: str) -> timezone:
    """An offset of at most 14 hours: none is larger anywhere."""
    if written in "Zz":
        return UTC
    digits = written[1:].replace(":", "")
    hours, minutes = (int(digits[:-2]), int(digits[-2:])) if len(digits) > 2 else (int(digits), 0)
    if minutes > 59 or hours * 60 + minutes > 14 * 60:
        raise FieldError(f"there is no offset {written} from UTC")
    return timezone((-1 if written[0] == "-" else 1) * timedelta(hours=hours, minutes=minutes))


def clock(written: str) -> time:
    """A time of day, as in 09:30."""
    match = _CLOCK_ALONE.fullmatch(written)
    if match is None:
        raise FieldError(f"{quote(written)} is not a time of day, as in 09:30")
    return _time(*match.groups())


def duration(written: str) -> timedelta:
    """A time span: 45m, 1h, 1h30m, 90 min, 2d, or 1:30 for an hour and a half. More than none, at most two weeks."""
    if match := _HOURS_AND_MINUTES.fullmatch(written):
        parts = ["0", *match.groups(), "0"]
    elif match := _DURATION.fullmatch("".join(written.split())):
        parts = [part or "0" for part in match.groups()]
    else:
        raise FieldError(f"{quote(written)} is not a duration, as in 45m, 1h or 1h30m")
    if max(map(len, parts)) > 7:
        raise FieldError(f"{quote(written)} is too long: at most {_LONGEST.days}d")
    days, hours, minutes, seconds = map(int, parts)
    span = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    if not timedelta(0) < span <= _LONGEST:
        raise FieldError(
            f"{quote(written)} is too {'long: at most' if span else 'short: more than 0m and at most'} 14d"
        )
    return span


@lru_cache(maxsize=1024)
def zone(written: str) -> ZoneInfo:
    """A time zone of the IANA database, as in Europe/Berlin."""
    try:
        return ZoneInfo(written)
    except (OSError, ValueError, KeyError):  # by zoneinfo for a folder, an odd name, an unknown one
        raise FieldError(f"no time zone is named {quote(written)}{_zone_like(written)}") from None


@lru_cache(maxsize=1)
def _cities() -> dict[str, str]:
    """Each city of the IANA database, in lower case -> the name of its zone."""
    return {name.rpartition("/")[2].casefold(): name for name in sorted(available_timezones())}


@lru_cache(maxsize=1024)
def _zone_like(written: str) -> str:
    """The zone of that city, else the nearest by its whole name, else by its city."""
    from difflib import get_close_matches

    cities = _cities()
    city = written.rpartition("/")[2].casefold().replace(" ", "_")[:60]
    if city in cities:
        return f": did you mean {quote(cities[city])}?"
    if near := did_you_mean(written, cities.values()):
        return near
    close = get_close_matches(city, cities, n=1)
    return f": did you mean {quote(cities[close[0]])}?" if close else ", as in Europe/Berlin or America/Chicago"


def zone_name(written: str) -> str:
    """As `zone`, but the name alone."""
    return zone(written).key


def aware(moment_: Moment, zone_: ZoneInfo) -> datetime | None:
    """The instant that `moment_` means in `zone_` unless it has an offset; None without a time of day.

    A time that a change of clocks skips is moved on by the change, and of one that comes twice the first is meant, as
    RFC 5545 section 3.3.5 says.
    """
    if moment_.time is None:
        return None
    if moment_.offset is not None:
        return datetime.combine(moment_.day, moment_.time, moment_.offset).astimezone(zone_)
    local = datetime.combine(moment_.day, moment_.time, zone_)
    return local.astimezone(UTC).astimezone(zone_)
