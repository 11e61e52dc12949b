"""Following ``metrics.jsonl`` as it grows: by polling, for other machines' changes cause no notice."""

from __future__ import annotations

import os
import time
from collections import deque
from pathlib import Path
from typing import Any

from difftui.runs.files import open_regular
from difftui.runs.history import HistoryBuilder, numbers_of
from difftui.runs.metrics import parse_rows

__all__ = ["MetricsReader"]

BLOCK = 65_536  # bytes at a time; a line that is longer is no row and is skipped
MOST_AT_ONCE = 1_500_000  # of more that is new, only parts are read
PART = 4_096
TAIL = 131_072  # the end is read whole in any case
MARK = 64


class MetricsReader:
    """Reads what is new in a metrics file and gathers it into curves.

    A last line without its end is "not yet". A file that was replaced or has become shorter is read again
    from its beginning. Of a large file only parts are read, evenly spread, with its end.

    Attributes:
        builder: the curves of what was read; a new one when the file begins anew.
        last_row: the numbers of the newest row with a loss, by name; empty before the first.
        thinned: whether parts of the file were left out.
        size: of the file in bytes, when last looked at.
        position: of that, how many were read or passed over.
    """

    def __init__(self, path: Path, *, whole: bool = False, last_step: int | None = None) -> None:
        """Nothing is read yet.

        Args:
            path: the file; it need not exist.
            whole: leave nothing out, however long it takes.
            last_step: rows of later steps are passed over; None takes all.
        """
        self.path = path
        self.builder = HistoryBuilder()
        self.last_row: dict[str, float] = {}
        self.thinned = False
        self.size = self.position = 0
        self._whole = whole
        self._last_step = last_step
        self._file: tuple[int, int] | None = None
        self._mark = b""  # what stands just before
        self._inside = False  # whether that is in the middle of a line to be skipped
        self._ranges: deque[tuple[int, int]] = deque()  # what is to be read still

    @property
    def behind(self) -> bool:
        """Whether the newest :meth:`read` left something for the next."""
        return bool(self._ranges)

    def read(self, deadline: float) -> bool:
        """Read what is new; ends soon after ``time.monotonic()`` has passed ``deadline``.

        A file that cannot be read now (a network that is away, a directory that was removed) changes nothing.

        Returns:
            Whether there was anything.
        """
        try:
            descriptor = open_regular(self.path)
        except OSError:
            return False
        try:
            return self._read(descriptor, deadline)
        except OSError:
            return False
        finally:
            os.close(descriptor)

    def _read(self, descriptor: int, deadline: float) -> bool:
        found = os.fstat(descriptor)
        changed = False
        if self._is_another(descriptor, found):
            changed = self._file is not None
            if changed:
                self._begin_anew()
            self._file = (found.st_dev, found.st_ino)
        self.size = found.st_size
        if self._ranges:  # it has grown since they were planned
            self._ranges[-1] = (self._ranges[-1][0], self.size)
        elif self.size > self.position:
            self._ranges.extend(self._plan(self.size))
        before = self.position
        while self._ranges:
            changed |= self._read_block(descriptor)
            if time.monotonic() > deadline:
                break
        if self.position != before:
            length = min(MARK, self.position)
            self._mark = os.pread(descriptor, length, self.position - length)
        return changed

    def _is_another(self, descriptor: int, found: os.stat_result) -> bool:
        """Whether this is not the file that we have read so far, grown."""
        if (found.st_dev, found.st_ino) != self._file or found.st_size < self.position:
            return True
        return os.pread(descriptor, len(self._mark), self.position - len(self._mark)) != self._mark

    def _begin_anew(self) -> None:
        self.builder = HistoryBuilder()
        self.last_row = {}
        self.thinned = self._inside = False
        self.position, self._mark = 0, b""
        self._ranges.clear()

    def _plan(self, size: int) -> list[tuple[int, int]]:
        """What to read of the new bytes: all of them, or even parts and the end."""
        start = self.position
        if self._whole or size - start <= MOST_AT_ONCE:
            return [(start, size)]
        self.thinned = True
        parts, room = (MOST_AT_ONCE - TAIL) // PART, size - TAIL - start
        starts = (start + room * part // parts for part in range(parts))
        return [*((at, at + PART) for at in starts), (size - TAIL, size)]

    def _read_block(self, descriptor: int) -> bool:
        """Read on in the first range, a block at most. Returns whether there was a row."""
        start, stop = self._ranges[0]
        if start != self.position:  # parts were left out: we are in the middle of some line
            self.position, self._inside = start, True
            self.builder.jump()
        data = os.pread(descriptor, min(BLOCK, stop - start), start)
        first = data.find(b"\n") + 1 if self._inside else 0
        end = data.rfind(b"\n") + 1
        if end:
            self.position, self._inside = start + end, False
        elif len(data) == BLOCK:  # no row is so long
            self.position, self._inside = start + BLOCK, True
        if start + len(data) >= stop or not data or self.position >= stop:
            self._ranges.popleft()  # what is left of it is a line that has no end yet
        else:
            self._ranges[0] = (self.position, stop)
        rows = parse_rows(data[first:end])
        if self._last_step is not None:
            rows = [row for row in rows if _is_up_to(self._last_step, row)]
        for row in rows:
            self.builder.add_row(row)
        newest = next((row for row in reversed(rows) if "loss" in row), None)
        if newest is not None:
            self.last_row = numbers_of(newest)
        return bool(rows)


def _is_up_to(step: int, row: dict[str, Any]) -> bool:
    return isinstance(row.get("step"), int) and row["step"] <= step
