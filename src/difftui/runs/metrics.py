"""``metrics.jsonl``: one JSON object a line, appended while a run trains, readable at any moment."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from difftui import atomic

__all__ = ["Metrics", "read_metrics"]


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
            try:
                row = json.loads(line)
            except json.JSONDecodeError:
                continue
            if isinstance(row, dict):
                yield row


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
        kept = [row for row in rows if row.get("step", 0) <= step]
        if len(kept) < len(rows) or _torn(self.path):
            atomic.write_text(self.path, "".join(json.dumps(r, separators=(",", ":")) + "\n" for r in kept))


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
