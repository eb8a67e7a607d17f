"""Whose certificates are trusted, and which one we show. Public face: `Trust`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from calsync.errors import ConfigError, Problem

if TYPE_CHECKING:
    import ssl


BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Arch
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora
    "/etc/ssl/ca-bundle.pem",  # SUSE
    "/etc/ssl/cert.pem",  # Alpine, BSD, macOS
)
"""Where distributions keep the certificates that they trust."""


class Trust(Struct, frozen=True, kw_only=True):
    """Whose certificates are trusted (the system's unless said), and which one we show; PEM files.

    Raises ConfigError for a file that cannot be used.
    """

    ca_file: Path | None = None
    client_certificate: Path | None = None
    client_key: Path | None = None

    def __post_init__(self) -> None:
        if self.ca_file is not None:
            with _about("ca_file", self.ca_file) as context:
                context.load_verify_locations(self.ca_file)
        if self.client_certificate is not None:
            with _about("client_certificate", self.client_certificate) as context:
                # A key with a passphrase would make the library ask for it on the terminal.
                context.load_cert_chain(self.client_certificate, self.client_key, password=lambda: "")

    def authorities(self, bundles: Iterable[str] = BUNDLES) -> tuple[str | None, str | None]:
        """The file and the folder of the certificates that are trusted; two Nones where the system has neither.

        Of the system these are SSL_CERT_FILE and SSL_CERT_DIR, or what Python's OpenSSL goes by, or the first of
        `bundles` that there is: an OpenSSL that was built elsewhere may look for it in a wrong place.
        """
        if self.ca_file is not None:
            return str(self.ca_file), None
        import ssl

        known = ssl.get_default_verify_paths()
        is_told = known.openssl_cafile_env in os.environ or known.openssl_capath_env in os.environ
        usual = None if is_told else next((bundle for bundle in bundles if Path(bundle).is_file()), None)
        return known.cafile or usual, known.capath


@contextmanager
def _about(key: str, path: Path) -> Iterator[ssl.SSLContext]:
    """A context to try the file in. Errors about it become ConfigError."""
    import ssl

    try:
        yield ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    except OSError as error:  # ssl.SSLError is one
        unfit = "this is no PEM file, or its key is missing, another's, or has a passphrase"
        why = unfit if isinstance(error, ssl.SSLError) else error.strerror
        raise ConfigError([Problem(f"caldav.{key}", 0, 0, f"{path} cannot be used: {why}")]) from None
