"""Exponential moving average of the weights: what sampling uses."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["Ema"]


class Ema:
    """w̄ ← w̄ + (1-d)(w - w̄), with d = min(decay, (1+n)/(10+n)) after n updates.

    The short memory at the start forgets the random initial weights (the rule of TensorFlow's
    ``ExponentialMovingAverage`` with ``num_updates``).
    """

    def __init__(self, weights: Sequence[Tensor], decay: float) -> None:
        self.decay = decay
        self.updates = 0
        self.average = [w.detach().clone() for w in weights]

    @torch.no_grad()
    def update(self, weights: Sequence[Tensor]) -> None:
        """Move the average towards ``weights`` (same order and shapes as at the start)."""
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        torch._foreach_lerp_(self.average, list(weights), 1 - decay)
