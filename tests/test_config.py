"""The config is found where people put it, typed by field, and every mistake in it is told at once."""

import contextlib
import re
from datetime import date, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from calsync import config
from calsync.caldavsettings import FOR_EMBEDDED, SECRET_SOURCES, CaldavSettings
from calsync.config import Config, DaemonSettings, FeedSettings
from calsync.errors import ConfigError, InputError
from calsync.model import Pause, Policy

ROOT = Path(__file__).parent.parent
EXAMPLE = (ROOT / "config.example.yaml").read_text(encoding="utf-8")
MINIMAL = "timezone: UTC\napplications: j.yaml\n"
HERE = Path()
ENVIRON = {"HOME": "/home/alice"}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty folder that we stand in, so that file names are short."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def known_places(country: str, subdivision: str | None) -> str | None:
    if country != "DE":
        return f"{country} is unknown"
    return None if subdivision in (None, "BE") else f"{subdivision} is unknown"


def load(text: str) -> Config:
    Path("config.yaml").write_text(text, encoding="utf-8")
    return config.load(None, ENVIRON, HERE, known_places)


def mistakes(text: str) -> list[str]:
    """Each problem of a config without the line that it shows, and without the file's name."""
    with pytest.raises(ConfigError) as caught:
        load(text)
    return [str(problem).split("\n")[0].removeprefix("config.yaml:") for problem in caught.value.problems]


# --------------------------------------------------------------------------------------------- where it is


