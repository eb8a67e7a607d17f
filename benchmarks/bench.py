"""What benchmarks share within one run: a folder, and what is made once and closed at the end. Public face: `Bench`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")


class Bench(contextlib.ExitStack):
    """One run of the benchmarks. What is to be closed at its end is entered here, as in every ExitStack."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self._made: dict[object, Any] = {}

    def folder(self, name: str) -> Path:
        """A fresh folder of this name, or of one like it."""
        path, number = self._folder / name, 1
        while path.exists():
            number += 1
            path = self._folder / f"{name}-{number}"
        path.mkdir(parents=True)
        return path

    def once(self, make: Callable[..., T], *arguments: object) -> T:
        """What `make(bench, *arguments)` gives; made when first asked for, the same from then on. So is its error."""
        key = (make, *arguments)
        if key not in self._made:
            try:
                self._made[key] = make(self, *arguments)
            except Exception as error:
                self._made[key] = error
                raise
        if isinstance(self._made[key], Exception):
            raise self._made[key]
        made: T = self._made[key]
        return made
