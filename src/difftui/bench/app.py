"""What a user feels: first paint, key to paint while training, and what watching costs the training."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from difftui.bench.terminal import Terminal, own_home
from difftui.bench.trained import steps_done, until_it_trains
from difftui.bench.waits import Waits

__all__ = ["WatchedTraining", "first_paint", "key_to_paint", "watched_training"]

PRESET = "quick"
PATIENCE_S = 60.0
GRID = "5+++g"  # twelve digits in 200 steps
REPLAY = "\x1b[H "  # Home holds, space plays
DRAWING_SECONDS = 20.0  # that those take at most, beside a training


@dataclass(frozen=True, slots=True)
class WatchedTraining:
    """Steps a second with and without the app, measured in turn.

    Attributes:
        headless, in_app: medians over the pairs.
        ratio: median of in_app / headless, pair by pair.
        pairs: how many.
    """

    headless: float
    in_app: float
    ratio: float
    pairs: int


def first_paint(runs: int = 5) -> float:
    """Median seconds from process start to the first painted screen."""
    times = []
    for _ in range(runs):
        with own_home() as home, Terminal([], environment={"DIFFTUI_HOME": str(home)}) as terminal:
            times.append(terminal.wait_for(b"Inverse", PATIENCE_S) - terminal.started)
    return median(times)


def key_to_paint(keys: int = 100) -> Waits:
    """From a key's being sent to the first byte it draws: Forward is scrubbed, a run trains on all cores."""
    with (
        own_home() as home,
        Terminal(["--screen", "train"], environment={"DIFFTUI_HOME": str(home)}) as terminal,
    ):
        terminal.type(" ")
        until_it_trains(home, terminal.drain)
        terminal.type("3")
        terminal.drain(2.0)
        waits = []
        for number in range(keys):
            sent = terminal.type("\x1b[C" if number < keys // 2 else "\x1b[D")
            if terminal.read(PATIENCE_S):
                waits.append((time.perf_counter() - sent) * 1e3)
            terminal.drain(0.03 + 0.001 * (number % 50))  # apart, and in no step with the app's clock
    return Waits(waits)


def watched_training(pairs: int = 6, seconds: float = 2.0, *, digits: bool = False) -> WatchedTraining:
    """Train the same recipe headless and in the app: both are started, and stand still in turn.

    Args:
        pairs: turns of each. Many, for the machine's speed drifts; but steps are told ten times a second.
        seconds: length of a turn.
        digits: whether the app shows twelve digits being born, and not the training.
    """
    alone, watched = [], []
    with (
        own_home() as headless_home,
        own_home() as app_home,
        _headless(headless_home) as headless,
        Terminal(["--screen", "train"], environment={"DIFFTUI_HOME": str(app_home)}) as terminal,
    ):
        until_it_trains(headless_home, time.sleep)
        headless.send_signal(signal.SIGSTOP)
        terminal.type("B ")  # for an hour, not for a minute
        until_it_trains(app_home, terminal.drain)
        if digits:
            terminal.type(GRID)
            terminal.drain(DRAWING_SECONDS)
        for _ in range(pairs):
            if digits:
                terminal.type(REPLAY)
            watched.append(_turn(app_home, seconds, terminal.drain))
            os.kill(terminal.pid, signal.SIGSTOP)
            headless.send_signal(signal.SIGCONT)
            alone.append(_turn(headless_home, seconds, time.sleep))
            headless.send_signal(signal.SIGSTOP)
            os.kill(terminal.pid, signal.SIGCONT)
    ratios = [w / a for w, a in zip(watched, alone, strict=True)]
    return WatchedTraining(median(alone), median(watched), median(ratios), pairs)


@contextmanager
def _headless(home: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "difftui", "train", "--preset", PRESET, "--minutes", "10"]
    process = subprocess.Popen(
        [*command, "--data", "bundled"],
        env={**os.environ, "DIFFTUI_HOME": str(home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _turn(home: Path, seconds: float, wait: Callable[[float], object]) -> float:
    """Steps a second of the one run in ``home`` while it runs, after a moment to get going again."""
    wait(0.3)
    first, began = steps_done(home)
    wait(seconds)
    last, ended = steps_done(home)
    return (last - first) / max(ended - began, 1e-9)
