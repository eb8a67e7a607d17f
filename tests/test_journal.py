"""The journal as people write it, and every mistake in it told at once, at its place."""

import contextlib
import gc
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from calsync import journal
from calsync.errors import InputError, JournalError
from calsync.journal.applications import CONTACT_KEYS, KEYS
from calsync.journal.events import KINDS
from calsync.journal.identifiers import slug
from calsync.model import (
    Acknowledged,
    Application,
    Applied,
    Channel,
    Contact,
    Contacted,
    Ended,
    Ending,
    Heard,
    Interview,
    Offer,
    Pinned,
    Place,
    Skipped,
    Snoozed,
    unplaced,
)

BERLIN = ZoneInfo("Europe/Berlin")
D = date(2026, 11, 12)
EXAMPLE = Path(__file__).parent.parent / "applications.example.yaml"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder that we stand in, so that file names are short."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def known_places(country: str, subdivision: str | None) -> str | None:
    if country not in ("NO", "US"):
        return f"{country} is unknown"
    return None if subdivision in (None, "IL") else f"{subdivision} is unknown"


@pytest.fixture
def read(folder):
    def read(text: str, answers: str | None = None) -> journal.Journal:
        Path("j.yaml").write_text(text, encoding="utf-8")
        if answers is not None:
            Path("a.yaml").write_text(answers, encoding="utf-8")
        return journal.read([Path("j.yaml")], Path("a.yaml"), BERLIN, known_places)

    return read


def one(events: str = "", **keys: str) -> str:
    """A journal of one application, Acme, with that YAML for its keys and below `events:`."""
    lines = [f"  {key}: {value}\n" for key, value in keys.items()]
    return f"applications:\n- company: Acme\n{''.join(lines)}  events:\n{events}"


def mistakes(caught: pytest.ExceptionInfo[InputError]) -> list[str]:
    """Each problem without the line that it shows."""
    return [str(problem).split("\n")[0] for problem in caught.value.problems]


# ------------------------------------------------------------------------------------------- what is read

WHOLE = """\
applications:
  - company: Acme Corp
    role: Data Engineer
    id: 007
    url: https://acme.example/jobs/42
    location: Chicago
    contact:
      name: Dana Ruiz
      email: dana@acme.example
      phone: +4930123456
      timezone: America/Chicago
      country: no
      subdivision: IL
    do_not: [Call, email]
    strengths: [1e3, yes]
    articles: https://example.org/a
"""


def test_scalars_are_typed_by_their_field_and_not_by_how_they_look(read):
    [application] = read(WHOLE).applications
    assert application == Application(
        id="007",
        company="Acme Corp",
        role="Data Engineer",
        url="https://acme.example/jobs/42",
        location="Chicago",
        contact=Contact(
            name="Dana Ruiz",
            email="dana@acme.example",
            phone="+4930123456",
            timezone="America/Chicago",
            country="NO",
            subdivision="IL",
        ),
        do_not=frozenset({Channel.CALL, Channel.EMAIL}),
        strengths=("1e3", "yes"),
        articles=("https://example.org/a",),
        place=Place("j.yaml", 2, 5),
    )


@pytest.mark.parametrize(
    "text",
    [
        "applications:\n- company: Acme\n",
        "applications:\n- company: Acme\n  role:\n  events:\n  contact:\n  do_not:\n  strengths:\n  articles: ~\n",
        "applications:\n- company: Acme\n  role: ''\n  events: []\n  contact: {}\n  do_not: []\n  strengths: [~]\n",
        "applications:\n- {company: Acme, contact: {name: }, id: }\n",
    ],
)
def test_all_but_the_company_may_be_empty_or_absent(read, text):
    [application] = read(text).applications
    assert application == Application(id="acme", company="Acme", place=application.place)


@pytest.mark.parametrize("text", ["applications:\n", "applications: []\n", "---\napplications: ~\n"])
def test_a_journal_that_says_so_is_empty(read, text):
    assert read(text).applications == ()


