"""How the password is had: from a file, the environment, a command, or systemd; and how it is kept out of sight.

Idea: vdirsyncer's `fetch` options and systemd's `LoadCredential=`. Public face: `Secret`, `read`.
"""

from __future__ import annotations

import contextlib
import os
import signal
import stat
from pathlib import Path

from calsync.errors import PasswordError

COMMAND_SECONDS = 30
"""How long a password command may take: long enough for a person to touch a hardware key."""


class Secret:
    """A password or token. Printing, formatting or comparing it shows nothing; `reveal` gives the word."""

    __slots__ = ("_word",)

    def __init__(self, word: str) -> None:
        self._word = word

    def reveal(self) -> str:
        """The word itself: only for the place that sends it."""
        return self._word

    def __repr__(self) -> str:
        return "Secret(...)"

    def __str__(self) -> str:
        return "***"

    def __bool__(self) -> bool:
        return bool(self._word)

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("a secret is not to be copied to a file or another process")


def read(
    *,
    password_file: Path | None = None,
    password_env: str | None = None,
    password_command: str | None = None,
    credential: str | None = None,
    token_command: str | None = None,
) -> Secret | None:
    """Get the password or token from the one place that is given; None where none is.

    Raises PasswordError, which says what is missing and what to do, and never what was read.
    """
    if password_file is not None:
        return _from_file(password_file)
    if password_env is not None:
        return _from_environment(password_env)
    if credential is not None:
        return _from_systemd(credential)
    if password_command is not None:
        return _from_command(password_command, "password_command")
    if token_command is not None:
        return _from_command(token_command, "token_command")
    return None


def _from_file(path: Path) -> Secret:
    """The text of a file that only its owner can read, without one newline at its end."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if stat.S_ISREG(mode) and mode & 0o077:
                raise PasswordError(f"Other users can reach the password file {path}. Run: chmod 600 {path}")
            return _secret(file.read(), f"The password file {path}")
    except OSError as error:
        raise PasswordError(f"Cannot read the password file {path}: {error.strerror}.") from None


def _from_environment(variable: str) -> Secret:
    word = os.environ.get(variable)
    if not word:
        raise PasswordError(
            f"The environment variable {variable}, named by password_env, is not set. Set it, or use password_file."
        )
    return Secret(word)


def _from_systemd(name: str) -> Secret:
    """A credential of the unit (systemd.exec(5), LoadCredential=). Its mode is systemd's own business."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if not folder:
        raise PasswordError(
            f"The credential {name} cannot be read: $CREDENTIALS_DIRECTORY is not set. It is set by systemd"
            f" for units with LoadCredential={name}:PATH. Elsewhere use password_file or password_command."
        )
    if "/" in name or name in (".", ".."):
        raise PasswordError(f"A credential is a plain name, without slashes: {name}")
    try:
        return _secret((Path(folder) / name).read_bytes(), f"The credential {name}")
    except OSError as error:
        raise PasswordError(
            f"Cannot read the credential {name}: {error.strerror}. Does the unit say LoadCredential={name}:PATH?"
        ) from None


def _from_command(command: str, key: str) -> Secret:
    """The first line that a shell command prints. Its own messages are shown where it fails; its output never."""
    import subprocess

    try:
        code, out, messages = _output(command)
    except subprocess.TimeoutExpired:
        raise PasswordError(
            f"The {key} gave no answer within {COMMAND_SECONDS} seconds: {command}. Does it wait for a passphrase?"
        ) from None
    except OSError as error:
        raise PasswordError(f"The {key} cannot be run: {error.strerror}.") from None
    if code != 0:
        said = messages.decode("utf-8", "replace").strip()
        raise PasswordError(f"The {key} failed with exit code {code}: {command}" + (f"\n{said}" if said else ""))
    return _secret(out.split(b"\n", 1)[0].removesuffix(b"\r"), f"The first line of the {key}'s output")


def _output(command: str) -> tuple[int, bytes, bytes]:
    """Run a shell command in a session of its own; returns its exit code, output and messages.

    Whatever is still running of it is killed when it takes too long, and when we are stopped.
    """
    import subprocess

    pipe = subprocess.PIPE
    with subprocess.Popen(
        ["/bin/sh", "-c", command], stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, start_new_session=True
    ) as process:
        try:
            out, messages = process.communicate(timeout=COMMAND_SECONDS)
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            raise
    return process.returncode, out, messages


def _secret(raw: bytes, what: str) -> Secret:
    """The text as a Secret, without one line end."""
    raw = raw.removesuffix(b"\n").removesuffix(b"\r")
    try:
        word = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise PasswordError(f"{what} is not UTF-8 text.") from None
    if not word:
        raise PasswordError(f"{what} is empty.")
    if any(character in word for character in "\n\r\0"):
        raise PasswordError(f"{what} has more than one line. A password is one line.")
    return Secret(word)
