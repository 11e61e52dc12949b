"""``difftui invert``: the Inverse screen as text: a regression, many initialisations of it, and diffusion."""

from __future__ import annotations

import argparse
import json
import math
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from difftui.commands import UsageError
from difftui.commands.inverse_draws import add_draws, print_draws
from difftui.commands.options import add_seed, number, whole_number
from difftui.commands.tables import figure, table
from difftui.inversion import (
    ACTIVATIONS,
    FUNCTIONS,
    PROBLEMS,
    Baselines,
    CohortProgress,
    FitProgress,
    InversionRecipe,
    baselines,
    fit_cohort,
    fit_inverse,
    untrained,
)
from difftui.proportion import wilson

__all__ = ["add_arguments", "run"]

CURVE = ("y", "best_x", "network", "line", "error")
ROWS = 11  # of the curve
INSET = 0.025 / 1.3  # of what the screen shows, that the curve leaves out: the sine's ends at ±1.25


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What ``difftui invert`` takes."""
    known = InversionRecipe()
    parser.add_argument(
        "--function", choices=list(FUNCTIONS), default=known.function,
        help="what to invert: " + ", ".join(f"{name} ({f.plain})" for name, f in FUNCTIONS.items())
        + "; default: %(default)s",
    )  # fmt: skip
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
        "--range", metavar=("LOW", "HIGH"), nargs=2, type=number(-100, 100),
        help="of x, in radians for a sine (default: the first of the screen for this function); where it"
        " turns within the range, as a sine does on -3.1416 3.1416, a y has several x",
    )  # fmt: skip
    parser.add_argument("--learning-rate", metavar="X", type=number(0, 1), default=known.learning_rate,
                        help="default: %(default)s")  # fmt: skip
    add_seed(parser, "of weights, batches and noise (default: 0)")
    parser.add_argument(
        "--initialisations", metavar="N", type=whole_number(2, 1000),
        help="train N networks, with seeds from --seed on, and print what became of them",
    )  # fmt: skip
    add_draws(parser)
    parser.add_argument("--json", action="store_true", help="print JSON, with the error after every epoch")


def run(args: argparse.Namespace) -> int:
    """Fit and print, and return the exit status."""
    if args.diffusion and args.initialisations:
        raise UsageError("--initialisations trains regressions: ask for it or for --diffusion, not for both")
    if args.at and not args.diffusion:
        raise UsageError("--at names the y to draw x for: add --diffusion")
    recipe = _recipe(args)
    beaten = baselines(recipe.problem, recipe.points)
    if args.initialisations:
        _print_cohort(recipe, args.initialisations, beaten, as_json=args.json)
        return 0
    low, high = recipe.problem.y_window
    inset = INSET * (high - low)
    grid = np.linspace(low + inset, high - inset, ROWS, dtype=np.float32)
    if args.diffusion:
        fitted = deque(fit_inverse(recipe), maxlen=1)[0]
        print_draws(args, recipe, beaten, fitted)
        return 0
    last = untrained(recipe, grid=grid)
    errors = [last.mse]
    for last in fit_inverse(recipe, grid=grid):
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
    first = next(problem for problem in PROBLEMS if problem.function == args.function)
    try:
        return InversionRecipe(
            hidden_layers=hidden,
            activation=args.activation,
            points=args.points,
            function=args.function,
            x_range=tuple(args.range or first.x_range),
            epochs=args.epochs,
            learning_rate=args.learning_rate,
            seed=args.seed,
        )
    except ValueError as error:
        raise UsageError(str(error)) from None


def _curve(recipe: InversionRecipe, beaten: Baselines, last: FitProgress) -> list[tuple[float | None, ...]]:
    """Rows of :data:`CURVE`; None where there is no such x."""
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


def _head(recipe: InversionRecipe, seeds: str) -> str:
    layers = "-".join(map(str, recipe.layers))
    low, high = recipe.x_range
    plain = recipe.problem.f.plain
    return (f"{layers} {recipe.activation}, {recipe.parameters} weights, {seeds}: x from y = {plain}, "
            f"{recipe.points} points, x from {low:g} to {high:g}")  # fmt: skip


def _print(recipe: InversionRecipe, beaten: Baselines, last: FitProgress, errors: Sequence[float]) -> None:
    print(_head(recipe, f"seed {recipe.seed}") + "\n")
    told = sorted({0, 1, *(round(len(errors[1:]) * share) for share in (0.1, 0.25, 0.5, 0.75, 1.0))})
    print(table(("epoch", "MSE"), [(str(epoch), figure(errors[epoch])) for epoch in told]))
    rows = [
        ("network", last.mse),
        ("best straight line", beaten.line.mse),
        ("best line through 0", beaten.line_through_origin.mse),
        ("x = y", beaten.identity_mse),
        ("one constant", beaten.constant_mse),
    ]
    if recipe.problem.many_valued:
        rows.append(("average of the branches", beaten.average_mse))
    lines = [(name, figure(mse), f"{mse / beaten.line.mse:.3g}") for name, mse in rows]
    print("\n" + table(("answer", "MSE", "/ line"), lines, left=1))
    if last.dead_units:
        print(
            f"\n{last.dead_units} of {last.hidden_units} hidden units are dead: they give 0 for all the data."
        )
    curve = [[_short(value) for value in row] for row in _curve(recipe, beaten, last)]
    print("\n" + table(CURVE, curve))
    print(f"\nThe data lie within y = {beaten.seen[0]:.3f} and {beaten.seen[1]:.3f}; "
          "beyond, the network only guesses" + _no_inverse(recipe) + ".")  # fmt: skip
    if recipe.problem.many_valued:
        print(
            "Several x share one y, so a regression can only answer their average (best_x). Over all x of "
            f"\nthe range no answer has a mean squared error below {figure(beaten.floor)}; on these "
            f"{recipe.points} points the average \nhas {figure(beaten.average_mse)}. "
            "--diffusion draws every x."
        )


def _short(value: float | None) -> str:
    """A figure of the curve, with what only rounding left of 0 as 0."""
    return figure(0.0 if value is not None and abs(value) < 1e-12 else value)


def _no_inverse(recipe: InversionRecipe) -> str:
    low, high = recipe.problem.f.image
    if math.isinf(low):
        return ""
    where = f"below {low:g}" if math.isinf(high) else f"beyond {high:g}"
    return f", and {where} there is no right answer"


def _print_cohort(recipe: InversionRecipe, count: int, beaten: Baselines, *, as_json: bool) -> None:
    last: CohortProgress = deque(fit_cohort(recipe, count, every=recipe.epochs), maxlen=1)[0]
    near, dead = int(last.near_line.sum()), int(last.dead.sum())
    better = int((~last.near_line & ~last.dead & (last.mse_over_line < 1)).sum())
    if as_json:
        facts = {
            "recipe": json.loads(recipe.to_json()),
            "baselines": asdict(beaten),
            "median": float(np.median(last.mse)),
            "near_line": near / count,
            "dead": dead / count,
            "networks": [
                {"seed": int(seed), "mse": float(mse), "dead": bool(gone)}
                for seed, mse, gone in zip(last.seeds, last.mse, last.dead, strict=True)
            ],
        }
        print(json.dumps(facts, indent=2))
        return
    seeds = f"seeds {last.seeds[0]} to {last.seeds[-1]}"
    print(f"{_head(recipe, seeds)}, {recipe.epochs} epochs\n")
    kinds = (
        ("better than the line", better),
        ("within 5 % of it", near),
        ("worse", count - better - near - dead),
        ("dead: one constant", dead),
    )
    rows = [(k, str(n), f"{100 * n / count:.0f}", _interval(n, count)) for k, n in kinds]
    print(table(("networks", "", "%", "95 % interval"), rows, left=1))
    print()
    order = np.argsort(last.mse, kind="stable")
    places = {"best": 0, "median": (count - 1) // 2, "worst": count - 1}
    ranked = [
        (
            name,
            str(last.seeds[order[at]]),
            figure(last.mse[order[at]]),
            f"{last.mse_over_line[order[at]]:.3g}",
        )
        for name, at in places.items()
    ]
    ranked.append(("best straight line", "", figure(beaten.line.mse), "1"))
    print(table(("network", "seed", "MSE", "/ line"), ranked, left=1))
    print(f"\nmedian MSE {figure(float(np.median(last.mse)))}\n\nMSE by rank (log axis):")
    print(_strip(last.mse[order], last.dead[order], beaten.line.mse))


def _interval(count: int, of: int) -> str:
    """Of the true share, in per cent: other seeds give other counts."""
    low, high = wilson(count, of)
    return f"{100 * low:.1f} to {100 * high:.1f}"


def _strip(mse: Any, dead: Any, line: float, columns: int = 72, rows: int = 10) -> str:
    """Bars from the best to the worst network: # alive, x dead; - the best straight line."""
    at = np.arange(min(columns, len(mse))) * len(mse) // min(columns, len(mse))
    heights = np.log10(np.maximum(mse[at], 1e-300))
    low, high = min(heights.min(), math.log10(line)), max(heights.max(), math.log10(line))
    low -= 0.1 * max(high - low, 0.1)
    levels = low + (np.arange(rows, 0, -1) - 0.5) / rows * (high - low)
    ruled = int(np.argmin(np.abs(levels - math.log10(line))))
    text = []
    for row, level in enumerate(levels):
        empty = "-" if row == ruled else " "
        bars = "".join(
            ("x" if dead[i] else "#") if h >= level else empty for i, h in zip(at, heights, strict=True)
        )
        text.append(f"{10**level:9.1e} |{bars}".rstrip())
    return "\n".join(text)
