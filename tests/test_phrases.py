"""Templates: filled in within a sandbox; a mistake is told with its line."""

import pytest

from calsync.phrases import PhraseError, check, fill


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("Hello {{ name }}", "Hello Dana & <Co>"),
        ("{% if name %}\nyes\n{% endif %}\n", "yes\n"),
        ("{% for n in range(3) %}{{ n }}{% endfor %}", "012"),
        ("{{ '{{' }}", "{{"),
    ],
)
def test_a_template_is_filled_in_as_plain_text(template, text):
    assert fill(template, {"name": "Dana & <Co>"}) == text


def test_values_are_no_templates():
    assert fill("{{ name }}", {"name": "{{ 1 }} {% x"}) == "{{ 1 }} {% x"


@pytest.mark.parametrize(
    ("template", "line", "word", "text"),
    [
        ("one\n{{ two", 2, "", "unexpected end of template"),
        ("{% if name %}\n\n", 1, "", "Unexpected end of template"),
        ("{{ name | shout }}", 1, "", "No filter named 'shout'"),
        ("one\n\n{{ nmae }}", 3, "nmae", "no value is called 'nmae'"),
        ("{% if False %}\n{{ nmae }}\n{% endif %}", 2, "nmae", "no value is called 'nmae'"),
        ("one\n{{ name.first }}", 2, "", "has no attribute 'first'"),
        ("one\n{{ 1 / 0 }}", 2, "", "division by zero"),
        ("{% include 'x' %}", 1, "", "no loader"),
        ("{{ ''.__class__ }}", 1, "", "unsafe"),
        ("{{ name.__init__.__globals__ }}", 1, "", "unsafe"),
        ("{% for n in range(10 ** 9) %}{% endfor %}", 1, "", "Range too big"),
    ],
)
def test_a_mistake_is_found_before_there_is_anything_to_fill_in(template, line, word, text):
    with pytest.raises(PhraseError) as wrong:
        check(template, ["name"], [{"name": "x"}])
    assert text in str(wrong.value)
    assert (wrong.value.line, wrong.value.word) == (line, word)


def test_a_template_is_tried_with_every_sample():
    check("{{ 1 // n }}", ["n"], [{"n": 1}])
    with pytest.raises(PhraseError):
        check("{{ 1 // n }}", ["n"], [{"n": 1}, {"n": 0}])
