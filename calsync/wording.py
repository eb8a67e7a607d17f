"""The words of a reminder: what to do, what to say, why this date, how to mark it done. Pure.

What a template may name is gathered here, from a window; the templates themselves are handed in (`texts/`).
Public face: `Wording`, one for a run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import cached_property
from urllib.parse import quote

from calsync import phones
from calsync.model import Application, Applied, Channel, Contact, Ended, Interview, Me, State, Window

Values = Mapping[str, object]

Say = Callable[[str, str, Values], str]
"""Fills in a part of a section, a rule's or "done", of the catalogue: `texts.Texts.say`."""


class Wording:
    """The texts of windows, in the words of `say`.

    `me` is what the user leaves with people. `country` is that of national telephone numbers without one of their own.
    """

    def __init__(self, say: Say, me: Me | None = None, country: str | None = None) -> None:
        self._say = say
        self._me = me or Me()
        self._country = country
        self._days: dict[date, str] = {}
        self._drafts: dict[int, _Draft] = {}

    def summary(self, window: Window) -> str:
        """The title of the window's event, on one line: "Call Dana Ruiz at Acme (by Fri 13 Nov)"."""
        return self._draft(window).summary

    def description(self, window: Window) -> str:
        """The text of the window's event: paragraphs, separated by empty lines."""
        return self._draft(window).description

    def phone(self, window: Window) -> str:
        """The number to call, as the calendar shows it; empty where none is known."""
        contact = _with_phone(window)
        return phones.international(contact.phone, self._place(contact)) if contact.phone else ""

    def _draft(self, window: Window) -> _Draft:
        """The texts of a window, made once: it is drawn several times in a run, for each target, and as it stood."""
        draft = self._drafts.get(id(window))
        if draft is None:
            draft = self._drafts[id(window)] = _Draft(window, self._say, self._values(window))
        return draft

    def _values(self, window: Window) -> dict[str, object]:
        """What every template may name; `docs/texts.md` tells what each is."""
        by = (window.done_by or window.by) if window.state is State.DONE else window.by
        since_what, since = _since(window)
        return {
            "rule": window.rule,
            "state": str(window.state),
            "by": str(by or ""),
            "name": window.applications[0].contact.name or "",
            "phone": self.phone(window),
            "email": _with_email(window).email or "",
            "tel": self._tel(window),
            "opens": self._day(window.opens),
            "closes": self._day(window.closes),
            "done_on": self._day(window.done_on),
            "since": self._day(since),
            "since_what": since_what,
            "companies": list(dict.fromkeys(each.company for each in window.applications)),
            "roles": list(dict.fromkeys(each.role for each in window.applications if each.role)),
            "strengths": list(window.strengths),
            "articles": list(window.articles),
            "why": list(window.why),
            "applications": [_application(each) for each in window.applications],
            "me": {"name": self._me.name or "", "phone": self._me.phone or "", "email": self._me.email or ""},
        }

    def _day(self, day: date | None) -> str:
        if day is None:
            return ""
        if day not in self._days:
            values = {"weekday": day.weekday(), "day": day.day, "month": day.month}
            self._days[day] = self._say("any", "date", values)
        return self._days[day]

    def _place(self, contact: Contact) -> str | None:
        return contact.country or self._country

    def _tel(self, window: Window) -> str:
        """What a click dials, where a call is meant."""
        contact = _with_phone(window)
        if not contact.phone or not _means(window, Channel.CALL):
            return ""
        return phones.link(contact.phone, self._place(contact))


class _Draft:
    """The texts of one window; each part may name those before it."""

    def __init__(self, window: Window, say: Say, values: dict[str, object]) -> None:
        self.window = window
        self._say = say
        self._values = values
        self._fill("company", "whom")

    @cached_property
    def summary(self) -> str:
        """The title."""
        return " ".join(self._part("summary", self._values).split("\n")).strip()

    @cached_property
    def description(self) -> str:
        """The text; mail is only drafted where one is meant."""
        self._fill("refer", "advice")
        address = _with_email(self.window).email
        if address and _means(self.window, Channel.EMAIL):
            self._fill("opening", "closing", "subject", "body")
            mailto = _mailto(address, str(self._values["subject"]), str(self._values["body"]))
        else:
            self._values |= dict.fromkeys(("opening", "closing", "subject", "body"), "")
            mailto = ""
        return _paragraphs(self._part("description", self._values | {"mailto": mailto}))

    def _part(self, part: str, values: Values) -> str:
        return self._say("done" if self.window.state is State.DONE else self.window.rule, part, values)

    def _fill(self, *parts: str) -> None:
        for part in parts:
            self._values[part] = _paragraphs(self._part(part, self._values))


def _mailto(address: str, subject: str, body: str) -> str:
    """What a click writes: subject and body filled in, lines ended as RFC 6068 section 5 wants them."""
    lines = body.replace("\n", "\r\n")
    return f"mailto:{quote(address, safe='@+')}?subject={quote(subject, safe='')}&body={quote(lines, safe='')}"


def _paragraphs(text: str) -> str:
    """`text` with one empty line between paragraphs, and none around them."""
    if "\n" not in text:
        return text if text.strip(" ") else ""
    lines: list[str] = []
    for line in text.strip("\n").split("\n"):
        if line.strip(" ") or (lines and lines[-1]):
            lines.append(line if line.strip(" ") else "")
    return "\n".join(lines)


def _means(window: Window, channel: Channel) -> bool:
    """Whether a touch by `channel` is meant: by this one, or by any that nobody forbids."""
    if window.state is State.DONE:
        return False
    forbidden = any(channel in application.do_not for application in window.applications)
    return window.by is channel or (window.by is Channel.ANY and not forbidden)


def _with_phone(window: Window) -> Contact:
    """The first contact whose number is known, else the first; they are one person."""
    contacts = [application.contact for application in window.applications]
    return next((contact for contact in contacts if contact.phone), contacts[0])


def _with_email(window: Window) -> Contact:
    """As `_with_phone`, for the address."""
    contacts = [application.contact for application in window.applications]
    return next((contact for contact in contacts if contact.email), contacts[0])


def _application(application: Application) -> Values:
    known = {"id": application.id, "company": application.company, "role": application.role, "url": application.url}
    return {name: text or "" for name, text in known.items()}


def _since(window: Window) -> tuple[str, date | None]:
    """What to refer to, and its day: the last interview before the window opens, else when they applied."""
    found: tuple[str, date | None] = ("", None)
    for event in _before(window):
        match event:
            case Interview():
                found = "interview", event.day
            case Applied() if found[0] != "interview":
                found = "application", event.day
            case Ended():
                found = "", None
            case _:
                pass
    return found


def _before(window: Window) -> Iterator[Applied | Interview | Ended]:
    """What began or ended something before the window opens, by day."""
    events = (event for event in window.applications[0].events if isinstance(event, Applied | Interview | Ended))
    yield from sorted((event for event in events if event.day <= window.opens), key=lambda event: event.day)
