"""The daemon's work: one thread that waits for a reason, syncs, and tells how it went.

A sync that goes wrong ends nothing. What is wrong stands under a topic, is logged when it begins, when it changes and
when it ends, and is published meanwhile. Public face: `Daemon`; `Clock`, `Alarm` and `Watch`, which it works with.
"""

from __future__ import annotations

import logging
import os
import random
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from msgspec import Struct, field
from msgspec.structs import replace

from calsync import __version__, book, paths, publicholidays, sync
from calsync.config import Config
from calsync.daemon import health
from calsync.daemon.health import Health, LastSync
from calsync.daemon.inbox import Inbox
from calsync.daemon.notify import Notifier
from calsync.daemon.paced import paced
from calsync.daemon.scheduling import ClockWatch, Next, Reason, backoff, next_run
from calsync.daemon.services import Services
from calsync.errors import BusyError, CalsyncError, ConfigError, InputError, LoginError, PasswordError, UnreachableError
from calsync.moment import Moment
from calsync.sync import Report
from calsync.targets import TARGETS
from calsync.targets.base import Target

TICK = 60.0
"""How many seconds the daemon waits at most before it looks at the clocks, and gives a sign of life."""
BUSY_RETRY = timedelta(seconds=15)
"""When to try again after another calsync was at work on the same state."""
_SIGN_SECONDS = 1.0
"""Signs of life are given no more often than this."""
_TRIES = 5
"""Between two signs of life a request may be tried three times, and waited for as long as twice more (`davretry`)."""
_RELOADS = frozenset({Reason.CONFIG, Reason.RELOAD})
_STATUS_FILE = "status file"

_log = logging.getLogger(__name__)


class Clock(Protocol):
    """The clocks, so that tests can turn them."""

    def now(self) -> datetime:
        """The wall clock, in UTC."""

    def monotonic(self) -> float:
        """Seconds that nobody sets, and that stand still while the machine sleeps."""


class Alarm(Protocol):
    """See `timer.Timer`."""

    def set(self, moment: datetime, call: Callable[[], None]) -> None:
        """Call `call` at `moment`; what was set before is off."""


class Watch(Protocol):
    """See `watching.Watcher`."""

    def follow(self, files: Mapping[Path, Reason]) -> None:
        """Watch these files and no others."""


class EndedError(BaseException):
    """The daemon is to end: what was not begun is not begun. No `except Exception` on its way holds it up."""


class _Standing(Struct):
    """What is wrong now, by topic, and since when the server is away, after how many tries in a row.

    `refused` is why the login is not tried again before the config or the password changes.
    """

    errors: dict[str, str] = field(default_factory=dict)
    tries: int = 0
    since: datetime | None = None
    refused: str | None = None

    def tell(self, topic: str, error: str | None, *, level: int = logging.ERROR) -> None:
        """Note what is wrong with `topic`, None if nothing is; logged where it is another thing than before."""
        if error == self.errors.get(topic):
            return
        if error is None:
            del self.errors[topic]
            _log.info("The %s is fine again.", topic)
        else:
            self.errors[topic] = error
            _log.log(level, "%s: %s", topic, error)


