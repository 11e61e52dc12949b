"""What a loss can be held against: the network that always answers 0, and another run's loss. No torch."""

from __future__ import annotations

from math import erf, log, sqrt
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from difftui.data.datasets import holds_mnist
from difftui.diffusion import make_schedule, previous_weights
from difftui.training.recipe import Recipe

__all__ = ["incomparable", "loss_of_zero", "mean_square"]

MIN_SNR_GAMMA = 5.0  # Hang et al. 2023, section 3.4
_CHUNK = 1 << 22


def loss_of_zero(recipe: Recipe, data_mean_square: float | None) -> float | None:
    """The training loss of a network that always answers 0: Σ_t p(t) w(t) E|target|² / pixels.

    E|ε|² is 1 a pixel. E|x_0|² is the data's mean square m, and E|v|² = ᾱ_t + (1 - ᾱ_t) m, for ε and x_0 are
    independent and ε has mean 0 (v as in Salimans & Ho 2022, eq. 12). The mean of x_{t-1} given x_t and x_0
    is √ᾱ_{t-1} x_0 and noise. p is how the recipe draws t, and w
    its weighting. Nothing is simulated.

    Args:
        recipe: whose loss.
        data_mean_square: m; None where the data are not at hand.

    Returns:
        None where m is needed and unknown.
    """
    if recipe.target != "eps" and data_mean_square is None:
        return None
    alpha_bars = make_schedule(recipe.schedule, recipe.timesteps, **recipe.schedule_options).alpha_bars
    noise, m = 1 - alpha_bars, data_mean_square or 0.0
    before = np.concatenate(([1.0], alpha_bars[:-1]))
    of_x_t = previous_weights(alpha_bars, before)[1]
    cost = {
        "eps": np.ones_like(noise),
        "x0": np.full_like(noise, m),
        "v": alpha_bars + noise * m,
        "x_prev": before * m + of_x_t**2 * noise,
    }
    return float(np.sum(_time_density(recipe) * _weights(recipe, alpha_bars) * cost[recipe.target]))


def mean_square(images: NDArray[np.uint8]) -> float:
    """E|x_0|² a pixel, of images scaled to [-1, 1]; exact, from how often each of the 256 values occurs."""
    flat = images.reshape(-1)
    counts = np.zeros(256, np.int64)
    for start in range(0, len(flat), _CHUNK):  # a whole data set at once would take eight times its size
        counts += np.bincount(flat[start : start + _CHUNK], minlength=256)
    values = np.arange(256) / 127.5 - 1
    return float(counts @ values**2 / counts.sum())


def incomparable(one: Recipe, other: Recipe) -> str | None:
    """Why the losses of two recipes are no measure of the same thing; None where they are.

    The same number means another thing with another target, another schedule or T, other weights of the
    timesteps, timesteps drawn otherwise, or other pictures, of another size or of fewer classes. Network,
    batch, learning rate and length may differ: comparing those is what curves are for.
    """
    reasons = [
        f"{word} {_told(getattr(other, name))} instead of {_told(getattr(one, name))}"
        for name, word in _FIELDS.items()
        if getattr(one, name) != getattr(other, name)
    ]
    if _drawing_of_t(one) != _drawing_of_t(other):
        reasons.append("timesteps drawn otherwise")
    if one.data != other.data and (seen := _pictures_of(one)) != (others := _pictures_of(other)):
        reasons.append(f"pictures of {others} instead of {seen}")
    return ", ".join(reasons) or None


def _drawing_of_t(recipe: Recipe) -> tuple[object, ...]:
    """What tells one density of t from another."""
    if recipe.time_sampling != "logit-normal":
        return ("uniform",)
    return ("logit-normal", recipe.time_mean, recipe.time_spread)


def _pictures_of(recipe: Recipe) -> str:
    """The ten thousand digits that ship are some of all, wherever those lie."""
    data = recipe.data
    return "MNIST" if data in ("mnist", "bundled") or holds_mnist(Path(data)) else data


_FIELDS = {
    "target": "target",
    "schedule": "schedule",
    "timesteps": "T",
    "schedule_options": "schedule options",
    "weighting": "weighting",
    "image_size": "image size",
    "classes": "number of classes",
}


def _told(value: object) -> str:
    if isinstance(value, str | int):
        return str(value)
    return str(dict(value)) if value else "none"  # type: ignore[call-overload]


def _time_density(recipe: Recipe) -> NDArray[np.float64]:
    """(T,): how likely each timestep is. "stratified" has the same as "uniform"."""
    T = recipe.timesteps
    if recipe.time_sampling != "logit-normal":
        return np.full(T, 1 / T)
    inner = [
        0.5 * (1 + erf((log(t / (T - t)) - recipe.time_mean) / recipe.time_spread / sqrt(2)))
        for t in range(1, T)
    ]
    return np.diff(np.array([0.0, *inner, 1.0]))


def _weights(recipe: Recipe, alpha_bars: NDArray[np.float64]) -> NDArray[np.float64]:
    """(T,): 1, or min(SNR, γ) in the target's units (Hang et al. 2023, section 3.4)."""
    if recipe.weighting == "none":
        return np.ones_like(alpha_bars)
    snr = alpha_bars / (1 - alpha_bars)
    clipped = np.minimum(snr, MIN_SNR_GAMMA)
    before = np.concatenate(([1.0], alpha_bars[:-1]))
    of_x0: NDArray[np.float64] = previous_weights(alpha_bars, before)[0]
    return {
        "eps": clipped / snr,
        "x0": clipped,
        "v": clipped / (snr + 1),
        "x_prev": clipped / of_x0**2,
    }[recipe.target]
