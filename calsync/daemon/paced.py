"""A target that gives a sign of life before each thing it does. Public face: `paced`.

Between two requests is where the daemon tells systemd that it works, and where it ends when it is to end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from calsync.model import Resource
from calsync.targets.base import Changes, Listing, Target


def paced(targets: Mapping[str, Callable[..., Target]], pulse: Callable[[], None]) -> dict[str, Callable[..., Target]]:
    """The same targets, with `pulse` called before each is opened and before each of its methods.

    What `pulse` raises ends the run there: nothing is half-written.
    """

    def opener(opened: Callable[..., Target]) -> Callable[..., Target]:
        def open_(**settings: object) -> Target:
            pulse()
            return _Paced(opened(**settings), pulse)

        return open_

    return {word: opener(opened) for word, opened in targets.items()}


class _Paced:
    """See `base.Target` for every method."""

    def __init__(self, target: Target, pulse: Callable[[], None]) -> None:
        self._target = target
        self._pulse = pulse

    @property
    def name(self) -> str:
        return self._target.name

    @property
    def where(self) -> str:
        return self._target.where

    @property
    def requests(self) -> int:
        return self._target.requests

    @property
    def connections(self) -> int:
        return self._target.connections

    def listing(self) -> Listing:
        self._pulse()
        return self._target.listing()

    def token(self) -> str | None:
        self._pulse()
        return self._target.token()

    def changes(self, token: str) -> Changes | None:
        self._pulse()
        return self._target.changes(token)

    def fetch(self, hrefs: Iterable[str]) -> Mapping[str, Resource]:
        self._pulse()
        return self._target.fetch(hrefs)

    def gone(self, href: str) -> bool:
        self._pulse()
        return self._target.gone(href)

    def create(self, href: str, body: str) -> Resource:
        self._pulse()
        return self._target.create(href, body)

    def update(self, item: Resource, body: str) -> Resource:
        self._pulse()
        return self._target.update(item, body)

    def delete(self, item: Resource) -> None:
        self._pulse()
        self._target.delete(item)

    def commit(self) -> None:
        self._pulse()
        self._target.commit()

    def close(self) -> None:
        self._target.close()
