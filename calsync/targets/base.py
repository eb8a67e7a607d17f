"""What every target can do: the seam between the plan and the places that hold reminders.

Idea: vdirsyncer's `storage/base.py`, which defines the words once, beside the interface.

- **Target**: a place that holds items: a CalDAV calendar, a feed file, a dict in a test.
- **Item**: one iCalendar object with one reminder, or anything else that stands there; known by its **href**.
- **ETag**: an opaque word that changes when the item does. Compared, never read.
- **Token**: an opaque word that changes when anything in the place does (RFC 6578; a ctag).

A target moves bytes and reports facts. It decides nothing: what is ours, and what is to be done, is said by
`plan.py`. Every write is conditional, so that nothing is overwritten that the plan has not seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from msgspec import Struct

from calsync.errors import CalsyncError
from calsync.model import Resource


class ItemError(CalsyncError):
    """One item could not be written or read; the text says why, in words. Others may still work."""


class ConflictError(ItemError):
    """The condition failed: the item was changed since it was read, or something stands there already (412)."""


class MissingError(ItemError):
    """There is no such item (404, 410)."""


class Listing(Struct, frozen=True):
    """What stands in a target: href -> ETag (None where the server gives none).

    `whole` is False where the answer was truncated, garbled or incomplete: then an item that is not in it may
    be there all the same, and nothing may be concluded from its absence. `is_new`: the place was missing; it has just
    been made, or would have been.
    """

    etags: Mapping[str, str | None]
    whole: bool = True
    is_new: bool = False


class Changes(Struct, frozen=True):
    """What changed in a target since a token was taken: `etags` of new and changed items, as in a `Listing`.

    `gone` are those that the place says are no more, which counts once the item itself is asked for. `token` stands for
    now; None where the place told none that is good.
    """

    etags: Mapping[str, str | None]
    gone: frozenset[str]
    token: str | None


class Target(Protocol):
    """A place that holds items. Methods raise `errors.ServerError` where the place as a whole cannot be used."""

    @property
    def name(self) -> str:
        """The key in `TARGETS` and the word in reports: "caldav", "feed"."""

    @property
    def where(self) -> str:
        """The URL or path in use, for people to read; no secrets in it."""

    @property
    def requests(self) -> int:
        """How many requests were made so far."""

    def listing(self) -> Listing:
        """Tell what stands there, without the items' texts."""

    @property
    def connections(self) -> int:
        """How many writes it may be given at a time, by as many threads. All else is asked by one thread."""

    def token(self) -> str | None:
        """A word for what stands there now, to ask for `changes` with later; None where there is none to be had."""

    def changes(self, token: str) -> Changes | None:
        """Tell what changed since `token` was taken; None where that cannot be told, or is in doubt: list all then."""

    def fetch(self, hrefs: Iterable[str]) -> Mapping[str, Resource]:
        """Read items. One that is gone, or whose text could not be had, is left out."""

    def gone(self, href: str) -> bool:
        """Ask for one item: True only if the place says that there is none (404, 410), False if in doubt."""

    def create(self, href: str, body: str) -> Resource:
        """Write a new item at `href` (a bare name, "<uid>.ics"), only if nothing stands there.

        Returns what is known of it now: the href that the server tells, and its ETag if it told one.
        Raises ConflictError if something stands there or has its UID; ItemError for other refusals.
        """

    def update(self, item: Resource, body: str) -> Resource:
        """Write `body` over the item that was read as `item`, only if it is still the same.

        Raises ConflictError if it has changed, MissingError if it is gone, ItemError for other refusals.
        """

    def delete(self, item: Resource) -> None:
        """Remove the item that was read as `item`, only if it is still the same. Errors as `update`."""

    def commit(self) -> None:
        """Make all writes last. A target that writes at once has nothing left to do."""

    def close(self) -> None:
        """Let go of connections and files. A target is not used after that."""
