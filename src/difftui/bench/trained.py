"""How far the one run in a home has come, read from its files as anybody can."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

__all__ = ["steps_done", "until_it_trains"]

PATIENCE_SECONDS = 60.0
WARM_STEPS = 20


def steps_done(home: Path) -> tuple[int, float]:
    """Optimiser steps in the newest whole line of the run's metrics, and when that was written."""
    for path in home.glob("runs/*/metrics.jsonl"):
        rows = [line for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")]
        for row in map(json.loads, reversed(rows)):
            if "loss" in row:
                return int(row["step"]), path.stat().st_mtime
    return 0, 0.0


def until_it_trains(home: Path, wait: Callable[[float], object]) -> None:
    """Wait until the run has warmed up for a moment.

    Raises:
        TimeoutError: it does not come to that.
    """
    patience = time.perf_counter() + PATIENCE_SECONDS
    while steps_done(home)[0] < WARM_STEPS:
        if time.perf_counter() > patience:
            raise TimeoutError("the training did not begin")
        wait(0.2)
