"""What a target tells at the start of a run: what changed since the last one, or everything.

A token from the last run saves the list. Everything is listed once a day, as some servers take a token that they never
gave, or tell a part alone; and whenever a token is refused, or its answer is in doubt (here and in `survey.py`). The
token is kept at the end of a run, when the cache agrees with what the token stands for.
Public face: `View`, `since_token`, `in_full`, `keep`, `drop`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from msgspec import Struct

from calsync.state import Entry, State
from calsync.targets.base import Target

_LISTED_EVERY = timedelta(days=1)


class View(Struct, frozen=True, kw_only=True):
    """What a target told: href -> ETag of all that stands there, or of what is new or changed if it `is_partial`.

    Then `gone` are those that it says are no more, and of the rest the cache knows. `whole` and `is_new` are as in a
    `base.Listing`. `token` stands for the moment of the view, if there is one; `listed` is when all was listed last.
    """

    told: Mapping[str, str | None]
    token: str | None
    listed: datetime
    whole: bool = True
    is_new: bool = False
    is_partial: bool = False
    gone: frozenset[str] = frozenset()

    @property
    def is_unchanged(self) -> bool:
        """Whether nothing changed since the last run, for all that the target told."""
        return self.is_partial and not self.told and not self.gone

    def standing(self, before: Mapping[str, Entry]) -> set[str]:
        """The hrefs of all that stands there, given what the cache has."""
        return (before.keys() - self.gone) | self.told.keys() if self.is_partial else set(self.told)

    def fresh(self, before: Mapping[str, Entry]) -> list[str]:
        """The hrefs to fetch: new ones, and those with another ETag than in the cache, or with none to tell by."""
        known = {href: entry.resource.etag for href, entry in before.items()}
        return [href for href, etag in self.told.items() if etag is None or known.get(href) != etag]


def since_token(target: Target, state: State, place: str, now: datetime) -> View | None:
    """What the target says that changed since the kept token; None without a good one, or where it is refused.

    The token is older than what we wrote after it, so all of that must be in the answer. What is not may be spelled
    otherwise by the server, or gone: what came and went since a token need not be told (Xandikos does not).
    """
    kept = json.loads(state.note(_key(place)) or "{}")
    if not kept:
        return None
    listed = datetime.fromisoformat(kept["listed"])
    if not timedelta(0) <= now - listed < _LISTED_EVERY:
        return None
    changes = target.changes(kept["token"])
    if changes is None or not changes.gone.union(changes.etags).issuperset(kept["written"]):
        return None
    return View(told=changes.etags, token=changes.token, listed=listed, is_partial=True, gone=changes.gone)


def in_full(target: Target, now: datetime, *, dry_run: bool) -> View:
    """Everything. The token is taken before the list, so that a change in between is told again by the next answer."""
    token = None if dry_run else target.token()
    listing = target.listing()
    return View(told=listing.etags, token=token, listed=now, whole=listing.whole, is_new=listing.is_new)


def keep(state: State, place: str, view: View, written: Iterable[str]) -> None:
    """Keep the view's token for the next run; `written` are the hrefs of what we wrote after it was taken.

    By now the cache must agree with what stands there. Without a token, drop what was kept.
    """
    if view.token is None:
        drop(state, place)
        return
    kept = {"token": view.token, "listed": view.listed.isoformat(), "written": sorted(written)}
    state.take_note(_key(place), json.dumps(kept))


def drop(state: State, place: str) -> None:
    """The next run lists everything."""
    state.drop_note(_key(place))


def _key(place: str) -> str:
    return f"token {place}"