@pytest.mark.parametrize(
    ("text", "event"),
    [
        ("applied: 2026-11-12", Applied(day=D)),
        ("{applied: 2026-11-12 23:30 -06:00, note: x}", Applied(day=date(2026, 11, 13), note="x")),
        ("acknowledged: 2026-11-12", Acknowledged(day=D)),
        ("interview: 2026-11-12", Interview(day=D)),
        (
            "{interview: 2026-11-12 9:30, duration: 1h30m, with: Dana, place: Room 1, timeline: 2026-11-13}",
            Interview(
                day=D,
                at=datetime(2026, 11, 12, 8, 30, tzinfo=UTC),
                duration=timedelta(minutes=90),
                interviewer="Dana",
                location="Room 1",
                timeline=date(2026, 11, 13),
            ),
        ),
        (
            "{interview: 2026-11-12T14:00:00+01:00, follow_up: {by: Email, on: 2026-11-19}}",
            Interview(
                day=D,
                at=datetime(2026, 11, 12, 13, tzinfo=UTC),
                follow_up_on=date(2026, 11, 19),
                follow_up_by=Channel.EMAIL,
            ),
        ),
        (
            "{interview: 2026-11-12 20:00, timezone: America/Los_Angeles, follow_up: }",
            Interview(day=date(2026, 11, 13), at=datetime(2026, 11, 13, 4, tzinfo=UTC)),
        ),
        (
            "{heard: 2026-11-12, by: any, follow_up: {on: 2026-11-13}}",
            Heard(day=D, by=Channel.ANY, follow_up_on=date(2026, 11, 13)),
        ),
        ("{contacted: 2026-11-12, thanks: Yes}", Contacted(day=D, thanks=True)),
        (
            "{contacted: 2026-11-12, by: call, article: a, window: x/check-in/1.1, via: calendar}",
            Contacted(day=D, by=Channel.CALL, article="a", window="x/check-in/1.1", via="calendar"),
        ),
        ("{snoozed: 2026-11-12, until: 2026-11-20}", Snoozed(day=D, until=date(2026, 11, 20))),
        ("{skipped: 2026-11-12, window: w, via: calendar}", Skipped(day=D, window="w", via="calendar")),
        (
            "{pinned: 2026-11-12, window: w, opens: 2026-11-16, closes: 2026-11-16}",
            Pinned(day=D, window="w", opens=date(2026, 11, 16), closes=date(2026, 11, 16)),
        ),
        ("offer: 2026-11-12", Offer(day=D)),
        ("{offer: 2026-11-12, respond_by: 2026-11-12}", Offer(day=D, respond_by=D)),
        *((f"{how}: 2026-11-12", Ended(day=D, how=how)) for how in Ending),
    ],
)
def test_an_event_is_read_by_the_key_that_names_its_kind(read, text, event):
    [application] = read(one(f"  - {text}\n")).applications
    assert application.events == (replace(event, place=Place("j.yaml", 4, 5)),)


def test_an_interview_keeps_the_zone_that_it_is_in(read):
    text = "  - {interview: 2026-11-12 20:00, timezone: America/Los_Angeles}\n  - interview: 2026-11-12 9:00\n"
    zones = [event.at.tzinfo for event in read(one(text)).applications[0].events]
    assert zones == [ZoneInfo("America/Los_Angeles"), BERLIN]


def test_events_stay_in_the_order_of_the_file(read):
    [application] = read(one("  - heard: 2026-11-20\n  - applied: 2026-11-12\n")).applications
    assert [type(event) for event in application.events] == [Heard, Applied]


def test_anchors_and_merge_keys_are_read(read):
    text = "applications:\n- company: A\n  contact: &c {name: Dana}\n- company: B\n  contact: {<<: *c, phone: 1}\n"
    first, second = read(text).applications
    assert (first.contact, second.contact) == (Contact(name="Dana"), Contact(name="Dana", phone="1"))


@pytest.mark.parametrize(
    ("company", "role", "id_"),
    [
        ("Acme Corp", "Data Engineer", "acme-corp-data-engineer"),
        ("Müller & Söhne GmbH", "", "muller-sohne-gmbh"),
        ("Straße", "Ærø Łódź", "strasse-aero-lodz"),
        ("株式会社 デモ", "Engineer", "株式会社-デモ-engineer"),
        ("한국", "", "한국"),
        ("हिन्दी", "", "हिन्दी"),
        ("C++ / .NET", "", "c-net"),
        ("🚀", "", ""),
        ("x" * 300, "", "x" * 200),
    ],
)
def test_an_id_is_made_of_company_and_role(company, role, id_):
    assert slug(company, role) == id_


