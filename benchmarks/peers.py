"""The environments under build/: calsync as users install it, and its peers. Made on first use.

Public face: `install`, `ourselves`, `vdirsyncer`, `khal` (folders of commands and commands), `versions`.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import venv
from functools import cache
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
OURS = BUILD / "bench-calsync"
PIP = ("-m", "pip", "install", "-qq", "--disable-pip-version-check")
ASK = "import json, sys; from importlib.metadata import version; print(json.dumps([version(n) for n in sys.argv[1:]]))"


def install(revision: str | None) -> str:
    """Install calsync as it is now, or as of a commit. Returns which commit that is, and if there are changes to it."""
    words = ["describe", "--always", revision] if revision else ["describe", "--always", "--dirty=, with changes"]
    told = subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()
    if revision is None:
        _install(ROOT)
        return told
    with tempfile.TemporaryDirectory() as name:
        archive = subprocess.run(["git", "archive", revision], cwd=ROOT, check=True, capture_output=True).stdout
        subprocess.run(["tar", "-x", "-C", name], input=archive, check=True)
        _install(Path(name))
    return told


def _install(source: Path) -> None:
    """Into an environment that has nothing else: development tools slow the start of every Python."""
    python, marker = OURS / "bin" / "python", OURS / ".installed"
    project = (ROOT / "pyproject.toml").stat().st_mtime
    if not marker.exists() or marker.stat().st_mtime < project:
        venv.create(OURS, with_pip=True, clear=True)
        subprocess.run([python, *PIP, source], check=True)
        marker.touch()
    else:
        subprocess.run([python, *PIP, "--force-reinstall", "--no-deps", source], check=True)


def ourselves() -> Path:
    """The folder of calsync's commands, as `install` put them there."""
    return OURS / "bin"


def vdirsyncer() -> str:
    """The command."""
    return str(_peers() / "vdirsyncer")


def khal() -> str:
    """The command."""
    return str(_peers() / "khal")


@cache
def _peers() -> Path:
    folder = BUILD / "bench-peers"
    if not all((folder / "bin" / name).exists() for name in ("vdirsyncer", "khal")):
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([folder / "bin" / "python", *PIP, "vdirsyncer", "khal"], check=True)
    return folder / "bin"


def versions() -> dict[str, str]:
    """The versions of who is compared, and of the servers."""
    ours, theirs = ("calsync", "PyYAML", "caldav"), ("vdirsyncer", "khal")
    found = dict(zip(ours, _versions(ourselves(), ours), strict=True))
    found |= zip(theirs, _versions(_peers(), theirs), strict=True)
    return found | {name: version(name) for name in ("radicale", "xandikos")}


def _versions(commands: Path, names: tuple[str, ...]) -> list[str]:
    said = subprocess.run([commands / "python", "-c", ASK, *names], check=True, capture_output=True).stdout
    told: list[str] = json.loads(said)
    return told
