"""The words of a reminder, in plain English: what to do, what to say, why this date, how to mark it done. Pure.

Every text that reaches a calendar is made here, so that another language has one place to go to.
"""

from __future__ import annotations

from collections.abc import Iterator

from calsync.model import Application, Channel, Contacted, State, Window
from calsync.workdays import say

_DO = {Channel.CALL: "Call", Channel.EMAIL: "E-mail", Channel.ANY: "Contact"}
_DONE = {Channel.CALL: "Called", Channel.EMAIL: "E-mailed", Channel.ANY: "Contacted"}

_WHAT = {
    "application-call": (
        "One brief, friendly {way} to say that there is a real person behind the résumé.",
        "Say one or two things about your experience that fit this position. Leave your name and your details.",
        "Then nothing more: if you fit, they will call.",
    ),
    "agreed-follow-up": (
        "Follow up as you agreed with them.",
        "Say that you are still interested, and ask what comes next.",
    ),
    "timeline-follow-up": (
        "The day by which they wanted to decide is past. Ask, in a friendly way, where things stand.",
    ),
    "interview-follow-up": (
        "Follow up after the interview: thank them, say that you are interested, and ask about the next steps.",
    ),
    "check-in": (
        "Check in, briefly. Remind them of your interest or, better, send a link to an article about their industry.",
    ),
    "ask-before-leaving": (
        "Never leave an interview without asking:",
        "1. What are the next steps?",
        "2. What is your timeline for filling this position?",
        "3. I would love to follow up with you: what suits you better, a call or an e-mail, say, next week?",
    ),
    "thank-you": ("A short e-mail: thank them for their time, and name one thing that you liked to hear.",),
    "offer-deadline": ("Your answer to the offer is due. Accept, decline, or ask for more time before that day.",),
}

_TITLES = {
    "ask-before-leaving": "Before you leave {company}: ask the three questions",
    "thank-you": "Thank {contact} by e-mail",
    "offer-deadline": "Answer the offer of {company} (by {closes})",
}


def summary(window: Window) -> str:
    """The title of the window's event: "Call Dana Ruiz at Acme (by Fri 13 Nov)"."""
    contact, company = _contact(window), _companies(window)
    if window.state is State.DONE:
        return f"✓ {_DONE[window.done_by or window.by or Channel.ANY]} {contact}"
    if title := _TITLES.get(window.rule):
        return title.format(contact=contact, company=company, closes=say(window.closes))
    return f"{_DO[window.by or Channel.ANY]} {contact} (by {say(window.closes)})"


def _contact(window: Window) -> str:
    name = window.applications[0].contact.name
    return f"{name} at {_companies(window)}" if name else _companies(window)


def _companies(window: Window) -> str:
    return " and ".join(dict.fromkeys(application.company for application in window.applications))


def description(window: Window) -> str:
    """The text of the window's event: paragraphs, separated by empty lines."""
    return "\n\n".join("\n".join(lines) for lines in _paragraphs(window) if lines)


def _paragraphs(window: Window) -> Iterator[list[str]]:
    lead = window.applications[0]
    if window.state is State.DONE:
        yield [f"Done on {say(window.done_on)}." if window.done_on else "Done."]
    else:
        way = {Channel.CALL: "call", Channel.EMAIL: "e-mail"}.get(window.by or Channel.ANY, "contact")
        yield [line.format(way=way) for line in _WHAT[window.rule]]
        yield _to_say(window)
    yield _who(lead)
    for application in window.applications:
        yield _role(application)
    yield [f"Why these days ({say(window.opens)} to {say(window.closes)}):", *(f"- {reason}" for reason in window.why)]
    yield _how_to_mark(window)


def _to_say(window: Window) -> list[str]:
    if window.by is None:
        return []
    lines = [f"- {each}" for application in window.applications for each in application.strengths]
    lines = ["Worth saying:", *lines] if lines else []
    if window.rule == "check-in":
        lines += [f"Article to send: {article}" for article in _next_articles(window)]
    return lines


def _next_articles(window: Window) -> Iterator[str]:
    """The first article of each application that was not sent yet."""
    for application in window.applications:
        sent = {event.article for event in application.events if isinstance(event, Contacted)}
        yield from [article for article in application.articles if article not in sent][:1]


def _who(application: Application) -> list[str]:
    contact = application.contact
    rows = ("Contact", contact.name), ("Phone", contact.phone), ("E-mail", contact.email)
    return [f"{label}: {value}" for label, value in rows if value]


def _role(application: Application) -> list[str]:
    rows = ("Company", application.company), ("Role", application.role), ("Advertisement", application.url)
    return [f"{label}: {value}" for label, value in rows if value]


def _how_to_mark(window: Window) -> list[str]:
    if window.state is State.DONE or window.by is None:
        return []
    # Once is enough: a second touch, on the same day, would use up what comes next.
    ids = " or ".join(f"'{application.id}'" for application in window.applications)
    return [
        f"When you have done it, write it into your journal, under the events of {ids}:",
        "  - contacted: YYYY-MM-DD",
        *(["    thanks: true"] if window.rule == "thank-you" else []),
        "If they answer, write '- heard: YYYY-MM-DD'.",
    ]
