"""``difftui metrics``: the curves of a run as a table; what the Train screen draws, of any run."""

from __future__ import annotations

import argparse
import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from difftui.commands.options import whole_number
from difftui.commands.tables import figure, table
from difftui.errors import DifftuiError
from difftui.runs import find_run, shipped_runs
from difftui.runs.follow import Follower
from difftui.training.recipe import Recipe

if TYPE_CHECKING:
    from difftui.runs import Curve

__all__ = ["add_arguments", "run"]

ROWS = 20
HEADER = ("step", "loss", "smoothed", "validation", "grad_norm", "lr", "images/s")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What ``difftui metrics`` takes."""
    parser.add_argument("run", metavar="RUN_OR_DIR", help="the name of a run or of a shipped checkpoint")
    parser.add_argument("--rows", metavar="N", type=whole_number(1, 10_000), default=ROWS,
                        help="of the table, evenly over the run (default: %(default)s)")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print JSON, with the recipe")


def run(args: argparse.Namespace) -> int:
    """Read and print, and return the exit status."""
    looked_at = find_run(args.run)
    follower = Follower(looked_at)
    follower.poll()
    while follower.behind:
        follower.poll()
    history = follower.history
    if not len(history.loss):
        raise DifftuiError(f"{looked_at.name} has no metrics yet.")
    try:
        recipe: Recipe | None = Recipe.from_json(looked_at.recipe_text())
    except (DifftuiError, ValueError):  # another version wrote it; its numbers are numbers all the same
        recipe = None
    shipped = looked_at in shipped_runs()
    state = "shipped" if shipped else follower.status.state
    step = int(history.loss.x[-1]) if shipped else follower.status.step
    chosen = _evenly(len(history.loss), args.rows)
    rows: list[tuple[float | None, ...]] = [
        (
            float(history.loss.x[i]),
            float(history.loss.y[i]),
            float(history.loss.smooth[i]),
            *(_newest(curve, history.loss.x[i]) for curve in (
                history.validation, history.gradient_norm, history.learning_rate, history.images_per_second
            )),
        )
        for i in chosen
    ]  # fmt: skip
    by_timestep = [None if math.isnan(v) else v for v in history.by_timestep or ()]
    if args.json:
        facts: dict[str, Any] = {
            "run": looked_at.name,
            "state": state,
            "step": step,
            "seconds": history.seconds,
            "recipe": None if recipe is None else json.loads(recipe.to_json()),
            "table": [dict(zip(HEADER, row, strict=True)) for row in rows],
            "validation_by_timestep": by_timestep,
            "validation_by_timestep_step": history.by_timestep_step,
        }
        print(json.dumps(facts, indent=2))
        return 0
    print(f"{looked_at.name}: {state} at step {step}, {history.seconds:.0f} s of training\n")
    print(table(HEADER, [(f"{row[0]:.0f}", *map(figure, row[1:])) for row in rows]))
    if by_timestep:
        T = recipe.timesteps if recipe is not None else None
        print(f"\nvalidation by timestep at step {history.by_timestep_step}, clean to noise")
        named = [(_part(i, len(by_timestep), T), figure(value)) for i, value in enumerate(by_timestep)]
        print(table(("part" if T is None else "from_t", "loss"), named))
    return 0


def _evenly(count: int, rows: int) -> list[int]:
    """Positions of so many points, the last always among them."""
    return sorted({int(i) for i in np.linspace(count - 1, 0, min(rows, count)).round()})


def _newest(curve: Curve, x: float) -> float | None:
    """The curve's last value at or before x; None before its first."""
    at = int(np.searchsorted(curve.x, x, side="right")) - 1
    return float(curve.y[at]) if at >= 0 else None


def _part(index: int, count: int, T: int | None) -> str:
    return f"{index + 1}/{count}" if T is None else str(-(-index * T // count))
