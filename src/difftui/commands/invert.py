"""``difftui invert``: the sine inversion as text; the same fit as on the Inverse screen."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from difftui.commands import UsageError
from difftui.commands.options import number, whole_number
from difftui.commands.tables import figure, table
from difftui.inversion import (
    ACTIVATIONS,
    Baselines,
    FitProgress,
    InversionRecipe,
    baselines,
    fit_inverse,
    untrained,
)

__all__ = ["add_arguments", "run"]

GRID = np.linspace(-1.25, 1.25, 11, dtype=np.float32)
CURVE = ("y", "arcsin_y", "network", "line", "error")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What ``difftui invert`` takes."""
    known = InversionRecipe()
    parser.add_argument(
        "--hidden", metavar="N-N", default="-".join(map(str, known.hidden_layers)),
        help="units of the hidden layers (default: %(default)s); none leaves a straight line",
    )  # fmt: skip
    parser.add_argument(
        "--activation", choices=ACTIVATIONS, default=known.activation, help="default: %(default)s"
    )
    parser.add_argument(
        "--epochs", metavar="N", type=whole_number(1, 1_000_000), default=known.epochs,
        help="passes over the data (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--points",
        metavar="N",
        type=whole_number(4, 10_000),
        default=known.points,
        help="default: %(default)s",
    )
    parser.add_argument(
        "--range", metavar=("LOW", "HIGH"), nargs=2, type=number(-100, 100), default=known.x_range,
        help="of x, in radians (default: -1 1); beyond pi/2 no inverse is right",
    )  # fmt: skip
    parser.add_argument("--learning-rate", metavar="X", type=number(0, 1), default=known.learning_rate,
                        help="default: %(default)s")  # fmt: skip
    parser.add_argument("--seed", metavar="N", type=whole_number(0, 2**62), default=0, help="default: 0")
    parser.add_argument("--json", action="store_true", help="print JSON, with the error after every epoch")


def run(args: argparse.Namespace) -> int:
    """Fit and print, and return the exit status."""
    recipe = _recipe(args)
    beaten = baselines(recipe.problem, recipe.points)
    last = untrained(recipe, grid=GRID)
    errors = [last.mse]
    for last in fit_inverse(recipe, grid=GRID):
        errors.append(last.mse)
    if args.json:
        print(json.dumps(_facts(recipe, beaten, last, errors), indent=2))
    else:
        _print(recipe, beaten, last, errors)
    return 0


def _recipe(args: argparse.Namespace) -> InversionRecipe:
    try:
        hidden = () if args.hidden in ("", "none") else tuple(int(units) for units in args.hidden.split("-"))
    except ValueError:
        raise UsageError(f"--hidden {args.hidden}: write the units of each layer, as 3-3, or none") from None
    try:
        return InversionRecipe(
            hidden_layers=hidden,
            activation=args.activation,
            points=args.points,
            x_range=tuple(args.range),
            epochs=args.epochs,
            learning_rate=args.learning_rate,
            seed=args.seed,
        )
    except ValueError as error:
        raise UsageError(str(error)) from None


def _curve(recipe: InversionRecipe, beaten: Baselines, last: FitProgress) -> list[tuple[float | None, ...]]:
    """Rows of :data:`CURVE`; None where there is no arcsin."""
    y = last.grid.astype(np.float64)
    truth, line = recipe.problem.best_answer(y), beaten.line.at(y)
    rows = zip(y, truth, last.prediction.astype(np.float64), line, last.prediction - truth, strict=True)
    return [tuple(None if math.isnan(v) else float(v) for v in row) for row in rows]


def _facts(
    recipe: InversionRecipe, beaten: Baselines, last: FitProgress, errors: Sequence[float]
) -> dict[str, Any]:
    return {
        "recipe": json.loads(recipe.to_json()),
        "parameters": last.parameters,
        "baselines": asdict(beaten),
        "mse": last.mse,
        "mse_over_line": last.mse_over_line,
        "hidden_units": last.hidden_units,
        "dead_units": last.dead_units,
        "mse_by_epoch": list(errors),
        "curve": [dict(zip(CURVE, row, strict=True)) for row in _curve(recipe, beaten, last)],
    }


def _print(recipe: InversionRecipe, beaten: Baselines, last: FitProgress, errors: Sequence[float]) -> None:
    layers = "-".join(map(str, recipe.layers))
    low, high = recipe.x_range
    print(f"{layers} {recipe.activation}, {last.parameters} weights, seed {recipe.seed}: x from y = sin x, "
          f"{recipe.points} points, x from {low:g} to {high:g}\n")  # fmt: skip
    told = sorted({0, 1, *(round(len(errors[1:]) * share) for share in (0.1, 0.25, 0.5, 0.75, 1.0))})
    print(table(("epoch", "MSE"), [(str(epoch), figure(errors[epoch])) for epoch in told]))
    rows = [
        ("network", last.mse),
        ("best straight line", beaten.line.mse),
        ("best line through 0", beaten.line_through_origin.mse),
        ("x = y", beaten.identity_mse),
        ("one constant", beaten.constant_mse),
    ]
    lines = [(name, figure(mse), f"{mse / beaten.line.mse:.3g}") for name, mse in rows]
    print("\n" + table(("answer", "MSE", "/ line"), lines, left=1))
    if last.dead_units:
        print(
            f"\n{last.dead_units} of {last.hidden_units} hidden units are dead: they give 0 for all the data."
        )
    curve = [[figure(value) for value in row] for row in _curve(recipe, beaten, last)]
    print("\n" + table(CURVE, curve))
    print(f"\nThe data lie within y = {beaten.seen[0]:.3f} and {beaten.seen[1]:.3f}; "
          "beyond, the network only guesses, and beyond 1 there is no right answer.")  # fmt: skip
