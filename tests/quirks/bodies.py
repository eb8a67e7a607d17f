"""What servers make of the bodies that they are given, and what they look for in them.

Public face: `rewritten`, `uid_of`, `component_of`, `has_empty_x`, `has_dtend`, `unfolded`, `parsed`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.quirks.flags import Quirk

KNOWN = re.compile(
    "VERSION|PRODID|CALSCALE|UID|DTSTAMP|DTSTART|DTEND|DURATION|SUMMARY|DESCRIPTION|LOCATION|STATUS|CATEGORIES|CLASS|"
    "TRANSP|SEQUENCE|CREATED|LAST-MODIFIED|URL|ACTION|TRIGGER|ACKNOWLEDGED|RRULE|EXDATE|TZID|TZOFFSETFROM|TZOFFSETTO|"
    "TZNAME|GEO|PRIORITY|ORGANIZER|ATTENDEE|RELATED-TO|X-.*"
)


@dataclass
class Component:
    """A component: its name, its properties as whole lines, and the components in it."""

    name: str
    lines: list[str] = field(default_factory=list)
    parts: list[Component] = field(default_factory=list)

    def walk(self) -> Iterator[Component]:
        yield self
        for part in self.parts:
            yield from part.walk()

    def has(self, name: str) -> bool:
        return any(_name(line) == name for line in self.lines)

    def set(self, name: str, value: str) -> None:
        self.lines = [line for line in self.lines if _name(line) != name] + [f"{name}:{value}"]

    def text(self) -> Iterator[str]:
        yield f"BEGIN:{self.name}"
        yield from self.lines
        for part in self.parts:
            yield from part.text()
        yield f"END:{self.name}"


def rewritten(body: str, flags: frozenset[Quirk]) -> str:
    """The body as a server with these flags keeps it; the very same one if none of them rewrites."""
    changes = [change for flag, change in _CHANGES.items() if flag in flags]
    calendar = parsed(body) if changes else None
    if calendar is None:
        return body
    for component in calendar.walk():
        for change in changes:
            change(component)
    return "".join(f"{_folded(line)}\r\n" for line in calendar.text())


def uid_of(body: str) -> str:
    """The UID of the first component that has one; empty without."""
    found = re.search(r"^UID:(.*)$", unfolded(body), re.MULTILINE)
    return found[1] if found else ""


def component_of(body: str) -> str:
    """VEVENT, VTODO, ...: what the object holds."""
    found = re.search(r"^BEGIN:(VEVENT|VTODO|VJOURNAL)$", unfolded(body), re.MULTILINE)
    return found[1] if found else ""


def has_empty_x(body: str) -> bool:
    return re.search(r"^X-[^:\n]*:\s*$", unfolded(body), re.MULTILINE) is not None


def has_dtend(body: str) -> bool:
    return re.search(r"^(DTEND|DURATION)[;:]", unfolded(body), re.MULTILINE) is not None


def unfolded(body: str) -> str:
    """Long lines whole again, with bare newlines."""
    return re.sub(r"\n[ \t]", "", body.replace("\r\n", "\n"))


def parsed(body: str) -> Component | None:
    """The object as a tree; None if it is not one."""
    root = Component("")
    stack = [root]
    for line in unfolded(body).split("\n"):
        if line.startswith("BEGIN:"):
            stack.append(Component(line[6:]))
            stack[-2].parts.append(stack[-1])
        elif line.startswith("END:") and len(stack) > 1:
            stack.pop()
        elif line:
            stack[-1].lines.append(line)
    return root.parts[0] if len(root.parts) == 1 else None


def _folded(line: str) -> str:
    """At most 75 octets a line (RFC 5545 3.1)."""
    lines, width = [""], 0
    for character in line:
        octets = len(character.encode())
        if width + octets > 75:
            lines.append(" ")
            width = 1
        lines[-1] += character
        width += octets
    return "\r\n".join(lines)


def _name(line: str) -> str:
    return re.split("[;:]", line, maxsplit=1)[0].upper()


def _is_x(line: str) -> bool:
    return line.upper().startswith("X-")


def _reorder(component: Component) -> None:
    component.lines.sort()


def _stamp(component: Component) -> None:
    if component.name == "VEVENT":
        component.set("DTSTAMP", "20261123T070005Z")


def _escape_x(component: Component) -> None:
    component.lines = [re.sub(r"(?<!\\)([;,])", r"\\\1", line) if _is_x(line) else line for line in component.lines]


def _add_class(component: Component) -> None:
    if component.name == "VEVENT":
        component.set("CREATED", "20261123T070005Z")
        if not component.has("CLASS"):
            component.lines.append("CLASS:PUBLIC")


def _drop_empty_x(component: Component) -> None:
    component.lines = [line for line in component.lines if not (_is_x(line) and line.endswith(":"))]


def _drop_x(component: Component) -> None:
    component.lines = [line for line in component.lines if not _is_x(line)]


def _drop_unknown(component: Component) -> None:
    component.lines = [line for line in component.lines if KNOWN.fullmatch(_name(line))]


def _renumber(component: Component) -> None:
    if component.name == "VCALENDAR":
        component.set("PRODID", "-//Google Inc//Google Calendar 70.9054//EN")
    if component.name == "VEVENT":
        component.set("SEQUENCE", "0")
        component.set("LAST-MODIFIED", "20261123T070005Z")


def _touch_alarms(component: Component) -> None:
    if component.name == "VALARM":
        component.set("UID", "A7F0C1D2-0001")
        component.set("X-WR-ALARMUID", "A7F0C1D2-0001")
        component.set("ACKNOWLEDGED", "20261123T070005Z")


_CHANGES: dict[Quirk, Callable[[Component], None]] = {
    Quirk.BAIKAL_NO_ETAG_WHEN_REWRITTEN: _reorder,
    Quirk.RADICALE_REORDERS: _reorder,
    Quirk.RADICALE_STAMPS: _stamp,
    Quirk.RADICALE_ESCAPES_X: _escape_x,
    Quirk.SOGO_ADDS_CLASS: _add_class,
    Quirk.SOGO_DROPS_EMPTY_X: _drop_empty_x,
    Quirk.OUTLOOK_DROPS_X: _drop_x,
    Quirk.CYRUS_DROPS_UNKNOWN: _drop_unknown,
    Quirk.GOOGLE_RENUMBERS: _renumber,
    Quirk.APPLE_TOUCHES_ALARMS: _touch_alarms,
}
