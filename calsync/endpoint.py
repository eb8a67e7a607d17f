"""An address to listen on, in a config: who can reach it, and what has to be said before others may.

For the `caldav` and `feed` blocks alike. Public face: `is_loopback`, `check`.
"""

from __future__ import annotations

import ipaddress
from pathlib import Path

from calsync.fields import Fields
from calsync.yamlfile import quote


def is_loopback(endpoint: str) -> bool:
    """Whether only this machine can reach "host:port"."""
    host = endpoint.rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def check(
    fields: Fields, listen: str | None, certificate: Path | None, key: Path | None, *, insecure: bool, risk: str
) -> None:
    """Record what is wrong with `listen`, `tls_certificate`, `tls_key` and `allow_insecure` (`insecure`) together.

    `risk` says what anybody on the way could do without TLS.
    """
    pair = {"tls_certificate": certificate, "tls_key": key}
    for name, needed in (("tls_certificate", "tls_key"), ("tls_key", "tls_certificate")):
        if pair[name] and not pair[needed]:
            fields.complain(f"{quote(name)} goes with {quote(needed)}, which is missing", name)
    if listen is None:
        for name in (name for name, value in pair.items() if value):
            fields.complain(f"{quote(name)} goes with 'listen', which is missing", name)
    elif not (is_loopback(listen) or certificate or insecure):
        way = "set 'tls_certificate' and 'tls_key', or listen on 127.0.0.1, or say 'allow_insecure: yes'"
        fields.complain(f"without TLS anybody on the way could {risk}; {way}", "listen")
