"""What failed for now is tried again, patiently, within bounds; after a lost answer to a write, a look comes first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Event
from typing import Any

import pytest

from calsync.credentials import Secret
from calsync.errors import UnreachableError
from calsync.model import Resource
from calsync.targets.base import ConflictError, ItemError, MissingError
from calsync.targets.caldav import CaldavTarget
from calsync.targets.davretry import after_a_look
from tests.scripted import Asked, Reply, Scripted, multistatus, response, serve
from tests.targets.contract import event

ITEM = Resource("/cal/one.ics", '"1"', event("one"))
OTHER = event("one", "Write to Dana")
LISTED = multistatus(response("/cal/one.ics", '<D:getetag>"1"</D:getetag>'))
LOST = Reply(201, "x" * 50, cut=10)
FAULT = Reply(500, "Traceback: boom", {"Content-Type": "text/plain"})


def ics(body: str, etag: str = '"1"') -> Reply:
    return Reply(200, body, {"Content-Type": "text/calendar", "ETag": etag})


class Patient:
    """A target on a server that gives these replies in turn, the last one for ever; `waited` are its pauses."""

    def __init__(self, stack: ExitStack, replies: tuple[Reply, ...]) -> None:
        left = list(replies)

        def script(_asked: Asked) -> Reply:
            return left.pop(0) if len(left) > 1 else left[0]

        self.scripted: Scripted = stack.enter_context(serve(script))
        self.waited: list[float] = []
        self.target = CaldavTarget(
            url=self.scripted.url,
            calendar="/cal/",
            username="alice",
            password=Secret("zinnober-quartz-otter"),
            sleep=self.waited.append,
        )
        stack.callback(self.target.close)

    @property
    def methods(self) -> list[str]:
        return self.scripted.methods()


@pytest.fixture
def on() -> Iterator[Callable[..., Patient]]:
    with ExitStack() as stack:
        yield lambda *replies: Patient(stack, replies)


On = Callable[..., Patient]
WRITES: dict[str, Callable[[CaldavTarget], Any]] = {
    "create": lambda target: target.create("one.ics", OTHER),
    "update": lambda target: target.update(ITEM, OTHER),
    "delete": lambda target: target.delete(ITEM),
}


# ------------------------------------------------------------------------------------------------ reads


@pytest.mark.parametrize("reply", [Reply(500), Reply(502), Reply(504), Reply(503), Reply(429), Reply(207, "x", cut=1)])
def test_a_read_that_fails_for_now_is_tried_again(on: On, reply: Reply) -> None:
    patient = on(reply, reply, LISTED)
    assert dict(patient.target.listing().etags) == {"/cal/one.ics": '"1"'}
    assert patient.methods == ["REPORT"] * 3
    assert len(patient.waited) == 2


@pytest.mark.parametrize(
    ("reply", "words"), [(Reply(503), "not available"), (Reply(429), "too much.*later"), (LOST, "broke before")]
)
def test_after_three_tries_it_is_said(on: On, reply: Reply, words: str) -> None:
    patient = on(reply)
    with pytest.raises(UnreachableError, match=words):
        patient.target.listing()
    assert patient.methods == ["REPORT"] * 3


def test_waiting_grows_and_has_some_chance_in_it(on: On) -> None:
    waited = [on(Reply(503), Reply(503), LISTED) for _ in range(4)]
    for patient in waited:
        patient.target.listing()
        first, second = patient.waited
        assert 0.5 <= first <= 1
        assert 1 <= second <= 1.5
    assert len({patient.waited[0] for patient in waited}) > 1


def test_a_connection_that_was_closed_is_tried_again_at_once(on: On) -> None:
    patient = on(LOST, LISTED)
    patient.target.listing()
    assert patient.waited == [0]


def test_retry_after_is_waited_for(on: On) -> None:
    patient = on(Reply(429, "", {"Retry-After": "7"}), LISTED)
    assert patient.target.listing().etags
    assert patient.waited == [7]


@pytest.mark.parametrize(
    ("seconds", "words"), [("61", "in 61 seconds"), ("300", "in 5 minutes"), ("7200", "in 2 hours")]
)
@pytest.mark.parametrize("status", [429, 503])
def test_a_longer_retry_after_ends_the_run_and_says_when_to_come_back(
    on: On, status: int, seconds: str, words: str
) -> None:
    patient = on(Reply(status, "", {"Retry-After": seconds}))
    with pytest.raises(UnreachableError, match=f"try again {words}") as caught:
        patient.target.create("one.ics", event("one"))
    assert caught.value.retry_after == int(seconds)
    assert (patient.methods, patient.waited) == (["PUT"], [])


def test_all_waiting_of_a_run_together_has_an_end(on: On) -> None:
    patient = on(Reply(429, "", {"Retry-After": "25"}))
    for _ in range(3):
        with pytest.raises(UnreachableError):
            patient.target.listing()
    assert sum(patient.waited) <= 60
    assert len(patient.methods) == 3 + 1 + 1


@pytest.mark.parametrize("status", [400, 403, 404, 412, 501, 507])
def test_what_does_not_pass_is_not_tried_again(on: On, status: int) -> None:
    patient = on(Reply(status))
    with pytest.raises(Exception, match=str(status)):
        patient.target.create("one.ics", event("one"))
    assert patient.waited == []


# ------------------------------------------------------------------------------------------------ writes


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("reply", [Reply(429), Reply(503)])
def test_a_write_that_was_not_done_is_sent_again_with_its_condition(on: On, write: str, reply: Reply) -> None:
    patient = on(reply, Reply(204))
    WRITES[write](patient.target)
    first, second = patient.scripted.asked
    assert first == second
    assert {"if-match", "if-none-match"} & first.headers.keys()


@pytest.mark.parametrize("lost", [LOST, FAULT])
@pytest.mark.parametrize(
    ("write", "found"), [("create", ics(OTHER, '"2"')), ("update", ics(OTHER, '"2"')), ("delete", Reply(404))]
)
def test_a_write_that_was_done_is_not_sent_again(on: On, write: str, found: Reply, lost: Reply) -> None:
    patient = on(lost, found)
    done = WRITES[write](patient.target)
    assert patient.methods[1:] == ["GET"]
    assert write == "delete" or done.etag == '"2"'


@pytest.mark.parametrize("lost", [LOST, FAULT])
@pytest.mark.parametrize(
    ("write", "found"), [("create", Reply(404)), ("update", ics(ITEM.body)), ("delete", ics(ITEM.body))]
)
def test_a_write_that_was_not_done_is_sent_again_after_a_look(on: On, write: str, found: Reply, lost: Reply) -> None:
    patient = on(lost, found, Reply(204))
    WRITES[write](patient.target)
    first, look, second = patient.scripted.asked
    assert look.method == "GET"
    assert first == second


@pytest.mark.parametrize("write", WRITES)
def test_after_a_lost_answer_somebody_elses_text_is_a_conflict(on: On, write: str) -> None:
    patient = on(LOST, ics(event("one", "Changed on the phone"), '"9"'))
    with pytest.raises(ConflictError):
        WRITES[write](patient.target)
    assert patient.methods[1:] == ["GET"]


def test_an_update_of_what_is_gone_meanwhile_does_not_make_it_anew(on: On) -> None:
    patient = on(LOST, Reply(404))
    with pytest.raises(MissingError):
        patient.target.update(ITEM, OTHER)
    assert patient.methods == ["PUT", "GET"]


@pytest.mark.parametrize("write", WRITES)
def test_without_a_look_nothing_is_written_again(on: On, write: str) -> None:
    patient = on(LOST, Reply(403))
    with pytest.raises(ItemError, match="look again later"):
        WRITES[write](patient.target)
    assert patient.methods[1:] == ["GET"]


def test_a_fault_that_stays_is_told_in_the_servers_words(on: On) -> None:
    patient = on(FAULT)
    with pytest.raises(ItemError, match="It says: Traceback: boom"):
        patient.target.create("one.ics", OTHER)
    assert patient.methods == ["PUT", "GET", "GET"]


def test_a_new_item_that_the_server_keeps_elsewhere_is_not_made_twice(on: On) -> None:
    """The answer that tells where was lost; the UID is refused as known, and nothing is at the place we asked for."""
    clash = '<D:error xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><C:no-uid-conflict/></D:error>'
    patient = on(LOST, Reply(404), Reply(409, clash), Reply(404))
    with pytest.raises(ItemError, match="see the next run") as caught:
        patient.target.create("one.ics", OTHER)
    assert not isinstance(caught.value, ConflictError)


def test_a_calendar_is_made_once_at_most(on: On) -> None:
    patient = on(Reply(404), Reply(404), Reply(503), Reply(201))
    with pytest.raises(UnreachableError):
        patient.target.listing()
    assert patient.methods.count("MKCALENDAR") == 1


def test_two_writes_that_meet_on_xandikos_are_sent_again_one_by_one(on: On) -> None:
    """It answers 423 while another write is on its way, and has done nothing then: no look is needed, and no wait."""
    patient = on(Reply(423), Reply(204), Reply(204))
    patient.target.update(ITEM, OTHER)
    patient.target.update(ITEM, OTHER)
    assert (patient.methods, patient.waited) == (["PUT"] * 3, [0])


def test_a_write_that_met_another_of_ours_waits_until_that_has_ended(on: On) -> None:
    """However slow Xandikos' disk is: its lock may be held for longer than three tries take."""
    first, refused, again, met = Event(), Event(), Event(), []

    def slow(asked: Asked) -> Reply:
        """The first write takes until another was refused, and somewhat longer."""
        if not first.is_set():
            first.set()
            refused.wait(10)
            again.wait(0.2)
            met.append(again.is_set())
            return Reply(204)
        if not met:
            (again if refused.is_set() else refused).set()
            return Reply(423)
        return Reply(204)

    patient = on(Reply(204))
    patient.scripted.script = slow
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(patient.target.update, ITEM, OTHER)
        assert first.wait(10)
        patient.target.update(ITEM, OTHER)
        other.result()
    assert (patient.methods, met) == (["PUT"] * 3, [False])


def test_a_lock_that_stays_is_told(on: On) -> None:
    with pytest.raises(ItemError, match="another program holds a lock"):
        on(Reply(423)).target.update(ITEM, OTHER)


# ------------------------------------------------------------------------------- a write whose answer was lost

OLD, NEW, THIRD = "BEGIN:OLD\r\n", "BEGIN:NEW\r\n", "BEGIN:THIRD\r\n"


@pytest.mark.parametrize(
    ("before", "found"),
    [
        (Resource("a", '"1"', OLD), Resource("a", '"1"', THIRD)),  # the ETag proves it, however the text is spelled
        (Resource("a", None, OLD), Resource("a", '"2"', OLD)),
        (Resource("a", 'W/"1"', OLD), Resource("a", 'W/"2"', OLD)),
    ],
)
def test_what_stands_there_as_before_was_not_written(before: Resource, found: Resource) -> None:
    assert after_a_look("a", found, before, NEW) is None


@pytest.mark.parametrize("etag", [None, 'W/"1"'])
def test_another_text_under_no_or_a_weak_etag_is_somebody_elses(etag: str | None) -> None:
    with pytest.raises(ConflictError):
        after_a_look("a", Resource("a", etag, THIRD), Resource("a", etag, OLD), NEW)
