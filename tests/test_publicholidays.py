"""Public holidays by place, and what is said of a place that is not known."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from importlib.metadata import version
from pathlib import Path

import pytest

from calsync import publicholidays
from calsync.publicholidays import PublicHolidays, check_place, kept, table


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


# ------------------------------------------------------------------------------------------ the cache


def asked(folder: Path, *, writes: bool = True) -> tuple[object, ...]:
    """What a process of its own says of some places, with whether it loaded the package, as text."""
    code = (
        "import sys, pathlib\n"
        "from calsync.publicholidays import PublicHolidays\n"
        f"known = PublicHolidays(pathlib.Path(sys.argv[1]), writes={writes})\n"
        "print(sorted(known.table('DE', 'BY', 2026).items()), sorted(known.table('UA', None, 2026)),"
        " known.check_place('US', None), known.check_place('US', 'IL'), known.check_place('EG', None))\n"
        "print('holidays' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(folder)], check=True, capture_output=True, text=True)
    return tuple(done.stdout.splitlines())


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*")}


def test_what_is_kept_is_not_asked_of_the_package_again(tmp_path):
    told, loaded = asked(tmp_path)
    assert loaded == "True"
    assert asked(tmp_path) == (told, "False")
    assert "Corpus Christi" in told
    assert "DE-BY-2026.json" in files(tmp_path)


def test_a_reader_alone_writes_nothing(tmp_path):
    asked(tmp_path / "none", writes=False)
    assert files(tmp_path) == set()


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"x": "y"}', b"\xff", b"3"])
def test_a_damaged_table_is_made_anew(tmp_path, damage):
    told = asked(tmp_path)
    for path in tmp_path.iterdir():
        path.write_bytes(damage)
    assert asked(tmp_path) == told
    assert asked(tmp_path) == (told[0], "False")


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path):
    (tmp_path / "file").write_text("in the way")
    known = PublicHolidays(tmp_path / "file", writes=True)
    assert known.table("DE", None, 2026) == table("DE", None, 2026)
    assert known.check_place("DE", "BY") is None


def test_a_place_that_is_wrong_is_told_alike_with_a_cache(tmp_path):
    known = PublicHolidays(tmp_path, writes=True)
    known.check_place("US", "IL")
    assert known.check_place("US", "ILL") == check_place("US", "ILL")
    assert known.check_place("USA", None) == check_place("USA", None)


def test_another_version_of_the_package_has_tables_of_its_own(tmp_path, monkeypatch):
    environ = {"CACHE_DIRECTORY": str(tmp_path / "cache")}
    kept(environ, writes=True).check_place("DE", None)
    (tmp_path / "site" / "holidays").mkdir(parents=True)
    (tmp_path / "site" / "holidays" / "__init__.py").touch()
    (tmp_path / "site" / "holidays-99.1.dist-info").mkdir()
    monkeypatch.syspath_prepend(tmp_path / "site")
    kept(environ, writes=True)._write("DE-2026", {})
    assert len(list((tmp_path / "cache").iterdir())) == 2
    assert (tmp_path / "cache" / "holidays-99.1" / "DE-2026.json").exists()


def test_the_version_is_that_of_the_metadata():
    assert publicholidays._version() == version("holidays")


def test_without_a_home_nothing_is_kept(monkeypatch):
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("pathlib.Path.home", lambda: (_ for _ in ()).throw(RuntimeError()))
    assert kept({}, writes=True).check_place("DE", None) is None
