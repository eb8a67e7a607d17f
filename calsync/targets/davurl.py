"""Which addresses may be given a password, and which a server may send us to.

RFC 9110 15.4 (redirects); RFC 8615 and iCloud's partition hosts are why not every other host is refused.
Public face: `refuse_unsafe`, `is_loopback`, `allowed`, `told_path`, `sendable`.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

from calsync.errors import ConfigError, Problem, UnreachableError
from calsync.targets.davxml import canonical, encoded


def sendable(url: str) -> str:
    """The URL as it goes over the wire: a path encoded, and never twice; no fragment; a host in ASCII (RFC 5891)."""
    parts = urlsplit(url)
    netloc = parts.netloc if parts.netloc.isascii() else parts.netloc.encode("idna").decode()
    query = quote(parts.query, safe=_QUERY)
    return urlunsplit((parts.scheme, netloc, encoded(parts.path) or "/", query, ""))


def refuse_unsafe(url: str, *, allow_insecure: bool = False) -> None:
    """Raise ConfigError unless this URL may be given a password: TLS, or this machine itself, or the user insists."""
    try:
        parts = urlsplit(url)
        host, scheme, _ = parts.hostname, parts.scheme, parts.port
    except ValueError as error:
        raise ConfigError([Problem("caldav.url", 0, 0, f"this is no web address: {error}")]) from None
    if scheme not in ("http", "https") or not host:
        problem = "this is no web address; write it as https://dav.example.org/"
    elif parts.username is not None or parts.password is not None:
        problem = "a URL holds no user name and no password; use caldav.username and caldav.password_file"
    elif scheme == "http" and not is_loopback(url) and not allow_insecure:
        problem = f"http:// would send your password to {host} in clear text; write https://, or allow_insecure: true"
    else:
        return
    raise ConfigError([Problem("caldav.url", 0, 0, problem)])


def is_loopback(url: str) -> bool:
    """Whether this URL stays on this machine. Names are not looked up: only "localhost" is taken at its word."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def allowed(home: str, url: str) -> str:
    """The URL, if the password meant for `home` may go there; else UnreachableError.

    It may go to the same host, and over TLS to a host under it, and to a sister (iCloud sends from caldav. to
    p42-caldav.icloud.com).
    """
    now, new = urlsplit(home), urlsplit(url)
    same = now.scheme == new.scheme and now.netloc == new.netloc
    safer = new.scheme == "https" and now.hostname == new.hostname
    if same or safer:
        return url
    if now.scheme == new.scheme == "https" and _are_kin(now.hostname or "", new.hostname or ""):
        return url
    raise UnreachableError(
        f"The server sends us to another place, {new.scheme}://{new.netloc}, which does not get your password."
        " If that is right, write its address as caldav.url in the config."
    )


def told_path(told: str | None, url: str, calendar: str) -> str:
    """Where a new item is: at the `url` we asked for, or where the server `told` us that it put it.

    mailbox.org renames items, and says so in a header. Only a place in the same calendar counts.
    """
    asked = urlsplit(url).path
    path = urlsplit(urljoin(url, told)).path if told else asked
    home = canonical(urlsplit(calendar).path)
    return path if canonical(path).startswith(f"{home}/") else asked


_QUERY = "/?%:@!$&'()*+,;=~-._"

_SHARED = {"ac", "co", "com", "edu", "go", "gov", "ltd", "me", "ne", "net", "or", "org", "plc"}
"""Second levels under which strangers stand side by side, as in co.uk; by far the most of those that there are."""


def _are_kin(one: str, other: str) -> bool:
    """Whether the other host stands under this one, or both under the same domain of two parts or more."""
    parents = [host.partition(".")[2] for host in (one, other)]
    second, _, top = parents[0].partition(".")
    sisters = parents[0] == parents[1] and top != "" and not (second in _SHARED and len(top) == 2)
    return sisters or ("." in one and other.endswith(f".{one}"))
