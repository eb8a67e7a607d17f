"""The presets of the etiquette, one YAML file each in this folder, and the config's `etiquette` block over them.

A preset is data: it is read with the same keys, parsers and floors as the config's own block, so no preset may ask for
what no config may ask for. `szlucha` is the article's; the others say only what they do differently
(`docs/etiquette.md`, "Presets"). Idea: external-dns, `plan/policy.go`, policies as named values.

Public face: `read`, the policy of a config's block; `NAMES`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from msgspec.structs import replace

from calsync import fields as f
from calsync import yamlfile
from calsync.fields import FieldError, Fields
from calsync.model import Channel, Policy
from calsync.yamlfile import Mapping

_FOLDER = Path(__file__).parent

NAMES = {path.stem: path for path in sorted(_FOLDER.glob("*.yaml"), key=lambda path: (path.stem != "szlucha", path))}
"""The presets by name, the default first, each with its file."""

_NUMBERS = "application_days check_in_days max_check_ins contact_gap_days stale_after_days horizon_days"
_SWITCHES = "first_channel email_instead thank_you"
KEYS = ("preset", *_NUMBERS.split(), *_SWITCHES.split())
"""The keys of the config's block; a preset has all but `preset`."""

FLOOR = 5
"""No config sets fewer days between two touches, nor lets a rule's days begin sooner: "never daily" (S7)."""

_FLOOR_REASON = "as too much is too much: daily calls win nobody"
_CHANNELS = {"call": Channel.CALL, "email": Channel.EMAIL}
_FOLLOWING_WEEK, _UNLIMITED = "following-week", "unlimited"


def read(fields: Fields | None) -> Policy:
    """The policy that the config's `etiquette` block asks for: its numbers over those of its preset.

    Mistakes are recorded, and the preset's own stands in. Without a block it is that of `szlucha`.
    """
    if fields is None:
        return _preset(NAMES["szlucha"])
    return _over(_preset(fields.get_or("preset", f.one_of(NAMES), NAMES["szlucha"])), fields)


@cache
def _preset(path: Path) -> Policy:
    """The policy of one file of this folder, which stays as it is."""
    document = yamlfile.load(path)
    assert isinstance(document.root, Mapping), "a preset is a map; the tests read each"
    policy = _over(Policy(), Fields(document, document.root, KEYS[1:]))
    assert not document.problems, document.problems
    return policy


def _over(policy: Policy, fields: Fields) -> Policy:
    """`policy` with what the fields say over it."""
    application_days, max_check_ins = policy.application_days, policy.max_check_ins
    if not fields.is_nothing("application_days"):
        application_days = _application_days(fields, application_days)
    if not fields.is_nothing("max_check_ins"):
        max_check_ins = None if _says(fields, "max_check_ins", _UNLIMITED) else fields.get("max_check_ins", _limit)
    gap = f.whole(FLOOR, 365, _FLOOR_REASON)
    return replace(
        policy,
        application_days=application_days,
        check_in_days=_days(fields, "check_in_days") or policy.check_in_days,
        max_check_ins=max_check_ins,
        contact_gap_days=fields.get_or("contact_gap_days", gap, policy.contact_gap_days),
        stale_after_days=fields.get_or("stale_after_days", f.whole(1, 3650), policy.stale_after_days),
        horizon_days=fields.get_or("horizon_days", f.whole(0, 366), policy.horizon_days),
        first_channel=fields.get_or("first_channel", f.one_of(_CHANNELS), policy.first_channel),
        email_instead=fields.get_or("email_instead", f.switch, policy.email_instead),
        thank_you=fields.get_or("thank_you", f.switch, policy.thank_you),
    )


def _application_days(fields: Fields, preset: tuple[int, int] | None) -> tuple[int, int] | None:
    if _says(fields, "application_days", _FOLLOWING_WEEK):
        return None
    return _days(fields, "application_days", f", or {_FOLLOWING_WEEK}") or preset


def _says(fields: Fields, key: str, word: str) -> bool:
    """Whether the value of `key` is `word`."""
    value = fields.value(key)
    return isinstance(value, yamlfile.Scalar) and (value.text or "").strip().casefold() == word


def _limit(written: str) -> int:
    """How many check-ins there are at most."""
    try:
        return f.whole(0, 100)(written)
    except FieldError as error:
        raise FieldError(f"{error}; or {_UNLIMITED}") from None


def _days(fields: Fields, key: str, otherwise: str = "") -> tuple[int, int] | None:
    """A first and a last day, counted from something; None where there is nothing or a mistake."""
    if fields.is_nothing(key):
        return None
    before = len(fields.document.problems)
    days = fields.many(key, f.whole(FLOOR, 365, _FLOOR_REASON))
    if len(fields.document.problems) > before:
        return None
    if len(days) != 2 or days[0] > days[1]:
        fields.complain(f"{yamlfile.quote(key)} must be the first and the last day, as in [10, 14]{otherwise}", key)
        return None
    return days[0], days[1]
