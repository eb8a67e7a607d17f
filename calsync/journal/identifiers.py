"""The id of an application: what the user says, else a slug of company and role.

Ids are part of every window's id and so of every UID in the calendar: the same words must give the same id for ever.
"""

from __future__ import annotations

import re
import unicodedata

from calsync.fields import FieldError, line
from calsync.yamlfile import quote

LONGEST = 200
"""Characters in an id; it stands in a line of every calendar event."""

_ASCII_WORD = re.compile(r"[a-z0-9]+")
_NO_DECOMPOSITION = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ħ": "h", "\u0131": "i", "ł": "l", "ŧ": "t"}
)
"""Latin letters that Unicode does not take apart."""


def identifier(written: str) -> str:
    """A parser of an explicit id: no slash, no line break or tab, at most `LONGEST` characters."""
    if "/" in written:
        raise FieldError(f"{quote(written)} has a slash in it, which window ids are divided by")
    if line(written) != written:
        raise FieldError(f"{quote(written)} has a line break or tab in it")
    if len(written) > LONGEST:
        raise FieldError(f"{quote(written)} is longer than {LONGEST} characters")
    return written


def slug(*words: str) -> str:
    """Return the words in lower case with dashes between them: "Acme Corp", "Engineer" -> acme-corp-engineer.

    Latin letters lose their accents (NFKD), so that such an id is ASCII. Letters of other scripts stay as they are,
    whole and composed (NFC). Empty where there is no letter or digit at all.
    """
    joined = " ".join(words).casefold()
    if joined.isascii():
        return "-".join(_ASCII_WORD.findall(joined))[:LONGEST].strip("-")
    folded = unicodedata.normalize("NFKD", joined.translate(_NO_DECOMPOSITION))
    kept: list[str] = []
    after_latin = False
    for character in folded:
        is_mark = unicodedata.category(character).startswith("M")
        if is_mark and after_latin:
            continue
        if not is_mark:
            after_latin = character.isascii()
        kept.append(character if character.isalnum() or is_mark else " ")
    return unicodedata.normalize("NFC", "-".join("".join(kept).split()))[:LONGEST].strip("-")
