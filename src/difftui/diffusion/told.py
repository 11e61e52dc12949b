"""The forward step told three ways, with the numbers of one timestep: symbols, plain words, pseudocode."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from difftui.diffusion.schedule import NoiseSchedule

__all__ = ["Pixel", "Told", "forward_told"]


@dataclass(frozen=True, slots=True)
class Pixel:
    """A pixel to reckon with.

    Attributes:
        row, column: where it is, from 0.
        x0: its value in the clean digit, in [-1, 1].
        eps: its noise.
    """

    row: int
    column: int
    x0: float
    eps: float

    @classmethod
    def brightest(cls, x0: NDArray[np.floating], eps: NDArray[np.floating]) -> Pixel:
        """The first of the brightest pixels of a picture (H, W), with its noise (H, W)."""
        row, column = (int(place) for place in np.unravel_index(int(x0.argmax()), x0.shape))
        return cls(row, column, float(x0[row, column]), float(eps[row, column]))


@dataclass(frozen=True, slots=True)
class Told:
    """A formula three ways.

    Attributes:
        title: which formula.
        symbols: lines of at most 76 characters.
        words: a paragraph of plain words.
        code: lines of Python, at most 76 characters each; they need the names in ``needs`` and make ``x_t``.
        needs: what the code takes as given, by name.
    """

    title: str
    symbols: tuple[str, ...]
    words: str
    code: tuple[str, ...]
    needs: str


def forward_told(schedule: NoiseSchedule, t: int, pixel: Pixel | None = None) -> tuple[Told, Told]:
    """``x_t`` in one leap from the clean picture, ``q(x_t | x_0)``, and the last small step to it alone,
    ``q(x_t | x_{t-1})``; figures have four digits, those in the words three.

    Source: Ho et al. (2020), equations 2 and 4; our timesteps count from 0, and the clean picture
    comes before it.

    Args:
        schedule: the noise schedule.
        t: the timestep, 0 ... T-1.
        pixel: one to do the sum with; None leaves the sum out.

    Raises:
        ValueError: ``t`` is outside that range.
    """
    if not 0 <= t < schedule.T:
        raise ValueError(f"timestep {t} is outside 0 ... {schedule.T - 1}.")
    return _leap(schedule, t, pixel), _step(schedule, t)


def _leap(schedule: NoiseSchedule, t: int, pixel: Pixel | None) -> Told:
    a, beta = schedule.alpha_bar(t), float(schedule.betas[t])
    signal, noise, snr = math.sqrt(a), math.sqrt(1 - a), a / (1 - a)
    symbols = [
        "q(x_t | x_0) = N(x_t; √ᾱ_t x_0, (1-ᾱ_t) I)",
        "x_t = √ᾱ_t x_0 + √(1-ᾱ_t) ε,   ε ~ N(0, I)",
        "ᾱ_t = α_0 α_1 … α_t,   α_t = 1-β_t",
        f"t = {t}:  β_t = {_four(beta)},  α_t = {_four(1 - beta)},  ᾱ_t = {_four(a)}",
        f"x_t = √{_four(a)} x_0 + √{_four(1 - a)} ε = {_four(signal)} x_0 + {_four(noise)} ε",
    ]
    if pixel is not None:
        x_t = signal * pixel.x0 + noise * pixel.eps
        symbols.append(
            f"pixel ({pixel.row}, {pixel.column}): {_four(signal)}·{_signed(pixel.x0)} + "
            f"{_four(noise)}·{_signed(pixel.eps)} = {x_t:.3f}"
        )
    leads = "the digit still leads" if snr > 1 else "noise leads" if snr < 1 else "neither leads"
    words = (
        f"Keep {_share(signal)} of the digit's contrast and add noise of size {_three(noise)} to every "
        f"pixel. Paper, at -1, lands around -{_three(signal)} and ink, at +1, around +{_three(signal)}, each "
        f"give or take {_three(noise)}. In power the digit is {_three(snr)} times the noise: {leads}. The "
        "squares of the two sizes add up to 1, so the picture grows no louder."
    )
    code = (
        "alpha_bar = 1.0",
        f"for i in range({t + 1}):{'':<{27 - len(str(t + 1))}}# steps 0 to {t}",
        f"    alpha_bar = alpha_bar * (1 - beta[i])   # {_four(a)} at the end",
        "x_t = sqrt(alpha_bar) * x_0 + sqrt(1 - alpha_bar) * eps",
        f"#     {_four(signal):<15} * x_0 + {_four(noise):<19} * eps",
    )
    return Told(
        f"From the clean digit to t = {t} in one leap",
        tuple(symbols), words, code, "beta, x_0, eps: normal noise, as large as x_0",
    )  # fmt: skip


def _step(schedule: NoiseSchedule, t: int) -> Told:
    beta = float(schedule.betas[t])
    kept, added, signal = math.sqrt(1 - beta), math.sqrt(beta), math.sqrt(schedule.alpha_bar(t))
    symbols = (
        "q(x_t | x_{t-1}) = N(x_t; √(1-β_t) x_{t-1}, β_t I)",
        "x_t = √α_t x_{t-1} + √β_t ε_t,   ε_t ~ N(0, I), new at each step",
        f"x_t = √{_four(1 - beta)} x_{{t-1}} + √{_four(beta)} ε_t "
        f"= {_four(kept)} x_{{t-1}} + {_four(added)} ε_t",
    )
    words = (
        f"Step {t} alone keeps {_share(kept)} of the picture before it"
        f"{'' if t else ', which is the clean digit,'} and adds fresh noise of size {_three(added)}. "
    )
    words += (
        f"From the clean digit to here are {t + 1} such steps: what they keep multiplies to "
        f"{_share(signal)}, and their noises, each shrunk by the steps after it, add up to the one noise "
        "above. So one leap does for all of them, and training need not walk."
        if t
        else "It is the first step, so the leap above is this step."
    )
    code = (
        "x_t = x_0",
        f"for i in range({t + 1}):{'':<{27 - len(str(t + 1))}}# steps 0 to {t}",
        "    eps = normal(x_0.shape)                 # fresh noise",
        "    x_t = sqrt(1 - beta[i]) * x_t + sqrt(beta[i]) * eps",
        f"#         {_four(kept):<17} * x_t + {_four(added):<13} * eps   in step {t}",
    )
    return Told(
        f"The small step to t = {t}", symbols, words, code, "beta, x_0; normal draws noise of a shape"
    )


def _four(value: float) -> str:
    return f"{value:#.4g}"


def _three(value: float) -> str:
    """Three digits, with an exponent only for what is very small, and none for large ratios."""
    return f"{value:.0f}" if value >= 1000 else f"{value:#.3g}".removesuffix(".")


def _share(value: float) -> str:
    """A part of 1 as a percentage of three digits, or four next to 100%."""
    percent = 100 * value
    return f"{percent:.2f}%" if 99.5 <= percent < 99.995 else f"{percent:.3g}%"


def _signed(value: float) -> str:
    """A number that may be negative, in brackets if it is."""
    return f"({value:.3f})" if value < 0 else f"{value:.3f}"
