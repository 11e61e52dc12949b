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
from dataclasses import dataclass, field
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
        "dpm-solver++": "DDIM without noise, its path bent by how the estimate changed since last time.",
        "heun": "Tries a step, looks again where it lands, and takes the mean slope: two looks a step.",
    }
)
"""The samplers by name, each with one sentence for people."""

EXPERIMENTS: Mapping[str, str] = MappingProxyType(
    {
        "naive-stride": "Experiment: DDPM's formula for neighbours, used on a stride. It breaks.",
        "looped-x0": "Experiment: feeds the clamped one-shot estimate back in as if it were a noisy picture.",
    }
)
"""Mistakes that labs make, to be seen breaking: no samplers, but made and driven like them."""

VARIANCES: Mapping[str, str] = MappingProxyType(
    {
        "beta_tilde": "The least noise that can be right: the posterior's variance.",
        "beta": "The most noise that can be right: the forward step's variance.",
    }
)
"""The variances DDPM may use, by name, each with one sentence for people."""


FAR_OUT = 1000.0
"""Noise over signal beyond which Heun does not correct its step."""

_INSTEAD = "; the noise of ddpm is chosen by variance."


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


@dataclass(eq=False)
class DPMSolverPP2M(Generic[Array]):
    r"""DPM-Solver++(2M): exact in the linear part of the ODE, and second order in the estimate.

    With ``lambda = log sqrt(a / (1 - a))``, ``h = lambda_s - lambda_t`` and ``h' = lambda_t - lambda_u`` of
    the jump ``u -> t`` before,

        D = x0_hat_t + h / (2 h') (x0_hat_t - x0_hat_u)
        x_s = sqrt((1 - a_s) / (1 - a_t)) x_t - sqrt(a_s) (exp(-h) - 1) D

    The first jump has no past and the last, to ``s = -1``, an infinite ``h``: both take ``D = x0_hat_t``,
    which is :class:`DDIM` with ``eta = 0``. It remembers one estimate and so serves one trajectory: a jump
    that does not begin where the last one ended starts anew.

    Source: Lu et al. (2022), DPM-Solver++, algorithm 2 and equation 5.3 (the "midpoint" form).

    Args:
        schedule: The schedule the denoiser was made for.
        denoise: What looks at ``x_t``.
        clip_x0: Hold ``x0_hat`` within [-1, 1] before it is used, and ``eps_hat`` in agreement with it.
    """

    schedule: NoiseSchedule
    denoise: Denoise[Array]
    clip_x0: bool = False
    _last: Frame[Array] | None = field(default=None, init=False, repr=False)

    def step(self, x_t: Array, t: int, s: int) -> Frame[Array]:
        """Go from ``x_t`` to ``x_s``; see :meth:`Sampler.step`."""
        alpha_bar_t, alpha_bar_s = _levels(self.schedule, t, s)
        said = _ask(self.denoise, x_t, t, alpha_bar_t, self.clip_x0)
        x_s = said.x0
        if s >= 0:
            h = _half_log_snr(alpha_bar_s) - _half_log_snr(alpha_bar_t)
            toward = said.x0 + self._bend(said.x0, t, alpha_bar_t, h)
            x_s = x_t * math.sqrt((1.0 - alpha_bar_s) / (1.0 - alpha_bar_t))
            x_s = x_s - toward * (math.sqrt(alpha_bar_s) * math.expm1(-h))
        self._last = Frame(t=t, s=s, x=x_s, x0_hat=said.x0, eps_hat=said.eps)
        return self._last

    def _bend(self, x0_t: Array, t: int, alpha_bar_t: float, h: float) -> Array | float:
        """What the estimate's change since the last jump adds to it."""
        last = self._last
        if last is None or last.s != t:
            return 0.0
        before = _half_log_snr(alpha_bar_t) - _half_log_snr(self.schedule.alpha_bar(last.t))
        bend: Array = (x0_t - last.x0_hat) * (h / (2.0 * before))
        return bend


@dataclass(frozen=True, eq=False)
class Heun(Generic[Array]):
    r"""Heun's second-order rule for the probability flow ODE ``d(x / sqrt(a)) = eps d sigma``.

    With ``sigma = sqrt((1 - a) / a)``: an Euler step (which is :class:`DDIM` with ``eta = 0``) to ``x'_s``, a
    second look there, and the step taken again with the mean of both slopes,

        x_s = sqrt(a_s) (x_t / sqrt(a_t) + (sigma_s - sigma_t) (eps_hat(x_t) + eps_hat(x'_s)) / 2)

    A step costs two looks of the network, save the last, to ``s = -1``, which is Euler's. So is a step from
    ``sigma_t`` above 1000, where the cosine schedule begins: no slope is known so far out, and the correction
    would multiply the network's smallest error by ``sigma_t``.

    Source: Karras et al. (2022), Elucidating the Design Space, algorithm 1, in the variables of Ho et al.

    Args:
        schedule: The schedule the denoiser was made for.
        denoise: What looks at ``x_t``.
        clip_x0: Hold ``x0_hat`` within [-1, 1] before it is used, and ``eps_hat`` in agreement with it.
    """

    schedule: NoiseSchedule
    denoise: Denoise[Array]
    clip_x0: bool = False

    def step(self, x_t: Array, t: int, s: int) -> Frame[Array]:
        """Go from ``x_t`` to ``x_s``; the frame has the estimates of the first look."""
        alpha_bar_t, alpha_bar_s = _levels(self.schedule, t, s)
        said = _ask(self.denoise, x_t, t, alpha_bar_t, self.clip_x0)
        x_s = said.x0 * math.sqrt(alpha_bar_s) + said.eps * math.sqrt(1.0 - alpha_bar_s)
        sigma_t, sigma_s = _sigma(alpha_bar_t), _sigma(alpha_bar_s)
        if s >= 0 and sigma_t <= FAR_OUT:
            again = _ask(self.denoise, x_s, s, alpha_bar_s, self.clip_x0)
            x_s = x_s + (again.eps - said.eps) * (0.5 * math.sqrt(alpha_bar_s) * (sigma_s - sigma_t))
        return Frame(t=t, s=s, x=x_s, x0_hat=said.x0, eps_hat=said.eps)


