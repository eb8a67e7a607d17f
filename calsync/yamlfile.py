"""A YAML file as a tree of nodes, each of which knows its line and column; the only import of yaml.

Ideas: octoDNS' `ContextLoader`, where every mapping knows "file, line, column"; and strictyaml, where every scalar
stays text until the field that it fills gives it a type, so that `NO` may be Norway. The tree is built from
libyaml's events, which is five times faster than its constructor.

Public face: `load(path, name)` returns a `Document`, whose `root` is a `Scalar`, `Sequence` or `Mapping` and which
gathers `problems`. Nothing here raises for what stands in a file.

YAML 1.1 as libyaml reads it, but: UTF-8 only; one document; no tags; no key twice; keys are text; anchors, aliases and
merge keys (`<<`) are read, with bounds on what they expand to (`MAX_EXPANSION`) and on nesting (`MAX_DEPTH`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Protocol, cast

import yaml
from msgspec import Struct

from calsync.errors import Problem

MAX_BYTES = 64 * 2**20
"""A file larger than this is refused; a journal of 100,000 applications is about half of it."""

MAX_DEPTH = 50
"""Lists and maps may be nested this deep; calsync's own files need five."""

_TOO_DEEP = f"lists and maps are nested more than {MAX_DEPTH} deep"

MAX_EXPANSION = 100_000
"""Aliases may add so many nodes to those that the file itself has (the "billion laughs" attack)."""

