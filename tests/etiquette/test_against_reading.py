"""`calsync.etiquette` agrees with the second reading of its page, `reading.py`, for one application and for a person.

The reading is written apart, from the page alone. Where the two differ, the page decides.
"""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings

from calsync.etiquette import windows
from tests.etiquette.journals import (
    Case,
    one_application,
    one_person,
    public_holidays,
    random_journal,
    several_persons,
)
from tests.etiquette.reading import Line, read


def lines(case: Case) -> list[Line]:
    """The windows of calsync in the form of the reading."""
    return [
        Line(
            window.id,
            window.by,
            window.opens,
            window.closes,
            window.state,
            window.done_on,
            tuple(application.id for application in window.applications),
        )
        for window in windows(*case, public_holidays)
    ]


@settings(max_examples=300)
@given(one_application())
def test_a_journal_gives_the_windows_of_the_reading(case):
    assert lines(case) == read(*case, public_holidays)


@pytest.mark.parametrize("first", range(0, 1500, 250))
def test_random_journals_give_the_windows_of_the_reading(first):
    """Seeded, so the same in every run; `random_journal(random.Random(seed))` is the journal of a seed."""
    cases = {seed: random_journal(random.Random(seed)) for seed in range(first, first + 250)}
    assert [seed for seed, case in cases.items() if lines(case) != read(*case, public_holidays)] == []


@pytest.mark.parametrize("seed", [1923, 2373, 3435, 7179, 15205, 29313, 29914])
def test_journals_that_once_made_a_difference(seed):
    """Pins of windows that are not current yet, pins before their interview, statements that do not count."""
    case = random_journal(random.Random(seed))
    assert lines(case) == read(*case, public_holidays)


@pytest.mark.parametrize(("seed", "kind"), [(21075, "crowd"), (22044, "together"), (24735, "crowd")])
def test_journals_of_several_applications_that_once_made_a_difference(seed, kind):
    """A touch that uses up a merged or a joined window, but for the member that gave its id."""
    case = random_journal(random.Random(seed), kind)
    assert lines(case) == read(*case, public_holidays)


@settings(max_examples=150)
@given(one_person())
def test_applications_to_one_person_give_the_windows_of_the_reading(case):
    assert lines(case) == read(*case, public_holidays)


@settings(max_examples=100)
@given(several_persons())
def test_applications_to_several_persons_give_the_windows_of_the_reading(case):
    assert lines(case) == read(*case, public_holidays)


@pytest.mark.parametrize("kind", ["together", "crowd"])
@pytest.mark.parametrize("first", range(0, 300, 100))
def test_random_journals_of_several_applications_give_the_windows_of_the_reading(kind, first):
    cases = {seed: random_journal(random.Random(seed), kind) for seed in range(first, first + 100)}
    assert [seed for seed, case in cases.items() if lines(case) != read(*case, public_holidays)] == []
