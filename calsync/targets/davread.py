"""Reading items over one connection: all in a calendar, several at once, or one. What an answer proves is told here.

Public face: `query`, `multiget`, `get`, `address`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import urljoin, urlsplit

from calsync.model import Resource
from calsync.targets import davxml
from calsync.targets.base import Listing
from calsync.targets.davhttp import Connection, GarbledError
from calsync.targets.davwords import Answer
from calsync.targets.davxml import CAL, DAV

_DEPTH_1 = {**davxml.XML_HEADERS, "Depth": "1"}


@lru_cache(maxsize=64)
def address(calendar: str, href: str) -> str:
    """The URL of an item of the calendar at this URL."""
    return urljoin(calendar, davxml.encoded(href))


def query(connection: Connection, calendar: str) -> tuple[str, Listing] | None:
    """The URL that answered, and the events that a calendar-query finds; None where it finds none or does not tell."""
    try:
        answer = connection.read("REPORT", calendar, davxml.LIST_EVENTS, _DEPTH_1)
    except GarbledError:
        return None
    multistatus = davxml.parse(answer.tree) if answer.status == 207 else None
    events = davxml.listing(multistatus, urlsplit(answer.url).path) if multistatus is not None else None
    return (answer.url, events) if events is not None and events.etags else None


def multiget(connection: Connection, calendar: str, hrefs: Sequence[str]) -> tuple[dict[str, Resource], set[str]]:
    """What one REPORT tells: the items that came, and those that are missing for sure. Nothing where it fails."""
    paths = {href: urlsplit(address(calendar, href)).path for href in hrefs}
    try:
        answer = connection.read("REPORT", calendar, davxml.multiget(paths.values()), dict(davxml.XML_HEADERS))
    except GarbledError:
        return {}, set()
    multistatus = davxml.parse(answer.tree) if answer.status == 207 else None
    if multistatus is None:
        return {}, set()
    spelled = {davxml.canonical(path): href for href, path in paths.items()}
    told: dict[str, Resource] = {}
    missing: set[str] = set()
    for entry in multistatus.entries:
        href = spelled.get(davxml.canonical(entry.path))
        data = entry.props.get(f"{CAL}calendar-data")
        text = (data.text or "") if data is not None else ""
        if href is None:
            continue
        if entry.status in (404, 410):
            missing.add(href)
        elif davxml.is_calendar_data(text):
            told[href] = Resource(href, entry.text(f"{DAV}getetag"), davxml.with_crlf(text))
    return told, missing - told.keys()


def get(connection: Connection, calendar: str, href: str) -> Resource | Answer | None:
    """One item; None where it is missing for sure; else the answer that does not tell."""
    url = address(calendar, href)
    try:
        answer = connection.read("GET", url)
    except GarbledError:
        return Answer(0, url, {}, "")
    if answer.status in (404, 410):
        return None
    if answer.status != 200 or not davxml.is_calendar_data(answer.text):
        return answer
    return Resource(href, answer.header("ETag"), davxml.with_crlf(answer.text))
