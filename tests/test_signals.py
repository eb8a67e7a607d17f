"""What people say by what they do to an event, line by line of `docs/calendars.md`, "What people and programs do"."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from calsync.identity import hashes
from calsync.model import (
    Application,
    Channel,
    Contacted,
    Event,
    Pinned,
    Reminder,
    Skipped,
    State,
    Window,
)
from calsync.signals import Answer, Seen, answers

ZONE = ZoneInfo("Europe/Berlin")
TODAY = date(2026, 11, 24)
OPENS, CLOSES = date(2026, 11, 23), date(2026, 11, 27)
ID = "acme/check-in/1.1"
TITLE = "Call Dana Ruiz at Acme (by Fri 27 Nov)"
DONE = Contacted(day=TODAY, window=ID, via="calendar")
SKIPPED = Skipped(day=TODAY, window=ID, via="calendar")
ALL_DAY = Reminder(start=OPENS, end=CLOSES + timedelta(days=1), summary=TITLE, alarms=(timedelta(hours=9),))
SLOT = replace(
    ALL_DAY,
    start=datetime(2026, 11, 23, 8, 30, tzinfo=UTC),
    end=datetime(2026, 11, 23, 8, 45, tzinfo=UTC),
    alarms=(timedelta(0),),
)


def window(events: Iterable[Event] = (), **changes: Any) -> Window:
    acme = Application(id="acme", company="Acme", events=tuple(events))
    made = Window(
        id=ID,
        rule="check-in",
        applications=(acme,),
        by=Channel.CALL,
        opens=OPENS,
        closes=CLOSES,
        state=State.FIRM,
    )
    return replace(made, **changes)


def said(
    stands: Reminder,
    *,
    wrote: Reminder = ALL_DAY,
    about: Window | None = None,
    title: str | None = None,
    today: date = TODAY,
    zone: Any = ZONE,
) -> Event | None:
    """What the event `stands` says, where calsync wrote `wrote`; `title` is the one that it would give now."""
    seen = Seen(about or window(), stands, wrote.summary if title is None else title, hashes(wrote))
    found = answers([seen], [], today, zone)
    assert len(found) <= 1
    return found[0].event if found else None


def pinned(opens: date, closes: date) -> Pinned:
    return Pinned(day=TODAY, window=ID, opens=opens, closes=closes, via="calendar")


# -------------------------------------------------------------------------------------------------- done


@pytest.mark.parametrize(
    "title",
    [
        f"✓ {TITLE}",
        f"✔ {TITLE}",
        f"✔️ {TITLE}",
        f"✅ {TITLE}",
        f"✅{TITLE}",
        f"☑ {TITLE}",
        f"[x] {TITLE}",
        f"[X] {TITLE}",
        f"done {TITLE}",
        f"Done: {TITLE}",
        f"DONE - {TITLE}",
        f"dOnE, {TITLE}",
        f"{TITLE} done",
        f"{TITLE} (Done!)",
        f"{TITLE} ✓",
        "Call Dana, done, at Acme",
        "Done",
        "✓",
    ],
)
def test_a_title_that_says_done_is_a_touch_today(title: str):
    assert said(replace(ALL_DAY, summary=title)) == DONE


@pytest.mark.parametrize(
    "title",
    [
        TITLE,
        f"!! {TITLE}",
        f"[ ] {TITLE}",
        f"x {TITLE}",
        f"Abandoned: {TITLE}",
        f"Undone: {TITLE}",
        f"not done: {TITLE}",
        f"{TITLE} - not done yet",
        "Call Dana at Donegal Ltd",
        "Call Dana at Acme, Doner for lunch",
        "Condone",
        "",
    ],
)
def test_other_titles_say_nothing(title: str):
    assert said(replace(ALL_DAY, summary=title)) is None


@pytest.mark.parametrize("name", ["Done Inc", "done.com", "✓ Check", "Get It Done", "✅ Verified"])
def test_a_company_with_such_a_name_is_not_done_until_the_title_gains_a_mark(name: str):
    wrote = replace(ALL_DAY, summary=f"Call Dana Ruiz at {name} (by Fri 27 Nov)")
    assert said(wrote, wrote=wrote) is None
    assert said(replace(wrote, summary=f"Ring Dana at {name}!"), wrote=wrote) is None
    assert said(replace(wrote, summary="Ring Dana"), wrote=wrote) is None
    for marked in (f"✓ {wrote.summary}", f"done: {wrote.summary}", f"{wrote.summary} DONE"):
        assert said(replace(wrote, summary=marked), wrote=wrote) == DONE


def test_a_mark_in_front_is_heard_also_where_the_title_lost_a_name_that_says_done():
    assert said(replace(ALL_DAY, summary="✓ Ring them"), title="Call Done Smith") == DONE


def test_a_journal_that_renames_a_company_says_nothing_about_the_touch():
    """The event still has the old name, or the new one came by another calsync."""
    assert said(ALL_DAY, title="Call Dana Ruiz at Done Inc (by Fri 27 Nov)") is None
    wrote = replace(ALL_DAY, summary="Call Dana Ruiz at Done Inc (by Fri 27 Nov)")
    assert said(wrote, wrote=wrote, title=TITLE) is None


@pytest.mark.parametrize("categories", [("Follow-up", "Done"), ("done",), ("DONE", "Work")])
def test_a_category_that_says_done_is_a_touch(categories: tuple[str, ...]):
    assert said(replace(ALL_DAY, categories=categories)) == DONE


@pytest.mark.parametrize("categories", [(), ("Follow-up", "Work"), ("Undone",), ("Follow-up", "Done later")])
def test_other_categories_say_nothing(categories: tuple[str, ...]):
    assert said(replace(ALL_DAY, categories=categories)) is None


def test_a_category_and_a_status_that_we_wrote_ourselves_say_nothing():
    wrote = replace(ALL_DAY, categories=("Done",), status="CANCELLED")
    assert said(replace(wrote, location="elsewhere"), wrote=wrote) is None


def test_what_was_done_later_counts_on_the_windows_last_day():
    assert said(replace(ALL_DAY, summary=f"✓ {TITLE}"), today=date(2026, 12, 1)) == replace(DONE, day=CLOSES)


def test_what_was_done_before_it_was_due_counts_today():
    early = date(2026, 11, 20)
    assert said(replace(ALL_DAY, summary=f"✓ {TITLE}"), today=early) == replace(DONE, day=early)


def test_a_thank_you_is_a_courtesy():
    about = window(rule="thank-you")
    assert said(replace(ALL_DAY, summary=f"✓ {TITLE}"), about=about) == replace(DONE, thanks=True)


def test_a_prompt_that_asks_for_no_touch_is_put_away():
    about = window(rule="ask-before-leaving", by=None)
    assert said(replace(ALL_DAY, summary=f"✓ {TITLE}"), about=about) == SKIPPED


def test_a_tentative_window_may_be_done_too():
    wrote = replace(ALL_DAY, status="TENTATIVE", alarms=())
    assert said(replace(wrote, summary=f"✓ {TITLE}"), wrote=wrote, about=window(state=State.TENTATIVE)) == DONE


# --------------------------------------------------------------------------------------- deleted, cancelled


def test_a_deleted_event_is_a_skip():
    [answer] = answers([], [window()], TODAY, ZONE)
    assert answer == Answer(window().applications[0], SKIPPED)


def test_a_cancelled_event_is_a_skip():
    assert said(replace(ALL_DAY, status="CANCELLED")) == SKIPPED


@pytest.mark.parametrize("status", ["CONFIRMED", "TENTATIVE", ""])
def test_another_status_says_nothing(status: str):
    assert said(replace(ALL_DAY, status=status)) is None


# -------------------------------------------------------------------------------------------------- moved

MOVES = {
    "to other days": ((date(2026, 11, 25), date(2026, 11, 28)), (date(2026, 11, 25), CLOSES)),
    "its end": ((OPENS, date(2026, 11, 26)), (OPENS, date(2026, 11, 25))),
    "out of the window": ((date(2026, 12, 7), date(2026, 12, 8)), (date(2026, 12, 7), date(2026, 12, 7))),
    "to a weekend": ((date(2026, 11, 28), date(2026, 11, 30)), (date(2026, 11, 28), date(2026, 11, 29))),
    "an end that is no later": ((date(2026, 11, 25), date(2026, 11, 25)), (date(2026, 11, 25), date(2026, 11, 25))),
    "an end before the start": ((date(2026, 11, 25), date(2026, 11, 20)), (date(2026, 11, 25), date(2026, 11, 25))),
    "to a time of day": (
        (datetime(2026, 11, 25, 13, tzinfo=UTC), datetime(2026, 11, 25, 14, tzinfo=UTC)),
        (date(2026, 11, 25), CLOSES),
    ),
    "to a time of day behind the window": (
        (datetime(2026, 12, 2, 13, tzinfo=UTC), datetime(2026, 12, 2, 14, tzinfo=UTC)),
        (date(2026, 12, 2), date(2026, 12, 2)),
    ),
    "to a time that is the next day at home": (
        (datetime(2026, 11, 25, 23, 30, tzinfo=UTC), datetime(2026, 11, 26, 0, 30, tzinfo=UTC)),
        (date(2026, 11, 26), CLOSES),
    ),
}


@pytest.mark.parametrize(("to", "days"), MOVES.values(), ids=MOVES)
def test_a_moved_event_pins_the_days(to: tuple[date, date], days: tuple[date, date]):
    assert said(replace(ALL_DAY, start=to[0], end=to[1])) == pinned(*days)


def test_an_event_that_got_a_time_on_its_first_day_is_where_it_was():
    """The window stays open as long; the time of day stays in the calendar, as a field that is theirs."""
    start = datetime.combine(OPENS, time(13), ZONE)
    assert said(replace(ALL_DAY, start=start, end=start + timedelta(hours=1))) is None


def test_a_slot_moved_within_its_day_is_where_it_was():
    assert (
        said(replace(SLOT, start=SLOT.start + timedelta(hours=4), end=SLOT.end + timedelta(hours=4)), wrote=SLOT)
        is None
    )


def test_a_slot_moved_to_another_day_opens_the_window_there():
    moved = replace(SLOT, start=SLOT.start + timedelta(days=2), end=SLOT.end + timedelta(days=2))
    assert said(moved, wrote=SLOT) == pinned(date(2026, 11, 25), CLOSES)
    moved = replace(SLOT, start=SLOT.start + timedelta(days=9), end=SLOT.end + timedelta(days=9))
    assert said(moved, wrote=SLOT) == pinned(date(2026, 12, 2), date(2026, 12, 2))


def test_a_slot_that_became_an_event_of_whole_days_gives_these_days():
    moved = replace(SLOT, start=date(2026, 11, 25), end=date(2026, 11, 26))
    assert said(moved, wrote=SLOT) == pinned(date(2026, 11, 25), date(2026, 11, 25))


def test_days_are_those_of_the_users_zone():
    """One moment is two days in two places."""
    start = datetime(2026, 11, 25, 20, tzinfo=UTC)
    stands = replace(ALL_DAY, start=start, end=start + timedelta(hours=1))
    assert said(stands, zone=ZoneInfo("Asia/Tokyo")) == pinned(date(2026, 11, 26), CLOSES)
    assert said(stands, zone=ZoneInfo("America/Chicago")) == pinned(date(2026, 11, 25), CLOSES)


def test_a_start_of_a_day_and_an_end_of_a_moment_are_read_all_the_same():
    """No calendar may hold that (RFC 5545 3.6.1); some do."""
    stands = replace(ALL_DAY, start=date(2026, 11, 25), end=datetime(2026, 11, 25, 14, tzinfo=UTC))
    assert said(stands) == pinned(date(2026, 11, 25), CLOSES)

    stands = replace(ALL_DAY, start=datetime(2026, 11, 25, 14, tzinfo=UTC), end=date(2026, 11, 26))
    assert said(stands) == pinned(date(2026, 11, 25), CLOSES)


def test_a_window_that_the_journal_moved_was_moved_by_nobody():
    """The event stands where we wrote it; the window has other days by now."""
    about = window(opens=date(2026, 12, 1), closes=date(2026, 12, 4))
    assert said(ALL_DAY, about=about) is None
    assert said(replace(ALL_DAY, summary="Ring Dana"), about=about) is None


def test_a_prompt_for_a_moment_that_was_moved_says_nothing():
    """Its days are the interview's; the moment stays where the user put it."""
    start = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
    about = window(by=None, starts=start, ends=start + timedelta(minutes=15))
    assert said(replace(SLOT, start=start - timedelta(days=1)), wrote=SLOT, about=about) is None


