"""A password is had from the place that the config names, or the error says what to do; it is never shown."""

from __future__ import annotations

import logging
import os
import pickle
import traceback
from pathlib import Path

import pytest

from calsync import credentials
from calsync.credentials import Secret, read
from calsync.errors import LoginError

WORD = "zinnober-quartz-otter"


def private(path: Path, text: str, mode: int = 0o600) -> Path:
    """A file with this text and mode."""
    path.write_bytes(text.encode())
    path.chmod(mode)
    return path


def test_a_secret_shows_itself_to_nobody_but_who_asks(caplog: pytest.LogCaptureFixture) -> None:
    secret = Secret(WORD)
    logging.getLogger("test").error("%s %r %s", secret, secret, {"password": secret})
    assert secret.reveal() == WORD
    assert WORD not in f"{secret} {secret!r} {[secret]}" + caplog.text
    with pytest.raises(TypeError):
        pickle.dumps(secret)


def test_nothing_named_is_no_password() -> None:
    assert read() is None


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("pw\n", "pw"),
        ("pw", "pw"),
        ("pw\r\n", "pw"),
        (" p w \n", " p w "),
        ("pÄss\n", "pÄss"),
        ("p:#'\"$x", "p:#'\"$x"),
    ],
)
def test_a_file_gives_its_text_without_one_newline(tmp_path: Path, text: str, word: str) -> None:
    secret = read(password_file=private(tmp_path / "pw", text))
    assert secret is not None
    assert secret.reveal() == word


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o666])
def test_a_file_that_others_can_reach_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(LoginError, match="chmod 600"):
        read(password_file=private(tmp_path / "pw", WORD, mode))


@pytest.mark.parametrize("text", ["", "\n", "one\ntwo\n", "pw\n\n"])
def test_a_file_without_one_line_is_refused_and_not_shown(tmp_path: Path, text: str) -> None:
    with pytest.raises(LoginError) as caught:
        read(password_file=private(tmp_path / "pw", text))
    assert "two" not in str(caught.value)


def test_a_missing_file_a_folder_and_bytes_are_told(tmp_path: Path) -> None:
    with pytest.raises(LoginError, match="No such file"):
        read(password_file=tmp_path / "none")
    with pytest.raises(LoginError, match="Is a directory"):
        read(password_file=tmp_path)
    (tmp_path / "pw").write_bytes(b"\xff\xfe")
    (tmp_path / "pw").chmod(0o600)
    with pytest.raises(LoginError, match="not UTF-8"):
        read(password_file=tmp_path / "pw")


def test_the_environment_gives_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALSYNC_TEST_WORD", WORD)
    secret = read(password_env="CALSYNC_TEST_WORD")
    assert secret is not None
    assert secret.reveal() == WORD
    monkeypatch.delenv("CALSYNC_TEST_WORD")
    with pytest.raises(LoginError, match="CALSYNC_TEST_WORD"):
        read(password_env="CALSYNC_TEST_WORD")


def test_systemd_gives_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    private(tmp_path / "caldav", f"{WORD}\n", 0o440)  # the mode is systemd's: 0400 (252) or 0440 (257)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    secret = read(credential="caldav")
    assert secret is not None
    assert secret.reveal() == WORD
    with pytest.raises(LoginError, match="LoadCredential=other"):
        read(credential="other")
    with pytest.raises(LoginError, match="plain name"):
        read(credential="../caldav")
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    with pytest.raises(LoginError, match="CREDENTIALS_DIRECTORY is not set"):
        read(credential="caldav")


@pytest.mark.parametrize("key", ["password_command", "token_command"])
def test_a_command_gives_the_first_line_it_prints(key: str) -> None:
    secret = read(**{key: f"printf '{WORD}\\nlogin: alice\\n'"})
    assert secret is not None
    assert secret.reveal() == WORD


def test_a_command_is_a_shell_line_and_reads_nothing() -> None:
    secret = read(password_command='cat; x="a b"; echo "$x" | tr a c')
    assert secret is not None
    assert secret.reveal() == "c b"


def test_a_failing_command_shows_its_messages_and_not_its_output() -> None:
    with pytest.raises(LoginError, match="exit code 3") as caught:
        read(password_command=f"echo {WORD[:8]}''{WORD[8:]}; echo no such entry >&2; exit 3")
    assert "no such entry" in str(caught.value)
    assert WORD not in "".join(traceback.format_exception(caught.value))


def test_a_command_that_prints_nothing_or_is_missing_is_told() -> None:
    with pytest.raises(LoginError, match="empty"):
        read(password_command="true")
    with pytest.raises(LoginError, match="exit code 127"):
        read(password_command="calsync-no-such-command")


def test_a_command_that_waits_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "COMMAND_SECONDS", 0.2)
    with pytest.raises(LoginError, match="no answer within"):
        read(password_command="exec sleep 5")


def test_what_such_a_command_has_started_ends_with_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A child of the command would else live on, and hold the pipe that we wait for."""
    monkeypatch.setattr(credentials, "COMMAND_SECONDS", 0.5)
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    command = f"(exec 3>'{fifo}'; sleep 60) & wait"
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    with pytest.raises(LoginError, match="no answer within"):
        read(password_command=command)
    os.set_blocking(reader, True)
    assert os.read(reader, 1) == b""  # ends at once only if nobody holds the other end any more
    os.close(reader)


def test_a_token_is_fetched_anew_whenever_it_is_asked_for(tmp_path: Path) -> None:
    command = f"echo x >> '{tmp_path}/runs'; wc -l < '{tmp_path}/runs'"
    tokens = [read(token_command=command) for _ in range(2)]
    assert [token.reveal().strip() for token in tokens if token] == ["1", "2"]
