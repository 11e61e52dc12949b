"""PixelView in a running app, read back by a terminal emulator: every half cell against the array."""

import re
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from helpers import until
from textual.app import App, ComposeResult
from textual.geometry import Size
from textual.widgets import Static

from difftui.ui.half_blocks import RAMP, contrast, grey_levels
from difftui.ui.widgets.pixels import REST_SECONDS, PixelView, arrange, resample

RNG = np.random.default_rng(0)
GROUND = "121212"
NOISE = RNG.standard_normal((28, 28)).astype(np.float32)


def stroke(seed: int = 0) -> np.ndarray:
    """Something like a digit: black, with a smooth bright stroke."""
    y, x = np.mgrid[0:28, 0:28]
    centre = 14 + 5 * np.sin(y / 4 + seed)
    return (255 * np.exp(-(((x - centre) / 2) ** 2)) * ((y > 4) & (y < 24))).astype(np.uint8)


class Stage(App[None]):
    CSS = """
    Screen { background: #121212; layers: below above; }
    #over { layer: above; offset: 5 3; width: 9; height: 2; background: #204060; color: #ffffff; }
    """

    def __init__(self, view: PixelView) -> None:
        super().__init__()
        self.view = view
        self.picked: list[int] = []

    def compose(self) -> ComposeResult:
        yield self.view

    def on_pixel_view_picked(self, event: PixelView.Picked) -> None:
        assert event.control is self.view
        self.picked.append(event.index)


def grey(level: int) -> str:
    return f"{RAMP[level]:02x}" * 3


