"""One login to one CalDAV server, over the `caldav` library's client; the only import of that library.

The library's low-level requests are used, with conditions of our own and every answer checked here, because its
objects take a login page for data, re-send writes after a redirect, and drop a weak ETag's condition silently.
What the environment says about proxies counts; what it says about logins (.netrc) does not.
Public face: `Connection`, `Trust`, and the errors that tell kinds of silence apart.
"""

from __future__ import annotations

import logging
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit
from urllib.request import getproxies_environment, proxy_bypass

import caldav.lib.error
from caldav.davclient import DAVClient
from caldav.lib.http_sync import requests as http

from calsync import __version__
from calsync.errors import ConfigError, LoginError, Problem, UnreachableError
from calsync.targets import davurl, davxml
from calsync.targets.davlogin import Credential, Login
from calsync.targets.davretry import PassingError, Patience
from calsync.targets.davwords import Answer, come_back, is_cut_off, refusal, why_no_answer
from calsync.targets.davxml import Multistatus

REDIRECTS = 5

_SURPRISES = (
    caldav.lib.error.DAVError,
    http.exceptions.BaseHTTPError,  # type: ignore[attr-defined]  # it has no other name that is not deeper inside
    SyntaxError,
    ValueError,
    TypeError,
    AttributeError,
)
"""What the libraries raise from within their reading of an answer that is not what its type says."""

_log = logging.getLogger(__name__)

# It warns of every answer that is not as it expects; what matters of that is an error with a message of ours.
logging.getLogger("caldav").setLevel(logging.CRITICAL)
# Its environment variables would write passwords below /tmp and stop in a debugger.
caldav.lib.error.debug_dump_communication = False
caldav.lib.error.debugmode = "PRODUCTION"


class NoAnswerError(UnreachableError):
    """Nothing came back from the server."""


class BrokenError(NoAnswerError, PassingError):
    """The connection was lost on the way: a server may close an idle one just when it is used again."""

    at_once = True


class OverloadedError(PassingError):
    """The server has too much to do (429, 503), and has done nothing."""

    crowds = True


class GarbledError(UnreachableError):
    """An answer came, and is not what it says it is."""


class ForbiddenError(LoginError):
    """The server knows us, and this is not for us to read (403)."""


class _RefusedError(Exception):
    """The server refuses the login (401); its text is the WWW-Authenticate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Whose certificates are trusted (the system's unless said), and which one we show; PEM files.

    Raises ConfigError for a file that cannot be used.
    """

    ca_file: Path | None = None
    client_certificate: Path | None = None
    client_key: Path | None = None

    def __post_init__(self) -> None:
        if self.ca_file is not None:
            with _about("ca_file", self.ca_file):
                ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(self.ca_file)
        if self.client_certificate is not None:
            with _about("client_certificate", self.client_certificate):
                # A key with a passphrase would make the library ask for it on the terminal.
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                context.load_cert_chain(self.client_certificate, self.client_key, password=lambda: "")

    @property
    def shown(self) -> str | tuple[str, str] | None:
        """The client certificate, as the HTTP library takes it."""
        if self.client_certificate is None:
            return None
        return (str(self.client_certificate), str(self.client_key or self.client_certificate))


@contextmanager
def _about(key: str, path: Path) -> Iterator[None]:
    """Errors about a certificate's file become ConfigError."""
    try:
        yield
    except OSError as error:  # ssl.SSLError is one
        unfit = "this is no PEM file, or its key is missing, another's, or has a passphrase"
        why = unfit if isinstance(error, ssl.SSLError) else error.strerror
        raise ConfigError([Problem(f"caldav.{key}", 0, 0, f"{path} cannot be used: {why}")]) from None


