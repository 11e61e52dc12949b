r"""Samplers: rules that take a noisy picture ``x_t`` one jump closer to a clean one, ``x_s`` with ``s < t``.

A sampler is given a *denoiser*, which looks at ``x_t`` and says what the clean picture and the noise
are, and a *noise source*. It has one method, ``step(x_t, t, s)``; whoever calls it decides which times to
visit. Whatever changes the answer at one time (guidance, say) wraps the denoiser; a sampler that looks
back at earlier steps keeps what it needs and serves one trajectory.

Samplers are plain arithmetic over NumPy arrays and torch tensors alike and import no torch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Generic, Protocol, TypeAlias

from difftui.diffusion.process import (
    Array,
    Prediction,
    eps_from_x0,
    posterior_mean,
    posterior_variance,
    step_beta,
)
from difftui.diffusion.schedule import NoiseSchedule

Denoise: TypeAlias = Callable[[Array, int], Prediction[Array]]
"""A denoiser: from pictures ``x_t`` and their timestep ``t`` to the estimated ``x0`` and ``eps``."""

Noise: TypeAlias = Callable[[Array], Array]
"""A noise source: from pictures to fresh standard normal noise of the same shape."""

SAMPLERS: Mapping[str, str] = MappingProxyType(
    {
        "ddpm": "Retraces the forward process and adds fresh noise at every step but the last.",
        "ddim": "Heads straight for the estimated picture; with eta = 0 nothing is random after the start.",
    }
)
"""The samplers by name, each with one sentence for people."""

VARIANCES: Mapping[str, str] = MappingProxyType(
    {
        "beta_tilde": "The least noise that can be right: the posterior's variance.",
        "beta": "The most noise that can be right: the forward step's variance.",
    }
)
"""The variances DDPM may use, by name, each with one sentence for people."""


@dataclass(frozen=True, eq=False)
class Frame(Generic[Array]):
    """One jump of a sampler.

    The estimates satisfy ``x_t = sqrt(alpha_bar_t) x0_hat + sqrt(1 - alpha_bar_t) eps_hat`` for the picture
    ``x_t`` before the jump, clipped or not.

    Attributes:
        t: The time it came from.
        s: The time it went to; -1 is the clean picture.
        x: The pictures ``x_s`` after the jump, shape (B, C, H, W).
        x0_hat: The clean pictures as estimated at ``x_t``, the shape of ``x``.
        eps_hat: The noise as estimated at ``x_t``, the shape of ``x``.
    """

    t: int
    s: int
    x: Array
    x0_hat: Array
    eps_hat: Array


class Sampler(Protocol[Array]):
    """Anything that can take one jump."""

    def step(self, x_t: Array, t: int, s: int) -> Frame[Array]:
        """Go from ``x_t`` to ``x_s``.

        Args:
            x_t: Pictures at time ``t``, shape (B, C, H, W).
            t: Their timestep, 0 ... T-1.
            s: The time to reach, -1 ... t-1.

        Raises:
            ValueError: If the times are out of range or not falling.
        """
        ...


@dataclass(frozen=True, eq=False)
class DDPM(Generic[Array]):
    r"""Ancestral sampling: draw ``x_s`` from the posterior around the estimated clean picture.

        x_s = mean(x0_hat, x_t) + sigma z,    z ~ N(0, I)

    with the mean of :func:`~difftui.diffusion.process.posterior_mean` and ``sigma^2`` either the posterior's
    variance ``beta_tilde`` or the forward step's ``beta``; both are recomputed from ``alpha_bar_t`` and
    ``alpha_bar_s``, which makes them right on a respaced grid too. The last step, to ``s = -1``, adds no
    noise and returns ``x0_hat``.

    Source: Ho et al. (2020), Denoising Diffusion Probabilistic Models, algorithm 2 and section 3.2.

    Args:
        schedule: The schedule the denoiser was made for.
        denoise: What looks at ``x_t``.
        noise: Where ``z`` comes from; asked once for every step but the last.
        variance: ``"beta_tilde"`` or ``"beta"``.
        clip_x0: Hold ``x0_hat`` within [-1, 1] before it is used, and ``eps_hat`` in agreement with it.

    Raises:
        ValueError: If the variance is unknown.
    """

    schedule: NoiseSchedule
    denoise: Denoise[Array]
    noise: Noise[Array]
    variance: str = "beta_tilde"
    clip_x0: bool = False

    def __post_init__(self) -> None:
        if self.variance not in VARIANCES:
            raise ValueError(f"unknown variance {self.variance!r}; known are {', '.join(VARIANCES)}.")

    def step(self, x_t: Array, t: int, s: int) -> Frame[Array]:
        """Go from ``x_t`` to ``x_s``; see :meth:`Sampler.step`."""
        alpha_bar_t, alpha_bar_s = _levels(self.schedule, t, s)
        said = _ask(self.denoise, x_t, t, alpha_bar_t, self.clip_x0)
        x_s = posterior_mean(said.x0, x_t, alpha_bar_t, alpha_bar_s)
        if s >= 0:
            x_s = x_s + self.noise(x_t) * self._sigma(alpha_bar_t, alpha_bar_s)
        return Frame(t=t, s=s, x=x_s, x0_hat=said.x0, eps_hat=said.eps)

    def _sigma(self, alpha_bar_t: float, alpha_bar_s: float) -> float:
        if self.variance == "beta":
            return math.sqrt(step_beta(alpha_bar_t, alpha_bar_s))
        return math.sqrt(posterior_variance(alpha_bar_t, alpha_bar_s))


@dataclass(frozen=True, eq=False)
class DDIM(Generic[Array]):
    r"""Implicit sampling: keep the estimated noise, at the lower level that belongs to ``s``.

        x_s = sqrt(a_s) x0_hat + sqrt(1 - a_s - sigma^2) eps_hat + sigma z,    z ~ N(0, I)

    with ``a = alpha_bar`` and ``sigma^2 = eta^2 beta_tilde``. With ``eta = 0`` nothing is random after the
    start; with ``eta = 1`` this is :class:`DDPM` with ``beta_tilde``. An ``eta`` above 1 exchanges still more
    of the estimated noise for fresh noise, until all of it (``sigma^2 = 1 - a_s``) is fresh.

    Source: Song et al. (2021), Denoising Diffusion Implicit Models, equations 12 and 16.

    Args:
        schedule: The schedule the denoiser was made for.
        denoise: What looks at ``x_t``.
        noise: Where ``z`` comes from; never asked when ``eta`` is 0.
        eta: The share of fresh noise, 0 or more.
        clip_x0: Hold ``x0_hat`` within [-1, 1] before it is used, and ``eps_hat`` in agreement with it.

    Raises:
        ValueError: If ``eta`` is negative or not finite.
    """

    schedule: NoiseSchedule
    denoise: Denoise[Array]
    noise: Noise[Array]
    eta: float = 0.0
    clip_x0: bool = False

    def __post_init__(self) -> None:
        if not (math.isfinite(self.eta) and self.eta >= 0.0):
            raise ValueError(f"eta must be a number from 0 up, not {self.eta!r}.")

    def step(self, x_t: Array, t: int, s: int) -> Frame[Array]:
        """Go from ``x_t`` to ``x_s``; see :meth:`Sampler.step`."""
        alpha_bar_t, alpha_bar_s = _levels(self.schedule, t, s)
        said = _ask(self.denoise, x_t, t, alpha_bar_t, self.clip_x0)
        fresh = min(self.eta**2 * posterior_variance(alpha_bar_t, alpha_bar_s), 1.0 - alpha_bar_s)
        x_s = said.x0 * math.sqrt(alpha_bar_s) + said.eps * math.sqrt(1.0 - alpha_bar_s - fresh)
        if fresh > 0.0:
            x_s = x_s + self.noise(x_t) * math.sqrt(fresh)
        return Frame(t=t, s=s, x=x_s, x0_hat=said.x0, eps_hat=said.eps)


def make_sampler(
    name: str,
    schedule: NoiseSchedule,
    denoise: Denoise[Array],
    noise: Noise[Array],
    *,
    eta: float = 0.0,
    variance: str = "beta_tilde",
    clip_x0: bool = False,
) -> Sampler[Array]:
    """Build a sampler by name.

    Args:
        name: One of :data:`SAMPLERS`.
        schedule: The schedule the denoiser was made for.
        denoise: What looks at ``x_t``.
        noise: Where fresh noise comes from.
        eta: For ``"ddim"``: the share of fresh noise.
        variance: For ``"ddpm"``: one of :data:`VARIANCES`.
        clip_x0: Hold the estimated clean picture within [-1, 1].

    Raises:
        ValueError: If the name is unknown, or an option is out of range or belongs to the other sampler.
    """
    if name not in SAMPLERS:
        raise ValueError(f"unknown sampler {name!r}; known are {', '.join(SAMPLERS)}.")
    if name == "ddpm":
        if eta != 0.0:
            raise ValueError("eta belongs to ddim; the noise of ddpm is chosen by variance.")
        return DDPM(schedule, denoise, noise, variance=variance, clip_x0=clip_x0)
    if variance != "beta_tilde":
        raise ValueError("variance belongs to ddpm; the noise of ddim is chosen by eta.")
    return DDIM(schedule, denoise, noise, eta=eta, clip_x0=clip_x0)


def _levels(schedule: NoiseSchedule, t: int, s: int) -> tuple[float, float]:
    if not s < t:
        raise ValueError(f"a step goes to a smaller time, not from t = {t} to s = {s}.")
    return schedule.alpha_bar(t), schedule.alpha_bar(s)


def _ask(denoise: Denoise[Array], x_t: Array, t: int, alpha_bar_t: float, clip_x0: bool) -> Prediction[Array]:
    said = denoise(x_t, t)
    if not clip_x0:
        return said
    x0 = said.x0.clip(-1.0, 1.0)
    return Prediction(x0=x0, eps=eps_from_x0(x_t, x0, alpha_bar_t))
