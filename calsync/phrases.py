"""Templates: texts with `{{ values }}` in them; the only jinja2 import.

Users write some of them, so they run in Jinja's sandbox, and a name that nobody knows is a mistake, not a blank. The
library is loaded with the first template, and each is compiled once.

Public face: `fill`, and `check`, which finds a mistake before there is anything to fill in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Template
    from jinja2.sandbox import SandboxedEnvironment

Values = Mapping[str, object]
"""What a template may name: text, lists of text, and maps of them."""


class PhraseError(ValueError):
    """A template makes no sense: why, in which of its lines (from 1), and at which word of it, if that is known."""

    def __init__(self, text: str, line: int, word: str = "") -> None:
        self.line = line
        self.word = word
        super().__init__(text)


@lru_cache(maxsize=1)
def _environment() -> SandboxedEnvironment:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import SandboxedEnvironment

    # Plain text goes into calendars, not HTML: nothing is escaped.
    return SandboxedEnvironment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False)


@lru_cache(maxsize=512)
def _compiled(template: str) -> Template:
    from jinja2 import TemplateSyntaxError

    try:
        compiled = _environment().from_string(template)
    except TemplateSyntaxError as error:
        raise PhraseError(error.message or "this is no template", error.lineno) from None
    compiled.globals = dict(compiled.globals)  # Jinja copies them at each filling: a plain dict, not a chain of them
    return compiled


def fill(template: str, values: Values) -> str:
    """The text of `template` with the values in it. Raises PhraseError."""
    if "{" not in template:
        return template
    compiled = _compiled(template)
    try:
        return compiled.render(values)
    except Exception as error:  # noqa: BLE001  # a template may do anything that an expression can
        raise PhraseError(_reason(error), _line(error)) from None


def _reason(error: Exception) -> str:
    return f"{error}" or type(error).__name__


def _line(error: Exception) -> int:
    """The line of the template in which the error came up: Jinja gives its code a place in the traceback."""
    import traceback

    lines = [line for frame, line in traceback.walk_tb(error.__traceback__) if frame.f_code.co_filename == "<template>"]
    return lines[-1] if lines else 1


def check(template: str, known: Iterable[str], samples: Iterable[Values]) -> None:
    """Raise PhraseError if the template names what is not `known`, or cannot be filled with one of the `samples`."""
    from jinja2 import meta, nodes

    _compiled(template)
    tree = _environment().parse(template)
    for name in sorted(meta.find_undeclared_variables(tree) - set(known)):
        line = next((node.lineno for node in tree.find_all(nodes.Name) if node.name == name), 1)
        raise PhraseError(f"no value is called '{name}'", line, name)
    for values in samples:
        fill(template, values)
