"""Questions to the DNS; the only import of dnspython. Public face: `look_up`."""

from __future__ import annotations

from collections.abc import Sequence

DNS_SECONDS = 5.0
"""How long to wait for all answers to one question. Then it counts as answered with nothing."""


def look_up(name: str, kind: str, server: tuple[str, int] | None = None) -> Sequence[str]:
    """The records of this `kind` ("SRV", "TXT"), as text: "0 1 443 dav.example.org.", "path=/dav/".

    Nothing where there are none, and where the DNS does not answer: many small routers know addresses alone. `server`
    is asked instead of the system's.
    """
    import dns.exception  # here, because it takes a tenth of a second that servers named by a URL do not need
    import dns.name
    import dns.resolver

    try:
        resolver = dns.resolver.Resolver(configure=server is None)
        if server is not None:
            resolver.nameservers, resolver.port = [server[0]], server[1]
        records = resolver.resolve(dns.name.from_text(name), kind, lifetime=DNS_SECONDS, search=False)
    except (dns.exception.DNSException, OSError, UnicodeError):
        return []
    if kind == "TXT":
        return [b"".join(record.strings).decode("utf-8", "replace") for record in records]
    return [record.to_text() for record in records]
