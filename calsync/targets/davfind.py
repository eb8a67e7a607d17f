"""Where the calendar is: found by its name among the user's calendars, as CalDAV clients do.

RFC 6764 6 (well-known), RFC 5397 (current-user-principal), RFC 4791 6.2.1 (calendar-home-set), RFC 3744 5.4 (rights).
Public face: `find`, `Found`; `survey`, `Calendar`; `Connection` (what it needs of a connection).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Protocol
from urllib.parse import unquote, urljoin, urlsplit

from msgspec import Struct

from calsync.errors import ConfigError, Problem, UnreachableError
from calsync.targets import davxml
from calsync.targets.davhttp import ForbiddenError, NoAnswerError
from calsync.targets.davservice import Entrance
from calsync.targets.davxml import CAL, DAV, Entry, Multistatus


class Connection(Protocol):
    """What finding needs: a PROPFIND that tells the URL it ended at, or None where nothing DAV-like is there."""

    def propfind(self, url: str, body: str, depth: int) -> tuple[str, Multistatus] | None:
        """The URL that answered and its answer."""

    def allowed(self, url: str) -> str:
        """The URL, if the password may go there; else UnreachableError."""

    def settle(self, home: str) -> None:
        """From now on the password is meant for the server of this URL."""


class Found(Struct, frozen=True):
    """The calendar's URL, with a slash at its end; if it `exists` already; and the names of the other calendars."""

    url: str
    exists: bool
    others: tuple[str, ...] = ()


class Calendar(Struct, frozen=True):
    """A calendar that the login sees.

    `rights` are the privileges of RFC 3744, "read", "write-content", ...; `components` what may stand in it, "VEVENT",
    ... Each is None where the server does not say.
    """

    name: str
    url: str
    rights: tuple[str, ...] | None
    components: tuple[str, ...] | None


def find(connection: Connection, entrances: Sequence[Entrance], name: str | None) -> Found:
    """Find the calendar with this display name; where there is none, say where it is to be made.

    Each of the entrances' URLs is the calendar itself, the server's root, or anything that tells the user's principal.
    Raises ConfigError where the name is missing or fits several calendars, UnreachableError where this is no CalDAV
    server.
    """
    here, own = _entrance(connection, entrances)
    if own is not None and own.is_calendar and (name is None or _called(own, name)):
        return Found(_folder(here), exists=True)
    homes = _homes(connection, here, own)
    calendars = [each for home in homes for each in _calendars(connection, home) if each[1].takes_events]
    names = tuple(_title(entry) for _, entry in calendars)
    if name is None:
        raise ConfigError([_problem(f"say which calendar to use, by name or URL. {_choice(names)}")])
    matches = [at for at, entry in calendars if entry.text(f"{DAV}displayname") == name]
    matches = matches or [at for at, entry in calendars if _segment(at) == slug(name)]
    if len(matches) > 1:
        listed = "".join(f"\n    {match}" for match in matches)
        raise ConfigError([_problem(f"several calendars are called {name!r}. Give the URL of one:{listed}")])
    if matches:
        return Found(matches[0], exists=True)
    taken = {_segment(at) for at, _ in calendars}
    return Found(urljoin(homes[0], f"{_free(slug(name), taken)}/"), exists=False, others=names)


def survey(connection: Connection, entrances: Sequence[Entrance]) -> list[Calendar]:
    """All calendars that the login sees, by name. Raises as `find`."""
    here, own = _entrance(connection, entrances)
    found = [
        Calendar(_title(entry), at, entry.rights, entry.components)
        for home in _homes(connection, here, own)
        for at, entry in _calendars(connection, home, davxml.SURVEY)
    ]
    return sorted(found, key=lambda calendar: (calendar.name.casefold(), calendar.url))


def _entrance(connection: Connection, entrances: Sequence[Entrance]) -> tuple[str, Entry | None]:
    """Where the first DAV server answers, and what it says of that place."""
    failed: list[UnreachableError | ForbiddenError] = []
    asked: list[str] = []
    for entrance in entrances:
        connection.settle(entrance.home)
        for url in entrance.urls:
            asked.append(url)
            try:
                answer = connection.propfind(url, davxml.DISCOVER, 0)
            except NoAnswerError as error:
                failed.append(error)
                break
            except (UnreachableError, ForbiddenError) as error:
                failed.append(error)
                continue
            if answer is not None:
                here, told = answer
                return here, told.about(urlsplit(here).path) or (told.entries[0] if told.entries else None)
    if failed:
        raise failed[0]
    raise UnreachableError(f"There is no CalDAV server at {', '.join(asked)}. Check caldav.url in the config.")


def _homes(connection: Connection, here: str, own: Entry | None) -> list[str]:
    """The collections that hold the user's calendars."""
    homes = own.hrefs(f"{CAL}calendar-home-set") if own is not None else []
    if not homes:
        principals = own.hrefs(f"{DAV}current-user-principal") if own is not None else []
        if not principals:
            raise UnreachableError(
                f"The server does not tell where your calendars are: {here}. Set caldav.calendar to the calendar's URL."
            )
        principal = connection.allowed(urljoin(here, davxml.encoded(principals[0])))
        answer = connection.propfind(principal, davxml.DISCOVER, 0)
        if answer is not None:
            here, multistatus = answer
            homes = [home for entry in multistatus.entries for home in entry.hrefs(f"{CAL}calendar-home-set")]
    if not homes:
        raise UnreachableError(
            f"The server names no home for calendars: {here}. Set caldav.calendar to the calendar's URL."
        )
    return [_folder(connection.allowed(urljoin(here, davxml.encoded(home)))) for home in homes]


def _calendars(connection: Connection, home: str, asking: str = davxml.DISCOVER) -> list[tuple[str, Entry]]:
    """The calendars in a home, with their URLs."""
    answer = connection.propfind(home, asking, 1)
    if answer is None:
        return []
    here, multistatus = answer
    if not multistatus.whole:
        raise UnreachableError(f"The server's list of calendars is incomplete: {home}. Try again later.")
    return [
        (_folder(urljoin(here, davxml.encoded(entry.path))), entry)
        for entry in multistatus.entries
        if entry.is_calendar
    ]


def slug(name: str) -> str:
    """The last part of a new calendar's URL: lower-case ASCII letters, digits and dashes."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "calsync"


def _free(name: str, taken: set[str]) -> str:
    """The name, or the first of name-2, name-3, ... that no other calendar has."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}-{number}"
    return free


def _called(entry: Entry, name: str) -> bool:
    return name in (entry.text(f"{DAV}displayname"), unquote(_segment(entry.path)))


def _title(entry: Entry) -> str:
    return entry.text(f"{DAV}displayname") or _segment(entry.path)


def _segment(url: str) -> str:
    return url.rstrip("/").rpartition("/")[2]


def _folder(url: str) -> str:
    return url if url.endswith("/") else f"{url}/"


def _choice(names: tuple[str, ...]) -> str:
    return f"There are: {', '.join(sorted(names))}." if names else 'A new name is fine too: "Job search".'


def _problem(text: str) -> Problem:
    return Problem("caldav.calendar", 0, 0, text)
