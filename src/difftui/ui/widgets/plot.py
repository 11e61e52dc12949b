"""Curves in the terminal: one wrapper of textual-plotext for every plot that difftui draws.

plotext turns curves into dots and nothing else. It draws what it is given point by point (50 ms for 10 000 of
them), so a curve is first reduced to the columns that there are, and its dots are kept as long as the curve
stays. Axes, round ticks, the logarithmic scale, reference lines, markers and shaded ranges are laid around
and *under* the dots here, so that no word and no line ever hides data.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from rich.cells import cell_len
from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.events import Resize
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget
from textual_plotext import Plot

from difftui.ui.lean_strip import LeanStrip
from difftui.words import grouped

__all__ = ["CurvePlot", "Line", "Marker", "Series", "Shade", "reduce_to_columns", "round_ticks"]

Floats = NDArray[np.float64]
Range = tuple[float, float]

DOTS = {"braille": (2, 4), "fhd": (2, 3), "hd": (2, 2), "dot": (1, 1)}
"""Columns and rows of dots in a cell for each of plotext's glyph sets."""

LEAST_COLUMNS, LEAST_ROWS = 12, 3
"""A smaller widget stays empty."""

NAMED = {"accent": "accent", "noise": "secondary", "muted": "muted", "foreground": "foreground",
         "success": "success", "error": "error"}  # fmt: skip
ON_DARK = {"orange": "#e69f00", "blue": "#56b4e9", "green": "#2fb48c", "red": "#e8743b", "purple": "#cc79a7",
           "yellow": "#f0e442", "muted": "#8a8a8a"}  # fmt: skip
ON_LIGHT = {"orange": "#a86f00", "blue": "#0072b2", "green": "#00755a", "red": "#b34a00", "purple": "#93407a",
            "yellow": "#7d6b00", "muted": "#6c6c6c"}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Series:
    """One curve.

    Attributes:
        x, y: (n,) numbers; NaN in y is a gap.
        label: what the legend calls it; empty keeps it out.
        colour: of the theme ("accent", "noise", "muted", "foreground", "success", "error"), of Okabe and
            Ito's set ("orange", "blue", "green", "red", "purple", "yellow", darker on light themes), or
            "#rrggbb".
        kind: "line" draws the mean of each column, "band" from its lowest to its highest value, "scatter"
            points.
    """

    x: ArrayLike
    y: ArrayLike
    label: str = ""
    colour: str = "accent"
    kind: Literal["line", "band", "scatter"] = "line"


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
class Curve:
    """A series as it will be drawn: its own copy of the points, log10 already taken."""

    x: Floats
    y: Floats
    label: str
    colour: str
    kind: str

    def same_points(self, other: Curve) -> bool:
        return (
            self.kind == other.kind
            and self.colour == other.colour
            and np.array_equal(self.x, other.x)
            and np.array_equal(self.y, other.y, equal_nan=True)
        )


@dataclass(frozen=True)
class Axes:
    """What surrounds the curves: limits (y as log10 on a logarithmic axis) and what is drawn under them."""

    x_range: Range
    y_range: Range
    log_y: bool
    lines: tuple[Line, ...]
    markers: tuple[Marker, ...]
    shades: tuple[Shade, ...]
    x_ticks: tuple[tuple[float, str], ...] | None


Cell = tuple[str, RichColor | None, RichColor | None]
"""Glyph, foreground, background; None is the widget's own."""


