"""Where pictures lie in a widget, and how large: places in cells, sizes in pixels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from textual.geometry import Size

__all__ = ["Arrangement", "arrange", "resample"]

HALVES = (1, 2)
"""Pixels across and down a cell of half blocks."""


@dataclass(frozen=True)
class Arrangement:
    """Where the images of a grid lie: places in cells, image sizes in pixels (`dots` says how many a cell
    has, across and down).
    """

    number: int
    columns: int
    image_height: int
    image_width: int
    gap: int
    margin: int
    caption: int
    left: int = 0
    top: int = 0
    dots: tuple[int, int] = HALVES

    @property
    def rows(self) -> int:
        return -(-self.number // self.columns)

    @property
    def image_cells(self) -> int:
        """Cell rows of an image; the last one is partly empty where the height is no multiple."""
        return -(-self.image_height // self.dots[1])

    @property
    def image_columns(self) -> int:
        """Cells across an image."""
        return -(-self.image_width // self.dots[0])

    @property
    def pitch_x(self) -> int:
        return self.image_columns + self.gap

    @property
    def pitch_y(self) -> int:
        """Cell rows from one image to the next: a caption separates as well as an empty row does."""
        return self.image_cells + (self.caption or min(self.gap, 1))

    @property
    def width(self) -> int:
        return self.columns * self.pitch_x - self.gap + 2 * self.margin

    @property
    def height(self) -> int:
        return (self.rows - 1) * self.pitch_y + self.image_cells + self.caption

    def place(self, index: int) -> tuple[int, int]:
        """Column and row of the cell at the image's upper left corner."""
        row, column = divmod(index, self.columns)
        return self.left + self.margin + column * self.pitch_x, self.top + row * self.pitch_y

    def index_at(self, x: int, y: int) -> int | None:
        """The image (its caption included) at a cell, None between images."""
        column, inner_x = divmod(x - self.left - self.margin, self.pitch_x)
        row, inner_y = divmod(y - self.top, self.pitch_y)
        index = row * self.columns + column
        inside = inner_x < self.image_columns and inner_y < self.image_cells + self.caption
        return index if inside and 0 <= column < self.columns and row >= 0 and index < self.number else None


@lru_cache(maxsize=64)
def arrange(
    shape: tuple[int, int, int],
    available: Size,
    *,
    columns: int | None,
    gap: int,
    margin: int,
    caption: int,
    fit: bool,
    dots: tuple[int, int] = HALVES,
) -> Arrangement:
    """Lay out a grid.

    Args:
        shape: (N, H, W) of the images.
        available: cells there are; without `fit` only the width counts, and only for choosing columns.
        columns: images in a row, or None to choose: with `fit` the number that lets them be largest, else as
            many as the width takes.
        gap: cells between columns.
        margin: cells left and right of everything.
        caption: rows below each image, 0 or 1.
        fit: scale the images to the room: by a whole factor if they can grow, else down to any size.
        dots: pixels that a cell has, across and down.
    """
    number, height, width = shape
    across, down = dots
    if not fit:
        if columns is None:
            columns = max(1, (available.width - 2 * margin + gap) // (-(-width // across) + gap))
        return Arrangement(number, min(columns, number), height, width, gap, margin, caption, dots=dots)

    def sized(columns: int) -> Arrangement:
        rows = -(-number // columns)
        room_x = across * ((available.width - 2 * margin - (columns - 1) * gap) // columns)
        between = caption or min(gap, 1)
        room_y = down * ((available.height + (0 if caption else between)) // rows - between)
        scale = min(room_y / height, room_x / width)
        if scale >= 1:
            drawn_height, drawn_width = height * int(scale), width * int(scale)
        else:
            drawn_height, drawn_width = max(1, int(height * scale)), max(1, int(width * scale))
        return Arrangement(number, columns, drawn_height, drawn_width, gap, margin, caption, dots=dots)

    choices = range(1, number + 1) if columns is None else (min(columns, number),)
    best = max((sized(choice) for choice in choices), key=lambda a: (a.image_height, -a.rows * a.columns))
    left = max(0, (available.width - best.width) // 2)
    top = max(0, (available.height - best.height) // 2)
    return Arrangement(
        number, best.columns, best.image_height, best.image_width, gap, margin, caption, left, top, dots
    )


def resample(images: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    """Images of another size: whole-pixel copies where that is a multiple, else the mean over each pixel's
    area.

    Args:
        images: (N, H, W) or (N, H, W, 3).

    Returns:
        (N, height, width) or (N, height, width, 3); of the same type where no mean was taken, else float in
        [-1, 1].
    """
    old_height, old_width = images.shape[1:3]
    if height % old_height == 0 and width % old_width == 0:
        return images.repeat(height // old_height, axis=1).repeat(width // old_width, axis=2)
    values = images / 127.5 - 1.0 if images.dtype == np.uint8 else images
    down, across = _areas(old_height, height), _areas(old_width, width)
    if images.ndim == 4:
        mean: NDArray[Any] = np.einsum("ih,nhwc,jw->nijc", down, values, across, optimize=True)
    else:
        mean = down @ values @ across.T
    return mean


@lru_cache(maxsize=64)
def _areas(old: int, new: int) -> NDArray[np.float64]:
    """(new, old): the share of each old pixel in each new one; rows sum to 1."""
    edges = np.arange(new + 1) * (old / new)
    low = np.maximum(edges[:-1, None], np.arange(old)[None, :])
    high = np.minimum(edges[1:, None], np.arange(1, old + 1)[None, :])
    shares: NDArray[np.float64] = np.maximum(high - low, 0.0) * (new / old)
    return shares
