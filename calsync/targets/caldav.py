"""A calendar on a CalDAV server (RFC 4791), over the `caldav` library's client; its only import.

The library's low-level requests are used, with conditions of our own and every answer checked here, because its
objects take a login page for data, re-send writes after a redirect, and drop a weak ETag's condition silently.
Idea: vdirsyncer's `storage/dav.py`. Public face: `CaldavTarget`. Servers' quirks are told where they are met.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

import caldav.lib.error
from caldav.davclient import DAVClient
from caldav.lib.http_sync import requests as http

from calsync import __version__
from calsync.credentials import Secret
from calsync.errors import LoginError, SyncFailedError, UnreachableError
from calsync.model import Resource
from calsync.targets import davfind, davurl, davxml
from calsync.targets.base import ConflictError, ItemError, Listing, MissingError
from calsync.targets.davwords import Answer, has_uid_conflict, refusal, why_no_answer
from calsync.targets.davxml import CAL, DAV, Multistatus

MULTIGET_SIZE = 50
"""Items asked for at once: Zoho fails on the 101st."""

REDIRECTS = 5
WRITTEN = (200, 201, 204)

# It warns of every answer that is not as it expects; what matters of that is an error with a message of ours.
logging.getLogger("caldav").setLevel(logging.CRITICAL)
# Its environment variables would write passwords below /tmp and stop in a debugger.
caldav.lib.error.debug_dump_communication = False
caldav.lib.error.debugmode = "PRODUCTION"


class _BrokenError(UnreachableError):
    """The connection was lost on the way: a server may close an idle one just when it is used again."""


class _GarbledError(UnreachableError):
    """An answer came, and is not what it says it is."""


class _Session(http.Session):
    """An HTTP session that follows no redirect and counts what it sends, answers to a login challenge included."""

    def __init__(self) -> None:
        # HTTP/3 and revocation look-ups are further requests to further ports and hosts that nobody asked for.
        super().__init__(disable_http3=True, revocation_configuration=None)
        self.sent = 0
        self._lock = threading.Lock()

    def request(self, *args: Any, **settings: Any) -> Any:  # noqa: ANN401  # the parent's arguments, passed on
        """As the library's, but a redirect is an answer like others."""
        more = 0
        try:
            response = super().request(*args, **{**settings, "allow_redirects": False})
            more = len(response.history)
            return response
        finally:
            with self._lock:
                self.sent += 1 + more


class Connection:
    """One login to one server. Every method may be called from several threads."""

    def __init__(self, url: str, username: str | None, password: Secret | None, auth: str, timeout: float) -> None:
        davurl.refuse_unsafe(url)
        self._url = url
        self._host = urlsplit(url).netloc
        self._timeout = timeout
        self._client = DAVClient(
            url=url,
            username=username,
            password=password.reveal() if password is not None else None,
            auth_type=auth if password is not None else None,
            timeout=timeout,  # type: ignore[arg-type]  # it says int, and the HTTP library takes floats
            headers={"User-Agent": f"calsync/{__version__}", "Accept-Encoding": "identity"},
            enable_rfc6764=False,
            rate_limit_handle=False,
        )
        self._client.session.close()
        self._session = _Session()
        # No proxy stands before loopback, and no .netrc is read for a server without a login.
        self._session.trust_env = password is not None and not davurl.is_loopback(url)
        self._client.session = self._session

    @property
    def requests(self) -> int:
        """How many requests were sent."""
        return self._session.sent

    def close(self) -> None:
        """Close all connections."""
        self._session.close()

    def read(self, method: str, url: str, body: str = "", headers: Mapping[str, str] | None = None) -> Answer:
        """Ask, and follow redirects that stay on this server. A connection that broke is tried once more."""
        for _ in range(REDIRECTS):
            try:
                answer = self._send(method, url, body, headers)
            except _BrokenError:
                answer = self._send(method, url, body, headers)
            if answer.status not in (301, 302, 303, 307, 308):
                return answer
            url = self.allowed(urljoin(url, answer.header("Location") or ""))
        raise UnreachableError(f"The server sends us in a circle: {url}. Check caldav.url in the config.")

    def write(self, method: str, url: str, body: str = "", headers: Mapping[str, str] | None = None) -> Answer:
        """Change something. Sent once, never re-sent; a redirect or a web page is no success."""
        answer = self._send(method, url, body, headers)
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
            raise LoginError(f"The server refuses access to {url} (403). May this user read it?")
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
        return davurl.allowed(self._url, url)

    def _send(self, method: str, url: str, body: str, headers: Mapping[str, str] | None) -> Answer:
        """One request, and its answer whatever the status is, but for 401, 429 and 503."""
        try:
            response = self._client.request(url, method, body, headers or {})
        except caldav.lib.error.RateLimitError as error:
            wait = error.retry_after_seconds
            when = f"in {wait:.0f} seconds" if wait is not None else "later"
            raise UnreachableError(
                f"The server has too much to do, or too much of us ({error.status}). It says: try again {when}.", wait
            ) from None
        except caldav.lib.error.AuthorizationError as error:
            if error.status == 403:
                return Answer(403, url, {}, _text(error.body), None, tuple(error.preconditions))
            raise LoginError(
                f"The server {self._host} refuses the login (401). Check the user name and the password."
            ) from None
        except OSError as error:
            text = why_no_answer(error, self._host, self._timeout)
            raise (_BrokenError if _is_broken(error) else UnreachableError)(text) from None
        except (caldav.lib.error.DAVError, SyntaxError, ValueError, TypeError, AttributeError):
            # The library raises these from within its reading of an answer that is not what its type says.
            raise _GarbledError(f"The answer of {url} cannot be read: it is cut off, or garbled.") from None
        if response.status == 503:
            raise UnreachableError("The server is not available now (503). Try again later.")
        return Answer.of(response, url)


