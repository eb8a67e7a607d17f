"""The `feed` block of config.yaml -> `FeedSettings`: where the feed is written, and where it is served.

Public face: `FeedSettings`, `read`, `KEYS`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct

from calsync import endpoint
from calsync import fields as f
from calsync.fields import FieldError, Fields
from calsync.yamlfile import quote


class FeedSettings(Struct, frozen=True, kw_only=True):
    """The file of the feed and whether it has alarms; the rest is for serving it.

    `listen` is the "host:port" to serve it at, if any. `public_url` is where apps reach that, with a slash at its end,
    where it is not `listen` itself, as behind a proxy. Without TLS it listens on loopback alone, unless
    `allow_insecure`.
    """

    path: Path
    alarms: bool = True
    listen: str | None = None
    public_url: str | None = None
    allow_insecure: bool = False
    tls_certificate: Path | None = None
    tls_key: Path | None = None


KEYS = FeedSettings.__struct_fields__
"""The keys of the block."""


def read(fields: Fields, located: Callable[[str], Path], stand_in: Path) -> FeedSettings:
    """The settings; what is missing or wrong is recorded, and a default, or `stand_in` for the path, stands in for it.

    `located` makes a path of what was written.
    """
    settings = FeedSettings(
        path=fields.need("path", located) or stand_in,
        alarms=fields.get_or("alarms", f.switch, default=True),
        listen=fields.get("listen", _listen),
        public_url=fields.get("public_url", public_url),
        allow_insecure=fields.get_or("allow_insecure", f.switch, default=False),
        tls_certificate=fields.get("tls_certificate", located),
        tls_key=fields.get("tls_key", located),
    )
    endpoint.check(
        fields,
        settings.listen,
        settings.tls_certificate,
        settings.tls_key,
        insecure=settings.allow_insecure,
        risk="read the feed and its secret address",
    )
    if settings.public_url and fields.is_nothing("listen"):
        fields.complain("'public_url' goes with 'listen', which is missing", "public_url")
    return settings


def _listen(written: str) -> str:
    """An address with a port that stays: subscriptions are made to it."""
    if f.endpoint(written).endswith(":0"):
        raise FieldError(f"{quote(written)} must have a port of its own, as in 127.0.0.1:8422")
    return written


def public_url(written: str) -> str:
    """The address under which a proxy offers the server, with a slash at its end. Raises FieldError."""
    try:
        parts = urlsplit(written)
        is_web = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # by urllib for odd brackets and ports
        is_web = False
    if not is_web or not written.isascii() or not written.isprintable() or " " in written:
        raise FieldError(f"{quote(written)} must be an address, as in https://calendar.example.org/")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise FieldError("must have no user, no '?' and no '#' in it")
    return written.rstrip("/") + "/"
