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

__all__ = ["Strips", "luminance"]

SAMPLER_STEPS = 12
PICTURES = 10


def luminance(x: torch.Tensor) -> torch.Tensor:
    """Pictures (B, 1 or 3, H, W) in grey, (B, H, W), by ITU-R BT.601: strips and screens are grey."""
    if x.shape[1] == 1:
        return x[:, 0]
    return torch.einsum("bchw,c->bhw", x, x.new_tensor([0.299, 0.587, 0.114]))


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
                pixels = ((luminance(frame.x.float()) + 1) * 127.5).round_().clamp_(0, 255).to(torch.uint8)
                self.newest = SampleStrip(step, pixels.cpu().numpy(), self.labels, steps)
            yield
