"""Who we are to the server, and what else may be tried where it refuses us.

RFC 7617 (Basic), RFC 7616 (Digest), RFC 6750 (bearer tokens), RFC 6764 6 (which part of a mail address is the user).
Public face: `Login`, `Credential`.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from calsync.credentials import Secret
from calsync.errors import ConfigError, Problem

Scheme = Literal["basic", "digest", "bearer"]
Renew = Callable[[], Secret | None]


class Credential(Struct, frozen=True):
    """What is sent: a user name and a password, or a token alone."""

    username: str | None
    password: Secret
    scheme: Scheme


class Login:
    """The login in use, and the others that may be tried after a 401, each of them once.

    `usernames` are tried in turn. `auth` None is Basic, then Digest where the server asks for that alone. `renew` gets
    a fresh token. Raises ConfigError where there is a password and nobody to whom it belongs.
    """

    def __init__(
        self, usernames: tuple[str, ...], password: Secret | None, auth: Scheme | None, renew: Renew | None = None
    ) -> None:
        if password is not None and auth != "bearer" and not usernames:
            raise ConfigError([Problem("caldav.username", 0, 0, "it is missing: whose password is it?")])
        self._lock = threading.Lock()
        self._tried = usernames[:1]
        self._usernames = usernames[1:]
        self._may_digest = auth is None
        self._renew = renew
        self._current = (
            Credential(usernames[0] if usernames else None, password, auth or "basic") if password is not None else None
        )

    @property
    def current(self) -> Credential | None:
        """What to send now; None where there is no password."""
        return self._current

    def other(self, refused: Credential | None, challenge: str) -> Credential | None:
        """What to send in place of what was `refused`, now and from now on; None where nothing is left.

        `challenge` is the WWW-Authenticate of the refusal. Raises LoginError where a fresh token cannot be had.
        """
        with self._lock:
            if refused is None or self._current is None:
                return None
            if self._current is refused:
                following = self._following(refused, challenge)
                if following is None:
                    return None
                self._current = following
            return self._current

    def _following(self, refused: Credential, challenge: str) -> Credential | None:
        if refused.scheme == "bearer":
            renew, self._renew = self._renew, None
            token = renew() if renew is not None else None
            return replace(refused, password=token) if token is not None else None
        offered = _schemes(challenge)
        if refused.scheme == "basic" and self._may_digest and "digest" in offered and "basic" not in offered:
            return replace(refused, scheme="digest")
        if self._usernames:
            name, self._usernames = self._usernames[0], self._usernames[1:]
            self._tried += (name,)
            return replace(refused, username=name)
        return None

    def refusal(self, host: str, challenge: str) -> str:
        """One message: the server refuses this login, and what to do."""
        offered = _schemes(challenge)
        if self._current is None:
            return f"The server {host} wants a login (401). Set caldav.username and, say, caldav.password_command."
        if self._current.scheme == "bearer":
            return f"The server {host} refuses the token (401), also a fresh one. Check caldav.token_command."
        if offered == {"bearer"}:
            return f"The server {host} takes no passwords, only bearer tokens (401). Use caldav.token_command."
        if offered == {"digest"} and self._current.scheme == "basic":
            return f"The server {host} takes Digest logins alone (401). Write auth: digest, or leave caldav.auth out."
        names = f" It was tried as {' and as '.join(self._tried)}." if len(self._tried) > 1 else ""
        return f"The server {host} refuses the login (401). Check the user name and the password.{names}"


def _schemes(challenge: str) -> set[str]:
    """The login schemes that a WWW-Authenticate offers, of those that we know (RFC 9110 11.6.1)."""
    unquoted = re.sub(r'"(?:[^"\\]|\\.)*"', "", challenge)
    found = re.findall(r"(?:^|,)\s*(basic|digest|bearer|negotiate)(?=\s|,|$)", unquoted, re.IGNORECASE)
    return {scheme.lower() for scheme in found}
