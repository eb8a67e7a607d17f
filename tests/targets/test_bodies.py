"""What is asked of a server is XML, whatever stands in the words of a user or of a server."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import unquote
from xml.etree.ElementTree import fromstring

import pytest

from calsync.targets import davxml

ODD = "R&D <jobs> \"x\" 'y' ]]> &amp; ü"


@pytest.mark.parametrize(
    ("body", "tag"),
    [(davxml.mkcalendar, "{DAV:}displayname"), (davxml.sync_collection, "{DAV:}sync-token")],
    ids=["a name", "a token"],
)
def test_words_are_read_as_they_were_written(body: Callable[[str], str], tag: str) -> None:
    assert [each.text for each in fromstring(body(ODD)).iter(tag)] == [ODD]


def test_paths_are_encoded_and_in_their_order() -> None:
    hrefs = [each.text for each in fromstring(davxml.multiget(["/a/b&c<d>.ics", "/a/e f.ics"])).iter("{DAV:}href")]
    assert [unquote(str(href)) for href in hrefs] == ["/a/b&c<d>.ics", "/a/e f.ics"]
