r"""Denoisers that are exactly right, for distributions simple enough to write down.

The best possible denoiser answers with the mean of all clean pictures that could have become ``x_t``,
``E[x_0 | x_t]``. For a Gaussian and for a finite set of points it has a closed form, so that samplers can be
tested, and studied, without training anything. Both are called ``denoise(x_t, t)`` and fit straight into
:class:`~difftui.diffusion.samplers.DDPM` and :class:`~difftui.diffusion.samplers.DDIM`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Generic

import numpy as np
from numpy.typing import NDArray

from difftui.diffusion.process import Array, Prediction, eps_from_x0
from difftui.diffusion.schedule import NoiseSchedule


@dataclass(frozen=True, eq=False)
class GaussianDenoiser(Generic[Array]):
    r"""The exact denoiser for ``x_0 ~ N(mean, std^2)``, each pixel on its own.

        E[x_0 | x_t] = mean + sqrt(a) std^2 / (a std^2 + 1 - a) (x_t - sqrt(a) mean),    a = alpha_bar_t

    Source: the conditional mean of two jointly Gaussian variables.

    Args:
        schedule: The noise schedule.
        mean: The mean of the clean pictures: one number, or an array that broadcasts with them.
        std: Their standard deviation, 0 or more, likewise.
    """

    schedule: NoiseSchedule
    mean: Array | float
    std: Array | float

    def __call__(self, x_t: Array, t: int) -> Prediction[Array]:
        """Say what ``x_t``, of any shape, was before the noise of time ``t``."""
        alpha_bar = self.schedule.alpha_bar(t)
        variance = self.std**2
        gain = variance * math.sqrt(alpha_bar) / (variance * alpha_bar + (1.0 - alpha_bar))
        x0 = (x_t - self.mean * math.sqrt(alpha_bar)) * gain + self.mean
        return Prediction(x0=x0, eps=eps_from_x0(x_t, x0, alpha_bar))


@dataclass(frozen=True, eq=False)
class PointsDenoiser:
    r"""The exact denoiser when every clean picture is one of N known ones (NumPy arrays only).

        E[x_0 | x_t] = sum_i r_i p_i,    r_i ∝ w_i exp(-|x_t - sqrt(a) p_i|^2 / (2 (1 - a)))

    with ``a = alpha_bar_t`` and the ``r_i`` of one ``x_t`` summing to 1. It is what a network that had learnt
    its training set by heart would say.

    Source: Bayes' rule; Karras et al. (2022), Elucidating the Design Space, appendix B.3.

    Args:
        schedule: The noise schedule.
        points: The known pictures, shape (N, ...).
        weights: Their probabilities, shape (N,), up to a common factor, each above 0; None makes them equal.

    Raises:
        ValueError: If there are no points, or the weights are not N numbers above 0.
    """

    schedule: NoiseSchedule
    points: NDArray[Any]
    weights: NDArray[Any] | None = None

    def __post_init__(self) -> None:
        if len(self.points) == 0:
            raise ValueError("give at least one point.")
        if self.weights is None:
            return
        if self.weights.shape != (len(self.points),) or not (self.weights > 0.0).all():
            raise ValueError(f"weights must be {len(self.points)} numbers above 0, one for each point.")

    def __call__(self, x_t: NDArray[Any], t: int) -> Prediction[NDArray[Any]]:
        """Say what ``x_t``, of shape (B, ...), was before the noise of time ``t``."""
        flat = self.points.reshape(len(self.points), -1)
        x0 = (self.responsibilities(x_t, t) @ flat).reshape(x_t.shape)
        return Prediction(x0=x0, eps=eps_from_x0(x_t, x0, self.schedule.alpha_bar(t)))

    def responsibilities(self, x_t: NDArray[Any], t: int) -> NDArray[Any]:
        """How probable it is that each ``x_t`` came from each point: shape (B, N), rows that sum to 1."""
        alpha_bar = self.schedule.alpha_bar(t)
        flat = self.points.reshape(len(self.points), -1)
        # |x_t|^2 is common to a row and cancels, which leaves one matrix product.
        overlap = x_t.reshape(len(x_t), -1) @ flat.T * math.sqrt(alpha_bar)
        logits = (overlap - 0.5 * alpha_bar * (flat**2).sum(axis=1)) / (1.0 - alpha_bar)
        if self.weights is not None:
            logits = logits + np.log(self.weights)
        shares: NDArray[Any] = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        return shares
