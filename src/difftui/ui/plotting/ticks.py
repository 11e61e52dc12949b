"""Round numbers on an axis."""

from __future__ import annotations

import math
import re

from difftui.ui.plotting.records import Range
from difftui.words import grouped

__all__ = ["log10", "round_ticks", "x_ticks", "y_ticks"]


def round_ticks(low: float, high: float, most: int) -> list[float]:
    """Round numbers 1, 2, 2.5 or 5 × 10ⁿ apart within [low, high]: no more than `most`, but two at least."""
    if not high > low:
        return [low]
    exponent = math.floor(math.log10(high - low))
    steps = [m * 10.0**e for e in (exponent, exponent - 1, exponent - 2) for m in (10, 5, 2.5, 2, 1)]
    ticks = [low]
    for step in steps:  # from coarse to fine
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first + 1 > most and len(ticks) > 1:
            break
        ticks = [round(k * step, 12) + 0.0 for k in range(first, last + 1)]
    return ticks


def x_ticks(x_range: Range, columns: int) -> tuple[tuple[float, str], ...]:
    """As many round numbers as stand apart by three cells at least."""
    ticks = round_ticks(*x_range, 2)
    for most in range(3, columns // 4):
        finer = round_ticks(*x_range, most)
        if len(finer) > 1 and max(len(_number(v)) for v in finer) + 3 > columns / (len(finer) - 1):
            break
        ticks = finer
    return tuple((value, _number(value)) for value in ticks)


def y_ticks(y_range: Range, rows: int, log: bool) -> list[tuple[float, str]]:
    """Round values, at decades on a logarithmic axis, no closer than two rows."""
    low, high = y_range
    most = max(2, (rows + 1) // 2)
    if not log:
        return [(value, _number(value)) for value in round_ticks(low, high, min(most, 6))]
    decades = range(math.ceil(low - 1e-9), math.floor(high + 1e-9) + 1)
    if len(decades) >= 2:
        every = -(-len(decades) // most)
        return [(float(decade), _number(10.0**decade)) for decade in decades if decade % every == 0]
    exponents = range(math.floor(low), math.ceil(high) + 1)
    for digits in ((1, 10), (1, 3, 10), (1, 2, 5, 10), range(1, 11)):
        values = sorted({digit * 10.0**exponent for exponent in exponents for digit in digits})
        inside = [(log10(value), _number(value)) for value in values if low <= log10(value) <= high]
        if len(inside) >= 2:
            return inside[:: -(-len(inside) // most)]
    return [(log10(value), _number(value)) for value in round_ticks(10.0**low, 10.0**high, most)]


def _number(value: float) -> str:
    """A short form: 0.05, 20 000, 1e-6."""
    if value and not 1e-4 <= abs(value) < 1e6:
        return re.sub(r"e([+-])0*", lambda found: "e" + found[1].replace("+", ""), f"{value:.3g}")
    if abs(value) >= 1e4 and value == int(value):
        return grouped(int(value))
    return f"{value:.6g}"


def log10(value: float) -> float:
    """The logarithm; of what has none, -∞."""
    return math.log10(value) if value > 0 else -math.inf
