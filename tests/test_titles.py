"""The titles of windows on a terminal are those of the calendar, without its template engine."""

from __future__ import annotations

import random
from datetime import date

from calsync.etiquette import windows
from calsync.etiquette.rules import PROMPTS, RULES
from calsync.model import State
from calsync.texts import Texts
from calsync.titles import PlainTitles
from calsync.wording import Wording
from tests.etiquette.journals import KINDS, public_holidays, random_journal


def test_the_plain_titles_are_those_of_the_english_catalogue():
    wording, plain = Wording(Texts().say), PlainTitles()
    met = set()
    for seed in range(200):
        for kind in KINDS:
            case = random_journal(random.Random(seed), kind)
            for window in windows(*case, public_holidays):
                assert plain.summary(window) == wording.summary(window)
                met.add(State.DONE if window.state is State.DONE else window.rule)
    assert met == {State.DONE, *RULES, *PROMPTS}


def test_a_date_is_written_as_the_catalogue_does():
    wording = Wording(Texts().say)
    for month in range(1, 13):
        day = date(2026, month, month)
        assert wording._day(day) == f"{day:%a} {day.day} {day:%b}"
