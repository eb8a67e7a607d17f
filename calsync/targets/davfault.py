"""Why no answer came, in one word: what libcurl says (`davcurl.py`), and people are told (`davwords.py`)."""

from __future__ import annotations

from enum import Enum, auto


class Fault(Enum):
    """Why no answer came, or none that can be read."""

    UNKNOWN_HOST = auto()
    REFUSED = auto()
    SILENCE = auto()
    UNTRUSTED = auto()
    NO_TLS = auto()
    PROXY = auto()
    BROKEN = auto()
    GARBLED = auto()
