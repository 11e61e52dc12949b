"""Paths of an equation by Euler-Maruyama, as a generator of frozen frames, beside their exact solution.

The rule takes the coefficients at the step's beginning,

    x_{t+dt} = x_t + a(x_t, t) dt + b(x_t, t) dW

Source: Kloeden & Platen (1992), Numerical Solution of Stochastic Differential Equations, chapter 9.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from difftui.diffusion.sde.equations import Equation, Floats

__all__ = ["PathFrame", "has_exact_paths", "simulate"]

MOST_PATHS = 1_000_000
MOST_STEPS = 1_000_000


@dataclass(frozen=True, eq=False, slots=True)
class PathFrame:
    """All paths at one moment.

    Attributes:
        step: steps done; 0 is the start.
        t: the time.
        x: Euler-Maruyama's value of each path, (paths,), read-only.
        exact: the exact solution on the same Brownian motion, (paths,), or None where there is none.
        mean, variance: of ``x`` (the variance unbiased; 0 for a single path).
        theory_mean, theory_variance: what they are for infinitely many exact paths.
    """

    step: int
    t: float
    x: Floats
    exact: Floats | None
    mean: float
    variance: float
    theory_mean: float
    theory_variance: float


def has_exact_paths(equation: Equation) -> bool:
    """Whether there is an exact solution on every path, to hold Euler-Maruyama against."""
    probe = np.zeros(1)
    return equation.exact_step(probe, 0.0, 1e-3 * equation.time, probe, probe) is not None


def simulate(
    equation: Equation,
    *,
    paths: int = 5,
    steps: int = 1000,
    seed: int = 0,
    every: int = 1,
) -> Generator[PathFrame, None, None]:
    """Follow paths by Euler-Maruyama, a :class:`PathFrame` at the start and after every few steps.

    Args:
        equation: what to follow, for its own ``time``.
        paths: how many, 1 ... 1 000 000.
        steps: of ``time / steps`` each, 1 ... 1 000 000.
        seed: of the start and of the noise.
        every: steps between two frames; the last step always has one.

    Raises:
        ValueError: at the call, if a number is out of range.
    """
    for name, value, most in (("paths", paths, MOST_PATHS), ("steps", steps, MOST_STEPS)):
        if not 1 <= value <= most:
            raise ValueError(f"{name} must be a whole number from 1 to {most}, not {value!r}.")
    if every < 1:
        raise ValueError(f"every must be 1 or more, not {every!r}.")
    return _frames(equation, paths, steps, seed, every)


def _frames(
    equation: Equation, paths: int, steps: int, seed: int, every: int
) -> Generator[PathFrame, None, None]:
    draws = np.random.default_rng(seed)
    x = equation.start(paths, draws)
    exact: Floats | None = x
    dt = equation.time / steps
    yield _frame(equation, 0, 0.0, x, exact)
    for step in range(1, steps + 1):
        t = (step - 1) * dt
        dW = math.sqrt(dt) * draws.standard_normal(paths)
        z = draws.standard_normal(paths)
        if exact is not None:
            exact = equation.exact_step(exact, t, dt, dW, z)
        x = x + equation.drift(x, t) * dt + equation.spread(x, t) * dW
        if step % every == 0 or step == steps:
            yield _frame(equation, step, step * dt, x, exact)


def _frame(equation: Equation, step: int, t: float, x: Floats, exact: Floats | None) -> PathFrame:
    t = min(t, equation.time)  # the last product may round above it
    kept = x.view()
    kept.flags.writeable = False
    spread = float(x.var(ddof=1)) if len(x) > 1 else 0.0
    return PathFrame(step, t, kept, exact, float(x.mean()), spread, equation.mean(t), equation.variance(t))
