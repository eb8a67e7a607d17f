"""What a target is to show of the windows: which of them, drawn as reminders. Public face: `Show`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import cached_property
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from calsync import __version__
from calsync.config import Config
from calsync.model import Item, Outlook, Reminder, Window
from calsync.moment import Moment
from calsync.outcome import Desired
from calsync.state import State
from calsync.wording import Wording

if TYPE_CHECKING:
    from calsync.drawings import Drawings
    from calsync.reminders import Form


class Show:
    """What the target of this name is to show: the windows that `is_shown` says, with alarms or without.

    `words` are shared by all targets of a run: what was said once is said again.
    """

    def __init__(  # all that reminders are drawn from; the flag by name
        self,
        target: str,
        config: Config,
        moment: Moment,
        cache: State,
        words: Wording,
        is_shown: Callable[[Window], bool],
        *,
        alarms: bool,
    ) -> None:
        self._key = f"drawn {target} {config.name}"
        self._config, self._moment, self._cache, self._words = config, moment, cache, words
        self._is_shown, self._alarms = is_shown, alarms

    def desired(self, found: Outlook) -> Desired:
        """What is desired, as the windows are by now."""
        today = self._moment.today
        shown = [window for window in found.windows if self._is_shown(window)]
        current = frozenset(window.id for window in shown if not window.state.is_past and window.closes >= today)

        def draw(standing: Mapping[str, Item], only: Collection[str] | None) -> Mapping[str, Reminder]:
            wanted = [window for window in shown if only is None or window.id in only]
            return self._all_drawn(shown, standing) if self._form.style == "slot" else self._drawn(wanted, standing)

        return Desired(draw=draw, creates=current, windows={window.id: window for window in found.windows})

    def keep(self) -> None:
        """Let the next run know what need not be drawn again."""
        kept = self._drawings.kept
        if kept != (self._cache.note(self._key) or ""):
            self._cache.take_note(self._key, kept)

    @cached_property
    def _form(self) -> Form:
        from calsync.reminders import Form

        config = self._config
        return Form(config.reminders, config.remind_at, config.timezone, ZoneInfo, self._words)

    @cached_property
    def _drawings(self) -> Drawings:
        """What was drawn before. What is not in it (data of zones, libraries) counts from the next day on."""
        from calsync.drawings import Drawings

        common = repr((__version__, self._config, self._moment.today))
        return Drawings(common, self._cache.note(self._key) or "")

    def _drawn(self, windows: Collection[Window], standing: Mapping[str, Item]) -> Mapping[str, Reminder]:
        """The reminders; what stands as it was drawn before, from the same, is not drawn again."""
        right = {window.id for window in windows if self._is_right(window, standing.get(window.id))}
        drawn = self._all_drawn([window for window in windows if window.id not in right], standing)
        for window in windows:
            item = standing.get(window.id)
            if window.id not in right and item is not None and item.reminder == drawn[window.id]:
                self._drawings.note(window, item)
        return {
            window.id: standing[window.id].reminder if window.id in right else drawn[window.id] for window in windows
        }

    def _is_right(self, window: Window, item: Item | None) -> bool:
        return item is not None and self._drawings.stands(window, item)

    def _all_drawn(self, windows: Collection[Window], standing: Mapping[str, Item]) -> Mapping[str, Reminder]:
        from calsync.reminders import reminders

        written = {key: item.written or item.stamp.moment for key, item in standing.items()}
        drawn = reminders(windows, self._form, written, self._moment.now)
        return drawn if self._alarms else {key: replace(reminder, alarms=()) for key, reminder in drawn.items()}
