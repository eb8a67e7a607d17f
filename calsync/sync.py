"""The rail: one run from the files to the targets. The only module that knows all stations.

YAML -> Journal -> Outlook (windows) -> reminders -> plan -> targets. Public face: `run_once`, which
brings every target of the config to what is wanted, or in a dry run says what it would do; `stations` and `visit`, for
other work on these targets (`removal.py`). The clock is an argument of all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from calsync import opening, paths, publicholidays, state
from calsync.book import Book
from calsync.config import Config
from calsync.errors import CalsyncError, ConfigError, Problem, UnreachableError
from calsync.model import Outlook, Reminder, State, Window
from calsync.moment import Moment
from calsync.outcome import Desired, Outcome
from calsync.reconcile import reconcile
from calsync.reminders import Form, reminders
from calsync.signals import Answer
from calsync.survey import Terms
from calsync.targets import TARGETS
from calsync.targets.base import Target
from calsync.wording import Wording

_FEED_BACK, _FEED_AHEAD = timedelta(days=30), timedelta(days=180)
"""What a feed shows: Google takes about 1 MB and 1,000 events (`docs/calendars.md`)."""


@dataclass(slots=True, kw_only=True)
class Report:
    """What one run found and did.

    `not_compared` says why a dry run could not look at the server. `errors` are those that ended the work on a target.
    """

    outlook: Outlook
    words: Wording
    zone: ZoneInfo
    dry_run: bool
    outcomes: list[Outcome] = field(default_factory=list)
    errors: list[CalsyncError] = field(default_factory=list)
    not_compared: str | None = None
    warnings: tuple[str, ...] = ()

    @property
    def has_changes(self) -> bool:
        """Whether anything was changed, or would be."""
        return any(outcome.changes for outcome in self.outcomes)

    @property
    def exit_code(self) -> int:
        """The code of the first error; 1 where only single items failed."""
        if self.errors:
            return self.errors[0].exit_code
        return 1 if any(outcome.failed for outcome in self.outcomes) else 0


def words(config: Config) -> Wording:
    """The words of reminders, as the config has them."""
    return Wording(config.texts.say, config.me, config.policy.country)


def run_once(  # noqa: PLR0913  # how a run goes; the flags by name
    config: Config,
    moment: Moment,
    environ: Mapping[str, str],
    *,
    dry_run: bool = False,
    offline: bool = False,
    force: bool = False,
    progress: Callable[[int, int], None] | None = None,
    targets: Mapping[str, Callable[..., Target]] = TARGETS,
) -> Report:
    """Read, compute, and bring every target to what is wanted; in a dry run write nothing anywhere.

    `targets` is what opens the targets that the config names, each by its word. `offline` leaves the server out of a
    dry run; `force` lets pass what a guard would refuse; `progress` is told of each write: how many of how many. Raises
    JournalError, ConfigError where there is nothing to sync to, BusyError where another run holds the state. What goes
    wrong with one target does not stop the next.
    """
    must_have_target(config)
    book = Book(config, moment.today, publicholidays.kept(environ, writes=not dry_run))
    report = Report(outlook=book.outlook, words=words(config), zone=config.timezone, dry_run=dry_run)
    with state.opened(paths.state_folder(environ), writes=not dry_run) as cache:

        def work(target: Target, station: Station) -> Outcome:
            def learn(said: tuple[Answer, ...]) -> Desired:
                book.learn(said, writes=not dry_run)
                return station.desired()

            listen = None if station.terms.owned else learn
            terms = replace(station.terms, progress=progress)
            return reconcile(target, station.desired(), cache, terms, learn=listen, dry_run=dry_run)

        for station in stations(config, moment, book, environ, cache, targets, writes=not dry_run, force=force):
            if offline and not station.terms.owned:
                report.not_compared = "not asked (--offline)"
                continue
            visit(report, station, work)
    report.outlook, report.warnings = book.outlook, book.outlook.warnings
    if dry_run:
        _forgive_absence(report)
    return report


def _forgive_absence(report: Report) -> None:
    """A server out of reach is no error of a dry run: it says that it could not compare."""
    for error in [each for each in report.errors if isinstance(each, UnreachableError)]:
        report.errors.remove(error)
        report.not_compared = str(error)


def must_have_target(config: Config) -> None:
    """Raises ConfigError where there is nothing to sync to."""
    if config.caldav is None and config.feed is None:
        text = (
            "there is nothing to sync to: write a 'caldav:' block (your calendar) or a 'feed:' block (a file), or both"
        )
        raise ConfigError([Problem(str(config.path), 0, 0, text)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """A target of the config: how it is opened, what it is to show by now, and the terms of a run on it.

    `note` notes where it was found, in words of the state.
    """

    opened: Callable[[], AbstractContextManager[Target]]
    desired: Callable[[], Desired]
    terms: Terms
    note: Callable[[str], None] | None = None


def stations(  # noqa: PLR0913  # all that a run is made of; the flags by name
    config: Config,
    moment: Moment,
    book: Book,
    environ: Mapping[str, str],
    cache: state.State,
    targets: Mapping[str, Callable[..., Target]],
    *,
    writes: bool,
    create: bool = True,
    force: bool = False,
) -> Iterator[Station]:
    """The targets of `config`: the calendar, which tells what the feed is to know, then the feed.

    A calendar that is missing is made if `create` and `writes`; one that was there before, only with `force`. Nothing
    is opened before a station's own `opened` is called; with `writes=False` that touches nothing on the disk.
    """
    form = Form(config.reminders, config.remind_at, config.timezone, ZoneInfo, words(config))
    terms = Terms(name=config.name, zone=config.timezone, now=moment.now, day=moment.midnight, force=force)
    if caldav := config.caldav:
        known = opening.find_again(caldav, cache)
        create = create and writes and (known is None or force)
        yield Station(
            opened=partial(
                opening.calendar, targets["caldav"], caldav, environ, found=known, writes=writes, create=create
            ),
            desired=lambda: _desired(book.outlook, _in_calendar, form, moment, alarms=True),
            terms=replace(terms, named=partial(opening.named, caldav), expected=known),
            note=partial(opening.take_note, caldav, cache) if writes else None,
        )
    if feed := config.feed:
        shown = partial(_in_feed, today=moment.today)
        yield Station(
            opened=lambda: closing(targets["feed"](path=feed.path)),
            desired=lambda: _desired(book.outlook, shown, form, moment, alarms=feed.alarms),
            terms=replace(terms, owned=True, zone=UTC),  # no zones in a feed: the form of docs/calendars.md
        )


Work = Callable[[Target, Station], Outcome]
"""What is done with a station's target: `reconcile`, say."""


