"""`application-call`: one brief, friendly call in the week after the résumé, then nothing more (S1 to S3)."""

from __future__ import annotations

from calsync.etiquette.rule import Due, Rule, reachable
from calsync.model import Application, Applied, Channel, Event, Policy
from calsync.workdays import following_week, say

NAME = "application-call"


def due(event: Event, application: Application, policy: Policy) -> Due | None:
    """The following week after `applied`; None where the contact cannot be called.

    With the setting `email_instead` (ours) an e-mail stands in for a call that is not possible.
    """
    if not isinstance(event, Applied) or not _possible(application, policy):
        return None
    first, last = following_week(event.day)
    because = f"You applied on {say(event.day)}.", "One brief call in the following week is polite, then no more."
    return Due(NAME, first, last, because)


def _possible(application: Application, policy: Policy) -> bool:
    return reachable(application, Channel.CALL) or (policy.email_instead and reachable(application, Channel.EMAIL))


RULE = Rule(NAME, due, numbered_by_interview=False)
