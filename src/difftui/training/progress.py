"""What a training tells while it runs: frozen records. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["BINS", "Hold", "Progress", "SampleStrip", "Validation"]

BINS = 10  # equal ranges of t in which a validation tells the error


@dataclass(frozen=True, slots=True)
class Validation:
    """The error on held-out digits with noise and timesteps that never change.

    Attributes:
        step: optimiser steps done when it was taken.
        loss: the average that training estimates: same weights, same distribution of t.
        by_timestep: :data:`BINS` unweighted mean squared errors, from the cleanest tenth of the timesteps to
            the noisiest; NaN where a tenth holds no timestep (T < 10).
    """

    step: int
    loss: float
    by_timestep: tuple[float, ...]


@dataclass(frozen=True, eq=False, slots=True)
class SampleStrip:
    """Pictures drawn from the weights as they were at one step, always from the same noise.

    Attributes:
        step: optimiser steps done when they were drawn.
        images: (n, H, W), or (n, H, W, 3) in colour, uint8; 0 is x = -1, 255 is x = 1.
        labels: the digits asked for, or None where the network cannot be asked.
        sampler_steps: sampler steps spent on them, or None where that was not recorded.
    """

    step: int
    images: NDArray[np.uint8]
    labels: tuple[int, ...] | None
    sampler_steps: int | None


@dataclass(frozen=True, slots=True)
class Hold:
    """The training cannot go on now, and is whole in memory; the next pull tries again.

    Attributes:
        message: why, and what to do; one line.
    """

    message: str


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a training stands after a step.

    Attributes:
        step: optimiser steps done.
        total_steps: steps in all; None when the budget is a time.
        epoch: passes over the data done, as a fraction.
        fraction: share of the budget done, 0 to 1.
        images: training images seen.
        seconds: time spent training, earlier sessions included, pauses not.
        losses: losses of the steps since the last event that had any, oldest first; empty in between.
        images_per_second: over the last few seconds.
        seconds_left: estimate of the training time that is left, at the pace of the last minute; None before
            there is anything to estimate from.
        learning_rate: of the step just done.
        gradient_norm: Euclidean norm of the whole gradient, of the newest step whose losses were told; None
            before that.
        saved_step: step of the newest state on disk; None if there is none.
        validation: the newest, or None.
        strip: the newest samples, or None.
    """

    step: int
    total_steps: int | None
    epoch: float
    fraction: float
    images: int
    seconds: float
    losses: tuple[float, ...]
    images_per_second: float
    seconds_left: float | None
    learning_rate: float
    gradient_norm: float | None
    saved_step: int | None
    validation: Validation | None = None
    strip: SampleStrip | None = None
