"""What was done against the etiquette: a warning for each recorded contact that breaks a rule (Szlucha 2013). Pure.

Public face: `lint`. Only what has happened counts, and nothing here changes a window. The numbers S1 to S7 are those of
the table that `docs/etiquette.md` begins with.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from calsync.etiquette.rule import is_courtesy
from calsync.model import (
    Application,
    Applied,
    Channel,
    Contacted,
    Ended,
    Event,
    Heard,
    Interview,
    Offer,
    Outlook,
    Place,
    Policy,
    State,
    Statement,
)
from calsync.workdays import say

Found = tuple[Place, str]

_FORBIDDEN = {
    Channel.CALL: "this was a call, but the advertisement says not to call",
    Channel.EMAIL: "this was an e-mail, but the advertisement says not to write",
}


def lint(outlook: Outlook, policy: Policy, today: date) -> tuple[str, ...]:
    """A sentence for each thing done up to `today` that breaks a rule: its place, what is wrong, the rule's number.

    `outlook` is that of the same policy and day. The sentences are in the order of the files and their lines.
    """
    agreed = {
        (application.id, window.done_on)
        for window in outlook.windows
        if window.rule == "agreed-follow-up" and window.state is State.DONE
        for application in window.applications
    }
    found: list[Found] = []
    for person in outlook.persons:
        found += _too_close(person, policy, today, agreed)
        for application in person:
            events = _happened(application, today)
            found += _against_the_advertisement(application, events)
            found += _second_after_a_resume(application, events)
            found += _left_without_asking(events, today)
    found.sort(key=lambda entry: (entry[0].file, entry[0].line, entry[0].column, entry[1]))
    return tuple(f"{place}: {text}" for place, text in found)


def _happened(application: Application, today: date) -> list[Event]:
    """What has happened by `today`, in order of day, then of the file."""
    return sorted((event for event in application.events if event.day <= today), key=lambda event: event.day)


def _too_close(
    person: Sequence[Application], policy: Policy, today: date, agreed: set[tuple[str, date | None]]
) -> Iterator[Found]:
    """S7: two contacts of one person within the gap, without an answer between them.

    A contact on the days that were agreed is never too close: they asked for it.
    """
    events = [(event, application) for application in person for event in _happened(application, today)]
    events.sort(key=lambda entry: (entry[0].day, entry[1].id))
    before: Contacted | None = None
    for event, application in events:
        if isinstance(event, Heard | Interview):
            before = None
        if not isinstance(event, Contacted) or is_courtesy(application, event):
            continue
        is_agreed = any((each.id, event.day) in agreed for each in person)
        if before is not None and not is_agreed and (event.day - before.day).days < policy.contact_gap_days:
            yield event.place, _closeness(before, event, policy.contact_gap_days)
        before = event


def _closeness(before: Contacted, event: Contacted, gap: int) -> str:
    if event.day == before.day:
        return (
            f"the same person has a contact on that day already ({before.place}); if it was one contact, "
            "record it once: it serves all applications (S7)"
        )
    days = (event.day - before.day).days
    return (
        f"{'1 day' if days == 1 else f'{days} days'} after the contact on {say(before.day)} ({before.place}), to the "
        f"same person, without an answer; polite is {gap} days, never daily (S7)"
    )


def _against_the_advertisement(application: Application, events: list[Event]) -> Iterator[Found]:
    """S2: a contact in a way that the advertisement forbids, and that they did not ask for before."""
    asked: set[Channel] = set()
    for event in events:
        if isinstance(event, Statement) and event.follow_up_by is not None:
            asked.add(event.follow_up_by)
        if isinstance(event, Contacted) and event.by in application.do_not - asked:
            yield event.place, f"{_FORBIDDEN[event.by]}, and they had not asked for it (S2)"


def _second_after_a_resume(application: Application, events: list[Event]) -> Iterator[Found]:
    """S1: after a résumé one contact, then nothing more: they call if the applicant fits."""
    is_open = is_waiting = False
    first: Contacted | None = None
    for event in events:
        match event:
            case Applied() if not is_open:
                is_open = is_waiting = True
                first = None
            case Heard() | Interview():
                is_open, is_waiting = True, False
            case Offer() | Ended():
                is_open = is_waiting = False
            case Contacted() if is_waiting and not is_courtesy(application, event):
                if first is not None:
                    which = f"the one on {say(first.day)} ({first.place})"
                    text = f"a second contact after the résumé, without a reply; {which} is all that is polite (S1)"
                    yield event.place, text
                first = first or event
            case _:
                pass


def _left_without_asking(events: list[Event], today: date) -> Iterator[Found]:
    """S4: the last interview of an open application, of which no timeline and no follow-up is on record."""
    silent: Interview | None = None
    for event in events:
        if isinstance(event, Interview):
            silent = event if event.day < today else None
        if isinstance(event, Offer | Ended) or (isinstance(event, Statement) and _named(event)):
            silent = None
    if silent is not None:
        questions = "the next steps, the timeline, and whether a call or an e-mail suits better"
        text = f"no timeline and no follow-up is on record since; never leave without asking {questions} (S4)"
        yield silent.place, text


def _named(said: Statement) -> bool:
    """Whether they answered one of the three questions."""
    return any(answer is not None for answer in (said.timeline, said.follow_up_on, said.follow_up_by))
