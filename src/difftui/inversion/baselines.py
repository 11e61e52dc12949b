"""The data of the sine inversion, and what can be said about it without a network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Baselines", "Line", "arcsin", "baselines", "best_line", "sine_pairs"]

Floats = NDArray[np.float64]


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
        seen: smallest and largest y in the data. Beyond them every answer is extrapolation, and beyond
            |y| = 1 there is no right one.
    """

    line: Line
    line_through_origin: Line
    identity_mse: float
    constant_mse: float
    seen: tuple[float, float]


def sine_pairs(points: int = 200, x_range: tuple[float, float] = (-1.0, 1.0)) -> tuple[Floats, Floats]:
    """The training data: (y, x), each (points,), x equally spaced over ``x_range`` (radians), y = sin x.

    Raises:
        ValueError: fewer than 2 points, or a range that does not rise.
    """
    low, high = x_range
    if points < 2:
        raise ValueError(f"the data need at least 2 points, not {points}")
    if not low < high:
        raise ValueError(f"x_range must rise from low to high, not {x_range!r}")
    x = np.linspace(low, high, points)
    return np.sin(x), x


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


def baselines(points: int = 200, x_range: tuple[float, float] = (-1.0, 1.0)) -> Baselines:
    """The baselines of the data that ``sine_pairs(points, x_range)`` gives.

    Raises:
        ValueError: as :func:`sine_pairs`.
    """
    y, x = sine_pairs(points, x_range)
    return Baselines(
        line=best_line(y, x),
        line_through_origin=best_line(y, x, intercept=False),
        identity_mse=_mean_square(y - x),
        constant_mse=_mean_square(x - x.mean()),
        seen=(float(y.min()), float(y.max())),
    )


def arcsin(y: Floats) -> Floats:
    """The true inverse on [-π/2, π/2], any shape; NaN where |y| > 1, since no x has such a sine."""
    inside = np.abs(y) <= 1.0
    return np.where(inside, np.arcsin(np.where(inside, y, 0.0)), np.nan)


def _mean_square(error: Floats) -> float:
    return float(np.mean(np.square(error)))
