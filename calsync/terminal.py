"""What a terminal is shown: tables that fit its width, a little colour, a bar while events are written.

Nothing of it where output goes to a file or a program: then each line is whole and plain. `NO_COLOR` (no-color.org) is
heeded. A few lines of our own: `rich` takes longer to load than a journal to read (docs/decisions/0013-terminal.md).
Public face: `Look`, `look_of`, `PLAIN`; `Bar`. Nothing is printed here but the bar.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Mapping, Sequence
from typing import TextIO

from msgspec import Struct

_STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33"}
_SIGNS = {"+": "green", "~": "yellow", "-": "red", "!": "red"}
"""The colour of a line that tells a change, by its sign."""

_GAP = "  "
_LEAST = 8
"""No column is made narrower than so many cells: below, a terminal may fold the line."""

_FEW = 5
"""So many events are written before anybody wonders; only for more there is a bar."""


class Look(Struct, frozen=True):
    """How lines may look: at most `width` cells wide (None where it does not matter), in `colour` or not."""

    width: int | None = None
    colour: bool = False

    def paint(self, text: str, style: str) -> str:
        """The text in a style of `_STYLES`, where there is colour."""
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if self.colour and style else text

    def table(
        self, rows: Sequence[Sequence[str]], yielding: Sequence[int], styles: Sequence[str] | None = None
    ) -> list[str]:
        """The rows in columns; those of `yielding` give way, in that order, until a row fits the width.

        `styles` has a style for each row, empty for none.
        """
        widths = [max(map(cells, column)) for column in zip(*rows, strict=True)]
        for column in yielding:
            over = sum(widths) + len(_GAP) * (len(widths) - 1) - (self.width or 0)
            if self.width is not None and over > 0:
                widths[column] = max(min(_LEAST, widths[column]), widths[column] - over)
        lines = [_GAP.join(map(_fitted, row, widths)).rstrip() for row in rows]
        return [self.paint(line, style) for line, style in zip(lines, styles or [""] * len(lines), strict=True)]

    def change(self, line: str) -> str:
        """A line of what a run did: cut to the width and coloured, where it tells a change."""
        sign = line[2:3]
        if not (line.startswith("  ") and line[3:4] == " " and sign in _SIGNS):
            return line
        return self.paint(line if self.width is None else cut(line, self.width), _SIGNS[sign])


PLAIN = Look()
"""For files and programs."""


def look_of(stream: TextIO, environ: Mapping[str, str]) -> Look:
    """How lines may look on `stream`."""
    if not _is_terminal(stream):
        return PLAIN
    try:
        width = int(environ.get("COLUMNS", "")) or os.get_terminal_size(stream.fileno()).columns
    except ValueError:
        width = os.get_terminal_size(stream.fileno()).columns
    return Look(width or None, colour=not environ.get("NO_COLOR") and environ.get("TERM") != "dumb")


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()


def cells(text: str) -> int:
    """How many cells of a terminal `text` takes: letters of East Asia take two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(each) else 1 + (unicodedata.east_asian_width(each) in "WF") for each in text)


def cut(text: str, width: int) -> str:
    """As much of `text` as fits `width` cells; what was cut off ends in an ellipsis."""
    if cells(text) <= width:
        return text
    while text and cells(text) > width - 1:
        text = text[:-1]
    return f"{text.rstrip()}…"


def _fitted(text: str, width: int) -> str:
    text = cut(text, width)
    return text + " " * (width - cells(text))


class Bar:
    """A bar on a terminal that grows while events are written; nothing anywhere else, and nothing for a few."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream if _is_terminal(stream) else None
        self._drawn = False

    def __call__(self, done: int, total: int) -> None:
        """So many of `total` events are written."""
        if self._stream is None or total <= _FEW:
            return
        full = 30 * done // total
        self._stream.write(f"\r[{'#' * full}{'.' * (30 - full)}] {done} of {total}")
        self._stream.flush()
        self._drawn = True

    def clear(self) -> None:
        """Take the bar away."""
        if self._stream is not None and self._drawn:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
        self._drawn = False
