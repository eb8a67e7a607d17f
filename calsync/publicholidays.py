"""Public holidays by country and subdivision; the only door to the `holidays` package.

The package takes a tenth of a second to import, so nothing here imports it before a country asks for it, and what it
says is kept in the cache folder: a small JSON file for each table, in a folder for each version of the package. A cache
that is damaged, or cannot be written, costs time and nothing else.

Public face: `kept`, which gives a `PublicHolidays`; `table` and `check_place`, which ask the package itself.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from datetime import date
from importlib.machinery import PathFinder
from pathlib import Path
from urllib.parse import quote

from calsync import paths
from calsync.errors import ConfigError
from calsync.workdays import HolidayTable


class PublicHolidays:
    """What is known of public holidays, each thing asked of the package once and then kept in `folder`.

    Without a folder nothing is kept; without `writes` what is kept there is read, and nothing added.
    """

    def __init__(self, folder: Path | None = None, *, writes: bool = False) -> None:
        self._folder = folder
        self._writes = writes

    def table(self, country: str, subdivision: str | None, year: int) -> HolidayTable:
        """As the function `table`."""
        name = f"{country}-{subdivision}-{year}" if subdivision else f"{country}-{year}"
        with contextlib.suppress(ValueError):  # a key that is no day: made by nobody of ours
            days = self._read(name)
            if isinstance(days, dict):
                return {date.fromisoformat(day): str(text) for day, text in days.items()}
        found = table(country, subdivision, year)
        self._write(name, {day.isoformat(): text for day, text in found.items()})
        return found

    def check_place(self, country: str, subdivision: str | None) -> str | None:
        """As the function `check_place`; the package is loaded for a place that is new here, or wrong."""
        name = f"places-{country}"
        known = self._read(name)
        if isinstance(known, list) and (subdivision or "") in known:
            return None
        wrong = check_place(country, subdivision)
        if wrong is None:
            self._write(name, ["", *sorted(_subdivisions(country))])
        return wrong

    def _read(self, name: str) -> object:
        """What is kept under `name`; None where there is nothing, or nothing that can be read."""
        if self._folder is None:
            return None
        try:
            return json.loads(self._file(self._folder, name).read_bytes())
        except (OSError, ValueError):
            return None

    def _write(self, name: str, value: object) -> None:
        if self._folder is None or not self._writes:
            return
        file = self._file(self._folder, name)
        beside = file.with_name(f".{file.name}.{os.getpid()}")
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            beside.write_text(json.dumps(value), encoding="utf-8")
            beside.replace(file)

    @staticmethod
    def _file(folder: Path, name: str) -> Path:
        return folder / f"{quote(name, safe='')}.json"


def kept(environ: Mapping[str, str], *, writes: bool) -> PublicHolidays:
    """The public holidays as they are kept in the cache folder, for the version of the package that is installed."""
    try:
        folder = paths.cache_folder(environ)
    except ConfigError:  # there is no home folder to keep anything in
        return PublicHolidays()
    return PublicHolidays(folder / f"holidays-{_version()}", writes=writes)


def _version() -> str:
    """The version of the package, by the name of the folder beside it; `importlib.metadata` takes ten times longer."""
    spec = PathFinder.find_spec("holidays")
    if spec is not None and spec.origin is not None:
        beside = Path(spec.origin).parent.parent
        found = [path.name for path in beside.glob("holidays-*.dist-info")]
        if len(found) == 1:
            return found[0].removeprefix("holidays-").removesuffix(".dist-info")
    from importlib.metadata import version

    return version("holidays")


def table(country: str, subdivision: str | None, year: int) -> HolidayTable:
    """The public holidays of `country` (ISO 3166-1 alpha-2) with `subdivision` in `year`.

    A mapping of day to name, in English where the package has it.
    """
    import holidays

    found = holidays.country_holidays(country, subdiv=subdivision, years=year, language="en_US")
    return {day: name for day, name in found.items() if day.year == year}


def check_place(country: str, subdivision: str | None) -> str | None:
    """What is wrong with this pair, as a clause to show to the user; None if its holidays are known."""
    from holidays.registry import COUNTRIES

    codes = sorted(code for entry in COUNTRIES.values() for code in entry[1:] if len(code) == 2)
    if country not in codes:
        near = _nearest(country, codes)
        return f"no country '{country}' is known{near}: use the two letters of ISO 3166, as in DE or US"
    if subdivision is None or subdivision in _subdivisions(country):
        return None
    import holidays

    with contextlib.suppress(NotImplementedError):
        holidays.country_holidays(country, subdiv=subdivision)
        return None
    known = sorted(getattr(holidays, country).subdivisions)
    if not known:
        return f"{country} has no subdivisions with holidays of their own: leave it out"
    return f"{country} has no subdivision '{subdivision}'{_nearest(subdivision, known)}: it has {', '.join(known)}"


def _subdivisions(country: str) -> set[str]:
    """The codes of the country's subdivisions, and their aliases."""
    import holidays

    entity = getattr(holidays, country)
    return {*entity.subdivisions, *entity.subdivisions_aliases}


def _nearest(word: str, known: list[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(word, known, n=1)
    return f" (did you mean {near[0]}?)" if near else ""
