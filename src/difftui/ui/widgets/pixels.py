"""Images in the terminal, one or a grid of them, greyscale or in colour, made to be animated.

Give it a borderless place, inside a container that carries the border: where the app is no `PixelApp`,
Textual resends whole rows of a widget, and a border around the picture itself would be sent again with every
frame (0.6 kB for a digit).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from itertools import groupby
from operator import itemgetter
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

from difftui.pixel_modes import Detail, PixelMode
from difftui.ui.half_blocks import Cell
from difftui.ui.lean_strip import AnsiStrip, LeanStrip, PaletteStrip, TrueStrip
from difftui.ui.pixels.arrangement import Arrangement, arrange, resample
from difftui.ui.pixels.brushes import Brush, Wants, as_pictures, brush_for, dots_of
from difftui.ui.pixels.canvas import Canvas
from difftui.ui.pixels.display import PixelApp
from difftui.ui.pixels.inks import ACCENT, BACKGROUND, EMPTY, CellPalette, cell_palette

__all__ = ["REST_SECONDS", "Arrangement", "PixelView", "arrange", "resample"]

REST_SECONDS = 0.3
"""A moving picture that gets no new frame for this long is drawn once more, exactly."""

BYTES_A_CELL: dict[type[LeanStrip], int] = {LeanStrip: 4, AnsiStrip: 10, PaletteStrip: 18, TrueStrip: 40}
"""About, where each cell is another: what noise takes."""

Span = tuple[int, int, int]
"""Row, first column, column after the last."""

REST_FRAMES = 2  # that the app draws meanwhile, without it

LEFT_BAR, RIGHT_BAR = "▌", "▐"
ASCII_BAR = "|"


class PixelView(Widget):
    """One image, greyscale or in colour, or a grid of them.

    Pixels are floats in [-1, 1] (clipped) or uint8. `show(…, moving=True)` is for frames of an animation: a
    grey may then be off by what cannot be seen, and cells that are near enough are not drawn again. When the
    picture rests it is drawn once more, exactly.

    Attributes:
        columns: images in a row, None to choose by the room there is.
        gap: cells between images.
        fit: scale the images to the widget's size; else each pixel is a dot of the mode: half a cell, or an
            eighth in braille.
        highlighted: index of the image with the accent frame and caption, None for none.
        mode, detail: the way to draw, and how much of a moving picture; they follow the app if it is a
            `PixelApp`.
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
    mode: reactive[PixelMode] = reactive(PixelMode.PALETTE, layout=True)
    detail: reactive[Detail] = reactive(Detail.FULL, repaint=False)

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
        self._canvas = Canvas()
        self._where = self._arrange(Size(0, 0))  # where the canvas has its images
        self._lean: dict[int, tuple[Strip, LeanStrip]] = {}
        self._strip: type[LeanStrip] = LeanStrip
        self._palette: CellPalette | None = None  # looked up once a frame: the colours walk up the tree
        self._moving = False
        self._last_moved = 0.0
        self._moved_in = 0  # the frame of the app
        self._rest_timer_runs = False
        self._waits = False  # there is a frame that was not drawn
        self._spans: list[Span] = []  # not sent yet
        self._next_row = 0  # of a moving picture that is drawn in parts

    # What it shows.

    def show(self, pixels: NDArray[Any], *, moving: bool = False) -> None:
        """Draw an image or a grid; only what differs from what is there is sent.

        Args:
            pixels: (H, W), (N, H, W) or (N, 1, H, W) greys, or (N, H, W, 3) colours, floats in [-1, 1] or
                uint8. Not copied: do not change it.
            moving: this is one frame of an animation.

        Raises:
            ValueError: another shape or kind of number.
        """
        images = as_pictures(pixels)
        self._images = images
        self._moving = moving
        if moving:
            self._last_moved, self._moved_in = monotonic(), self._frames or 0
            self._await_rest(REST_SECONDS)
        if images.shape[:3] != self._shape:
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
            dots=dots_of(self.mode),
        )

    def get_content_width(self, container: Size, viewport: Size) -> int:
        return container.width if self.fit else self._arrange(container).width

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return container.height if self.fit else self._arrange(Size(width, container.height)).height

    # Drawing.

    def _draw(self) -> None:
        """Tell the canvas what to show, and refresh what it does not show yet."""
        if not self.size:
            return
        self._waits = self._moving and isinstance(self.app, PixelApp) and self.app.pictures_wait
        if self._waits:
            return
        self._spans = []
        where = self.arrangement
        brush = brush_for(
            self.mode,
            colour=self._images is not None and self._images.ndim == 4,
            moving=self._moving,
            detail=self.detail,
        )
        moved, self._where = where != self._where, where
        anew = self._canvas.want(brush, self._wants(brush, where), anew=moved)
        if anew:
            self._strip = brush.strip
        if self._allowance is not None and not (self._moving and moved):
            self._spans = self._in_turn(self._canvas.spans())
            if self._moving and isinstance(self.app, PixelApp):
                self.app.count_cells(0, _cells(self._spans))
            self._send_a_piece()
        elif anew:
            self.refresh()
        else:
            self._refresh_spans(self._canvas.spans())

    @property
    def _allowance(self) -> int | None:
        return self.app.allowance if isinstance(self.app, PixelApp) else None

    def _send_a_piece(self) -> None:
        """Refresh as many rows of what is to be sent as the app allows now; the rest follows frame by frame.

        Whole rows, since the canvas takes a row for shown once it was asked for; and one at least.
        """
        app, each = self.app, float(BYTES_A_CELL[self._strip])
        if self._moving and isinstance(app, PixelApp):
            each = app.cell_bytes(each)
        piece: list[Span] = []
        for _, row in groupby(self._spans, key=itemgetter(0)):
            spans = list(row)
            if isinstance(app, PixelApp) and app.allowance is not None:
                cost = round(each * _cells(spans))
                if app.allowance <= 0 or (piece and cost > app.allowance):
                    break
                app.allowance -= cost
            piece += spans
        self._spans = self._spans[len(piece) :]
        if piece:
            self._next_row = piece[-1][0] + 1
        if self._moving and isinstance(app, PixelApp):
            app.count_cells(_cells(piece))
        self._refresh_spans(sorted(piece))

    def _in_turn(self, spans: list[Span]) -> list[Span]:
        """Of a moving picture the rows that have waited longest first: the next frame begins where this one
        had to end.
        """
        if not self._moving:
            return spans
        return sorted(spans, key=lambda span: (span[0] < self._next_row, span))

    def _wants(self, brush: Brush, where: Arrangement) -> Wants:
        """(wants a cell · cell rows, columns): nothing where no image is."""
        per_cell = brush.per_cell
        wants = np.full(
            (per_cell * (where.top + where.height), where.left + where.width), brush.nothing, np.int64
        )
        if self._images is not None:
            images = brush.wants(resample(self._images, where.image_height, where.image_width))
            for index, image in enumerate(images):
                x, y = where.place(index)
                wants[per_cell * y : per_cell * y + image.shape[0], x : x + image.shape[1]] = image
        return wants

    def _refresh_spans(self, spans: Iterable[Span]) -> None:
        """Refresh (row, first column, column after the last) of the content area, sorted by row.

        Where the app sends whole rows of a widget in any case, that is what is asked for.
        """
        if not isinstance(self.app, PixelApp):
            spans = dict.fromkeys((y, 0, self.size.width) for y, _, _ in spans)
        regions: list[Region] = []
        for y, first, end in spans:
            if regions and regions[-1][0] == first and regions[-1].right == end and regions[-1].bottom == y:
                regions[-1] = Region(first, regions[-1].y, end - first, y + 1 - regions[-1].y)
            else:
                regions.append(Region(first, y, end - first, 1))
        if regions:
            self.refresh(*regions)

    def _refresh_rows(self, rows: Iterable[int]) -> None:
        """Refresh rows of the content area."""
        width = self.size.width
        self._refresh_spans((y, 0, width) for y in rows)

    @property
    def _frames(self) -> int | None:
        return self.app.frames if isinstance(self.app, PixelApp) else None

    def _await_rest(self, seconds: float) -> None:
        if not self._rest_timer_runs and self.is_attached:
            self._rest_timer_runs = True
            self.set_timer(seconds, self._rest)

    def _rest(self) -> None:
        self._rest_timer_runs = False
        if not self._moving:
            return
        left = self._last_moved + REST_SECONDS - monotonic()
        frames = self._frames
        if left > 0:
            self._await_rest(left)
        elif frames is not None and frames - self._moved_in < REST_FRAMES:
            self._await_rest(REST_SECONDS)
        else:
            self._moving = False
            self._draw()

    def watch_columns(self) -> None:
        self._draw()

    def watch_gap(self) -> None:
        self._draw()

    def watch_fit(self) -> None:
        self._draw()

    def watch_mode(self) -> None:
        self._draw()

    def watch_detail(self) -> None:
        if self._moving:
            self._draw()

    def on_mount(self) -> None:
        if isinstance(self.app, PixelApp):
            self.watch(self.app, "pixel_mode", partial(setattr, self, "mode"))
            self.watch(self.app, "pixel_detail", partial(setattr, self, "detail"))
            self.watch(self.app, "pictures_wait", self._draw_what_waits)

    def _draw_what_waits(self, waits: bool) -> None:
        if self._waits:
            self._draw()
        elif self._spans and not waits:
            self._send_a_piece()

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
        whole = Region(0, crop.y, self.region.width, crop.height)
        for y, strip in enumerate(super().render_lines(whole), crop.y):
            kept = self._lean.get(y)
            if kept is None or kept[0] is not strip:
                kept = self._lean[y] = (strip, self._strip.of(strip))
            lines.append(kept[1].crop(crop.x, crop.right))
        return lines

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        palette = self._palette or self._current_palette()
        caption_row = self._caption_row(y)
        if caption_row is not None:
            return self._caption_line(caption_row, width)
        if y >= self._canvas.rows:
            return Strip(palette.segments([EMPTY] * width), width)
        cells = self._canvas.row(y).copy()
        self._add_frame(cells, y)
        cells += [EMPTY] * (width - len(cells))
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
        blank = (self._palette or self._current_palette()).segments([EMPTY])[0].style
        plain = self.get_component_rich_style("pixel-view--caption")
        accent = self.get_component_rich_style("pixel-view--highlighted")
        segments: list[Segment] = []
        end = 0
        for index in range(row * where.columns, min((row + 1) * where.columns, where.number)):
            text = self._captions[index] if index < len(self._captions) else ""
            text = set_cell_size(text, min(cell_len(text), where.image_columns))
            x = where.place(index)[0] + (where.image_columns - cell_len(text)) // 2
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
        before, after = x - 1, x + where.image_columns
        plain = self.mode in (PixelMode.ASCII, PixelMode.EIGHT)
        left, right = (ASCII_BAR,) * 2 if plain else (LEFT_BAR, RIGHT_BAR)
        if before >= 0 and (where.gap or before < where.left + where.margin):
            cells[before] = (right, ACCENT, BACKGROUND)
        if after < len(cells) and (where.gap or after >= where.left + where.width - where.margin):
            cells[after] = (left, ACCENT, BACKGROUND)


def _cells(spans: Iterable[Span]) -> int:
    return sum(end - first for _, first, end in spans)
