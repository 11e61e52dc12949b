"""``metrics.jsonl``: one JSON object a line, appended while a run trains, readable at any moment."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from difftui import atomic

__all__ = ["Metrics", "last_metrics", "read_metrics", "row_interval"]

TAIL = 65_536  # bytes; a line has about a hundred
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
    try:
        file = path.open(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return
    with file:
        for line in file:
            if not line.endswith("\n"):
                return
            row = _row(line)
            if row is not None:
                yield row


def last_metrics(path: Path) -> dict[str, Any]:
    """The newest whole line of a metrics file, read from its end; empty where there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - TAIL))
            lines = file.read().decode("utf-8", errors="replace").splitlines(keepends=True)
    except OSError:
        return {}
    rows = (_row(line) for line in reversed(lines) if line.endswith("\n"))
    return next((row for row in rows if row is not None), {})


class Metrics:
    """The writing end of a metrics file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, row: Mapping[str, Any]) -> None:
        """Add one line. It reaches the operating system at once, so other processes can follow the run."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(dict(row), separators=(",", ":")) + "\n")

    def cut_after(self, step: int) -> None:
        """Drop what was written beyond ``step``: a resumed run computes those steps again."""
        rows = list(read_metrics(self.path))
        kept = [row for row in rows if isinstance(row.get("step"), int) and row["step"] <= step]
        if len(kept) < len(rows) or _torn(self.path):
            atomic.write_text(self.path, "".join(json.dumps(r, separators=(",", ":")) + "\n" for r in kept))


def _row(line: str) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except json.JSONDecodeError:
        return None
    return row if isinstance(row, dict) else None


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