def put(path: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(MINIMAL)


def test_the_first_of_the_option_the_variable_the_folder_and_the_users_own_counts(folder):
    environ = {"HOME": str(folder / "home")}
    own = folder / "home/.config/calsync/config.yaml"
    put(str(own))
    assert config.load(None, environ, HERE).path == own
    put("config.yaml")
    assert config.load(None, environ, HERE).path == Path("config.yaml")
    put("home/v.yaml")
    environ["CALSYNC_CONFIG"] = "~/v.yaml"
    assert config.load(None, environ, HERE).path == folder / "home/v.yaml"
    put("o.yaml")
    assert config.load(Path("o.yaml"), environ, HERE).path == Path("o.yaml")
    assert config.load(Path("o.yaml"), environ, folder).path == folder / "o.yaml"


def test_with_none_found_every_path_tried_is_named_and_a_small_one_shown():
    with pytest.raises(ConfigError) as caught:
        config.load(None, ENVIRON, HERE)
    assert (
        str(caught.value)
        == """\
config.yaml: no config was found; tried, as neither --config nor CALSYNC_CONFIG is given:
    config.yaml
    /home/alice/.config/calsync/config.yaml
Write one of them, or copy config.example.yaml. A small one is:

    timezone: Europe/Berlin
    country: DE
    applications: applications.yaml
    feed:
      path: follow-ups.ics"""
    )


def test_the_small_one_works():
    assert load(config.MINIMAL).feed == FeedSettings(path=Path("follow-ups.ics"))


@pytest.mark.parametrize(("explicit", "environ"), [("x.yaml", {}), (None, {"CALSYNC_CONFIG": "x.yaml"})])
def test_a_config_that_was_asked_for_and_is_not_there_is_an_error_although_another_is(explicit, environ):
    put("config.yaml")
    with pytest.raises(ConfigError, match=r"^x\.yaml: there is no such file$"):
        config.load(explicit and Path(explicit), ENVIRON | environ, HERE)


@pytest.mark.parametrize("text", ["", "# none\n", "[]", "timezone"])
def test_a_config_that_is_no_map_is_shown_a_small_one(text):
    assert mistakes(text) == [" the config must be a map; a small one is"]


def test_what_is_not_yaml_is_one_problem():
    [mistake] = mistakes("timezone: [")
    assert mistake.startswith("1:12: this is not YAML")


# ------------------------------------------------------------------------------------------- what it says


def test_what_is_not_said_has_its_default():
    assert load(MINIMAL) == Config(
        path=Path("config.yaml"),
        timezone=ZoneInfo("UTC"),
        applications=(Path("j.yaml"),),
        answers=Path("answers.yaml"),
        policy=Policy(),
        name="default",
        remind_at=time(9, 30),
        reminders="window",
        caldav=None,
        feed=None,
        daemon=DaemonSettings(interval=timedelta(minutes=15)),
    )


def test_everything_may_be_said():
    found = load("""\
timezone: Europe/Berlin
country: de
subdivision: BE
applications: [a.yaml, ~/b.yaml, /c.yaml]
answers: x/y.yaml
name: Job-2
weekdays: [Sun, monday, TUE]
remind_at: 8:05
reminders: Slot
pauses: [{from: 2026-12-21, to: 2027-01-06}, {from: 2027-02-01, to: 2027-02-01}]
etiquette: {preset: Szlucha, check_in_days: [12, 12], contact_gap_days: 5, stale_after_days: 30, horizon_days: 0,
  email_instead: yes, thank_you: on}
caldav: {url: 'https://dav.example.org/~a/me@example.org/', username: alice, calendar: Work, timeout: 2.5,
  password_file: pw}
feed: {path: ../f.ics, listen: '[::1]:8422', alarms: no}
daemon: {interval: 1h30m}
""")
    assert found == Config(
        path=Path("config.yaml"),
        timezone=ZoneInfo("Europe/Berlin"),
        applications=(Path("a.yaml"), Path("/home/alice/b.yaml"), Path("/c.yaml")),
        answers=Path("x/y.yaml"),
        policy=Policy(
            check_in_days=(12, 12),
            contact_gap_days=5,
            stale_after_days=30,
            horizon_days=0,
            email_instead=True,
            thank_you=True,
            weekdays=frozenset({6, 0, 1}),
            pauses=(Pause(date(2026, 12, 21), date(2027, 1, 6)), Pause(date(2027, 2, 1), date(2027, 2, 1))),
            country="DE",
            subdivision="BE",
        ),
        name="Job-2",
        remind_at=time(8, 5),
        reminders="slot",
        caldav=CaldavSettings(
            url="https://dav.example.org/~a/me@example.org/",
            username="alice",
            calendar="Work",
            timeout=2.5,
            password_file=Path("pw"),
        ),
        feed=FeedSettings(path=Path("../f.ics"), listen="[::1]:8422", alarms=False),
        daemon=DaemonSettings(interval=timedelta(minutes=90)),
    )


@pytest.mark.parametrize(
    "more",
    ["tls_certificate: c, tls_key: k", "allow_insecure: yes"],
)
def test_a_feed_is_served_to_others_with_tls_or_where_the_user_says_so(more):
    feed = load(f"applications: j.yaml\nfeed: {{path: f, listen: '0.0.0.0:8422', {more}}}\n").feed
    assert feed.listen == "0.0.0.0:8422"


def test_a_public_url_ends_with_a_slash():
    for written in ("https://a.example", "https://a.example/", "https://a.example:8443/c"):
        text = f"applications: j.yaml\nfeed: {{path: f, listen: '127.0.0.1:8422', public_url: '{written}'}}\n"
        assert load(text).feed.public_url == written.rstrip("/") + "/"


@pytest.mark.parametrize(
    "rest", ["caldav:\nfeed:\ndaemon:\netiquette:\npauses:\nweekdays:\n", "caldav: {}\nfeed: {}\n"]
)
def test_empty_maps_and_lists_are_as_if_they_were_not_there(rest):
    assert load(MINIMAL + rest) == load(MINIMAL)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("password_env", "CALDAV_PASSWORD"),
        ("password_command", "pass show caldav | head -1"),
        ("credential", "caldav-password"),
        ("token_command", "oauth token"),
    ],
)
def test_the_secret_has_one_of_several_sources(key, value):
    found = load(f"{MINIMAL}caldav: {{url: dav.test, {key}: {value}}}")
    assert found.caldav == replace(CaldavSettings(url="dav.test"), **{key: value})


@pytest.mark.parametrize("url", ["http://localhost:5232/", "http://127.0.0.1/", "http://[::1]:80/"])
def test_this_machine_may_be_asked_without_tls(url):
    assert load(f"{MINIMAL}caldav: {{url: '{url}'}}").caldav.url == url


def test_no_message_offers_a_key_that_is_refused():
    for written in ("embedded", "{url: embedded, xyzzy: 1}"):
        with pytest.raises(ConfigError) as caught:
            load(f"{MINIMAL}caldav: {written}")
        assert "token_command" in str(caught.value)
        assert not re.search(r"\b(password|token)\b", str(caught.value))


