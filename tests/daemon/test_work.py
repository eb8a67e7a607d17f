"""The daemon's work, on clocks that the test turns: what is done for which reason, and what is told of it."""

from __future__ import annotations

import logging
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from calsync import __version__, config
from calsync.daemon import health
from calsync.daemon.health import Verdict
from calsync.daemon.inbox import Inbox
from calsync.daemon.notify import Notifier
from calsync.daemon.scheduling import Reason
from calsync.daemon.services import Services
from calsync.daemon.work import Daemon
from calsync.errors import ConfigError, LoginError, PasswordError, UnreachableError
from calsync.targets.base import ItemError, Listing
from calsync.targets.feed import FeedTarget
from calsync.targets.memory import MemoryTarget
from tests.samples import JOURNAL

NOON = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)
"""Noon in Berlin, a Monday."""

CONFIG = """\
timezone: Europe/Berlin
applications: applications.yaml
etiquette: {horizon_days: 14}
caldav: {url: "https://dav.example/", username: alice, password_file: password}
"""


class Clock:
    """Both clocks; the wall clock may be set by itself."""

    def __init__(self) -> None:
        self.wall, self.seconds = NOON, 1000.0
        self.real = False
        self._begun = time.monotonic()

    def _gone(self) -> float:
        """The seconds that went by in the world, if they are to count."""
        return time.monotonic() - self._begun if self.real else 0.0

    def now(self) -> datetime:
        return self.wall + timedelta(seconds=self._gone())

    def monotonic(self) -> float:
        return self.seconds + self._gone()

    def go(self, span: timedelta) -> None:
        self.wall += span
        self.seconds += span.total_seconds()


class Alarm:
    """Remembers what it is set to."""

    def set(self, moment: datetime, call: Callable[[], None]) -> None:
        self.moment, self.call = moment, call


class Watched:
    """Remembers what is to be watched."""

    def follow(self, files: Mapping[Path, Reason]) -> None:
        self.files = dict(files)


class Home:
    """A user's folder, a calendar in memory, and the daemon that keeps both in step."""

    def __init__(self, folder: Path, **environ: str) -> None:
        self.folder = folder
        self.write("config.yaml", CONFIG)
        self.write("applications.yaml", JOURNAL)
        self.environ = {"STATE_DIRECTORY": str(folder / "state"), "CACHE_DIRECTORY": str(folder / "cache")}
        self.lock = ExitStack()
        self.target = MemoryTarget()
        self.wrong: Exception | None = None
        self.opened = 0
        self.clock, self.alarm, self.watched, self.inbox = Clock(), Alarm(), Watched(), Inbox()
        self.daemon = Daemon(
            lambda: config.load(folder / "config.yaml", {}, folder),
            self.environ,
            clock=self.clock,
            alarm=self.alarm,
            inbox=self.inbox,
            watch=self.watched,
            services=Services(self.environ),
            notifier=Notifier(environ),
            targets={"caldav": self.open, "feed": FeedTarget},
        )

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")

    def secret(self) -> None:
        path = self.folder / "password"
        path.touch(mode=0o600)
        path.write_text("zinnober")

    def open(self, **_settings: object) -> MemoryTarget:
        self.opened += 1
        if self.wrong:
            raise self.wrong
        self.target.requests = 0
        return self.target

    def sync(self, *reasons: Reason) -> None:
        self.daemon.handle(frozenset(reasons or {Reason.INTERVAL}))

    def ring(self) -> None:
        """Let time go to the alarm, and do what it asks for."""
        self.clock.go(max(self.alarm.moment - self.clock.wall, timedelta(0)))
        self.alarm.call()
        self.daemon.handle(self.inbox.wait(0))

    @property
    def health(self) -> health.Health:
        found = health.read(self.environ)
        assert found is not None
        return found

    @property
    def wait(self) -> timedelta:
        """How long it is to the alarm."""
        return self.alarm.moment - self.clock.wall


