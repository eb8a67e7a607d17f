"""The end of a server's certificate, for `calsync doctor`. Public face: `certificate_end`."""

from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit


def certificate_end(url: str, ca_file: Path | None, timeout: float) -> datetime | None:
    """When the certificate of the server at `url` ends; None for http. Asked directly, without any proxy.

    Raises OSError where there is no connection, or where the certificate is not trusted.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        return None
    context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    with (
        socket.create_connection((parts.hostname, parts.port or 443), timeout=timeout) as plain,
        context.wrap_socket(plain, server_hostname=parts.hostname) as secure,
    ):
        told = secure.getpeercert() or {}
    end = told.get("notAfter")
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(end), UTC) if isinstance(end, str) else None
