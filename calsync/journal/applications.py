"""One item of `applications:` -> one `model.Application`; one item of the answers -> an id and its events."""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo

from calsync import fields as f
from calsync.fields import Fields
from calsync.journal.events import read_event
from calsync.journal.identifiers import identifier, slug
from calsync.model import Application, Channel, Contact, Event, Place
from calsync.yamlfile import Document, Mapping, Node

CheckPlace = Callable[[str, str | None], str | None]
"""Says what is wrong with a country and a subdivision, as a clause for the user; None if nothing is."""

KEYS = (
    "company",
    "role",
    "id",
    "url",
    "location",
    "contact",
    "do_not",
    "strengths",
    "articles",
    "events",
)
CONTACT_KEYS = ("name", "email", "phone", "timezone", "country", "subdivision")
ANSWER_KEYS = ("id", "company", "role", "events")
"""Of these, company and role are labels for people: the application's own words count."""

_DO_NOT = {"call": Channel.CALL, "email": Channel.EMAIL}
_NO_CONTACT = Contact()


def read_application(document: Document, node: Node, zone: ZoneInfo, check_place: CheckPlace) -> Application | None:
    """Read one application, with days in the user's `zone`. None if it has no id; what is wrong is recorded."""
    if not isinstance(node, Mapping):
        document.complain("an application must be a map, as in 'company: Acme Corp'", node)
        return None
    fields = Fields(document, node, KEYS)
    company = fields.need("company", f.line) or ""
    role = fields.get("role", f.line)
    contact = fields.fields("contact", CONTACT_KEYS)
    application = Application(
        id=_identifier(fields, company, role),
        company=company,
        role=role,
        url=fields.get("url", f.line),
        location=fields.get("location", f.line),
        contact=_NO_CONTACT if contact is None else _contact(contact, check_place),
        do_not=frozenset(fields.many("do_not", f.one_of(_DO_NOT))),
        strengths=tuple(fields.many("strengths", f.line)),
        articles=tuple(fields.many("articles", f.line)),
        events=_events(fields, zone),
        place=Place(document.name, node.line, node.column),
    )
    return application if application.id else None


def read_answer(document: Document, node: Node, zone: ZoneInfo) -> tuple[str, tuple[Event, ...]] | None:
    """Read one item of the answers: the application's id and the events to append to its own."""
    if not isinstance(node, Mapping):
        document.complain("an answer must be a map with the 'id' of its application", node)
        return None
    fields = Fields(document, node, ANSWER_KEYS)
    id_ = fields.need("id", identifier)
    events = _events(fields, zone)
    return None if id_ is None else (id_, events)


def _events(fields: Fields, zone: ZoneInfo) -> tuple[Event, ...]:
    events = [read_event(fields.document, item, zone) for item in fields.items("events")]
    return tuple(event for event in events if event is not None)


def _identifier(fields: Fields, company: str, role: str | None) -> str:
    """The id given, else the slug; empty, with a recorded mistake, where neither can be had."""
    if fields.is_blank("id"):
        fields.complain("'id' is empty; leave the key out, and company and role give the id", "id")
        return ""
    if not fields.is_nothing("id"):
        return fields.get("id", identifier) or ""
    made = slug(company, role or "")
    if company and not made:
        fields.complain("no id can be made of these words: give one with 'id:'", "company")
    return made if company else ""


def _contact(fields: Fields, check_place: CheckPlace) -> Contact:
    country = fields.get("country", f.country)
    subdivision = fields.get("subdivision", f.line)
    f.complain_of_place(fields, country, subdivision, check_place)
    return Contact(
        name=fields.get("name", f.line),
        email=fields.get("email", f.line),
        phone=fields.get("phone", f.line),
        timezone=fields.get("timezone", f.zone_name),
        country=country,
        subdivision=subdivision,
    )
