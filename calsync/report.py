"""What is shown of a run: what it did, as text for people and as JSON for programs.

The JSON is a contract (`docs/commands.md`). Nothing is printed here: functions give lines or values.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from datetime import date, datetime, timedelta, tzinfo
from typing import assert_never

from calsync.identity import OWNED, differing, hashes, shown
from calsync.listing import span_of, windows_text
from calsync.model import Contacted, Pinned, Reminder, Skipped
from calsync.outcome import Outcome
from calsync.plan import Action, Change
from calsync.signals import Answer
from calsync.sync import Report
from calsync.workdays import say

_SIGNS = {Action.CREATE: "+", Action.UPDATE: "~", Action.DELETE: "-"}
_DONE = {Action.CREATE: "created", Action.UPDATE: "updated", Action.DELETE: "deleted"}


def run_json(report: Report) -> dict[str, object]:
    """One object: changes, kept, unchanged, failed, requests, and where the targets are."""
    outcomes = report.outcomes
    return {
        "changes": [_change_json(outcome, change, uid) for outcome in outcomes for change, uid in outcome.changes],
        "kept": [
            {"target": outcome.target, "id": kept.window, "uid": kept.uid, "because": kept.because}
            for outcome in outcomes
            for kept in outcome.kept
        ],
        "unchanged": sum(outcome.unchanged for outcome in outcomes),
        "failed": [
            {
                "action": failure.change.action.name.lower(),
                "target": outcome.target,
                "id": failure.change.window,
                "uid": failure.uid,
                "because": failure.because,
            }
            for outcome in outcomes
            for failure in outcome.failed
        ],
        "requests": sum(outcome.requests for outcome in outcomes),
        "answers": [_answer_json(answer) for outcome in outcomes for answer in outcome.answers],
        "targets": {outcome.target: outcome.where for outcome in outcomes},
        "not_compared": report.not_compared,
        "errors": [str(error) for error in report.errors],
        "warnings": list(report.warnings),
    }


def _answer_json(answer: Answer) -> dict[str, object]:
    event = answer.event
    return {
        "application": answer.application.id,
        "kind": type(event).__name__.lower(),
        "day": event.day.isoformat(),
        "id": event.window,
    }


def _change_json(outcome: Outcome, change: Change, uid: str) -> dict[str, object]:
    before, after = _sides(change)
    old, new = shown(before), shown(after)
    return {
        "action": change.action.name.lower(),
        "target": outcome.target,
        "id": change.window,
        "uid": uid,
        "summary": _one(change).summary,
        "fields": {name: [old[name], new[name]] for name in _differing(change)},
    }


def _sides(change: Change) -> tuple[Reminder | None, Reminder | None]:
    return (change.before.item.reminder if change.before else None), change.after


def _one(change: Change) -> Reminder:
    before, after = _sides(change)
    found = after or before
    assert found is not None
    return found


def _differing(change: Change) -> tuple[str, ...]:
    before, after = _sides(change)
    return OWNED if before is None or after is None else differing(hashes(before), hashes(after))


def run_text(report: Report) -> Iterator[str]:
    """What was done, or would be: a block a target and a summary line."""
    if report.not_compared is not None:
        yield f"The calendar could not be compared: {report.not_compared}"
        yield "These are the windows as they stand:"
        yield from windows_text(report.outlook, report.words, everything=False, why=False)
    for outcome in report.outcomes:
        yield f"{outcome.target}: {outcome.where}"
        if outcome.target != "feed" or len(report.outcomes) == 1:
            yield from _changes_text(outcome, report)
        yield from (f"  > {_answer_text(answer)}" for answer in outcome.answers)
        yield from (f"  = {kept.window}: left alone, {kept.because}" for kept in outcome.kept)
        yield from (f"  ! {failure.change.window}: {failure.because}" for failure in outcome.failed)
        yield "  " + _summary(outcome, dry_run=report.dry_run)


def _answer_text(answer: Answer) -> str:
    """What the calendar told, as it was added to the answers."""
    event = answer.event
    match event:
        case Contacted():
            said = f"marked as done: contacted on {say(event.day)}"
        case Pinned():
            said = f"moved: it keeps {span_of(event.opens, event.closes)}"
        case Skipped():
            said = "deleted, cancelled or put away: it is skipped"
        case _:
            assert_never(event)
    return f"{event.window}: {said}"


def failures(report: Report) -> Iterator[str]:
    """A sentence a target in which single events failed; `run_text` says which, and why."""
    for outcome in report.outcomes:
        if count := len(outcome.failed):
            events = "1 event" if count == 1 else f"{count} events"
            yield f"{events} could not be written ({outcome.target}); the next run tries again"


def _changes_text(outcome: Outcome, report: Report) -> Iterator[str]:
    """A line a change, by day; a feed beside a calendar shows the same events, so its lines are left out."""
    for change, _uid in sorted(outcome.changes, key=lambda entry: _order(entry[0])):
        reminder = _one(change)
        yield f"  {_SIGNS[change.action]} {_reminder_days(reminder, report.zone)}  {reminder.summary}"
        if change.action is Action.UPDATE:
            yield from _update_text(change, report.zone)
        if change.action is Action.DELETE:
            yield from _lost_text(change)


def _order(change: Change) -> tuple[str, str]:
    return str(shown(_one(change))["start"]), change.window


def _reminder_days(reminder: Reminder, zone: tzinfo) -> str:
    if isinstance(reminder.start, datetime):
        start = reminder.start.astimezone(zone)
        return f"{say(start)} {start:%H:%M}"
    return span_of(reminder.start, reminder.end - timedelta(days=1))


def _update_text(change: Change, zone: tzinfo) -> Iterator[str]:
    before, after = _sides(change)
    for name in _differing(change):
        old, new = getattr(before, name), getattr(after, name)
        if name != "description":
            yield f"      {name}: {_worded(name, old, zone)} -> {_worded(name, new, zone)}"
            continue
        yield "      description:"
        for line in list(difflib.unified_diff(old.split("\n"), new.split("\n"), n=0, lineterm=""))[2:]:
            if not line.startswith("@@"):
                yield f"        {line[0]} {line[1:]}"


def _lost_text(change: Change) -> Iterator[str]:
    """What a person wrote into an event that goes, so that it is not lost; title and days are in the line above."""
    reminder = _one(change)
    if "description" in change.theirs:
        yield "      description:"
        yield from (f"        - {line}" for line in reminder.description.split("\n"))
    if "location" in change.theirs and reminder.location:
        yield f"      location: {reminder.location} -> none"


def _worded(name: str, value: object, zone: tzinfo) -> str:
    """A field as people read it: in their zone, and an all-day event with its last day, not the one after."""
    match value:
        case datetime():
            return f"{say(value.astimezone(zone))} {value.astimezone(zone):%H:%M}"
        case date():
            return say(value - timedelta(days=1) if name == "end" else value)
        case tuple():
            return "; ".join(map(str, value)) or "none"
        case _:
            return str(value) or "none"


def _summary(outcome: Outcome, *, dry_run: bool) -> str:
    counts = {action: sum(change.action is action for change, _ in outcome.changes) for action in Action}
    would = "would be " if dry_run else ""
    parts = [f"{counts[action]} {would}{_DONE[action]}" for action in (Action.CREATE, Action.UPDATE, Action.DELETE)]
    parts += [f"{outcome.unchanged} unchanged"]
    parts += [f"{len(outcome.kept)} left alone"] if outcome.kept else []
    parts += [f"{len(outcome.failed)} failed"] if outcome.failed else []
    requests = f"{outcome.requests} request{'' if outcome.requests == 1 else 's'}" if outcome.requests else ""
    return ", ".join(parts) + (f"; {requests}" if requests else "")
