"""What the project promises about itself: small rooms, reasons for exceptions, texts that agree with the command."""

from __future__ import annotations

import argparse
import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import calsync
from calsync import flags
from calsync.cli import parser
from calsync.config import KEYS
from calsync.journal.events import COMMON, KINDS

ROOT = Path(__file__).resolve().parent.parent
MODULES = sorted((ROOT / "calsync").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
README = (ROOT / "README.md").read_text(encoding="utf-8")
MAN_PAGE = (ROOT / "docs" / "calsync.1").read_text(encoding="utf-8")

# The codes in brackets or behind a colon are no reason; words after them are.
EXCEPTION = re.compile(
    r"#\s*(?:type:\s*ignore(?:\[[^\]]*\])?|noqa(?::\s*[A-Z]+[0-9]+(?:,\s*[A-Z]+[0-9]+)*)?|pragma:\s*no\s*(?:cover|branch))"
    r"(?P<rest>.*)$"
)


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def without_reason(lines: list[str]) -> list[int]:
    """Numbers of the lines that make an exception to a rule and do not say why."""
    found = ((number, EXCEPTION.search(line)) for number, line in enumerate(lines, start=1))
    return [number for number, match in found if match and not re.search(r"\w{3}", match["rest"])]


# ------------------------------------------------------------------------------------------- the code


@pytest.mark.parametrize("path", [*MODULES, *TESTS], ids=relative)
def test_every_exception_to_a_rule_says_why_on_its_line(path):
    if path == Path(__file__).resolve():
        return  # holds the examples below
    assert without_reason(path.read_text(encoding="utf-8").splitlines()) == []


@pytest.mark.parametrize(
    "line",
    ["x = 1  # noqa", "x = 1  # noqa: E501", "x = y  # type: ignore[arg-type]", "if x:  # pragma: no cover"],
)
def test_an_exception_without_words_is_found(line):
    assert without_reason([line]) == [1]


@pytest.mark.parametrize(
    "line",
    [
        "x = 1  # noqa: E501 - a URL cannot be wrapped",
        "x = y  # type: ignore[arg-type]  # the stub forgets None",
        "if x:  # pragma: no cover - other systems",
        "x = 1  # what noqa means is told in the docs",
    ],
)
def test_an_exception_with_a_reason_passes(line):
    assert without_reason([line]) == []


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_a_module_is_read_in_one_sitting(path):
    """The aim is 400 lines; up to 420 are let be until the next change finds the seam."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 420


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_a_function_fits_on_a_screen(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    long = {node.name: node.end_lineno - node.lineno + 1 for node in functions if node.end_lineno}
    assert {name: lines for name, lines in long.items() if lines > 50} == {}


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_a_module_opens_with_what_it_is(path):
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


def test_no_path_of_a_developers_machine_is_in_the_project():
    texts = [*MODULES, *TESTS, *(ROOT / "docs").rglob("*.md"), *(ROOT / "systemd").rglob("*.*"), ROOT / "README.md"]
    machine = str(ROOT)
    assert [relative(path) for path in texts if machine in path.read_text(encoding="utf-8")] == []


# ------------------------------------------------------------------------------------------ the texts


def commands() -> dict[str, argparse.ArgumentParser]:
    """The commands by name, as the parser has them."""
    for action in parser()._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    raise AssertionError("the parser has no commands")


def long_options() -> set[str]:
    """Every `--option` of the program and its commands."""

    def of(one: argparse.ArgumentParser) -> Iterator[str]:
        for action in one._actions:
            if action.help != argparse.SUPPRESS:
                yield from (option for option in action.option_strings if option.startswith("--"))

    return {option for one in (parser(), *commands().values()) for option in of(one)}


def test_the_options_with_a_value_are_told_apart():
    """They may stand before a command, and their value may be the name of one."""
    takers = (action for one in (parser(), *commands().values()) for action in one._actions if action.nargs is None)
    assert {option for action in takers for option in action.option_strings} == set(flags.WITH_VALUE)


def said_in_the_man_page(pattern: str) -> set[str]:
    """What a pattern finds in the man page, with roff's escapes undone."""
    plain = re.sub(r"\\f[BIRP]", "", MAN_PAGE).replace("\\-", "-")
    return set(re.findall(pattern, plain, flags=re.MULTILINE))


def test_the_man_page_has_the_options_of_the_help_and_no_others():
    assert said_in_the_man_page(r"(?<![\w-])--[a-z][a-z-]+") == long_options()


def test_the_man_page_has_the_commands_of_the_help_and_no_others():
    section = MAN_PAGE.split(".SH COMMANDS")[1].split(".SH ")[0]
    found = re.findall(r"^\.TP\n\.BR? (?:calsync )?\"?([a-z\\-]+)", section, flags=re.MULTILINE)
    assert {name.replace("\\-", "-") for name in found} == set(commands())


def test_the_synopsis_of_the_man_page_has_every_command():
    synopsis = MAN_PAGE.split(".SH SYNOPSIS")[1].split(".SH ")[0].replace("\\-", "-")
    assert set(commands()) <= set(re.findall(r"[a-z-]+", synopsis))


def test_the_man_page_is_of_this_version():
    assert f'"calsync {calsync.__version__}"' in MAN_PAGE


def test_the_readme_names_every_command():
    assert [name for name in commands() if not re.search(rf"`calsync {name}\b", README)] == []


def test_the_command_page_names_every_command_and_option():
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    missing = [word for word in [*commands(), *long_options()] if not re.search(rf"`[^`]*{word}\b", page)]
    assert missing == []


def test_the_config_page_and_the_example_name_every_key():
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    example = (ROOT / "config.example.yaml").read_text(encoding="utf-8")
    keys = [key for keys in KEYS.values() for key in keys]
    assert [key for key in keys if not re.search(rf"\b{key}\b", page)] == []
    assert [key for key in keys if not re.search(rf"\b{key}:", example)] == []


def test_the_journal_page_names_every_kind_of_event_and_its_keys():
    page = (ROOT / "docs" / "journal.md").read_text(encoding="utf-8")
    words = [*KINDS, *COMMON, *(key for kind in KINDS.values() for key in kind.keys)]
    assert [word for word in words if not re.search(rf"`[^`]*\b{word}\b", page)] == []


def test_the_changelog_knows_this_version():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.+)$", changelog, flags=re.MULTILINE)
    assert headings[0] == "Unreleased" or calsync.__version__ in headings[0]
    assert any(calsync.__version__ in text for text in [*headings, changelog.split("## ")[1]])


