"""What a terminal shows, as far as words go: the app sends of a line no more than what changed in it."""

from __future__ import annotations

import re
from codecs import getincrementaldecoder

__all__ = ["Seen"]

PIECE = re.compile(
    r"\x1b\[(?P<numbers>[0-9;]*)(?P<final>[HGK])"
    r"|\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\^_=>78]"
    r"|(?P<control>[\x00-\x1a\x1c-\x1f])"
    r"|(?P<text>[^\x00-\x1f]+)"
)
STYLE = re.compile(r"\x1b\[[0-9;]*m")
LONGEST = 64  # characters of an escape sequence that may be half there; longer, it is none


class Seen:
    """Rows of characters. Every character is taken to be one column wide."""

    def __init__(self, columns: int, rows: int) -> None:
        self._columns = columns
        self._rows = [[" "] * columns for _ in range(rows)]
        self._x = self._y = 0
        self._decode = getincrementaldecoder("utf-8")("replace").decode
        self._rest = ""

    def feed(self, data: bytes) -> set[int]:
        """Show this; returns the rows that were written to."""
        text, self._rest = self._rest + self._decode(data), ""
        start = text.rfind("\x1b")
        if start >= 0 and len(text) - start < LONGEST and PIECE.match(text, start) is None:
            text, self._rest = text[:start], text[start:]
        return {self._take(piece) for piece in PIECE.finditer(STYLE.sub("", text))}

    def words(self, row: int) -> str:
        """A row as text."""
        return "".join(self._rows[row])

    @property
    def text(self) -> str:
        """All rows."""
        return "\n".join(map("".join, self._rows))

    def _take(self, piece: re.Match[str]) -> int:
        if piece["text"]:
            row, text = self._rows[self._y], piece["text"]
            fits = text[: self._columns - self._x]
            row[self._x : self._x + len(fits)] = fits
            self._x += len(fits)
            if len(fits) < len(text):  # at the edge each character takes the place of the one before
                row[-1] = text[-1]
        elif piece["final"] == "H":
            row, column = (*piece["numbers"].split(";"), "")[:2]
            self._y, self._x = self._row(row), int(column or 1) - 1
        elif piece["final"] == "G":
            self._x = int(piece["numbers"] or 1) - 1
        elif piece["control"] == "\r":
            self._x = 0
        elif piece["control"] == "\n":
            self._y = min(self._y + 1, len(self._rows) - 1)
        return self._y

    def _row(self, number: str) -> int:
        return min(int(number or 1), len(self._rows)) - 1
