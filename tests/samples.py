"""The journal that most tests begin with, and what becomes of it.

Public face: `JOURNAL`, `RENAMED`, `MOVED`, `REJECTED`.
"""

JOURNAL = """\
applications:
  - id: acme
    company: Acme Corp
    contact: {name: Dana Ruiz, phone: +1 312 555 0100, email: dana@acme.example}
    events:
      - interview: 2026-11-19
  - id: bolt
    company: Bolt
    contact: {name: Lee, phone: +1 312 555 0101}
    events:
      - applied: 2026-11-18
"""
"""A call to Bolt, an e-mail and a call to Acme, seen on 23 November 2026."""

RENAMED = JOURNAL.replace("Lee", "Lee Chang")
"""One event changes."""

MOVED = RENAMED.replace("interview: 2026-11-19", "interview: 2026-11-19\n        timeline: 2026-11-30")
"""One event to update, two to delete and one to create, seen from JOURNAL."""

REJECTED = JOURNAL.replace("applied: 2026-11-18", "applied: 2026-11-18\n      - rejected: 2026-11-20")
"""Bolt's event goes."""
