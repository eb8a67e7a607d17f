"""The XML of WebDAV and CalDAV: the bodies that we ask with, and a careful reading of a multistatus answer.

RFC 4918 (WebDAV), RFC 4791 (CalDAV), RFC 5397 (current-user-principal). No network here: it is given trees.
Public face: the bodies, `parse`, `Multistatus`, `Entry`, `listing`, `is_calendar_data`, `with_crlf`, `canonical`,
`encoded`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote, unquote, urlsplit
from xml.etree.ElementTree import Element, ParseError, fromstring

from msgspec import Struct

from calsync.targets.base import Listing

DAV = "{DAV:}"
CAL = "{urn:ietf:params:xml:ns:caldav}"
CTAG = "{http://calendarserver.org/ns/}getctag"

XML_HEADERS = {"Content-Type": "application/xml; charset=utf-8"}
"""Cyrus refuses a PROPFIND whose Content-Type is not XML."""

_NAMESPACES = 'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"'
_DECLARATION = '<?xml version="1.0" encoding="utf-8"?>'

LIST_ITEMS = (
    f"{_DECLARATION}<D:propfind {_NAMESPACES}><D:prop>"
    "<D:getetag/><D:resourcetype/><D:getcontenttype/></D:prop></D:propfind>"
)
LIST_EVENTS = (
    f"{_DECLARATION}<C:calendar-query {_NAMESPACES}><D:prop><D:getetag/></D:prop><C:filter>"
    '<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"/></C:comp-filter></C:filter></C:calendar-query>'
)
DISCOVER = (
    f"{_DECLARATION}<D:propfind {_NAMESPACES}><D:prop><D:resourcetype/><D:displayname/>"
    "<D:current-user-principal/><C:calendar-home-set/><C:supported-calendar-component-set/></D:prop></D:propfind>"
)
SURVEY = DISCOVER.replace("</D:prop>", "<D:current-user-privilege-set/></D:prop>")
"""As DISCOVER, and what the user may do (RFC 3744 5.4)."""

TOKENS = (
    f'{_DECLARATION}<D:propfind {_NAMESPACES} xmlns:S="http://calendarserver.org/ns/"><D:prop>'
    "<D:sync-token/><S:getctag/></D:prop></D:propfind>"
)

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
"""What text between tags may not have as it is (XML 1.0, 2.4). `html` and `xml.sax` load much more for the same."""

COLOUR = "#3A7CA5FF"
"""A calm blue, for calendars that we make."""


def multiget(paths: Iterable[str]) -> str:
    """The body of a calendar-multiget REPORT (RFC 4791 7.9) for these paths, spelled as the server does."""
    hrefs = "".join(f"<D:href>{_text(encoded(path))}</D:href>" for path in paths)
    return (
        f"{_DECLARATION}<C:calendar-multiget {_NAMESPACES}><D:prop><D:getetag/><C:calendar-data/></D:prop>"
        f"{hrefs}</C:calendar-multiget>"
    )


def sync_collection(token: str) -> str:
    """The body of a sync-collection REPORT (RFC 6578 3.2). It has no DAV:limit, which some servers stumble over."""
    return (
        f"{_DECLARATION}<D:sync-collection {_NAMESPACES}><D:sync-token>{_text(token)}</D:sync-token>"
        "<D:sync-level>1</D:sync-level><D:prop><D:getetag/><D:getcontenttype/></D:prop></D:sync-collection>"
    )


def mkcalendar(name: str, colour: str | None = COLOUR) -> str:
    """The body of a MKCALENDAR (RFC 4791 5.3.1) for a calendar that takes events only.

    The colour is Apple's property, which most servers and apps know.
    """
    painted = f'<A:calendar-color xmlns:A="http://apple.com/ns/ical/">{colour}</A:calendar-color>' if colour else ""
    return (
        f"{_DECLARATION}<C:mkcalendar {_NAMESPACES}><D:set><D:prop><D:displayname>{_text(name)}</D:displayname>"
        f'<C:supported-calendar-component-set><C:comp name="VEVENT"/></C:supported-calendar-component-set>{painted}'
        "</D:prop></D:set></C:mkcalendar>"
    )


def _text(text: str) -> str:
    return text.translate(_ESCAPES)


class Entry(Struct, frozen=True):
    """One `response` of a multistatus.

    `path` is spelled as the server told it. `status` is that of the whole resource, where one was given; `props`
    has the properties that were found: tag -> element.
    """

    path: str
    status: int | None
    props: Mapping[str, Element]

    @property
    def is_collection(self) -> bool:
        """Whether it holds others, as a folder does. A path with a slash at its end is taken for one."""
        kind = self.props.get(f"{DAV}resourcetype")
        if kind is None:
            return self.path.endswith("/")
        return kind.find(f"{DAV}collection") is not None

    @property
    def is_calendar(self) -> bool:
        """Whether it is a calendar collection."""
        kind = self.props.get(f"{DAV}resourcetype")
        return kind is not None and kind.find(f"{CAL}calendar") is not None

    @property
    def components(self) -> tuple[str, ...] | None:
        """What may stand in it ("VEVENT", ...); None where the server does not say, and allows all (RFC 4791 5.2.3)."""
        kinds = self.props.get(f"{CAL}supported-calendar-component-set")
        if kinds is None or len(kinds) == 0:
            return None
        return tuple(str(kind.get("name", "")).upper() for kind in kinds)

    @property
    def takes_events(self) -> bool:
        """Whether VEVENT may stand in it."""
        return self.components is None or "VEVENT" in self.components

    @property
    def rights(self) -> tuple[str, ...] | None:
        """The user's privileges, by their names without namespaces, sorted; None where the server does not say."""
        told = self.props.get(f"{DAV}current-user-privilege-set")
        if told is None:
            return None
        return tuple(sorted({right.tag.rpartition("}")[2] for kind in told for right in kind}))

    def text(self, tag: str) -> str | None:
        """The text of a property, trimmed; None where there is none."""
        found = self.props.get(tag)
        return (found.text or "").strip() or None if found is not None else None

    def hrefs(self, tag: str) -> list[str]:
        """The hrefs inside a property, as told."""
        found = self.props.get(tag)
        if found is None:
            return []
        return [href.text.strip() for href in found.iterfind(f"{DAV}href") if href.text and href.text.strip()]


