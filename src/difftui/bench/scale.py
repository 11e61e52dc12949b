"""What a very long run costs to look at: a run of a million steps is generated, opened and measured."""

from __future__ import annotations

import json
import math
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from difftui import atomic
from difftui.runs import Follower, Run, Status, row_interval, write_strip
from difftui.runs.metrics import encode_row
from difftui.training.recipe import preset
from difftui.ui.plotting.reduction import reduce_to_columns

__all__ = ["ScaleFigures", "make_run", "measure_scale"]

STEPS = 1_000_000
STEPS_PER_SECOND = 100.0
VALIDATION_SECONDS = 60.0
STRIPS = 200
COLUMNS = 120
REDRAWS = 50
TIMEOUT_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class ScaleFigures:
    """What was measured.

    Attributes:
        steps, rows, megabytes: size of the generated run and of its metrics.
        open_seconds: from nothing to curves, facts and strips of the whole run; median of 5.
        redraw_ms: a new row taken in, and all curves reduced to the columns of a plot; median of 50.
        memory_mb: resident memory more than an empty run costs, each in a process of its own.
        thinned: whether opening left out parts, to be read in the seconds after.
    """

    steps: int
    rows: int
    megabytes: float
    open_seconds: float
    redraw_ms: float
    memory_mb: float
    thinned: bool


def make_run(folder: Path, steps: int = STEPS) -> Run:
    """Write a run as training writes one: 100 steps a second, rows as sparse as ``row_interval`` has them.

    Args:
        folder: the run's directory; its parent must exist.
        steps: optimiser steps done.
    """
    run = Run(folder)
    folder.mkdir()
    recipe = preset("quick")
    atomic.write_text(run.recipe_path, recipe.to_json())
    draws = np.random.default_rng(0)
    step, seconds, validated = 0, 0.0, 0.0
    with run.metrics.path.open("wb") as file:
        while step < steps:
            seconds += row_interval(seconds)
            block = max(1, min(steps, round(seconds * STEPS_PER_SECOND)) - step)
            step += block
            mean = 0.03 + 0.9 * math.exp(-step / 500)
            spread = mean * 0.25 * np.abs(draws.standard_normal(3))
            row = {
                "step": step,
                "seconds": round(seconds, 3),
                "loss": round(mean + spread[0] / math.sqrt(block), 6),
                "low": round(mean * 0.7 - spread[1] * 0.1, 6),
                "high": round(mean * 1.3 + spread[2], 6),
                "grad": round(mean * 2 + float(spread[0]), 4),
                "lr": 0.0002,
                "rate": round(64 * STEPS_PER_SECOND + 100 * float(spread[1]), 1),
                "fraction": round(step / steps, 6),
            }
            file.write(encode_row(row))
            if seconds - validated >= VALIDATION_SECONDS:
                validated = seconds
                bins = [round(mean * (2 - 0.15 * part), 6) for part in range(10)]
                file.write(
                    encode_row({"step": step, "seconds": row["seconds"], "validation": mean, "bins": bins})
                )
    for part in range(1, STRIPS + 1):
        pixels = draws.integers(0, 256, (10, 28, 28), np.uint8)
        write_strip(run, steps * part // STRIPS, pixels)
    run.write_about({"parameters": 1_000_000, "precision": "fp32", "device": "none", "threads": 1})
    run.write_status(Status("finished", steps, 1.0, seconds))
    return run


def measure_scale(steps: int = STEPS) -> ScaleFigures:
    """Generate a run of ``steps`` and measure it, within about 15 s."""
    with tempfile.TemporaryDirectory() as folder:
        run = make_run(Path(folder) / "long", steps)
        empty = Run(Path(folder) / "empty")
        empty.path.mkdir()
        size = run.metrics.path.stat().st_size
        with run.metrics.path.open("rb") as file:
            rows = sum(1 for _ in file)
        opened = [_measured_open(run) for _ in range(5)]
        thinned = opened[0][1]
        return ScaleFigures(
            steps=steps,
            rows=rows,
            megabytes=size / 1e6,
            open_seconds=statistics.median(seconds for seconds, _ in opened),
            redraw_ms=_redraw_ms(run),
            memory_mb=_resident_mb(run) - _resident_mb(empty),
            thinned=thinned,
        )


def _measured_open(run: Run) -> tuple[float, bool]:
    began = time.perf_counter()
    follower = Follower(run)
    _open(follower)
    return time.perf_counter() - began, follower.thinned


def _open(follower: Follower) -> None:
    """Read until all is there that the panel shows first."""
    follower.poll()
    while follower.behind:
        follower.poll()
    _reduced(follower)


def _redraw_ms(run: Run) -> float:
    """Take in one more row, and make the points of every curve that the panel draws."""
    follower = Follower(run)
    _open(follower)
    while follower.thinned:
        follower.poll()
    last, times = follower.last_row, []
    for more in range(1, REDRAWS + 1):
        run.metrics.append({**last, "step": int(last["step"]) + more})
        follower.poll()
        began = time.perf_counter()
        _reduced(follower)
        times.append(1000 * (time.perf_counter() - began))
    return statistics.median(times)


def _reduced(follower: Follower) -> None:
    history = follower.history
    curves = (history.loss, history.validation, history.gradient_norm, history.learning_rate)
    limits = (0.0, max([1.0, *(float(curve.x[-1]) for curve in curves if len(curve))]))
    for curve in curves:
        reduce_to_columns(curve.x, curve.y, COLUMNS, limits, low=curve.low, high=curve.high)
        reduce_to_columns(curve.x, curve.smooth, COLUMNS, limits)


def _resident_mb(run: Run) -> float:
    """Resident memory of a process that has opened the run and read all of it."""
    output = subprocess.run(
        [sys.executable, "-m", "difftui.bench.scale", str(run.path)],
        check=True, capture_output=True, text=True, timeout=TIMEOUT_SECONDS,
    ).stdout  # fmt: skip
    return float(output)


def _tell_memory(path: Path) -> None:
    import psutil

    follower = Follower(Run(path))
    _open(follower)
    while follower.thinned:
        follower.poll()
    _reduced(follower)
    sys.stdout.write(f"{psutil.Process().memory_info().rss / 1e6}\n")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _tell_memory(Path(sys.argv[1]))
    else:
        sys.stdout.write(json.dumps(asdict(measure_scale()), indent=2) + "\n")
