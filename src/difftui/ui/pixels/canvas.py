"""Cells that know what they show and what they should, so that only those that differ are drawn."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from difftui.ui.half_blocks import Cell
from difftui.ui.pixels.brushes import Brush, Wants
from difftui.ui.pixels.inks import EMPTY

__all__ = ["Canvas"]

BRIDGED = 6
"""So many cells between two that need drawing are drawn too: a span of its own costs 5 bytes and 20 µs."""

_NEVER = -1
"""Shown by no cell."""


class Canvas:
    """A rectangle of cells.

    Cells are made when a row is asked for, not when it is wanted: of frames that nobody looks at none is
    encoded.
    """

    def __init__(self) -> None:
        self._kind = ""
        self._brush: Brush | None = None
        self._wants: Wants = np.zeros((0, 0, 0), np.int64)  # (cell rows, wants a cell, columns)
        self._shown = self._wants
        self._stale: NDArray[np.bool_] = np.zeros((0, 0), np.bool_)
        self._cells: list[list[Cell]] = []

    @property
    def rows(self) -> int:
        return len(self._cells)

    def want(self, brush: Brush, wants: Wants, *, anew: bool = False) -> bool:
        """Take what the cells should show from now on.

        Args:
            brush: what made the wants, and makes the cells.
            wants: (per_cell · rows, columns).
            anew: forget what is shown.

        Returns:
            Whether every cell is new: the size is another, or the kind of drawing.
        """
        height, columns = wants.shape
        self._wants = wants.reshape(height // brush.per_cell, brush.per_cell, columns)
        self._brush = brush
        anew = anew or brush.kind != self._kind or self._wants.shape != self._shown.shape
        if anew:
            self._kind = brush.kind
            self._shown = np.full(self._wants.shape, _NEVER, np.int64)
            self._cells = [[EMPTY] * columns for _ in range(len(self._wants))]
            self._stale = np.ones((len(self._wants), columns), np.bool_)
        else:
            self._stale = np.logical_not(np.all(brush.holds(self._wants, self._shown), axis=1))
        return anew

    def spans(self) -> list[tuple[int, int, int]]:
        """(row, first column, column after the last) of cells that show what they should not.

        A few cells between two that need drawing are drawn as well.
        """
        height, width = self._stale.shape
        steps = np.zeros((height, width + 1), np.int8)
        steps[:, :-1] = self._stale
        steps[:, 1:] -= self._stale
        rows, starts = np.nonzero(steps > 0)
        ends = np.nonzero(steps < 0)[1]
        if not len(rows):
            return []
        apart = (rows[1:] != rows[:-1]) | (starts[1:] - ends[:-1] > BRIDGED)
        rows, starts = rows[np.append(True, apart)], starts[np.append(True, apart)]
        ends = ends[np.append(apart, True)]
        steps[:] = 0
        steps[rows, starts] = 1
        steps[rows, ends] = -1
        self._stale = steps.cumsum(axis=1, dtype=np.int8)[:, :-1].astype(np.bool_)
        return list(zip(rows.tolist(), starts.tolist(), ends.tolist(), strict=True))

    def row(self, y: int) -> list[Cell]:
        """The cells of a row, showing what they should. Not a copy."""
        cells, stale = self._cells[y], self._stale[y]
        if self._brush is not None and stale.any():
            if stale.all():
                cells[:] = self._brush.encode(self._wants[y])
                self._shown[y] = self._brush.shown(cells)
            else:
                places = np.flatnonzero(stale)
                new = self._brush.encode(self._wants[y][:, places])
                self._shown[y][:, places] = self._brush.shown(new)
                for x, cell in zip(places.tolist(), new, strict=True):
                    cells[x] = cell
            stale[:] = False
        return cells
