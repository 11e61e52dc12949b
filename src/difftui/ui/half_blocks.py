"""From pixels to half blocks: two pixels a cell, in the greys of the 256-colour palette, in few bytes.

A cell shows two greys, its foreground and its background, and four glyphs can place them: upper half, lower
half, full block, blank. `encode_row` walks along a row and picks for each cell the glyph that keeps most of
what the terminal has set already. Pure Gaussian noise still changes a colour in almost every cell; so while a
picture moves a grey may be drawn off by what cannot be seen: one step of the ramp where a neighbour differs
by at least two steps, two where one differs by four, that is, where noise or an edge hides it (about half the
local contrast at most); three quarters of a step elsewhere; and nearly black as black.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from difftui.media import to_uint8
from difftui.ui.lean_strip import BLANK, FULL_BLOCK, LOWER_HALF, UPPER_HALF

RAMP = (0, *range(8, 239, 10), 255)
"""The 26 greys of the 256-colour palette (numbers 16, 232 to 255, 231) as byte values."""

BACKGROUND = 30
"""A level that is no grey but the widget's background: gaps, and what is below an image of odd height."""

Cell = tuple[str, int, int]
"""Glyph, foreground, background: levels here, inks in general (`difftui.ui.pixels.inks`)."""

_RAMP = np.array(RAMP)
_TOP_LEVEL = len(RAMP) - 1
_LEVEL_OF_BYTE = np.abs(np.arange(256)[:, None] - _RAMP).argmin(axis=1).astype(np.uint8)