# ------------------------------------------------------------------------------------------- what is wrong


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "j.yaml: the file is empty; a journal without applications says 'applications: []'"),
        ("# none\n", "j.yaml: the file is empty; a journal without applications says 'applications: []'"),
        ("{}", "j.yaml:1:1: 'applications:' is missing; is the file whole?"),
        ("applicat", "j.yaml:1:1: the file must begin with 'applications:' and have a list below it"),
        ("- company: Acme", "j.yaml:1:1: the file must begin with 'applications:' and have a list below it"),
        (
            "applications: Acme",
            "j.yaml:1:15: 'applications' must be a list (lines that begin with '- '), not text",
        ),
        (
            "applications: {company: Acme}",
            "j.yaml:1:15: 'applications' must be a list (lines that begin with '- '), not a map",
        ),
        ("applications: []\nnotes: x", "j.yaml:2:1: unknown key 'notes': known here are applications"),
        ("applications:\n- Acme", "j.yaml:2:3: an application must be a map, as in 'company: Acme Corp'"),
        ("applications:\n- ", "j.yaml:2:2: an application must be a map, as in 'company: Acme Corp'"),
        ("applications:\n- role: x", "j.yaml:2:3: 'company' is missing"),
        ("applications:\n- company: ", "j.yaml:2:11: 'company' is missing"),
        ("applications:\n- company: '🚀'", "j.yaml:2:12: no id can be made of these words: give one with 'id:'"),
        (
            "applications:\n- {company: A, compnay: B}",
            "j.yaml:2:16: unknown key 'compnay': did you mean 'company'?",
        ),
        (
            "applications: [{company: A, company: B}]",
            "j.yaml:1:29: the key 'company' stands here twice: first at j.yaml:1:17",
        ),
    ],
)
def test_a_file_that_is_no_journal_is_refused_and_never_taken_for_an_empty_one(read, text, wrong):
    with pytest.raises(JournalError) as caught:
        read(text)
    assert mistakes(caught) == [wrong]


@pytest.mark.parametrize(
    ("key", "value", "wrong"),
    [
        ("role", "[a, b]", "9: 'role' must be text, not a list"),
        ("role", "{a: b}", "9: 'role' must be text, not a map"),
        ("role", '"\\a"', "9: 'role': the character U+0007 may not stand here"),
        ("id", "a/b", "7: 'id': 'a/b' has a slash in it, which window ids are divided by"),
        ("id", '"a\\tb"', "7: 'id': 'a\ufffdb' has a line break or tab in it"),
        ("id", "x" * 201, f"7: 'id': '{'x' * 60}...' is longer than 200 characters"),
        ("id", "''", "7: 'id' is empty; leave the key out, and company and role give the id"),
        ("do_not", "cal", "11: 'do_not': 'cal' is none of call, email: did you mean 'call'?"),
        ("do_not", "[call, [email]]", "18: 'do_not' must be text, not a list"),
        ("do_not", "{call: yes}", "11: 'do_not' must be text, not a map"),
        ("do_not", "any", "11: 'do_not': 'any' is none of call, email"),
        ("contact", "Dana", f"12: 'contact' must be a map ({', '.join(CONTACT_KEYS)}), not text"),
        ("contact", "[]", f"12: 'contact' must be a map ({', '.join(CONTACT_KEYS)}), not a list"),
        ("contact", "{mail: x}", "13: unknown key 'mail': did you mean 'email'?"),
        ("contact", "{timezone: Oslo}", "23: 'timezone': no time zone is named 'Oslo': did you mean 'Europe/Oslo'?"),
        ("contact", "{country: xx}", "22: 'country': XX is unknown"),
        ("contact", "{country: us, subdivision: QQ}", "39: 'subdivision': QQ is unknown"),
        ("contact", "{subdivision: IL}", "26: 'subdivision' needs a 'country' beside it"),
        ("note", "x", "3: unknown key 'note': did you mean 'do_not'?"),
        ("phone", "x", "3: unknown key 'phone'"),
    ],
)  # fmt: skip
def test_a_wrong_key_or_value_is_told_at_its_column(read, key, value, wrong):
    with pytest.raises(JournalError) as caught:
        read(one(**{key: value}))
    assert [line for line in mistakes(caught) if line.startswith(f"j.yaml:3:{wrong}")] == mistakes(caught)


