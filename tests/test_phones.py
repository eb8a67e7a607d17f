"""Telephone numbers: one spelling for identity, the international one for the calendar, none refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calsync import phones
from calsync.etiquette.persons import persons
from calsync.model import Application, Contact


@pytest.mark.parametrize(
    ("number", "country", "spelled"),
    [
        ("+1 312 555 0100", None, "+13125550100"),
        ("(312) 555-0100", "US", "+13125550100"),
        ("312.555.0100", "US", "+13125550100"),
        ("001 312 555 0100", "DE", "+13125550100"),
        ("001 312 555 0100", None, "+13125550100"),
        ("030 1234567", "DE", "+49301234567"),
        ("+49 (0)30 1234567", "FR", "+49301234567"),
        ("+39 06 1234567", None, "+39061234567"),  # Italy keeps its zero
        ("1-800-FLOWERS", "US", "+18003569377"),
        ("312 555 0100 ext. 7", "US", "+13125550100;ext=7"),
        ("030 1234567", None, "0301234567"),  # in which country? its digits, then
        ("1", "DE", "1"),
        ("ask at the desk", "DE", ""),
        ("030 1234567", "XX", "0301234567"),
    ],
)
def test_a_number_has_one_spelling_however_it_is_written(number, country, spelled):
    assert phones.spelled(number, country) == spelled


@pytest.mark.parametrize(
    ("number", "country", "shown"),
    [
        ("+1 312 555 0100", "DE", "+1 312 555 0100"),
        ("+1 (312) 555-0100", None, "+1 (312) 555-0100"),  # as they wrote it
        ("(312) 555-0100", "US", "+1 312-555-0100"),
        ("030 1234567", "DE", "+49 30 1234567"),
        ("0049 30 1234567", None, "+49 30 1234567"),
        ("030 1234567", None, "030 1234567"),
        ("1", "DE", "1"),
        ("ask at the desk", "DE", "ask at the desk"),
    ],
)
def test_a_national_number_is_shown_as_one_dials_it_from_abroad_and_others_as_they_were_written(number, country, shown):
    assert phones.international(number, country) == shown


@pytest.mark.parametrize(
    ("number", "country", "link"),
    [
        ("+1 312 555 0100", None, "tel:+13125550100"),
        ("030 1234567", "DE", "tel:+49301234567"),
        ("312 555 0100 x7", "US", "tel:+13125550100;ext=7"),
        ("030 1234567", None, ""),
        ("ask at the desk", "DE", ""),
    ],
)
def test_a_link_dials_the_whole_number_and_there_is_none_for_what_cannot_be_dialled(number, country, link):
    assert phones.link(number, country) == link


def two(first, second, country=None):
    """Whether two applications with these numbers lead to one person, in a journal whose config names `country`."""
    contacts = (Contact(phone=number, country=own) for number, own in (first, second))
    applications = [Application(id=f"a{n}", company="Acme", contact=each) for n, each in enumerate(contacts)]
    return len(persons(applications, phones.spelling(country))) == 1


def test_the_country_of_the_contact_comes_before_that_of_the_config():
    assert two(("030 1234567", None), ("+49 30 1234567", None), "DE")
    assert two(("030 1234567", "DE"), ("+49 30 1234567", None), "US")
    assert not two(("030 1234567", None), ("+49 30 1234567", None), "FR")
    assert not two(("030 1234567", "FR"), ("+49 30 1234567", None), "DE")


def test_numbers_that_cannot_be_read_are_alike_by_their_digits():
    assert two(("12 / 34", None), ("1234", None))
    assert not two(("12 / 34", None), ("1235", None))


def test_two_extensions_of_one_switchboard_are_two_persons():
    assert not two(("+1 312 555 0100 ext. 1", None), ("+1 312 555 0100 ext. 2", None))


@given(st.text(max_size=40), st.sampled_from([None, "DE", "US", "XX"]))
def test_no_number_is_refused(number, country):
    assert isinstance(phones.spelled(number, country), str)
    assert phones.international(number, country) or not number
    assert phones.link(number, country) in ("", f"tel:{phones.spelled(number, country)}")


def test_a_number_that_nobody_shares_is_not_looked_at():
    asked = []

    def phone(number, country):
        asked.append(number)
        return phones.spelled(number, country)

    numbers = "+1 312 555 0100", "+1 312 555 0101", "(312) 555-0100"
    contacts = (Contact(phone=number, country="US") for number in numbers)
    applications = [Application(id=f"a{n}", company="Acme", contact=each) for n, each in enumerate(contacts)]
    assert [len(group) for group in persons(applications, phone)] == [2, 1]
    assert set(asked) == {"+1 312 555 0100", "(312) 555-0100"}


def test_letters_may_stand_for_digits():
    assert two(("1-800-FLOWERS", "US"), ("+1 800 356 9377", None))


def test_digits_of_other_scripts_are_digits():
    assert two(("+\N{ARABIC-INDIC DIGIT ONE} 312 555 010\N{ARABIC-INDIC DIGIT ZERO}", None), ("+1 312 555 0100", None))


ways = st.sampled_from(["+49 30 {}", "0049 30 {}", "030 {}", "(030) {}", "+49 (0)30 {}", "+4930{}", "+49 30 {} ext. 7"])


@given(st.lists(st.tuples(ways, st.sampled_from(["1234567", "7654321", "1230000"])), min_size=2, max_size=6))
def test_the_same_numbers_make_the_same_persons_however_they_are_written(written):
    contacts = (Contact(phone=way.format(number)) for way, number in written)
    applications = [Application(id=f"a{n}", company="Acme", contact=each) for n, each in enumerate(contacts)]
    found = persons(applications, phones.spelling("DE"))
    spelled = {phones.spelled(way.format(number), "DE") for way, number in written}
    assert len(found) == len(spelled)
