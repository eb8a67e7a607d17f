"""The title of a window for a terminal, in plain English. Pure.

It says what the English catalogue says (`texts/en.yaml`; a test holds the two together), but without a template engine,
whose import would take longer than all the windows of a journal. Public face: `Titles`, `PlainTitles`.
"""

from __future__ import annotations

from typing import Protocol

from calsync.model import Channel, State, Window
from calsync.workdays import say

_DO = {Channel.CALL: "Call", Channel.EMAIL: "E-mail"}
_DONE = {Channel.CALL: "Called", Channel.EMAIL: "E-mailed"}
_OTHERS = {
    "ask-before-leaving": "Before you leave {company}: ask the three questions",
    "thank-you": "Thank {whom} by e-mail",
    "offer-deadline": "Answer the offer of {company} (by {closes})",
}
"""The titles of windows in which no contact is chosen, by rule."""


class Titles(Protocol):
    """Whoever knows what a window is called: `PlainTitles`, or `wording.Wording` in the user's own words."""

    def summary(self, window: Window) -> str:
        """The title, on one line."""
        ...


class PlainTitles:
    """The titles of the English catalogue."""

    def summary(self, window: Window) -> str:
        """The title: "Call Dana Ruiz at Acme (by Fri 13 Nov)"."""
        return _title(window).strip()


def _title(window: Window) -> str:
    company = " and ".join(dict.fromkeys(application.company for application in window.applications))
    name = window.applications[0].contact.name
    whom = f"{name} at {company}" if name else company
    closes = say(window.closes)
    if window.state is State.DONE:
        return f"✓ {_DONE.get(window.done_by or window.by or Channel.ANY, 'Contacted')} {whom}"
    if title := _OTHERS.get(window.rule):
        return title.format(company=company, whom=whom, closes=closes)
    return f"{_DO.get(window.by or Channel.ANY, 'Contact')} {whom} (by {closes})"
