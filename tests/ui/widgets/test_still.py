"""Stills on a console and in a widget, read back by a terminal emulator."""

import io
from typing import Any

import numpy as np
import pyte
import pytest
from rich.console import Console
from textual.app import App, ComposeResult
from textual.widgets import Static

from difftui.media import to_uint8
from difftui.ui.widgets.still import still

IMAGES = np.random.default_rng(0).uniform(-1, 1, (5, 1, 7, 10))


def printed(*args: Any, **options: Any) -> pyte.Screen:
    out = io.StringIO()
    console = Console(file=out, color_system="truecolor", force_terminal=True, width=80, _environ={})
    console.print(still(*args, **options))
    screen = pyte.Screen(80, 24)
    pyte.Stream(screen).feed(out.getvalue().replace("\n", "\r\n"))
    return screen


def halves(screen: pyte.Screen, x: int, y: int) -> tuple[str, str]:
    """Colours of the upper and the lower half; "default" is the terminal's own."""
    cell = screen.buffer[y][x]
    return cell.bg, cell.fg if cell.data == "▄" else "default" if cell.data == " " else "?"


def test_a_grid_on_a_console_has_every_pixel() -> None:
    screen = printed(IMAGES, width=34)
    for index, image in enumerate(to_uint8(IMAGES[:, 0])):
        left, top = (index % 3) * 11, (index // 3) * 5
        for (y, x), value in np.ndenumerate(image):
            assert halves(screen, left + x, top + y // 2)[y % 2] == f"{value:02x}" * 3
        assert halves(screen, left, top + 3)[1] == "default", "nothing below an odd height"
    assert halves(screen, 10, 0) == ("default", "default"), "the gap is not painted"
    assert screen.display[4].strip() == ""


def test_columns_can_be_asked_for() -> None:
    screen = printed(IMAGES, columns=1, gap=0)
    assert halves(screen, 9, 19)[0] == f"{to_uint8(IMAGES)[4, 0, 6, 9]:02x}" * 3
    assert {halves(screen, 10, y) for y in range(24)} == {("default", "default")}
    with pytest.raises(ValueError, match="columns"):
        still(IMAGES, columns=0)


async def test_it_stands_in_a_widget(terminal: Any) -> None:
    class Stage(App[None]):
        CSS = "Screen { background: #121212; } Static { width: 10; height: auto; }"

        def compose(self) -> ComposeResult:
            yield Static(still(IMAGES[0]))

    async with terminal(Stage) as (pilot, wire):
        await pilot.pause()
        wire.take()
        assert pilot.app.query_one(Static).size == (10, 4)
        assert wire.text(0)[:10].strip("▄") == ""
