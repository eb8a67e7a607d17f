"""What a terminal is shown, and that files and programs are shown nothing of it."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from calsync.terminal import PLAIN, Bar, Look, cells, cut, look_of
from tests.servers import PASSWORD, Server

CONFIG = "timezone: Europe/Berlin\napplications: applications.yaml\n"
JOURNAL = "applications:\n" + "".join(
    f"  - company: Company with a rather long name {number}\n"
    f"    contact: {{name: Dana Ruiz, email: dana{number}@acme.example}}\n"
    "    events: [{interview: 2026-11-12}]\n"
    for number in range(8)
)
COLOUR = re.compile("\x1b\\[[0-9;]*m")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.yaml").write_text(CONFIG + "feed: {path: follow-ups.ics}\n")
    (tmp_path / "applications.yaml").write_text(JOURNAL)
    return tmp_path


def environ(folder: Path, **more: str) -> dict[str, str]:
    own = {"XDG_STATE_HOME": str(folder / "state"), "XDG_CACHE_HOME": str(folder / "cache"), "TERM": "xterm"}
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS")}
    return kept | own | more


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "calsync", "--today", "2026-11-20", *arguments]


def on_terminal(folder: Path, *arguments: str, width: int = 80, **more: str) -> str:
    """All that a command shows on a terminal so wide."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    with subprocess.Popen(
        command(*arguments), cwd=folder, env=environ(folder, **more), stdin=theirs, stdout=theirs, stderr=theirs
    ):
        os.close(theirs)
        shown = b""
        while select.select([ours], [], [], 60)[0]:
            try:
                read = os.read(ours, 65536)
            except OSError:  # so Linux says that the other end is closed
                break
            if not read:
                break
            shown += read
        os.close(ours)
    return shown.decode().replace("\r\n", "\n")


def piped(folder: Path, *arguments: str) -> str:
    return subprocess.run(
        command(*arguments), cwd=folder, env=environ(folder), capture_output=True, check=True
    ).stdout.decode()


@pytest.mark.parametrize("width", [60, 80, 132])
@pytest.mark.parametrize("verb", ["windows", "status"])
def test_a_table_fits_the_width_of_the_terminal(folder, verb, width):
    lines = COLOUR.sub("", on_terminal(folder, verb, width=width)).splitlines()
    assert len(lines) > 8
    assert max(map(cells, lines)) <= width


@pytest.mark.parametrize("verb", ["windows", "status", "sync"])
def test_what_is_piped_is_whole_and_plain(folder, verb):
    text = piped(folder, verb)
    assert "\x1b" not in text
    assert "…" not in text
    assert "Company with a rather long name 7" in text or "company-with-a-rather-long-name-7" in text


def test_a_terminal_is_shown_a_summary_and_colour(folder):
    shown = on_terminal(folder, "windows")
    assert COLOUR.search(shown)
    assert re.fullmatch(r"\d+ windows: 8 firm, \d+ tentative", COLOUR.sub("", shown).splitlines()[-1])


@pytest.mark.parametrize("setting", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_colour_is_shown_where_none_is_wanted(folder, setting):
    assert "\x1b" not in on_terminal(folder, "windows", **setting)


def test_a_bar_shows_how_many_events_are_written_and_goes_away(folder, radicale: Server):
    caldav = f"caldav: {{url: '{radicale.url}', username: alice, password_env: WORD, calendar: Bar {folder.name}}}\n"
    (folder / "config.yaml").write_text(CONFIG + caldav)
    shown = on_terminal(folder, "sync", WORD=PASSWORD)
    assert "\r[" in shown
    counted = [tuple(map(int, pair)) for pair in re.findall(r"(\d+) of (\d+)", shown)]
    assert counted[-1][0] == counted[-1][1] > 5
    assert "\r\x1b[K" in shown
    assert re.search(r"\d+ created, 0 updated, 0 deleted", shown)


def test_verbose_shows_requests_and_no_secret(folder, radicale: Server):
    caldav = f"caldav: {{url: '{radicale.url}', username: alice, password_env: WORD, calendar: Loud {folder.name}}}\n"
    (folder / "config.yaml").write_text(CONFIG + caldav)
    said = subprocess.run(
        command("--verbose"), cwd=folder, env=environ(folder, WORD=PASSWORD), capture_output=True, text=True, check=True
    )
    requests = [
        line for line in said.stderr.splitlines() if re.match(r"[A-Z]+ http://\S+: (\d+|no answer), \d+ ms$", line)
    ]
    assert len(requests) == int(re.findall(r"(\d+) requests?", said.stdout)[0])
    assert any(line.startswith("PUT ") for line in requests)
    assert PASSWORD not in said.stdout + said.stderr
    assert "Authorization" not in said.stderr
    assert "VEVENT" not in said.stderr


# ------------------------------------------------------------------------------------------ the parts


class Screen(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_bar_is_for_terminals_and_for_more_than_a_few():
    for stream, total in ((io.StringIO(), 100), (Screen(), 5)):
        bar = Bar(stream)
        bar(1, total)
        bar.clear()
        assert stream.getvalue() == ""
    screen = Screen()
    bar = Bar(screen)
    bar(3, 6)
    assert "] 3 of 6" in screen.getvalue()


def test_a_stream_that_is_no_terminal_is_plain():
    assert look_of(io.StringIO(), {"COLUMNS": "40"}) == PLAIN


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("four", 4, "four"),
        ("longer", 4, "lon…"),
        ("日本語", 6, "日本語"),
        ("日本語", 5, "日本…"),
        ("a b c", 3, "a…"),
        ("", 0, ""),
    ],
)
def test_what_does_not_fit_is_cut_with_an_ellipsis(text, width, shown):
    assert cut(text, width) == shown
    assert cells(cut(text, width)) <= width


def test_columns_give_way_in_their_order_and_no_further_than_they_must():
    rows = [("x" * 20, "y" * 40), ("x", "y")]
    assert Look(62).table(rows, (1, 0)) == [f"{'x' * 20}  {'y' * 40}", f"x{' ' * 21}y"]
    assert Look(50).table(rows, (1, 0))[0] == f"{'x' * 20}  {'y' * 27}…"
    assert Look(30).table(rows, (1, 0))[0] == f"{'x' * 20}  {'y' * 7}…"
    assert Look(24).table(rows, (1, 0))[0] == f"{'x' * 13}…  {'y' * 7}…"


def test_a_change_has_the_colour_of_its_sign_and_other_lines_have_none():
    look = Look(12, colour=True)
    assert look.change("  + a title that is long") == "\x1b[32m  + a title…\x1b[0m"
    assert look.change("      start: Mon -> Tue, in full") == "      start: Mon -> Tue, in full"
    assert PLAIN.change("  + a title that is long") == "  + a title that is long"
