"""What a sync costs: the requests of each scenario, with sync-collection and with a ctag alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from tests.quirks import Quirk, QuirkServer
from tests.quirks.test_sync_on_quirks import handled, must_stay
from tests.quirks.world import OnQuirks
from tests.samples import MOVED, RENAMED
from tests.scripted import Asked, Reply

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


# ------------------------------------------------------------------------------------- several at a time


def journal(count: int) -> str:
    return "applications:\n" + "".join(
        f"  - {{company: Company {number}, contact: {{phone: +1 312 555 01{number:02}}}, "
        f"events: [{{applied: 2026-11-18}}]}}\n"
        for number in range(count)
    )


def widest(world: OnQuirks, *, patience: float) -> int:
    """How many PUTs the server had at a time during one run.

    The first ones wait for company, up to `patience` seconds; each then stays a little, so that too many would meet.
    The very first waits in vain: it is sent alone.
    """
    met, now, most = threading.Condition(), [0], [0]
    put = world.server._dav.do_put

    def counted(path: str, asked: Asked) -> Reply:
        with met:
            now[0] += 1
            most[0] = max(most[0], now[0])
            met.notify_all()
            met.wait_for(lambda: most[0] > 1, patience)
        time.sleep(0.02)
        reply = put(path, asked)
        with met:
            now[0] -= 1
        return reply

    world.server._dav.do_put = counted  # type: ignore[method-assign]  # the server's doing, seen from within
    world.run()
    return most[0]


def test_writes_go_over_a_few_connections_at_a_time(world: OnQuirks) -> None:
    world.write(journal(12))
    assert 2 <= widest(world, patience=1) <= 8
    assert len(world.shown()) == 12


def test_with_one_connection_writes_go_one_by_one(world: OnQuirks) -> None:
    world.write(journal(6))
    settings = world.caldav()
    world.caldav = lambda: f"{settings}, connections: 1"  # type: ignore[method-assign]  # another config
    assert widest(world, patience=0) == 1


def test_deletes_come_before_creates_and_creates_before_updates(world: OnQuirks) -> None:
    world.run()
    world.write(MOVED)
    before = len(world.server.writes())
    world.run()
    writes = world.server.writes()[before:]
    kinds = [("DELETE" if each.method == "DELETE" else next(iter(each.conditions))) for each in writes]
    assert kinds == ["DELETE", "DELETE", "if-none-match", "if-match"]


def test_where_no_etag_is_told_all_that_was_written_is_read_back_at_once(world: OnQuirks) -> None:
    flagged(world, Quirk.GOOGLE_NO_ETAG_ON_PUT)
    world.write(journal(8))
    assert methods(world) == ["PROPFIND", "REPORT", "REPORT", *["PUT"] * 8, "REPORT"]
    assert methods(world) == ["REPORT"]
