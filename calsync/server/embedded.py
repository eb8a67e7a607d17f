"""A small CalDAV server of calsync's own: Radicale, on loopback, for one user, with its data in one folder.

For `caldav.url: embedded` and for `calsync demo`. It runs in a thread of this process, so it ends with it, however
that comes. Needs the extra `server`; the only import of radicale. Public face: `serve`, `EmbeddedServer`.
"""

from __future__ import annotations

import contextlib
import http.client
import logging
import os
import secrets
import socketserver
import threading
import time
import wsgiref.simple_server
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from calsync.credentials import Secret
from calsync.errors import CalsyncError, UnreachableError

if TYPE_CHECKING:
    from radicale.app import Application

HOST = "127.0.0.1"
USERNAME = "calsync"
ANSWER_SECONDS = 10
"""It must answer within this time after its start, or something is wrong."""


class EmbeddedServer:
    """A running server. `url` is where CalDAV clients begin; `password` is that of `username`."""

    username = USERNAME

    def __init__(self, port: int, password: Secret) -> None:
        self.url = f"http://{HOST}:{port}/"
        self.password = password

    def calendar_url(self, name: str) -> str:
        """The URL of the calendar at this path of the user's, whether it exists or not."""
        return f"{self.url}{USERNAME}/{quote(name, safe='')}/"


@contextlib.contextmanager
def serve(folder: Path, port: int = 0) -> Iterator[EmbeddedServer]:
    """Run the server while the block runs; 0 takes a free port. `folder` keeps calendars, password and log.

    The password is made at the first start and kept, so that phones stay logged in. Raises CalsyncError if Radicale
    is not installed or the folder cannot be used, UnreachableError if the port is taken or the server gives no answer.
    """
    try:
        password = _prepare(folder)
        application = _application(folder)
    except OSError as error:
        raise CalsyncError(f"The CalDAV server cannot use the folder {folder}: {error.strerror}.") from None
    log = _log_to(folder / "log")
    try:
        with _listening(application, port) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="embedded CalDAV", daemon=True)
            thread.start()
            try:
                embedded = EmbeddedServer(server.server_port, password)
                _wait_until_it_answers(server.server_port, password)
                yield embedded
            finally:
                server.shutdown()
                thread.join()
    finally:
        logging.getLogger("radicale").removeHandler(log)
        log.close()


class _Server(socketserver.ThreadingMixIn, wsgiref.simple_server.WSGIServer):
    """A thread for each request. The queue is long enough for eight clients at once and more."""

    daemon_threads = True
    request_queue_size = 64

    def server_bind(self) -> None:
        """As the parent's, but without asking DNS for this machine's name."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.server_address[1]
        self.setup_environ()

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002  # the parent's arguments
        """A client that went away in the middle is no error of ours."""
        logging.getLogger("radicale").info("A request ended early.", exc_info=True)


class _Handler(wsgiref.simple_server.WSGIRequestHandler):
    """Quiet, and with paths in UTF-8, as Radicale's own handler has them."""

    def get_environ(self) -> dict[str, str]:
        """The WSGI environment of a request."""
        return {**super().get_environ(), "PATH_INFO": unquote(self.path.partition("?")[0])}

    def address_string(self) -> str:
        """The client's address, not looked up."""
        return str(self.client_address[0])

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the parent's name for it
        """Nothing: Radicale logs what matters."""


def _listening(application: Application, port: int) -> _Server:
    """The server, bound: from here on connections are accepted and wait."""
    try:
        server = _Server((HOST, port), _Handler)
    except OSError as error:
        raise UnreachableError(f"The CalDAV server cannot listen on {HOST}:{port}: {error.strerror}.") from None
    server.set_app(application)
    return server


def _prepare(folder: Path) -> Secret:
    """Make the folder, for its owner alone, and the file with the one user; returns the password."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    users = folder / "users"
    with contextlib.suppress(FileNotFoundError):
        name, _, word = users.read_text().strip().partition(":")
        if name == USERNAME and word:
            return Secret(word)
    password = Secret(secrets.token_urlsafe(24))
    new = folder / "users.new"
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"{USERNAME}:{password.reveal()}\n")
    new.replace(users)
    return password


def _application(folder: Path) -> Application:
    """Radicale with one user, who sees only their own calendars."""
    try:
        from radicale import config  # an extra, and slow to load
        from radicale.app import Application  # as above
    except ImportError:
        raise CalsyncError("The embedded CalDAV server needs Radicale. Run: pip install 'calsync[server]'") from None
    configuration = config.load()
    configuration.update(
        {
            "auth": {
                "type": "htpasswd",
                "htpasswd_filename": str(folder.absolute() / "users"),
                "htpasswd_encryption": "plain",
            },
            "rights": {"type": "owner_only"},
            "storage": {"filesystem_folder": str(folder.absolute() / "collections")},
            "web": {"type": "none"},
        },
        "calsync",
        privileged=True,
    )
    logger = logging.getLogger("radicale")
    logger.propagate = False
    logger.setLevel(logging.WARNING)
    return Application(configuration)


def _log_to(path: Path) -> logging.Handler:
    """Send Radicale's messages to a file, and nowhere else."""
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logging.getLogger("radicale").addHandler(handler)
    return handler


def _wait_until_it_answers(port: int, password: Secret) -> None:
    """Ask as a client does, until the login is answered."""
    login = b64encode(f"{USERNAME}:{password.reveal()}".encode()).decode()
    deadline = time.monotonic() + ANSWER_SECONDS
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection(HOST, port, timeout=ANSWER_SECONDS)
        try:
            connection.request("PROPFIND", f"/{USERNAME}/", headers={"Depth": "0", "Authorization": f"Basic {login}"})
            if connection.getresponse().status == http.client.MULTI_STATUS:
                return
        except OSError:
            pass
        finally:
            connection.close()
        time.sleep(0.05)
    raise UnreachableError("The embedded CalDAV server does not answer. Its log is beside its calendars.")
