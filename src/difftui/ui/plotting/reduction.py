"""Many points to as many columns as there are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from difftui.ui.plotting.records import Floats, Range

__all__ = ["Reduced", "finite_stretches", "reduce_to_columns"]

Reduced = tuple[Floats, Floats, Floats, Floats]
"""Places, lowest, mean and highest value, (m,) each."""


def reduce_to_columns(
    x: Floats,
    y: Floats,
    columns: int,
    x_range: Range,
    *,
    low: Floats | None = None,
    high: Floats | None = None,
    beyond: bool = False,
) -> Reduced:
    """Lowest, mean and highest y in each of `columns` equal parts of `x_range`.

    Args:
        x: (n,), in any order.
        y: (n,); NaN is left out of its column, and a column with nothing but NaN is NaN: a gap.
        columns: at least 1. With no more points than columns the points come back as they are.
        x_range: limits; points outside are left out.
        low, high: (n,) extremes of what each point stands for; None is y itself.
        beyond: keep the nearest point outside either limit, so that a line goes on to the edge.

    Returns:
        places, low, mean, high: (m,) each, m ≤ columns (and two beyond), places rising; columns without any
            point are left out.
    """
    low, high = y if low is None else low, y if high is None else high
    if np.any(x[1:] < x[:-1]):
        order = np.argsort(x, kind="stable")
        x, y, low, high = x[order], y[order], low[order], high[order]
    first, last = int(np.searchsorted(x, x_range[0])), int(np.searchsorted(x, x_range[1], "right"))
    before = slice(max(0, first - beyond), first)
    inside, after = slice(first, last), slice(last, last + beyond)
    if last - first <= columns:
        kept = slice(before.start, after.stop)
        return x[kept], low[kept], y[kept], high[kept]
    middle = _column_extremes(x[inside], low[inside], y[inside], high[inside], columns, x_range)
    edges = (x, low, y, high)
    joined = [np.concatenate([e[before], m, e[after]]) for e, m in zip(edges, middle, strict=True)]
    return joined[0], joined[1], joined[2], joined[3]


def _column_extremes(x: Floats, low: Floats, y: Floats, high: Floats, columns: int, span: Range) -> Reduced:
    width = (span[1] - span[0]) / columns
    column = np.minimum(((x - span[0]) / width).astype(np.intp), columns - 1)
    starts = np.flatnonzero(np.diff(column, prepend=-1))
    good = np.isfinite(y)
    counts = np.add.reduceat(good, starts, dtype=np.intp)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.add.reduceat(np.where(good, y, 0.0), starts) / counts
    return (
        span[0] + (column[starts] + 0.5) * width,
        np.fmin.reduceat(low, starts),
        mean,
        np.fmax.reduceat(high, starts),
    )


def finite_stretches(good: NDArray[np.bool_]) -> list[slice]:
    """The stretches of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], good, [False]]).astype(np.int8)))
    return [slice(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