class Multistatus(Struct, frozen=True):
    """A multistatus answer; `whole` is False where a part of it could not be read or the server cut it short."""

    entries: tuple[Entry, ...]
    whole: bool

    def about(self, path: str) -> Entry | None:
        """The entry of this path, however it is spelled."""
        wanted = canonical(path)
        return next((entry for entry in self.entries if canonical(entry.path) == wanted), None)


def tree_of(body: bytes, content_type: str) -> Element | None:
    """The XML of an answer; None where it is none and does not say that it is any. Raises SyntaxError.

    What an answer says of its type is not all: iCloud and OX call their XML something else.
    """
    if not body:
        return None
    try:
        return fromstring(body)  # noqa: S314  # expat itself stops entities that grow, and fetches none
    except ParseError:
        if content_type.startswith(("text/xml", "application/xml")):
            raise
        return None


def parse(tree: Element | None) -> Multistatus | None:
    """Read a parsed XML answer; None if it is no multistatus at all."""
    if tree is None or tree.tag != f"{DAV}multistatus":
        return None
    entries = []
    whole = True
    for response in tree.iterfind(f"{DAV}response"):
        hrefs = [(href.text or "").strip() for href in response.iterfind(f"{DAV}href")]
        status = _status(response)
        if not all(hrefs) or not hrefs or status == -1:
            whole = False
            continue
        # A server that had to stop says 507 for the collection itself (RFC 5323 5.2, RFC 6578 3.6).
        whole = whole and (status is None or status < 300 or status in (404, 410))
        props = _properties(response)
        entries += [Entry(path_of(href), status, props) for href in hrefs]
    return Multistatus(tuple(entries), whole)


def _properties(response: Element) -> dict[str, Element]:
    """The properties that were found: those of the propstats with a 2xx status, or with none."""
    found = {}
    for propstat in response.iterfind(f"{DAV}propstat"):
        status = _status(propstat)
        if status is None or 200 <= status < 300:
            for prop in propstat.iterfind(f"{DAV}prop"):
                found.update({child.tag: child for child in prop})
    return found


def _status(element: Element) -> int | None:
    """The number in a status line ("HTTP/1.1 404 Not Found"); None without one, -1 where it is garbled."""
    line = element.findtext(f"{DAV}status")
    if line is None:
        return None
    words = line.split()
    return int(words[1]) if len(words) > 1 and words[1].isascii() and words[1].isdigit() else -1


def path_of(href: str) -> str:
    """The path of an href, which may be a whole URL (behind a proxy even one with another host)."""
    if href.startswith("/"):
        return href
    parts = urlsplit(href)
    return parts.path if parts.scheme and parts.netloc else href


def canonical(path: str) -> str:
    """One spelling of a path for comparing: percent signs resolved, no slash at the end."""
    return unquote(path).rstrip("/")


def encoded(path: str) -> str:
    """A path as it may stand in a request: what is encoded stays so, and spaces and the like become so."""
    return quote(path, safe="/%:@!$&'()*+,;=~-._")


def listing(multistatus: Multistatus, own: str) -> Listing:
    """The events of a calendar's calendar-query, or of its PROPFIND at depth 1; `own` is the calendar's path.

    It says nothing of an answer without any entry: whether that is an empty calendar must be found out elsewhere.
    """
    etags: dict[str, str | None] = {}
    for entry in multistatus.entries:
        if entry.is_collection or canonical(entry.path) == canonical(own) or entry.status in (404, 410):
            continue
        if _may_be_event(entry.text(f"{DAV}getcontenttype")):
            etags[entry.path] = entry.text(f"{DAV}getetag")
    return Listing(etags, multistatus.whole)


def _may_be_event(content_type: str | None) -> bool:
    """Whether an item of this type can be an event. Radicale and sabre tell the component, others do not."""
    if content_type is None:
        return True
    kind, _, parameters = content_type.lower().partition(";")
    component = re.search(r'component="?(\w+)', parameters)
    return kind.strip() == "text/calendar" and (component is None or component[1] == "vevent")


def is_calendar_data(text: str) -> bool:
    """Whether this is an iCalendar object from its first to its last line, not a web page or the half of one."""
    text = text.strip("\ufeff \t\r\n")
    complete = text[:15].upper() == "BEGIN:VCALENDAR" and text[-13:].upper() == "END:VCALENDAR"
    return complete and re.search("[\udc80-\udcff]", text) is None


def with_crlf(text: str) -> str:
    """The text with the line ends of RFC 5545 3.1, which XML and the library turn into bare newlines."""
    return text.lstrip("\ufeff").replace("\r\n", "\n").replace("\n", "\r\n")
