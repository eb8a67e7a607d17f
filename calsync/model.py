"""The words of calsync: frozen values that the whole line speaks in.

They are those of the etiquette (Szlucha 2013; `docs/etiquette.md` has the rules):

- **Application**: one role at one company; **Journal**: all of them.
- **Event**: something that happened on a day, or an interview that is planned.
- **Window**: the days, `opens` to `closes` inclusive, on which one touch is polite.
- **Reminder**: what a window looks like in a calendar, field by field.

Days are `date`s in the user's time zone; moments are aware `datetime`s. Nothing here reads a clock or a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace


class Channel(StrEnum):
    """How a contact is made; `ANY` where nothing speaks for one of the two."""

    CALL = "call"
    EMAIL = "email"
    ANY = "any"


class State(StrEnum):
    """What has become of a window. `TENTATIVE` ones depend on something that has not happened yet."""

    DONE = "done"
    MISSED = "missed"
    SKIPPED = "skipped"
    FIRM = "firm"
    TENTATIVE = "tentative"

    @property
    def is_past(self) -> bool:
        """Whether the window is history: no reminder is due for it any more."""
        return self in (State.DONE, State.MISSED, State.SKIPPED)


class Ending(StrEnum):
    """How an application ended."""

    ACCEPTED = "accepted"
    DECLINED = "declined"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    CLOSED = "closed"


class Place(Struct, frozen=True):
    """Where something stands in the user's files; `line` and `column` count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


NOWHERE = Place("", 0, 0)


class Happening(Struct, frozen=True, kw_only=True):
    """What every event has: the `day` in the user's zone, a note, and its place in the files."""

    day: date
    note: str | None = None
    place: Place = NOWHERE


class Statement(Happening, frozen=True, kw_only=True):
    """What the employer said: "we decide by" `timeline`; `follow_up_on` and `follow_up_by` suit them."""

    timeline: date | None = None
    follow_up_on: date | None = None
    follow_up_by: Channel | None = None


class Applied(Happening, frozen=True, kw_only=True):
    """The application was sent."""


class Interview(Statement, frozen=True, kw_only=True):
    """An interview, held or planned. `at` is its start where the time of day is known."""

    at: datetime | None = None
    duration: timedelta = timedelta(hours=1)
    interviewer: str | None = None
    location: str | None = None


class Heard(Statement, frozen=True, kw_only=True):
    """A reply: an inbound contact by a person."""

    by: Channel | None = None


class Contacted(Happening, frozen=True, kw_only=True):
    """A touch: one outbound contact. `window` and `via` tell which reminder it answered, and where."""

    by: Channel | None = None
    article: str | None = None
    thanks: bool = False
    window: str | None = None
    via: str | None = None


class Acknowledged(Happening, frozen=True, kw_only=True):
    """An automatic receipt: changes nothing."""


class Snoozed(Happening, frozen=True, kw_only=True):
    """No window of this application opens before `until`."""

    until: date


class Skipped(Happening, frozen=True, kw_only=True):
    """The window with the id `window` is to be shown no more."""

    window: str
    via: str | None = None


class Pinned(Happening, frozen=True, kw_only=True):
    """The window with the id `window` has the days `opens` to `closes`, whatever the rules say."""

    window: str
    opens: date
    closes: date
    via: str | None = None


class Offer(Happening, frozen=True, kw_only=True):
    """They made an offer; an answer is due on `respond_by`."""

    respond_by: date | None = None


class Ended(Happening, frozen=True, kw_only=True):
    """The application is over."""

    how: Ending


Event = Applied | Interview | Heard | Contacted | Acknowledged | Snoozed | Skipped | Pinned | Offer | Ended


def unplaced(event: Event) -> Event:
    """What the event says, wherever it stands: two of them are equal if they say the same."""
    return replace(event, place=NOWHERE)


def kind_of(event: Event) -> str:
    """The key under which the journal has the event: "applied"; for an end, how it ended: "accepted"."""
    return event.how.value if isinstance(event, Ended) else type(event).__name__.lower()


class Contact(Struct, frozen=True, kw_only=True):
    """The person at the company. `timezone` is an IANA name, `country` and `subdivision` ISO 3166 codes."""

    name: str | None = None
    email: str | None = None
    phone: str | None = None
    timezone: str | None = None
    country: str | None = None
    subdivision: str | None = None


class Me(Struct, frozen=True, kw_only=True):
    """What the user leaves with the people they contact."""

    name: str | None = None
    phone: str | None = None
    email: str | None = None


class Application(Struct, frozen=True, kw_only=True):
    """One role at one company, with all that happened, in file order (answers after the journal)."""

    id: str
    company: str
    role: str | None = None
    url: str | None = None
    location: str | None = None
    contact: Contact = Contact()
    do_not: frozenset[Channel] = frozenset()
    strengths: tuple[str, ...] = ()
    articles: tuple[str, ...] = ()
    events: tuple[Event, ...] = ()
    place: Place = NOWHERE


