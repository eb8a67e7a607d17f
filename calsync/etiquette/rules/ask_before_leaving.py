"""`ask-before-leaving`: never leave an interview without asking the next steps, the timeline, and the channel (S4)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, timedelta

from calsync.etiquette.rule import Record
from calsync.model import Policy, State, Window
from calsync.workdays import Workdays, say

NAME = "ask-before-leaving"
LEAD = timedelta(minutes=15)


def prompts(record: Record, today: date, _policy: Policy, _workdays: Workdays) -> Iterator[Window]:
    """A prompt for every interview dated today or later; it ends when the interview starts."""
    for number, interview in record.interviews:
        if interview.day < today:
            continue
        ends = interview.at and interview.at.astimezone(UTC)
        yield Window(
            id=f"{record.application.id}/{NAME}/{number}",
            rule=NAME,
            applications=(record.application,),
            by=None,
            opens=interview.day,
            closes=interview.day,
            days=(interview.day,),
            interview=interview,
            starts=ends and ends - LEAD,
            ends=ends,
            state=State.FIRM,
            why=(
                f"Interview on {say(interview.day)}.",
                "Never leave without asking the next steps, the timeline and the channel they like.",
            ),
        )
