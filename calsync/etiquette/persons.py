"""Who is one person: contacts that share an e-mail address or a phone number, or a name at a company.

`docs/etiquette.md`, "The contact guard": the shared addresses are transitive; name and company link only where one of
the two has neither address nor number, and only if that leaves no doubt.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable

from calsync.model import Application, Contact

_LETTER = re.compile(r"[^\W\d_]")
_NO_DIGITS = re.compile("[^0-9]+")

Group = tuple[Application, ...]
"""The applications that lead to one person."""

Phone = Callable[[str, str | None], str]
"""One spelling for a phone number, given the country it is written in: "+13125550100"."""


def persons(applications: Iterable[Application], phone: Phone) -> list[Group]:
    """Group the applications by the person who is contacted for them, in the order of their first one."""
    applications = tuple(applications)
    groups = _Groups(len(applications))
    comparable = _comparable(application.contact.phone for application in applications)
    for same in _alike(applications, lambda application: _addresses(application.contact, phone, comparable)):
        groups.join(same)
    reachable = [bool(application.contact.email or application.contact.phone) for application in applications]
    for same in _alike(applications, _name_at_company):
        known = {groups.root(number) for number in same if reachable[number]}
        if len(known) <= 1:
            groups.join(same)
    return [tuple(applications[number] for number in group) for group in groups.all()]


def _alike(applications: tuple[Application, ...], keys: Callable[[Application], Iterable[Hashable]]) -> list[list[int]]:
    """The numbers of the applications that have a key in common, for each key that several have."""
    found: defaultdict[Hashable, list[int]] = defaultdict(list)
    for number, application in enumerate(applications):
        for key in keys(application):
            found[key].append(number)
    return [numbers for numbers in found.values() if len(numbers) > 1]


def _addresses(contact: Contact, phone: Phone, comparable: Collection[str]) -> Iterable[Hashable]:
    if contact.email:
        yield "email", plain(contact.email)
    number = contact.phone
    if number and number in comparable and (spelled := phone(number, contact.country)):
        yield "phone", spelled


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


def _name_at_company(application: Application) -> Iterable[Hashable]:
    if application.contact.name:
        yield plain(application.contact.name), plain(application.company)


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
