"""What a plot is asked to show: frozen records, positions in the units of the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Floats", "Glow", "Line", "Marker", "Note", "Pattern", "Range", "Series", "Shade"]

Floats = NDArray[np.float64]
Range = tuple[float, float]
Pattern = Literal["solid", "dashed", "dotted", "dash-dotted"]


@dataclass(frozen=True, eq=False)
class Series:
    """One curve.

    Attributes:
        x, y: (n,) numbers; NaN in y is a gap. y of shape (k, n) is k curves over one x, in one colour.
        label: what the legend calls it; empty keeps it out.
        colour: of the theme ("accent", "noise", "muted", "foreground", "success", "error"), of Okabe and
            Ito's set ("orange", "blue", "green", "red", "purple", "yellow", darker on light themes), or
            "#rrggbb".
        kind: "line" draws the mean of each column, "dashes" the same with gaps, "band" from its lowest to its
            highest value, "scatter" points, "marks" points of two dots by two, for few of them; "ground" is
            points that give way where other curves are.
        low, high: (n,) extremes of what each point stands for, where a point stands for many values; None
            where it is one value.
        along: "x", or "y" for a curve that is a function of y, such as a histogram that lies on its side:
            then y are the (n,) places, x the values, and low and high are extremes of x.
        pattern: how a line is broken where colours do not tell lines apart: "solid", "dashed", "dotted" or
            "dash-dotted"; empty takes them in this order.
    """

    x: ArrayLike
    y: ArrayLike
    label: str = ""
    colour: str = "accent"
    kind: Literal["line", "dashes", "band", "scatter", "marks", "ground"] = "line"
    low: ArrayLike | None = None
    high: ArrayLike | None = None
    along: Literal["x", "y"] = "x"
    pattern: Pattern | Literal[""] = ""


@dataclass(frozen=True)
class Line:
    """A horizontal reference line at y, labelled in the line, or in the legend where data need the room."""

    y: float
    label: str = ""
    colour: str = "muted"


@dataclass(frozen=True)
class Marker:
    """A vertical line at x. Its label stands beside it, or in the legend where data need the room."""

    x: float
    label: str = ""
    colour: str = "accent"


@dataclass(frozen=True)
class Shade:
    """A range of x on another ground, labelled inside, or in the legend where data need the room."""

    start: float
    end: float
    label: str = ""
    colour: str = "muted"


@dataclass(frozen=True, eq=False)
class Glow:
    """A lighter ground behind the curves, such as a density over the plane; none where there are no colours.

    Attributes:
        x, y: (m,) and (n,) rising places.
        strength: (n, m) from 0, the plot's own ground, to 1.
    """

    x: Floats
    y: Floats
    strength: Floats


@dataclass(frozen=True)
class Note:
    """A sentence in the highest lines that are free of data, at the right; left out where there are none."""

    text: str
    colour: str = "muted"
