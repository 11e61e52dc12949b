"""Figures as the pages write them."""

from __future__ import annotations

import math

from difftui.words import grouped

__all__ = ["decibels", "signif", "times"]


def signif(value: float, digits: int = 3) -> str:
    """A number in so many significant digits, with an exponent only where there would be many zeros."""
    if value == 0.0 or not math.isfinite(value):
        return f"{value:g}"
    if abs(value) < 1e-4 or abs(value) >= 1e6:
        return f"{value:.{digits - 1}e}"
    if abs(value) >= 10**digits:
        return grouped(int(float(f"{value:.{digits - 1}e}")))
    places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:.{places}f}"


def decibels(ratio: float) -> str:
    """A ratio of powers in decibels: "-8.2 dB"."""
    return f"{10 * math.log10(ratio):+.1f} dB"


def times(ratio: float) -> str:
    """How many times as much: "1.00 ×", "470 ×"."""
    return f"{signif(ratio)} ×"
