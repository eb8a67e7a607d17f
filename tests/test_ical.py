"""Reminders as iCalendar text, and back: what servers and programs do to it is no edit, what people do is one."""

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest
import vobject
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar
from msgspec.structs import replace

from calsync import ical
from calsync.identity import differing, hashes, uid_of
from calsync.model import Item, Mark, Reminder, Stamp

BERLIN = ZoneInfo("Europe/Berlin")
MARK = Mark("default", "acme-data-engineer/application-call/1", 1)
UID = uid_of(MARK, "caldav")
STAMP = Stamp(datetime(2026, 11, 5, 8, tzinfo=UTC), 0)
LATER = Stamp(datetime(2026, 11, 6, 8, tzinfo=UTC), 1)
ALL_DAY = Reminder(
    start=date(2026, 11, 9),
    end=date(2026, 11, 14),
    summary="Call Dana Ruiz at Acme (by Fri 13 Nov)",
    description="One brief, friendly call; then nothing more.\n\nPhone: +1 312 555 0100",
    location="+1 312 555 0100",
    alarms=(timedelta(hours=9, minutes=30), timedelta(days=4, hours=9, minutes=30)),
)
TIMED = replace(
    ALL_DAY,
    start=datetime(2026, 11, 9, 8, 30, tzinfo=UTC),
    end=datetime(2026, 11, 9, 8, 45, tzinfo=UTC),
    alarms=(timedelta(0),),
)


def patched(body: str, reminder: Reminder, mark: Mark, stamp: Stamp, zone: tzinfo) -> str:
    """The body after a write of all fields of `reminder`."""
    return ical.patch(body, reminder, mark, hashes(reminder), stamp, zone)


def build(reminder, zone=BERLIN, mark=MARK, stamp=STAMP):
    return ical.build(reminder, mark, uid_of(mark, "caldav"), stamp, zone, hashes(reminder))


def item(reminder, mark=MARK, stamp=STAMP):
    uid = uid_of(mark, "caldav")
    return Item(uid=uid, reminder=reminder, mark=mark, base=hashes(reminder), stamp=stamp, written=stamp.moment)


def unfolded(body):
    return body.replace("\r\n ", "").split("\r\n")


def added(body, *lines, before="END:VEVENT"):
    """`body` with more lines in its event."""
    return body.replace(f"{before}\r\n", "".join(f"{line}\r\n" for line in lines) + f"{before}\r\n", 1)


def without(body, name):
    """`body` without the property `name`."""
    return "\r\n".join(line for line in unfolded(body) if not re.match(rf"{name}[;:]", line))


# What we write.


def test_an_all_day_event_reads_as_the_documentation_says():
    lines = unfolded(build(ALL_DAY))
    for line in (
        f"UID:{UID}",
        "DTSTAMP:20261105T080000Z",
        "LAST-MODIFIED:20261105T080000Z",
        "SEQUENCE:0",
        "DTSTART;VALUE=DATE:20261109",
        "DTEND;VALUE=DATE:20261114",
        "SUMMARY:Call Dana Ruiz at Acme (by Fri 13 Nov)",
        "DESCRIPTION:One brief\\, friendly call\\; then nothing more.\\n\\nPhone: +1 312 555 0100",
        "LOCATION:+1 312 555 0100",
        "STATUS:CONFIRMED",
        "TRANSP:TRANSPARENT",
        "CLASS:PRIVATE",
        "CATEGORIES:Follow-up",
        "X-CALSYNC:v1;default;acme-data-engineer/application-call/1;1",
    ):
        assert lines.count(line) == 1, line
    alarms = "\r\n".join(lines)[lines.index("BEGIN:VALARM") :]
    assert re.findall("TRIGGER[^\r]*", alarms) == ["TRIGGER:PT9H30M", "TRIGGER:P4DT9H30M"]
    assert lines.count("ACTION:DISPLAY") == 2
    assert "BEGIN:VTIMEZONE" not in lines


