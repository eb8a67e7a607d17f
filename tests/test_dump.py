"""`calsync windows --json` of a large journal is what the small parts of it would come to, in one order."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from calsync import book, cli, config, dump, listing
from calsync.uids import uids

# The tests' own workers have threads, which Python warns of from 3.12 on.
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")

TODAY = date(2026, 11, 20)
APPLICATIONS = 2 * dump.LEAST + 100
"""Two processors have enough to do, though a tenth of the applications lead to a person of others."""


def journal(folder: Path, count: int) -> Path:
    lines = ["applications:"]
    for number in range(count):
        lines += [
            f"  - company: Company {number}",
            f"    contact: {{name: Contact {number}, email: 'c{number if number % 10 else number // 20}@example.com'}}",
            f"    events: [applied: 2026-11-{number % 9 + 1:02}, interview: 2026-11-{number % 9 + 10}]",
        ]
    (folder / "applications.yaml").write_text("\n".join(lines), encoding="utf-8")
    (folder / "config.yaml").write_text("applications: applications.yaml\ntimezone: Europe/Berlin\n", encoding="utf-8")
    return folder / "config.yaml"


@pytest.mark.parametrize("count", [0, 3, APPLICATIONS])
@pytest.mark.parametrize("everything", [False, True])
def test_the_windows_are_those_of_the_outlook(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    count: int,
    everything: bool,
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    path = journal(tmp_path, count)
    settings = config.load(path, {}, tmp_path)
    shown = listing.current(book.look(settings, TODAY).windows, everything=everything)
    expected = listing.windows_json(shown, uids(settings, shown, {"XDG_STATE_HOME": str(tmp_path / "state")}))
    flags = ["--all"] if everything else []
    assert cli.main(["windows", "--json", "--today", str(TODAY), "--config", str(path), *flags]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == json.loads(json.dumps(expected))
    assert len(told) >= count * 2 // 3


def test_a_wrong_journal_says_so_and_gives_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = journal(tmp_path, APPLICATIONS)
    with (tmp_path / "applications.yaml").open("a", encoding="utf-8") as file:
        file.write("\n  - company: Acme\n    events: [applied: yesterday]\n")
    assert cli.main(["windows", "--json", "--config", str(path)]) == 3
    out, err = capsys.readouterr()
    assert not out
    assert "'yesterday' is not a day" in err
