"""What is to be inverted: a function on a range of x, and all that is exactly known of its inverse.

Where several x share one y, that y says only with which probability each is meant. With x uniform over its
range, the x of branch b has, given y, the share

    w_b = (1 / |f'(x_b)|) / Σ_c 1 / |f'(x_c)|

(the change of variables), a mean squared error can do no better than answer E[x | y] = Σ_b w_b x_b, and what
it is left with is the floor E[(x - E[x | y])²]: π²/12 for the sine on [-π, π] and on [0, π].
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

__all__ = ["FUNCTIONS", "PROBLEMS", "Function", "Problem"]

Floats = NDArray[np.float64]
Range = tuple[float, float]

HALVINGS = 60  # of a piece of at most 200: below the last bit of a float64
NODES = 64  # of Gauss and Legendre, in each stretch of the floor's integral
PAD = 0.15  # of the width, that a plot shows beyond what there is
ROUNDING = 1e-12
EVERYWHERE = (-math.inf, math.inf)
FAR = 10.0  # how far beyond the data the inverse is followed


@dataclass(frozen=True)
class Function:
    """A smooth function to be inverted.

    Attributes:
        label: as people write it, and ``plain``, the same in ASCII.
        value, slope: f and f', of arrays of any shape.
        turns: the x strictly between two limits where f' changes its sign, rising.
        image: smallest and largest y that f takes anywhere: beyond them no inverse exists.
    """

    label: str
    plain: str
    value: Callable[[Floats], Floats]
    slope: Callable[[Floats], Floats]
    turns: Callable[[float, float], Floats]
    image: Range


@dataclass(frozen=True)
class Problem:
    """A function by its name and the range of x that the data cover.

    Attributes:
        function: one of :data:`FUNCTIONS`.
        x_range: x is uniform between these two.

    Raises:
        ValueError: an unknown function, or a range that does not rise.
    """

    function: str = "sin"
    x_range: Range = (-1.0, 1.0)

    def __post_init__(self) -> None:
        if self.function not in FUNCTIONS:
            raise ValueError(f"unknown function {self.function!r}; known: {', '.join(FUNCTIONS)}")
        if not self.x_range[0] < self.x_range[1]:
            raise ValueError(f"x_range must rise from low to high, not {self.x_range!r}")

    @property
    def f(self) -> Function:
        """The function itself."""
        return FUNCTIONS[self.function]

    @cached_property
    def edges(self) -> Floats:
        """Ends of the pieces on which f only rises or only falls, (pieces + 1,)."""
        low, high = self.x_range
        return np.array([low, *self.f.turns(low, high), high])

    @cached_property
    def seen(self) -> Range:
        """Smallest and largest y of the range. Beyond them there are no data."""
        values = self.f.value(self.edges)
        return float(values.min()), float(values.max())

    @property
    def many_valued(self) -> bool:
        """Whether some y has several x."""
        return len(self.edges) > 2

    @property
    def y_window(self) -> Range:
        """The y to look at: what was seen, all that f can be where that is bounded, and some beyond."""
        low, high = self.seen
        low, high = max(low, self.f.image[0]), min(high, self.f.image[1])
        if self.f.image[1] - self.f.image[0] < math.inf:
            low, high = self.f.image
        pad = PAD * (high - low)
        return low - pad, high + pad

    @property
    def x_window(self) -> Range:
        """The x to look at: the range and some beyond; of a one-valued problem its whole piece, if near."""
        low, high = self.x_range
        pad = PAD * (high - low)
        if not self.many_valued:
            around = self._piece_around()
            pad = max((p for p in (low - around[0], around[1] - high) if p < 4 * pad), default=pad)
        return low - pad, high + pad

    def branches(self, y: Floats) -> Floats:
        """All x in the range with f(x) = y: (pieces, *y.shape), rising, NaN where a piece has none."""
        return self._on_pieces(np.asarray(y, np.float64), self.edges)

    def shares(self, branches: Floats) -> Floats:
        """The probability of each branch given y, the shape of ``branches``; 0 where there is none."""
        known = np.isfinite(branches)
        steepness = np.abs(self.f.slope(np.where(known, branches, 0.0)))
        weights = np.where(known, 1.0 / np.maximum(steepness, 1e-9), 0.0)
        total = weights.sum(axis=0)
        result: Floats = weights / np.where(total > 0.0, total, 1.0)
        return result

    def average(self, y: Floats) -> Floats:
        """E[x | y], the answer with the least mean squared error; NaN where y was not seen. Any shape."""
        branches = self.branches(y)
        mean = (np.where(np.isfinite(branches), branches, 0.0) * self.shares(branches)).sum(axis=0)
        return np.where(np.isfinite(branches).any(axis=0), mean, np.nan)

    def best_answer(self, y: Floats) -> Floats:
        """E[x | y]; of a one-valued problem the inverse also beyond the data, as far as that piece goes.

        For the sine on [-1, 1] that is arcsin. NaN elsewhere. Any shape.
        """
        if self.many_valued:
            return self.average(y)
        inverse: Floats = self._on_pieces(np.asarray(y, np.float64), np.array(self._piece_around()))[0]
        return inverse

    @cached_property
    def floor(self) -> float:
        """E[(x - E[x | y])²] over the range: no answer that is a function of y does better.

        Gauss and Legendre's rule on stretches of x between which the number of branches changes; within each
        the integrand is smooth, so this is as exact as float64.
        """
        if not self.many_valued:
            return 0.0
        low, high = self.x_range
        cuts = self.branches(self.f.value(self.edges)).ravel()
        cuts = np.unique(np.clip(np.concatenate([cuts[np.isfinite(cuts)], self.edges]), low, high))
        nodes, weights = np.polynomial.legendre.leggauss(NODES)
        total = 0.0
        for start, end in pairwise(cuts):
            x = (start + end) / 2 + (end - start) / 2 * nodes
            error = np.nan_to_num(x - self.average(self.f.value(x)))
            total += float(weights @ np.square(error)) * (end - start) / 2
        return total / (high - low)

    def nearest(self, y: Floats, x: Floats) -> tuple[NDArray[np.intp], Floats]:
        """For each answer x to y (one shape): the index of the nearest branch, and how far it is.

        The distance is NaN (and the index 0) where there is no branch.
        """
        distance = np.abs(self.branches(y) - x)
        lost = np.isnan(distance)
        index = np.argmin(np.where(lost, np.inf, distance), axis=0)
        return index, np.take_along_axis(distance, index[None], 0)[0]

    def _piece_around(self) -> Range:
        """The whole piece, rising or falling, in which a one-valued problem's range lies."""
        low, high = self.x_range
        turns = self.f.turns(low - FAR, high + FAR)
        before, after = turns[turns <= low], turns[turns >= high]
        return float(before[-1]) if before.size else low - FAR, float(after[0]) if after.size else high + FAR

    def _on_pieces(self, y: Floats, edges: Floats) -> Floats:
        """Bisection on every piece at once: (pieces, *y.shape)."""
        shape = (len(edges) - 1,) + (1,) * y.ndim
        low, high = edges[:-1].reshape(shape), edges[1:].reshape(shape)
        at_low, at_high = self.f.value(low), self.f.value(high)
        # A hair beyond a piece's ends still counts, as sin π = 1e-16 must be no other y than sin 0 = 0.
        inside = (y >= np.minimum(at_low, at_high) - ROUNDING) & (y <= np.maximum(at_low, at_high) + ROUNDING)
        inside &= (y >= self.f.image[0]) & (y <= self.f.image[1])
        rising = at_high > at_low
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            above = (self.f.value(middle) < y) == rising  # the answer lies right of the middle
            low, high = np.where(above, middle, low), np.where(above, high, middle)
        return np.where(inside, (low + high) / 2, np.nan)


