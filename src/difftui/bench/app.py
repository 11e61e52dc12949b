"""What a user feels: first paint, key to paint while training, and what watching costs the training."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from difftui.bench.terminal import Terminal

__all__ = ["KeyLatency", "WatchedTraining", "first_paint", "key_to_paint", "watched_training"]

PRESET = "quick"
PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class KeyLatency:
    """Milliseconds from a key's being sent to the first byte of the drawing it causes."""

    keys: int
    p50: float
    p95: float
    p99: float


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


def first_paint(runs: int = 7) -> float:
    """Median seconds from process start to the first painted screen."""
    times = []
    for _ in range(runs):
        with _home() as home, Terminal([], environment={"DIFFTUI_HOME": str(home)}) as terminal:
            times.append(terminal.wait_for(b"Inverse", PATIENCE_S) - terminal.started)
    return median(times)


def key_to_paint(keys: int = 200) -> KeyLatency:
    """Scrub on Forward while a run trains on all cores."""
    with (
        _home() as home,
        Terminal(["--screen", "train"], environment={"DIFFTUI_HOME": str(home)}) as terminal,
    ):
        terminal.type(" ")
        _speed(home, 1.0, terminal.drain)  # until it trains
        terminal.type("3")
        terminal.drain(2.0)
        waits = []
        for number in range(keys):
            sent = terminal.type("\x1b[C" if number < keys // 2 else "\x1b[D")
            if terminal.read(PATIENCE_S):
                waits.append((time.perf_counter() - sent) * 1e3)
            terminal.drain(0.03 + 0.001 * (number % 50))  # apart, and in no step with the app's clock
    waits.sort()
    return KeyLatency(
        len(waits), *(waits[min(len(waits) - 1, int(len(waits) * q))] for q in (0.5, 0.95, 0.99))
    )


def watched_training(pairs: int = 3, seconds: float = 15.0) -> WatchedTraining:
    """Train the same recipe headless and in the app, in turn."""
    alone, watched = [], []
    for _ in range(pairs):
        alone.append(_headless_speed(seconds))
        watched.append(_watched_speed(seconds))
    ratios = [w / a for w, a in zip(watched, alone, strict=True)]
    return WatchedTraining(median(alone), median(watched), median(ratios), pairs)


def _headless_speed(seconds: float) -> float:
    with _home() as home:
        command = [sys.executable, "-m", "difftui", "train", "--preset", PRESET, "--minutes", "10"]
        environment = {**os.environ, "DIFFTUI_HOME": str(home)}
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            return _speed(home, seconds, time.sleep)
        finally:
            process.kill()
            process.wait()


def _watched_speed(seconds: float) -> float:
    with (
        _home() as home,
        Terminal(["--screen", "train"], environment={"DIFFTUI_HOME": str(home)}) as terminal,
    ):
        terminal.type(" ")
        return _speed(home, seconds, terminal.drain)


def _speed(home: Path, seconds: float, wait: Callable[[float], object]) -> float:
    """Steps a second of wall time of the one run in ``home``, after it has warmed up for a moment."""
    patience = time.perf_counter() + PATIENCE_S
    while _steps(home) < 20:
        if time.perf_counter() > patience:
            raise TimeoutError("the training did not begin")
        wait(0.2)
    first, began = _steps(home), time.perf_counter()
    wait(seconds)
    return (_steps(home) - first) / (time.perf_counter() - began)


def _steps(home: Path) -> int:
    """Optimiser steps in the newest whole line of the run's metrics."""
    for path in home.glob("runs/*/metrics.jsonl"):
        lines = path.read_text().splitlines(keepends=True)
        whole = [line for line in lines if line.endswith("\n")]
        return int(json.loads(whole[-1])["step"]) if whole else 0
    return 0


@contextmanager
def _home() -> Iterator[Path]:
    """A home of its own for one measurement, so that the user's runs are left alone."""
    with tempfile.TemporaryDirectory(prefix="difftui-bench-") as folder:
        yield Path(folder)
