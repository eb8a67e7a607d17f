"""Who is one person: contacts that share an e-mail address or a phone number, or a name at a company.

`docs/etiquette.md`, "The contact guard": the shared addresses are transitive; name and company link only where one of
the two has neither address nor number, and only if that leaves no doubt.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable

from calsync.model import Application

_LETTER = re.compile(r"[^\W\d_]")
_NO_DIGITS = re.compile("[^0-9]+")

Group = tuple[Application, ...]
"""The applications that lead to one person."""

Phone = Callable[[str, str | None], str]
"""One spelling for a phone number, given the country it is written in: "+13125550100"."""


def persons(applications: Iterable[Application], phone: Phone) -> list[Group]:
    """Group the applications by the person who is contacted for them, in the order of their first one."""
    applications = tuple(applications)
    contacts = [application.contact for application in applications]
    groups = _Groups(len(applications))
    for same in _alike(contact.email and plain(contact.email) for contact in contacts):
        groups.join(same)
    comparable = _comparable(contact.phone for contact in contacts)
    for same in _alike(
        contact.phone and contact.phone in comparable and phone(contact.phone, contact.country) for contact in contacts
    ):
        groups.join(same)
    for namesakes in _alike(contact.name and plain(contact.name) for contact in contacts):
        for places in _alike(plain(applications[number].company) for number in namesakes):
            same = [namesakes[place] for place in places]
            known = {groups.root(number) for number in same if contacts[number].email or contacts[number].phone}
            if len(known) <= 1:
                groups.join(same)
    return [tuple(applications[number] for number in group) for group in groups.all()]


def _alike(keys: Iterable[str | bool | None]) -> list[list[int]]:
    """The places of the keys that are alike, for each key that stands in several places; nothing is no key."""
    found: defaultdict[str | bool, list[int]] = defaultdict(list)
    for number, key in enumerate(keys):
        if key:
            found[key].append(number)
    return [numbers for numbers in found.values() if len(numbers) > 1]


def _comparable(numbers: Iterable[str | None]) -> Collection[str]:
    """The numbers that may be the same as another: to find the spelling of the rest would be in vain.

    Two ways to write a number end with the same digits, unless letters stand for some (1-800-FLOWERS): with the same
    seven where both have more than that, else with the same four, as the shortest national numbers have.
    """
    written = [number for number in numbers if number]
    if any(_LETTER.search(number) for number in written):
        return set(written)
    read = [digits(number, None) for number in written]
    long = Counter(each[-7:] for each in read)
    short = {each[-4:] for each in read if len(each) < 8}
    return {number for number, each in zip(written, read, strict=True) if long[each[-7:]] > 1 or each[-4:] in short}


def plain(text: str) -> str:
    """`text` without regard to case, accents and spaces around and between words."""
    if text.isascii():
        return " ".join(text.casefold().split())
    letters = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(each for each in letters if not unicodedata.combining(each)).split())


def digits(number: str, _country: str | None) -> str:
    """A phone number by its digits alone, without the zeros that stand for a plus."""
    if number.isascii():
        return _NO_DIGITS.sub("", number).removeprefix("00")
    return "".join(str(unicodedata.decimal(each)) for each in number if each.isdecimal()).removeprefix("00")


class _Groups:
    """Numbers from 0 on that are joined into groups (a disjoint-set forest)."""

    def __init__(self, count: int) -> None:
        self._parents = list(range(count))

    def root(self, number: int) -> int:
        """The first number of the group that `number` is in."""
        while self._parents[number] != number:
            self._parents[number] = self._parents[self._parents[number]]
            number = self._parents[number]
        return number

    def join(self, numbers: list[int]) -> None:
        """Make one group of all that `numbers` are in."""
        roots = [self.root(number) for number in numbers]
        first = min(roots)
        for root in roots:
            self._parents[root] = first

    def all(self) -> list[list[int]]:
        """The groups, and the numbers in each, in order."""
        found: defaultdict[int, list[int]] = defaultdict(list)
        for number in range(len(self._parents)):
            found[self.root(number)].append(number)
        return list(found.values())
