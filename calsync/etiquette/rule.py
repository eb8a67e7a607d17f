"""What a rule is: it turns something that happened into the days on which a touch is due.

`Rule` gives the one current window of an application; a `Prompt` stands beside it. The rules themselves stand one a
file in `rules/`; they know this page and not each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date

from msgspec import Struct

from calsync.model import Application, Applied, Channel, Contacted, Event, Happening, Interview, Offer, Policy, Window
from calsync.workdays import Workdays

CALL_FIRST = (Channel.CALL, Channel.EMAIL)
EMAIL_FIRST = (Channel.EMAIL, Channel.CALL)


class Due(Struct, frozen=True):
    """The days that a rule asks for, `first` to `last`, before weekends, holidays and bars.

    `named` is the day that the employer named (D of "follow up on D", T of "we decide by T"), if they did.
    `because` says in plain words what it comes from and what the rule is.
    """

    rule: str
    first: date
    last: date
    because: tuple[str, ...]
    named: date | None = None


class Rule(Struct, frozen=True):
    """One rule of the etiquette.

    `due` answers an event with the days that are due from it, or None where the rule has nothing to say. `answers` is
    the kind of event that it may have something to say to.
    `channels` is the order in which a channel is chosen for a first contact. `numbered_by_interview`: ids count
    within an interview ("check-in/1.2"). `agreed`: the employer named the days, so no bar moves them.
    """

    name: str
    due: Callable[[Event, Application, Policy], Due | None]
    answers: type[Happening] | None
    channels: tuple[Channel, Channel] = CALL_FIRST
    numbered_by_interview: bool = True
    agreed: bool = False


class Record(Struct, frozen=True):
    """What the prompts need to know of a replayed application.

    `interviews` are those on record since the application last ended, planned ones too, each with its number. `offer`
    is the one that stands, the `offers`-th on record.
    """

    application: Application
    interviews: tuple[tuple[int, Interview], ...]
    offer: Offer | None
    offers: int


Prompt = Callable[[Record, date, Policy, Workdays], Iterable[Window]]
"""A rule beside the current window: from a record, as of a day, its windows."""


def never(_event: Event, _application: Application, _policy: Policy) -> None:
    """The `due` of a rule that no event calls for by itself."""


def reachable(application: Application, channel: Channel) -> bool:
    """Whether `channel` is known for the contact and not forbidden by the advertisement (S2, S3)."""
    known = application.contact.phone if channel is Channel.CALL else application.contact.email
    return bool(known) and channel not in application.do_not


def is_courtesy(application: Application, touch: Contacted) -> bool:
    """Whether no rule and no guard counts `touch`: thanks, or on the day of applying or of an interview."""
    if touch.thanks:
        return True
    return any(event.day == touch.day and isinstance(event, Applied | Interview) for event in application.events)
