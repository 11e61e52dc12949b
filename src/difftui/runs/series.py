"""A curve that only grows: appended by one thread, read by another without copying."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Curve", "Series"]

SMOOTHING = 0.98  # memory of about 50 values, and of a tenth of those there are while they are few


@dataclass(frozen=True, slots=True)
class Curve:
    """What a :class:`Series` held when this was taken; the arrays never change.

    Attributes:
        x: (n,) float64, rising.
        y: (n,) float32; NaN is a gap.
        smooth: (n,) float32, exponential moving average of y, corrected for its start as Adam's moments are.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float32]
    smooth: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.x)


class Series:
    """Appends values and gives :class:`Curve` views of what is there, in constant time."""

    def __init__(self) -> None:
        self._x = np.empty(1024, np.float64)
        self._y = np.empty(1024, np.float32)
        self._smooth = np.empty(1024, np.float32)
        self._length = 0
        self._mean = float("nan")
        self._counted = 0

    def append(self, x: float, y: float) -> None:
        """Add one point; ``x`` must not fall."""
        if self._length == len(self._x):
            self._grow()
        if np.isfinite(y):
            decay = min(SMOOTHING, self._counted / (9 + self._counted))
            self._mean = decay * self._mean + (1 - decay) * y if self._counted else y
            self._counted += 1
        n = self._length
        self._x[n], self._y[n] = x, y
        self._smooth[n] = self._mean
        self._length = n + 1

    def view(self) -> Curve:
        """The curve up to now. Later appends write behind it or into fresh arrays, never into it."""
        x, y, smooth = self._x[: self._length], self._y[: self._length], self._smooth[: self._length]
        for part in (x, y, smooth):
            part.flags.writeable = False
        return Curve(x, y, smooth)

    def _grow(self) -> None:
        self._x, self._y, self._smooth = (_doubled(a) for a in (self._x, self._y, self._smooth))


def _doubled(old: NDArray[Any]) -> NDArray[Any]:
    new = np.empty(2 * len(old), old.dtype)
    new[: len(old)] = old
    return new
