"""Values of curves at a place: of the data themselves, not of the dots that stand for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

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

    def text(
        self,
        place: float,
        digits: int = MOST_DIGITS,
        *,
        extremes: bool = True,
        told: Callable[[float], str] | None = None,
    ) -> str:
        """The value, with what it stands for, and with its own x where that is not the place.

        Args:
            place: where values are read.
            digits: of each, at most.
            extremes: whether to tell what a value stands for; where there are extremes alone they are told.
            told: what a place is called; None is its figure.
        """
        span = f"{self.low:.{digits}g} to {self.high:.{digits}g}" if self.low < self.high else ""
        text = f"{self.y:.{digits}g}" if np.isfinite(self.y) else span or "-"
        if extremes and span and text != span:
            text += f" ({span})"
        return text if self.x == place else f"{text} at {(told or figure)(self.x)}"


def figure(x: float, digits: int = MOST_DIGITS) -> str:
    """A place on an axis: whole numbers in full."""
    return grouped(int(x)) if x == int(x) and abs(x) < 1e15 else f"{x:.{digits}g}"


def read(curve: Curve, place: float, along: Literal["x", "y"] = "x") -> Reading | None:
    """The point of a curve that is nearest to a place; None where the curve has not begun, or has ended.

    A place belongs to the curve as far beyond its end as its points there lie apart. Of several curves in one
    the lowest and the highest value are read; of a bar its end.
    """
    if curve.along != along or not len(curve.x):
        return None
    at = int(np.abs(curve.x - place).argmin())
    first, last = float(curve.x.min()), float(curve.x.max())
    apart = (last - first) / max(1, len(curve.x) - 1)
    if not first - apart <= place <= last + apart:
        return None
    values = curve.value[..., at]
    if values.ndim:
        known = values[np.isfinite(values)]
        low, high = (float(known.min()), float(known.max())) if len(known) else (np.nan, np.nan)
        return Reading(float(curve.x[at]), low if low == high else np.nan, low, high)
    y, low, high = (float(part[at]) for part in (curve.value, curve.lowest, curve.highest))
    return Reading(float(curve.x[at]), y, y if curve.kind == "band" and y == high else low, high)


def place_near(
    curves: Sequence[Curve], x: float, shown: Range, along: Literal["x", "y"] = "x"
) -> float | None:
    """The place of the data point nearest to ``x`` within what is shown; None where there is none."""
    near = [
        float(inside[np.abs(inside - x).argmin()])
        for curve in curves
        if curve.along == along and len(inside := curve.x[(curve.x >= shown[0]) & (curve.x <= shown[1])])
    ]
    return min(near, key=lambda place: abs(place - x), default=None)


def next_place(
    curves: Sequence[Curve], x: float, by: float, shown: Range, along: Literal["x", "y"] = "x"
) -> float | None:
    """The shown data point nearest to ``x + by`` that is beyond ``x`` in this direction; None: none is."""
    sign = 1.0 if by > 0 else -1.0
    there = [
        float(inside[np.abs(inside - (x + by)).argmin()])
        for curve in curves
        if curve.along == along
        and len(inside := curve.x[(curve.x >= shown[0]) & (curve.x <= shown[1]) & (sign * (curve.x - x) > 0)])
    ]
    return min(there, key=lambda place: abs(place - x - by), default=None)
