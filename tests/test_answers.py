"""The file of answers is only added to, or shortened by one: whatever form it has, and whatever happens meanwhile."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calsync.answers import Said, append, take_back
from calsync.errors import CalsyncError, JournalError
from calsync.fields import FieldError
from calsync.journal import read, read_answers
from calsync.journal.identifiers import identifier
from calsync.model import Contacted, Pinned, Skipped, unplaced

ZONE = ZoneInfo("Europe/Berlin")
DAY = date(2026, 11, 23)
CALL = "bolt/application-call/1"
SKIP: Said = ("bolt", Skipped(day=DAY, window=CALL, via="calendar"))
DONE: Said = ("acme", Contacted(day=DAY, window="acme/check-in/1.1", via="calendar"))
MOVED: Said = (
    "acme",
    Pinned(day=DAY, window="acme/check-in/1.1", opens=DAY, closes=date(2026, 11, 25), via="calendar"),
)
THANKS: Said = ("acme", Contacted(day=DAY, window="acme/thank-you/1", via="calendar", thanks=True))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "answers.yaml"


def said(path: Path) -> list[Said]:
    """What stands in the file."""
    return [(block.id, unplaced(event)) for block in read_answers(path, ZONE) for event in block.events]


# --------------------------------------------------------------------------------------------- the first ones


def test_a_new_file_says_what_it_is_and_is_for_the_user_alone(path: Path):
    append(path, [SKIP, DONE, MOVED, THANKS], ZONE)
    assert path.read_text(encoding="utf-8") == (
        "# What the calendar told calsync. Keep it with your journal, and back both up.\n"
        "applications:\n"
        "  - id: 'bolt'\n"
        "    events:\n"
        "      - skipped: 2026-11-23\n"
        "        via: calendar\n"
        "        window: 'bolt/application-call/1'\n"
        "  - id: 'acme'\n"
        "    events:\n"
        "      - contacted: 2026-11-23\n"
        "        via: calendar\n"
        "        window: 'acme/check-in/1.1'\n"
        "  - id: 'acme'\n"
        "    events:\n"
        "      - pinned: 2026-11-23\n"
        "        via: calendar\n"
        "        window: 'acme/check-in/1.1'\n"
        "        opens: 2026-11-23\n"
        "        closes: 2026-11-25\n"
        "  - id: 'acme'\n"
        "    events:\n"
        "      - contacted: 2026-11-23\n"
        "        via: calendar\n"
        "        window: 'acme/thank-you/1'\n"
        "        thanks: true\n"
    )
    assert path.stat().st_mode & 0o777 == 0o600


def test_nothing_to_say_makes_no_file(path: Path):
    append(path, [], ZONE)
    assert not path.exists()


def test_answers_are_read_behind_the_journal(path: Path):
    journal = path.with_name("applications.yaml")
    journal.write_text("applications: [{company: Bolt, events: [{applied: 2026-11-18}]}]\n", encoding="utf-8")
    append(path, [SKIP], ZONE)
    [application] = read([journal], path, ZONE).applications
    assert unplaced(application.events[-1]) == SKIP[1]


# ------------------------------------------------------------------------------------ every form of a file

FORMS = {
    "empty": "",
    "blank": "\n  \n",
    "byte order mark alone": "\ufeff",
    "remarks alone": "# mine\n# and more",
    "an empty list": "applications: []\n",
    "an empty list with a remark": "# mine\napplications:  [ ]  # nothing yet\n",
    "nothing": "applications:\n",
    "null": "applications: ~\n",
    "a byte order mark": "\ufeffapplications: []\n",
    "dashes at the margin": "applications:\n- id: acme\n  events:\n  - heard: 2026-11-20\n",
    "deep": "applications:\n      - id: acme\n        events: []\n",
    "wide dashes": "applications:\n  -   id: acme\n      events:\n          -  heard: 2026-11-20\n",
    "a dash alone": "applications:\n  -\n    id: acme\n    events: []\n",
    "no line end": "applications:\n  - id: acme\n    events:\n      - heard: 2026-11-20",
    "carriage returns": "applications:\r\n  # mine\r\n  - id: acme\r\n    events:\r\n      - heard: 2026-11-20\r\n",
    "empty with carriage returns": "# mine\r\napplications: []\r\n",
    "events in a line": "applications:\n  - {id: acme, events: [{heard: 2026-11-20}]}\n",
    "events first": "applications:\n  - events:\n      - heard: 2026-11-20\n    id: acme\n",
    "remarks everywhere": (
        "# one\napplications:\n  # two\n  - id: acme  # three\n    events:\n      # four\n"
        "      - heard: 2026-11-20\n# five\n"
    ),
    "anchors": "applications:\n  - &a\n    id: acme\n    events: [{heard: 2026-11-20}]\n  - *a\n",
    "a stream": "---\napplications:\n  - id: acme\n    events: []\n",
    "an entry of people": "applications:\n  - company: Acme\n    id: acme\n    events:\n      - heard: 2026-11-20\n",
}


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
def test_answers_are_added_behind_what_stands_there(path: Path, text: str):
    """Not a byte before them changes, but an empty list becomes one."""
    path.write_bytes(text.encode())
    before = said(path)
    append(path, [SKIP, DONE], ZONE)
    append(path, [MOVED], ZONE)
    assert said(path) == [*before, SKIP, DONE, MOVED]
    after = path.read_bytes().decode()
    for empty in ("[]", "[ ]", "~"):
        text = text.replace(f"applications: {empty}", "applications:").replace(
            f"applications:  {empty}", "applications:"
        )
    assert after.startswith(text)
    ends = {line[len(line.rstrip("\r\n")) :] for line in after.splitlines(keepends=True)}
    assert len(ends) == 1


REFUSED = {
    "a list in a line": "applications: [{id: acme, events: []}]\n",
    "a map in a line": "{applications: []}\n",
    "an end": "applications:\n  - id: acme\n    events: []\n...\n",
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_what_could_not_be_read_back_is_refused_in_words_and_the_file_stays(path: Path, text: str):
    path.write_bytes(text.encode())
    with pytest.raises(CalsyncError, match=r"nothing can be added to .*: write its list as the examples do"):
        append(path, [SKIP], ZONE)
    assert path.read_bytes() == text.encode()
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_file_with_mistakes_is_not_touched(path: Path):
    path.write_text("applications:\n  - id: acme\n    evnets: []\n", encoding="utf-8")
    before = path.read_bytes()
    with pytest.raises(JournalError, match="evnets"):
        append(path, [SKIP], ZONE)
    with pytest.raises(JournalError, match="evnets"):
        take_back(path, CALL, ZONE)
    assert path.read_bytes() == before


def test_rights_stay_as_they_are(path: Path):
    path.write_text("applications: []\n", encoding="utf-8")
    path.chmod(0o640)
    append(path, [SKIP], ZONE)
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_link_stays_a_link(path: Path):
    real = path.parent / "synced" / "answers.yaml"
    real.parent.mkdir()
    real.write_text("applications: []\n", encoding="utf-8")
    path.symlink_to(real)
    append(path, [SKIP], ZONE)
    assert path.is_symlink()
    assert said(real) == [SKIP]
    take_back(path, CALL, ZONE)
    assert path.is_symlink()
    assert said(real) == []


def test_a_place_that_cannot_be_written_is_said_in_words(path: Path):
    missing = path.parent / "nowhere" / "answers.yaml"
    with pytest.raises(CalsyncError, match=r"the answers .* cannot be written: No such file"):
        append(missing, [SKIP], ZONE)


def test_a_folder_that_takes_no_files_is_said_in_words_with_the_way_out():
    with pytest.raises(CalsyncError, match="'answers:' in the config names another place"):
        append(Path("/proc/answers.yaml"), [SKIP], ZONE)


# ---------------------------------------------------------------------------------------------- taking back


def test_taking_back_gives_the_last_answer_about_the_window_and_no_other(path: Path):
    append(path, [DONE, SKIP, MOVED, THANKS], ZONE)
    assert unplaced(take_back(path, "acme/check-in/1.1", ZONE)) == MOVED[1]
    assert said(path) == [DONE, SKIP, THANKS]
    assert unplaced(take_back(path, "acme/check-in/1.1", ZONE)) == DONE[1]
    assert take_back(path, "acme/check-in/1.1", ZONE) is None
    assert said(path) == [SKIP, THANKS]


def test_adding_and_taking_back_leaves_the_file_as_it_was(path: Path):
    append(path, [DONE], ZONE)
    before = path.read_bytes()
    append(path, [SKIP], ZONE)
    take_back(path, CALL, ZONE)
    assert path.read_bytes() == before


def test_nothing_about_the_window_changes_nothing(path: Path):
    assert take_back(path, CALL, ZONE) is None
    assert not path.exists()
    append(path, [DONE], ZONE)
    before = path.read_bytes()
    assert take_back(path, CALL, ZONE) is None
    assert path.read_bytes() == before


def test_the_last_answer_of_all_leaves_an_empty_list(path: Path):
    append(path, [SKIP], ZONE)
    take_back(path, CALL, ZONE)
    assert said(path) == []
    append(path, [DONE], ZONE)
    assert said(path) == [DONE]


GATHERED = """\
# mine
applications:
  # Acme
  - id: acme
    events:
      # first
      - heard: 2026-11-20
      # second
      - skipped: 2026-11-21
        window: acme/check-in/1.1
      # third

      - contacted: 2026-11-22
        note: |
          # no remark
          of several lines
  # Bolt
  - id: bolt
    events:
      - skipped: 2026-11-21
        window: bolt/application-call/1
