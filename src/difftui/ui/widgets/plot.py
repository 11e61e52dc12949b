"""Curves in the terminal: one wrapper of textual-plotext for every plot that difftui draws.

plotext draws what it is given point by point (50 ms for 10 000 of them), so a curve is first reduced to the
columns that there are. Ticks are chosen here, since plotext's own are not round, and a logarithmic axis is drawn
as log10 of the values with ticks at the decades.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from rich.text import Text
from textual.color import Color
from textual_plotext import PlotextPlot

__all__ = ["CurvePlot", "Line", "Marker", "Series", "Shade", "reduce_to_columns", "round_ticks"]

Floats = NDArray[np.float64]
Range = tuple[float, float]

BRAILLE_COLUMNS, BRAILLE_ROWS = 2, 4  # dots in a cell


@dataclass(frozen=True, eq=False)
class Series:
    """One curve.

    Attributes:
        x, y: (n,) numbers, x rising for lines and bands; NaN in y is a gap.
        label: what the legend calls it; empty keeps it out.
        colour: a name of the theme ("accent", "noise", "muted", "foreground", "success", "error") or "#rrggbb".
        kind: "line"; "band" fills from the lowest to the highest value of each column; "scatter" draws points.
    """

    x: ArrayLike
    y: ArrayLike
    label: str = ""
    colour: str = "accent"
    kind: Literal["line", "band", "scatter"] = "line"


@dataclass(frozen=True)
class Line:
    """A horizontal line at y, with a word at its right end."""

    y: float
    label: str = ""
    colour: str = "muted"


@dataclass(frozen=True)
class Marker:
    """A vertical line at x, with a word at its upper end."""

    x: float
    label: str = ""
    colour: str = "accent"


@dataclass(frozen=True)
class Shade:
    """A range of x that is set apart (dotted), with a word at its upper end."""

    start: float
    end: float
    label: str = ""
    colour: str = "muted"


@dataclass(frozen=True)
class _Drawing:
    """Everything that a plot shows; replaced whole."""

    series: tuple[Series, ...] = ()
    x_range: Range | None = None
    y_range: Range | None = None
    log_y: bool = False
    lines: tuple[Line, ...] = ()
    markers: tuple[Marker, ...] = ()
    shades: tuple[Shade, ...] = ()
    x_ticks: tuple[tuple[float, str], ...] | None = None


class CurvePlot(PlotextPlot):
    """A plot of curves that is drawn anew only by :meth:`set_series`, a resize or a change of theme.

    The legend is a line of text above the plot, where it hides no data.
    """

    DEFAULT_CSS = """
    CurvePlot { background: transparent; }
    """
    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._drawing = _Drawing()

    def set_series(
        self,
        series: Sequence[Series],
        *,
        x_range: Range | None = None,
        y_range: Range | None = None,
        log_y: bool = False,
        lines: Sequence[Line] = (),
        markers: Sequence[Marker] = (),
        shades: Sequence[Shade] = (),
        x_ticks: Sequence[tuple[float, str]] | None = None,
    ) -> None:
        """Show these curves.

        Args:
            series: the curves, later ones over earlier ones.
            x_range, y_range: limits of the axes; None fits the data (and the lines).
            log_y: logarithmic y axis; values that are not positive become gaps.
            lines, markers, shades: horizontal lines, vertical lines, and ranges of x set apart.
            x_ticks: (position, label) pairs; None chooses round numbers.
        """
        self._drawing = _Drawing(
            tuple(series), x_range, y_range, log_y, tuple(lines), tuple(markers), tuple(shades),
            None if x_ticks is None else tuple(x_ticks),
        )  # fmt: skip
        self.refresh()

    def render(self) -> Text:
        drawing, width, height = self._drawing, self.size.width, self.size.height
        legend = self._legend(drawing)
        rows = height - (1 if legend else 0)
        if width < 8 or rows < 3 or not drawing.series:
            return Text()
        plot = self._prepared(width, rows)
        curves = [(s, *_points(s, drawing.log_y)) for s in drawing.series]
        x_low, x_high = drawing.x_range or _limits([x for _, x, _ in curves])
        y_low, y_high = self._y_limits(drawing, [y for _, _, y in curves])
        plot.xlim(x_low, x_high)
        plot.ylim(y_low, y_high)
        y_ticks = _y_ticks(y_low, y_high, rows, drawing.log_y)
        plot.yticks([v for v, _ in y_ticks], [label for _, label in y_ticks])
        x_ticks = drawing.x_ticks or tuple((v, _number(v)) for v in round_ticks(x_low, x_high, width // 14))
        plot.xticks([v for v, _ in x_ticks], [label for _, label in x_ticks])
        columns = BRAILLE_COLUMNS * max(1, width - 1 - max(len(label) for _, label in y_ticks))
        for shade in drawing.shades:
            self._draw_shade(plot, shade, (x_low, x_high), (y_low, y_high), rows)
        for line in drawing.lines:
            y = _log10(line.y) if drawing.log_y else line.y
            if y_low <= y <= y_high:
                plot.plot([x_low, x_high], [y, y], marker="┄", color=self._colour(line.colour))
        for one, x, y in curves:
            self._draw_curve(plot, one, x, y, columns, (x_low, x_high))
        for marker in drawing.markers:
            plot.plot([marker.x, marker.x], [y_low, y_high], marker="│", color=self._colour(marker.colour))
        self._write_labels(plot, drawing, (x_low, x_high), (y_low, y_high))
        picture = Text.from_ansi(plot.build().rstrip("\n"))
        return Text("\n").join([legend, picture]) if legend else picture

    def _prepared(self, width: int, rows: int) -> Any:
        """The plotext figure, emptied, at its size and in this theme's colours."""
        plot = self.plt
        plot.clear_figure()
        plot.plotsize(width, rows)
        plot._set_size(width, rows)  # plotsize alone does not take a second size (textual-plotext issue 5)
        background = self.background_colors[1].rgb
        plot.canvas_color(background)
        plot.axes_color(background)
        plot.ticks_color(self._colour("muted"))
        plot.xaxes(False, False)
        plot.yaxes(False, False)
        plot.grid(False, False)
        return plot

    def _draw_curve(self, plot: Any, one: Series, x: Floats, y: Floats, columns: int, x_range: Range) -> None:
        colour = self._colour(one.colour)
        if one.kind == "scatter":
            good = np.isfinite(y)
            plot.scatter(x[good].tolist(), y[good].tolist(), marker="braille", color=colour)
            return
        places, low, mean, high = reduce_to_columns(x, y, columns, x_range)
        for part in _runs(np.isfinite(mean)):
            at = places[part]
            if one.kind == "band":
                plot.plot(
                    np.repeat(at, 2).tolist(),
                    np.stack([low[part], high[part]], axis=1).ravel().tolist(),
                    marker="braille",
                    color=colour,
                )
            elif len(at) == 1:
                plot.scatter(at.tolist(), mean[part].tolist(), marker="braille", color=colour)
            else:
                plot.plot(at.tolist(), mean[part].tolist(), marker="braille", color=colour)

    def _draw_shade(self, plot: Any, shade: Shade, x_range: Range, y_range: Range, rows: int) -> None:
        """Dots, two columns apart, from bottom to top."""
        start, end = max(shade.start, x_range[0]), min(shade.end, x_range[1])
        if end <= start:
            return
        across = max(2, round(self.size.width * (end - start) / (x_range[1] - x_range[0]) / 2))
        x, y = np.meshgrid(np.linspace(start, end, across), np.linspace(*y_range, max(2, rows)))
        plot.scatter(x.ravel().tolist(), y.ravel().tolist(), marker="·", color=self._colour(shade.colour))

    def _write_labels(self, plot: Any, drawing: _Drawing, x_range: Range, y_range: Range) -> None:
        for line in drawing.lines:
            y = _log10(line.y) if drawing.log_y else line.y
            if line.label and y_range[0] <= y <= y_range[1]:
                plot.text(f" {line.label} ", x_range[1], y, color=self._colour(line.colour), alignment="right")
        for marker in drawing.markers:
            if marker.label:
                left = marker.x > (x_range[0] + x_range[1]) / 2
                plot.text(f" {marker.label} ", marker.x, y_range[1], color=self._colour(marker.colour),
                          alignment="right" if left else "left")  # fmt: skip
        for shade in drawing.shades:
            if shade.label:
                start, end = max(shade.start, x_range[0]), min(shade.end, x_range[1])
                plot.text(shade.label, (start + end) / 2, y_range[1], color=self._colour(shade.colour), alignment="center")

    def _legend(self, drawing: _Drawing) -> Text | None:
        labelled = [s for s in drawing.series if s.label]
        if not labelled:
            return None
        legend = Text(no_wrap=True, overflow="ellipsis")
        for one in labelled:
            mark = {"line": "━━", "band": "▒▒", "scatter": "··"}[one.kind]
            red, green, blue = self._colour(one.colour)
            legend.append(f"{mark} ", style=f"rgb({red},{green},{blue})")
            legend.append(f"{one.label}   ")
        return legend

    def _y_limits(self, drawing: _Drawing, values: list[Floats]) -> Range:
        if drawing.y_range is not None:
            low, high = drawing.y_range
            return (_log10(low), _log10(high)) if drawing.log_y else (low, high)
        extra = [_log10(line.y) if drawing.log_y else line.y for line in drawing.lines]
        low, high = _limits([*values, np.array(extra)])
        margin = 0.04 * (high - low)
        return low - margin, high + margin

    def _colour(self, name: str) -> tuple[int, int, int]:
        """A colour of the theme, or a literal one, as plotext wants it."""
        theme = self.app.theme_variables
        known = {"accent": "accent", "noise": "secondary", "muted": "muted", "foreground": "foreground",
                 "success": "success", "error": "error"}  # fmt: skip
        return Color.parse(theme.get(known.get(name, ""), name if name.startswith("#") else "#808080")).rgb


