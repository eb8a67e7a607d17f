"""The ways of CalDAV servers, each a flag, named after a server that has it (others may, too) and the trait.

Gathered from the servers' documentation, their trackers, and runs against them. `FITFUL` ones come and go, so that a
later run gets through; `REFUSING` ones keep some wishes from ever being met; with all others every wish is met.
Public face: `Quirk`, `FITFUL`, `REFUSING`, `Limits`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, auto


class Quirk(StrEnum):
    """One trait of a server. They compose."""

    # ETags (RFC 4791 5.3.4)
    BAIKAL_NO_ETAG_WHEN_REWRITTEN = auto()  # and it rewrites: PUT tells no ETag then
    GOOGLE_NO_ETAG_ON_PUT = auto()
    GMX_WEAK_ETAG_ON_PUT = auto()  # and a strong one on GET
    NGINX_WEAK_ETAGS = auto()  # everywhere, as behind a proxy that compresses: If-Match never holds (RFC 9110 13.1.1)
    SOGO_ETAG_RESTARTS = auto()  # after a delete, a new item at the same place has the ETag of the old one

    # Bodies
    RADICALE_REORDERS = auto()
    RADICALE_STAMPS = auto()  # DTSTAMP is the server's
    RADICALE_ESCAPES_X = auto()  # unknown properties' values as TEXT
    SOGO_ADDS_CLASS = auto()  # where there is none, and CREATED
    SOGO_DROPS_EMPTY_X = auto()
    OUTLOOK_DROPS_X = auto()  # all of them
    CYRUS_DROPS_UNKNOWN = auto()  # properties that are neither standard nor X-
    CYRUS_REFUSES_EMPTY_X = auto()  # 403
    GOOGLE_RENUMBERS = auto()  # PRODID, LAST-MODIFIED and SEQUENCE are the server's
    APPLE_TOUCHES_ALARMS = auto()  # UID, X-WR-ALARMUID and ACKNOWLEDGED

    # UIDs (RFC 4791 5.3.2.1; without a flag 403 no-uid-conflict)
    BAIKAL_ACCEPTS_DUPLICATE_UIDS = auto()
    CYRUS_UID_CLASH_403 = auto()  # unique-scheduling-object-resource, over all of the user's calendars
    RADICALE_UID_CLASH_409 = auto()
    XANDIKOS_UID_CLASH_412 = auto()
    NEXTCLOUD_UID_CLASH_400 = auto()  # said in words alone
    NEXTCLOUD_TRASH_BIN = auto()  # a deleted UID is refused: 400

    # Conditions
    SOGO_IF_NONE_MATCH_OVERWRITES = auto()
    ZIMBRA_IGNORES_IF_MATCH = auto()
    OX_BLIND_OVERWRITE_409 = auto()  # without If-Match
    ICLOUD_IF_MATCH_STAR_INVERTED = auto()
    GOOGLE_UPDATE_409 = auto()  # now and then
    SOGO_STALE_DELETE_204 = auto()  # whatever its If-Match says, and of what is gone
    CYRUS_RACING_PUTS_BOTH_WIN = auto()  # the condition is looked at some time before the write

    # Too much, too fast
    OX_429 = auto()  # every n-th request, with Retry-After
    PROXY_503 = auto()  # every n-th request, without
    NEXTCLOUD_FEW_CALENDARS = auto()  # a limit on MKCALENDAR, then 429
    RADICALE_HTTP_1_0 = auto()  # a connection a request
    CLOSES_CONNECTIONS = auto()  # after a few requests, without a word

    # Places
    OX_RENAMES = auto()  # after the upload; Location tells
    RENAMES_SILENTLY = auto()
    ICLOUD_ABSOLUTE_HREFS = auto()
    ICLOUD_REDIRECTS = auto()  # the first steps lead elsewhere
    DAVICAL_SPELLS_OTHERWISE = auto()  # dashes come percent-encoded
    GOOGLE_NO_MKCALENDAR = auto()  # 405

    # Listings and multigets
    DAVICAL_MULTIGET_OMITS_MISSING = auto()
    SABRE_MULTIGET_FAILS_WITH_MISSING = auto()
    ZOHO_MULTIGET_LIMIT = auto()
    MULTIGET_DATA_FAILS = auto()  # of each second item: a propstat of 500
    APPLE_TOO_MANY_MATCHES = auto()  # a listing above the limit is 403 number-of-matches-within-limits
    LISTING_TRUNCATED = auto()  # these five: two listings are right, two are not, and so on
    LISTING_GARBLED = auto()
    LISTING_IS_HTML = auto()  # with 200
    LISTING_EMPTY = auto()
    LISTING_MISSES_AN_ITEM = auto()

    # Sync tokens (RFC 6578) and ctags
    SABRE_NO_SYNC_COLLECTION = auto()  # 403
    NO_SYNC_COLLECTION_501 = auto()
    XANDIKOS_TOKEN_ERROR_412 = auto()  # valid-sync-token with another status than 403
    STALWART_BOGUS_TOKEN_LISTS_ALL = auto()
    STALWART_EXPIRED_TOKEN_IS_PARTIAL = auto()
    DAVICAL_UNISSUED_TOKEN_ACCEPTED = auto()  # 207, and nothing in it
    SYNC_IN_PAGES = auto()  # 507 for the collection, and the next page's token
    SOGO_SECONDS_AS_TOKENS = auto()  # what changes within the second of a token is not told
    SOGO_SLOW_CTAG = auto()  # it does not change within a second

    # Refusals
    ICLOUD_DTEND_REQUIRED = auto()  # 403
    PUT_REDIRECTS_TO_LOGIN = auto()  # 302
    NEXTCLOUD_DELETE_403 = auto()
    CALENDAR_FULL_507 = auto()
    MAX_RESOURCE_SIZE_403 = auto()

    # The login
    CYRUS_WANTS_XML_TYPE = auto()  # 415 for a PROPFIND or REPORT that does not say that it is XML
    CYRUS_ROOT_WITHOUT_LOGIN = auto()  # 207


LISTING_FITS = frozenset(
    {
        Quirk.LISTING_TRUNCATED,
        Quirk.LISTING_GARBLED,
        Quirk.LISTING_IS_HTML,
        Quirk.LISTING_EMPTY,
        Quirk.LISTING_MISSES_AN_ITEM,
    }
)

FITFUL = LISTING_FITS | {Quirk.OX_429, Quirk.PROXY_503, Quirk.GOOGLE_UPDATE_409, Quirk.CLOSES_CONNECTIONS}
"""What a later run gets past. A connection that closes while a write is on its way loses that write's answer."""

REFUSING = frozenset(
    {
        Quirk.PUT_REDIRECTS_TO_LOGIN,
        Quirk.NEXTCLOUD_DELETE_403,
        Quirk.CALENDAR_FULL_507,
        Quirk.MAX_RESOURCE_SIZE_403,
        Quirk.APPLE_TOO_MANY_MATCHES,
    }
)
"""What no run gets past: the report has to say so."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The numbers of the flags that have one: how many are too many. `retry_after` is in seconds."""

    multiget: int = 50
    matches: int = 2
    page: int = 2
    size: int = 900
    room: int = 2
    calendars: int = 10
    every: int = 5
    per_connection: int = 3
    retry_after: int = 0
    race: float = 0.02