class Daemon:
    """All that the work needs. `load` reads the config anew, and raises ConfigError; `hold` keeps the lock."""

    def __init__(  # noqa: PLR0913  # what it works with, each by name
        self,
        load: Callable[[], Config],
        environ: Mapping[str, str],
        *,
        clock: Clock,
        alarm: Alarm,
        inbox: Inbox,
        watch: Watch,
        services: Services,
        notifier: Notifier,
        targets: Mapping[str, Callable[..., Target]] = TARGETS,
        hold: Callable[[], None] = lambda: None,
    ) -> None:
        self._load = load
        self._environ = environ
        self._clock = clock
        self._alarm = alarm
        self._inbox = inbox
        self._watch = watch
        self._services = services
        self._notifier = notifier
        self._hold = hold
        self._targets = paced(targets, self._pulse)
        self._beat = min(TICK, notifier.watchdog / 2) if notifier.watchdog else TICK
        self._signed = 0.0
        self._clocks = ClockWatch(clock.now(), clock.monotonic())
        self._standing = _Standing()
        self._warned: tuple[str, ...] = ()
        self._config = self._loaded()
        self._health = Health(
            pid=os.getpid(),
            started=clock.now(),
            updated=clock.now(),
            config=str(self._config.path.absolute()),
            versions=health.versions(),
        )

    # The work, from begin to end.

    def run(self) -> None:
        """Work until the inbox says that it is to end."""
        self._settle()
        self._publish()
        self._notifier.ready("started, the first sync is under way")
        _log.info("calsync %s started with %s.", __version__, self._config.path)
        reasons = frozenset({Reason.START})
        try:
            while not self._inbox.stopping:
                self.handle(reasons)
                reasons = self._wait()
        except EndedError:
            _log.info("A sync was left unfinished: the next one goes on from there.")
        self.leave()

    def leave(self) -> None:
        """Tell that the daemon ends as it was asked to; also from another thread, where this one is held up."""
        self._notifier.stopping()
        self._health = replace(self._health, stopped=self._clock.now(), updated=self._clock.now(), next_run=None)
        self._publish()
        _log.info("Stopped.")

    def _wait(self) -> frozenset[Reason]:
        """Wait for reasons to work; meanwhile look at the clocks now and then."""
        while True:
            reasons = self._inbox.wait(self._beat)
            if self._inbox.stopping:
                return reasons
            self._pulse()
            if (moved := self._clocks.moved(self._clock.now(), self._clock.monotonic())) is not None:
                _log.info("The clock went %+.0f s: the machine slept, or the clock was set.", moved)
                reasons |= {Reason.CLOCK}
            if reasons:
                return reasons

    def _pulse(self) -> None:
        """Give a sign of life. Raises EndedError if the daemon is to end."""
        if self._inbox.stopping:
            raise EndedError
        now = self._clock.monotonic()
        if not 0 <= now - self._signed < _SIGN_SECONDS:
            self._notifier.alive()
            self._signed = now

    def handle(self, reasons: frozenset[Reason]) -> None:
        """Do what the reasons ask for: read the config again, sync; then set the alarm for the next time."""
        if reasons & _RELOADS and not self._reload(asked=Reason.RELOAD in reasons) and reasons <= _RELOADS:
            self._publish()
            return
        if Reason.SECRET in reasons:
            self._standing.refused = None
        self._settle()
        retry = self._sync(min(reasons, key=list(Reason).index))
        spread = random.uniform(-1, 1)  # noqa: S311  # jitter is no secret
        config = self._config
        self._set_alarm(next_run(self._clock.now(), config.timezone, config.daemon.interval, spread, retry))
        self._publish()
        self._notifier.status(self._status())

    # The config.

    def _loaded(self) -> Config:
        config = self._load()
        sync.must_have_target(config)
        longest = max(1.0, (self._notifier.watchdog or float("inf")) / _TRIES)
        if config.caldav and config.caldav.timeout > longest:
            _log.warning("caldav.timeout is cut to %.0f s: WatchdogSec= of the unit allows no more.", longest)
            config = replace(config, caldav=replace(config.caldav, timeout=longest))
        return config

    def _reload(self, *, asked: bool) -> bool:
        """Read the config again; whether it is good. A bad one is refused, and the old one stays."""
        self._notifier.reloading()
        try:
            fresh = self._loaded()
        except ConfigError as error:
            text = f"refused, the one before stays in use\n{error}"
            if asked:  # then the answer is wanted even if it is the same
                self._standing.errors.pop("config", None)
            self._standing.tell("config", text)
            self._notifier.ready("the config is refused, the one before stays in use")
            return False
        self._standing.tell("config", None)
        if asked or fresh != self._config:
            self._standing.refused = None
            _log.info("The config was read again.")
        self._config = fresh
        self._notifier.ready("the config was read again")
        return True

    def _settle(self) -> None:
        """Have watched what the config names, and running what it asks for."""
        self._watch.follow(_watched(self._config))
        self._services.follow(self._config)
        for name in self._services.names:
            self._standing.tell(name, self._services.errors.get(name))

    # A sync.

    def _sync(self, reason: Reason) -> timedelta | None:
        """Sync once and note what came of it. Returns in what time to try again, None for the usual one."""
        begun = self._clock.monotonic()
        try:
            report = self._run()
        except BusyError as error:
            _log.info("%s", error)
            return BUSY_RETRY
        except InputError as error:
            self._standing.tell("journal", str(error))
            return None
        except CalsyncError as error:
            self._standing.tell("state", str(error))
            return None
        except Exception as error:  # noqa: BLE001  # a bug must not end what people leave running
            _log.debug("What follows is a bug of calsync.", exc_info=True)
            self._standing.tell("calsync", f"a bug: {type(error).__name__} ({error}); -v shows where")
            return self._away(None)
        for topic in ("journal", "state", "calsync"):
            self._standing.tell(topic, None)
        last = _last_sync(report, self._clock.now(), reason, self._clock.monotonic() - begun)
        opens = report.opens.isoformat() if report.opens else None
        self._health = replace(self._health, last_sync=last, next_window=opens)
        self._warn(report.warnings)
        retry = self._judge(report)
        self._log_sync(last)
        if not self._trouble():
            self._health = replace(self._health, last_good=last.at)
        return retry

    def _run(self) -> Report:
        """One run; while the login is refused, on what needs none."""
        config = replace(self._config, caldav=None) if self._standing.refused else self._config
        moment = Moment.of(self._clock.now(), None, config.timezone)
        if config.caldav is None and config.feed is None:
            known = publicholidays.kept(self._environ, writes=True)
            found = book.look(config, moment.today, known)
            report = Report(look=lambda: found, words=sync.words(config), zone=config.timezone, dry_run=False)
            report.look_again()
            return report
        return sync.run_once(config, moment, self._environ, targets=self._targets)

    def _judge(self, report: Report) -> timedelta | None:
        """Note what went wrong on the targets. Returns in what time to try again, None for the usual one."""
        standing = self._standing
        refused = next(
            (e for e in report.errors if isinstance(e, LoginError) and not isinstance(e, PasswordError)), None
        )
        if refused is not None:
            standing.refused = f"{refused}\nNot tried again before the config or the password changes, or a reload."
        passwords = [str(error) for error in report.errors if isinstance(error, PasswordError)]
        away = next((error for error in report.errors if isinstance(error, UnreachableError)), None)
        if standing.refused or not (away or passwords):  # else nobody has taken the login yet
            standing.tell("login", standing.refused, level=logging.CRITICAL)
        standing.tell("password", passwords[0] if passwords else None)
        others = [e for e in report.errors if not isinstance(e, LoginError | UnreachableError)]
        failed = [f"{failure.change.window}: {failure.because}" for each in report.outcomes for failure in each.failed]
        standing.tell("sync", "\n".join([*map(str, others), *failed]) or None, level=logging.WARNING)
        if away or passwords:
            return self._away(away)
        if refused or not standing.refused:  # it was asked, and answered
            self._back()
        return None

    def _away(self, error: UnreachableError | None) -> timedelta:
        """The server is away: told once, tried again ever more rarely."""
        standing = self._standing
        standing.tries += 1
        standing.since = standing.since or self._clock.now()
        if error is not None and "server" not in standing.errors:
            _log.warning("The server is away; tried again within the hour, until it is back. %s", error)
        if error is not None:
            standing.errors["server"] = str(error)
        return backoff(standing.tries, error.retry_after if error else None)

    def _back(self) -> None:
        standing = self._standing
        if standing.errors.pop("server", None) and standing.since:
            gone = timedelta(seconds=round((self._clock.now() - standing.since).total_seconds()))
            _log.info("The server is back after %s.", gone)
        standing.tries, standing.since = 0, None

    def _warn(self, warnings: tuple[str, ...]) -> None:
        """Log what was not warned of in the last sync."""
        for warning in warnings:
            if warning not in self._warned:
                _log.warning("%s", warning)
        self._warned = warnings

    def _log_sync(self, last: LastSync) -> None:
        """A line for each sync; while the server is away, only where something was done all the same."""
        idle = last.created + last.updated + last.deleted == 0
        level = logging.DEBUG if idle and self._standing.errors else logging.INFO
        figures = {name: getattr(last, name) for name in LastSync.__struct_fields__ if name != "at"}
        text = f"Synced ({last.because}) in {last.took:.2f} s: {health.counts(last)}."
        _log.log(level, "%s", text, extra={"sync": figures})

    # What is told.

    def _set_alarm(self, following: Next) -> None:
        self._alarm.set(following.moment, lambda: self._inbox.ask(following.reason))
        self._health = replace(self._health, next_run=following.moment)

    def _publish(self) -> None:
        self._health = replace(self._health, updated=self._clock.now(), errors=self._trouble())
        self._hold()
        try:
            health.publish(paths.state_folder(self._environ), self._health)
        except OSError as error:
            self._standing.tell(_STATUS_FILE, f"cannot be written: {error.strerror}")
        else:
            self._standing.tell(_STATUS_FILE, None)

    def _trouble(self) -> dict[str, str]:
        """What is wrong, but for the status file: where that can be read, it could be written."""
        return {topic: error for topic, error in self._standing.errors.items() if topic != _STATUS_FILE}

    def _status(self) -> str:
        """A line for everybody on the machine: no names, no texts."""
        zone = self._config.timezone
        last = self._health.last_good
        parts = [f"last good sync {last.astimezone(zone):%Y-%m-%d %H:%M:%S}" if last else "no good sync yet"]
        parts.append(f"next window {self._health.next_window or 'none'}")
        if self._health.next_run:
            parts.append(f"next sync {self._health.next_run.astimezone(zone):%H:%M}")
        if self._standing.errors:
            parts.insert(0, f"trouble with: {', '.join(self._standing.errors)}")
        return "; ".join(parts)


def _watched(config: Config) -> dict[Path, Reason]:
    """The files that a change of is a reason to work."""
    files = dict.fromkeys((*config.applications, config.answers), Reason.JOURNAL)
    if config.caldav and config.caldav.password_file:
        files[config.caldav.password_file] = Reason.SECRET
    return {**files, config.path: Reason.CONFIG}


def _last_sync(report: Report, at: datetime, reason: Reason, took: float) -> LastSync:
    outcomes = report.outcomes
    actions = [change.action.name for each in outcomes for change, _uid in each.changes]
    return LastSync(
        at=at,
        because=reason,
        took=round(took, 3),
        requests=sum(each.requests for each in outcomes),
        created=actions.count("CREATE"),
        updated=actions.count("UPDATE"),
        deleted=actions.count("DELETE"),
        unchanged=sum(each.unchanged for each in outcomes),
        kept=sum(len(each.kept) for each in outcomes),
        failed=sum(len(each.failed) for each in outcomes) + len(report.errors),
    )
