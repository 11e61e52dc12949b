"""The lines of words around a plot: the legend above it, and the values at a cursor below."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from difftui.ui.plotting.canvas import Cell, Paint
from difftui.ui.plotting.raster import DOTS, Curve, Dots, broken, draw_dots, glyphs_of, hatched
from difftui.ui.plotting.reading import figure, read
from difftui.ui.plotting.records import Line, Marker, Pattern, Range, Shade

__all__ = ["Look", "legend", "read_out"]

MARK_CELLS = 6  # of a pattern in the legend: the dashes of each can be told from those of the others
_MARKS = {"line": "━━", "dashes": "╺╸", "band": "▒▒", "scatter": "⠢⠔", "marks": "⠰⠆", "ground": "⠢⠔"}
_READ_OUTS = (
    (True, 6, True),
    (True, 5, True),
    (False, 6, True),
    (False, 6, False),
    (False, 4, False),
    (False, 3, False),
    (False, 2, False),
)
"""Whether curves are named, how many digits their values have, and whether extremes are told: by room."""


@dataclass(frozen=True, slots=True)
class Look:
    """How curves are drawn.

    Attributes:
        glyphs: what the dots are made of, a name in ``raster.DOTS``.
        patterned: whether curves are told apart without colours: lines by their dashes, bands by hatching.
    """

    glyphs: str
    patterned: bool

    def dots_of(self, curve: Curve, columns: int, rows: int, x_range: Range, y_range: Range) -> Dots:
        """The dots of a curve, as `raster.draw_dots`, with its pattern."""
        dots = draw_dots(curve, columns, rows, x_range, y_range)
        if curve.kind == "band":
            return hatched(dots) if self.patterned else dots
        pattern = self._pattern_of(curve)
        wide, high = DOTS[self.glyphs]
        if curve.kind == "marks":
            return _thicker(dots, across=wide > 1, down=high > 1)
        return broken(dots, pattern, wide) if curve.along == "x" else broken(dots.T, pattern, high).T

    def _pattern_of(self, curve: Curve) -> Pattern:
        if curve.kind == "dashes":
            return "dashed"
        told = self.patterned and curve.kind == "line" and curve.y.ndim == 1  # of several lines none is one
        return curve.pattern if told else "solid"

    def mark_of(self, curve: Curve) -> str:
        """What stands for a curve beside its name: a piece of it, where it has a pattern."""
        if not self.patterned or curve.kind in ("scatter", "marks", "ground"):
            return _MARKS[curve.kind]
        wide, high = DOTS[self.glyphs]
        bottom, middle, top = (np.full(2, level) for level in (0.0, 0.5, 1.0))
        piece = replace(curve, x=np.array([0.0, 1.0]), y=middle, low=bottom, high=top, along="x")
        dots = self.dots_of(piece, MARK_CELLS * wide, high, (0.0, 1.0), (0.0, 1.0))
        return "".join(glyphs_of([(dots, curve.kind)], self.glyphs).text[0]).rstrip()


def _thicker(dots: Dots, *, across: bool, down: bool) -> Dots:
    """Each dot with its neighbour to the right, below, or both; at the edge within it."""
    thick = dots.copy()
    if across:
        thick[:, 1:] |= dots[:, :-1]
    if down:
        thick[1:] |= thick[:-1].copy()
    return thick


def legend(
    curves: Sequence[Curve], others: Sequence[Line | Marker | Shade], look: Look, width: int, paint: Paint
) -> list[Cell]:
    """Marks and labels of the curves, and of what found no room for its label in the plot.

    Args:
        curves: those without a label are left out.
        others: lines, markers and shades.
        look: how curves are drawn.
        width: cells there are; what does not fit is cut.
        paint: colours.
    """
    entries = [(look.mark_of(curve), curve.label, curve.colour, False) for curve in curves if curve.label]
    for one in others:
        mark = "┄┄" if isinstance(one, Line) else "│" if isinstance(one, Marker) else "  "
        entries.append((mark, one.label, one.colour, isinstance(one, Shade)))
    cells: list[Cell] = []
    for i, (mark, label, colour, shaded) in enumerate(entries):
        text = [*paint.text(mark, colour, shaded=shaded), *paint.text(f" {label}", "foreground")]
        room = width - len(cells) - (2 if i else 0)
        if len(text) > room:
            if room > len(mark) + 3:
                cells += [*paint.text("  " if i else "", "muted"), *text[: room - 1], ("…", *text[-1][1:])]
            break
        cells += [*paint.text("  " if i else "", "muted"), *text]
    return cells


def read_out(
    curves: Sequence[Curve],
    place: float,
    x_name: str,
    look: Look,
    width: int,
    paint: Paint,
    *,
    along: Literal["x", "y"] = "x",
    told: Callable[[float], str] | None = None,
) -> list[Cell]:
    """The values of curves at a place, as exactly as they fit.

    Args:
        curves: those that have not begun there, or have ended, are left out.
        place: x of a data point.
        x_name: what x is.
        look: how curves are drawn.
        width: cells there are.
        paint: colours.
        along: the axis that the place is on.
        told: what a place is called; None is its figure.
    """
    found = [(curve, reading) for curve in curves if (reading := read(curve, place, along)) is not None]
    cells: list[Cell] = []
    for named, digits, extremes in _READ_OUTS:
        at = told(place) if told is not None else figure(place, digits)
        cells = paint.text(f" {x_name} {at}" if x_name else f" {at}", "foreground")
        for curve, reading in found:
            if curve.label or len(curves) > 1:
                cells += [*paint.text("  ", "muted"), *paint.text(look.mark_of(curve), curve.colour)]
            label = f" {curve.label}" if named and curve.label else ""
            text = reading.text(place, digits, extremes=extremes, told=told)
            cells += paint.text(f"{label} {text}", "foreground")
        if len(cells) <= width:
            return cells
    return [*cells[: width - 1], *paint.text("…", "muted")]
