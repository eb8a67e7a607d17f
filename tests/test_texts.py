"""The catalogue of texts, and the user's own over it: by rule and part, each mistake with its place."""

import subprocess
import sys
from datetime import date
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from msgspec.structs import replace

from calsync import config, sync, texts
from calsync.errors import ConfigError
from calsync.etiquette.rules import PROMPTS, RULES
from calsync.model import Application, Applied, Channel, Contact, Ended, Ending, Heard, Interview, Me, State, Window
from calsync.texts import Texts, values_of
from calsync.wording import Wording
from calsync.workdays import DAY, say
from tests.words import WORDS

DANA = Contact(name="Dana Ruiz", email="dana+jobs@acme.example", phone="(312) 555-0100", country="US")
ACME = Application(
    id="acme", company="Acme", role="Data Engineer", contact=DANA, events=(Applied(day=date(2026, 11, 4)),)
)
CALL = Window(
    id="acme/application-call/1",
    rule="application-call",
    applications=(ACME,),
    by=Channel.CALL,
    opens=date(2026, 11, 9),
    closes=date(2026, 11, 13),
    state=State.FIRM,
    strengths=("ran Kafka at 2 GB/s", "50 % faster & cheaper"),
)
MAIL = replace(
    CALL, id="acme/check-in/1.1", rule="check-in", by=Channel.EMAIL, articles=("https://example.org/a?b=c&d",)
)
ALICE = Me(name="Alice Doe", phone="+49 30 1234567", email="alice@example.org")
EVERY_RULE = sorted({*RULES, *PROMPTS})


def lines(window, words=WORDS):
    return words.description(window).split("\n")


def changed(application, **fields):
    return replace(CALL, applications=(replace(application, **fields),))


# The catalogue.


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_a_catalogue_has_a_text_for_each_rule_and_part(language):
    say_part = Texts(language).say
    for section in (*EVERY_RULE, "done"):
        rule = "check-in" if section == "done" else section
        for part in texts.PARTS:
            for values in texts._samples(rule, part):
                assert isinstance(say_part(section, part, values), str)
        full = next(iter(texts._samples(rule, "description")))
        assert say_part(section, "summary", full)
        assert say_part(section, "advice", full)


def test_days_are_as_everywhere_else():
    day = date(2026, 1, 1)
    for _ in range(366):
        values = {"weekday": day.weekday(), "day": day.day, "month": day.month}
        assert Texts().say("any", "date", values) == say(day)
        day += DAY


def test_a_template_may_name_what_there_is():
    seen = {}

    def listen(section, part, values):
        seen[part] = set(values)
        return Texts().say(section, part, values)

    words = Wording(listen)
    words.summary(MAIL)
    words.description(MAIL)
    assert {part: set(values_of(part)) - names for part, names in seen.items()} == {part: set() for part in texts.PARTS}


# What a reminder says.


@pytest.mark.parametrize(
    ("events", "line"),
    [
        ((Applied(day=date(2026, 11, 4)),), "Refer to your application of Wed 4 Nov (Data Engineer)."),
        ((Interview(day=date(2026, 11, 5)),), "Refer to the interview of Thu 5 Nov (Data Engineer)."),
        (
            (Applied(day=date(2026, 10, 1)), Interview(day=date(2026, 10, 20)), Interview(day=date(2026, 11, 5))),
            "Refer to the interview of Thu 5 Nov (Data Engineer).",
        ),
        (
            (Interview(day=date(2026, 11, 5)), Interview(day=date(2026, 12, 1))),  # planned, after this window
            "Refer to the interview of Thu 5 Nov (Data Engineer).",
        ),
        (
            (Interview(day=date(2026, 10, 20)), Applied(day=date(2026, 10, 21))),  # of no account after an interview
            "Refer to the interview of Tue 20 Oct (Data Engineer).",
        ),
        (
            (
                Interview(day=date(2026, 10, 20)),
                Ended(day=date(2026, 10, 21), how=Ending.CLOSED),
                Applied(day=date(2026, 11, 4)),
            ),
            "Refer to your application of Wed 4 Nov (Data Engineer).",
        ),
        ((Heard(day=date(2026, 11, 4)),), None),
        ((), None),
    ],
)
def test_it_names_the_role_and_the_day_to_refer_to(events, line):
    found = [each for each in lines(changed(ACME, events=events)) if each.startswith("Refer to")]
    assert found == ([line] if line else [])


def test_it_says_what_to_leave():
    assert "Leave: Alice Doe, +49 30 1234567, alice@example.org" in lines(CALL, Wording(Texts().say, ALICE))
    assert "Leave: Alice Doe" in lines(CALL, Wording(Texts().say, Me(name="Alice Doe")))
    assert not [line for line in lines(CALL) if line.startswith("Leave:")]
    prompt = replace(CALL, rule="ask-before-leaving", by=None)
    assert not [line for line in lines(prompt, Wording(Texts().say, ALICE)) if line.startswith("Leave:")]


