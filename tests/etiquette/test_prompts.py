"""What stands beside the current window: `ask-before-leaving`, `thank-you`, `offer-deadline`.

Days are of 2026 unless said. 12 November is a Thursday.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from calsync import model as m
from tests.etiquette.asking import INTERVIEW, POLICY, app, on, pausing, see, windows_of

THANKS = replace(POLICY, thank_you=True)

# ------------------------------------------------------------------------------- ask-before-leaving


def prompt_of(interview: m.Interview, today: str) -> m.Window:
    prompts = [window for window in windows_of(app(interview), today) if window.rule == "ask-before-leaving"]
    return prompts[0]


BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("at", "ends"),
    [
        (datetime(2026, 11, 12, 14, tzinfo=BERLIN), datetime(2026, 11, 12, 13, tzinfo=UTC)),
        # the first moment of summer time, and both of the hour that comes twice
        (datetime(2026, 3, 29, 3, tzinfo=BERLIN), datetime(2026, 3, 29, 1, tzinfo=UTC)),
        (datetime(2026, 10, 25, 2, 5, tzinfo=BERLIN), datetime(2026, 10, 25, 0, 5, tzinfo=UTC)),
        (datetime(2026, 10, 25, 2, 5, tzinfo=BERLIN, fold=1), datetime(2026, 10, 25, 1, 5, tzinfo=UTC)),
        # at midnight the prompt begins on the day before
        (datetime(2026, 11, 12, tzinfo=UTC), datetime(2026, 11, 12, tzinfo=UTC)),
    ],
)
def test_ask_before_leaving_ends_when_the_interview_starts(at, ends):
    interview = m.Interview(day=at.date(), at=at)
    prompt = prompt_of(interview, at.date().isoformat())
    assert (prompt.starts, prompt.ends) == (ends - timedelta(minutes=15), ends)
    assert prompt.starts.utcoffset() == prompt.ends.utcoffset() == timedelta(0)
    assert (prompt.by, prompt.state, prompt.interview) == (None, m.State.FIRM, interview)


def test_an_interview_in_a_zone_ahead_is_on_the_day_of_the_user():
    """9 o'clock on Friday in Tokyo is Thursday evening in Chicago: the user's Thursday counts for all windows."""
    at = datetime(2026, 11, 13, 9, tzinfo=timezone(timedelta(hours=9)))
    interview = m.Interview(day=on("11-12"), at=at)
    assert see(app(interview), "11-12")[:2] == [
        "ask-before-leaving/1 None 11-12..11-12 firm",
        "interview-follow-up/1.1 call 11-16..11-20 firm",
    ]
    assert prompt_of(interview, "11-12").ends == datetime(2026, 11, 13, tzinfo=UTC)


def test_ask_before_leaving_is_for_that_day_where_no_time_is_known():
    prompt = prompt_of(INTERVIEW, "11-05")
    assert (prompt.opens, prompt.closes, prompt.days) == (INTERVIEW.day, INTERVIEW.day, (INTERVIEW.day,))
    assert (prompt.starts, prompt.ends) == (None, None)


@pytest.mark.parametrize(
    ("today", "prompts"),
    [("11-01", ["1", "2", "3"]), ("11-12", ["1", "2", "3"]), ("11-13", ["2", "3"]), ("12-25", [])],
)
def test_every_interview_ahead_has_its_prompt(today, prompts):
    """Weekends, pauses and holidays do not count; each keeps its number."""
    interviews = [INTERVIEW, m.Interview(day=on("11-28")), m.Interview(day=on("12-24"))]
    lines = see(app(*interviews), today, pausing("11-01", "12-31"))
    found = [line for line in lines if line.startswith("ask-before-leaving")]
    assert [line.split("/")[1].split()[0] for line in found] == prompts


# ---------------------------------------------------------------------------------------- thank-you


@pytest.mark.parametrize(
    ("interview", "today", "policy", "line"),
    [
        ("11-12", "11-12", THANKS, "thank-you/1 email 11-13..11-13 firm"),
        ("11-12", "11-13", THANKS, "thank-you/1 email 11-13..11-13 firm"),
        ("11-12", "11-11", THANKS, "thank-you/1 email 11-13..11-13 tentative"),
        ("11-12", "11-14", THANKS, None),
        ("11-12", "11-12", POLICY, None),
        ("11-13", "11-13", THANKS, "thank-you/1 email 11-16..11-16 firm"),  # after a Friday
        ("11-12", "11-12", pausing("11-13", "11-16", THANKS), "thank-you/1 email 11-17..11-17 firm"),
    ],
)
def test_thank_you_is_on_the_business_day_after(interview, today, policy, line):
    lines = see(app(m.Interview(day=on(interview))), today, policy)
    assert [each for each in lines if each.startswith("thank-you")] == ([line] if line else [])


@pytest.mark.parametrize(
    ("event", "thanked"),
    [
        (m.Offer(day=on("11-12")), ["1"]),  # thanks are due all the same
        (m.Ended(day=on("11-12"), how=m.Ending.REJECTED), []),
        (m.Heard(day=on("11-12")), ["1"]),
    ],
)
def test_thank_you_is_dropped_by_an_end_alone(event, thanked):
    lines = see(app(INTERVIEW, event), "11-12", THANKS)
    assert [line.split("/")[1].split()[0] for line in lines if line.startswith("thank-you")] == thanked


# ----------------------------------------------------------------------------------- offer-deadline


@pytest.mark.parametrize(
    ("offer", "respond_by", "opens"),
    [
        ("11-12", "11-20", "11-18"),
        ("11-12", "11-24", "11-20"),  # Sunday two days before: the Friday
        ("11-12", "11-22", "11-20"),  # closes on a Sunday all the same
        ("11-12", "11-13", "11-12"),  # never before the offer
        ("11-12", "11-12", "11-12"),
        ("11-14", "11-15", "11-14"),  # a weekend: no business day in it
    ],
)
@pytest.mark.parametrize("policy", [POLICY, pausing("11-01", "12-31")], ids=["", "paused"])
def test_offer_deadline_opens_two_days_before(offer, respond_by, opens, policy):
    """Pauses do not move it."""
    application = app(m.Offer(day=on(offer), respond_by=on(respond_by)))
    (window,) = windows_of(application, offer, policy)
    assert (window.opens, window.closes, window.state) == (on(opens), on(respond_by), m.State.FIRM)
    assert (window.id, window.by) == ("a/offer-deadline/1", None)
    assert window.days


@pytest.mark.parametrize(("today", "lines"), [("11-20", 1), ("11-21", 0)])
def test_offer_deadline_is_gone_once_it_is_past(today, lines):
    assert len(see(app(m.Offer(day=on("11-12"), respond_by=on("11-20"))), today)) == lines
