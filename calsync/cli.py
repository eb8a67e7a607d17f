"""The command line: parse, make one call into the work below, print. The one place where errors become exit codes.

`main` is the `calsync` command; `parser` is what `docs/calsync.1` is checked against. A new verb is a function here and
one line in `_VERBS`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from calsync import __version__, config, publicholidays
from calsync.config import Config
from calsync.errors import CalsyncError, InputError

_CHANGES_AHEAD = 10
"""The exit code of `--dry-run --exit-code` where there is anything to change."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with `arguments` (those of the process unless given); returns the exit code."""
    options = parser().parse_args(arguments)
    try:
        code: int = options.verb(options)
        sys.stdout.flush()
    except CalsyncError as error:
        print(f"calsync: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # whoever read the output has gone; nothing is left to tell, not even at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


def parser() -> argparse.ArgumentParser:
    """The parser: options may stand before or after the verb."""
    top = argparse.ArgumentParser(
        prog="calsync",
        description="Polite job-search follow-ups, computed from your journal and kept in your own calendar.",
        epilog="Without a command it syncs once.",
        parents=[_shared(default=None), _computing(default=None), _syncing(default=False)],
    )
    top.add_argument("--version", action="version", version=f"calsync {__version__}")
    top.set_defaults(verb=_sync)
    verbs = top.add_subparsers(title="commands", metavar="COMMAND")
    for name, (run, text, parents) in _VERBS.items():
        verb = verbs.add_parser(name, help=text, description=text, parents=[make() for make in parents])
        verb.set_defaults(verb=run)
    return top


def _shared(default: object = argparse.SUPPRESS) -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("--config", metavar="FILE", type=Path, default=default, help="the config file to read")
    options.add_argument(
        "--json", action="store_true", default=False if default is None else default, help="print JSON for programs"
    )
    return options


def _computing(default: object = argparse.SUPPRESS) -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument(
        "--today", metavar="YYYY-MM-DD", type=_day, default=default, help="compute as of that day, not of today"
    )
    return options


def _syncing(default: object = argparse.SUPPRESS) -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(add_help=False)
    flags = {
        "--dry-run": "show what would be created, updated and deleted; write nothing anywhere",
        "--offline": "with --dry-run: do not ask the server, only show the windows",
        "--exit-code": f"with --dry-run: exit with {_CHANGES_AHEAD} if there is anything to change",
    }
    for flag, text in flags.items():
        options.add_argument(flag, action="store_true", default=default, help=text)
    return options


def _showing() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("--all", action="store_true", help="show what is done, missed and skipped too")
    options.add_argument("--why", action="store_true", help="show the reasons for the days, and why others have none")
    return options


def _staying() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("--once", action="store_true", help="show the calendar and leave, without waiting for Ctrl-C")
    return options


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day: write it as 2026-11-30") from None


def _config(options: argparse.Namespace) -> Config:
    return config.load(options.config, os.environ, Path(), publicholidays.check_place)


def _sync(options: argparse.Namespace) -> int:
    from calsync import report, sync

    if (options.offline or options.exit_code) and not options.dry_run:
        parser().error("--offline and --exit-code go with --dry-run")
    settings = _config(options)
    moment = sync.Moment.of(datetime.now(UTC), options.today, settings.timezone)
    done = sync.run_once(settings, moment, os.environ, dry_run=options.dry_run, offline=options.offline)
    if options.json:
        _print_json(report.run_json(done))
    else:
        _print(report.run_text(done))
        _warn(done.warnings)
    for error in done.errors:
        print(f"calsync: {error}", file=sys.stderr)
    if options.exit_code and done.has_changes and not done.exit_code:
        return _CHANGES_AHEAD
    return done.exit_code


def _windows(options: argparse.Namespace) -> int:
    from calsync import report, sync

    settings = _config(options)
    moment = sync.Moment.of(datetime.now(UTC), options.today, settings.timezone)
    outlook = sync.look(settings, moment.today)
    if options.json:
        shown = report.current(outlook, everything=options.all)
        _print_json(report.windows_json(shown, sync.uids(settings, shown, os.environ)))
    else:
        _print(report.windows_text(outlook, everything=options.all, why=options.why))
        _warn(outlook.warnings)
    return 0


def _check(options: argparse.Namespace) -> int:
    from calsync import report, sync

    try:
        settings = _config(options)
        moment = sync.Moment.of(datetime.now(UTC), options.today, settings.timezone)
        outlook = sync.look(settings, moment.today)
    except InputError as error:
        if not options.json:
            raise
        _print_json(report.check_json(error.problems, ()))
        return error.exit_code
    if options.json:
        _print_json(report.check_json((), outlook.warnings))
    else:
        _print(report.check_text(settings, outlook))
        _warn(outlook.warnings)
    return 0


def _demo(options: argparse.Namespace) -> int:
    from calsync import demo

    return demo.run(options.today or datetime.now().astimezone().date(), once=options.once, say=print)


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        print(line)


def _print_json(value: object) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2))


def _warn(warnings: Iterable[str]) -> None:
    for warning in warnings:
        print(f"warning: {warning}", file=sys.stderr)


Verb = Callable[[argparse.Namespace], int]
Options = Callable[[], argparse.ArgumentParser]

_VERBS: dict[str, tuple[Verb, str, tuple[Options, ...]]] = {
    "sync": (_sync, "bring the calendar and the feed to what the journal says, once", (_shared, _computing, _syncing)),
    "windows": (_windows, "show the windows; asks no server", (_shared, _computing, _showing)),
    "check": (_check, "read the config and the journal, and tell every mistake", (_shared, _computing)),
    "demo": (_demo, "show the whole thing on example data with a calendar server of its own", (_computing, _staying)),
}
