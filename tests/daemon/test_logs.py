"""The forms of the daemon's log."""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from calsync.daemon import logs


@pytest.fixture(autouse=True)
def kept() -> Iterator[None]:
    """Leave logging as it was."""
    root, ours = logging.getLogger(), logging.getLogger("calsync")
    before = (root.handlers, root.level, ours.level)
    yield
    root.handlers = before[0]
    root.setLevel(before[1])
    ours.setLevel(before[2])


def written(path: Path, form: str, environ: dict[str, str], level: int = logging.INFO) -> list[str]:
    """The lines of a log with a message of each level, one of two lines, and a traceback."""
    with path.open("w") as stream:
        logs.set_up(stream, environ, form, level)
        log = logging.getLogger("calsync.test")
        log.debug("not told")
        log.info("synced", extra={"sync": {"created": 1}})
        log.warning("away")
        log.error("wrong:\n  line")
        try:
            int("odd")
        except ValueError:
            log.critical("bug", exc_info=True)
        logging.getLogger("library").info("chatter")
        logging.getLogger("library").warning("hm")
    return path.read_text().splitlines()


def test_people_read_time_level_and_message(tmp_path: Path):
    lines = written(tmp_path / "log", "text", {})
    stamp = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d "
    assert re.fullmatch(stamp + "synced", lines[0])
    assert re.fullmatch(stamp + "warning: away", lines[1])
    assert re.fullmatch(stamp + "error: wrong:", lines[2])
    assert lines[3] == "  line"
    assert re.fullmatch(stamp + "critical: bug", lines[4])
    assert re.fullmatch(stamp + "warning: hm", lines[-1])


def test_journald_reads_a_priority_before_each_line_and_no_time(tmp_path: Path):
    path = tmp_path / "log"
    path.touch()
    stream = f"{path.stat().st_dev}:{path.stat().st_ino}"
    lines = written(path, "text", {"JOURNAL_STREAM": stream})
    assert lines[:5] == ["<6>synced", "<4>away", "<3>wrong:", "<3>  line", "<2>bug"]
    assert all(re.match("<[2346]>", line) for line in lines)


@pytest.mark.parametrize("stream", ["", "1:2", "nonsense", "1:"])
def test_another_stream_gets_no_priorities(tmp_path: Path, stream):
    assert not any(line.startswith("<") for line in written(tmp_path / "log", "text", {"JOURNAL_STREAM": stream}))


def test_programs_read_an_object_a_line(tmp_path: Path):
    found = [json.loads(line) for line in written(tmp_path / "log", "json", {})]
    assert [each["level"] for each in found] == ["info", "warning", "error", "critical", "warning"]
    assert found[0]["sync"] == {"created": 1}
    assert found[2]["message"] == "wrong:\n  line"
    assert "ValueError: invalid literal" in found[3]["traceback"]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", each["time"]) for each in found)


@pytest.mark.parametrize(("level", "first"), [(logging.WARNING, "away"), (logging.DEBUG, "not told")])
def test_more_or_less_of_it(tmp_path: Path, level, first):
    assert written(tmp_path / "log", "text", {}, level)[0].endswith(first)


def test_a_closed_stream_is_not_journald():
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as stream:
        pass
    logs.set_up(stream, {"JOURNAL_STREAM": "1:2"}, "text", logging.INFO)
    assert logging.getLogger().handlers
