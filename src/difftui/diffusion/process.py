r"""The Gaussian diffusion process: noising, the three things a network may predict, and the posterior.

With signal level ``a = alpha_bar_t`` the forward process is

    x_t = sqrt(a) x_0 + sqrt(1 - a) eps,    eps ~ N(0, I)

A network looks at ``x_t`` and is trained on one of these targets, each of which gives the others:

    eps      the noise itself
    x0       the clean picture
    v        sqrt(a) eps - sqrt(1 - a) x_0        (Salimans & Ho 2022, appendix D)
    x_prev   the picture one step cleaner, x_{t-1}, in the mean      (Ho et al. 2020, section 3.2)

Every function is plain arithmetic and works alike on NumPy arrays and torch tensors, without importing
torch. A signal level is a float, or an array that broadcasts with the pictures, such as shape (B, 1, 1, 1)
for one level a picture; give it the pictures' own dtype, or the result is promoted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

Array = TypeVar("Array", NDArray[Any], "Tensor")
"""Pictures: a NumPy array or a torch tensor."""

TARGETS: Mapping[str, str] = MappingProxyType(
    {
        "eps": "The noise that was mixed in.",
        "x0": "The clean picture.",
        "x_prev": "The picture one step cleaner.",
        "v": "The velocity: mostly the noise near t = 0, mostly minus the picture near t = T.",
    }
)
"""What a network may be trained to predict, by name, each with one sentence for people."""


@dataclass(frozen=True, eq=False)
class Prediction(Generic[Array]):
    """What a denoiser says at ``x_t``: two views of one answer, with
    ``x_t = sqrt(alpha_bar_t) x0 + sqrt(1 - alpha_bar_t) eps``.

    Attributes:
        x0: The estimated clean picture, the shape of ``x_t``.
        eps: The estimated noise, the shape of ``x_t``.
    """

    x0: Array
    eps: Array


def add_noise(x0: Array, eps: Array, alpha_bar: Array | float) -> Array:
    """Noise a clean picture to any level in one go: ``x_t = sqrt(a) x_0 + sqrt(1 - a) eps``.

    Source: Ho et al. (2020), equation 4.

    Args:
        x0: Clean pictures, any shape, in [-1, 1].
        eps: Standard normal noise, the shape of ``x0``.
        alpha_bar: The signal level ``a`` in [0, 1].

    Returns:
        The noised pictures ``x_t``, the shape of ``x0``.
    """
    return x0 * alpha_bar**0.5 + eps * (1.0 - alpha_bar) ** 0.5


def x0_from_eps(x_t: Array, eps: Array, alpha_bar: Array | float) -> Array:
    """``x_0 = (x_t - sqrt(1 - a) eps) / sqrt(a)``, for ``a`` in (0, 1].

    An error in ``eps`` is multiplied by ``sqrt((1 - a) / a)``: 157 at the end of the linear schedule.
    """
    return (x_t - eps * (1.0 - alpha_bar) ** 0.5) / alpha_bar**0.5


def eps_from_x0(x_t: Array, x0: Array, alpha_bar: Array | float) -> Array:
    """``eps = (x_t - sqrt(a) x_0) / sqrt(1 - a)``, for ``a`` in [0, 1)."""
    return (x_t - x0 * alpha_bar**0.5) / (1.0 - alpha_bar) ** 0.5


def velocity(x0: Array, eps: Array, alpha_bar: Array | float) -> Array:
    """``v = sqrt(a) eps - sqrt(1 - a) x_0``, for ``a`` in [0, 1].

    Source: Salimans & Ho (2022), Progressive Distillation, appendix D.
    """
    return eps * alpha_bar**0.5 - x0 * (1.0 - alpha_bar) ** 0.5


def x0_from_v(x_t: Array, v: Array, alpha_bar: Array | float) -> Array:
    """``x_0 = sqrt(a) x_t - sqrt(1 - a) v``, for ``a`` in [0, 1]; no division, so no error is amplified."""
    return x_t * alpha_bar**0.5 - v * (1.0 - alpha_bar) ** 0.5


def eps_from_v(x_t: Array, v: Array, alpha_bar: Array | float) -> Array:
    """``eps = sqrt(1 - a) x_t + sqrt(a) v``, for ``a`` in [0, 1]."""
    return x_t * (1.0 - alpha_bar) ** 0.5 + v * alpha_bar**0.5


def previous_weights(alpha_bar_t: Array | float, alpha_bar_s: Array | float) -> tuple[Any, Any]:
    """The weights of ``x_0`` and ``x_t`` in the mean of ``q(x_s | x_t, x_0)``: see :func:`posterior_mean`."""
    beta = 1.0 - alpha_bar_t / alpha_bar_s
    from_x0 = alpha_bar_s**0.5 * beta / (1.0 - alpha_bar_t)
    from_x_t = (alpha_bar_t / alpha_bar_s) ** 0.5 * (1.0 - alpha_bar_s) / (1.0 - alpha_bar_t)
    return from_x0, from_x_t


def x0_from_previous(
    x_t: Array, previous: Array, alpha_bar_t: Array | float, alpha_bar_s: Array | float
) -> Array:
    """The clean picture behind an estimated ``x_s``, :func:`posterior_mean` solved for ``x_0``.

    An error in ``previous`` is divided by ``sqrt(a_s) beta / (1 - a_t)``: a neighbour is nearly ``x_t``
    itself, and what tells them apart is small. Half way through the linear schedule it is multiplied by 330.
    """
    from_x0, from_x_t = previous_weights(alpha_bar_t, alpha_bar_s)
    result: Array = (previous - x_t * from_x_t) / from_x0
    return result


def training_target(
    target: str,
    x0: Array,
    eps: Array,
    alpha_bar: Array | float,
    alpha_bar_before: Array | float | None = None,
) -> Array:
    """What the network should have said: the right answer for one of the :data:`TARGETS`.

    For ``"x_prev"`` that is the mean of ``q(x_{t-1} | x_t, x_0)``. The true ``x_{t-1}`` of a noising path is
    this and noise of variance ``beta_tilde`` that nothing in ``x_t`` tells of: it would be added to every
    loss and change no optimum, so it is left out.

    Args:
        target: One of :data:`TARGETS`.
        x0: Clean pictures, any shape.
        eps: The noise that was added, the shape of ``x0``.
        alpha_bar: The signal level of each picture.
        alpha_bar_before: For ``"x_prev"``: the signal level one step earlier.

    Raises:
        ValueError: If the target is unknown, or its earlier level is missing.
    """
    check_target(target)
    if target == "x_prev":
        from_x0, from_x_t = previous_weights(alpha_bar, _before(alpha_bar_before))
        previous: Array = x0 * from_x0 + add_noise(x0, eps, alpha_bar) * from_x_t
        return previous
    if target == "eps":
        return eps
    if target == "x0":
        return x0
    return velocity(x0, eps, alpha_bar)


def read_output(
    target: str,
    output: Array,
    x_t: Array,
    alpha_bar: Array | float,
    alpha_bar_before: Array | float | None = None,
) -> Prediction[Array]:
    """Turn a network's raw output into both views of its answer.

    Args:
        target: What the network was trained on, one of :data:`TARGETS`.
        output: The network's output, the shape of ``x_t``.
        x_t: The pictures it looked at.
        alpha_bar: The signal level of ``x_t``, in (0, 1).
        alpha_bar_before: For ``"x_prev"``: the signal level one step earlier.

    Raises:
        ValueError: If the target is unknown, or its earlier level is missing.
    """
    check_target(target)
    if target == "x_prev":
        clean = x0_from_previous(x_t, output, alpha_bar, _before(alpha_bar_before))
        return Prediction(x0=clean, eps=eps_from_x0(x_t, clean, alpha_bar))
    if target == "eps":
        return Prediction(x0=x0_from_eps(x_t, output, alpha_bar), eps=output)
    if target == "x0":
        return Prediction(x0=output, eps=eps_from_x0(x_t, output, alpha_bar))
    return Prediction(x0=x0_from_v(x_t, output, alpha_bar), eps=eps_from_v(x_t, output, alpha_bar))


def _before(alpha_bar: Array | float | None) -> Array | float:
    if alpha_bar is None:
        raise ValueError("the target x_prev needs the signal level one step earlier.")
    return alpha_bar


def check_target(target: str) -> None:
    """Raise a ValueError that lists the known :data:`TARGETS` unless ``target`` is one of them."""
    if target not in TARGETS:
        raise ValueError(f"unknown target {target!r}; known are {', '.join(TARGETS)}.")


def step_beta(alpha_bar_t: float, alpha_bar_s: float) -> float:
    """The variance that one jump from time ``s`` to the noisier ``t`` mixes in: ``1 - a_t / a_s``.

    Between neighbours it is the schedule's own ``beta_t``. On a respaced grid it must be recomputed so:
    the schedule's ``beta_t`` belongs to a step of one.

    Source: Nichol & Dhariwal (2021), Improved DDPM, section 4 (equation 19).
    """
    return 1.0 - alpha_bar_t / alpha_bar_s


def posterior_mean(x0: Array, x_t: Array, alpha_bar_t: float, alpha_bar_s: float) -> Array:
    r"""The mean of ``q(x_s | x_t, x_0)`` for ``s < t``, a weighted sum of the clean and the noised picture.

    With ``beta = 1 - a_t / a_s``,

        mean = sqrt(a_s) beta / (1 - a_t) x_0 + sqrt(a_t / a_s) (1 - a_s) / (1 - a_t) x_t

    At ``s = -1`` (``a_s = 1``) it is ``x_0``.

    Source: Ho et al. (2020), equation 7, for any pair of times.

    Args:
        x0: Clean pictures, any shape.
        x_t: The pictures at time ``t``, the shape of ``x0``.
        alpha_bar_t: The signal level ``a_t`` in (0, 1).
        alpha_bar_s: The signal level ``a_s`` in [a_t, 1].
    """
    from_x0, from_x_t = previous_weights(alpha_bar_t, alpha_bar_s)
    mean: Array = x0 * from_x0 + x_t * from_x_t
    return mean


def posterior_variance(alpha_bar_t: float, alpha_bar_s: float) -> float:
    r"""The variance ``beta_tilde`` of ``q(x_s | x_t, x_0)`` for ``s < t``: ``beta (1 - a_s) / (1 - a_t)``.

    Here ``beta = 1 - a_t / a_s``. It is 0 at ``s = -1`` (``a_s = 1``).

    Source: Ho et al. (2020), equation 7, for any pair of times.
    """
    return step_beta(alpha_bar_t, alpha_bar_s) * (1.0 - alpha_bar_s) / (1.0 - alpha_bar_t)
