"""Page: a reverse demo that starts from a noised digit, and a network that is told no time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from difftui.diffusion import add_noise, transitions
from difftui.experiments.figures import signif, times
from difftui.experiments.materials import clean, drawn, load_network, network_names, recognised, some_of_each
from difftui.experiments.page import PENDING, SAYS, Curve, Curves, Findings, Pictures, Setup, Table

if TYPE_CHECKING:
    from torch import Tensor

    from difftui.training.loading import LoadedModel

__all__ = ["beginnings", "error_by_time"]

NETWORKS = ("quick", "conditional", "lab")
UNTOLD = "lecture"  # the network without a time among its inputs
STEPS = 24
SHARES = (0.25, 0.5, 0.75, 1.0)  # of the way to noise: where the demo starts
CURVE_TIMES = 12
OF_EACH = 2  # of the ten digits
SEEN = 20  # digits whose error is measured at each time


def beginnings(setup: Setup, device: str, *, steps: int = STEPS) -> Iterator[Findings]:
    """Go back from digits noised so far, and from noise; then ask the network with the wrong time."""
    import torch

    loaded = load_network(NETWORKS, setup.network, device)
    T = loaded.schedule.T
    digits = some_of_each(OF_EACH)
    rng = np.random.default_rng(setup.seed)
    jumps = transitions(T, steps)
    # Only times that the grid visits can be started from.
    starts = [min((t for t, _ in jumps), key=lambda t: abs(t - share * (T - 1))) for share in SHARES]
    noised = [
        add_noise(digits, rng.standard_normal(digits.shape), loaded.schedule.alpha_bar(t)) for t in starts
    ]
    noised.append(rng.standard_normal(digits.shape))
    state = _State(loaded, setup.label, digits, starts, noised)
    yield state.findings(0.0)
    for which, (t, picture) in enumerate(zip([*starts, T - 1], noised, strict=True)):
        begun = torch.from_numpy(picture.astype(np.float32))[:, None].to(device)
        for x in _back(loaded, begun, [jump for jump in jumps if jump[0] <= t]):
            state.ends[which] = drawn(x)
            yield state.findings(0.8 * (which + 0.5) / len(noised))
        answers = recognised(drawn(x))
        state.kept[which] = str(int((answers == np.arange(len(digits)) % 10).sum()))
    told, untold = [], []
    for point in error_by_time(loaded, device):
        told.append((point[0], point[1]))
        untold.append((point[0], point[2]))
        yield state.findings(0.8 + 0.15 * len(told) / CURVE_TIMES, told, untold)
    yield state.findings(1.0, told, untold, _untold(device), finished=True)


def _back(loaded: LoadedModel, x: Tensor, jumps: Sequence[tuple[int, int]]) -> Iterator[Tensor]:
    """DDIM without noise along these jumps."""
    import torch

    from difftui.diffusion import make_sampler, network_denoiser
    from difftui.models.side_by_side import side_by_side

    denoise = network_denoiser(side_by_side(loaded.model), loaded.schedule, target=loaded.recipe.target)
    rule = make_sampler("ddim", loaded.schedule, denoise, torch.randn_like, clip_x0=True)
    for t, s in jumps:
        with torch.inference_mode():
            x = rule.step(x, t, s).x
        yield x


def error_by_time(loaded: LoadedModel, device: str) -> Iterator[tuple[float, float, float]]:
    """SNR in dB, and the mean squared error of ε told the true time and told T/2 whatever it is."""
    import torch

    from difftui.data import held_out
    from difftui.diffusion import network_denoiser

    schedule = loaded.schedule
    denoise = network_denoiser(loaded.model, schedule, target=loaded.recipe.target)
    x0 = torch.from_numpy(clean(held_out().images[:SEEN]).astype(np.float32))[:, None].to(device)
    eps = torch.randn(x0.shape, generator=torch.Generator().manual_seed(0)).to(device)
    for share in np.linspace(0.04, 0.96, CURVE_TIMES):
        t = round(float(share) * (schedule.T - 1))
        a = schedule.alpha_bar(t)
        x_t = add_noise(x0, eps, a)
        with torch.inference_mode():
            errors = [float((denoise(x_t, told).eps - eps).square().mean()) for told in (t, schedule.T // 2)]
        yield 10.0 * math.log10(a / (1.0 - a)), errors[0], errors[1]


def _untold(device: str) -> list[tuple[float, float]]:
    """The same of the lecture's network, which is told nothing; empty where it does not ship."""
    if not network_names((UNTOLD,)):
        return []
    loaded = load_network((UNTOLD,), "", device)
    return [(decibels, error) for decibels, error, _ in error_by_time(loaded, device)]