# ------------------------------------------------------------------------------------------ which one counts


def test_done_beats_cancelled_and_both_beat_moved():
    moved = replace(ALL_DAY, start=date(2026, 11, 25))
    done, cancelled = {"summary": f"✓ {TITLE}"}, {"status": "CANCELLED"}
    assert said(replace(moved, **done)) == DONE
    assert said(replace(moved, **cancelled)) == SKIPPED
    assert said(replace(moved, **done, **cancelled)) == DONE


@pytest.mark.parametrize(
    "changes",
    [
        {"summary": "Ring Dana"},
        {"description": "done? ✓"},
        {"location": "Done Street"},
        {"alarms": ()},
        {"transp": "OPAQUE"},
        {"classification": "PUBLIC"},
        {"categories": ("Job",)},
    ],
)
def test_what_is_only_theirs_says_nothing(changes: dict[str, Any]):
    assert said(replace(ALL_DAY, **changes)) is None


# -------------------------------------------------------------------------------------------- never twice


@pytest.mark.parametrize(
    ("stands", "known"),
    [
        (replace(ALL_DAY, summary=f"✓ {TITLE}"), replace(DONE, day=date(2026, 11, 20))),
        (replace(ALL_DAY, summary=f"✓ {TITLE}"), Contacted(day=TODAY, window=ID)),
        (replace(ALL_DAY, status="CANCELLED"), replace(SKIPPED, day=date(2026, 11, 20))),
        (replace(ALL_DAY, start=date(2026, 11, 25)), replace(pinned(date(2026, 11, 25), CLOSES), day=OPENS)),
    ],
)
def test_what_was_said_already_is_not_said_again(stands: Reminder, known: Event):
    assert said(stands, about=window([known])) is None


