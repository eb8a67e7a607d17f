"""Where nothing changed, nothing is done but to ask the calendar; and what counts as a change."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import partial
from pathlib import Path

import pytest

from calsync import config, sync
from tests.quirks import QuirkServer
from tests.quirks.test_sync_on_quirks import handled
from tests.quirks.world import OnQuirks
from tests.samples import MOVED, RENAMED
from tests.test_removal import take_out
from tests.test_sync import NOW

NEXT_DAY = date(2026, 11, 24)
LOADS = """\
import json, sys
from calsync.cli import main
code = main(sys.argv[1:])
print(json.dumps([code, sorted(sys.modules)]), file=sys.stderr)
"""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[OnQuirks]:
    """A calendar that is up to date, and a calsync that knows it."""
    with QuirkServer() as running:
        made = OnQuirks(tmp_path, running)
        for _ in range(3):
            made.run()
        yield made


def loaded(world: OnQuirks) -> set[str]:
    """What a sync of today loads, in a process of its own."""
    keep = {name: value for name, value in os.environ.items() if "COV" not in name}  # coverage loads things itself
    environ = keep | {"STATE_DIRECTORY": str(world.folder / "state"), "CACHE_DIRECTORY": str(world.folder / "cache")}
    command = [sys.executable, "-c", LOADS, "--config", str(world.folder / "default.yaml"), "sync"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    code, modules = json.loads(done.stderr.splitlines()[-1])
    assert code == 0, done.stderr
    return set(modules)


def with_feed(world: OnQuirks) -> Path:
    """Have the same written into a feed too; gives its path."""
    with (world.folder / "default.yaml").open("a", encoding="utf-8") as settings:
        settings.write("feed: {path: follow-ups.ics}\n")
    return world.folder / "follow-ups.ics"


@pytest.mark.parametrize("prepare", [lambda _: None, with_feed])
def test_then_neither_the_journal_nor_the_rules_nor_the_texts_are_loaded(
    world: OnQuirks, prepare: Callable[[OnQuirks], object]
) -> None:
    prepare(world)
    for _ in range(3):
        modules = loaded(world)
    parts = ("journal", "etiquette", "book", "reconcile", "reminders", "ical")
    assert modules & {f"calsync.{part}" for part in parts} == set()
    assert modules & {"jinja2", "holidays", "phonenumbers"} == set()


@pytest.mark.parametrize(
    "happens",
    [
        Path.unlink,
        lambda feed: feed.write_bytes(feed.read_bytes().replace(b"Call", b"Ring")),
        lambda feed: feed.write_bytes(feed.read_bytes()[:-30]),
    ],
)
def test_a_feed_that_is_not_as_it_was_left_is_written_anew(world: OnQuirks, happens: Callable[[Path], object]) -> None:
    feed = with_feed(world)
    for _ in range(3):
        loaded(world)
    before = feed.read_bytes()
    happens(feed)
    assert "calsync.reconcile" in loaded(world)
    assert [line for line in feed.read_bytes().splitlines() if line.startswith(b"SUMMARY")] == [
        line for line in before.splitlines() if line.startswith(b"SUMMARY")
    ]


@pytest.mark.parametrize("dry_run", [True, False])
def test_what_the_calendar_tells_is_in_the_feed_in_the_same_run(world: OnQuirks, dry_run: bool) -> None:
    with_feed(world)
    settings = config.load(world.folder / "default.yaml", {}, world.folder)
    run = partial(sync.run_once, settings, sync.Moment.of(NOW, None, settings.timezone), targets=world.targets)
    for _ in range(3):
        run(world.environ())
    retitled(world)
    on_calendar, in_feed = run(world.environ(), dry_run=dry_run).outcomes
    assert on_calendar.answers
    assert {change.window for change, _ in in_feed.changes} >= {on_calendar.answers[0].event.window}


def test_the_same_is_told_as_by_the_run_that_looked(world: OnQuirks) -> None:
    handled(world)
    world.settle(5)
    before, again = world.run(), world.run()
    assert before.outcomes[0].kept
    assert again.outcomes[0].kept == before.outcomes[0].kept
    assert again.outcomes[0].unchanged == before.outcomes[0].unchanged > 0
    assert (again.warnings, again.opens) == (before.warnings, before.opens)
    assert again.opens is not None


def retitled(world: OnQuirks) -> None:
    world.retitle("Call Dana", "✓ Call Dana")


def taken_away(world: OnQuirks) -> None:
    world.remove(world.find("E-mail Dana"))


@pytest.mark.parametrize("happens", [lambda world: world.write(RENAMED), retitled, taken_away])
def test_a_change_on_either_side_is_seen_at_once(world: OnQuirks, happens: Callable[[OnQuirks], None]) -> None:
    assert not world.run().outcomes[0].changes
    happens(world)
    report = world.run()
    assert report.outcomes[0].changes or report.outcomes[0].answers


def test_the_journal_as_it_was_two_edits_ago_is_no_journal_that_has_been_seen_to(world: OnQuirks) -> None:
    before = (world.folder / "applications.yaml").read_text()
    world.write(MOVED)
    assert world.run().outcomes[0].changes
    world.write(before)
    assert world.run().outcomes[0].changes


def test_another_day_is_looked_at_anew(world: OnQuirks) -> None:
    world.run()
    state = (world.folder / "state" / "state.sqlite3").read_bytes()
    world.run()
    assert (world.folder / "state" / "state.sqlite3").read_bytes() == state, "nothing is written where nothing is done"
    world.run(today=NEXT_DAY)
    assert (world.folder / "state" / "state.sqlite3").read_bytes() != state


@pytest.mark.parametrize("happens", [RENAMED, None])
def test_a_file_in_a_folder_of_the_journal_counts_by_name_and_by_content(world: OnQuirks, happens: str | None) -> None:
    path, folder = world.folder / "applications.yaml", world.folder / "folder"
    folder.mkdir()
    path.rename(folder / "one.yaml")
    folder.rename(path)
    (path / "two.yaml").write_text("applications: []\n")
    for _ in range(3):
        assert not world.run().outcomes[0].changes
    if happens:
        (path / "one.yaml").write_text(happens)
    else:
        (path / "one.yaml").rename(path / "one.bak")
    assert world.run().outcomes[0].changes


def test_a_journal_from_a_pipe_is_read_each_time_and_once_a_run(world: OnQuirks) -> None:
    path = world.folder / "applications.yaml"
    before = path.read_text()
    path.unlink()
    os.mkfifo(path)
    counts = []
    for journal in (before, before, before, RENAMED):
        with ThreadPoolExecutor() as pool:
            writing = pool.submit(path.write_text, journal)
            counts.append(len(world.run().outcomes[0].changes))
            writing.result(timeout=10)
    assert counts[:3] == [0, 0, 0]
    assert counts[3] > 0


def test_after_everything_was_taken_away_everything_is_made_again(world: OnQuirks) -> None:
    count = len(world.ours())
    take_out(world)
    assert world.ours() == {}
    assert len(world.run().outcomes[0].changes) == count > 0
