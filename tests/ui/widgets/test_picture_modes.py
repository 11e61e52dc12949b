"""PixelView in every mode, read back by a terminal emulator: each cell against the array."""

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pyte
import pytest
from helpers import until
from textual.app import ComposeResult
from textual.widgets import Static

from difftui.pixel_modes import Detail, PixelMode
from difftui.ui.lean_strip import ANSI_16
from difftui.ui.pixels.display import PixelApp
from difftui.ui.widgets.pixels import PixelView

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (1, 27, 29), dtype=np.uint8)
COLOUR = RNG.integers(0, 256, (1, 27, 29, 3), dtype=np.uint8)
COLOUR[0, :4] = RNG.integers(0, 256, (4, 29, 1))  # some greys among them
GROUND = "121212"
NAMES = ["black", "red", "green", "brown", "blue", "magenta", "cyan", "white"]
NAMES += [f"bright{name}" for name in NAMES]
PYTE_SAYS = {"bfightmagenta": "brightmagenta"}


class Stage(PixelApp):
    CSS = """
    Screen { background: #121212; layers: below above; overflow: hidden; }
    #over { layer: above; offset: 5 3; width: 9; height: 2; background: #204060; color: #ffffff; }
    """

    def __init__(self, mode: PixelMode, view: PixelView | None = None) -> None:
        super().__init__(mode)
        self.view = view or PixelView()

    def compose(self) -> ComposeResult:
        yield self.view


# What each mode should show, by formulas of our own.


def threshold(x: int, y: int) -> float:
    """Bayer's, by interleaving the bits of x ^ y and y from the least significant on."""
    level = 0
    for bit in (0, 1):
        level = level * 4 + ((x ^ y) >> bit & 1) * 2 + (y >> bit & 1)
    return (level + 0.5) / 16


def nearest(value: np.ndarray, choices: list[tuple[float, ...]]) -> int:
    return int(((np.array(choices) - value) ** 2).sum(axis=1).argmin())


def hexed(colour: Any) -> str:
    return "{:02x}{:02x}{:02x}".format(*colour)


RAMP = [(0, 0, 0), *((g, g, g) for g in range(8, 239, 10)), (255, 255, 255)]
CUBE = list(product((0, 95, 135, 175, 215, 255), repeat=3))


def exact(value: np.ndarray, x: int, y: int) -> str:
    return hexed(value)


def ramp(value: np.ndarray, x: int, y: int) -> str:
    return hexed(RAMP[nearest(value, RAMP)])


def palette(value: np.ndarray, x: int, y: int) -> str:
    colours = CUBE + RAMP
    return hexed(colours[nearest(value, colours)])


def sixteen(value: np.ndarray, x: int, y: int) -> str:
    wanted = value + 85 * (threshold(x, y) - 0.5)
    if value[0] == value[1] == value[2]:
        greys = [ANSI_16[i] for i in (0, 8, 7, 15)]
        return NAMES[ANSI_16.index(greys[nearest(wanted, greys)])]
    return NAMES[nearest(wanted, list(ANSI_16))]


def mono(value: np.ndarray, x: int, y: int) -> str:
    return "ffffff" if lit(round(luma(value)), x, y) else "000000"


def lit(value: float, x: int, y: int) -> bool:
    return value > 255 * threshold(x, y)


def luma(value: np.ndarray) -> float:
    red, green, blue = value.tolist()
    return 0.299 * red + 0.587 * green + 0.114 * blue


HALF_BLOCKS: dict[PixelMode, tuple[Callable[..., str], Callable[..., str]]] = {
    PixelMode.EXACT: (exact, exact),
    PixelMode.TRUECOLOR: (ramp, exact),
    PixelMode.PALETTE: (ramp, palette),
    PixelMode.SIXTEEN: (sixteen, sixteen),
    PixelMode.MONO: (mono, mono),
}


