"""The rail: one run from the files to the targets. The only module that knows all stations.

YAML -> Journal -> Outlook (windows) -> reminders -> plan -> targets. Public face: `run_once`, which
brings every target of the config to what is wanted, or in a dry run says what it would do; `stations` and `visit`, for
other work on these targets (`removal.py`). The clock is an argument of all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing
from datetime import UTC, date, timedelta
from functools import lru_cache, partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from msgspec import Struct, field
from msgspec.structs import replace

from calsync import opening, paths, settled, state
from calsync.config import Config
from calsync.errors import CalsyncError, ConfigError, GuardError, Problem, UnreachableError
from calsync.model import Outlook, State, Window
from calsync.moment import Moment
from calsync.outcome import Desired, Outcome
from calsync.settled import Settled
from calsync.showing import Show
from calsync.signals import Answer
from calsync.survey import Terms, changes
from calsync.targets import TARGETS
from calsync.targets.base import Target
from calsync.wording import Wording

if TYPE_CHECKING:
    from calsync.book import Book

_FEED_BACK, _FEED_AHEAD = timedelta(days=30), timedelta(days=180)
"""What a feed shows: Google takes about 1 MB and 1,000 events (`docs/calendars.md`)."""


class Report(Struct, kw_only=True):
    """What one run found and did.

    `not_compared` says why a dry run could not look at the server. `errors` are those that ended the work on a target.
    `look` gives the windows as they are by now: where there was nothing to do, they need not have been computed.
    `opens` is the first day of the next window.
    """

    look: Callable[[], Outlook]
    words: Wording
    zone: ZoneInfo
    dry_run: bool
    outcomes: list[Outcome] = field(default_factory=list)
    errors: list[CalsyncError] = field(default_factory=list)
    not_compared: str | None = None
    warnings: tuple[str, ...] = ()
    opens: date | None = None

    @property
    def outlook(self) -> Outlook:
        """The windows."""
        return self.look()

    def look_again(self) -> None:
        """Take over what the windows tell by now. Raises JournalError where they are looked at for the first time."""
        found = self.look()
        self.warnings = found.warnings
        self.opens = next((window.opens for window in found.windows if not window.state.is_past), None)

    @property
    def is_stopped(self) -> bool:
        """Whether a guard asked if all is as it is meant: then nothing more is written, in no target."""
        return any(isinstance(error, GuardError) for error in self.errors)

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
    wrong with one target does not stop the next, but a guard does.
    """
    must_have_target(config)
    made_from = settled.digest(config, moment.today)
    book = lru_cache(partial(_read, config, moment.today, environ, writes=not dry_run))
    report = Report(look=lambda: book().outlook, words=words(config), zone=config.timezone, dry_run=dry_run)
    folder = paths.state_folder(environ)
    if not state.is_there(folder):
        report.look_again()  # a journal that is wrong from the first leaves nothing behind
    with state.opened(folder, writes=not dry_run) as cache:
        run = _Run(book, report, cache, made_from, progress)
        for station in stations(config, moment, book, environ, cache, targets, writes=not dry_run, force=force):
            run.prepare(station)
            if offline and not station.terms.owned:
                report.not_compared = "not asked (--offline)"
                continue
            visit(report, station, run.work)
            if report.is_stopped:
                break
    if dry_run:
        _forgive_absence(report)
    return report


def _read(config: Config, today: date, environ: Mapping[str, str], *, writes: bool) -> Book:
    """The journal, and rules and holidays with it: nothing of that is loaded where there is nothing to do."""
    from calsync import publicholidays
    from calsync.book import Book

    return Book(config, today, publicholidays.kept(environ, writes=writes))


class _Run(Struct):
    """What the visits of one run share. `before` is what the last run came to, if it went by the same.

    `made_from` is `settled.digest`; None also once the calendar has told something, which is in no digest.
    """

    book: Callable[[], Book]
    report: Report
    cache: state.State
    made_from: str | None
    progress: Callable[[int, int], None] | None
    before: Settled | None = None

    def prepare(self, station: Station) -> None:
        """Read the journal, unless there may be nothing to do. Raises JournalError before anybody is asked anything."""
        self.before = settled.remembered(self.cache, station.place, self.made_from) if self.made_from else None
        if self.before is None:
            self.report.look_again()
        else:
            self.report.warnings, self.report.opens = self.before.warnings, self.before.opens

    def work(self, target: Target, station: Station) -> Outcome:
        """Bring the target to what is wanted, if there is anything to do."""
        terms, report, cache = replace(station.terms, progress=self.progress), self.report, self.cache
        ask = lru_cache(partial(changes, target, cache, terms))
        if self.before and (view := ask()) and view.is_unchanged:
            return self.before.outcome(target.name, terms.named(target.where), target.requests)

        def learn(said: tuple[Answer, ...]) -> Desired:
            self.made_from = None
            self.book().learn(said, writes=not report.dry_run)
            return station.desired()

        from calsync.reconcile import reconcile

        if not report.dry_run:
            settled.forget(cache, station.place)
        asked, dry_run = None if terms.owned else learn, report.dry_run
        outcome = reconcile(target, station.desired(), cache, terms, learn=asked, ask=ask, dry_run=dry_run)
        report.look_again()
        if not dry_run:
            station.keep()
        if not dry_run and self.made_from:
            place = terms.place(target)
            settled.remember(cache, place, self.made_from, outcome, warnings=report.warnings, opens=report.opens)
        return outcome


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


class Station(Struct, frozen=True, kw_only=True):
    """A target of the config: how it is opened, what it is to show by now, and the terms of a run on it.

    `note` notes where it was found, in words of the state, and `keep` what was drawn. `place` is the key under which it
    was known there before.
    """

    place: str

    opened: Callable[[], AbstractContextManager[Target]]
    desired: Callable[[], Desired]
    terms: Terms
    keep: Callable[[], None]
    note: Callable[[str], None] | None = None


def stations(  # noqa: PLR0913  # all that a run is made of; the flags by name
    config: Config,
    moment: Moment,
    book: Callable[[], Book],
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
    show = partial(Show, config=config, moment=moment, cache=cache, words=words(config))
    terms = Terms(name=config.name, zone=config.timezone, now=moment.now, day=moment.midnight, force=force)
    if caldav := config.caldav:
        in_calendar = show("caldav", is_shown=_in_calendar, alarms=True)
        known = opening.find_again(caldav, cache)
        create = create and writes and (known is None or force)
        yield Station(
            place=f"caldav {config.name} {known}",
            opened=partial(
                opening.calendar, targets["caldav"], caldav, environ, found=known, writes=writes, create=create
            ),
            desired=lambda: in_calendar.desired(book().outlook),
            keep=in_calendar.keep,
            terms=replace(terms, named=partial(opening.named, caldav), expected=known),
            note=partial(opening.take_note, caldav, cache) if writes else None,
        )
    if feed := config.feed:
        in_feed = show("feed", is_shown=partial(_in_feed, today=moment.today), alarms=feed.alarms)
        yield Station(
            place=f"feed {config.name} {feed.path}",
            opened=lambda: closing(targets["feed"](path=feed.path)),
            desired=lambda: in_feed.desired(book().outlook),
            keep=in_feed.keep,
            terms=replace(  # no zones in a feed: the form of docs/calendars.md
                terms, owned=True, zone=UTC, expected=str(feed.path)
            ),
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
