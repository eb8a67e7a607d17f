"""Everything that can go wrong, one class a cause, each with its exit code.

The codes are the contract of the command line (`docs/commands.md`); `cli.main` is the one place that turns
an error into a message and a code. Errors are told apart by class, never by their text.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct


class CalsyncError(Exception):
    """Base of all errors that calsync explains to the user; its text is the whole message."""

    exit_code = 1


class GuardError(CalsyncError):
    """A guard refused to go on; the text says why and names the flag that goes on all the same."""


class SyncFailedError(CalsyncError):
    """Something could not be written; the text says what and why."""


class UsageError(CalsyncError):
    """The command line makes no sense."""

    exit_code = 2


class Problem(Struct, frozen=True, order=True):
    """One mistake in a file: where it stands, what is wrong, and the line itself.

    `line` and `column` count from 1; 0 means that the mistake is about the file as a whole.
    """

    file: str
    line: int
    column: int
    text: str
    shown: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        if not self.shown:
            return f"{place}: {self.text}"
        return f"{place}: {self.text}\n    {self.shown}\n    {' ' * (self.column - 1)}^"


class InputError(CalsyncError):
    """The user's files are wrong; `problems` has every mistake, in the order of the files."""

    exit_code = 3

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class ConfigError(InputError):
    """The config is missing or wrong."""


class JournalError(InputError):
    """The journal or the answers are wrong."""


class ServerError(CalsyncError):
    """The CalDAV server cannot be used: see the two subclasses."""

    exit_code = 4


class UnreachableError(ServerError):
    """The server does not answer, or not as a CalDAV server does. A dry run goes on without it.

    `retry_after` is how many seconds the server asks us to stay away, where it said so (RFC 9110 10.2.3).
    """

    def __init__(self, text: str, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(text)


class LoginError(ServerError):
    """The server refuses the login, or the password cannot be had."""


class PasswordError(LoginError):
    """The password cannot be had, so no server was asked: trying again locks no account."""


class BusyError(CalsyncError):
    """Another calsync is at work on the same state folder (EX_TEMPFAIL)."""

    exit_code = 75
