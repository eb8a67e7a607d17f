"""The two that sync: calsync and vdirsyncer, each with a folder of its own and whole processes to measure.

Public face: `Calsync`, `Vdirsyncer`.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping
from typing import Any

from benchmarks import peers, samples
from benchmarks.bench import Bench
from benchmarks.pairs import Cost, run
from tests.servers import Server

_VDIRSYNCER = """\
[general]
status_path = "status/"

[pair events]
a = "local"
b = "remote"
collections = null

[storage local]
type = "filesystem"
path = "items/"
fileext = ".ics"

[storage remote]
type = "caldav"
url = "{url}"
username = "{username}"
password = "{password}"
"""


class Calsync:
    """calsync with a journal of so many applications, an event each, and a calendar. `port` may be a forwarder's."""

    def __init__(self, bench: Bench, server: Server, calendar: str, count: int, port: int | None = None) -> None:
        self.folder = bench.folder("calsync")
        self.companies = [f"Company {number}" for number in range(count)]
        self.environ = samples.environ(self.folder)
        samples.write_config(
            self.folder,
            url=_through(server, server.url, port),
            calendar=_through(server, calendar, port),
            username=server.username,
            password=server.password,
        )
        self._command = str(peers.ourselves() / "calsync")
        self.save()

    def save(self) -> None:
        """Write the journal."""
        applications = (samples.offer(number, company) for number, company in enumerate(self.companies))
        samples.save(self.folder, samples.offers(applications))

    def rename(self, number: int, company: str) -> None:
        """One change: a company's name, which stands in its event's title."""
        self.companies[number] = company
        self.save()

    def sync(self) -> Cost:
        """A whole run."""
        return run([self._command], self.folder, self.environ)

    def told(self) -> dict[str, Any]:
        """A whole run, and what it says that it did."""
        command = [self._command, "--json"]
        said = subprocess.run(command, env={**os.environ, **self.environ}, check=True, capture_output=True)
        report: dict[str, Any] = json.loads(said.stdout)
        return report

    def settle(self) -> None:
        """Sync until nothing is to do, and see that it is so."""
        self.sync()
        report = self.told()
        assert not report["changes"], f"{len(report['changes'])} changes where there are to be none"
        assert report["unchanged"] == len(self.companies), f"{report['unchanged']} events of {len(self.companies)}"


class Vdirsyncer:
    """vdirsyncer between a folder with these items and a calendar. `port` may be a forwarder's."""

    def __init__(
        self, bench: Bench, server: Server, calendar: str, items: Mapping[str, str], port: int | None = None
    ) -> None:
        self.folder = bench.folder("vdirsyncer")
        self.items = self.folder / "items"
        self.items.mkdir()
        for name, text in items.items():
            (self.items / name).write_text(text, encoding="utf-8", newline="")
        url = _through(server, calendar, port)
        text = _VDIRSYNCER.format(url=url, username=server.username, password=server.password)
        (self.folder / "config").write_text(text, encoding="utf-8")
        self._command = [peers.vdirsyncer(), "--config", str(self.folder / "config")]
        run([*self._command, "discover"], self.folder, {})

    def sync(self) -> Cost:
        """A whole run."""
        return run([*self._command, "sync"], self.folder, {})

    def rename(self, number: int, company: str) -> None:
        """One change: the title of an event."""
        path = sorted(self.items.iterdir())[number]
        text = path.read_bytes().decode()
        fresh, count = re.subn(r"^SUMMARY.*(\n[ \t].*)*", f"SUMMARY:{company}\r", text, count=1, flags=re.MULTILINE)
        assert count == 1, f"{path.name} has no title"
        path.write_bytes(fresh.encode())


def _through(server: Server, url: str, port: int | None) -> str:
    """The URL with the port of a forwarder, if there is one."""
    return url.replace(f":{server.port}/", f":{port or server.port}/")
