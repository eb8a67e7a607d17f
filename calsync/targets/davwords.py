"""What a CalDAV server's answer means, in words for people: refusals, and answers that never came.

RFC 4918 16 and RFC 4791 1.3 define the elements that say why. Public face: `Answer`, `refusal`, `come_back`,
`why_no_answer`, `has_uid_conflict`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.etree.ElementTree import Element

from msgspec import Struct

from calsync.targets import davxml
from calsync.targets.davfault import Fault
from calsync.targets.davxml import CAL, DAV

SAID_LENGTH = 200
"""At most so many characters of the server's own words are shown."""

_UID_CONFLICTS = {f"{CAL}no-uid-conflict", f"{CAL}unique-scheduling-object-resource"}
"""RFC 4791 5.3.2.1 (Radicale with 409, Xandikos and Stalwart with 412); RFC 6638 3.2.4.1 (Cyrus with 403)."""

_PRECONDITIONS = {
    f"{CAL}max-resource-size": "it is larger than the server allows",
    f"{CAL}supported-calendar-component": "this calendar takes no events",
    f"{CAL}supported-calendar-data": "the server does not take this form of event",
    f"{CAL}valid-calendar-data": "the server does not take this form of event",
    f"{CAL}valid-calendar-object-resource": "the server does not take this form of event",
    f"{CAL}min-date-time": "its date is too early for the server",
    f"{CAL}max-date-time": "its date is too late for the server",
    f"{CAL}calendar-collection-location-ok": "calendars cannot be made at this place",
    f"{DAV}quota-not-exceeded": "your space on the server is used up",
    f"{DAV}sufficient-disk-space": "the server's disk is full",
    f"{DAV}need-privileges": "this user may not do that here",
    f"{DAV}number-of-matches-within-limits": "there are more items than the server tells at once",
    f"{DAV}lock-token-submitted": "another program holds a lock on it",
    f"{DAV}resource-must-be-null": "something stands there already",
}

_STATUSES = {
    400: "the server does not understand the request",
    403: "this user may not do that here; is the calendar shared read-only?",
    405: "the server does not allow that here",
    409: "it conflicts with what stands on the server",
    412: "it was changed in the meantime, or stands there already",
    413: "it is larger than the server allows",
    423: "another program holds a lock on it",
    507: "your space on the server is used up",
}


class Answer(Struct, frozen=True):
    """A server's answer: the parsed XML in `tree` where it is XML, `preconditions` as `{namespace}name`."""

    status: int
    url: str
    headers: Mapping[str, str]
    text: str
    tree: Element | None = None
    preconditions: tuple[str, ...] = ()

    @classmethod
    def of(cls, status: int, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """From what came; `headers` have their names in lower case.

        Text that is not UTF-8 is kept readable, and is then no calendar data. Raises SyntaxError for XML that is none.
        """
        text = body.decode("utf-8", "surrogateescape").replace("\r\n", "\n")
        tree = davxml.tree_of(body, headers.get("content-type", ""))
        children = [child.tag for child in tree] if tree is not None and tree.tag == f"{DAV}error" else []
        return cls(status, url, headers, text, tree, tuple(children))

    def header(self, name: str) -> str | None:
        """A header's value, trimmed; None where it is missing or empty."""
        return self.headers.get(name.lower(), "").strip() or None

    @property
    def is_web_page(self) -> bool:
        """Whether this is HTML: a login page, a portal, a proxy's message."""
        return "html" in (self.header("Content-Type") or "").lower() or self.text.lstrip()[:9].lower() in (
            "<!doctype",
            "<html>",
        )


def has_uid_conflict(answer: Answer) -> bool:
    """Whether the write was refused because another item has this UID.

    Nextcloud says it in a 400's text alone (server's `CalDavBackend::createCalendarObject`: "Calendar object with
    uid already exists in this calendar collection", also for one that lies in its trash bin).
    """
    if _UID_CONFLICTS.intersection(answer.preconditions):
        return True
    return answer.status == 400 and "uid already exists" in answer.text.lower()


def refusal(doing: str, what: str, answer: Answer) -> str:
    """One message: the server refuses to do this, why, and what it says itself."""
    why = next((_PRECONDITIONS[tag] for tag in answer.preconditions if tag in _PRECONDITIONS), None)
    if why is None and answer.preconditions:
        why = answer.preconditions[0].rpartition("}")[2]
    why = why or _STATUSES.get(answer.status)
    if why is None:
        why = "a fault of the server" if answer.status >= 500 else "this is not how a CalDAV server answers"
    said = "" if answer.is_web_page else _said(answer.text)
    return f"The server refuses to {doing} {what}: {why} ({answer.status})." + (f" It says: {said}" if said else "")


def _said(text: str) -> str:
    """The words in a server's answer, without its tags, in one line, cut to a bearable length."""
    words = " ".join(re.sub(r"<[^>]*>", " ", text).split())
    printable = "".join(character for character in words if character.isprintable())
    return printable if len(printable) <= SAID_LENGTH else printable[:SAID_LENGTH] + "..."


def come_back(seconds: float | None) -> str:
    """When to come back, after a Retry-After of so many seconds: "in 5 minutes"."""
    if seconds is None:
        return "later"
    if seconds < 120:
        return f"in {seconds:.0f} seconds"
    return f"in {seconds / 60:.0f} minutes" if seconds < 7200 else f"in {seconds / 3600:.0f} hours"


def why_no_answer(fault: Fault, said: str, host: str, seconds: float) -> str:
    """One message for a request that got no answer: what was wrong with the connection."""
    match fault:
        case Fault.UNTRUSTED:
            return f"The TLS certificate of {host} is not trusted: {said}."
        case Fault.NO_TLS:
            return f"No TLS connection to {host}: {said}. Is https:// right in caldav.url?"
        case Fault.UNKNOWN_HOST:
            return f"The name {host} is not known (DNS). Check caldav.url, and if you are online."
        case Fault.REFUSED:
            return f"Nothing answers at {host}: the connection is refused. Is the server running?"
        case Fault.SILENCE:
            return f"The server {host} gave no answer within {seconds:g} seconds."
        case _ if said:
            return f"The connection to {host} failed: {said}."
        case _:
            return f"The connection to {host} broke before the answer was complete."
