"""What every target promises, as one class of tests; each target's own file subclasses it and opens the target.

Idea: vdirsyncer's `StorageTests`. A subclass gives the fixture `place`: a `Place` around a fresh, empty target.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import pytest
from msgspec.structs import replace

from calsync.model import Resource
from calsync.targets.base import ConflictError, MissingError, Target


def event(uid: str, summary: str = "Call Dana Ruiz") -> str:
    """An event as calsync writes them: CRLF, a name, a day, an X- property, an alarm."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//calsync//EN",
        "BEGIN:VEVENT",
        f"UID:{uid}",
        "DTSTAMP:20261101T080000Z",
        "DTSTART;VALUE=DATE:20261130",
        "DTEND;VALUE=DATE:20261204",
        f"SUMMARY:{summary}",
        "X-CALSYNC:v1;default;acme/check-in/1.1;1",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        f"DESCRIPTION:{summary}",
        "TRIGGER:PT9H30M",
        "END:VALARM",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "\r\n".join(lines) + "\r\n"


class Place(Protocol):
    """A target, and hands that reach past it: another program at work on the same place."""

    target: Target

    def put(self, name: str, body: str) -> str:
        """Write `name` ("x.ics") behind the target's back; returns its href."""

    def remove(self, href: str) -> None:
        """Delete behind the target's back."""

    def items(self) -> Mapping[str, str]:
        """All that stands there: href -> text, byte for byte."""


def stored(place: Place, uid: str, summary: str = "Call Dana Ruiz") -> Resource:
    """Create an event through the target and read it back."""
    href = place.target.create(f"{uid}.ics", event(uid, summary)).href
    return place.target.fetch([href])[href]


