"""The strengths of noise at which a network can be asked for the clean picture, as one row of rungs.

A network that is told the time has a rung for each timestep. One that cleans in one look knows a single time,
and is shown any amount of noise instead. Imports no torch.
"""

from __future__ import annotations

from dataclasses import dataclass

from difftui.diffusion.schedule import NoiseSchedule

__all__ = ["Ladder"]

USUAL_TIMES = (25, 50, 100, 150)  # of 200: where the guided lab looks
USUAL_NOISES = (0.1, 0.25, 0.5, 1.0)  # the lecture's one-shot denoiser was taught 0.5
NOISE_STEP, MOST_NOISE = 0.05, 2.0  # standard deviations beside pixels in [0, 1]


@dataclass(frozen=True, slots=True)
class Ladder:
    """Rungs 0 … :attr:`last`, from the least noise to the most.

    Attributes:
        schedule: of the network.
        one_shot: whether it cleans in one look: then rung i is noise of standard deviation 0.05 i beside
            pixels in [0, 1], and else it is the timestep i.
    """

    schedule: NoiseSchedule
    one_shot: bool = False

    @property
    def last(self) -> int:
        """The noisiest rung."""
        return round(MOST_NOISE / NOISE_STEP) if self.one_shot else self.schedule.T - 1

    @property
    def usual(self) -> tuple[int, ...]:
        """Four rungs to look at first: t = 25, 50, 100, 150 of 200, and the same shares of another T."""
        if self.one_shot:
            return tuple(round(noise / NOISE_STEP) for noise in USUAL_NOISES)
        return tuple(self.schedule.T * t // 200 for t in USUAL_TIMES)

    def told(self, rung: int) -> int:
        """The time that the network is told there."""
        return 0 if self.one_shot else self.held(rung)

    def held(self, rung: int) -> int:
        """The nearest rung that there is."""
        return min(max(rung, 0), self.last)

    def sigma(self, rung: int) -> float:
        """The noise's standard deviation beside a signal of its own size, pixels in [-1, 1]."""
        if self.one_shot:
            return 2.0 * NOISE_STEP * self.held(rung)
        alpha_bar = self.schedule.alpha_bar(self.held(rung))
        return float(((1.0 - alpha_bar) / alpha_bar) ** 0.5)

    def label(self, rung: int) -> str:
        """The rung in words: "t = 25", or "noise 0.50"."""
        return f"noise {NOISE_STEP * rung:.2f}" if self.one_shot else f"t = {rung}"
