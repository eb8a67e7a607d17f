"""How calsync compares with its peers on this machine: `make bench`.

Absolute times drift on shared machines, so each row is a ratio within one run: ours and theirs in turn, medians of
five, with the spread of each. Peers live in an environment of their own under build/, made on first use.
"""

from __future__ import annotations

import os
import platform
import shutil
import statistics
import subprocess
import tempfile
import time
import venv
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PEERS, OURS = ROOT / "build" / "bench-peers", ROOT / "build" / "bench-calsync"
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


LOAD_ALONE = "import yaml; yaml.load(open('applications.yaml', 'rb'), yaml.CSafeLoader)"

COUNTS = (10, 100, 1_000, 10_000)


class Row(NamedTuple):
    """What is compared: our command, theirs, each with the size of its journal, and the ratio that we aim at."""

    name: str
    ours: Sequence[str]
    theirs: Sequence[str]
    at_most: float
    count: int
    their_count: int


def journal(count: int) -> str:
    """A journal with `count` applications of twelve lines each."""
    rows = (
        APPLICATION.format(number=number, day=1 + number % 9, later=10 + number % 5, last=16 + number % 3)
        for number in range(count)
    )
    return "applications:\n" + "".join(rows)


def peers() -> Path:
    """The folder of the peers' commands, installed on first use."""
    return environment(PEERS, "vdirsyncer", "vdirsyncer")


def ourselves() -> Path:
    """The folder of calsync's command, installed as users do: development tools slow the start of every Python."""
    shutil.rmtree(OURS, ignore_errors=True)
    return environment(OURS, "calsync", str(ROOT))


def environment(folder: Path, command: str, package: str) -> Path:
    """The folder of commands of an environment that has `package`, made where there is none."""
    if not (folder / "bin" / command).exists():
        venv.create(folder, with_pip=True, clear=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, package], check=True)
    return folder / "bin"


def seconds(command: Sequence[str], folder: Path) -> float:
    """How long one whole process takes, with the journal of `folder`."""
    own = {"CALSYNC_CONFIG": str(folder / "config.yaml")}
    own |= {"XDG_STATE_HOME": str(folder / "state"), "XDG_CACHE_HOME": str(folder / "cache")}
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, env={**os.environ, **own}, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def compare(row: Row, folders: Path) -> str:
    """Run both in turn and tell the ratio of their medians, each with its spread."""
    sides = ((row.ours, folders / str(row.count)), (row.theirs, folders / str(row.their_count)))
    for command, folder in sides:
        seconds(command, folder)  # fills the system's cache of files
    both = [[seconds(command, folder) for command, folder in sides] for _ in range(ROUNDS)]
    ours, theirs = zip(*both, strict=True)
    ratio = statistics.median(ours) / statistics.median(theirs)
    verdict = "ok" if ratio <= row.at_most else "over"
    return f"| {row.name} | {ratio:.2f} | {row.at_most:g} | {verdict} | {spread(ours)} | {spread(theirs)} |"


def spread(times: Sequence[float]) -> str:
    """Median, least and most, in milliseconds."""
    low, middle, high = (1000 * value for value in (min(times), statistics.median(times), max(times)))
    return f"{middle:.0f} ms ({low:.0f} to {high:.0f})"


def growth(command: Sequence[str], folders: Path) -> Iterator[str]:
    """How the cost grows with the journal: a line a size, medians of as many runs."""
    yield "| applications | whole command | each |"
    yield "|---|---|---|"
    for count in COUNTS:
        times = [seconds(command, folders / str(count)) for _ in range(ROUNDS)]
        yield f"| {count:,} | {spread(times)} | {1000 * statistics.median(times) / count:.2f} ms |"


def main() -> None:
    """Print the tables of docs/performance.md."""
    vdirsyncer = str(peers() / "vdirsyncer")
    folder = ourselves()
    windows = [str(folder / "calsync"), "--today", "2026-11-20", "windows"]
    told = [*windows, "--json"]
    load = [str(folder / "python"), "-c", LOAD_ALONE]
    rows = [
        Row(
            "`calsync windows`, 100 applications / `vdirsyncer --version`",
            windows,
            [vdirsyncer, "--version"],
            0.8,
            100,
            100,
        ),
        Row("`windows --json`, 10,000 applications / CSafeLoader alone", told, load, 0.8, 10_000, 10_000),
        Row("`windows --json`, 10,000 / 1,000 applications", told, told, 11, 10_000, 1_000),
    ]
    version = subprocess.run([vdirsyncer, "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]
    today = datetime.now(UTC).date()
    print(f"Python {platform.python_version()}, vdirsyncer {version}, {os.cpu_count()} processors, {today}\n")
    with tempfile.TemporaryDirectory() as name:
        folders = Path(name)
        for count in COUNTS:
            (folders / str(count)).mkdir()
            (folders / str(count) / "config.yaml").write_text(CONFIG, encoding="utf-8")
            (folders / str(count) / "applications.yaml").write_text(journal(count), encoding="utf-8")
        print("| What / against | ratio | aim | | ours | theirs |\n|---|---|---|---|---|---|")
        for row in rows:
            print(compare(row, folders), flush=True)
        print()
        for line in growth(told, folders):
            print(line, flush=True)


if __name__ == "__main__":
    main()
