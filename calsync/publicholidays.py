"""Public holidays by country and subdivision; the only door to the `holidays` package.

The package takes a tenth of a second to import, so nothing here is imported before a country asks for it.
"""

from __future__ import annotations

from difflib import get_close_matches

from calsync.workdays import HolidayTable


def table(country: str, subdivision: str | None, year: int) -> HolidayTable:
    """The public holidays of `country` (ISO 3166-1 alpha-2) with `subdivision` in `year`.

    A mapping of day to name, in English where the package has it.
    """
    import holidays

    found = holidays.country_holidays(country, subdiv=subdivision, years=year, language="en_US")
    return {day: name for day, name in found.items() if day.year == year}


def check_place(country: str, subdivision: str | None) -> str | None:
    """What is wrong with this pair, as a clause to show to the user; None if its holidays are known."""
    import holidays
    from holidays.registry import COUNTRIES

    codes = sorted(code for entry in COUNTRIES.values() for code in entry[1:] if len(code) == 2)
    if country not in codes:
        near = _nearest(country, codes)
        return f"no country '{country}' is known{near}: use the two letters of ISO 3166, as in DE or US"
    if subdivision is None:
        return None
    try:
        holidays.country_holidays(country, subdiv=subdivision)
    except NotImplementedError:
        entity = getattr(holidays, country)
        known = sorted(entity.subdivisions)
        if not known:
            return f"{country} has no subdivisions with holidays of their own: leave it out"
        return f"{country} has no subdivision '{subdivision}'{_nearest(subdivision, known)}: it has {', '.join(known)}"
    return None


def _nearest(word: str, known: list[str]) -> str:
    near = get_close_matches(word, known, n=1)
    return f" (did you mean {near[0]}?)" if near else ""
