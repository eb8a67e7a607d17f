"""The one login of the embedded server: its password, and the htpasswd file that Radicale checks.

The file `users` holds the password's bcrypt hash, the file `password` the word itself, since `calsync password` shows
it; only their owner can read them. A generated password of 123 bits needs no slow hash, and Radicale checks it in
every request: so the cost is that of Apache's own htpasswd (`docs/decisions/0009-embedded-data-and-login.md`). The only
door to bcrypt. Public face: `USERNAME`, `password`, `renew`.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from pathlib import Path

from calsync import credentials
from calsync.credentials import Secret
from calsync.errors import CalsyncError

USERNAME = "calsync"
NEEDED = "The embedded CalDAV server needs Radicale and bcrypt. Run: pip install 'calsync[server]'"

_COST = 5
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Those that nobody takes for another one: it is typed into phones."""


def password(folder: Path) -> Secret:
    """The password of the server in `folder`, made if there is none yet.

    Raises CalsyncError if bcrypt is not installed, LoginError if others can read the file, OSError.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with contextlib.suppress(FileExistsError):  # by another calsync that was first: then that one's counts
        if not (folder / "password").exists():
            _write(folder / "password", f"{_generated()}\n", over=False)
    word = credentials.read(password_file=folder / "password")
    assert word is not None
    if not _is_known(folder / "users", word):
        _write(folder / "users", f"{USERNAME}:{_hashed(word)}\n")
    return word


def renew(folder: Path) -> Secret:
    """A new password, which counts from now on, also on a server that runs. Errors as `password`."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    _write(folder / "password", f"{_generated()}\n")
    return password(folder)


def _generated() -> str:
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(5)) for _ in range(5))


def _hashed(word: Secret) -> str:
    try:
        import bcrypt  # an extra
    except ImportError:
        raise CalsyncError(NEEDED) from None
    return bcrypt.hashpw(word.reveal().encode(), bcrypt.gensalt(_COST)).decode()


def _is_known(users: Path, word: Secret) -> bool:
    """Whether the htpasswd file has this password's hash."""
    try:
        import bcrypt  # as above
    except ImportError:
        raise CalsyncError(NEEDED) from None
    with contextlib.suppress(OSError, ValueError):  # no file, or not a hash
        name, _, hashed = users.read_text(encoding="utf-8").strip().partition(":")
        return name == USERNAME and bcrypt.checkpw(word.reveal().encode(), hashed.encode())
    return False


def _write(path: Path, text: str, *, over: bool = True) -> None:
    """Write a file for its owner alone, whole or not at all; raises FileExistsError unless it may go over another."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # of mode 600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        if over:
            Path(name).replace(path)
        else:
            path.hardlink_to(name)
    finally:
        Path(name).unlink(missing_ok=True)
