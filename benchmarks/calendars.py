"""Servers for the benchmarks, and calendars that already hold events.

Public face: `free` (the server that costs nothing), `Filled` (a server with a thousand events).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.bench import Bench
from benchmarks.clients import Calsync
from tests import servers
from tests.servers import Server


def free(bench: Bench, milliseconds: int) -> Server:
    """The server that costs nothing, each answer that late."""
    folder = bench.folder(f"free-{milliseconds}")
    script = str(Path(__file__).with_name("freeserver.py"))

    def command(port: int) -> list[str]:
        return [sys.executable, script, str(port), str(milliseconds)]

    server = servers.started(lambda port: Server("free", folder, port, "/", command))
    bench.callback(server.stop)
    return server


def events(bench: Bench, count: int) -> dict[str, str]:
    """The events of so many applications: name -> text. calsync wrote them, to the server that costs nothing."""
    server = bench.once(free, 0)
    calendar = server.calendar()
    client = Calsync(bench, server, calendar, count)
    client.sync()
    found = {href.rpartition("/")[2]: text for href, text in server.items(calendar).items()}
    assert len(found) == count, f"{len(found)} events of {count} applications"
    return found


class Filled:
    """A Radicale or Xandikos; `calendars` gives two that hold the events of so many applications."""

    def __init__(self, bench: Bench, name: str) -> None:
        self._bench = bench
        self.server: Server = getattr(servers, name)(bench.folder(name))
        bench.callback(self.server.stop)

    def calendars(self, count: int) -> tuple[str, str]:
        """Two fresh calendars, filled behind the server's back: through it that takes minutes."""
        made = self.server.calendar(), self.server.calendar()
        items = self._bench.once(events, count)
        with self.server.away():
            for path in (urlsplit(calendar).path.strip("/") for calendar in made):
                if self.server.name == "Radicale":
                    _into_folder(self.server.folder / "collections" / "collection-root" / path, items)
                else:
                    _into_git(self.server.folder / "dav" / path, items)
        for calendar in made:
            assert len(self.server.hrefs(calendar)) == count, f"{calendar} was not filled"
        return made


def _into_folder(folder: Path, items: Mapping[str, str]) -> None:
    for name, text in items.items():
        (folder / name).write_text(text, encoding="utf-8", newline="")


def _into_git(folder: Path, items: Mapping[str, str]) -> None:
    from dulwich import porcelain

    _into_folder(folder, items)
    porcelain.add(str(folder), [str(folder / name) for name in items])
    porcelain.commit(str(folder), message=b"events", author=b"a <a@b.example>", committer=b"a <a@b.example>")
