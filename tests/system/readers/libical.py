"""libical, as GNOME, KDE and Cyrus have it: reads FOLDER/*.ics, checks them against RFC 5545, prints what each says.

Over ctypes, so that the library alone is needed and no compiler.
"""

from __future__ import annotations

import ctypes
import json
import sys
from pathlib import Path
from typing import Any

LIBRARY = ctypes.CDLL("libical.so.3")
VEVENT, VALARM = 5, 13 
for name in ("icalparser_parse_string", "icalcomponent_get_first_component", "icaltimezone_get_utc_timezone"):
    getattr(LIBRARY, name).restype = ctypes.c_void_p
