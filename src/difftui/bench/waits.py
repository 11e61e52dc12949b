"""How long keys waited for what they do, by quantiles."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["QUANTILES", "Waits"]

QUANTILES = (0.5, 0.95, 0.99)
"""Those that are told."""


class Waits:
    """Milliseconds, one for each key."""

    def __init__(self, milliseconds: Iterable[float]) -> None:
        self._sorted = sorted(milliseconds)

    def __len__(self) -> int:
        return len(self._sorted)

    def quantile(self, q: float) -> float:
        """Milliseconds that the share ``q`` of the keys did not exceed."""
        return self._sorted[min(len(self) - 1, int(len(self) * q))]
