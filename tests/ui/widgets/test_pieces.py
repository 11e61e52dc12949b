"""A picture that comes to rest on a slow link is sent sharp in pieces, with room for keys between them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from textual.app import ComposeResult
from textual.widgets import Static

from difftui.pixel_modes import Detail, PixelMode
from difftui.ui.pixels.display import PixelApp
from difftui.ui.widgets.pixels import PixelView

pytestmark = pytest.mark.usefixtures("no_rest")  # a test says when

PIECE = 6400  # what 64 kB/s take in a frame's time
RAMP = [0, *range(8, 239, 10), 255]


class Stage(PixelApp):
    def __init__(self) -> None:
        super().__init__(PixelMode.PALETTE)
        self.view = PixelView(columns=6, gap=1)

    def compose(self) -> ComposeResult:
        yield self.view
        yield Static("before", id="words")


async def next_frame(pilot: Any, wire: Any) -> int:
    """What a frame of a slow link lets through, in bytes."""
    pilot.app.allowance = PIECE
    pilot.app.pictures_wait = True
    await pilot.pause()
    pilot.app.pictures_wait = False
    await pilot.pause()
    return len(wire.take().encode())


def wrong(wire: Any, digits: np.ndarray) -> int:
    """Pixels whose half cell is not the nearest grey."""
    count = 0
    for index, digit in enumerate(digits):
        left, top = 29 * (index % 6), 15 * (index // 6)
        for y, x in np.ndindex(28, 28):
            grey = RAMP[int(np.abs(np.array(RAMP) - float(digit[y, x])).argmin())]
            count += wire.halves(left + x, top + y // 2)[y % 2] != f"{grey:02x}" * 3
    return count


async def test_no_piece_is_large_words_go_between_and_in_the_end_all_is_exact(terminal: Any) -> None:
    async with terminal(Stage, (180, 40)) as (pilot, wire):
        digits = np.random.default_rng(0).integers(0, 256, (12, 28, 28), dtype=np.uint8)
        app, view = pilot.app, pilot.app.view
        app.pixel_detail = Detail.BRAILLE
        view.show(digits, moving=True)
        await pilot.pause()
        wire.take()
        app.allowance = PIECE
        view._moving = False  # what its timer does, after a while without frames
        view._draw()
        await pilot.pause()
        sizes = [len(wire.take().encode())]
        app.query_one("#words", Static).update("after")
        sizes.append(await next_frame(pilot, wire))
        assert "after" in wire.text(29), "words do not wait for the picture"
        assert wrong(wire, digits) > 1000
        while size := await next_frame(pilot, wire):
            sizes.append(size)
        assert wrong(wire, digits) == 0
        assert max(sizes) < 1.3 * PIECE
        assert sum(sizes) > 60_000, "the whole picture is worth a second of the link"
        assert len(sizes) >= 8


async def test_one_that_moves_on_before_it_was_sharp_is_drawn_as_it_moves(terminal: Any) -> None:
    async with terminal(Stage, (180, 40)) as (pilot, wire):
        rng = np.random.default_rng(1)
        first, second = (rng.integers(0, 256, (12, 28, 28), dtype=np.uint8) for _ in range(2))
        app, view = pilot.app, pilot.app.view
        app.pixel_detail = Detail.BRAILLE
        view.show(first, moving=True)
        await pilot.pause()
        view._moving = False
        app.allowance = PIECE
        view._draw()
        await pilot.pause()
        app.frames = 0  # it does not rest before others are drawn
        view.show(second, moving=True)
        for _ in range(16):
            await next_frame(pilot, wire)
        assert not any(glyph in line for line in wire.screen.display for glyph in "▀▄")
        view._moving = False
        view._draw()
        for _ in range(40):
            await next_frame(pilot, wire)
        assert wrong(wire, second) == 0


async def test_of_a_moving_picture_no_part_is_large_and_every_row_has_its_turn(terminal: Any) -> None:
    async with terminal(Stage, (180, 40)) as (pilot, wire):
        rng = np.random.default_rng(2)
        app, view = pilot.app, pilot.app.view
        app.pixel_detail = Detail.BRAILLE
        app.allowance = PIECE
        view.show(rng.integers(0, 256, (12, 28, 28), dtype=np.uint8), moving=True)
        await pilot.pause()
        sizes, shares = [], []
        drawn_at: dict[int, int] = {}
        for frame in range(24):
            wire.take()
            before = list(wire.screen.display)
            app.pictures_wait = True
            view.show(rng.integers(0, 256, (12, 28, 28), dtype=np.uint8), moving=True)
            app.allowance = PIECE
            app.pictures_wait = False
            await pilot.pause()
            sizes.append(len(wire.take().encode()))
            shares.append(app.take_share(sizes[-1]))
            new = [y for y in range(29) if wire.screen.display[y] != before[y]]
            drawn_at |= dict.fromkeys(new, frame)
        assert max(sizes[4:]) < 1.3 * PIECE, "what a cell takes is known by then"
        assert min(sizes[4:]) > 0.6 * PIECE
        assert 0.1 < np.mean(shares[4:]) < 0.9
        turns = int(np.ceil(1 / np.mean(shares[4:]))) + 1
        assert set(drawn_at) == set(range(29)) - {14}, "all but the gap"
        assert min(drawn_at.values()) >= 24 - turns, "none waits longer than the others"


async def test_on_a_fast_link_it_is_sharp_at_once(terminal: Any) -> None:
    async with terminal(Stage, (180, 40)) as (pilot, wire):
        digits = np.random.default_rng(0).integers(0, 256, (12, 28, 28), dtype=np.uint8)
        pilot.app.view.show(digits)
        await pilot.pause()
        wire.take()
        assert wrong(wire, digits) == 0
