"""Several calls at a time: as many as allowed, prepared one by one, and none begun after an end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import pytest

from calsync.errors import UnreachableError
from calsync.several import at_once
from calsync.targets.base import ItemError

T = TypeVar("T")


def dawdle() -> None:
    """Longer than what is worth no thread."""
    time.sleep(0.02)


def after_a_slow_one(calls: Iterator[tuple[int, Callable[[], T]]]) -> Iterator[tuple[int, Callable[[], T | None]]]:
    """Calls as they go on once one has shown that they take their time; its own key is -1."""
    yield -1, dawdle
    yield from calls


@pytest.mark.parametrize("limit", [1, 3, 8])
def test_every_call_is_made_once_and_its_result_comes_with_its_key(limit: int) -> None:
    calls = ((number, lambda number=number: number * 2) for number in range(20))
    assert dict(at_once(calls, limit)) == {number: number * 2 for number in range(20)}


def test_as_many_are_made_at_a_time_as_is_allowed() -> None:
    """They wait for one another: with fewer at a time this would not end."""
    gate = threading.Barrier(4, timeout=10)
    calls = ((number, gate.wait) for number in range(8))
    assert len(list(at_once(after_a_slow_one(calls), 4))) == 9


def test_never_more_are_made_at_a_time_than_is_allowed() -> None:
    lock, now, most = threading.Lock(), [0], [0]
    pause = threading.Event()

    def call() -> None:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        pause.wait(0.01)
        with lock:
            now[0] -= 1

    list(at_once(((number, call) for number in range(30)), 3))
    assert most[0] <= 3


@pytest.mark.parametrize("limit", [1, 4])
def test_one_items_failure_stops_no_other(limit: int) -> None:
    def call(number: int) -> int:
        if number % 2:
            raise ItemError(str(number))
        return number

    found = dict(at_once(((number, lambda number=number: call(number)) for number in range(10)), limit))
    assert len(found) == 10
    assert [number for number, result in found.items() if isinstance(result, ItemError) != (number % 2 == 1)] == []


@pytest.mark.parametrize("limit", [1, 4])
def test_after_a_servers_failure_nothing_is_begun_and_what_runs_is_told(limit: int) -> None:
    begun: list[int] = []

    def call(number: int) -> int:
        begun.append(number)
        if number == 2:
            raise UnreachableError("away")
        return number

    found = dict(at_once(((number, lambda number=number: call(number)) for number in range(50)), limit))
    assert isinstance(found[2], UnreachableError)
    assert len(begun) < 50
    assert sorted(found) == sorted(begun)


def test_calls_are_prepared_in_the_callers_thread_just_before_their_turn() -> None:
    prepared: list[int] = []
    here = threading.get_ident()

    def calls() -> Iterator[tuple[int, Callable[[], int]]]:
        for number in range(10):
            assert threading.get_ident() == here
            prepared.append(number)
            yield number, threading.get_ident

    results = at_once(after_a_slow_one(calls()), 2)
    next(results)
    next(results)
    assert len(prepared) <= 3
    assert here not in dict(results).values()


@pytest.mark.parametrize("limit", [1, 4])
def test_a_bug_is_raised(limit: int) -> None:
    with pytest.raises(ZeroDivisionError):
        list(at_once([("key", lambda: 1 // 0)], limit))


@pytest.mark.parametrize(
    ("call", "limit", "is_own"),
    [(lambda: None, 8, True), (dawdle, 1, True), (dawdle, 8, False)],
    ids=["quick calls", "one at a time", "slow calls"],
)
def test_only_calls_that_take_their_time_get_threads(call: Callable[[], None], limit: int, is_own: bool) -> None:
    def where() -> int:
        call()
        return threading.get_ident()

    threads = list(dict(at_once(((number, where) for number in range(5)), limit)).values())
    assert threads[0] == threading.get_ident(), "the first one shows how long they take"
    assert all((thread == threading.get_ident()) is is_own for thread in threads[1:])


def test_no_call_is_made_after_a_servers_failure_in_a_thread() -> None:
    made: list[int] = []

    def fail(number: int) -> None:
        made.append(number)
        raise UnreachableError("away")

    calls = ((number, lambda number=number: fail(number)) for number in range(50))
    found = dict(at_once(after_a_slow_one(calls), 2))
    assert sorted(found) == [-1, *sorted(made)]
    assert len(made) <= 3
