"""Other people's libraries read every event that we write, without complaint, and find in it what we meant."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.system.readers import corpus

HERE = Path(__file__).parent
SECONDS = 60


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the corpus."""
    folder = tmp_path_factory.mktemp("corpus")
    corpus.main(folder)
    return folder


def found(events: Path, *command: str, **environ: str) -> dict[str, dict[str, Any]]:
    """What a reader says of the files."""
    done = subprocess.run(
        [*command, str(events)],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout)


def test_the_corpus_has_every_form(events: Path) -> None:
    texts = [path.read_text(encoding="utf-8") for path in events.glob("*.ics")]
    assert len(texts) >= 100
    for part in (
        "DTSTART;VALUE=DATE:",
        "DTSTART;TZID=Europe/Berlin:",
        "BEGIN:VTIMEZONE",
        "BEGIN:VALARM",
        "日本",
        "\\;",
    ):
        assert any(part in text for text in texts), part


def expected(events: Path) -> dict[str, dict[str, Any]]:
    return json.loads((events / "expected.json").read_text(encoding="utf-8"))


def test_ical_js_reads_all(events: Path) -> None:
    """It stands in $ICAL_JS, a folder with its node_modules."""
    script = Path(os.environ["ICAL_JS"]) / "ical.mjs"
    script.write_text((HERE / "ical.mjs").read_text(encoding="utf-8"), encoding="utf-8")
    assert found(events, "node", str(script)) == expected(events)


def test_libical_reads_all(events: Path) -> None:
    assert found(events, sys.executable, str(HERE / "libical.py")) == expected(events)


def test_sabre_vobject_reads_all(events: Path) -> None:
    assert found(events, "php", str(HERE / "vobject.php")) == expected(events)