@pytest.mark.parametrize("name", ["config.example.yaml", "applications.example.yaml", "LICENSE", "Makefile"])
def test_what_the_readme_sends_people_to_is_there(name):
    assert (ROOT / name).is_file()


def local_links() -> list[tuple[str, str]]:
    """(page, target) for every link in the texts that leads to a file of the project."""
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    found = [(page, link) for page in pages for link in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8"))]
    return [(relative(page), link) for page, link in found if "://" not in link]


@pytest.mark.parametrize(("page", "link"), local_links())
def test_a_link_leads_somewhere(page, link):
    assert (ROOT / page).parent.joinpath(link).exists()


def test_every_page_that_the_code_sends_people_to_is_there():
    examples = ROOT.glob("*.example.yaml")
    sent = {page for path in [*MODULES, *examples] for page in re.findall(r"docs/[\w/-]+\.md", path.read_text("utf-8"))}
    assert [page for page in sorted(sent) if not (ROOT / page).is_file()] == []


def test_the_floors_in_the_docs_are_those_of_the_contract():
    """Every module has a line in docs/architecture.md."""
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rooms = {path.relative_to(ROOT / "calsync").parts[0] for path in MODULES} - {"__init__.py", "py.typed"}
    missing = [room for room in rooms if room.removesuffix(".py") not in page]
    assert missing == []
