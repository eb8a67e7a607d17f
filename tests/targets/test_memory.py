"""The memory target keeps the promises of a target."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from calsync.targets.memory import MemoryTarget
from tests.targets.contract import Place, TokenContract


class InMemory:
    """A memory target, and its own hands from outside."""

    def __init__(self) -> None:
        self.target = MemoryTarget()

    def put(self, name: str, body: str) -> str:
        self.target.put(name, body)
        return name

    def remove(self, href: str) -> None:
        self.target.remove(href)

    def items(self) -> Mapping[str, str]:
        return self.target.items


class TestMemory(TokenContract):
    @pytest.fixture
    def place(self) -> Place:
        return InMemory()
