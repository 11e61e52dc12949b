"""``difftui train`` without the app: ended by signals, whatever has become of its stderr."""

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers import eventually
from nursery import Nursery, Pty, assert_resumes, end_of

from difftui.runs import Run, find_run, list_runs

pytestmark = pytest.mark.slow

LONG = [
    "train",
    "--preset",
    "lab",
    "--data",
    "bundled",
    "--batch-size",
    "2",
    "--device",
    "cpu",
    "--run",
    "long",
]
SOON = 40.0
TERM, HUP, INT, USR1 = signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGUSR1


@pytest.fixture
def nowhere() -> Iterator[int]:
    descriptor = os.open(os.devnull, os.O_RDWR)
    yield descriptor
    os.close(descriptor)


def trains(run: Run) -> bool:
    """Whether a step of it has been taken."""
    return run.metrics.path.exists() and run.metrics.path.stat().st_size > 0


def begun() -> Run:
    """The run, once it trains."""
    eventually(lambda: any(map(trains, list_runs())))
    return find_run("long")


def test_every_signal_saves_first(nursery: Nursery, own_home: Path, tmp_path: Path, nowhere: int) -> None:
    """Several processes at a time: each with a home, a signal or two, and its status."""
    cases: dict[str, tuple[list[int], set[int]]] = {
        "int": ([INT], {INT}),
        "hup": ([HUP], {HUP}),
        "usr1": ([USR1], {USR1}),
        "twice": ([TERM, TERM], {TERM}),
        "two": ([TERM, HUP], {TERM, HUP}),  # at the same moment: either may be first
    }
    runs = {name: Run(tmp_path / name / "runs" / "long") for name in cases}
    streams = (nowhere, nowhere, nowhere)
    processes = {name: nursery.start([*LONG, "--home", str(tmp_path / name)], streams, {}) for name in cases}
    waiting = set(cases)
    deadline = time.monotonic() + 60
    while waiting:
        assert time.monotonic() < deadline
        for name in [name for name in waiting if trains(runs[name])]:
            waiting.remove(name)
            for number in cases[name][0]:
                os.kill(processes[name], number)
        time.sleep(0.01)
    for name, (_, statuses) in cases.items():
        assert end_of(nursery, processes[name], SOON) in {128 + status for status in statuses}, name
        assert_resumes(runs[name])


def test_the_end_is_told(nursery: Nursery, own_home: Path, nowhere: int) -> None:
    read, write = os.pipe()
    pid = nursery.start(LONG, (nowhere, nowhere, write), {"DIFFTUI_HOME": str(own_home)})
    os.close(write)
    run = begun()
    os.kill(pid, USR1)
    assert end_of(nursery, pid, SOON) == 128 + USR1
    with os.fdopen(read) as said:
        last = said.read().splitlines()[-1]
    assert last.startswith(f"difftui: stopped by SIGUSR1, saved at step {run.status().step}. Go on with: ")


def test_a_pipe_that_is_full_stops_nothing(nursery: Nursery, own_home: Path, nowhere: int) -> None:
    read, write = os.pipe()
    os.set_blocking(write, False)
    try:
        while True:
            os.write(write, b"\n" * 4096)
    except BlockingIOError:
        os.set_blocking(write, True)
    pid = nursery.start(LONG, (nowhere, nowhere, write), {"DIFFTUI_HOME": str(own_home)})
    run = begun()
    os.kill(pid, TERM)
    assert end_of(nursery, pid, SOON) == 128 + TERM
    os.close(read)
    os.close(write)
    assert_resumes(run)


def test_a_terminal_that_nobody_reads_stops_nothing(nursery: Nursery, own_home: Path) -> None:
    terminal = Pty()
    os.set_blocking(terminal.near, False)
    try:
        while True:
            os.write(terminal.near, b"full\n" * 1000)
    except BlockingIOError:
        os.set_blocking(terminal.near, True)
    streams = (terminal.near, terminal.near, terminal.near)
    pid = nursery.start(LONG, streams, {"DIFFTUI_HOME": str(own_home)})
    run = begun()
    rows = run.metrics.path.stat().st_size
    eventually(lambda: run.metrics.path.stat().st_size > rows)
    os.kill(pid, TERM)
    assert end_of(nursery, pid, SOON) == 128 + TERM
    terminal.close()
    assert_resumes(run)


def test_a_pipe_whose_reader_has_left_stops_nothing(nursery: Nursery, own_home: Path, nowhere: int) -> None:
    read, write = os.pipe()
    pid = nursery.start(LONG, (nowhere, nowhere, write), {"DIFFTUI_HOME": str(own_home)})
    os.close(read)
    os.close(write)
    run = begun()
    os.kill(pid, TERM)
    assert end_of(nursery, pid, SOON) == 128 + TERM
    assert_resumes(run)


def test_a_stderr_that_is_closed_stops_nothing(own_home: Path) -> None:
    command = shlex.join([sys.executable, "-m", "difftui", *LONG])
    process = subprocess.Popen(["sh", "-c", f"exec {command} 2>&-"], stdout=subprocess.PIPE)
    run = begun()
    process.send_signal(TERM)
    said, _ = process.communicate(timeout=SOON)
    assert process.returncode == 128 + TERM
    assert said == b""  # and nothing went elsewhere instead
    assert_resumes(run)


def test_a_kill_while_torch_loads_loses_nothing(own_home: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-X", "importtime", "-m", "difftui", *LONG], stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    for line in process.stderr:
        if " torch._" in line:
            break
    process.send_signal(TERM)
    sent = time.monotonic()
    *_, last = process.stderr
    assert process.wait(SOON) == 128 + TERM
    assert time.monotonic() < sent + SOON
    assert last == "difftui: stopped by SIGTERM before training began; nothing was lost.\n"
    assert list_runs() == []
