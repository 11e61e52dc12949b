"""The last of many sizes is the one that counts, whichever order screens hear of them in."""

from __future__ import annotations

from pathlib import Path

import pyte
from helpers import eventually, until
from nursery import Nursery, Pty, end_of
from pyte.screens import Char
from textual.events import Resize
from textual.geometry import Size
from textual.screen import Screen

from difftui.ui.app import DifftuiApp
from difftui.ui.screens.help import HelpScreen
from difftui.ui.steady import Palette

LARGE, SMALL = (80, 24), (60, 20)


def look_of(screen: pyte.Screen) -> list[list[tuple[str, ...]]]:
    """What is to be seen in each cell: ▀ in two colours is ▄ in the same two the other way round."""
    rows = []
    for y in range(screen.lines):
        cells = (screen.buffer[y][x] for x in range(screen.columns))
        rows.append([_halves(cell) for cell in cells])
    return rows


def _halves(cell: Char) -> tuple[str, ...]:
    front, back = (cell.bg, cell.fg) if cell.reverse else (cell.fg, cell.bg)
    halves = {"▀": (front, back), "▄": (back, front), "█": (front, front), " ": (back, back)}
    return halves.get(cell.data, (cell.data, front, back))


def late(screen: Screen[object], size: tuple[int, int]) -> None:
    """What a screen tells itself once it was laid out for a size, behind what the app told it since."""
    screen.post_message(Resize(Size(*size), Size(*size)))


async def test_a_size_that_is_no_more_is_not_drawn() -> None:
    app = DifftuiApp(screen="forward", device="cpu")
    async with app.run_test(size=LARGE) as pilot:
        await until(pilot, lambda: app.current_mode == "forward" and app.screen.size == LARGE)
        below = app.screen
        for window in (None, HelpScreen("forward"), Palette()):
            if window is not None:
                await app.push_screen(window)
            late(app.screen, SMALL)
            await pilot.pause(0.1)
            assert app.screen.size == below.size == LARGE
            assert not below.has_class("-too-small")
            await pilot.resize_terminal(*SMALL)  # the true one, and a late word of the one before
            late(app.screen, LARGE)
            await until(pilot, lambda: app.screen.size == SMALL and below.has_class("-too-small"))
            late(app.screen, (200, 60))
            await pilot.resize_terminal(*LARGE)
            await until(pilot, lambda: app.screen.size == LARGE and not below.has_class("-too-small"))
            await pilot.pause(0.1)
            assert app.screen.size == LARGE
            assert not below.has_class("-wide")


async def test_the_palette_opens_once() -> None:
    app = DifftuiApp(screen="home", device="cpu")
    async with app.run_test(size=LARGE) as pilot:
        await until(pilot, lambda: app.current_mode == "home")
        app.action_command_palette()
        app.action_command_palette()
        await until(pilot, lambda: isinstance(app.screen, Palette))
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, Palette))


def test_sizes_that_came_and_went_at_once_leave_no_hole(nursery: Nursery, own_home: Path) -> None:
    terminal = Pty(*LARGE)
    screen = pyte.Screen(*LARGE)
    stream = pyte.ByteStream(screen)
    environment = {"DIFFTUI_HOME": str(own_home), "TERM": "xterm-256color"}
    pid = nursery.start(["--screen", "forward", "--device", "cpu"], (terminal.near,) * 3, environment)

    def looks_like(wanted: list[list[tuple[str, ...]]] | None) -> bool:
        said = terminal.read_for(0.05 if wanted else 0.7)
        stream.feed(said)
        if wanted:
            return look_of(screen) == wanted
        text = "".join(screen.display)
        return "SNR" in text and "CPU" in text and not said  # the device is told when torch is there

    try:
        eventually(lambda: looks_like(None))
        before = look_of(screen)
        for _ in range(3):
            for size in ((12, 4), LARGE):  # as fast as it goes: the app may see the last alone
                screen.resize(size[1], size[0])
                terminal.resize(*size)
            eventually(lambda: looks_like(before))
        terminal.type("q")
        assert end_of(nursery, pid, 60, terminal.read) == 0
    except AssertionError as error:
        raise AssertionError("\n".join(["of the terminal is left:", *screen.display])) from error
    finally:
        terminal.close()
