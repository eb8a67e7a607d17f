"""An honest target in memory: a dict with ETags, which keeps every condition as a good CalDAV server does.

For tests and simulations. Idea: vdirsyncer's `storage/memory.py`. Public face: `MemoryTarget`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from calsync.model import Resource
from calsync.targets.base import Changes, ConflictError, Listing, MissingError


class MemoryTarget:
    """Items in a dict, href -> (ETag, text). ETags are never used twice, as on a good server.

    `items` and `put` look at it, and act on it, from outside: they are the user with another app, not calsync.
    """

    name = "memory"
    where = "memory"
    connections = 1

    def __init__(self, items: Mapping[str, str] | None = None) -> None:
        self.requests = 0
        self._items: dict[str, tuple[str, str]] = {}
        self._writes = 0
        self._history: list[str] = []
        for href, body in (items or {}).items():
            self.put(href, body)

    @property
    def items(self) -> Mapping[str, str]:
        """All that stands here: href -> text."""
        return {href: body for href, (_, body) in self._items.items()}

    def put(self, href: str, body: str) -> str:
        """Write without a condition, as another program would; returns the new ETag."""
        if href not in self._items or self._items[href][1] != body:
            self._writes += 1
            self._items[href] = (f'"{self._writes}"', body)
            self._history.append(href)
        return self._items[href][0]

    def remove(self, href: str) -> None:
        """Delete without a condition, as another program would."""
        if self._items.pop(href, None) is not None:
            self._history.append(href)

    def listing(self) -> Listing:
        """See `base.Target.listing`."""
        self.requests += 1
        return Listing({href: etag for href, (etag, _) in self._items.items()})

    def token(self) -> str | None:
        """See `base.Target.token`."""
        self.requests += 1
        return str(len(self._history))

    def changes(self, token: str) -> Changes | None:
        """See `base.Target.changes`."""
        self.requests += 1
        if not token.isdigit() or int(token) > len(self._history):
            return None
        touched = set(self._history[int(token) :])
        standing = {href: self._items[href][0] for href in touched if href in self._items}
        return Changes(standing, frozenset(touched - standing.keys()), str(len(self._history)))

    def fetch(self, hrefs: Iterable[str]) -> Mapping[str, Resource]:
        """See `base.Target.fetch`."""
        self.requests += 1
        found = ((href, self._items[href]) for href in hrefs if href in self._items)
        return {href: Resource(href, etag, body) for href, (etag, body) in found}

    def gone(self, href: str) -> bool:
        """See `base.Target.gone`."""
        self.requests += 1
        return href not in self._items

    def create(self, href: str, body: str) -> Resource:
        """See `base.Target.create`."""
        self.requests += 1
        if href in self._items:
            raise ConflictError(f"Something stands at {href} already.")
        return Resource(href, self.put(href, body), body)

    def update(self, item: Resource, body: str) -> Resource:
        """See `base.Target.update`."""
        self._check(item)
        return Resource(item.href, self.put(item.href, body), body)

    def delete(self, item: Resource) -> None:
        """See `base.Target.delete`."""
        self._check(item)
        self.remove(item.href)

    def commit(self) -> None:
        """See `base.Target.commit`: nothing is left to do."""

    def close(self) -> None:
        """See `base.Target.close`: nothing is held."""

    def _check(self, item: Resource) -> None:
        """Raise unless `item` still stands as it was read."""
        self.requests += 1
        if item.href not in self._items:
            raise MissingError(f"There is no {item.href} any more.")
        etag, body = self._items[item.href]
        if etag != item.etag if item.etag is not None else body != item.body:
            raise ConflictError(f"{item.href} was changed since it was read.")
