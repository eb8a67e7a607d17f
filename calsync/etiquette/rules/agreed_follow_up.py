"""`agreed-follow-up`: follow up on the day that they named, the way they like it (S5)."""

from __future__ import annotations

from calsync.etiquette.rule import Due, Rule
from calsync.model import Application, Event, Policy, Statement
from calsync.workdays import DAY, say

NAME = "agreed-follow-up"


def due(event: Event, _application: Application, _policy: Policy) -> Due | None:
    """The day D of `follow_up.on`, and the day after."""
    if not isinstance(event, Statement) or event.follow_up_on is None:
        return None
    day = event.follow_up_on
    because = f"On {say(event.day)} they said: follow up on {say(day)}.", "That day or the next is what was agreed."
    return Due(NAME, day, day + DAY, because, named=day)


RULE = Rule(NAME, due, Statement, agreed=True)
