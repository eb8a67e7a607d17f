"""YAML -> `model.Journal`, or every mistake of every file at once.

The form of the files is the contract of `docs/journal.md`. Idea: borgmatic's `validate.py` (all problems, with their
places), on nodes that know where they stand (octoDNS).

- **Journal**: one or more files, or folders of `*.yaml`, each with a list under `applications:`.
- **Answers**: a file of the same form, in which an item is an application's `id` and `events` that go behind its own.

Public face: `read`, and `read_answers` for who adds to that file. Nothing is computed here: what the events mean is
`etiquette`'s business.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from calsync import yamlfile
from calsync.errors import JournalError, Problem
from calsync.fields import Fields, is_nothing
from calsync.journal.applications import CheckPlace, read_answer, read_application
from calsync.model import Application, Event, Journal, Place
from calsync.yamlfile import Document, Mapping, Node, quote

_TOP_KEYS = ("applications",)


def any_place(_country: str, _subdivision: str | None) -> str | None:
    """Accept every country: what `check_place` is where nobody knows them."""
    return None


def read(paths: Sequence[Path], answers: Path | None, zone: ZoneInfo, check_place: CheckPlace = any_place) -> Journal:
    """Read the journal's files and folders `paths` and the `answers`, which may be absent or empty.

    Days are those of the user's `zone`. `check_place(country, subdivision)` says in words what is wrong with such a
    pair. Files are called in messages and places what they are called in `paths`. Raises JournalError with every
    mistake of every file, in the order of the files and of their lines.
    """
    reader = _Reader(zone, check_place)
    for path in paths:
        for file in reader.files(path, answers):
            reader.read_journal(file)
    if answers is not None:
        reader.read_answers(answers)
    if reader.problems:
        raise JournalError(dict.fromkeys(reader.problems))
    return Journal(applications=tuple(reader.applications.values()), warnings=tuple(reader.warnings))


class Block(Struct, frozen=True):
    """One item of the answers: an application's id, where the item begins, and its events."""

    id: str
    place: Place
    events: tuple[Event, ...]


def read_answers(path: Path, zone: ZoneInfo) -> tuple[Block, ...]:
    """The items of the answers at `path`, in file order; none where there is no file. Raises JournalError."""
    document = yamlfile.load(path)
    blocks = tuple(_blocks(document, zone))
    if document.problems:
        raise JournalError(dict.fromkeys(sorted(document.problems)))
    return blocks


def _blocks(document: Document, zone: ZoneInfo) -> Iterator[Block]:
    if document.missing:
        document.problems.clear()
    elif document.root is not None and not is_nothing(document.root):
        for node in _items(document):
            answer = read_answer(document, node, zone)
            if answer is not None:
                yield Block(answer[0], Place(document.name, node.line, node.column), answer[1])


class _Reader:
    """Gathers applications, warnings and problems over all files."""

    def __init__(self, zone: ZoneInfo, check_place: CheckPlace) -> None:
        self.applications: dict[str, Application] = {}
        self.warnings: list[str] = []
        self.problems: list[Problem] = []
        self._zone = zone
        self._check_place = check_place
        self._places: dict[tuple[str, str | None], str | None] = {}

    def files(self, path: Path, answers: Path | None) -> list[Path]:
        """The files that `path` means: itself, or those of the folder but for the answers and hidden ones."""
        try:
            if not path.is_dir():
                return [path]
            names = sorted(entry.name for entry in path.iterdir() if not entry.name.startswith("."))
        except OSError as error:
            self.problems.append(Problem(str(path), 0, 0, f"the folder cannot be read: {error.strerror}"))
            return []
        self.warnings += [
            f"{path / name}: left out, as a folder's files must end in .yaml" for name in names if name.endswith(".yml")
        ]
        own = answers and answers.absolute()
        files = [path / name for name in names if name.endswith(".yaml") and (path / name).absolute() != own]
        if not files:
            self.problems.append(Problem(str(path), 0, 0, "the folder has no file of applications (*.yaml) in it"))
        return files

    def read_journal(self, path: Path) -> None:
        """Read the applications of one file."""
        document = yamlfile.load(path)
        for node in _items(document):
            application = read_application(document, node, self._zone, self._check)
            if application is not None:
                self._enter(document, node, application)
        self.problems += sorted(document.problems)

    def read_answers(self, path: Path) -> None:
        """Read one file of answers, and append its events to those of the applications."""
        document = yamlfile.load(path)
        events: dict[str, list[Event]] = {}
        for block in _blocks(document, self._zone):
            self._warn_of_stranger(block)
            events.setdefault(block.id, []).extend(block.events)
        for id_ in events.keys() & self.applications.keys():
            application = self.applications[id_]
            self.applications[id_] = replace(application, events=(*application.events, *events[id_]))
        self.problems += sorted(document.problems)

    def _enter(self, document: Document, node: Node, application: Application) -> None:
        first = self.applications.setdefault(application.id, application)
        if first is application:
            return
        assert isinstance(node, Mapping), "an application was read from it"
        fields = Fields(document, node)
        if fields.is_nothing("id"):
            text = f"company and role give the id {quote(first.id)}, which {first.place} has: give one of them an 'id:'"
            fields.complain(text, "company")
        else:
            fields.complain(f"the id {quote(first.id)} is taken: first at {first.place}; ids must be unique", "id")

    def _warn_of_stranger(self, block: Block) -> None:
        if block.id not in self.applications:
            text = f"no application has the id {quote(block.id)}; what is said of it is left out"
            self.warnings.append(f"{block.place}: {text}")

    def _check(self, country: str, subdivision: str | None) -> str | None:
        """As `check_place`, asked once for each pair."""
        pair = (country, subdivision)
        if pair not in self._places:
            self._places[pair] = self._check_place(country, subdivision)
        return self._places[pair]


def _items(document: Document) -> list[Node]:
    """The nodes under `applications:`. A file without that key is a mistake: it may be half-written."""
    root = document.root
    if root is None:
        return []
    if is_nothing(root):
        document.complain("the file is empty; a journal without applications says 'applications: []'")
        return []
    if not isinstance(root, Mapping):
        document.complain("the file must begin with 'applications:' and have a list below it", root)
        return []
    fields = Fields(document, root, _TOP_KEYS)
    if "applications" not in fields:
        document.complain("'applications:' is missing; is the file whole?", root)
    return fields.items("applications")
