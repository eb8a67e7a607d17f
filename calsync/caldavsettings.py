"""The `caldav` block of config.yaml -> `CaldavSettings`: where the calendar is, and how to log in there.

A password is never in it, only the place to ask for it. Public face: `CaldavSettings`, `read`, `KEYS`,
`SECRET_SOURCES`, `FOR_EMBEDDED`, `EMBEDDED`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from msgspec import Struct

from calsync import endpoint
from calsync import fields as f
from calsync.fields import FieldError, Fields
from calsync.yamlfile import quote

EMBEDDED = "embedded"
"""The word for `caldav.url` that asks for calsync's own CalDAV server."""

SECRET_SOURCES = ("password_file", "password_env", "password_command", "credential", "token_command")
"""The keys that say where the secret is; at most one may."""

Auth = Literal["basic", "digest"]
_AUTHS: dict[str, Auth] = {"basic": "basic", "digest": "digest"}
_MAIL = re.compile(r"[^\s@:/]+@(?:[^\s@:/.]+\.)+[^\s@:/.]+")
_HOST = re.compile(r"(?:[\w-]+\.)+[\w-]*[^\W\d][\w-]*(?::[0-9]{1,5})?")


_NOT_SHOWN = ("password_command", "token_command")


class CaldavSettings(Struct, frozen=True, kw_only=True):
    """Where the calendar is, and how to log in. At most one of `SECRET_SOURCES` is set; `timeout` is in seconds.

    `connections`: so many writes are made at a time.

    `url` is http, https, a mail address or a host to find the server by (RFC 6764), or `EMBEDDED`. `auth` None is
    Basic, and Digest where the server asks for it. Commands are left out of the repr: they may hold a secret.

    The last three are for the embedded server alone: the "host:port" to listen on (a free port on loopback unless
    given), and the files for TLS.
    """

    url: str
    username: str | None = None
    calendar: str = "Job search"
    timeout: float = 30.0
    connections: int = 8
    auth: Auth | None = None
    allow_insecure: bool = False
    ca_file: Path | None = None
    client_certificate: Path | None = None
    client_key: Path | None = None
    password_file: Path | None = None
    password_env: str | None = None
    password_command: str | None = None
    credential: str | None = None
    token_command: str | None = None
    listen: str | None = None
    tls_certificate: Path | None = None
    tls_key: Path | None = None

    def __repr__(self) -> str:
        shown = (name for name in self.__struct_fields__ if name not in _NOT_SHOWN)
        return f"CaldavSettings({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"


KEYS = CaldavSettings.__struct_fields__
"""The keys of the block."""

FOR_EMBEDDED = ("listen", "tls_certificate", "tls_key")
"""The keys that only the embedded server has."""

MISPLACED = ("password", "token")
"""Keys that people try, and that get an answer of their own."""


def read(fields: Fields, located: Callable[[str], Path]) -> CaldavSettings:
    """The settings; what is missing or wrong is recorded, and a default stands in for it.

    `located` makes a path of what was written.
    """
    _keep_secrets_out(fields)
    username = fields.get("username", f.line)
    calendar = fields.get("calendar", f.line)
    url = fields.get("url", address)
    settings = CaldavSettings(
        url=url or _implied(username, calendar) or EMBEDDED,
        username=username,
        calendar=calendar or "Job search",
        timeout=fields.get_or("timeout", _seconds, 30.0),
        connections=fields.get_or("connections", _connections, 8),
        auth=fields.get("auth", f.one_of(_AUTHS)),
        allow_insecure=fields.get_or("allow_insecure", f.switch, default=False),
        ca_file=fields.get("ca_file", located),
        client_certificate=fields.get("client_certificate", located),
        client_key=fields.get("client_key", located),
        password_file=fields.get("password_file", located),
        password_env=fields.get("password_env", _variable),
        password_command=fields.get("password_command", f.line),
        credential=fields.get("credential", _credential),
        token_command=fields.get("token_command", f.line),
        listen=fields.get("listen", f.endpoint),
        tls_certificate=fields.get("tls_certificate", located),
        tls_key=fields.get("tls_key", located),
    )
    if url == EMBEDDED:
        _check_embedded(fields, settings)
    else:
        _refuse_embedded_keys(fields)
    _refuse_clear_text(fields, settings)
    if fields.is_nothing("url") and _implied(username, calendar) is None:
        text = "'url' is missing: the server's address, your mail address, or its domain"
        fields.document.complain(text, fields.value("url") if "url" in fields else fields.node)
    if settings.auth and settings.token_command:
        fields.complain("'auth' is for passwords; a token is always sent as a bearer token", "auth")
    if settings.client_key and not settings.client_certificate:
        fields.complain("'client_key' goes with 'client_certificate', which is missing", "client_key")
    return settings


