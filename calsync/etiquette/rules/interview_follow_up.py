"""`interview-follow-up`: nothing was agreed at the interview, so follow up in the week after it (S5)."""

from __future__ import annotations

from calsync.etiquette.rule import Due, Rule
from calsync.model import Application, Event, Interview, Policy
from calsync.workdays import following_week, say

NAME = "interview-follow-up"


def due(event: Event, _application: Application, _policy: Policy) -> Due | None:
    """The following week after the interview."""
    if not isinstance(event, Interview):
        return None
    first, last = following_week(event.day)
    because = f"Interview on {say(event.day)}.", "Without an agreed day, the following week is the time to follow up."
    return Due(NAME, first, last, because)


RULE = Rule(NAME, due)
