"""Pictures drawn now and then while a network trains, always from the same noise."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch
from torch import nn

from difftui.diffusion import sample
from difftui.training.progress import SampleStrip

if TYPE_CHECKING:
    from difftui.training.trainer import Trainer

__all__ = ["Strips", "as_shown"]

SAMPLER_STEPS = 12
PICTURES = 10


def as_shown(x: torch.Tensor) -> torch.Tensor:
    """(B, 1, H, W) to (B, H, W), (B, 3, H, W) to (B, H, W, 3): pictures as screens show them."""
    return x[:, 0] if x.shape[1] == 1 else x.permute(0, 2, 3, 1)


class Strips:
    """Draws ten pictures from the sampling weights: one of each class, where the network can be asked."""

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self.seeds = tuple(range(PICTURES))
        classes = trainer.num_classes
        self.labels = None if classes is None else tuple(seed % classes for seed in self.seeds)
        self.newest: SampleStrip | None = None

    def draw(self, model: nn.Module) -> Iterator[None]:
        """Draw with ``model``, giving way after every sampler step; at the end ``newest`` has them."""
        recipe, step = self.trainer.recipe, self.trainer.step
        steps = min(SAMPLER_STEPS, self.trainer.schedule.T)
        frames = sample(
            model,
            self.trainer.schedule,
            sampler=recipe.sampler,
            steps=steps,
            temperature=recipe.temperature,
            seeds=self.seeds,
            labels=self.labels,
            guidance=recipe.guidance if self.labels is not None else 0.0,
            target=recipe.target,
            clip_x0=True,
        )
        for frame in frames:
            if frame.s < 0:
                pixels = ((as_shown(frame.x.float()) + 1) * 127.5).round_().clamp_(0, 255).to(torch.uint8)
                self.newest = SampleStrip(step, pixels.cpu().numpy(), self.labels, steps)
            yield
