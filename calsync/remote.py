"""The settings of a CalDAV server -> an open target, with its password. Public face: `opened`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from calsync import credentials
from calsync.caldavsettings import CaldavSettings
from calsync.targets.base import Target


def opened(target: Callable[..., Target], settings: CaldavSettings, known: str | None, *, create: bool) -> Target:
    """What `target` makes of these settings; `known` is where the calendar was found before.

    Raises LoginError where the password cannot be had, ConfigError where the target cannot be opened so.
    """
    secret = partial(
        credentials.read,
        password_file=settings.password_file,
        password_env=settings.password_env,
        password_command=settings.password_command,
        credential=settings.credential,
        token_command=settings.token_command,
    )
    return target(
        url=settings.url,
        username=settings.username,
        password=secret(),
        calendar=settings.calendar,
        auth="bearer" if settings.token_command else settings.auth,
        renew=secret if settings.token_command else None,
        timeout=settings.timeout,
        connections=settings.connections,
        allow_insecure=settings.allow_insecure,
        ca_file=settings.ca_file,
        client_certificate=settings.client_certificate,
        client_key=settings.client_key,
        create=create,
        known=known,
    )
