"""The watcher: what it sees of the ways in which people and programs change files, and what it leaves alone."""

from __future__ import annotations

import os
import queue
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from calsync.daemon.scheduling import Reason
from calsync.daemon.watching import Watcher, on_network, points, seen

SECONDS = 10
"""How long a change may take to be told before a test gives up; it is told within one."""


class Told:
    """A watcher, and what it told."""

    def __init__(self, *, inotify: bool = True) -> None:
        self.queue: queue.Queue[Reason] = queue.Queue()
        self.watcher = Watcher(self.queue.put, quiet_seconds=0.1, poll_seconds=60 if inotify else 0.05, inotify=inotify)

    def next(self) -> Reason:
        return self.queue.get(timeout=SECONDS)


@pytest.fixture
def told() -> Iterator[Told]:
    made = Told()
    yield made
    made.watcher.close()


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    path = tmp_path / "home" / "applications.yaml"
    path.parent.mkdir()
    path.write_text("applications: []\n")
    return path


def written(path: Path) -> None:
    path.write_text("applications: [{company: Acme}]\n")


def renamed_over(path: Path) -> None:
    """As vim, Emacs, VS Code and git do."""
    fresh = path.with_name(".applications.yaml.swp")
    written(fresh)
    fresh.replace(path)


def moved_aside_and_made_anew(path: Path) -> None:
    """As vim does with backupcopy=no."""
    path.rename(path.with_name("applications.yaml~"))
    written(path)


def removed(path: Path) -> None:
    path.unlink()


def made_readable(path: Path) -> None:
    path.chmod(0o600)


def linked(path: Path) -> None:
    """A link made in its place."""
    written(path.with_name("other"))
    path.unlink()
    os.link(path.with_name("other"), path)


WAYS = [written, renamed_over, moved_aside_and_made_anew, removed, made_readable, linked]


@pytest.mark.parametrize("change", WAYS)
def test_a_change_is_told_however_it_is_made(told: Told, journal: Path, change):
    told.watcher.follow({journal: Reason.JOURNAL})
    assert not told.watcher.polls
    change(journal)
    assert told.next() is Reason.JOURNAL


@pytest.mark.parametrize("change", WAYS)
def test_the_same_is_seen_by_looking_where_there_is_no_inotify(journal: Path, change):
    before = seen(journal)
    change(journal)
    assert seen(journal) != before


def test_a_file_is_watched_before_it_is_there_and_after_it_was_gone(told: Told, tmp_path: Path):
    path = tmp_path / "later" / "deeper" / "applications.yaml"
    told.watcher.follow({path: Reason.JOURNAL})
    path.parent.mkdir(parents=True)
    written(path)
    assert told.next() is Reason.JOURNAL
    shutil.rmtree(tmp_path / "later")
    assert told.next() is Reason.JOURNAL
    path.parent.mkdir(parents=True)
    written(path)
    assert told.next() is Reason.JOURNAL


def test_a_folder_far_above_may_be_moved_away_and_made_anew(told: Told, tmp_path: Path):
    """As when somebody puts a backup in the place of a whole tree."""
    path = tmp_path / "home" / "documents" / "jobs" / "applications.yaml"
    path.parent.mkdir(parents=True)
    written(path)
    told.watcher.follow({path: Reason.JOURNAL})
    (tmp_path / "home").rename(tmp_path / "old")
    assert told.next() is Reason.JOURNAL
    path.parent.mkdir(parents=True)
    written(path)
    assert told.next() is Reason.JOURNAL
    assert not told.watcher.polls


def test_a_file_behind_links_is_watched_and_so_are_the_links(told: Told, tmp_path: Path, journal: Path):
    """Dotfiles: the folder and the file in it are links."""
    other = tmp_path / "other.yaml"
    written(other)
    (tmp_path / "dots").symlink_to(journal.parent)
    link = tmp_path / "link.yaml"
    link.symlink_to("dots/applications.yaml")
    told.watcher.follow({link: Reason.JOURNAL})
    renamed_over(journal)
    assert told.next() is Reason.JOURNAL
    fresh = tmp_path / "fresh"
    fresh.symlink_to(other)
    fresh.replace(link)
    assert told.next() is Reason.JOURNAL
    written(journal)  # is not meant any more
    other.write_text("applications: [{company: Bolt}]\n")
    assert told.next() is Reason.JOURNAL
    assert told.queue.empty()


