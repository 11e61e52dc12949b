"""Which characters a terminal can show, and what stands in for those that it cannot.

Everything is laid out with the characters that suit it best. On the way to a terminal that lacks some, each
of those is replaced by one of the same width (:func:`spelled`), so no layout changes.

A Linux console has the 256 or 512 characters of its font. The fonts differ: Debian's and Ubuntu's usual ones
(Lat15-Fixed16, Uni2-Fixed16) have no half blocks and no braille. What is used there is what the kernel's own
font (code page 437) and all of Debian's Lat2, Lat15 and Uni2 fonts have.
"""

from __future__ import annotations

import codecs
import io
import unicodedata
from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

from difftui.pixel_modes import PixelMode

__all__ = ["CONSOLE", "Repertoire", "repertoire_of", "spell_in_ascii", "spelled"]


class Repertoire(Enum):
    """The characters that a terminal can show."""

    UNICODE = "all"
    CONSOLE = "those of a Linux console"
    ASCII = "ASCII"


def repertoire_of(mode: PixelMode) -> Repertoire:
    """The characters to go with a way to draw pictures: both follow from the terminal, or from one wish."""
    return {PixelMode.ASCII: Repertoire.ASCII, PixelMode.EIGHT: Repertoire.CONSOLE}.get(
        mode, Repertoire.UNICODE
    )


CONSOLE = frozenset(
    "¡£«¬°±µ·»¿ÄÇÉÑÖ×Üßàáâäçèéêëíîñóôö÷úüμπ•←↑→↓≈≤≥─│┌┐└┘├┤┬┴┼═║╒╓╔╕╖╗╘╙╚╛╜╝╞╟╠╡╢╣╤╥╦╧╨╩╪╫╬█░▒■▲▶▼◀"
)
"""Beyond ASCII, what every console font of note has."""


def _pairs(*rows: tuple[str, str]) -> dict[str, str]:
    """Each character of the first string of a row by that at its place in the second."""
    return {one: other for given, taken in rows for one, other in zip(given, taken, strict=True)}


_ON_A_CONSOLE: Mapping[str, str] = MappingProxyType(
    _pairs(
        ("╭╮╰╯┏┓┗┛", "┌┐└┘┌┐└┘"),
        ("━┃┄┅┈┉╌╍┆┊╎", "═║─═─═-═│││"),
        ("▀▄▓▇▆▅▃▂▁▔", "██▒██▒░__-"),
        ("▌▐▉▊▋▍▎▏▕", "││███││││"),
        ("●◼▸►◂◄▪⏸❚⏹", "■■▶▶◀◀■║║■"),
        ("–—‐‑−", "-----"),
        ("⇧…", "^."),
        ("✗✘✓✔", "xxvv"),
    )
)

_IN_ASCII: Mapping[str, str] = MappingProxyType(
    {
        **_pairs(
            ("─━┄┅┈┉╌╍═–—‐‑−▔", "-=_=_=-==------"),
            ("│┃║┆┊╎▌▐▍▎▏▕", "||||||||||||"),
            ("┌┐└┘╭╮╰╯├┤┬┴┼┏┓┗┛", "+++++++++++++++++"),
            ("█▉▊▋▇▆▅▄▃▂▁▀░▒▓", '#######=___".:%'),
            ("╸╺╴╶∇∂∑∏", "==--DdSP"),
            ("▘▝▖▗▞▚▙▛▜▟", "''..::####"),
            ("●◼■▪○◌•▲▼▶▸►◀◂◄⏸❚⏹", "O##*oo*^v>>><<<||#"),
            ("←→↑↓⇧⌫✗✘✓✔", "<>^v^<xxvv"),
            ("°·…×÷±√≤≥≈≠∞∝∈‘’“”«»µ⌈⌉⌊⌋", '\'..x/+V<>~#8~e\'\'""""u[][]'),
            ("αβγδεζηθικλμνξοπρστυφχψω", "abgdezhqiklmnxoprstufcyw"),
            ("ΓΔΘΛΞΠΣΦΨΩ", "GDQLXPSFYW"),
            ("₀₁₂₃₄₅₆₇₈₉ⁿᵀ", "0123456789nT"),
        ),
        "ᾱ": "A",
        "🔎": "> ",
    }
)


class _Table(dict[int, str]):
    """For ``str.translate``: filled as characters turn up."""

    def __init__(self, has: frozenset[str], known: Mapping[str, str]) -> None:
        super().__init__()
        self._has, self._known = has, known

    def __missing__(self, code: int) -> str:
        found = self[code] = self._instead_of(chr(code))
        return found

    def _instead_of(self, character: str) -> str:
        from rich.cells import cell_len  # by which everything is laid out; --help needs it not

        if character.isascii() or character in self._has:
            return character
        known = self._known.get(character) or _IN_ASCII.get(character)
        if known is not None:
            return known
        if 0x2800 <= ord(character) < 0x2900:  # braille: the more dots, the denser
            return " ..::####"[(ord(character) - 0x2800).bit_count()]
        width = cell_len(character)
        plain = "".join(part for part in unicodedata.normalize("NFKD", character) if part.isascii())
        return plain if plain and len(plain) == width else "?" * width


_TABLES = {
    Repertoire.CONSOLE: _Table(CONSOLE, _ON_A_CONSOLE),
    Repertoire.ASCII: _Table(frozenset(), _IN_ASCII),
}


def spelled(text: str, repertoire: Repertoire) -> str:
    """``text`` in characters that the terminal has, each as wide as the one that it stands in for.

    Args:
        text: anything for a terminal; escape sequences are ASCII and stay as they are.
        repertoire: what the terminal has.
    """
    if repertoire is Repertoire.UNICODE or text.isascii():
        return text
    return text.translate(_TABLES[repertoire])


def spell_in_ascii(stream: io.TextIOWrapper) -> None:
    """Have a stream write nothing but ASCII, as :func:`spelled` does."""
    codecs.register_error("difftui-spelled", _spell_part)
    stream.reconfigure(encoding="ascii", errors="difftui-spelled")


def _spell_part(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return spelled(error.object[error.start : error.end], Repertoire.ASCII), error.end
