"""What stands as it was drawn is not drawn again, and whatever changes a reminder has it drawn."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct
from msgspec.structs import asdict, replace

from calsync import reminders
from calsync.drawings import Drawings
from calsync.model import (
    Application,
    Applied,
    Channel,
    Contact,
    Ended,
    Ending,
    Interview,
    Item,
    Mark,
    Place,
    Stamp,
    State,
    Window,
)
from tests.quirks import QuirkServer
from tests.quirks.world import OnQuirks
from tests.samples import RENAMED
from tests.test_reminders import BEFORE, CALL, DANA, drawn, form

HELD = Interview(day=date(2026, 11, 6), location="Room 1", note="a note", place=Place("a.yaml", 7, 5))
SENT = Applied(day=date(2026, 11, 2), place=Place("a.yaml", 6, 5))
FIRST = Application(
    id="acme",
    company="Acme",
    role="Engineer",
    url="https://acme.example/1",
    contact=replace(DANA, timezone="America/Chicago", country="US"),
    strengths=("Python",),
    events=(SENT, HELD),
    place=Place("a.yaml", 3, 5),
)
SECOND = Application(id="acme-2", company="Acme Two", contact=Contact(name="Dana Ruiz", email="d@acme.example"))
WHOLE = replace(
    CALL,
    rule="check-in",
    by=Channel.ANY,
    applications=(FIRST, SECOND),
    strengths=("Python", "SQL"),
    articles=("an article",),
    why=("You applied on Mon 2 Nov.",),
)
WINDOWS = {
    "to come": WHOLE,
    "by mail": replace(WHOLE, by=Channel.EMAIL),
    "tentative": replace(WHOLE, state=State.TENTATIVE),
    "done": replace(WHOLE, state=State.DONE, done_on=date(2026, 11, 10), done_by=Channel.CALL),
    "timed": replace(WHOLE, by=None, interview=HELD, starts=BEFORE, ends=BEFORE + timedelta(hours=1)),
}
OTHERS: tuple[Any, ...] = (
    *(None, "another", ("another",), (), frozenset({Channel.EMAIL}), frozenset({Channel.CALL})),
    *(date(2026, 11, 4), date(2026, 11, 12), datetime(2026, 11, 12, 9, tzinfo=UTC), (date(2026, 11, 12),)),
    *(
        *Channel,
        *State,
        "America/Chicago",
        "+49 30 123456",
        Contact(),
        (SECOND,),
        (Ended(day=SENT.day, how=Ending.CLOSED),),
    ),
)
"""What may stand in a field in place of what does."""


def item(window: Window, moment: datetime = BEFORE) -> Item:
    """The event of a window, as it was drawn."""
    reminder = drawn(window, form(), moment)
    return Item(uid="u", reminder=reminder, mark=Mark("default", window.id, 1), base=None, stamp=Stamp(moment, 0))


def after(window: Window, stands: Item, common: str = "settings") -> Drawings:
    """The drawings of a run after one that found this event as it drew it."""
    before = Drawings(common, "")
    before.note(window, stands)
    return Drawings("settings", before.kept)


def variants(value: Any) -> Iterator[Any]:
    """The value with one of its fields changed, at any depth."""
    if isinstance(value, Struct):
        for name, each in asdict(value).items():
            yield from (replace(value, **{name: other}) for other in variants(each))
    elif isinstance(value, tuple) and value and isinstance(value[0], Struct):
        for at, each in enumerate(value):
            yield from ((*value[:at], other, *value[at + 1 :]) for other in variants(each))
    yield from OTHERS


@pytest.mark.parametrize("window", WINDOWS.values(), ids=list(WINDOWS))
def test_whatever_makes_another_reminder_has_it_drawn(window: Window) -> None:
    stands = item(window)
    known, count = after(window, stands), 0
    for other in variants(window):
        try:
            is_other = drawn(other, form()) != stands.reminder
        except Exception:  # noqa: BLE001  # no such window comes: a date for a name, say
            continue
        count += is_other
        assert not (is_other and known.stands(other, stands)), other
    assert count > 100


def test_what_stands_as_it_was_drawn_is_known_also_where_the_file_has_other_lines() -> None:
    stands = item(WHOLE)
    moved = replace(FIRST, place=Place("b.yaml", 9, 1), events=(replace(SENT, place=Place("b.yaml", 12, 5)), HELD))
    assert after(WHOLE, stands).stands(replace(WHOLE, applications=(moved, SECOND)), stands)


def test_another_event_another_moment_or_other_settings_are_drawn() -> None:
    stands = item(WHOLE)
    edited = replace(stands, reminder=replace(stands.reminder, summary="Edited"))
    later = replace(stands, written=BEFORE + timedelta(days=6))
    assert [after(WHOLE, stands).stands(WHOLE, each) for each in (stands, edited, later)] == [True, False, False]
    assert not after(WHOLE, stands, common="other settings").stands(WHOLE, stands)


def test_what_was_not_met_again_is_forgotten() -> None:
    stands = item(WHOLE)
    known = after(WHOLE, stands)
    assert known.kept == ""
    known.stands(WHOLE, stands)
    assert len(known.kept.split()) == 1


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the windows that are drawn, as they are drawn."""
    drawn_ids: list[str] = []
    draw = reminders.reminders

    def noting(windows: Any, *rest: Any) -> Any:
        drawn_ids.extend(window.id for window in windows)
        return draw(windows, *rest)

    monkeypatch.setattr(reminders, "reminders", noting)
    return drawn_ids


def ran(world: OnQuirks, names: list[str]) -> set[str]:
    """The windows that a run draws."""
    names.clear()
    world.run()
    return set(names)


def test_a_run_draws_what_changed_and_nothing_else(tmp_path: Path, names: list[str]) -> None:
    with QuirkServer() as running:
        world = OnQuirks(tmp_path, running)
        everything = ran(world, names)
        assert ran(world, names) == everything, "what was written is drawn once more, and found to stand"
        world.write(RENAMED)
        changed = ran(world, names)
        assert changed
        assert changed < everything
        shown = world.shown()
        world.write(RENAMED + "\n")
        ran(world, names)
        assert world.shown() == shown