@pytest.mark.parametrize("url", ["alice@example.org", "example.org", "dav.example.org:8443", "a.b+c@dav.example.org"])
def test_the_server_may_be_a_mail_address_or_a_host_to_find_it_by(url):
    assert load(f"{MINIMAL}caldav: {{url: {url}}}").caldav.url == url


def test_the_server_need_not_be_named_where_the_user_name_or_the_calendar_tells_it():
    assert load(f"{MINIMAL}caldav: {{username: alice@example.org}}").caldav.url == "alice@example.org"
    calendar = "https://dav.example.org/alice/jobs/"
    assert load(f"{MINIMAL}caldav: {{username: a@b.org, calendar: '{calendar}'}}").caldav.url == calendar


def test_how_to_log_in_and_whom_to_trust_may_be_said():
    rest = "auth: Digest, allow_insecure: yes, ca_file: ca.pem, client_certificate: me.pem, client_key: me.key"
    assert load(f"{MINIMAL}caldav: {{url: example.org, {rest}}}").caldav == CaldavSettings(
        url="example.org",
        auth="digest",
        allow_insecure=True,
        ca_file=Path("ca.pem"),
        client_certificate=Path("me.pem"),
        client_key=Path("me.key"),
    )


def test_a_timeout_may_have_a_unit():
    assert load(f"{MINIMAL}caldav: {{url: embedded, timeout: 1m}}").caldav.timeout == 60


def test_commands_are_not_in_the_repr_as_they_may_hold_a_secret():
    found = load(f"{MINIMAL}caldav: {{url: dav.test, password_command: echo hunter2}}")
    assert "hunter2" not in repr(found)


def test_paths_are_relative_to_the_config(folder):
    put("sub/config.yaml")
    found = config.load(Path("sub/config.yaml"), ENVIRON, HERE)
    assert (found.applications, found.answers) == ((Path("sub/j.yaml"),), Path("sub/answers.yaml"))
    found = config.load(Path("sub/config.yaml"), ENVIRON, folder)
    assert found.applications == (folder / "sub/j.yaml",)


def test_the_answers_of_a_folder_are_in_it():
    Path("jobs").mkdir()
    assert load("timezone: UTC\napplications: jobs\n").answers == Path("jobs/answers.yaml")


def test_the_time_zone_is_the_systems_unless_said(monkeypatch):
    monkeypatch.setenv("TZ", "America/Chicago")
    monkeypatch.setattr("tzlocal.unix._cache_tz", None)
    assert load("applications: j.yaml").timezone == ZoneInfo("America/Chicago")


def test_a_system_without_a_known_time_zone_is_a_mistake_that_says_what_to_write(monkeypatch):
    monkeypatch.setenv("TZ", "Mars/Olympus")
    monkeypatch.setattr("tzlocal.unix._cache_tz", None)
    wrong = " the system's time zone is unknown; set it, as in 'timezone: Europe/Berlin'"
    assert mistakes("applications: j.yaml") == [wrong]


def test_a_path_that_cannot_be_looked_at_is_a_mistake_and_no_reason_to_go_on_searching():
    environ = ENVIRON | {"XDG_CONFIG_HOME": "/" + "x" * 300}
    with pytest.raises(ConfigError, match="the file cannot be read: File name too long"):
        config.load(None, environ, HERE)
    assert load(f"timezone: UTC\napplications: {'x' * 300}\n").answers == Path("answers.yaml")


