"""Curves in the terminal, drawn in braille dots: only what changed is drawn and sent.

A curve is first reduced to the columns of dots that there are. Axes, round ticks, the logarithmic scale,
reference lines, markers, shaded ranges and notes are laid around and *under* the dots, so that no word and no
line ever hides data. A plot that can be zoomed keeps apart the data, their bounds and the view: new data do
not move what somebody looks at.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from rich.color import Color as RichColor
from textual.events import Click, Leave, MouseDown, MouseMove, MouseScrollDown, MouseScrollUp, MouseUp, Resize
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from difftui.pixel_modes import PixelMode
from difftui.ui.lean_strip import LeanStrip
from difftui.ui.pixels.display import PixelApp, has_all_characters
from difftui.ui.plotting.canvas import Axes, Canvas, Cell, Paint
from difftui.ui.plotting.raster import DOTS, PATTERNS, Curve, glyphs_of
from difftui.ui.plotting.reading import next_place, place_near
from difftui.ui.plotting.records import Floats, Glow, Line, Marker, Note, Pattern, Range, Series, Shade
from difftui.ui.plotting.ticks import log10, x_ticks, y_ticks
from difftui.ui.plotting.viewport import Viewport
from difftui.ui.plotting.words import Look, legend, read_out
from difftui.ui.theme import HIGH_CONTRAST

__all__ = ["CurvePlot", "Glow", "Line", "Marker", "Note", "Series", "Shade"]

LEAST_COLUMNS, LEAST_ROWS = 12, 3
"""A smaller widget stays empty."""

LEAST_POINTS = 6  # in the closest view
POINT_SECONDS = 0.04  # between two places to which the mouse moves the cursor


class CurvePlot(Widget):
    """A plot of curves. Draws, and sends, only what changed.

    Set `border_title` for the title. The legend is a line of text above the plot, where it hides no data.

    Attributes:
        zoomable: whether the mouse zooms (wheel), moves (drag) and shows everything again (double click).
        x_name: what x is, for the read-out; empty where ``place_words`` says so.
        place_words: what a place is called in the read-out; None is its figure.
        viewport: which x are shown, where `set_series` is given no limits.
    """

    DEFAULT_CSS = """
    CurvePlot { width: 1fr; height: 1fr; }
    """
    ALLOW_SELECT = False

    class Pointed(Message):
        """The mouse came to a place, or left.

        Attributes:
            plot: the widget.
            x: the place of its cursor now; None: it was put away.
        """

        def __init__(self, plot: CurvePlot, x: float | None) -> None:
            super().__init__()
            self.plot = plot
            self.x = x

        @property
        def control(self) -> CurvePlot:
            return self.plot

    class Picked(Message):
        """A place was clicked.

        Attributes:
            plot: the widget.
            x: of the data point nearest to it.
        """

        def __init__(self, plot: CurvePlot, x: float) -> None:
            super().__init__()
            self.plot = plot
            self.x = x

        @property
        def control(self) -> CurvePlot:
            return self.plot

    class Moved(Message):
        """The mouse or a call of :meth:`zoom`, :meth:`pan` or :meth:`show_all` changed the view."""

        def __init__(self, plot: CurvePlot) -> None:
            super().__init__()
            self.plot = plot

        @property
        def control(self) -> CurvePlot:
            return self.plot

    def __init__(
        self,
        *,
        glyphs: str | None = None,
        zoomable: bool = False,
        x_name: str = "",
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """Make an empty plot.

        Args:
            glyphs: what the dots are made of: "braille", "fhd" (sextants), "hd" (quadrants), "dot" or
                "ascii"; None is braille where the app's terminal has it, else ASCII.
            zoomable: see the attributes.
            x_name: what x is, for the read-out; plots of one screen that share it are read together.

        Raises:
            ValueError: other glyphs.
        """
        self._entitling = False
        super().__init__(name=name, id=id, classes=classes)
        if glyphs is not None and glyphs not in DOTS:
            raise ValueError(f"glyphs must be one of {', '.join(DOTS)}, not {glyphs!r}")
        self.zoomable = zoomable
        self.x_name = x_name
        self.place_words: Callable[[float], str] | None = None
        self.viewport = Viewport()
        self._glyphs = glyphs or "braille"
        self._follows_app = glyphs is None
        self._curves: tuple[Curve, ...] = ()
        self._bounds: Range = (0.0, 1.0)
        self._y_wanted: Range | None = None
        self._axes = Axes((0.0, 1.0), (0.0, 1.0), False, (), (), (), (), None)
        self._dots_key: tuple[object, ...] = ()
        self._dots: list[list[Cell | None]] = []
        self._canvas_at: tuple[int, int] = (0, 1)  # first column and width of the canvas
        self._dragged_from: int | None = None
        self._titles: tuple[str, str] | None = None
        self._cells: list[list[Cell]] = []
        self._pointed_at: tuple[int, int] | None = None
        self._canvas_top = self._canvas_height = 0
        self._point_is_due = False
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
        notes: Sequence[Note] = (),
        x_ticks: Sequence[tuple[float, str]] | None = None,
        glow: Glow | None = None,
    ) -> None:
        """Show these curves; nothing is drawn where nothing changed.

        Args:
            series: the curves, later ones over earlier ones; none leaves the plot empty.
            x_range, y_range: limits of the axes; None fits the data (and the lines) that are in view.
            log_y: logarithmic y axis; values that are not positive become gaps.
            lines, markers, shades: horizontal lines, vertical lines, and ranges of x set apart.
            notes: sentences where there is room.
            x_ticks: (position, label) pairs; None chooses round numbers.
            glow: a lighter ground under everything. It is taken to be the same while it is the same object.

        Raises:
            ValueError: x, y, low and high of a series differ in length, or a range is empty (or not positive
                on a log axis).
        """
        curves = _curves(series, log_y)
        bounds = _checked(x_range) if x_range is not None else _limits([_across(curve) for curve in curves])
        same_points = len(curves) == len(self._curves) and all(
            new.same_points(old) for new, old in zip(curves, self._curves, strict=True)
        )
        labels_changed = [c.label for c in curves] != [c.label for c in self._curves]
        shown = self.viewport.over(bounds)
        axes = Axes(
            shown, _y_limits(y_range, log_y, curves, shown, lines if self.viewport.live else ()), log_y,
            tuple(lines), tuple(markers), tuple(shades), tuple(notes),
            None if x_ticks is None else tuple(x_ticks), glow,
            self._axes.cursor, "y" if curves and all(curve.along == "y" for curve in curves) else "x",
        )  # fmt: skip
        self._bounds, self._y_wanted = bounds, y_range
        if same_points and axes == self._axes and not labels_changed:
            return
        self._curves, self._axes = curves, axes
        if not same_points:
            self._dots_key = ()
        self._redraw()

    def entitle(self, title: str, subtitle: str = "") -> None:
        """Call it so in its border, above and below, in markup. Draws, and sends, no more than that."""
        if (title, subtitle) != self._titles:
            self._titles = title, subtitle
            self._entitling = True
            self.border_title, self.border_subtitle = title, subtitle
            self._entitling = False

    def refresh(
        self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False
    ) -> Self:
        if self._entitling:  # Textual would draw all of it
            width, height = self.outer_size
            left, top = -self.gutter.left, -self.gutter.top
            regions = (Region(left, top, width, 1), Region(left, top + height - 1, width, 1))
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def dots_high(self, *, legend: bool) -> int:
        """Rows of dots that curves have at this size; 0 where there is no room.

        Args:
            legend: whether a series has a label.
        """
        rows = self._canvas_rows(int(legend))[0]
        return rows * DOTS[self._glyphs][1] if rows >= LEAST_ROWS else 0

    # Reading values.

    @property
    def cursor(self) -> float | None:
        """Where values are read: the x of a data point; None: nowhere."""
        return self._axes.cursor

    @property
    def has_curves(self) -> bool:
        """Whether there is anything to read."""
        return any(len(curve.x) for curve in self._curves)

    @property
    def _along(self) -> Literal["x", "y"]:
        """The axis over which the curves are: the cursor moves along it."""
        return self._axes.cursor_along

    @property
    def _readable_range(self) -> Range:
        return self.shown if self._along == "x" else self._axes.y_range

    def read_at(self, x: float | None) -> None:
        """Show the values at the data point nearest to ``x``, or (None) put the cursor away.

        Where all curves lie on their side this is a y.
        """
        place = None if x is None else place_near(self._curves, x, self._readable_range, self._along)
        if place != self._axes.cursor:
            self._axes = replace(self._axes, cursor=place)
            self._redraw()

    def read_on(self, steps: int) -> None:
        """Move the cursor by columns of dots, and by a data point at least; it starts in the middle."""
        low, high = self._readable_range
        if self.cursor is None:
            self.read_at((low + high) / 2)
            return
        wide, tall = DOTS[self._glyphs]
        dots = self._canvas_at[1] * wide if self._along == "x" else self._canvas_height * tall
        by = steps * (high - low) / max(1, dots - 1)
        place = next_place(self._curves, self.cursor, by, (low, high), self._along)
        if place is not None:
            self.read_at(place)

    def mark(self, index: int) -> str:
        """What stands for a curve in the legend; for titles that are the legend. Empty where colours tell."""
        look = self._style_of_curves
        return look.mark_of(self._curves[index]) if look.patterned and index < len(self._curves) else ""

    # The view.

    @property
    def shown(self) -> Range:
        """The limits of x that are drawn."""
        return self._axes.x_range

    def zoom(self, steps: float, anchor: float = 1.0) -> None:
        """Look closer by 1.5 a step, or (negative) from further away.

        Args:
            steps: how far.
            anchor: the point that stays in its place, as a share of the width from the left. At 1, the right
                edge, a view that follows new data goes on to do so.
        """
        self._look(self.viewport.zoomed(self._bounds, steps, anchor=anchor, least=self._least_width()))

    def pan(self, share: float) -> None:
        """Move by a share of what is shown; at the newest data the view follows them again."""
        self._look(self.viewport.panned(self._bounds, share))

    def show_all(self) -> None:
        """Everything there is, new data included."""
        self._look(Viewport())

    def _look(self, viewport: Viewport) -> None:
        if viewport == self.viewport:
            return
        self.viewport = viewport
        axes = self._axes
        shown = viewport.over(self._bounds)
        lines = axes.lines if viewport.live else ()
        y_range = _y_limits(self._y_wanted, axes.log_y, self._curves, shown, lines)
        self._axes = replace(axes, x_range=shown, y_range=y_range)
        self._redraw()
        self.post_message(self.Moved(self))

    def _least_width(self) -> float:
        """The width of a few points of the finest curve: closer there is nothing to see."""
        whole = self._bounds[1] - self._bounds[0]
        return LEAST_POINTS * whole / max([1, *(len(curve.x) for curve in self._curves)])

    def x_at(self, column: int) -> float:
        """The x in the middle of a column of the widget, border included; the nearest that is shown."""
        low, high = self._axes.x_range
        return low + self._share_at(column) * (high - low)

    def _place_at(self, column: int, row: int) -> float:
        """The place on the axis of the curves at a cell of the widget, border included."""
        if self._along == "x":
            return self.x_at(column)
        low, high = self._axes.y_range
        at = (row - self.gutter.top - self._canvas_top + 0.5) / max(1, self._canvas_height)
        return high - min(max(at, 0.0), 1.0) * (high - low)

    def _share_at(self, x: int) -> float:
        """How far along the canvas a column of the widget is, 0 to 1."""
        start, columns = self._canvas_at
        return min(max((x - self.gutter.left - start) / max(1, columns - 1), 0.0), 1.0)

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        self._wheel(event, 1)

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        self._wheel(event, -1)

    def _wheel(self, event: MouseScrollUp | MouseScrollDown, steps: int) -> None:
        if self.zoomable and self._curves:
            event.stop()
            self.zoom(steps, self._share_at(event.x))

    def on_leave(self, event: Leave) -> None:
        self._point_soon(None)

    def _point_soon(self, at: tuple[int, int] | None) -> None:
        """Put the cursor there, not more often than anyone can see."""
        self._pointed_at = at
        if not self._point_is_due and self._curves:
            self._point_is_due = True
            self.set_timer(POINT_SECONDS, self._point)

    def _point(self) -> None:
        self._point_is_due = False
        self.read_at(None if self._pointed_at is None else self._place_at(*self._pointed_at))
        self.post_message(self.Pointed(self, self.cursor))

    def on_mouse_down(self, event: MouseDown) -> None:
        self._point_soon((event.x, event.y))
        if self.zoomable and event.button == 1:
            self.capture_mouse()
            self._dragged_from = event.x

    def on_mouse_move(self, event: MouseMove) -> None:
        self._point_soon((event.x, event.y))
        if self._dragged_from is not None and event.x != self._dragged_from:
            self.pan((self._dragged_from - event.x) / max(1, self._canvas_at[1]))
            self._dragged_from = event.x

    def on_mouse_up(self, event: MouseUp) -> None:
        if self._dragged_from is not None:
            self.capture_mouse(False)
            self._dragged_from = None

    def on_click(self, event: Click) -> None:
        if self.zoomable and event.chain == 2:
            self.show_all()
        elif event.chain == 1:
            place = place_near(self._curves, self.x_at(event.x), self.shown)
            if place is not None:
                self.post_message(self.Picked(self, place))

    # When to draw.

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, lambda _theme: self._recolour())
        if self._follows_app and isinstance(self.app, PixelApp):
            self.watch(self.app, "pixel_mode", self._follow)

    def _follow(self) -> None:
        """Draw with what the terminal has."""
        self._glyphs = "braille" if has_all_characters(self.app) else "ascii"
        self._recolour()

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
        """Make the lines anew and refresh the part of each that differs."""
        if not self.size or not self.is_attached:
            return
        paint, width = Paint(self), self.size.width
        old, self._cells = self._cells, self._draw(paint)
        if len(old) != len(self._cells) or paint.background != self._ground:
            self._ground = paint.background
            self._lines = [paint.strip(cells, width) for cells in self._cells]
            self.refresh()
            return
        regions: list[Region] = []
        for y, (before, now) in enumerate(zip(old, self._cells, strict=True)):
            if before != now or self._lines[y].cell_length != width:
                self._lines[y] = paint.strip(now, width)
                regions.append(_changed_part(before, now, y, width))
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

    def _draw(self, paint: Paint) -> list[list[Cell]]:
        width, height = self.size
        legend_rows = int(any(curve.label for curve in self._curves))
        rows, axis_rows = self._canvas_rows(legend_rows)
        if width < LEAST_COLUMNS or rows < LEAST_ROWS or not self._curves:
            return [[] for _ in range(height)]
        axes = self._axes
        ticks = y_ticks(axes.y_range, rows, axes.log_y)
        margin = max(len(label) for _, label in ticks) + 1
        if not self._reads:
            axes = replace(axes, cursor=None)
        canvas = Canvas(axes, self._dots_of(width - margin, rows, paint), DOTS[self._glyphs], paint)
        self._canvas_at = margin, canvas.columns
        self._canvas_top, self._canvas_height = legend_rows, canvas.rows
        homeless = canvas.draw()
        lines: list[list[Cell]] = []
        if legend_rows:
            lines.append(legend(self._curves, homeless, self._style_of_curves, width, paint))
        tick_rows = {canvas.row_of(value): label for value, label in ticks}
        for y, cells in enumerate(canvas.cells):
            label = tick_rows.get(y, "")
            axis = "┤" if y in tick_rows else "│"
            lines.append([*paint.text(f"{label:>{margin - 1}}{axis}", "muted"), *cells])
        lines += self._x_axis(canvas, margin, axis_rows, paint)
        return lines

    def _canvas_rows(self, legend_rows: int) -> tuple[int, int]:
        """Rows of the canvas and of the axis below it."""
        height = self.size.height - legend_rows
        axis_rows = 2 if height >= 8 else 1
        return height - axis_rows, axis_rows

    def _dots_of(self, columns: int, rows: int, paint: Paint) -> list[list[Cell | None]]:
        """The curves as cells of dots; kept while curves, limits, size and colours stay."""
        axes = self._axes
        key = (axes.x_range, axes.y_range, columns, rows)
        if key != self._dots_key:
            self._dots_key = key
            self._dots = self._rasterise(columns, rows, paint)
        return self._dots

    def _rasterise(self, columns: int, rows: int, paint: Paint) -> list[list[Cell | None]]:
        wide, high = DOTS[self._glyphs]
        size, look = (columns * wide, rows * high), self._style_of_curves
        layers = [
            (look.dots_of(curve, *size, self._axes.x_range, self._axes.y_range), curve.kind)
            for curve in self._curves
        ]
        colours = [paint.colour(curve.colour) for curve in self._curves]
        drawn = glyphs_of(layers, self._glyphs)
        return [
            [
                (glyph, colours[owner], paint.shade if covered else None) if owner >= 0 else None
                for glyph, owner, covered in zip(*row, strict=True)
            ]
            for row in zip(drawn.text, drawn.owner, drawn.covered, strict=True)
        ]

    @property
    def _style_of_curves(self) -> Look:
        """Lines are told apart by their dashes where there are no colours, or not for everybody."""
        app = self.app
        plain = self.background_colors[1].ansi is not None or app.console.color_system is None
        mono = isinstance(app, PixelApp) and app.pixel_mode is PixelMode.MONO
        return Look(self._glyphs, plain or mono or app.theme == HIGH_CONTRAST.name)

    def _x_axis(self, canvas: Canvas, margin: int, rows: int, paint: Paint) -> list[list[Cell]]:
        """The axis line (where there is a row for it) and the labels of the ticks."""
        width = margin + canvas.columns
        ticks = self._axes.x_ticks
        if ticks is None:
            ticks = x_ticks(self._axes.x_range, canvas.columns)
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
        last = paint.text("".join(labels), "muted")
        if self.cursor is not None and self._reads:
            read = [curve for curve in self._curves if curve.kind != "ground"]
            last = read_out(
                read, self.cursor, self.x_name or ("" if self.place_words else self._along),
                self._style_of_curves, width, paint, along=self._along, told=self.place_words,
            )  # fmt: skip
        return [last] if rows == 1 else [paint.text("".join(line), "muted"), last]

    @property
    def _reads(self) -> bool:
        """Whether the cursor is within what is shown."""
        cursor, (low, high) = self._axes.cursor, self._readable_range
        return cursor is not None and low <= cursor <= high


def _curves(series: Sequence[Series], log_y: bool) -> tuple[Curve, ...]:
    """As they will be drawn; lines that name no pattern take one after the other."""
    curves, lines = [], 0
    for one in series:
        pattern = one.pattern or (PATTERNS[lines % len(PATTERNS)] if one.kind == "line" else "solid")
        lines += one.kind == "line"
        curves.append(_curve(one, log_y, pattern))
    return tuple(curves)


def _curve(one: Series, log_y: bool, pattern: Pattern) -> Curve:
    places, values = (one.x, one.y) if one.along == "x" else (one.y, one.x)
    log_y = log_y and one.along == "x"
    x, y = np.array(places, np.float64), _values(values, log_y)
    low = y if one.low is None else _values(one.low, log_y)
    high = y if one.high is None else _values(one.high, log_y)
    if (
        x.ndim != 1
        or y.ndim not in (1, 2)
        or x.shape != y.shape[-1:]
        or not y.shape == low.shape == high.shape
    ):
        shapes = ", ".join(str(part.shape) for part in (x, y, low, high))
        raise ValueError(f"x, y, low and high of a series must be (n,) each, or y (k, n), got {shapes}")
    value = np.array(values, np.float64)
    lowest = value if one.low is None else np.array(one.low, np.float64)
    highest = value if one.high is None else np.array(one.high, np.float64)
    return Curve(
        x, y, low, high, one.label, one.colour, one.kind, pattern, value, lowest, highest, one.along
    )  # fmt: skip


def _values(values: ArrayLike, log_y: bool) -> Floats:
    """A copy: log10 where that is asked for; what is not finite is NaN, a gap."""
    y = np.array(values, np.float64)
    y[~np.isfinite(y)] = np.nan
    if log_y:
        positive = y > 0
        y = np.log10(y, where=positive, out=np.full_like(y, np.nan))
    return y


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


def _y_limits(
    wanted: Range | None, log_y: bool, curves: Sequence[Curve], shown: Range, lines: Sequence[Line]
) -> Range:
    """The wanted limits, else those of what lies within `shown`, with a little room."""
    take: Callable[[float], float] = log10 if log_y else float
    if wanted is not None:
        return _checked((take(wanted[0]), take(wanted[1])))
    values = [part for curve in curves for part in _in_view(curve, shown)]
    low, high = _limits([*values, np.array([take(line.y) for line in lines])])
    margin = 0.04 * (high - low)
    return low - margin, high + margin


def _in_view(curve: Curve, shown: Range) -> tuple[Floats, ...]:
    """The positions in y of what lies within these x."""
    if curve.along == "y":
        return (curve.x,)
    inside = (curve.x >= shown[0]) & (curve.x <= shown[1])
    if curve.kind != "band" or curve.low is curve.y:
        return (curve.y[..., inside],)
    return curve.low[inside], curve.high[inside]


def _across(curve: Curve) -> Floats:
    """The positions in x."""
    if curve.along == "x":
        return curve.x
    return np.concatenate([curve.low.ravel(), curve.y.ravel(), curve.high.ravel()])


def _changed_part(before: Sequence[Cell], now: Sequence[Cell], y: int, width: int) -> Region:
    """From the first to the last cell of a line that differs."""
    if len(before) != len(now):
        return Region(0, y, width, 1)
    changed = [x for x, (old, new) in enumerate(zip(before, now, strict=True)) if old != new]
    start, end = min(changed, default=0), min(max(changed, default=width), width - 1)
    return Region(min(start, width - 1), y, max(1, end + 1 - start), 1)
