"""``difftui runs``: what there is to sample from and to resume."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from datetime import datetime

from difftui.errors import DifftuiError
from difftui.runs import Run, list_runs, runs_dir, shipped_runs
from difftui.runs.metrics import last_metrics
from difftui.training.recipe import PRESETS, Recipe
from difftui.words import duration

__all__ = ["add_arguments", "run"]

HEADER = ("NAME", "PRESET", "STATE", "STEP", "LOSS", "WHEN")
RIGHT = (3, 4)  # columns of numbers


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """``difftui runs`` takes nothing of its own."""


def run(args: argparse.Namespace) -> int:
    """Print the table and return the exit status."""
    own, shipped = list_runs(), shipped_runs()
    if not own:
        print(f"No runs yet in {runs_dir()}. Begin with: difftui train --preset {next(iter(PRESETS))}")
    rows = [_row(run, run.status().state) for run in own] + [_row(run, "shipped") for run in shipped]
    if rows:
        print(_table([HEADER, *rows]))
    return 0


def _row(run: Run, state: str) -> tuple[str, ...]:
    try:
        name = Recipe.from_json(run.recipe_text()).name
    except (DifftuiError, ValueError):
        name, state = "?", "damaged"
    last = last_metrics(run.metrics.path)
    step, loss = last.get("step", run.status().step), last.get("loss")
    when = "" if state == "shipped" else _when(run.last_written())
    return run.name, name, state, str(step), f"{loss:.4f}" if isinstance(loss, int | float) else "-", when


def _when(moment: float) -> str:
    """How long ago, or the date after a week."""
    ago = time.time() - moment
    if ago < 7 * 86_400:
        return f"{duration(max(ago, 0))} ago" if ago < 86_400 else f"{ago / 86_400:.0f} days ago"
    return datetime.fromtimestamp(moment).strftime("%Y-%m-%d")


def _table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEADER))]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if i in RIGHT else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
