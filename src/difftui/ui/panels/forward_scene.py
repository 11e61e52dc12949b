"""What is chosen of the forward process: a digit, its noise, a schedule and how far along it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from difftui.diffusion import NoiseSchedule, add_noise, make_schedule
from difftui.diffusion.told import Pixel, Told, forward_told

__all__ = ["SIDE", "THUMBNAILS", "TIMESTEPS", "Scene"]

Floats = NDArray[np.float64]

TIMESTEPS = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)
THUMBNAILS = 9
SIDE = 28


@dataclass(frozen=True, slots=True)
class Scene:
    """What the user has chosen; all that the screen shows follows from it.

    Attributes:
        kind: name of the noise schedule.
        T: its length.
        position: how far from clean (0) to noise (1); changing T keeps it.
        label: class of the digit.
        example: which digit of its class, from 0; counted round.
        seed: of the noise ε.
    """

    kind: str = "linear"
    T: int = 1000
    position: float = 249 / 999
    label: int = 7
    example: int = 0
    seed: int = 0

    @property
    def schedule(self) -> NoiseSchedule:
        """The tables of the schedule."""
        return _schedule(self.kind, self.T)

    @property
    def t(self) -> int:
        """The timestep, 0 … T - 1."""
        return round(self.position * (self.T - 1))

    @property
    def picture(self) -> tuple[int, int, int]:
        """What makes the clean digit and the noise."""
        return self.label, self.example, self.seed

    def at(self, t: int) -> Scene:
        """The same at another timestep, held within 0 … T - 1."""
        return replace(self, position=min(max(t, 0), self.T - 1) / (self.T - 1))

    @property
    def strip_times(self) -> tuple[int, ...]:
        """The timesteps of the strip, evenly spread from the first to the last."""
        return tuple(i * (self.T - 1) // (THUMBNAILS - 1) for i in range(THUMBNAILS))

    @property
    def eps(self) -> Floats:
        """The noise, (28, 28), standard normal."""
        return _noise(self.seed)

    def noised(self, x0: Floats, times: Sequence[int]) -> Floats:
        """The digit at several timesteps, always with the same noise: (n, 28, 28)."""
        return np.stack([add_noise(x0, self.eps, self.schedule.alpha_bar(t)) for t in times])

    def told(self, x0: Floats | None) -> tuple[Told, Told]:
        """x_t three ways, with the sum of its brightest pixel where there is a digit."""
        return forward_told(self.schedule, self.t, None if x0 is None else Pixel.brightest(x0, self.eps))


@lru_cache(maxsize=8)
def _schedule(kind: str, T: int) -> NoiseSchedule:
    return make_schedule(kind, T)


@lru_cache(maxsize=2)
def _noise(seed: int) -> Floats:
    return np.random.default_rng(seed).standard_normal((SIDE, SIDE))
