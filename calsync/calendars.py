"""The calendars that a login sees: what `calsync calendars` shows. Public face: `seen`, `text`, `as_json`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from calsync import opening
from calsync.config import Config
from calsync.errors import ConfigError, Problem

if TYPE_CHECKING:
    from calsync.targets.davfind import Calendar

_WRITING = {"bind", "unbind", "write-content"}
"""What creating, deleting and changing events takes (RFC 3744 3.2, 3.9, 3.10); "write" and "all" have them."""


def seen(config: Config, environ: Mapping[str, str]) -> list[Calendar]:
    """All calendars of the login in `config`, by name. Nothing is made or written.

    Raises ConfigError where there is no `caldav` block, LoginError, UnreachableError.
    """
    if config.caldav is None:
        text = "it has no 'caldav:' block, so there is no server to ask for calendars"
        raise ConfigError([Problem(str(config.path), 0, 0, text)])
    from calsync.targets.caldav import CaldavTarget

    with opening.calendar(CaldavTarget, config.caldav, environ, writes=False, create=False) as target:
        assert isinstance(target, CaldavTarget)
        return target.calendars()


def text(calendars: Iterable[Calendar]) -> list[str]:
    """One paragraph for each calendar, as lines."""
    lines = [
        line
        for calendar in calendars
        for line in (
            _plain(calendar.name),
            f"    {calendar.url}",
            f"    {_rights(calendar.rights)}; {_components(calendar.components)}",
        )
    ]
    return lines or ["No calendars. calsync makes one where the server allows it; else make one in your calendar app."]


def as_json(calendars: Iterable[Calendar]) -> list[dict[str, Any]]:
    """The same for programs: null where the server does not say."""
    return [
        {
            "name": calendar.name,
            "url": calendar.url,
            "rights": None if calendar.rights is None else list(calendar.rights),
            "writable": can_write(calendar.rights),
            "components": None if calendar.components is None else list(calendar.components),
        }
        for calendar in calendars
    ]


def can_write(rights: Sequence[str] | None) -> bool | None:
    """Whether these privileges are enough for calsync; None where they are not known."""
    if rights is None:
        return None
    return bool({"write", "all"}.intersection(rights)) or _WRITING.issubset(rights)


def _rights(rights: Sequence[str] | None) -> str:
    words = {True: "read and write", None: "the server does not say what you may do there"}
    if (writable := can_write(rights)) is not False:
        return words[writable]
    some = [right for right in rights or () if right in _WRITING]
    return f"not all that calsync needs: {', '.join(rights or ())}" if some else "read only"


def _components(components: Sequence[str] | None) -> str:
    words = {"VEVENT": "events", "VTODO": "tasks", "VJOURNAL": "journals"}
    if components is None:
        return "for everything"
    return f"for {', '.join(words.get(component, component) for component in components)}"


def _plain(name: str) -> str:
    """A name from a server, as it may be printed: in one line, without control characters."""
    return "".join(character for character in " ".join(name.split()) if character.isprintable())
