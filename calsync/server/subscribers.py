"""The secret words in the feed's addresses: one for each subscriber, made on first use, revocable.

A word in an address is a capability (https://www.w3.org/TR/capability-urls/): who knows it may read, nobody else. They
are kept in `subscribers.json`, for its owner alone, since `calsync feed` shows them again. Of those that were revoked
the SHA-256 is kept, so that they are told from words that never were; and what serves the feed holds only hashes.

Public face: `words`, `new_word`, for the owner; `Gate`, for the server.
"""

from __future__ import annotations

import contextlib
import enum
import fcntl
import hashlib
import hmac
import json
import os
import re
import secrets
import stat
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from calsync.credentials import Secret
from calsync.errors import CalsyncError

DEFAULT = "default"
"""The subscriber who is meant where none is named."""

LENGTH = 27
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""31 of them, those that nobody takes for another one: 27 make 133 bits. 128 or more are wanted."""

_FILE = "subscribers.json"


class Standing(enum.Enum):
    """What a word is."""

    KNOWN = enum.auto()
    REVOKED = enum.auto()
    UNKNOWN = enum.auto()


class _Kept(Struct, frozen=True):
    """What is in the file: the word of each subscriber, and the hashes of revoked words."""

    words: Mapping[str, Secret]
    revoked: tuple[str, ...] = ()


def words(folder: Path) -> dict[str, Secret]:
    """The word of each subscriber, by name; there is at least the one of `DEFAULT` then.

    Raises CalsyncError if the file cannot be used.
    """
    with _changing(folder) as kept:
        if kept.words:
            return dict(kept.words)
        found = {DEFAULT: _generated()}
        _write(folder, _Kept(found, kept.revoked))
        return found


def new_word(folder: Path, name: str, *, renew: bool) -> Secret:
    """The word of the subscriber `name`, made where there is none; with `renew` a new one, and the old one is revoked.

    That counts from now on, also for a server that runs. Raises CalsyncError as `words`.
    """
    with _changing(folder) as kept:
        old = kept.words.get(name)
        if old is not None and not renew:
            return old
        word = _generated()
        revoked = (*kept.revoked, hashed(old.reveal())) if old else kept.revoked
        _write(folder, _Kept({**kept.words, name: word}, revoked))
        return word


class Gate:
    """Says of a word what it is. It looks at the file before each answer, and reads it when it has changed.

    A file that is gone lets nobody in; one that cannot be read leaves things as they were.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / _FILE
        self._seen: tuple[int, int, int] | None = None
        self._known: tuple[str, ...] = ()
        self._revoked: tuple[str, ...] = ()

    def standing(self, word: str) -> Standing:
        """What `word` is; how long that takes does not depend on how near it is to a known one."""
        self._refresh()
        digest = hashed(word)
        is_known = [hmac.compare_digest(digest, each) for each in self._known]
        is_revoked = [hmac.compare_digest(digest, each) for each in self._revoked]
        if any(is_known):
            return Standing.KNOWN
        return Standing.REVOKED if any(is_revoked) else Standing.UNKNOWN

    def _refresh(self) -> None:
        try:
            status = self._path.stat()
            seen = (status.st_mtime_ns, status.st_ino, status.st_size)
            if seen == self._seen:
                return
            kept = _read(self._path)
        except FileNotFoundError:
            self._seen, self._known, self._revoked = None, (), ()
        except (OSError, CalsyncError):
            return
        else:
            self._known = tuple(hashed(word.reveal()) for word in kept.words.values())
            self._seen, self._revoked = seen, kept.revoked


def hashed(word: str) -> str:
    """The SHA-256 of a word, in hexadecimal. A random word of 133 bits needs no salt and no slow hash."""
    return hashlib.sha256(word.encode()).hexdigest()


def _generated() -> Secret:
    return Secret("".join(secrets.choice(_LETTERS) for _ in range(LENGTH)))


@contextlib.contextmanager
def _changing(folder: Path) -> Iterator[_Kept]:
    """What is kept, while nobody else changes it."""
    path = folder / _FILE
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (folder / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                kept = _read(path)
            except FileNotFoundError:
                kept = _Kept({})
            yield kept
    except OSError as error:
        raise CalsyncError(f"The feed's addresses cannot be kept in {folder}: {error.strerror}.") from None


def _read(path: Path) -> _Kept:
    """Raises OSError; CalsyncError if others can read the file, or if it is not as we write it."""
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise CalsyncError(f"Other users can reach the feed's addresses. Run: chmod 600 {path}")
        raw = file.read()
    try:
        values = json.loads(raw)
        found = {str(name): Secret(_checked(word, r"[a-z0-9]{22,}")) for name, word in values["subscribers"].items()}
        revoked = tuple(_checked(digest, r"[0-9a-f]{64}") for digest in values["revoked"])
    except (ValueError, LookupError, TypeError, AttributeError):
        text = f"{path} is damaged. Remove it; calsync feed then makes a new address, and the old one is void."
        raise CalsyncError(text) from None
    return _Kept(found, revoked)


def _checked(value: object, pattern: str) -> str:
    if isinstance(value, str) and re.fullmatch(pattern, value):
        return value
    raise ValueError("no word, no hash")


def _write(folder: Path, kept: _Kept) -> None:
    """Write the file for its owner alone, whole or not at all."""
    subscribers = {name: word.reveal() for name, word in kept.words.items()}
    handle, name = tempfile.mkstemp(dir=folder, prefix=f".{_FILE}.")  # of mode 600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump({"subscribers": subscribers, "revoked": kept.revoked}, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(folder / _FILE)
    finally:
        Path(name).unlink(missing_ok=True)
