"""Stochastic differential equations in one dimension that have an exact solution on every path.

``dx = a(x, t) dt + b(x, t) dW``, where ``dW`` over a step ``dt`` is normal with standard deviation
``sqrt(dt)`` (its variance is ``dt``). Everything is NumPy in float64.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Brownian", "Equation", "Floats", "Geometric", "Linear"]

Floats = NDArray[np.float64]


def positive(**numbers: float) -> None:
    """Raise ValueError unless all are finite and above 0."""
    for name, value in numbers.items():
        if not (math.isfinite(value) and value > 0.0):
            raise ValueError(f"{name} must be a number above 0, not {value!r}.")


def finite(**numbers: float) -> None:
    """Raise ValueError unless all are finite."""
    for name, value in numbers.items():
        if not math.isfinite(value):
            raise ValueError(f"{name} must be a finite number, not {value!r}.")


class Equation(Protocol):
    """One equation with its parameters and its start."""

    @property
    def time(self) -> float:
        """How long it is followed."""
        ...

    def start(self, paths: int, draws: np.random.Generator) -> Floats:
        """``x`` at time 0, shape (paths,)."""
        ...

    def drift(self, x: Floats, t: float) -> Floats:
        """``a(x, t)``, the shape of ``x``."""
        ...

    def spread(self, x: Floats, t: float) -> Floats:
        """``b(x, t)``, the shape of ``x``."""
        ...

    def mean(self, t: float) -> float:
        """The exact mean of ``x_t``."""
        ...

    def variance(self, t: float) -> float:
        """The exact variance of ``x_t``."""
        ...

    def density(self, x: Floats, t: float) -> Floats:
        """The exact density of ``x_t``, the shape of ``x``; of a start in one point infinite there."""
        ...

    def exact_step(self, x: Floats, t: float, dt: float, dW: Floats, z: Floats) -> Floats | None:
        """The exact solution after ``dt`` on a path with this ``dW``; None where there is no closed form.

        Args:
            x: exact values at ``t``, shape (paths,).
            t, dt: where the step begins, and its length.
            dW: its increment of Brownian motion.
            z: standard normal, independent of ``dW``: what else the path does within the step.
        """
        ...


def normal_density(x: Floats, mean: float, variance: float) -> Floats:
    """``exp(-(x - mean)^2 / (2 variance)) / sqrt(2 pi variance)``; infinite at a point of variance 0."""
    if variance <= 0.0:
        return np.where(x == mean, math.inf, 0.0)
    result: Floats = np.exp(-((x - mean) ** 2) / (2 * variance)) / math.sqrt(2 * math.pi * variance)
    return result


@dataclass(frozen=True)
class Brownian:
    """Brownian motion: ``dx = sigma dW``; ``x_t`` is normal with mean ``x0`` and variance ``sigma^2 t``."""

    sigma: float = 1.0
    x0: float = 0.0
    time: float = 10.0

    def __post_init__(self) -> None:
        positive(sigma=self.sigma, time=self.time)
        finite(x0=self.x0)

    def start(self, paths: int, draws: np.random.Generator) -> Floats:
        return np.full(paths, self.x0)

    def drift(self, x: Floats, t: float) -> Floats:
        return np.zeros_like(x)

    def spread(self, x: Floats, t: float) -> Floats:
        return np.full_like(x, self.sigma)

    def mean(self, t: float) -> float:
        return self.x0

    def variance(self, t: float) -> float:
        return self.sigma**2 * t

    def density(self, x: Floats, t: float) -> Floats:
        return normal_density(x, self.mean(t), self.variance(t))

    def exact_step(self, x: Floats, t: float, dt: float, dW: Floats, z: Floats) -> Floats:
        return x + self.sigma * dW


@dataclass(frozen=True)
class Linear:
    r"""``dx = rate (x - level) dt + sigma dW``: growth away from a level, or return to it.

    With a positive rate this is the lecture's drift (0.1 x from x0 = 10, beside its noise-free path
    ``x0 exp(rate t)``); with a negative one it is the Ornstein-Uhlenbeck process of ``theta = -rate``, whose
    variance settles at ``sigma^2 / (2 theta)``.

        mean      level + (x0 - level) exp(rate t)
        variance  sigma^2 (exp(2 rate t) - 1) / (2 rate)

    Exactly, ``x_{t+dt} = level + (x_t - level) exp(rate dt) + sigma I``, where ``I`` and ``dW`` are jointly
    normal with variance ``(exp(2 rate dt) - 1) / (2 rate)`` and covariance ``(exp(rate dt) - 1) / rate``.
    """

    rate: float = 0.1
    level: float = 0.0
    sigma: float = 1.0
    x0: float = 10.0
    time: float = 10.0

    def __post_init__(self) -> None:
        positive(sigma=self.sigma, time=self.time)
        finite(level=self.level, x0=self.x0, rate=self.rate)
        if self.rate == 0.0:
            raise ValueError("a rate of 0 is Brownian motion: take that equation.")
        if abs(self.rate) * self.time > 100.0:
            raise ValueError(
                f"rate times time must not exceed 100, not {self.rate * self.time:g}: numbers overflow."
            )

    def start(self, paths: int, draws: np.random.Generator) -> Floats:
        return np.full(paths, self.x0)

    def drift(self, x: Floats, t: float) -> Floats:
        return self.rate * (x - self.level)

    def spread(self, x: Floats, t: float) -> Floats:
        return np.full_like(x, self.sigma)

    def mean(self, t: float) -> float:
        return self.level + (self.x0 - self.level) * math.exp(self.rate * t)

    def variance(self, t: float) -> float:
        return self.sigma**2 * math.expm1(2 * self.rate * t) / (2 * self.rate)

    def density(self, x: Floats, t: float) -> Floats:
        return normal_density(x, self.mean(t), self.variance(t))

    def exact_step(self, x: Floats, t: float, dt: float, dW: Floats, z: Floats) -> Floats:
        variance = math.expm1(2 * self.rate * dt) / (2 * self.rate)
        with_dW = math.expm1(self.rate * dt) / (self.rate * dt)
        alone = math.sqrt(max(0.0, variance - with_dW**2 * dt))
        integral = with_dW * dW + alone * z
        return self.level + (x - self.level) * math.exp(self.rate * dt) + self.sigma * integral


@dataclass(frozen=True)
class Geometric:
    r"""Geometric Brownian motion, a price: ``dS = mu S dt + sigma S dW``.

    Exactly ``S_t = S_0 exp((mu - sigma^2 / 2) t + sigma W_t)``: never negative, log-normal, with mean
    ``S_0 exp(mu t)`` and variance ``S_0^2 exp(2 mu t) (exp(sigma^2 t) - 1)``.
    """

    mu: float = 0.1
    sigma: float = 0.3
    x0: float = 1.0
    time: float = 5.0

    def __post_init__(self) -> None:
        positive(sigma=self.sigma, time=self.time, x0=self.x0)
        finite(mu=self.mu)
        if (abs(self.mu) + self.sigma**2) * self.time > 100.0:
            raise ValueError("(|mu| + sigma^2) times time must not exceed 100: numbers overflow.")

    def start(self, paths: int, draws: np.random.Generator) -> Floats:
        return np.full(paths, self.x0)

    def drift(self, x: Floats, t: float) -> Floats:
        return self.mu * x

    def spread(self, x: Floats, t: float) -> Floats:
        return self.sigma * x

    def mean(self, t: float) -> float:
        return self.x0 * math.exp(self.mu * t)

    def variance(self, t: float) -> float:
        return self.x0**2 * math.exp(2 * self.mu * t) * math.expm1(self.sigma**2 * t)

    def density(self, x: Floats, t: float) -> Floats:
        """Log-normal: that of ``log S``, divided by ``S``; 0 where ``S`` is not above 0."""
        if t <= 0.0:
            return normal_density(x, self.x0, 0.0)
        logs = np.log(x, where=x > 0, out=np.full_like(x, -math.inf))
        centre = math.log(self.x0) + (self.mu - self.sigma**2 / 2) * t
        of_logs = normal_density(logs, centre, self.sigma**2 * t)
        return np.divide(of_logs, x, where=x > 0, out=np.zeros_like(x))

    def exact_step(self, x: Floats, t: float, dt: float, dW: Floats, z: Floats) -> Floats:
        result: Floats = x * np.exp((self.mu - self.sigma**2 / 2) * dt + self.sigma * dW)
        return result
