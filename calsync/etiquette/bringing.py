"""What each touch brings: strengths that were not said yet to this person, and for a check-in the next article.

The article: "say one or two things about your experience that fit this position" (S1), "send a link to a relevant
article" (S6). What is used up, and in what order the windows ahead take the rest: `docs/etiquette.md`, "What to say".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date

from msgspec.structs import replace

from calsync.etiquette.rule import is_courtesy
from calsync.etiquette.rules import check_in, thank_you
from calsync.model import Application, Contacted, State, Window

AT_ONCE = 2
"""How many strengths one touch says of each application."""


def bring(windows: Iterable[Window], applications: Iterable[Application], today: date) -> Iterator[Window]:
    """The windows to one person, those that are not past with `strengths` and `articles`.

    `applications` are all that lead to the person. Each window takes what those before it leave, the tentative ones
    behind the firm ones.
    """
    windows, applications = tuple(windows), tuple(applications)
    if not any(each.strengths or each.articles for each in applications):
        yield from windows
        return
    said, sent = _said(windows, applications, today), _sent(applications, today)
    for window in sorted(windows, key=_order):
        if window.state.is_past or window.by is None:
            yield window
            continue
        strengths = _next((each.strengths for each in window.applications), AT_ONCE, said)
        articles: tuple[str, ...] = ()
        if window.rule == check_in.NAME:
            articles = _next((each.articles for each in window.applications), 1, sent)
        if not (strengths or articles):
            yield window
            continue
        if window.rule != thank_you.NAME:  # a courtesy uses nothing up
            said.update(strengths)
            sent.update(articles)
        yield replace(window, strengths=strengths, articles=articles)


def _order(window: Window) -> tuple[bool, date, str]:
    return window.state is State.TENTATIVE, window.opens, window.id


def _next(lists: Iterable[tuple[str, ...]], count: int, used: set[str]) -> tuple[str, ...]:
    """The first `count` of each application's list that are not used; what two of them have stands there once."""
    found: dict[str, None] = {}
    for each in lists:
        found.update(dict.fromkeys([text for text in each if text not in used][:count]))
    return tuple(found)


def _said(windows: Iterable[Window], applications: Iterable[Application], today: date) -> set[str]:
    """The strengths that are used: each day on which a touch served an application said its next `AT_ONCE`."""
    days: defaultdict[str, set[date]] = defaultdict(set)
    for window in windows:
        if window.state is State.DONE and window.done_on is not None:
            for application in window.applications:
                days[application.id].add(window.done_on)
    for application in applications:
        touches = (event for event in application.events if isinstance(event, Contacted) and event.day <= today)
        days[application.id] |= {touch.day for touch in touches if not is_courtesy(application, touch)}
    return {
        strength
        for application in applications
        for strength in application.strengths[: AT_ONCE * len(days[application.id])]
    }


def _sent(applications: Iterable[Application], today: date) -> set[str]:
    """The articles that a touch on record names."""
    events = (event for application in applications for event in application.events)
    return {event.article for event in events if isinstance(event, Contacted) and event.article and event.day <= today}