@dataclass(slots=True)
class _State:
    """What the page has so far, and how it tells it.

    Attributes:
        loaded: the network.
        label: the digit that is shown.
        digits: (20, 28, 28), 0 to 9 and again.
        starts: the timesteps begun from.
        noised: the digits at each of them, and pure noise.
        ends: what came back from each, by the place in ``noised``.
        kept: how many of the digits were kept, by the same place.
    """

    loaded: LoadedModel
    label: int
    digits: NDArray[np.float64]
    starts: list[int]
    noised: list[NDArray[np.float64]]
    ends: dict[int, NDArray[np.float32]] = field(default_factory=dict)
    kept: dict[int, str] = field(default_factory=dict)

    def findings(
        self,
        done: float,
        told: Sequence[tuple[float, float]] = (),
        untold: Sequence[tuple[float, float]] = (),
        lecture: Sequence[tuple[float, float]] = (),
        *,
        finished: bool = False,
    ) -> Findings:
        """The page's findings now; the last two say whether the lecture's network was there to be asked."""
        T = self.loaded.schedule.T
        near, count = [str(t) for t in self.starts[:-1]], len(self.digits)
        kept = [self.kept.get(place, PENDING) for place in range(len(self.noised))]
        rows = (
            (
                f"digits kept, from t = {', '.join(near)}",
                "it generates",
                f"{', '.join(kept[: len(near)])} of {count}",
            ),
            (f"digits kept, from t = {T - 1}", "", f"{kept[-2]} of {count}"),
            ("digits kept, from pure noise", "", f"{kept[-1]} of {count}; chance: {OF_EACH}"),
            ("error of ε when told T/2, not t", "t is no input", _ratio(told, untold)),
            (f"the net that takes none: {UNTOLD}", "", _mean_error(lecture) if finished else PENDING),
        )
        seen = ""
        if finished:
            seen = (
                f"From t = {near[0]} {kept[0]} of {count} come back as what they were: that is repair, not "
                f"generation. Told a wrong t, the net errs {_ratio(told, untold)} as much."
            )
        return Findings(
            done, (*self._pictures(), self._curves(told, untold, lecture)), Table(SAYS, rows), seen
        )

    def _pictures(self) -> tuple[Pictures, Pictures]:
        paper = np.full((28, 28), -1.0)
        begun = [self.digits[self.label], *(noised[self.label] for noised in self.noised)]
        back = [
            self.digits[self.label],
            *(self.ends[i][self.label] if i in self.ends else paper for i in range(len(self.noised))),
        ]
        captions = ("the digit", *(f"t = {t}" for t in self.starts), "noise")
        return (
            Pictures(f"what comes back ({self.loaded.name}, DDIM)", np.stack(back), captions),
            Pictures("from what", np.stack(begun), captions),
        )

    def _curves(
        self,
        told: Sequence[tuple[float, float]],
        untold: Sequence[tuple[float, float]],
        lecture: Sequence[tuple[float, float]],
    ) -> Curves:
        curves = [
            Curve(label, [x for x, _ in points], [y for _, y in points], colour)
            for label, points, colour in (
                (f"{self.loaded.name}, told t", told, "accent"),
                (f"{self.loaded.name}, told T/2", untold, "noise"),
                (f"{UNTOLD}, takes none", lecture, "foreground"),
            )
            if points
        ]
        return Curves("error of ε by SNR, dB", tuple(curves), (-30.0, 30.0), (1e-3, 10.0), True)


def _ratio(told: Sequence[tuple[float, float]], untold: Sequence[tuple[float, float]]) -> str:
    """How many times as large the error is without the time, over all times."""
    if len(told) < CURVE_TIMES:
        return PENDING
    return times(float(np.mean([e for _, e in untold]) / np.mean([e for _, e in told])))


def _mean_error(points: Sequence[tuple[float, float]]) -> str:
    return f"MSE {signif(float(np.mean([e for _, e in points])))}" if points else "does not ship here"
