"""One login to one CalDAV server, over the `caldav` library's client; the only import of that library.

`Client` is the library's base client with libcurl as its HTTP library (`davcurl.py`), as its own is one with niquests.
Its low-level requests are used, with conditions of our own and every answer checked here, because its
objects take a login page for data, re-send writes after a redirect, and drop a weak ETag's condition silently.
What the environment says about proxies counts; what it says about logins (.netrc) does not.
Public face: `Connection`, and the errors that tell kinds of silence apart.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Mapping
from functools import lru_cache, partial
from urllib.parse import urljoin, urlsplit

import caldav.lib.error
from caldav.base_client import BaseDAVClient

from calsync import __version__
from calsync.errors import LoginError, UnreachableError
from calsync.targets import davurl, davxml
from calsync.targets.davcurl import Reply, Wire, WireError
from calsync.targets.davfault import Fault
from calsync.targets.davlogin import Credential, Login
from calsync.targets.davretry import PassingError, Patience
from calsync.targets.davtrust import Trust
from calsync.targets.davwords import Answer, come_back, refusal, why_no_answer
from calsync.targets.davxml import Multistatus

REDIRECTS = 5

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


class Client(BaseDAVClient):
    """The library's client over libcurl: it says how to log in, and what a refusal means."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._proxy_of = lru_cache(proxy)
        self.headers = {"User-Agent": f"calsync/{__version__}", "Accept-Encoding": "identity"}

    def log_in(self, credential: Credential) -> None:
        """Send this from now on."""
        self._credential = credential
        self.build_auth_object()

    def build_auth_object(self, auth_types: list[str] | None = None) -> None:  # noqa: ARG002  # what it is given
        """What the library calls where it wants a login; a credential says by itself how it is sent."""
        self.auth = self._credential

    def request(self, url: str, method: str, body: str, headers: Mapping[str, str]) -> Reply:
        """Send one request.

        Raises WireError, _RefusedError for a 401, and the library's RateLimitError.
        """
        address, sent = self._prepare_request(davurl.sendable(url), method, body, headers)
        reply, began, became = None, time.monotonic(), "no answer"
        try:
            reply = self._wire.exchange(
                method, str(address), body.encode(), sent, self.auth, self._proxy_of(_origin(url))
            )
            became = f"{reply.status}"
        finally:
            if _log.isEnabledFor(logging.DEBUG):
                _log.debug("%s %s: %s, %.0f ms", method, _plain(url), became, 1000 * (time.monotonic() - began))
        caldav.lib.error.raise_if_rate_limited(reply.status, url, reply.headers.get("retry-after"))
        if reply.status == 401:
            raise _RefusedError(reply.headers.get("www-authenticate", ""))
        return reply


def proxy(url: str) -> str:
    """The proxy for this URL by HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY, or ""; none stands before loopback."""
    if not any(name.lower().endswith("_proxy") for name in os.environ) or davurl.is_loopback(url):
        return ""
    from urllib.request import getproxies_environment, proxy_bypass

    parts = urlsplit(url)
    if proxy_bypass(parts.hostname or ""):
        return ""
    known = getproxies_environment()
    return known.get(parts.scheme) or known.get("all") or ""


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
        self._wire = Wire(timeout=timeout, trust=trust)
        self._client = Client(self._wire)
        if login.current is not None:
            self._log_in(login.current)

    @property
    def requests(self) -> int:
        """How many requests were sent."""
        return self._wire.sent

    def settle(self, home: str) -> None:
        """From now on the password is meant for the server of this URL. Raises ConfigError where none may go there."""
        davurl.refuse_unsafe(home, allow_insecure=self._insecure)
        self._home = home

    def close(self) -> None:
        """Close all connections."""
        self._wire.close()

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
            self._client.log_in(credential)

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
            reply = self._client.request(url, method, body, headers or {})
        except caldav.lib.error.RateLimitError as error:
            wait = error.retry_after_seconds
            raise OverloadedError(
                f"The server has too much to do, or too much of us ({error.status})."
                f" It says: try again {come_back(wait)}.",
                wait,
            ) from None
        except WireError as error:
            raise self._no_answer(error, url) from None
        if reply.status == 503:
            raise OverloadedError("The server is not available now (503). Try again later.")
        self.date = reply.headers.get("date") or self.date
        try:
            return Answer.of(reply.status, url, reply.headers, reply.body)
        except SyntaxError:
            raise GarbledError(_GARBLED.format(url)) from None

    def _no_answer(self, error: WireError, url: str) -> UnreachableError:
        if error.fault is Fault.GARBLED:
            return GarbledError(_GARBLED.format(url))
        if error.fault is Fault.PROXY:
            return NoAnswerError(
                f"The proxy {_host(proxy(url))} does not let us through to {_host(url)}. It is from the environment:"
                " HTTPS_PROXY, HTTP_PROXY or ALL_PROXY; NO_PROXY names the servers that need none."
            )
        text = why_no_answer(error.fault, error.said, _host(url), self._timeout)
        return BrokenError(text) if error.fault in _MAY_BE_BACK else NoAnswerError(text)


_GARBLED = "The answer of {} cannot be read: it is cut off, or garbled."

_MAY_BE_BACK = (Fault.BROKEN, Fault.REFUSED, Fault.UNKNOWN_HOST)
"""Asking again may help."""


def _plain(url: str) -> str:
    """A URL as it may be shown: without a user, a password or a query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _origin(url: str) -> str:
    """The server of a URL, as the URL of its root."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/"


def _host(url: str) -> str:
    """The host and port of a URL, without a user or password."""
    return urlsplit(url).netloc.rpartition("@")[2]


def _utf8(header: str) -> str:
    """A header's text, which came as Latin-1 (RFC 9110 5.5), as the UTF-8 that nginx and others write unencoded."""
    try:
        return header.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return header
