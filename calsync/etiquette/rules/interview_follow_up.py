"""`interview-follow-up`: nothing was agreed at the interview, so follow up in the week after it (S5)."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from calsync.etiquette.rule import Due, Rule
from calsync.model import Application, Event, Interview, Policy
from calsync.workdays import following_week, say

NAME = "interview-follow-up"


def due(event: Event, _application: Application, _policy: Policy) -> Due | None:
    """The following week after the interview."""
    return _after(event.day) if isinstance(event, Interview) else None


@lru_cache(maxsize=4096)
def _after(day: date) -> Due:
    first, last = following_week(day)
    because = f"Interview on {say(day)}.", "Without an agreed day, the following week is the time to follow up."
    return Due(NAME, first, last, because)


RULE = Rule(NAME, due, Interview)
