"""`calsync doctor` says what is fine and what to do, and leaves nothing behind."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from calsync import config, doctor, trial
from calsync.cli import main
from calsync.errors import UnreachableError
from calsync.model import Resource
from calsync.targets.base import ItemError
from calsync.targets.davfind import Calendar
from calsync.targets.memory import MemoryTarget
from tests.quirks import Quirk, QuirkServer

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)


@pytest.fixture
def server() -> Iterator[QuirkServer]:
    with QuirkServer() as running:
        yield running


def written(folder: Path, server: QuirkServer, calendar: str, password: str = QuirkServer.password) -> Path:
    """A config for this calendar, with a journal and a country."""
    (folder / "password").touch(mode=0o600)
    (folder / "password").write_text(password, encoding="utf-8")
    (folder / "applications.yaml").write_text("applications: []\n", encoding="utf-8")
    login = f"username: {server.username}, password_file: password, calendar: '{calendar}'"
    path = folder / "config.yaml"
    path.write_text(
        f"applications: applications.yaml\ntimezone: UTC\ncountry: DE\ncaldav: {{url: '{server.url}', {login}}}\n"
        "feed: {path: follow-ups.ics}\n",
        encoding="utf-8",
    )
    return path


def examined(path: Path) -> dict[str, doctor.Finding]:
    environ = {"STATE_DIRECTORY": str(path.parent / "state")}
    settings = config.load(path, environ, path.parent)
    return {found.about: found for found in doctor.examine(settings, environ, NOW)}


def states(found: dict[str, doctor.Finding]) -> dict[str, str]:
    return {about: each.state for about, each in found.items()}


def test_a_good_server_is_fine_in_all_and_nothing_is_left(tmp_path: Path, server: QuirkServer) -> None:
    calendar = server.calendar("Job search")
    found = examined(written(tmp_path, server, "Job search"))
    told = states(found)
    about = ["journal", "answers", "state", "feed", "holidays", "server", "login", "clock", "tls", "calendar"]
    assert list(told) == [*about, "changes", "writing", "etags", "conditions", "deleting"]
    assert [key for key, state in told.items() if state != "fine"] == ["clock", "tls"]
    assert doctor.exit_code(found.values()) == 0
    assert found["login"].text == "the login is taken; it sees 1 calendar"
    assert found["calendar"].text.endswith(", with 0 events")
    assert server.items(calendar) == {}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["applications.yaml", "config.yaml", "password"]


def test_a_calendar_that_is_not_there_is_not_made(tmp_path: Path, server: QuirkServer) -> None:
    found = examined(written(tmp_path, server, "Follow-ups"))
    assert "first sync makes it" in found["calendar"].text
    assert "writing" not in found
    assert [each.method for each in server.log if each.is_write or each.method == "MKCALENDAR"] == []


def test_a_wrong_password_ends_with_4_and_is_not_shown(tmp_path: Path, server: QuirkServer, capsys) -> None:
    path = written(tmp_path, server, "Job search", "a word that is not it")
    assert main(["doctor", "--config", str(path)]) == 4
    out = capsys.readouterr().out
    assert "BAD   login: The server 127.0.0.1" in out
    assert "a word that is not it" not in out


def test_a_server_that_is_away_ends_with_4(tmp_path: Path, server: QuirkServer) -> None:
    path = written(tmp_path, server, "Job search")
    with server.away():
        found = examined(path)
    assert found["server"].state == "bad"
    assert doctor.exit_code(found.values()) == 4


def test_json_has_the_same(tmp_path: Path, server: QuirkServer, capsys, monkeypatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    server.calendar("Job search")
    path = written(tmp_path, server, "Job search")
    assert main(["doctor", "--config", str(path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {"about": "writing", "state": "fine", "text": "an event could be made"} in told


@pytest.mark.parametrize(
    ("quirk", "about", "state", "words"),
    [
        (Quirk.NGINX_WEAK_ETAGS, "etags", "note", "no strong ETags"),
        (Quirk.GOOGLE_NO_ETAG_ON_PUT, "etags", "fine", "reads again"),
        (Quirk.ZIMBRA_IGNORES_IF_MATCH, "conditions", "note", "overwritten unseen"),
        (Quirk.CALENDAR_FULL_507, "writing", "bad", "space on the server is used up"),
        (Quirk.NEXTCLOUD_DELETE_403, "deleting", "bad", "delete it in your calendar app"),
        (Quirk.SABRE_NO_SYNC_COLLECTION, "changes", "fine", "ctag"),
    ],
)
def test_a_servers_ways_are_told(
    tmp_path: Path, server: QuirkServer, quirk: Quirk, about: str, state: str, words: str
) -> None:
    calendar = server.calendar("Job search")
    for part in (server, server._dav):
        part.flags = frozenset({quirk})
    server._dav.limits = server.limits.__class__(room=0)
    found = examined(written(tmp_path, server, "Job search"))
    assert (found[about].state, doctor.exit_code(found.values())) == (state, 1 if state == "bad" else 0)
    assert words in found[about].text
    assert quirk is Quirk.NEXTCLOUD_DELETE_403 or server.items(calendar) == {}


class Failing(MemoryTarget):
    """Fails at an update."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def update(self, item: Resource, body: str) -> Resource:
        raise self.error


