"""The cells of a plot: what lies under the dots and beside them, so that no word and no line hides data."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from rich.cells import cell_len
from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.strip import Strip
from textual.widget import Widget

from difftui.ui.plotting.records import Floats, Glow, Line, Marker, Note, Range, Shade
from difftui.ui.plotting.ticks import log10
from difftui.ui.theme import GLOW, SHADE, series

__all__ = ["Axes", "Canvas", "Cell", "Paint"]

MOST_NARROW_NOTE = 34
GLOWS = 4  # steps of a glow
CURSOR, CURSOR_ACROSS = "┃", "━"
PLAIN_SHADE = "░"  # where no colour can shade

NAMED = {"accent": "accent", "noise": "secondary", "muted": "muted", "foreground": "foreground",
         "success": "success", "error": "error"}  # fmt: skip


@dataclass(frozen=True)
class Axes:
    """What surrounds the curves: limits (y as log10 on a logarithmic axis) and what is drawn under them."""

    x_range: Range
    y_range: Range
    log_y: bool
    lines: tuple[Line, ...]
    markers: tuple[Marker, ...]
    shades: tuple[Shade, ...]
    notes: tuple[Note, ...]
    x_ticks: tuple[tuple[float, str], ...] | None
    glow: Glow | None = None
    cursor: float | None = None
    cursor_along: Literal["x", "y"] = "x"


Cell = tuple[str, RichColor | None, RichColor | None]
"""Glyph, foreground, background; None is the widget's own."""


def nearest(places: Floats, wanted: Floats) -> NDArray[np.intp]:
    """Index of the place nearest to each wanted one; places rise, and are two at least."""
    above = np.clip(np.searchsorted(places, wanted), 1, len(places) - 1)
    return above - (wanted - places[above - 1] < places[above] - wanted)


class Paint:
    """Colours of one drawing, looked up once."""

    def __init__(self, widget: Widget) -> None:
        self._theme = widget.app.theme_variables
        self._dark = widget.app.current_theme.dark
        background = widget.background_colors[1]
        self.background = background.rich_color
        self.plain = background.ansi is not None  # NO_COLOR
        foreground = Color.parse(self._theme.get("foreground", "#808080"))
        self.shade = (background.blend(foreground, SHADE) if not background.ansi else foreground).rich_color
        self.glows = [
            background.blend(foreground, GLOW * level / GLOWS).rich_color for level in range(GLOWS + 1)
        ]
        self._known: dict[str, RichColor] = {}

    def colour(self, name: str) -> RichColor:
        """A colour of the theme or of the colour-blind-safe set by name, or a literal one."""
        known = self._known.get(name)
        if known is None:
            own = self._theme.get(NAMED.get(name, "")) or series(name, self._theme, dark=self._dark)
            known = self._known[name] = Color.parse(own or name).rich_color
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
        return Segment(text, _style(fore, back or self.background))


@lru_cache(maxsize=4096)
def _style(fore: RichColor | None, back: RichColor | None) -> Style:
    """Kept, since a cloud of points has hundreds of segments in a handful of styles."""
    return Style(color=fore, bgcolor=back)


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
        self._ruled: set[int] = set()  # rows of reference lines

    def column_of(self, x: float) -> int:
        """The cell column of x: the one that has its dot."""
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
        if axes.glow is not None and not self._paint.plain:
            self._draw_glow(axes.glow)
        shades = [shade for shade in axes.shades if self._draw_shade(shade)]
        lines = [line for line in axes.lines if self._draw_line(line)]
        markers = [marker for marker in axes.markers if self._draw_marker(marker)]
        homeless: list[Line | Marker | Shade] = [line for line in lines if not self._label_line(line)]
        homeless += [marker for marker in markers if not self._label_marker(marker)]
        homeless += [shade for shade in shades if not self._label_shade(shade)]
        for note in axes.notes:
            self._draw_note(note)
        if axes.cursor is not None:
            self._draw_cursor(axes.cursor)
        for y, row in enumerate(self._dots):
            for x, dot in enumerate(row):
                if dot is not None:
                    self.cells[y][x] = (dot[0], dot[1], dot[2] or self.cells[y][x][2])
        return homeless

    def _span(self, shade: Shade) -> tuple[int, int]:
        """First column of a shade and the one after its last."""
        low, high = self._axes.x_range
        return self.column_of(max(shade.start, low)), self.column_of(min(shade.end, high)) + 1

    def _draw_glow(self, glow: Glow) -> None:
        """Each cell's ground by the nearest place of the glow; in few steps, so that neighbours are alike."""
        (left, right), (low, high) = self._axes.x_range, self._axes.y_range
        x = left + (np.arange(self.columns) + 0.5) / self.columns * (right - left)
        y = high - (np.arange(self.rows) + 0.5) / self.rows * (high - low)
        strength = glow.strength[np.ix_(nearest(glow.y, y), nearest(glow.x, x))]
        levels = np.floor(np.clip(strength, 0.0, 1.0) * GLOWS + 0.5).astype(np.intp)
        for row, own in zip(self.cells, levels.tolist(), strict=True):
            for at, level in enumerate(own):
                if level:
                    row[at] = (row[at][0], row[at][1], self._paint.glows[level])

    def _draw_shade(self, shade: Shade) -> bool:
        low, high = self._axes.x_range
        if shade.end <= low or shade.start >= high or shade.end <= shade.start:
            return False
        for row in self.cells:
            for x in range(*self._span(shade)):
                row[x] = (PLAIN_SHADE if self._paint.plain else row[x][0], row[x][1], self._paint.shade)
        return True

    def _draw_line(self, line: Line) -> bool:
        y = self._y_of(line)
        if not self._axes.y_range[0] <= y <= self._axes.y_range[1]:
            return False
        self._ruled.add(self.row_of(y))
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

    def _draw_cursor(self, place: float) -> None:
        """Under data and words: it comes and goes, and moves none of them."""
        colour = self._paint.colour("foreground")
        if self._axes.cursor_along == "y":
            y = self.row_of(place)
            row = self.cells[y]
            for x, (_, _, ground) in enumerate(row):
                if (x, y) not in self._written or row[x][0] == "│":
                    row[x] = (CURSOR_ACROSS, colour, ground)
            return
        x = self.column_of(place)
        for y, row in enumerate(self.cells):
            if (x, y) not in self._written or row[x][0] == "│":
                row[x] = (CURSOR, colour, row[x][2])

    def _y_of(self, line: Line) -> float:
        return log10(line.y) if self._axes.log_y else line.y

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

    def _draw_note(self, note: Note) -> None:
        """Broken into lines of half the width at least, in the highest rows that are free of data."""
        lines = textwrap.wrap(note.text, max(MOST_NARROW_NOTE, self.columns // 2))
        longest = max(map(len, lines))
        x = self.columns - longest - 1
        for y in range(self.rows - len(lines) + 1):
            rows = range(y, y + len(lines))
            if self._ruled.isdisjoint(rows) and all(self._free(x - 1, row, longest + 2) for row in rows):
                for i, line in enumerate(lines):
                    self._write(line, x, y + i, note.colour)
                return
