"""``metrics.jsonl``: one JSON object a line, appended while a run trains, readable at any moment."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from difftui import atomic
from difftui.runs.files import open_regular

__all__ = ["LOSS_STEPS", "Metrics", "last_loss", "last_metrics", "parse_rows", "read_metrics", "row_interval"]

LOSS_STEPS = 100
"""The last loss of a training is told as the mean of so many steps: one step's jumps."""

TAIL = 65_536  # bytes; a line has less than two hundred
LONGEST_LINE = 65_536  # what is longer is no row of ours
LEAST_SECONDS = 0.1  # between two rows
ROWS = 20_000  # so many at that pace, and as many again each time the run has become 2.7 times as long


def row_interval(seconds: float) -> float:
    """Seconds between two rows of a run that has trained for ``seconds``: its file stays readable."""
    return max(LEAST_SECONDS, seconds / ROWS)


def read_metrics(path: Path) -> Iterator[dict[str, Any]]:
    """The whole lines of a metrics file, oldest first.

    A last line without its newline is still being written and is left for the next reading; a line that
    is not a JSON object is skipped, so that one damaged line does not hide the others.
    """
    for line in _lines(path):
        row = _row(line)
        if row is not None:
            yield row


def last_metrics(path: Path) -> dict[str, Any]:
    """The newest whole line about steps, read from the file's end; empty where there is none.

    Lines about a validation, which may come after it, are passed over.
    """
    rows = (_row(line) for line in reversed(_tail(path)))
    return next((row for row in rows if row is not None and "validation" not in row), {})


def last_loss(path: Path) -> float | None:
    """The mean training loss of the last hundred steps, the one figure that is told of a training's end.

    A line tells the mean of the steps since the line before it. All lines about the last
    :data:`LOSS_STEPS` steps count, each as often as it has steps, so that the mean may reach back somewhat
    further. None where there is no loss.
    """
    rows = [row for row in map(_row, _tail(path)) if row is not None and _tells_loss(row)]
    if not rows:
        return None
    steps = [row["step"] for row in rows]
    since = [1, *(now - before for before, now in pairwise(steps))]
    told = [
        (row["loss"], max(count, 1))
        for row, count in zip(rows, since, strict=True)
        if row["step"] > steps[-1] - LOSS_STEPS
    ]
    return float(sum(loss * count for loss, count in told) / sum(count for _, count in told))


def _tells_loss(row: Mapping[str, Any]) -> bool:
    return isinstance(row.get("step"), int) and isinstance(row.get("loss"), int | float)


def _tail(path: Path) -> list[bytes]:
    """The newest whole lines, some hundred; the first may be torn."""
    try:
        descriptor = open_regular(path)
        with os.fdopen(descriptor, "rb") as file:
            file.seek(max(0, file.seek(0, 2) - TAIL))
            return file.read(TAIL).split(b"\n")[:-1]
    except OSError:
        return []


def parse_rows(lines: bytes) -> list[dict[str, Any]]:
    """The JSON objects in whole lines; lines that are something else are left out."""
    text = lines.decode("utf-8", errors="replace").rstrip("\n")
    if not text:
        return []
    parts = text.split("\n")
    try:  # all at once, which is twice as fast
        rows = json.loads(f"[{','.join(parts)}]")
    except (ValueError, RecursionError):
        rows = []
    if len(rows) != len(parts):  # some line is not one value
        rows = [_row(part) for part in parts]
    return [row for row in rows if isinstance(row, dict)]


class Metrics:
    """The writing end of a metrics file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, row: Mapping[str, Any]) -> None:
        """Add one line. It reaches the operating system at once, so other processes can follow the run.

        Raises:
            OSError: it cannot be written; no part of it is left in the file.
        """
        line = encode_row(row)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        descriptor = os.open(self.path, flags, 0o666)
        try:
            before = os.fstat(descriptor).st_size
            written = os.write(descriptor, line)
            if written < len(line):  # there was room for a part
                os.ftruncate(descriptor, before)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))
        finally:
            os.close(descriptor)

    def cut_after(self, step: int) -> None:
        """Drop what was written beyond ``step``: a resumed run computes those steps again.

        Raises:
            OSError: it cannot be written; the file is as it was.
        """
        if not self._has_more_than(step):
            return
        with atomic.replacing(self.path) as temporary, temporary.open("wb") as file:
            for line in _lines(self.path):
                if _is_up_to(step, line):
                    file.write(line + b"\n")

    def _has_more_than(self, step: int) -> bool:
        return _torn(self.path) or not all(_is_up_to(step, line) for line in _lines(self.path))


def encode_row(row: Mapping[str, Any]) -> bytes:
    """A row as a line of the file."""
    return json.dumps(dict(row), separators=(",", ":")).encode() + b"\n"


def _lines(path: Path) -> Iterator[bytes]:
    """The whole lines, without their ends; those that are too long for a row are left out."""
    try:
        descriptor = open_regular(path)
    except OSError:
        return
    with os.fdopen(descriptor, "rb") as file:
        whole = True  # else we are inside a line that is too long
        while line := file.readline(LONGEST_LINE):
            ends = line.endswith(b"\n")
            if whole and ends:
                yield line[:-1]
            whole = ends


def _row(line: bytes | str) -> dict[str, Any] | None:
    try:
        row = json.loads(line if isinstance(line, str) else line.decode("utf-8", errors="replace"))
    except (ValueError, RecursionError):  # not JSON, a number of thousands of digits, or nested without end
        return None
    return row if isinstance(row, dict) else None


def _is_up_to(step: int, line: bytes) -> bool:
    row = _row(line)
    return row is not None and isinstance(row.get("step"), int) and row["step"] <= step


def _torn(path: Path) -> bool:
    """Whether the file ends in the middle of a line."""
    try:
        with path.open("rb") as file:
            file.seek(0, 2)
            if file.tell() == 0:
                return False
            file.seek(-1, 2)
            return file.read(1) != b"\n"
    except FileNotFoundError:
        return False