def test_without_an_article_it_says_to_find_one():
    assert "Article to send: https://example.org/a?b=c&d" in lines(MAIL)
    [advice] = [line for line in lines(replace(MAIL, articles=())) if "article is left" in line]
    assert "look for a recent one" in advice


def test_a_national_number_is_shown_and_dialled_from_abroad():
    assert WORDS.phone(CALL) == "+1 312-555-0100"
    assert {"Phone: +1 312-555-0100", "Dial: tel:+13125550100"} < set(lines(CALL))


def test_a_national_number_without_a_country_is_in_that_of_the_config():
    berlin = changed(ACME, contact=Contact(phone="030 1234567"))
    assert Wording(Texts().say, country="DE").phone(berlin) == "+49 30 1234567"
    assert WORDS.phone(berlin) == "030 1234567"
    assert "Phone: 030 1234567" in lines(berlin)
    assert not [line for line in lines(berlin) if line.startswith("Dial:")]


def test_a_number_with_a_plus_is_shown_as_it_was_written():
    abroad = changed(ACME, contact=Contact(phone="+1 (312) 555.0100"))
    assert WORDS.phone(abroad) == "+1 (312) 555.0100"
    assert "Dial: tel:+13125550100" in lines(abroad)


def mailto(window, words=WORDS):
    """Address, subject and body of the mail that a click opens."""
    [link] = [line.removeprefix("Write: ") for line in lines(window, words) if line.startswith("Write: ")]
    assert link.isascii()
    assert " " not in link
    parts = urlsplit(link)
    fields = parse_qs(parts.query, strict_parsing=True)
    assert parts.scheme == "mailto"
    return unquote(parts.path), *fields["subject"], *fields["body"]


def test_a_click_opens_a_mail_with_all_in_it():
    assert mailto(MAIL, Wording(Texts().say, ALICE)) == (
        "dana+jobs@acme.example",
        "Data Engineer",
        "\r\n".join(
            [
                "Dear Dana Ruiz,",
                "",
                "I came across this, and thought that it may interest you: https://example.org/a?b=c&d",
                "",
                "- ran Kafka at 2 GB/s",
                "- 50 % faster & cheaper",
                "",
                "I would be glad to hear from you.",
                "",
                "Kind regards",
                "Alice Doe",
                "+49 30 1234567",
                "alice@example.org",
            ]
        ),
    )


@pytest.mark.parametrize("rule", EVERY_RULE)
def test_each_rule_has_a_mail_of_its_own(rule):
    _address, subject, body = mailto(replace(MAIL, rule=rule))
    assert subject == "Data Engineer"
    assert body.startswith("Dear Dana Ruiz,\r\n\r\n")
    assert "\r\n\r\n\r\n" not in body


@pytest.mark.parametrize(
    ("by", "do_not", "links"),
    [
        (Channel.CALL, [], ["Dial"]),
        (Channel.EMAIL, [], ["Write"]),
        (Channel.ANY, [], ["Dial", "Write"]),
        (Channel.ANY, [Channel.CALL], ["Write"]),
        (Channel.ANY, [Channel.CALL, Channel.EMAIL], []),
        (Channel.CALL, [Channel.CALL], ["Dial"]),  # their later wish
        (None, [], []),
    ],
)
def test_there_is_a_link_for_what_is_meant_and_not_forbidden(by, do_not, links):
    window = replace(changed(ACME, do_not=frozenset(do_not)), by=by)
    assert [line.split(":")[0] for line in lines(window) if line.startswith(("Dial:", "Write:"))] == links


def test_what_is_done_has_no_links():
    done = replace(MAIL, state=State.DONE, by=Channel.ANY)
    assert not [line for line in lines(done) if line.startswith(("Dial:", "Write:", "Leave:", "Article"))]


def test_one_person_under_two_applications_has_the_number_and_the_address_of_either():
    bare = replace(ACME, contact=Contact(name="Dana Ruiz"))
    both = replace(CALL, applications=(bare, ACME), by=Channel.ANY)
    assert WORDS.phone(both) == "+1 312-555-0100"
    assert mailto(both)[0] == "dana+jobs@acme.example"


# The user's own.


def load(tmp_path, block):
    """The config with this text below its first two lines."""
    path = tmp_path / "config.yaml"
    path.write_text(f"timezone: UTC\napplications: a.yaml\n{block}", encoding="utf-8")
    return config.load(path, {}, tmp_path)


