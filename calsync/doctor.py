"""`calsync doctor`: walks through all that a sync needs, and says what is fine and what to do.

It goes on after a problem as far as it can. On the server it makes one event of its own, and removes it whatever
happens; nothing else is written anywhere. Public face: `examine`, which gives `Finding`s; `told`, `as_json`,
`exit_code`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from calsync import opening, paths, trial
from calsync.caldavsettings import EMBEDDED
from calsync.calendars import can_write
from calsync.config import Config
from calsync.errors import CalsyncError, LoginError, ServerError

if TYPE_CHECKING:
    from calsync.targets.caldav import CaldavTarget

_SKEW = timedelta(minutes=2)
_SOON = timedelta(days=14)


class Finding(Struct, frozen=True):
    """One thing that was looked at: `state` is "fine", "note" (good to know) or "bad"; `text` says what to do.

    `code` is the exit code that a bad one asks for.
    """

    about: str
    state: str
    text: str
    code: int = 1


def examine(config: Config, environ: Mapping[str, str], now: datetime) -> Iterator[Finding]:
    """Look at everything, one thing after the other; each finding comes as soon as it is known."""
    yield from _files(config, environ)
    if config.policy.country is None:
        yield Finding("holidays", "note", "no country is set, so only weekends are free; set 'country' in the config")
    else:
        place = "-".join(part for part in (config.policy.country, config.policy.subdivision) if part)
        yield Finding("holidays", "fine", f"the public holidays of {place} are known")
    if config.caldav is None:
        yield Finding("server", "note", "no 'caldav:' block, so no server is asked")
        return
    from calsync.targets.caldav import CaldavTarget

    try:
        with opening.calendar(CaldavTarget, config.caldav, environ, writes=False, create=False) as target:
            assert isinstance(target, CaldavTarget)
            yield from _server(config, target, now)
    except CalsyncError as error:
        yield _failed(error)


def told(config: Config, environ: Mapping[str, str], now: datetime, say: Callable[[str], None] | None) -> list[Finding]:
    """All findings; `say` gets a line for each as soon as it is known."""
    words = {"fine": "ok   ", "note": "note ", "bad": "BAD  "}
    findings = []
    for finding in examine(config, environ, now):
        findings.append(finding)
        if say is not None:
            say(f"{words[finding.state]} {finding.about}: {finding.text}")
    return findings


def as_json(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """The same for programs."""
    return [{"about": each.about, "state": each.state, "text": each.text} for each in findings]


def exit_code(findings: Iterable[Finding]) -> int:
    """0 without a bad finding; 4 where the server cannot be used, 1 for all else."""
    return max((each.code for each in findings if each.state == "bad"), default=0)


def _failed(error: CalsyncError) -> Finding:
    about = "login" if isinstance(error, LoginError) else "server"
    return Finding(about, "bad", " ".join(str(error).split()), 4 if isinstance(error, ServerError) else 1)


# Files


def _files(config: Config, environ: Mapping[str, str]) -> Iterator[Finding]:
    for path in config.applications:
        can = os.access(path, os.R_OK)
        yield Finding("journal", "fine" if can else "bad", f"{path} can be read" if can else f"{path} cannot be read")
    yield _writable("answers", config.answers)
    yield _writable("state", paths.state_folder(environ) / "state.sqlite3")
    if config.feed is not None:
        yield _writable("feed", config.feed.path)


def _writable(about: str, path: Path) -> Finding:
    """Whether this file can be written, or made. Nothing is written to find out."""
    at = path
    while not at.exists() and at != at.parent:
        at = at.parent
    if at == path and not at.is_file():
        return Finding(about, "bad", f"{path} is no file; move it away")
    if (at == path or at.is_dir()) and os.access(at, os.W_OK):
        return Finding(about, "fine", f"{path} can be written")
    return Finding(about, "bad", f"{path} cannot be written: give yourself the right to write {at}")


def _count(things: Sized, name: str) -> str:
    return f"1 {name}" if len(things) == 1 else f"{len(things)} {name}s"


# The server


def _server(config: Config, target: CaldavTarget, now: datetime) -> Iterator[Finding]:
    assert config.caldav is not None
    seen = target.calendars()
    yield Finding("server", "fine", f"{config.caldav.url} was found and answers")
    yield Finding("login", "fine", f"the login is taken; it sees {_count(seen, 'calendar')}")
    yield from _clock(target.server_time, now)
    yield from _tls(config, target, now)
    listing = target.listing()
    if listing.is_new:
        yield Finding("calendar", "note", f"there is no {config.caldav.calendar!r} yet; the first sync makes it")
        return
    yield Finding("calendar", "fine", f"{target.where}, with {_count(listing.etags, 'event')}")
    ours = next((each for each in seen if each.url.rstrip("/") == target.where.rstrip("/")), None)
    if ours is not None and can_write(ours.rights) is False:
        yield Finding("rights", "bad", f"only {', '.join(ours.rights or ())}; ask its owner for the right to write")
    if ours is not None and ours.components is not None and "VEVENT" not in ours.components:
        yield Finding("components", "bad", f"only {', '.join(ours.components)}; name a calendar that takes events")
        return
    yield _token(target)
    yield from (Finding(*found) for found in trial.findings(target, now))


def _token(target: CaldavTarget) -> Finding:
    token = target.token()
    if token is None:
        return Finding("changes", "note", "the server does not tell what changed: each run lists the calendar")
    if token.startswith("ctag"):
        return Finding("changes", "fine", "the server tells whether anything changed (ctag)")
    return Finding("changes", "fine", "the server tells what changed (sync-collection)")


def _clock(theirs: datetime | None, ours: datetime) -> Iterator[Finding]:
    if theirs is None:
        yield Finding("clock", "note", "the server does not tell its time")
    elif abs(theirs - ours) > _SKEW:
        seconds = abs(theirs - ours).total_seconds()
        yield Finding(
            "clock", "note", f"this clock and the server's differ by {seconds:.0f} seconds; set the wrong one"
        )
    else:
        yield Finding("clock", "fine", "this clock and the server's agree")


def _tls(config: Config, target: CaldavTarget, now: datetime) -> Iterator[Finding]:
    settings = config.caldav
    assert settings is not None
    if settings.url == EMBEDDED:
        return
    if not target.where.startswith("https:"):
        yield Finding("tls", "note", "http://, without encryption")
        return
    end = _or_none(target.certificate_end)
    if end is None:
        yield Finding("tls", "note", "the certificate is trusted; when it ends could not be seen")
    elif end - now < _SOON:
        yield Finding("tls", "note", f"the server's certificate ends on {end:%Y-%m-%d}; whoever runs it must renew it")
    else:
        yield Finding("tls", "fine", f"the certificate is trusted, until {end:%Y-%m-%d}")


def _or_none(look: Callable[[], datetime | None]) -> datetime | None:
    try:
        return look()
    except OSError:
        return None