def reduce_to_columns(
    x: Floats, y: Floats, columns: int, x_range: Range
) -> tuple[Floats, Floats, Floats, Floats]:
    """Lowest, mean and highest y in each of ``columns`` equal parts of ``x_range``.

    Args:
        x: (n,) rising.
        y: (n,); NaN is left out of its column, and a column with nothing but NaN is NaN: a gap.
        columns: at least 1. With no more points than columns the points come back as they are.
        x_range: limits; points outside are left out.

    Returns:
        places, low, mean, high: (m,) each, m ≤ columns; columns without any point are left out.
    """
    inside = (x >= x_range[0]) & (x <= x_range[1])
    x, y = x[inside], y[inside]
    if len(x) <= columns:
        return x, y, y, y
    width = (x_range[1] - x_range[0]) / columns
    column = np.minimum(((x - x_range[0]) / width).astype(np.intp), columns - 1)
    starts = np.flatnonzero(np.diff(column, prepend=-1))
    counts = np.add.reduceat(np.isfinite(y), starts)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.add.reduceat(np.nan_to_num(y, nan=0.0), starts) / counts
    low = np.fmin.reduceat(y, starts)
    high = np.fmax.reduceat(y, starts)
    return x_range[0] + (column[starts] + 0.5) * width, low, mean, high


