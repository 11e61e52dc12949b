"""The real program in a real terminal, ended from outside while it trains."""

import os
import signal
import time
from pathlib import Path

import pytest

from difftui.bench.terminal import Terminal
from difftui.runs import Run, list_runs


def started_training(home: Path, terminal: Terminal) -> Run:
    terminal.type(" ")
    for _ in range(600):
        terminal.drain(0.1)
        runs = list_runs()
        if runs and runs[0].metrics.path.exists():
            return runs[0]
    raise AssertionError("the training did not begin")


def exit_status(terminal: Terminal) -> tuple[int, bytes]:
    said = b""
    for _ in range(400):
        pid, status = os.waitpid(terminal.pid, os.WNOHANG)
        if pid:
            terminal.pid = -1
            return os.waitstatus_to_exitcode(status), said
        said += terminal.read(0.1) if terminal.descriptor >= 0 else b""
        time.sleep(0.01)
    raise AssertionError("the process did not end")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_a_signal_saves_and_gives_the_terminal_back(own_home: Path, number: signal.Signals) -> None:
    environment = {"DIFFTUI_HOME": str(own_home), "OMP_NUM_THREADS": "1"}
    with Terminal(["--screen", "train", "--device", "cpu"], environment=environment) as terminal:
        run = started_training(own_home, terminal)
        os.kill(terminal.pid, number)
        os.kill(terminal.pid, number)  # twice, as impatient systems do
        status, said = exit_status(terminal)
    assert status == 128 + number
    assert b"\x1b[?1049l" in said  # back from the alternate screen
    assert run.status().state == "stopped"
    assert run.status().step > 0
    assert all(path.exists() for path in (run.weights_path, run.state_paths[0]))


def test_a_terminal_that_goes_away_costs_nothing(own_home: Path) -> None:
    environment = {"DIFFTUI_HOME": str(own_home), "OMP_NUM_THREADS": "1"}
    terminal = Terminal(["--screen", "train", "--device", "cpu"], environment=environment)
    run = started_training(own_home, terminal)
    os.close(terminal.descriptor)  # the kernel sends SIGHUP
    terminal.descriptor = -1
    status, _ = exit_status(terminal)
    assert status == 128 + signal.SIGHUP
    assert run.status().state == "stopped"
    assert run.status().step > 0