def test_a_timed_event_stands_in_the_users_zone_and_brings_its_rules():
    lines = unfolded(build(TIMED))
    assert "DTSTART;TZID=Europe/Berlin:20261109T093000" in lines
    assert "DTEND;TZID=Europe/Berlin:20261109T094500" in lines
    assert "TRIGGER:PT0S" in lines
    assert lines.count("BEGIN:VTIMEZONE") == 1
    assert len([line for line in lines if line.startswith("RRULE")]) == 2
    assert not [line for line in lines if line.startswith("RDATE")]


@pytest.mark.parametrize("zone", [UTC, ZoneInfo("UTC"), ZoneInfo("Etc/UTC")])
def test_utc_needs_no_rules(zone):
    body = build(TIMED, zone)
    assert "DTSTART:20261109T083000Z" in unfolded(body)
    assert "VTIMEZONE" not in body


words = st.text(st.characters(exclude_categories=["Cc", "Cs"]) | st.sampled_from(",;:\\\"'ü日🎉nN \n\t"), max_size=200)
titles = words.filter(str.strip)
triggers = st.lists(st.integers(-10_000, 10_000).map(lambda minutes: timedelta(minutes=minutes)), max_size=3)
zones = st.sampled_from(["UTC", "Europe/Berlin", "America/Chicago", "Asia/Kolkata", "Africa/Casablanca", "GMT"])
all_day = st.tuples(st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.integers(1, 60)).map(
    lambda pair: (pair[0], pair[0] + timedelta(days=pair[1]))
)
timed = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)).map(
    lambda naive: (
        naive.replace(microsecond=0, tzinfo=UTC),
        naive.replace(microsecond=0, tzinfo=UTC) + timedelta(minutes=15),
    )
)
reminders = st.builds(
    lambda days, alarms, **rest: Reminder(start=days[0], end=days[1], alarms=tuple(alarms), **rest),
    all_day | timed,
    triggers,
    summary=titles,
    description=words,
    location=words.map(lambda text: text.replace("\n", " ")),
    status=st.sampled_from(["CONFIRMED", "TENTATIVE"]),
)
marks = st.builds(Mark, st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=40), st.integers(1, 99))


@given(reminders, marks, zones.map(ZoneInfo))
def test_whatever_the_words_an_event_is_read_as_it_was_written(reminder, mark, zone):
    body = build(reminder, zone, mark)
    read = ical.parse(body)
    assert read == item(reminder, mark)
    assert read.base == hashes(read.reminder)
    assert build(reminder, zone, mark) == body


@settings(max_examples=50)  # each is built and read several times
@given(reminders, zones.map(ZoneInfo))
def test_whatever_the_words_an_event_is_valid_for_other_programs(reminder, zone):
    body = build(reminder, zone)
    vobject.readOne(body).validate(raiseException=True)
    calendar = Calendar.from_ical(body)
    assert not [part.errors for part in calendar.walk() if part.errors]
    assert len(calendar.events) == 1
    assert not {"ORGANIZER", "ATTENDEE", "METHOD"} & ({*calendar} | {*calendar.events[0]})
    assert {"UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY"} <= {*calendar.events[0]}


@settings(max_examples=50)  # each is built and read several times
@given(reminders, zones.map(ZoneInfo))
def test_lines_are_at_most_75_octets_end_with_crlf_and_are_never_empty(reminder, zone):
    body = build(reminder, zone)
    assert body.endswith("END:VCALENDAR\r\n")
    lines = body[:-2].split("\r\n")
    assert not [line for line in lines if len(line.encode()) > 75 or not line.strip("\r\n")]
    assert not [line for line in unfolded(body)[:-1] if re.fullmatch(r"[A-Z-]+(;[^:]*)?:", line)]


@pytest.mark.parametrize("word", ["ü" * 200, "日本語" * 80, "🎉" * 90, "x" * 400, "👩‍👩‍👧" * 30, "a" * 66 + "é"])
def test_long_words_are_folded_between_characters(word):
    body = build(replace(ALL_DAY, summary=word, description=word))
    assert max(len(line.encode()) for line in body.split("\r\n")) <= 75
    assert ical.parse(body).reminder.summary == word
    assert vobject.readOne(body).vevent.summary.value == word


