"""The words of a reminder: what to do, why, what to say, how to mark it done."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from calsync.etiquette.bringing import bring
from calsync.etiquette.rules import PROMPTS, RULES
from calsync.model import Application, Channel, Contact, Contacted, Ended, Ending, State, Window
from tests.words import WORDS

DANA = Contact(name="Dana Ruiz", email="dana@acme.example", phone="+1 312 555 0100")
ACME = Application(
    id="acme-data-engineer",
    company="Acme",
    role="Data Engineer",
    url="https://acme.example/jobs/42",
    contact=DANA,
    strengths=("ran Kafka at 2 GB/s", "likes {braces}"),
    articles=("https://example.org/one", "https://example.org/two"),
)
CALL = Window(
    id="acme-data-engineer/application-call/1",
    rule="application-call",
    applications=(ACME,),
    by=Channel.CALL,
    opens=date(2026, 11, 9),
    closes=date(2026, 11, 13),
    state=State.FIRM,
    why=("applied on Wed 4 Nov", "a call the following week"),
)
CHECK_IN = replace(CALL, id="acme-data-engineer/check-in/1.1", rule="check-in", by=Channel.EMAIL)
EVERY_RULE = sorted({*RULES, *PROMPTS})


def described(window, words=WORDS):
    """The text of a window that brings what its applications have."""
    (brought,) = bring([window], window.applications, date(2026, 12, 31))
    return words.description(brought)


def with_events(*events):
    return replace(CHECK_IN, applications=(replace(ACME, events=events),))


@pytest.mark.parametrize(
    ("window", "title"),
    [
        (CALL, "Call Dana Ruiz at Acme (by Fri 13 Nov)"),
        (CHECK_IN, "E-mail Dana Ruiz at Acme (by Fri 13 Nov)"),
        (replace(CHECK_IN, by=Channel.ANY), "Contact Dana Ruiz at Acme (by Fri 13 Nov)"),
        (replace(CALL, applications=(replace(ACME, contact=Contact()),)), "Call Acme (by Fri 13 Nov)"),
        (
            replace(CALL, applications=(ACME, replace(ACME, company="Beta"), ACME)),
            "Call Dana Ruiz at Acme and Beta (by Fri 13 Nov)",
        ),
        (replace(CALL, rule="ask-before-leaving", by=None), "Before you leave Acme: ask the three questions"),
        (replace(CALL, rule="thank-you", by=Channel.EMAIL), "Thank Dana Ruiz at Acme by e-mail"),
        (replace(CALL, rule="offer-deadline", by=None), "Answer the offer of Acme (by Fri 13 Nov)"),
        (replace(CALL, state=State.DONE, done_by=Channel.EMAIL), "✓ E-mailed Dana Ruiz at Acme"),
        (replace(CALL, state=State.DONE), "✓ Called Dana Ruiz at Acme"),
        (replace(CALL, state=State.DONE, by=None), "✓ Contacted Dana Ruiz at Acme"),
        (replace(CALL, rule="thank-you", by=Channel.EMAIL, state=State.DONE), "✓ E-mailed Dana Ruiz at Acme"),
    ],
)
def test_the_title_says_what_to_do_with_whom_and_by_when(window, title):
    assert WORDS.summary(window) == title


def test_the_description_as_a_whole():
    assert described(CALL) == "\n".join(
        [
            "One brief, friendly call to say that there is a real person behind the résumé.",
            "Say one or two things about your experience that fit this position. Leave your name and your details.",
            "Then nothing more: if you fit, they will call.",
            "",
            "Worth saying:",
            "- ran Kafka at 2 GB/s",
            "- likes {braces}",
            "",
            "Contact: Dana Ruiz",
            "Phone: +1 312 555 0100",
            "Dial: tel:+13125550100",
            "E-mail: dana@acme.example",
            "",
            "Company: Acme",
            "Role: Data Engineer",
            "Advertisement: https://acme.example/jobs/42",
            "",
            "Why these days (Mon 9 Nov to Fri 13 Nov):",
            "- applied on Wed 4 Nov",
            "- a call the following week",
            "",
            "When you have done it, write it into your journal, under the events of 'acme-data-engineer':",
            "  - contacted: YYYY-MM-DD",
            "If they answer, write '- heard: YYYY-MM-DD'.",
        ]
    )


@pytest.mark.parametrize("by", [*Channel, None])
@pytest.mark.parametrize("rule", EVERY_RULE)
def test_every_rule_says_what_to_do_and_why(rule, by):
    window = replace(CALL, rule=rule, by=by)
    paragraphs = described(window).split("\n\n")
    assert len(paragraphs[0]) > 40
    assert "Why these days (Mon 9 Nov to Fri 13 Nov):\n- applied on Wed 4 Nov" in described(window)
    assert len(WORDS.summary(window)) < 80


@pytest.mark.parametrize("rule", EVERY_RULE)
def test_what_is_a_touch_says_what_to_say_and_how_to_mark_it_done_and_what_is_none_does_not(rule):
    touch, prompt = (described(replace(CALL, rule=rule, by=by)) for by in (Channel.CALL, None))
    for text in ("ran Kafka at 2 GB/s", "- contacted: YYYY-MM-DD", "under the events of 'acme-data-engineer'"):
        assert text in touch
        assert text not in prompt


def test_the_questions_before_leaving_are_the_articles_three():
    text = described(replace(CALL, rule="ask-before-leaving", by=None))
    for words in ("next steps", "timeline", "a call or an e-mail", "next week"):
        assert words in text.split("\n\n")[0]


def test_thanks_are_marked_as_such_for_no_rule_counts_them():
    thanks = described(replace(CALL, rule="thank-you", by=Channel.EMAIL))
    assert "  - contacted: YYYY-MM-DD\n    thanks: true\n" in thanks
    assert "thanks: true" not in described(CALL)


def test_one_touch_for_several_applications_is_written_down_once():
    both = replace(CALL, applications=(ACME, replace(ACME, id="beta", company="Beta", strengths=("speaks Rust",))))
    text = described(both)
    assert "under the events of 'acme-data-engineer' or 'beta':" in text
    assert "- speaks Rust" in text
    assert "Company: Acme\n" in text
    assert "Company: Beta\n" in text
    assert text.count("Phone:") == 1


@pytest.mark.parametrize(
    ("events", "proposed"),
    [
        ((), "https://example.org/one"),
        ((Contacted(day=date(2026, 11, 3)),), "https://example.org/one"),
        ((Contacted(day=date(2026, 11, 3), article="https://example.org/one"),), "https://example.org/two"),
        ((Contacted(day=date(2026, 11, 3), article="https://example.org/two"),), "https://example.org/one"),
        (
            (
                Contacted(day=date(2026, 11, 3), article="https://example.org/two"),
                Contacted(day=date(2026, 11, 5), article="https://example.org/one"),
            ),
            None,
        ),
        ((Ended(day=date(2026, 11, 5), how=Ending.CLOSED),), "https://example.org/one"),
    ],
)
def test_a_check_in_proposes_the_first_article_that_was_not_sent(events, proposed):
    text = described(with_events(*events))
    lines = [line for line in text.split("\n") if line.startswith("Article to send")]
    assert lines == ([f"Article to send: {proposed}"] if proposed else [])


@pytest.mark.parametrize("rule", [rule for rule in EVERY_RULE if rule != "check-in"])
def test_only_a_check_in_proposes_an_article(rule):
    assert "example.org" not in described(replace(CALL, rule=rule))


def test_what_is_done_says_when_and_asks_for_nothing():
    done = described(replace(CALL, state=State.DONE, done_on=date(2026, 11, 10)))
    assert done.startswith("Done on Tue 10 Nov.\n\nContact: Dana Ruiz")
    assert "contacted:" not in done
    assert "Worth saying" not in done
    assert described(replace(CALL, state=State.DONE)).startswith("Done.\n")


def test_what_is_not_known_leaves_no_empty_lines_or_labels():
    bare = replace(CALL, applications=(Application(id="acme", company="Acme"),))
    text = described(bare)
    assert "\n\n\n" not in text
    assert not [line for line in text.split("\n") if line.endswith(": ")]
    assert "None" not in text


words = st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="{}"), min_size=1, max_size=30)
contacts = st.builds(Contact, name=st.none() | words, email=st.none() | words, phone=st.none() | words)
applications = st.builds(
    Application,
    id=words,
    company=words,
    role=st.none() | words,
    url=st.none() | words,
    contact=contacts,
    strengths=st.lists(words, max_size=2).map(tuple),
    articles=st.lists(words, max_size=2).map(tuple),
)
windows = st.builds(
    replace,
    st.just(CALL),
    rule=st.sampled_from(EVERY_RULE),
    applications=st.lists(applications, min_size=1, max_size=3).map(tuple),
    by=st.none() | st.sampled_from(list(Channel)),
    state=st.sampled_from(list(State)),
    done_on=st.none() | st.just(date(2026, 11, 10)),
    done_by=st.none() | st.sampled_from(list(Channel)),
    why=st.lists(words, max_size=3).map(tuple),
)


@given(windows)
def test_whatever_the_window_no_placeholder_is_left_and_the_title_is_one_line(window):
    title, text = WORDS.summary(window), described(window)
    assert not {"{", "}"} & {*title, *text}
    assert "\n" not in title
    assert title.strip()
    assert text.strip()
    assert (title, text) == (WORDS.summary(window), described(window))


@given(windows, st.sampled_from(["{", "}", "{company}", "{0}", "%s", "{way}"]))
def test_signs_that_mean_something_to_programs_stay_as_they_were_written(window, sign):
    lead = replace(window.applications[0], company=sign, contact=Contact(name=sign))
    window = replace(window, applications=(lead,))
    assert sign in WORDS.summary(window)
    assert f"Company: {sign}" in described(window)