@pytest.mark.parametrize(
    ("event", "wrong"),
    [
        ("applied", "5: an event must be a map, as in 'applied: 2026-11-02'"),
        ("", "4: an event must be a map, as in 'applied: 2026-11-02'"),
        ("{note: x}", f"5: this event has no kind; one of {', '.join(KINDS)} must name it"),
        ("{aplied: 2026-11-12}", "6: unknown kind of event 'aplied': did you mean 'applied'?"),
        ("{xyz: 2026-11-12}", f"6: unknown kind of event 'xyz': known are {', '.join(KINDS)}"),
        (
            "{applied: 2026-11-12, heard: 2026-11-13}",
            "27: this event is of two kinds, 'applied' and 'heard': begin each with its own '- '",
        ),
        ("applied:", "5: 'applied' needs a date, as in 2026-11-12"),
        ("applied: [2026-11-12]", "14: 'applied' must be text, not a list"),
        ("applied: 2026-02-30", "14: 'applied': there is no day 2026-02-30"),
        ("{applied: 2026-11-12, duration: 1h}", "27: 'duration' does not belong to 'applied', but to interview"),
        ("{offer: 2026-11-12, by: call}", "25: 'by' does not belong to 'offer', but to heard, contacted"),
        ("{offer: 2026-11-12, respnd_by: x}", "25: unknown key 'respnd_by': did you mean 'respond_by'?"),
        ("{applied: 2026-11-12, timezone: Mars}", "37: 'timezone': no time zone is named 'Mars'"),
        ("{interview: 2026-11-12, duration: 45}", "39: 'duration': '45' is not a duration, as in 45m, 1h or 1h30m"),
        (
            "{interview: 2026-11-12, timeline: 2026-11-12}",
            "39: 'timeline' is 2026-11-12, and must be later than its event of 2026-11-12",
        ),
        (
            "{interview: 2026-11-12, timeline: 2026-11-13 10:00}",
            "39: 'timeline': '2026-11-13 10:00' has a time of day, and a day alone is meant, as in 2026-11-13",
        ),
        (
            "{heard: 2026-11-12, follow_up: {on: 2026-11-11}}",
            "41: 'on' is 2026-11-11, and must be later than its event of 2026-11-12",
        ),
        ("{heard: 2026-11-12, follow_up: 2026-11-19}", "36: 'follow_up' must be a map (by, on), not text"),
        ("{heard: 2026-11-12, follow_up: {at: x}}", "37: unknown key 'at': known here are by, on"),
        ("{contacted: 2026-11-12, by: fax}", "33: 'by': 'fax' is none of call, email, any"),
        ("{contacted: 2026-11-12, thanks: 1}", "37: 'thanks': '1' is none of true, yes, on, false, no, off"),
        ("{snoozed: 2026-11-12}", "5: 'until' is missing"),
        ("{snoozed: 2026-11-12, until: x}", "34: 'until': 'x' is not a day, as in 2026-11-12"),
        (
            "{snoozed: 2026-11-12, until: 2026-11-12}",
            "34: 'until' is 2026-11-12, and must be later than its event of 2026-11-12",
        ),
        ("{skipped: 2026-11-12}", "5: 'window' is missing"),
        ("{pinned: 2026-11-12, window: w, opens: 2026-11-12}", "5: 'closes' is missing"),
        (
            "{pinned: 2026-11-12, window: w, opens: 2026-11-12, closes: 2026-11-11}",
            "64: 'closes' is 2026-11-11, before 'opens', 2026-11-12",
        ),
        (
            "{offer: 2026-11-12, respond_by: 2026-11-11}",
            "37: 'respond_by' is 2026-11-11, before the offer of 2026-11-12",
        ),
    ],
)
def test_a_wrong_event_is_told_at_its_column(read, event, wrong):
    with pytest.raises(JournalError) as caught:
        read(one(f"  - {event}\n"))
    [mistake] = mistakes(caught)
    assert mistake.startswith(f"j.yaml:4:{wrong}")


def test_all_mistakes_of_all_files_are_told_at_once_and_in_order(folder):
    Path("1.yaml").write_text("applications:\n- company: A\n  rol: x\n  events:\n  - heard: x\n    timeline: y\n")
    Path("2.yaml").write_text("applications: [")
    Path("3.yaml").write_text("applications:\n- role: x\n- company: B\n  company: C\n")
    with pytest.raises(JournalError) as caught:
        journal.read([Path(f"{n}.yaml") for n in (1, 2, 3, 4)], None, BERLIN)
    assert [f"{problem.file}:{problem.line}:{problem.column}" for problem in caught.value.problems] == [
        "1.yaml:3:3",
        "1.yaml:5:12",
        "1.yaml:6:15",
        "2.yaml:1:16",
        "3.yaml:2:3",
        "3.yaml:4:3",
        "4.yaml:0:0",
    ]
    assert "4.yaml: there is no such file" in str(caught.value)


