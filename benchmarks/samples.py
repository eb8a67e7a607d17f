"""The journals and configs that are measured with.

Public face: `windows_journal`, `offer`, `offers`, `save`; `WINDOWS_CONFIG`, `write_config`, `environ`.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

WINDOWS_CONFIG = """\
timezone: Europe/Berlin
country: DE
applications: applications.yaml
feed: {path: follow-ups.ics}
"""

_WINDOWS = """\
  - company: Company {number}
    role: Data Engineer
    location: Berlin
    contact:
      name: Contact {number}
      email: contact{number}@company{number}.example
      phone: "+49 30 {number:06}"
    events:
      - applied: 2026-11-{day:02}
      - interview: 2026-11-{later:02} 14:00
      - contacted: 2026-11-{last:02}
        by: email
"""

_OFFER = """\
  - id: app-{number}
    company: {company}
    role: Data Engineer
    location: Berlin
    contact:
      name: Contact {number}
      email: contact{number}@company{number}.example
      phone: "+49 30 {number:06}"
    events:
      - applied: 2020-11-19
      - offer: 2020-12-01
        respond_by: 2199-12-10
"""

_CONFIG = """\
timezone: Europe/Berlin
applications: applications.yaml
etiquette: {{horizon_days: 0}}
caldav: {{url: "{url}", username: "{username}", password_file: password, calendar: "{calendar}", timeout: {timeout}}}
daemon: {{interval: {interval}}}
"""


def windows_journal(count: int) -> str:
    """A journal with `count` applications of twelve lines each, in the midst of things on 2026-11-20."""
    rows = (
        _WINDOWS.format(number=number, day=1 + number % 9, later=10 + number % 5, last=16 + number % 3)
        for number in range(count)
    )
    return "applications:\n" + "".join(rows)


def offer(number: int, company: str) -> str:
    """An application of twelve lines that has one event in the calendar, whatever day it is: a far deadline."""
    return _OFFER.format(number=number, company=company)


def offers(applications: Iterable[str]) -> str:
    """The journal of these applications."""
    rows = "".join(applications)
    return f"applications:\n{rows}" if rows else "applications: []\n"


def save(folder: Path, journal: str) -> None:
    """Write the journal into a folder with a config, as editors do: beside, and then in its place."""
    fresh = folder / ".applications.yaml.new"
    fresh.write_text(journal, encoding="utf-8")
    fresh.replace(folder / "applications.yaml")


def write_config(
    folder: Path,
    *,
    url: str,
    calendar: str,
    username: str,
    password: str,
    timeout: int = 30,
    interval: str = "12h",
) -> None:
    """A config for a calendar on a server, with its password in a file beside."""
    (folder / "password").touch(mode=0o600)
    (folder / "password").write_text(password, encoding="utf-8")
    text = _CONFIG.format(url=url, calendar=calendar, username=username, timeout=timeout, interval=interval)
    (folder / "config.yaml").write_text(text, encoding="utf-8")


def environ(folder: Path) -> dict[str, str]:
    """Where calsync finds its config, its state and its cache: all in one folder."""
    return {
        "CALSYNC_CONFIG": str(folder / "config.yaml"),
        "XDG_STATE_HOME": str(folder / "state"),
        "XDG_CACHE_HOME": str(folder / "cache"),
    }
