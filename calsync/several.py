"""Several calls at a time, results as they come. Public face: `at_once`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from calsync.errors import CalsyncError
from calsync.targets.base import ItemError

K = TypeVar("K")
T = TypeVar("T")


def at_once(calls: Iterable[tuple[K, Callable[[], T]]], limit: int) -> Iterator[tuple[K, T | CalsyncError]]:
    """Make the calls, at most `limit` at a time, in threads; give each one's key with its result as it comes.

    `calls` is walked in the caller's own thread, and only as far as there is room, so that a call may be prepared just
    before its turn. An ItemError is a result and stops no other call; any other CalsyncError is a result after which
    none is begun any more. Any other exception is raised. With a limit of 1 there are no threads.
    """
    if limit <= 1:
        yield from _one_by_one(calls)
        return
    running: dict[Future[T | CalsyncError], K] = {}
    is_over = False
    with ThreadPoolExecutor(limit, thread_name_prefix="calsync-write") as pool:
        for key, call in calls:
            running[pool.submit(_outcome, call)] = key
            if len(running) < limit:
                continue
            for each, result in _finished(running):
                is_over = is_over or _ends(result)
                yield each, result
            if is_over:
                break
        while running:
            yield from _finished(running)


def _one_by_one(calls: Iterable[tuple[K, Callable[[], T]]]) -> Iterator[tuple[K, T | CalsyncError]]:
    for key, call in calls:
        result = _outcome(call)
        yield key, result
        if _ends(result):
            return


def _ends(result: object) -> bool:
    return isinstance(result, CalsyncError) and not isinstance(result, ItemError)


def _finished(running: dict[Future[T | CalsyncError], K]) -> list[tuple[K, T | CalsyncError]]:
    """Wait for a call that runs; what is finished is taken out."""
    done, _ = wait(running, return_when=FIRST_COMPLETED)
    return [(running.pop(future), future.result()) for future in done]


def _outcome(call: Callable[[], T]) -> T | CalsyncError:
    try:
        return call()
    except CalsyncError as error:
        return error
