"""Values of curves at a place: of the data themselves, not of the dots that stand for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from difftui.ui.plotting.raster import Curve
from difftui.ui.plotting.records import Range
from difftui.words import grouped

__all__ = ["Reading", "figure", "next_place", "place_near", "read"]

MOST_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Reading:
    """One curve at a place.

    Attributes:
        x: of the data point that is nearest to the place.
        y: its value, NaN at a gap.
        low, high: the extremes of what it stands for; both y where it is one value.
    """

    x: float
    y: float
    low: float
    high: float

    def text(self, place: float, digits: int = MOST_DIGITS, *, extremes: bool = True) -> str:
        """The value, with what it stands for, and with its own x where that is not the place."""
        text = f"{self.y:.{digits}g}" if np.isfinite(self.y) else "-"
        if extremes and self.low < self.high:
            text += f" ({self.low:.{digits}g} to {self.high:.{digits}g})"
        return text if self.x == place else f"{text} at {figure(self.x)}"


def figure(x: float) -> str:
    """A place on the x axis."""
    return grouped(int(x)) if x == int(x) and abs(x) < 1e15 else f"{x:.{MOST_DIGITS}g}"


def _readable(curve: Curve) -> bool:
    """Whether it is one curve over x."""
    return curve.along == "x" and curve.y.ndim == 1


def read(curve: Curve, place: float) -> Reading | None:
    """The point of a curve that is nearest to a place; None where the curve has not begun, or has ended.

    A place belongs to the curve as far beyond its end as its points there lie apart.
    """
    if not _readable(curve) or not len(curve.x):
        return None
    at = int(np.abs(curve.x - place).argmin())
    first, last = float(curve.x.min()), float(curve.x.max())
    apart = (last - first) / max(1, len(curve.x) - 1)
    if not first - apart <= place <= last + apart:
        return None
    return Reading(*(float(part[at]) for part in (curve.x, curve.value, curve.lowest, curve.highest)))


def place_near(curves: Sequence[Curve], x: float, shown: Range) -> float | None:
    """The x of the data point nearest to ``x`` within what is shown; None where there is none."""
    near = [
        float(inside[np.abs(inside - x).argmin()])
        for curve in filter(_readable, curves)
        if len(inside := curve.x[(curve.x >= shown[0]) & (curve.x <= shown[1])])
    ]
    return min(near, key=lambda place: abs(place - x), default=None)


def next_place(curves: Sequence[Curve], x: float, by: float, shown: Range) -> float | None:
    """The shown data point nearest to ``x + by`` that is beyond ``x`` in this direction; None: none is."""
    sign = 1.0 if by > 0 else -1.0
    there = [
        float(inside[np.abs(inside - (x + by)).argmin()])
        for curve in filter(_readable, curves)
        if len(inside := curve.x[(curve.x >= shown[0]) & (curve.x <= shown[1]) & (sign * (curve.x - x) > 0)])
    ]
    return min(there, key=lambda place: abs(place - x - by), default=None)