# ------------------------------------------------------------------------------------------- what is wrong


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("timezne: UTC", "3:1: unknown key 'timezne': did you mean 'timezone'?"),
        ("timezone: UTC", "3:1: the key 'timezone' stands here twice: first at config.yaml:1:1"),
        ("country: QQ", "3:10: 'country': QQ is unknown"),
        ("subdivision: BE", "3:14: 'subdivision' needs a 'country' beside it"),
        ("{country: DE, subdivision: QQ}", ""),
        ("name: a b", "3:7: 'name': 'a b' may have letters, digits and dashes alone, at most 64"),
        ("weekdays: []", "3:11: 'weekdays' is empty: on which days may anybody be called?"),
        ("weekdays: [mon, xyz]", "3:17: 'weekdays': 'xyz' is none of mon, tue"),
        ("remind_at: 25:00", "3:12: 'remind_at': there is no time 25:00"),
        ("reminders: both", "3:12: 'reminders': 'both' is none of window, slot"),
        ("answers: j.yaml", "3:10: 'answers' is the journal itself, to which calsync never writes; name another file"),
        ("answers: ~no-such-user/a", "3:10: 'answers': ~no-such-user/a: no such user's home folder is known"),
        ("pauses: x", "3:9: 'pauses' must be a list (lines that begin with '- '), not text"),
        ("pauses: [x]", "3:10: a pause is written as {from: 2026-12-21, to: 2027-01-06}"),
        ("pauses: [{from: 2026-12-21}]", "3:10: 'to' is missing"),
        ("pauses: [{from: 2026-12-21, to: 2026-12-20}]", "3:33: the pause ends on 2026-12-20, before it begins on"),
        ("etiquette: {preset: rude}", "3:21: 'preset': 'rude' is none of szlucha, campus, conservative, email-first"),
        ("etiquette: {gap: 5}", "3:13: unknown key 'gap': known here are preset, application_days, check_in_days"),
        (
            "etiquette: {contact_gap_days: 4}",
            "3:31: 'contact_gap_days': 4 is out of range: 5 to 365, as too much is too much: daily calls win nobody",
        ),
        ("etiquette: {check_in_days: [4, 14]}", "3:29: 'check_in_days': 4 is out of range: 5 to 365, as too much"),
        (
            "etiquette: {check_in_days: [14, 10]}",
            "3:28: 'check_in_days' must be the first and the last day, as in [10, 14]",
        ),
        ("etiquette: {check_in_days: 10}", "3:28: 'check_in_days' must be the first and the last day, as in [10, 14]"),
        ("etiquette: {check_in_days: []}", "3:28: 'check_in_days' must be the first and the last day, as in [10, 14]"),
        ("etiquette: {horizon_days: -1}", "3:27: 'horizon_days': -1 is out of range: 0 to 366"),
        ("etiquette: {thank_you: 1}", "3:24: 'thank_you': '1' is none of true, yes, on, false, no, off"),
        ("caldav: {username: alice}", "3:9: 'url' is missing"),
        ("caldav: https://dav.example.org/", "3:9: 'caldav' must be a map (url, username, calendar"),
        ("caldav: {url: 'http://dav.test/'}", "3:15: 'url': http:// would send your password in clear text; write"),
        (
            "caldav: {url: dav.test, calendar: 'http://dav.test/a/'}",
            "3:35: 'calendar': http:// would send your password in clear text; write https://, or say",
        ),
        ("caldav: {url: dav.test, auth: ntlm}", "3:31: 'auth': 'ntlm' is none of basic, digest"),
        ("caldav: {url: dav.test, auth: basic, token_command: t}", "3:31: 'auth' is for passwords; a token is always"),
        (
            "caldav: {url: dav.test, client_key: k}",
            "3:37: 'client_key' goes with 'client_certificate', which is missing",
        ),
        ("caldav: {url: embedded, timeout: 0}", "3:34: 'timeout': '0' is out of range: 1 to 600 seconds"),
        ("caldav: {url: dav.test, password_env: a-b}", "3:39: 'password_env': must be the name of an environment"),
        ("caldav: {url: dav.test, credential: ../x}", "3:37: 'credential': must be a name without slashes and blanks"),
        ("caldav: {url: dav.test, credential: ..}", "3:37: 'credential': must be a name without slashes and blanks"),
        (
            "caldav: {url: dav.test, password_env: A, credential: b}",
            "3:42: 'password_env' and 'credential' are both set; keep one of them",
        ),
        (
            "caldav: {url: embedded, password: hunter2}",
            f"3:25: a password has no place in this file; use one of {', '.join(SECRET_SOURCES)}",
        ),
        ("feed: {alarms: no}", "3:7: 'path' is missing"),
        ("feed: {path: j.yaml}", "3:7: 'feed' would be written over j.yaml; name another file"),
        ("feed: {path: config.yaml}", "3:7: 'feed' would be written over config.yaml; name another file"),
        (
            "feed: {path: f, listen: '8422'}",
            "3:25: 'listen': '8422' must be an address and a port, as in 127.0.0.1:8422",
        ),
        ("feed: {path: f, listen: 'a:65536'}", "3:25: 'listen': 'a:65536' must be an address and a port"),
        ("feed: {path: f, listen: 'localhost:0'}", "3:25: 'listen': 'localhost:0' must have a port of its own"),
        ("feed: {path: f, listen: '0.0.0.0:8422'}", "3:25: without TLS anybody on the way could read the feed and its"),
        ("feed: {path: f, listen: '[::1]:84', tls_key: k}", "3:46: 'tls_key' goes with 'tls_certificate'"),
        ("feed: {path: f, public_url: 'https://a.example/'}", "3:29: 'public_url' goes with 'listen'"),
        ("feed: {path: f, listen: '[::1]:1', public_url: 'a.example'}", "3:48: 'public_url': 'a.example' must be an"),
        ("feed: {path: f, listen: '[::1]:1', public_url: 'https://u:p@a/'}", "3:48: 'public_url': must have no user"),
        ("feed: {path: f, listen: '[::1]:1', public_url: 'https://a/?b'}", "3:48: 'public_url': must have no user"),
        ("feed: {path: f, listen: '[::1]:1', public_url: 'https://[/'}", "3:48: 'public_url': 'https://[/' must be an"),
        ("daemon: {interval: 15}", "3:20: 'interval': '15' is not a duration, as in 45m, 1h or 1h30m"),
    ],
)
def test_a_mistake_is_told_at_its_column(line, wrong):
    if line.startswith("{"):
        line, wrong = "country: DE\nsubdivision: QQ", "4:14: 'subdivision': QQ is unknown"
    [mistake] = mistakes(f"{MINIMAL}{line}\n")
    assert mistake.startswith(wrong)


