"""`calsync feed`: shows the addresses, makes and revokes them, and the server follows at once."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from calsync import cli, config, opening
from tests.server.asking import get
from tests.servers import free_port

CONFIG = "timezone: UTC\napplications: applications.yaml\nfeed: {path: f.ics, listen: '127.0.0.1:%d'%s}\n"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("CALSYNC_CONFIG", raising=False)
    (tmp_path / "applications.yaml").write_text("applications: []\n")
    (tmp_path / "config.yaml").write_text(CONFIG % (free_port(), ""))
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, str]]:
    assert cli.main(["feed", "--json", *arguments]) == 0
    return json.loads(capsys.readouterr().out)


def test_it_shows_the_address_in_two_forms_and_the_same_each_time(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "config.yaml").write_text(CONFIG % (8422, ", public_url: 'https://me.example.org'"))
    for _ in range(2):
        assert cli.main(["feed"]) == 0
    first, second = capsys.readouterr().out.split("default\n")[1:]
    assert first == second
    form = r"  https://me\.example\.org/([a-z0-9]{27})/follow-ups\.ics\n"
    assert re.fullmatch(form + form.replace("https", "webcal").replace("([a-z0-9]{27})", r"\1"), first)


def test_new_revokes_the_old_address_on_a_server_that_runs(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = config.load(None, os.environ, Path()).feed
    assert settings is not None
    (old,) = said(capsys)
    with opening.feed(settings, os.environ):
        assert get(old["url"]).status == 503, "no sync was there yet"
        assert cli.main(["sync"]) == 0
        capsys.readouterr()
        assert get(old["url"]).status == 200
        (new,) = said(capsys, "--new")
        assert get(old["url"]).status == 410
        assert get(new["url"]).status == 200
        (phone,) = said(capsys, "--for", "phone")
        assert get(phone["url"]).status == 200
        assert said(capsys) == [new, phone]
        (again,) = said(capsys, "--for", "phone", "--new")
        assert [get(each["url"]).status for each in (phone, again, new)] == [410, 200, 200]
    assert (again["subscriber"], again["webcal"]) == ("phone", again["url"].replace("http://", "webcal://"))


def test_a_sync_writes_no_address_into_the_file(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (link,) = said(capsys)
    assert cli.main(["sync"]) == 0
    said_by_sync = capsys.readouterr()
    word = link["url"].split("/")[3]
    holds = [
        str(path.relative_to(home)) for path in home.rglob("*") if path.is_file() and word.encode() in path.read_bytes()
    ]
    assert holds == ["state/feed/subscribers.json"]
    assert word not in said_by_sync.out + said_by_sync.err


@pytest.mark.parametrize("feed", ["feed: {path: f.ics}", "caldav: {url: 'https://a.example/'}"])
def test_a_config_that_serves_no_feed_is_told_what_to_write(
    home: Path, capsys: pytest.CaptureFixture[str], feed: str
) -> None:
    (home / "config.yaml").write_text(f"timezone: UTC\napplications: applications.yaml\n{feed}\n")
    assert cli.main(["feed"]) == 3
    assert "listen:" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["", "a b", "../x", "a" * 65])
def test_a_subscribers_name_is_a_plain_word(home: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert cli.main(["feed", "--for", name]) == 2
    assert "letters, digits and dashes" in capsys.readouterr().err
    assert not (home / "state").exists()
