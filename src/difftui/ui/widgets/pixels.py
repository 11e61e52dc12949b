"""Greyscale images in the terminal, one or a grid of them: half blocks in 256-colour greys, made to be
animated.

Give it a borderless place, inside a container that carries the border: Textual resends whole rows of a
widget, and a border around the picture itself would be sent again with every frame (0.6 kB for a digit).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from time import monotonic
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual.events import Click, Resize
from textual.filter import ANSIToTruecolor, LineFilter
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from difftui.media import as_images
from difftui.ui.half_blocks import (
    ACCENT,
    BACKGROUND,
    Cell,
    CellPalette,
    cell_palette,
    encode_row,
    grey_levels,
    intervals,
    slack_mask,
)
from difftui.ui.lean_strip import LeanStrip

REST_SECONDS = 0.3
"""A moving picture that gets no new frame for this long is drawn once more, exactly."""

LEFT_BAR, RIGHT_BAR = "▌", "▐"

_NOTHING = int(intervals(np.array([BACKGROUND], np.uint8))[0])


@dataclass(frozen=True)
class Arrangement:
    """Where the images of a grid lie: places in cells, image sizes in pixels (a cell has 1 × 2)."""

    number: int
    columns: int
    image_height: int
    image_width: int
    gap: int
    margin: int
    caption: int
    left: int = 0
    top: int = 0

    @property
    def rows(self) -> int:
        return -(-self.number // self.columns)

    @property
    def image_cells(self) -> int:
        """Cell rows of an image; the last one is half empty where the height is odd."""
        return -(-self.image_height // 2)

    @property
    def pitch_x(self) -> int:
        return self.image_width + self.gap

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
        inside = inner_x < self.image_width and inner_y < self.image_cells + self.caption
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
    """
    number, height, width = shape
    if not fit:
        if columns is None:
            columns = max(1, (available.width - 2 * margin + gap) // (width + gap))
        return Arrangement(number, min(columns, number), height, width, gap, margin, caption)

    def sized(columns: int) -> Arrangement:
        rows = -(-number // columns)
        room_x = (available.width - 2 * margin - (columns - 1) * gap) // columns
        between = caption or min(gap, 1)
        room_y = 2 * ((available.height + (0 if caption else between)) // rows - between)
        scale = min(room_y / height, room_x / width)
        if scale >= 1:
            drawn_height, drawn_width = height * int(scale), width * int(scale)
        else:
            drawn_height, drawn_width = max(1, int(height * scale)), max(1, int(width * scale))
        return Arrangement(number, columns, drawn_height, drawn_width, gap, margin, caption)

    choices = range(1, number + 1) if columns is None else (min(columns, number),)
    best = max((sized(choice) for choice in choices), key=lambda a: (a.image_height, -a.rows * a.columns))
    left = max(0, (available.width - best.width) // 2)
    top = max(0, (available.height - best.height) // 2)
    return Arrangement(
        number, best.columns, best.image_height, best.image_width, gap, margin, caption, left, top
    )


def resample(images: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    """Images of another size: whole-pixel copies where that is a multiple, else the mean over each pixel's
    area.

    Args:
        images: (N, H, W).

    Returns:
        (N, height, width); of the same type where no mean was taken, else float in [-1, 1].
    """
    _, old_height, old_width = images.shape
    if height % old_height == 0 and width % old_width == 0:
        return images.repeat(height // old_height, axis=1).repeat(width // old_width, axis=2)
    values = images / 127.5 - 1.0 if images.dtype == np.uint8 else images
    mean: NDArray[Any] = _areas(old_height, height) @ values @ _areas(old_width, width).T
    return mean


@lru_cache(maxsize=64)
def _areas(old: int, new: int) -> NDArray[np.float64]:
    """(new, old): the share of each old pixel in each new one; rows sum to 1."""
    edges = np.arange(new + 1) * (old / new)
    low = np.maximum(edges[:-1, None], np.arange(old)[None, :])
    high = np.minimum(edges[1:, None], np.arange(1, old + 1)[None, :])
    shares: NDArray[np.float64] = np.maximum(high - low, 0.0) * (new / old)
    return shares


class PixelView(Widget):
    """One greyscale image, or a grid of them.

    Pixels are floats in [-1, 1] (clipped) or uint8, drawn in the nearest of 26 greys. `show(…, moving=True)`
    is for frames of an animation: it saves a fifth of the bytes by drawing some greys one step off where
    noise or an edge hides it, and draws exactly again when the picture rests.

    Attributes:
        columns: images in a row, None to choose by the room there is.
        gap: cells between images.
        fit: scale the images to the widget's size; else each pixel is half a cell.
        highlighted: index of the image with the accent frame and caption, None for none.
    """

    DEFAULT_CSS = """
    PixelView { width: auto; height: auto; }
    PixelView > .pixel-view--caption { color: $text-muted; }
    PixelView > .pixel-view--highlighted { color: $accent; text-style: bold; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"pixel-view--caption", "pixel-view--highlighted"}
    ALLOW_SELECT = False

    columns: reactive[int | None] = reactive(None, layout=True)
    gap: reactive[int] = reactive(1, layout=True)
    fit: reactive[bool] = reactive(False, layout=True)
    highlighted: reactive[int | None] = reactive(None, repaint=False)

    class Picked(Message):
        """An image was clicked.

        Attributes:
            view: the widget.
            index: which image.
        """

        def __init__(self, view: PixelView, index: int) -> None:
            super().__init__()
            self.view = view
            self.index = index

        @property
        def control(self) -> PixelView:
            return self.view

    def __init__(
        self,
        *,
        shape: tuple[int, int, int] = (1, 28, 28),
        columns: int | None = None,
        gap: int = 1,
        fit: bool = False,
        framed: bool = False,
        captions: Sequence[str] = (),
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """Make an empty view.

        Args:
            shape: (N, H, W) expected, so that the layout does not jump when the first image comes.
            columns, gap, fit: see the attributes.
            framed: keep a column free on both sides, so that the highlighted image has a frame at the edge
                too.
            captions: a line under each image; none leaves no room for them.
        """
        super().__init__(name=name, id=id, classes=classes)
        self.set_reactive(PixelView.columns, columns)
        self.set_reactive(PixelView.gap, gap)
        self.set_reactive(PixelView.fit, fit)
        self._margin = int(framed)
        self._captions = tuple(captions)
        self._shape = shape
        self._images: NDArray[Any] | None = None
        self._drawn: NDArray[np.uint8] = np.zeros((0, 0), np.uint8)
        self._where = self._arrange(Size(0, 0))  # what the screen shows; changes together with _drawn
        self._lean: dict[int, tuple[Strip, LeanStrip]] = {}
        self._palette: CellPalette | None = None  # looked up once a frame: the colours walk up the tree
        self._moving = False
        self._last_moved = 0.0
        self._rest_timer_runs = False

    # What it shows.

    def show(self, pixels: NDArray[Any], *, moving: bool = False) -> None:
        """Draw an image or a grid; only rows that differ from what is there are sent.

        Args:
            pixels: (H, W), (N, H, W) or (N, 1, H, W), floats in [-1, 1] or uint8. Not copied: do not change
                it.
            moving: this is one frame of an animation.

        Raises:
            ValueError: another shape or kind of number.
        """
        images = as_images(pixels)
        self._images = images
        self._moving = moving
        if moving:
            self._last_moved = monotonic()
            self._await_rest(REST_SECONDS)
        if images.shape != self._shape:
            self._shape = (images.shape[0], images.shape[1], images.shape[2])
            self.refresh(layout=True)
        self._draw()

    def clear(self) -> None:
        """Show nothing, at the same size."""
        self._images = None
        self._moving = False
        self._draw()

    @property
    def captions(self) -> tuple[str, ...]:
        """A line under each image, centred and cut to its width."""
        return self._captions

    @captions.setter
    def captions(self, captions: Sequence[str]) -> None:
        new = tuple(captions)
        if new == self._captions:
            return
        resized = bool(new) != bool(self._captions)
        self._captions = new
        if resized:
            self.refresh(layout=True)
            self._draw()
        else:
            self._refresh_rows(y for y in range(self.size.height) if self._caption_row(y) is not None)

    @property
    def arrangement(self) -> Arrangement:
        """Where the images lie in the widget's content area now."""
        return self._arrange(self.size)

    def _arrange(self, available: Size) -> Arrangement:
        return arrange(
            self._shape,
            available,
            columns=self.columns,
            gap=self.gap,
            margin=self._margin,
            caption=int(bool(self._captions)),
            fit=self.fit,
        )

    def get_content_width(self, container: Size, viewport: Size) -> int:
        return container.width if self.fit else self._arrange(container).width

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return container.height if self.fit else self._arrange(Size(width, container.height)).height

    # Drawing.

    def _draw(self) -> None:
        """Turn the images into what `encode_row` takes, and refresh the rows that changed."""
        if not self.size:
            return
        where = self.arrangement
        canvas = self._canvas(where)
        old, self._drawn = self._drawn, canvas
        if where != self._where or canvas.shape != old.shape:
            self._where = where
            self.refresh()
            return
        changed = (canvas != old).any(axis=1)
        self._refresh_rows(np.flatnonzero(changed[0::2] | changed[1::2]).tolist())

    def _canvas(self, where: Arrangement) -> NDArray[np.uint8]:
        """(2 · cell rows, columns): intervals of greys, `_NOTHING` where no image is."""
        canvas = np.full((2 * (where.top + where.height), where.left + where.width), _NOTHING, np.uint8)
        if self._images is None:
            return canvas
        levels = grey_levels(resample(self._images, where.image_height, where.image_width))
        greys = intervals(levels, slack_mask(levels) if self._moving else None)
        for index, image in enumerate(greys):
            x, y = where.place(index)
            canvas[2 * y : 2 * y + where.image_height, x : x + where.image_width] = image
        return canvas

    def _refresh_rows(self, rows: Iterable[int]) -> None:
        """Refresh rows of the content area, neighbours as one region."""
        start = previous = -1
        regions: list[Region] = []
        width = self.size.width
        for y in (*rows, None):
            if y is not None and y == previous + 1 and start >= 0:
                previous = y
                continue
            if start >= 0:
                regions.append(Region(0, start, width, previous + 1 - start))
            if y is not None:
                start = previous = y
        if regions:
            self.refresh(*regions)

    def _await_rest(self, seconds: float) -> None:
        if not self._rest_timer_runs and self.is_attached:
            self._rest_timer_runs = True
            self.set_timer(seconds, self._rest)

    def _rest(self) -> None:
        self._rest_timer_runs = False
        if not self._moving:
            return
        left = self._last_moved + REST_SECONDS - monotonic()
        if left > 0:
            self._await_rest(left)
        else:
            self._moving = False
            self._draw()

    def watch_columns(self) -> None:
        self._draw()

    def watch_gap(self) -> None:
        self._draw()

    def watch_fit(self) -> None:
        self._draw()

    def watch_highlighted(self, old: int | None, new: int | None) -> None:
        rows: set[int] = set()
        where = self._where
        for index in (old, new):
            if index is not None and index < where.number:
                top = where.place(index)[1]
                rows.update(range(top, top + where.image_cells + where.caption))
        self._refresh_rows(sorted(rows))

    def on_resize(self, event: Resize) -> None:
        self._draw()

    def on_click(self, event: Click) -> None:
        place = event.get_content_offset(self)
        if place is not None and (index := self._where.index_at(place.x, place.y)) is not None:
            self.post_message(self.Picked(self, index))

    # Rendering.

    def get_line_filters(self) -> Sequence[LineFilter]:
        # Everything here has true colours already; the filter would only spend time on each cell.
        return [
            line_filter
            for line_filter in super().get_line_filters()
            if not isinstance(line_filter, ANSIToTruecolor)
        ]

    def render_lines(self, crop: Region) -> list[Strip]:
        """Lines with styles and borders, as strips that render lean, each kept until it changes."""
        self._palette = self._current_palette()
        lines: list[Strip] = []
        for y, strip in enumerate(super().render_lines(crop), crop.y):
            kept = self._lean.get(y)
            if kept is None or kept[0] is not strip:
                kept = self._lean[y] = (strip, LeanStrip.of(strip))
            lines.append(kept[1])
        return lines

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        palette = self._palette or self._current_palette()
        caption_row = self._caption_row(y)
        if caption_row is not None:
            return self._caption_line(caption_row, width)
        if 2 * y + 1 >= len(self._drawn):
            return Strip(palette.segments([_EMPTY] * width), width)
        cells = encode_row(self._drawn[2 * y].tolist(), self._drawn[2 * y + 1].tolist())
        self._add_frame(cells, y)
        cells += [_EMPTY] * (width - len(cells))
        return Strip(palette.segments(cells), len(cells)).crop(0, width)

    def _current_palette(self) -> CellPalette:
        highlight = self.get_component_styles("pixel-view--highlighted").color
        return cell_palette(self.background_colors[1].rich_color, highlight.rich_color)

    def _caption_row(self, y: int) -> int | None:
        """Which row of the grid has its captions in line y."""
        where = self._where
        row, inner = divmod(y - where.top, where.pitch_y)
        return row if where.caption and inner == where.image_cells and 0 <= row < where.rows else None

    def _caption_line(self, row: int, width: int) -> Strip:
        where = self._where
        blank = (self._palette or self._current_palette()).segments([_EMPTY])[0].style
        plain = self.get_component_rich_style("pixel-view--caption")
        accent = self.get_component_rich_style("pixel-view--highlighted")
        segments: list[Segment] = []
        end = 0
        for index in range(row * where.columns, min((row + 1) * where.columns, where.number)):
            text = self._captions[index] if index < len(self._captions) else ""
            text = set_cell_size(text, min(cell_len(text), where.image_width))
            x = where.place(index)[0] + (where.image_width - cell_len(text)) // 2
            style = accent if index == self.highlighted else plain
            segments += [Segment(" " * (x - end), blank), Segment(text, style)]
            end = x + cell_len(text)
        segments.append(Segment(" " * max(0, width - end), blank))
        return Strip(segment for segment in segments if segment.text).crop(0, width)

    def _add_frame(self, cells: list[Cell], y: int) -> None:
        """Accent bars left and right of the highlighted image, where gap or margin have room for them."""
        index = self.highlighted
        where = self._where
        if index is None or not 0 <= index < where.number:
            return
        x, top = where.place(index)
        if not top <= y < top + where.image_cells:
            return
        before, after = x - 1, x + where.image_width
        if before >= 0 and (where.gap or before < where.left + where.margin):
            cells[before] = (RIGHT_BAR, ACCENT, BACKGROUND)
        if after < len(cells) and (where.gap or after >= where.left + where.width - where.margin):
            cells[after] = (LEFT_BAR, ACCENT, BACKGROUND)


_EMPTY: Cell = (" ", BACKGROUND, BACKGROUND)
