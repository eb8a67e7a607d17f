"""`application-call`: one brief, friendly call in the week after the résumé, then nothing more (S1 to S3)."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from calsync.etiquette.rule import Due, Rule, reachable
from calsync.model import Application, Applied, Channel, Event, Policy
from calsync.workdays import days, following_week, say

NAME = "application-call"


def due(event: Event, application: Application, policy: Policy) -> Due | None:
    """The following week after `applied`, or `application_days` after it (ours); None where nobody can be called.

    With the setting `email_instead` (ours) an e-mail stands in for a call that is not possible.
    """
    if not isinstance(event, Applied) or not _possible(application, policy):
        return None
    return _after(event.day, policy.application_days)


@lru_cache(maxsize=4096)
def _after(day: date, span: tuple[int, int] | None) -> Due:
    if span is None:
        first, last = following_week(day)
        when = "in the following week"
    else:
        low, high = span
        first, last = day + days(low), day + days(high)
        when = f"{low} to {high} days later"
    because = f"You applied on {say(day)}.", f"One brief call {when} is polite, then no more."
    return Due(NAME, first, last, because)


def _possible(application: Application, policy: Policy) -> bool:
    return reachable(application, Channel.CALL) or (policy.email_instead and reachable(application, Channel.EMAIL))


RULE = Rule(NAME, due, Applied, numbered_by_interview=False)
