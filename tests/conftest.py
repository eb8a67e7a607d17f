"""Fixtures that all tests share: real CalDAV servers, one of each kind for the whole run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import servers

LONGEST = ("test_machine.py", "test_crashes.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest tests come first, so that no process is left alone with one of them at the end."""
    items.sort(key=lambda item: item.path.name not in LONGEST)


@pytest.fixture(scope="session", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A home folder of its own: no test reads or writes the developer's caches."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(scope="session")
def radicale(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    """A running Radicale; take a fresh calendar from it with `.calendar()`."""
    server = servers.radicale(tmp_path_factory.mktemp("radicale"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def xandikos(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    """A running Xandikos; take a fresh calendar from it with `.calendar()`."""
    server = servers.xandikos(tmp_path_factory.mktemp("xandikos"))
    yield server
    server.stop()
