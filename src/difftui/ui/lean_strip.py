"""A Textual strip that sends only the attributes that change.

`textual.strip.Strip.render` writes the whole style and a reset around every segment: 40 bytes for each cell
of a picture. A terminal keeps its colours until told otherwise, so a row of half blocks can be written with
half of that. The segments themselves stay ordinary ones with true colours: cropping, overlays, filters,
opacity and SVG screenshots work on them as on any strip; only the way to the terminal is shorter.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from itertools import accumulate

from rich.cells import cell_len
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

ANSI_16 = (
    (0, 0, 0), (170, 0, 0), (0, 170, 0), (170, 85, 0),
    (0, 0, 170), (170, 0, 170), (0, 170, 170), (170, 170, 170),
    (85, 85, 85), (255, 85, 85), (85, 255, 85), (255, 255, 85),
    (85, 85, 255), (255, 85, 255), (85, 255, 255), (255, 255, 255),
)  # fmt: skip
"""The ANSI colours as the first colour displays had them; a terminal's user may have chosen others."""
_ANSI_NUMBER = {ColorTriplet(*colour): number for number, colour in enumerate(ANSI_16)}

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


Codes = tuple[str, str] | None
"""SGR parameters of foreground and background; None where a style is more than two colours."""

MOST_KNOWN = 8192
"""Styles whose codes are kept."""


class _Codes:
    """The codes of styles in one kind of strip and one colour system, remembered.

    By identity, which a picture's few styles have, and which spares a call into Python for each cell.
    """

    def __init__(self, kind: type[LeanStrip], system: ColorSystem) -> None:
        self.known: dict[int, tuple[Codes, Style]] = {}  # a style that is kept keeps its id
        self._kind = kind
        self._system = system

    def find(self, style: Style) -> Codes:
        """The codes of a style that is not known."""
        if len(self.known) >= MOST_KNOWN:
            self.known.clear()
        codes = self._make(style)
        self.known[id(style)] = codes, style
        return codes

    def _make(self, style: Style) -> Codes:
        # rich offers the thirteen attributes one by one only; textual.strip reads these two fields as well.
        if style._attributes & style._set_attributes or style.link:
            return None
        code = self._kind.colour_code
        foreground, background = _DEFAULT
        if style.color is not None:
            foreground = code(style.color, self._system, foreground=True)
        if style.bgcolor is not None:
            background = code(style.bgcolor, self._system, foreground=False)
        return foreground, background


_CODES: dict[tuple[type[LeanStrip], ColorSystem], _Codes] = {}


def _codes(kind: type[LeanStrip], system: ColorSystem) -> _Codes:
    known = _CODES.get((kind, system))
    if known is None:
        known = _CODES[kind, system] = _Codes(kind, system)
    return known


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

    def write(self, segments: Iterable[Segment], kind: type[LeanStrip]) -> None:
        """Write segments of a kind of strip, setting only colours that differ."""
        append, system = self.out.append, self._system
        memory = _codes(kind, system)
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

    __slots__ = ("_ends",)
    _ends: list[int]

    colour_code = staticmethod(colour_code)
    """How a colour is written: a kind of strip may know more of its colours than the console does."""

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
            self.write(pen, 0, self.cell_length)
            pen.reset()
            self._render_cache = "".join(pen.out)
        return self._render_cache

    def write(self, pen: Pen, start: int, end: int) -> None:
        """Write the cells from `start` to before `end`."""
        whole = start <= 0 and end >= self.cell_length
        pen.write(self._segments if whole else self._between(start, end), type(self))

    def _between(self, start: int, end: int) -> list[Segment]:
        """Segments from one cell to before another, 0 ≤ start < end ≤ length: found, not walked to."""
        try:
            ends = self._ends
        except AttributeError:
            ends = self._ends = list(accumulate(cell_len(text) for text, _, _ in self._segments))
        first = bisect_right(ends, start)
        last = bisect_left(ends, end) if end < self.cell_length else len(ends)
        part = self._segments[first : last + 1]
        if last < len(ends) and ends[last] > end:
            part[-1] = part[-1].split_cells(end - (ends[last - 1] if last else 0))[0]
        if start > (before := ends[first - 1] if first else 0):
            part[0] = part[0].split_cells(start - before)[1]
        return part

    # Every way in which Textual derives a strip on the road to the terminal keeps it lean.

    def crop(self, start: int, end: int | None = None) -> Strip:
        start = max(0, start)
        end = self.cell_length if end is None else min(self.cell_length, end)
        if start == 0 and end == self.cell_length:
            return self
        return type(self)(self._between(start, end) if start < end else (), max(0, end - start))

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


class AnsiStrip(LeanStrip):
    """A lean strip that has the colours of `ANSI_16` by their number: what the terminal's user made of it."""

    __slots__ = ()

    @staticmethod
    def colour_code(colour: Color, system: ColorSystem, *, foreground: bool) -> str:
        number = _ANSI_NUMBER.get(colour.triplet) if colour.triplet else None
        if number is None:
            return colour_code(colour, system, foreground=foreground)
        return str((30 if foreground else 40) + number + (52 if number >= 8 else 0))


class PaletteStrip(LeanStrip):
    """A lean strip that has the colours of the 256-colour palette by their number."""

    __slots__ = ()

    @staticmethod
    def colour_code(colour: Color, system: ColorSystem, *, foreground: bool) -> str:
        known = colour.triplet in XTERM_256
        return colour_code(colour, ColorSystem.EIGHT_BIT if known else system, foreground=foreground)


class TrueStrip(LeanStrip):
    """A lean strip in all colours."""

    __slots__ = ()

    @staticmethod
    def colour_code(colour: Color, system: ColorSystem, *, foreground: bool) -> str:
        return colour_code(colour, ColorSystem.TRUECOLOR, foreground=foreground)
