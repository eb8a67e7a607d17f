"""Anything may happen in any order, and nothing is lost: Hypothesis plays, in memory and on servers with quirks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.play import CONTACTS, MACHINES, Blow, Ours, Play, Shaky, figures
from tests.quirks import FITFUL, REFUSING, Fault, Quirk, QuirkServer
from tests.quirks.world import OnQuirks
from tests.test_sync import InMemory

machines = st.sampled_from(MACHINES)
numbers = st.integers(0, 20)
TITLES = ("Ring Dana", "Call them, ask for the team", "!", "Call Dana Ruiz at Company 0 (by Fri 27 Nov)")


class Person(RuleBasedStateMachine):
    """What a person does, with the journal and with the calendar; a subclass says where, and what can go wrong."""

    play: Play

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        figures["plays"] += 1

    def teardown(self) -> None:
        self.folder.cleanup()

    @invariant()
    def count(self) -> None:
        figures["steps"] += 1

    def chosen(self, number: int) -> Ours | None:
        """One of our events, as if at random."""
        ours = sorted(self.play.ours().items())
        return ours[number % len(ours)][1] if ours else None

    # The journal.

    @precondition(lambda self: len(self.play.applications) < 4)
    @rule(contact=st.sampled_from(CONTACTS), days_ago=st.integers(0, 8))
    def apply_somewhere(self, contact: Mapping[str, str], days_ago: int) -> None:
        self.play.apply_somewhere(contact, days_ago)

    @precondition(lambda self: self.play.applications)
    @rule(number=numbers, kind=st.sampled_from(["contacted", "heard", "rejected"]), days=st.integers(-4, 0))
    def happen(self, number: int, kind: str, days: int) -> None:
        self.play.happen(number, kind, days)

    @precondition(lambda self: self.play.applications)
    @rule(number=numbers, days=st.integers(-6, 6))
    def interview(self, number: int, days: int) -> None:
        self.play.happen(number, "interview", days)

    @precondition(lambda self: self.play.applications)
    @rule(number=numbers, name=st.sampled_from(["Dana Ruiz", "Lee", "Lee Chang", "Done Smith"]))
    def rename(self, number: int, name: str) -> None:
        self.play.rename(number, name)

    @precondition(lambda self: self.play.applications)
    @rule(number=numbers)
    def take_out(self, number: int) -> None:
        self.play.take_out(number)

    @rule(days=st.sampled_from([1, 1, 2, 7]))
    def pass_days(self, days: int) -> None:
        self.play.pass_days(days)

    # The calendar.

    @rule(number=numbers, title=st.sampled_from(TITLES))
    def retitle(self, number: int, title: str) -> None:
        if event := self.chosen(number):
            self.play.retitle(event, title)

    @rule(number=numbers, days=st.integers(-3, 9))
    def move(self, number: int, days: int) -> None:
        if event := self.chosen(number):
            self.play.move(event, days)

    @rule(
        number=numbers, what=st.sampled_from(["say_done", "cancel", "silence", "touch", "delete", "copy", "describe"])
    )
    def act(self, number: int, what: str) -> None:
        if event := self.chosen(number):
            note(f"{what}: {event.window}")
            getattr(self.play, what)(event)

    # calsync.

    @rule(machine=machines)
    def run_once(self, machine: str) -> None:
        self.play.run(machine)

    @rule(machine=machines)
    def settle(self, machine: str) -> None:
        self.play.settle(machine)

    @rule(machine=machines)
    def lose_state(self, machine: str) -> None:
        self.play.lose_state(machine)

    @rule(machine=machines, number=numbers)
    def take_back(self, machine: str, number: int) -> None:
        self.play.take_back(machine, number)


class PersonInMemory(Person):
    """The calendar is a dict; any request may fail, or be the last one of the process."""

    @initialize()
    def begin(self) -> None:
        world = InMemory(Path(self.folder.name))
        self.target = world.target = Shaky()
        self.play = Play(world, lambda: self.target.writes)

    @rule(machine=machines, blow=st.sampled_from(Blow), at=st.integers(1, 9))
    def run_struck(self, machine: str, blow: Blow, at: int) -> None:
        self.target.strike(blow, at)
        self.play.run(machine, is_quiet=False)
        self.target.at = 0


FLAGS = [each for each in Quirk if each not in FITFUL | REFUSING | {Quirk.OUTLOOK_DROPS_X}]
"""Ways of servers that let every wish be met, and leave us our marks."""


class PersonOnQuirks(Person):
    """The calendar is on a server with up to three quirks; any answer may be lost."""

    server: QuirkServer

    @initialize(flags=st.sets(st.sampled_from(FLAGS), max_size=3))
    def begin(self, flags: set[Quirk]) -> None:
        self.server = QuirkServer(flags).start()
        self.play = Play(OnQuirks(Path(self.folder.name), self.server), lambda: len(self.server.writes()))

    @rule(machine=machines, fault=st.sampled_from(Fault), at=st.integers(1, 9))
    def run_struck(self, machine: str, fault: Fault, at: int) -> None:
        self.server.inject(fault, at)
        self.play.run(machine, is_quiet=False)
        figures[f"struck: {fault.value}"] += any(each.fault for each in self.server.log)
        self.server.faults.clear()

    def teardown(self) -> None:
        if hasattr(self, "server"):
            assert self.server.blind_writes() == []
            self.server.stop()
        super().teardown()


def bounded(examples: int, steps: int, **more: Any) -> settings:
    """So many plays of so many steps, the same ones in every run unless said otherwise.

    A play that fails is shown as it is: making it small takes minutes (`SHRINK=1 make torture` does).
    """
    phases = (Phase.explicit, Phase.generate)
    kept = {"derandomize": True, "database": None, "deadline": None, "phases": phases, **more}
    checks = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
    return settings(max_examples=examples, stateful_step_count=steps, suppress_health_check=checks, **kept)


TestInMemory = PersonInMemory.TestCase
TestInMemory.settings = bounded(30, 40)
TestOnQuirks = PersonOnQuirks.TestCase
TestOnQuirks.settings = bounded(10, 30)
