"""Where calsync keeps its things: config, state and cache, by the XDG base directory specification and systemd.

https://specifications.freedesktop.org/basedir-spec/latest/ (a relative path in such a variable is to be ignored), and
`StateDirectory=`, `CacheDirectory=` of systemd.exec(5), which may name several folders with colons between them: the
first is ours.

Public face: `user_config`, `state_folder`, `cache_folder`, `expand`. Nothing here looks at the disk or makes a folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from calsync.errors import ConfigError, Problem


def user_config(environ: Mapping[str, str]) -> Path:
    """The user's own config file, whether it exists or not."""
    return _xdg(environ, "XDG_CONFIG_HOME", ".config") / "calsync" / "config.yaml"


def state_folder(environ: Mapping[str, str]) -> Path:
    """The folder of what may be lost but should not: what was last written, the feed's secret, the lock.

    But what lies in its folder `server` is the user's: the embedded server's calendars (`docs/embedded.md`).
    """
    return _given(environ, "STATE_DIRECTORY") or _xdg(environ, "XDG_STATE_HOME", ".local/state") / "calsync"


def cache_folder(environ: Mapping[str, str]) -> Path:
    """The folder of what can be computed again: holiday tables."""
    return _given(environ, "CACHE_DIRECTORY") or _xdg(environ, "XDG_CACHE_HOME", ".cache") / "calsync"


def expand(written: str, environ: Mapping[str, str]) -> Path:
    """The path `written`, in which a leading `~` or `~user` is a home folder. Raises ConfigError if it is unknown."""
    if written == "~" or written.startswith("~/"):
        return _home(environ) / written[2:]
    try:
        return Path(written).expanduser()
    except RuntimeError:
        raise ConfigError([Problem(written, 0, 0, "no such user's home folder is known")]) from None


def _given(environ: Mapping[str, str], variable: str) -> Path | None:
    first = environ.get(variable, "").split(":")[0]
    return Path(first) if first else None


def _xdg(environ: Mapping[str, str], variable: str, default: str) -> Path:
    folder = Path(environ.get(variable, ""))
    return folder if folder.is_absolute() else _home(environ) / default


def _home(environ: Mapping[str, str]) -> Path:
    """`$HOME`, else what the system knows of the user. Raises ConfigError where neither says anything."""
    if home := environ.get("HOME"):
        return Path(home)
    try:
        return Path.home()
    except RuntimeError:
        text = "no home folder is known; set HOME, or STATE_DIRECTORY and CACHE_DIRECTORY and --config"
        raise ConfigError([Problem("$HOME", 0, 0, text)]) from None
