"""`calsync demo`: the whole thing on example data, in a throw-away folder, with a real CalDAV server on loopback.

The example's dates are moved by whole weeks, so that the day its `# anchor:` names falls into this week and there is
always something to see. What is shown at the end is read back from the server, not from what was sent.
"""

from __future__ import annotations

import re
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from zoneinfo import ZoneInfo

from calsync import config, ical, publicholidays, report, sync
from calsync.config import Config
from calsync.credentials import Secret
from calsync.errors import UsageError
from calsync.fields import FIRST_YEAR, LAST_YEAR
from calsync.model import Reminder
from calsync.moment import Moment
from calsync.server import embedded
from calsync.targets import TARGETS
from calsync.workdays import DAY
from calsync.workdays import say as say_day

_ANCHOR = re.compile(r"^# anchor: (\d{4}-\d{2}-\d{2})", re.MULTILINE)
_DATE = re.compile(r"\b\d{4}-\d{2}-\d{2}(?!\d)")
_CALENDAR = "Job search"
_CONFIG = """\
name: demo
country: US
applications: applications.yaml
caldav:
  url: {url}
  username: {username}
  password_file: password
  calendar: {calendar}
feed:
  path: follow-ups.ics
"""

Say = Callable[[str], None]


def run(today: date, *, once: bool, say: Say) -> int:
    """Sync the example into a calendar of its own and show it; then stay until Ctrl-C, unless `once`.

    `say` prints a line. Returns the exit code of the sync. Raises UsageError where the example's dates would leave the
    years that a journal may have.
    """
    if not FIRST_YEAR < today.year < LAST_YEAR:
        raise UsageError(f"the demo needs a day from {FIRST_YEAR + 1} to {LAST_YEAR - 1}")
    with _ended_by_signals(), tempfile.TemporaryDirectory(prefix="calsync-demo-") as name:
        folder = Path(name)
        with embedded.serve(folder / "server") as server:
            settings = _prepare(folder, today, server)
            environ = _environ(folder)
            moment = Moment.of(datetime.now(UTC), today, settings.timezone)
            done = sync.run_once(settings, moment, environ)
            say("What calsync did:")
            for line in (*report.run_text(done), *done.errors):
                say(f"  {line}")
            say("")
            say(f"The calendar '{_CALENDAR}', read back from the server (today is {say_day(today)}):")
            for line in _agenda(settings, server.password, settings.timezone):
                say(f"  {line}")
            say("")
            if once or done.exit_code:
                say("All of it is removed again. Without --once the server stays up, to be seen in a calendar app.")
            else:
                for line in _how_to_look(settings, server):
                    say(line)
                _wait(say)
            return done.exit_code


def shifted(example: str, today: date) -> str:
    """The example with all its dates moved by whole weeks, so that its anchor lies in the week of `today`."""
    found = _ANCHOR.search(example)
    assert found is not None
    anchor = date.fromisoformat(found[1])
    weeks = (today - timedelta(days=today.weekday()) - (anchor - timedelta(days=anchor.weekday()))) // timedelta(
        weeks=1
    )
    move = timedelta(weeks=weeks)
    return _DATE.sub(lambda match: (date.fromisoformat(match[0]) + move).isoformat(), example)


def _prepare(folder: Path, today: date, server: embedded.EmbeddedServer) -> Config:
    example = (files("calsync") / "applications.example.yaml").read_text(encoding="utf-8")
    (folder / "applications.yaml").write_text(shifted(example, today), encoding="utf-8")
    password = folder / "password"
    password.touch(mode=0o600)
    password.write_text(server.password.reveal(), encoding="utf-8")
    path = folder / "config.yaml"
    path.write_text(_CONFIG.format(url=server.url, username=server.username, calendar=_CALENDAR), encoding="utf-8")
    return config.load(path, {}, folder, publicholidays.kept(_environ(folder), writes=True).check_place)


def _environ(folder: Path) -> dict[str, str]:
    return {"STATE_DIRECTORY": str(folder / "state"), "CACHE_DIRECTORY": str(folder / "cache")}


def _agenda(settings: Config, password: Secret, zone: ZoneInfo) -> Iterator[str]:
    """The events that stand on the server, by day, as a calendar shows them."""
    caldav = settings.caldav
    assert caldav is not None
    target = TARGETS["caldav"](
        url=caldav.url, username=caldav.username, password=password, calendar=caldav.calendar, create=False
    )
    try:
        bodies = [item.body for item in target.fetch(target.listing().etags).values()]
    finally:
        target.close()
    items = filter(None, map(ical.parse, bodies))
    rows = sorted((_first_day(item.reminder, zone), item.reminder.summary, item.reminder) for item in items)
    shown: date | None = None
    for day, summary, reminder in rows:
        if day != shown:
            yield say_day(day)
            shown = day
        yield f"    {_when(reminder, zone):<22}{summary}{'  (tentative)' if reminder.status == 'TENTATIVE' else ''}"


def _first_day(reminder: Reminder, zone: ZoneInfo) -> date:
    return reminder.start.astimezone(zone).date() if isinstance(reminder.start, datetime) else reminder.start


def _when(reminder: Reminder, zone: ZoneInfo) -> str:
    if isinstance(reminder.start, datetime) and isinstance(reminder.end, datetime):
        return f"{reminder.start.astimezone(zone):%H:%M} to {reminder.end.astimezone(zone):%H:%M}"
    last = reminder.end - DAY
    return "all day" if last == reminder.start else f"until {say_day(last)}"


def _how_to_look(settings: Config, server: embedded.EmbeddedServer) -> Iterator[str]:
    assert settings.feed is not None
    yield "To see it in a calendar app, while this runs: add a CalDAV account with"
    yield f"    server    {server.url}"
    yield f"    user      {server.username}"
    yield f"    password  {server.password.reveal()}"
    yield "Or open the feed as a file:"
    yield f"    {settings.feed.path}"


def _wait(say: Say) -> None:
    try:
        say("")
        say("The server runs until you press Ctrl-C; then the calendar and its folder are removed.")
        while True:
            time.sleep(1)  # signal.pause() would sleep through a signal that comes just before it
    except KeyboardInterrupt:
        say("Removed.")


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP end the demo as Ctrl-C does, so that its folder goes too."""

    def end(_signal: int, _frame: object) -> None:
        raise KeyboardInterrupt

    signals = [each for each in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(each) is signal.SIG_DFL]
    for each in signals:
        signal.signal(each, end)
    try:
        yield
    finally:
        for each in signals:
            signal.signal(each, signal.SIG_DFL)
