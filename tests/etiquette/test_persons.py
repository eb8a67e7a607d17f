"""Who is one person: shared addresses, transitive; else name and company, where that leaves no doubt."""

from __future__ import annotations

import pytest

from calsync import model as m
from calsync.etiquette.persons import digits, persons, plain


def who(
    name: str | None = None, email: str | None = None, phone: str | None = None, company: str = "Acme"
) -> m.Contact:
    return m.Contact(name=name, email=email, phone=phone, subdivision=company)


def groups(*contacts: m.Contact) -> list[str]:
    """The persons, each as the numbers of the contacts that are one."""
    applications = [
        m.Application(id=str(number), company=contact.subdivision or "", contact=contact)
        for number, contact in enumerate(contacts)
    ]
    return ["".join(each.id for each in person) for person in persons(applications, digits)]


DANA = who("Dana Ruiz", "dana@acme.example", "+1 312 555 0100")


@pytest.mark.parametrize(
    ("other", "same"),
    [
        # an e-mail address, whatever else is said
        (who("Sam Lee", "dana@acme.example", "+1 312 555 0199", "Umbrella"), True),
        (who(email=" Dana@ACME.example "), True),
        (who(email="dana@umbrella.example"), False),
        # a phone number, however it is written
        (who("Sam Lee", "sam@acme.example", "+1 (312) 555-0100"), True),
        (who(phone="001 312 555 0100"), True),
        (who(phone="+1 312 555 0101"), False),
        # a name at a company, where one of the two has no address at all
        (who("Dana Ruiz"), True),
        (who("dana  ruiz", company="ACME "), True),
        (who("Dána Rüiz", company="Acmé"), True),
        (who("Dana Ruiz", company="Umbrella"), False),
        (who("Dana"), False),
        (who(), False),
        # both have one: their addresses decide
        (who("Dana Ruiz", "dana.ruiz@acme.example"), False),
        (who("Dana Ruiz", phone="+1 312 555 0199"), False),
    ],
)
def test_two_contacts_are_one_person(other, same):
    assert groups(DANA, other) == (["01"] if same else ["0", "1"])
    assert groups(other, DANA) == (["01"] if same else ["0", "1"])


def test_shared_addresses_are_transitive():
    """The first and the last share nothing but the one between them."""
    bridge = who("D. R.", "dana@acme.example", "+1 312 555 0142")
    assert groups(who(email="dana@acme.example"), who(phone="+1 312 555 0142")) == ["0", "1"]
    assert groups(who(email="dana@acme.example"), who(phone="+1 312 555 0142"), bridge) == ["012"]


def test_a_name_between_two_persons_links_neither():
    """A bare "Dana at Acme" does not link two Danas."""
    two = who("Dana Ruiz", "dana.ruiz@acme.example")
    assert groups(DANA, two, who("Dana Ruiz")) == ["0", "1", "2"]


def test_a_name_links_where_its_two_addresses_are_one_person():
    """One was written with a phone number alone, and a third contact tells that both are hers."""
    assert groups(
        who("Dana Ruiz", "dana@acme.example"),
        who("Dana Ruiz", phone="+1 312 555 0100"),
        who(None, "dana@acme.example", "+1 312 555 0100"),
        who("Dana Ruiz"),
    ) == ["0123"]


def test_bare_names_at_one_company_are_one_person():
    assert groups(who("Dana Ruiz"), who("DANA RUIZ"), who("Dana Ruiz", company="Umbrella")) == ["01", "2"]


def test_nobody_is_not_one_person():
    """Contacts of whom nothing is known are not linked by that, nor by a number without a digit."""
    assert groups(who(), who(), who(phone="unknown"), who(phone="?")) == ["0", "1", "2", "3"]


def test_persons_are_in_the_order_of_their_first_application():
    sam = who("Sam Lee", "sam@acme.example")
    assert groups(sam, DANA, who(email="dana@acme.example"), sam) == ["03", "12"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("  Dana   Ruiz ", "dana ruiz"), ("DÁNA", "dana"), ("Straße", "strasse"), ("ﬁne", "fine"), ("李", "李"), ("", "")],
)
def test_plain_text_has_no_case_accents_or_spare_spaces(text, expected):
    assert plain(text) == expected


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("+1 (312) 555-0100", "13125550100"),
        ("0013125550100", "13125550100"),
        ("0312 5550100", "03125550100"),
        ("?", ""),
    ],
)
def test_digits_alone_tell_a_number(number, expected):
    assert digits(number, None) == expected


@pytest.mark.parametrize(
    "other",
    ["0312 555 0100", "001 312 5550100", "(312) 555-0100", "312.555.0100", "5550100", "0100"],
)
def test_a_number_is_read_where_another_may_be_the_same(other):
    """With its area code or without, and however short: all end with the same digits."""
    assert asked_for("+1 312 555 0100", other) == {"+1 312 555 0100", other}


def test_numbers_that_cannot_be_the_same_are_not_read():
    """To find the one spelling of a number takes long; four digits in common are a chance of one in ten thousand."""
    assert asked_for("+1 312 555 0100", "+49 30 1230100", "+49 30 123456") == set()


def test_where_letters_stand_for_digits_all_numbers_are_read():
    assert asked_for("+1 800 FLOWERS", "+49 30 123456") == {"+1 800 FLOWERS", "+49 30 123456"}


def asked_for(*numbers):
    """The numbers of which the one spelling is asked for."""
    asked = set()

    def spelling(number, _country):
        asked.add(number)
        return number

    applications = [m.Application(id=number, company=number, contact=who(phone=number)) for number in numbers]
    persons(applications, spelling)
    return asked
