"""``difftui sde``: paths of a stochastic differential equation, against its theory."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from difftui import atomic
from difftui.commands import UsageError
from difftui.commands.options import add_seed, whole_number
from difftui.commands.out import add_out, check_out
from difftui.diffusion.sde import (
    EQUATIONS,
    PathFrame,
    convergence,
    fitted_orders,
    make_equation,
    simulate,
)

__all__ = ["add_arguments", "run"]

LINES = 10  # of the table
MOST_NUMBERS = 20_000_000  # in an .npz


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What ``difftui sde`` takes."""
    parser.add_argument(
        "name", choices=list(EQUATIONS), metavar="NAME", help=f"the equation: {', '.join(EQUATIONS)}"
    )
    parser.add_argument(
        "--set",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        type=_setting,
        help="a parameter, such as sigma=0.5 or time=2; may be given several times",
    )
    parser.add_argument("--paths", metavar="N", type=whole_number(1, 1_000_000), default=1000)
    parser.add_argument("--steps", metavar="N", type=whole_number(1, 1_000_000), default=1000)
    add_seed(parser, "of the noise (default: 0)")
    parser.add_argument(
        "--errors", action="store_true", help="Euler-Maruyama's error against the exact solution, by step"
    )
    add_out(parser, ".npz: times (N,) and paths (N, paths)")


def run(args: argparse.Namespace) -> int:
    """Simulate and print, and return the exit status."""
    try:
        equation = make_equation(args.name, **dict(args.set))
        print(f"{args.name}: {EQUATIONS[args.name]}\n{equation}")
        if args.errors:
            _print_errors(args)
            return 0
        frames = simulate(equation, paths=args.paths, steps=args.steps, seed=args.seed, every=_every(args))
    except ValueError as error:
        raise UsageError(str(error).rstrip(".")) from None
    kept: list[PathFrame] = []
    print(f"{'t':>10}  {'mean':>10} {'theory':>10}  {'variance':>10} {'theory':>10}")
    stride = max(1, args.steps // LINES)
    for frame in frames:
        if frame.step % stride == 0 or frame.step == args.steps:
            print(
                f"{frame.t:10.4g}  {frame.mean:10.4f} {frame.theory_mean:10.4f}"
                f"  {frame.variance:10.4f} {frame.theory_variance:10.4f}"
            )
        if args.out is not None:
            kept.append(frame)
    if args.out is not None:
        _write(args.out, kept)
    return 0


def _print_errors(args: argparse.Namespace) -> None:
    equation = make_equation(args.name, **dict(args.set))
    errors = []
    print(f"{'dt':>10}  {'strong':>10}  {'weak':>10}  {'± noise':>10}   ({args.paths} paths)")
    for error in convergence(equation, paths=max(2, args.paths), seed=args.seed):
        errors.append(error)
        print(f"{error.dt:10.4g}  {error.strong:10.3g}  {error.weak:10.3g}  {error.weak_noise:10.2g}")
    strong, weak = fitted_orders(errors)
    if strong is None:
        print("order: none, Euler-Maruyama is exact here")
        return
    told = f"{weak:.2f}" if weak is not None else "lost in the noise, take more paths"
    print(f"order: strong {strong:.2f}, weak {told} (halving dt divides the error by 2 to the order)")


def _every(args: argparse.Namespace) -> int:
    """All steps where they are kept, else those of the table."""
    if args.out is None:
        return 1 if args.steps < LINES else int(args.steps) // LINES
    check_out(args.out, {".npz": "paths"}, force=args.force)
    if args.paths * (args.steps + 1) > MOST_NUMBERS:
        raise UsageError(f"--out holds {MOST_NUMBERS} numbers at most: fewer paths or steps")
    return 1


def _write(out: Path, frames: list[PathFrame]) -> None:
    times = np.array([frame.t for frame in frames])
    with atomic.replacing(out) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, times=times, paths=np.stack([f.x for f in frames]))
    print(f"wrote {out}")


def _setting(text: str) -> tuple[str, float]:
    """A type for argparse: NAME=NUMBER."""
    name, _, value = text.partition("=")
    try:
        return name, float(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected NAME=NUMBER, not {text!r}") from None
