"""calsync killed with SIGKILL at any request and any write of its state: a second run ends as if nothing had been.

A real process, with nothing of the test in it: see `tests/dying.py`.
"""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.quirks import Fault, QuirkServer
from tests.quirks.world import OnQuirks, Shown
from tests.samples import MOVED
from tests.test_sync import TODAY

ROOT = Path(__file__).resolve().parent.parent
KILLED = -signal.SIGKILL


class Dying:
    """The process that forks those that die."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.dying"]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )

    def start(self, world: OnQuirks, step: int = 0) -> int:
        """Begin a sync that dies at that step by itself; returns its process id."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{step} {world.folder / 'state'} {world.folder / 'default.yaml'}\n")
        return self._told()

    def end(self) -> int:
        """How it ended."""
        return self._told()

    def _told(self) -> int:
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())

    def stop(self) -> None:
        self._process.communicate()


class Killing(dict[int, Fault]):
    """The faults of a quirk server: the request number `at` is the last thing that the client does."""

    def __init__(self, at: int, fault: Fault) -> None:
        super().__init__()
        self.at, self.fault = at, fault
        self.pid = 0
        self.is_known = threading.Event()

    def get(self, number: int, _default: object = None) -> Fault | None:  # type: ignore[override]  # one use alone
        if number != self.at:
            return None
        assert self.is_known.wait(10)
        os.kill(self.pid, signal.SIGKILL)
        return self.fault


@pytest.fixture(scope="module")
def dying() -> Iterator[Dying]:
    process = Dying()
    yield process
    process.stop()


@pytest.fixture(scope="module")
def server() -> Iterator[QuirkServer]:
    with QuirkServer() as server:
        yield server


@pytest.fixture(params=["a first sync", "changes and answers"])
def situation(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def world_in(situation: str, folder: Path, server: QuirkServer) -> OnQuirks:
    """A calendar with work to do: events to make; or to change, make and take out, with two answers to hear."""
    world = OnQuirks(folder, server)
    if situation == "a first sync":
        world.run(today=TODAY, dry_run=True)
        return world
    world.run(today=TODAY)
    world.write(MOVED)
    world.retitle("Bolt", "✓ Call Lee at Bolt")
    world.remove(world.find("E-mail Dana"))
    return world


@dataclass(frozen=True)
class End:
    """What is left in the end."""

    shown: tuple[Shown, ...]
    answers: str


def ended(world: OnQuirks) -> End:
    """What a second run leaves, after which a third has nothing to write."""
    assert world.run(today=TODAY).exit_code == 0
    before = len(world.server.writes())
    assert world.run(today=TODAY).exit_code == 0
    assert len(world.server.writes()) == before
    world.must_be_unharmed()
    return End(world.shown(), world.answers())


@pytest.fixture
def quiet(situation: str, tmp_path: Path, server: QuirkServer) -> End:
    """What is left where nothing happens."""
    return ended(world_in(situation, tmp_path / "quiet", server))


def test_killed_at_any_write_of_the_state_or_the_answers(
    situation: str, quiet: End, tmp_path: Path, server: QuirkServer, dying: Dying
) -> None:
    for step in itertools.count(1):
        world = world_in(situation, tmp_path / f"world-{step}", server)
        dying.start(world, step)
        code = dying.end()
        assert code in (0, KILLED)
        assert ended(world) == quiet, f"killed at step {step}"
        if code == 0:
            break
    assert step > 15


@pytest.mark.parametrize("fault", [Fault.LOST_BEFORE, Fault.LOST_AFTER])
def test_killed_at_any_request_before_or_after_it_was_done(
    situation: str, fault: Fault, quiet: End, tmp_path: Path, server: QuirkServer, dying: Dying
) -> None:
    for request in itertools.count(1):
        world = world_in(situation, tmp_path / f"world-{request}", server)
        killing = server.faults = Killing(len(server.log) + request, fault)
        killing.pid = dying.start(world)
        killing.is_known.set()
        code = dying.end()
        server.faults = {}
        assert code in (0, KILLED)
        assert ended(world) == quiet, f"killed at request {request}"
        if code == 0:
            break
    assert request > 4
