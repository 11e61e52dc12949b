"""The diffusion SDE in one dimension, its way back, and the mixture of normals that is its data."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from difftui.diffusion.sde.equations import Floats, positive

__all__ = ["Diffusion", "Mixture", "ReverseDiffusion", "RoundTrip"]


@dataclass(frozen=True)
class Mixture:
    """A mixture of normals in one dimension, the "data" of a one-dimensional diffusion.

    Attributes:
        means, stds, weights: of each part, K of them; stds above 0, weights above 0 and summing to 1.
    """

    means: tuple[float, ...] = (-1.0, 1.0)
    stds: tuple[float, ...] = (0.15, 0.15)
    weights: tuple[float, ...] = (0.3, 0.7)

    def __post_init__(self) -> None:
        if not (0 < len(self.means) == len(self.stds) == len(self.weights)):
            raise ValueError("a mixture needs as many means, stds and weights, and at least one.")
        if min(self.stds) <= 0 or min(self.weights) <= 0 or abs(sum(self.weights) - 1) > 1e-9:
            raise ValueError("stds and weights must be above 0, and the weights sum to 1.")

    def draw(self, count: int, draws: np.random.Generator) -> Floats:
        """(count,) numbers from it."""
        which = draws.choice(len(self.means), size=count, p=self.weights)
        values: Floats = np.array(self.means)[which] + np.array(self.stds)[which] * draws.standard_normal(
            count
        )
        return values

    def moments(self, alpha_bar: float = 1.0) -> tuple[float, float]:
        """Mean and variance after noising to a signal level."""
        m, s, w = (np.array(part) for part in (self.means, self.stds, self.weights))
        mean = float(w @ m)
        variance = float(w @ (s**2 + m**2)) - mean**2
        return math.sqrt(alpha_bar) * mean, alpha_bar * variance + 1.0 - alpha_bar

    def density(self, x: Floats, alpha_bar: float = 1.0) -> Floats:
        """``p_t(x)`` after noising: parts ``N(sqrt(a) m, a s^2 + 1 - a)``; the shape of ``x``."""
        parts, _ = self._parts(x, alpha_bar)
        total: Floats = parts.sum(axis=0)
        return total

    def score(self, x: Floats, alpha_bar: float = 1.0) -> Floats:
        """``d/dx log p_t(x)`` after noising, the shape of ``x``: what a network would have to learn."""
        centre, scale = self._levels(x, alpha_bar)
        logs = np.log(np.array(self.weights)).reshape(centre.shape) - np.log(scale)
        logs = logs - 0.5 * ((x - centre) / scale) ** 2
        shares = np.exp(logs - logs.max(axis=0))
        shares /= shares.sum(axis=0)
        result: Floats = (shares * (centre - x) / scale**2).sum(axis=0)
        return result

    def likeliest(self, x: Floats) -> NDArray[np.intp]:
        """Which part each number most likely comes from, 0 to K - 1, in the shape of ``x``."""
        parts, _ = self._parts(x, 1.0)
        result: NDArray[np.intp] = parts.argmax(axis=0)
        return result

    def _levels(self, x: Floats, alpha_bar: float) -> tuple[Floats, Floats]:
        column = (-1, *[1] * np.ndim(x))
        centre = math.sqrt(alpha_bar) * np.array(self.means).reshape(column)
        scale = np.sqrt(alpha_bar * np.array(self.stds) ** 2 + 1.0 - alpha_bar).reshape(column)
        return centre, scale

    def _parts(self, x: Floats, alpha_bar: float) -> tuple[Floats, Floats]:
        centre, scale = self._levels(x, alpha_bar)
        weights = np.array(self.weights).reshape(centre.shape)
        parts: Floats = (
            weights * np.exp(-0.5 * ((x - centre) / scale) ** 2) / (scale * math.sqrt(2 * math.pi))
        )
        return parts, scale


@dataclass(frozen=True)
class Diffusion:
    r"""The variance-preserving diffusion SDE: ``dx = -beta(t) x / 2 dt + sqrt(beta(t)) dW``, t from 0 to 1.

    ``beta`` rises evenly from ``beta_start`` to ``beta_end``, and ``alpha_bar(t) = exp(-int_0^t beta)``:
    DDPM's linear schedule as its number of steps T grows, with ``beta(t) = T beta_t`` (0.1 and 20 are T =
    1000's 1e-4 and 0.02). Given ``x_0``, ``x_t`` is normal with mean ``sqrt(alpha_bar) x_0`` and variance
    ``1 - alpha_bar``.

    Source: Song et al. (2021), Score-Based Generative Modeling through SDEs, equation 11 and appendix C.
    """

    data: Mixture = Mixture()
    beta_start: float = 0.1
    beta_end: float = 20.0
    time: float = 1.0

    def __post_init__(self) -> None:
        positive(beta_start=self.beta_start, beta_end=self.beta_end, time=self.time)

    def beta(self, t: float) -> float:
        """The rate of noising at ``t``."""
        return self.beta_start + (self.beta_end - self.beta_start) * t / self.time

    def alpha_bar(self, t: float) -> float:
        """The signal's share of the variance at ``t``, from 1 down."""
        return math.exp(-(self.beta_start * t + (self.beta_end - self.beta_start) * t**2 / (2 * self.time)))

    def start(self, paths: int, draws: np.random.Generator) -> Floats:
        return self.data.draw(paths, draws)

    def drift(self, x: Floats, t: float) -> Floats:
        return -0.5 * self.beta(t) * x

    def spread(self, x: Floats, t: float) -> Floats:
        return np.full_like(x, math.sqrt(self.beta(t)))

    def mean(self, t: float) -> float:
        return self.data.moments(self.alpha_bar(t))[0]

    def variance(self, t: float) -> float:
        return self.data.moments(self.alpha_bar(t))[1]

    def density(self, x: Floats, t: float) -> Floats:
        """The exact density of ``x_t``."""
        return self.data.density(x, self.alpha_bar(t))

    def exact_step(self, x: Floats, t: float, dt: float, dW: Floats, z: Floats) -> None:
        return None


