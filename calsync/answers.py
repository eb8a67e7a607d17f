"""The answers: what the calendar told, added to a file of the user's (`docs/journal.md`).

The file is only ever added to, or, when the user takes an answer back, shortened by that one. It is written whole
beside itself and put in its place, so that a crash leaves the old file or the new one; and what would not be read back
as it was meant is not written. Public face: `append`, `take_back`.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

from calsync.errors import CalsyncError, JournalError
from calsync.journal import Block, read_answers
from calsync.model import Contacted, Pinned, Skipped

Said = tuple[str, Contacted | Skipped | Pinned]
"""The id of an application, and the event to add to it."""

_HEADER = "# What the calendar told calsync. Keep it with your journal, and back both up.\napplications:\n"
_EMPTY_LIST = re.compile(r"^applications:[ \t]*\[[ \t]*\][ \t]*$", re.MULTILINE)


def append(path: Path, said: Iterable[Said], zone: ZoneInfo) -> None:
    """Add events to the answers at `path`, and have them on the disk on return.

    Raises CalsyncError where the file cannot be written, or is of a form to which nothing can be added.
    """
    said = tuple(said)
    if not said:
        return
    with _locked(path):
        blocks, text = read_answers(path, zone), _text(path)
        text = _EMPTY_LIST.sub("applications:", text) if text.strip() else _HEADER
        text = text if text.endswith("\n") else f"{text}\n"
        dash = " " * (blocks[-1].place.column - 3 if blocks else 2)
        text += "".join(_entry(dash, application, event) for application, event in said)
        _replace(path, text, sum(len(block.events) for block in blocks) + len(said), zone)


def take_back(path: Path, window: str, zone: ZoneInfo) -> Contacted | Skipped | Pinned | None:
    """Remove the last answer that is about `window`, and give it; None where there is none. Errors as `append`."""
    with _locked(path):
        blocks = read_answers(path, zone)
        for number, block in reversed(list(enumerate(blocks))):
            for event in reversed(block.events):
                if not isinstance(event, Contacted | Skipped | Pinned) or event.window != window:
                    continue
                after = blocks[number + 1].place.line if number + 1 < len(blocks) else None
                later = [each.place.line for each in block.events if each.place.line > event.place.line]
                first = event.place.line if len(block.events) > 1 else block.place.line
                lines = _text(path).splitlines(keepends=True)
                last = min(later, default=after) or len(lines) + 1
                left = "".join(lines[: first - 1] + lines[last - 1 :])
                _replace(path, left, sum(len(each.events) for each in blocks) - 1, zone)
                return event
    return None


def _entry(dash: str, application: str, event: Contacted | Skipped | Pinned) -> str:
    """An item for the list under `applications:`."""
    kind = type(event).__name__.lower()
    rows = {"via": event.via, "window": event.window and _quoted(event.window)}
    if isinstance(event, Pinned):
        rows |= {"opens": event.opens.isoformat(), "closes": event.closes.isoformat()}
    if isinstance(event, Contacted) and event.thanks:
        rows |= {"thanks": "true"}
    lines = [f"{dash}- id: {_quoted(application)}", f"{dash}  events:", f"{dash}    - {kind}: {event.day}"]
    lines += [f"{dash}      {key}: {value}" for key, value in rows.items() if value]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return ""


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Let no other calsync write the file, and say in words why it cannot be written."""
    try:
        folder = os.open(path.parent, os.O_RDONLY)
    except OSError as error:
        raise CalsyncError(f"the answers {path} cannot be written: {error.strerror}") from None
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    except OSError as error:
        raise CalsyncError(
            f"the answers {path} cannot be written: {error.strerror}; 'answers:' in the config names another place"
        ) from None
    finally:
        os.close(folder)


def _replace(path: Path, text: str, events: int, zone: ZoneInfo) -> None:
    """Put `text` in the place of the file, if it holds as many events as it should."""
    target = path.resolve()
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    new = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if not _holds(new, events, zone):
            raise CalsyncError(
                f"nothing can be added to {path}: write its list as the examples do, one item below another"
            )
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o600
        new.chmod(mode)
        new.replace(target)
        _sync_folder(target.parent)
    finally:
        with contextlib.suppress(FileNotFoundError):
            new.unlink()


def _holds(path: Path, events: int, zone: ZoneInfo) -> bool:
    try:
        blocks: tuple[Block, ...] = read_answers(path, zone)
    except JournalError:
        return False
    return sum(len(block.events) for block in blocks) == events


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
