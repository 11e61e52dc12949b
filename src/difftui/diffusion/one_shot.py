"""Cleaning in one look: noise a picture, ask the network once for the clean one; and the same again and
again.

Importing this module does not import torch; calling its function does.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from difftui.diffusion.process import add_noise
from difftui.diffusion.samplers import Denoise
from difftui.diffusion.sampling import Model, network_denoiser
from difftui.diffusion.schedule import NoiseSchedule

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Look", "look_again", "noise_level", "noised"]


@dataclass(frozen=True, eq=False, slots=True)
class Look:
    """One look of the network.

    Attributes:
        count: which look it is, from 1.
        shown: what the network was shown, (B, C, H, W): x_t, divided by sqrt(alpha_bar_t) so that the signal
            has its own size.
        cleaned: its estimate of the clean picture, the shape of ``shown``, held within [-1, 1].
    """

    count: int
    shown: Tensor
    cleaned: Tensor


def look_again(
    model: Model,
    schedule: NoiseSchedule,
    shown: Tensor,
    *,
    t: int,
    target: str = "eps",
    times: int = 1,
    labels: Sequence[int] | None = None,
) -> Generator[Look, None, None]:
    """Ask for the clean picture in ``shown``, then in the answer, and so on: a :class:`Look` each.

    The network is told the time ``t`` every time. After the first look that is wrong, since an answer has no
    such noise: the lecture's repeated application.

    Args:
        model, schedule, target: the network, as for :func:`~difftui.diffusion.sampling.sample`.
        shown: (B, C, H, W); a clean picture and noise of standard deviation :func:`noise_level`, or anything.
        t: the time that the network is told.
        times: how many looks.
        labels: the class of each picture, for a network that cannot do without; None tells none.

    Raises:
        ValueError: at the call, if ``t`` or ``times`` is out of range, or the network takes no such labels.
    """
    if not 0 <= t < schedule.T:
        raise ValueError(f"t must be 0 to {schedule.T - 1}, not {t}.")
    if times < 1:
        raise ValueError(f"times must be 1 or more, not {times}.")
    denoise = network_denoiser(model, schedule, target=target, labels=labels)
    return _looks(denoise, schedule, shown, t, times)


def _looks(
    denoise: Denoise[Tensor], schedule: NoiseSchedule, shown: Tensor, t: int, times: int
) -> Generator[Look, None, None]:
    import torch

    signal = schedule.alpha_bar(t) ** 0.5
    for count in range(1, times + 1):
        with torch.inference_mode():
            cleaned = denoise(shown * signal, t).x0.clamp(-1.0, 1.0)
        yield Look(count, shown, cleaned)
        shown = cleaned


def noise_level(schedule: NoiseSchedule, t: int) -> float:
    """The noise's standard deviation beside a signal of its own size at time ``t``: sqrt((1 - a) / a)."""
    alpha_bar = schedule.alpha_bar(t)
    return math.sqrt((1.0 - alpha_bar) / alpha_bar)


def noised(schedule: NoiseSchedule, x0: Tensor, eps: Tensor, t: int) -> Tensor:
    """What :func:`look_again` is shown of a clean picture at time ``t``: x_t / sqrt(alpha_bar_t)."""
    alpha_bar = schedule.alpha_bar(t)
    result: Tensor = add_noise(x0, eps, alpha_bar) / alpha_bar**0.5
    return result
