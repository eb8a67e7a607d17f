"""Where things are, by the XDG base directory specification and systemd."""

from pathlib import Path

import pytest

from calsync import paths
from calsync.errors import ConfigError

HOME = {"HOME": "/home/alice"}


@pytest.mark.parametrize(
    ("environ", "config", "state", "cache"),
    [
        (
            HOME,
            "/home/alice/.config/calsync/config.yaml",
            "/home/alice/.local/state/calsync",
            "/home/alice/.cache/calsync",
        ),
        (
            HOME | {"XDG_CONFIG_HOME": "/c", "XDG_STATE_HOME": "/s", "XDG_CACHE_HOME": "/k"},
            "/c/calsync/config.yaml",
            "/s/calsync",
            "/k/calsync",
        ),
        (
            HOME | {"XDG_CONFIG_HOME": "c", "XDG_STATE_HOME": "s", "XDG_CACHE_HOME": ""},
            "/home/alice/.config/calsync/config.yaml",
            "/home/alice/.local/state/calsync",
            "/home/alice/.cache/calsync",
        ),
        (
            HOME | {"STATE_DIRECTORY": "/var/lib/calsync:/var/lib/other", "CACHE_DIRECTORY": "/var/cache/calsync"},
            "/home/alice/.config/calsync/config.yaml",
            "/var/lib/calsync",
            "/var/cache/calsync",
        ),
        (
            HOME | {"STATE_DIRECTORY": "", "CACHE_DIRECTORY": "", "XDG_STATE_HOME": "/s"},
            "/home/alice/.config/calsync/config.yaml",
            "/s/calsync",
            "/home/alice/.cache/calsync",
        ),
    ],
    ids=["home", "xdg", "relative", "systemd", "empty"],
)
def test_each_place_is_systemds_else_xdgs_else_the_home_folders(environ, config, state, cache):
    assert paths.user_config(environ) == Path(config)
    assert paths.state_folder(environ) == Path(state)
    assert paths.cache_folder(environ) == Path(cache)


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ("~", "/home/alice"),
        ("~/jobs", "/home/alice/jobs"),
        ("~root/x", Path("~root/x").expanduser()),
        ("jobs/~", "jobs/~"),
        ("/jobs", "/jobs"),
    ],
)
def test_a_tilde_is_a_home_folder(written, path):
    assert paths.expand(written, HOME) == Path(path)


def test_the_home_of_nobody_is_a_mistake():
    with pytest.raises(ConfigError, match="~no-such-user/x: no such user's home folder is known"):
        paths.expand("~no-such-user/x", HOME)


def test_without_home_the_system_is_asked(monkeypatch):
    monkeypatch.setenv("HOME", "/home/of/the/process")
    assert paths.cache_folder({}) == Path("/home/of/the/process/.cache/calsync")


def test_a_user_whom_the_system_does_not_know_is_told_what_to_set(monkeypatch):
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("os.getuid", lambda: 4_000_000_001)
    with pytest.raises(ConfigError, match="no home folder is known; set HOME, or STATE_DIRECTORY"):
        paths.state_folder({})
