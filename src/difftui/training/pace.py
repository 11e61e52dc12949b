"""How fast a training is on this machine, found out by a moment of it: nothing is saved, nothing is kept."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from difftui.data import load_pictures
from difftui.training.recipe import Recipe

if TYPE_CHECKING:
    from difftui.training.trainer import Trainer

__all__ = ["SECONDS", "Pace", "measured_pace"]

WARM_UP_STEPS = 4  # libraries choose their kernels; on CUDA the step is recorded
SECONDS = 0.5
LARGEST_BATCH = 512  # images; a larger one is hardly faster, and may not fit: the training finds that out
PULL_SECONDS = 0.05  # of work before others have their turn


@dataclass(frozen=True, slots=True)
class Pace:
    """What a moment of training has shown so far.

    Attributes:
        images: trained on since the clock was started; 0 while the network warms up.
        seconds: of training steps alone, without looks at the network and saving.
    """

    images: int
    seconds: float

    @property
    def images_per_second(self) -> float:
        """0 before there is anything to tell it from."""
        return self.images / self.seconds if self.images else 0.0


def measured_pace(recipe: Recipe, device: str, seconds: float = SECONDS) -> Iterator[Pace]:
    """So many seconds of steps on bundled digits; an item about every twentieth of one.

    Args:
        recipe: what is to be trained, by a network that takes digits. Its seed decides all but the times.
        device: torch's name of it.
        seconds: to measure, at least.

    Raises:
        DifftuiError: the network takes other pictures.
    """
    import torch

    from difftui.training.trainer import Trainer

    pictures = load_pictures("bundled", size=recipe.image_size)
    measured = replace(recipe, batch_size=min(recipe.batch_size, LARGEST_BATCH))
    trainer = Trainer(measured, pictures, torch.device(device))
    took = 0.0
    for _ in range(WARM_UP_STEPS):
        took = _timed(trainer, 1)
        yield Pace(0, 0.0)
    block = max(1, round(PULL_SECONDS / max(took, 1e-6)))
    images, spent = 0, 0.0
    while spent < seconds:
        before = trainer.images_seen
        spent += _timed(trainer, block)
        images += trainer.images_seen - before
        yield Pace(images, spent)


def _timed(trainer: Trainer, steps: int) -> float:
    """Seconds of so many steps, the device's work included."""
    began = time.perf_counter()
    for _ in range(steps):
        loss = trainer.train_step()
    loss.item()  # waits for the device
    return time.perf_counter() - began
