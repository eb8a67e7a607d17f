"""What any file is answered with: a tree with places, or problems with places; never an exception."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from calsync import yamlfile
from calsync.errors import Problem
from calsync.yamlfile import Document, Mapping, Node, Scalar, Sequence


@pytest.fixture
def load(tmp_path):
    def load(data: str | bytes) -> Document:
        path = tmp_path / "some.yaml"
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return yamlfile.load(path, "some.yaml")

    return load


def plain(node: Node | None) -> object:
    """The tree without its places."""
    match node:
        case Sequence():
            return [plain(item) for item in node.items]
        case Mapping():
            return {key: plain(value) for key, (_, value) in node.entries.items()}
        case Scalar():
            return node.text
    return None


def texts(document: Document) -> list[str]:
    return [str(problem) for problem in document.problems]


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ("country: NO", {"country": "NO"}),
        ("id: 007", {"id": "007"}),
        ("phone: +4930123456", {"phone": "+4930123456"}),
        ("at: 2026-11-12 14:00", {"at": "2026-11-12 14:00"}),
        ("at: 9:30", {"at": "9:30"}),
        ("on: yes", {"on": "yes"}),
        ("1: 0x1f", {"1": "0x1f"}),
        (
            "a:\nb: ~\nc: null\nd: NULL\ne: ''\nf: 'null'",
            {"a": None, "b": None, "c": None, "d": None, "e": "", "f": "null"},
        ),
        ("null: a", {"null": "a"}),
        ("- \n- a", [None, "a"]),
        ("a: []\nb: {}", {"a": [], "b": {}}),
        ("a: |\n  b\n  c\n", {"a": "b\nc\n"}),
        ("---\na: b\n...\n", {"a": "b"}),
        ("", None),
        ("# nothing\n", None),
        ("a: &x {b: c}\nd: *x", {"a": {"b": "c"}, "d": {"b": "c"}}),
        ("- &k key\n- {*k : b}", ["key", {"key": "b"}]),
        ("- &m {a: 1, b: 2}\n- {<<: *m, b: 3}", [{"a": "1", "b": "2"}, {"a": "1", "b": "3"}]),
        ("- &m {a: 1}\n- &n {a: 2, b: 2}\n- {<<: [*m, *n]}", [{"a": "1"}, {"a": "2", "b": "2"}, {"a": "1", "b": "2"}]),
        ("'<<': a", {"<<": "a"}),
        ("\ufeffa: ü", {"a": "ü"}),
    ],
)
def test_a_scalar_is_the_text_that_was_written(load, written, means):
    document = load(written)
    assert plain(document.root) == means
    assert not document.problems


def test_every_node_and_key_knows_its_line_and_column(load):
    root = load("a: 1\nb:\n  - x\n  - {c: d}\n").root
    key, value = root.entries["b"]
    assert (key.line, key.column) == (2, 1)
    assert [(item.line, item.column) for item in value.items] == [(3, 5), (4, 5)]
    assert (value.items[1].entries["c"][1].line, value.items[1].entries["c"][1].column) == (4, 9)


def test_the_pure_parser_builds_the_same_tree(load, monkeypatch):
    """Where PyYAML was built without libyaml, everything still works."""
    written = "a: &x [1, '', ~]\nb: {<<: {c: d}, e: *x}\n"
    expected = plain(load(written).root)
    monkeypatch.setattr(yamlfile, "_Loader", yaml.SafeLoader)
    assert plain(load(written).root) == expected
    assert texts(load("a: ["))
    assert texts(load("a: \x07"))
    assert texts(load('a: "\\UFFFFFFFF"'))


KEY_IS_NO_TEXT = "a key must be plain text; put quotes around a value that begins with { or ["


@pytest.mark.parametrize(
    ("written", "problems"),
    [
        ("{a: 1, a: 2}", {"1:8": "the key 'a' stands here twice: first at some.yaml:1:2"}),
        (
            "a: 1\nb: !!python/object:os.system {}\nb: 2",
            {
                "2:4": "the tag 'tag:yaml.org,2002:python/object:os.system' is not read; remove it",
                "3:1": "the key 'b' stands here twice: first at some.yaml:2:1",
            },
        ),
        ("a: !!str b", {"1:4": "the tag 'tag:yaml.org,2002:str' is not read; remove it"}),
        ("a: {{ x }}", {"1:5": KEY_IS_NO_TEXT}),
        ("? [a, b]\n: c\n? {d: e}\n: f", {"1:3": KEY_IS_NO_TEXT, "3:3": KEY_IS_NO_TEXT}),
        ("<<: a", {"1:5": "`<<` takes the alias of a map, or a list of such"}),
    ],
)
def test_mistakes_of_structure_are_all_told_and_the_rest_is_read(load, written, problems):
    document = load(written)
    assert [(f"{p.line}:{p.column}", p.text) for p in document.problems] == list(problems.items())
    assert document.root is not None


@pytest.mark.parametrize(
    ("written", "place", "begins", "ends"),
    [
        (
            "a: [1, 2",
            "1:4",
            "did not find expected ',' or ']' (while parsing a flow",
            "is a bracket or a comma missing?",
        ),
        ("a: 'b", "1:6", "found unexpected end of stream", "is a quote missing, or the end of the file?"),
        ("a: b: c", "1:5", "mapping values are not allowed", "put quotes around a text that has a colon in it"),
        ("a:\n  - b\n c", "3:2", "did not find expected key", "is the line indented like those before it?"),
        ("a: b\n\tc: d", "2:1", "found a tab character", "indent with spaces"),
        ("a: @b", "1:4", "found character that cannot start", "put quotes around a text that begins so; indent with"),
        ("%YAML 3.0\n---\na: b", "1:1", "found incompatible YAML document", "YAML document"),
    ],
)
def test_what_is_not_yaml_is_one_problem_that_says_where_and_what_to_do(load, written, place, begins, ends):
    document = load(written)
    assert document.root is None
    [problem] = document.problems
    assert f"{problem.line}:{problem.column}" == place
    assert problem.text.startswith(f"this is not YAML: {begins}")
    assert ends in problem.text


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("a: 1\n---\nb: 2", "2:1: a second document begins here, and a file holds one; remove the `---`"),
        ("a: &a [*a]", "1:8: the anchor 'a' contains itself"),
        ("- &a 1\n- &a [*a]", "2:7: the anchor 'a' contains itself"),
        ("a: *b", "1:4: nothing before this line is anchored as '&b'"),
        (b"a: 1\nb: \xe4\n", "2:4: the byte 0xe4 is not UTF-8; save the file as UTF-8"),
        (b"\xef\xbb\xbfb: \xe4\n", "1:4: the byte 0xe4 is not UTF-8; save the file as UTF-8"),
        ("a: b".encode("utf-16"), "1:1: the file is UTF-16; save it as UTF-8"),
        ("a: b\nc: \x00", "2:4: the character U+0000 may not stand in YAML; remove it"),
        ("a: \x1b[31m", "1:4: the character U+001B may not stand in YAML; remove it"),
    ],
)
def test_what_cannot_be_read_is_one_problem_with_its_place(load, written, problem):
    document = load(written)
    assert document.root is None
    assert [text.split("\n")[0] for text in texts(document)] == [f"some.yaml:{problem}"]


def test_a_problem_shows_its_line_with_a_mark_below_the_column(load):
    assert str(load("a: 1\nb: 'x' y\n").problems[0]).split("\n")[1:] == ["    b: 'x' y", "           ^"]


@pytest.mark.parametrize(
    "opening", ["[", "[\n", "- ", "{a: ", "? ", "[[{a: ["], ids=["flow", "lines", "block", "maps", "keys", "mixed"]
)
def test_twenty_thousand_nested_brackets_are_refused_at_the_fifty_first(load, opening):
    document = load(opening * 20_000)
    assert document.root is None
    assert [problem.text for problem in document.problems] == ["lists and maps are nested more than 50 deep"]
    assert document.problems[0].line


def test_a_billion_laughs_are_refused(load):
    lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    document = load("\n".join(lines))
    assert [problem.text for problem in document.problems] == [
        "the aliases up to here expand to more than 100,000 values"
    ]
    assert document.problems[0].line == 6


def test_merge_keys_count_as_expansion_too(load):
    lines = ["a0: &a0 {x: 1, y: [1, 2, 3, 4, 5, 6, 7, 8, 9]}"]
    lines += [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}" for n in range(1, 12)]
    assert [problem.text for problem in load("\n".join(lines)).problems] == [
        "the aliases up to here expand to more than 100,000 values"
    ]


def test_a_missing_file_a_folder_and_an_unreadable_one_are_one_problem_each(tmp_path):
    missing = yamlfile.load(tmp_path / "none.yaml", "none.yaml")
    assert missing.missing
    assert missing.problems == [Problem("none.yaml", 0, 0, "there is no such file")]
    assert yamlfile.load(tmp_path, "here").problems == [Problem("here", 0, 0, "this is a folder, and a file is wanted")]
    (tmp_path / "file").touch()
    below = yamlfile.load(tmp_path / "file" / "x.yaml", "x.yaml")
    assert below.problems == [Problem("x.yaml", 0, 0, "the file cannot be read: Not a directory")]
    assert not below.missing


def test_an_endless_file_is_not_read_to_its_end():
    assert [p.text for p in yamlfile.load(Path("/dev/zero")).problems] == [
        "the file is larger than 64 MiB, which no such file should be"
    ]


@pytest.mark.parametrize(
    "written",
    [
        "password: hunter2 [\nb: [",
        "caldav: {url: x, Password : 'hunter2', password: a, password: b}",
        "token = x\ntoken: hunter2: x",
        "url: https://me:hunter2@dav.example/: x",
        "url: https://me:hun/ter2@dav.example/: x",
        "client_secret: hunter2: x",
        '"passwd": hunter2: x',
        "password_command: echo hunter2: x",
        "passwort: hunter2: x",
        "{a: b, token: hunter2: x",
    ],
)
def test_no_message_shows_what_may_be_a_password(load, written):
    document = load(written)
    assert document.problems
    assert "hunter2" not in " ".join(texts(document)).replace("hun/ter2", "hunter2")


def test_a_message_has_no_control_characters_and_no_endless_lines(load):
    document = load("a: \x1b[31m\x9b")
    assert document.problems[0].shown == "a: \ufffd[31m\ufffd"
    document = load("{" + "x" * 500 + ": 1, " + "x" * 500 + ": 2}")
    assert document.problems[0].shown == ""
    assert document.problems[0].text == f"the key '{'x' * 60}...' stands here twice: first at some.yaml:1:2"
    assert "\n" not in yamlfile.quote("a\nb")


@pytest.mark.parametrize("text", ["1", "pass", "pass-", "://", "token: ", "a:"])
def test_an_endless_line_is_not_shown_nor_searched_for_passwords(load, text):
    """A search that tries again from each character would take minutes here."""
    document = load(f"a: {text * 50_000}: @")
    assert [problem.shown for problem in document.problems] == [""]


@pytest.mark.parametrize("parser", [yaml.CSafeLoader, yaml.SafeLoader])
@given(data=st.one_of(st.text(), st.binary(), st.text("[]{}&*!|>'\"%@`-?:, \n\tab<~#")))
def test_any_bytes_are_a_tree_or_problems(tmp_path_factory, parser, data):
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yamlfile, "_Loader", parser)
        document = yamlfile.load(path)
    assert (document.root is None) <= bool(document.problems)
    assert all(str(problem) for problem in document.problems)


LEAVES = st.one_of(
    st.sampled_from(
        ["NO", "no", "off", "007", "1_000", "1:30", "null", "~", "", "2026-11-12", "0o7", "=", "<<", "+49 30"]
    ),
    st.text(st.characters(exclude_categories=["Cs", "Cc"])),
)
TREES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(LEAVES, inner), max_leaves=20)


@given(TREES)
def test_whatever_is_written_in_quotes_is_read_back(tmp_path_factory, tree):
    """A round trip through PyYAML's own writer: quoted text is text, however it looks."""
    path = tmp_path_factory.getbasetemp() / "tree.yaml"
    yaml_text = yaml.dump(tree, default_style='"', allow_unicode=True, Dumper=_NoAliases)
    path.write_text(yaml_text.replace("!!null", ""), encoding="utf-8")
    document = yamlfile.load(path)
    assert not document.problems
    assert plain(document.root) == tree


class _NoAliases(yaml.SafeDumper):
    def ignore_aliases(self, data):
        return True