def grey_levels(pixels: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Nearest level of the 26-grey ramp for each pixel.

    Args:
        pixels: any shape; floats in [-1, 1] (values outside are clipped, NaN is drawn black) or uint8.

    Returns:
        Levels 0 to 25, the shape of `pixels`.
    """
    levels: NDArray[np.uint8] = _LEVEL_OF_BYTE[to_uint8(pixels)]
    return levels


def contrast(levels: NDArray[np.uint8]) -> NDArray[np.int8]:
    """By how many levels a grey differs from that of its four neighbours, at most.

    Args:
        levels: (..., H, W).
    """
    signed = levels.astype(np.int8)
    most = np.zeros(levels.shape, dtype=np.int8)
    across = np.abs(np.diff(signed, axis=-1))
    most[..., 1:] = across
    np.maximum(most[..., :-1], across, out=most[..., :-1])
    down = np.abs(np.diff(signed, axis=-2))
    np.maximum(most[..., 1:, :], down, out=most[..., 1:, :])
    np.maximum(most[..., :-1, :], down, out=most[..., :-1, :])
    return most


# A grey that is not decided yet is an interval of levels, and an interval is a small integer: 1 + 7 · (low -
# lowest) + width, with low in -3 … 30 and width 0 … 6. 0 is "no grey": nothing set yet, or an empty
# intersection. Intervals may reach beyond both ends of the ramp, so that what settles on the middle of one is
# as often too dark as too light.
_LOWEST = -3
_WIDTHS = 7
_INTERVALS = 1 + _WIDTHS * (BACKGROUND - _LOWEST + 1)

_LOW = (np.arange(_INTERVALS) - 1) // _WIDTHS + _LOWEST
_HIGH = _LOW + (np.arange(_INTERVALS) - 1) % _WIDTHS


def _code(low: NDArray[np.int64], high: NDArray[np.int64]) -> NDArray[np.int64]:
    return 1 + _WIDTHS * (low - _LOWEST) + high - low


def _meet_table() -> list[bytes]:
    """Intersection of every two intervals: table[a][b]."""
    low, high = np.maximum.outer(_LOW, _LOW), np.minimum.outer(_HIGH, _HIGH)
    table = np.where(low <= high, _code(low, high), 0)
    table[0, :] = table[:, 0] = 0
    return [bytes(row) for row in table.astype(np.uint8)]


def _middle_table() -> bytes:
    """The level that an interval settles on: its middle, kept within the ramp."""
    middle = (_LOW + _HIGH) // 2
    return bytes(np.where(middle == BACKGROUND, BACKGROUND, middle.clip(0, _TOP_LEVEL)).astype(np.uint8))


_MEET = _meet_table()
_MIDDLE = _middle_table()
_COST = itemgetter(0)

_STEPS_OFF = (0.75, 1.5, 2.5)
_FEWER_STEPS_OFF = (1.75, 2.5, 3.25)
"""How many steps of the ramp a moving grey may be off: where it is flat, beside an edge of 2 steps, of 4."""

_BLACK = 1.5
"""A moving grey below this level (byte 13) may be black: no screen in a lit room shows the difference."""


def _intervals_of_bytes(off: float, black: float = 0.0) -> NDArray[np.uint8]:
    """For each byte the interval of the levels that are at most `off` steps away, the nearest in any case."""
    place = np.interp(np.arange(256), _RAMP, np.arange(len(RAMP)))
    nearest = _LEVEL_OF_BYTE.astype(np.int64)
    low = np.minimum(np.ceil(place - off - 1e-9).astype(np.int64), nearest)
    high = np.maximum(np.floor(place + off + 1e-9).astype(np.int64), nearest)
    dark = place < black
    low, high = np.where(dark, np.minimum(low, -1), low), np.where(dark, np.maximum(high, 1), high)
    return _code(low, high).astype(np.uint8)


_EXACT = _intervals_of_bytes(0.0)
_MOVING = np.stack([_intervals_of_bytes(off, _BLACK) for off in _STEPS_OFF])
_COARSE = np.stack([_intervals_of_bytes(off, _BLACK) for off in _FEWER_STEPS_OFF])
_CLASS_OF_CONTRAST = np.searchsorted((2, 4), np.arange(len(RAMP)), side="right").astype(np.uint8)

NOTHING = int(_code(np.array(BACKGROUND), np.array(BACKGROUND)))
"""What `encode_row` takes where no image is."""


def intervals(pixels: NDArray[np.generic], *, moving: bool = False, fewer: bool = False) -> NDArray[np.uint8]:
    """What `encode_row` may draw for each pixel.

    Args:
        pixels: (..., H, W), floats in [-1, 1] or uint8.
        moving: also levels that are off by less than can be seen in a moving picture.
        fewer: with `moving`, levels that are off by somewhat more: a coarser picture in fewer bytes.
    """
    grey = to_uint8(pixels)
    if not moving:
        return np.asarray(_EXACT[grey])
    by_contrast = _CLASS_OF_CONTRAST[contrast(_LEVEL_OF_BYTE[grey])]
    allowed: NDArray[np.uint8] = (_COARSE if fewer else _MOVING)[by_contrast, grey]
    return allowed


def holds(intervals: NDArray[np.integer[Any]], levels: NDArray[np.integer[Any]]) -> NDArray[np.bool_]:
    """Whether each level lies in its interval."""
    inside: NDArray[np.bool_] = (_LOW[intervals] <= levels) & (levels <= _HIGH[intervals])
    return inside


# What a choice costs in bytes: the glyph (a blank is one byte, a block three) and the colours set for it.
_KEEP_BLANK, _KEEP_BLOCK = 1, 3
_NEW_BLANK = len("\x1b[48;5;240m") + _KEEP_BLANK
_NEW_COLOUR = len("\x1b[38;5;240m") + _KEEP_BLOCK
_NEW_COLOURS = len("\x1b[38;5;240;48;5;240m") + _KEEP_BLOCK

_Step = tuple[int, int, int, str, bool, bool, Any]
"""Cost so far; foreground and background interval; glyph; whether either is set anew; the step before."""


def encode_row(tops: Sequence[int], bottoms: Sequence[int]) -> list[Cell]:
    """Choose glyph and colours for one row of cells.

    One pass from left to right that follows the two cheapest ways on (a search with all of them saves 0.1 %
    more). A colour that is kept stays an interval, narrowed to what all its cells allow, and is settled at
    the end.

    Args:
        tops: interval of the upper pixel of each cell, from `intervals`.
        bottoms: interval of the lower pixel.
    """
    meet = _MEET
    ways: list[_Step] = [(0, 0, 0, "", False, False, None)]
    for top, bottom in zip(tops, bottoms, strict=True):
        one_grey = meet[top][bottom]
        found: list[_Step] = []
        for way in ways:
            cost, fore, back, _, _, _, _ = way
            meet_fore, meet_back = meet[fore], meet[back]
            if one_grey:
                if kept := meet_back[one_grey]:
                    found.append((cost + _KEEP_BLANK, fore, kept, BLANK, False, False, way))
                    continue
                if kept := meet_fore[one_grey]:
                    found.append((cost + _KEEP_BLOCK, kept, back, FULL_BLOCK, False, False, way))
                    continue
            fore_top, back_bottom = meet_fore[top], meet_back[bottom]
            if fore_top and back_bottom:
                found.append((cost + _KEEP_BLOCK, fore_top, back_bottom, UPPER_HALF, False, False, way))
                continue
            fore_bottom, back_top = meet_fore[bottom], meet_back[top]
            if fore_bottom and back_top:
                found.append((cost + _KEEP_BLOCK, fore_bottom, back_top, LOWER_HALF, False, False, way))
                continue
            if one_grey:
                found.append((cost + _NEW_BLANK, fore, one_grey, BLANK, False, True, way))
                found.append((cost + _NEW_COLOUR, one_grey, back, FULL_BLOCK, True, False, way))
                continue
            if fore_top or back_bottom or fore_bottom or back_top:
                cost += _NEW_COLOUR
                if fore_top:
                    found.append((cost, fore_top, bottom, UPPER_HALF, False, True, way))
                if back_bottom:
                    found.append((cost, top, back_bottom, UPPER_HALF, True, False, way))
                if fore_bottom:
                    found.append((cost, fore_bottom, top, LOWER_HALF, False, True, way))
                if back_top:
                    found.append((cost, bottom, back_top, LOWER_HALF, True, False, way))
            else:
                cost += _NEW_COLOURS
                found.append((cost, top, bottom, UPPER_HALF, True, True, way))
                found.append((cost, bottom, top, LOWER_HALF, True, True, way))
        ways = found if len(found) == 1 else _two_cheapest(found)
    return _settle(min(ways, key=_COST))


def _two_cheapest(found: list[_Step]) -> list[_Step]:
    """The cheapest way and the cheapest one that leaves other colours behind."""
    found.sort(key=_COST)
    best = found[0]
    _, fore, back, _, _, _, _ = best
    for other in found:
        if other[1] != fore or other[2] != back:
            return [best, other]
    return [best]


# The background may be the terminal's own, which no code can set as a foreground: show such a cell the other
# way.
_BEHIND: dict[str, Callable[[int], Cell]] = {
    BLANK: lambda back: (BLANK, back, back),
    FULL_BLOCK: lambda back: (BLANK, BACKGROUND, BACKGROUND),
    UPPER_HALF: lambda back: (LOWER_HALF, back, BACKGROUND),
    LOWER_HALF: lambda back: (UPPER_HALF, back, BACKGROUND),
}


def _settle(way: _Step) -> list[Cell]:
    """The cells of a way, from the right: the last cell of a run knows what all of the run allows."""
    cells: list[Cell] = []
    fore = back = -1
    while way[6] is not None:
        _, fores, backs, glyph, new_fore, new_back, before = way
        if fore < 0:
            fore = _MIDDLE[fores]
        if back < 0:
            back = _MIDDLE[backs]
        cells.append((glyph, fore, back) if fore != BACKGROUND else _BEHIND[glyph](back))
        if new_fore:
            fore = -1
        if new_back:
            back = -1
        way = before
    cells.reverse()
    return cells
