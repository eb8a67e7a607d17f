"""`thank-you` (ours, off by default): a short mail on the business day after an interview; a courtesy."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from calsync.etiquette.rule import Record
from calsync.model import Channel, Policy, State, Window
from calsync.workdays import DAY, Workdays, say

NAME = "thank-you"


def prompts(record: Record, today: date, policy: Policy, workdays: Workdays) -> Iterator[Window]:
    """One day for each interview, the first business day after it, while it is not past."""
    if not policy.thank_you:
        return
    for number, interview in record.interviews:
        day = workdays.next(interview.day + DAY)
        if day < today:
            continue
        yield Window(
            id=f"{record.application.id}/{NAME}/{number}",
            rule=NAME,
            applications=(record.application,),
            by=Channel.EMAIL,
            opens=day,
            closes=day,
            days=(day,),
            interview=interview,
            state=State.TENTATIVE if interview.day > today else State.FIRM,
            why=(f"Interview on {say(interview.day)}.", "A short thank-you on the next business day is a courtesy."),
        )
