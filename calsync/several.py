"""Several calls at a time, results as they come. Public face: `at_once`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, islice
from queue import SimpleQueue
from typing import TypeVar

from calsync.errors import CalsyncError
from calsync.targets.base import ItemError

K = TypeVar("K")
T = TypeVar("T")


def at_once(calls: Iterable[tuple[K, Callable[[], T]]], limit: int) -> Iterator[tuple[K, T | CalsyncError]]:
    """Make the calls, at most `limit` at a time, in threads; give each one's key with its result as it comes.

    `calls` is walked in the caller's own thread, and only as far as there is room, so that a call may be prepared just
    before its turn. An ItemError is a result and stops no other call; any other CalsyncError is a result after which
    none is begun any more. Any other exception is raised. With a limit of 1, or a single call, there are no threads.
    """
    calls = iter(calls)
    ahead = list(islice(calls, min(limit, 2)))
    if len(ahead) < 2:
        yield from _one_by_one(chain(ahead, calls))
        return
    running: dict[Future[T | CalsyncError], K] = {}
    finished: SimpleQueue[Future[T | CalsyncError]] = SimpleQueue()
    with ThreadPoolExecutor(limit, thread_name_prefix="calsync-write") as pool:
        for key, call in chain(ahead, calls):
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


def _one_by_one(calls: Iterable[tuple[K, Callable[[], T]]]) -> Iterator[tuple[K, T | CalsyncError]]:
    for key, call in calls:
        result = _outcome(call)
        yield key, result
        if _ends(result):
            return


def _ends(result: object) -> bool:
    return isinstance(result, CalsyncError) and not isinstance(result, ItemError)


def _outcome(call: Callable[[], T]) -> T | CalsyncError:
    try:
        return call()
    except CalsyncError as error:
        return error