@given(st.text(st.sampled_from("a\\é日🎉 "), max_size=400) | st.text(st.characters(exclude_categories=["Cc", "Cs"])))
def test_a_line_is_folded_within_no_character_and_no_escape(line):
    pieces = ical._folded(line).encode("utf-8").split(b"\r\n ")
    assert b"".join(pieces).decode() == line
    assert all(len(piece) <= 75 - bool(number) for number, piece in enumerate(pieces))
    assert all(piece for piece in pieces[1:])
    for piece in pieces[:-1]:
        assert len(piece) >= 75 - 5, "no shorter than a character and an escape ask for"
        assert len(re.search(r"\\*$", piece.decode())[0]) % 2 == 0


@pytest.mark.parametrize("text", ["a,b;c", "\\", "\\n", "\\\\n", "a\nb", "\\,", 'say "hi"', "a:b", "C:\\new;x,y"])
def test_text_with_signs_of_the_format_comes_back_as_it_was(text):
    read = ical.parse(build(replace(ALL_DAY, summary=text, description=text, location=text))).reminder
    assert (read.summary, read.description, read.location) == (text, text, text)
    event = vobject.readOne(build(replace(ALL_DAY, summary=text, description=text))).vevent
    assert (event.summary.value, event.description.value) == (text, text)


def test_what_is_empty_is_not_written():
    body = build(replace(ALL_DAY, description="", location="", categories=(), alarms=(), status=""))
    names = {re.split("[;:]", line)[0] for line in unfolded(body)}
    assert not {"DESCRIPTION", "LOCATION", "CATEGORIES", "VALARM", "STATUS"} & names
    assert ical.parse(body).reminder.description == ""


# What comes back.


def radicale(body):
    """As Radicale stores it: read and written by vobject."""
    return vobject.readOne(body).serialize()


def xandikos(body):
    """As Xandikos stores it: read and written by icalendar, properties in another order."""
    calendar = Calendar.from_ical(body)
    event = calendar.events[0]
    values = list(event.items())
    event.clear()
    event.update(reversed(values))
    return calendar.to_ical(sorted=False).decode()


def apple(body):
    """As Apple's Calendar saves it after an alarm was shown and snoozed."""
    body = re.sub("PRODID:.*\r\n", "PRODID:-//Apple Inc.//macOS 15.0//EN\r\nCALSCALE:GREGORIAN\r\n", body)
    body = re.sub("DTSTAMP:[^\r]*", "DTSTAMP:20261109T083100Z", body)
    body = body.replace("BEGIN:VALARM\r\n", "BEGIN:VALARM\r\nX-WR-ALARMUID:AAA\r\nUID:AAA\r\n")
    body = body.replace("END:VALARM\r\n", "ACKNOWLEDGED:20261109T083000Z\r\nEND:VALARM\r\n", 1)
    return added(
        body,
        "CREATED:20261105T080000Z",
        "X-APPLE-TRAVEL-ADVISORY-BEHAVIOR:AUTOMATIC",
        "BEGIN:VALARM",
        "UID:BBB",
        "RELATED-TO;RELTYPE=SNOOZE:AAA",
        "TRIGGER;VALUE=DATE-TIME:20261109T084500Z",
        "ACTION:DISPLAY",
        "DESCRIPTION:Reminder",
        "END:VALARM",
        "BEGIN:VALARM",
        "X-APPLE-DEFAULT-ALARM:TRUE",
        "ACTION:NONE",
        "TRIGGER;VALUE=DATE-TIME:19760401T005545Z",
        "END:VALARM",
    )