class Journal(Struct, frozen=True, kw_only=True):
    """All applications, with warnings about what is odd in the files but no mistake."""

    applications: tuple[Application, ...]
    warnings: tuple[str, ...] = ()


class Pause(Struct, frozen=True):
    """Days, both included, on which the user contacts nobody."""

    first: date
    last: date


class Policy(Struct, frozen=True, kw_only=True):
    """The numbers and switches of the etiquette. The defaults are the preset `szlucha`, the article's own.

    `application_days`: first and last day of the call after an application, counted from it; None for the following
    week. `first_channel`: what is tried first for a first contact. `check_in_days`: first and last day of a check-in,
    counted from the contact before it. `max_check_ins`: how many follow the first contact after an interview; None for
    no limit. `contact_gap_days`: no two touches to one person are closer. `stale_after_days`: silence after which no
    check-in is proposed. `horizon_days`: how far ahead tentative check-ins are drawn. `weekdays`: Monday is 0.
    """

    application_days: tuple[int, int] | None = None
    first_channel: Channel = Channel.CALL
    check_in_days: tuple[int, int] = (10, 14)
    max_check_ins: int | None = None
    contact_gap_days: int = 10
    stale_after_days: int = 90
    horizon_days: int = 28
    email_instead: bool = False
    thank_you: bool = False
    weekdays: frozenset[int] = frozenset(range(5))
    pauses: tuple[Pause, ...] = ()
    country: str | None = None
    subdivision: str | None = None


class Window(Struct, frozen=True, kw_only=True):
    """The days, `opens` to `closes` inclusive, on which one touch is polite; or a prompt beside them.

    `applications` are those that the touch serves, the one that gives the id first. `by` is None where no touch
    is meant. `starts` and `ends` are set for timed prompts alone. `done_on` and `done_by` tell of the touch that
    used it up. `days` are the business days among them, on which a reminder may ring. `interview` is the one that a
    prompt is about. `strengths` and `articles` are what this touch is to bring. `why` holds, in plain words, the
    event, the rule, and every shift of the days.
    """

    id: str
    rule: str
    applications: tuple[Application, ...]
    by: Channel | None
    opens: date
    closes: date
    state: State
    days: tuple[date, ...] = ()
    interview: Interview | None = None
    starts: datetime | None = None
    ends: datetime | None = None
    done_on: date | None = None
    done_by: Channel | None = None
    strengths: tuple[str, ...] = ()
    articles: tuple[str, ...] = ()
    why: tuple[str, ...] = ()


class Standing(Struct, frozen=True, kw_only=True):
    """Where one application stands: its stage, the employer's last word, and why it has no window, if so."""

    application: Application
    stage: str
    stale: bool = False
    last_word: date | None = None
    next: str | None = None
    why_not: str | None = None


class Outlook(Struct, frozen=True, kw_only=True):
    """What the etiquette says of a journal: all windows by `opens` and id, and each application's standing.

    `persons` are the applications that lead to one person, for each person, in the order of the file.
    """

    windows: tuple[Window, ...]
    standings: tuple[Standing, ...]
    warnings: tuple[str, ...] = ()
    persons: tuple[tuple[Application, ...], ...] = ()


class Reminder(Struct, frozen=True, kw_only=True):
    """A window as it stands in a calendar: exactly the fields that calsync owns (`docs/identity.md`).

    `start` and `end` are both days (all-day; `end` exclusive, RFC 5545 3.6.1) or both aware moments in UTC. `alarms`
    are the triggers of its display alarms, relative to the start.
    """

    start: date | datetime
    end: date | datetime
    summary: str
    description: str = ""
    location: str = ""
    status: str = "CONFIRMED"
    categories: tuple[str, ...] = ("Follow-up",)
    alarms: tuple[timedelta, ...] = ()
    transp: str = "TRANSPARENT"
    classification: str = "PRIVATE"


class Mark(Struct, frozen=True):
    """What says that an event is ours: the journal's name, the window, and how often its event was made anew."""

    name: str
    window: str
    generation: int


class Resource(Struct, frozen=True):
    """An item of a collection as a target tells it: where it is, its ETag (None where there is none), its text."""

    href: str
    etag: str | None
    body: str


class Stamp(Struct, frozen=True):
    """What changes with every visible change and only then: DTSTAMP and LAST-MODIFIED (UTC), and SEQUENCE.

    `written` is as of when the reminder was drawn, where that is another moment: a stamp grows whatever the clock says.
    """

    moment: datetime
    sequence: int
    written: datetime | None = None


class Item(Struct, frozen=True, kw_only=True):
    """What an event tells of itself. `mark` and `base` are None where it has none, as on servers that drop them.

    `written` is the moment of our last write. `stamp` is no measure of it: other programs stamp the event too.
    """

    uid: str
    reminder: Reminder
    mark: Mark | None
    base: Hashes | None
    stamp: Stamp
    written: datetime | None = None


Hashes = Mapping[str, str]
"""Field name -> short hash of its normalised value (`X-CALSYNC-BASE`)."""
