"""Where an application stands, and which events mean anything there (`docs/etiquette.md`, "One application")."""

from __future__ import annotations

from enum import Enum, auto

from calsync.model import Applied, Contacted, Ended, Happening, Heard, Interview, Offer, Pinned, Skipped, Snoozed

Happened = Applied | Interview | Heard | Contacted | Offer | Ended
Wish = Snoozed | Skipped | Pinned

_AFTER_OFFER = frozenset({Applied, Offer, Ended, Snoozed, Skipped, Pinned})
_AFTER_END = frozenset({Applied, Interview, Snoozed, Skipped, Pinned})
"""The kinds of events that mean anything then: what the user wants of windows always does."""


class Stage(Enum):
    """Where an application stands between its first event and its end."""

    NEW = auto()
    APPLIED = auto()
    INTERVIEWED = auto()
    OFFERED = auto()
    ENDED = auto()


def counts(kind: type[Happening], stage: Stage, *, spoken_to: bool) -> bool:
    """Whether an event of this kind means anything at this stage; to apply once more does not while they talk."""
    match stage:
        case Stage.OFFERED:
            return kind in _AFTER_OFFER
        case Stage.ENDED:
            return kind in _AFTER_END
        case _:
            return kind is not Applied or not spoken_to