class _Session(http.Session):
    """An HTTP session that follows no redirect and counts what it sends, answers to a login challenge included."""

    def __init__(self) -> None:
        # HTTP/3 and revocation look-ups are further requests to further ports and hosts that nobody asked for.
        super().__init__(disable_http3=True, revocation_configuration=None)
        self.trust_env = False  # it would read .netrc; proxies are looked up below
        self.sent = 0
        self._lock = threading.Lock()

    def request(self, *args: Any, **settings: Any) -> Any:  # noqa: ANN401  # the parent's arguments, passed on
        """As the library's (method, URL, ...), but a redirect is an answer. Raises _RefusedError for a 401."""
        more, began, became = 0, time.monotonic(), "no answer"
        try:
            own = {"allow_redirects": False, "proxies": proxies(args[1])}
            response = super().request(*args, **{**settings, **own})
            more, became = len(response.history), f"{response.status_code}"
        finally:
            _log.debug("%s %s: %s, %.0f ms", args[0], _plain(args[1]), became, 1000 * (time.monotonic() - began))
            with self._lock:
                self.sent += 1 + more
        if response.status_code == 401:
            raise _RefusedError(response.headers.get("WWW-Authenticate") or "")
        return response


def proxies(url: str) -> dict[str, str]:
    """The proxy for this URL by HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY; none stands before loopback."""
    parts = urlsplit(url)
    if davurl.is_loopback(url) or proxy_bypass(parts.hostname or ""):
        return {}
    known = getproxies_environment()
    proxy = known.get(parts.scheme) or known.get("all")
    return {parts.scheme: proxy} if proxy else {}