@pytest.mark.parametrize(
    ("stands", "known", "expected"),
    [
        (replace(ALL_DAY, summary=f"✓ {TITLE}"), replace(DONE, window="acme/check-in/1.2"), DONE),
        (replace(ALL_DAY, summary=f"✓ {TITLE}"), Contacted(day=OPENS), DONE),
        (replace(ALL_DAY, summary=f"✓ {TITLE}"), SKIPPED, DONE),
        (replace(ALL_DAY, status="CANCELLED"), replace(SKIPPED, window="acme/check-in/1.2"), SKIPPED),
        (replace(ALL_DAY, status="CANCELLED"), DONE, SKIPPED),
        (
            replace(ALL_DAY, start=date(2026, 11, 25)),
            pinned(date(2026, 11, 26), CLOSES),
            pinned(date(2026, 11, 25), CLOSES),
        ),
        (
            replace(ALL_DAY, start=date(2026, 11, 25)),
            pinned(date(2026, 11, 25), OPENS),
            pinned(date(2026, 11, 25), CLOSES),
        ),
    ],
)
def test_what_is_new_is_said_whatever_was_said_before(stands: Reminder, known: Event, expected: Event):
    assert said(stands, about=window([known])) == expected


def test_an_event_that_was_moved_there_and_back_says_so():
    first, second = pinned(date(2026, 11, 25), CLOSES), pinned(date(2026, 11, 26), CLOSES)
    about = window([first, second], opens=date(2026, 11, 26))
    assert said(replace(ALL_DAY, start=date(2026, 11, 25)), about=about) == first


def test_a_deletion_that_is_known_is_not_said_again():
    assert answers([], [window([SKIPPED])], TODAY, ZONE) == ()


def test_a_window_back_at_its_days_is_where_it_was():
    """The days are pinned already, and the window has them: the event agrees with it."""
    about = window(opens=date(2026, 11, 25))
    assert said(replace(ALL_DAY, start=date(2026, 11, 25)), about=about) is None


# --------------------------------------------------------------------------------------------- several


def test_answers_come_in_the_order_of_the_windows_and_go_to_the_first_application():
    acme, bolt, corp = (Application(id=each, company=each) for each in ("acme", "bolt", "corp"))
    merged = window(id="bolt/check-in/1.1", applications=(bolt, acme))
    gone = window(id="acme/check-in/1.1", applications=(acme,))
    last = window(id="corp/check-in/1.1", applications=(corp,))
    seen = [Seen(each, replace(ALL_DAY, summary=f"✓ {TITLE}"), TITLE, hashes(ALL_DAY)) for each in (last, merged)]
    found = answers(seen, [gone], TODAY, ZONE)
    assert [(each.application.id, type(each.event)) for each in found] == [
        ("acme", Skipped),
        ("bolt", Contacted),
        ("corp", Contacted),
    ]