class CaldavTarget:
    """The items of one calendar; see `base.Target`, which tells what each method promises.

    `calendar` is its display name, its URL (or path), or None where `url` is the calendar itself. `known` is where
    it was found in an earlier run: tried first, which saves the search. Where it is missing it is made, unless
    `create` is False (a dry run): then it is empty. Nothing is asked before the first method is called.
    `auth` is "basic", "digest" or "bearer" (then `password` is the token); `timeout` is in seconds, for each answer.

    Raises ConfigError for a URL that would send the password in clear text.
    """

    name = "caldav"

    def __init__(  # noqa: PLR0913  # all by name, as in the config
        self,
        *,
        url: str,
        username: str | None = None,
        password: Secret | None = None,
        calendar: str | None = None,
        auth: str = "basic",
        timeout: float = 30.0,
        create: bool = True,
        known: str | None = None,
    ) -> None:
        self._connection = Connection(url, username, password, auth, timeout)
        self._url = url
        self._create = create
        self._title: str | None = None
        self._calendar: str | None = None
        self._known = False
        self._exists: bool | None = None
        self.created = False
        """Whether the calendar was missing and has been made by this target."""
        if calendar is None:
            self._calendar = url if url.endswith("/") else f"{url}/"
        elif "://" in calendar or calendar.startswith("/"):
            address = urljoin(url, calendar)
            davurl.refuse_unsafe(address)
            self._calendar = self._connection.allowed(address if address.endswith("/") else f"{address}/")
        else:
            self._title = calendar
            if known is not None:
                self._calendar, self._known = self._connection.allowed(known), True

    @property
    def where(self) -> str:
        """The calendar's URL; the server's until the calendar has been found."""
        return self._calendar or self._url

    @property
    def requests(self) -> int:
        """See `base.Target.requests`."""
        return self._connection.requests

    def listing(self) -> Listing:
        """See `base.Target.listing`.

        One calendar-query, which costs servers half of a PROPFIND. Where it finds nothing, or fails, a PROPFIND
        proves that this is a calendar and really empty.
        """
        calendar = self._calendar or self._found()
        if self._exists is False:
            return Listing({})
        events = self._query(calendar)
        if events is not None:
            return events
        answer = self._connection.propfind(calendar, davxml.LIST_ITEMS, 1)
        own = answer[1].about(urlsplit(answer[0]).path) if answer is not None else None
        if answer is None or (own is not None and not own.is_calendar):
            return self._not_there(calendar, missing=answer is None)
        at, told = answer
        self._calendar, self._exists = at if at.endswith("/") else f"{at}/", True
        events = davxml.listing(told, urlsplit(at).path)
        return Listing(events.etags, whole=events.whole and own is not None)

    def fetch(self, hrefs: Iterable[str]) -> Mapping[str, Resource]:
        """See `base.Target.fetch`. Asked for in chunks; one by one where a chunk's answer does not tell."""
        wanted = list(dict.fromkeys(hrefs))
        if not self._is_there():
            return {}
        found: dict[str, Resource] = {}
        for start in range(0, len(wanted), MULTIGET_SIZE):
            chunk = wanted[start : start + MULTIGET_SIZE]
            told, missing = self._multiget(chunk)
            found.update(told)
            for href in chunk:
                if href not in told and href not in missing:
                    item = self._get(href)
                    if isinstance(item, Resource):
                        found[href] = item
        return found

    def gone(self, href: str) -> bool:
        """See `base.Target.gone`."""
        return self._is_there() and self._get(href) is None

    def create(self, href: str, body: str) -> Resource:
        """See `base.Target.create`."""
        self._must_be_there()
        url = urljoin(self.where, davxml.encoded(href))
        answer = self._connection.write("PUT", url, body, {**_CALENDAR_DATA, "If-None-Match": "*"})
        if answer.status in WRITTEN:
            path = davurl.told_path(answer.header("Location") or answer.header("Content-Location"), url, self.where)
            return Resource(path, answer.header("ETag"), body)
        text = refusal("write", href, answer)
        if answer.status in (409, 412) or has_uid_conflict(answer):
            raise ConflictError(text)
        if answer.status in (404, 410):
            raise SyncFailedError(f"The calendar {self.where} is gone ({answer.status}).")
        raise ItemError(text)

    def update(self, item: Resource, body: str) -> Resource:
        """See `base.Target.update`."""
        headers = {**_CALENDAR_DATA, **self._condition(item)}
        answer = self._connection.write("PUT", self._address(item.href), body, headers)
        self._refuse("write", item.href, answer, WRITTEN)
        return Resource(item.href, answer.header("ETag"), body)

    def delete(self, item: Resource) -> None:
        """See `base.Target.delete`."""
        answer = self._connection.write("DELETE", self._address(item.href), "", self._condition(item))
        self._refuse("delete", item.href, answer, (200, 202, 204))

    def commit(self) -> None:
        """See `base.Target.commit`: every write was made at once."""

    def close(self) -> None:
        """See `base.Target.close`."""
        self._connection.close()

    # Where the calendar is

    def _found(self) -> str:
        """Look for the calendar by its name, and make it where it is missing and that is allowed."""
        found = davfind.find(self._connection, self._url, self._title)
        self._calendar, self._exists, self._known = found.url, found.exists, False
        if not found.exists and self._create:
            self._make(found.others)
        return self._calendar

    def _not_there(self, calendar: str, *, missing: bool) -> Listing:
        """The address in use answers, but there is no calendar: look anew, make it, or say so."""
        if self._known:
            self._calendar = None
            return self.listing()
        if not missing:
            davfind.find(self._connection, calendar, None)  # raises, and tells which calendars there are
            raise UnreachableError(f"The server cannot make up its mind if {calendar} is a calendar.")
        if self._exists:
            raise SyncFailedError(f"The calendar {calendar} is gone from the server. Nothing was done.")
        self._exists = False
        if self._create:
            self._make(())
        return Listing({})

    def _make(self, others: tuple[str, ...]) -> None:
        """MKCALENDAR at the address in use."""
        title = self._title or self.where.rstrip("/").rpartition("/")[2]
        answer = self._connection.write("MKCALENDAR", self.where, davxml.mkcalendar(title), davxml.XML_HEADERS)
        if answer.status not in WRITTEN:
            choice = f", or set caldav.calendar to one of these: {', '.join(sorted(others))}" if others else ""
            raise SyncFailedError(
                refusal("make the calendar", repr(title), answer)
                + f"\nMake it in your calendar app and run calsync again{choice}."
            )
        self._exists = self.created = True

    def _is_there(self) -> bool:
        """Whether there is a calendar to ask; it is looked for if need be."""
        if self._calendar is None:
            self._found()
        return self._exists is not False

    def _must_be_there(self) -> None:
        if not self._is_there():
            raise SyncFailedError(f"There is no calendar at {self.where}, and none may be made in a dry run.")

    def _address(self, href: str) -> str:
        return urljoin(self.where, davxml.encoded(href))

    # Items

    def _query(self, calendar: str) -> Listing | None:
        """The events that a calendar-query finds; None where it finds none or does not tell."""
        try:
            answer = self._connection.read("REPORT", calendar, davxml.LIST_EVENTS, _DEPTH_1)
        except _GarbledError:
            return None
        multistatus = davxml.parse(answer.tree) if answer.status == 207 else None
        events = davxml.listing(multistatus, urlsplit(answer.url).path) if multistatus is not None else None
        if events is None or not events.etags:
            return None
        self._calendar, self._exists = answer.url if answer.url.endswith("/") else f"{answer.url}/", True
        return events

    def _multiget(self, hrefs: list[str]) -> tuple[dict[str, Resource], set[str]]:
        """What one REPORT tells: the items that came, and those that are missing for sure. Nothing where it fails."""
        headers = dict(davxml.XML_HEADERS)
        body = davxml.multiget(urlsplit(self._address(href)).path for href in hrefs)
        try:
            answer = self._connection.read("REPORT", self.where, body, headers)
        except _GarbledError:
            return {}, set()
        multistatus = davxml.parse(answer.tree) if answer.status == 207 else None
        if multistatus is None:
            return {}, set()
        spelled = {davxml.canonical(urlsplit(self._address(href)).path): href for href in hrefs}
        told: dict[str, Resource] = {}
        missing: set[str] = set()
        for entry in multistatus.entries:
            href = spelled.get(davxml.canonical(entry.path))
            data = entry.props.get(f"{CAL}calendar-data")
            text = (data.text or "") if data is not None else ""
            if href is None:
                continue
            if entry.status in (404, 410):
                missing.add(href)
            elif davxml.is_calendar_data(text):
                told[href] = Resource(href, entry.text(f"{DAV}getetag"), davxml.with_crlf(text))
        return told, missing - told.keys()

    def _get(self, href: str) -> Resource | Answer | None:
        """One item; None where it is missing for sure; else the answer that does not tell."""
        try:
            answer = self._connection.read("GET", self._address(href))
        except _GarbledError:
            return Answer(0, self._address(href), {}, "")
        if answer.status in (404, 410):
            return None
        if answer.status != 200 or not davxml.is_calendar_data(answer.text):
            return answer
        return Resource(href, answer.header("ETag"), davxml.with_crlf(answer.text))

    def _condition(self, item: Resource) -> dict[str, str]:
        """The header that lets a write happen only if the item is as it was read.

        A weak ETag, or none, is no use in If-Match (RFC 9110 13.1.1): then the item is read again and compared, and
        the write goes with its strong ETag, if it has one by now (GMX tells weak ones on PUT and strong ones on GET).
        """
        self._must_be_there()
        if _is_strong(item.etag):
            return {"If-Match": str(item.etag)}
        now = self._get(item.href)
        if now is None:
            raise MissingError(f"There is no {item.href} any more.")
        if isinstance(now, Answer):
            raise ItemError(f"{item.href} cannot be read now, so it is not touched.")
        if now.body != davxml.with_crlf(item.body):
            raise ConflictError(f"{item.href} was changed since it was read.")
        return {"If-Match": str(now.etag)} if _is_strong(now.etag) else {}

    def _refuse(self, doing: str, href: str, answer: Answer, good: tuple[int, ...]) -> None:
        """Raise what this answer to an update or a delete means, unless it is good."""
        if answer.status in good:
            return
        if answer.status in (404, 410):
            raise MissingError(f"There is no {href} any more.")
        if answer.status == 412 and self._get(href) is None:
            raise MissingError(f"There is no {href} any more.")  # If-Match fails on nothing too (RFC 9110 13.1.1)
        text = refusal(doing, href, answer)
        raise ConflictError(text) if answer.status in (409, 412) else ItemError(text)


_DEPTH_1 = {**davxml.XML_HEADERS, "Depth": "1"}
_CALENDAR_DATA = {"Content-Type": "text/calendar; charset=utf-8"}


def _is_strong(etag: str | None) -> bool:
    return etag is not None and not etag.startswith("W/")


def _is_broken(error: OSError) -> bool:
    """Whether the connection was lost on the way, so that asking again may help."""
    exceptions = http.exceptions
    if isinstance(error, (exceptions.Timeout, exceptions.SSLError)):
        return False
    return isinstance(error, (exceptions.ConnectionError, exceptions.ChunkedEncodingError))


def _text(body: bytes | str | None) -> str:
    return body.decode("utf-8", "replace") if isinstance(body, bytes) else body or ""