_NOTHING = frozenset({"", "~", "null", "Null", "NULL"})
_Loader: type[yaml.CSafeLoader | yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_NOT_PRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What YAML 1.1 section 4.1.1 leaves out of a stream."""

_KEY = re.compile(r"(?<![\w-])[\w-]+[\"']?\s*:\s*")
_SECRET_WORDS = ("pas", "pwd", "psw", "secret", "tok", "cred")  # misspelled ones too
_USERINFO = re.compile(r"://\S*@")
_LONGEST_SHOWN = 1000
_SHOWN_WIDTH = 160

_HINTS = (
    ("tab character", "indent with spaces"),
    ("cannot start any token", "put quotes around a text that begins so; indent with spaces, not tabs"),
    ("mapping values are not allowed", "put quotes around a text that has a colon in it"),
    ("expected key", "is the line indented like those before it?"),
    ("expected '-' indicator", "is the line indented like those before it?"),
    ("expected ',' or", "is a bracket or a comma missing?"),
    ("expected node content", "is a bracket, a quote or the end of the file missing?"),
    ("unexpected end of stream", "is a quote missing, or the end of the file?"),
)


class _Mark(Protocol):
    """Where something begins, as the parser has it: both count from 0."""

    line: int
    column: int


class _Placed(Struct):
    """A node, which knows its line and column, both from 1."""

    mark: _Mark

    @property
    def line(self) -> int:
        """The line in which the node begins."""
        return self.mark.line + 1

    @property
    def column(self) -> int:
        """The column in which the node begins."""
        return self.mark.column + 1


class Scalar(_Placed, gc=False):
    """A piece of text. `text` is None where nothing stands there: an unquoted empty value, `~` or `null`."""

    text: str | None


class Sequence(_Placed):
    """A list of nodes."""

    items: list[Node]


class Mapping(_Placed):
    """A map: key -> (the key as a node, the value)."""

    entries: dict[str, tuple[Scalar, Node]]


Node = Scalar | Sequence | Mapping


class Document:
    """One YAML file: its `name` as the user gave it, its `root`, and the `problems` found in it so far.

    `root` is None where the file cannot be read as YAML at all; `problems` then says why, and `missing` whether there
    is no such file. The root of an empty file is a `Scalar` with nothing in it. `complain` may be called by whoever
    reads the tree, so that all mistakes of a file are told together.
    """

    def __init__(self, name: str, text: str = "") -> None:
        self.name = name
        self.text = text
        self.root: Node | None = None
        self.missing = False
        self.problems: list[Problem] = []

    @cached_property
    def _lines(self) -> list[str]:
        return self.text.splitlines()

    def complain(self, text: str, at: Node | None = None) -> None:
        """Record a mistake that stands at the node `at`, or that is about the file as a whole."""
        if at is None:
            self.problems.append(Problem(self.name, 0, 0, text))
        else:
            self.complain_at(text, at.line, at.column)

    def complain_at(self, text: str, line: int, column: int) -> None:
        """Record a mistake at a line and column, both counted from 1."""
        self.problems.append(Problem(self.name, line, column, text, self._shown(line, column)))

    def _shown(self, line: int, column: int) -> str:
        """The line as it may be printed: no control characters, nothing that may be a password."""
        if not 0 < line <= len(self._lines) or column > _SHOWN_WIDTH or len(self._lines[line - 1]) > _LONGEST_SHOWN:
            return ""
        shown = _NOT_PRINTABLE.sub("\N{REPLACEMENT CHARACTER}", self._lines[line - 1].replace("\t", " "))
        return _without_secrets(shown)[:_SHOWN_WIDTH].rstrip()


def _without_secrets(line: str) -> str:
    """The line up to the value of a key that sounds like a secret, and without users and passwords in addresses."""
    for key in _KEY.finditer(line):
        if key.end() < len(line) and any(word in key[0].casefold() for word in _SECRET_WORDS):
            line = line[: key.end()] + "..."
            break
    return _USERINFO.sub("://...@", line)


def load(path: Path, name: str | None = None) -> Document:
    """Read the file `path`, which messages call `name`. Raises nothing: all that is wrong is in `problems`."""
    document = Document(str(path) if name is None else name)
    data = _read(path, document)
    if data is not None:
        _decode(data, document)
        if not document.problems:
            _parse(document)
    return document


def _read(path: Path, document: Document) -> bytes | None:
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        document.missing = True
        document.complain("there is no such file")
    except IsADirectoryError:
        document.complain("this is a folder, and a file is wanted")
    except OSError as error:
        document.complain(f"the file cannot be read: {error.strerror or error}")
    else:
        if len(data) <= MAX_BYTES:
            return data
        document.complain(f"the file is larger than {MAX_BYTES // 2**20} MiB, which no such file should be")
    return None


def _decode(data: bytes, document: Document) -> None:
    try:
        document.text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        bom = len(data) >= 3 and data[:3] == b"\xef\xbb\xbf"
        good = data[3 * bom : error.start + 3 * bom].decode("utf-8", "replace")
        document.text = data[3 * bom :].decode("utf-8", "replace")
        if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
            document.complain_at("the file is UTF-16; save it as UTF-8", 1, 1)
        else:
            wrong = f"the byte 0x{error.object[error.start]:02x} is not UTF-8; save the file as UTF-8"
            document.complain_at(wrong, *_place(good, len(good)))


def _place(text: str, offset: int) -> tuple[int, int]:
    """Line and column, from 1, of the character at `offset`."""
    lines = (text[:offset] + ".").splitlines()
    return len(lines), len(lines[-1])


class _Stop(Exception):  # noqa: N818 - no error: says that the rest of the file is not worth reading
    """Ends the reading of a file; the problem has been recorded."""


def _parse(document: Document) -> None:
    try:
        document.root = _Builder(document, _Loader(document.text)).document()
    except _Stop:
        pass
    except yaml.reader.ReaderError:
        wrong = _NOT_PRINTABLE.search(document.text)
        assert wrong is not None, "the reader refuses nothing else"
        character = f"the character U+{ord(wrong[0]):04X} may not stand in YAML; remove it"
        document.complain_at(character, *_place(document.text, wrong.start()))
    except yaml.MarkedYAMLError as error:
        _complain_of_syntax(document, error)
    except (ValueError, OverflowError):  # by the pure parser, for an escape such as "\UFFFFFFFF"
        document.complain("this is not YAML: a number after a backslash is no character")


def _complain_of_syntax(document: Document, error: yaml.MarkedYAMLError) -> None:
    text, mark, began = f"this is not YAML: {error.problem}", error.problem_mark, error.context_mark
    assert mark is not None, "both parsers say where"
    if "maximum nesting depth" in text:  # libyaml 0.2.6 has a bound of its own, and reads ahead in brackets
        text, began = _TOO_DEEP, None
    line, column = mark.line + 1, mark.column + 1
    lines = document.text.splitlines()
    if line > len(lines):  # the file has ended too early
        line, column = len(lines), len(lines[-1]) + 1
    if began is not None and began.line < len(lines):
        text += f" ({error.context} that began in line {began.line + 1})"
        if mark.line >= len(lines):  # what is still open is the place to look at
            line, column = began.line + 1, began.column + 1
    text += "".join(f"; {hint}" for phrase, hint in _HINTS if phrase in text)
    document.complain_at(text, line, column)


class _Event(Protocol):
    """What events have, each its part of it; yaml's own types leave it out."""

    start_mark: _Mark
    anchor: str | None
    tag: str | None
    value: str
    style: str | None


_SCALAR: type = yaml.ScalarEvent
_MAPPING_END: type = yaml.MappingEndEvent
_SEQUENCE_END: type = yaml.SequenceEndEvent


class _Builder:
    """Builds nodes from the parser's events, one method a shape; `count` is the number of nodes after expansion."""

    def __init__(self, document: Document, loader: yaml.CSafeLoader | yaml.SafeLoader) -> None:
        self._document = document
        self._next = cast("Callable[[], _Event]", loader.get_event)
        self._count = 0
        self._expanded = 0
        self._anchored: dict[str, tuple[Node, int]] = {}
        self._open: set[str] = set()

    def document(self) -> Node:
        """Read the whole stream: at most one document."""
        start = self._next()  # of the stream
        event = self._next()
        if isinstance(event, yaml.StreamEndEvent):
            return Scalar(start.start_mark, None)
        root = self._node(self._next(), 0)
        self._next()  # the document ends
        event = self._next()
        if not isinstance(event, yaml.StreamEndEvent):
            self._stop("a second document begins here, and a file holds one; remove the `---`", event)
        return root

    def _node(self, event: _Event, depth: int) -> Node:
        kind: type = type(event)
        if kind is _SCALAR:
            return self._scalar(event)
        if kind is yaml.AliasEvent:
            return self._alias(event)
        if depth == MAX_DEPTH:
            self._stop(_TOO_DEEP, event)
        if event.tag is not None:
            self._complain_of_tag(event)
        read = self._mapping if kind is yaml.MappingStartEvent else self._sequence
        self._count += 1
        if event.anchor is None:
            return read(event, depth + 1)
        self._anchored.pop(event.anchor, None)
        self._open.add(event.anchor)
        before = self._count
        node = read(event, depth + 1)
        self._open.discard(event.anchor)
        self._anchored[event.anchor] = (node, self._count - before + 1)
        return node

    def _scalar(self, event: _Event) -> Scalar:
        self._count += 1
        text = event.value
        node = Scalar(event.start_mark, None if text in _NOTHING and not event.style else text)
        if event.tag is not None:
            self._complain_of_tag(event)
        if event.anchor is not None:
            self._anchored[event.anchor] = (node, 1)
        return node

    def _sequence(self, event: _Event, depth: int) -> Sequence:
        items: list[Node] = []
        mark = event.start_mark
        while type(event := self._next()) is not _SEQUENCE_END:
            items.append(self._node(event, depth))
        return Sequence(mark, items)

    def _mapping(self, event: _Event, depth: int) -> Mapping:
        entries: dict[str, tuple[Scalar, Node]] = {}
        merged: list[Node] = []
        mark, following = event.start_mark, self._next
        while type(event := following()) is not _MAPPING_END:
            is_text = type(event) is _SCALAR
            key = self._scalar(event) if is_text else self._key(event, depth)
            beside = following()
            value = self._scalar(beside) if type(beside) is _SCALAR else self._node(beside, depth)
            if key is None:
                continue
            text = event.value if is_text else key.text or ""
            if text == "<<" and is_text and not event.style:
                merged.append(value)
            elif text in entries:
                self._complain_of_double(text, entries[text][0], key)
            else:
                entries[text] = (key, value)
        for node in merged:
            self._merge(entries, node)
        return Mapping(mark, entries)

    def _key(self, event: _Event, depth: int) -> Scalar | None:
        """A key that is more than text: the alias of one, or a mistake."""
        node = self._node(event, depth)
        if isinstance(node, Scalar):
            return Scalar(event.start_mark, node.text)
        self._complain("a key must be plain text; put quotes around a value that begins with { or [", event)
        return None

    def _complain_of_double(self, text: str, first: Scalar, key: Scalar) -> None:
        place = f"{self._document.name}:{first.line}:{first.column}"
        self._document.complain(f"the key {quote(text)} stands here twice: first at {place}", key)

    def _merge(self, entries: dict[str, tuple[Scalar, Node]], node: Node) -> None:
        """Add what the map lacks, as https://yaml.org/type/merge.html says: the earlier map wins."""
        for source in node.items if isinstance(node, Sequence) else [node]:
            if isinstance(source, Mapping):
                for key, entry in source.entries.items():
                    entries.setdefault(key, entry)
            else:
                self._document.complain("`<<` takes the alias of a map, or a list of such", source)

    def _alias(self, event: _Event) -> Node:
        anchor = event.anchor or ""
        if anchor in self._open:
            self._stop(f"the anchor {quote(anchor)} contains itself", event)
        if anchor not in self._anchored:
            self._stop(f"nothing before this line is anchored as {quote('&' + anchor)}", event)
        node, size = self._anchored[anchor]
        self._count += size - 1
        self._expanded += size
        if self._expanded > MAX_EXPANSION:
            self._stop(f"the aliases up to here expand to more than {MAX_EXPANSION:,} values", event)
        return node

    def _complain_of_tag(self, event: _Event) -> None:
        self._complain(f"the tag {quote(event.tag or '')} is not read; remove it", event)

    def _complain(self, text: str, event: _Event) -> None:
        self._document.complain_at(text, event.start_mark.line + 1, event.start_mark.column + 1)

    def _stop(self, text: str, event: _Event) -> None:
        self._complain(text, event)
        raise _Stop


def quote(text: str) -> str:
    """Return `text` in quotes for a message: on one line, printable, and not too long."""
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:60])
    return f"'{shown}...'" if len(text) > 60 else f"'{shown}'"