# the end
"""


def test_remarks_and_other_events_stay_where_answers_are_taken_out(path: Path):
    path.write_text(GATHERED, encoding="utf-8")
    take_back(path, "acme/check-in/1.1", ZONE)
    taken = "      - skipped: 2026-11-21\n        window: acme/check-in/1.1\n"
    assert path.read_text(encoding="utf-8") == GATHERED.replace(taken, "")
    take_back(path, CALL, ZONE)
    block = f"  - id: bolt\n    events:\n      - skipped: 2026-11-21\n        window: {CALL}\n"
    assert path.read_text(encoding="utf-8") == GATHERED.replace(taken, "").replace(block, "")


UNTAKEN = {
    "in a line with others": (
        "applications:\n  - id: bolt\n    events: [{skipped: 2026-11-21, window: bolt/application-call/1}, "
        "{heard: 2026-11-22}]\n"
    ),
    "before its id": (
        "applications:\n  - events:\n      - heard: 2026-11-20\n      - skipped: 2026-11-21\n"
        "        window: bolt/application-call/1\n    id: bolt\n"
    ),
    "meant by others too": (
        "applications:\n  - id: bolt\n    events:\n      - &a\n        skipped: 2026-11-21\n"
        "        window: bolt/application-call/1\n      - heard: 2026-11-22\n  - id: acme\n    events: [*a]\n"
    ),
}


@pytest.mark.parametrize("text", UNTAKEN.values(), ids=UNTAKEN)
def test_what_cannot_be_taken_out_alone_is_refused_in_words_and_the_file_stays(path: Path, text: str):
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CalsyncError, match="nothing can be taken out of"):
        take_back(path, CALL, ZONE)
    assert path.read_text(encoding="utf-8") == text


def test_carriage_returns_stay_when_something_is_taken_out(path: Path):
    path.write_bytes(GATHERED.replace("\n", "\r\n").encode())
    take_back(path, CALL, ZONE)
    assert b"\n" not in path.read_bytes().replace(b"\r\n", b"")


# --------------------------------------------------------------------------------------- whatever the words


def is_id(text: str) -> bool:
    try:
        return bool(text.strip()) and text.strip() == text and identifier(text) == text
    except FieldError:
        return False


IDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30).filter(is_id)
DAYS = st.dates(date(2000, 1, 1), date(2100, 1, 1))
RULES = st.sampled_from(["check-in/1.1", "application-call/1", "thank-you/2"])


@st.composite
def entries(draw: st.DrawFn) -> Said:
    id_, day = draw(IDS), draw(DAYS)
    window = f"{id_}/{draw(RULES)}"
    kind = draw(st.sampled_from(["contacted", "skipped", "pinned"]))
    if kind == "contacted":
        return id_, Contacted(day=day, window=window, via="calendar", thanks=draw(st.booleans()))
    if kind == "skipped":
        return id_, Skipped(day=day, window=window, via="calendar")
    opens, closes = sorted([draw(DAYS), draw(DAYS)])
    return id_, Pinned(day=day, window=window, opens=opens, closes=closes, via="calendar")


@given(
    batches=st.lists(st.lists(entries(), max_size=3), max_size=3), form=st.sampled_from(sorted(FORMS)), data=st.data()
)
def test_what_was_said_is_read_back_whatever_the_ids(batches: list[list[Said]], form: str, data: st.DataObject):
    with TemporaryDirectory() as folder:
        path = Path(folder) / "answers.yaml"
        path.write_bytes(FORMS[form].encode())
        known = said(path)
        for batch in batches:
            append(path, batch, ZONE)
            known += batch
            assert said(path) == known
        added = [event for batch in batches for _, event in batch]
        if added:
            window = data.draw(st.sampled_from(added)).window
            assert window is not None
            last = max(number for number, (_, event) in enumerate(known) if getattr(event, "window", None) == window)
            assert unplaced(take_back(path, window, ZONE)) == known[last][1]
            assert said(path) == known[:last] + known[last + 1 :]


# ----------------------------------------------------------------------------------- others at the same time

WRITER = """
import sys
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo
from calsync.answers import append
from calsync.model import Skipped
for number in range(int(sys.argv[3])):
    event = Skipped(day=date(2026, 11, 23), window=f"{sys.argv[2]}/check-in/{number}", via="calendar")
    append(Path(sys.argv[1]), [(sys.argv[2], event)], ZoneInfo("Europe/Berlin"))
