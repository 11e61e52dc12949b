"""A Textual strip that sends only the attributes that change.

`textual.strip.Strip.render` writes the whole style and a reset around every segment: 40 bytes for each cell
of a picture. A terminal keeps its colours until told otherwise, so a row of half blocks can be written with
half of that. The segments themselves stay ordinary ones with true colours: cropping, overlays, filters,
opacity and SVG screenshots work on them as on any strip; only the way to the terminal is shorter.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import ClassVar

from rich.color import Color, ColorSystem
from rich.color_triplet import ColorTriplet
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual.color import Color as TextualColor
from textual.filter import LineFilter
from textual.strip import Strip

UPPER_HALF, LOWER_HALF, FULL_BLOCK, BLANK = "▀", "▄", "█", " "

CUBE_STEPS = (0, 95, 135, 175, 215, 255)
XTERM_256 = {
    **{
        ColorTriplet(red, green, blue): 16 + 36 * r + 6 * g + b
        for r, red in enumerate(CUBE_STEPS)
        for g, green in enumerate(CUBE_STEPS)
        for b, blue in enumerate(CUBE_STEPS)
    },
    **{ColorTriplet(grey, grey, grey): 232 + i for i, grey in enumerate(range(8, 239, 10))},
}
"""Colours that every 256-colour terminal has under a number: 16 to 231 the cube, 232 to 255 the greys."""

_DEFAULT = ("39", "49")
_HALVES = frozenset((UPPER_HALF, LOWER_HALF))


def colour_code(colour: Color, system: ColorSystem, *, foreground: bool) -> str:
    """SGR parameters of `colour`: the palette number where the palette has exactly this colour, else what
    rich says.

    rich rounds a grey to the palette by its lightness and misses the light ones by a step, hence the table.
    """
    if system in (ColorSystem.EIGHT_BIT, ColorSystem.TRUECOLOR) and colour.triplet in XTERM_256:
        return f"{38 if foreground else 48};5;{XTERM_256[colour.triplet]}"
    return ";".join(colour.downgrade(system).get_ansi_codes(foreground))


def colour_codes(style: Style, system: ColorSystem) -> tuple[str, str] | None:
    """SGR parameters of foreground and background, or None where the style is more than two colours."""
    # rich offers the thirteen attributes one by one only; textual.strip reads these two fields as well.
    if style._attributes & style._set_attributes or style.link:
        return None
    foreground, background = _DEFAULT
    if style.color is not None:
        foreground = colour_code(style.color, system, foreground=True)
    if style.bgcolor is not None:
        background = colour_code(style.bgcolor, system, foreground=False)
    return foreground, background


Codes = tuple[str, str] | None

MOST_KNOWN = 8192
"""Styles whose codes are kept."""


class _Codes:
    """`colour_codes` for one colour system, remembered.

    By identity, which a picture's few styles have, and which spares a call into Python for each cell.
    """

    def __init__(self, system: ColorSystem) -> None:
        self.known: dict[int, tuple[Codes, Style]] = {}  # a style that is kept keeps its id
        self._system = system

    def find(self, style: Style) -> Codes:
        """The codes of a style that is not known."""
        if len(self.known) >= MOST_KNOWN:
            self.known.clear()
        codes = colour_codes(style, self._system)
        self.known[id(style)] = codes, style
        return codes


@cache
def _codes(system: ColorSystem) -> _Codes:
    return _Codes(system)


class Pen:
    """Writes segments for a terminal, and remembers which two colours that has set.

    Attributes:
        out: what was written.
    """

    __slots__ = ("_background", "_foreground", "_system", "out")

    def __init__(self, system: ColorSystem) -> None:
        self.out: list[str] = []
        self._system = system
        self._foreground, self._background = _DEFAULT

    def reset(self) -> None:
        """Set the terminal's own colours."""
        if (self._foreground, self._background) != _DEFAULT:
            self.out.append("\x1b[m")
            self._foreground, self._background = _DEFAULT

    def write(self, segments: Iterable[Segment], least: ColorSystem) -> None:
        """Write segments, setting only colours that differ.

        Args:
            least: colours that the terminal has even if the console knows of fewer.
        """
        append, system = self.out.append, max(self._system, least)
        memory = _codes(system)
        known = memory.known
        foreground, background = self._foreground, self._background
        for text, style, _ in segments:
            if style is None:
                codes: Codes = _DEFAULT
            else:
                found = known.get(id(style))
                codes = found[0] if found is not None else memory.find(style)
            if codes is None:
                if (foreground, background) != _DEFAULT:
                    append("\x1b[m")
                    foreground, background = _DEFAULT
                assert style is not None
                append(Strip.render_style(style, text, color_system=system))
                continue
            new_foreground, new_background = codes
            if text not in _HALVES:
                # A blank shows no foreground and a full block no background: leave what is set.
                if not text.strip(BLANK):
                    new_foreground = foreground
                elif not text.strip(FULL_BLOCK):
                    new_background = background
            if new_foreground != foreground:
                if new_background != background:
                    append(f"\x1b[{new_foreground};{new_background}m{text}")
                else:
                    append(f"\x1b[{new_foreground}m{text}")
            elif new_background != background:
                append(f"\x1b[{new_background}m{text}")
            else:
                append(text)
            foreground, background = new_foreground, new_background
        self._foreground, self._background = foreground, background