def test_a_whole_folder_swapped_by_its_link_is_seen(told: Told, tmp_path: Path):
    """As Kubernetes and Nix replace configs."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.yaml").write_text(name)
    data = tmp_path / "data"
    data.symlink_to("one")
    told.watcher.follow({data / "config.yaml": Reason.CONFIG})
    (tmp_path / "fresh").symlink_to("two")
    (tmp_path / "fresh").replace(data)
    assert told.next() is Reason.CONFIG


def test_a_folder_of_journals_is_watched_with_what_its_links_lead_to(told: Told, tmp_path: Path, journal: Path):
    folder = tmp_path / "journals"
    folder.mkdir()
    written(folder / "a.yaml")
    (folder / "b.yaml").symlink_to(journal)
    told.watcher.follow({folder: Reason.JOURNAL})
    for change in (
        lambda: (folder / "a.yaml").write_text("applications: []\n"),
        lambda: written(folder / "c.yaml"),
        lambda: renamed_over(journal),
        (folder / "c.yaml").unlink,
    ):
        change()
        assert told.next() is Reason.JOURNAL


def test_each_file_has_its_own_reason_and_several_changes_are_told_once(told: Told, tmp_path: Path, journal: Path):
    config = journal.with_name("config.yaml")
    config.write_text("")
    told.watcher.follow({journal: Reason.JOURNAL, config: Reason.CONFIG})
    for _ in range(5):
        written(journal)
        written(config)
    assert {told.next(), told.next()} == {Reason.JOURNAL, Reason.CONFIG}
    assert told.queue.empty()


def test_other_files_beside_it_are_nobodys_business(told: Told, journal: Path):
    told.watcher.follow({journal: Reason.JOURNAL})
    for name in ("follow-ups.ics", "applications.yaml.swp", "4913"):
        written(journal.with_name(name))
    journal.read_text()
    config = journal.with_name("config.yaml")
    told.watcher.follow({journal: Reason.JOURNAL, config: Reason.CONFIG})
    written(config)
    assert told.next() is Reason.CONFIG
    assert told.queue.empty()


def test_what_is_followed_no_more_is_not_told(told: Told, tmp_path: Path, journal: Path):
    other = tmp_path / "other.yaml"
    told.watcher.follow({journal: Reason.JOURNAL})
    told.watcher.follow({other: Reason.CONFIG})
    written(journal)
    written(other)
    assert told.next() is Reason.CONFIG
    assert told.queue.empty()


def test_a_file_that_is_never_quiet_is_looked_at_now_and_then(journal: Path):
    heard: queue.Queue[Reason] = queue.Queue()
    watcher = Watcher(heard.put, quiet_seconds=600)
    try:
        watcher.follow({journal: Reason.JOURNAL})
        written(journal)
        assert heard.get(timeout=SECONDS) is Reason.JOURNAL
    finally:
        watcher.close()


def test_folders_that_matter_no_more_are_let_go_of(told: Told, tmp_path: Path, journal: Path):
    def watches() -> int:
        number = told.watcher._inotify.fileno()
        return Path(f"/proc/self/fdinfo/{number}").read_text().count("inotify wd:")

    told.watcher.follow({tmp_path / "config.yaml": Reason.CONFIG})
    before = watches()
    told.watcher.follow({tmp_path / "config.yaml": Reason.CONFIG, journal: Reason.JOURNAL})
    assert watches() == before + 1
    told.watcher.follow({tmp_path / "config.yaml": Reason.CONFIG})
    assert watches() == before


def test_without_inotify_files_are_looked_at_every_few_seconds(journal: Path):
    told = Told(inotify=False)
    try:
        told.watcher.follow({journal: Reason.JOURNAL})
        assert told.watcher.polls
        renamed_over(journal)
        assert told.next() is Reason.JOURNAL
        ahead = time.monotonic() + 600
        assert told.watcher._milliseconds(None, 0.0, ahead) > 590_000, "until then it sleeps"
        assert told.watcher._milliseconds(ahead, ahead, 0.0) > 590_000
    finally:
        told.watcher.close()


def test_files_are_looked_at_however_much_goes_on_beside_others(journal: Path, tmp_path: Path):
    """One file stands where inotify does not work, and the folder of another is never quiet."""
    in_the_way = tmp_path / "in the way"
    written(in_the_way)
    config = in_the_way / "config.yaml"
    heard: queue.Queue[Reason] = queue.Queue()
    over = threading.Event()

    def noise() -> None:
        while not over.wait(0.02):
            written(journal.with_name("noise"))

    watcher = Watcher(heard.put, quiet_seconds=0.1, poll_seconds=0.5)
    thread = threading.Thread(target=noise)
    thread.start()
    try:
        watcher.follow({journal: Reason.JOURNAL, config: Reason.CONFIG})
        assert watcher.polls
        in_the_way.unlink()
        in_the_way.mkdir()
        written(config)
        assert heard.get(timeout=SECONDS) is Reason.CONFIG
        watcher.follow({journal: Reason.JOURNAL})
        assert not watcher.polls
    finally:
        over.set()
        thread.join()
        watcher.close()


def test_a_loop_of_links_ends(tmp_path: Path):
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    assert (tmp_path, "loop") in list(points(loop))


MOUNTS = """\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 0:40 / /home/alice/net rw - nfs4 server:/export rw
31 22 0:41 / /home/alice/net\\040drive rw - fuse.sshfs me@server: rw
32 22 0:42 / /home/alice/net/local rw - tmpfs tmpfs rw
33 22 0:43 / /home/alice/Büro rw - cifs //server/share rw
34 22 0:44 / /home/alice/over/local rw - tmpfs tmpfs rw
35 22 0:45 / /home/alice/over rw - tmpfs tmpfs rw
36 22 0:46 / /home/alice/over rw - nfs4 server:/export rw
"""


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("/home/alice", False),
        ("/home/alice/net", True),
        ("/home/alice/net/jobs", True),
        ("/home/alice/network", False),
        ("/home/alice/net drive/jobs", True),
        ("/home/alice/Büro/jobs", True),
        ("/home/alice/over", True),  # what was mounted last hides what was there
        ("/home/alice/over/local", False),
        ("/home/alice/net/local", False),
    ],
)
def test_network_mounts_are_known(folder, expected):
    assert on_network(Path(folder), MOUNTS) is expected


def test_without_a_list_of_mounts_nothing_is_on_the_network():
    assert on_network(Path("/home"), "") is False
