"""Open the calendar that a config names: with its password, and where it was found last time.

Where `caldav.url` is `embedded`, calsync's own server is found running, or runs for as long as the calendar is open; a
dry run works on a throw-away copy of it. Public face: `calendar`; `find_again` and `take_note`, where it was found;
`named`; `server` and `feed`, for a daemon; `login` and `links`, for apps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from msgspec import Struct

from calsync import paths, remote
from calsync.caldavsettings import EMBEDDED, CaldavSettings
from calsync.config import Config
from calsync.credentials import Secret
from calsync.errors import CalsyncError, ConfigError, Problem
from calsync.state import State
from calsync.targets.base import Target

if TYPE_CHECKING:
    from calsync.feedsettings import FeedSettings
    from calsync.server.embedded import EmbeddedServer
    from calsync.server.feed import Link
    from calsync.server.listening import Listen, Listener


@contextmanager
def calendar(
    opened: Callable[..., Target],
    settings: CaldavSettings,
    environ: Mapping[str, str],
    *,
    found: str | None = None,
    writes: bool,
    create: bool,
) -> Iterator[Target]:
    """The calendar of `settings`, as the target that `opened` makes; closed at the end.

    `found` is what `find_again` gave. With `writes=False` nothing on the disk is touched, and `create` says whether a
    missing calendar is made. Raises LoginError, ServerError, and CalsyncError where the embedded server cannot run.
    """
    if settings.url != EMBEDDED:
        with closing(remote.opened(opened, settings, found, create=create)) as target:
            yield target
        return
    with _at_hand(settings, environ, writes=writes) as running:
        known = urljoin(running.url, found.removeprefix(EMBEDDED)) if found else None
        login = {"username": running.username, "password": running.password, "auth": "basic"}
        where = {"url": running.url, "calendar": settings.calendar, "known": known, "create": create}
        with closing(opened(**login, **where, timeout=settings.timeout, connections=settings.connections)) as target:
            yield target


def find_again(settings: CaldavSettings, state: State) -> str | None:
    """Where the calendar was found in an earlier run."""
    return state.note(_note(settings))


def take_note(settings: CaldavSettings, state: State, where: str) -> None:
    """Note where the calendar was found; `where` as `named` gives it."""
    if state.note(_note(settings)) != where:
        state.take_note(_note(settings), where)


def _note(settings: CaldavSettings) -> str:
    return f"calendar {settings.url} {settings.username} {settings.calendar}"


def named(settings: CaldavSettings, where: str) -> str:
    """What reports and the state call the place at `where`: an embedded server has another port in each run."""
    return f"{EMBEDDED}{urlsplit(where).path}" if settings.url == EMBEDDED else where


def server_folder(environ: Mapping[str, str]) -> Path:
    """The folder of the embedded server: calendars and password. No cache: what is lost here is lost."""
    return paths.state_folder(environ) / "server"


def server(
    settings: CaldavSettings, environ: Mapping[str, str], listener: Listener | None = None
) -> AbstractContextManager[EmbeddedServer]:
    """The embedded server of `settings`, running while the block runs: all that a daemon needs to call.

    It is on `listener`, if there is one, with all else that is served there. Raises as `server.embedded.serve`.
    """
    from calsync.server import embedded

    return embedded.serve(server_folder(environ), _listen(settings), listener)


def feed_folder(environ: Mapping[str, str]) -> Path:
    """The folder of the words in the feed's addresses. No cache: where they are lost, phones must subscribe again."""
    return paths.state_folder(environ) / "feed"


def feed(
    settings: FeedSettings, environ: Mapping[str, str], listener: Listener | None = None
) -> AbstractContextManager[str]:
    """The feed of `settings`, served while the block runs: all that a daemon needs to call.

    Raises as `server.feed.serve`.
    """
    from calsync.server import feed as served

    return served.serve(settings, feed_folder(environ), listener)


def links(config: Config, environ: Mapping[str, str], subscriber: str | None, *, renew: bool) -> list[Link]:
    """The addresses of the feed: those of all subscribers, or that of one, who may be a new one.

    With `renew` that subscriber gets another (the default one, where none is named) and the old one is revoked. Raises
    ConfigError where the config does not serve the feed, CalsyncError where the addresses cannot be kept.
    """
    from calsync.server import feed as served
    from calsync.server import subscribers

    if config.feed is None or config.feed.listen is None:
        text = "this config serves no feed: write 'feed: {path: follow-ups.ics, listen: \"127.0.0.1:8422\"}'"
        raise ConfigError([Problem(str(config.path), 0, 0, text)])
    folder = feed_folder(environ)
    name = subscriber or subscribers.DEFAULT
    if subscriber or renew:
        subscribers.new_word(folder, name, renew=renew)
    found = served.links(config.feed, folder)
    return [link for link in found if link.name == name] if subscriber or renew else found


class Login(Struct, frozen=True):
    """What an app needs to reach the embedded server; `url` is None where it has no address of its own."""

    url: str | None
    username: str
    password: Secret


def login(config: Config, environ: Mapping[str, str], *, new: bool) -> Login:
    """The login of the embedded server, with a password that is made where there is none, or if a `new` one is wanted.

    Raises ConfigError where the config names no such server, CalsyncError where the password cannot be kept.
    """
    if config.caldav is None or config.caldav.url != EMBEDDED:
        text = "this config has no server of calsync's own ('url: embedded' under 'caldav'), so there is no password"
        raise ConfigError([Problem(str(config.path), 0, 0, text)])
    from calsync.server import login as kept

    folder = server_folder(environ)
    try:
        password = kept.renew(folder) if new else kept.password(folder)
    except OSError as error:
        raise CalsyncError(f"The password cannot be kept in {folder}: {error.strerror}.") from None
    listen = _listen(config.caldav)
    return Login(listen.url if listen else None, kept.USERNAME, password)


def _at_hand(
    settings: CaldavSettings, environ: Mapping[str, str], *, writes: bool
) -> AbstractContextManager[EmbeddedServer]:
    from calsync.server import embedded

    folder = server_folder(environ)
    return embedded.at_hand(folder, _listen(settings)) if writes else embedded.for_reading(folder)


def _listen(settings: CaldavSettings) -> Listen | None:
    if settings.listen is None:
        return None
    from calsync.server.listening import Listen

    return Listen.of(settings.listen, settings.tls_certificate, settings.tls_key)
