"""When a run takes place. Public face: `Moment`. The clock is read by whoever makes one (`cli.py`, the daemon)."""

from __future__ import annotations

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from msgspec import Struct


class Moment(Struct, frozen=True, kw_only=True):
    """When a run takes place: `now` in the user's zone, and the day that counts as today."""

    now: datetime
    today: date

    @classmethod
    def of(cls, now: datetime, today: date | None, zone: ZoneInfo) -> Moment:
        """The present; or the first moment of another day, where the user asks for one."""
        if today is None:
            now = now.astimezone(zone).replace(microsecond=0)
            return cls(now=now, today=now.date())
        return cls(now=datetime.combine(today, time(), zone), today=today)

    @property
    def midnight(self) -> datetime:
        """The moment at which today began."""
        return datetime.combine(self.today, time(), self.now.tzinfo)