def test_a_mistake_that_aliases_repeat_is_told_once(read):
    with pytest.raises(JournalError) as caught:
        read("applications:\n- company: A\n  contact: &c {mail: x}\n- company: B\n  contact: *c\n")
    assert mistakes(caught) == ["j.yaml:3:16: unknown key 'mail': did you mean 'email'?"]


@pytest.mark.parametrize(
    ("second", "wrong"),
    [
        ("{company: B, id: acme}", "4:20: the id 'acme' is taken: first at j.yaml:2:3; ids must be unique"),
        (
            "{role: '', company: ACME}",
            "4:23: company and role give the id 'acme', which j.yaml:2:3 has: give one of them an 'id:'",
        ),
    ],
)
def test_ids_are_unique_and_the_second_place_names_the_first(read, second, wrong):
    with pytest.raises(JournalError) as caught:
        read(f"applications:\n- company: Acme\n\n- {second}\n")
    assert mistakes(caught) == [f"j.yaml:{wrong}"]


def test_each_place_is_looked_up_once(folder):
    asked = []
    Path("j.yaml").write_text(
        "applications:\n" + "".join(f"- {{company: C{n}, contact: {{country: us}}}}\n" for n in range(9))
    )
    journal.read([Path("j.yaml")], None, BERLIN, lambda *pair: asked.append(pair))
    assert asked == [("US", None)]


def test_the_garbage_collector_is_left_as_it_was(read):
    gc.disable()
    try:
        read(one())
        assert not gc.isenabled()
    finally:
        gc.enable()
    read(one())
    assert gc.isenabled()


# ------------------------------------------------------------------------------------- folders and answers


def test_a_folder_is_its_yaml_files_by_name_without_answers_and_hidden_ones(folder):
    jobs = Path("jobs")
    jobs.mkdir()
    for name in ("b", "a"):
        (jobs / f"{name}.yaml").write_text(f"applications: [{{company: {name}}}]")
    (jobs / "answers.yaml").write_text("applications: [{id: a, events: [contacted: 2026-11-12]}]")
    (jobs / ".#a.yaml").write_text("an editor's lock")
    (jobs / "c.yml").write_text("applications: [{company: c}]")
    found = journal.read([jobs], jobs / "answers.yaml", BERLIN)
    assert [application.id for application in found.applications] == ["a", "b"]
    assert found.applications[0].place.file == "jobs/a.yaml"
    assert [unplaced(event) for event in found.applications[0].events] == [Contacted(day=D)]
    assert found.warnings == ("jobs/c.yml: left out, as a folder's files must end in .yaml",)


def test_a_folder_without_files_is_a_mistake_and_no_empty_journal(folder):
    Path("jobs").mkdir()
    with pytest.raises(JournalError) as caught:
        journal.read([Path("jobs")], Path("jobs/answers.yaml"), BERLIN)
    assert mistakes(caught) == ["jobs: the folder has no file of applications (*.yaml) in it"]


def test_a_folder_that_cannot_be_listed_is_a_mistake(folder):
    class Locked(type(Path())):
        """A folder that its owner has locked; root may list any real one."""

        def iterdir(self):
            raise PermissionError(13, "Permission denied")

    with pytest.raises(JournalError) as caught:
        journal.read([Locked(".")], None, BERLIN)
    assert mistakes(caught) == [".: the folder cannot be read: Permission denied"]


@pytest.mark.parametrize("answers", ["", "# none yet\n", "applications:\n", None])
def test_answers_may_be_absent_or_empty(read, answers):
    assert read(one(), answers).applications[0].events == ()


def test_answers_go_behind_the_events_of_their_application(read):
    answers = """\
applications:
- id: acme
  events:
  - {contacted: 2026-11-12, via: calendar, window: acme/check-in/1.1}
- {id: acme, company: Acme, role: label, events: [{skipped: 2026-11-12, window: w}]}
- {id: acme, events: [{skipped: 2026-11-13, window: w}]}
"""
    events = read(one("  - applied: 2026-11-20\n"), answers).applications[0].events
    assert [(type(event), event.day.day) for event in events] == [
        (Applied, 20),
        (Contacted, 12),
        (Skipped, 12),
        (Skipped, 13),
    ]
    assert events[1].place.file == "a.yaml"