OWN = """\
me: {name: Alice Doe, phone: +49 30 1234567, email: alice@example.org}
language: EN
texts:
  check-in:
    summary: 'Write to {{ whom }}, {{ roles | join }}'
  any:
    advice: |
      {% if by == "email" %}
      Write.
      {% endif %}
  done: {summary: 'Done: {{ whom }}'}
"""


def test_single_texts_may_be_replaced(tmp_path):
    words = sync.words(load(tmp_path, OWN))
    assert words.summary(MAIL) == "Write to Dana Ruiz at Acme, Data Engineer"
    assert words.summary(CALL) == "Call Dana Ruiz at Acme (by Fri 13 Nov)"
    assert words.summary(replace(MAIL, state=State.DONE)) == "Done: Dana Ruiz at Acme"
    assert words.description(MAIL).startswith("Check in, briefly.")  # `any` stands behind what the rule itself says
    assert "Leave: Alice Doe, +49 30 1234567, alice@example.org" in lines(MAIL, words)


@pytest.mark.parametrize(
    "block", ["", "texts:\n", "texts: {}\n", "texts: {check-in: }\n", "texts:\n  any:\n    body:", "me:\nlanguage:\n"]
)
def test_without_texts_of_ones_own_those_of_the_catalogue_hold(tmp_path, block):
    words = sync.words(load(tmp_path, block))
    assert (words.summary(MAIL), words.description(MAIL)) == (WORDS.summary(MAIL), WORDS.description(MAIL))


@pytest.mark.parametrize(
    ("block", "place", "text"),
    [
        ("texts: x\n", "3:8", "'texts' must be a map of rules, as in {check-in: "),
        ("texts: {chekin: {summary: x}}\n", "3:9", "there is no rule 'chekin': did you mean 'check-in'?"),
        ("texts: {check-in: {sumary: x}}\n", "3:20", "unknown key 'sumary': did you mean 'summary'?"),
        ("texts: {check-in: x}\n", "3:19", "'check-in' must be a map"),
        ("texts: {check-in: {summary: [x]}}\n", "3:29", "'summary' must be text; put quotes around it, or | before it"),
        ("texts: {check-in: {summary: ''}}\n", "3:29", "texts, check-in, summary: it is empty, and a title is needed"),
        (
            "texts:\n  check-in:\n    summary: 'Write {{ whm }}'\n",
            "5:14",
            "texts, check-in, summary: no value is called 'whm': did you mean 'whom'?",
        ),
        (
            "texts:\n  check-in:\n    # mine\n    advice: |\n      Write.\n\n      About {{ rolls }}\n",
            "9:16",
            "texts, check-in, advice: no value is called 'rolls': did you mean 'roles'?",
        ),
        (
            "texts:\n  done:\n    description: |-\n      {{ advice }}\n        {% if x %}\n",
            "7:",
            "texts, done, description: Unexpected end of template",
        ),
        (
            "texts:\n  any:\n    description: |\n      one\n      two {{ me.nam }}\n",
            "7:11",
            "texts, any, description: 'dict object' has no attribute 'nam'",
        ),
        ("texts: {any: {date: '{{ opens }}'}}\n", "3:21", "texts, any, date: no value is called 'opens'"),
        ("texts: {any: {subject: '{{ body }}'}}\n", "3:24", "texts, any, subject: no value is called 'body'"),
        ("language: de\n", "3:11", "'language': 'de' is none of en"),
        ("me: Alice\n", "3:5", "'me' must be a map (name, phone, email), not text"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_column(tmp_path, block, place, text):
    with pytest.raises(ConfigError) as wrong:
        load(tmp_path, block)
    [problem] = wrong.value.problems
    assert f"{problem.line}:{problem.column}".startswith(place)
    assert problem.text.startswith(text)
    assert problem.file.endswith("config.yaml")


def test_a_mistake_that_shows_later_is_told_with_its_place_too(tmp_path):
    block = "texts:\n  any:\n    summary: |\n      {{ name }}\n      {{ roles[2] }}\n"
    with pytest.raises(ConfigError, match=r"texts, any, summary: .*no element 2"):
        load(tmp_path, block)
    words = sync.words(load(tmp_path, block.replace("roles[2]", "1 // (roles | length - 3)")))
    with pytest.raises(ConfigError, match=r"config.yaml:7:7: texts, any, summary: integer division"):
        words.summary(replace(CALL, applications=tuple(replace(ACME, role=role) for role in "abc")))


def test_windows_as_json_load_no_templates(tmp_path):
    load(tmp_path, "")
    (tmp_path / "a.yaml").write_text(
        "applications: [{company: Acme, events: [{applied: 2026-11-04}]}]\n", encoding="utf-8"
    )
    code = (
        "import sys; from calsync.cli import main; "
        "code = main(['windows', '--json', '--config', sys.argv[1]]); "
        "sys.exit(code or 'jinja2' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "config.yaml")], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