"""


def test_processes_that_add_at_the_same_time_lose_nothing(path: Path):
    link = path.with_name("link.yaml")
    link.symlink_to(path)
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(each), f"writer-{number}", "15"])
        for number, each in enumerate((path, path, link))
    ]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    found = sorted(event.window or "" for _, event in said(path))
    assert found == sorted(f"writer-{number}/check-in/{each}" for number in range(3) for each in range(15))


DYING = """
import os, signal, sys
import calsync.answers
count = 0
def dies(event, arguments):
    global count
    if event in ("open", "os.rename", "os.chmod", "os.remove", "tempfile.mkstemp", "fcntl.flock") and armed:
        count += 1
        if count == int(sys.argv[4]):
            os.kill(os.getpid(), signal.SIGKILL)
armed = False
sys.addaudithook(dies)
"""


def test_a_crash_at_any_step_leaves_the_old_file_or_the_new_one(path: Path):
    """The process is killed at the n-th call to the system that has to do with files, for every n."""
    append(path, [DONE], ZONE)
    old = path.read_bytes()
    script = DYING + WRITER.replace("for number", "armed = True\nfor number")
    ends = []
    for step in range(1, 100):
        path.write_bytes(old)
        died = subprocess.run([sys.executable, "-c", script, str(path), "bolt", "1", str(step)], check=False).returncode
        assert said(path)[:1] == [DONE]
        assert path.read_bytes().startswith(old)
        ends.append(len(said(path)))
        if died != -signal.SIGKILL:
            assert died == 0
            break
    assert len(ends) > 5
    assert ends == sorted(ends)
    append(path, [SKIP], ZONE)
    assert said(path)[-1] == SKIP
