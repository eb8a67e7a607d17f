"""What the commands print: lines, JSON, and warnings on standard error. Nothing else of the commands' work is here."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable

import msgspec

from calsync import terminal
from calsync.terminal import Look


def look() -> Look:
    """How lines may look on standard output."""
    return terminal.look_of(sys.stdout, os.environ)


def lines(told: Iterable[str]) -> None:
    """Print the lines."""
    for line in told:
        print(line)


def as_json(value: object) -> None:
    """Print the value; a list with a line an item: what indents is not the fast encoder."""
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    is_ascii = not encoding.lower().startswith("utf")
    if not isinstance(value, list) or not value:
        print(json.dumps(value, ensure_ascii=is_ascii, indent=2))
    elif is_ascii:
        print("[" + ",\n ".join(map(json.dumps, value)) + "]")
    else:
        print("[" + b",\n ".join(map(_encoded, value)).decode() + "]")


def _encoded(item: object) -> bytes:
    """The item as Python's own encoder writes it, with a blank behind a comma and a colon."""
    return msgspec.json.format(msgspec.json.encode(item), indent=0)


def warnings(told: Iterable[str]) -> None:
    """Print the warnings."""
    for warning in told:
        print(f"warning: {warning}", file=sys.stderr)


def say_no_more() -> None:
    """Let what is still to be printed vanish: else Python tries again at exit, and complains."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