def google(body):
    """As Google gives it: in UTC, with its own stamps and names, and CREATED."""
    body = re.sub("PRODID:.*", "PRODID:-//Google Inc//Google Calendar 70.9054//EN\r", body)
    body = re.sub("(?:DTSTAMP|LAST-MODIFIED):[^\r]*\r\n", "", body)
    body = re.sub(r"BEGIN:VTIMEZONE.*END:VTIMEZONE\r\n", "", body, flags=re.DOTALL)
    body = re.sub(r"DTSTART;TZID=[^\r]*", "DTSTART:20261109T083000Z", body)
    body = re.sub(r"DTEND;TZID=[^\r]*", "DTEND:20261109T084500Z", body)
    return added(body, "DTSTAMP:20261110T101010Z", "LAST-MODIFIED:20261110T101010Z", "CREATED:20261105T080000Z")


def outlook(body):
    """As Exchange gives it: Windows' names of zones, a duration, parameters, stray spaces, properties of its own."""
    body = body.replace("Europe/Berlin", "W. Europe Standard Time").replace("SEQUENCE:0", "SEQUENCE:4")
    body = re.sub("DTEND;TZID=[^\r]*", "DURATION:PT15M", body)
    body = re.sub("DTEND;VALUE=DATE:[^\r]*", "DURATION:P5D", body)
    body = body.replace("SUMMARY:", "SUMMARY;LANGUAGE=en-us:").replace("(by Fri 13 Nov)", "(by Fri 13 Nov) ")
    body = body.replace("555 0100\r\n", "555 0100\\n\r\n", 1)
    return added(body, "X-MICROSOFT-CDO-BUSYSTATUS:FREE", "X-ALT-DESC;FMTTYPE=text/html:<p>One brief</p>")


def thunderbird(body):
    """As Thunderbird saves it after an alarm was dismissed and another snoozed."""
    body = body.replace("DTSTAMP:20261105", "DTSTAMP:20261109").replace(
        "LAST-MODIFIED:20261105", "LAST-MODIFIED:20261109"
    )
    return added(
        body,
        "X-MOZ-LASTACK:20261109T084000Z",
        "X-MOZ-SNOOZE-TIME:20261109T090000Z",
        "X-MOZ-GENERATION:2",
        "X-EVOLUTION-CALDAV-HREF:/x",
    )


def reordered(body):
    """With its alarms and its lines the other way round, and unfolded."""
    head, *alarms = "\n".join(unfolded(body)).split("BEGIN:VALARM\n")
    *rest, tail = [alarm.partition("END:VALARM\n") for alarm in alarms]
    start, _, properties = head.partition("BEGIN:VEVENT\n")
    lines = "\n".join(reversed(properties.strip().split("\n")))
    turned = "".join(f"BEGIN:VALARM\n{alarm[0]}END:VALARM\n" for alarm in reversed([*rest, tail]))
    return f"{start}BEGIN:VEVENT\n{lines}\n{turned}{tail[2]}"


REWRITERS = [radicale, xandikos, apple, google, outlook, thunderbird, reordered]


@pytest.mark.parametrize("rewrite", REWRITERS)
@pytest.mark.parametrize("reminder", [ALL_DAY, TIMED], ids=["all-day", "timed"])
def test_what_servers_and_programs_do_to_an_event_is_no_edit(rewrite, reminder):
    body = rewrite(build(reminder))
    assert body != build(reminder)
    read = ical.parse(body)
    assert differing(hashes(read.reminder), hashes(reminder)) == ()
    assert (read.mark, read.base, read.uid) == (MARK, hashes(reminder), UID)


@pytest.mark.parametrize("rewrite", REWRITERS)
def test_stamps_of_others_do_not_hide_when_we_wrote(rewrite):
    assert ical.parse(rewrite(build(ALL_DAY))).written == STAMP.moment


@pytest.mark.parametrize("rewrite", REWRITERS)
def test_a_body_that_was_rewritten_is_patched_to_what_is_wanted(rewrite):
    wanted = replace(ALL_DAY, start=date(2026, 11, 11), summary="Call Dana Ruiz (by Fri 13 Nov)", alarms=())
    body = patched(rewrite(build(ALL_DAY)), wanted, MARK, LATER, BERLIN)
    read = ical.parse(body)
    assert differing(hashes(read.reminder), hashes(wanted)) == ()
    assert (read.mark, read.base, read.stamp) == (MARK, hashes(wanted), LATER)
    assert not [part.errors for part in Calendar.from_ical(body).walk() if part.errors]


