"""The error on digits that training never sees, at timesteps and with noise that never change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from difftui.data import Pictures, held_out_pictures
from difftui.training.progress import BINS, Validation
from difftui.training.seeding import generator
from difftui.training.seen import as_seen

if TYPE_CHECKING:
    from difftui.training.trainer import Trainer

__all__ = ["Validator", "fixed_draws"]

CHUNK = 50  # images a forward pass: short enough that nothing else waits long for its turn


def fixed_draws(pictures: Pictures, timesteps: int) -> tuple[Tensor, Tensor, Tensor]:
    """What is asked about, once and for all, so that two measurements differ by the weights alone.

    Args:
        pictures: n that no training sees.
        timesteps: T.

    Returns:
        x_0 in [-1, 1], (n, C, H, W); t_i = ⌊T (i + 1/2) / n⌋ of picture i; ε ~ N(0, I), shaped as x_0.
    """
    count = len(pictures)
    t = ((torch.arange(count) + 0.5) * timesteps / count).long()
    eps = torch.randn(pictures.images.shape, generator=generator(torch.device("cpu"), "validation"))
    return as_seen(pictures.images), t, eps


class Validator:
    """Measures the sampling weights on pictures held out: MNIST's, or of the data's own test set.

    They are noised as :func:`fixed_draws` says. The mean of their errors with importance weights w(t) p(t) T
    is the loss that training estimates, p being how it draws t and w how it weighs the errors.
    """

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self.newest: Validation | None = None
        held = held_out_pictures(trainer.recipe.data)
        if held is None or held.shape[0] != trainer.images.shape[1]:
            self.x0 = torch.empty(0)  # nothing to measure on
            return
        digits = held.prepared(trainer.images.shape[-1], trainer.recipe.classes)
        objective = trainer.objective
        x0, t, eps = fixed_draws(digits, objective.timesteps)
        assert digits.labels is not None  # whoever holds some out has classes
        labels = torch.from_numpy(digits.labels.copy())
        self.t, self.eps, self.x0, self.labels = (part.to(trainer.device) for part in (t, eps, x0, labels))
        density = objective.time_density().to(trainer.device) * objective.timesteps
        share = density[self.t]
        self.share = share / share.mean()  # 500 points do not hit the density's integral exactly
        bins = torch.div(self.t * BINS, objective.timesteps, rounding_mode="floor")
        self.in_bin = torch.nn.functional.one_hot(bins, BINS).float()

    def measure(self, model: nn.Module) -> Iterator[None]:
        """Measure ``model``, giving way after every few images; the result is in ``newest`` at the end.

        Where the data have none that are held out, nothing is measured.
        """
        if not len(self.x0):
            return
        step, errors = self.trainer.step, []
        for start in range(0, len(self.x0), CHUNK):
            errors.append(self._errors(model, slice(start, start + CHUNK)))
            yield
        error = torch.cat(errors)
        weights = self.trainer.objective.weights[self.t]
        loss = (error * weights * self.share).mean()
        by_bin = (error @ self.in_bin) / self.in_bin.sum(0)
        told = torch.cat([loss.view(1), by_bin]).tolist()  # one transfer
        self.newest = Validation(step, told[0], tuple(told[1:]))

    @torch.no_grad()
    def _errors(self, model: nn.Module, part: slice) -> Tensor:
        trainer = self.trainer
        labels = self.labels[part] if trainer.num_classes is not None else None
        with trainer.autocast():
            return trainer.objective.errors(model, self.x0[part], labels, self.t[part], self.eps[part])
