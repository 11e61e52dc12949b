"""``difftui invert --diffusion``: draws of x given y, counted against the exact answer, and as a plot."""

from __future__ import annotations

import argparse
import json
from collections import deque
from typing import Any

import numpy as np
from numpy.typing import NDArray

from difftui.commands import UsageError
from difftui.commands.options import number, whole_number
from difftui.commands.tables import figure, table
from difftui.diffusion import SAMPLERS, SCHEDULES
from difftui.inversion import (
    Baselines,
    ConditionalModel,
    ConditionalRecipe,
    FitProgress,
    InversionRecipe,
    Problem,
    draw,
    learn,
)

__all__ = ["add_draws", "print_draws"]

DRAWS = 1000  # at each y
CLOUD = 1500  # points of the plot
COLUMNS, ROWS = 72, 24
CLOSE = 0.05  # of the range's width
INSIDE = (0.1, 0.3, 0.5, 0.7, 0.9)  # of what was seen: where draws are counted unless --at says otherwise


def add_draws(parser: argparse.ArgumentParser) -> None:
    """The options of the diffusion model."""
    known = ConditionalRecipe()
    parser.add_argument(
        "--diffusion", action="store_true",
        help="train a conditional diffusion model on the same pairs, and draw x given y",
    )  # fmt: skip
    parser.add_argument(
        "--at", metavar="Y", nargs="+", type=number(-1e6, 1e6), help="with --diffusion: y to draw x for"
    )
    parser.add_argument(
        "--diffusion-steps", metavar="N", type=whole_number(1, 1_000_000), default=known.steps,
        help="optimiser steps of the diffusion model (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--schedule", choices=list(SCHEDULES), default=known.schedule, help="its noise (default: %(default)s)"
    )
    parser.add_argument(
        "--sampler", choices=list(SAMPLERS), default="ddpm", help="how it draws (default: %(default)s)"
    )


def print_draws(
    args: argparse.Namespace, recipe: InversionRecipe, beaten: Baselines, fitted: FitProgress
) -> None:
    """Train, draw and print.

    Args:
        args: of the command.
        recipe, beaten, fitted: the regression beside it.
    """
    problem = recipe.problem
    try:
        wanted = ConditionalRecipe(
            problem, recipe.points, args.schedule, steps=args.diffusion_steps, seed=recipe.seed
        )
    except ValueError as error:
        raise UsageError(str(error)) from None
    last = deque(learn(wanted, every=wanted.steps), maxlen=1)[0]
    low, high = problem.seen
    y = np.array(args.at or [low + share * (high - low) for share in INSIDE])
    draws = _draw(last.model, np.repeat(y, DRAWS), args).reshape(len(y), DRAWS)
    rows = [_judged(problem, value, own, fitted) for value, own in zip(y, draws, strict=True)]
    if args.json:
        print(json.dumps({"parameters": last.model.parameters, "loss": last.loss, "at": rows}, indent=2))
        return
    start, end = problem.x_range
    print(f"x given y = {problem.f.plain}, x from {start:g} to {end:g}: a conditional diffusion model, "
          f"{last.model.parameters} weights,\n{wanted.steps} steps, {wanted.schedule} schedule with "
          f"T = {wanted.timesteps}, {args.sampler}; seed {recipe.seed}\n")  # fmt: skip
    header = ("y", "x", "exact %", "drawn %", "off", "regression")
    print(table(header, [line for row in rows for line in _lines(row)]))
    print(f"\n{DRAWS} draws at each y, each counted for the nearest x; off is their median distance from it. "
          f"\nThe regression ({'-'.join(map(str, recipe.layers))}, MSE {figure(fitted.mse)}, the line has "
          f"{figure(beaten.line.mse)}) has one answer to each y.\n")  # fmt: skip
    spread = np.linspace(*problem.y_window, CLOUD)
    print(_plot(problem, spread, _draw(last.model, spread, args), fitted))


def _draw(model: ConditionalModel, y: NDArray[np.float64], args: argparse.Namespace) -> NDArray[np.float64]:
    frames = draw(model, y, sampler=args.sampler, seed=args.seed)
    return deque(frames, maxlen=1)[0].x.astype(np.float64)


def _judged(problem: Problem, y: float, draws: NDArray[np.float64], fitted: FitProgress) -> dict[str, Any]:
    """What was drawn at one y beside what is exact."""
    branches = problem.branches(np.array(y))
    shares = problem.shares(branches)
    nearest, distance = problem.nearest(np.full(draws.shape, y), draws)
    found = np.bincount(nearest, minlength=len(branches)) / len(draws)
    width = problem.x_range[1] - problem.x_range[0]
    known = np.flatnonzero(np.isfinite(branches))
    return {
        "y": float(y),
        "regression": float(np.interp(y, fitted.grid, fitted.prediction)),
        "branches": [
            {
                "x": float(branches[b]),
                "exact_share": float(shares[b]),
                "drawn_share": float(found[b]),
                "median_distance": float(np.median(distance[nearest == b])) if found[b] else None,
            }
            for b in known
        ],
        "close": float(np.mean(distance <= CLOSE * width)) if known.size else None,
        "drawn_mean": float(draws.mean()),
        "drawn_deviation": float(draws.std()),
    }


def _lines(row: dict[str, Any]) -> list[tuple[str, ...]]:
    """One line a branch; y and the regression's answer in the first."""
    own = (f"{row['y']:.3g}", f"{row['regression']:.3f}")
    if not row["branches"]:
        return [(own[0], "none", "-", f"mean {row['drawn_mean']:.3f}", "-", own[1])]
    return [
        (
            own[0] if index == 0 else "",
            f"{branch['x']:.3f}",
            f"{100 * branch['exact_share']:.1f}",
            f"{100 * branch['drawn_share']:.1f}",
            figure(branch["median_distance"])[:7],
            own[1] if index == 0 else "",
        )
        for index, branch in enumerate(row["branches"])
    ]


def _plot(problem: Problem, y: NDArray[np.float64], x: NDArray[np.float64], fitted: FitProgress) -> str:
    """The plane in characters, y across and x up."""
    cells = np.full((ROWS, COLUMNS), " ")
    _put(cells, problem, y, x, "o")
    _put(cells, problem, fitted.grid.astype(np.float64), fitted.prediction.astype(np.float64), "#")
    low, high = problem.y_window
    bottom, top = problem.x_window
    lines = [("|" + "".join(row)).rstrip() for row in cells]
    lines[0] = lines[0].ljust(COLUMNS + 1) + f" x = {top:.2f}"
    lines[-1] = lines[-1].ljust(COLUMNS + 1) + f" x = {bottom:.2f}"
    ends = f"y = {low:.2f}".ljust(COLUMNS - 6) + f"y = {high:.2f}"
    return "\n".join([*lines, "+" + "-" * COLUMNS, " " + ends, " o draws   # regression"])


def _put(
    cells: NDArray[np.str_], problem: Problem, y: NDArray[np.float64], x: NDArray[np.float64], glyph: str
) -> None:
    low, high = problem.y_window
    bottom, top = problem.x_window
    inside = (x >= bottom) & (x <= top)
    column = np.rint((y[inside] - low) / (high - low) * (COLUMNS - 1)).astype(int)
    row = np.rint((top - x[inside]) / (top - bottom) * (ROWS - 1)).astype(int)
    cells[row, column] = glyph