@pytest.mark.parametrize(
    ("fields", "edit"),
    [
        (("start",), lambda body: body.replace("DTSTART;VALUE=DATE:20261109", "DTSTART;VALUE=DATE:20261110")),
        (("end",), lambda body: body.replace("DTEND;VALUE=DATE:20261114", "DTEND;VALUE=DATE:20261113")),
        (("end",), lambda body: without(body, "DTEND")),
        (("summary",), lambda body: body.replace("SUMMARY:Call", "SUMMARY:✓ Call")),
        (("summary",), lambda body: without(body, "SUMMARY")),
        (("description",), lambda body: body.replace("DESCRIPTION:One", "DESCRIPTION:Not one")),
        (("location",), lambda body: body.replace("LOCATION:+1", "LOCATION:+49")),
        (("status",), lambda body: body.replace("STATUS:CONFIRMED", "STATUS:CANCELLED")),
        (("categories",), lambda body: added(body, "CATEGORIES:Done", before="BEGIN:VALARM")),
        (("categories",), lambda body: body.replace("CATEGORIES:Follow-up", "CATEGORIES:Follow-up,Done")),
        (("transp",), lambda body: without(body, "TRANSP")),
        (("classification",), lambda body: without(body, "CLASS")),
        (("alarms",), lambda body: body.replace("TRIGGER:PT9H30M", "TRIGGER:PT8H")),
        (("alarms",), lambda body: body.replace("TRIGGER:PT9H30M", "TRIGGER;RELATED=END:PT9H30M")),
        (("alarms",), lambda body: body.replace("TRIGGER:PT9H30M", "TRIGGER;VALUE=DATE-TIME:20261109T090000Z")),
        (
            ("alarms",),
            lambda body: added(body, "BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:x", "TRIGGER:-PT1H", "END:VALARM"),
        ),
        (("alarms",), lambda body: re.sub("BEGIN:VALARM.*END:VALARM\r\n", "", body, flags=re.DOTALL)),
        (
            ("start", "end"),
            lambda body: body.replace("DTSTART;VALUE=DATE:20261109", "DTSTART:20261109T080000Z").replace(
                "DTEND;VALUE=DATE:20261114", "DTEND:20261109T090000Z"
            ),
        ),
    ],
)
def test_an_edit_shows_in_exactly_its_own_field(fields, edit):
    body = build(ALL_DAY)
    assert edit(body) != body
    read = ical.parse(edit(body))
    assert differing(read.base, hashes(read.reminder)) == fields


@pytest.mark.parametrize(
    "trigger",
    [
        "TRIGGER;VALUE=DURATION:PT9H30M",
        "TRIGGER;RELATED=START:PT570M",
        "TRIGGER;RELATED=END:-P4DT14H30M",
        "TRIGGER;VALUE=DATE-TIME:20261109T093000Z",
    ],
)
def test_an_alarm_that_rings_at_the_same_time_is_the_same(trigger):
    assert ical.parse(build(ALL_DAY).replace("TRIGGER:PT9H30M", trigger)).base == hashes(ALL_DAY)
    read = ical.parse(build(ALL_DAY).replace("TRIGGER:PT9H30M", trigger))
    assert hashes(read.reminder) == hashes(ALL_DAY)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("DTSTART:20261109T083000Z", "DTEND:20261109T084500Z"),
        ("DTSTART;TZID=America/Chicago:20261109T023000", "DTEND;TZID=Asia/Kolkata:20261109T141500"),
        ("DTSTART;TZID=/softwarestudio.org/Europe/Berlin:20261109T093000", "DURATION:PT15M"),
    ],
)
def test_the_same_moment_in_another_zone_is_no_edit(start, end):
    body = re.sub("DTSTART;TZID[^\r]*", start, re.sub("DTEND;TZID[^\r]*", end, build(TIMED)))
    if "softwarestudio" in start:
        body = body.replace("TZID:Europe/Berlin", "TZID:/softwarestudio.org/Europe/Berlin")
    assert hashes(ical.parse(body).reminder) == hashes(TIMED)


