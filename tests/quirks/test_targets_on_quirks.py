"""On the quirk server without flags the CalDAV target keeps its contract, and a sync its own, as on real servers.

What it keeps under each quirk: `test_sync_on_quirks.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.quirks import QuirkServer
from tests.servers import Server
from tests.targets.test_caldav_servers import OnCaldav
from tests.test_sync import OnServer, ServerContract


class Face(Server):
    """The quirk server as tests know a real one: looked at with plain HTTP."""

    def __init__(self, folder: Path, quirks: QuirkServer) -> None:
        super().__init__("quirks", folder, quirks.port, quirks.home, lambda _port: [])
        self.quirks = quirks

    def start(self) -> None:
        self.quirks.start()

    def stop(self) -> None:
        self.quirks.stop()


@pytest.fixture(scope="module")
def face(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Face]:
    with QuirkServer() as quirks:
        yield Face(tmp_path_factory.mktemp("quirks"), quirks)


class TestTarget(OnCaldav):
    @pytest.fixture
    def server(self, face: Face) -> Server:
        return face


class TestSync(ServerContract):
    @pytest.fixture
    def world(self, tmp_path: Path, face: Face) -> OnServer:
        return OnServer(tmp_path, face)