def test_all_mistakes_are_told_at_once_in_the_order_of_their_lines():
    text = "daemon: {interval: x}\nname: a/b\napplications:\ntimezone: Mars\nfeed: {path: [a]}\n"
    assert [mistake.split(":")[0] for mistake in mistakes(text)] == ["1", "2", "3", "4", "5"]


def test_the_journal_must_be_named():
    missing = "'applications' is missing: name the journal's file, files or folder"
    assert mistakes("timezone: UTC") == [f"1:1: {missing}"]
    assert mistakes("timezone: UTC\napplications: []") == [f"2:15: {missing}"]


@pytest.mark.parametrize(
    "url",
    [
        "https://alice:hunter2@dav.example.org/",
        "https://alice:hun/ter2@dav.example.org/",
        "https://hunter2@dav.example.org/",
        "ftp://dav.example.org/hunter2",
        "dav",
        "https://",
        "https://[::1/",
        "https://dav.example.org:99999/",
        "https://dav.example.org/a b",
    ],
)
def test_a_wrong_address_is_refused_without_being_shown(url):
    with pytest.raises(ConfigError) as caught:
        load(f"{MINIMAL}caldav:\n  url: '{url}'\n")
    assert str(caught.value).startswith("config.yaml:4:8: 'url': must")
    assert "alice" not in str(caught.value)
    if "@" in url:
        assert "hun" not in str(caught.value)


@pytest.mark.parametrize(
    "block",
    [
        "password: hunter2",
        "token: hunter2",
        "passwort: hunter2",
        "password_file: [hunter2]",
        "password_env: hunter2!",
        "credential: hunter2/",
        "password_command: 'echo hunter2'\n  credential: x",
        'password_command: "hunter2\\a"',
        "password: hunter2: x",
        "password: hunter2 [\n  ]x: [",
    ],
)
def test_no_message_shows_a_password_that_stands_in_the_wrong_place(block):
    with pytest.raises(ConfigError) as caught:
        load(f"{MINIMAL}caldav:\n  url: embedded\n  {block}\n")
    assert "hunter2" not in str(caught.value)


@given(st.one_of(st.text(), st.text("caldav:urlfedpth/ {}[]\n-@~0123456789")))
def test_any_text_is_a_config_or_a_list_of_mistakes(text):
    for prefix in ("", MINIMAL, f"{MINIMAL}caldav:\n  url: ", f"{MINIMAL}applications: "):
        Path("any.yaml").write_text(prefix + text, encoding="utf-8", errors="replace")
        with contextlib.suppress(InputError):
            config.load(Path("any.yaml"), ENVIRON, HERE)


# ---------------------------------------------------------------------------------------------- the example

COMMENTED_OUT = re.compile(r"^( *)#( *)(?=[a-z_]+:)", re.M)
SECRETS = re.compile(rf"^ *#?  ({'|'.join((*SECRET_SOURCES, *FOR_EMBEDDED))}):.*\n", re.M)


