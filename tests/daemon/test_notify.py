"""What systemd is told, and when nothing is told to anybody."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

import pytest

from calsync.daemon.notify import Notifier

OWN = str(os.getpid())


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "500000"}, 0.5),
        ({"WATCHDOG_USEC": "500000", "WATCHDOG_PID": OWN}, 0.5),
        ({"WATCHDOG_USEC": "500000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_a_sign_of_life_is_wanted_as_the_manager_says_and_of_this_process_alone(environ, seconds):
    """sd_watchdog_enabled(3)."""
    assert Notifier(environ).watchdog == seconds


@pytest.mark.parametrize("abstract", [False, True])
def test_the_manager_is_told_in_lines(tmp_path: Path, abstract):
    path = f"{tmp_path}/notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(f"\0{path[1:]}" if abstract else path)
        receiver.settimeout(10)
        notifier = Notifier({"NOTIFY_SOCKET": f"@{path[1:]}" if abstract else path, "WATCHDOG_USEC": "1000000"})
        notifier.ready("started")
        notifier.alive()
        before = time.monotonic_ns()
        notifier.reloading()
        told = [receiver.recv(4096).decode() for _ in range(3)]
    assert told[:2] == ["READY=1\nSTATUS=started", "WATCHDOG=1"]
    first, _, microseconds = told[2].partition("\nMONOTONIC_USEC=")
    assert first == "RELOADING=1"
    assert before // 1000 <= int(microseconds) <= time.monotonic_ns() // 1000


def test_no_sign_of_life_where_none_is_wanted(tmp_path: Path):
    path = f"{tmp_path}/notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(path)
        notifier = Notifier({"NOTIFY_SOCKET": path})
        notifier.alive()
        notifier.stopping()
        assert receiver.recv(4096).decode().startswith("STOPPING=1")


@pytest.mark.parametrize("environ", [{}, {"NOTIFY_SOCKET": "/nowhere/notify"}])
def test_a_manager_that_does_not_listen_is_no_trouble(environ):
    notifier = Notifier({**environ, "WATCHDOG_USEC": "1000000"})
    for tell in (notifier.reloading, notifier.stopping, notifier.alive):
        tell()
    notifier.ready("started")
    notifier.status("fine")
