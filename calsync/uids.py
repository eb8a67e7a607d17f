"""The UIDs of windows' events, as the calendar and the feed have them. Public face: `uids`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from calsync import paths, state
from calsync.config import Config
from calsync.identity import uid_of
from calsync.model import Mark, Window


def uids(
    config: Config, windows: Iterable[Window], environ: Mapping[str, str], target: str = "caldav"
) -> dict[str, str]:
    """The UID of each window's event in a target, by window id."""
    with state.opened(paths.state_folder(environ), writes=False) as cache:
        generations = cache.generations(target, config.name)
    marks = (Mark(config.name, window.id, generations.get(window.id, 1)) for window in windows)
    return {mark.window: uid_of(mark, target) for mark in marks}
