"""The rules by name. A new rule is one file here and one line in `RULES`, or in `PROMPTS` if it stands beside.

The order of `RULES` matters: the first rule that an event calls for gives the window, so what was agreed beats a
timeline, and a timeline beats the plain week after (`docs/etiquette.md`, "One application, event by event").
"""

from __future__ import annotations

from collections.abc import Mapping

from calsync.etiquette.rule import Prompt, Rule
from calsync.etiquette.rules import (
    agreed_follow_up,
    application_call,
    ask_before_leaving,
    check_in,
    interview_follow_up,
    offer_deadline,
    thank_you,
    timeline_follow_up,
)
from calsync.model import Applied, Happening, Heard, Interview

RULES: Mapping[str, Rule] = {
    "agreed-follow-up": agreed_follow_up.RULE,
    "timeline-follow-up": timeline_follow_up.RULE,
    "interview-follow-up": interview_follow_up.RULE,
    "application-call": application_call.RULE,
    "check-in": check_in.RULE,
}

ANSWERING: Mapping[type[Happening], tuple[Rule, ...]] = {
    kind: tuple(rule for rule in RULES.values() if rule.answers is not None and issubclass(kind, rule.answers))
    for kind in (Applied, Interview, Heard)
}
"""The rules that may have something to say to a kind of event; none to those of other kinds."""

PROMPTS: Mapping[str, Prompt] = {
    "ask-before-leaving": ask_before_leaving.prompts,
    "thank-you": thank_you.prompts,
    "offer-deadline": offer_deadline.prompts,
}
