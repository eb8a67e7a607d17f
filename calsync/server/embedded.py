"""A small CalDAV server of calsync's own: Radicale, for one user, with all that it keeps in one folder.

For `caldav.url: embedded` and for `calsync demo`. It runs in threads of this process, so it ends with it, however
that comes. A folder is served by one process at a time; others find it by the file `address`. Needs the extra
`server`; the only import of radicale. Public face: `serve`, `at_hand`, `for_reading`, `EmbeddedServer`.
"""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import logging
import logging.handlers
import shutil
import tempfile
import time
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from calsync import credentials
from calsync.credentials import Secret
from calsync.errors import BusyError, CalsyncError, UnreachableError
from calsync.server import login
from calsync.server.listening import Listen, Listener, listening
from calsync.server.site import Wsgi

if TYPE_CHECKING:
    from radicale.app import Application

ANSWER_SECONDS = 10
"""It must answer within this time after its start, or something is wrong."""
_LOG_BYTES = 1_000_000


class EmbeddedServer:
    """A running server. `url` is where calsync reaches it; `password` is that of `username`."""

    username = login.USERNAME

    def __init__(self, url: str, password: Secret) -> None:
        self.url = url
        self.password = password

    def calendar_url(self, name: str) -> str:
        """The URL of the calendar at this path of the user's, whether it exists or not."""
        return f"{self.url}{self.username}/{quote(name, safe='')}/"


@contextlib.contextmanager
def serve(folder: Path, listen: Listen | None = None, listener: Listener | None = None) -> Iterator[EmbeddedServer]:
    """Run the server while the block runs, on a free port of loopback unless `listen` says where.

    `folder` keeps calendars, password and log; what is in it is the user's, no cache. The password is made at the
    first start and kept, so that phones stay logged in. A sync that runs the server for its own time is waited for.

    It is on `listener`, if there is one, with all else that is served there.

    Raises BusyError if another process keeps serving this folder, CalsyncError if Radicale is not installed or folder
    or certificate cannot be used, UnreachableError if the port is taken or the server gives no answer.
    """
    deadline = time.monotonic() + ANSWER_SECONDS
    while True:
        with _locked(folder, shared=False) as locked:
            if locked:
                with _serving(folder, listen, listener) as server:
                    yield server
                return
        if time.monotonic() > deadline:
            raise BusyError(f"another calsync runs the CalDAV server of {folder}; this one leaves it to that")
        time.sleep(0.05)


@contextlib.contextmanager
def at_hand(folder: Path, listen: Listen | None = None) -> Iterator[EmbeddedServer]:
    """The server that runs on `folder` already, as in a daemon; else as `serve`. Raises as that."""
    with _found_or_locked(folder, shared=False) as found:
        if found is not None:
            yield found
            return
        with _serving(folder, listen) as server:
            yield server


@contextlib.contextmanager
def for_reading(folder: Path) -> Iterator[EmbeddedServer]:
    """The server that runs on `folder`; else one on a throw-away copy, so that nothing in `folder` is touched."""
    with _found_or_locked(folder, shared=True) as found, tempfile.TemporaryDirectory(prefix="calsync-") as name:
        if found is not None:
            yield found
            return
        if (folder / "collections").exists():
            without = shutil.ignore_patterns(".Radicale.cache", ".Radicale.lock")
            shutil.copytree(folder / "collections", Path(name) / "collections", ignore=without)
        with _serving(Path(name), None) as server:
            yield server


@contextlib.contextmanager
def _serving(folder: Path, listen: Listen | None, listener: Listener | None = None) -> Iterator[EmbeddedServer]:
    """Run it. calsync itself always comes over loopback, so that no certificate stands in its way."""
    wanted = [listen] if listen and listen.is_plain_loopback else [Listen(), *([listen] if listen else [])]
    address = folder / "address"
    with contextlib.ExitStack() as stack:
        try:
            address.unlink(missing_ok=True)
            password = login.password(folder)
            stack.enter_context(_log_to(folder / "log"))  # before the start, of which Radicale has things to say
            application = _application(folder)
        except OSError as error:
            raise _unusable(folder, error) from None
        listens = stack.enter_context(listening(Wsgi(application), *wanted, listener=listener))
        server = EmbeddedServer(listens[0].url, password)
        _wait_until_it_answers(server)
        stack.callback(address.unlink, missing_ok=True)
        address.write_text(server.url, encoding="utf-8")
        yield server


