"""Work on a long list, shared out to the processors of this machine. Public face: `on_all`.

A share is worked on in a fork, which has all that was read without a word being sent; only results are. Why and when:
`docs/decisions/0018-processors.md`.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import sys
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import IO, TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

T = TypeVar("T")
R = TypeVar("R")

_Fork = tuple["BaseProcess", IO[bytes]]
"""A fork, and the file in memory into which it writes what it came to: it need not wait until somebody reads."""


def on_all(
    work: Callable[[Sequence[T]], R], items: Sequence[T], *, least: int, processors: int | None = None
) -> list[R]:
    """What `work` gives for each share of `items`, in order: one a processor, each of `least` items or more.

    `work` may change nothing that is to be seen afterwards, and what it gives must pickle. A share of which a fork
    gives nothing, for whatever reason, is worked on here, so what `work` raises is raised.
    """
    count = min(processors or _processors(), len(items) // least)
    if count < 2:
        return [work(items)]
    # Neighbours stay together, as a fork copies the memory that it touches.
    cuts = [len(items) * number // count for number in range(count + 1)]
    first, *others = (items[start:end] for start, end in pairwise(cuts))
    with contextlib.ExitStack() as stack:
        forks = [(share, _fork(work, share, stack)) for share in others]
        return [work(first), *(_result(work, share, fork) for share, fork in forks)]


def _processors() -> int:
    """How many processors this process may use; 1 where a fork may break what the system's own libraries hold."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else 1


def _fork(work: Callable[[Sequence[T]], R], share: Sequence[T], stack: contextlib.ExitStack) -> _Fork | None:
    """Have a fork work on `share`; it ends with `stack`. None if there is no room for one."""
    from multiprocessing import get_context

    try:
        file = stack.enter_context(os.fdopen(os.memfd_create("share"), "w+b"))
        process = get_context("fork").Process(target=_answer, args=(work, share, file), daemon=True)
        process.start()
    except OSError:
        return None
    stack.push(partial(_end, process))
    return process, file


def _answer(work: Callable[[Sequence[T]], R], share: Sequence[T], file: IO[bytes]) -> None:
    """What a fork does. It is silent: where something is wrong the other side meets it too, and tells."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        pickle.dump(work(share), file, pickle.HIGHEST_PROTOCOL)
        file.flush()
    except Exception:  # noqa: BLE001  # whatever it is
        sys.exit(1)


def _result(work: Callable[[Sequence[T]], R], share: Sequence[T], fork: _Fork | None) -> R:
    if fork is not None:
        process, file = fork
        process.join()
        if process.exitcode == 0:
            file.seek(0)
            found: R = pickle.load(file)  # noqa: S301  # our own fork wrote it
            return found
    return work(share)


def _end(process: BaseProcess, wrong: type[BaseException] | None, *_: object) -> None:
    if wrong is not None:
        process.kill()
    process.join()
