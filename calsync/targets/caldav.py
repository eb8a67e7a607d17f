"""A calendar on a CalDAV server (RFC 4791): items listed, read and written with conditions.

Idea: vdirsyncer's `storage/dav.py`. Public face: `CaldavTarget`. Servers' quirks are told where they are met; the login
and the connection are `davhttp.py`'s, finding the calendar is `davfind.py`'s, reading items `davread.py`'s.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from calsync.credentials import Secret
from calsync.errors import SyncFailedError, UnreachableError
from calsync.model import Resource
from calsync.targets import davfind, davread, davservice, davurl, davxml
from calsync.targets.base import Changes, ConflictError, ItemError, Listing, MissingError
from calsync.targets.davdns import look_up
from calsync.targets.davhttp import Connection
from calsync.targets.davlogin import Login, Renew, Scheme
from calsync.targets.davretry import Patience, Sleep, after_a_look, carefully
from calsync.targets.davservice import Entrance, Resolve
from calsync.targets.davsync import Tokens
from calsync.targets.davtrust import Trust
from calsync.targets.davwords import Answer, has_uid_conflict, refusal

MULTIGET_SIZE = 50
"""Items asked for at once: Zoho fails on the 101st."""

WRITTEN = (200, 201, 204)


class CaldavTarget:
    """The items of one calendar; see `base.Target`, which tells what each method promises.

    `url` is a server's, the calendar's, or a mail address or domain to find the server by. `calendar` is its display
    name, its URL (or path), or None where `url` is the calendar itself. `known` is where it was found in an earlier
    run: tried first, which saves the search. Where it is missing it is made, unless `create` is False (a dry run):
    then it is empty. Nothing is asked before the first method is called.
    `auth` is "basic", "digest", "bearer" (then `password` is the token, and `renew` gets a fresh one), or None for
    Basic, and Digest where the server asks for it; `timeout` is in seconds, for each answer; `resolve` asks the DNS;
    `sleep` waits before another try. `connections`: so many writes may be made at a time.

    Raises ConfigError for a URL that would send the password in clear text, and for certificates that cannot be used.
    """

    name = "caldav"

    def __init__(  # noqa: PLR0913  # all by name, as in the config
        self,
        *,
        url: str,
        username: str | None = None,
        password: Secret | None = None,
        calendar: str | None = None,
        auth: Scheme | None = None,
        renew: Renew | None = None,
        timeout: float = 30.0,
        allow_insecure: bool = False,
        ca_file: Path | None = None,
        client_certificate: Path | None = None,
        client_key: Path | None = None,
        create: bool = True,
        known: str | None = None,
        resolve: Resolve = look_up,
        connections: int = 1,
        sleep: Sleep = time.sleep,
    ) -> None:
        self._connections = connections
        self._ca_file, self._timeout = ca_file, timeout
        self._url = url
        self._resolve = resolve
        self._create = create
        self._title: str | None = None
        self._calendar: str | None = None
        self._hint: str | None = None
        self._known = False
        self._exists: bool | None = None
        self.created = False
        """Whether the calendar was missing and has been made by this target."""
        self._patience = Patience(sleep)
        has_url = davservice.is_url(url)
        self._connection = Connection(
            url if has_url else f"https://{url.rpartition('@')[2]}/",
            Login(_usernames(url, username), password, auth, renew),
            timeout=timeout,
            trust=Trust(ca_file=ca_file, client_certificate=client_certificate, client_key=client_key),
            allow_insecure=allow_insecure,
            patience=self._patience,
        )
        self._tokens = Tokens(self._connection)
        self._settle(calendar, known, has_url=has_url, allow_insecure=allow_insecure)

    def _settle(self, calendar: str | None, known: str | None, *, has_url: bool, allow_insecure: bool) -> None:
        """Where the calendar is to be found, or looked for; see the class."""
        if calendar is None and has_url:
            self._calendar = _folder(self._url)
        elif calendar is not None and davservice.is_url(calendar):
            davurl.refuse_unsafe(calendar, allow_insecure=allow_insecure)
            if not has_url:  # the user wrote this address, which is better than what the DNS says
                self._connection.settle(calendar)
            self._calendar = self._connection.allowed(_folder(calendar))
        elif calendar is not None and calendar.startswith("/"):
            self._hint = _folder(calendar)
        else:
            self._title, self._hint, self._known = calendar, known, known is not None

    @property
    def where(self) -> str:
        """The calendar's URL; the server's until the calendar has been found."""
        return self._calendar or self._url

    @property
    def requests(self) -> int:
        """See `base.Target.requests`."""
        return self._connection.requests

    @property
    def connections(self) -> int:
        """See `base.Target.connections`."""
        return self._connections

    def listing(self) -> Listing:
        """See `base.Target.listing`.

        One calendar-query, which costs servers half of a PROPFIND. Where it finds nothing, or fails, a PROPFIND
        proves that this is a calendar and really empty.
        """
        calendar = self._calendar or self._found()
        if self._exists is False:
            return Listing({}, is_new=True)
        events = self._query(calendar)
        if events is not None:
            return events
        answer = self._connection.propfind(calendar, davxml.LIST_ITEMS, 1)
        own = answer[1].about(urlsplit(answer[0]).path) if answer is not None else None
        if answer is None or (own is not None and not own.is_calendar):
            return self._not_there(calendar, missing=answer is None)
        at, told = answer
        self._calendar, self._exists = _folder(at), True
        events = davxml.listing(told, urlsplit(at).path)
        return Listing(events.etags, whole=events.whole and own is not None)

    def token(self) -> str | None:
        """See `base.Target.token`."""
        return self._tokens.take(self.where) if self._is_there() else None

    def changes(self, token: str) -> Changes | None:
        """See `base.Target.changes`. The answer proves that there is a calendar."""
        if not self._is_there():
            return None
        changes = self._tokens.changes(self.where, token)
        self._exists = True if changes is not None else self._exists
        return changes

    def fetch(self, hrefs: Iterable[str]) -> Mapping[str, Resource]:
        """See `base.Target.fetch`. Asked for in chunks; one by one where a chunk's answer does not tell."""
        wanted = list(dict.fromkeys(hrefs))
        if not self._is_there():
            return {}
        found: dict[str, Resource] = {}
        for start in range(0, len(wanted), MULTIGET_SIZE):
            chunk = wanted[start : start + MULTIGET_SIZE]
            told, missing = davread.multiget(self._connection, self.where, chunk)
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
        url = davread.address(self.where, href)
        answer, lost = self._write("PUT", href, body, {**_CALENDAR_DATA, "If-None-Match": "*"}, None)
        if answer.status in WRITTEN:
            path = davurl.told_path(answer.header("Location") or answer.header("Content-Location"), url, self.where)
            return Resource(path, answer.header("ETag"), body)
        text = refusal("write", href, answer)
        if answer.status in (409, 412) or has_uid_conflict(answer):
            if lost and self._get(href) is None:  # it was written, and the server keeps it elsewhere
                raise ItemError(f"The answer to the write of {href} was lost, and it is not there: see the next run.")
            raise ConflictError(text)
        if answer.status in (404, 410):
            raise SyncFailedError(f"The calendar {self.where} is gone ({answer.status}).")
        raise ItemError(text)

    def update(self, item: Resource, body: str) -> Resource:
        """See `base.Target.update`."""
        headers = {**_CALENDAR_DATA, **self._condition(item)}
        answer, _ = self._write("PUT", item.href, body, headers, item)
        self._refuse("write", item.href, answer, WRITTEN)
        return Resource(item.href, answer.header("ETag"), body)

    def delete(self, item: Resource) -> None:
        """See `base.Target.delete`."""
        answer, _ = self._write("DELETE", item.href, "", self._condition(item), item)
        self._refuse("delete", item.href, answer, (200, 202, 204))

    def commit(self) -> None:
        """See `base.Target.commit`: every write was made at once."""

    def close(self) -> None:
        """See `base.Target.close`."""
        self._connection.close()

    def calendars(self) -> list[davfind.Calendar]:
        """All calendars that the login sees, by name. Errors as `listing`."""
        return davfind.survey(self._connection, self._entrances())

    @property
    def server_time(self) -> datetime | None:
        """The server's clock, as of its last answer; None where it tells none (RFC 9110 6.6.1)."""
        try:
            return parsedate_to_datetime(self._connection.date or "")
        except ValueError:
            return None

    def certificate_end(self) -> datetime | None:
        """When the server's certificate ends; None without TLS. Raises OSError where that cannot be seen directly."""
        from calsync.targets import davtls

        return davtls.certificate_end(self.where, self._ca_file, self._timeout)

    # Where the calendar is

    def _found(self) -> str:
        """Look for the calendar, where it was or by its name; make it where it is missing and that is allowed."""
        entrances = self._entrances()
        if self._hint is not None:
            at, self._hint = self._at_hint(entrances, self._hint), None
            if at is not None:
                self._calendar = at
                return at
        found = davfind.find(self._connection, entrances, self._title)
        self._calendar, self._exists, self._known = found.url, found.exists, False
        if not found.exists and self._create:
            self._make(found.others)
        return self._calendar

    def _entrances(self) -> tuple[Entrance, ...]:
        return davservice.entrances(self._url, self._resolve)

    def _at_hint(self, entrances: tuple[Entrance, ...], hint: str) -> str | None:
        """The URL of a hint (a URL or a path) on the first server where the password may go there; None without one."""
        for entrance in entrances:
            try:
                at = davurl.allowed(entrance.home, urljoin(entrance.home, hint))
            except UnreachableError:
                continue
            self._connection.settle(entrance.home)
            return at
        return None

    def _not_there(self, calendar: str, *, missing: bool) -> Listing:
        """The address in use answers, but there is no calendar: look anew, make it, or say so."""
        if self._known:
            self._calendar = None
            return self.listing()
        if not missing:
            here = (Entrance(calendar, (calendar,)),)
            davfind.find(self._connection, here, None)  # raises, and tells which calendars there are
            raise UnreachableError(f"The server cannot make up its mind if {calendar} is a calendar.")
        if self._exists:
            raise SyncFailedError(f"The calendar {calendar} is gone from the server. Nothing was done.")
        self._exists = False
        if self._create:
            self._make(())
        return Listing({}, is_new=True)

    def _make(self, others: tuple[str, ...]) -> None:
        """MKCALENDAR at the address in use. A server that refuses the colour refuses all of it (RFC 4791 5.3.1)."""
        title = self._title or self.where.rstrip("/").rpartition("/")[2]
        for body in (davxml.mkcalendar(title), davxml.mkcalendar(title, None)):
            answer = self._connection.write("MKCALENDAR", self.where, body, davxml.XML_HEADERS)
            if answer.status in (*WRITTEN, 404, 405, 501):
                break
        if answer.status not in WRITTEN:
            choice = f", or set caldav.calendar to one of these: {', '.join(sorted(others))}" if others else ""
            why = refusal("make the calendar", repr(title), answer)
            if answer.status in (404, 405, 501):  # Google has no MKCALENDAR
                why = f"This server makes no calendars for programs ({answer.status}), so {title!r} is not there yet."
            raise SyncFailedError(f"{why}\nMake it in your calendar app and run calsync again{choice}.")
        self._exists = self.created = True

    def _is_there(self) -> bool:
        """Whether there is a calendar to ask; it is looked for if need be."""
        if self._calendar is None:
            self._found()
        return self._exists is not False

    def _must_be_there(self) -> None:
        if not self._is_there():
            raise SyncFailedError(f"There is no calendar at {self.where}, and none may be made in a dry run.")

    # Items

    def _query(self, calendar: str) -> Listing | None:
        found = davread.query(self._connection, calendar)
        if found is None:
            return None
        self._calendar, self._exists = _folder(found[0]), True
        return found[1]

    def _get(self, href: str) -> Resource | Answer | None:
        return davread.get(self._connection, self.where, href)

    def _write(
        self, method: str, href: str, body: str, headers: Mapping[str, str], before: Resource | None
    ) -> tuple[Answer, bool]:
        """A PUT or DELETE over `before`; see `davretry.carefully`."""
        meant = body if method == "PUT" else None
        return carefully(
            self._patience,
            lambda: self._connection.write(method, davread.address(self.where, href), body, headers),
            lambda: after_a_look(href, self._get(href), before, meant),
        )

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


_CALENDAR_DATA = {"Content-Type": "text/calendar; charset=utf-8"}


def _is_strong(etag: str | None) -> bool:
    return etag is not None and not etag.startswith("W/")


def _folder(url: str) -> str:
    return url if url.endswith("/") else f"{url}/"


def _usernames(url: str, username: str | None) -> tuple[str, ...]:
    """The user names to try: the one that is given, or that of a mail address, whole and in part (RFC 6764 6)."""
    if username is not None:
        return (username,)
    if davservice.is_url(url) or "@" not in url:
        return ()
    return (url, url.rpartition("@")[0])