class CurvePlot(Widget):
    """A plot of curves. Draws, and sends, only what changed.

    Set `border_title` for the title. The legend is a line of text above the plot, where it hides no data.
    """

    DEFAULT_CSS = """
    CurvePlot { width: 1fr; height: 1fr; }
    """
    ALLOW_SELECT = False

    def __init__(
        self,
        *,
        glyphs: str = "braille",
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """Make an empty plot.

        Args:
            glyphs: what the dots are made of: "braille", "fhd" (sextants), "hd" (quadrants) or "dot".

        Raises:
            ValueError: other glyphs.
        """
        super().__init__(name=name, id=id, classes=classes)
        if glyphs not in DOTS:
            raise ValueError(f"glyphs must be one of {', '.join(DOTS)}, not {glyphs!r}")
        self._glyphs = glyphs
        self._plot = Plot()
        self._curves: tuple[Curve, ...] = ()
        self._axes = Axes((0.0, 1.0), (0.0, 1.0), False, (), (), (), None)
        self._dots_key: tuple[object, ...] = ()
        self._dots: list[list[Cell | None]] = []
        self._lines: list[Strip] = []
        self._ground: RichColor | None = None
        self._lean: dict[int, tuple[Strip, LeanStrip]] = {}

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
        """Show these curves; nothing is drawn where nothing changed.

        Args:
            series: the curves, later ones over earlier ones; none leaves the plot empty.
            x_range, y_range: limits of the axes; None fits the data (and the lines).
            log_y: logarithmic y axis; values that are not positive become gaps.
            lines, markers, shades: horizontal lines, vertical lines, and ranges of x set apart.
            x_ticks: (position, label) pairs; None chooses round numbers.

        Raises:
            ValueError: x and y of a series differ in length, or a range is empty (or not positive on a log
                axis).
        """
        curves = tuple(_curve(one, log_y) for one in series)
        axes = Axes(
            _checked(x_range) if x_range is not None else _limits([curve.x for curve in curves]),
            _y_limits(y_range, log_y, [curve.y for curve in curves], lines),
            log_y, tuple(lines), tuple(markers), tuple(shades), None if x_ticks is None else tuple(x_ticks),
        )  # fmt: skip
        same_points = len(curves) == len(self._curves) and all(
            new.same_points(old) for new, old in zip(curves, self._curves, strict=True)
        )
        if same_points:
            labels_changed = [c.label for c in curves] != [c.label for c in self._curves]
            if axes == self._axes and not labels_changed:
                return
        self._curves, self._axes = curves, axes
        if not same_points:
            self._dots_key = ()
        self._redraw()

    # When to draw.

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, lambda _theme: self._recolour())

    def on_resize(self, event: Resize) -> None:
        self._redraw()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        if self._lines and self.background_colors[1].rich_color != self._ground:
            self._recolour()

    def _recolour(self) -> None:
        self._dots_key = ()
        self._redraw()

    def _redraw(self) -> None:
        """Make the lines anew and refresh those that differ."""
        if not self.size or not self.is_attached:
            return
        old, self._lines = self._lines, self._draw()
        if len(old) != len(self._lines):
            self.refresh()
            return
        regions = [
            Region(0, y, self.size.width, 1)
            for y, (before, now) in enumerate(zip(old, self._lines, strict=True))
            if before != now
        ]
        if regions:
            self.refresh(*regions)

    def render_line(self, y: int) -> Strip:
        if y < len(self._lines):
            return self._lines[y]
        return Strip.blank(self.size.width, self.visual_style.rich_style)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Lines with borders, as strips that render lean, each kept until it changes."""
        lines: list[Strip] = []
        for y, strip in enumerate(super().render_lines(crop), crop.y):
            kept = self._lean.get(y)
            if kept is None or kept[0] is not strip:
                kept = self._lean[y] = (strip, LeanStrip.of(strip))
            lines.append(kept[1])
        return lines

    # How to draw.

    def _draw(self) -> list[Strip]:
        width, height = self.size
        paint = Paint(self)
        self._ground = paint.background
        legend_rows = int(any(curve.label for curve in self._curves))
        axis_rows = 2 if height - legend_rows >= 8 else 1
        rows = height - legend_rows - axis_rows
        if width < LEAST_COLUMNS or rows < LEAST_ROWS or not self._curves:
            return [paint.strip([], width)] * height
        axes = self._axes
        y_ticks = _y_ticks(axes.y_range, rows, axes.log_y)
        margin = max(len(label) for _, label in y_ticks) + 1
        canvas = Canvas(axes, self._dots_of(width - margin, rows, paint), DOTS[self._glyphs], paint)
        homeless = canvas.draw()
        lines: list[list[Cell]] = []
        if legend_rows:
            lines.append(self._legend(homeless, width, paint))
        tick_rows = {canvas.row_of(value): label for value, label in y_ticks}
        for y, cells in enumerate(canvas.cells):
            label = tick_rows.get(y, "")
            axis = "┤" if y in tick_rows else "│"
            lines.append([*paint.text(f"{label:>{margin - 1}}{axis}", "muted"), *cells])
        lines += self._x_axis(canvas, margin, axis_rows, paint)
        return [paint.strip(line, width) for line in lines]

    def _dots_of(self, columns: int, rows: int, paint: Paint) -> list[list[Cell | None]]:
        """The curves as cells of dots, by plotext; kept while curves, limits, size and colours stay."""
        axes = self._axes
        key = (axes.x_range, axes.y_range, columns, rows)
        if key != self._dots_key:
            self._dots_key = key
            self._dots = self._rasterise(columns, rows, paint)
        return self._dots

    def _rasterise(self, columns: int, rows: int, paint: Paint) -> list[list[Cell | None]]:
        plot: Any = self._plot
        plot.clear_figure()
        plot.plotsize(columns, rows)
        plot._set_size(columns, rows)  # plotsize alone does not take a second size (textual-plotext issue 5)
        plot.canvas_color("default")
        plot.axes_color("default")
        plot.xaxes(False, False)
        plot.yaxes(False, False)
        plot.xfrequency(0)
        plot.yfrequency(0)
        plot.xlim(*self._axes.x_range)
        plot.ylim(*self._axes.y_range)
        for curve in self._curves:
            self._plot_curve(
                plot, curve, columns * DOTS[self._glyphs][0], rows * DOTS[self._glyphs][1], paint
            )
        return _cells_of_ansi(plot.build(), columns, rows)

    def _plot_curve(self, plot: Any, curve: Curve, columns: int, rows: int, paint: Paint) -> None:
        x_range, (low, high) = self._axes.x_range, self._axes.y_range
        style = {
            "marker": self._glyphs,
            "color": tuple(paint.colour(curve.colour).triplet or (128, 128, 128)),
        }
        # plotext walks along a line dot by dot, outside the plot too: keep it near.
        y = np.clip(curve.y, low - 2 * (high - low), high + 2 * (high - low))
        if curve.kind == "scatter":
            x, y = _distinct_dots(curve.x, y, columns, rows, x_range, (low, high))
            plot.scatter(x.tolist(), y.tolist(), **style)
            return
        columns_x, lowest, mean, highest = reduce_to_columns(curve.x, y, columns, x_range)
        for run in _runs(np.isfinite(mean)):
            at, values = columns_x[run], mean[run]
            if curve.kind == "band":
                at, values = np.repeat(at, 2), np.stack([lowest[run], highest[run]], axis=1).ravel()
            draw = plot.scatter if len(at) == 1 else plot.plot
            draw(at.tolist(), values.tolist(), **style)

    def _legend(self, homeless: Sequence[Line | Marker | Shade], width: int, paint: Paint) -> list[Cell]:
        """Marks and labels of the series, and of what found no room for its label in the plot."""
        marks = {"line": "━━", "band": "▒▒", "scatter": "⠢⠔"}
        entries = [(marks[c.kind], c.label, c.colour, False) for c in self._curves if c.label]
        for one in homeless:
            mark = "┄┄" if isinstance(one, Line) else "│" if isinstance(one, Marker) else "  "
            entries.append((mark, one.label, one.colour, isinstance(one, Shade)))
        cells: list[Cell] = []
        for i, (mark, label, colour, shaded) in enumerate(entries):
            text = [*paint.text(mark, colour, shaded=shaded), *paint.text(f" {label}", "foreground")]
            room = width - len(cells) - (2 if i else 0)
            if len(text) > room:
                if room > len(mark) + 3:
                    cells += [
                        *paint.text("  " if i else "", "muted"),
                        *text[: room - 1],
                        ("…", *text[-1][1:]),
                    ]
                break
            cells += [*paint.text("  " if i else "", "muted"), *text]
        return cells

    def _x_axis(self, canvas: Canvas, margin: int, rows: int, paint: Paint) -> list[list[Cell]]:
        """The axis line (where there is a row for it) and the labels of the ticks."""
        width = margin + canvas.columns
        ticks = self._axes.x_ticks
        if ticks is None:
            ticks = _x_ticks(self._axes.x_range, canvas.columns)
        line = [*" " * (margin - 1), "└", *"─" * canvas.columns]
        labels = [" "] * width
        for value, label in ticks:
            if not self._axes.x_range[0] <= value <= self._axes.x_range[1]:
                continue
            column = margin + canvas.column_of(value)
            start = min(max(0, column - (len(label) - 1) // 2), width - len(label))
            if start < 0 or "".join(labels[max(0, start - 1) : start + len(label) + 1]).strip():
                continue
            labels[start : start + len(label)] = label
            line[column] = "┬"
        if rows == 1:
            return [paint.text("".join(labels), "muted")]
        return [paint.text("".join(line), "muted"), paint.text("".join(labels), "muted")]


class Paint:
    """Colours of one drawing, looked up once."""

    def __init__(self, widget: Widget) -> None:
        self._theme = widget.app.theme_variables
        self._set = ON_DARK if widget.app.current_theme.dark else ON_LIGHT
        background = widget.background_colors[1]
        self.background = background.rich_color
        foreground = Color.parse(self._theme.get("foreground", "#808080"))
        self.shade = (background.blend(foreground, 0.13) if not background.ansi else foreground).rich_color
        self._known: dict[str, RichColor] = {}

    def colour(self, name: str) -> RichColor:
        """A colour of the theme or of the colour-blind-safe set by name, or a literal one."""
        known = self._known.get(name)
        if known is None:
            literal = self._theme.get(NAMED.get(name, "")) or self._set.get(name) or name
            known = self._known[name] = RichColor.from_rgb(*Color.parse(literal).rgb)
        return known

    def text(self, text: str, colour: str, *, shaded: bool = False) -> list[Cell]:
        """Cells of a text. Characters are one cell wide each; what is wider becomes a question mark."""
        paint, ground = self.colour(colour), self.shade if shaded else None
        return [(glyph if cell_len(glyph) == 1 else "?", paint, ground) for glyph in text]

    def strip(self, cells: Sequence[Cell], width: int) -> Strip:
        """A strip of exactly `width` cells, equal neighbours as one segment."""
        segments: list[Segment] = []
        run = ""
        colours: tuple[RichColor | None, RichColor | None] = (None, None)
        for glyph, fore, back in (*cells[:width], *[(" ", None, None)] * (width - len(cells))):
            now = (None if glyph == " " else fore, back)
            if now != colours and run:
                segments.append(self._segment(run, *colours))
                run = ""
            run, colours = run + glyph, now
        segments.append(self._segment(run, *colours))
        return Strip(segments, width)

    def _segment(self, text: str, fore: RichColor | None, back: RichColor | None) -> Segment:
        return Segment(text, Style(color=fore, bgcolor=back or self.background))


class Canvas:
    """The area between the axes: dots on top, and under them shades, lines, markers and labels."""

    def __init__(
        self, axes: Axes, dots: list[list[Cell | None]], per_cell: tuple[int, int], paint: Paint
    ) -> None:
        self.columns, self.rows = len(dots[0]), len(dots)
        self._per_cell = per_cell
        self.cells: list[list[Cell]] = [[(" ", None, None)] * self.columns for _ in dots]
        self._axes, self._dots, self._paint = axes, dots, paint
        self._written: set[tuple[int, int]] = set()

    def column_of(self, x: float) -> int:
        """The cell column of x: the one in which plotext puts its dot."""
        low, high = self._axes.x_range
        dots = self._per_cell[0]
        return int(0.5 + (dots * self.columns - 1) * (x - low) / (high - low)) // dots

    def row_of(self, y: float) -> int:
        """The cell row of y (log10 on a logarithmic axis), counted from the top."""
        low, high = self._axes.y_range
        dots = self._per_cell[1]
        return self.rows - 1 - int(0.5 + (dots * self.rows - 1) * (y - low) / (high - low)) // dots

    def draw(self) -> list[Line | Marker | Shade]:
        """Draw everything; returns what has a label that found no room."""
        axes = self._axes
        shades = [shade for shade in axes.shades if self._draw_shade(shade)]
        lines = [line for line in axes.lines if self._draw_line(line)]
        markers = [marker for marker in axes.markers if self._draw_marker(marker)]
        homeless: list[Line | Marker | Shade] = [line for line in lines if not self._label_line(line)]
        homeless += [marker for marker in markers if not self._label_marker(marker)]
        homeless += [shade for shade in shades if not self._label_shade(shade)]
        for y, row in enumerate(self._dots):
            for x, dot in enumerate(row):
                if dot is not None:
                    self.cells[y][x] = (dot[0], dot[1], self.cells[y][x][2])
        return homeless

    def _span(self, shade: Shade) -> tuple[int, int]:
        """First column of a shade and the one after its last."""
        low, high = self._axes.x_range
        return self.column_of(max(shade.start, low)), self.column_of(min(shade.end, high)) + 1

    def _draw_shade(self, shade: Shade) -> bool:
        low, high = self._axes.x_range
        if shade.end <= low or shade.start >= high or shade.end <= shade.start:
            return False
        for row in self.cells:
            for x in range(*self._span(shade)):
                row[x] = (row[x][0], row[x][1], self._paint.shade)
        return True

    def _draw_line(self, line: Line) -> bool:
        y = self._y_of(line)
        if not self._axes.y_range[0] <= y <= self._axes.y_range[1]:
            return False
        row = self.cells[self.row_of(y)]
        colour = self._paint.colour(line.colour)
        row[:] = [("┄", colour, background) for _, _, background in row]
        return True

    def _draw_marker(self, marker: Marker) -> bool:
        if not self._axes.x_range[0] <= marker.x <= self._axes.x_range[1]:
            return False
        x, colour = self.column_of(marker.x), self._paint.colour(marker.colour)
        for y, row in enumerate(self.cells):
            row[x] = ("│", colour, row[x][2])
            self._written.add((x, y))
        return True

    def _y_of(self, line: Line) -> float:
        return _log10(line.y) if self._axes.log_y else line.y

    def _free(self, x: int, y: int, length: int) -> bool:
        """Whether `length` cells from (x, y) hold neither data nor another word."""
        if x < 0 or x + length > self.columns:
            return False
        return all(self._dots[y][i] is None and (i, y) not in self._written for i in range(x, x + length))

    def _write(self, text: str, x: int, y: int, colour: str) -> None:
        for i, (glyph, fore, _) in enumerate(self._paint.text(text, colour), x):
            self.cells[y][i] = (glyph, fore, self.cells[y][i][2])
            self._written.add((i, y))

    def _write_first_free(self, text: str, places: Sequence[tuple[int, int]], colour: str) -> bool:
        for x, y in places:
            if self._free(x, y, len(text)):
                self._write(text, x, y, colour)
                return True
        return False

    def _label_line(self, line: Line) -> bool:
        """In the line, as far right as it is free."""
        if not line.label:
            return True
        y, text = self.row_of(self._y_of(line)), f" {line.label} "
        rightmost = self.columns - len(text) - 1
        return self._write_first_free(text, [(x, y) for x in range(rightmost, -1, -1)], line.colour)

    def _label_marker(self, marker: Marker) -> bool:
        """Beside the line, in the highest row that is free on one side."""
        if not marker.label:
            return True
        x, text = self.column_of(marker.x), f" {marker.label} "
        places = [(at, y) for y in range(self.rows) for at in (x + 1, x - len(text))]
        return self._write_first_free(text, places, marker.colour)

    def _label_shade(self, shade: Shade) -> bool:
        """In the middle of the shade, in the highest row that is free."""
        if not shade.label:
            return True
        start, end = self._span(shade)
        if end - start < len(shade.label):
            return False
        x = (start + end - len(shade.label)) // 2
        return self._write_first_free(shade.label, [(x, y) for y in range(self.rows)], shade.colour)


def reduce_to_columns(
    x: Floats, y: Floats, columns: int, x_range: Range
) -> tuple[Floats, Floats, Floats, Floats]:
    """Lowest, mean and highest y in each of `columns` equal parts of `x_range`.

    Args:
        x: (n,), in any order.
        y: (n,); NaN is left out of its column, and a column with nothing but NaN is NaN: a gap.
        columns: at least 1. With no more points than columns the points come back as they are.
        x_range: limits; points outside are left out.

    Returns:
        places, low, mean, high: (m,) each, m ≤ columns, places rising; columns without any point are left
            out.
    """
    inside = (x >= x_range[0]) & (x <= x_range[1])
    x, y = x[inside], y[inside]
    if np.any(x[1:] < x[:-1]):
        order = np.argsort(x, kind="stable")
        x, y = x[order], y[order]
    if len(x) <= columns:
        return x, y, y, y
    width = (x_range[1] - x_range[0]) / columns
    column = np.minimum(((x - x_range[0]) / width).astype(np.intp), columns - 1)
    starts = np.flatnonzero(np.diff(column, prepend=-1))
    counts = np.add.reduceat(np.isfinite(y), starts)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.add.reduceat(np.where(np.isfinite(y), y, 0.0), starts) / counts
    low, high = np.fmin.reduceat(y, starts), np.fmax.reduceat(y, starts)
    return x_range[0] + (column[starts] + 0.5) * width, low, mean, high


def _distinct_dots(
    x: Floats, y: Floats, columns: int, rows: int, x_range: Range, y_range: Range
) -> tuple[Floats, Floats]:
    """One point for each dot that the points light."""
    good = np.isfinite(y) & (x >= x_range[0]) & (x <= x_range[1])
    x, y = x[good], y[good]
    across = np.rint((x - x_range[0]) / (x_range[1] - x_range[0]) * (columns - 1)).astype(np.int64)
    up = np.rint((y - y_range[0]) / (y_range[1] - y_range[0]) * (rows - 1)).astype(np.int64)
    _, first = np.unique(np.stack([across, up]), axis=1, return_index=True)
    return x[first], y[first]


def _cells_of_ansi(text: str, columns: int, rows: int) -> list[list[Cell | None]]:
    """What plotext built, cell by cell; None where it drew nothing. Its only codes are 38;2;r;g;b and 0."""
    cells: list[list[Cell | None]] = []
    for line in text.split("\n")[:rows]:
        row: list[Cell | None] = []
        colour: RichColor | None = None
        for code, glyphs in re.findall(r"\x1b\[([\d;]*)m|([^\x1b]+)", line):
            if glyphs:
                row += [None if glyph == " " else (glyph, colour, None) for glyph in glyphs]
            elif code.startswith("38;2;"):
                colour = RichColor.from_rgb(*(int(part) for part in code.split(";")[2:5]))
            else:
                colour = None
        cells.append([*row[:columns], *[None] * (columns - len(row))])
    return cells


def round_ticks(low: float, high: float, most: int) -> list[float]:
    """Round numbers 1, 2, 2.5 or 5 × 10ⁿ apart within [low, high]: no more than `most`, but two at least."""
    if not high > low:
        return [low]
    exponent = math.floor(math.log10(high - low))
    steps = [m * 10.0**e for e in (exponent, exponent - 1, exponent - 2) for m in (10, 5, 2.5, 2, 1)]
    ticks = [low]
    for step in steps:  # from coarse to fine
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first + 1 > most and len(ticks) > 1:
            break
        ticks = [round(k * step, 12) + 0.0 for k in range(first, last + 1)]
    return ticks


def _x_ticks(x_range: Range, columns: int) -> tuple[tuple[float, str], ...]:
    """As many round numbers as stand apart by three cells at least."""
    ticks = round_ticks(*x_range, 2)
    for most in range(3, columns // 4):
        finer = round_ticks(*x_range, most)
        if len(finer) > 1 and max(len(_number(v)) for v in finer) + 3 > columns / (len(finer) - 1):
            break
        ticks = finer
    return tuple((value, _number(value)) for value in ticks)


def _y_ticks(y_range: Range, rows: int, log: bool) -> list[tuple[float, str]]:
    """Round values, at decades on a logarithmic axis, no closer than two rows."""
    low, high = y_range
    most = max(2, (rows + 1) // 2)
    if not log:
        return [(value, _number(value)) for value in round_ticks(low, high, min(most, 6))]
    decades = range(math.ceil(low - 1e-9), math.floor(high + 1e-9) + 1)
    if len(decades) >= 2:
        every = -(-len(decades) // most)
        return [(float(decade), _number(10.0**decade)) for decade in decades if decade % every == 0]
    exponents = range(math.floor(low), math.ceil(high) + 1)
    for digits in ((1, 10), (1, 3, 10), (1, 2, 5, 10), range(1, 11)):
        values = sorted({digit * 10.0**exponent for exponent in exponents for digit in digits})
        inside = [(_log10(value), _number(value)) for value in values if low <= _log10(value) <= high]
        if len(inside) >= 2:
            return inside[:: -(-len(inside) // most)]
    return [(_log10(value), _number(value)) for value in round_ticks(10.0**low, 10.0**high, most)]


def _number(value: float) -> str:
    """A short form: 0.05, 20 000, 1e-6."""
    if value and not 1e-4 <= abs(value) < 1e6:
        return re.sub(r"e([+-])0*", lambda found: "e" + found[1].replace("+", ""), f"{value:.3g}")
    if abs(value) >= 1e4 and value == int(value):
        return grouped(int(value))
    return f"{value:.6g}"


def _curve(one: Series, log_y: bool) -> Curve:
    x, y = np.array(one.x, np.float64), np.array(one.y, np.float64)
    if x.shape != y.shape or x.ndim != 1:
        raise ValueError(f"x and y of a series must be (n,) each, got {x.shape} and {y.shape}")
    y[~np.isfinite(y)] = np.nan
    if log_y:
        positive = y > 0
        y = np.log10(y, where=positive, out=np.full_like(y, np.nan))
    return Curve(x, y, one.label, one.colour, one.kind)


def _checked(limits: Range) -> Range:
    low, high = float(limits[0]), float(limits[1])
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(f"a range must rise from a finite number to a larger one, got {limits}")
    return low, high


def _limits(arrays: Sequence[Floats]) -> Range:
    """Lowest and highest finite value: 0 to 1 without any, some room around one alone."""
    finite = [array[np.isfinite(array)] for array in arrays]
    parts = [array for array in finite if len(array)]
    if not parts:
        return 0.0, 1.0
    low, high = min(float(array.min()) for array in parts), max(float(array.max()) for array in parts)
    room = max(0.5, abs(low) * 0.05) if high - low <= 1e-12 * max(1.0, abs(low)) else 0.0
    return low - room, high + room


def _y_limits(wanted: Range | None, log_y: bool, values: list[Floats], lines: Sequence[Line]) -> Range:
    take: Callable[[float], float] = _log10 if log_y else float
    if wanted is not None:
        return _checked((take(wanted[0]), take(wanted[1])))
    low, high = _limits([*values, np.array([take(line.y) for line in lines])])
    margin = 0.04 * (high - low)
    return low - margin, high + margin


def _runs(good: NDArray[np.bool_]) -> list[slice]:
    """The stretches of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], good, [False]]).astype(np.int8)))
    return [slice(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _log10(value: float) -> float:
    return math.log10(value) if value > 0 else -math.inf
