"""Whether there may be anything to do at all.

A run that found nothing to do notes what it went by: a digest of the journal's and the answers' bytes, of the settings,
of the day and of what was undone. Where that is the same, only the calendar can have changed, and its token tells
(`views.py`). So nothing is read, computed or compared then. Public face: `digest`,
`remembered`, `remember`, `forget`, `Settled`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from hashlib import sha256
from pathlib import Path

from msgspec import Struct
from msgspec.structs import astuple

from calsync import __version__
from calsync.config import Config
from calsync.outcome import Outcome
from calsync.plan import Kept
from calsync.state import State


class Settled(Struct, frozen=True, kw_only=True):
    """What a run with nothing to do came to. `opens` is the first day of the next window, as the daemon tells it."""

    unchanged: int
    kept: tuple[Kept, ...] = ()
    warnings: tuple[str, ...] = ()
    opens: date | None = None

    def outcome(self, target: str, where: str, requests: int) -> Outcome:
        """The same outcome once more."""
        return Outcome(target, where, kept=list(self.kept), unchanged=self.unchanged, requests=requests)


def digest(config: Config, today: date) -> str | None:
    """Of all that windows and reminders are made from. To be taken before the files are read.

    What is not in it (the zones' and holidays' data, libraries) counts from the next day on. None where a journal is
    nothing that can be read twice, such as a pipe.
    """
    paths = (*config.applications, config.answers)
    if any(path.exists() and not (path.is_file() or path.is_dir()) for path in paths):
        return None
    files = [_digest_of(path) for path in paths]
    return sha256(repr((__version__, config, today, files)).encode()).hexdigest()


def _digest_of(path: Path) -> str:
    """Of a file, or of a folder's YAML files by name; nothing where it cannot be read: who reads it says so."""
    try:
        if path.is_dir():
            inside = [(each.name, _digest_of(each)) for each in sorted(path.glob("*.y*ml")) if each.is_file()]
            return sha256(repr(inside).encode()).hexdigest()
        return sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def remembered(state: State, place: str, made_from: str) -> Settled | None:
    """What the last run at `place` came to, if it had nothing to do and went by the same."""
    kept = json.loads(state.note(_key(place)) or "{}")
    if kept.get("digest") != made_from:
        return None
    return Settled(
        unchanged=kept["unchanged"],
        kept=tuple(Kept(*each) for each in kept["kept"]),
        warnings=tuple(kept["warnings"]),
        opens=date.fromisoformat(kept["opens"]) if kept["opens"] else None,
    )


def remember(  # what is noted, each by name
    state: State, place: str, made_from: str, outcome: Outcome, *, warnings: Sequence[str], opens: date | None
) -> None:
    """Note what this run came to, if it had nothing to do and is sure; `made_from` as of before it read its files."""
    if outcome.changes or outcome.failed or outcome.answers or outcome.ended or not outcome.is_sure:
        return
    kept = [astuple(each) for each in outcome.kept]
    told = {"digest": made_from, "unchanged": outcome.unchanged, "kept": kept, "warnings": list(warnings)}
    state.take_note(_key(place), json.dumps({**told, "opens": opens.isoformat() if opens else None}))


def forget(state: State, place: str) -> None:
    """To be called where a run has to do more than ask: what it finds may be another thing than was noted."""
    if state.note(_key(place)) is not None:
        state.drop_note(_key(place))


def _key(place: str) -> str:
    return f"settled {place}"
