"""A list is worked on by several processes, and what comes of it is as if one had done it all."""

from __future__ import annotations

import contextlib
import multiprocessing.popen_fork  # nothing can be loaded where no file may be opened
import os
import resource
import signal
import time
from collections.abc import Sequence
from itertools import chain

import pytest

from calsync.processors import on_all

# The tests' own workers have threads, which Python warns of from 3.12 on.
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")

US = os.getpid()
ITEMS = range(10)


def pid_and_share(share: Sequence[int]) -> tuple[int, list[int]]:
    return os.getpid(), list(share)


def test_each_share_has_a_process_and_keeps_its_place() -> None:
    found = on_all(pid_and_share, ITEMS, least=3, processors=3)
    assert found[0][0] == US
    assert len({pid for pid, _ in found}) == 3
    assert [*chain.from_iterable(share for _, share in found)] == [*ITEMS]


@pytest.mark.parametrize(("items", "processors"), [(ITEMS, 1), (ITEMS[:5], 8), ((), 8)])
def test_what_is_little_or_has_one_processor_is_done_here(items: Sequence[int], processors: int) -> None:
    assert on_all(pid_and_share, items, least=3, processors=processors) == [(US, [*items])]


def test_there_are_no_more_shares_than_processors_of_this_process() -> None:
    assert 1 <= len(on_all(pid_and_share, range(1000), least=1)) <= len(os.sched_getaffinity(0))


def test_the_share_of_a_fork_that_dies_is_done_here() -> None:
    def dies_elsewhere(share: Sequence[int]) -> tuple[int, list[int]]:
        if os.getpid() != US:
            os.kill(os.getpid(), signal.SIGKILL)
        return pid_and_share(share)

    assert on_all(dies_elsewhere, ITEMS, least=5, processors=2) == [(US, [0, 1, 2, 3, 4]), (US, [5, 6, 7, 8, 9])]


def test_what_is_wrong_with_a_share_is_raised_here_and_told_once(capfd: pytest.CaptureFixture[str]) -> None:
    def wrong(share: Sequence[int]) -> int:
        return 1 // (9 - max(share))

    with pytest.raises(ZeroDivisionError):
        on_all(wrong, ITEMS, least=5, processors=2)
    assert capfd.readouterr() == ("", "")


def test_where_no_process_can_be_made_all_is_done_here() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, before[1]))
    try:
        found = on_all(pid_and_share, ITEMS, least=5, processors=2)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert found == [(US, [0, 1, 2, 3, 4]), (US, [5, 6, 7, 8, 9])]


def test_whoever_interrupts_us_does_not_wait_for_forks() -> None:
    def slow_elsewhere(_share: Sequence[int]) -> None:
        if os.getpid() == US:
            raise KeyboardInterrupt
        time.sleep(600)

    with pytest.raises(KeyboardInterrupt):
        on_all(slow_elsewhere, ITEMS, least=5, processors=2)
    with contextlib.suppress(ChildProcessError):
        assert os.waitpid(-1, os.WNOHANG) == (0, 0), "no fork is left that nobody waits for"
    assert not multiprocessing.active_children()


def test_a_fork_ends_without_a_word_at_the_interrupt_of_a_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    def interrupted_elsewhere(share: Sequence[int]) -> list[int]:
        if os.getpid() != US:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(600)
        return list(share)

    assert on_all(interrupted_elsewhere, ITEMS, least=5, processors=2) == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]
    assert capfd.readouterr() == ("", "")
