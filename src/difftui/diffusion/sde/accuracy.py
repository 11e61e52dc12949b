"""How far Euler-Maruyama errs: on one path (strong error) and in the mean over all (weak error), by step.

Source: Kloeden & Platen (1992), Numerical Solution of Stochastic Differential Equations, chapters 4 and 9.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from difftui.diffusion.sde.equations import Equation
from difftui.diffusion.sde.simulation import has_exact_paths, simulate

__all__ = ["Convergence", "convergence", "fitted_order", "fitted_orders"]

ROUNDING = 1e-12  # an error below is that of the arithmetic


@dataclass(frozen=True, slots=True)
class Convergence:
    """The error of Euler-Maruyama at the end, for one size of step.

    Attributes:
        steps, dt: how many, and how long each.
        strong: mean of |x - exact| over the paths: how far a path goes astray.
        weak: |mean of (x - exact)|: how far the mean does. Both solutions share their noise, so that little
            of it is left in the difference.
        weak_noise: standard error of that mean: a weak error below it is not told from 0.
    """

    steps: int
    dt: float
    strong: float
    weak: float
    weak_noise: float


def convergence(
    equation: Equation,
    *,
    step_counts: Sequence[int] = (8, 16, 32, 64, 128),
    paths: int = 20_000,
    seed: int = 0,
) -> Iterator[Convergence]:
    """The error for each number of steps, one event each.

    The strong error falls as ``sqrt(dt)`` where the noise depends on x (geometric), as ``dt`` where it does
    not; the weak error as ``dt``.

    Raises:
        ValueError: at the call, if the equation has no exact solution to be held against.
    """
    if not has_exact_paths(equation):
        raise ValueError("this equation has no exact solution on a path: compare mean and variance instead.")
    return _errors(equation, step_counts, paths, seed)


def _errors(equation: Equation, step_counts: Sequence[int], paths: int, seed: int) -> Iterator[Convergence]:
    for steps in step_counts:
        *_, last = simulate(equation, paths=paths, steps=steps, seed=seed, every=steps)
        assert last.exact is not None  # convergence() has asked
        gap = last.x - last.exact
        yield Convergence(
            steps,
            equation.time / steps,
            float(np.abs(gap).mean()),
            abs(float(gap.mean())),
            float(gap.std(ddof=1) / math.sqrt(paths)),
        )


def fitted_order(dts: Sequence[float], errors: Sequence[float]) -> float:
    """The slope of log error over log dt, by least squares: 1 where half the step has half the error.

    Raises:
        ValueError: fewer than two, or an error that is not above 0.
    """
    if len(dts) < 2 or len(dts) != len(errors) or min(errors) <= 0:
        raise ValueError("an order needs at least two steps and errors above 0.")
    return float(np.polyfit(np.log(dts), np.log(errors), 1)[0])


def fitted_orders(errors: Sequence[Convergence]) -> tuple[float | None, float | None]:
    """The strong and the weak order of what was measured.

    Weak errors within twice their noise are left out. An order is None where fewer than two errors can be
    told from 0: where the rule is exact, or the noise hides what it errs.
    """
    strong = [error for error in errors if error.strong > ROUNDING]
    weak = [error for error in errors if error.weak > max(2 * error.weak_noise, ROUNDING)]
    return (
        fitted_order([e.dt for e in strong], [e.strong for e in strong]) if len(strong) > 1 else None,
        fitted_order([e.dt for e in weak], [e.weak for e in weak]) if len(weak) > 1 else None,
    )
