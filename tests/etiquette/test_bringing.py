"""What each touch brings: strengths and articles that this person has not had yet, in order."""

import pytest
from msgspec.structs import replace

from calsync import model as m
from calsync.etiquette import windows
from calsync.etiquette.persons import digits
from tests.etiquette.asking import APPLIED, DANA, INTERVIEW, POLICY, TOUCHED, app, holidays, on

FIVE = ("one", "two", "three", "four", "five")
LINKS = ("a.example", "b.example", "c.example")
FAR = replace(POLICY, horizon_days=60)


def brought(*applications, today, policy=FAR):
    """What each window that is not past brings, as `id: strengths | articles`."""
    return [
        f"{window.id.split('/', 1)[1]}: {' '.join(window.strengths)} | {' '.join(window.articles)}"
        for window in windows(applications, policy, on(today), holidays, digits)
        if not window.state.is_past
    ]


def full(*events, **names):
    return replace(app(*events, **names), strengths=FIVE, articles=LINKS)


@pytest.mark.parametrize(
    ("events", "today", "expected"),
    [
        ([APPLIED], "11-05", ["application-call/1: one two | "]),
        (
            [INTERVIEW],
            "11-13",
            [
                "interview-follow-up/1.1: one two | ",
                "check-in/1.1: three four | a.example",
                "check-in/1.2: five | b.example",
                "check-in/1.3:  | c.example",
            ],
        ),
        # A touch on record has said the first two; a missed window has said nothing that is on record.
        ([INTERVIEW, TOUCHED], "11-18", ["check-in/1.1: three four | a.example", "check-in/1.2: five | b.example"]),
        ([INTERVIEW], "11-23", ["check-in/1.1: one two | a.example", "check-in/1.2: three four | b.example"]),
        # Thanks and a word on the day of the interview are courtesies.
        ([INTERVIEW, m.Contacted(day=on("11-13"), thanks=True)], "11-13", ["interview-follow-up/1.1: one two | "]),
        ([INTERVIEW, m.Contacted(day=on("11-12"))], "11-13", ["interview-follow-up/1.1: one two | "]),
        # An article is used once a touch names it, in whatever order.
        (
            [INTERVIEW, m.Contacted(day=on("11-17"), article="b.example")],
            "11-18",
            ["check-in/1.1: three four | a.example", "check-in/1.2: five | c.example"],
        ),
    ],
)
def test_each_touch_says_the_next_two_and_each_check_in_sends_the_next_article(events, today, expected):
    assert brought(full(*events), today=today)[: len(expected)] == expected


def test_a_prompt_brings_nothing_and_thanks_use_nothing_up():
    policy = replace(POLICY, thank_you=True, horizon_days=0)
    found = brought(full(INTERVIEW), today="11-12", policy=policy)
    assert found == ["ask-before-leaving/1:  | ", "thank-you/1: one two | ", "interview-follow-up/1.1: one two | "]


def test_one_touch_for_two_applications_brings_what_fits_each_and_nothing_twice():
    both = (full(APPLIED, name="a"), replace(full(APPLIED, name="b"), strengths=("two", "zwei", "drei")))
    assert brought(*both, today="11-05") == ["application-call/1: one two zwei | "]
    said = replace(both[0], events=(APPLIED, m.Contacted(day=on("11-10")), m.Interview(day=on("11-12"))))
    assert brought(said, both[1], today="11-13")[0] == "interview-follow-up/1.1: three four | "


def test_an_article_that_was_sent_to_the_person_for_another_application_is_not_sent_again():
    other = replace(app(m.Contacted(day=on("11-02"), article="a.example"), name="b"), contact=DANA)
    assert brought(full(INTERVIEW, TOUCHED), other, today="11-18")[0] == "check-in/1.1: three four | b.example"
    stranger = replace(other, contact=m.Contact(name="Lee", email="lee@bolt.example"))
    assert brought(full(INTERVIEW, TOUCHED), stranger, today="11-18")[0] == "check-in/1.1: three four | a.example"


def test_what_is_past_brings_nothing():
    past = windows([full(INTERVIEW, TOUCHED)], POLICY, on("11-18"), holidays)[0]
    assert (past.state, past.strengths, past.articles) == (m.State.DONE, (), ())


def test_what_a_window_brings_does_not_change_as_days_go_by():
    days = [f"11-{day}" for day in range(13, 21)]
    assert len({tuple(brought(full(INTERVIEW), today=day)) for day in days[:4]}) == 1