def _refuse_clear_text(fields: Fields, settings: CaldavSettings) -> None:
    """What the connection would refuse is told with its place, and by `calsync check` too."""
    for key, written in (("url", settings.url), ("calendar", settings.calendar)):
        if not settings.allow_insecure and key in fields and _is_clear_text(written):
            text = "http:// would send your password in clear text; write https://, or say 'allow_insecure: yes'"
            fields.complain(f"{quote(key)}: {text}", key)


def _is_clear_text(url: str) -> bool:
    """Whether others than this machine are asked without TLS."""
    try:
        parts = urlsplit(url)
        return parts.scheme == "http" and not endpoint.is_loopback(f"{parts.hostname}:0")
    except ValueError:  # by urllib for odd brackets: the calendar's name may be anything
        return False


def _refuse_embedded_keys(fields: Fields) -> None:
    for key in FOR_EMBEDDED:
        if not fields.is_nothing(key):
            fields.complain(f"{quote(key)} is for calsync's own server alone, which is 'url: embedded'", key)


def _check_embedded(fields: Fields, settings: CaldavSettings) -> None:
    """The embedded server has a login of its own, and the calendar is found there by its name."""
    for key in ("username", "auth", "ca_file", "client_certificate", "client_key", *SECRET_SOURCES):
        if not fields.is_nothing(key):
            text = f"{quote(key)} does not go with 'url: embedded', whose login calsync makes: see 'calsync password'"
            fields.complain(text, key)
    if "://" in settings.calendar:
        fields.complain("'calendar' must be a name where the url is 'embedded'", "calendar")
    endpoint.check(
        fields,
        settings.listen,
        settings.tls_certificate,
        settings.tls_key,
        insecure=settings.allow_insecure,
        risk="read the password and the calendar",
    )


def _keep_secrets_out(fields: Fields) -> None:
    for key in MISPLACED:
        if key in fields:
            text = f"a {key} has no place in this file; use one of {f.list_of(SECRET_SOURCES)}"
            fields.document.complain(text, fields.key(key))
    given = [key for key in SECRET_SOURCES if not fields.is_nothing(key)]
    if len(given) > 1:
        text = f"{quote(given[0])} and {quote(given[1])} are both set; keep one of them"
        fields.document.complain(text, fields.key(given[1]))


def _implied(username: str | None, calendar: str | None) -> str | None:
    """Where the server is, by the calendar's own URL or by the domain of a user name that is a mail address."""
    if calendar is not None and calendar.startswith(("https://", "http://")):
        return calendar
    return username if username is not None and _MAIL.fullmatch(username) else None


# The parsers below never quote what was written: a password may have been put into the wrong key.


def address(written: str) -> str:
    """The URL of a server, a mail address, a host, or the word `EMBEDDED`. Raises FieldError."""
    if written.casefold() == EMBEDDED:
        return EMBEDDED
    if _MAIL.fullmatch(written) or _HOST.fullmatch(written):
        return written
    try:
        parts = urlsplit(written)
        is_web = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # by urllib for odd brackets and ports
        is_web = False
    if not is_web or re.search(r"\s", written):
        raise FieldError("must be an address, as in https://dav.example.org/ or me@example.org, or 'embedded'")
    if "@" in parts.netloc:
        raise FieldError("must have no user or password in it; use 'username' and, for instance, 'password_command'")
    return written


def _variable(written: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", written):
        raise FieldError("must be the name of an environment variable, as in CALDAV_PASSWORD")
    return written


def _credential(written: str) -> str:
    if not re.fullmatch(r"[^/\s]{1,255}", f.line(written)) or written in (".", ".."):
        raise FieldError("must be a name without slashes and blanks, as in LoadCredential= of the unit")
    return written


def _connections(written: str) -> int:
    """Radicale resets connections from 16 at a time on; over 8 nothing was gained anywhere."""
    if not re.fullmatch(r"[1-8]", written):
        raise FieldError(f"{quote(written)} is out of range: 1 to 8")
    return int(written)


def _seconds(written: str) -> float:
    seconds = (
        float(written) if re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,3})?", written) else f.duration(written).total_seconds()
    )
    if not 1 <= seconds <= 600:
        raise FieldError(f"{quote(written)} is out of range: 1 to 600 seconds")
    return seconds
