"""The part of the command line that is about the daemon: its options, its log, its unit, how it does.

Public face: for each of the commands `daemon`, `install-service` and `status --daemon` the options and the function
that `cli.py` calls. Nothing is printed here.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from calsync.config import Config
from calsync.errors import CalsyncError, UsageError

if TYPE_CHECKING:
    from calsync.daemon.health import Health


def log_options() -> argparse.ArgumentParser:
    """Those of `calsync daemon`."""
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("--log-format", choices=("text", "json"), default="text", help="lines for people, or objects")
    much = options.add_mutually_exclusive_group()
    quiet, verbose = "log what is wrong alone", "log more"
    much.add_argument("-q", "--quiet", dest="level", action="store_const", const="WARNING", help=quiet)
    much.add_argument("-v", "--verbose", dest="level", action="store_const", const="DEBUG", help=verbose)
    return options


def show_requests() -> None:
    """Show each request to a server on standard error, as the daemon does with `--verbose`."""
    import logging

    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    logging.getLogger("calsync").setLevel(logging.DEBUG)


def run(options: argparse.Namespace, load: Callable[[], Config], environ: Mapping[str, str]) -> int:
    """Be the daemon; returns the exit code. Raises as `daemon.run`."""
    import logging

    from calsync import daemon

    form = "json" if options.json else options.log_format
    return daemon.run(load, environ, form=form, level=getattr(logging, options.level or "INFO"))


def install_options() -> argparse.ArgumentParser:
    """Those of `calsync install-service`."""
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("--user", action="store_true", help="for yourself, not for the system")
    options.add_argument("--name", metavar="NAME", help="whose calendar it is for, of several people (default)")
    options.add_argument("--dry-run", action="store_true", help="only show what would be done")
    return options


def install(options: argparse.Namespace, environ: Mapping[str, str]) -> Iterator[str]:
    """Install the unit, or with --dry-run do not; gives lines that tell what is done. Raises CalsyncError."""
    from calsync import installing

    if options.user and options.name:
        raise UsageError("--name is for the system's units; --user installs one for you alone")
    plan = installing.for_user(environ) if options.user else installing.for_system(options.name or "default")
    return plan.carried_out(dry_run=options.dry_run)


def health_options() -> argparse.ArgumentParser:
    """Those of `calsync status` that are about the daemon."""
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument(
        "--daemon", action="store_true", help="only how the daemon does; reads no config and no journal"
    )
    return options


def health(environ: Mapping[str, str]) -> Health | None:
    """What the daemon tells of itself, if there ever was one."""
    from calsync.daemon import health as published

    return published.read(environ)


def health_alone(environ: Mapping[str, str]) -> Health:
    """The same for who asks for it. Raises CalsyncError where there never was a daemon."""
    found = health(environ)
    if found is None:
        raise CalsyncError("no daemon has run on this state; for the one of a unit set STATE_DIRECTORY to its folder")
    return found


def health_text(found: Health | None) -> tuple[list[str], int]:
    """Lines for people, and the exit code; of no daemon there is nothing to say."""
    now = datetime.now().astimezone()
    return (list(found.text(now)), found.exit_code(now)) if found else ([], 0)


def health_json(found: Health) -> tuple[dict[str, Any], int]:
    """The same for programs."""
    now = datetime.now().astimezone()
    return found.as_json(now), found.exit_code(now)
