"""What targets and syncs promise holds on sabre/dav too, with Basic and with Digest logins."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.samples import JOURNAL
from tests.servers import Server
from tests.system.sabre.server import sabre
from tests.targets.contract import Place, event
from tests.targets.test_caldav_servers import OnCaldav
from tests.targets.test_discovery import OnServer as Discovery
from tests.targets.test_discovery import internet, opened  # noqa: F401  # fixtures, found by their names
from tests.test_sync import OnServer, ServerContract, World, counted, uid


@pytest.fixture(scope="session", params=["basic", "digest"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    folder = Path(tempfile.mkdtemp(prefix="calsync-sabre-"))  # pytest's own folders are closed to www-data
    folder.chmod(0o755)
    server = sabre(folder, request.param)
    yield server
    server.stop()
    shutil.rmtree(folder)


class TestTarget(OnCaldav):
    def test_a_create_with_a_uid_that_stands_elsewhere_is_a_conflict(self, place: Place) -> None:
        """Sabre 1.8 does not look at UIDs (nor does Baikal): a second one is taken, as an event of its own."""
        place.put("one.ics", event("one"))
        place.target.create("other.ics", event("one"))
        assert len(place.items()) == len(place.target.listing().etags) == 2

    def test_a_token_tells_what_is_new_what_changed_and_what_is_gone_since(self, place: Place) -> None:
        """Sabre 1.8 has a ctag alone: it tells that nothing changed, or else nothing."""
        place.put("one.ics", event("one"))
        token = place.target.token()
        assert token is not None
        changes = place.target.changes(token)
        assert changes is not None
        assert (dict(changes.etags), changes.gone) == ({}, frozenset())
        place.put("two.ics", event("two"))
        assert place.target.changes(token) is None


class OnSabre(OnServer):
    """A ctag changes with our own writes too, so the run after them asks for a list as well."""

    def __init__(self, folder: Path, server: Server) -> None:
        super().__init__(folder, server)
        self.login_requests += 1


class TestSync(ServerContract):
    @pytest.fixture
    def world(self, tmp_path: Path, server: Server) -> OnServer:
        return OnSabre(tmp_path, server)

    def test_a_journal_change_keeps_the_uid_and_costs_one_put(self, world: World) -> None:
        """With Digest the write is challenged once more, so the requests are not counted here."""
        world.run()
        before = world.ours()
        world.write(JOURNAL.replace("Lee", "Lee Chang"))
        assert counted(world.run()) == (0, 1, 0)
        after = world.ours()
        assert uid(after["bolt/application-call/1"]) == uid(before["bolt/application-call/1"])


class TestDiscovery(Discovery):
    pass
