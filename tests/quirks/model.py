"""What the quirk server holds: calendars, items, and the history that ETags, UIDs and sync tokens come from.

Public face: `Model`, `Stored`.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from tests.quirks.bodies import uid_of
from tests.quirks.flags import Quirk

_TOKENS = "http://quirks.example/sync/"


@dataclass(frozen=True)
class Stored:
    """An item as it stands: its strong ETag, text and UID."""

    etag: str
    body: str
    uid: str


@dataclass(frozen=True)
class Step:
    """One thing that happened to an item, and when; `number` counts all of them from 1."""

    number: int
    href: str
    gone: bool
    at: float


class Model:
    """`calendars`: path -> display name; `items`: href -> `Stored`; `deleted`: (calendar, UID) of what was removed.

    Take `lock` to look at more than one of them while requests may come.
    """

    def __init__(self, flags: frozenset[Quirk], clock: Callable[[], float]) -> None:
        self.lock = threading.RLock()
        self.calendars: dict[str, str] = {}
        self.items: dict[str, Stored] = {}
        self.deleted: set[tuple[str, str]] = set()
        self.steps: list[Step] = []
        self._flags = flags
        self._clock = clock
        self._versions: Counter[str] = Counter()
        self._issued: set[int] = set()
        self._oldest = 0

    def inside(self, calendar: str) -> dict[str, Stored]:
        """The items of one calendar, by href."""
        with self.lock:
            return {href: item for href, item in self.items.items() if parent(href) == calendar}

    def store(self, href: str, body: str) -> Stored:
        """Put an item there, whatever stood there."""
        with self.lock:
            self._step(href, gone=False)
            self._versions[href] += 1
            etag = f'"{len(self.steps)}-{uid_of(body)[:8]}"'
            if Quirk.SOGO_ETAG_RESTARTS in self._flags:
                etag = f'"gcs{self._versions[href]:08}"'
            self.items[href] = Stored(etag, body, uid_of(body))
            return self.items[href]

    def remove(self, href: str) -> None:
        """Take an item away."""
        with self.lock:
            self._step(href, gone=True)
            self.deleted.add((parent(href), self.items.pop(href).uid))
            self._versions[href] = 0

    def list_last(self, href: str) -> None:
        """From now on this item comes last in every listing."""
        with self.lock:
            self.items[href] = self.items.pop(href)

    # Sync tokens and ctags

    def token(self, number: int | None = None) -> str:
        """A sync token for now, or for the state after that step."""
        with self.lock:
            number = len(self.steps) if number is None else number
            self._issued.add(number)
            if Quirk.SOGO_SECONDS_AS_TOKENS in self._flags:
                return str(int(self.steps[number - 1].at)) if number else "0"
            return f"{_TOKENS}{number}"

    def read_token(self, text: str) -> int | None:
        """The step that a token stands for; None if it was never issued."""
        if Quirk.SOGO_SECONDS_AS_TOKENS in self._flags and text.isdigit():
            return sum(int(step.at) <= int(text) for step in self.steps)
        number = text.removeprefix(_TOKENS)
        return int(number) if number.isdigit() and int(number) in self._issued else None

    @property
    def oldest(self) -> int:
        """Tokens of earlier steps have expired."""
        return self._oldest

    def expire_tokens(self) -> None:
        """All tokens issued so far are good no more."""
        with self.lock:
            self._step("", gone=True)
            self._oldest = len(self.steps)

    def forget_tokens(self) -> None:
        """As if none had ever been issued: the server was restored from a copy, say."""
        self._issued.clear()

    def since(self, calendar: str, number: int) -> list[Step]:
        """The last step of each item of the calendar that changed after that number, in order."""
        last = {step.href: step for step in self.steps if step.number > number and parent(step.href) == calendar}
        return sorted(last.values(), key=lambda step: step.number)

    def ctag(self, calendar: str) -> str:
        """What changes with the calendar."""
        last = max((step.number for step in self.steps if parent(step.href) == calendar), default=0)
        if last and Quirk.SOGO_SLOW_CTAG in self._flags:
            return f"ctag-{int(self.steps[last - 1].at)}"
        return f"ctag-{last}"

    def _step(self, href: str, *, gone: bool) -> None:
        self.steps.append(Step(len(self.steps) + 1, href, gone, self._clock()))


def parent(path: str) -> str:
    """The collection that a path lies in, with its slash."""
    return path.rstrip("/").rpartition("/")[0] + "/"