@dataclass(frozen=True)
class ReverseDiffusion:
    r"""The diffusion SDE run backwards, from noise to data, with the exact score in place of a network.

    With ``s = 1 - t`` counting forward,

        dx = (beta / 2 x + beta score) ds + sqrt(beta) dW        (``noisy``; Anderson 1982)
        dx = (beta / 2 x + beta / 2 score) ds                    (else: the probability flow ODE)

    where ``score = d/dx log p_t(x)``. Both have ``p_t`` as their law at every moment: the first draws a new
    path each time, in the second the start decides everything, as in DDIM. They begin with N(0, 1), which
    differs from ``p_1`` by ``alpha_bar(1)`` = 4e-5.

    Source: Song et al. (2021), Score-Based Generative Modeling through SDEs, equations 6 and 13.
    """

    forward: Diffusion = Diffusion()
    noisy: bool = True

    @property
    def time(self) -> float:
        """As long as forward."""
        return self.forward.time

    def start(self, paths: int, draws: np.random.Generator) -> Floats:
        return draws.standard_normal(paths)

    def drift(self, x: Floats, t: float) -> Floats:
        back = self.forward.time - t
        beta = self.forward.beta(back)
        score = self.forward.data.score(x, self.forward.alpha_bar(back))
        return 0.5 * beta * x + (beta if self.noisy else 0.5 * beta) * score

    def spread(self, x: Floats, t: float) -> Floats:
        return np.full_like(x, math.sqrt(self.forward.beta(self.forward.time - t)) if self.noisy else 0.0)

    def mean(self, t: float) -> float:
        return self.forward.mean(self.forward.time - t)

    def variance(self, t: float) -> float:
        return self.forward.variance(self.forward.time - t)

    def density(self, x: Floats, t: float) -> Floats:
        """The exact density at ``t`` of the way back."""
        return self.forward.density(x, self.forward.time - t)

    def exact_step(self, x: Floats, t: float, dt: float, dW: Floats, z: Floats) -> None:
        return None


@dataclass(frozen=True)
class RoundTrip:
    """The diffusion SDE there and back: data becomes noise, and the same noise becomes data again.

    The way back begins where each path has arrived. By the SDE (``noisy``) a path ends in either mode,
    wherever it came from; by the flow its end is decided by where it arrived.
    """

    forward: Diffusion = Diffusion()
    noisy: bool = True

    @property
    def time(self) -> float:
        """Twice the way there."""
        return 2 * self.forward.time

    def start(self, paths: int, draws: np.random.Generator) -> Floats:
        return self.forward.start(paths, draws)

    def drift(self, x: Floats, t: float) -> Floats:
        way, t = self._way(t)
        return way.drift(x, t)

    def spread(self, x: Floats, t: float) -> Floats:
        way, t = self._way(t)
        return way.spread(x, t)

    def mean(self, t: float) -> float:
        way, t = self._way(t)
        return way.mean(t)

    def variance(self, t: float) -> float:
        way, t = self._way(t)
        return way.variance(t)

    def density(self, x: Floats, t: float) -> Floats:
        way, t = self._way(t)
        return way.density(x, t)

    def exact_step(self, x: Floats, t: float, dt: float, dW: Floats, z: Floats) -> None:
        return None

    def _way(self, t: float) -> tuple[Diffusion | ReverseDiffusion, float]:
        """There or back, and the time on it. A hair before the turn is the turn: sums of steps round."""
        turn = self.forward.time
        if t < turn * (1 - 1e-9):
            return self.forward, t
        return ReverseDiffusion(self.forward, self.noisy), max(t - turn, 0.0)