def round_ticks(low: float, high: float, most: int) -> list[float]:
    """At most ``most`` (but two at least) round numbers 1, 2, 2.5 or 5 × 10ⁿ apart, within [low, high]."""
    if not high > low:
        return [low]
    raw = (high - low) / max(1, most - 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= raw * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    return [round(k * step, 12) + 0.0 for k in range(first, math.floor(high / step + 1e-9) + 1)]


def _points(one: Series, log_y: bool) -> tuple[Floats, Floats]:
    x, y = np.asarray(one.x, np.float64), np.asarray(one.y, np.float64)
    if log_y:
        with np.errstate(divide="ignore", invalid="ignore"):
            y = np.where(y > 0, np.log10(y), np.nan)
    return x, y


def _limits(arrays: Sequence[Floats]) -> Range:
    finite = [a[np.isfinite(a)] for a in arrays]
    parts = [a for a in finite if len(a)]
    if not parts:
        return 0.0, 1.0
    low, high = min(float(a.min()) for a in parts), max(float(a.max()) for a in parts)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _runs(good: NDArray[np.bool_]) -> list[slice]:
    """The stretches of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], good, [False]]).astype(np.int8)))
    return [slice(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _y_ticks(low: float, high: float, rows: int, log: bool) -> list[tuple[float, str]]:
    most = max(2, rows // 3)
    if not log:
        ticks = [(v, _number(v)) for v in round_ticks(low, high, most)]
    else:
        decades = range(math.ceil(low - 1e-9), math.floor(high + 1e-9) + 1)
        if len(decades) >= 2:
            every = -(-len(decades) // most)
            ticks = [(float(d), _number(10.0**d)) for d in decades if d % every == 0]
        else:
            values = [v for d in range(math.floor(low), math.ceil(high) + 1) for v in (10.0**d, 2 * 10.0**d, 5 * 10.0**d)]
            ticks = [(_log10(v), _number(v)) for v in values if low <= _log10(v) <= high]
    if not ticks:
        ticks = [((low + high) / 2, _number(10 ** ((low + high) / 2) if log else (low + high) / 2))]
    width = max(len(label) for _, label in ticks)
    return [(v, f"{label:>{width}} ") for v, label in ticks]


def _number(value: float) -> str:
    """A short form: 0.05, 20 000, 1e-06."""
    if value and not 1e-4 <= abs(value) < 1e6:
        return f"{value:.0e}"
    if abs(value) >= 1e4 and value == int(value):
        return f"{int(value):,}".replace(",", " ")
    return f"{value:g}"


def _log10(value: float) -> float:
    return math.log10(value) if value > 0 else -math.inf