def visit(report: Report, station: Station, work: Work) -> None:
    """Do the work on one target, and put what became of it into the report. No CalsyncError passes."""
    try:
        with station.opened() as target:
            outcome = work(target, station)
    except CalsyncError as error:
        report.errors.append(error)
    else:
        report.outcomes.append(outcome)
        if outcome.ended:
            report.errors.append(outcome.ended)
        if station.note:
            station.note(outcome.where)


def _in_calendar(window: Window) -> bool:
    return window.state not in (State.MISSED, State.SKIPPED)


def _in_feed(window: Window, today: date) -> bool:
    last = window.done_on or window.closes
    return window.state is not State.SKIPPED and today - _FEED_BACK <= last and window.opens <= today + _FEED_AHEAD


def _desired(
    found: Outlook, is_shown: Callable[[Window], bool], form: Form, moment: Moment, *, alarms: bool
) -> Desired:
    shown = [window for window in found.windows if is_shown(window)]

    def draw(written: Mapping[str, datetime]) -> Mapping[str, Reminder]:
        drawn = reminders(shown, form, written, moment.now)
        return drawn if alarms else {key: replace(reminder, alarms=()) for key, reminder in drawn.items()}

    current = frozenset(window.id for window in shown if not window.state.is_past and window.closes >= moment.today)
    return Desired(draw=draw, creates=current, windows={window.id: window for window in found.windows})
