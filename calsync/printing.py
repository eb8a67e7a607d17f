"""What the commands print: lines, JSON, and warnings on standard error. Nothing else of the commands' work is here."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from itertools import islice

import msgspec

from calsync import terminal
from calsync.terminal import Look

_PART = 500
"""Items that are written at once."""


def look() -> Look:
    """How lines may look on standard output."""
    return terminal.look_of(sys.stdout, os.environ)


def lines(told: Iterable[str]) -> None:
    """Print the lines."""
    for line in told:
        print(line)


def as_json(value: object) -> None:
    """Print the value; a list with a line an item: what indents is not the fast encoder."""
    if isinstance(value, list):
        items(map(item, value))
    else:
        print(json.dumps(value, ensure_ascii=_is_ascii(), indent=2))


def items(told: Iterable[str]) -> None:
    """Print what `item` gave, as one list; in parts, as a text of many megabytes is slow to copy."""
    left, before = iter(told), "["
    while part := list(islice(left, _PART)):
        sys.stdout.write(before + ",\n ".join(part))
        before = ",\n "
    print("[]" if before == "[" else "]")


def item(value: object) -> str:
    """The value as Python's own encoder writes it, with a blank behind a comma and a colon."""
    if _is_ascii():
        return json.dumps(value)
    return msgspec.json.format(msgspec.json.encode(value), indent=0).decode()


def _is_ascii() -> bool:
    """Whether standard output may lack characters that JSON can do without."""
    return not (getattr(sys.stdout, "encoding", None) or "ascii").lower().startswith("utf")


def warnings(told: Iterable[str]) -> None:
    """Print the warnings."""
    for warning in told:
        print(f"warning: {warning}", file=sys.stderr)


def say_no_more() -> None:
    """Let what is still to be printed vanish: else Python tries again at exit, and complains."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
