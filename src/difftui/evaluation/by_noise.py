"""A network's error at every strength of noise, on digits it has not seen: and what being told t is worth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from difftui.diffusion import add_noise, read_output, training_target
from difftui.diffusion.ladder import Ladder
from difftui.models.side_by_side import side_by_side

if TYPE_CHECKING:
    from difftui.training.loading import LoadedModel

__all__ = ["ErrorCurve", "error_by_noise"]

Floats = NDArray[np.float64]

MOST_POINTS = 32
PICTURES = 8  # in one look: short enough that nothing else waits long for its turn


@dataclass(frozen=True, eq=False, slots=True)
class ErrorCurve:
    """The mean squared error so far.

    Attributes:
        rungs: (P,) where on the ladder, from the least noise to the most.
        loss: (P,) of what the network predicts (the noise, for most), as its training counts it.
        clean: (P,) of the clean picture, held within [-1, 1], in pixels of [0, 1].
        untouched: (P,) of the noisy picture itself, likewise: what a network must be better than.
        pictures: how many pictures are behind each point; 0 where nothing has been measured.
    """

    rungs: NDArray[np.int64]
    loss: Floats
    clean: Floats
    untouched: Floats
    pictures: int

    @property
    def mean_loss(self) -> float:
        """The mean of ``loss``: about what training ends with, where it draws t evenly."""
        return float(self.loss.mean())


def error_by_noise(
    network: LoadedModel,
    x0: Tensor,
    *,
    told: int | None = None,
    labels: Tensor | None = None,
    seed: int = 0,
) -> Iterator[ErrorCurve | None]:
    """Measure, a few pictures at a time; every pass over the points sharpens the curve.

    The points are the middles of equal parts of the ladder, so that their mean is a fair one.

    Picture i at rung k has the noise that ``seed``, i and k give, whatever the network: curves of several
    networks of one schedule differ by the networks alone.

    Args:
        network: the network, its schedule and what it predicts.
        x0: (N, C, H, W) clean pictures in [-1, 1], where the network computes.
        told: a time that it is told everywhere, whatever the noise; None tells it the truth.
        labels: (N,) classes, for a network that cannot do without.
        seed: of the noise.

    Yields:
        None after each point, so that others have their turn; after each pass the curve.
    """
    ladder = Ladder(network.schedule, bool(getattr(network.model, "one_shot", False)))
    model = side_by_side(network.model)
    there_are = ladder.last + 1
    points = min(there_are, MOST_POINTS)
    rungs = (np.arange(points) * 2 + 1) * there_are // (2 * points)
    sums = np.zeros((3, len(rungs)))
    for start in range(0, len(x0), PICTURES):
        part = x0[start : start + PICTURES]
        asked = None if labels is None else labels[start : start + PICTURES]
        for k, rung in enumerate(rungs.tolist()):
            draws = torch.Generator().manual_seed((seed * 1_000_003 + start) * 10_007 + rung)
            eps = torch.randn(part.shape, generator=draws).to(part)
            with torch.inference_mode():
                sums[:, k] += _errors(network, model, ladder, part, eps, rung, told, asked)
            yield None
        done = start + len(part)
        loss, clean, untouched = sums / done
        yield ErrorCurve(rungs, loss, clean, untouched, done)


def _errors(
    network: LoadedModel,
    model: torch.nn.Module,
    ladder: Ladder,
    x0: Tensor,
    eps: Tensor,
    rung: int,
    told: int | None,
    labels: Tensor | None,
) -> tuple[float, float, float]:
    """Sums over the pictures of the three errors of :class:`ErrorCurve`."""
    schedule, target, t = network.schedule, network.recipe.target, ladder.told(rung)
    levels = schedule.alpha_bar(t), schedule.alpha_bar(t - 1)
    shown = x0 + ladder.sigma(rung) * eps
    x_t = shown * levels[0] ** 0.5 if ladder.one_shot else add_noise(x0, eps, levels[0])
    times = torch.full((len(x0),), t if told is None else told, dtype=torch.long, device=x0.device)
    output = model(x_t, times, label=labels) if labels is not None else model(x_t, times)
    wanted = training_target(target, x0, eps, *levels)
    cleaned = read_output(target, output, x_t, *levels).x0.clamp(-1.0, 1.0)
    errors = (output - wanted, (cleaned - x0) / 2, (shown.clamp(-1.0, 1.0) - x0) / 2)
    loss, clean, untouched = (float(error.square().flatten(1).mean(dim=1).double().sum()) for error in errors)
    return loss, clean, untouched
