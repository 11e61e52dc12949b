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
        device = self.average[0].device
        # What a recorded step reads must lie on the device; a CPU is quicker with a plain number.
        self._share = torch.zeros((), device=device) if device.type == "cuda" else None

    def update(self, weights: Sequence[Tensor]) -> None:
        """Move the average towards ``weights`` (same order and shapes as at the start)."""
        self.advance()
        self.blend(weights)

    def advance(self) -> None:
        """Count an update, which sets the share of the new weights in it."""
        self.updates += 1
        if self._share is not None:
            self._share.fill_(1 - self._decay_now())

    @torch.no_grad()
    def blend(self, weights: Sequence[Tensor]) -> None:
        """Carry out the update that :meth:`advance` counted, on the device alone."""
        if self._share is None:
            torch._foreach_lerp_(self.average, list(weights), 1 - self._decay_now())
            return
        change = torch._foreach_sub(list(weights), self.average)
        torch._foreach_mul_(change, self._share)
        torch._foreach_add_(self.average, change)

    def _decay_now(self) -> float:
        return min(self.decay, (1 + self.updates) / (10 + self.updates))
