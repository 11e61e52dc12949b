"""The colours of cells as small integers, and cells as segments with these colours.

An ink is a level of the grey ramp (0 to 25), the widget's background, its accent, one of the sixteen ANSI
colours, or any colour at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from rich.color import Color
from rich.segment import Segment
from rich.style import Style

from difftui.ui.half_blocks import BACKGROUND, RAMP, Cell
from difftui.ui.lean_strip import ANSI_16, BLANK, FULL_BLOCK

__all__ = ["ACCENT", "ANSI", "BACKGROUND", "BLACK", "EMPTY", "RGB", "WHITE", "CellPalette", "cell_palette"]

ACCENT = 31
"""The frame around a chosen image."""
ANSI = 32
"""ANSI + n is colour n of the sixteen."""
RGB = 256
"""RGB + 0xRRGGBB is that colour."""

BLACK, WHITE = 0, len(RAMP) - 1
EMPTY: Cell = (BLANK, BACKGROUND, BACKGROUND)

MOST_KNOWN = 8192
"""Segments kept; full-colour noise makes new ones without end."""


class CellPalette:
    """Segments of cells for one background and one accent colour, made once."""

    def __init__(self, background: Color, accent: Color) -> None:
        self._background = background
        self._accent = accent
        self._segments: dict[Cell, Segment] = {}
        self._styles: dict[tuple[int, int], Style] = {}

    def segments(self, cells: Sequence[Cell]) -> list[Segment]:
        """Segments for a row; equal neighbours share one."""
        known = self._segments
        row: list[Segment] = []
        count, previous = 0, None
        for cell in cells:
            if cell == previous:
                count += 1
                row[-1] = Segment(cell[0] * count, row[-1].style)
                continue
            segment = known.get(cell)
            if segment is None:
                if len(known) >= MOST_KNOWN:
                    known.clear()
                    self._styles.clear()
                segment = known[cell] = self._segment(cell)
            row.append(segment)
            count, previous = 1, cell
        return row

    def _segment(self, cell: Cell) -> Segment:
        glyph, fore, back = cell
        # Blank and full block show one colour; both attributes get it, so that filters and overlays see no
        # other.
        if glyph == BLANK:
            fore = back
        elif glyph == FULL_BLOCK:
            back = fore
        style = self._styles.get((fore, back))
        if style is None:
            style = self._styles[fore, back] = Style.from_color(self._colour(fore), self._colour(back))
        return Segment(glyph, style)

    def _colour(self, ink: int) -> Color:
        if ink < BACKGROUND:
            return Color.from_rgb(RAMP[ink], RAMP[ink], RAMP[ink])
        if ink >= RGB:
            colour = ink - RGB
            return Color.from_rgb(colour >> 16, colour >> 8 & 255, colour & 255)
        if ink >= ANSI:
            return Color.from_rgb(*ANSI_16[ink - ANSI])
        return self._background if ink == BACKGROUND else self._accent


@lru_cache(maxsize=16)
def cell_palette(background: Color, accent: Color) -> CellPalette:
    """The palette for a widget with these two colours."""
    return CellPalette(background, accent)
