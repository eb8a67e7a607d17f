"""The way out: take everything of this journal's name out of the calendar, and empty the feed.

What is ours is said by `plan.remove`; nothing else is touched. Public face: `remove`, `question`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from calsync import paths, publicholidays, reconcile, state
from calsync.book import Book
from calsync.config import Config
from calsync.errors import SyncFailedError
from calsync.moment import Moment
from calsync.outcome import Outcome
from calsync.sync import Report, Station, must_have_target, stations, visit, words
from calsync.targets import TARGETS
from calsync.targets.base import Target

_NO_JOURNAL = (
    "the journal cannot be read; where the server drops calsync's marks, and the state is lost too, events may remain"
)


def remove(
    config: Config,
    moment: Moment,
    environ: Mapping[str, str],
    *,
    dry_run: bool = False,
    targets: Mapping[str, Callable[..., Target]] = TARGETS,
) -> Report:
    """Delete every event of ours, its history too; in a dry run write nothing anywhere and say what would go.

    The journal only helps to know events that lost their mark: without it the rest is removed all the same. What is
    left for any reason is an error of the report. Raises ConfigError, BusyError as `sync.run_once`.
    """
    must_have_target(config)
    known = publicholidays.kept(environ, writes=not dry_run)
    book = Book(config, moment.today, known, forgiving=_NO_JOURNAL)
    found = book.outlook
    report = Report(
        look=lambda: book.outlook, words=words(config), zone=config.timezone, dry_run=dry_run, warnings=found.warnings
    )
    windows = {window.id: window for window in found.windows}
    with state.opened(paths.state_folder(environ), writes=not dry_run) as cache:

        def work(target: Target, station: Station) -> Outcome:
            return reconcile.remove(target, windows, cache, station.terms, dry_run=dry_run)

        for station in stations(
            config, moment, lambda: book, environ, cache, targets, writes=not dry_run, create=False, force=True
        ):
            if not station.terms.owned or (config.feed is not None and config.feed.path.exists()):
                visit(report, station, work)
    report.errors.extend(_left(outcome) for outcome in report.outcomes if outcome.kept)
    return report


def _left(outcome: Outcome) -> SyncFailedError:
    count = len(outcome.kept)
    events = "1 event of ours is" if count == 1 else f"{count} events of ours are"
    return SyncFailedError(f"{events} still in {outcome.where}, as they stood in doubt; run calsync remove again")


def question(report: Report) -> str:
    """What is asked before it is done, from the report of a dry run."""
    counts = [(len(outcome.changes), outcome.where) for outcome in report.outcomes if outcome.changes]
    parts = [f"{count} {'event' if count == 1 else 'events'} from {where}" for count, where in counts]
    return f"Remove {' and '.join(parts)}? [y/N] "
