"""`offer-deadline` (ours): an offer wants an answer by a day; a reminder two days ahead."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from calsync.etiquette.rule import Record
from calsync.model import Policy, State, Window
from calsync.workdays import Workdays, say

NAME = "offer-deadline"
NOTICE = timedelta(days=2)


def prompts(record: Record, today: date, _policy: Policy, workdays: Workdays) -> Iterator[Window]:
    """The reminder of the offer that stands, until its day is past. Pauses do not move it."""
    offer = record.offer
    if offer is None or offer.respond_by is None or offer.respond_by < today:
        return
    deadline = offer.respond_by
    unpaused = workdays.without_pauses()
    opens = max(offer.day, unpaused.prev(deadline - NOTICE))
    yield Window(
        id=f"{record.application.id}/{NAME}/{record.offers}",
        rule=NAME,
        applications=(record.application,),
        by=None,
        opens=opens,
        closes=deadline,
        days=unpaused.between(opens, deadline),
        state=State.FIRM,
        why=(f"They made an offer on {say(offer.day)}.", f"Your answer is due by {say(deadline)}."),
    )