def differences(wire: Any, image: np.ndarray, x0: int = 0, y0: int = 0) -> list[tuple[Any, ...]]:
    """Every half cell that does not have the grey of its pixel."""
    levels = grey_levels(image)
    wrong = []
    for y, line in enumerate(levels):
        for x, level in enumerate(line):
            seen = wire.halves(x0 + x, y0 + y // 2)[y % 2]
            if seen != grey(level):
                wrong.append((x, y, seen, grey(level)))
    return wrong


@pytest.mark.parametrize(
    "image",
    [
        pytest.param(NOISE, id="noise"),
        pytest.param(stroke(), id="stroke"),
        pytest.param(np.full((28, 28), -1.0), id="black"),
        pytest.param(np.linspace(-1, 1, 784).reshape(28, 28), id="ramp"),
        pytest.param(RNG.uniform(-2, 2, (5, 40)), id="odd height"),
        pytest.param(RNG.uniform(-1, 1, (1, 1)), id="one pixel"),
    ],
)
async def test_every_half_of_every_cell(terminal: Any, image: np.ndarray) -> None:
    async with terminal(lambda: Stage(PixelView())) as (pilot, wire):
        pilot.app.view.show(image)
        await pilot.pause()
        wire.take()
        assert differences(wire, image) == []
        height, width = image.shape
        assert wire.halves(width, 0) == (GROUND, GROUND), "nothing beside it"
        assert wire.halves(0, (height + 1) // 2) == (GROUND, GROUND), "nothing below it"
        if height % 2:
            assert wire.halves(0, height // 2)[1] == GROUND


async def test_truecolor_terminals_get_the_same_greys(terminal: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def make() -> Stage:
        monkeypatch.setenv("COLORTERM", "truecolor")
        return Stage(PixelView())

    async with terminal(make) as (pilot, wire):
        pilot.app.view.show(-NOISE)
        await pilot.pause()
        wire.take()  # the first paint has the screen's own colours, too
        pilot.app.view.show(NOISE)
        await pilot.pause()
        assert "8;2;" not in wire.take(), "the short numbers are used there, too"
        assert differences(wire, NOISE) == []


async def test_grid_places_images_captions_and_gaps(terminal: Any) -> None:
    images = np.stack([stroke(i) for i in range(5)])
    view = PixelView(
        shape=images.shape,
        columns=2,
        gap=2,
        captions=["zero", "one", "two", "three", "a long, long, long caption"],
    )
    async with terminal(lambda: Stage(view), (80, 60)) as (pilot, wire):
        view.show(images)
        await pilot.pause()
        wire.take()
        assert view.size == Size(58, 3 * 15)
        for i, image in enumerate(images):
            assert differences(wire, image, (i % 2) * 30, (i // 2) * 15) == []
        assert {wire.halves(x, y) for x in (28, 29) for y in range(45)} == {(GROUND, GROUND)}
        assert {wire.halves(x, y) for x in range(30, 58) for y in range(30, 45)} == {(GROUND, GROUND)}
        assert wire.text(14).split() == ["zero", "one"]
        assert wire.text(14).index("zero") == 12, "centred"
        assert wire.text(44).rstrip() == " a long, long, long caption"


async def test_only_rows_that_changed_are_sent(terminal: Any) -> None:
    view = PixelView()
    async with terminal(lambda: Stage(view)) as (pilot, wire):
        view.show(NOISE)
        await pilot.pause()
        wire.take()
        other = NOISE.copy()
        other[10] *= -1
        other[26:] *= -1
        view.show(other)
        await pilot.pause()
        sent = wire.take()
        assert {int(y) for y, x in re.findall(r"\x1b\[(\d+);(\d+)H", sent) if x == "1"} == {6, 14, 1}
        assert sent.endswith("\x1b[1;1H"), "row 1 is only where Textual parks the cursor"
        assert differences(wire, other) == []
        view.show(other.copy())
        await pilot.pause()
        assert wire.take() == "", "nothing changed, nothing sent"


async def test_it_is_right_under_and_after_an_overlay(terminal: Any) -> None:
    view = PixelView()
    async with terminal(lambda: Stage(view)) as (pilot, wire):
        view.show(NOISE)
        await pilot.pause()
        over = Static("overlay", id="over")
        await pilot.app.mount(over)
        await pilot.pause()
        for frame in (NOISE, -NOISE, RNG.standard_normal((28, 28)), stroke()):
            view.show(frame)
            await pilot.pause()
            wire.take()
            covered = {(x, y) for x in range(5, 14) for y in range(6, 10)}
            wrong = {(x, y) for x, y, *_ in differences(wire, frame)}
            assert wrong <= covered
            assert wire.text(3)[5:12] == "overlay"
            assert len({wire.screen.buffer[y][x].bg for x in range(5, 14) for y in (3, 4)}) == 1
        await over.remove()
        await pilot.pause()
        wire.take()
        assert differences(wire, stroke()) == []


async def test_scrolled_half_out_of_view_it_is_right(terminal: Any) -> None:
    class Scrolled(Stage):
        CSS = Stage.CSS + "Screen { overflow: scroll; } PixelView { offset: -7 -4; }"

    view = PixelView()
    async with terminal(lambda: Scrolled(view)) as (pilot, wire):
        for frame in (NOISE, -NOISE):
            view.show(frame)
            await pilot.pause()
            wire.take()
            assert differences(wire, frame[8:, 7:]) == []


@pytest.mark.usefixtures("no_rest")
async def test_a_moving_picture_saves_bytes(terminal: Any) -> None:
    view = PixelView()
    async with terminal(lambda: Stage(view)) as (pilot, wire):
        view.show(RNG.standard_normal((28, 28)))
        await pilot.pause()
        wire.take()
        view.show(NOISE)
        await pilot.pause()
        exact = len(wire.take().encode())
        view.show(-NOISE, moving=True)
        await pilot.pause()
        moving = len(wire.take().encode())
        assert moving < 0.85 * exact
        levels = grey_levels(-NOISE).astype(int)
        allowed = np.choose(np.searchsorted((2, 4), contrast(levels), side="right"), (1, 2, 3))
        off = np.zeros((28, 28), int)
        for x, y, seen, _ in differences(wire, -NOISE):
            off[y, x] = abs(RAMP.index(int(seen[:2], 16)) - levels[y, x])
        assert off.any(), "there is something to save in noise"
        assert (off <= allowed).all(), "more where a neighbour differs by more"


async def test_a_moving_picture_is_exact_at_rest(terminal: Any) -> None:
    view = PixelView()
    async with terminal(lambda: Stage(view)) as (pilot, wire):
        view.show(-NOISE, moving=True)
        await pilot.pause()
        view.show(NOISE, moving=True)

        def exact() -> bool:
            wire.take()
            return not differences(wire, NOISE)

        await until(pilot, exact)
        await pilot.pause(1.2 * REST_SECONDS)
        assert wire.take() == "", "and then it is quiet"


def bar(wire: Any, x: int) -> str:
    """The frame's glyph in line 5, or nothing."""
    glyph: str = wire.screen.buffer[5][x].data
    return glyph if glyph in "▐▌" else ""


async def test_highlight_moves_with_a_frame_and_can_be_clicked(terminal: Any) -> None:
    images = np.stack([stroke(i) for i in range(3)])
    view = PixelView(columns=3, gap=1, framed=True, captions=["a", "b", "c"])
    async with terminal(lambda: Stage(view), (90, 24)) as (pilot, wire):
        view.show(images)
        view.highlighted = 0
        await pilot.pause()
        wire.take()
        assert [bar(wire, x) for x in (0, 29, 58, 87)] == ["▐", "▌", "", ""]
        view.highlighted = 2
        await pilot.pause()
        wire.take()
        assert [bar(wire, x) for x in (0, 29, 58, 87)] == ["", "", "▐", "▌"]
        assert [wire.screen.buffer[14][1 + 13 + 29 * i].bold for i in range(3)] == [False, False, True]
        for i, image in enumerate(images):
            assert differences(wire, image, 1 + 29 * i) == []
        await pilot.click(view, offset=(40, 3))
        await pilot.click(view, offset=(29, 3))  # between two images
        await pilot.click(view, offset=(70, 14))  # a caption
        assert pilot.app.picked == [1, 2]


async def test_captions_change_alone(terminal: Any) -> None:
    view = PixelView(captions=["before"])
    async with terminal(lambda: Stage(view)) as (pilot, wire):
        view.show(NOISE)
        await pilot.pause()
        wire.take()
        view.captions = ["after"]
        await pilot.pause()
        assert len(wire.take()) < 200
        assert wire.text(14).strip() == "after"
        view.captions = []
        await pilot.pause()
        wire.take()
        assert view.size.height == 14
        assert wire.text(14).strip() == ""


async def test_it_takes_the_size_of_what_it_shows(terminal: Any) -> None:
    view = PixelView()
    async with terminal(lambda: Stage(view)) as (pilot, wire):
        assert view.size == Size(28, 14), "before the first image"
        view.show(np.zeros((2, 1, 32, 30)))
        await pilot.pause()
        assert view.size == Size(61, 16)
        view.show(stroke())
        await pilot.pause()
        wire.take()
        assert view.size == Size(28, 14)
        assert differences(wire, stroke()) == []
        assert wire.halves(40, 3) == (GROUND, GROUND)
        view.clear()
        await pilot.pause()
        wire.take()
        assert view.size == Size(28, 14)
        assert wire.text(5).strip() == ""
        assert wire.halves(14, 7) == (GROUND, GROUND)


async def test_fit_scales_to_the_room_and_follows_a_resize(terminal: Any) -> None:
    class Fitted(Stage):
        CSS = Stage.CSS + "PixelView { width: 1fr; height: 1fr; }"

    view = PixelView(fit=True)
    async with terminal(lambda: Fitted(view), (120, 30)) as (pilot, wire):
        view.show(stroke())
        await pilot.pause()
        wire.take()
        twice = stroke().repeat(2, 0).repeat(2, 1)
        assert differences(wire, twice, (120 - 56) // 2, 1) == []
        await pilot.resize_terminal(60, 20)
        await pilot.pause()
        wire.screen.resize(20, 60)
        wire.take()
        assert differences(wire, stroke(), 16, 3) == []
        await pilot.resize_terminal(60, 10)
        await pilot.pause()
        wire.screen.resize(10, 60)
        wire.take()
        where = view.arrangement
        assert (where.image_height, where.image_width) == (20, 20)
        assert differences(wire, resample(stroke()[None], 20, 20)[0], 20) == []


async def test_no_colour_and_opacity_keep_it_a_picture(
    terminal: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make() -> Stage:
        monkeypatch.setenv("NO_COLOR", "1")
        return Stage(PixelView())

    async with terminal(make) as (pilot, wire):
        view = pilot.app.view
        view.show(NOISE)
        await pilot.pause()
        wire.take()
        assert differences(wire, NOISE) == [], "greys are no colours"
        view.styles.opacity = 0.5
        view.show(np.full((28, 28), 1.0))
        await pilot.pause()
        wire.take()
        halfway = (0xFF + 0x12) // 2
        assert abs(int(wire.halves(5, 5)[0][:2], 16) - halfway) <= 10, "blended with the ground behind it"


async def test_svg_screenshot_has_the_same_pixels(terminal: Any) -> None:
    async with terminal(lambda: Stage(PixelView())) as (pilot, _):
        pilot.app.view.show(NOISE)
        await pilot.pause()
        svg = pilot.app.export_screenshot()
    levels = grey_levels(NOISE)
    shown = svg_cells(svg, 28, 14)
    for y in range(14):
        for x in range(28):
            glyph, fore, back = shown[y][x]
            top, bottom = {"▀": (fore, back), "▄": (back, fore), "█": (fore, fore), " ": (back, back)}[glyph]
            assert (top, bottom) == ("#" + grey(levels[2 * y, x]), "#" + grey(levels[2 * y + 1, x])), (x, y)


def svg_cells(svg: str, width: int, height: int) -> list[list[tuple[str, str, str]]]:
    """(glyph, foreground, background) of the first cells: rich draws 12.2 × 24.4 units a cell."""
    root = ElementTree.fromstring(svg)
    space = "{http://www.w3.org/2000/svg}"
    fills = dict(re.findall(r"\.(\S+-r\d+) \{ fill: (#\w+)", svg))
    cells = [[(" ", "", "")] * width for _ in range(height)]
    for rect in root.iter(f"{space}rect"):
        if rect.get("shape-rendering") == "crispEdges":
            x, y = round(float(rect.get("x", 0)) / 12.2), round((float(rect.get("y", 0)) - 1.5) / 24.4)
            for i in range(x, x + round(float(rect.get("width", 0)) / 12.2)):
                if i < width and y < height:
                    cells[y][i] = (" ", "", rect.get("fill", ""))
    for text in root.iter(f"{space}text"):
        place = re.search(r"line-(\d+)", text.get("clip-path", ""))
        if place and int(place[1]) < height:
            x, y = round(float(text.get("x", 0)) / 12.2), int(place[1])
            for i, glyph in enumerate(text.text or "", x):
                if i < width:
                    cells[y][i] = (glyph.replace("\xa0", " "), fills[text.get("class", "")], cells[y][i][2])
    return cells


@pytest.mark.parametrize("dots", [(1, 2), (2, 4)], ids=["half blocks", "braille"])
def test_arrange_fits_and_finds_what_it_places(dots: tuple[int, int]) -> None:
    for number in (1, 2, 5, 9, 12):
        for size in (Size(78, 20), Size(38, 8), Size(118, 34), Size(200, 60)):
            for caption in (0, 1):
                where = arrange(
                    (number, 28, 28),
                    size,
                    columns=None,
                    gap=1,
                    margin=1,
                    caption=caption,
                    fit=True,
                    dots=dots,
                )
                if where.image_height > dots[1]:
                    assert where.width <= size.width
                    assert where.height <= size.height
                for index in range(number):
                    x, y = where.place(index)
                    assert where.index_at(x, y) == index
                    assert where.index_at(x + where.image_columns - 1, y + where.image_cells - 1) == index
                    assert where.index_at(x - 1, y) is None


def test_thumbnails_have_the_room_there_is() -> None:
    thumbnails = arrange((9, 28, 28), Size(78, 5), columns=9, gap=1, margin=0, caption=1, fit=True)
    assert thumbnails.image_width == 7


def test_resample_keeps_the_mean_and_copies_whole_pixels() -> None:
    image = RNG.uniform(-1, 1, (2, 28, 28))
    for size in (7, 8, 14, 20):
        small = resample(image, size, size)
        assert np.abs(small.mean(axis=(1, 2)) - image.mean(axis=(1, 2))).max() < 1e-12
    quarters = image.reshape(2, 7, 4, 7, 4).mean(axis=(2, 4))
    assert np.abs(resample(image, 7, 7) - quarters).max() < 1e-12
    assert np.array_equal(resample(image, 56, 84), image.repeat(2, 1).repeat(3, 2))


def test_wrong_arrays_are_refused() -> None:
    for wrong in (np.zeros(3), np.zeros((2, 3, 4, 4)), np.zeros((0, 4, 4))):
        with pytest.raises(ValueError, match="shape"):
            PixelView().show(wrong)
