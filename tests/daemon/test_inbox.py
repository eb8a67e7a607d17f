"""The inbox: word that is left there wakes the one that works, and is taken once."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from calsync.daemon.inbox import Inbox
from calsync.daemon.scheduling import Reason

SECONDS = 10
"""How long a waiter may take to wake up before a test gives up."""


def test_all_reasons_are_taken_at_once_and_once():
    inbox = Inbox()
    for reason in (Reason.JOURNAL, Reason.SIGNAL, Reason.JOURNAL):
        inbox.ask(reason)
    assert inbox.wait(SECONDS) == {Reason.JOURNAL, Reason.SIGNAL}
    assert inbox.wait(0) == frozenset()


@pytest.mark.parametrize(
    ("word", "taken"), [(lambda inbox: inbox.ask(Reason.SIGNAL), {Reason.SIGNAL}), (Inbox.stop, frozenset())]
)
def test_word_from_another_thread_wakes_who_waits(word: Callable[[Inbox], None], taken):
    inbox, found = Inbox(), []
    thread = threading.Thread(target=lambda: found.append(inbox.wait(600)), daemon=True)
    thread.start()
    thread.join(0.2)
    assert found == [], "there is nothing to wake up for"
    word(inbox)
    thread.join(SECONDS)
    assert found == [taken]
    assert inbox.stopping is (taken == frozenset())
