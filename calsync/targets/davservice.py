"""Where to begin to look for calendars, given a URL, a mail address, or the domain of one.

RFC 6764: SRV and TXT records, then the well-known address. The DNS can be forged, so its word alone never sends a
password without TLS, nor to another domain (section 8). Public face: `entrances`, `Entrance`, `Resolve`,
`is_url`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from urllib.parse import urljoin, urlsplit

from msgspec import Struct

from calsync.errors import ConfigError, Problem

WELL_KNOWN = "/.well-known/caldav"

Resolve = Callable[[str, str], Sequence[str]]
"""(name, "SRV" or "TXT") -> the records as text; nothing where there are none. See `davdns.look_up`."""


class Entrance(Struct, frozen=True):
    """A server that may be asked: its address, for which the password is meant, and the `urls` to try on it in turn."""

    home: str
    urls: tuple[str, ...]


class _Service(Struct, frozen=True, order=True):
    """One SRV record (RFC 2782), the best first: `order` is its priority, then its weight, highest first."""

    order: tuple[int, int]
    host: str
    port: int

    @classmethod
    def of(cls, record: str) -> _Service:
        priority, weight, port, target = record.split()
        return cls((int(priority), -int(weight)), target.rstrip(".").lower(), int(port))


def is_url(address: str) -> bool:
    """Whether this is a URL, and no mail address or domain."""
    return "://" in address


def entrances(address: str, resolve: Resolve) -> tuple[Entrance, ...]:
    """The servers to try, best first; `resolve` is not asked where `address` is a URL or names a port.

    Raises ConfigError where the domain has no CalDAV, or has it where a password may not go on the DNS's word.
    """
    if is_url(address):
        return (Entrance(address, (address, urljoin(address, WELL_KNOWN))),)
    domain = address.rpartition("@")[2].lower()
    if ":" in domain:
        return (_entrance(f"https://{domain}/", None),)
    services = _services(f"_caldavs._tcp.{domain}", resolve)
    if not services:
        _refuse_without_tls(domain, _services(f"_caldav._tcp.{domain}", resolve))
        return (_entrance(f"https://{domain}/", None),)
    if all(not service.host for service in services):
        raise _wrong(f"{domain} says that it has no CalDAV server. Write the address of yours")
    near = [service for service in services if service.host == domain or service.host.endswith(f".{domain}")]
    if not near:
        raise _wrong(
            f"the DNS says that the calendars of {domain} are at {_url(services[0])}, in another domain. Your password"
            " does not go there on its word. If that is right, write that address as caldav.url, and your user name"
        )
    path = _path(resolve(f"_caldavs._tcp.{domain}", "TXT"))
    return tuple(_entrance(_url(service), path) for service in near)


def _entrance(home: str, path: str | None) -> Entrance:
    """The path that the DNS told, the well-known one, and the root: RFC 6764 6, step 4."""
    paths = [path] if path is not None else []
    return Entrance(home, tuple(urljoin(home, each) for each in dict.fromkeys([*paths, WELL_KNOWN, "/"])))


def _services(name: str, resolve: Resolve) -> list[_Service]:
    return sorted(_Service.of(record) for record in resolve(name, "SRV"))


def _url(service: _Service) -> str:
    port = "" if service.port == 443 else f":{service.port}"
    return f"https://{service.host}{port}/"


def _path(records: Sequence[str]) -> str | None:
    """The path of a TXT record (RFC 6764 4); only one that stays on its server."""
    for record in records:
        key, _, value = record.partition("=")
        if key.strip().lower() == "path" and value.startswith("/") and not urlsplit(value).netloc:
            return value.strip()
    return None


def _refuse_without_tls(domain: str, services: list[_Service]) -> None:
    reachable = [service for service in services if service.host]
    if reachable:
        host, port = reachable[0].host, reachable[0].port
        raise _wrong(
            f"the DNS says that the calendars of {domain} are at {host}, port {port}, without TLS. Your password does"
            f" not go there. Write https://{host}/ as caldav.url if it has TLS; else http://{host}:{port}/ with"
            " allow_insecure: true, and everyone on the way can read your password"
        )


def _wrong(text: str) -> ConfigError:
    return ConfigError([Problem("caldav.url", 0, 0, f"{text}.")])
