"""Try again what failed for now, within bounds; after a lost answer to a write, look before writing again.

Idea: stamina's defaults, over tenacity, which is loaded when something has failed (docs/decisions/0012-retries.md); for
the look, vdirsyncer's issue 739. The only import of tenacity.
Public face: `Patience`, `carefully`, `after_a_look`, `PassingError`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from calsync.errors import UnreachableError
from calsync.model import Resource
from calsync.targets.base import ConflictError, ItemError, MissingError
from calsync.targets.davwords import Answer
from calsync.targets.davxml import with_crlf

if TYPE_CHECKING:
    from tenacity import RetryCallState

TRIES = 3
SECONDS = 60.0
"""So long all waiting of one run together may take."""

FAULTS = (500, 502, 504)
"""Faults of a server or of a proxy before it that may pass. 503 is an error of its own; 501 and 507 do not pass."""

LOCKED = 423
"""Another write holds a lock, and nothing was done: Xandikos takes one write at a time."""

Sleep = Callable[[float], None]


class PassingError(UnreachableError):
    """What may be over soon. `at_once`: worth a first try without waiting. `crowds`: from then on, one at a time."""

    at_once = False
    crowds = False


class _FaultError(PassingError):
    """An answer that says that the server is at fault."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.at_once = self.crowds = answer.status == LOCKED
        super().__init__(f"a fault of the server ({answer.status})")


class Patience:
    """Tries again, with exponential backoff, jitter and Retry-After (RFC 9110 10.2.3); one for all requests of a run.

    What is tried again is tried by one thread at a time. From the first word that it was too much for the server, or
    that two writes met, so is everything, after what is under way has ended: a lock that another of our own requests
    holds is waited for, however slow the server is.
    """

    def __init__(self, sleep: Sleep = time.sleep) -> None:
        self._sleep = sleep
        self._left = SECONDS
        self._turn = threading.Lock()
        self._ended = threading.Condition()
        self._under_way = 0
        self._is_crowded = False
        self._inside = threading.local()

    def __call__(self, attempt: Callable[[], Answer]) -> Answer:
        """The answer of the first try that got a good one, or of the last. Raises what the last try raised.

        Within a try another one is made only once. A Retry-After that is longer than may be waited ends it at once.
        """
        if getattr(self._inside, "busy", False):
            return attempt()
        failed: list[PassingError] = []
        self._inside.busy = True
        try:
            if self._may_begin():
                try:
                    return self._first(attempt)
                except PassingError as error:
                    failed.append(error)
            with self._turn:
                return self._again(attempt, failed)
        except _FaultError as error:
            return error.answer
        finally:
            self._inside.busy = False

    def _may_begin(self) -> bool:
        """Whether a first try may go beside others; then it counts as under way."""
        with self._ended:
            if not self._is_crowded:
                self._under_way += 1
            return not self._is_crowded

    def _first(self, attempt: Callable[[], Answer]) -> Answer:
        try:
            return self._checked(attempt)
        finally:
            with self._ended:
                self._under_way -= 1
                self._ended.notify_all()

    def _again(self, attempt: Callable[[], Answer], failed: list[PassingError]) -> Answer:
        """Try until the end; what has `failed` counts as tried."""
        from tenacity import Retrying, retry_if_exception_type

        def next_try() -> Answer:
            if failed:
                raise failed.pop()
            self._await_others()
            return self._checked(attempt)

        retrying = Retrying(
            retry=retry_if_exception_type(PassingError),
            wait=_wait,
            stop=self._is_over,
            sleep=self._pause,
            reraise=True,
        )
        return retrying(next_try)

    def _await_others(self) -> None:
        """Where one at a time is the word: until no first try is under way; each ends by its time-out at the latest."""
        with self._ended:
            self._ended.wait_for(lambda: not self._is_crowded or self._under_way == 0)

    def _checked(self, attempt: Callable[[], Answer]) -> Answer:
        """One try. Raises PassingError where it is worth another, and notes if there is a crowd."""
        try:
            answer = attempt()
            if answer.status in (*FAULTS, LOCKED):
                raise _FaultError(answer)
        except PassingError as error:
            with self._ended:
                self._is_crowded = self._is_crowded or error.crowds
            raise
        return answer

    def _is_over(self, state: RetryCallState) -> bool:
        return state.attempt_number >= TRIES or state.upcoming_sleep > self._left

    def _pause(self, seconds: float) -> None:
        self._left -= seconds
        self._sleep(seconds)


def _wait(state: RetryCallState) -> float:
    """How many seconds to wait before the next try."""
    from tenacity import wait_exponential, wait_random

    error = state.outcome.exception() if state.outcome is not None else None
    if isinstance(error, PassingError):
        if error.retry_after is not None:
            return error.retry_after
        if error.at_once and state.attempt_number == 1:
            return 0
    return wait_exponential(multiplier=0.5, max=20)(state) + wait_random(0, 0.5)(state)


def carefully(patience: Patience, send: Callable[[], Answer], look: Callable[[], Answer | None]) -> tuple[Answer, bool]:
    """Send a conditional write; where its answer was lost, `look` if it was done before it is sent again.

    `look` gives an answer in place of the lost one, or None where the write was not done. Returns the answer, and
    whether one was lost on the way. Raises as `send` and `look` do.
    """
    is_lost = False

    def attempt() -> Answer:
        nonlocal is_lost
        if is_lost and (done := look()) is not None:
            return done
        try:
            answer = send()
        except PassingError as error:
            is_lost = is_lost or error.at_once
            raise
        is_lost = is_lost or answer.status in FAULTS
        return answer

    return patience(attempt), is_lost


def after_a_look(
    href: str, found: Resource | Answer | None, before: Resource | None, meant: str | None
) -> Answer | None:
    """What became of a write of which nobody knows if it was done; None if it was not.

    `before` is what was to be replaced or deleted, `meant` the text that was to be written, None for a delete; `found`
    is what stands there now: an item, nothing (None), or an answer that does not tell (a fault passes
    for the write's own). Raises ConflictError,
    MissingError and ItemError as `base.Target.update`.
    """
    if isinstance(found, Answer) and found.status in FAULTS:
        return found
    if isinstance(found, Answer):
        raise ItemError(f"The answer to the write of {href} was lost, and it cannot be read now: look again later.")
    if found is None:
        if meant is None:
            return Answer(204, href, {}, "")
        if before is None:
            return None
        raise MissingError(f"There is no {href} any more.")
    if meant is not None and found.body == with_crlf(meant):
        return Answer(204, href, {"etag": found.etag or ""}, "")
    if before is not None and (_strong(found) == _strong(before) != "" or found.body == with_crlf(before.body)):
        return None
    raise ConflictError(f"{href} is another than it was, and than was meant.")


def _strong(item: Resource) -> str:
    """The item's ETag if it is a strong one; nothing else proves that the text is the same (RFC 9110 8.8.1)."""
    return "" if item.etag is None or item.etag.startswith("W/") else item.etag