def test_a_timed_event_without_an_end_ends_as_it_begins():
    assert ical.parse(without(build(TIMED), "DTEND")).reminder.end == TIMED.start


def test_a_moment_without_a_zone_is_read_all_the_same():
    body = build(TIMED).replace("DTSTART;TZID=Europe/Berlin", "DTSTART").replace("DTEND;TZID=Europe/Berlin", "DTEND")
    assert ical.parse(body).reminder.start == datetime(2026, 11, 9, 9, 30, tzinfo=UTC)


def test_where_a_server_drops_what_is_ours_the_rest_is_read():
    body = build(ALL_DAY)
    for name in ("X-CALSYNC", "X-CALSYNC-BASE", "X-CALSYNC-WRITTEN", "LAST-MODIFIED", "SEQUENCE"):
        body = without(body, name)
    assert ical.parse(body) == Item(uid=UID, reminder=ALL_DAY, mark=None, base=None, stamp=STAMP)


def test_a_stamp_that_is_only_a_day_is_read_as_its_midnight():
    body = build(ALL_DAY).replace("LAST-MODIFIED:20261105T080000Z", "LAST-MODIFIED;VALUE=DATE:20261105")
    assert ical.parse(body).stamp.moment == datetime(2026, 11, 5, tzinfo=UTC)


OVERRIDE = "\r\n".join(
    [
        "BEGIN:VEVENT",
        f"UID:{UID}",
        "DTSTAMP:20261105T080000Z",
        "RECURRENCE-ID;VALUE=DATE:20261110",
        "DTSTART;VALUE=DATE:20261110",
        "SUMMARY:an override",
        "END:VEVENT",
        "",
    ]
)


def test_the_event_is_read_and_not_an_override_of_it():
    body = build(ALL_DAY).replace("BEGIN:VEVENT\r\n", f"{OVERRIDE}BEGIN:VEVENT\r\n", 1)
    assert ical.parse(body) == item(ALL_DAY)


# What cannot be read.


@pytest.mark.parametrize(
    "body",
    [
        "",
        "\0",
        "<html>no</html>",
        "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n",
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n",
        "BEGIN:VEVENT\r\nUID:x\r\nEND:VEVENT\r\n",
        "BEGIN:VCALENDAR\r\nBEGIN:VTODO\r\nUID:x\r\nEND:VTODO\r\nEND:VCALENDAR\r\n",
        build(ALL_DAY) + build(TIMED),
        "BEGIN:VCALENDAR\r\n" + OVERRIDE + "END:VCALENDAR\r\n",
        without(build(ALL_DAY), "DTSTART"),
        without(without(build(ALL_DAY), "DTSTAMP"), "LAST-MODIFIED"),
        build(ALL_DAY).replace("20261109", "20261399"),
        build(ALL_DAY).replace("SEQUENCE:0", "SEQUENCE:many"),
        build(ALL_DAY).replace("SUMMARY:Call", "DTSTART;VALUE=DATE:20261109\r\nSUMMARY:Call"),
        without(build(ALL_DAY), "DTEND").replace("SEQUENCE", "DURATION:P9999999D\r\nSEQUENCE"),
        "BEGIN:VCALENDAR\r\n" + "BEGIN:VEVENT\r\n" * 2000,
    ],
)
def test_what_holds_no_event_that_can_be_read_is_none(body):
    assert ical.parse(body) is None


PIECES = """\
END:VEVENT~ BEGIN:VALARM~ 99999999 Z TZID=x: VALUE=DATE-TIME: VALUE=PERIOD: DURATION:P99999999999D~ RELATED=END: -P1W
00010101 DTSTART:00010101T000000Z~ DTEND;TZID=Asia/Tokyo:00010101T000000~ RDATE:x~ TRIGGER:x~ SEQUENCE:-1~
: ; , = \" \\ \0 🎉
"""
pieces = st.sampled_from([piece.replace("~", "\r\n") for piece in (*PIECES.split(), "~", "\n", " ")])


