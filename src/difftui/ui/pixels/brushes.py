"""One brush for each way to draw: from the pixels of an image to cells, and which cells need drawing at all.

A brush turns images into *wants*, one or two integers for each cell; `holds` says which of them the cells on
the screen meet already; and `encode` makes cells, in few bytes, for the rest.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from difftui.media import as_images, to_uint8
from difftui.pixel_modes import Detail, PixelMode
from difftui.ui import half_blocks
from difftui.ui.half_blocks import BACKGROUND, Cell
from difftui.ui.lean_strip import (
    BLANK,
    FULL_BLOCK,
    LOWER_HALF,
    UPPER_HALF,
    AnsiStrip,
    LeanStrip,
    PaletteStrip,
    TrueStrip,
)
from difftui.ui.pixels import quantise
from difftui.ui.pixels.inks import ANSI, BLACK, EMPTY, RGB, WHITE

__all__ = ["Brush", "Wants", "as_pictures", "brush_for", "dots_of"]

Wants = NDArray[np.int64]


def as_pictures(pixels: NDArray[Any]) -> NDArray[Any]:
    """`pixels` as (N, H, W) or, with colours, (N, H, W, 3).

    Args:
        pixels: (H, W), (N, H, W) or (N, 1, H, W) greys, or (N, H, W, 3) colours.

    Raises:
        ValueError: another shape, or no image at all.
    """
    pixels = np.asarray(pixels)
    if pixels.ndim == 4 and pixels.shape[-1] == 3 and pixels.shape[1] != 1 and 0 not in pixels.shape:
        return pixels
    return as_images(pixels)


class Brush(ABC):
    """A way to draw.

    Attributes:
        per_cell: how many wants a cell has, one above the other.
        nothing: the want of a place without an image.
        kind: brushes of one kind understand each other's `shown`.
        strip: what sends its cells.
    """

    per_cell: ClassVar[int] = 2
    nothing: ClassVar[int] = BACKGROUND
    kind: str
    strip: type[LeanStrip] = PaletteStrip

    @abstractmethod
    def wants(self, images: NDArray[Any]) -> Wants:
        """(N, per_cell · cell rows, cell columns) for images of (N, H, W) or (N, H, W, 3).

        The last row of wants may be missing: then there is nothing.
        """

    @abstractmethod
    def holds(self, wants: Wants, shown: Wants) -> NDArray[np.bool_]:
        """Where what is shown (of the same shape) will do."""

    @abstractmethod
    def encode(self, wants: Wants) -> list[Cell]:
        """Cells in a row for wants of (per_cell, columns)."""

    @abstractmethod
    def shown(self, cells: Sequence[Cell]) -> Wants:
        """What the cells show: (per_cell, columns)."""


class HalfBlocks(Brush):
    """Two pixels a cell; wants are inks, each exactly."""

    def __init__(self, kind: str, inks: Callable[[NDArray[np.uint8]], Wants], strip: type[LeanStrip]) -> None:
        self.kind = kind
        self.strip = strip
        self._inks = inks

    def wants(self, images: NDArray[Any]) -> Wants:
        return self._inks(to_uint8(images))

    def holds(self, wants: Wants, shown: Wants) -> NDArray[np.bool_]:
        return np.asarray(wants == shown)

    def encode(self, wants: Wants) -> list[Cell]:
        cells: list[Cell] = []
        fore = back = -1
        for top, bottom in zip(*wants.tolist(), strict=True):
            glyph, fore, back = _half_block(top, bottom, fore, back)
            cells.append((glyph, fore, back))
        return cells

    def shown(self, cells: Sequence[Cell]) -> Wants:
        return _halves(cells)


def _half_block(top: int, bottom: int, fore: int, back: int) -> Cell:
    """The cell that shows two inks and sets the fewest, where `fore` and `back` are set."""
    if top == bottom:
        return (FULL_BLOCK, fore, back) if top == fore != back else (BLANK, fore, top)
    if bottom == BACKGROUND or (top != BACKGROUND and (top == fore or bottom == back)):
        return UPPER_HALF, top, bottom
    if top in (BACKGROUND, back) or bottom == fore:
        return LOWER_HALF, bottom, top
    return UPPER_HALF, top, bottom


_TOPS, _BOTTOMS = frozenset((UPPER_HALF, FULL_BLOCK)), frozenset((LOWER_HALF, FULL_BLOCK))


def _halves(cells: Sequence[Cell]) -> Wants:
    """Inks of the upper and the lower half of each cell."""
    return np.array(
        [
            [fore if glyph in _TOPS else back for glyph, fore, back in cells],
            [fore if glyph in _BOTTOMS else back for glyph, fore, back in cells],
        ],
        dtype=np.int64,
    )


class Greys(Brush):
    """Two pixels a cell, in the greys of the 256-colour palette; wants are intervals of them."""

    nothing = half_blocks.NOTHING
    kind = "greys"

    def __init__(self, *, moving: bool = False, fewer: bool = False) -> None:
        self._moving = moving
        self._fewer = fewer

    def wants(self, images: NDArray[Any]) -> Wants:
        return half_blocks.intervals(images, moving=self._moving, fewer=self._fewer).astype(np.int64)

    def holds(self, wants: Wants, shown: Wants) -> NDArray[np.bool_]:
        return half_blocks.holds(wants, shown)

    def encode(self, wants: Wants) -> list[Cell]:
        return half_blocks.encode_row(*wants.tolist())

    def shown(self, cells: Sequence[Cell]) -> Wants:
        return _halves(cells)


class Glyphs(Brush):
    """One character a cell, white on black; wants are code points."""

    per_cell = 1
    nothing = 0

    def __init__(
        self, kind: str, codes: Callable[[NDArray[np.uint8]], Wants], strip: type[LeanStrip] = LeanStrip
    ) -> None:
        self.kind = kind
        self.strip = strip
        self._codes = codes

    def wants(self, images: NDArray[Any]) -> Wants:
        grey = to_uint8(images)
        return self._codes(grey if grey.ndim == 3 else quantise.luma(grey))

    def holds(self, wants: Wants, shown: Wants) -> NDArray[np.bool_]:
        return np.asarray(wants == shown)

    def encode(self, wants: Wants) -> list[Cell]:
        return [_glyph(code) for code in wants[0].tolist()]

    def shown(self, cells: Sequence[Cell]) -> Wants:
        return np.array([[0 if cell == EMPTY else ord(cell[0]) for cell in cells]], dtype=np.int64)


class Shades(Brush):
    """One character a cell, in one of the sixteen colours on black; wants are 1 + places in `SHADES`."""

    per_cell = 1
    nothing = 0
    kind = "shades"
    strip = AnsiStrip

    def __init__(self, *, fewer: bool = False) -> None:
        self._fewer = fewer

    def wants(self, images: NDArray[Any]) -> Wants:
        return 1 + quantise.shades(to_uint8(images), fewer=self._fewer)

    def holds(self, wants: Wants, shown: Wants) -> NDArray[np.bool_]:
        return np.asarray(wants == shown)

    def encode(self, wants: Wants) -> list[Cell]:
        return [_SHADES[want] for want in wants[0].tolist()]

    def shown(self, cells: Sequence[Cell]) -> Wants:
        return np.array([[_SHADES.index(cell) for cell in cells]], dtype=np.int64)


_SHADES: list[Cell] = [EMPTY, *((glyph, ANSI + ink, ANSI) for glyph, ink in quantise.SHADES)]


@cache
def _glyph(code: int) -> Cell:
    return (chr(code), WHITE, BLACK) if code else EMPTY


def _mono_codes(grey: NDArray[np.uint8]) -> Wants:
    lit = quantise.mono(grey)
    if lit.shape[1] % 2:
        lit = np.concatenate([lit, np.zeros_like(lit[:, :1])], axis=1)
    glyphs = np.array([ord(glyph) for glyph in (BLANK, UPPER_HALF, LOWER_HALF, FULL_BLOCK)])
    return np.asarray(glyphs[lit[:, 0::2] + 2 * lit[:, 1::2]])


_NO_DOTS = 0x2800


def _braille(grey: NDArray[np.uint8]) -> Wants:
    codes = quantise.braille_codes(quantise.mono(grey))
    return np.where(codes == _NO_DOTS, ord(BLANK), codes)  # a third of the bytes


def _braille_for_halves(grey: NDArray[np.uint8]) -> Wants:
    """In the cells that half blocks would take: four dots a pixel."""
    return _braille(grey.repeat(2, axis=1).repeat(2, axis=2))


def _exact_inks(pixels: NDArray[np.uint8]) -> Wants:
    return RGB + (quantise.packed(pixels) if pixels.ndim == 4 else pixels.astype(np.int64) * 0x010101)


def _palette_inks(pixels: NDArray[np.uint8]) -> Wants:
    return RGB + quantise.nearest_256(pixels)


_BRUSHES: dict[PixelMode, Brush] = {
    PixelMode.EXACT: HalfBlocks("exact", _exact_inks, TrueStrip),
    PixelMode.PALETTE: HalfBlocks("256", _palette_inks, PaletteStrip),
    PixelMode.SIXTEEN: HalfBlocks("16", lambda pixels: ANSI + quantise.sixteen(pixels), AnsiStrip),
    PixelMode.EIGHT: Shades(),
    PixelMode.MONO: Glyphs("mono", _mono_codes),
    PixelMode.BRAILLE: Glyphs("braille", _braille),
    PixelMode.ASCII: Glyphs("ascii", quantise.ascii_codes),
}
_BRAILLE_FOR_HALVES = Glyphs("braille for halves", _braille_for_halves, PaletteStrip)
_BRAILLE_FOR_SIXTEEN = Glyphs("braille for sixteen", _braille_for_halves, AnsiStrip)
_GREYS = Greys()
_MOVING_GREYS = Greys(moving=True)
_FEWER_GREYS = Greys(moving=True, fewer=True)
_FEWER_SHADES = Shades(fewer=True)

_HALF_BLOCK_MODES = frozenset((PixelMode.EXACT, PixelMode.TRUECOLOR, PixelMode.PALETTE))


def dots_of(mode: PixelMode) -> tuple[int, int]:
    """Pixels that a cell has in this mode, across and down."""
    return (2, 4) if mode is PixelMode.BRAILLE else (1, 2)


def brush_for(mode: PixelMode, *, colour: bool, moving: bool = False, detail: Detail = Detail.FULL) -> Brush:
    """The brush for a picture.

    Args:
        mode: the way to draw on this terminal.
        colour: the picture has colours.
        moving: it is one frame of an animation.
        detail: how much of a moving picture to draw.
    """
    if moving and detail is Detail.BRAILLE:
        if mode in _HALF_BLOCK_MODES:
            return _BRAILLE_FOR_HALVES
        if mode is PixelMode.SIXTEEN:
            return _BRAILLE_FOR_SIXTEEN
    if mode is PixelMode.EIGHT:  # a console's font has no braille
        return _FEWER_SHADES if moving and detail is not Detail.FULL else _BRUSHES[mode]
    fewer = moving and detail is Detail.FEWER_GREYS
    if mode in _HALF_BLOCK_MODES:
        if colour:
            return _BRUSHES[PixelMode.PALETTE if fewer or mode is PixelMode.PALETTE else PixelMode.EXACT]
        if fewer:
            return _FEWER_GREYS
        if mode is not PixelMode.EXACT:
            return _MOVING_GREYS if moving else _GREYS
    return _BRUSHES[mode]
