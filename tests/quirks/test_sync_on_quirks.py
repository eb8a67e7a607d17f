"""The promises of a sync under every quirk of a server, alone and together, and with a request lost at any point."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import partial
from pathlib import Path

import pytest

from tests.quirks import FITFUL, REFUSING, Fault, Limits, Quirk, QuirkServer
from tests.quirks.model import Model
from tests.quirks.world import OnQuirks, Shown, shown, wanted
from tests.samples import JOURNAL, MOVED, REJECTED, RENAMED
from tests.test_sync import uid

FOLLOWING = [quirk for quirk in Quirk if quirk not in REFUSING]
"""With these every wish is met, if not at once."""

A_DAY_ON = date(2026, 11, 25)
"""On its first moment, the listing made at NOW is more than a day old."""

COMBINATIONS = 16
SEED = 5

Opened = Callable[..., OnQuirks]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    """Opens worlds, each on a server of its own with the flags given."""
    servers: list[QuirkServer] = []

    def open_with(*flags: Quirk, **limits: int) -> OnQuirks:
        server = QuirkServer(flags, limits=Limits(**limits))
        servers.append(server.start())
        return OnQuirks(tmp_path / f"world-{len(servers)}", server)

    yield open_with
    for server in servers:
        server.stop()


def patience(*flags: Quirk) -> int:
    """How many runs it may take until all is as wanted, the last of which only looks: 2, more where a server fails."""
    return 2 + 8 * len(FITFUL & set(flags))


def must_follow(world: OnQuirks, journal: str, runs: int) -> None:
    """With this journal, the calendar shows what it says after so many runs, the last of which writes nothing."""
    world.write(journal)
    world.settle(runs, partial(as_wanted, world, journal))
    assert as_wanted(world, journal)
    assert world.is_settled


def as_wanted(world: OnQuirks, journal: str) -> bool:
    """Whether the calendar shows what the journal says."""
    return world.shown() == wanted(journal)


def must_be_dry(world: OnQuirks) -> None:
    """A dry run sends no write."""
    before = dict(world.items())
    assert world.writes_of(dry_run=True)[1] == 0
    assert world.items() == before


# --------------------------------------------------------------------------------------------- one quirk


@pytest.mark.parametrize("quirk", FOLLOWING)
def test_the_calendar_follows_the_journal_also_with_the_state_lost(opened: Opened, quirk: Quirk) -> None:
    """From the first sync over a change to a rejection; each time the next run writes nothing.

    A lost state alone writes nothing, and a change after it finds the same events; UIDs and places stay.
    """
    world, runs = opened(quirk), patience(quirk)
    must_follow(world, JOURNAL, runs)
    before = dict(world.items())
    if quirk is not Quirk.OUTLOOK_DROPS_X:  # then nothing would say whose the old words are
        world.lose_state()
    world.write(RENAMED)
    must_be_dry(world)
    must_follow(world, RENAMED, runs)
    assert world.items().keys() == before.keys()
    assert all(uid(body) == uid(before[href]) for href, body in world.items().items())
    must_follow(world, REJECTED, runs)
    assert world.items().keys() < before.keys()
    before = dict(world.items())
    world.lose_state()
    world.settle(runs)
    assert world.items() == before
    world.must_be_unharmed()


@pytest.mark.parametrize("quirk", FOLLOWING)
def test_what_a_person_did_stays(opened: Opened, quirk: Quirk) -> None:
    """A title changed by hand stays through a change of the journal, and what was deleted stays deleted.

    What was deleted or ticked off stands in the answers, once. So it is with the state lost, too.
    """
    world = opened(quirk)
    must_follow(world, JOURNAL, patience(quirk))
    must_be_heard(world, handled(world), RENAMED, patience(quirk))


@pytest.mark.parametrize("words", ["✓ Call Dana", "Ring Lee", "Dentist"])
def test_what_a_person_did_stays_whichever_item_is_left_out(opened: Opened, words: str) -> None:
    """As above, where all bad listings, and bad answers to a token, leave out the same item."""
    world, runs = opened(Quirk.LISTING_MISSES_AN_ITEM), patience(Quirk.LISTING_MISSES_AN_ITEM)
    must_follow(world, JOURNAL, runs)
    deleted = handled(world)
    world.server.model.list_last(world.find(words))
    must_be_heard(world, deleted, RENAMED, runs)


def must_be_heard(
    world: OnQuirks, deleted: Shown, journal: str, runs: int, strike: Callable[[], None] = lambda: None
) -> None:
    """What that person did stays through a change of the journal, and stands in the answers; with the state lost, too.

    Where the answer to a token leaves out a change, nothing can tell that it does: then a list a day later has it.
    """
    world.write(journal)
    for lose in (False, True):
        if lose:
            world.lose_state()
        strike()
        world.settle(runs)
        must_stay(world, deleted)
        if Quirk.LISTING_MISSES_AN_ITEM in world.server.flags:
            world.day = A_DAY_ON
            world.settle(runs, partial(is_known, world))
            must_stay(world, deleted)
        assert is_known(world)
    world.must_be_unharmed()


def handled(world: OnQuirks) -> Shown:
    """A person changes a title, ticks off an event, and deletes another, which is returned."""
    world.retitle("Bolt", "Ring Lee about the team")
    world.retitle("Call Dana", "✓ Call Dana")
    href = world.find("E-mail Dana")
    event = shown(world.items()[href])
    world.remove(href)
    return event


def must_stay(world: OnQuirks, deleted: Shown) -> None:
    """What that person did has not been undone."""
    assert world.find("Ring Lee about the team")
    assert world.find("✓ Call")
    assert deleted not in world.shown()


def is_known(world: OnQuirks) -> bool:
    """Whether what that person did stands in the answers, once."""
    answers = world.answers()
    return (answers.count("contacted:"), answers.count("skipped:")) == (1, 1)


TOKENS = {
    (): Model.expire_tokens,
    (Quirk.XANDIKOS_TOKEN_ERROR_412,): Model.forget_tokens,
    (Quirk.STALWART_BOGUS_TOKEN_LISTS_ALL,): Model.forget_tokens,
    (Quirk.STALWART_EXPIRED_TOKEN_IS_PARTIAL,): Model.expire_tokens,
    (Quirk.DAVICAL_UNISSUED_TOKEN_ACCEPTED,): Model.forget_tokens,
    (Quirk.SYNC_IN_PAGES,): Model.expire_tokens,
    (Quirk.SOGO_SECONDS_AS_TOKENS,): Model.forget_tokens,
    (Quirk.NO_SYNC_COLLECTION_501, Quirk.SOGO_SLOW_CTAG): Model.forget_tokens,
}
"""What becomes of the tokens while a person is at work, on servers that deal with it in ways of their own."""


@pytest.mark.parametrize("quirks", TOKENS, ids=lambda quirks: "+".join(quirks) or "none")
def test_what_a_person_did_behind_a_token_that_is_no_good_stays(opened: Opened, quirks: tuple[Quirk, ...]) -> None:
    """At once through a change of the journal; and a day later, with the state lost, what was deleted stays so."""
    world = opened(*quirks)
    must_follow(world, JOURNAL, 3)
    deleted = handled(world)
    TOKENS[quirks](world.server.model)
    world.write(RENAMED)
    for _ in range(2):
        world.run()
        must_stay(world, deleted)
    world.run(today=A_DAY_ON)
    world.lose_state()
    for _ in range(2):
        world.run(today=A_DAY_ON)
        must_stay(world, deleted)
        assert is_known(world)
    world.must_be_unharmed()


# ------------------------------------------------------------------------------ what a server never does


def test_where_writes_lead_to_a_login_page_nothing_is_taken_for_written(opened: Opened) -> None:
    world = opened(Quirk.PUT_REDIRECTS_TO_LOGIN)
    for _ in range(2):
        report = world.run()
        assert report.exit_code == 4
        assert "redirect" in str(report.errors[0])
        assert world.shown() == ()
        assert [outcome.changes for outcome in report.outcomes] == [[]]
    world.must_be_unharmed()


def test_where_nothing_may_be_deleted_that_is_said_and_the_rest_is_done(opened: Opened) -> None:
    world = opened(Quirk.NEXTCLOUD_DELETE_403)
    must_follow(world, JOURNAL, 2)
    world.write(MOVED)
    for _ in range(2):
        report = world.run()
        assert report.exit_code == 1
        assert len(report.outcomes[0].failed) == 2
        assert len(world.shown()) == 4
    assert set(wanted(MOVED)) < set(world.shown())
    world.must_be_unharmed()


def test_where_the_calendar_is_full_what_fits_is_written_and_the_rest_said(opened: Opened) -> None:
    world = opened(Quirk.CALENDAR_FULL_507, room=3)
    for _ in range(2):
        report = world.run()
        assert report.exit_code == 1
        [failure] = report.outcomes[0].failed
        assert "space" in failure.because
        assert set(world.shown()) < set(wanted(JOURNAL))
        assert len(world.shown()) == 2
    world.must_be_unharmed()


def test_where_an_event_is_too_large_that_is_said_and_the_others_are_written(opened: Opened) -> None:
    free = opened()
    free.run()
    sizes = sorted(len(body.encode()) for href, body in free.items().items() if href != free.foreign)
    world = opened(Quirk.MAX_RESOURCE_SIZE_403, size=sizes[-2])
    for _ in range(2):
        report = world.run()
        assert report.exit_code == 1
        [failure] = report.outcomes[0].failed
        assert "larger than the server allows" in failure.because
        assert len(world.shown()) == 2
    world.must_be_unharmed()


def test_where_the_list_is_too_long_for_the_server_nothing_is_concluded(opened: Opened) -> None:
    world = opened(Quirk.APPLE_TOO_MANY_MATCHES, matches=3)
    world.run()
    before = dict(world.items())
    assert len(before) == 4
    for journal in (JOURNAL, REJECTED, "applications: []\n"):
        world.write(journal)
        assert world.run().exit_code != 0
        assert world.items() == before


def test_a_calendar_that_may_not_be_made_is_asked_for_in_words(opened: Opened) -> None:
    world = opened(Quirk.GOOGLE_NO_MKCALENDAR)
    by_name = world.caldav().replace(f"'{world.calendar}'", "Nowhere")
    report = world.run(caldav=by_name)
    assert report.exit_code == 1
    assert "Make it in your calendar app" in str(report.errors[0])


@pytest.mark.parametrize(
    "quirk",
    [
        Quirk.ICLOUD_REDIRECTS,
        Quirk.ICLOUD_ABSOLUTE_HREFS,
        Quirk.CYRUS_WANTS_XML_TYPE,
        Quirk.CYRUS_ROOT_WITHOUT_LOGIN,
        Quirk.NEXTCLOUD_FEW_CALENDARS,
        Quirk.RADICALE_HTTP_1_0,
    ],
)
def test_a_calendar_is_found_by_its_name_and_made_where_missing(opened: Opened, quirk: Quirk) -> None:
    world = opened(quirk)
    for name, events in (("Job search", 4), ("Follow-ups", 3)):
        by_name = world.caldav().replace(f"'{world.calendar}'", name)
        report = world.run(caldav=by_name)
        assert (report.exit_code, len(world.server.items(report.outcomes[0].where))) == (0, events)
        before = len(world.server.writes())
        assert world.run(caldav=by_name).outcomes[0].requests == 1
        assert len(world.server.writes()) == before
    world.must_be_unharmed()


# -------------------------------------------------------------------------------------- several at once


def combinations() -> list[tuple[tuple[Quirk, ...], Fault, int]]:
    """Pairs and triples, and a fault at one of the first requests of each change; the same ones in every run."""
    chance = random.Random(SEED)
    several = [
        (chance.sample(list(Quirk), chance.choice((2, 3))), chance.choice(list(Fault))) for _ in range(COMBINATIONS)
    ]
    return [(tuple(quirks), fault, chance.randint(1, 5)) for quirks, fault in several]


@pytest.mark.parametrize(("quirks", "fault", "at"), combinations())
def test_quirks_and_faults_together_do_no_harm(
    opened: Opened, quirks: tuple[Quirk, ...], fault: Fault, at: int
) -> None:
    """Through changes of the journal and by hand: nothing foreign touched, no duplicates, no blind writes.

    Where each quirk alone lets every wish be met, so do they together.
    """
    world, runs = opened(*quirks, room=3, size=1000, matches=3), patience(*quirks) + 2
    follows = not REFUSING & set(quirks) and not is_hopeless(*quirks)
    for journal in (JOURNAL, RENAMED):
        world.write(journal)
        world.server.inject(fault, at)
        world.settle(runs, partial(as_wanted, world, journal) if follows else lambda: True)
        assert not follows or as_wanted(world, journal)
        world.must_be_unharmed()
    if follows:
        must_be_heard(world, handled(world), JOURNAL, runs, partial(world.server.inject, fault, at))


def is_hopeless(*quirks: Quirk) -> bool:
    """Whether together they leave a sync no way to do what is wanted.

    Weak ETags leave nothing to put into If-Match, so a server that insists on one takes no update. And where a listing
    does not name what a person changed, If-Match alone could save it.
    """
    several = set(quirks)
    hides = {Quirk.LISTING_MISSES_AN_ITEM, Quirk.ZIMBRA_IGNORES_IF_MATCH}
    return hides <= several or {Quirk.NGINX_WEAK_ETAGS, Quirk.OX_BLIND_OVERWRITE_409} <= several


@pytest.mark.parametrize(
    "quirks",
    [
        (),
        (Quirk.CYRUS_RACING_PUTS_BOTH_WIN,),
        (Quirk.CYRUS_RACING_PUTS_BOTH_WIN, Quirk.GOOGLE_NO_ETAG_ON_PUT),
        (Quirk.CYRUS_RACING_PUTS_BOTH_WIN, Quirk.OUTLOOK_DROPS_X),
        (Quirk.OX_RENAMES,),
        (Quirk.RENAMES_SILENTLY, Quirk.BAIKAL_ACCEPTS_DUPLICATE_UIDS),
        (Quirk.RENAMES_SILENTLY, Quirk.NEXTCLOUD_UID_CLASH_400, Quirk.NEXTCLOUD_TRASH_BIN),
        (Quirk.SOGO_IF_NONE_MATCH_OVERWRITES, Quirk.ZIMBRA_IGNORES_IF_MATCH),
    ],
    ids=lambda quirks: "+".join(quirks) or "none",
)
def test_two_machines_at_work_at_once_agree_in_the_end(
    opened: Opened, tmp_path: Path, quirks: tuple[Quirk, ...]
) -> None:
    """Each on a state of its own: after their next runs all is as wanted, once, and neither writes any more."""
    one = opened(*quirks)
    two = OnQuirks(tmp_path / "another", one.server, one)
    for journal in (JOURNAL, MOVED):
        for world in (one, two):
            world.write(journal)
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(OnQuirks.run, (one, two)))
        for world in (one, two):
            world.run()
        assert [world.writes_of()[1] for world in (one, two)] == [0, 0]
        assert as_wanted(one, journal)
    one.must_be_unharmed()


# ----------------------------------------------------------------------------------------------- faults

AFTER_LOST_REPLIES = [
    Quirk.GOOGLE_NO_ETAG_ON_PUT,
    Quirk.NGINX_WEAK_ETAGS,
    Quirk.SOGO_IF_NONE_MATCH_OVERWRITES,
    Quirk.ZIMBRA_IGNORES_IF_MATCH,
    Quirk.BAIKAL_ACCEPTS_DUPLICATE_UIDS,
    Quirk.NEXTCLOUD_TRASH_BIN,
    Quirk.OX_RENAMES,
    Quirk.RENAMES_SILENTLY,
    Quirk.OUTLOOK_DROPS_X,
]
"""With these it matters most whether a write whose answer was lost was done."""


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("situation", ["a first sync", "an update"])
def test_a_fault_at_any_request_is_made_good_by_the_next_run(opened: Opened, situation: str, fault: Fault) -> None:
    for at in itertools.count(1):
        if not struck(opened(), situation, fault, at):
            break
    assert at > 5


@pytest.mark.parametrize("quirk", AFTER_LOST_REPLIES)
def test_a_lost_answer_is_made_good_whatever_the_server(opened: Opened, quirk: Quirk) -> None:
    world = opened(quirk)
    start = begin(world, "an update")
    world.run()
    writes = [each.number - start for each in world.server.writes() if each.number > start]
    assert len(writes) > 3
    for at in writes:
        assert struck(opened(quirk), "an update", Fault.LOST_AFTER, at)


def begin(world: OnQuirks, situation: str) -> int:
    """Bring the world into the situation before the run that matters; the number of requests so far."""
    if situation == "an update":
        world.run()
        world.write(MOVED)
    return len(world.server.log)


def struck(world: OnQuirks, situation: str, fault: Fault, at: int) -> bool:
    """Run with the fault at that request; the next run mends what is left, and the one after it writes nothing.

    False if there was no such request.
    """
    begin(world, situation)
    world.server.inject(fault, at)
    world.run()
    if not any(each.fault for each in world.server.log):
        return False
    world.run()
    report, writes = world.writes_of()
    assert (report.exit_code, writes) == (0, 0), f"{fault} at request {at}"
    assert as_wanted(world, MOVED if situation == "an update" else JOURNAL), f"{fault} at request {at}"
    world.must_be_unharmed()
    return True
