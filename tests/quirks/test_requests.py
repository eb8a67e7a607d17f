"""What a sync costs: the requests of each scenario, with sync-collection and with a ctag alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from tests.quirks import Quirk, QuirkServer
from tests.quirks.test_sync_on_quirks import handled, must_stay
from tests.quirks.world import RENAMED, OnQuirks

TWO_DAYS_ON = date(2026, 11, 25)


@pytest.fixture
def server() -> Iterator[QuirkServer]:
    with QuirkServer() as running:
        yield running


@pytest.fixture
def world(tmp_path: Path, server: QuirkServer) -> OnQuirks:
    return OnQuirks(tmp_path, server)


def flagged(world: OnQuirks, *flags: Quirk) -> None:
    """From now on the server has these ways."""
    for part in (world.server, world.server._dav):
        part.flags = frozenset(flags)
    world.server.model._flags = frozenset(flags)


def methods(world: OnQuirks, today: date | None = None) -> list[str]:
    """The requests of one run."""
    before = len(world.server.log)
    assert world.run(today=today).exit_code == 0
    return [each.method for each in world.server.log[before:]]


def test_a_first_sync_costs_a_token_a_list_what_stands_there_and_a_put_each(world: OnQuirks) -> None:
    assert methods(world) == ["PROPFIND", "REPORT", "REPORT", "PUT", "PUT", "PUT"]


def test_nothing_to_do_costs_one_request(world: OnQuirks) -> None:
    world.run()
    for _ in range(3):
        assert methods(world) == ["REPORT"]


def test_one_change_costs_two_and_the_run_after_it_one(world: OnQuirks) -> None:
    world.run()
    world.write(RENAMED)
    assert methods(world) == ["REPORT", "PUT"]
    assert methods(world) == ["REPORT"]


def test_one_change_of_somebody_else_costs_two(world: OnQuirks) -> None:
    world.run()
    world.run()
    world.put("new-1.ics", world.items()[world.foreign].replace("dentist-1", "new-1"))
    assert methods(world) == ["REPORT", "REPORT"]
    assert methods(world) == ["REPORT"]


def test_a_deletion_is_told_by_the_token_and_confirmed_by_the_items_404(world: OnQuirks) -> None:
    world.run()
    world.run()
    deleted = handled(world)
    asked = methods(world)
    assert asked[:3] == ["REPORT", "REPORT", "GET"]  # the changes, the retitled event, and the one that is gone
    must_stay(world, deleted)
    assert methods(world) == ["REPORT"]


@pytest.mark.parametrize("runs", [1, 2])
def test_a_token_that_says_gone_of_what_stands_there_is_not_believed(world: OnQuirks, runs: int) -> None:
    """All is listed then, and the event stays known."""
    for _ in range(runs):
        world.run()
    href = world.find("Bolt")
    stored = world.server.model.items[href]
    world.remove(href)
    world.server.model.items[href] = stored  # behind the back of its history
    before = dict(world.items())
    assert "GET" in methods(world)
    assert world.answers() == ""
    assert world.items() == before
    world.write(RENAMED)
    assert methods(world).count("PUT") == 1


def test_what_came_and_went_between_two_tokens_is_missed_all_the_same(world: OnQuirks) -> None:
    """Xandikos tells nothing of what was created and deleted since a token; that nothing is told of it is enough."""
    world.run()
    href = world.find("Bolt")
    world.remove(href)
    world.server.model.steps[:] = [step for step in world.server.model.steps if step.href != href]
    assert methods(world) == ["REPORT", "PROPFIND", "REPORT", "GET"]
    assert "skipped" in world.answers()


def test_a_lost_state_costs_a_token_a_list_and_one_multiget(world: OnQuirks) -> None:
    world.run()
    world.lose_state()
    assert methods(world) == ["PROPFIND", "REPORT", "REPORT"]
    assert methods(world) == ["REPORT"]


@pytest.mark.parametrize("quirk", [None, Quirk.XANDIKOS_TOKEN_ERROR_412])
def test_a_token_that_is_refused_costs_a_new_one_and_a_list(world: OnQuirks, quirk: Quirk | None) -> None:
    world.run()
    flagged(world, *([quirk] if quirk else []))
    world.server.model.expire_tokens()
    assert methods(world) == ["REPORT", "PROPFIND", "REPORT"]
    assert methods(world) == ["REPORT"]


def test_a_token_is_good_for_a_day(world: OnQuirks) -> None:
    world.run()
    assert methods(world, today=TWO_DAYS_ON)[:2] == ["PROPFIND", "REPORT"]
    assert methods(world, today=TWO_DAYS_ON) == ["REPORT"]


def test_an_answer_in_pages_is_not_taken_for_the_whole(world: OnQuirks) -> None:
    world.run()
    flagged(world, Quirk.SYNC_IN_PAGES)
    assert methods(world) == ["REPORT", "PROPFIND", "REPORT"]


@pytest.mark.parametrize(
    "quirk",
    [
        Quirk.STALWART_BOGUS_TOKEN_LISTS_ALL,
        Quirk.STALWART_EXPIRED_TOKEN_IS_PARTIAL,
        Quirk.DAVICAL_UNISSUED_TOKEN_ACCEPTED,
    ],
)
def test_what_a_lying_token_hid_is_found_on_the_next_day(world: OnQuirks, quirk: Quirk) -> None:
    """The server takes a token that it should refuse, and tells nothing of a change by hand; nothing is harmed."""
    world.run()
    world.run()
    flagged(world, quirk)
    world.retitle("Bolt", "Ring Lee about the team")
    world.remove(world.find("E-mail Dana"))
    world.server.model.expire_tokens()
    if quirk is not Quirk.STALWART_EXPIRED_TOKEN_IS_PARTIAL:
        world.server.model._issued.clear()
    world.write(RENAMED)
    world.run()
    world.must_be_unharmed()
    world.run(today=TWO_DAYS_ON)
    assert "skipped" in world.answers()
    assert world.find("Ring Lee about the team")
    world.must_be_unharmed()


def test_where_there_is_a_ctag_alone_nothing_to_do_costs_one_request_too(world: OnQuirks) -> None:
    flagged(world, Quirk.SABRE_NO_SYNC_COLLECTION)
    assert methods(world)[:2] == ["PROPFIND", "REPORT"]
    assert methods(world) == ["PROPFIND", "REPORT"]  # what we wrote has changed it
    assert methods(world) == ["PROPFIND"]
    world.write(RENAMED)
    assert methods(world) == ["PROPFIND", "PUT"]
    assert methods(world) == ["PROPFIND", "REPORT"]
    deleted = handled(world)
    assert methods(world)[:3] == ["PROPFIND", "REPORT", "REPORT"]
    must_stay(world, deleted)


def test_a_ctag_that_may_hide_a_change_within_its_second_is_not_kept(world: OnQuirks) -> None:
    flagged(world, Quirk.SABRE_NO_SYNC_COLLECTION, Quirk.SOGO_SLOW_CTAG)
    world.run()
    world.run()
    deleted = handled(world)
    world.run()
    must_stay(world, deleted)
    assert "skipped" in world.answers()


def test_a_dry_run_takes_no_token(world: OnQuirks) -> None:
    before = len(world.server.log)
    world.run(dry_run=True)
    assert [each.method for each in world.server.log[before:]] == ["REPORT", "REPORT"]