@st.composite
def mutilated(draw):
    """A body with some stretches cut out, doubled or replaced by something else."""
    body = build(draw(st.sampled_from([ALL_DAY, TIMED])))
    for _ in range(draw(st.integers(1, 4))):
        low = draw(st.integers(0, len(body)))
        high = min(len(body), low + draw(st.sampled_from([0, 0, 1, 8, 30, 200])))
        body = body[:low] + draw(pieces | st.text(max_size=5) | st.just(body[low:high] * 2)) + body[high:]
    return body


@given(mutilated() | st.text())
def test_no_text_makes_reading_fail(body):
    read = ical.parse(body)
    assert read is None or isinstance(read, Item)
    if read is not None:
        hashes(read.reminder)


# What is put into a body that stands on a server.


THEIR_LINES = (
    "ATTENDEE;CN=Dana;X-NUM-GUESTS=0:mailto:dana@acme.example",
    "COLOR:tomato",
    "X-APPLE-CALENDAR-COLOR:#FF0000",
    "X-NOTE;X-KIND=a:b\\,c",
    "URL:https://example.org/",
    "RRULE:FREQ=WEEKLY;COUNT=2",
    "BEGIN:X-THEIRS",
    "X-IN:1",
    "END:X-THEIRS",
)


def test_a_patch_keeps_what_is_not_ours():
    body = added(build(ALL_DAY), *THEIR_LINES).replace("END:VEVENT\r\n", f"END:VEVENT\r\n{OVERRIDE}", 1)
    body = body.replace(
        "VERSION:2.0\r\n", "VERSION:2.0\r\nX-WR-CALNAME:Work\r\nBEGIN:X-OTHER\r\nX-A:1\r\nEND:X-OTHER\r\n"
    )
    wanted = replace(ALL_DAY, start=date(2026, 11, 11), summary="later")
    lines = unfolded(patched(body, wanted, MARK, LATER, BERLIN))
    for line in (*THEIR_LINES, *OVERRIDE.split("\r\n")[1:-2], "X-WR-CALNAME:Work", "BEGIN:X-OTHER", "X-A:1"):
        assert line in lines, line
    assert lines.count("BEGIN:VEVENT") == 2
    assert ical.parse("\r\n".join(lines)) == item(wanted, stamp=LATER)


def test_a_patch_sets_every_field_and_the_stamps():
    wanted = Reminder(
        start=TIMED.start,
        end=TIMED.end,
        summary="✓ Called Dana Ruiz at Acme",
        description="Done.",
        location="",
        status="TENTATIVE",
        categories=("Follow-up", "Work"),
        alarms=(timedelta(0),),
        transp="OPAQUE",
        classification="PUBLIC",
    )
    body = patched(build(ALL_DAY), wanted, replace(MARK, generation=2), LATER, BERLIN)
    assert ical.parse(body) == replace(item(wanted, stamp=LATER), mark=replace(MARK, generation=2))
    assert "LOCATION" not in body
    back = patched(body, ALL_DAY, MARK, LATER, BERLIN)
    assert ical.parse(back) == item(ALL_DAY, stamp=LATER)


def test_a_patch_replaces_a_duration_by_an_end():
    body = build(ALL_DAY).replace("DTEND;VALUE=DATE:20261114", "DURATION:P5D")
    lines = unfolded(patched(body, ALL_DAY, MARK, LATER, BERLIN))
    assert "DTEND;VALUE=DATE:20261114" in lines
    assert "DURATION:P5D" not in lines


@settings(max_examples=50)  # each is built and read several times
@given(reminders, reminders, zones.map(ZoneInfo))
def test_a_patched_event_is_read_as_it_was_meant(before, after, zone):
    body = patched(build(before, zone), after, MARK, LATER, zone)
    assert ical.parse(body) == item(after, stamp=LATER)
    assert body == patched(build(before, zone), after, MARK, LATER, zone)
    assert Calendar.from_ical(body).to_ical().decode().count("BEGIN:VTIMEZONE") <= 1


