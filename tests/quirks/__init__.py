"""A CalDAV server with the quirks of those in the field, each a flag, for tests: in process, on real sockets.

    with QuirkServer({Quirk.OX_RENAMES, Quirk.GOOGLE_NO_ETAG_ON_PUT}) as server:
        calendar = server.calendar("Job search")    # its URL
        server.inject(Fault.LOST_AFTER, at=3)       # the third request from now is done, and its answer lost
        server.put(f"{calendar}x.ics", body)        # the user with another app: no request
        server.model.items, server.log              # what it holds, and every request with its conditions

`flags.py` has the quirks; `model.py` what the server holds; `dav.py` the answers; `server.py` sockets, log and faults.
"""

from tests.quirks.flags import FITFUL, LISTING_FITS, REFUSING, Limits, Quirk
from tests.quirks.server import Fault, Logged, QuirkServer

__all__ = ["FITFUL", "LISTING_FITS", "REFUSING", "Fault", "Limits", "Logged", "Quirk", "QuirkServer"]
