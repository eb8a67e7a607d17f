"""The plays of `test_machine.py` for as long as asked, with new chances each time: `make torture DURATION=600`.

Prints what was played: steps, runs, faults by kind, crashes survived. A play that fails is printed, and the exit code
is 1; with SHRINK=1 it is made small before, which may take minutes.
"""

from __future__ import annotations

import os
import sys
import time
import traceback

from hypothesis import Phase
from hypothesis.stateful import run_state_machine_as_test

from tests.play import figures
from tests.test_machine import PersonInMemory, PersonOnQuirks, bounded

ROUNDS = ((PersonInMemory, 10), (PersonOnQuirks, 2))
"""The plays of one round."""


def main() -> int:
    """Play until the time is over or something breaks."""
    end = time.monotonic() + float(os.environ.get("DURATION", "60"))
    phases = [Phase.generate, Phase.shrink] if os.environ.get("SHRINK") else [Phase.generate]
    code = 0
    while time.monotonic() < end and not code:
        for machine, plays in ROUNDS:
            try:
                options = bounded(plays, 50, derandomize=False, phases=phases)
                run_state_machine_as_test(machine, settings=options)
            except Exception:  # noqa: BLE001 - whatever a test may raise
                traceback.print_exc()
                code = 1
                break
    for name, count in sorted(figures.items()):
        print(f"{count:8,}  {name}")  # noqa: T201 - a script that prints figures
    return code


if __name__ == "__main__":
    sys.exit(main())
