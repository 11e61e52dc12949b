"""How well a share is known that was counted on so few."""

from __future__ import annotations

import math

__all__ = ["wilson"]

Z = 1.959963984540054  # of the normal distribution, 2.5 % lie beyond


def wilson(count: int, of: int) -> tuple[float, float]:
    """The 95 % interval of the true share when ``count`` of ``of`` were counted (Wilson 1927).

    Both ends are the shares p at which the count is just 1.96 standard deviations away:
    |count / of - p| = z √(p (1 - p) / of). Both lie within [0, 1].

    Raises:
        ValueError: nothing was counted, or more than there are.
    """
    if of < 1 or not 0 <= count <= of:
        raise ValueError(f"cannot have counted {count} of {of}")
    share, extra = count / of, Z * Z / of
    middle = (share + extra / 2) / (1 + extra)
    half = Z / (1 + extra) * math.sqrt(share * (1 - share) / of + extra / (4 * of))
    return max(0.0, middle - half), min(1.0, middle + half)
