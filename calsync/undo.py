"""Take back what the calendar told: the last answer about one window, as after a slip of the finger.

The answer leaves the file of answers (`answers.py`), and the state notes that the window's event makes way for a new
one under a UID of its own (`State.undo`). So a title that still says "done" is not heard again, and what was deleted
comes back. Public face: `undo`, which gives an `Undone`, and `text`. No server is asked; the next sync does the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from calsync import answers, paths, state
from calsync.config import Config
from calsync.errors import CalsyncError, UsageError
from calsync.identity import uid_of
from calsync.journal import read_answers
from calsync.model import Contacted, Mark, Pinned, Skipped
from calsync.workdays import say

_TARGETS = ("caldav", "feed")
"""The targets whose UIDs people may have at hand; calsync listens to the first alone."""


class Undone(Struct, frozen=True):
    """The answer that was taken back, the application that it was about, and how many are left about its window."""

    application: str
    event: Contacted | Skipped | Pinned
    window: str
    left: int


def undo(config: Config, environ: Mapping[str, str], wanted: str) -> Undone:
    """Take back the last answer about the window that `wanted` means.

    That is the window's id, the UID of its event, or a beginning that only one window with an answer has. Raises
    CalsyncError with the ids that have answers where there is nothing to take back, or where the answers cannot be
    written; UsageError where `wanted` begins several; JournalError, BusyError.
    """
    with state.opened(paths.state_folder(environ), writes=True) as cache:
        said = _said(config)
        window = _resolved(sorted({about for _, about in said}), _uids(config, said, cache), wanted)
        application = next(id_ for id_, about in reversed(said) if about == window)
        event = answers.take_back(config.answers, window, config.timezone)
        assert event is not None, "it was read just now, and the state's lock keeps other calsyncs away"
        cache.undo(_TARGETS[0], config.name, window)
    return Undone(application, event, window, sum(about == window for _, about in said) - 1)


def _said(config: Config) -> list[tuple[str, str]]:
    """(application's id, window's id) of every answer about a window, in the order of the file."""
    return [
        (block.id, event.window)
        for block in read_answers(config.answers, config.timezone)
        for event in block.events
        if isinstance(event, Contacted | Skipped | Pinned) and event.window
    ]


def _uids(config: Config, said: Sequence[tuple[str, str]], cache: state.State) -> dict[str, str]:
    """UID -> window id, of every event that these windows have had."""
    found = {}
    for target in _TARGETS:
        last = cache.generations(target, config.name)
        for _, window in said:
            for generation in range(1, last.get(window, 1) + 1):
                found[uid_of(Mark(config.name, window, generation), target)] = window
    return found


def _resolved(windows: Sequence[str], uids: Mapping[str, str], wanted: str) -> str:
    if wanted in windows:
        return wanted
    if wanted in uids:
        return uids[wanted]
    meant = [window for window in windows if window.startswith(wanted)] if wanted else []
    if len(meant) == 1:
        return meant[0]
    if meant:
        raise UsageError(f"'{wanted}' is the beginning of several: {', '.join(meant)}; write more of it")
    have = f"these windows have answers: {', '.join(windows)}" if windows else "no window has an answer yet"
    raise CalsyncError(f"there is no answer about '{wanted}' to take back; {have}")


def text(undone: Undone) -> Iterator[str]:
    """What was taken back, and what comes of it, for people."""
    yield f"Taken back for {undone.window}: {_told(undone.event)}."
    if undone.left:
        more = "1 earlier answer" if undone.left == 1 else f"{undone.left} earlier answers"
        yield f"{more} about this window still counts; run 'calsync undo' again to take it back too."
    yield "The next sync makes a new event for the window, if one is still due, in place of what stands there."


def as_json(undone: Undone) -> dict[str, object]:
    """`id` is the window's; `opens` and `closes` are those of a `pinned` window, else null."""
    event = undone.event
    pinned = event if isinstance(event, Pinned) else None
    return {
        "id": undone.window,
        "application": undone.application,
        "answer": type(event).__name__.lower(),
        "day": event.day.isoformat(),
        "opens": pinned and pinned.opens.isoformat(),
        "closes": pinned and pinned.closes.isoformat(),
        "left": undone.left,
    }


def _told(event: Contacted | Skipped | Pinned) -> str:
    match event:
        case Contacted():
            return f"contacted on {say(event.day)}"
        case Skipped():
            return f"skipped on {say(event.day)}"
        case Pinned():
            return f"moved on {say(event.day)} to {say(event.opens)} to {say(event.closes)}"
