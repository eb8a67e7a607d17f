"""How calsync compares with its peers on this machine: `make bench`.

Absolute times drift on shared machines, so each row is a ratio within one run: ours and theirs in turn, medians of
five, with the spread of each. Peers live in an environment of their own under build/, made on first use.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / "build" / "bench-peers"
ROUNDS = 5

CONFIG = """\
timezone: Europe/Berlin
country: DE
applications: applications.yaml
feed: {path: follow-ups.ics}
"""

APPLICATION = """\
  - company: Company {number}
    role: Data Engineer
    location: Berlin
    contact:
      name: Contact {number}
      email: contact{number}@company{number}.example
      phone: "+49 30 {number:06}"
    events:
      - applied: 2026-11-{day:02}
      - interview: 2026-11-{later:02} 14:00
      - contacted: 2026-11-{last:02}
        by: email
"""


class Row(NamedTuple):
    """What is compared: our command, theirs, and the ratio that we aim at."""

    name: str
    ours: Sequence[str]
    theirs: Sequence[str]
    at_most: float


def journal(count: int) -> str:
    """A journal with `count` applications of twelve lines each."""
    rows = (
        APPLICATION.format(number=number, day=1 + number % 9, later=10 + number % 5, last=16 + number % 3)
        for number in range(count)
    )
    return "applications:\n" + "".join(rows)


def peers() -> Path:
    """The folder of the peers' commands, installed on first use."""
    if not (PEERS / "bin" / "vdirsyncer").exists():
        venv.create(PEERS, with_pip=True, clear=True)
        pip = [str(PEERS / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "vdirsyncer"], check=True)
    return PEERS / "bin"


def seconds(command: Sequence[str], folder: Path, environment: dict[str, str]) -> float:
    """How long one whole process takes."""
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def compare(row: Row, folder: Path, environment: dict[str, str]) -> str:
    """Run both in turn and tell the ratio of their medians, each with its spread."""
    for command in (row.ours, row.theirs):
        seconds(command, folder, environment)  # fills the system's cache of files
    both = [(seconds(row.ours, folder, environment), seconds(row.theirs, folder, environment)) for _ in range(ROUNDS)]
    ours, theirs = zip(*both, strict=True)
    ratio = statistics.median(ours) / statistics.median(theirs)
    verdict = "ok" if ratio <= row.at_most else "over"
    return f"{row.name:52} {ratio:5.2f}  (aim {row.at_most:.2f}, {verdict})   {spread(ours)} / {spread(theirs)}"


def spread(times: Sequence[float]) -> str:
    """Median, least and most, in milliseconds."""
    low, middle, high = (1000 * value for value in (min(times), statistics.median(times), max(times)))
    return f"{middle:.0f} ms ({low:.0f} to {high:.0f})"


def main() -> None:
    """Print one line for each row."""
    bin_folder = peers()
    calsync = [sys.executable, "-m", "calsync", "--today", "2026-11-20"]
    rows = [
        Row(
            "calsync windows, 100 applications / vdirsyncer --version",
            [*calsync, "windows"],
            [str(bin_folder / "vdirsyncer"), "--version"],
            0.8,
        ),
    ]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "config.yaml").write_text(CONFIG, encoding="utf-8")
        (folder / "applications.yaml").write_text(journal(100), encoding="utf-8")
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "CALSYNC_CONFIG": str(folder / "config.yaml"),
            "XDG_STATE_HOME": str(folder / "state"),
            "XDG_CACHE_HOME": str(folder / "cache"),
        }
        for row in rows:
            print(compare(row, folder, environment))


if __name__ == "__main__":
    main()
