"""Public holidays by place, and what is said of a place that is not known."""

from __future__ import annotations

import subprocess
import sys
from datetime import date

import pytest

from calsync.publicholidays import check_place, table


@pytest.mark.parametrize(
    ("country", "subdivision", "day", "name"),
    [
        ("US", None, date(2026, 11, 26), "Thanksgiving Day"),
        ("DE", None, date(2026, 10, 3), "German Unity Day"),  # in English
        ("DE", None, date(2026, 6, 4), None),
        ("DE", "BY", date(2026, 6, 4), "Corpus Christi"),  # of the subdivision alone
        ("US", None, date(2027, 12, 31), "New Year's Day (observed)"),  # of the year after, kept in this one
    ],
)
def test_table_has_the_holidays_of_a_place(country, subdivision, day, name):
    assert table(country, subdivision, day.year).get(day) == name


def test_table_has_the_days_of_its_year_alone():
    assert {day.year for day in table("US", None, 2028)} == {2028}


@pytest.mark.parametrize(("country", "subdivision"), [("DE", None), ("DE", "BY"), ("US", "IL"), ("NO", None)])
def test_a_known_place_is_fine(country, subdivision):
    assert check_place(country, subdivision) is None


@pytest.mark.parametrize(
    ("country", "subdivision", "message"),
    [
        ("DX", None, "no country 'DX' is known"),
        ("USA", None, "no country 'USA' is known (did you mean US?): use the two letters of ISO 3166, as in DE or US"),
        ("US", "ILL", "US has no subdivision 'ILL' (did you mean IL?): it has AK, AL, "),
        ("DE", "99", "DE has no subdivision '99': it has "),
        ("EG", "C", "EG has no subdivisions with holidays of their own: leave it out"),
    ],
)
def test_an_unknown_place_is_told_with_the_way_out(country, subdivision, message):
    found = check_place(country, subdivision)
    assert found is not None
    assert found.startswith(message)


def test_the_holidays_package_is_not_imported_before_a_country_asks():
    """It takes a tenth of a second, which those without a country do not pay."""
    code = "import sys, calsync.publicholidays; sys.exit('holidays' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
