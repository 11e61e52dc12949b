"""A histogram beside a plot that shares its vertical axis: row by row, how many values fall there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rich.color import Color as RichColor
from textual.strip import Strip
from textual.widget import Widget

from difftui.ui.lean_strip import LeanStrip
from difftui.ui.plotting.canvas import Cell, Paint

__all__ = ["Mark", "SideHistogram"]

DOTS_HIGH = 4  # of the plot's braille cells
EIGHTHS = " ▏▎▍▌▋▊▉█"


@dataclass(frozen=True)
class Mark:
    """A word at the row of a value, at the right end."""

    value: float
    text: str
    colour: str = "muted"


class SideHistogram(Widget):
    """Bars that grow to the right, one a row, in line with the rows of a :class:`CurvePlot` of equal height
    that has a legend. Draws only what changed.
    """

    DEFAULT_CSS = """
    SideHistogram { width: 1fr; height: 1fr; }
    """
    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._values: NDArray[np.floating] = np.zeros(0)
        self._range = (0.0, 1.0)
        self._marks: tuple[Mark, ...] = ()
        self._caption, self._colour = "", "accent"
        self._lines: list[Strip] = []

    def show(
        self,
        values: NDArray[np.floating],
        value_range: tuple[float, float],
        *,
        marks: Sequence[Mark] = (),
        caption: str = "",
        colour: str = "accent",
    ) -> None:
        """Show how often these values fall into each row.

        Args:
            values: (N,); those outside the range are left out.
            value_range: of the vertical axis, as given to the plot beside it.
            marks: words beside bars; where two would share a row, the first has it.
            caption: the line above the bars.
            colour: of the bars, as a plot's series has it.
        """
        self._values, self._range, self._marks = values, value_range, tuple(marks)
        self._caption, self._colour = caption, colour
        self._redraw()

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, lambda _theme: self._redraw())

    def on_resize(self) -> None:
        self._redraw()

    def _redraw(self) -> None:
        if not self.size or not self.is_attached:
            return
        old, self._lines = self._lines, self._draw()
        if old != self._lines:
            self.refresh()

    def render_line(self, y: int) -> Strip:
        if y < len(self._lines):
            return self._lines[y]
        return Strip.blank(self.size.width, self.visual_style.rich_style)

    def _draw(self) -> list[Strip]:
        width, height = self.size
        paint = Paint(self)
        below = 2 if height - 1 >= 8 else 1  # as the plot's axis
        rows = height - 1 - below
        if rows < 3:
            return [paint.strip([], width)] * height
        counts = self.rows_of(self._values, rows, counted=True)
        places: dict[int, Mark] = {}
        for wanted in reversed(self._marks):
            for row in self.rows_of(np.array([wanted.value]), rows).tolist():
                places[row] = wanted
        room = max([len(mark.text) for mark in self._marks], default=0) + 2
        most = max(1, width - room - 1)
        largest = max(1, int(counts.max(initial=0)))
        colour = paint.colour(self._colour)
        lines: list[list[Cell]] = [paint.text(self._caption[:width], "foreground")]
        for row, count in enumerate(counts.tolist()):
            bar = _bar(count / largest * most, colour)
            mark = places.get(row)
            line: list[Cell] = [("│", paint.colour("muted"), None), *bar]
            if mark is not None:
                gap = width - len(line) - len(mark.text) - 1
                line += paint.text("┄" * gap + " " + mark.text, mark.colour)
            lines.append(line)
        lines += [[]] * below
        return [LeanStrip.of(paint.strip(line, width)) for line in lines]

    def rows_of(self, values: NDArray[np.floating], rows: int, *, counted: bool = False) -> NDArray[np.intp]:
        """The row of each value that is in range, from the top; or, counted, how many each row has."""
        low, high = self._range
        inside = values[(values >= low) & (values <= high)]
        dots = np.floor(0.5 + (DOTS_HIGH * rows - 1) * (inside - low) / (high - low)).astype(np.intp)
        found = rows - 1 - dots // DOTS_HIGH
        return np.bincount(found, minlength=rows) if counted else found


def _bar(length: float, colour: RichColor) -> list[Cell]:
    """Whole cells, and an eighth of one where something is too little for a cell."""
    eighths = round(8 * length)
    if length > 0:
        eighths = max(1, eighths)
    glyphs = "█" * (eighths // 8) + (EIGHTHS[eighths % 8] if eighths % 8 else "")
    return [(glyph, colour, None) for glyph in glyphs]
