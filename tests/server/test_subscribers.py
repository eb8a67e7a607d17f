"""The secret words: random, for their owner alone, revocable, and told apart from those that never were."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from calsync.errors import CalsyncError
from calsync.server.subscribers import DEFAULT, LENGTH, Gate, Standing, hashed, new_word, words


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "feed"


def word(folder: Path, name: str = DEFAULT) -> str:
    return words(folder)[name].reveal()


def test_the_first_word_is_made_on_first_use_and_stays(folder: Path) -> None:
    first = word(folder)
    assert re.fullmatch(r"[a-z0-9]+", first)
    assert len(first) == LENGTH
    assert word(folder) == first
    assert list(words(folder)) == [DEFAULT]


def test_words_are_for_their_owner_alone(folder: Path) -> None:
    word(folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "subscribers.json").stat().st_mode & 0o777 == 0o600
    assert word(folder) not in repr(words(folder))
    (folder / "subscribers.json").chmod(0o640)
    with pytest.raises(CalsyncError, match="chmod 600"):
        words(folder)


def test_a_revoked_word_is_kept_as_its_hash_alone(folder: Path) -> None:
    old = word(folder)
    new = new_word(folder, DEFAULT, renew=True).reveal()
    text = (folder / "subscribers.json").read_text()
    assert old not in text
    assert json.loads(text) == {"subscribers": {DEFAULT: new}, "revoked": [hashed(old)]}


def test_the_gate_tells_known_revoked_and_unknown_words_apart_and_follows_the_file(folder: Path) -> None:
    gate = Gate(folder)
    assert gate.standing("a" * LENGTH) is Standing.UNKNOWN
    first = word(folder)
    phone = new_word(folder, "phone", renew=False).reveal()
    assert new_word(folder, "phone", renew=False).reveal() == phone
    assert gate.standing(first) is gate.standing(phone) is Standing.KNOWN
    second = new_word(folder, "phone", renew=True).reveal()
    third = new_word(folder, "phone", renew=True).reveal()
    assert [gate.standing(each) for each in (first, phone, second, third)] == [
        Standing.KNOWN,
        Standing.REVOKED,
        Standing.REVOKED,
        Standing.KNOWN,
    ]
    assert gate.standing(hashed(first)) is Standing.UNKNOWN


def test_renewing_one_who_is_not_there_yet_makes_the_first(folder: Path) -> None:
    new_word(folder, "phone", renew=True)
    assert list(words(folder)) == ["phone"]


def test_the_gate_holds_no_word(folder: Path) -> None:
    first = word(folder)
    gate = Gate(folder)
    assert gate.standing(first) is Standing.KNOWN
    assert first not in str(vars(gate))


def test_two_at_once_lose_no_word(folder: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda number: new_word(folder, f"n{number}", renew=False).reveal(), range(20)))
    assert len(set(made)) == 20
    assert sorted(each.reveal() for each in words(folder).values()) == sorted(made)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"subscribers": [], "revoked": []}',
        '{"subscribers": {"a": 1}, "revoked": []}',
        '{"subscribers": {"a": ""}, "revoked": []}',
        '{"subscribers": {"a": "../../../../etc/passwd-and-more"}, "revoked": []}',
        '{"subscribers": {}, "revoked": ["x"]}',
        '{"subscribers": {}, "revoked": 1}',
        "\\xff",
    ],
)
def test_a_damaged_file_is_told_with_the_way_out(folder: Path, text: str) -> None:
    word(folder)
    (folder / "subscribers.json").write_text(text)
    with pytest.raises(CalsyncError, match=r"is damaged\. Remove it"):
        words(folder)
    with pytest.raises(CalsyncError, match=r"is damaged\. Remove it"):
        new_word(folder, "a", renew=True)


def test_a_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "feed").touch()
    with pytest.raises(CalsyncError, match="addresses cannot be kept in"):
        words(tmp_path / "feed")