def test_alarms_that_did_not_change_stay_as_people_and_programs_left_them():
    extra = ("UID:A1", "ACKNOWLEDGED:20261109T083000Z", "X-WR-ALARMUID:A1")
    body = added(apple(build(ALL_DAY)), *extra, before="END:VALARM")
    body = body.replace("DESCRIPTION:Call Dana Ruiz at Acme (by Fri 13 Nov)", "DESCRIPTION:my own words", 1)
    lines = unfolded(patched(body, replace(ALL_DAY, description="new"), MARK, LATER, BERLIN))
    assert {*extra, "RELATED-TO;RELTYPE=SNOOZE:AAA", "DESCRIPTION:my own words"} <= {*lines}


def test_alarms_in_another_order_stay():
    body = added(reordered(build(ALL_DAY)).replace("\n", "\r\n"), "X-WR-ALARMUID:A1", before="END:VALARM")
    assert "X-WR-ALARMUID:A1" in patched(body, replace(ALL_DAY, description="new"), MARK, LATER, BERLIN)


def test_alarms_show_a_new_title_and_keep_their_own_words():
    mine = ("BEGIN:VALARM", "ACTION:EMAIL", "DESCRIPTION:mine", "TRIGGER:-PT1H", "X-A:1", "END:VALARM")
    body = added(build(ALL_DAY), *mine)
    wanted = replace(ALL_DAY, summary="New title", alarms=(*ALL_DAY.alarms, timedelta(hours=-1)))
    lines = unfolded(patched(body, wanted, MARK, LATER, BERLIN))
    assert lines.count("DESCRIPTION:New title") == 2
    assert {"DESCRIPTION:mine", "X-A:1", "ACTION:EMAIL"} <= {*lines}


def test_alarms_that_changed_are_all_ours():
    wanted = replace(ALL_DAY, alarms=(timedelta(hours=8),))
    body = patched(apple(build(ALL_DAY)), wanted, MARK, LATER, BERLIN)
    assert re.findall("TRIGGER[^\r]*", body) == ["TRIGGER:PT8H"]
    assert body.count("BEGIN:VALARM") == 1


def test_a_patch_keeps_zones_of_others_and_replaces_its_own():
    chicago = unfolded(build(TIMED, ZoneInfo("America/Chicago")))
    theirs = chicago[chicago.index("BEGIN:VTIMEZONE") : chicago.index("END:VTIMEZONE") + 1]
    body = added(build(TIMED), *theirs, before="BEGIN:VEVENT").replace("TZNAME:CET", "TZNAME:OLD")
    moved = replace(TIMED, start=datetime(2027, 7, 1, 7, tzinfo=UTC), end=datetime(2027, 7, 1, 8, tzinfo=UTC))
    lines = unfolded(patched(body, moved, MARK, LATER, BERLIN))
    assert [line for line in lines if line.startswith("TZID:")] == ["TZID:Europe/Berlin", "TZID:America/Chicago"]
    assert "TZNAME:OLD" not in lines
    assert "DTSTART;TZID=Europe/Berlin:20270701T090000" in lines


@pytest.mark.parametrize(
    "body", ["", "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "BEGIN:VEVENT\r\nEND:VEVENT\r\n", "hello"]
)
def test_a_body_without_an_event_cannot_be_patched(body):
    with pytest.raises(ValueError):  # noqa: PT011 - the message is icalendar's
        patched(body, ALL_DAY, MARK, LATER, BERLIN)


@given(reminders, marks, zones.map(ZoneInfo))
def test_a_new_event_is_as_the_library_would_write_it(reminder, mark, zone):
    """`build` puts content lines together by itself; but for their order they are those of the library's components."""
    body = re.sub("BEGIN:VTIMEZONE.*END:VTIMEZONE\r\n", "", build(reminder, zone, mark), flags=re.DOTALL)
    theirs = Calendar.from_ical(body).to_ical().decode().replace("TRIGGER:P0D\r\n", "TRIGGER:PT0S\r\n")
    assert sorted(unfolded(theirs)) == sorted(unfolded(body))