def test_the_example_works_as_it_stands(folder):
    found = config.load(ROOT / "config.example.yaml", ENVIRON, HERE)
    assert [path.is_file() for path in found.applications] == [True]
    assert found.feed is not None
    assert found.caldav is None


def test_the_example_names_every_key_and_no_other():
    everything = COMMENTED_OUT.sub(r"\1\2", EXAMPLE)
    for section, keys in config.KEYS.items():
        if section == "pauses":
            assert all(f"{key}: 2" in EXAMPLE for key in keys)
            continue
        indent = "  " if section else ""
        block = everything.split(f"\n{section}:\n")[1].split("\n\n")[0] if section else everything
        named = re.findall(rf"^{indent}([a-z_]+):", block, re.M)
        assert sorted(named) == sorted(keys)


def test_the_examples_blocks_work_when_they_are_uncommented():
    everything = COMMENTED_OUT.sub(r"\1\2", SECRETS.sub("", EXAMPLE))
    found = load(everything)
    assert found.caldav == CaldavSettings(
        url="https://dav.example.org/",
        username="alice",
        auth="basic",
        ca_file=Path("my-ca.pem"),
        client_certificate=Path("alice.pem"),
        client_key=Path("alice.key"),
    )
    assert found.feed.listen == "127.0.0.1:8422"


def test_every_line_of_the_example_that_says_default_may_be_left_out():
    everything = COMMENTED_OUT.sub(r"\1\2", SECRETS.sub("", EXAMPLE))
    whole = load(everything)
    lines = everything.splitlines(keepends=True)
    defaults = [number for number, line in enumerate(lines) if "# default" in line]
    assert len(defaults) >= 15
    for number in defaults:
        assert load("".join(lines[:number] + lines[number + 1 :])) == whole, lines[number]


def test_every_line_of_the_example_has_a_comment():
    bare = [line for line in EXAMPLE.splitlines() if re.match(r" *#? *[a-z_]+: +\S", line) and line.count("#") < 1]
    assert bare == []


# ------------------------------------------------------------------------------------- the embedded server

TLS = "tls_certificate: a.pem, tls_key: a.key"


@pytest.mark.parametrize("listen", ["127.0.0.1:5232", "localhost:5232", "'[::1]:5232'"])
def test_the_embedded_server_may_listen_on_loopback(listen):
    found = load(f"{MINIMAL}caldav: {{url: embedded, listen: {listen}}}").caldav
    assert found == CaldavSettings(url="embedded", listen=listen.strip("'"))


@pytest.mark.parametrize("more", [TLS, "allow_insecure: yes"])
@pytest.mark.parametrize("listen", ["0.0.0.0:5232", "'[::]:5232'", "192.168.1.7:5232", "my.laptop:5232"])
def test_the_embedded_server_listens_elsewhere_with_tls_or_by_an_explicit_word(listen, more):
    assert load(f"{MINIMAL}caldav: {{url: embedded, listen: {listen}, {more}}}").caldav.listen
    with pytest.raises(ConfigError, match="anybody on the way could read the password"):
        load(f"{MINIMAL}caldav: {{url: embedded, listen: {listen}}}")


@pytest.mark.parametrize(
    ("block", "told"),
    [
        ("url: embedded, username: alice", "'username' does not go with 'url: embedded'"),
        ("url: embedded, password_file: p", "'password_file' does not go with 'url: embedded'"),
        ("url: embedded, ca_file: p", "'ca_file' does not go with 'url: embedded'"),
        ("url: embedded, calendar: 'http://127.0.0.1/x/'", "'calendar' must be a name"),
        ("url: embedded, listen: '127.0.0.1:1', tls_key: k", "'tls_key' goes with 'tls_certificate', which is missing"),
        ("url: embedded, listen: '127.0.0.1:1', tls_certificate: c", "'tls_certificate' goes with 'tls_key'"),
        (f"url: embedded, {TLS}", "'tls_certificate' goes with 'listen', which is missing"),
        ("url: embedded, listen: '5232'", "must be an address and a port"),
        ("url: 'https://a.example/', listen: '127.0.0.1:1'", "'listen' is for calsync's own server alone"),
        (f"url: 'https://a.example/', {TLS}", "'tls_key' is for calsync's own server alone"),
    ],
)
def test_keys_that_do_not_go_together_are_told(block, told):
    with pytest.raises(ConfigError, match=re.escape(told)):
        load(f"{MINIMAL}caldav: {{{block}}}")
