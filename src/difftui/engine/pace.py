"""How fast a training would be here, found out by a moment of it: nothing is saved, nothing is kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from difftui.engine.engine import Workbench

if TYPE_CHECKING:
    from difftui.training.recipe import Recipe
    from difftui.training.trainer import Trainer

__all__ = ["PaceView", "start_pace"]

WARM_UP_STEPS = 4  # libraries choose their kernels; on CUDA the step is recorded
SECONDS = 0.5
LARGEST_BATCH = 512  # images; a larger one is hardly faster, and may not fit: the training finds that out
PULL_SECONDS = 0.05  # of work before others have their turn


@dataclass(frozen=True, slots=True)
class PaceView:
    """What a moment of training has shown.

    Attributes:
        recipe: what was trained.
        images_per_second: of training steps alone, without looks at the network and saving.
    """

    recipe: Recipe
    images_per_second: float


def start_pace(recipe: Recipe) -> Callable[[Workbench], Iterator[PaceView | None]]:
    """Work for :meth:`Engine.submit`: half a second of steps on bundled digits; one event, the last.

    A network that takes other pictures cannot be measured so: the job fails.
    """
    return lambda bench: _measure(bench, recipe)


def _measure(bench: Workbench, recipe: Recipe) -> Iterator[PaceView | None]:
    import torch

    from difftui.data import load_pictures
    from difftui.training.trainer import Trainer

    pictures = load_pictures("bundled", size=recipe.image_size)
    measured = replace(recipe, batch_size=min(recipe.batch_size, LARGEST_BATCH))
    trainer = Trainer(measured, pictures, torch.device(bench.device.torch_device_name))
    took = 0.0
    for _ in range(WARM_UP_STEPS):
        took = _timed(trainer, 1)
        yield None
    block = max(1, round(PULL_SECONDS / max(took, 1e-6)))
    images, seconds = 0, 0.0
    while seconds < SECONDS:
        before = trainer.images_seen
        seconds += _timed(trainer, block)
        images += trainer.images_seen - before
        yield None
    yield PaceView(recipe, images / seconds)


def _timed(trainer: Trainer, steps: int) -> float:
    """Seconds of so many steps, the device's work included."""
    began = time.perf_counter()
    for _ in range(steps):
        loss = trainer.train_step()
    loss.item()  # waits for the device
    return time.perf_counter() - began
