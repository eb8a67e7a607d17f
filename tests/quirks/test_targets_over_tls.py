"""Over TLS, by a CA of the user's own, the CalDAV target keeps the same contract, and a lost answer is told as lost.

Most users' way to their server: https:// takes other code than http:// (see `davhttp.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from calsync.credentials import Secret
from calsync.targets.caldav import CaldavTarget
from calsync.targets.davhttp import BrokenError, Connection
from calsync.targets.davlogin import Login
from calsync.targets.davtrust import Trust
from tests import internet as net
from tests.internet import Internet
from tests.quirks import Fault, QuirkServer
from tests.quirks.test_targets_on_quirks import Face
from tests.servers import Server
from tests.targets.contract import event, stored
from tests.targets.test_caldav_servers import OnCaldav, OnServer, Opener

LOST = [Fault.LOST_BEFORE, Fault.LOST_AFTER, Fault.HALF]


class Secure(Face):
    """The quirk server behind a door that speaks TLS; tests look at it without."""

    def __init__(self, folder: Path, quirks: QuirkServer, internet: Internet) -> None:
        super().__init__(folder, quirks)
        self.internet = internet
        self.door = internet.front(quirks.port)

    def start(self) -> None:
        super().start()
        self.internet.front(self.port, at=self.door)

    def stop(self) -> None:
        self.internet.shut(self.door)
        super().stop()

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.door}/"


class Trusting(Opener):
    """Opens targets that trust this server's CA."""

    def __init__(self, server: Secure) -> None:
        super().__init__(server)
        self.ca_file = server.internet.ca_file

    def __call__(self, **settings: object) -> CaldavTarget:
        return super().__call__(**{"ca_file": self.ca_file, "sleep": lambda _: None, **settings})


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secure]:
    folder = tmp_path_factory.mktemp("tls")
    with (
        pytest.MonkeyPatch.context() as environment,
        QuirkServer() as quirks,
        net.opened(folder, environment, {}) as internet,
    ):
        yield Secure(folder, quirks, internet)


@pytest.fixture
def opened(secure: Secure) -> Iterator[Opener]:
    opener = Trusting(secure)
    yield opener
    opener.close()


@pytest.fixture
def place(secure: Secure, opened: Opener) -> OnServer:
    return OnServer(secure, opened)


@pytest.fixture
def connection(secure: Secure) -> Iterator[Connection]:
    login = Login((secure.username,), Secret(secure.password), None)
    made = Connection(secure.url, login, timeout=10, trust=Trust(ca_file=secure.internet.ca_file))
    yield made
    made.close()


def methods(secure: Secure, since: int) -> list[str]:
    """What came after the first so many requests."""
    return [each.method for each in secure.quirks.log[since:]]


class TestTarget(OnCaldav):
    @pytest.fixture
    def server(self, secure: Secure) -> Server:
        return secure

    @pytest.fixture
    def opened(self, secure: Secure) -> Iterator[Opener]:
        opener = Trusting(secure)
        yield opener
        opener.close()


@pytest.mark.parametrize("is_warm", [False, True], ids=["first", "kept"])
@pytest.mark.parametrize("fault", LOST)
def test_a_lost_answer_to_a_write_is_told_as_lost_and_nothing_is_sent_again(
    secure: Secure, connection: Connection, fault: Fault, *, is_warm: bool
) -> None:
    """On a new connection and on one that has served before."""
    calendar = secure.calendar()
    if is_warm:
        assert connection.read("GET", f"{calendar}none.ics").status == 404
    since = len(secure.quirks.log)
    secure.quirks.inject(fault)
    with pytest.raises(BrokenError, match=r"broke|failed"):
        connection.write("PUT", f"{calendar}one.ics", event("one"), {"If-None-Match": "*"})
    assert methods(secure, since) == ["PUT"]
    assert len(secure.items(calendar)) == (0 if fault is Fault.LOST_BEFORE else 1)


@pytest.mark.parametrize("fault", LOST)
def test_a_lost_answer_to_a_read_is_asked_for_again(secure: Secure, place: OnServer, fault: Fault) -> None:
    href = place.put("one.ics", event("one"))
    since = len(secure.quirks.log)
    secure.quirks.inject(fault, at=1)
    secure.quirks.inject(fault, at=4)
    assert list(place.target.listing().etags) == [href]
    place.target.listing()
    assert list(place.target.fetch([href])) == [href]
    reports = [each for each in methods(secure, since) if each == "REPORT"]
    assert len(reports) == 3 + 2


@pytest.mark.parametrize("fault", LOST)
def test_a_write_is_sent_again_only_after_a_look_that_it_was_not_done(
    secure: Secure, place: OnServer, fault: Fault
) -> None:
    again = ["GET", "PUT"] if fault is Fault.LOST_BEFORE else ["GET"]
    item = stored(place, "one")
    since = len(secure.quirks.log)
    secure.quirks.inject(fault)
    place.target.create("two.ics", event("two"))
    assert methods(secure, since) == ["PUT", *again]
    since = len(secure.quirks.log)
    secure.quirks.inject(fault)
    place.target.update(item, event("one", "Write to Dana"))
    assert methods(secure, since) == ["PUT", *again]
    item = place.target.fetch([item.href])[item.href]
    since = len(secure.quirks.log)
    secure.quirks.inject(fault)
    place.target.delete(item)
    assert methods(secure, since) == ["DELETE", *(each.replace("PUT", "DELETE") for each in again)]
    (body,) = place.items().values()
    assert "UID:two" in body
    own = urlsplit(place.calendar).path
    assert [write for write in secure.quirks.blind_writes() if write.href.startswith(own)] == []
