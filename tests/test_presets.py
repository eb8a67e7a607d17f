"""The presets as data: each is read by the config's own rules, and single numbers go over it."""

import pytest
from msgspec.structs import replace

from calsync import config, presets
from calsync.errors import ConfigError
from calsync.model import Channel, Policy

SZLUCHA = Policy()
POLICIES = {
    "szlucha": SZLUCHA,
    "email-first": replace(SZLUCHA, first_channel=Channel.EMAIL, email_instead=True),
    "campus": replace(SZLUCHA, application_days=(10, 14), thank_you=True, max_check_ins=2),
    "conservative": replace(SZLUCHA, max_check_ins=0),
}


def policy(tmp_path, etiquette):
    """The policy of a config with this `etiquette` block."""
    path = tmp_path / "config.yaml"
    path.write_text(f"timezone: UTC\napplications: a.yaml\netiquette: {etiquette}\n", encoding="utf-8")
    return config.load(path, {}, tmp_path).policy


@pytest.mark.parametrize("name", presets.NAMES)
def test_each_preset_says_what_the_page_says_of_it(tmp_path, name):
    assert policy(tmp_path, f"{{preset: {name}}}") == POLICIES[name]


def test_every_preset_has_a_file_and_the_articles_own_is_first_and_the_default(tmp_path):
    assert list(presets.NAMES) == ["szlucha", "campus", "conservative", "email-first"]
    assert policy(tmp_path, "{}") == policy(tmp_path, "") == SZLUCHA


def test_the_default_preset_writes_out_every_key():
    keys = {line.split(":")[0] for line in presets.NAMES["szlucha"].read_text(encoding="utf-8").splitlines()}
    assert {key for key in keys if not key.startswith("#")} == set(presets.KEYS) - {"preset"}


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ("{preset: campus, check_in_days: [7, 9], max_check_ins: 3}", {"check_in_days": (7, 9), "max_check_ins": 3}),
        ("{preset: campus, application_days: following-week}", {"application_days": None}),
        ("{preset: campus, application_days: [5, 5]}", {"application_days": (5, 5)}),
        ("{preset: campus, max_check_ins: Unlimited}", {"max_check_ins": None}),
        ("{preset: campus, thank_you: no, first_channel: email}", {"thank_you": False, "first_channel": Channel.EMAIL}),
    ],
)
def test_a_single_number_goes_over_the_preset(tmp_path, block, expected):
    assert policy(tmp_path, block) == replace(POLICIES["campus"], **expected)


@pytest.mark.parametrize(
    ("block", "text"),
    [
        ("{preset: camus}", "'camus' is none of szlucha, campus, conservative, email-first: did you mean 'campus'?"),
        ("{application_days: [4, 9]}", "4 is out of range: 5 to 365, as too much is too much: daily calls win nobody"),
        ("{application_days: [9, 5]}", "the first and the last day, as in [10, 14], or following-week"),
        ("{application_days: 7}", "the first and the last day, as in [10, 14], or following-week"),
        ("{check_in_days: [4, 9]}", "4 is out of range: 5 to 365, as too much is too much"),
        ("{preset: conservative, contact_gap_days: 4}", "4 is out of range: 5 to 365, as too much is too much"),
        ("{max_check_ins: -1}", "-1 is out of range: 0 to 100; or unlimited"),
        ("{max_check_ins: [2]}", "'max_check_ins' must be text, not a list"),
        ("{first_channel: any}", "'any' is none of call, email"),
    ],
)
def test_what_no_config_may_ask_for_is_refused_with_the_reason(tmp_path, block, text):
    with pytest.raises(ConfigError) as refused:
        policy(tmp_path, block)
    assert text in str(refused.value)