def test_an_answer_for_an_application_that_is_no_more_is_a_warning(read):
    found = read(one(), "applications:\n- {id: gone, events: [contacted: 2026-11-12]}\n")
    assert found.warnings == ("a.yaml:2:3: no application has the id 'gone'; what is said of it is left out",)


@pytest.mark.parametrize(
    ("answers", "wrong"),
    [
        ("applications: [x]", "a.yaml:1:16: an answer must be a map with the 'id' of its application"),
        ("applications: [{events: []}]", "a.yaml:1:16: 'id' is missing"),
        (
            "applications: [{id: acme, url: x}]",
            "a.yaml:1:27: unknown key 'url': known here are id, company, role, events",
        ),
        ("applications: [{id: acme, events: [{contacted: 2026-11", "a.yaml:1:36: this is not YAML"),
        ("applicat", "a.yaml:1:1: the file must begin with 'applications:' and have a list below it"),
    ],
)
def test_wrong_or_half_written_answers_are_refused(read, answers, wrong):
    with pytest.raises(JournalError) as caught:
        read(one(), answers)
    assert len(mistakes(caught)) == 1
    assert mistakes(caught)[0].startswith(wrong)


# ------------------------------------------------------------------------------------------ the whole floor


def test_the_example_shows_every_kind_of_event_and_every_key():
    text = EXAMPLE.read_text(encoding="utf-8")
    found = journal.read([EXAMPLE], None, BERLIN)
    assert 6 <= len(found.applications) <= 9
    assert not found.warnings
    kinds = {
        event.how.value if isinstance(event, Ended) else type(event).__name__.lower()
        for a in found.applications
        for event in a.events
    }
    assert kinds == set(KINDS)
    keys = {*KEYS, *CONTACT_KEYS, "note", "timezone", "by", "on"}
    keys |= frozenset().union(*(kind.keys for kind in KINDS.values()))
    assert [key for key in sorted(keys) if f"{key}:" not in text] == []
    assert text.startswith("# anchor: 2026-11-18\n")


@given(st.one_of(st.text(), st.text("applications: []{}\n-&*!'\"company events id x0129:-/")))
def test_any_text_is_a_journal_or_a_list_of_mistakes(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(f"applications:\n- {text}", encoding="utf-8", errors="replace")
    with contextlib.suppress(InputError):
        journal.read([path], path, BERLIN)


VALUES = st.one_of(
    st.sampled_from(
        ["NO", "no", "on", "007", "1e3", "0x1F", "12:30", "null", "~", "+49", "2026-11-12", "=", "<<", "- a", "#"]
    ),
    st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp", "Zs", "Cf"]), min_size=1, max_size=20),
).filter(lambda value: value.strip() == value != "")
DAYS = st.dates(date(2000, 1, 2), date(2199, 12, 31))
EVENTS = st.one_of(
    st.builds(lambda day, note: {"applied": day.isoformat(), "note": note}, DAYS, VALUES),
    st.builds(lambda day, by: {"contacted": day.isoformat(), "by": by}, DAYS, st.sampled_from(["call", "email"])),
    st.builds(lambda day: {"interview": f"{day} 14:00"}, DAYS),
)
APPLICATIONS = st.fixed_dictionaries(
    {"company": VALUES},
    optional={
        "role": VALUES,
        "contact": st.dictionaries(st.sampled_from(["name", "email", "phone"]), VALUES),
        "strengths": st.lists(VALUES, max_size=3),
        "events": st.lists(EVENTS, max_size=4),
    },
)


@given(st.lists(APPLICATIONS, max_size=4))
def test_what_is_written_is_what_is_read(tmp_path_factory, written):
    """A round trip through JSON, which is YAML: every text comes back as it was, whatever it looks like."""
    for number, application in enumerate(written):
        application["id"] = f"{number:03d}"
    path = tmp_path_factory.getbasetemp() / "round.yaml"
    path.write_text(json.dumps({"applications": written}, ensure_ascii=False), encoding="utf-8")
    found = journal.read([path], None, BERLIN).applications
    assert [application.id for application in found] == [application["id"] for application in written]
    for application, source in zip(found, written, strict=True):
        assert (application.company, application.role) == (source["company"], source.get("role"))
        contact = {key: getattr(application.contact, key) for key in source.get("contact", {})}
        assert contact == source.get("contact", {})
        assert list(application.strengths) == source.get("strengths", [])
        days = [next(iter(event.values()))[:10] for event in source.get("events", [])]
        assert [event.day.isoformat() for event in application.events] == days
