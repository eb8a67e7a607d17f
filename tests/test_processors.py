"""A list is worked on by several processes, and what comes of it is as if one had done it all.

Each test has a process of its own: one without threads, as the command is, with limits and signals to itself.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

START = """\
import os, resource, signal, time
from calsync.processors import on_all

US = os.getpid()

def told(share):
    return "here" if os.getpid() == US else "elsewhere", *share

"""
ALL_HERE = "[('here', 0, 1, 2, 3, 4), ('here', 5, 6, 7, 8, 9)]\n"


def process(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", START + code], capture_output=True, text=True, timeout=60, check=False)


def said(code: str) -> str:
    """What `code` prints, if it says nothing else and ends well."""
    done = process(code)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_each_share_has_a_process_and_keeps_its_place() -> None:
    found = said("print(on_all(told, range(10), least=3, processors=3))")
    assert found == "[('here', 0, 1, 2), ('elsewhere', 3, 4, 5), ('elsewhere', 6, 7, 8, 9)]\n"
    assert said("print(len(set(on_all(lambda _: os.getpid(), range(10), least=3, processors=3))))") == "3\n"


@pytest.mark.parametrize(
    ("items", "processors", "share"), [("range(3)", 1, "0, 1, 2"), ("range(5)", 8, "0, 1, 2, 3, 4"), ("()", 8, "")]
)
def test_what_is_little_or_has_one_processor_is_done_here(items: str, processors: int, share: str) -> None:
    found = said(f"print(on_all(lambda share: (os.getpid() == US, *share), {items}, least=3, processors={processors}))")
    assert found == f"[(True, {share})]\n".replace(", )", ",)")


def test_there_are_no_more_shares_than_processors_of_this_process() -> None:
    count = "print(len(on_all(told, range(1000), least=1)))"
    assert said(f"os.sched_setaffinity(0, {{min(os.sched_getaffinity(0))}}); {count}") == "1\n"
    assert said(count) == said("print(len(os.sched_getaffinity(0)))")


@pytest.mark.parametrize("end", ["SIGKILL", "SIGINT"])
def test_the_share_of_a_fork_that_dies_is_done_here_without_a_word(end: str) -> None:
    found = said(f"""\
def dies_elsewhere(share):
    if os.getpid() != US:
        os.kill(os.getpid(), signal.{end})
        time.sleep(60)
    return told(share)

print(on_all(dies_elsewhere, range(10), least=5, processors=2))
""")
    assert found == ALL_HERE


def test_what_is_wrong_with_a_share_is_raised_here_and_told_once() -> None:
    done = process("on_all(lambda share: 1 // (9 - max(share)), range(10), least=5, processors=2)")
    assert done.returncode == 1
    assert done.stderr.count("ZeroDivisionError") == 1


def test_where_no_process_can_be_made_all_is_done_here() -> None:
    found = said("""\
import multiprocessing.popen_fork  # nothing can be loaded where no file may be opened
before = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (0, before[1]))
print(on_all(told, range(10), least=5, processors=2))
resource.setrlimit(resource.RLIMIT_NOFILE, before)  # for what measures the tests
""")
    assert found == ALL_HERE


def test_whoever_interrupts_us_does_not_wait_for_forks_and_leaves_none() -> None:
    found = said("""\
def slow_elsewhere(share):
    if os.getpid() == US:
        raise KeyboardInterrupt
    time.sleep(600)

try:
    on_all(slow_elsewhere, range(10), least=5, processors=2)
except KeyboardInterrupt:
    print("interrupted")
try:
    os.waitpid(-1, os.WNOHANG)
except ChildProcessError:
    print("none left")
""")
    assert found == "interrupted\nnone left\n"
