"""The command line: parse, make one call into the work below, print. The one place where errors become exit codes.

`main` is the `calsync` command; `parser` is what `docs/calsync.1` is checked against. A new verb is a function here and
one line in `_VERBS`.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable, Collection, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from calsync import __version__, cliservice, collector, config, flags, printing, publicholidays, terminal
from calsync.config import Config
from calsync.errors import CalsyncError, GuardError, InputError, UsageError
from calsync.moment import Moment
from calsync.publicholidays import PublicHolidays

if TYPE_CHECKING:
    from calsync.model import Outlook
    from calsync.sync import Report


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with `arguments` (those of the process unless given); returns the exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal that has no character for "✓" shows "?"
    try:
        code = _run(arguments)
        if sys.stdout is not None:
            sys.stdout.flush()
    except CalsyncError as error:
        print(f"calsync: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # whoever read the output has gone
        printing.say_no_more()
        return 0
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"calsync: {where}{error.strerror or error}", file=sys.stderr)
        printing.say_no_more()
        return 1
    return code


def _run(arguments: Sequence[str] | None) -> int:
    try:
        given = flags.command_first(sys.argv[1:] if arguments is None else arguments, _VERBS)
        options = parser({*given} & _VERBS.keys()).parse_args(given)
    except SystemExit as left:  # argparse has said all: the help, the version, or what is wrong
        return left.code if isinstance(left.code, int) else 0
    if getattr(options, "verbose", False):
        cliservice.show_requests()
    stays = options.verb in (_daemon, _demo)
    with nullcontext() if stays else collector.paused(to_the_end=arguments is None):
        code: int = options.verb(options)
    return code


def parser(named: Collection[str] = ()) -> argparse.ArgumentParser:
    """The parser: options may stand before or after the verb. With verbs `named`, it has these alone, faster."""
    top = argparse.ArgumentParser(
        prog="calsync",
        description="Polite job-search follow-ups, computed from your journal and kept in your own calendar.",
        epilog="Without a command it syncs once.",
        parents=[
            flags.shared(default=None),
            flags.computing(default=None),
            flags.syncing(default=False),
            flags.asking_server(default=False),
        ],
    )
    top.add_argument("--version", action="version", version=f"calsync {__version__}")
    top.set_defaults(verb=_sync)
    verbs = top.add_subparsers(title="commands", metavar="COMMAND")
    for name, (run, text, parents) in _VERBS.items():
        if named and name not in named:
            continue
        verb = verbs.add_parser(name, help=text, description=text, parents=[make() for make in parents])
        verb.set_defaults(verb=run)
    return top


def _config(options: argparse.Namespace) -> Config:
    return config.load(options.config, os.environ, Path(), _holidays(options).check_place)


def _holidays(options: argparse.Namespace) -> PublicHolidays:
    """The public holidays, with the cache of them; a dry run writes nothing anywhere, so not there either."""
    return publicholidays.kept(os.environ, writes=not getattr(options, "dry_run", False))


def _moment(options: argparse.Namespace, settings: Config) -> Moment:
    """The present, or the day that `--today` names."""
    return Moment.of(datetime.now(UTC), options.today, settings.timezone)


def _sync(options: argparse.Namespace) -> int:
    from calsync import sync

    if (options.offline or options.exit_code) and not options.dry_run:
        raise UsageError("--offline and --exit-code go with --dry-run; add it, or leave them out")
    settings = _config(options)
    moment = _moment(options, settings)
    bar = terminal.Bar(sys.stderr)
    try:
        how = {"dry_run": options.dry_run, "offline": options.offline, "force": options.force}
        done = sync.run_once(settings, moment, os.environ, **how, progress=bar)
    finally:
        bar.clear()
    code = _tell(options, done)
    return flags.CHANGES_AHEAD if options.exit_code and done.has_changes and not code else code


def _tell(options: argparse.Namespace, done: Report) -> int:
    """Print what a run did, or would do; returns its exit code."""
    from calsync import report

    if options.json:
        printing.as_json(report.run_json(done))
    else:
        printing.lines(map(printing.look().change, report.run_text(done)))
        printing.warnings(done.warnings)
    for error in (*report.failures(done), *done.errors):
        print(f"calsync: {error}", file=sys.stderr)
    return done.exit_code


def _windows(options: argparse.Namespace) -> int:
    from calsync import book, listing

    settings = _config(options)
    moment = _moment(options, settings)
    known = _holidays(options)
    if options.json:
        from calsync import dump

        printing.items(dump.windows(settings, moment.today, known, os.environ, printing.item, everything=options.all))
        return 0
    outlook = book.look(settings, moment.today, known)
    how = {"everything": options.all, "why": options.why, "look": printing.look()}
    printing.lines(listing.windows_text(outlook, listing.titles(settings), **how))
    printing.warnings(outlook.warnings)
    return 0


def _why(options: argparse.Namespace) -> int:
    from calsync import book, explain, listing
    from calsync.uids import uids

    settings = _config(options)
    moment = _moment(options, settings)
    outlook = book.look(settings, moment.today, _holidays(options))
    on_caldav, in_feed = (uids(settings, outlook.windows, os.environ, each) for each in ("caldav", "feed"))
    windows = {uid: window for each in (in_feed, on_caldav) for window, uid in each.items()}
    subject = explain.find(outlook, windows, options.id)
    if options.json:
        printing.as_json(explain.as_json(subject, on_caldav))
    else:
        printing.lines(explain.text(subject, listing.titles(settings), on_caldav))
    return 0


def _health(options: argparse.Namespace) -> int:
    told, code = cliservice.health_json(cliservice.health_alone(os.environ))
    if options.json:
        printing.as_json(told)
    else:
        printing.lines(cliservice.health_text(cliservice.health(os.environ))[0])
    return code


def _status(options: argparse.Namespace) -> int:
    if options.daemon:
        return _health(options)
    from calsync import book, listing, status

    settings = _config(options)
    moment = _moment(options, settings)
    outlook = book.look(settings, moment.today, _holidays(options))
    lines, code = cliservice.health_text(cliservice.health(os.environ))
    if options.json:
        printing.as_json(status.as_json(outlook))
        if code:  # else nobody knows why the exit code is what it is
            print(f"calsync: {lines[0]}", file=sys.stderr)
    else:
        printing.lines(status.text(outlook, listing.titles(settings), moment.today, printing.look()))
        printing.lines(lines)
        printing.warnings(outlook.warnings)
    return code


def _check(options: argparse.Namespace) -> int:
    from calsync import listing

    try:
        settings, outlook = _checked(options)
    except InputError as error:
        if not options.json:
            raise
        printing.as_json(listing.check_json(error.problems, ()))
        return error.exit_code
    if options.json:
        printing.as_json(listing.check_json((), outlook.warnings))
    else:
        printing.lines(listing.check_text(settings, outlook))
        printing.warnings(outlook.warnings)
    return 0


def _checked(options: argparse.Namespace) -> tuple[Config, Outlook]:
    """The config, and what the journal comes to, with warnings. Raises InputError with every mistake in either."""
    from calsync import book
    from calsync.etiquette.lint import lint

    settings, problems = config.survey(options.config, os.environ, Path(), _holidays(options).check_place)
    if settings is not None and problems:
        try:
            book.read_journal(settings, _holidays(options))
        except InputError as error:
            problems += error.problems
    if settings is None or problems:
        raise InputError(problems)
    moment = _moment(options, settings)
    found = book.look(settings, moment.today, _holidays(options))
    done = lint(found, settings.policy, moment.today)
    return settings, replace(found, warnings=(*found.warnings, *done))


def _undo(options: argparse.Namespace) -> int:
    from calsync import undo

    undone = undo.undo(_config(options), os.environ, options.id)
    if options.json:
        printing.as_json(undo.as_json(undone))
    else:
        printing.lines(undo.text(undone))
    return 0


def _remove(options: argparse.Namespace) -> int:
    from calsync import removal, report

    settings = _config(options)
    moment = _moment(options, settings)
    if not (options.dry_run or options.yes):
        if sys.stdin is None or not sys.stdin.isatty():
            raise GuardError("this takes all of calsync's events out; to do so without being asked, add --yes")
        ahead = removal.remove(settings, moment, os.environ, dry_run=True)
        if ahead.errors or not ahead.has_changes:
            return _tell(options, ahead)
        if not options.json:
            printing.lines(map(printing.look().change, report.run_text(ahead)))
        if not _agreed(removal.question(ahead)):
            print("calsync: nothing was removed", file=sys.stderr)
            return 1
    return _tell(options, removal.remove(settings, moment, os.environ, dry_run=options.dry_run))


def _agreed(question: str) -> bool:
    print(question, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().casefold() in ("y", "yes")


def _password(options: argparse.Namespace) -> int:
    from calsync import opening

    login = opening.login(_config(options), os.environ, new=options.new)
    if options.json:
        printing.as_json({"url": login.url, "username": login.username, "password": login.password.reveal()})
        return 0
    server = login.url or "reached by calsync alone; set caldav.listen to reach it from other apps"
    print(f"server    {server}\nuser      {login.username}\npassword  {login.password.reveal()}")
    return 0


def _feed(options: argparse.Namespace) -> int:
    from calsync import opening

    found = opening.links(_config(options), os.environ, options.subscriber, renew=options.new)
    if options.json:
        printing.as_json([{"subscriber": link.name, "url": link.url, "webcal": link.webcal} for link in found])
        return 0
    for link in found:
        print(f"{link.name}\n  {link.url}\n  {link.webcal}")
    return 0


def _calendars(options: argparse.Namespace) -> int:
    from calsync import calendars

    found = calendars.seen(_config(options), os.environ)
    if options.json:
        printing.as_json(calendars.as_json(found))
    else:
        printing.lines(calendars.text(found))
    return 0


def _doctor(options: argparse.Namespace) -> int:
    from calsync import doctor

    say = None if options.json else partial(print, flush=True)
    findings = doctor.told(_config(options), os.environ, datetime.now(UTC), say)
    if options.json:
        printing.as_json(doctor.as_json(findings))
    return doctor.exit_code(findings)


def _daemon(options: argparse.Namespace) -> int:
    return cliservice.run(options, partial(_config, options), os.environ)


def _install_service(options: argparse.Namespace) -> int:
    printing.lines(cliservice.install(options, os.environ))
    return 0


def _demo(options: argparse.Namespace) -> int:
    from calsync import demo

    say = partial(print, flush=True)
    return demo.run(options.today or datetime.now().astimezone().date(), once=options.once, say=say)


Verb = Callable[[argparse.Namespace], int]
Options = Callable[[], argparse.ArgumentParser]

_VERBS: dict[str, tuple[Verb, str, tuple[Options, ...]]] = {
    "sync": (
        _sync,
        "bring the calendar and the feed to what the journal says, once",
        (flags.shared, flags.computing, flags.syncing, flags.asking_server),
    ),
    "windows": (_windows, "show the windows; asks no server", (flags.shared, flags.computing, flags.showing)),
    "why": (
        _why,
        "tell where a window comes from: journal, rule, every shift",
        (flags.shared, flags.computing, flags.asking),
    ),
    "status": (
        _status,
        "show where each application stands, and which are stale",
        (flags.shared, flags.computing, cliservice.health_options),
    ),
    "check": (
        _check,
        "tell every mistake in config and journal, and what was not polite",
        (flags.shared, flags.computing),
    ),
    "undo": (
        _undo,
        "take back the last answer that the calendar gave about a window",
        (flags.shared, flags.taking_back),
    ),
    "remove": (
        _remove,
        "take everything of this journal out of the calendar and the feed",
        (flags.shared, flags.removing, flags.asking_server),
    ),
    "password": (
        _password,
        "show the login of calsync's own CalDAV server (url: embedded)",
        (flags.shared, flags.renewing),
    ),
    "feed": (_feed, "show the secret addresses at which the feed is served", (flags.shared, flags.subscribing)),
    "calendars": (_calendars, "show the calendars that the login sees", (flags.shared, flags.asking_server)),
    "doctor": (_doctor, "look at all that a sync needs, and say what to do", (flags.shared, flags.asking_server)),
    "daemon": (_daemon, "stay, and sync whenever something changes", (flags.shared, cliservice.log_options)),
    "install-service": (_install_service, "install the systemd unit of the daemon", (cliservice.install_options,)),
    "demo": (
        _demo,
        "show the whole thing on example data with a calendar server of its own",
        (flags.computing, flags.staying),
    ),
}
