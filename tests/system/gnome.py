"""What GNOME's calendar service makes of a CalDAV server: `gnome.py URL USER PASSWORD COUNT`, in dbus-run-session.

As Evolution's "New calendar: CalDAV" does it: it finds the calendars from the server's address, and keeps the first.
Once COUNT events have come, it prints a line for each: its UID, a space, its title. Then it deletes the first event, as
a user would.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from urllib.parse import urlsplit

import gi

gi.require_version("ECal", "2.0")
gi.require_version("EDataServer", "1.2")
from gi.repository import ECal, EDataServer, GLib  # noqa: E402 - after their versions are chosen

SECONDS = 60
AT_ONCE = 2**32 - 1
"""For `connect_sync`: do not wait for a state that is told to a screen alone, or for the end of the time."""
CALENDARS = EDataServer.WebDAVDiscoverSupports.EVENTS


def main(url: str, user: str, password: str, count: str) -> int:
    registry = EDataServer.SourceRegistry.new_sync(None)
    source = calendar_source(url, user)
    login = EDataServer.NamedParameters.new()
    login.set(EDataServer.SOURCE_CREDENTIAL_USERNAME, user)
    login.set(EDataServer.SOURCE_CREDENTIAL_PASSWORD, password)
    _, _, _, found, _ = EDataServer.webdav_discover_sources_sync(source, url, CALENDARS, login, None)
    where = urlsplit(found[0].href).path
    source.get_extension(EDataServer.SOURCE_EXTENSION_WEBDAV_BACKEND).set_resource_path(where)
    registry.commit_source_sync(source, None)
    source = wait_for(lambda: registry.ref_source(source.get_uid()))
    source.store_password_sync(password, False, None)
    client = ECal.Client.connect_sync(source, ECal.ClientSourceType.EVENTS, AT_ONCE, None)
    client.refresh_sync(None)
    seen = sorted(wait_for(lambda: events(client, int(count))))
    for uid, title in seen:
        print(uid, title)
    client.remove_object_sync(seen[0][0], None, ECal.ObjModType.ALL, ECal.OperationFlags.NONE, None)
    return 0


def calendar_source(url: str, user: str) -> EDataServer.Source:
    """A calendar's settings, as Evolution writes them."""
    where = urlsplit(url)
    source = EDataServer.Source.new(None, None)
    source.set_display_name("Job search")
    source.set_parent("caldav-stub")
    source.get_extension(EDataServer.SOURCE_EXTENSION_CALENDAR).set_backend_name("caldav")
    login = source.get_extension(EDataServer.SOURCE_EXTENSION_AUTHENTICATION)
    login.set_host(where.hostname)
    login.set_port(where.port)
    login.set_user(user)
    login.set_method("plain/password")
    source.get_extension(EDataServer.SOURCE_EXTENSION_SECURITY).set_secure(where.scheme == "https")
    return source


def events(client: ECal.Client, count: int) -> list[tuple[str, str]]:
    """UID and title of each, once there are so many; none before."""
    _, found = client.get_object_list_as_comps_sync("#t", None)
    return [(one.get_uid(), one.get_summary().get_value()) for one in found] if len(found) >= count else []


def wait_for(ask: Callable[[], object]) -> object:
    """What `ask` gives as soon as it gives anything; the service works on its own time."""
    context = GLib.MainContext.default()
    end = GLib.get_monotonic_time() + SECONDS * 1_000_000
    while GLib.get_monotonic_time() < end:
        if found := ask():
            return found
        while context.iteration(False):
            pass
        GLib.usleep(100_000)
    raise SystemExit("the service gave no answer")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
