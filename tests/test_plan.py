"""The three-way decision: the table of `docs/identity.md`, row by row, then what holds for every calendar."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from calsync.identity import differing, hashes, uid_of
from calsync.model import Item, Mark, Reminder, Stamp
from calsync.plan import Action, Found, Kept, Known, Plan, Remembered, Wanted, decide, is_past, mirror, remove

TODAY = datetime(2026, 11, 9, tzinfo=UTC)
WINDOW = "acme/check-in/1.1"
A = Reminder(start=date(2026, 11, 9), end=date(2026, 11, 14), summary="A", alarms=(timedelta(hours=9),))
B = replace(A, start=date(2026, 11, 11), end=date(2026, 11, 18), summary="B")
THEIRS = replace(A, summary="call her at the new number")
MOVED = replace(A, start=date(2026, 11, 10), end=date(2026, 11, 15))
TICKED = replace(A, summary="✓ A")
DONE = replace(A, end=date(2026, 11, 10), summary="✓ Called", alarms=())
PAST = replace(A, start=date(2026, 11, 2), end=date(2026, 11, 9))


def mark(generation=1, window=WINDOW, name="default"):
    return Mark(name, window, generation)


@cache
def event(stands, wrote=A, generation=1, window=WINDOW, name="default", etag="1"):
    """An event of a journal called `name`, as we wrote it and as it stands."""
    its = mark(generation, window, name)
    uid = uid_of(its, "caldav")
    item = Item(uid=uid, reminder=stands, mark=its, base=hashes(wrote), stamp=Stamp(TODAY, 0))
    return Found(f"/cal/{uid}.ics", etag, item)


def stripped(stands, generation=1, window=WINDOW):
    """An event of ours on a server that drops X- properties."""
    found = event(stands, generation=generation, window=window)
    return replace(found, item=replace(found.item, mark=None, base=None))


def cached(wrote=A, generation=1, window=WINDOW):
    return {window: Remembered(event(wrote, generation=generation, window=window).href, generation, hashes(wrote))}


def known(*found, **rest):
    return Known("default", "caldav", tuple(found), **rest)


def want(reminder, **rest):
    return {WINDOW: Wanted(reminder, reminder, **rest)}


def said(plan):
    """The plan in few words: what is done to which generation, why the rest is kept."""
    changes = [f"{change.action.name.lower()} {change.mark.generation}" for change in plan.changes]
    return changes + [f"keep: {kept.because}" for kept in plan.kept]


HREF = cached()[WINDOW].href
COPY = replace(event(A).item, uid="made-by-the-app")

ROWS = {
    "1": (want(A), known(), ["create 1"]),
    "1, a UID was used up": (want(A), known(retired={WINDOW: 3}), ["create 4"]),
    "2": (want(A), known(event(A), memory=cached()), []),
    "3": (want(A), known(event(A, etag="2"), memory=cached()), []),
    "4": (want(B), known(event(A), memory=cached()), ["update 1"]),
    "4, a later generation": (want(B), known(event(A, generation=3), memory=cached(generation=3)), ["update 3"]),
    "5": (want(A), known(event(THEIRS), memory=cached()), ["keep: changed by hand: summary"]),
    "6": (want(B), known(event(THEIRS), memory=cached()), ["update 1"]),
    "6, they changed what we change too": (
        want(replace(A, summary="C")),
        known(event(THEIRS), memory=cached()),
        ["keep: changed by hand: summary"],
    ),
    "6, they changed it to what we want": (want(THEIRS), known(event(THEIRS), memory=cached()), []),
    "7": (want(A), known(event(MOVED), memory=cached()), ["keep: changed by hand: start, end"]),
    "8": (want(A), known(event(TICKED), memory=cached()), ["keep: changed by hand: summary"]),
    "9": (want(A), known(memory=cached()), ["keep: deleted from the calendar: it stays deleted"]),
    "10": (
        want(A),
        known(memory=cached(), whole=False),
        ["keep: the server's list was incomplete and did not name it"],
    ),
    "11": ({}, known(event(A), memory=cached()), ["delete 1"]),
    "11, the mark dropped": ({}, known(stripped(A), memory=cached()), ["delete 1"]),
    "12": ({}, known(event(THEIRS), memory=cached()), ["delete 1"]),
    "12, cancelled": ({}, known(event(replace(A, status="CANCELLED")), memory=cached()), []),
    "13": ({}, known(memory=cached()), []),
    "14": (want(A), known(event(A)), []),
    "15": (want(B), known(event(A)), ["update 1"]),
    "16": (want(B), known(event(MOVED)), ["update 1"]),
    "17": (want(A), known(stripped(A)), []),
    "17, later generation": (want(A), known(stripped(A, generation=3), retired={WINDOW: 2}), []),
    "17, cache kept": (want(B), known(stripped(A), memory=cached()), ["update 1"]),
    "17, as wanted, cache behind": (want(B), known(stripped(B), memory=cached()), []),
    "18": (want(A), known(stripped(THEIRS)), ["keep: what we wrote into it is not known any more"]),
    "18, the cache is of another href": (
        want(B),
        known(stripped(A), memory={WINDOW: Remembered("/cal/other.ics", 1, hashes(A))}),
        ["keep: what we wrote into it is not known any more"],
    ),
    "18, not wanted": (
        {},
        known(stripped(A), memory={WINDOW: Remembered("/cal/other.ics", 1, hashes(A))}),
        ["keep: no longer needed, but what we wrote into it is not known any more"],
    ),
    "19": ({}, known(event(PAST, wrote=PAST)), []),
    "19, it ends today": (
        {},
        known(event(replace(PAST, end=date(2026, 11, 10)), replace(PAST, end=date(2026, 11, 10)))),
        ["delete 1"],
    ),
    "20": ({}, known(event(A)), ["delete 1"]),
    "20, an older generation": (
        want(A),
        known(event(A, generation=2), event(A, generation=1)),
        ["delete 1"],
    ),
    "20, two older generations": (
        want(A),
        known(event(A, generation=1), event(A, generation=3), event(A, generation=2)),
        ["delete 1", "delete 2"],
    ),
    "20, twice under one UID": (
        want(A),
        known(event(A), replace(event(A), href="/cal/a.ics"), replace(event(A), href="/cal/z.ics"), memory=cached()),
        ["delete 1", "delete 1"],
    ),
    "21": (want(DONE, creates=False), known(event(A), memory=cached()), ["update 1"]),
    "21, from then on history": (want(DONE, creates=False), known(event(DONE, wrote=DONE), memory=cached(DONE)), []),
    "21, no event": (want(DONE, creates=False), known(), []),
    "21, event gone": (want(DONE, creates=False), known(memory=cached()), []),
    "22": (want(A), known(memory=cached(), others=frozenset({HREF})), ["create 2"]),
    "22, doubtful listing": (want(A), known(memory=cached(), others=frozenset({HREF}), whole=False), ["create 2"]),
    "22, done": (want(DONE, creates=False), known(memory=cached(), others=frozenset({HREF})), []),
    "23": ({}, known(event(A, name="other")), []),
    "23, a copy of ours": ({}, known(Found("/cal/copy.ics", "1", COPY)), []),
    "23, no mark and no UID of ours": ({}, known(Found("/cal/x.ics", "1", replace(COPY, mark=None, base=None))), []),
    "23, beside a window": (want(A), known(event(A, name="other")), ["create 1"]),
}


@pytest.mark.parametrize("row", ROWS)
def test_the_table_of_the_three_way_decision(row):
    wanted, stands, expected = ROWS[row]
    assert said(decide(wanted, stands, TODAY)) == expected


@pytest.mark.parametrize(
    ("row", "count"), [("1", 0), ("2", 1), ("3", 1), ("9", 0), ("14", 1), ("17", 1), ("21, no event", 0)]
)
def test_only_what_is_right_as_it_stands_counts_as_unchanged(row, count):
    wanted, stands, _ = ROWS[row]
    assert decide(wanted, stands, TODAY).unchanged == count


def test_of_two_events_under_one_uid_the_one_that_we_remember_stays():
    again = [replace(event(A), href=f"/cal/{letter}.ics") for letter in "az"]
    for found in ([*again, event(A)], [event(A), *again]):
        changes = decide(want(A), known(*found, memory=cached()), TODAY).changes
        assert {change.before.href for change in changes} == {"/cal/a.ics", "/cal/z.ics"}


@pytest.mark.parametrize(
    ("item", "ours"),
    [
        (event(A).item, True),
        (event(THEIRS, generation=7).item, True),
        (event(A, name="other").item, False),
        (COPY, False),
        (stripped(A).item, False),
    ],
)
def test_ours_is_what_has_our_mark_and_its_uid(item, ours):
    assert known().is_ours(item) is ours


def test_what_is_kept_names_its_window_and_uid():
    plan = decide(want(A), known(memory=cached(generation=2)), TODAY)
    assert [(kept.window, kept.uid) for kept in plan.kept] == [(WINDOW, uid_of(mark(2), "caldav"))]


def test_compared_is_what_was_to_be_written_then_and_written_what_is_to_be_written_now():
    late = replace(A, alarms=(timedelta(hours=10, minutes=15),))
    wanted = {WINDOW: Wanted(kept=A, fresh=late)}
    assert decide(wanted, known(event(A)), TODAY) == Plan(unchanged=1)
    changed = {WINDOW: Wanted(kept=B, fresh=late)}
    assert [change.after for change in decide(changed, known(event(A)), TODAY).changes] == [late]
    assert [change.after for change in decide(wanted, known(), TODAY).changes] == [late]


def test_a_change_tells_what_stands_there_and_what_will():
    found = event(A)
    (update,) = decide(want(B), known(found), TODAY).changes
    assert (update.before, update.after, update.mark, update.window) == (found, B, mark(), WINDOW)
    (delete,) = decide({}, known(found), TODAY).changes
    assert (delete.before, delete.after, delete.mark, delete.window) == (found, None, mark(), WINDOW)
    (create,) = decide(want(B), known(), TODAY).changes
    assert (create.before, create.after, create.mark, create.window) == (None, B, mark(), WINDOW)


def test_an_update_of_a_marked_event_keeps_its_own_mark_whatever_the_cache_says():
    (update,) = decide(want(B), known(event(A, generation=2), memory=cached(generation=1)), TODAY).changes
    assert update.mark == mark(2)


def test_the_events_own_base_counts_before_that_of_the_cache():
    assert said(decide(want(B), known(event(A, wrote=A), memory=cached(B)), TODAY)) == ["update 1"]


@pytest.mark.parametrize(
    ("end", "past"),
    [
        (date(2026, 11, 9), True),
        (date(2026, 11, 10), False),
        (TODAY - timedelta(seconds=1), True),
        (TODAY, True),
        (TODAY + timedelta(seconds=1), False),
    ],
)
def test_an_event_is_past_if_it_is_over_before_today(end, past):
    start = end - timedelta(days=1)
    assert is_past(replace(A, start=start, end=end), TODAY) is past


def test_nothing_is_created_that_would_be_over_before_today():
    assert decide(want(PAST), known(), TODAY) == Plan()


def test_deletes_come_before_creates_before_updates_and_each_by_window():
    wanted = {window: Wanted(A, A) for window in ("d/x/1", "b/x/1", "a/x/1")} | {"c/x/1": Wanted(B, B)}
    stands = known(*(event(A, window=window) for window in ("f/x/1", "c/x/1", "e/x/1")))
    changes = decide(wanted, stands, TODAY).changes
    assert [(change.action, change.window[0]) for change in changes] == [
        (Action.DELETE, "e"),
        (Action.DELETE, "f"),
        (Action.CREATE, "a"),
        (Action.CREATE, "b"),
        (Action.CREATE, "d"),
        (Action.UPDATE, "c"),
    ]


# A file that is all ours.


@pytest.mark.parametrize(
    ("wanted", "stands", "expected"),
    [
        (want(A), known(), ["create 1"]),
        (want(A), known(event(A)), []),
        (want(B), known(event(A)), ["update 1"]),
        (want(A), known(event(THEIRS)), ["update 1"]),
        (want(A), known(stripped(A)), []),
        ({}, known(event(THEIRS)), ["delete 1"]),
        ({}, known(event(PAST, wrote=PAST)), ["delete 1"]),
        ({}, known(event(A, name="other")), []),
        (want(A), known(event(A, generation=2), event(A)), ["delete 1"]),
        (want(DONE, creates=False), known(), ["create 1"]),
    ],
)
def test_a_file_of_ours_holds_what_is_wanted_and_nothing_else(wanted, stands, expected):
    plan = mirror(wanted, stands)
    assert said(plan) == expected
    assert plan.unchanged == (0 if expected and "delete" not in expected[0] else len(wanted))


def test_a_file_of_ours_is_compared_as_of_then_and_written_as_of_now():
    late = replace(A, alarms=())
    assert mirror({WINDOW: Wanted(kept=A, fresh=late)}, known(event(A))) == Plan(unchanged=1)
    (create,) = mirror({WINDOW: Wanted(kept=A, fresh=late)}, known()).changes
    (update,) = mirror({WINDOW: Wanted(kept=B, fresh=late)}, known(event(A))).changes
    assert (create.after, update.after) == (late, late)


# What holds for every calendar.

windows = st.sampled_from([f"{company}/check-in/1.1" for company in "abcde"])
reminders = st.sampled_from([A, B, THEIRS, MOVED, TICKED, DONE, PAST])
generations = st.integers(1, 3)
days = st.sampled_from([TODAY - timedelta(days=9), TODAY, TODAY + timedelta(days=7), TODAY + timedelta(days=30)])


@st.composite
def calendars(draw):
    """A calendar with events of ours, as written, changed, stripped or gone, and of others; a cache that may be old."""
    found, memory, others = [], {}, set()
    for window in draw(st.sets(windows)):
        generation, wrote, stands = draw(generations), draw(reminders), draw(reminders)
        whole = event(stands, wrote=draw(st.sampled_from([wrote, stands])), generation=generation, window=window)
        bare = stripped(stands, generation=generation, window=window)
        found += draw(st.sampled_from([[], [whole], [bare]]))
        if draw(st.booleans()):
            memory[window] = Remembered(whole.href, draw(generations), hashes(wrote))
        if draw(st.booleans()):
            others.add(whole.href)
    strangers = [event(draw(reminders), window=window, name="other") for window in draw(st.sets(windows))]
    copies = [replace(each, item=replace(each.item, uid=f"copy-{n}"), href=f"/c{n}") for n, each in enumerate(found)]
    found += strangers + draw(st.sampled_from([[], copies]))
    retired = draw(st.dictionaries(windows, generations))
    return known(
        *draw(st.permutations(found)),
        memory=memory,
        others=frozenset(others - {each.href for each in found}),
        retired=retired,
        whole=draw(st.booleans()),
    )


wishes = st.dictionaries(windows, st.builds(lambda one, new: Wanted(one, one, creates=new), reminders, st.booleans()))


@dataclass
class Model:
    """A calendar that does what a plan says, and the cache of one who watches."""

    known: Known

    def carry_out(self, plan):
        events = {found.href: found for found in self.known.found}
        memory, retired = dict(self.known.memory), dict(self.known.retired)
        for change in plan.changes:
            if change.before is not None:
                del events[change.before.href]
                memory.pop(change.window, None)
            if change.action is Action.DELETE:
                retired[change.window] = max(change.mark.generation, retired.get(change.window, 0))
            else:
                href = change.before.href if change.before else None
                new = event(change.after, change.after, change.mark.generation, change.window)
                base = hashes(change.after)
                if change.theirs:
                    base |= {name: change.before.item.base[name] for name in change.theirs}
                new = replace(new, href=href or new.href, item=replace(new.item, base=base))
                assert new.href not in events, "a create never writes over anything"
                events[new.href] = new
                memory[change.window] = Remembered(new.href, change.mark.generation, base)
        self.known = replace(self.known, found=tuple(events.values()), memory=memory, retired=retired)


@given(wishes, calendars(), days)
def test_a_plan_that_was_carried_out_leaves_nothing_to_do(wanted, stands, day):
    model = Model(stands)
    model.carry_out(decide(wanted, model.known, day))
    assert decide(wanted, model.known, day).changes == ()


@given(wishes, calendars())
def test_a_file_of_ours_that_was_written_leaves_nothing_to_do(wanted, stands):
    marked = tuple(found for found in stands.found if found.item.mark is not None)  # a file drops no marks
    model = Model(replace(stands, found=marked))
    model.carry_out(mirror(wanted, model.known))
    again = mirror(wanted, model.known)
    assert again.changes == ()
    assert again.unchanged == len(wanted)


@given(wishes, calendars(), days)
def test_what_is_not_ours_is_never_in_a_plan(wanted, stands, day):
    ours = {found.href for found in stands.found if found.item.mark is None or stands.is_ours(found.item)}
    for plan in (decide(wanted, stands, day), mirror(wanted, stands)):
        assert {change.before.href for change in plan.changes if change.before} <= ours
        assert all(change.mark.name == "default" for change in plan.changes)


@given(wishes, calendars(), days)
def test_what_is_over_before_today_is_neither_deleted_nor_created(wanted, stands, day):
    for change in decide(wanted, stands, day).changes:
        if change.action is Action.DELETE:
            assert not is_past(change.before.item.reminder, day)
        if change.action is Action.CREATE:
            assert not is_past(change.after, day)


@given(wishes, calendars(), days)
def test_what_people_changed_is_not_overwritten(wanted, stands, day):
    for change in decide(wanted, stands, day).changes:
        if change.action is Action.UPDATE and change.before.item.base is not None:
            stood = hashes(change.before.item.reminder)
            theirs = differing(change.before.item.base, stood)
            assert set(theirs) <= set(change.theirs)
            assert not set(differing(stood, hashes(change.after))) & set(change.theirs)


@given(wishes, calendars(), days)
def test_the_order_of_what_is_read_does_not_matter(wanted, stands, day):
    backwards = replace(stands, found=stands.found[::-1])
    assert decide(dict(reversed(wanted.items())), backwards, day) == decide(wanted, stands, day)


@given(wishes, calendars(), days)
def test_a_plan_is_in_order_and_each_event_is_in_it_once(wanted, stands, day):
    plan = decide(wanted, stands, day)
    assert list(plan.changes) == sorted(plan.changes, key=lambda change: (change.action, change.window))
    touched = [change.before.href for change in plan.changes if change.before]
    assert len(touched) == len(set(touched))
    assert list(plan.kept) == sorted(set(plan.kept))
    assert not {kept.uid for kept in plan.kept} & {change.before.item.uid for change in plan.changes if change.before}


def test_kept_is_sorted_by_window():
    stands = known(*(event(THEIRS, window=f"{letter}/check-in/1.1") for letter in "cab"))
    plan = decide({f"{letter}/check-in/1.1": Wanted(A, A) for letter in "cab"}, stands, TODAY)
    assert [kept.window[0] for kept in plan.kept] == ["a", "b", "c"]
    assert isinstance(plan.kept[0], Kept)


# ------------------------------------------------------------------------------------------------ taken back


UNDONE = {"undone": {WINDOW: 1}, "retired": {WINDOW: 1}}
"""What the state says after `calsync undo`: the event of generation 1 makes way."""

UNDOING = {
    "it stands": (want(A), known(event(TICKED), **UNDONE), ["delete 1", "create 2"]),
    "it stands, and the mark dropped": (want(A), known(stripped(TICKED), **UNDONE), ["delete 1", "create 2"]),
    "it is history": (want(A), known(event(PAST), **UNDONE), ["delete 1", "create 2"]),
    "it is cancelled": (want(A), known(event(replace(A, status="CANCELLED")), **UNDONE), ["delete 1", "create 2"]),
    "it is gone": (want(A), known(**UNDONE), ["create 2"]),
    "it is wanted no more": ({}, known(event(TICKED), **UNDONE), ["delete 1"]),
    "the new one stands": (want(A), known(event(A, generation=2), **UNDONE), []),
    "both stand": (want(A), known(event(TICKED), event(A, generation=2), **UNDONE), ["delete 1"]),
    "another window": (want(A), known(event(A), undone={"acme/check-in/1.2": 1}), []),
    "many times": (
        want(A),
        known(stripped(A, generation=3), stripped(A, generation=2), undone={WINDOW: 3}, retired={WINDOW: 3}),
        ["delete 2", "delete 3", "create 4"],
    ),
}


@pytest.mark.parametrize("row", UNDOING)
def test_what_was_taken_back_makes_way_whatever_it_says(row):
    wanted, calendar, expected = UNDOING[row]
    assert sorted(said(decide(wanted, calendar, TODAY))) == sorted(expected)


@pytest.mark.parametrize("stands", [replace(A, start=date(2026, 11, 10)), replace(A, end=date(2026, 11, 13))])
def test_who_moves_one_end_sets_both(stands):
    """The other end is not moved under it."""
    plan = decide(want(B), known(event(stands), memory=cached()), TODAY)
    [change] = plan.changes
    assert change.theirs == ("start", "end")
    assert change.after is not None
    assert (change.after.start, change.after.end, change.after.summary) == (stands.start, stands.end, "B")


BERLIN = ZoneInfo("Europe/Berlin")
SLOT = replace(
    A,
    start=datetime(2026, 11, 9, 8, 30, tzinfo=UTC),
    end=datetime(2026, 11, 9, 8, 45, tzinfo=UTC),
    alarms=(timedelta(0),),
)


@pytest.mark.parametrize(
    ("wrote", "stands", "rings"),
    [
        (A, replace(SLOT, alarms=A.alarms), timedelta(0)),
        (SLOT, replace(A, alarms=SLOT.alarms), timedelta(hours=9, minutes=30)),
        (A, replace(MOVED, alarms=A.alarms), timedelta(hours=9)),
    ],
)
def test_an_event_that_got_or_lost_its_time_of_day_rings_when_it_should(wrote, stands, rings):
    """Triggers are relative to the start: 9:30 behind a meeting at 14:00 would be at night."""
    midnight = TODAY.replace(tzinfo=BERLIN)
    wanted = want(replace(wrote, description="You moved it."))
    [change] = decide(wanted, known(event(stands, wrote), memory=cached(wrote)), midnight).changes
    assert change.after is not None
    assert change.after.alarms == (rings,)
    moved = replace(stands, description="You moved it.", alarms=(rings,))
    base = replace(wrote, description="You moved it.", alarms=(rings,))
    assert not decide(wanted, known(event(moved, base), memory=cached(base)), midnight).changes, "once is enough"
    silent = {WINDOW: Wanted(*[replace(wrote, description="You moved it.", alarms=())] * 2)}
    [change] = decide(silent, known(event(stands, wrote), memory=cached(wrote)), midnight).changes
    assert change.after is not None
    assert change.after.alarms == ()


def test_a_form_that_was_changed_in_the_config_brings_its_own_alarms():
    [change] = decide(want(SLOT), known(event(A), memory=cached()), TODAY).changes
    assert change.after == SLOT


def test_a_removal_says_what_it_cannot_see():
    """Only in doubt, and only what does not stand there."""
    other = "acme/check-in/1.2"
    memory = {**cached(), **cached(window=other)}
    doubtful = remove(known(event(A), memory=memory, whole=False))
    assert [kept.window for kept in doubtful.kept] == [other]
    assert remove(known(event(A), memory=memory)).kept == ()
    assert remove(known(memory=cached(), others=frozenset({HREF}), whole=False)).kept == ()


@pytest.mark.parametrize(
    "spelled",
    [
        replace(A, description=f"{A.description}  \r\n"),
        replace(A, summary=f" {A.summary}"),
        replace(A, categories=(*reversed((*A.categories, "Zoo")),)),
    ],
)
def test_what_means_the_same_is_right_however_a_server_spells_it(spelled):
    wanted = replace(A, categories=("Zoo", *A.categories)) if "Zoo" in spelled.categories else A
    plan = decide(want(wanted), known(event(spelled)), TODAY)
    assert (said(plan), plan.unchanged) == ([], 1)
