"""`calsync undo`: the last answer about a window is taken back, and the window has an event again."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path

import pytest

from calsync import config, undo
from calsync.cli import main
from calsync.errors import BusyError, CalsyncError, UsageError
from calsync.model import Contacted, Pinned, Skipped
from calsync.state import opened
from tests.samples import REJECTED
from tests.test_reconcile import Moving, Stripping
from tests.test_sync import InMemory, counted, uid, unfolded

CALL, FOLLOW = "bolt/application-call/1", "acme/interview-follow-up/1.1"


@pytest.fixture
def world(tmp_path: Path) -> InMemory:
    """A calendar after its first sync."""
    world = InMemory(tmp_path)
    world.target.name = "caldav"
    world.run()
    return world


def take_back(world: InMemory, wanted: str) -> undo.Undone:
    settings = config.load(world.folder / "default.yaml", {}, world.folder)
    return undo.undo(settings, world.environ(), wanted)


def must_be_new_and_settled(world: InMemory, window: str, old: str) -> str:
    """One event of the window stands there, under a new UID; the next run has nothing to write or to learn."""
    [body] = [body for body in world.items().values() if f";{window};" in unfolded(body)]
    assert uid(body) != old
    again = world.run()
    assert (counted(again), again.outcomes[0].answers, again.outcomes[0].kept) == ((0, 0, 0), (), [])
    return unfolded(body)


def test_a_title_marked_done_by_mistake_gives_way_to_a_new_event(world: InMemory):
    """The title still says done: it must not be heard again."""
    old, before = uid(world.ours()[FOLLOW]), world.ours()["acme/check-in/1.1"]
    world.edit(FOLLOW, "SUMMARY:Call", "SUMMARY:✓ Call")
    world.run()
    undone = take_back(world, FOLLOW)
    assert isinstance(undone.event, Contacted)
    assert (undone.application, undone.left) == ("acme", 0)
    assert "contacted" not in world.answers()
    report = world.run()
    assert report.outcomes[0].answers == ()
    body = must_be_new_and_settled(world, FOLLOW, old)
    assert "SUMMARY:Call Dana Ruiz at Acme Corp (by Fri 27 Nov)" in body
    days = [line for line in before.splitlines() if line.startswith("DTSTART")]
    assert days == [line for line in world.ours()["acme/check-in/1.1"].splitlines() if line.startswith("DTSTART")]


def test_a_done_event_that_has_become_history_gives_way_too(world: InMemory):
    old = uid(world.ours()[FOLLOW])
    world.edit(FOLLOW, "SUMMARY:Call", "SUMMARY:✓ Call")
    world.run()
    take_back(world, FOLLOW)
    world.run(today=date(2026, 11, 25))
    [body] = [body for body in world.items().values() if f";{FOLLOW};" in unfolded(body)]
    assert uid(body) != old


def test_a_deleted_reminder_comes_back(world: InMemory):
    old = uid(world.ours()[CALL])
    world.remove(world.href_of(CALL))
    world.run()
    assert isinstance(take_back(world, CALL).event, Skipped)
    assert counted(world.run()) == (1, 0, 0)
    must_be_new_and_settled(world, CALL, old)


def test_a_deletion_that_was_answered_and_not_yet_forgotten_comes_back(world: InMemory):
    """The run that heard of it was cut short: the state still has the event."""
    old, state = uid(world.ours()[CALL]), (world.folder / "state" / "state.sqlite3").read_bytes()
    world.remove(world.href_of(CALL))
    world.run()
    (world.folder / "state" / "state.sqlite3").write_bytes(state)
    take_back(world, CALL)
    assert counted(world.run()) == (1, 0, 0)
    must_be_new_and_settled(world, CALL, old)


def test_a_cancelled_event_comes_back(world: InMemory):
    old = uid(world.ours()[CALL])
    world.edit(CALL, "STATUS:CONFIRMED", "STATUS:CANCELLED")
    world.run()
    take_back(world, CALL)
    assert counted(world.run()) == (1, 0, 1)
    assert "STATUS:CONFIRMED" in must_be_new_and_settled(world, CALL, old)


def test_a_moved_event_goes_back_to_its_days(world: InMemory):
    old = uid(world.ours()[FOLLOW])
    world.edit(FOLLOW, "DATE:20261128", "DATE:20261126")
    world.run()
    undone = take_back(world, FOLLOW)
    assert isinstance(undone.event, Pinned)
    assert undone.event.closes == date(2026, 11, 25)
    world.run()
    assert "DTEND;VALUE=DATE:20261128" in must_be_new_and_settled(world, FOLLOW, old)


def test_of_several_answers_the_last_goes_first(world: InMemory):
    world.edit(FOLLOW, "DATE:20261128", "DATE:20261126")
    world.run()
    world.edit(FOLLOW, "DATE:20261126", "DATE:20261127")
    world.run()
    first = take_back(world, FOLLOW)
    assert isinstance(first.event, Pinned)
    assert (first.event.closes, first.left) == (date(2026, 11, 26), 1)
    world.run()
    assert "DTEND;VALUE=DATE:20261126" in unfolded(world.ours()[FOLLOW])
    second = take_back(world, FOLLOW)
    assert isinstance(second.event, Pinned)
    assert (second.event.closes, second.left) == (date(2026, 11, 25), 0)
    world.run()
    assert "DTEND;VALUE=DATE:20261128" in unfolded(world.ours()[FOLLOW])


def test_it_can_be_done_and_undone_again_and_again(world: InMemory):
    seen = {uid(world.ours()[FOLLOW])}
    for turn in range(2, 5):
        world.edit(FOLLOW, "SUMMARY:Call", "SUMMARY:✓ Call")
        world.run()
        take_back(world, FOLLOW)
        world.run()
        seen.add(uid(world.ours()[FOLLOW]))
        assert len(seen) == turn
        assert len(world.items()) == 3


@pytest.mark.parametrize("target", [Stripping, Moving])
def test_it_works_where_the_server_drops_marks_or_moves_events(tmp_path: Path, target):
    world = InMemory(tmp_path)
    world.target = target()
    world.target.name = "caldav"
    world.run()
    href = next(href for href, body in world.items().items() if "Lee" in body)
    world.put(href, world.items()[href].replace("SUMMARY:Call", "SUMMARY:✓ Call"))
    world.run()
    assert "contacted" in world.answers()
    take_back(world, CALL)
    world.run()
    assert ["✓" in body for body in world.items().values() if "Lee" in body] == [False]
    assert counted(world.run()) == (0, 0, 0)


def test_it_is_undone_also_where_the_state_was_lost_before(world: InMemory):
    world.edit(FOLLOW, "SUMMARY:Call", "SUMMARY:✓ Call")
    world.run()
    shutil.rmtree(world.folder / "state")
    take_back(world, FOLLOW)
    report = world.run()
    assert report.outcomes[0].answers == ()
    assert "✓" not in unfolded(world.ours()[FOLLOW])
    assert len(world.items()) == 3


def test_a_window_that_is_due_no_more_loses_the_old_event_and_gets_none(world: InMemory):
    world.edit(CALL, "SUMMARY:Call", "SUMMARY:✓ Call")
    world.run()
    take_back(world, CALL)
    world.write(REJECTED)
    world.run()
    assert CALL not in world.ours()
    assert counted(world.run()) == (0, 0, 0)


def test_a_second_machine_follows(world: InMemory):
    world.run(machine="second")
    world.edit(FOLLOW, "SUMMARY:Call", "SUMMARY:✓ Call")
    world.run()
    take_back(world, FOLLOW)
    world.run()
    for machine in ("second", "state", "second"):
        report = world.run(machine=machine)
        assert (counted(report), report.outcomes[0].answers) == ((0, 0, 0), ())


# ---------------------------------------------------------------------------------------- which one is meant


@pytest.fixture
def answered(world: InMemory) -> InMemory:
    """Two windows have answers."""
    world.remove(world.href_of(CALL))
    world.edit(FOLLOW, "SUMMARY:Call", "SUMMARY:✓ Call")
    world.run()
    return world


@pytest.mark.parametrize("wanted", [CALL, "bolt", "b", "bolt/application-call"])
def test_a_window_is_named_by_its_id_or_a_beginning(answered: InMemory, wanted: str):
    assert take_back(answered, wanted).window == CALL


def test_a_window_is_named_by_the_uid_of_its_event(answered: InMemory):
    assert take_back(answered, uid(answered.ours()[FOLLOW])).window == FOLLOW


def test_it_says_whose_answer_it_was_whichever_came_last(answered: InMemory):
    assert (take_back(answered, FOLLOW).application, take_back(answered, CALL).application) == ("acme", "bolt")


def test_what_people_wrote_into_the_answers_themselves_is_left_alone(answered: InMemory):
    """A contact that is about no window, and what is no answer at all."""
    own = "  - id: acme\n    events:\n      - contacted: 2026-11-20\n      - heard: 2026-11-21\n"
    (answered.folder / "answers.yaml").write_text(answered.answers() + own, encoding="utf-8")
    assert take_back(answered, CALL).left == 0
    assert answered.answers().endswith(own)


def test_nothing_to_take_back_names_the_windows_that_have_answers(answered: InMemory):
    before = answered.answers()
    for wanted in ("acme/check-in/1.1", "nothing", ""):
        with pytest.raises(CalsyncError, match=f"{FOLLOW}, {CALL}") as caught:
            take_back(answered, wanted)
        assert caught.value.exit_code == 1
    assert answered.answers() == before


def test_without_any_answer_that_is_said(world: InMemory):
    with pytest.raises(CalsyncError, match="no window has an answer yet"):
        take_back(world, CALL)


def test_a_beginning_of_several_is_a_mistake_of_the_command_line(answered: InMemory):
    answered.edit("acme/check-in/1.1", "DATE:20261203", "DATE:20261204")
    answered.run()
    with pytest.raises(UsageError, match=r"beginning of several: acme/check-in/1\.1, acme/interview-follow-up/1\.1"):
        take_back(answered, "acme")


def test_it_waits_for_no_other_calsync(answered: InMemory):
    before = answered.answers()
    with opened(answered.folder / "state", writes=True), pytest.raises(BusyError):
        take_back(answered, CALL)
    assert answered.answers() == before


# ------------------------------------------------------------------------------------------------ the command


def test_the_command_says_what_was_taken_back(answered: InMemory, monkeypatch, capsys):
    monkeypatch.setenv("STATE_DIRECTORY", str(answered.folder / "state"))
    path = str(answered.folder / "default.yaml")
    assert main(["undo", CALL, "--config", path]) == 0
    assert capsys.readouterr().out.splitlines()[0] == f"Taken back for {CALL}: skipped on Mon 23 Nov."
    assert main(["undo", CALL, "--config", path]) == 1
    assert FOLLOW in capsys.readouterr().err
    assert main(["undo", "acme", "--config", path, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "id": FOLLOW,
        "application": "acme",
        "answer": "contacted",
        "day": "2026-11-23",
        "opens": None,
        "closes": None,
        "left": 0,
    }


def test_the_command_tells_the_days_of_a_move_and_how_many_answers_are_left(world: InMemory, monkeypatch, capsys):
    monkeypatch.setenv("STATE_DIRECTORY", str(world.folder / "state"))
    for old, new in ((28, 26), (26, 27), (27, 25)):
        world.edit(FOLLOW, f"DATE:202611{old}", f"DATE:202611{new}")
        world.run()
    path = str(world.folder / "default.yaml")
    assert main(["undo", "acme", "--config", path]) == 0
    told = capsys.readouterr().out
    assert "moved on Mon 23 Nov to Mon 23 Nov to Tue 24 Nov" in told
    assert "2 earlier answers" in told
    assert main(["undo", "acme", "--config", path]) == 0
    assert "1 earlier answer about" in capsys.readouterr().out
    assert main(["undo", "acme", "--config", path, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["closes"] == "2026-11-25"
