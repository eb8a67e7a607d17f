"""The book: what a run learns stands in the file and counts at once."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from calsync import config
from calsync.book import Book, look
from calsync.errors import CalsyncError, JournalError
from calsync.model import Outlook, Skipped, State
from calsync.signals import Answer
from tests.samples import JOURNAL

TODAY = date(2026, 11, 23)
CALL = "bolt/application-call/1"
SKIP = Skipped(day=TODAY, window=CALL, via="calendar")


@pytest.fixture
def settings(tmp_path: Path) -> config.Config:
    (tmp_path / "applications.yaml").write_text(JOURNAL, encoding="utf-8")
    (tmp_path / "config.yaml").write_text(
        "timezone: Europe/Berlin\napplications: applications.yaml\n", encoding="utf-8"
    )
    return config.load(tmp_path / "config.yaml", {}, tmp_path)


def skip(book: Book) -> Answer:
    [window] = [window for window in book.outlook.windows if window.id == CALL]
    return Answer(window.applications[0], SKIP)


def state_of(outlook: Outlook) -> State:
    return next(window.state for window in outlook.windows if window.id == CALL)


def test_what_is_learnt_counts_at_once_and_for_the_next_reader(settings: config.Config):
    book = Book(settings, TODAY)
    assert state_of(book.outlook) is State.FIRM
    book.learn([skip(book)], writes=True)
    assert state_of(book.outlook) is State.SKIPPED
    assert state_of(look(settings, TODAY)) is State.SKIPPED


def test_a_book_that_writes_nothing_counts_what_it_learns_all_the_same(settings: config.Config):
    book = Book(settings, TODAY)
    book.learn([skip(book)], writes=False)
    assert state_of(book.outlook) is State.SKIPPED
    assert not settings.answers.exists()
    assert state_of(look(settings, TODAY)) is State.FIRM


def test_each_answer_goes_to_its_application_alone(settings: config.Config):
    book = Book(settings, TODAY)
    others = [window for window in book.outlook.windows if window.id != CALL]
    book.learn([skip(book)], writes=True)
    assert [window for window in book.outlook.windows if window.id != CALL] == others


def test_what_cannot_be_written_is_not_learnt(settings: config.Config):
    book = Book(settings, TODAY)
    settings.answers.write_text("applications: [{id: acme, events: []}]\n", encoding="utf-8")
    with pytest.raises(CalsyncError):
        book.learn([skip(book)], writes=True)
    assert state_of(book.outlook) is State.FIRM


def test_answers_that_others_added_meanwhile_stay(settings: config.Config):
    book, other = Book(settings, TODAY), Book(settings, TODAY)
    other.learn([skip(other)], writes=True)
    window = next(window for window in book.outlook.windows if window.applications[0].id == "acme")
    book.learn([Answer(window.applications[0], Skipped(day=TODAY, window=window.id))], writes=True)
    after = {each.id: each.state for each in look(settings, TODAY).windows}
    assert (after[CALL], after[window.id]) == (State.SKIPPED, State.SKIPPED)


def test_a_wrong_journal_is_an_error_or_empty_with_that_as_its_warning(settings: config.Config):
    settings.applications[0].write_text("applications: [{role: x}]\n", encoding="utf-8")
    with pytest.raises(JournalError):
        Book(settings, TODAY)
    book = Book(settings, TODAY, forgiving="cannot be read")
    assert book.outlook.windows == ()
    assert book.outlook.warnings == ("cannot be read",)
