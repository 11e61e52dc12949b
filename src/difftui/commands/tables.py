"""Figures as plain text: columns in line, every number as short as its meaning allows. ASCII only."""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["figure", "table"]


def figure(value: float | None) -> str:
    """A number in six significant digits; "-" for one that is not there."""
    return "-" if value is None or not math.isfinite(value) else f"{value:.6g}"


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 0) -> str:
    """Lines of columns, each as wide as it must be.

    Args:
        header: a name for each column.
        rows: as many cells each.
        left: so many columns from the left are words and begin in line; the others are numbers and end so.
    """
    lines = [header, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column < left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )
