"""What the quirk server answers: WebDAV, CalDAV (RFC 4791), sync-collection (RFC 6578), and the flags' ways with them.

No sockets here. Without flags it is a good server. Chunked bodies are refused, as Radicale does. Public face: `Dav`.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Iterable
from urllib.parse import quote, unquote, urlsplit
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from tests.quirks.bodies import component_of, has_dtend, has_empty_x, rewritten, uid_of
from tests.quirks.flags import LISTING_FITS, Limits, Quirk
from tests.quirks.model import Model, Stored, parent
from tests.scripted import Asked, Reply

PREFIXES = {
    "D": "DAV:",
    "C": "urn:ietf:params:xml:ns:caldav",
    "CS": "http://calendarserver.org/ns/",
    "A": "http://apple.com/ns/ical/",
}
NAMES = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in PREFIXES.items())
DAV, CAL = "{DAV:}", "{urn:ietf:params:xml:ns:caldav}"
HTML = Reply(200, "<!DOCTYPE html><html><body><p>Log in<br></body></html>", {"Content-Type": "text/html"})
PRINCIPAL, HOME = "/dav/principals/alice/", "/dav/calendars/alice/"
ROOTS = ("/", "/dav/")
FOLDERS = (*ROOTS, "/dav/principals/", "/dav/calendars/", PRINCIPAL, HOME)
REPORTS = ("calendar-query", "calendar-multiget", "sync-collection")


class Dav:
    """Answers requests on a model. Every method of the protocol is a method `do_...` here."""

    def __init__(self, model: Model, flags: frozenset[Quirk], limits: Limits) -> None:
        self.model = model
        self.flags = flags
        self.limits = limits
        self._listings = 0
        self._updates = 0
        self._made = 0

    def answer(self, asked: Asked, base: str) -> Reply:
        """The reply to one request; `base` is the server's URL, for those who tell whole URLs."""
        path = urlsplit(asked.path).path
        if Quirk.ICLOUD_REDIRECTS in self.flags and path in ("/", "/.well-known/caldav"):
            return Reply(301, "", {"Location": f"{base}/p42/dav/"})
        if path.startswith("/p42/"):
            path = path[4:]
        if path == "/.well-known/caldav":
            return Reply(301, "", {"Location": "/dav/"})
        method: Callable[[str, Asked], Reply] | None = getattr(self, f"do_{asked.method.lower()}", None)
        if method is None:
            return Reply(501)
        asks_xml = asked.method in ("PROPFIND", "REPORT")
        if Quirk.CYRUS_WANTS_XML_TYPE in self.flags and asks_xml and "xml" not in asked.headers.get("content-type", ""):
            return Reply(415)
        if asked.method == "PUT":
            return self.do_put(unquote(path), asked)
        with self.model.lock:
            return self._told_whole(method(unquote(path), asked), base)

    def _told_whole(self, reply: Reply, base: str) -> Reply:
        if Quirk.ICLOUD_ABSOLUTE_HREFS not in self.flags:
            return reply
        return Reply(reply.status, reply.body.replace("<D:href>/", f"<D:href>{base}/"), reply.headers)

    # Reading

    def do_options(self, path: str, asked: Asked) -> Reply:
        methods = "OPTIONS, GET, HEAD, PUT, DELETE, PROPFIND, REPORT, MKCALENDAR"
        return Reply(200, "", {"DAV": "1, 3, access-control, calendar-access", "Allow": methods})

    def do_get(self, path: str, asked: Asked) -> Reply:
        item = self.model.items.get(path)
        if item is None:
            return Reply(405 if path in self.model.calendars else 404)
        return Reply(200, item.body, {"Content-Type": "text/calendar; charset=utf-8", "ETag": self._etag(item)})

    do_head = do_get

    def do_propfind(self, path: str, asked: Asked) -> Reply:
        path = self._collection(path)
        is_listing = asked.headers.get("depth") == "1" and path in self.model.calendars
        if is_listing and (fit := self._fit(path, listing_of_all=True)):
            return fit
        if path not in (*FOLDERS, *self.model.calendars, *self.model.items):
            return Reply(404)
        names = _asked_for(asked.body)
        told = [self._response(path, names)]
        if asked.headers.get("depth") == "1":
            children = [each for each in (*FOLDERS[1:], *self.model.calendars) if parent(each) == path]
            children += self.model.inside(path)
            told += [self._response(child, names) for child in children]
        return multistatus(told)

    def do_report(self, path: str, asked: Asked) -> Reply:
        tree = _tree(asked.body)
        path = self._collection(path)
        if tree is None:
            return Reply(400)
        if path not in self.model.calendars:
            return Reply(404)
        kind = tree.tag.rpartition("}")[2]
        if kind not in REPORTS:
            return error(403, "D:supported-report")
        if kind == "calendar-multiget":
            return self._multiget(tree, asked)
        if kind == "sync-collection":
            return self._sync(path, tree, asked)
        return self._query(path, tree, asked)

    def _query(self, path: str, tree: ET.Element, asked: Asked) -> Reply:
        """RFC 4791 7.8, with a filter by component alone."""
        if fit := self._fit(path):
            return fit
        filters = [each.get("name") for each in tree.iter(f"{CAL}comp-filter")]
        wanted = [each for each in filters if each != "VCALENDAR"]
        names = _asked_for(asked.body)
        hrefs = [
            href for href, item in self.model.inside(path).items() if not wanted or component_of(item.body) in wanted
        ]
        return multistatus(self._response(href, names) for href in hrefs)

    def _multiget(self, tree: ET.Element, asked: Asked) -> Reply:
        hrefs = [unquote(urlsplit((each.text or "").strip()).path) for each in tree.iter(f"{DAV}href")]
        missing = [href for href in hrefs if href not in self.model.items]
        if Quirk.ZOHO_MULTIGET_LIMIT in self.flags and len(hrefs) > self.limits.multiget:
            return Reply(500)
        if Quirk.SABRE_MULTIGET_FAILS_WITH_MISSING in self.flags and missing:
            return Reply(404)
        names, told = _asked_for(asked.body), []
        for number, href in enumerate(hrefs):
            if href in self.model.items:
                fails = Quirk.MULTIGET_DATA_FAILS in self.flags and number % 2 == 1
                told.append(self._response(href, names, failing=f"{CAL}calendar-data" if fails else None))
            elif Quirk.DAVICAL_MULTIGET_OMITS_MISSING not in self.flags:
                told.append(self._gone(href))
        return multistatus(told)

    def _sync(self, path: str, tree: ET.Element, asked: Asked) -> Reply:
        """RFC 6578 3: what changed since a token, or all where there is none."""
        if Quirk.SABRE_NO_SYNC_COLLECTION in self.flags:
            return error(403, "D:supported-report")
        if Quirk.NO_SYNC_COLLECTION_501 in self.flags:
            return Reply(501)
        if fit := self._fit(path):
            return fit
        token = (tree.findtext(f"{DAV}sync-token") or "").strip()
        start = self._start(token) if token else 0
        if start is None:
            return error(412 if Quirk.XANDIKOS_TOKEN_ERROR_412 in self.flags else 403, "D:valid-sync-token")
        steps = [step for step in self.model.since(path, start) if start or not step.gone]
        end, told = None, []
        if Quirk.SYNC_IN_PAGES in self.flags and len(steps) > self.limits.page:
            steps = steps[: self.limits.page]
            end = steps[-1].number
            told.append(f"<D:response><D:href>{path}</D:href>{status(507)}</D:response>")
        names = _asked_for(asked.body)
        told += [self._gone(step.href) if step.gone else self._response(step.href, names) for step in steps]
        return multistatus(told, f"<D:sync-token>{self.model.token(end)}</D:sync-token>")

    def _start(self, token: str) -> int | None:
        """The step after which the answer to a token begins; None where it is refused."""
        number = self.model.read_token(token)
        if number is None:
            if Quirk.STALWART_BOGUS_TOKEN_LISTS_ALL in self.flags:
                return 0
            return len(self.model.steps) if Quirk.DAVICAL_UNISSUED_TOKEN_ACCEPTED in self.flags else None
        if number < self.model.oldest:
            return self.model.oldest if Quirk.STALWART_EXPIRED_TOKEN_IS_PARTIAL in self.flags else None
        return number

    def _fit(self, path: str, *, listing_of_all: bool = False) -> Reply | None:
        """A listing that is not as it should be, where the flags say so; None for a good one."""
        items = self.model.inside(path)
        if Quirk.APPLE_TOO_MANY_MATCHES in self.flags and len(items) > self.limits.matches:
            return error(403, "D:number-of-matches-within-limits")
        self._listings += 1
        if not self.flags & LISTING_FITS or (self._listings - 1) // 2 % 2 == 0:
            return None
        if Quirk.LISTING_IS_HTML in self.flags:
            return HTML
        names = [f"{DAV}getetag", f"{DAV}resourcetype"]
        own = [self._response(path, names)] if listing_of_all else []
        token = f"<D:sync-token>{self.model.token()}</D:sync-token>"
        told = own + [self._response(href, names) for href in items]
        if Quirk.LISTING_GARBLED in self.flags:
            reply = multistatus(told, token)
            return Reply(207, reply.body[: len(reply.body) * 2 // 3], reply.headers)
        if Quirk.LISTING_TRUNCATED in self.flags:
            cut = f"<D:response><D:href>{path}</D:href>{status(507)}</D:response>"
            return multistatus([cut, *told[: (len(told) + len(own)) // 2]], token)
        return multistatus(own if Quirk.LISTING_EMPTY in self.flags else told[:-1], token)

    # Properties

    def _response(self, path: str, names: list[str], failing: str | None = None) -> str:
        found, missing = "", ""
        for name in names:
            value = None if name == failing else self._property(path, name)
            if value is None:
                missing += _element(name, "")
            else:
                found += _element(name, value)
        told = f"<D:propstat><D:prop>{found}</D:prop>{status(200)}</D:propstat>" if found else ""
        if missing:
            told += f"<D:propstat><D:prop>{missing}</D:prop>{status(500 if failing else 404)}</D:propstat>"
        return f"<D:response><D:href>{self._spelled(path)}</D:href>{told}</D:response>"

    def _gone(self, href: str) -> str:
        return f"<D:response><D:href>{self._spelled(href)}</D:href>{status(404)}</D:response>"

    def _property(self, path: str, name: str) -> str | None:
        """The XML within a property; None where this place has none of that name."""
        item = self.model.items.get(path)
        told = self._of_item(item) if item else self._of_folder(path)
        return told.get(name.rpartition("}")[2])

    def _of_item(self, item: Stored) -> dict[str, str]:
        return {
            "resourcetype": "",
            "getetag": escape(self._etag(item)),
            "getcontenttype": f"text/calendar; charset=utf-8; component={component_of(item.body)}",
            "calendar-data": escape(item.body),
        }

    def _of_folder(self, path: str) -> dict[str, str]:
        rights = "".join(
            f"<D:privilege><D:{each}/></D:privilege>" for each in ("read", "write", "write-content", "bind")
        )
        told = {
            "resourcetype": "<D:collection/>",
            "current-user-principal": f"<D:href>{PRINCIPAL}</D:href>",
            "current-user-privilege-set": rights,
        }
        if path == PRINCIPAL:
            told["calendar-home-set"] = f"<D:href>{HOME}</D:href>"
            told["resourcetype"] += "<D:principal/>"
        if path in self.model.calendars:
            no_sync = self.flags & {Quirk.SABRE_NO_SYNC_COLLECTION, Quirk.NO_SYNC_COLLECTION_501}
            reports = REPORTS[:2] if no_sync else REPORTS
            told["resourcetype"] += "<C:calendar/>"
            told["displayname"] = escape(self.model.calendars[path])
            told["getctag"] = self.model.ctag(path)
            told["supported-calendar-component-set"] = '<C:comp name="VEVENT"/><C:comp name="VTODO"/>'
            told["supported-report-set"] = "".join(
                f"<D:supported-report><D:report><{'D' if each == 'sync-collection' else 'C'}:{each}/></D:report>"
                "</D:supported-report>"
                for each in reports
            )
            if not no_sync:
                told["sync-token"] = self.model.token()
        return told

    def _etag(self, item: Stored) -> str:
        return f"W/{item.etag}" if Quirk.NGINX_WEAK_ETAGS in self.flags else item.etag

    def _spelled(self, path: str) -> str:
        encoded = quote(path, safe="/-_.~@!$'()*+,;=:")
        if Quirk.DAVICAL_SPELLS_OTHERWISE in self.flags and parent(path) in self.model.calendars:
            encoded = encoded.replace("-", "%2D")
        return escape(encoded)

    def _collection(self, path: str) -> str:
        return f"{path}/" if f"{path}/" in (*FOLDERS, *self.model.calendars) else path

    # Writing

    def do_put(self, path: str, asked: Asked) -> Reply:
        """Look at the conditions, then write; some servers let others in between."""
        if "transfer-encoding" in asked.headers:
            return Reply(400)
        if Quirk.CYRUS_RACING_PUTS_BOTH_WIN in self.flags:
            with self.model.lock:
                refused = self._refused(path, asked) or self._body_refused(path, asked.body)
            time.sleep(self.limits.race)
            with self.model.lock:
                return refused or self._written(path, asked.body)
        with self.model.lock:
            return self._refused(path, asked) or self._body_refused(path, asked.body) or self._written(path, asked.body)

    def _written(self, path: str, body: str) -> Reply:
        stands = path in self.model.items
        if not stands and self.flags & {Quirk.OX_RENAMES, Quirk.RENAMES_SILENTLY}:
            path = f"{parent(path)}{uuid.uuid5(uuid.NAMESPACE_URL, path).hex}.ics"
        kept = rewritten(body, self.flags)
        etag = self._etag(self.model.store(path, kept))
        headers = {"Location": path} if Quirk.OX_RENAMES in self.flags and not stands else {}
        if Quirk.GMX_WEAK_ETAG_ON_PUT in self.flags and not etag.startswith("W/"):
            etag = f"W/{etag}"
        silent = Quirk.BAIKAL_NO_ETAG_WHEN_REWRITTEN in self.flags and kept != body
        if not silent and Quirk.GOOGLE_NO_ETAG_ON_PUT not in self.flags:
            headers["ETag"] = etag
        return Reply(204 if stands else 201, "", headers)

    def do_delete(self, path: str, asked: Asked) -> Reply:
        if path in self.model.calendars:
            for href in self.model.inside(path):
                self.model.remove(href)
            del self.model.calendars[path]
            return Reply(204)
        lax = Quirk.SOGO_STALE_DELETE_204 in self.flags
        if path not in self.model.items:
            return Reply(204 if lax else 404)
        if Quirk.NEXTCLOUD_DELETE_403 in self.flags:
            return Reply(403)
        if not lax and (refused := self._refused(path, asked)):
            return refused
        self.model.remove(path)
        return Reply(204)

    def do_mkcalendar(self, path: str, asked: Asked) -> Reply:
        path = f"{path.rstrip('/')}/"
        if Quirk.GOOGLE_NO_MKCALENDAR in self.flags:
            return Reply(405)
        if path in self.model.calendars or path in FOLDERS:
            return error(403, "D:resource-must-be-null")
        if parent(path) != HOME:
            return error(403, "C:calendar-collection-location-ok")
        self._made += 1
        if Quirk.NEXTCLOUD_FEW_CALENDARS in self.flags and self._made > self.limits.calendars:
            return Reply(429, "", {"Retry-After": "3600"})
        tree = _tree(asked.body) if asked.body else None
        name = tree.findtext(f".//{DAV}displayname") if tree is not None else None
        self.model.calendars[path] = name or path.rstrip("/").rpartition("/")[2]
        return Reply(201)

    def _refused(self, path: str, asked: Asked) -> Reply | None:
        """What a condition of the request says (RFC 9110 13.1); None where it holds."""
        stands = self.model.items.get(path)
        match, none_match = asked.headers.get("if-match"), asked.headers.get("if-none-match")
        if none_match == "*" and stands and Quirk.SOGO_IF_NONE_MATCH_OVERWRITES not in self.flags:
            return Reply(412)
        if match is None:
            blind = stands and none_match is None and Quirk.OX_BLIND_OVERWRITE_409 in self.flags
            return Reply(409) if blind else None
        if match == "*":
            return Reply(412) if bool(stands) == (Quirk.ICLOUD_IF_MATCH_STAR_INVERTED in self.flags) else None
        self._updates += 1
        if Quirk.GOOGLE_UPDATE_409 in self.flags and self._updates % 2 == 1:
            return Reply(409)
        if stands and Quirk.ZIMBRA_IGNORES_IF_MATCH in self.flags:
            return None
        strong = stands is not None and self._etag(stands) == match and not match.startswith("W/")
        return None if strong else Reply(412)

    def _body_refused(self, path: str, body: str) -> Reply | None:
        """Why a server would not keep this text at this place; None where it does."""
        calendar, uid = parent(path), uid_of(body)
        if calendar not in self.model.calendars:
            return Reply(409)
        new = path not in self.model.items
        if Quirk.NEXTCLOUD_TRASH_BIN in self.flags and new and (calendar, uid) in self.model.deleted:
            return Reply(400, _UID_EXISTS)
        if refused := self._text_refused(body) or self._clash(path, uid):
            return refused
        if Quirk.CALENDAR_FULL_507 in self.flags and new and len(self.model.inside(calendar)) >= self.limits.room:
            return error(507, "D:quota-not-exceeded")
        return None

    def _text_refused(self, body: str) -> Reply | None:
        """Why a server would keep this text nowhere; None where it does."""
        refusals = {
            Quirk.PUT_REDIRECTS_TO_LOGIN: (True, Reply(302, "", {"Location": "/login"})),
            Quirk.ICLOUD_DTEND_REQUIRED: (not has_dtend(body), error(403, "C:valid-calendar-object-resource")),
            Quirk.CYRUS_REFUSES_EMPTY_X: (has_empty_x(body), error(403, "C:valid-calendar-data")),
            Quirk.MAX_RESOURCE_SIZE_403: (len(body.encode()) > self.limits.size, error(403, "C:max-resource-size")),
        }
        if not uid_of(body) or not component_of(body):
            return error(403, "C:valid-calendar-data")
        return next((reply for flag, (bad, reply) in refusals.items() if flag in self.flags and bad), None)

    def _clash(self, path: str, uid: str) -> Reply | None:
        """What is said where another item has this UID."""
        everywhere = Quirk.CYRUS_UID_CLASH_403 in self.flags
        others = {
            href
            for href, item in self.model.items.items()
            if item.uid == uid and href != path and (everywhere or parent(href) == parent(path))
        }
        if not others or Quirk.BAIKAL_ACCEPTS_DUPLICATE_UIDS in self.flags:
            return None
        if everywhere:
            return error(403, "C:unique-scheduling-object-resource")
        if Quirk.NEXTCLOUD_UID_CLASH_400 in self.flags:
            return Reply(400, _UID_EXISTS)
        if Quirk.RADICALE_UID_CLASH_409 in self.flags:
            return error(409, "C:no-uid-conflict")
        return error(412 if Quirk.XANDIKOS_UID_CLASH_412 in self.flags else 403, "C:no-uid-conflict")


_UID_EXISTS = (
    f'<?xml version="1.0"?><D:error {NAMES} xmlns:s="http://sabredav.org/ns"><s:message>'
    "Calendar object with uid already exists in this calendar collection.</s:message></D:error>"
)


def multistatus(responses: Iterable[str], rest: str = "") -> Reply:
    """A 207 with these `response` elements."""
    return Reply(207, f'<?xml version="1.0"?><D:multistatus {NAMES}>{"".join(responses)}{rest}</D:multistatus>')


def error(status: int, precondition: str) -> Reply:
    """A refusal with the element that says why (RFC 4918 16)."""
    return Reply(status, f'<?xml version="1.0"?><D:error {NAMES}><{precondition}/></D:error>')


def status(code: int) -> str:
    return f"<D:status>HTTP/1.1 {code} Status</D:status>"


def _element(tag: str, inner: str) -> str:
    uri, name = re.fullmatch(r"(?:\{(.*)\})?(.*)", tag).groups()  # type: ignore[union-attr]  # it fits all tags
    prefix = next((key for key, value in PREFIXES.items() if value == uri), None)
    if prefix:
        return f"<{prefix}:{name}>{inner}</{prefix}:{name}>"
    return f'<x:{name} xmlns:x="{escape(uri or "")}">{inner}</x:{name}>'


def _tree(body: str) -> ET.Element | None:
    try:
        return ET.fromstring(body)
    except ET.ParseError:
        return None


def _asked_for(body: str) -> list[str]:
    """The tags in the `prop` of a request; some usual ones where it names none."""
    tree = _tree(body) if body else None
    prop = tree.find(f"{DAV}prop") if tree is not None else None
    if prop is None:
        return [f"{DAV}getetag", f"{DAV}resourcetype", f"{DAV}displayname", f"{DAV}current-user-principal"]
    return [child.tag for child in prop]
