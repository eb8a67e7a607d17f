"""What a run sees: only what is new is read, what is ours is known whatever a server drops, and doubts are kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from calsync import ical, views
from calsync.errors import GuardError
from calsync.identity import hashes, uid_of
from calsync.model import Mark, Reminder, Resource, Stamp
from calsync.state import State, opened
from calsync.survey import Survey, Terms, changes, survey
from calsync.targets.base import Changes, Listing
from calsync.targets.memory import MemoryTarget

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
TERMS = Terms(name="default", zone=UTC, now=NOW, day=datetime(2026, 11, 23, tzinfo=UTC))
CALL, CHECK = "bolt/application-call/1", "acme/check-in/1.1"
REMINDER = Reminder(start=date(2026, 11, 23), end=date(2026, 11, 28), summary="Call Lee")
FOREIGN = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:dentist\r\nSUMMARY:Dentist\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"


class Place(MemoryTarget):
    """Counts what is read; `hidden` items are in no list, `mute` ones have no text, and it may say that it is new."""

    name = "caldav"

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.hidden: set[str] = set()
        self.mute: set[str] = set()
        self.is_new = False
        self.whole = True

    def listing(self) -> Listing:
        etags = {href: etag for href, etag in super().listing().etags.items() if href not in self.hidden}
        return Listing(etags, self.whole, self.is_new)

    def fetch(self, hrefs: Iterable[str]) -> Mapping[str, Resource]:
        hrefs = list(hrefs)
        self.fetched += hrefs
        return super().fetch(href for href in hrefs if href not in self.mute)


@pytest.fixture
def place() -> Place:
    return Place()


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with opened(tmp_path / "state", writes=True) as state:
        yield state


def body(window: str = CALL, generation: int = 1, name: str = "default") -> str:
    mark = Mark(name, window, generation)
    return ical.build(REMINDER, mark, uid_of(mark, "caldav"), Stamp(NOW, 0), UTC, hashes(REMINDER))


def stripped(text: str) -> str:
    return re.sub(r"^X-[^\r]*(?:\r\n [^\r]*)*\r\n", "", text, flags=re.MULTILINE)


def look(
    place: Place, state: State, windows: Iterable[str] = (CALL, CHECK), *, dry_run: bool = False, **terms: Any
) -> Survey:
    return survey(place, state, replace(TERMS, **terms), windows, dry_run=dry_run)


def seen(found: Survey) -> dict[str, str]:
    """The window of each event of ours, by href."""
    marks = {each.href: found.eyes.mark(each.item) for each in found.known.found}
    return {href: mark.window for href, mark in marks.items() if mark}


# ------------------------------------------------------------------------------------------------ reading


def test_all_is_read_once_and_then_what_is_new_or_changed(place: Place, state: State):
    place.put("a.ics", body(CALL))
    place.put("b.ics", FOREIGN)
    look(place, state)
    assert sorted(place.fetched) == ["a.ics", "b.ics"]
    place.fetched.clear()
    look(place, state)
    assert place.fetched == []
    place.put("a.ics", body(CALL).replace("Call Lee", "Ring Lee"))
    place.put("c.ics", body(CHECK))
    found = look(place, state)
    assert sorted(place.fetched) == ["a.ics", "c.ics"]
    assert found.seen["a.ics"].item is not None
    assert found.seen["a.ics"].item.reminder.summary == "Ring Lee"
    assert seen(found) == {"a.ics": CALL, "c.ics": CHECK}


def test_a_dry_run_reads_and_keeps_nothing(place: Place, state: State):
    place.put("a.ics", body())
    found = look(place, state, dry_run=True)
    assert seen(found) == {"a.ics": CALL}
    assert state.entries(found.place) == {}


def test_what_we_wrote_is_told_by_the_event_itself(place: Place, state: State):
    place.put("a.ics", body().replace("Call Lee", "Ring Lee"))
    found = look(place, state)
    assert found.known.memory[CALL].base == hashes(REMINDER)
    assert (found.known.memory[CALL].href, found.known.memory[CALL].generation) == ("a.ics", 1)


def test_the_text_of_others_is_not_kept(place: Place, state: State):
    place.put("b.ics", FOREIGN)
    found = look(place, state)
    assert found.known.others == {"b.ics"}
    assert state.entries(found.place)["b.ics"].resource.body == ""


# ------------------------------------------------------------------------------------------- what is ours


def test_a_copy_of_ours_and_an_event_of_another_name_are_not_ours(place: Place, state: State):
    place.put("a.ics", re.sub(r"UID:.*", "UID:copy\r", body()))
    place.put("b.ics", body(name="another"))
    found = look(place, state)
    assert found.known.found == ()
    assert found.known.others == {"a.ics", "b.ics"}


def test_an_event_that_lost_its_mark_is_known_by_the_uid_that_we_would_give(place: Place, state: State):
    place.put("a.ics", stripped(body(CALL)))
    place.put("b.ics", stripped(body("gone/check-in/1.1")))
    assert seen(look(place, state)) == {"a.ics": CALL}


def test_after_a_deletion_the_next_uid_is_known_too(place: Place, state: State):
    where = TERMS.place(place)
    state.retire(where, CALL, 2)
    for generation in (1, 2, 3, 4):
        place.put(f"{generation}.ics", stripped(body(CALL, generation)))
    assert sorted(seen(look(place, state))) == ["1.ics", "2.ics", "3.ics"]


def test_an_event_that_lost_its_mark_keeps_what_the_cache_knows_of_it(place: Place, state: State):
    place.put("a.ics", body("gone/check-in/1.1"))
    look(place, state)
    place.put("a.ics", stripped(body("gone/check-in/1.1")))
    found = look(place, state)
    assert seen(found) == {"a.ics": "gone/check-in/1.1"}
    assert found.seen["a.ics"].base == hashes(REMINDER)
    item = found.seen["a.ics"].item
    assert item is not None
    assert item.written == NOW


def test_an_event_that_lost_its_base_alone_keeps_what_the_cache_knows_of_it(place: Place, state: State):
    place.put("a.ics", body(CALL))
    look(place, state)
    place.put("a.ics", re.sub(r"X-CALSYNC-BASE[^\r]*(?:\r\n [^\r]*)*\r\n", "", body(CALL)))
    found = look(place, state)
    assert found.known.found[0].item.base is None
    assert found.known.memory[CALL].base == hashes(REMINDER)


def test_an_event_under_our_uid_with_the_mark_of_another_is_not_ours(place: Place, state: State):
    ours, theirs = (uid_of(Mark(name, CALL, 1), "caldav") for name in ("default", "second"))
    place.put("a.ics", body(CALL, name="second").replace(theirs, ours))
    assert seen(look(place, state)) == {}


def test_of_two_generations_the_later_is_remembered(place: Place, state: State):
    place.put("z.ics", body(CALL, 1))
    place.put("a.ics", body(CALL, 2))
    assert look(place, state).known.memory[CALL].generation == 2


# ------------------------------------------------------------------------------------------------- doubt


def test_what_is_listed_and_cannot_be_read_is_in_doubt_and_not_there(place: Place, state: State):
    place.put("a.ics", body())
    look(place, state)
    place.put("a.ics", body().replace("Call Lee", "Ring Lee"))
    place.mute = {"a.ics"}
    found = look(place, state)
    assert not found.known.whole
    assert found.seen == {}
    assert CALL in found.known.memory
    place.mute = set()
    assert seen(look(place, state)) == {"a.ics": CALL}


def test_a_new_item_that_cannot_be_read_is_nothing_that_we_know(place: Place, state: State):
    place.put("a.ics", body())
    place.mute = {"a.ics"}
    found = look(place, state)
    assert found.known.whole
    assert found.seen == {}


def test_a_list_in_doubt_is_said_to_be(place: Place, state: State):
    place.whole = False
    assert not look(place, state).known.whole


def test_what_is_in_no_list_is_missing_until_it_is_seen_elsewhere(place: Place, state: State):
    place.put("a.ics", body(CALL))
    place.put("b.ics", body(CHECK))
    look(place, state)
    place.hidden = {"a.ics"}
    found = look(place, state)
    assert sorted(found.missing) == [CALL]
    place.put("c.ics", body(CALL))
    assert look(place, state).missing == {}


def test_what_was_undone_is_neither_missing_nor_remembered(place: Place, state: State):
    place.put("a.ics", body(CALL))
    look(place, state)
    state.undo("caldav", "default", CALL)
    place.hidden = {"a.ics"}
    found = look(place, state)
    assert (found.missing, dict(found.known.memory)) == ({}, {})
    assert found.known.retired == {CALL: 1}


# ------------------------------------------------------------------------------------------ another place


def test_a_calendar_that_is_gone_or_another_one_stops_the_run(place: Place, state: State):
    place.put("a.ics", body())
    look(place, state, expected="memory")
    place.is_new = True
    with pytest.raises(GuardError, match=r"not there any more.*--force"):
        look(place, state, expected="memory", now=NOW + timedelta(days=2))
    assert look(place, state, expected="memory", force=True).known.whole
    place.is_new, place.where = False, "elsewhere"
    with pytest.raises(GuardError, match="elsewhere was found instead"):
        look(place, state, expected="memory")
    assert look(place, state, expected="memory", force=True).known.whole


def test_where_nothing_of_ours_was_another_calendar_will_do(place: Place, state: State):
    look(place, state, expected="memory")
    place.where, place.is_new = "elsewhere", True
    assert look(place, state, expected="memory").known.whole
    assert look(place, state, expected=None).known.whole


class Elsewhere(Place):
    """Takes any token, as DAViCal, and is found at another place by who asks it."""

    def changes(self, token: str) -> Changes:
        self.where = "elsewhere"
        return Changes({}, frozenset(), token)


def test_what_another_calendar_says_to_a_token_of_ours_counts_for_nothing(state: State):
    place = Elsewhere()
    place.put("a.ics", body())
    views.keep(state, TERMS.place(place), views.in_full(place, NOW, dry_run=False), ())
    assert changes(place, state, replace(TERMS, expected="memory")) is None
