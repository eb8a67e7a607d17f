"""config.yaml -> `Config`, or every mistake in it at once.

Every key stands in `KEYS` and, with its default and a line of comment, in `config.example.yaml`; a test holds the two
together (todoman's idea: one table for name, type, default and documentation). The config knows no target and no rule:
it carries settings, and those who need them import it. The `caldav` and `feed` blocks are read by `caldavsettings.py`
and `feedsettings.py`.

Public face: `load`, and the frozen classes that it returns.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Mapping
from datetime import time, timedelta
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from msgspec import Struct, field
from msgspec.structs import replace

from calsync import caldavsettings, feedsettings, paths, presets, texts, yamlfile
from calsync import fields as f
from calsync.caldavsettings import CaldavSettings
from calsync.errors import ConfigError, Problem
from calsync.feedsettings import FeedSettings
from calsync.fields import FieldError, Fields
from calsync.model import Me, Pause, Policy
from calsync.texts import Texts
from calsync.yamlfile import Document, quote

MINIMAL = """\
timezone: Europe/Berlin
country: DE
applications: applications.yaml
feed:
  path: follow-ups.ics
"""
"""A config that works, in five lines."""

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WEEKDAYS = {name[:3]: number for number, name in enumerate(_DAYS)} | {name: n for n, name in enumerate(_DAYS)}
_REMINDERS: Mapping[str, Literal["window", "slot"]] = {"window": "window", "slot": "slot"}


class DaemonSettings(Struct, frozen=True, kw_only=True):
    """How long the daemon waits between two syncs that nothing has asked for."""

    interval: timedelta = timedelta(minutes=15)


class Config(Struct, frozen=True, kw_only=True):
    """All settings. `path` is the file that they are from; the other paths are absolute or relative to where it is."""

    path: Path
    timezone: ZoneInfo
    applications: tuple[Path, ...]
    answers: Path
    policy: Policy = Policy()
    me: Me = Me()
    texts: Texts = field(default_factory=Texts)
    name: str = "default"
    remind_at: time = time(9, 30)
    reminders: Literal["window", "slot"] = "window"
    caldav: CaldavSettings | None = None
    feed: FeedSettings | None = None
    daemon: DaemonSettings = DaemonSettings()


CheckPlace = Callable[[str, str | None], str | None]
"""Says what is wrong with a country and a subdivision, as a clause for the user; None if nothing is."""


def _names(settings: type[DaemonSettings]) -> tuple[str, ...]:
    return settings.__struct_fields__


_TOP = "timezone country subdivision applications answers name weekdays remind_at reminders language pauses etiquette"

KEYS: Mapping[str, tuple[str, ...]] = {
    "": (*_TOP.split(), "me", "texts", "caldav", "feed", "daemon"),
    "pauses": ("from", "to"),
    "etiquette": presets.KEYS,
    "me": ("name", "phone", "email"),
    "caldav": caldavsettings.KEYS,
    "feed": feedsettings.KEYS,
    "daemon": _names(DaemonSettings),
}
"""The keys of the file, and of each map in it."""


def load(
    explicit: Path | None,
    environ: Mapping[str, str],
    cwd: Path,
    check_place: CheckPlace = lambda _country, _subdivision: None,
) -> Config:
    """Find the config and read it.

    It is `explicit`, else `$CALSYNC_CONFIG`, else `config.yaml` in `cwd`, else the user's own. A relative `cwd` keeps
    file names in messages relative. `check_place(country, subdivision)` says in words what is wrong with such a pair.
    Raises ConfigError with every mistake, or with every path tried.
    """
    config, problems = survey(explicit, environ, cwd, check_place)
    if config is None or problems:
        raise ConfigError(problems)
    return config


def survey(
    explicit: Path | None, environ: Mapping[str, str], cwd: Path, check_place: CheckPlace
) -> tuple[Config | None, tuple[Problem, ...]]:
    """As `load`, for who looks for mistakes elsewhere too: the config, in which defaults stand in, and every mistake.

    The config is None where nothing can be read. Raises ConfigError if none is found, with every path tried.
    """
    path = _find(explicit, environ, cwd)
    document = yamlfile.load(path)
    config = None
    if isinstance(document.root, yamlfile.Mapping):
        config = _Reader(document, path, environ).config(Fields(document, document.root, KEYS[""]), check_place)
    elif document.root is not None:
        document.complain("the config must be a map; a small one is\n\n" + _indented(MINIMAL))
    return config, tuple(dict.fromkeys(sorted(document.problems)))


def _find(explicit: Path | None, environ: Mapping[str, str], cwd: Path) -> Path:
    if explicit is not None:
        return cwd / paths.expand(str(explicit), environ)
    if given := environ.get("CALSYNC_CONFIG"):
        return cwd / paths.expand(given, environ)
    tried = [cwd / "config.yaml", paths.user_config(environ)]
    for path in tried:
        if _stands(path):
            return path
    listed = "".join(f"\n    {path}" for path in tried)
    text = f"no config was found; tried, as neither --config nor CALSYNC_CONFIG is given:{listed}\n"
    text += f"Write one of them, or copy config.example.yaml. A small one is:\n\n{_indented(MINIMAL)}"
    raise ConfigError([Problem("config.yaml", 0, 0, text)])


def _stands(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # not to be looked at: reading it will say so
        return True


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # as above
        return False


def _indented(text: str) -> str:
    return "".join(f"    {line}\n" for line in text.splitlines()).rstrip("\n")


class _Reader:
    """Reads the maps of one config file, which is at `path`; mistakes go to the `document`."""

    def __init__(self, document: Document, path: Path, environ: Mapping[str, str]) -> None:
        self._document = document
        self._path = path
        self._environ = environ

    def config(self, top: Fields, check_place: CheckPlace) -> Config:
        """The whole config; what is missing or wrong is recorded, and a default stands in for it."""
        zone = top.get("timezone", f.zone)
        if zone is None and top.is_nothing("timezone"):
            zone = self._system_zone()
        missing = "'applications' is missing: name the journal's file, files or folder"
        applications = tuple(top.some("applications", self._located, missing))
        config = Config(
            path=self._path,
            timezone=zone or ZoneInfo("UTC"),
            applications=applications,
            answers=top.get("answers", self._located) or _beside(applications),
            policy=self._policy(top, check_place),
            me=_me(top.fields("me", KEYS["me"])),
            texts=self._texts(top),
            name=top.get_or("name", _name, "default"),
            remind_at=top.get_or("remind_at", f.clock, time(9, 30)),
            reminders=top.get_or("reminders", f.one_of(_REMINDERS), "window"),
            caldav=self._caldav(top.fields("caldav", KEYS["caldav"], caldavsettings.MISPLACED)),
            feed=self._feed(top.fields("feed", KEYS["feed"])),
            daemon=_daemon(top.fields("daemon", KEYS["daemon"])),
        )
        self._keep_apart(top, config)
        return config

    def _located(self, written: str) -> Path:
        """A path, relative to the config file."""
        try:
            return self._path.parent / paths.expand(f.line(written), self._environ)
        except ConfigError as error:
            raise FieldError(f"{error.problems[0].file}: {error.problems[0].text}") from None

    def _system_zone(self) -> ZoneInfo | None:
        import tzlocal

        try:
            with warnings.catch_warnings(action="ignore"):  # that it knows none and takes UTC
                return tzlocal.get_localzone()
        except (OSError, ValueError, KeyError):  # by zoneinfo for a zone that there is not
            self._document.complain("the system's time zone is unknown; set it, as in 'timezone: Europe/Berlin'")
            return None

    def _keep_apart(self, top: Fields, config: Config) -> None:
        """See that nothing that calsync writes is a file that somebody else writes."""
        if config.answers in config.applications:
            top.complain("'answers' is the journal itself, to which calsync never writes; name another file", "answers")
        kept = (*config.applications, config.answers, config.path)
        if config.feed is not None and config.feed.path in kept and not self._document.problems:
            top.complain(f"'feed' would be written over {config.feed.path}; name another file", "feed")

    def _policy(self, top: Fields, check_place: CheckPlace) -> Policy:
        country = top.get("country", f.country)
        subdivision = top.get("subdivision", f.line)
        f.complain_of_place(top, country, subdivision, check_place)
        weekdays = Policy().weekdays
        if not top.is_nothing("weekdays"):
            none = "'weekdays' is empty: on which days may anybody be called?"
            weekdays = frozenset(top.some("weekdays", f.one_of(_WEEKDAYS), none))
        pauses = [self._pause(item) for item in top.items("pauses")]
        return replace(
            presets.read(top.fields("etiquette", KEYS["etiquette"])),
            weekdays=weekdays,
            pauses=tuple(pause for pause in pauses if pause is not None),
            country=country,
            subdivision=subdivision,
        )

    def _texts(self, top: Fields) -> Texts:
        language = top.get_or("language", f.one_of({each: each for each in texts.LANGUAGES}), "en")
        if top.is_nothing("texts"):
            return Texts(language)
        node = top.value("texts")
        if not isinstance(node, yamlfile.Mapping):
            top.complain("'texts' must be a map of rules, as in {check-in: {summary: 'Write to {{ whom }}'}}", "texts")
            return Texts(language)
        return texts.read(Fields(self._document, node), language)

    def _pause(self, node: yamlfile.Node) -> Pause | None:
        if not isinstance(node, yamlfile.Mapping):
            self._document.complain("a pause is written as {from: 2026-12-21, to: 2027-01-06}", node)
            return None
        fields = Fields(self._document, node, KEYS["pauses"])
        first, last = fields.need("from", f.day), fields.need("to", f.day)
        if first is None or last is None:
            return None
        if last < first:
            fields.complain(f"the pause ends on {last}, before it begins on {first}", "to")
        return Pause(first, last)

    def _caldav(self, fields: Fields | None) -> CaldavSettings | None:
        if fields is None or not list(fields):
            return None
        return caldavsettings.read(fields, self._located)

    def _feed(self, fields: Fields | None) -> FeedSettings | None:
        if fields is None or not list(fields):
            return None
        return feedsettings.read(fields, self._located, stand_in=self._path)


def _daemon(fields: Fields | None) -> DaemonSettings:
    if fields is None:
        return DaemonSettings()
    return DaemonSettings(interval=fields.get_or("interval", f.duration, DaemonSettings().interval))


def _me(fields: Fields | None) -> Me:
    if fields is None:
        return Me()
    return Me(name=fields.get("name", f.line), phone=fields.get("phone", f.line), email=fields.get("email", f.line))


def _beside(applications: tuple[Path, ...]) -> Path:
    """answers.yaml in the folder of the first journal file; if the journal is a folder, in that."""
    if not applications:
        return Path("answers.yaml")
    first = applications[0]
    return (first if _is_folder(first) else first.parent) / "answers.yaml"


def _name(written: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9-]{1,64}", written):
        raise FieldError(f"{quote(written)} may have letters, digits and dashes alone, at most 64")
    return written
