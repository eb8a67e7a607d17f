"""calsync install-service: what it writes where, and that a dry run writes nothing."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from calsync import cli, installing
from calsync.errors import CalsyncError, GuardError, UsageError

UNITS = Path(__file__).parents[2] / "systemd"


def tree(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_for_a_user_it_writes_a_unit_that_starts_this_calsync(tmp_path: Path):
    environ = {"XDG_CONFIG_HOME": str(tmp_path / "config"), "HOME": str(tmp_path)}
    installation = installing.for_user(environ, tmp_path)
    lines = list(installation.carried_out(dry_run=False))
    unit = (tmp_path / "config/systemd/user/calsync.service").read_text()
    [start] = [line for line in unit.splitlines() if line.startswith("ExecStart=")]
    command = Path(start.removeprefix("ExecStart=").split(" --config")[0].strip('"'))
    assert os.access(command, os.X_OK)
    assert command.name == "calsync"
    assert start.endswith(" --config %E/calsync/config.yaml daemon")
    shipped = (UNITS / "user/calsync.service").read_text()
    assert [line for line in unit.splitlines() if line != start] == [
        line for line in shipped.splitlines() if not line.startswith("ExecStart=")
    ]
    assert (tmp_path / "config/calsync").stat().st_mode & 0o777 == 0o700
    assert any("enable --now calsync" in line for line in lines)
    again = installing.for_user(environ, tmp_path)
    assert again.steps == ()
    assert "there already" in next(again.carried_out(dry_run=False))


def test_a_dry_run_tells_the_same_and_writes_nothing(tmp_path: Path):
    environ = {"XDG_CONFIG_HOME": str(tmp_path / "config"), "HOME": str(tmp_path)}
    installation = installing.for_user(environ, tmp_path)
    lines = list(installation.carried_out(dry_run=True))
    assert tree(tmp_path) == []
    told = list(installation.carried_out(dry_run=False))
    assert [line.removeprefix("would ") for line in lines] == told


@pytest.mark.parametrize("there", [b"[Service]\n", b"\xff\xfe"])
def test_a_unit_that_is_another_one_is_replaced_and_that_is_said(tmp_path: Path, there):
    environ = {"XDG_CONFIG_HOME": str(tmp_path / "config"), "HOME": str(tmp_path)}
    unit = tmp_path / "config/systemd/user/calsync.service"
    unit.parent.mkdir(parents=True)
    unit.write_bytes(there)
    assert any(line.startswith("replace, as it is another one") for line in run_for_user(environ, tmp_path))
    assert "Type=notify" in unit.read_text()


def run_for_user(environ: dict[str, str], root: Path) -> list[str]:
    return list(installing.for_user(environ, root).carried_out(dry_run=False))


def test_a_folder_that_cannot_be_made_is_one_clear_message(tmp_path: Path):
    (tmp_path / "config").write_text("a file stands here")
    with pytest.raises(CalsyncError, match="could not make the folder"):
        run_for_user({"XDG_CONFIG_HOME": str(tmp_path / "config")}, tmp_path)


@pytest.mark.parametrize("name", ["", "a/b", "..", "a b", "x" * 65, "%i"])
def test_a_name_that_is_none_is_refused(tmp_path: Path, name):
    with pytest.raises(UsageError, match="--name"):
        installing.for_system(name, tmp_path)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A system with the group there already, and no systemd running."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/group").write_text("root:x:0:\ncalsync:x:997:\n")
    return tmp_path


def test_for_the_system_it_is_roots_to_write(root: Path):
    """As root the steps are told; as anybody else the way out is named. What root does is tested on a real system."""
    if os.geteuid() != 0:
        with pytest.raises(GuardError, match="--user"):
            installing.for_system("alice", root)
        return
    lines = list(installing.for_system("alice", root).carried_out(dry_run=True))
    assert lines[0] == f"would make the folder {root}/etc/calsync, mode 2750, group calsync"
    assert lines[1] == f"would make the folder {root}/etc/calsync/alice, mode 2750, group calsync"
    assert lines[2].startswith(f"would write {root}/etc/systemd/system/calsync@.service, which starts ")
    assert "    systemctl enable --now calsync@alice" in lines
    assert tree(root) == ["etc", "etc/group"]


def test_what_the_unit_could_not_see_is_refused(root: Path, monkeypatch):
    """The unit is shut out of /home: calsync in a virtual environment there could never start."""
    command = root / "home/alice/.venv/bin/calsync"
    command.parent.mkdir(parents=True)
    command.touch()
    monkeypatch.setattr(sys, "executable", str(command.with_name("python")))
    before = tree(root)
    with pytest.raises(GuardError, match="--user"):
        installing.for_system("alice", root)
    assert tree(root) == before


def test_a_path_with_blanks_and_percent_signs_is_written_as_systemd_reads_it(tmp_path: Path, monkeypatch):
    """Quotes keep it together, and a percent sign is no specifier (systemd.service(5), systemd.unit(5))."""
    command = tmp_path / "my tools" / "100%" / "calsync"
    command.parent.mkdir(parents=True)
    command.touch()
    monkeypatch.setattr(sys, "executable", str(command.with_name("python")))
    run_for_user({"XDG_CONFIG_HOME": str(tmp_path / "config")}, tmp_path)
    unit = (tmp_path / "config/systemd/user/calsync.service").read_text()
    assert f'ExecStart="{tmp_path}/my tools/100%%/calsync" --config ' in unit


def test_a_name_is_for_the_system_alone(capsys):
    assert cli.main(["install-service", "--user", "--name", "alice"]) == 2
    assert "--name is for the system's units" in capsys.readouterr().err


def test_the_command_shows_what_it_would_do(tmp_path: Path, capsys, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert cli.main(["install-service", "--user", "--dry-run"]) == 0
    assert f"would write {tmp_path}/systemd/user/calsync.service" in capsys.readouterr().out
    assert tree(tmp_path) == []
