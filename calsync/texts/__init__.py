"""The texts of reminders: one catalogue a language, and the user's own texts over it.

A catalogue is a YAML file in this folder: sections (`any`, `done`, one a rule), and in each section parts, which are
templates. What a section does not say, `any` says. The config's `texts` block has the same form, and a mistake in it is
told with its line (`docs/texts.md`). Catalogues are read when the first text is wanted.

Public face: `Texts`, whose `say` fills in a part; `read`, the config's block; `LANGUAGES`, `VALUES`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from msgspec import Struct, field

from calsync import phrases, yamlfile
from calsync.errors import ConfigError, Problem
from calsync.fields import Fields, did_you_mean
from calsync.phrases import PhraseError, Values
from calsync.yamlfile import Document, Scalar

LANGUAGES = {path.stem: path for path in sorted(Path(__file__).parent.glob("*.yaml"))}
"""The catalogues by language."""

INTERIM = ("date", "company", "whom", "refer", "advice", "opening", "closing", "subject", "body")
"""The parts that later ones are made of, in the order in which they are filled in."""

PARTS = (*INTERIM, "summary", "description")

_DATE: Values = {"weekday": 0, "day": 9, "month": 11}
_TEXTS = ["rule", "state", "by", "name", "phone", "email", "tel", "opens", "closes", "done_on", "since", "since_what"]
_LISTS = ["companies", "roles", "strengths", "articles", "why"]
_APPLICATION = ("id", "company", "role", "url")
_ME = ("name", "phone", "email")

VALUES = (*_TEXTS, *_LISTS, "applications", "me")
"""What every template but `date` may name, beside the parts before it."""


def values_of(part: str) -> tuple[str, ...]:
    """What the templates of a part may name. `date` has `weekday` (Monday is 0), `day` and `month`."""
    if part == "date":
        return tuple(_DATE)
    if part == "summary":
        return (*VALUES, "company", "whom")
    if part == "description":
        return (*VALUES, *INTERIM[1:], "mailto")
    return (*VALUES, *INTERIM[1 : INTERIM.index(part)])


class Template(Struct, frozen=True):
    """A template and where it stands: `line` and `column` of its first line; `is_literal` if the next ones follow."""

    name: str
    text: str
    file: str = ""
    line: int = 0
    column: int = 0
    is_literal: bool = False

    def place(self, error: PhraseError) -> tuple[int, int]:
        """Line and column of the file at which the mistake stands."""
        if not self.is_literal:
            return self.line, self.column
        lines = self.text.split("\n")
        at = lines[min(error.line, len(lines)) - 1]
        found = max(at.find(error.word or "{"), 0)
        return self.line + error.line - 1, self.column + found


class Texts(Struct, frozen=True):
    """The texts in one language, with the user's `own` over them, by section and part."""

    language: str = "en"
    own: Mapping[tuple[str, str], Template] = field(default_factory=dict)

    def say(self, section: str, part: str, values: Values) -> str:
        """The part with the values filled in, without blank lines around it. Raises ConfigError with its place."""
        template = self._template(section, part)
        try:
            return phrases.fill(template.text, values).strip("\n")
        except PhraseError as error:
            line, column = template.place(error)
            raise ConfigError([Problem(template.file, line, column, f"{template.name}: {error}")]) from None

    def _template(self, section: str, part: str) -> Template:
        catalogue = _catalogue(self.language)
        for key in ((section, part), ("any", part)):
            if found := self.own.get(key) or catalogue.get(key):
                return found
        raise AssertionError(f"'any' has each part, {part} too")


@lru_cache
def _catalogue(language: str) -> Mapping[tuple[str, str], Template]:
    """All templates of a language, by section and part."""
    document = yamlfile.load(LANGUAGES[language])
    assert isinstance(document.root, yamlfile.Mapping), "a catalogue is a map; the tests read each"
    fields = Fields(document, document.root)
    found = {
        (section, part): template
        for section in fields
        for part, template in _section(section, fields.fields(section, PARTS))
    }
    assert not document.problems, document.problems
    return found


def read(fields: Fields, language: str) -> Texts:
    """The texts in `language`, with those of the config's `texts` block over them. What is wrong is recorded."""
    own: dict[tuple[str, str], Template] = {}
    sections = tuple(dict.fromkeys(section for section, _part in _catalogue(language)))
    for section in fields:
        if section not in sections:
            known = did_you_mean(section, sections) or f": known here are {', '.join(sections)}"
            fields.document.complain(f"there is no rule {yamlfile.quote(section)}{known}", fields.key(section))
            continue
        for part, template in _section(section, fields.fields(section, PARTS)):
            if _is_fine(fields.document, section, part, template):
                own[section, part] = template
    return Texts(language, own)


def _section(section: str, fields: Fields | None) -> Iterator[tuple[str, Template]]:
    """The parts of a section that are texts."""
    for part in PARTS:
        if fields is None or (fields.is_nothing(part) and not fields.is_blank(part)):
            continue
        node = fields.value(part)
        if isinstance(node, Scalar):
            yield part, _as_template(f"texts, {section}, {part}", fields.document, node)
        else:
            fields.complain(f"{yamlfile.quote(part)} must be text; put quotes around it, or | before it", part)


def _as_template(name: str, document: Document, node: Scalar) -> Template:
    """The template with its place. Behind a `|` the lines of the file are those of the text."""
    lines = document.text.splitlines()
    text = node.text or ""
    if not lines[node.line - 1][node.column - 1 :].startswith("|") or node.line >= len(lines):
        return Template(name, text, document.name, node.line, node.column)
    first = next((line for line in lines[node.line :] if line.strip()), "")
    indent = len(first) - len(first.lstrip(" "))
    return Template(name, text, document.name, node.line + 1, indent + 1, is_literal=True)


def _is_fine(document: Document, section: str, part: str, template: Template) -> bool:
    try:
        phrases.check(template.text, values_of(part), _samples(section, part))
    except PhraseError as error:
        hint = did_you_mean(error.word, values_of(part)) if error.word else ""
        document.complain_at(f"{template.name}: {error}{hint}", *template.place(error))
        return False
    if part == "summary" and not template.text.strip():
        text = f"{template.name}: it is empty, and a title is needed"
        document.complain_at(text, template.line, template.column)
        return False
    return True


def _samples(section: str, part: str) -> Iterator[Values]:
    """Values as they may come: with everything known, and with as little as can be."""
    if part == "date":
        yield _DATE
        return
    for text, many in (("x", 2), ("", 0)):
        values: dict[str, object] = dict.fromkeys(values_of(part), text)
        values |= {name: [text] * many for name in _LISTS}
        values["applications"] = [dict.fromkeys(_APPLICATION, text)] * max(many, 1)
        values["me"] = dict.fromkeys(_ME, text)
        values["rule"] = "check-in" if section in ("any", "done") else section
        for by in ("call", "email", "any", ""):
            yield values | {"by": by}
