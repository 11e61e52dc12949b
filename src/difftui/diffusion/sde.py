r"""Stochastic differential equations in one dimension: ``dx = a(x, t) dt + b(x, t) dW``, simulated and exact.

``dW`` over a step ``dt`` is normal with standard deviation ``sqrt(dt)`` (its variance is ``dt``). The
Euler-Maruyama rule takes the coefficients at the step's beginning,

    x_{t+dt} = x_t + a(x_t, t) dt + b(x_t, t) dW

and errs: by how much on one path (strong error) and in the mean over all (weak error) can be told, since most
of these equations have an exact solution for the same ``dW``. Source: Kloeden & Platen (1992), Numerical
Solution of Stochastic Differential Equations, chapters 4 and 9.

Everything is NumPy in float64.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "EQUATIONS",
    "Brownian",
    "Convergence",
    "Diffusion",
    "Equation",
    "Geometric",
    "Linear",
    "Mixture",
    "PathFrame",
    "ReverseDiffusion",
    "convergence",
    "fitted_order",
    "make_equation",
    "simulate",
]

Floats = NDArray[np.float64]

MOST_PATHS = 1_000_000
MOST_STEPS = 1_000_000


def _positive(**numbers: float) -> None:
    for name, value in numbers.items():
        if not (math.isfinite(value) and value > 0.0):
            raise ValueError(f"{name} must be a number above 0, not {value!r}.")


def _finite(**numbers: float) -> None:
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

    def exact_step(self, x: Floats, t: float, dt: float, dW: Floats, z: Floats) -> Floats | None:
        """The exact solution after ``dt`` on a path with this ``dW``; None where there is no closed form.

        Args:
            x: exact values at ``t``, shape (paths,).
            t, dt: where the step begins, and its length.
            dW: its increment of Brownian motion.
            z: standard normal, independent of ``dW``: what else the path does within the step.
        """
        ...


@dataclass(frozen=True)
class Brownian:
    """Brownian motion: ``dx = sigma dW``; ``x_t`` is normal with mean ``x0`` and variance ``sigma^2 t``."""

    sigma: float = 1.0
    x0: float = 0.0
    time: float = 10.0

    def __post_init__(self) -> None:
        _positive(sigma=self.sigma, time=self.time)
        _finite(x0=self.x0)

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
        _positive(sigma=self.sigma, time=self.time)
        _finite(level=self.level, x0=self.x0, rate=self.rate)
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
        _positive(sigma=self.sigma, time=self.time, x0=self.x0)
        _finite(mu=self.mu)
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

    def exact_step(self, x: Floats, t: float, dt: float, dW: Floats, z: Floats) -> Floats:
        result: Floats = x * np.exp((self.mu - self.sigma**2 / 2) * dt + self.sigma * dW)
        return result


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
        _positive(beta_start=self.beta_start, beta_end=self.beta_end, time=self.time)

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


EQUATIONS: Mapping[str, str] = MappingProxyType(
    {
        "brownian": "Nothing but noise: the variance grows with time.",
        "drift": "Exponential growth with noise on it, beside its noise-free path.",
        "geometric": "A price: growth and noise in proportion to what there is.",
        "ornstein-uhlenbeck": "Noise and a pull back to a level: the variance settles.",
        "diffusion": "The forward process of a diffusion model, in one dimension: data becomes noise.",
        "reverse": "Its way back, by the exact score: noise becomes data.",
        "flow": "The way back without noise: the probability flow ODE.",
    }
)
"""The equations by name, each with one sentence for people."""


def make_equation(name: str, **options: float) -> Equation:
    """An equation by name, with its parameters.

    Args:
        name: One of :data:`EQUATIONS`.
        options: Its numbers, as its class names them (``sigma``, ``mu``, ``rate``, ``level``, ``x0``,
            ``time``, ``beta_start``, ``beta_end``; ``theta`` for ``"ornstein-uhlenbeck"``).

    Raises:
        ValueError: If the name or an option is unknown, or a number is out of range.
    """
    if name not in EQUATIONS:
        raise ValueError(f"unknown equation {name!r}; known are {', '.join(EQUATIONS)}.")
    try:
        if name == "brownian":
            return Brownian(**options)
        if name == "drift":
            return Linear(**options)
        if name == "geometric":
            return Geometric(**options)
        if name == "ornstein-uhlenbeck":
            theta = options.pop("theta", 1.0)
            _positive(theta=theta)
            return Linear(**{"rate": -theta, "x0": 3.0, "time": 5.0, **options})
        forward = Diffusion(Mixture(), **options)
    except TypeError as error:
        raise ValueError(f"{name} does not take these parameters: {error}.") from None
    return forward if name == "diffusion" else ReverseDiffusion(forward, noisy=name == "reverse")


@dataclass(frozen=True, eq=False, slots=True)
class PathFrame:
    """All paths at one moment.

    Attributes:
        step: steps done; 0 is the start.
        t: the time.
        x: Euler-Maruyama's value of each path, (paths,), read-only.
        exact: the exact solution on the same Brownian motion, (paths,), or None where there is none.
        mean, variance: of ``x`` (the variance unbiased; 0 for a single path).
        theory_mean, theory_variance: what they are for infinitely many exact paths.
    """

    step: int
    t: float
    x: Floats
    exact: Floats | None
    mean: float
    variance: float
    theory_mean: float
    theory_variance: float


def simulate(
    equation: Equation,
    *,
    paths: int = 5,
    steps: int = 1000,
    seed: int = 0,
    every: int = 1,
) -> Generator[PathFrame, None, None]:
    """Follow paths by Euler-Maruyama, a :class:`PathFrame` at the start and after every few steps.

    Args:
        equation: what to follow, for its own ``time``.
        paths: how many, 1 ... 1 000 000.
        steps: of ``time / steps`` each, 1 ... 1 000 000.
        seed: of the start and of the noise.
        every: steps between two frames; the last step always has one.

    Raises:
        ValueError: at the call, if a number is out of range.
    """
    for name, value, most in (("paths", paths, MOST_PATHS), ("steps", steps, MOST_STEPS)):
        if not 1 <= value <= most:
            raise ValueError(f"{name} must be a whole number from 1 to {most}, not {value!r}.")
    if every < 1:
        raise ValueError(f"every must be 1 or more, not {every!r}.")
    return _frames(equation, paths, steps, seed, every)


def _frames(
    equation: Equation, paths: int, steps: int, seed: int, every: int
) -> Generator[PathFrame, None, None]:
    draws = np.random.default_rng(seed)
    x = equation.start(paths, draws)
    exact: Floats | None = x
    dt = equation.time / steps
    yield _frame(equation, 0, 0.0, x, exact)
    for step in range(1, steps + 1):
        t = (step - 1) * dt
        dW = math.sqrt(dt) * draws.standard_normal(paths)
        z = draws.standard_normal(paths)
        if exact is not None:
            exact = equation.exact_step(exact, t, dt, dW, z)
        x = x + equation.drift(x, t) * dt + equation.spread(x, t) * dW
        if step % every == 0 or step == steps:
            yield _frame(equation, step, step * dt, x, exact)


def _frame(equation: Equation, step: int, t: float, x: Floats, exact: Floats | None) -> PathFrame:
    t = min(t, equation.time)  # the last product may round above it
    kept = x.view()
    kept.flags.writeable = False
    spread = float(x.var(ddof=1)) if len(x) > 1 else 0.0
    return PathFrame(step, t, kept, exact, float(x.mean()), spread, equation.mean(t), equation.variance(t))


@dataclass(frozen=True, slots=True)
class Convergence:
    """The error of Euler-Maruyama at the end, for one size of step.

    Attributes:
        steps, dt: how many, and how long each.
        strong: mean of |x - exact| over the paths: how far a path goes astray.
        weak: |mean of (x - exact)|: how far the mean does. Both solutions share their noise, so that little
            of it is left in the difference.
        weak_noise: standard error of that mean: a weak error below it is not told from 0.
    """

    steps: int
    dt: float
    strong: float
    weak: float
    weak_noise: float


def convergence(
    equation: Equation,
    *,
    step_counts: Sequence[int] = (8, 16, 32, 64, 128),
    paths: int = 20_000,
    seed: int = 0,
) -> Iterator[Convergence]:
    """The error for each number of steps, one event each.

    The strong error falls as ``sqrt(dt)`` where the noise depends on x (geometric), as ``dt`` where it does
    not; the weak error as ``dt``.

    Raises:
        ValueError: at the call, if the equation has no exact solution to be held against.
    """
    probe = np.zeros(1)
    if equation.exact_step(probe, 0.0, 1e-3, probe, probe) is None:
        raise ValueError("this equation has no exact solution on a path: compare mean and variance instead.")
    return _errors(equation, step_counts, paths, seed)


def _errors(equation: Equation, step_counts: Sequence[int], paths: int, seed: int) -> Iterator[Convergence]:
    for steps in step_counts:
        *_, last = simulate(equation, paths=paths, steps=steps, seed=seed, every=steps)
        assert last.exact is not None  # convergence() has asked
        gap = last.x - last.exact
        yield Convergence(
            steps,
            equation.time / steps,
            float(np.abs(gap).mean()),
            abs(float(gap.mean())),
            float(gap.std(ddof=1) / math.sqrt(paths)),
        )


def fitted_order(dts: Sequence[float], errors: Sequence[float]) -> float:
    """The slope of log error over log dt, by least squares: 1 where half the step has half the error.

    Raises:
        ValueError: fewer than two, or an error that is not above 0.
    """
    if len(dts) < 2 or len(dts) != len(errors) or min(errors) <= 0:
        raise ValueError("an order needs at least two steps and errors above 0.")
    return float(np.polyfit(np.log(dts), np.log(errors), 1)[0])
