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
from calsync.model import Contacted, Event, Pinned, Skipped, unplaced

Said = tuple[str, Contacted | Skipped | Pinned]
"""The id of an application, and the event to add to it."""

_REMARK = "# What the calendar told calsync. Keep it with your journal, and back both up."
_KEY = "applications:"
_HAS_KEY = re.compile(rf"^\ufeff?{_KEY}", re.MULTILINE)
_EMPTY_LIST = re.compile(rf"^(\ufeff?{_KEY})[ \t]*(?:\[[ \t]*\]|~|null)(?=[ \t]*(?:#.*)?\r?$)", re.MULTILINE)
_FORM = "write its list as the examples do, one item below another"


def append(path: Path, said: Iterable[Said], zone: ZoneInfo) -> None:
    """Add events to the answers at `path`, and have them on the disk on return.

    Raises CalsyncError where the file cannot be written, or is of a form to which nothing can be added; JournalError
    where it has mistakes.
    """
    said = tuple(said)
    if not said:
        return
    with _locked(path):
        blocks, text = read_answers(path, zone), _text(path)
        end = "\r\n" if "\r\n" in text else "\n"
        if text and not text.endswith("\n"):
            text += end
        if _HAS_KEY.search(text):
            text = _EMPTY_LIST.sub(r"\1", text)
        else:
            text += f"{_KEY}{end}" if text.strip("\ufeff \t\r\n") else f"{_REMARK}{end}{_KEY}{end}"
        dash = _dash(blocks[-1], text) if blocks else "  "
        text += "".join(_entry(dash, application, event) for application, event in said).replace("\n", end)
        if not _replace(path, text, [*_events(blocks), *said], zone):
            raise CalsyncError(f"nothing can be added to {path}: {_FORM}")


def take_back(path: Path, window: str, zone: ZoneInfo) -> Contacted | Skipped | Pinned | None:
    """Remove the last answer that is about `window`, and give it; None where there is none. Errors as `append`.

    Remarks in the file stay, also those behind the answer.
    """
    with _locked(path):
        blocks = read_answers(path, zone)
        entries = [(block, event) for block in blocks for event in block.events]
        for number, (block, event) in reversed(list(enumerate(entries))):
            if not isinstance(event, Contacted | Skipped | Pinned) or event.window != window:
                continue
            lines = _text(path).splitlines(keepends=True)
            first = event.place.line if len(block.events) > 1 else block.place.line
            starts = [block.place.line for block in blocks] + [event.place.line for _, event in entries]
            last = min((line for line in starts if line > event.place.line), default=len(lines) + 1) - 1
            while last > first and _is_remark(lines[last - 1]):
                last -= 1
            left = _events(blocks)
            del left[number]
            if not _replace(path, "".join(lines[: first - 1] + lines[last:]), left, zone):
                raise CalsyncError(f"nothing can be taken out of {path}: {_FORM}")
            return event
    return None


def _events(blocks: Iterable[Block]) -> list[tuple[str, Event]]:
    return [(block.id, event) for block in blocks for event in block.events]


def _is_remark(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#")


def _dash(last: Block, text: str) -> str:
    """The indentation of the list's dashes: that before the one of its last item."""
    lines = text.splitlines()[: last.place.line]
    return next((found[1] for line in reversed(lines) if (found := re.match("( *)-", line))), "")


def _entry(dash: str, application: str, event: Contacted | Skipped | Pinned) -> str:
    """An item for the list under `applications:`, in lines that end with a line feed."""
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
    """A scalar in quotes; what no editor shows, such as a line separator in an id, is escaped (YAML 1.1, 5.7)."""
    if text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    plain = (each if each.isprintable() and each not in '"\\' else f"\\U{ord(each):08x}" for each in text)
    return '"' + "".join(plain) + '"'


def _text(path: Path) -> str:
    """The text with the line ends, and the byte order mark, that it has."""
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return ""


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Let no other calsync write the file, and say in words why it cannot be written."""
    try:
        folder = os.open(path.resolve().parent, os.O_RDONLY)
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


def _replace(path: Path, text: str, events: list[tuple[str, Event]], zone: ZoneInfo) -> bool:
    """Put `text` in the place of the file, if it is read back as these events; else say False, and leave the file."""
    target = path.resolve()
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    new = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        if not _holds(new, events, zone):
            return False
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o600
        new.chmod(mode)
        new.replace(target)
        _sync_folder(target.parent)
        return True
    finally:
        with contextlib.suppress(FileNotFoundError):
            new.unlink()


def _holds(path: Path, events: list[tuple[str, Event]], zone: ZoneInfo) -> bool:
    try:
        return _meant(_events(read_answers(path, zone))) == _meant(events)
    except JournalError:
        return False


def _meant(events: Iterable[tuple[str, Event]]) -> list[tuple[str, Event]]:
    """The events wherever they stand: what is taken out above one moves it."""
    return [(id_, unplaced(event)) for id_, event in events]


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
