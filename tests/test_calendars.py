"""`calsync calendars` shows what the login sees, and makes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from calsync import calendars, config
from calsync.cli import main
from calsync.errors import ConfigError
from calsync.targets.davfind import Calendar
from tests.servers import Server

URL = "https://dav.example.org/a/"


@pytest.fixture
def there(tmp_path: Path, radicale: Server, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A config for Radicale, whose calendar does not exist."""
    (tmp_path / "password").touch(mode=0o600)
    (tmp_path / "password").write_text(radicale.password)
    login = f"username: {radicale.username}, password_file: password, calendar: Not there"
    (tmp_path / "config.yaml").write_text(f"applications: none.yaml\ncaldav: {{url: '{radicale.url}', {login}}}\n")
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    return tmp_path / "config.yaml"


def test_text_and_json_have_them_all(there: Path, radicale: Server, capsys: pytest.CaptureFixture[str]) -> None:
    url = radicale.calendar("Shown & told")
    assert main(["calendars", "--config", str(there)]) == 0
    assert f"Shown & told\n    {url}\n    read and write; for " in capsys.readouterr().out
    assert main(["calendars", "--config", str(there), "--json"]) == 0
    told = {calendar["url"]: calendar for calendar in json.loads(capsys.readouterr().out)}
    assert told[url]["name"] == "Shown & told"
    assert told[url]["writable"] is True
    assert "Not there" not in [calendar["name"] for calendar in told.values()]
    assert not (there.parent / "state").exists()


def test_a_refused_login_ends_with_4(there: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (there.parent / "password").write_text("a word that is not it")
    assert main(["calendars", "--config", str(there)]) == 4
    assert "refuses the login" in capsys.readouterr().err


def test_without_a_server_there_is_nothing_to_ask(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("timezone: UTC\napplications: a.yaml\nfeed: {path: f.ics}\n")
    with pytest.raises(ConfigError, match="no 'caldav:' block"):
        calendars.seen(config.load(None, {}, tmp_path), {})


@pytest.mark.parametrize(
    ("rights", "words", "writable"),
    [
        (("all",), "read and write", True),
        (("read", "write"), "read and write", True),
        (("bind", "read", "unbind", "write-content"), "read and write", True),
        (("bind", "read"), "not all that calsync needs: bind, read", False),
        (("read", "read-free-busy"), "read only", False),
        ((), "read only", False),
        (None, "the server does not say what you may do there", None),
    ],
)
def test_rights_are_told_in_words(rights: tuple[str, ...] | None, words: str, *, writable: bool | None) -> None:
    calendar = Calendar("A", URL, rights, None)
    assert calendars.text([calendar])[2] == f"    {words}; for everything"
    (told,) = calendars.as_json([calendar])
    assert (told["writable"], told["rights"]) == (writable, None if rights is None else list(rights))


def test_components_are_told_in_words() -> None:
    calendar = Calendar("A\n\x1b[31mB", URL, None, ("VEVENT", "VTODO", "X-OTHER"))
    name, _, line = calendars.text([calendar])
    assert name == "A [31mB"
    assert line.endswith("; for events, tasks, X-OTHER")
    assert "No calendars" in calendars.text([])[0]
