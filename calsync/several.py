"""Several calls at a time, results as they come. Public face: `at_once`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

from calsync.errors import CalsyncError
from calsync.targets.base import ItemError

if TYPE_CHECKING:
    from concurrent.futures import Future

K = TypeVar("K")
T = TypeVar("T")

_QUICK = 0.002
"""Calls that take so many seconds or less are made one by one: handing them to threads costs more than it saves."""


def at_once(calls: Iterable[tuple[K, Callable[[], T]]], limit: int) -> Iterator[tuple[K, T | CalsyncError]]:
    """Make the calls, at most `limit` at a time, in threads; give each one's key with its result as it comes.

    `calls` is walked in the caller's own thread, and only as far as there is room, so that a call may be prepared just
    before its turn. An ItemError is a result and stops no other call; any other CalsyncError is a result after which
    none is begun any more. Any other exception is raised. There are no threads before the first calls have shown that
    they are not quick, and none with a limit of 1.
    """
    calls = iter(calls)
    spent = 0.0
    for made, (key, call) in enumerate(calls, 1):
        began = time.perf_counter()
        result = _outcome(call)
        spent += time.perf_counter() - began
        yield key, result
        if _ends(result):
            return
        if limit > 1 and spent > _QUICK * (made + 2):  # a single one may be slow by chance
            yield from _in_threads(calls, limit)
            return


def _in_threads(calls: Iterator[tuple[K, Callable[[], T]]], limit: int) -> Iterator[tuple[K, T | CalsyncError]]:
    from concurrent.futures import ThreadPoolExecutor
    from queue import SimpleQueue

    running: dict[Future[T | CalsyncError], K] = {}
    finished: SimpleQueue[Future[T | CalsyncError]] = SimpleQueue()
    with ThreadPoolExecutor(limit, thread_name_prefix="calsync-write") as pool:
        for key, call in calls:
            future = pool.submit(_outcome, call)
            running[future] = key
            future.add_done_callback(finished.put)
            if len(running) < limit:
                continue
            future = finished.get()
            yield running.pop(future), future.result()
            if _ends(future.result()):
                break
        while running:
            future = finished.get()
            yield running.pop(future), future.result()


def _ends(result: object) -> bool:
    return isinstance(result, CalsyncError) and not isinstance(result, ItemError)


def _outcome(call: Callable[[], T]) -> T | CalsyncError:
    try:
        return call()
    except CalsyncError as error:
        return error
