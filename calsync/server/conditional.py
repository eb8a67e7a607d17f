"""What a client has already, and what it can read: conditional requests and gzip (RFC 9110 12.5.3, 13).

Pure. Public face: `not_modified`, `takes_gzip`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

_ENTITY_TAG = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')


def not_modified(headers: Mapping[str, str], etag: str, modified: datetime) -> bool:
    """Whether the client of a GET or HEAD has this copy already: `etag` in quotes, `modified` in whole seconds.

    If-None-Match counts alone where it is sent (RFC 9110 13.2.2); tags are compared weakly (13.1.2). A date that cannot
    be read is passed over (13.1.3).
    """
    if (known := headers.get("If-None-Match")) is not None:
        return known.strip() == "*" or etag in _ENTITY_TAG.findall(known)
    if (since := headers.get("If-Modified-Since")) is None:
        return False
    try:
        moment = parsedate_to_datetime(since)
    except ValueError:
        return False
    return modified <= (moment if moment.tzinfo else moment.replace(tzinfo=UTC))


@lru_cache(maxsize=16)  # each client sends the same each time
def takes_gzip(accepted: str) -> bool:
    """Whether Accept-Encoding allows gzip: by its name, else by the star; with a weight of 0 it does not."""
    weights: dict[str, bool] = {}
    for part in accepted.casefold().split(","):
        coding, *parameters = (word.strip() for word in part.split(";"))
        weights[coding] = not any(re.fullmatch(r"q\s*=\s*0(\.0*)?", parameter) for parameter in parameters)
    return weights.get("gzip", weights.get("x-gzip", weights.get("*", False)))
