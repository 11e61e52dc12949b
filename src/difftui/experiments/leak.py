"""How much of a digit can still be told from noise: the best guess there is, and how often it is right."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from difftui.data import bundled, held_out
from difftui.diffusion import NoiseSchedule, add_noise
from difftui.experiments.materials import clean

__all__ = ["best_guess", "told_at_the_end"]


def best_guess(pictures: NDArray[np.floating], signal: float, variance: float) -> NDArray[np.intp]:
    """The most probable digit behind x = signal x_0 + noise, by Bayes' rule, were the bundled digits all.

    p(x_i | x) ∝ exp(-‖x - signal x_i‖² / 2 variance), summed over the x_i of a class and divided by their
    number, for the ten classes are equally likely.

    Args:
        pictures: (N, 28, 28).
        signal, variance: of the digit and of the noise.

    Returns:
        (N,) digits.
    """
    known, norms = _known()
    labels = bundled().labels
    seen = pictures.reshape(len(pictures), -1).astype(np.float32)
    # Without |x|², which is the same for all of a row.
    log_odds = (signal * (seen @ known.T) - signal**2 * norms / 2.0) / variance
    odds = np.exp(log_odds - log_odds.max(axis=1, keepdims=True))
    digits: NDArray[np.intp] = np.stack([odds[:, labels == k].mean(axis=1) for k in range(10)]).argmax(axis=0)
    return digits


def told_at_the_end(schedule: NoiseSchedule, seed: int = 0) -> float:
    """The share of held-out digits, as many of each, that :func:`best_guess` tells from one x_T.

    Chance gives 0.1.
    """
    digits = held_out()
    eps = np.random.default_rng(seed).standard_normal(digits.images.shape)
    level = float(schedule.alpha_bars[-1])
    answers = best_guess(add_noise(clean(digits.images), eps, level), math.sqrt(level), 1.0 - level)
    return float(np.mean([(answers[digits.of_class(k)] == k).mean() for k in range(10)]))


@lru_cache(maxsize=1)
def _known() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The bundled digits (10 000, 784) and the squares of their lengths."""
    known = clean(bundled().images).reshape(len(bundled()), -1).astype(np.float32)
    return known, np.einsum("ij,ij->i", known, known)
