"""In which way pictures are drawn: chosen by what the terminal says of itself, or by the user.

`terminal_facts` reads a mapping of environment variables, `pixel_mode` decides; neither looks anywhere else,
so that settings, `difftui doctor` and tests can ask "what would you draw with, if …".
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import MappingProxyType

__all__ = ["MODES", "Detail", "PixelMode", "TerminalFacts", "own_environment", "pixel_mode", "terminal_facts"]


class PixelMode(Enum):
    """A way to draw pictures; the values are the names that a user types."""

    EXACT = "exact"
    TRUECOLOR = "truecolor"
    PALETTE = "256"
    SIXTEEN = "16"
    EIGHT = "8"
    MONO = "mono"
    BRAILLE = "braille"
    ASCII = "ascii"


MODES: Mapping[PixelMode, str] = MappingProxyType(
    {
        PixelMode.EXACT: "half blocks, every colour and every grey exact: most bytes",
        PixelMode.TRUECOLOR: "half blocks, colours exact, greys from the 256-colour palette",
        PixelMode.PALETTE: "half blocks in the 256-colour palette",
        PixelMode.SIXTEEN: "half blocks in the sixteen colours, dithered",
        PixelMode.EIGHT: "shades of the sixteen colours, in characters that a Linux console has",
        PixelMode.MONO: "half blocks in white on black, dithered",
        PixelMode.BRAILLE: "braille dots, dithered: a quarter of the cells, few bytes",
        PixelMode.ASCII: "characters from light to dense, and ASCII for all else: no UTF-8 needed",
    }
)
"""What each mode is, in one line."""


class Detail(Enum):
    """How much of a *moving* picture is drawn, each less than the one before; one at rest has everything.

    Fewer greys, and fewer colours, where the mode has any to spare; braille, or white on black, in its place.
    """

    FULL = "full"
    FEWER_GREYS = "fewer greys"
    BRAILLE = "braille"


@dataclass(frozen=True)
class TerminalFacts:
    """What the environment says of the terminal.

    Attributes:
        term: TERM.
        colorterm: COLORTERM.
        no_color: NO_COLOR is set (and not empty, as no-color.org has it).
        locale: what decides the encoding of text: the first of LC_ALL, LC_CTYPE, LANG that is not empty.
    """

    term: str = ""
    colorterm: str = ""
    no_color: bool = False
    locale: str = ""

    @property
    def utf8(self) -> bool:
        """Whether the terminal may be sent UTF-8: the locale says so, or nothing at all.

        An empty locale is what containers have; Python takes it for UTF-8, too.
        """
        encoding = self.locale.partition("@")[0].rpartition(".")[2]
        return not self.locale or encoding.lower().replace("-", "") == "utf8"

    @property
    def colours(self) -> int:
        """How many colours it has: 2²⁴, 256, 16, 8 or 2."""
        term = self.term.lower()
        if term in _COLOURLESS or term.startswith("vt"):
            return 2
        if self.colorterm.lower() in ("truecolor", "24bit") or term.endswith("-direct"):
            return 1 << 24
        if "256color" in term or any(name in term for name in _MODERN):
            return 256
        return 8 if term in _EIGHT_COLOURS else 16


_COLOURLESS = frozenset(("", "dumb", "unknown"))
_MODERN = ("kitty", "alacritty", "foot", "ghostty", "wezterm", "contour", "iterm")
"""Terminals with 256 colours at least, whose TERM does not say so."""
_EIGHT_COLOURS = frozenset(("linux", "ansi", "cons25"))
"""Consoles: a bright background is shown as a dark one, and the font has a few hundred characters."""


def terminal_facts(environment: Mapping[str, str]) -> TerminalFacts:
    """What these environment variables say; see `own_environment` for those of this process."""
    locale = next((v for name in ("LC_ALL", "LC_CTYPE", "LANG") if (v := environment.get(name))), "")
    return TerminalFacts(
        term=environment.get("TERM", ""),
        colorterm=environment.get("COLORTERM", ""),
        no_color=bool(environment.get("NO_COLOR")),
        locale=locale,
    )


def own_environment() -> dict[str, str]:
    """This process's environment without the LC_CTYPE that Python itself adds in the C locale (PEP 538)."""
    environment = dict(os.environ)
    if "LC_CTYPE" in environment and environment.get("LANG", "C") in ("", "C", "POSIX"):
        try:
            first = Path("/proc/self/environ").read_bytes().split(b"\0")
        except OSError:  # not Linux: then the variable is believed
            return environment
        if not any(entry.startswith(b"LC_CTYPE=") and entry != b"LC_CTYPE=" for entry in first):
            del environment["LC_CTYPE"]
    return environment


def pixel_mode(facts: TerminalFacts, wanted: PixelMode | None = None) -> PixelMode:
    """The mode for a terminal.

    Args:
        facts: what the terminal says of itself.
        wanted: the user's choice, which is followed whatever the terminal says; None for none.
    """
    if wanted is not None:
        return wanted
    if not facts.utf8:
        return PixelMode.ASCII
    if facts.no_color:  # the half blocks of MONO are not in a console's font
        return PixelMode.ASCII if facts.colours == 8 else PixelMode.MONO
    return {
        1 << 24: PixelMode.TRUECOLOR,
        256: PixelMode.PALETTE,
        16: PixelMode.SIXTEEN,
        8: PixelMode.EIGHT,
        2: PixelMode.MONO,
    }[facts.colours]
