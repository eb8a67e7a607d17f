"""The registry of targets: the config's word -> what opens it.

A target's module is imported when it is opened, so that a command without network never loads a CalDAV client.
A new target is a module with a class that has the methods of `base.Target`, and one line here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from calsync.targets.base import Target


def _caldav(**settings: Any) -> Target:  # noqa: ANN401  # each target has its own settings
    from calsync.targets.caldav import CaldavTarget

    return CaldavTarget(**settings)


def _feed(**settings: Any) -> Target:  # noqa: ANN401  # as above
    from calsync.targets.feed import FeedTarget

    return FeedTarget(**settings)


TARGETS: Mapping[str, Callable[..., Target]] = {"caldav": _caldav, "feed": _feed}
"""`TARGETS[name](**settings)` opens a target; each class tells its settings."""