@pytest.fixture
def home(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Iterator[Home]:
    caplog.set_level(logging.INFO, logger="calsync")
    made = Home(tmp_path)
    made.secret()
    with made.lock as lock:
        lock.enter_context(health.locked(tmp_path / "state"))
        yield made


def about(caplog: pytest.LogCaptureFixture, word: str) -> list[str]:
    """The lines of the log with this word; the log is empty afterwards."""
    found = [line for line in caplog.messages if word in line]
    caplog.clear()
    return found


# ------------------------------------------------------------------------------------------- the schedule


def test_the_first_sync_fills_the_calendar_and_sets_the_alarm_about_an_interval_ahead(home: Home):
    home.sync(Reason.START)
    assert len(home.target.items) == 3
    assert timedelta(minutes=13.5) <= home.wait <= timedelta(minutes=16.5)
    assert home.health.next_run == home.alarm.moment
    assert home.health.versions["calsync"] == __version__


def test_at_midnight_the_windows_roll(home: Home):
    home.sync(Reason.START)
    before = home.target.items
    home.clock.go(timedelta(hours=11, minutes=55))
    home.sync()
    assert home.alarm.moment == datetime(2026, 11, 23, 23, 0, tzinfo=UTC)
    home.ring()
    assert home.health.last_sync.because == "midnight"
    home.clock.go(timedelta(days=6))
    home.sync(Reason.MIDNIGHT)
    assert home.target.items != before


def test_a_changed_interval_counts_from_the_next_sync(home: Home):
    home.write("config.yaml", f"{CONFIG}daemon: {{interval: 2h}}\n")
    home.sync(Reason.CONFIG)
    assert timedelta(minutes=108) <= home.wait <= timedelta(minutes=132)


def test_reasons_that_came_together_are_one_sync(home: Home):
    home.sync(Reason.INTERVAL, Reason.JOURNAL, Reason.SIGNAL, Reason.CLOCK)
    assert home.opened == 1


def test_what_the_config_names_is_watched(home: Home):
    home.sync(Reason.START)
    folder = home.folder
    assert home.watched.files == {
        folder / "applications.yaml": Reason.JOURNAL,
        folder / "answers.yaml": Reason.JOURNAL,
        folder / "password": Reason.SECRET,
        folder / "config.yaml": Reason.CONFIG,
    }


def test_what_the_config_does_not_name_is_not_watched(home: Home):
    home.write("config.yaml", CONFIG.replace("password_file: password", "password_env: WORD"))
    home.sync(Reason.CONFIG)
    assert home.folder / "password" not in home.watched.files
    assert None not in home.watched.files
    home.write("config.yaml", "applications: applications.yaml\nfeed: {path: follow-ups.ics}\n")
    home.sync(Reason.CONFIG)
    assert set(home.watched.files.values()) == {Reason.JOURNAL, Reason.CONFIG}


# ------------------------------------------------------------------------------------------ what goes wrong


def test_a_broken_journal_leaves_the_calendar_as_it_is_and_is_told_once_for_each_change(home: Home, caplog):
    home.sync(Reason.START)
    before = home.target.items
    for text in ("applications: [", "applications: [{role: x}]\n"):
        home.write("applications.yaml", text)
        home.sync(Reason.JOURNAL)
        assert len(about(caplog, "journal: ")) == 1
        home.sync(Reason.INTERVAL)
        assert about(caplog, "journal: ") == []
        assert home.target.items == before
        assert home.health.verdict(home.clock.wall) is Verdict.FAILING
        assert "applications.yaml:1" in home.health.errors["journal"]
    home.write("applications.yaml", JOURNAL.replace("Lee", "Lee Chang"))
    home.sync(Reason.JOURNAL)
    assert about(caplog, "journal is fine again")
    assert home.target.items != before
    assert home.health.verdict(home.clock.wall) is Verdict.FINE


def test_a_server_that_is_away_is_tried_ever_more_rarely_and_told_twice(home: Home, caplog):
    home.sync(Reason.START)
    home.wrong = UnreachableError("no answer from dav.example")
    about(caplog, "")
    waits = []
    for _ in range(9):
        home.ring()
        waits.append(home.wait.total_seconds())
    assert waits == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
    [line] = about(caplog, "")
    assert "server is away" in line
    assert home.health.errors == {"server": "no answer from dav.example"}
    assert home.health.verdict(home.clock.wall) is Verdict.FAILING
    home.wrong = None
    home.ring()
    back, synced = about(caplog, "")
    assert "The server is back after 3:03:30" in back
    assert "Synced (retry)" in synced
    assert home.health.errors == {}
    assert home.wait > timedelta(minutes=13)


def test_a_server_that_asks_for_time_gets_it(home: Home):
    home.wrong = UnreachableError("come back later", retry_after=900)
    home.sync(Reason.START)
    assert home.wait == timedelta(minutes=15)


def test_a_journal_edit_tries_a_server_that_is_away_at_once(home: Home):
    home.wrong = UnreachableError("no answer")
    home.sync(Reason.START)
    home.sync(Reason.JOURNAL)
    assert home.opened == 2


def test_a_refused_login_is_loud_and_not_tried_again(home: Home, caplog):
    """Accounts get locked by programs that try and try."""
    home.wrong = LoginError("the server refuses the login")
    home.sync(Reason.START)
    loud = [record for record in caplog.records if record.levelno == logging.CRITICAL]
    assert len(loud) == 1
    assert "Not tried again before" in loud[0].message
    for reason in (Reason.INTERVAL, Reason.MIDNIGHT, Reason.JOURNAL, Reason.SIGNAL, Reason.CLOCK):
        home.sync(reason)
    assert home.opened == 1
    assert home.health.verdict(home.clock.wall) is Verdict.FAILING
    assert "refuses the login" in home.health.errors["login"]


@pytest.mark.parametrize("reason", [Reason.RELOAD, Reason.SECRET])
def test_a_refused_login_is_tried_once_more_when_the_user_did_something_about_it(home: Home, reason):
    home.wrong = LoginError("the server refuses the login")
    home.sync(Reason.START)
    home.sync(reason)
    home.sync()
    assert home.opened == 2
    home.wrong = None
    home.sync(reason)
    assert home.health.errors == {}
    assert len(home.target.items) == 3


@pytest.mark.parametrize("wrong", [UnreachableError("no answer"), PasswordError("the keyring is locked")])
def test_a_refused_login_is_not_said_to_be_fine_before_the_server_took_it(home: Home, caplog, wrong):
    home.wrong = LoginError("the server refuses the login")
    home.sync(Reason.START)
    home.wrong = wrong
    home.sync(Reason.RELOAD)
    assert "login" in home.health.errors
    assert about(caplog, "login is fine again") == []
    home.wrong = None
    home.sync(Reason.RETRY)
    assert home.health.errors == {}
    assert about(caplog, "login is fine again")


def test_a_refused_login_is_tried_again_when_the_config_says_something_else(home: Home):
    home.wrong = LoginError("the server refuses the login")
    home.sync(Reason.START)
    home.sync(Reason.CONFIG)  # touched, and the same
    assert home.opened == 1
    home.write("config.yaml", CONFIG.replace("alice", "bob"))
    home.sync(Reason.CONFIG)
    assert home.opened == 2


def test_while_the_login_is_refused_the_feed_is_kept_up(home: Home):
    home.write("config.yaml", f"{CONFIG}feed: {{path: follow-ups.ics}}\n")
    home.wrong = LoginError("the server refuses the login")
    home.sync(Reason.CONFIG)
    home.write("applications.yaml", JOURNAL.replace("Lee", "Lee Chang"))
    home.sync(Reason.JOURNAL)
    assert home.opened == 1
    assert "Lee Chang" in (home.folder / "follow-ups.ics").read_text()


def test_while_the_login_is_refused_the_journal_is_looked_at_all_the_same(home: Home):
    home.wrong = LoginError("the server refuses the login")
    home.sync(Reason.START)
    assert home.health.next_window == "2026-11-23"
    home.write("applications.yaml", "applications: []\n")
    home.sync(Reason.JOURNAL)
    assert home.health.next_window is None
    home.write("applications.yaml", JOURNAL.replace("company: Bolt", "firm: Bolt"))
    home.sync(Reason.JOURNAL)
    assert "firm" in home.health.errors["journal"]


def test_while_the_server_is_away_a_sync_that_did_something_is_a_line_and_one_that_did_not_is_none(home: Home, caplog):
    home.write("config.yaml", f"{CONFIG}feed: {{path: follow-ups.ics}}\n")
    home.wrong = UnreachableError("no answer")
    home.sync(Reason.CONFIG)
    about(caplog, "")
    home.sync(Reason.RETRY)
    assert about(caplog, "Synced") == []
    home.write("applications.yaml", JOURNAL.replace("Lee", "Lee Chang"))
    home.sync(Reason.JOURNAL)
    assert len(about(caplog, "1 updated")) == 1


def test_a_server_of_our_own_that_cannot_start_is_told_until_it_can(home: Home, caplog):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        home.write("config.yaml", f'{CONFIG}feed: {{path: follow-ups.ics, listen: "{where}"}}\n')
        home.sync(Reason.CONFIG)
        assert where in home.health.errors["feed server"]
    home.write("config.yaml", CONFIG)
    home.sync(Reason.CONFIG)
    assert home.health.errors == {}
    assert about(caplog, "The feed server is fine again")


def test_a_password_that_cannot_be_had_is_tried_again_as_it_locks_nothing(home: Home, caplog):
    """A keyring that is not unlocked yet."""
    home.wrong = PasswordError("the keyring is locked")
    home.sync(Reason.START)
    assert home.wait == timedelta(seconds=30)
    home.ring()
    assert home.opened == 2
    assert len(about(caplog, "the keyring is locked")) == 1
    home.wrong = None
    home.ring()
    assert home.health.errors == {}


def test_items_that_fail_are_told_once_and_the_rest_is_synced(home: Home, caplog):
    class Picky(MemoryTarget):
        def create(self, href: str, body: str):
            if "Bolt" in body:
                raise ItemError("too large for this server")
            return super().create(href, body)

    home.target = Picky()
    home.sync(Reason.START)
    home.sync()
    assert len(about(caplog, "too large")) == 1
    assert len(home.target.items) == 2
    assert home.health.last_sync.failed == 1


def test_another_calsync_on_the_same_state_is_waited_for(home: Home):
    from calsync.state import opened

    with opened(home.folder / "state", writes=True):
        home.sync(Reason.START)
    assert home.opened == 0
    assert home.wait == timedelta(seconds=15)
    assert home.health.errors == {}


def test_a_state_that_cannot_be_used_is_told_until_it_can(home: Home, caplog):
    (home.folder / "state" / "lock").mkdir()
    home.sync(Reason.START)
    home.sync()
    assert len(about(caplog, "state: ")) == 1
    assert str(home.folder / "state") in home.health.errors["state"]
    (home.folder / "state" / "lock").rmdir()
    home.sync()
    assert home.health.errors == {}
    assert len(home.target.items) == 3


def test_a_bug_ends_nothing(home: Home, caplog):
    class Odd(MemoryTarget):
        def listing(self) -> Listing:
            raise ZeroDivisionError("division by zero")

    good, home.target = home.target, Odd()
    caplog.set_level(logging.DEBUG, logger="calsync")
    home.sync(Reason.START)
    assert home.wait == timedelta(seconds=30)
    assert [record.levelname for record in caplog.records if record.exc_info] == ["DEBUG"], "-v shows where"
    home.sync()
    [line] = about(caplog, "a bug: ")
    assert "ZeroDivisionError" in line
    home.target = good
    home.sync()
    assert home.health.errors == {}
    assert len(good.items) == 3


def test_a_warning_is_logged_when_it_is_new(home: Home, caplog):
    home.write("applications.yaml", JOURNAL.replace("2026-11-18", "2026-12-24"))
    home.sync(Reason.START)
    assert len(about(caplog, "still ahead")) == 1
    home.sync()
    assert about(caplog, "still ahead") == []
    assert home.health.errors == {}
    home.write("applications.yaml", JOURNAL)
    home.sync(Reason.JOURNAL)
    home.write("applications.yaml", JOURNAL.replace("2026-11-18", "2026-12-24"))
    home.sync(Reason.JOURNAL)
    assert len(about(caplog, "still ahead")) == 1


# -------------------------------------------------------------------------------------------- the config


def test_a_bad_config_is_refused_and_the_old_one_stays(home: Home, caplog):
    home.sync(Reason.START)
    home.write("config.yaml", "applications: 3\ncountry: Nowhere\n")
    home.sync(Reason.CONFIG)
    home.sync(Reason.CONFIG, Reason.RELOAD)
    assert home.opened == 1, "there is nothing to do"
    assert len(about(caplog, "refused")) == 2, "who asks gets an answer"
    home.sync(Reason.CONFIG, Reason.INTERVAL)
    assert home.opened == 2
    assert about(caplog, "refused") == []
    home.sync(Reason.RELOAD)
    assert len(about(caplog, "refused")) == 1
    assert "config.yaml" in home.health.errors["config"]
    home.write("applications.yaml", JOURNAL.replace("Lee", "Lee Chang"))
    home.sync(Reason.JOURNAL)
    assert any("Lee Chang" in body for body in home.target.items.values())
    home.write("config.yaml", CONFIG)
    home.sync(Reason.CONFIG)
    assert home.health.errors == {}


def test_a_config_that_syncs_to_nothing_is_refused(home: Home, tmp_path: Path):
    home.sync(Reason.START)
    home.write("config.yaml", "applications: applications.yaml\n")
    home.sync(Reason.RELOAD)
    assert "nothing to sync to" in home.health.errors["config"]


def test_a_bad_config_at_the_start_is_an_error(tmp_path: Path):
    class Bad(Home):
        def write(self, name: str, text: str) -> None:
            super().write(name, "nope: 1\n" if name == "config.yaml" else text)

    with pytest.raises(ConfigError, match="nope"):
        Bad(tmp_path)


# ------------------------------------------------------------------------------------------- catching up


def alarms(body: str) -> list[str]:
    return [line for line in body.splitlines() if line.startswith("TRIGGER")]


def test_after_a_week_asleep_one_sync_and_no_alarm_for_what_is_past(home: Home):
    home.sync(Reason.START)
    home.write("applications.yaml", JOURNAL.replace("2026-11-19", "2026-11-26").replace("2026-11-18", "2026-11-25"))
    home.clock.wall += timedelta(days=7)
    for reason in (Reason.CLOCK, Reason.INTERVAL, Reason.JOURNAL):
        home.inbox.ask(reason)
    home.daemon.handle(home.inbox.wait(0))
    assert home.opened == 2
    assert home.inbox.wait(0) == frozenset()
    for body in home.target.items.values():
        opens = datetime.fromisoformat(body.split("DTSTART;VALUE=DATE:")[1][:8])
        for line in alarms(body):
            days, hours, minutes = trigger(line)
            rings = opens + timedelta(days=days, hours=hours, minutes=minutes)
            assert rings >= datetime(2026, 11, 30, 12, 0), body


def trigger(line: str) -> tuple[int, int, int]:
    value = line.partition(":")[2]
    sign = -1 if value.startswith("-") else 1
    parts = {unit: int(number) for number, unit in re.findall(r"(\d+)([DHMS])", value)}
    return sign * parts.get("D", 0), sign * parts.get("H", 0), sign * parts.get("M", 0)


# ---------------------------------------------------------------------------------------------- the end


def test_told_to_end_it_ends_between_two_writes_and_the_next_daemon_goes_on(home: Home, tmp_path: Path):
    class Interrupted(MemoryTarget):
        def create(self, href: str, body: str):
            home.inbox.stop()
            return super().create(href, body)

    home.target = Interrupted()
    home.daemon.run()
    home.lock.close()
    assert len(home.target.items) == 1
    found = home.health
    assert found.stopped == home.clock.wall
    assert found.verdict(home.clock.wall) is Verdict.STOPPED
    after = Home(tmp_path)
    after.target.put(*next(iter(home.target.items.items())))
    after.sync(Reason.START)
    assert len(after.target.items) == 3


def test_a_jump_of_the_clock_is_noticed_between_two_ticks(tmp_path: Path):
    home = Home(tmp_path, WATCHDOG_USEC="100000")
    home.secret()
    home.clock.real = True
    thread = threading.Thread(target=home.daemon.run)
    thread.start()
    try:
        eventually(lambda: health.read(home.environ) and home.health.last_sync)
        home.clock.wall += timedelta(days=7)
        eventually(lambda: home.health.last_sync.because == "clock moved")
    finally:
        home.inbox.stop()
        thread.join(10)
    assert len(home.target.items) == 3


def eventually(ask: Callable[[], object]) -> None:
    end = time.monotonic() + 10
    while not ask():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_request_may_take_less_than_half_of_what_the_watchdog_allows(tmp_path: Path, caplog):
    home = Home(tmp_path, WATCHDOG_USEC="20000000")
    assert home.daemon._config.caldav.timeout == 4
    assert home.daemon._beat == 10
    assert Home(tmp_path, WATCHDOG_USEC="300000000").daemon._config.caldav.timeout == 30
    assert "caldav.timeout is cut to 4 s" in caplog.text


def test_a_clock_that_was_set_back_sets_the_alarm_anew(home: Home):
    home.sync(Reason.START)
    home.clock.wall -= timedelta(days=30)
    home.sync(Reason.CLOCK)
    assert home.wait <= timedelta(minutes=16.5)
    assert home.health.verdict(home.clock.wall) in (Verdict.FINE, Verdict.STALE)


# ------------------------------------------------------------------------------------------ what is told


def test_each_sync_is_one_line_with_its_counts(home: Home, caplog):
    home.sync(Reason.START)
    [record] = [record for record in caplog.records if record.message.startswith("Synced")]
    assert "3 created, 0 updated, 0 deleted, 0 unchanged, 0 kept, 0 failed" in record.message
    assert record.sync == {
        "because": "start",
        "took": record.sync["took"],
        "requests": record.sync["requests"],
        "created": 3,
        "updated": 0,
        "deleted": 0,
        "unchanged": 0,
        "kept": 0,
        "failed": 0,
    }


def test_while_the_first_sync_is_under_way_the_status_is_of_this_daemon(home: Home):
    """Not of the one before, which was stopped days ago."""
    home.sync(Reason.START)
    home.daemon.leave()
    found = []
    fresh = Home(home.folder)
    fresh.clock.go(timedelta(days=3))

    class Asked(MemoryTarget):
        def token(self) -> str | None:
            found.append(fresh.health)
            fresh.inbox.stop()
            return super().token()

    fresh.target = Asked()
    fresh.daemon.run()
    assert found[0].started == fresh.clock.wall - timedelta(days=3)
    assert found[0].updated == fresh.clock.wall
    assert found[0].stopped is None
    assert found[0].verdict(fresh.clock.wall) is Verdict.FINE


def test_a_status_that_could_not_be_written_is_no_trouble_once_it_is(home: Home, caplog):
    (home.folder / "state" / "daemon.new").mkdir()
    home.sync(Reason.START)
    assert health.read(home.environ) is None
    assert len(about(caplog, "status file: cannot be written")) == 1
    (home.folder / "state" / "daemon.new").rmdir()
    home.sync()
    assert about(caplog, "status file is fine again")
    assert home.health.errors == {}
    assert home.health.last_good == home.clock.wall


def test_a_server_that_refuses_the_login_is_not_away_any_more(home: Home):
    home.wrong = UnreachableError("no answer")
    home.sync(Reason.START)
    home.wrong = LoginError("the server refuses the login")
    home.sync(Reason.RETRY)
    assert set(home.health.errors) == {"login"}


def test_no_name_of_the_journal_and_no_password_is_in_the_log(home: Home, caplog):
    home.sync(Reason.START)
    home.sync(Reason.RELOAD)
    for word in ("Acme", "Bolt", "Dana", "Lee", "zinnober"):
        assert word not in caplog.text
