"""sabre/dav 1.8 (Debian's php-sabre-dav) below Apache, for tests: Basic or Digest logins, no sync-collection.

Needs root: Apache gives it up for www-data. Public face: `sabre`.
"""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from pathlib import Path

from tests.servers import PASSWORD, USERNAME, Server, started

EXAMPLES = Path("/usr/share/doc/php-sabre-dav/examples/sql")
MODULES = Path("/usr/lib/apache2/modules")
REALM = "SabreDAV"

CONFIG = """\
{modules}
LoadModule php_module {php}
ServerRoot {folder}
ServerName 127.0.0.1
Listen 127.0.0.1:{port}
PidFile {folder}/pid
ErrorLog {folder}/errors
User www-data
Group www-data
TypesConfig /etc/mime.types
DocumentRoot {folder}/web
<Directory {folder}/web>
  Require all granted
  SetHandler application/x-httpd-php
</Directory>
RewriteEngine On
RewriteRule ^/\\.well-known/caldav / [R=301,L]
RewriteRule .* {folder}/web/server.php [L]
KeepAlive On
StartServers 8
MaxRequestWorkers 24
"""


class Digest(Server):
    """A server that wants Digest (RFC 7616). Sabre 1.8 takes any nonce, so no challenge need be asked for."""

    def authorization(self, method: str, path: str) -> str:
        def md5(*parts: str) -> str:
            return hashlib.md5(":".join(parts).encode()).hexdigest()

        nonce, count, own = "a-nonce", "00000001", "b-nonce"
        response = md5(md5(self.username, REALM, self.password), nonce, count, own, "auth", md5(method, path))
        return (
            f'Digest username="{self.username}", realm="{REALM}", nonce="{nonce}", uri="{path}", qop=auth, '
            f'nc={count}, cnonce="{own}", response="{response}", opaque="{md5(REALM)}"'
        )


def sabre(folder: Path, auth: str) -> Server:
    """Start it with its data in `folder`, which www-data must be able to reach. `auth` is "basic" or "digest"."""
    (folder / "web").mkdir()
    shutil.copy(Path(__file__).with_name("server.php"), folder / "web")
    (folder / "data").mkdir()
    _fill(folder / "data" / "db.sqlite")
    for path in (folder / "data", folder / "data" / "db.sqlite"):
        shutil.chown(path, "www-data")

    def command(port: int) -> list[str]:
        names = ("mpm_prefork", "authz_core", "alias", "rewrite", "mime")
        modules = "\n".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in names)
        php = max(MODULES.glob("libphp*.so"))
        (folder / "apache.conf").write_text(CONFIG.format(modules=modules, php=php, folder=folder, port=port))
        known = [f"SABRE_DB={folder}/data/db.sqlite", f"SABRE_AUTH={auth}"]
        return ["/usr/bin/env", *known, "/usr/sbin/apache2", "-f", str(folder / "apache.conf"), "-DFOREGROUND"]

    home = f"/calendars/{USERNAME}/"
    if auth == "digest":  # Basic is refused, and with that comes the challenge
        return started(lambda port: Digest("sabre/dav", folder, port, home, command, login_requests=1))
    return started(lambda port: Server("sabre/dav", folder, port, home, command))


def _fill(path: Path) -> None:
    """A database with one user."""
    database = sqlite3.connect(path)
    for part in ("users", "principals", "calendars"):
        database.executescript((EXAMPLES / f"sqlite.{part}.sql").read_text())
    secret = hashlib.md5(f"{USERNAME}:{REALM}:{PASSWORD}".encode()).hexdigest()
    database.execute("INSERT INTO users(username, digesta1) VALUES(?, ?)", (USERNAME, secret))
    for part in ("", "/calendar-proxy-read", "/calendar-proxy-write"):
        database.execute("INSERT INTO principals(uri) VALUES(?)", (f"principals/{USERNAME}{part}",))
    database.commit()
    database.close()