def _every(first: float, step: float) -> Callable[[float, float], Floats]:
    """The x = first + k step strictly between two limits."""

    def between(low: float, high: float) -> Floats:
        start = math.floor((low - first) / step) + 1
        x = first + step * np.arange(start, math.ceil((high - first) / step))
        return np.asarray(x[(x > low) & (x < high)], np.float64)

    return between


def _bishops_turns(low: float, high: float) -> Floats:
    """Where 1 + 0.6 π cos 2πx = 0."""
    turn = math.acos(-1.0 / (0.6 * math.pi)) / (2.0 * math.pi)
    return np.sort(np.concatenate([_every(turn, 1.0)(low, high), _every(-turn, 1.0)(low, high)]))


FUNCTIONS: Mapping[str, Function] = MappingProxyType(
    {
        "sin": Function("sin x", "sin x", np.sin, np.cos, _every(math.pi / 2, math.pi), (-1.0, 1.0)),
        "sin3": Function(
            "sin 3x", "sin 3x", lambda x: np.sin(3 * x), lambda x: 3 * np.cos(3 * x),
            _every(math.pi / 6, math.pi / 3), (-1.0, 1.0),
        ),
        "square": Function(
            "x²", "x^2", np.square, lambda x: 2 * x,
            lambda low, high: np.array([0.0] if low < 0.0 < high else []), (0.0, math.inf),
        ),
        # The curve of Bishop's "Mixture density networks" (1994): its branches have unequal shares.
        "bishop": Function(
            "x + 0.3 sin 2πx", "x + 0.3 sin 2 pi x", lambda x: x + 0.3 * np.sin(2 * np.pi * x),
            lambda x: 1 + 0.6 * np.pi * np.cos(2 * np.pi * x), _bishops_turns, EVERYWHERE,
        ),
    }
)  # fmt: skip
"""The functions to invert, by name."""

PROBLEMS: tuple[Problem, ...] = (
    Problem("sin", (-1.0, 1.0)),
    Problem("sin", (-math.pi, math.pi)),
    Problem("sin", (0.0, math.pi)),
    Problem("square", (-1.0, 1.0)),
    Problem("sin3", (-math.pi / 2, math.pi / 2)),
    Problem("bishop", (0.0, 1.0)),
)
"""The problems that the screen walks through; the first is the lab's."""
