"""Noise schedules: how much of the picture is left after each step of the forward process.

A schedule is a list of ``T`` small variances ``beta_t``. Step ``t`` (counted from 0) of the forward
process keeps ``sqrt(alpha_t)`` of the picture, with ``alpha_t = 1 - beta_t``, and mixes in noise of
variance ``beta_t``. After steps ``0 ... t`` the picture holds

    x_t = sqrt(alpha_bar_t) x_0 + sqrt(1 - alpha_bar_t) eps,    alpha_bar_t = prod_{i <= t} alpha_i

so ``t = 0`` is the first, faintly noisy picture and ``t = T - 1`` is the noisiest. The clean picture
itself is written ``t = -1``, with ``alpha_bar = 1``.

Everything here is NumPy in float64; nothing imports torch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

MAX_T = 10_000
"""The longest schedule."""

MIN_ALPHA_BAR = 1e-70
"""The least signal a schedule may leave: below it ``1 / sqrt(alpha_bar)`` overflows float32 pictures."""

Table = NDArray[np.float64]


@dataclass(frozen=True)
class NoiseSchedule:
    """One noise schedule and the tables that follow from its betas.

    Two schedules are equal when their kind, length and options are. Build one with
    :func:`make_schedule`; the constructor is for betas that come from elsewhere.

    Args:
        kind: The name of the family, one of :data:`SCHEDULES`, or any name for betas of your own.
        betas: The variances ``beta_t``, shape ``(T,)``, each in (0, 1). A read-only float64 copy is kept.
        options: The options that made the betas, defaults included.

    Raises:
        ValueError: If a beta lies outside (0, 1), if there are none or more than 10 000, or if
            ``alpha_bar`` falls below 1e-70.
    """

    kind: str
    betas: Table = field(repr=False, compare=False)
    options: Mapping[str, float] = field(default_factory=dict, hash=False)
    T: int = field(init=False)

    def __post_init__(self) -> None:
        betas = np.array(self.betas, dtype=np.float64)
        if betas.ndim != 1:
            raise ValueError(f"betas must have shape (T,), not {betas.shape}.")
        _check_T(betas.size)
        # Asked of 1 - beta, so that NaN and betas lost to rounding are caught as well.
        wrong = np.flatnonzero(~((1.0 - betas > 0.0) & (1.0 - betas < 1.0)))
        if wrong.size:
            t = int(wrong[0])
            raise ValueError(f"beta is {betas[t]:g} at t = {t}; every beta must lie between 0 and 1.")
        object.__setattr__(self, "betas", _read_only(betas))
        object.__setattr__(self, "options", MappingProxyType(dict(self.options)))
        object.__setattr__(self, "T", betas.size)
        if self.alpha_bars[-1] < MIN_ALPHA_BAR:
            lost = int(np.argmax(self.alpha_bars < MIN_ALPHA_BAR))
            raise ValueError(
                f"alpha_bar falls below {MIN_ALPHA_BAR:g} at t = {lost}: no signal is left to work with. "
                "Use fewer steps or smaller betas."
            )

    @cached_property
    def alphas(self) -> Table:
        """``alpha_t = 1 - beta_t``, shape ``(T,)``."""
        return _read_only(1.0 - self.betas)

    @cached_property
    def alpha_bars(self) -> Table:
        """``alpha_bar_t = prod_{i <= t} alpha_i``, shape ``(T,)``, strictly falling within (0, 1)."""
        return _read_only(np.cumprod(self.alphas, dtype=np.float64))

    @cached_property
    def posterior_variance(self) -> Table:
        r"""The variance ``beta_tilde_t`` of ``q(x_{t-1} | x_t, x_0)``, shape ``(T,)``; 0 at ``t = 0``.

        ``beta_tilde_t = beta_t (1 - alpha_bar_{t-1}) / (1 - alpha_bar_t)``

        Source: Ho et al. (2020), Denoising Diffusion Probabilistic Models, equation 7.
        """
        before = np.concatenate(([1.0], self.alpha_bars[:-1]))
        return _read_only(self.betas * (1.0 - before) / (1.0 - self.alpha_bars))

    @cached_property
    def snr(self) -> Table:
        """The signal-to-noise ratio ``alpha_bar_t / (1 - alpha_bar_t)``, a ratio of powers, shape ``(T,)``.

        In decibels it is ``10 log10(snr)``.
        """
        return _read_only(self.alpha_bars / (1.0 - self.alpha_bars))

    @cached_property
    def snr_crossing(self) -> int | None:
        """The first ``t`` with a signal-to-noise ratio below 1, or None where the signal always leads."""
        below = np.flatnonzero(self.snr < 1.0)
        return int(below[0]) if below.size else None

    def alpha_bar(self, t: int) -> float:
        """``alpha_bar`` at one timestep.

        Args:
            t: The timestep, -1 ... T-1; -1 is the clean picture.

        Returns:
            A float in (0, 1]; exactly 1.0 at ``t = -1``.

        Raises:
            ValueError: If ``t`` is outside that range.
        """
        if not -1 <= t < self.T:
            raise ValueError(f"timestep {t} is outside -1 ... {self.T - 1} (-1 is the clean picture).")
        return 1.0 if t == -1 else float(self.alpha_bars[t])


def make_schedule(kind: str, T: int, **options: float) -> NoiseSchedule:
    """Build a noise schedule by name.

    ==================  ================================================  ===============================
    kind                options and defaults                              source
    ==================  ================================================  ===============================
    ``linear``          ``beta_start=1e-4, beta_end=0.02``                Ho et al. (2020), section 4
    ``scaled-linear``   ``beta_start=1e-4, beta_end=0.02, max_beta=.999`` Nichol & Dhariwal (2021), code
    ``cosine``          ``s=0.008, max_beta=0.999``                       Nichol & Dhariwal (2021), eq. 17
    ``clipped-cosine``  ``s=0.008, min_beta=1e-5, max_beta=0.02``         the same, its betas clipped hard
    ``sigmoid``         ``start=-3, end=3, tau=1, max_beta=0.999``        Jabri et al. (2022); Chen (2023)
    ==================  ================================================  ===============================

    - ``linear``: ``beta_t`` runs evenly from ``beta_start`` to ``beta_end``, whatever ``T`` is, so a short
      schedule ends far from noise (at ``T = 200`` 36 % of the picture's amplitude is left).
    - ``scaled-linear``: both ends times ``1000 / T``, so that every ``T`` ends about where 1000 steps do.
      At 20 steps and fewer the last betas would reach 1: they are capped at ``max_beta``. A single step
      is the exception: its one beta is ``1000 beta_start``, which leaves most of the picture.
    - ``cosine``: ``alpha_bar`` follows ``cos^2((u + s) / (1 + s) pi / 2)`` over ``u = t / T``.
    - ``clipped-cosine``: the cosine betas held within ``min_beta`` and ``max_beta``. At ``T = 1000`` this
      clips 98 of them and leaves 6 % of the picture's amplitude at the last step.
    - ``sigmoid``: ``alpha_bar`` follows a falling logistic curve between ``start`` and ``end``, of
      temperature ``tau``, rescaled to run from 1 to 0.

    Args:
        kind: One of :data:`SCHEDULES`.
        T: The number of steps, 1 ... 10 000.
        options: Numbers, as in the table; those left out take the default.

    Raises:
        ValueError: If the kind or an option is unknown, ``T`` is out of range, or an option is out of
            range (a beta of 1 or more, an end before its start).

    Example:
        >>> schedule = make_schedule("linear", 1000)
        >>> round(schedule.alpha_bar(499), 7), schedule.snr_crossing
        (0.0785872, 259)
    """
    family = _FAMILIES.get(kind)
    if family is None:
        raise ValueError(f"unknown schedule {kind!r}; known are {', '.join(_FAMILIES)}.")
    _check_T(T)
    unknown = sorted(options.keys() - family.defaults.keys())
    if unknown:
        known = ", ".join(family.defaults)
        raise ValueError(f"schedule {kind!r} has no option {unknown[0]!r}; it has {known}.")
    chosen = {**family.defaults, **options}
    for name, value in chosen.items():
        _check_number(name, value)
    return NoiseSchedule(kind=kind, betas=family.betas(int(T), chosen), options=chosen)


def _linear(T: int, options: Mapping[str, float]) -> Table:
    start, end = options["beta_start"], options["beta_end"]
    _check_beta("beta_start", start)
    _check_beta("beta_end", end)
    _check_order("beta_start", start, "beta_end", end)
    return np.linspace(start, end, T, dtype=np.float64)


def _scaled_linear(T: int, options: Mapping[str, float]) -> Table:
    _check_beta("max_beta", options["max_beta"])
    betas: Table = np.minimum(_linear(T, options) * (1000.0 / T), options["max_beta"])
    return betas


def _cosine(T: int, options: Mapping[str, float]) -> Table:
    s = options["s"]
    if not s >= 0.0:
        raise ValueError(f"s must be at least 0, not {s:g}.")
    _check_beta("max_beta", options["max_beta"])
    u = np.arange(T + 1, dtype=np.float64) / T
    curve = np.cos((u + s) / (1.0 + s) * (math.pi / 2.0)) ** 2
    return _betas_along(curve, options["max_beta"])


def _clipped_cosine(T: int, options: Mapping[str, float]) -> Table:
    _check_beta("min_beta", options["min_beta"])
    _check_order("min_beta", options["min_beta"], "max_beta", options["max_beta"])
    return np.maximum(_cosine(T, options), options["min_beta"])


def _sigmoid(T: int, options: Mapping[str, float]) -> Table:
    start, end, tau = options["start"], options["end"], options["tau"]
    if not start < end:
        raise ValueError(f"start must be less than end, not {start:g} against {end:g}.")
    if not tau > 0.0:
        raise ValueError(f"tau must be greater than 0, not {tau:g}.")
    _check_beta("max_beta", options["max_beta"])
    # tanh(z / 2) is the logistic curve up to a scale and a shift, which the rescaling takes away.
    curve = np.tanh(np.linspace(start, end, T + 1, dtype=np.float64) / (2.0 * tau))
    return _betas_along(curve[-1] - curve, options["max_beta"])


def _betas_along(curve: Table, max_beta: float) -> Table:
    """Betas, capped, whose ``alpha_bar`` follows a falling curve of T + 1 points, up to its scale."""
    betas: Table = np.minimum(1.0 - curve[1:] / curve[:-1], max_beta)
    return betas


@dataclass(frozen=True)
class _Family:
    sentence: str
    defaults: Mapping[str, float]
    betas: Callable[[int, Mapping[str, float]], Table]


_FAMILIES: dict[str, _Family] = {
    "linear": _Family(
        "Beta grows evenly from 1e-4 to 0.02, whatever the number of steps.",
        {"beta_start": 1e-4, "beta_end": 0.02},
        _linear,
    ),
    "scaled-linear": _Family(
        "Linear with its betas times 1000 / T, so that short schedules end in noise too.",
        {"beta_start": 1e-4, "beta_end": 0.02, "max_beta": 0.999},
        _scaled_linear,
    ),
    "cosine": _Family(
        "The signal falls along a squared cosine: slowly at both ends, evenly between.",
        {"s": 0.008, "max_beta": 0.999},
        _cosine,
    ),
    "clipped-cosine": _Family(
        "Cosine with its betas clipped at 0.02, which leaves signal at the last step.",
        {"s": 0.008, "min_beta": 1e-5, "max_beta": 0.02},
        _clipped_cosine,
    ),
    "sigmoid": _Family(
        "The signal falls along a logistic curve, a little faster than cosine at both ends.",
        {"start": -3.0, "end": 3.0, "tau": 1.0, "max_beta": 0.999},
        _sigmoid,
    ),
}

SCHEDULES: Mapping[str, str] = MappingProxyType({name: family.sentence for name, family in _FAMILIES.items()})
"""The schedules by name, each with one sentence for people."""


def _check_T(T: object) -> None:
    if isinstance(T, bool) or not isinstance(T, (int, np.integer)) or not 1 <= T <= MAX_T:
        raise ValueError(f"T must be a whole number from 1 to {MAX_T}, not {T!r}.")


def _check_number(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"{name} must be a finite number, not {value!r}.")


def _check_beta(name: str, value: float) -> None:
    if not 0.0 < value < 1.0:
        raise ValueError(f"{name} must lie between 0 and 1, not {value:g}: it is one step's share of noise.")


def _check_order(low_name: str, low: float, high_name: str, high: float) -> None:
    if low > high:
        raise ValueError(f"{low_name} must not exceed {high_name}, not {low:g} against {high:g}.")


def _read_only(table: Table) -> Table:
    table.flags.writeable = False
    return table
