"""What is printed as JSON is what Python's own encoder writes, a line an item, in any encoding of the terminal."""

from __future__ import annotations

import io
import json
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calsync import printing
from calsync.model import Channel

VALUES = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text() | st.sampled_from(Channel)
ITEMS = st.lists(st.dictionaries(st.text(), VALUES | st.lists(VALUES) | st.dictionaries(st.text(), VALUES)), min_size=1)


@given(ITEMS, st.sampled_from(["utf-8", "ascii"]))
def test_a_list_has_a_line_an_item_as_pythons_encoder_writes_it(items: list[dict[str, Any]], encoding: str) -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", out)
        printing.as_json(items)
    out.seek(0)
    lines = [json.dumps(item, ensure_ascii=encoding == "ascii") for item in items]
    assert out.read() == "[" + ",\n ".join(lines) + "]\n"