@contextlib.contextmanager
def _found_or_locked(folder: Path, *, shared: bool) -> Iterator[EmbeddedServer | None]:
    """The server that runs on `folder`; or None, and then none starts there before the end of the block."""
    deadline = time.monotonic() + ANSWER_SECONDS
    while True:
        with _locked(folder, shared=shared) as locked:
            if locked:
                yield None
                return
        if (server := _running(folder)) is not None:
            yield server
            return
        if time.monotonic() > deadline:
            raise UnreachableError(f"Another calsync runs the CalDAV server of {folder}, and it does not answer.")
        time.sleep(0.05)


@contextlib.contextmanager
def _locked(folder: Path, *, shared: bool) -> Iterator[bool]:
    """Whether the folder's lock could be had; a shared one, to read, touches nothing and needs no folder.

    The system lets go of it when the process ends, however it ends.
    """
    try:
        if not shared:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = (folder / "lock").open("r" if shared else "a")
    except FileNotFoundError:
        yield True
        return
    except OSError as error:
        raise _unusable(folder, error) from None
    with handle:
        try:
            fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def _running(folder: Path) -> EmbeddedServer | None:
    """The server that holds the lock of `folder`, as soon as it has told its address and answers there."""
    try:
        url = (folder / "address").read_text(encoding="utf-8")
    except OSError:
        return None
    password = credentials.read(password_file=folder / "password")
    assert password is not None
    server = EmbeddedServer(url, password)
    return server if _answers(server) else None


def _unusable(folder: Path, error: OSError) -> CalsyncError:
    return CalsyncError(f"The CalDAV server cannot use the folder {folder}: {error.strerror}.")


def _application(folder: Path) -> Application:
    """Radicale with one user, who sees only their own calendars."""
    try:
        from radicale import config  # an extra, and slow to load
        from radicale.app import Application  # as above
    except ImportError:
        raise CalsyncError(login.NEEDED) from None
    configuration = config.load()
    configuration.update(
        {
            "auth": {
                "type": "htpasswd",
                "htpasswd_filename": str(folder.absolute() / "users"),
                "htpasswd_encryption": "bcrypt",
            },
            "rights": {"type": "owner_only"},
            "storage": {"filesystem_folder": str(folder.absolute() / "collections")},
            "web": {"type": "none"},
        },
        "calsync",
        privileged=True,
    )
    return Application(configuration)


@contextlib.contextmanager
def _log_to(path: Path) -> Iterator[None]:
    """Send Radicale's messages to a file, and nowhere else; it does not grow beyond two times 1 MB."""
    handler = logging.handlers.RotatingFileHandler(path, maxBytes=_LOG_BYTES, backupCount=1, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logger = logging.getLogger("radicale")
    logger.propagate = False
    logger.setLevel(logging.WARNING)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        handler.close()


def _wait_until_it_answers(server: EmbeddedServer) -> None:
    """Ask as a client does, until the login is answered."""
    deadline = time.monotonic() + ANSWER_SECONDS
    while not _answers(server):
        if time.monotonic() > deadline:
            raise UnreachableError("The embedded CalDAV server does not answer. Its log is beside its calendars.")
        time.sleep(0.05)


def _answers(server: EmbeddedServer) -> bool:
    word = b64encode(f"{server.username}:{server.password.reveal()}".encode()).decode()
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=ANSWER_SECONDS)
    try:
        headers = {"Depth": "0", "Authorization": f"Basic {word}"}
        connection.request("PROPFIND", f"/{server.username}/", headers=headers)
        return connection.getresponse().status == http.client.MULTI_STATUS
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
