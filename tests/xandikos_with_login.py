"""Xandikos with Basic auth on loopback: `python xandikos_with_login.py FOLDER HTPASSWD USERNAME PORT`.

Its own command allows a login over TLS alone (`--htpasswd requires --autocert`), so its app and its login check
are put together here. It keeps connections alive.
"""

from __future__ import annotations

import sys
from pathlib import Path

from aiohttp import web
from xandikos.htpasswd import HtpasswdFile
from xandikos.web import SingleUserFilesystemBackend, XandikosApp, basic_auth_middleware


def main(folder: Path, htpasswd: str, username: str, port: int) -> None:
    """Serve `folder` until a signal comes."""
    principal = f"/{username}/"
    (folder / "dav").mkdir(exist_ok=True)
    backend = SingleUserFilesystemBackend(str(folder / "dav"))
    backend._mark_as_principal(principal)
    backend.create_principal(principal, create_defaults=True)
    app = XandikosApp(backend, current_user_principal=principal, state_dir=str(folder / "state"))

    async def handle(request: web.Request) -> web.StreamResponse:
        return await app.aiohttp_handler(request, "/")

    served = web.Application(
        middlewares=[basic_auth_middleware(HtpasswdFile(htpasswd))], client_max_size=64 * 1024 * 1024
    )
    served.router.add_route("*", "/{path_info:.*}", handle)
    web.run_app(served, host="127.0.0.1", port=port, access_log=None, print=None, shutdown_timeout=1)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]))
