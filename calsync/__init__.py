"""calsync: polite job-search follow-ups, computed from a journal and kept in your own calendar.

The data runs in one straight line; `docs/architecture.md` walks along it:

    YAML -> Journal[Application[Event]] -> Window -> Reminder (VEVENT) -> Plan[Change] -> Target
"""

__version__ = "0.1.0"
