"""The registry opens targets by their config words, and loads nothing before."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from calsync.targets import TARGETS


def test_targets_are_opened_by_the_words_of_the_config(tmp_path: Path) -> None:
    assert TARGETS["feed"](path=tmp_path / "feed.ics").name == "feed"
    caldav = TARGETS["caldav"](url="https://dav.example.org/")
    assert (caldav.name, caldav.where) == ("caldav", "https://dav.example.org/")
    caldav.close()


def test_no_client_is_loaded_before_a_target_is_opened() -> None:
    code = "import sys, calsync.targets; print([name for name in ('caldav', 'pycurl', 'lxml') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
