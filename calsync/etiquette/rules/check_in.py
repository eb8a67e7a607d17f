"""`check-in`: after that, every week and a half to two weeks; best with a link to a relevant article (S6)."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

from calsync.etiquette.rule import EMAIL_FIRST, Due, Rule, never
from calsync.model import Policy
from calsync.workdays import DAY, days, say

NAME = "check-in"
WEEK = timedelta(days=5)
"""How long after the day of their decision a check-in stays open: a working week."""


def after(contact: date, what: str, timeline: date | None, policy: Policy) -> Due:
    """The check-in counted from a contact on the day `contact`, told as `what` ("You were in touch").

    It never opens on or before `timeline`, the day that they last named for their decision.
    """
    return _after(contact, what, timeline, policy.check_in_days)


@lru_cache(maxsize=4096)
def _after(contact: date, what: str, timeline: date | None, span: tuple[int, int]) -> Due:
    low, high = span
    first, last = contact + days(low), contact + days(high)
    because: tuple[str, ...] = (
        f"{what} on {say(contact)}.",
        f"A check-in every {low} to {high} days is polite.",
    )
    if timeline is not None and timeline + DAY > first:
        first, last = timeline + DAY, timeline + WEEK
        because = (*because, f"They decide by {say(timeline)}: not before the day after.")
    return Due(NAME, first, last, because)


RULE = Rule(NAME, never, None, channels=EMAIL_FIRST)
