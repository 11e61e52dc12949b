"""A lean strip draws what Textual's own strip draws, in fewer bytes: compared in a terminal emulator."""

import io

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.color import Color
from rich.color_triplet import ColorTriplet
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual.color import Color as TextualColor
from textual.filter import Monochrome
from textual.strip import Strip

from difftui.ui.lean_strip import XTERM_256, LeanStrip

WIDTH = 40
COLOURS = st.one_of(
    st.none(),
    st.just(Color.default()),
    st.sampled_from(
        [Color.from_rgb(*rgb) for rgb in ((0, 0, 0), (8, 8, 8), (128, 128, 128), (255, 255, 255))]
    ),
    st.builds(Color.from_rgb, *[st.integers(0, 255)] * 3),
    st.builds(Color.from_ansi, st.integers(0, 255)),
)
STYLES = st.one_of(
    st.none(),
    st.builds(lambda fore, back: Style(color=fore, bgcolor=back), COLOURS, COLOURS),
    st.builds(
        lambda fore, back, bold, reverse, underline: Style(
            color=fore, bgcolor=back, bold=bold, reverse=reverse, underline=underline
        ),
        COLOURS,
        COLOURS,
        *[st.sampled_from([None, False, True])] * 3,
    ),
)
SEGMENTS = st.lists(st.builds(Segment, st.text("▀▄█ a", min_size=1, max_size=4), STYLES), max_size=8)


def console(system: str = "truecolor") -> Console:
    return Console(color_system=system, file=io.StringIO(), force_terminal=True, _environ={})


def seen(text: str) -> list[tuple[str, str, str, bool, bool]]:
    """What a person sees in the first line: no foreground of a blank, no background of a full block."""
    screen = pyte.Screen(WIDTH, 2)
    pyte.Stream(screen).feed(text + "!")  # the mark shows whether the attributes were reset at the end
    line = []
    for x in range(WIDTH):
        cell = screen.buffer[0][x]
        fore, back = (cell.bg, cell.fg) if cell.reverse else (cell.fg, cell.bg)
        if cell.data == " " and not cell.underscore:
            fore = ""
        if cell.data == "█":
            back = ""
        line.append((cell.data, fore, back, cell.bold, cell.underscore))
    return line


@settings(max_examples=80)
@given(SEGMENTS)
def test_lean_and_plain_look_the_same(segments: list[Segment]) -> None:
    lean, plain = LeanStrip(segments).render(console()), Strip(segments).render(console())
    assert seen(lean) == seen(plain)


@settings(max_examples=40)
@given(SEGMENTS, st.data())
def test_pieces_look_like_the_pieces_of_a_plain_strip(segments: list[Segment], data: st.DataObject) -> None:
    lean, plain = LeanStrip(segments), Strip(segments)
    start = data.draw(st.integers(0, plain.cell_length))
    end = data.draw(st.integers(start, plain.cell_length))
    pairs = [(lean.crop(start, end), plain.crop(start, end))]
    cuts = sorted({start, end, plain.cell_length} - {0})
    pairs += zip(lean.divide(cuts), plain.divide(cuts), strict=True)
    style = Style(bgcolor="#204060")
    pairs += [
        (lean.apply_style(style), plain.apply_style(style)),
        (lean.adjust_cell_length(WIDTH - 1, style), plain.adjust_cell_length(WIDTH - 1, style)),
        (lean.crop_extend(start, WIDTH - 1, style), plain.crop_extend(start, WIDTH - 1, style)),
    ]
    for mine, textuals in pairs:
        assert mine == textuals, "the segments are the same"
        assert seen(mine.render(console())) == seen(textuals.render(console()))
        assert isinstance(mine, LeanStrip) or not mine.cell_length


def test_filters_apply_and_stay_lean() -> None:
    strip = LeanStrip([Segment("▀", Style(color="#ff0000", bgcolor="#0000ff"))])
    filtered = strip.apply_filter(Monochrome(), TextualColor.parse("black"))
    assert isinstance(filtered, LeanStrip)
    (segment,) = filtered
    assert segment.style is not None
    assert segment.style.color is not None
    red, green, blue = segment.style.color.triplet or (1, 2, 3)
    assert red == green == blue


@pytest.mark.parametrize("system", ["truecolor", "256"])
def test_every_palette_colour_is_sent_by_its_number(system: str) -> None:
    assert len(XTERM_256) == 240
    for triplet, number in XTERM_256.items():
        assert f"{triplet.red:02x}{triplet.green:02x}{triplet.blue:02x}" == pyte.graphics.FG_BG_256[number]
        strip = LeanStrip([Segment("▀", Style(color=Color.from_triplet(triplet)))])
        assert strip.render(console(system)) == f"\x1b[38;5;{number}m▀\x1b[m"


def test_other_colours_are_sent_whole_or_downgraded() -> None:
    strip = [Segment("▀", Style(color=Color.from_triplet(ColorTriplet(9, 9, 9))))]
    assert LeanStrip(strip).render(console()) == "\x1b[38;2;9;9;9m▀\x1b[m"
    assert LeanStrip(strip).render(console("256")) == "\x1b[38;5;232m▀\x1b[m"
    assert LeanStrip(strip).render(console("standard")) == "\x1b[30m▀\x1b[m"


def test_only_what_changes_is_sent() -> None:
    black, white, grey = (Color.from_rgb(v, v, v) for v in (0, 255, 128))
    strip = LeanStrip(
        [
            Segment("▀", Style(color=black, bgcolor=white)),
            Segment("▄", Style(color=black, bgcolor=white)),
            Segment("  ", Style(color=grey, bgcolor=white)),
            Segment("█", Style(color=black, bgcolor=grey)),
            Segment("▀", Style(color=black, bgcolor=grey)),
        ]
    )
    assert strip.render(console()) == "\x1b[38;5;16;48;5;231m▀▄  █\x1b[48;5;244m▀\x1b[m"


def test_a_joined_strip_is_the_parts_in_a_row() -> None:
    parts = [LeanStrip([Segment("▀", Style(color="#ff0000"))]), Strip([Segment("x", Style(bold=True))])]
    apart = "".join(part.render(console()) for part in parts)
    assert seen(Strip.join(parts).render(console())) == seen(apart)
