"""`calsync install-service`: puts the unit of the daemon where systemd looks for it, and makes the folders it expects.

First all steps are found; then each is told and done, in a dry run only told. What is there already
and right is no step. Public face: `for_system`, `for_user`, `Installation`, `Step`.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib.resources import files
from pathlib import Path

from msgspec import Struct

from calsync import paths
from calsync.errors import CalsyncError, GuardError, UsageError

GROUP = "calsync"
"""Who may read the configs of the system's instances (`systemd/calsync@.service`)."""
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_EXEC = re.compile(r"^ExecStart=\S+", re.MULTILINE)
_HIDDEN = ("/home", "/root", "/run/user", "/tmp", "/var/tmp")  # noqa: S108  # hidden by the unit, not used
"""Where the unit's sandbox (ProtectHome=, PrivateTmp=) sees nothing."""


class Step(Struct, frozen=True):
    """One thing to do, in words, and how."""

    text: str
    do: Callable[[], object]


class Installation(Struct, frozen=True):
    """What is to be done here, and what is left for the user to do afterwards, as lines."""

    steps: tuple[Step, ...]
    afterwards: tuple[str, ...]

    def carried_out(self, *, dry_run: bool) -> Iterator[str]:
        """Tell each step and then do it, in a dry run only tell; then what is left. Gives lines.

        Raises CalsyncError where a step cannot be done.
        """
        for step in self.steps:
            yield f"{'would ' if dry_run else ''}{step.text}"
            if not dry_run:
                _do(step)
        if not self.steps:
            yield "The unit and the folders are there already, and as they are to be."
        yield "Left for you:"
        yield from (f"    {line}" for line in self.afterwards)


def _do(step: Step) -> None:
    try:
        step.do()
    except (OSError, subprocess.CalledProcessError) as error:
        why = error.strerror if isinstance(error, OSError) else f"exit code {error.returncode}"
        raise CalsyncError(f"could not {step.text}: {why}") from None


def for_system(name: str, root: Path = Path("/")) -> Installation:
    """The unit for several people, and the folder of one of them. `root` is where the system's own folders are.

    Raises UsageError for a name that is none, GuardError where the unit could not work.
    """
    if not _NAME.fullmatch(name):
        raise UsageError("a --name has letters, digits, dashes and underscores, at most 64")
    if os.geteuid() != 0:
        raise GuardError("the system's units are root's to write; run it as root, or add --user to install your own")
    command = _command()
    if command.is_relative_to(root) and any(f"/{command.relative_to(root)}".startswith(f"{each}/") for each in _HIDDEN):
        text = f"the unit cannot see {command}, as it is shut out of /home and /tmp"
        raise GuardError(f"{text}; install calsync in /opt/calsync (docs/daemon.md), or add --user")
    etc = root / "etc"
    folder = etc / "calsync" / name
    steps = [*_group(etc), *_folder(folder.parent, 0o2750, GROUP), *_folder(folder, 0o2750, GROUP)]
    steps += _unit("calsync@.service", etc / "systemd" / "system", command)
    steps += _reload(root, ["systemctl", "daemon-reload"])
    return Installation(
        tuple(steps),
        (
            f"{folder}/config.yaml and applications.yaml (mode 640): your config and journal;",
            f"    'credential: password' under 'caldav', and 'answers: /var/lib/calsync/{name}/answers.yaml'",
            f"{folder}/password (mode 600): the password, in one line",
            f"systemctl enable --now calsync@{name}",
        ),
    )


def for_user(environ: Mapping[str, str], root: Path = Path("/")) -> Installation:
    """The unit for yourself, and the folder of your config. `root` as `for_system`."""
    config = paths.user_config(environ)
    steps = [*_folder(config.parent, 0o700)]
    steps += _unit("user/calsync.service", config.parent.parent / "systemd" / "user", _command())
    steps += _reload(root, ["systemctl", "--user", "daemon-reload"])
    return Installation(
        tuple(steps),
        (
            f"{config}: your config",
            "systemctl --user enable --now calsync",
            "loginctl enable-linger: so that it runs while you are not logged in, too",
        ),
    )


def _command() -> Path:
    """The command that the unit is to start: that of this installation."""
    beside = Path(sys.executable).with_name("calsync")
    if beside.exists():
        return beside
    found = shutil.which("calsync")
    if found is None:
        raise GuardError("there is no 'calsync' command to start; install it first, as with pipx")
    return Path(found).absolute()


def _group(etc: Path) -> Iterator[Step]:
    with contextlib.suppress(FileNotFoundError):
        if re.search(rf"^{GROUP}:", (etc / "group").read_text(encoding="utf-8"), re.MULTILINE):
            return
    command = ["groupadd", "--system", GROUP]
    yield Step(f"make the group {GROUP}: {' '.join(command)}", lambda: subprocess.run(command, check=True))


def _folder(folder: Path, mode: int, group: str | None = None) -> Iterator[Step]:
    if folder.is_dir():
        return

    def make() -> None:
        folder.mkdir(parents=True)
        if group is not None:
            shutil.chown(folder, group=group)
        folder.chmod(mode)

    yield Step(f"make the folder {folder}, mode {mode:o}{f', group {group}' if group else ''}", make)


def _unit(name: str, folder: Path, command: Path) -> Iterator[Step]:
    shipped = (files("calsync") / "systemd" / name).read_text(encoding="utf-8")
    quoted = str(command).replace("%", "%%")
    quoted = f'"{quoted}"' if re.search(r"\s", quoted) else quoted
    unit = _EXEC.sub(lambda _match: f"ExecStart={quoted}", shipped).encode(errors="surrogateescape")
    path = folder / Path(name).name
    there = path.read_bytes() if path.exists() else None
    if there == unit:
        return

    def write() -> None:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(unit)
        path.chmod(0o644)

    verb = "write" if there is None else "replace, as it is another one,"
    yield Step(f"{verb} {path}, which starts {command}", write)


def _reload(root: Path, command: list[str]) -> Iterator[Step]:
    if (root / "run/systemd/system").is_dir():
        yield Step(f"let systemd read it: {' '.join(command)}", lambda: subprocess.run(command, check=True))
