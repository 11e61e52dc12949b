"""The data of an inversion, and what can be said about it without a network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from difftui.inversion.problem import Problem

__all__ = ["Baselines", "Line", "baselines", "best_line", "pairs"]

Floats = NDArray[np.float64]

LAB = Problem()


@dataclass(frozen=True, slots=True)
class Line:
    """A straight answer x ≈ slope · y + intercept, with its mean squared error on the data behind it."""

    slope: float
    intercept: float
    mse: float

    def at(self, y: Floats) -> Floats:
        """The line's x for each y, any shape."""
        return self.slope * y + self.intercept


@dataclass(frozen=True, slots=True)
class Baselines:
    """What a network has to beat. All errors are mean squared errors in x over the data.

    Attributes:
        line: least squares with intercept.
        line_through_origin: least squares without; the same line when the data are symmetric.
        identity_mse: of answering x = y.
        constant_mse: of answering the mean of x whatever y is; what a dead network can reach at best.
        average_mse: of answering E[x | y], on these data; 0 where every y has one x. A network that scores
            less has learned the data's points by heart.
        floor: the same for x uniform over its range: what no answer to y alone can beat.
        seen: smallest and largest y of the range. Beyond them every answer is extrapolation.
    """

    line: Line
    line_through_origin: Line
    identity_mse: float
    constant_mse: float
    average_mse: float
    floor: float
    seen: tuple[float, float]


def pairs(problem: Problem = LAB, points: int = 200) -> tuple[Floats, Floats]:
    """The training data: (y, x), each (points,), x equally spaced over its range, both ends included.

    Raises:
        ValueError: fewer than 2 points.
    """
    if points < 2:
        raise ValueError(f"the data need at least 2 points, not {points}")
    x = np.linspace(*problem.x_range, points)
    return problem.f.value(x), x


def best_line(y: Floats, x: Floats, *, intercept: bool = True) -> Line:
    """The line from y (N,) to x (N,) with the least mean squared error.

    With intercept: slope = cov(y, x) / var(y), through the two means. Without: slope = Σ y x / Σ y².
    Where y never changes (or is 0 throughout, without intercept) the slope is 0.

    Raises:
        ValueError: y and x are not one-dimensional, of one length, and at least 1 long.
    """
    if y.ndim != 1 or y.shape != x.shape or y.size == 0:
        raise ValueError(f"y and x must be two lists of one length, not of shapes {y.shape} and {x.shape}")
    y_mean, x_mean = (float(y.mean()), float(x.mean())) if intercept else (0.0, 0.0)
    dy, dx = y - y_mean, x - x_mean
    spread = float(dy @ dy)
    slope = float(dy @ dx) / spread if spread > 0.0 else 0.0
    return Line(slope=slope, intercept=x_mean - slope * y_mean, mse=_mean_square(dx - slope * dy))


def baselines(problem: Problem = LAB, points: int = 200) -> Baselines:
    """The baselines of the data that ``pairs(problem, points)`` gives.

    Raises:
        ValueError: as :func:`pairs`.
    """
    y, x = pairs(problem, points)
    return Baselines(
        line=best_line(y, x),
        line_through_origin=best_line(y, x, intercept=False),
        identity_mse=_mean_square(y - x),
        constant_mse=_mean_square(x - x.mean()),
        average_mse=_mean_square(np.nan_to_num(x - problem.average(y))) if problem.many_valued else 0.0,
        floor=problem.floor,
        seen=problem.seen,
    )


def _mean_square(error: Floats) -> float:
    return float(np.mean(np.square(error)))
