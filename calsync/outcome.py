"""What one target is to show, what is written to it, and what became of it in a run.

Public face: `Desired`, `Learn`; `Write`; `Outcome`, `Failure`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from msgspec import Struct, field

from calsync.errors import CalsyncError
from calsync.model import Item, Reminder, Resource, Window
from calsync.plan import Change, Kept
from calsync.signals import Answer


class Failure(Struct, frozen=True):
    """A change that could not be made, and why, in words."""

    change: Change
    uid: str
    because: str


class Outcome(Struct):
    """What became of one target; in a dry run, what would. The UID that each change is about stands beside it.

    `answers` are what the calendar told. `ended` is the error after which nothing more could be written. `is_sure`:
    nothing that was told or met left a doubt, so a run that goes by the same comes to the same.
    """

    target: str
    where: str
    changes: list[tuple[Change, str]] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)
    answers: tuple[Answer, ...] = ()
    unchanged: int = 0
    requests: int = 0
    ended: CalsyncError | None = None
    is_sure: bool = True


class Desired(Struct, frozen=True, kw_only=True):
    """What a target is to show.

    `windows` are all of the journal, by id. `draw` gives the reminder of each that is to stand there, or of those that
    it is told: as of when the event was written that it is handed for a window, else as of now. `creates` are those
    that may be made new; the others are only kept up.
    """

    draw: Callable[[Mapping[str, Item], Collection[str] | None], Mapping[str, Reminder]]
    creates: frozenset[str]
    windows: Mapping[str, Window]


Learn = Callable[[tuple[Answer, ...]], Desired]
"""Take answers to the journal, and say what is desired then."""


class Write(Struct, frozen=True):
    """A change that is ready to be sent, in any thread, and what to record of its result."""

    change: Change
    uid: str
    send: Callable[[], Resource | None]
    record: Callable[[Resource | None], None]
