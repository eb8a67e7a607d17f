"""Which reminders stand as they were drawn, so that they need not be drawn again. Pure.

A reminder follows from its window, the moment of its writing, and what is the same for all (`reminders.py`). Where a
run finds an event just as it draws it, a digest of all that and of the event is kept.
Why so: `docs/decisions/0017-drawings.md`. Public face: `Drawings`.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b

from msgspec import msgpack
from msgspec.structs import asdict

from calsync.model import Application, Applied, Ended, Interview, Item, Window

_encoder = msgpack.Encoder(order="deterministic")


class Drawings:
    """The digests of a run. `common` is all that its reminders follow from besides windows and moments.

    `text` is what the run before kept; what this run is to keep is told by `kept`.
    """

    def __init__(self, common: str, text: str) -> None:
        self._common = blake2b(common.encode(), digest_size=16)
        self._before = frozenset(text.split())
        self._now: set[str] = set()

    @property
    def kept(self) -> str:
        """The digests of all reminders that this run knows to stand as they are drawn."""
        return " ".join(sorted(self._now))

    def stands(self, window: Window, item: Item) -> bool:
        """Whether the run before drew the reminder of `window` from the same, and it was that of `item`."""
        digest = self._digest(window, item)
        is_known = digest in self._before
        if is_known:
            self._now.add(digest)
        return is_known

    def note(self, window: Window, item: Item) -> None:
        """The reminder of `window`, drawn as of when `item` was written, is that of `item`."""
        self._now.add(self._digest(window, item))

    def _digest(self, window: Window, item: Item) -> str:
        digest = self._common.copy()
        digest.update(_encoder.encode((_source(window), item.written or item.stamp.moment, item.reminder)))
        return digest.hexdigest()


def _source(window: Window) -> Mapping[str, object]:
    """All of a window that a reminder may follow from: not where it stands in the files, for one."""
    return {
        **asdict(window),
        "applications": [_of_application(application) for application in window.applications],
        "interview": window.interview is not None and (window.interview.location or ""),
    }


def _of_application(application: Application) -> Mapping[str, object]:
    events = [(type(each).__name__, each.day) for each in application.events if isinstance(each, _TOLD)]
    return {**asdict(application), "events": events, "place": None}


_TOLD = (Applied, Interview, Ended)
"""The events whose days the texts may tell (`wording.py`); what else happened is in the window."""