class TargetContract:
    """The promises of `base.Target`."""

    requests_of_a_listing = 1

    def test_an_empty_place_lists_nothing_and_is_whole(self, place: Place) -> None:
        listing = place.target.listing()
        assert dict(listing.etags) == {}
        assert listing.whole

    def test_what_was_created_is_listed_with_the_etag_that_was_told(self, place: Place) -> None:
        new = place.target.create("one.ics", event("one"))
        listing = place.target.listing()
        assert list(listing.etags) == [new.href]
        assert new.etag in (None, listing.etags[new.href])

    def test_what_was_created_can_be_fetched(self, place: Place) -> None:
        new = place.target.create("one.ics", event("one", "Grüße Ölçer 日本"))
        fetched = place.target.fetch([new.href])[new.href]
        assert fetched.href == new.href
        assert fetched.etag == place.target.listing().etags[new.href]
        assert "SUMMARY:Grüße Ölçer 日本\r\n" in fetched.body
        # Radicale writes unknown properties' values as TEXT, with escaped semicolons (RFC 5545 3.3.11).
        assert "X-CALSYNC:v1;default;acme/check-in/1.1;1" in fetched.body.replace("\\;", ";")

    def test_a_create_where_something_stands_is_a_conflict_and_changes_nothing(self, place: Place) -> None:
        place.target.create("one.ics", event("one"))
        before = dict(place.items())
        with pytest.raises(ConflictError):
            place.target.create("one.ics", event("one", "Other words"))
        assert dict(place.items()) == before

    def test_an_update_is_seen_by_others_and_changes_the_etag(self, place: Place) -> None:
        item = stored(place, "one")
        updated = place.target.update(item, event("one", "Write to Dana"))
        assert updated.href == item.href
        (body,) = place.items().values()
        assert "SUMMARY:Write to Dana" in body
        etag = place.target.listing().etags[item.href]
        assert etag != item.etag
        assert updated.etag in (None, etag)

    def test_an_etag_stays_while_nothing_changes(self, place: Place) -> None:
        stored(place, "one")
        first = place.target.listing()
        place.target.create("two.ics", event("two"))
        second = place.target.listing()
        assert first.etags.items() <= second.etags.items()

    def test_an_update_of_what_was_changed_meanwhile_is_a_conflict_and_changes_nothing(self, place: Place) -> None:
        item = stored(place, "one")
        place.put("one.ics", event("one", "Changed on the phone"))
        before = dict(place.items())
        with pytest.raises(ConflictError):
            place.target.update(item, event("one", "Write to Dana"))
        assert dict(place.items()) == before

    def test_an_update_of_what_is_gone_says_so_and_does_not_make_it_anew(self, place: Place) -> None:
        item = stored(place, "one")
        place.remove(item.href)
        with pytest.raises(MissingError):
            place.target.update(item, event("one", "Write to Dana"))
        assert dict(place.items()) == {}

    def test_two_updates_in_a_row_need_no_new_listing(self, place: Place) -> None:
        item = stored(place, "one")
        updated = place.target.update(item, event("one", "First"))
        place.target.update(place.target.fetch([updated.href])[updated.href], event("one", "Second"))
        (body,) = place.items().values()
        assert "SUMMARY:Second" in body

    def test_without_an_etag_an_update_goes_through_if_the_text_is_the_same(self, place: Place) -> None:
        item = replace(stored(place, "one"), etag=None)
        place.target.update(item, event("one", "Write to Dana"))
        (body,) = place.items().values()
        assert "SUMMARY:Write to Dana" in body

    def test_without_an_etag_a_change_is_still_noticed(self, place: Place) -> None:
        item = replace(stored(place, "one"), etag=None)
        place.put("one.ics", event("one", "Changed on the phone"))
        before = dict(place.items())
        with pytest.raises(ConflictError):
            place.target.update(item, event("one", "Write to Dana"))
        with pytest.raises(ConflictError):
            place.target.delete(item)
        assert dict(place.items()) == before

    def test_a_delete_removes_that_item_alone(self, place: Place) -> None:
        item = stored(place, "one")
        other = stored(place, "two")
        place.target.delete(item)
        assert list(place.items()) == [other.href]
        assert list(place.target.listing().etags) == [other.href]

    def test_a_delete_of_what_was_changed_meanwhile_is_a_conflict_and_changes_nothing(self, place: Place) -> None:
        item = stored(place, "one")
        place.put("one.ics", event("one", "Changed on the phone"))
        before = dict(place.items())
        with pytest.raises(ConflictError):
            place.target.delete(item)
        assert dict(place.items()) == before

    def test_a_delete_of_what_is_gone_says_so(self, place: Place) -> None:
        item = stored(place, "one")
        place.remove(item.href)
        with pytest.raises(MissingError):
            place.target.delete(item)

    def test_a_fetch_leaves_out_what_is_not_there(self, place: Place) -> None:
        here, gone = stored(place, "here"), stored(place, "gone")
        place.remove(gone.href)
        assert list(place.target.fetch([gone.href, here.href])) == [here.href]
        assert dict(place.target.fetch([])) == {}

    def test_many_items_are_fetched_at_once(self, place: Place) -> None:
        hrefs = [place.put(f"n{number}.ics", event(f"n{number}")) for number in range(60)]
        fetched = place.target.fetch(hrefs)
        assert sorted(fetched) == sorted(hrefs)
        assert all(f"UID:{href.rpartition('/')[2][:-4]}" in item.body for href, item in fetched.items() if "/" in href)

    def test_gone_is_said_of_missing_items_alone(self, place: Place) -> None:
        here, gone = stored(place, "here"), stored(place, "gone")
        place.remove(gone.href)
        assert place.target.gone(gone.href)
        assert not place.target.gone(here.href)

    def test_items_of_others_stay_byte_for_byte(self, place: Place) -> None:
        foreign = event("foreign", "Dentist").replace("PRODID:-//calsync//EN", "PRODID:-//Other//EN")
        href = place.put("foreign.ics", foreign)
        before = place.items()[href]
        item = stored(place, "one")
        place.target.delete(place.target.fetch([place.target.update(item, event("one", "Two")).href])[item.href])
        place.target.commit()
        assert dict(place.items()) == {href: before}

    def test_requests_are_counted(self, place: Place) -> None:
        stored(place, "one")
        before = place.target.requests
        place.target.listing()
        place.target.listing()
        assert place.target.requests == before + 2 * self.requests_of_a_listing

    def test_it_says_what_and_where_it_is(self, place: Place) -> None:
        place.target.listing()
        assert place.target.name
        assert place.target.where


class TokenContract(TargetContract):
    """What a target promises beyond that which can tell what changed."""

    def test_a_token_tells_what_is_new_what_changed_and_what_is_gone_since(self, place: Place) -> None:
        same, changed, gone = (stored(place, uid) for uid in ("same", "changed", "gone"))
        token = place.target.token()
        assert token is not None
        place.put("changed.ics", event("changed", "On the phone"))
        place.remove(gone.href)
        new = stored(place, "new")
        changes = place.target.changes(token)
        assert changes is not None
        listed = place.target.listing().etags
        assert changes.etags == {href: listed[href] for href in (changed.href, new.href)}
        assert changes.gone == {gone.href}
        assert same.href in listed
        again = place.target.changes(changes.token or "")
        assert again is not None
        assert (dict(again.etags), again.gone) == ({}, frozenset())

    def test_a_token_costs_one_request_to_take_and_one_to_use(self, place: Place) -> None:
        stored(place, "one")
        before = place.target.requests
        token = place.target.token()
        place.target.changes(token or "")
        assert place.target.requests == before + 2

    def test_a_token_that_was_never_given_tells_nothing(self, place: Place) -> None:
        assert place.target.changes("sync http://example.org/never") is None