class LeanStrip(Strip):
    """A strip whose `render` writes an attribute only where it differs from the cell before."""

    __slots__ = ()

    least: ClassVar[ColorSystem] = ColorSystem.STANDARD
    """Colours that the terminal has even if the console knows of fewer."""

    @classmethod
    def of(cls, strip: Strip) -> LeanStrip:
        """`strip` itself if it is of this kind, else a lean strip with its segments."""
        return strip if type(strip) is cls else cls(strip, strip.cell_length)

    def render(self, console: Console) -> str:
        """The strip as terminal sequences: starts from and ends with the terminal's default attributes.

        Args:
            console: Console whose colour system counts (None means truecolor, as in Textual).
        """
        if self._render_cache is None:
            pen = Pen(console._color_system or ColorSystem.TRUECOLOR)
            pen.write(self._segments, self.least)
            pen.reset()
            self._render_cache = "".join(pen.out)
        return self._render_cache

    def write(self, pen: Pen, start: int, end: int) -> None:
        """Write the cells from `start` to before `end`."""
        if start > 0 or end < self.cell_length:
            pen.write(self.crop(start, end), self.least)
        else:
            pen.write(self._segments, self.least)

    # Every way in which Textual derives a strip on the road to the terminal keeps it lean.

    def crop(self, start: int, end: int | None = None) -> Strip:
        return self.of(super().crop(start, end))

    def divide(self, cuts: Iterable[int]) -> list[Strip]:
        return [self.of(strip) for strip in super().divide(cuts)]

    def adjust_cell_length(self, cell_length: int, style: Style | None = None) -> Strip:
        return self.of(super().adjust_cell_length(cell_length, style))

    def extend_cell_length(self, cell_length: int, style: Style | None = None) -> Strip:
        return self.of(super().extend_cell_length(cell_length, style))

    def crop_extend(self, start: int, end: int, style: Style | None) -> Strip:
        return self.of(super().crop_extend(start, end, style))

    def apply_style(self, style: Style) -> Strip:
        return self.of(super().apply_style(style))

    def apply_filter(self, filter: LineFilter, background: TextualColor) -> Strip:
        return self.of(super().apply_filter(filter, background))

    def style_links(self, link_id: str, link_style: Style) -> Strip:
        return self.of(super().style_links(link_id, link_style))


class PaletteStrip(LeanStrip):
    """A lean strip for a terminal that has 256 colours, whatever rich made of its TERM."""

    __slots__ = ()
    least = ColorSystem.EIGHT_BIT


class TrueStrip(LeanStrip):
    """A lean strip for a terminal that has all colours, whatever rich made of its TERM."""

    __slots__ = ()
    least = ColorSystem.TRUECOLOR
