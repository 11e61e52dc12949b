"""What stands on the terminal, as far as it was sent in parts of rows: the same is not sent again.

A line of text is drawn anew for one figure in it. Of two hundred columns a few are other than before, and on
a slow link the rest would keep pictures, and keys, waiting.
"""

from __future__ import annotations

from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip

__all__ = ["Sent"]


class Sent:
    """Parts of the rows of a screen, each with the strip that it shows."""

    def __init__(self) -> None:
        self._rows: dict[int, dict[tuple[int, int], Strip]] = {}

    def forget(self) -> None:
        """Anything may stand there now."""
        self._rows.clear()

    def cover(self, y: int, start: int, stop: int) -> None:
        """These columns of a row show something that is not remembered."""
        row = self._rows.get(y)
        if row:
            for span in [span for span in row if span[0] < stop and start < span[1]]:
                del row[span]

    def news(self, y: int, start: int, strip: Strip) -> tuple[int, int]:
        """Show a strip from a column of a row on.

        Returns:
            The first column and the one after the last that differ from what stands there; equal: none does.
        """
        stop = start + strip.cell_length
        old = self._rows.get(y, {}).get((start, stop))
        if old is None:
            self.cover(y, start, stop)
        self._rows.setdefault(y, {})[start, stop] = strip
        if old is None:
            return start, stop
        before, now = list(old), list(strip)
        first = _alike(before, now)
        if first == strip.cell_length:
            return start, start
        last = _alike(_mirrored(before), _mirrored(now))
        return start + first, stop - last


def _alike(before: list[Segment], now: list[Segment]) -> int:
    """Columns from the left in which two lines show the same."""
    count = 0
    for old, new in zip(before, now, strict=False):
        if old.style != new.style or old.control or new.control:
            return count
        if old.text != new.text:
            if not (_narrow(old.text) and _narrow(new.text)):
                return count
            for one, other in zip(old.text, new.text, strict=False):
                if one != other:
                    return count
                count += 1
            return count
        count += new.cell_length
    return count


def _mirrored(segments: list[Segment]) -> list[Segment]:
    """From the right to the left; letters that join with others stay as they are, which tells them apart."""
    return [
        Segment(one.text[::-1], one.style, one.control) if _narrow(one.text) else one
        for one in reversed(segments)
    ]


def _narrow(text: str) -> bool:
    """Whether every character has one column."""
    return text.isascii() or all(cell_len(character) == 1 for character in text)
