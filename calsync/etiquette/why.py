"""Why a window has its days: every shift that was made to them, in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from calsync.etiquette.rule import Due
from calsync.workdays import DAY, Span, Workdays, say


@dataclass(frozen=True, slots=True)
class Bar:
    """A day before which no touch is polite, and what set it."""

    until: date
    because: str


def shifts(due: Due, span: Span, bars: tuple[Bar, ...], workdays: Workdays) -> Iterator[str]:
    """Tell how the days that `due` asks for became `span`, given the bars that counted."""
    start = due.first
    for bar in bars:
        if bar.until > due.first:
            yield bar.because
            start = max(start, bar.until)
    if span.opens > due.last:
        yield f"That leaves no day up to {say(due.last)}; late is polite, early is not."
        start = max(start, due.last + DAY)
        last = span.closes
    else:
        last = due.last
    if reasons := _reasons(start, span.opens, workdays):
        yield f"{reasons}; opens {say(span.opens)}."
    if reasons := _reasons(span.closes + DAY, last + DAY, workdays):
        yield f"{reasons}; closes {say(span.closes)}."


def _reasons(first: date, end: date, workdays: Workdays) -> str:
    """Why the days from `first` to before `end` do not count; each reason once."""
    found: dict[str, None] = {}
    while first < end:
        if reason := workdays.why_not(first):
            found[reason] = None
        first += DAY
    return "; ".join(found)
