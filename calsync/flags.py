"""The options of the command line, in groups that commands share: each function gives a parser to take as a parent.

Which command takes which group says `_VERBS` in `cli.py`; `docs/commands.md` and the man page name every option.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Collection, Sequence
from datetime import date
from pathlib import Path

from calsync import fields

CHANGES_AHEAD = 10
"""The exit code of `--dry-run --exit-code` where there is anything to change."""

WITH_VALUE = ("--config", "--today", "--for", "--name", "--log-format")
"""The options after which a value stands, which may be the name of a command."""


def command_first(given: Sequence[str], commands: Collection[str]) -> list[str]:
    """The arguments with the command before the options: it alone knows which it takes, and refuses the others."""
    is_value = False
    for place, word in enumerate(given):
        if word in commands and not is_value:
            return [word, *given[:place], *given[place + 1 :]]
        if word == "--version":
            break
        is_value = word in WITH_VALUE
    return [*given]


def shared(default: object = argparse.SUPPRESS) -> argparse.ArgumentParser:
    """What every command takes: the config, and whether to print JSON."""
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("--config", metavar="FILE", type=Path, default=default, help="the config file to read")
    options.add_argument(
        "--json", action="store_true", default=False if default is None else default, help="print JSON for programs"
    )
    return options


def computing(default: object = argparse.SUPPRESS) -> argparse.ArgumentParser:
    """The day as of which to compute."""
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument(
        "--today", metavar="YYYY-MM-DD", type=_day, default=default, help="compute as of that day, not of today"
    )
    return options


def asking_server(default: object = argparse.SUPPRESS) -> argparse.ArgumentParser:
    """Of every command that asks a server."""
    options = argparse.ArgumentParser(add_help=False)
    text = "show each request: its method, its address, what came of it; no secrets"
    options.add_argument("--verbose", action="store_true", default=default, help=text)
    return options


def syncing(default: object = argparse.SUPPRESS) -> argparse.ArgumentParser:
    """What a sync takes."""
    options = argparse.ArgumentParser(add_help=False)
    flags = {
        "--dry-run": "show what would be created, updated and deleted; write nothing anywhere",
        "--offline": "with --dry-run: do not ask the server, only show the windows",
        "--force": "go on where a guard stops, as when many reminders are gone at once",
        "--exit-code": f"with --dry-run: exit with {CHANGES_AHEAD} if there is anything to change",
    }
    for flag, text in flags.items():
        options.add_argument(flag, action="store_true", default=default, help=text)
    return options


def showing() -> argparse.ArgumentParser:
    """What `windows` takes."""
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("--all", action="store_true", help="show what is done, missed and skipped too")
    options.add_argument("--why", action="store_true", help="show the reasons for the days, and why others have none")
    return options


def asking() -> argparse.ArgumentParser:
    """The id that `why` takes."""
    options = argparse.ArgumentParser(add_help=False)
    text = "a window's id, the UID of its event, an application's id, or the beginning of one of them"
    options.add_argument("id", metavar="ID", help=text)
    return options


def taking_back() -> argparse.ArgumentParser:
    """The id that `undo` takes."""
    options = argparse.ArgumentParser(add_help=False)
    text = "a window's id, the UID of its event, or a beginning that one window with an answer has"
    options.add_argument("id", metavar="ID", help=text)
    return options


def removing() -> argparse.ArgumentParser:
    """What `remove` takes."""
    options = argparse.ArgumentParser(add_help=False)
    text = "show what would be deleted; write nothing anywhere"
    options.add_argument("--dry-run", action="store_true", default=argparse.SUPPRESS, help=text)
    options.add_argument("--yes", action="store_true", help="do not ask")
    return options


def renewing() -> argparse.ArgumentParser:
    """What `password` takes."""
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("--new", action="store_true", help="make a new one, which counts from now on")
    return options


def subscribing() -> argparse.ArgumentParser:
    """What `feed` takes."""
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("--new", action="store_true", help="make a new address; the old one is revoked at once")
    text = "the address of one subscriber, made where there is none, as in --for phone"
    options.add_argument("--for", metavar="NAME", dest="subscriber", type=_subscriber, help=text)
    return options


def _subscriber(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9-]{1,64}", text):
        raise argparse.ArgumentTypeError("a subscriber's name has letters, digits and dashes alone, at most 64")
    return text


def staying() -> argparse.ArgumentParser:
    """What `demo` takes."""
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("--once", action="store_true", help="show the calendar and leave, without waiting for Ctrl-C")
    return options


def _day(text: str) -> date:
    try:
        return fields.day(text)
    except fields.FieldError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
