"""`timeline-follow-up`: they said by when they decide; follow up in the week after that (S5)."""

from __future__ import annotations

from datetime import timedelta

from calsync.etiquette.rule import Due, Rule
from calsync.model import Application, Event, Policy, Statement
from calsync.workdays import DAY, say

NAME = "timeline-follow-up"


def due(event: Event, _application: Application, _policy: Policy) -> Due | None:
    """The week that begins on the day after the `timeline` T."""
    if not isinstance(event, Statement) or event.timeline is None:
        return None
    day = event.timeline
    because = (
        f"On {say(event.day)} they said: we decide by {say(day)}.",
        "The week after that day is the time to ask.",
    )
    return Due(NAME, day + DAY, day + timedelta(days=7), because, named=day)


RULE = Rule(NAME, due, Statement)
