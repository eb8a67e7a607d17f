"""What the daemon keeps running besides the syncs: servers, each for as long as the config asks for it.

All share one listener, so they may have one address. A new one is a `Service` in `SERVICES`. Public face: `Service`,
`SERVICES`, `Services`.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from calsync import opening
from calsync.caldavsettings import EMBEDDED
from calsync.config import Config
from calsync.errors import CalsyncError

if TYPE_CHECKING:
    from calsync.server.listening import Listener

_log = logging.getLogger(__name__)


class Service(Struct, frozen=True):
    """Something that runs in threads of its own.

    `wanted` gives what it goes by, a part of the config and how the files look that it reads at its start; None where
    it is not to run. Where that changes, it is stopped and started. `running` runs it on a listener while the block
    runs, and raises CalsyncError where it cannot.
    """

    name: str
    wanted: Callable[[Config], object | None]
    running: Callable[[Config, Mapping[str, str], Listener], AbstractContextManager[object]]


def _embedded(config: Config) -> object | None:
    settings = config.caldav
    if settings is None or settings.url != EMBEDDED:
        return None
    return settings, *_looks(settings.tls_certificate, settings.tls_key)


def _calendar_server(config: Config, environ: Mapping[str, str], listener: Listener) -> AbstractContextManager[object]:
    assert config.caldav is not None, "it is wanted"
    return opening.server(config.caldav, environ, listener)


def _served_feed(config: Config) -> object | None:
    settings = config.feed
    if settings is None or settings.listen is None:
        return None
    return settings, *_looks(settings.tls_certificate, settings.tls_key)


def _feed_server(config: Config, environ: Mapping[str, str], listener: Listener) -> AbstractContextManager[object]:
    assert config.feed is not None, "it is wanted"
    return opening.feed(config.feed, environ, listener)


def _looks(*files: Path | None) -> Iterator[tuple[int, int, int] | None]:
    """What tells a file from the one that was there before: another value, another file. None for what is not there."""
    for file in files:
        try:
            at = file.stat() if file else None
        except OSError:
            at = None
        yield at and (at.st_ino, at.st_size, at.st_mtime_ns)


SERVICES: Sequence[Service] = (
    Service("calendar server", _embedded, _calendar_server),
    Service("feed server", _served_feed, _feed_server),
)


class Services:
    """The services that run now. `errors` has what is wrong with the others, by name."""

    def __init__(self, environ: Mapping[str, str], known: Sequence[Service] = SERVICES) -> None:
        self._environ = environ
        self._known = known
        self._running: dict[str, tuple[object, contextlib.ExitStack]] = {}
        self._listener: Listener | None = None
        self.errors: dict[str, str] = {}

    @property
    def names(self) -> list[str]:
        """Those of all services that there are."""
        return [service.name for service in self._known]

    def follow(self, config: Config) -> None:
        """Stop what is not wanted so any more, start what is and does not run. What cannot start is tried again."""
        wanted = {service.name: service.wanted(config) for service in self._known}
        for name in [name for name, (before, _) in self._running.items() if before != wanted[name]]:
            self._stop(name)  # all of them first: they may share an address, and a certificate
        for service in self._known:
            self.errors.pop(service.name, None)
            if wanted[service.name] is not None and service.name not in self._running:
                self._start(service, wanted[service.name], config)
        if not self._running:
            self._stop_listening()

    def _start(self, service: Service, wanted: object, config: Config) -> None:
        stack = contextlib.ExitStack()
        try:
            stack.enter_context(service.running(config, self._environ, self._listening()))
        except CalsyncError as error:
            self.errors[service.name] = str(error)
        else:
            self._running[service.name] = (wanted, stack)
            _log.info("The %s runs.", service.name)

    def _stop(self, name: str) -> None:
        _, stack = self._running.pop(name)
        stack.close()
        _log.info("The %s was stopped.", name)

    def close(self) -> None:
        """Stop all."""
        for name in reversed(list(self._running)):
            self._stop(name)
        self._stop_listening()

    def _listening(self) -> Listener:
        """The listener that all share, made for the first of them."""
        if self._listener is None:
            from calsync.server.listening import Listener

            self._listener = Listener()
            self._listener.start()
        return self._listener

    def _stop_listening(self) -> None:
        if self._listener is not None:
            self._listener.stop()
            self._listener = None