class Connection:
    """One login to one server. Every method may be called from several threads."""

    def __init__(  # all by name
        self,
        home: str,
        login: Login,
        *,
        timeout: float,
        trust: Trust,
        allow_insecure: bool = False,
        patience: Patience | None = None,
    ) -> None:
        self._login = login
        self._patience = patience or Patience()
        self.date: str | None = None
        """The server's clock, as its last answer told it."""
        self._timeout = timeout
        self._insecure = allow_insecure
        self._lock = threading.Lock()
        self.settle(home)
        self._client = DAVClient(
            url=home,
            timeout=timeout,  # type: ignore[arg-type]  # it says int, and the HTTP library takes floats
            headers={"User-Agent": f"calsync/{__version__}", "Accept-Encoding": "identity"},
            ssl_verify_cert=str(trust.ca_file) if trust.ca_file is not None else True,
            ssl_cert=trust.shown,
            enable_rfc6764=False,
            rate_limit_handle=False,
        )
        self._client.session.close()
        self._session = _Session()
        self._client.session = self._session
        if login.current is not None:
            self._log_in(login.current)

    @property
    def requests(self) -> int:
        """How many requests were sent."""
        return self._session.sent

    def settle(self, home: str) -> None:
        """From now on the password is meant for the server of this URL. Raises ConfigError where none may go there."""
        davurl.refuse_unsafe(home, allow_insecure=self._insecure)
        self._home = home

    def close(self) -> None:
        """Close all connections."""
        self._session.close()

    def read(self, method: str, url: str, body: str = "", headers: Mapping[str, str] | None = None) -> Answer:
        """Ask, patiently, and follow redirects that stay on this server."""
        for _ in range(REDIRECTS):
            answer = self._patience(partial(self._send, method, url, body, headers))
            if answer.status not in (301, 302, 303, 307, 308):
                return answer
            url = self.allowed(urljoin(url, _utf8(answer.header("Location") or "")))
        raise UnreachableError(f"The server sends us in a circle: {url}. Check caldav.url in the config.")

    def write(self, method: str, url: str, body: str = "", headers: Mapping[str, str] | None = None) -> Answer:
        """Change something. Sent once, never re-sent but after a 401; a redirect or a web page is no success.

        An answer that cannot be read is a lost one.
        """
        try:
            answer = self._send(method, url, body, headers)
        except GarbledError as error:
            raise BrokenError(str(error)) from None
        if 300 <= answer.status < 400:
            target = answer.header("Location") or "nowhere"
            raise UnreachableError(
                f"The server answers a write with a redirect, to {target}, and nothing was written."
                " Is there a login page before it? Check caldav.url in the config."
            )
        if answer.status == 200 and answer.is_web_page:
            raise UnreachableError(
                f"A web page came as the answer to a write at {url}, so it may not have been written."
                " Is there a login page before the server?"
            )
        return answer

    def propfind(self, url: str, body: str, depth: int) -> tuple[str, Multistatus] | None:
        """Ask for properties; returns the URL that answered and the answer, None where there is nothing (404).

        Raises LoginError and UnreachableError.
        """
        headers = {**davxml.XML_HEADERS, "Depth": str(depth)}
        answer = self.read("PROPFIND", url, body, headers)
        if answer.status in (404, 405, 410, 501):
            return None
        if answer.status == 403 and not answer.preconditions:
            raise ForbiddenError(f"The server refuses access to {url} (403). May this user read it?")
        if answer.status != 207:
            raise UnreachableError(refusal("read", url, answer))
        multistatus = davxml.parse(answer.tree)
        if multistatus is None:
            raise UnreachableError(f"The answer of {url} is not a CalDAV server's. Check caldav.url in the config.")
        own = multistatus.about(urlsplit(answer.url).path)
        if own is not None and own.status in (404, 410):  # Xandikos says so within a 207
            return None
        return answer.url, multistatus

    def allowed(self, url: str) -> str:
        """The URL, if our password may go there; else UnreachableError (see `davurl.allowed`)."""
        return davurl.allowed(self._home, url)

    def _log_in(self, credential: Credential) -> None:
        with self._lock:
            self._client.username = credential.username
            self._client.password = credential.password.reveal()
            self._client.auth_type = credential.scheme
            self._client.build_auth_object()

    def _send(self, method: str, url: str, body: str, headers: Mapping[str, str] | None) -> Answer:
        """One request, with each login that may be tried; the answer is whatever it is, but for 401, 429 and 503."""
        while True:
            credential = self._login.current
            try:
                return self._ask(method, url, body, headers)
            except _RefusedError as error:
                challenge = str(error)
            other = self._login.other(credential, challenge)
            if other is None:
                raise LoginError(self._login.refusal(_host(url), challenge))
            self._log_in(other)

    def _ask(self, method: str, url: str, body: str, headers: Mapping[str, str] | None) -> Answer:
        try:
            response = self._client.request(url, method, body, headers or {})
        except caldav.lib.error.RateLimitError as error:
            wait = error.retry_after_seconds
            raise OverloadedError(
                f"The server has too much to do, or too much of us ({error.status})."
                f" It says: try again {come_back(wait)}.",
                wait,
            ) from None
        except caldav.lib.error.AuthorizationError as error:  # a 403; a 401 has become a _RefusedError
            return Answer(403, url, {}, _text(error.body), None, tuple(error.preconditions))
        except OSError as error:
            raise self._no_answer(error, url) from None
        except _SURPRISES:
            raise GarbledError(f"The answer of {url} cannot be read: it is cut off, or garbled.") from None
        if response.status == 503:
            raise OverloadedError("The server is not available now (503). Try again later.")
        self.date = response.headers.get("Date") or self.date
        return Answer.of(response, url)

    def _no_answer(self, error: OSError, url: str) -> NoAnswerError:
        if isinstance(error, http.exceptions.ProxyError):
            proxy = _host(next(iter(proxies(url).values()), ""))
            return NoAnswerError(
                f"The proxy {proxy} does not let us through to {_host(url)}. It is from the environment: HTTPS_PROXY,"
                " HTTP_PROXY or ALL_PROXY; NO_PROXY names the servers that need none."
            )
        text = why_no_answer(error, _host(url), self._timeout)
        return BrokenError(text) if _is_broken(error) else NoAnswerError(text)


def _plain(url: str) -> str:
    """A URL as it may be shown: without a user, a password or a query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _host(url: str) -> str:
    """The host and port of a URL, without a user or password."""
    return urlsplit(url).netloc.rpartition("@")[2]


def _utf8(header: str) -> str:
    """A header's text, which came as Latin-1 (RFC 9110 5.5), as the UTF-8 that nginx and others write unencoded."""
    try:
        return header.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return header


def _is_broken(error: OSError) -> bool:
    """Whether the connection was lost on the way, so that asking again may help."""
    exceptions = http.exceptions
    if is_cut_off(error):
        return True
    if isinstance(error, (exceptions.Timeout, exceptions.SSLError)):
        return False
    return isinstance(error, (exceptions.ConnectionError, exceptions.ChunkedEncodingError))


def _text(body: bytes | str | None) -> str:
    return body.decode("utf-8", "replace") if isinstance(body, bytes) else body or ""
