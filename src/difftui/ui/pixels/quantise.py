"""From bytes to what few colours, dots and characters can show."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from difftui.ui.half_blocks import RAMP
from difftui.ui.lean_strip import ANSI_16, CUBE_STEPS

__all__ = [
    "ASCII_RAMP",
    "ascii_codes",
    "braille_codes",
    "eight",
    "luma",
    "mono",
    "nearest_256",
    "packed",
    "sixteen",
]

ASCII_RAMP = " .:-=+*#%@"
"""From black to white, on black."""

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
    if grey.shape[1] % 2:
        grey = np.concatenate([grey, grey[:, -1:]], axis=1)
    mean = (grey[:, 0::2].astype(np.float64) + grey[:, 1::2]) / 2.0
    ramp = np.array([ord(character) for character in ASCII_RAMP])
    return np.asarray(ramp[np.rint(mean / 255.0 * (len(ramp) - 1)).astype(np.int64)])


def sixteen(pixels: Bytes) -> Numbers:
    """Numbers of the sixteen colours, (N, H, W), for greys (N, H, W) or colours (N, H, W, 3), dithered."""
    offset = _STEP * (_thresholds(*pixels.shape[1:3]) - 0.5)
    if pixels.ndim == 3:
        steps = np.floor((pixels + offset) / _STEP + 0.5).clip(0, 3).astype(np.int64)
        return np.asarray(_GREYS_OF_SIXTEEN[steps])
    wanted = pixels + offset[..., None]
    distance = ((wanted[..., None, :] - np.array(ANSI_16)) ** 2).sum(axis=-1)
    return np.asarray(distance.argmin(axis=-1))


def eight(pixels: Bytes) -> Numbers:
    """Numbers of the eight dark ANSI colours, shapes as for `sixteen`: each of red, green, blue on or off."""
    if pixels.ndim == 3:
        return np.where(mono(pixels), 7, 0)
    lit = pixels > 255.0 * _thresholds(*pixels.shape[1:3])[..., None]
    return np.asarray(lit @ np.array([1, 2, 4]))


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
