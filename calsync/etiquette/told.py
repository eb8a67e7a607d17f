"""What the employer has said of the days and the channel that suit them."""

from __future__ import annotations

from datetime import date

from msgspec import Struct

from calsync.model import Channel, Statement


class Told(Struct, frozen=True):
    """What the employer said since the last interview (without one: since `applied`).

    `by` is the channel they like, `timeline` the T last said, `last_word` the latest day that they spoke of or on.
    `touched`: a touch since then is on record.
    """

    by: Channel | None = None
    timeline: date | None = None
    last_word: date | None = None
    touched: bool = False

    def hear(self, event: Statement) -> Told:
        """What holds once `event` was said too."""
        days = (event.day, self.last_word, event.follow_up_on, event.timeline)
        return Told(
            by=event.follow_up_by or self.by,
            timeline=event.timeline or self.timeline,
            last_word=max([day for day in days if day is not None]),
            touched=self.touched,
        )