def wrong_halves(wire: Any, image: np.ndarray, shows: Callable[..., str]) -> list[tuple[Any, ...]]:
    """Every half cell that does not show its pixel."""
    height, width = image.shape[:2]
    wrong = []
    for y, x in product(range(height), range(width)):
        expected = shows(np.broadcast_to(image[y, x], 3).astype(np.int64), x, y)
        seen = wire.halves(x, y // 2)[y % 2]
        seen = PYTE_SAYS.get(seen, seen)
        if seen != expected:
            wrong.append((x, y, seen, expected))
    return wrong


@pytest.mark.parametrize("mode", HALF_BLOCKS, ids=lambda mode: mode.value)
async def test_half_blocks_show_greys_and_colours(terminal: Any, mode: PixelMode) -> None:
    async with terminal(lambda: Stage(mode)) as (pilot, wire):
        for images, shows in zip((GREY, COLOUR), HALF_BLOCKS[mode], strict=True):
            pilot.app.view.show(images)
            await pilot.pause()
            wire.take()
            assert wrong_halves(wire, images[0], shows) == []
            assert wire.halves(29, 0) == (GROUND, GROUND), "nothing beside it"
            if mode is not PixelMode.MONO:
                assert wire.halves(0, 13)[1] == GROUND, "nothing in the lower half of the last row"


async def test_braille_has_a_dot_for_each_pixel_in_a_quarter_of_the_cells(terminal: Any) -> None:
    bits = {(0, 0): 0, (0, 1): 1, (0, 2): 2, (1, 0): 3, (1, 1): 4, (1, 2): 5, (0, 3): 6, (1, 3): 7}
    async with terminal(lambda: Stage(PixelMode.BRAILLE)) as (pilot, wire):
        for images in (GREY, COLOUR):
            pilot.app.view.show(images)
            await pilot.pause()
            wire.take()
            assert pilot.app.view.size == (15, 7)
            for row, column in product(range(7), range(15)):
                glyph = wire.screen.buffer[row][column]
                dots = 0 if glyph.data == " " else ord(glyph.data) - 0x2800
                for (x, y), bit in bits.items():
                    there = 2 * column + x < 29 and 4 * row + y < 27
                    value = np.broadcast_to(images[0, 4 * row + y, 2 * column + x], 3) if there else None
                    expected = there and lit(round(luma(value)), 2 * column + x, 4 * row + y)
                    assert bool(dots >> bit & 1) == expected
                assert glyph.bg == "000000"


async def test_ascii_is_ascii_and_denser_where_it_is_lighter(terminal: Any) -> None:
    view = PixelView(framed=True)
    async with terminal(lambda: Stage(PixelMode.ASCII, view)) as (pilot, wire):
        for images in (GREY, COLOUR):
            view.show(images)
            view.highlighted = 0
            await pilot.pause()
            assert wire.take().isascii()
            values = images[0] if images.ndim == 3 else np.rint(np.apply_along_axis(luma, -1, images[0]))
            for row, x in product(range(14), range(29)):
                mean = (values[2 * row, x] + float(values[min(2 * row + 1, 26), x])) / 2
                assert wire.screen.buffer[row][1 + x].data == " .:-=+*#%@"[round(mean / 255 * 9)]
            assert [wire.text(5)[x] for x in (0, 30)] == ["|", "|"], "the frame is ASCII, too"


INK = dict(zip(NAMES, ANSI_16, strict=True))
COVERED = {" ": 0.0, "░": 0.25, "▒": 0.5, "█": 1.0}


async def test_a_console_shows_the_nearest_of_what_its_font_and_its_colours_give(terminal: Any) -> None:
    async with terminal(lambda: Stage(PixelMode.EIGHT)) as (pilot, wire):
        for images in (GREY, COLOUR):
            grey = images.ndim == 3
            inks = ("white", "brightblack", "brightwhite") if grey else NAMES
            there = [share * np.array(INK[ink]) for ink in inks for share in COVERED.values()]
            pilot.app.view.show(images)
            await pilot.pause()
            wire.take()
            for row, x in product(range(14), range(29)):
                pair = images[0, [2 * row, min(2 * row + 1, 26)], x].astype(float).mean(axis=0)
                wanted = np.broadcast_to(pair, 3)
                cell = wire.screen.buffer[row][x]
                assert cell.bg in ("black", "default") or cell.data == "█"
                ink = PYTE_SAYS.get(cell.fg, cell.fg)
                seen = COVERED[cell.data] * np.array(INK.get(ink, (0, 0, 0)))
                best = min(((wanted - colour) ** 2).sum() for colour in there)
                assert ((wanted - seen) ** 2).sum() <= best + 1e-6, (row, x, cell)


def cells(screen: pyte.Screen) -> list[list[tuple[str, str, str]]]:
    """What a person sees: the colour behind a full block and that of a blank's dots do not matter."""
    seen = []
    for y in range(screen.lines):
        row = []
        for x in range(screen.columns):
            glyph, fore, back, *_ = screen.buffer[y][x]
            alone = {" ": (" ", "", back), "█": (" ", "", fore)}
            row.append(alone.get(glyph, (glyph, fore, back)))
        seen.append(row)
    return seen


async def painted_anew(pilot: Any, wire: Any) -> list[list[tuple[str, str, str]]]:
    """The cells after everything is sent once more to an empty screen."""
    wire.take()
    wire.screen.reset()
    pilot.app.screen.refresh()
    await pilot.pause()
    wire.take()
    return cells(wire.screen)


def frames() -> list[np.ndarray]:
    """Three pictures beside each other; then changes of one pixel, of a row, of little, of all."""
    start = np.tanh(RNG.standard_normal((3, 14, 14)))
    pixel, row, little = start.copy(), start.copy(), start.copy()
    pixel[1, 9, 10] *= -1
    row[:, 11] *= -1
    little += 0.04 * RNG.standard_normal(start.shape)
    return [start, pixel, row, little, -start, np.full_like(start, -1.0), start]


@pytest.mark.usefixtures("no_rest")
@pytest.mark.parametrize("mode", PixelMode, ids=lambda mode: mode.value)
async def test_what_changed_is_all_that_had_to_be_sent(terminal: Any, mode: PixelMode) -> None:
    """Partial updates, moving or not, scrolled, under an overlay: as if all had been painted anew."""
    view = PixelView(columns=3, gap=2, framed=True, captions=["one", "two", "three"])
    async with terminal(lambda: Stage(mode, view), (44, 9)) as (pilot, wire):
        over = Static("overlay", id="over")
        for offset, moving in (((-4, -2), False), ((6, 4), True)):
            view.styles.offset = offset
            for index, frame in enumerate(frames()):
                view.show(frame, moving=moving)
                view.highlighted = index % 3
                if index == 2:
                    await pilot.app.mount(over)
                if index == 5:
                    await over.remove()
                await pilot.pause()
                wire.take()
                if index in (3, 6):
                    seen = cells(wire.screen)
                    assert len({cell for line in seen for cell in line}) > 5
                    assert seen == await painted_anew(pilot, wire)


async def test_a_pixel_that_changes_is_a_few_bytes(terminal: Any) -> None:
    async with terminal(lambda: Stage(PixelMode.PALETTE)) as (pilot, wire):
        before, after = frames()[:2]
        pilot.app.view.show(before[1])
        await pilot.pause()
        wire.take()
        pilot.app.view.show(after[1])
        await pilot.pause()
        sent = wire.take()
        assert len(sent.encode()) < 60, "synchronized output alone is 16, the cursor's place at the end 6"
        pilot.app.view.show(after[1].copy())
        await pilot.pause()
        assert wire.take() == ""


async def test_pictures_follow_the_mode_of_the_app(terminal: Any) -> None:
    async with terminal(lambda: Stage(PixelMode.PALETTE)) as (pilot, wire):
        pilot.app.view.show(GREY)
        for mode, size in ((PixelMode.BRAILLE, (15, 7)), (PixelMode.EXACT, (29, 14))):
            pilot.app.pixel_mode = mode
            await pilot.pause()
            wire.take()
            assert pilot.app.view.size == size
        assert wrong_halves(wire, GREY[0], exact) == []


@pytest.mark.usefixtures("no_rest")
async def test_less_detail_while_it_moves(terminal: Any) -> None:
    async with terminal(lambda: Stage(PixelMode.PALETTE)) as (pilot, wire):
        view, rng = pilot.app.view, np.random.default_rng(1)
        sizes = {}
        for detail in Detail:
            pilot.app.pixel_detail = detail
            for _ in range(3):
                view.show(rng.standard_normal((1, 28, 28)), moving=True)
                await pilot.pause()
                sizes[detail] = len(wire.take().encode())
            assert view.size == (28, 14), "at its place"
        assert sizes[Detail.BRAILLE] < sizes[Detail.FEWER_GREYS] < sizes[Detail.FULL]
        assert sizes[Detail.BRAILLE] < 1700
        view.show(GREY[:, :26], moving=True)
        await pilot.pause()
        wire.take()
        assert wrong_halves(wire, GREY[0, :26], ramp)


async def test_all_detail_at_rest(terminal: Any) -> None:
    async with terminal(lambda: Stage(PixelMode.PALETTE)) as (pilot, wire):
        view = pilot.app.view
        pilot.app.pixel_detail = Detail.BRAILLE
        view.show(-GREY[:, :26], moving=True)
        await pilot.pause()
        view.show(GREY[:, :26], moving=True)

        def exact() -> bool:
            wire.take()
            return not wrong_halves(wire, GREY[0, :26], ramp)

        await until(pilot, exact)


async def test_sixteen_colours_stay_sixteen_while_little_detail_is_drawn(terminal: Any) -> None:
    async with terminal(lambda: Stage(PixelMode.SIXTEEN)) as (pilot, wire):
        wire.take()
        for detail in Detail:
            pilot.app.pixel_detail = detail
            pilot.app.view.show(RNG.standard_normal((1, 28, 28)), moving=True)
            await pilot.pause()
            wire.take()
            seen = {wire.screen.buffer[y][x] for y in range(14) for x in range(28)}
            assert {colour for cell in seen for colour in (cell.fg, cell.bg)} <= {*NAMES, "default", GROUND}


async def test_a_terminal_of_which_rich_does_not_know_the_palette(
    terminal: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make() -> Stage:
        monkeypatch.setenv("TERM", "alacritty")
        return Stage(PixelMode.PALETTE)

    async with terminal(make) as (pilot, wire):
        assert pilot.app.console.color_system == "standard"
        pilot.app.view.show(GREY)
        await pilot.pause()
        wire.take()
        assert wrong_halves(wire, GREY[0], ramp) == []


async def test_screenshots_have_the_same_glyphs_and_colours(terminal: Any) -> None:
    for mode, fills in ((PixelMode.BRAILLE, 1), (PixelMode.ASCII, 1), (PixelMode.SIXTEEN, 4)):
        async with terminal(lambda mode=mode: Stage(mode)) as (pilot, wire):
            pilot.app.view.show(GREY)
            await pilot.pause()
            wire.take()
            shot = pilot.app.export_screenshot(simplify=True)
            for glyph in {cell[0] for row in cells(wire.screen) for cell in row} - set(' "&<>'):
                assert glyph in shot
            greys = [f'fill="#{value:02x}{value:02x}{value:02x}"' for value in (0, 85, 170, 255)]
            assert all(grey in shot for grey in greys[:fills])