@dataclass(frozen=True, eq=False)
class NaiveStride(Generic[Array]):
    r"""An experiment, not a sampler: DDPM's step for neighbours, used for jumps that are longer.

        x_s = (x_t - beta_t / sqrt(1 - a_t) eps_hat) / sqrt(alpha_t) + sqrt(beta_t) z

    (Ho et al. 2020, algorithm 2, with the schedule's own ``beta_t``.) Right for ``s = t - 1``. On a stride of
    k each jump removes the noise of one step where k should go: the picture stays noise.
    """

    schedule: NoiseSchedule
    denoise: Denoise[Array]
    noise: Noise[Array]
    clip_x0: bool = False

    def step(self, x_t: Array, t: int, s: int) -> Frame[Array]:
        """Go from ``x_t`` to what this formula takes for ``x_s``."""
        alpha_bar_t, _ = _levels(self.schedule, t, s)
        said = _ask(self.denoise, x_t, t, alpha_bar_t, self.clip_x0)
        beta = float(self.schedule.betas[t])
        x_s = (x_t - said.eps * (beta / math.sqrt(1.0 - alpha_bar_t))) / math.sqrt(1.0 - beta)
        if s >= 0:
            x_s = x_s + self.noise(x_t) * math.sqrt(beta)
        return Frame(t=t, s=s, x=x_s, x0_hat=said.x0, eps_hat=said.eps)


@dataclass(frozen=True, eq=False)
class LoopedX0(Generic[Array]):
    """An experiment, not a sampler: the clamped estimate ``x0_hat`` is taken for ``x_s``.

    At the next, smaller time the network is shown a clean picture and told that it is noisy.
    """

    schedule: NoiseSchedule
    denoise: Denoise[Array]

    def step(self, x_t: Array, t: int, s: int) -> Frame[Array]:
        """Return the one-shot estimate, whatever ``s`` is."""
        alpha_bar_t, _ = _levels(self.schedule, t, s)
        said = _ask(self.denoise, x_t, t, alpha_bar_t, clip_x0=True)
        return Frame(t=t, s=s, x=said.x0, x0_hat=said.x0, eps_hat=said.eps)


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
    """Build a sampler by name, for one trajectory.

    Args:
        name: One of :data:`SAMPLERS` or of :data:`EXPERIMENTS`.
        schedule: The schedule the denoiser was made for.
        denoise: What looks at ``x_t``.
        noise: Where fresh noise comes from.
        eta: For ``"ddim"``: the share of fresh noise.
        variance: For ``"ddpm"``: one of :data:`VARIANCES`.
        clip_x0: Hold the estimated clean picture within [-1, 1] (``"looped-x0"`` always does).

    Raises:
        ValueError: If the name is unknown, or an option is out of range or belongs to the other sampler.
    """
    known = (*SAMPLERS, *EXPERIMENTS)
    if name not in known:
        raise ValueError(f"unknown sampler {name!r}; known are {', '.join(known)}.")
    if eta != 0.0 and name != "ddim":
        raise ValueError(f"eta belongs to ddim, not to {name}" + (_INSTEAD if name == "ddpm" else "."))
    if variance != "beta_tilde" and name != "ddpm":
        raise ValueError(f"variance belongs to ddpm, not to {name}.")
    makers: dict[str, Callable[[], Sampler[Array]]] = {
        "ddpm": lambda: DDPM(schedule, denoise, noise, variance=variance, clip_x0=clip_x0),
        "ddim": lambda: DDIM(schedule, denoise, noise, eta=eta, clip_x0=clip_x0),
        "dpm-solver++": lambda: DPMSolverPP2M(schedule, denoise, clip_x0=clip_x0),
        "heun": lambda: Heun(schedule, denoise, clip_x0=clip_x0),
        "naive-stride": lambda: NaiveStride(schedule, denoise, noise, clip_x0=clip_x0),
        "looped-x0": lambda: LoopedX0(schedule, denoise),
    }
    return makers[name]()


def looks(name: str, steps: int) -> int:
    """How often the network is asked in ``steps`` steps of a sampler: its cost, at one look each.

    Counted for a start below ``sigma = 1000``; Heun looks once less above it.
    """
    return 2 * steps - 1 if name == "heun" else steps


def _levels(schedule: NoiseSchedule, t: int, s: int) -> tuple[float, float]:
    if not s < t:
        raise ValueError(f"a step goes to a smaller time, not from t = {t} to s = {s}.")
    return schedule.alpha_bar(t), schedule.alpha_bar(s)


def _sigma(alpha_bar: float) -> float:
    """``sqrt((1 - a) / a)``: the noise's size beside a signal of size 1."""
    return math.sqrt((1.0 - alpha_bar) / alpha_bar)


def _half_log_snr(alpha_bar: float) -> float:
    """``lambda = log sqrt(a / (1 - a))``."""
    return -math.log(_sigma(alpha_bar))


def _ask(denoise: Denoise[Array], x_t: Array, t: int, alpha_bar_t: float, clip_x0: bool) -> Prediction[Array]:
    said = denoise(x_t, t)
    if not clip_x0:
        return said
    x0 = said.x0.clip(-1.0, 1.0)
    return Prediction(x0=x0, eps=eps_from_x0(x_t, x0, alpha_bar_t))
