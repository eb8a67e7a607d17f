"""Never too much is concluded: each guard of `docs/identity.md`, with what would happen without it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from calsync import ical, state
from calsync.identity import hashes, uid_of
from calsync.model import Mark, Resource
from calsync.targets.base import Changes
from calsync.targets.memory import MemoryTarget
from tests.test_reconcile import (
    CALL,
    JOURNAL,
    NOW,
    REJECTED,
    RENAMED,
    CrashError,
    Desk,
    Doubtful,
    Falling,
    Race,
    Stripping,
    counted,
    kept,
)

TOMORROW = NOW + timedelta(days=1, hours=1)
"""All is listed anew by then, whatever a token says."""


def answers(desk: Desk) -> str:
    path = desk.folder / "answers.yaml"
    return path.read_text(encoding="utf-8") if path.exists() else ""


def href_of(desk: Desk, words: str) -> str:
    return next(href for href, body in desk.target.items.items() if words in body)


def test_a_list_that_leaves_an_event_out_without_a_word_is_no_deletion(tmp_path: Path):
    """The event itself is asked for: it stands."""
    desk = Desk(tmp_path, target := Race())
    desk.run()
    before = target.items
    target.hidden = {href_of(desk, "Lee")}
    for later in (timedelta(0), timedelta(days=1, hours=1)):
        report = desk.run(NOW + later)
        assert (counted(report), report.outcomes[0].answers) == ((0, 0, 0), ())
    assert (answers(desk), target.items) == ("", before)
    target.hidden = set()
    assert (counted(desk.run(TOMORROW)), answers(desk), target.items) == ((0, 0, 0), "", before)


class Overlooking(Race):
    """Lists as Race, and has tokens."""

    def token(self) -> str | None:  # type: ignore[override]  # Doubtful has none
        return MemoryTarget.token(self)


class Doubting(Doubtful):
    """Lists as Doubtful, and has tokens."""

    def token(self) -> str | None:  # type: ignore[override]  # Doubtful has none
        return MemoryTarget.token(self)


@pytest.mark.parametrize("target", [Overlooking, Doubting])
@pytest.mark.parametrize(("now", "then", "does"), [(JOURNAL, RENAMED, (0, 1, 0)), (REJECTED, REJECTED, (0, 0, 1))])
def test_what_a_list_left_out_is_looked_for_by_the_next_run(tmp_path: Path, target, now, then, does):
    """A token taken beside a list in doubt would tell of nothing, and the event would not follow the journal that day.

    Where a list left an unwanted event out without a word, nothing can tell; the list of the next day has it.
    """
    desk = Desk(tmp_path, target())
    desk.run()
    desk.lose_state()
    desk.write(now)
    desk.target.hidden = {href_of(desk, "Lee")}
    assert counted(desk.run()) == (0, 0, 0)
    desk.target.hidden = set()
    desk.write(then)
    is_unseen = target is Overlooking and now == REJECTED
    assert counted(desk.run(TOMORROW if is_unseen else NOW)) == does


class DoubtingOnce(Doubting):
    """As Doubting, and it tells no changes while it hides something."""

    def changes(self, token: str) -> Changes | None:
        return None if self.hidden else super().changes(token)


def test_what_a_list_in_doubt_came_to_is_not_told_again(tmp_path: Path):
    """The token of before is good again, and says that nothing changed: what was noted last was noted in doubt."""
    desk = Desk(tmp_path, target := DoubtingOnce())
    for _ in range(3):
        desk.run()
    target.hidden = {href_of(desk, "Lee")}
    assert CALL in kept(desk.run())
    target.hidden = set()
    report = desk.run()
    assert (kept(report), report.outcomes[0].unchanged) == ({}, 3)


def test_in_a_list_in_doubt_a_real_deletion_is_not_heard_until_a_whole_list_says_so(tmp_path: Path):
    desk = Desk(tmp_path, target := Doubtful())
    desk.run()
    other = href_of(desk, "E-mail Dana")
    target.remove(href_of(desk, "Lee"))
    target.hidden = {other}
    for _ in range(2):
        report = desk.run(TOMORROW)
        assert counted(report) == (0, 0, 0)
        assert CALL in kept(report)
        assert answers(desk) == ""
    target.hidden = set()
    desk.run(TOMORROW)
    assert CALL in answers(desk)
    assert answers(desk).count("skipped") == 1


class Bare(Stripping, Doubtful):
    """Drops marks, and lists in doubt: then the cache alone knows the events."""


def test_what_is_wanted_no_more_is_not_forgotten_in_a_list_in_doubt(tmp_path: Path):
    """Else its UID would count as used up, and a second event of the window would be made beside it."""
    desk = Desk(tmp_path, target := Bare())
    desk.run()
    target.hidden = {href_of(desk, "Lee")}
    desk.write(REJECTED)
    desk.run(TOMORROW)
    target.hidden = set()
    desk.write(JOURNAL)
    assert counted(desk.run(TOMORROW)) == (0, 0, 0)
    assert len(target.items) == 3


def test_of_two_generations_the_later_one_is_heard(tmp_path: Path):
    """The other was left behind by another computer, and goes."""
    desk = Desk(tmp_path)
    desk.run()
    href = href_of(desk, "Lee")
    item = ical.parse(desk.target.items[href])
    assert item is not None
    later = Mark("default", CALL, 2)
    uid, base = uid_of(later, "caldav"), hashes(item.reminder)
    desk.target.put("0.ics", ical.build(item.reminder, later, uid, item.stamp, ZoneInfo("UTC"), base))
    desk.target.put(href, desk.target.items[href].replace("SUMMARY:Call", "SUMMARY:✓ Call"))
    report = desk.run()
    assert (counted(report), answers(desk)) == ((0, 0, 1), "")
    assert href not in desk.target.items


class Liar(MemoryTarget):
    """Says of `denied` items, to who asks for changes, that they are gone; they are not."""

    def __init__(self) -> None:
        super().__init__()
        self.denied: set[str] = set()

    def changes(self, token: str) -> Changes | None:
        found = super().changes(token)
        return found and replace(found, gone=found.gone | self.denied)


def test_a_change_that_tells_of_a_deletion_which_was_none_is_no_deletion(tmp_path: Path):
    desk = Desk(tmp_path, target := Liar())
    desk.run()
    desk.run()
    before = target.items
    target.denied = {href_of(desk, "Lee")}
    report = desk.run()
    assert (counted(report), answers(desk), target.items) == ((0, 0, 0), "", before)


def test_of_several_deletions_that_are_told_only_those_that_were_are_heard(tmp_path: Path):
    desk = Desk(tmp_path, target := Liar())
    desk.run()
    desk.run()
    target.denied = {href_of(desk, "Lee")}
    target.remove(href_of(desk, "E-mail Dana"))
    desk.run()
    assert CALL not in answers(desk)
    assert answers(desk).count("skipped") == 1


class OfNow(MemoryTarget):
    """Says nothing of what came and went since a token, as Xandikos."""

    def changes(self, token: str) -> Changes | None:
        found = super().changes(token)
        return found and replace(found, gone=frozenset())


def test_a_reminder_that_is_deleted_before_the_run_after_the_one_that_made_it_stays_deleted(tmp_path: Path):
    """The token is older than the reminder, so that the answer to it need not tell of either."""
    desk = Desk(tmp_path, target := OfNow())
    desk.run()
    target.remove(href_of(desk, "Lee"))
    assert CALL in [answer.event.window for answer in desk.run().outcomes[0].answers]
    assert counted(desk.run()) == (0, 0, 0)
    assert len(target.items) == 2


class FallingOfNow(OfNow, Falling):
    """As OfNow, and it falls over."""


def test_after_a_crash_a_deletion_that_no_token_tells_is_heard_all_the_same(tmp_path: Path):
    """The token of before the crash is older than what was written on the way."""
    desk = Desk(tmp_path, target := FallingOfNow(0, done=False, error=CrashError()))
    desk.write(REJECTED)
    for _ in range(2):
        desk.run()
    before = set(target.items)
    desk.write(many(2))
    target.writes, target.at = itertools.count(1), 4  # two are deleted, and one of two is made
    with pytest.raises(CrashError):
        desk.run()
    target.at = 0
    [made] = set(target.items) - before
    target.remove(made)
    assert len(desk.run().outcomes[0].answers) == 1


class Silent(MemoryTarget):
    """Says to any token that nothing changed."""

    def changes(self, token: str) -> Changes:
        return Changes({}, frozenset(), token)


@pytest.mark.parametrize("then", [NOW, NOW + timedelta(days=3)])
def test_a_token_is_believed_for_a_day_whichever_way_the_clock_goes(tmp_path: Path, then: datetime):
    desk = Desk(tmp_path, target := Silent())
    for _ in range(3):
        desk.run(NOW + timedelta(days=2))
    target.remove(href_of(desk, "Lee"))
    assert desk.run(NOW + timedelta(days=2)).outcomes[0].answers == ()
    desk.run(then)
    assert CALL in answers(desk)


class Spelling(MemoryTarget):
    """Spells hrefs otherwise where it tells changes, and knows both spellings."""

    def changes(self, token: str) -> Changes | None:
        found = super().changes(token)
        return found and replace(found, etags={href.replace("-", "%2D"): etag for href, etag in found.etags.items()})

    def fetch(self, hrefs: Iterable[str]) -> Mapping[str, Resource]:
        spelled = {href.replace("%2D", "-"): href for href in hrefs}
        return {spelled[href]: replace(item, href=spelled[href]) for href, item in super().fetch(spelled).items()}

    def delete(self, item: Resource) -> None:
        super().delete(replace(item, href=item.href.replace("%2D", "-")))


def test_an_event_that_is_spelled_otherwise_among_the_changes_is_no_second_one(tmp_path: Path):
    """Else one of the two would be taken out as left over, and with it the event."""
    desk = Desk(tmp_path, target := Spelling())
    for _ in range(2):
        desk.run()
    href = href_of(desk, "Lee")
    target.put(href, target.items[href].replace("END:VALARM", "ACKNOWLEDGED:20261123T060000Z\r\nEND:VALARM"))
    before = target.items
    for _ in range(2):
        report = desk.run()
        assert (counted(report), kept(report), target.items) == ((0, 0, 0), {}, before)


def test_events_of_the_past_that_a_person_cleans_up_are_no_skips(tmp_path: Path):
    desk = Desk(tmp_path)
    desk.run()
    later = NOW + timedelta(days=7)
    desk.target.remove(href_of(desk, "Lee"))
    desk.run(later)
    assert answers(desk) == ""


@pytest.mark.parametrize(("old", "new"), [("DATE:20261124", "DATE:20261126"), ("STATUS:CONFIRMED", "STATUS:CANCELLED")])
def test_what_is_history_says_nothing_more(tmp_path: Path, old: str, new: str):
    desk = Desk(tmp_path)
    desk.run()
    desk.write(JOURNAL.replace("applied: 2026-11-18", "applied: 2026-11-18\n      - contacted: 2026-11-23"))
    desk.run()
    href = href_of(desk, "SUMMARY:✓ Called Lee")
    assert old in desk.target.items[href]
    desk.target.put(href, desk.target.items[href].replace(old, new))
    report = desk.run()
    assert (counted(report), report.outcomes[0].answers, answers(desk)) == ((0, 0, 0), (), "")


def test_what_was_done_before_calsync_came_is_not_made_for_the_record(tmp_path: Path):
    desk = Desk(tmp_path)
    desk.write(JOURNAL.replace("applied: 2026-11-18", "applied: 2026-11-18\n      - contacted: 2026-11-23"))
    assert counted(desk.run()) == (2, 0, 0)
    assert not [title for title in desk.titles() if "Lee" in title]


@pytest.mark.parametrize(("gone", "stops"), [(5, False), (6, True)])
def test_more_than_five_and_more_than_a_third_gone_stop_the_run(tmp_path: Path, gone: int, stops: bool):
    desk = Desk(tmp_path)
    desk.write(many(8))
    desk.run()
    for href in sorted(desk.target.items)[:gone]:
        desk.target.remove(href)
    before = desk.target.items
    report = desk.run()
    assert (report.exit_code == 1) == stops
    assert answers(desk).count("skipped") == (0 if stops else gone)
    assert desk.target.items == before


@pytest.mark.parametrize(("of", "stops"), [(18, False), (17, True)])
def test_a_third_of_many_may_go(tmp_path: Path, of: int, stops: bool):
    """Six of eighteen are no more than a third; six of seventeen are."""
    desk = Desk(tmp_path)
    desk.write(many(of))
    assert counted(desk.run()) == (of, 0, 0)
    desk.write(many(of - 6))
    report = desk.run()
    assert (report.exit_code == 1) == stops
    assert len(desk.target.items) == (of if stops else of - 6)


def test_a_crash_costs_the_record_of_fifty_writes_at_most(tmp_path: Path):
    desk = Desk(tmp_path)
    desk.write(many(70))
    lost = []

    def progress(done: int, _of: int) -> None:
        with state.opened(desk.folder / "state", writes=False) as on_disk:
            lost.append(done - len(on_disk.generations("caldav", "default")))

    desk.run(progress=progress)
    assert len(lost) == 70
    assert 1 < max(lost) <= 50


def test_what_is_past_makes_no_third_of_what_is_ahead(tmp_path: Path):
    """An emptied journal stops the run however much of what calsync wrote is history by then."""
    desk = Desk(tmp_path)
    desk.write(many(18))
    desk.run()
    later = NOW + timedelta(days=14)
    ahead = many(6).replace("Company", "Corp").replace("2026-11-18", "2026-12-02").removeprefix("applications:\n")
    desk.write(many(18) + ahead)
    desk.run(later)
    desk.write(many(18))
    before = desk.target.items
    report = desk.run(later)
    assert (report.exit_code, desk.target.items) == (1, before)


def many(count: int) -> str:
    """So many applications at different companies, a call each."""
    return "applications:\n" + "".join(
        f"  - {{company: Company {number}, contact: {{phone: +1 312 555 01{number:02}}}, "
        "events: [{applied: 2026-11-18}]}\n"
        for number in range(count)
    )
