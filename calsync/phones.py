"""Telephone numbers: the spelling that tells persons apart, and the one that is shown; the only phonenumbers import.

Nothing is refused: a number that cannot be read stays as it was written. `country` is an ISO 3166 code, that of the
contact or else of the config; a number that begins with a plus needs none. The library is Google's libphonenumber in
Python, and is loaded with the first number.

Public face: `spelled` for identity (E.164), `international` for people, `link` for a click (RFC 3966).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING
from unicodedata import decimal

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber

_PLUSES = ("+", "\N{FULLWIDTH PLUS SIGN}")


def spelling(country: str | None) -> Callable[[str, str | None], str]:
    """`spelled` for numbers of which some have no country of their own: those are in `country`."""
    return lambda number, own: spelled(number, own or country)


@lru_cache(maxsize=8192)
def spelled(number: str, country: str | None) -> str:
    """The one spelling of a number: "+13125550100", an extension as in "+13125550100;ext=7".

    Its digits alone, without the zeros that stand for a plus, where it cannot be read.
    """
    import phonenumbers

    read = _read(number, country)
    if read is None:
        return "".join(str(decimal(each)) for each in number if each.isdecimal()).removeprefix("00")
    extension = f";ext={read.extension}" if read.extension else ""
    return phonenumbers.format_number(read, phonenumbers.PhoneNumberFormat.E164) + extension


@lru_cache(maxsize=1024)
def international(number: str, country: str | None) -> str:
    """A national number in international form, "+49 30 1234567"; one with a plus, or an unreadable one, as written."""
    if number.startswith(_PLUSES):
        return number
    import phonenumbers

    read = _read(number, country)
    return number if read is None else phonenumbers.format_number(read, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


@lru_cache(maxsize=1024)
def link(number: str, country: str | None) -> str:
    """What a click dials: "tel:+13125550100" (RFC 3966); empty where the number cannot be read."""
    return f"tel:{spelled(number, country)}" if _read(number, country) is not None else ""


def _read(number: str, country: str | None) -> PhoneNumber | None:
    """The number, if it is one that there can be; without a country, zeros at its start stand for a plus."""
    import phonenumbers

    if country is None and number.startswith("00"):
        number = f"+{number[2:]}"
    try:
        read = phonenumbers.parse(number, country)
    except phonenumbers.NumberParseException:
        return None
    return read if phonenumbers.is_possible_number(read) else None
