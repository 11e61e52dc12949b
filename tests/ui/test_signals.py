"""The app on real terminals, ended from outside while it trains."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyte
import pytest
from helpers import eventually
from nursery import Nursery, Pty, assert_resumes, end_of

from difftui.bench.terminal import Terminal
from difftui.runs import list_runs

pytestmark = pytest.mark.slow

TRAIN = ["--screen", "train", "--device", "cpu"]
SOON = 40.0  # seconds; a step, a save and two seconds for the terminal, on a machine that is shared
TERM, HUP, INT, USR1 = signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGUSR1


@dataclass
class App:
    """The app in a process of its own, training on a terminal of its own."""

    nursery: Nursery
    pid: int
    terminal: Pty
    said: bytes = b""

    def lives(self) -> bool:
        assert self.nursery.ended(self.pid) is None, self.said[-2000:].decode(errors="replace")
        return self.listens()

    def listens(self) -> bool:
        if self.terminal.far >= 0:
            self.said += self.terminal.read()
        return True

    def ends(self, *, reading: bool = True, seconds: float = SOON) -> int:
        return end_of(self.nursery, self.pid, seconds, self.listens if reading else lambda: None)


@pytest.fixture
def terminal() -> Iterator[Pty]:
    pty = Pty()
    yield pty
    pty.close()


def opened(nursery: Nursery, home: Path, terminal: Pty, *arguments: str, controlling: bool = True) -> App:
    streams = (terminal.near, terminal.near, terminal.near)
    environment = {"DIFFTUI_HOME": str(home), "TERM": "xterm-256color"}
    return App(nursery, nursery.start(arguments, streams, environment, controlling=controlling), terminal)


def training(nursery: Nursery, home: Path, terminal: Pty, *, controlling: bool = True) -> App:
    app = opened(nursery, home, terminal, *TRAIN, controlling=controlling)
    begin(app)
    return app


def begin(app: App) -> None:
    """Press the key until a step has been taken."""
    until_it_says(app, b"Press")
    app.terminal.type(" ")
    eventually(lambda: app.lives() and trained_steps())


def until_it_says(app: App, text: bytes) -> None:
    eventually(lambda: app.lives() and text in app.said)


def trained_steps() -> bool:
    return any(run.metrics.path.exists() and run.metrics.path.stat().st_size for run in list_runs())


def is_whole() -> None:
    """The one run there is was stopped, and resumes where it was."""
    (run,) = list_runs()
    assert_resumes(run)


@pytest.mark.parametrize(
    ("sent", "heard"),
    [
        ([INT], INT),
        ([USR1], USR1),
        ([TERM, TERM, TERM], TERM),
        ([HUP, None, TERM], HUP),
        ([signal.SIGCONT, None, TERM], TERM),
    ],
    ids=["kill -INT", "Slurm's warning", "thrice", "two kinds", "as Slurm cancels"],
)
def test_a_signal_saves_and_gives_the_terminal_back(
    nursery: Nursery, own_home: Path, terminal: Pty, sent: list[int | None], heard: int
) -> None:
    found = termios.tcgetattr(terminal.near)
    app = training(nursery, own_home, terminal)
    assert termios.tcgetattr(terminal.near) != found
    for number in sent:
        if number is None:
            time.sleep(0.02)
        else:
            os.kill(app.pid, number)
    assert app.ends() == 128 + heard
    assert termios.tcgetattr(terminal.near) == found
    app.listens()
    leaves_no_modes(app.said)
    is_whole()


def leaves_no_modes(said: bytes) -> None:
    """Every private mode that was set is reset, and the screen from before is the one that shows."""
    modes: dict[bytes, bytes] = {}
    for part in said.split(b"\x1b[?")[1:]:
        number, kind = part[: len(part) - len(part.lstrip(b"0123456789;"))], part.lstrip(b"0123456789;")[:1]
        if kind in b"hl":
            modes[number] = kind
    assert modes.pop(b"7") == b"h"  # lines wrap
    assert modes.pop(b"25") == b"h"  # the cursor shows
    assert b"1049" in modes
    assert set(modes.values()) == {b"l"}
    assert said.count(b"\x1b[>") == said.count(b"\x1b[<u")  # the Kitty keyboard
    screen = pyte.Screen(80, 24)
    pyte.ByteStream(screen).feed(said[said.rindex(b"\x1b[?1049l") :])
    assert "".join(screen.display).strip() == ""


def test_a_terminal_that_goes_away_costs_nothing(nursery: Nursery, own_home: Path, terminal: Pty) -> None:
    app = training(nursery, own_home, terminal)
    terminal.leave_near()
    terminal.hang_up()  # the kernel sends SIGHUP
    assert app.ends() == 128 + HUP
    is_whole()


def test_nor_does_one_whose_hang_up_is_not_for_us(nursery: Nursery, own_home: Path, terminal: Pty) -> None:
    """Behind another session no signal comes: the end of the input must do."""
    app = training(nursery, own_home, terminal, controlling=False)
    terminal.leave_near()
    terminal.hang_up()
    assert app.ends() == 128 + HUP
    is_whole()


def test_a_terminal_that_nobody_reads_holds_nothing_up(
    nursery: Nursery, own_home: Path, terminal: Pty
) -> None:
    terminal.resize(160, 50)  # it fills sooner
    app = training(nursery, own_home, terminal)
    fill(terminal)
    (run,) = list_runs()
    rows = run.metrics.path.stat().st_size
    eventually(lambda: run.metrics.path.stat().st_size > rows)  # it trains on
    os.kill(app.pid, TERM)
    assert app.ends(reading=False) == 128 + TERM
    is_whole()


def test_nor_does_it_keep_the_keys_waiting(nursery: Nursery, own_home: Path, terminal: Pty) -> None:
    app = training(nursery, own_home, terminal)
    termios.tcflow(terminal.near, termios.TCOOFF)  # what Ctrl+S does in a terminal that knows it
    terminal.type("3")
    time.sleep(0.5)
    terminal.type("q")
    assert app.ends(reading=False) == 0
    is_whole()


def fill(terminal: Pty) -> None:
    """Read nothing while whole screens are drawn, until the terminal takes nothing more."""
    for number in range(100):
        terminal.type("3214"[number % 4])
        time.sleep(0.2)  # about as fast as it draws: no keys pile up
        if not select.select([], [terminal.near], [], 0)[1]:
            return
    raise AssertionError("the terminal never filled")


@pytest.mark.slow
def test_a_kill_while_torch_loads(own_home: Path) -> None:
    with Terminal(TRAIN, environment={"DIFFTUI_HOME": str(own_home)}) as terminal:
        terminal.wait_for(b"Press", 60)
        terminal.type(" ")
        terminal.wait_for(b"loading torch", 60)
        os.kill(terminal.pid, TERM)
        sent = time.monotonic()
        status = 0
        while not status and time.monotonic() < sent + SOON:
            terminal.drain(0.02)
            _, status = os.waitpid(terminal.pid, os.WNOHANG)
        terminal.pid = -1
    assert os.waitstatus_to_exitcode(status) == 128 + TERM
    assert list_runs() == []


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("tmux") is None, reason="there is no tmux here")
def test_a_tmux_session_that_is_killed(own_home: Path, tmp_path: Path) -> None:
    def tmux(*words: str) -> str:
        done = subprocess.run(
            ["tmux", "-S", str(tmp_path / "tmux"), *words], check=True, capture_output=True, text=True
        )
        return done.stdout

    ended = tmp_path / "status"
    command = f"{sys.executable} -m difftui {' '.join(TRAIN)}"
    # The shell gets the hang-up too; it must live to tell us the status.
    tmux("new-session", "-d", "-x", "80", "-y", "24", f"trap '' HUP; ({command}); echo $? > {ended}")
    eventually(lambda: "Press" in tmux("capture-pane", "-p"))
    tmux("send-keys", "Space")
    eventually(trained_steps)
    tmux("kill-session")
    eventually(lambda: ended.exists() and ended.read_text(), SOON)
    assert ended.read_text() == f"{128 + HUP}\n"
    is_whole()