def test_the_event_is_removed_also_where_the_trial_fails() -> None:
    target = Failing(ItemError("no"))
    told = [about for about, _, _ in trial.findings(target, NOW)]
    assert (told[-1], target.items) == ("deleting", {})
    target = Failing(UnreachableError("away"))
    with pytest.raises(UnreachableError):
        list(trial.findings(target, NOW))
    assert target.items == {}


def test_what_cannot_be_written_is_told_with_what_to_do(tmp_path: Path, server: QuirkServer) -> None:
    path = written(tmp_path, server, "Job search")
    (tmp_path / "state").write_text("a file where a folder belongs")
    (tmp_path / "follow-ups.ics").mkdir()
    found = examined(path)
    assert (found["state"].state, found["feed"].state) == ("bad", "bad")
    assert doctor.exit_code(found.values()) == 1


def test_files_that_are_there_already_are_fine_and_no_country_is_a_note(tmp_path: Path, server: QuirkServer) -> None:
    path = written(tmp_path, server, "Job search")
    path.write_text(path.read_text(encoding="utf-8").replace("country: DE\n", ""), encoding="utf-8")
    for name in ("follow-ups.ics", "answers.yaml"):
        (tmp_path / name).touch()
    found = examined(path)
    assert (found["feed"].state, found["answers"].state) == ("fine", "fine")
    assert (found["holidays"].state, doctor.exit_code(found.values())) == ("note", 0)


class Told(MemoryTarget):
    """A server that tells of a calendar what it is told to tell, over TLS."""

    where = "https://dav.example/alice/jobs/"

    def __init__(self, *seen: Calendar, end: datetime | None = None, time: datetime | None = None) -> None:
        super().__init__()
        self.seen, self.end, self.server_time = list(seen), end, time

    def calendars(self) -> list[Calendar]:
        return self.seen

    def certificate_end(self) -> datetime | None:
        if self.end is None:
            raise OSError("a proxy stands between")
        return self.end


def server_told(tmp_path: Path, target: Told) -> dict[str, doctor.Finding]:
    login = "caldav: {url: 'https://dav.example/', username: alice, password_env: P}"
    (tmp_path / "config.yaml").write_text(f"applications: applications.yaml\ntimezone: UTC\n{login}\n")
    settings = config.load(tmp_path / "config.yaml", {}, tmp_path)
    return {found.about: found for found in doctor._server(settings, target, NOW)}


@pytest.mark.parametrize(
    ("end", "state", "words"),
    [
        (NOW + timedelta(days=15), "fine", "trusted, until 2026-12-08"),
        (NOW + timedelta(days=13), "note", "ends on 2026-12-06"),
        (None, "note", "could not be seen"),
    ],
)
def test_a_certificate_that_ends_soon_is_told(tmp_path: Path, end: datetime | None, state: str, words: str) -> None:
    found = server_told(tmp_path, Told(end=end))
    assert found["tls"].state == state
    assert words in found["tls"].text
    assert (found["clock"].state, found["clock"].text) == ("note", "the server does not tell its time")


def test_a_calendar_that_may_only_be_read_is_told(tmp_path: Path) -> None:
    others = Calendar("Home", "https://dav.example/alice/home/", ("all",), ("VEVENT",))
    ours = Calendar("Jobs", "https://dav.example/alice/jobs", ("read",), None)
    found = server_told(tmp_path, Told(others, ours))
    assert (found["rights"].state, "only read" in found["rights"].text) == ("bad", True)
    assert "writing" in found, "what a server tells may be wrong, so it is tried"
    assert "rights" not in server_told(tmp_path, Told(others))


def test_a_calendar_that_takes_no_events_is_told_and_not_tried(tmp_path: Path) -> None:
    ours = Calendar("Tasks", "https://dav.example/alice/jobs/", None, ("VTODO",))
    found = server_told(tmp_path, Told(ours))
    assert (found["components"].state, "only VTODO" in found["components"].text) == ("bad", True)
    assert "writing" not in found


@pytest.mark.parametrize(("minutes", "state"), [(0, "fine"), (1, "fine"), (-5, "note"), (5, "note")])
def test_clocks_that_differ_are_told(minutes: int, state: str) -> None:
    [finding] = doctor._clock(NOW + timedelta(minutes=minutes), NOW)
    assert finding.state == state


def test_a_certificates_end_is_seen(tmp_path: Path) -> None:
    import socket
    import threading

    import trustme

    from calsync.targets.davtls import certificate_end

    ca, end = trustme.CA(), datetime(2040, 1, 2, tzinfo=UTC)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1", not_after=end).configure_cert(context)
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))

    def answer() -> None:
        plain, _ = listener.accept()
        with context.wrap_socket(plain, server_side=True) as secure:
            secure.recv(1)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer)
        thread.start()
        url = f"https://127.0.0.1:{listener.getsockname()[1]}/"
        assert certificate_end(url, tmp_path / "ca.pem", 10) == end
        thread.join()
    assert certificate_end("http://127.0.0.1/", None, 10) is None
