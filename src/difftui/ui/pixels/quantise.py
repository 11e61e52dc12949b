"""From bytes to what few colours, dots and characters can show."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from difftui.ui.half_blocks import RAMP
from difftui.ui.lean_strip import ANSI_16, CUBE_STEPS

__all__ = [
    "ASCII_RAMP",
    "SHADES",
    "ascii_codes",
    "braille_codes",
    "luma",
    "mono",
    "nearest_256",
    "packed",
    "shades",
    "sixteen",
]

ASCII_RAMP = " .:-=+*#%@"
"""From black to white, on black."""

SHADES = ((" ", 0), *((glyph, ink) for ink in range(1, 16) for glyph in "░▒█"))
"""Cells that a console can show, each a character and one of the sixteen colours, on black. The bright ones
are of use here: as a foreground they are bright on a console, too."""

_COVERED = {" ": 0.0, "░": 0.25, "▒": 0.5, "█": 1.0}
"""How much of a cell each character covers."""

_GREYS_OF_SIXTEEN = np.array((0, 8, 7, 15))
_STEP = 85
"""From one grey of the sixteen colours to the next."""

BAYER = (np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]) + 0.5) / 16.0
"""Bayer's thresholds of order 4 (Bayer 1973, "An optimum method for two-level rendition")."""

Bytes = NDArray[np.uint8]
Numbers = NDArray[np.int64]


def luma(colours: Bytes) -> Bytes:
    """Grey of a colour, (..., 3) to (...): 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601)."""
    grey: Bytes = np.rint(colours @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)
    return grey


def _thresholds(height: int, width: int) -> NDArray[np.float64]:
    """Bayer's matrix repeated from the upper left corner of an image."""
    return np.tile(BAYER, (-(-height // 4), -(-width // 4)))[:height, :width]


def mono(grey: Bytes) -> NDArray[np.bool_]:
    """Which pixels are lit, (N, H, W): as large a share of an area as its bytes are of 255."""
    lit: NDArray[np.bool_] = grey > 255.0 * _thresholds(*grey.shape[-2:])
    return lit


def braille_codes(lit: NDArray[np.bool_]) -> Numbers:
    """Code points of braille cells, (N, ⌈H/4⌉, ⌈W/2⌉), for the dots (N, H, W); U+2800 where none is lit."""
    number, height, width = lit.shape
    rows, columns = -(-height // 4), -(-width // 2)
    dots = np.zeros((number, rows * 4, columns * 2), np.int64)
    dots[:, :height, :width] = lit
    cells = dots.reshape(number, rows, 4, columns, 2)
    weights = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
    codes: Numbers = 0x2800 + np.einsum("nrycx,yx->nrc", cells, weights)
    return codes


def ascii_codes(grey: Bytes) -> Numbers:
    """Code points of one character for two pixels, (N, ⌈H/2⌉, W): the ramp at their mean."""
    ramp = np.array([ord(character) for character in ASCII_RAMP])
    return np.asarray(ramp[np.rint(_pairs(grey) / 255.0 * (len(ramp) - 1)).astype(np.int64)])


def shades(pixels: Bytes, *, fewer: bool = False) -> Numbers:
    """Places in `SHADES` of what is nearest to the mean of two pixels, (N, ⌈H/2⌉, W).

    Args:
        pixels: greys (N, H, W), for which greys are taken, or colours (N, H, W, 3).
        fewer: only the characters in white: no colour has to be set from cell to cell.
    """
    if fewer or pixels.ndim == 3:
        steps, places = _grey_shades((7,) if fewer else (7, 8, 15))
        grey = _pairs(pixels if pixels.ndim == 3 else luma(pixels))
        return np.asarray(places[np.searchsorted((steps[1:] + steps[:-1]) / 2.0, grey)])
    colours = np.array([_COVERED[glyph] * np.array(ANSI_16[ink]) for glyph, ink in SHADES])
    distance = ((_pairs(pixels)[..., None, :] - colours) ** 2).sum(axis=-1)
    return np.asarray(distance.argmin(axis=-1))


@cache
def _grey_shades(inks: tuple[int, ...]) -> tuple[NDArray[np.float64], Numbers]:
    """Greys of `SHADES` in these inks from dark to light, 0 to 255, and their places."""
    levels = {_COVERED[g] * ANSI_16[ink][0]: i for i, (g, ink) in enumerate(SHADES) if ink in (0, *inks)}
    greys = sorted(levels)
    return np.array(greys), np.array([levels[grey] for grey in greys])


def _pairs(pixels: Bytes) -> NDArray[np.float64]:
    """The mean of each pixel and the one below it; the last row alone where there is none below."""
    if pixels.shape[1] % 2:
        pixels = np.concatenate([pixels, pixels[:, -1:]], axis=1)
    return np.asarray((pixels[:, 0::2].astype(np.float64) + pixels[:, 1::2]) / 2.0)


def sixteen(pixels: Bytes) -> Numbers:
    """Numbers of the sixteen colours, (N, H, W), for greys (N, H, W) or colours (N, H, W, 3), dithered."""
    offset = _STEP * (_thresholds(*pixels.shape[1:3]) - 0.5)
    if pixels.ndim == 3:
        steps = np.floor((pixels + offset) / _STEP + 0.5).clip(0, 3).astype(np.int64)
        return np.asarray(_GREYS_OF_SIXTEEN[steps])
    wanted = pixels + offset[..., None]
    distance = ((wanted[..., None, :] - np.array(ANSI_16)) ** 2).sum(axis=-1)
    return np.asarray(distance.argmin(axis=-1))


def nearest_256(colours: Bytes) -> Numbers:
    """0xRRGGBB of the nearest colour of the 256-colour palette, (...), for colours (..., 3)."""
    cube = np.array(CUBE_STEPS)[_NEAREST_CUBE[colours]]
    wanted = colours.astype(np.int64)
    greys = np.array(RAMP)[_NEAREST_GREY[wanted.sum(axis=-1)]]
    grey = np.repeat(greys[..., None], 3, axis=-1)
    greyer = ((grey - wanted) ** 2).sum(axis=-1) < ((cube - wanted) ** 2).sum(axis=-1)
    return packed(np.where(greyer[..., None], grey, cube))


def packed(colours: NDArray[Any]) -> Numbers:
    """(..., 3) bytes as 0xRRGGBB."""
    return np.asarray(colours.astype(np.int64) @ np.array([1 << 16, 1 << 8, 1]))


def _nearest(steps: tuple[int, ...], values: NDArray[Any]) -> NDArray[np.int64]:
    """Index of the step nearest to each value."""
    return np.asarray(np.abs(values[:, None] - np.array(steps)).argmin(axis=1))


_NEAREST_CUBE = _nearest(CUBE_STEPS, np.arange(256))
_NEAREST_GREY = _nearest(RAMP, np.arange(3 * 255 + 1) / 3.0)
"""For the sum of red, green and blue: of all greys, the nearest is the one nearest to their mean."""
