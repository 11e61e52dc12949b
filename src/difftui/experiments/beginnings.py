"""Page: a reverse demo that starts from a noised digit, and a network that is told no time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

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

Point: TypeAlias = tuple[float, float]
"""SNR in decibels, and an error."""


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
    told: list[Point] = []
    untold: list[Point] = []
    for points, always in ((told, None), (untold, T // 2)):
        for point in error_by_time(loaded, device, always):
            points.append(point)
            yield state.findings(0.8 + 0.05 * (len(told) + len(untold)) / CURVE_TIMES, told, untold)
    timeless: list[Point] = []
    if network_names((UNTOLD,)):
        for point in error_by_time(load_network((UNTOLD,), "", device), device):
            timeless.append(point)
            yield state.findings(0.9 + 0.09 * len(timeless) / CURVE_TIMES, told, untold, timeless)
    yield state.findings(1.0, told, untold, timeless, finished=True)


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


def error_by_time(loaded: LoadedModel, device: str, always: int | None = None) -> Iterator[Point]:
    """SNR in dB and the mean squared error of ε, from near clean to near noise.

    Args:
        loaded, device: the network and where it is.
        always: the time that it is told; None is the true one.
    """
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
            said = denoise(x_t, t if always is None else always)
        yield 10.0 * math.log10(a / (1.0 - a)), float((said.eps - eps).square().mean())


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
        told: Sequence[Point] = (),
        untold: Sequence[Point] = (),
        timeless: Sequence[Point] = (),
        *,
        finished: bool = False,
    ) -> Findings:
        """The page's findings now.

        Args:
            done: how much of the work.
            told, untold: errors of the network told the true time, and told T/2 always.
            timeless: those of the network that takes no time; none at the end where it does not ship.
            finished: whether this is the end.
        """
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
            (f"the net that takes none: {UNTOLD}", "", _mean_error(timeless) if finished else PENDING),
        )
        seen = ""
        if finished:
            seen = (
                f"From t = {near[0]} {kept[0]} of {count} come back as what they were: that is repair, not "
                f"generation. Told a wrong t, the net errs {_ratio(told, untold)} as much."
            )
        return Findings(
            done, (*self._pictures(), self._curves(told, untold, timeless)), Table(SAYS, rows), seen
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
        told: Sequence[Point],
        untold: Sequence[Point],
        timeless: Sequence[Point],
    ) -> Curves:
        curves = [
            Curve(label, [x for x, _ in points], [y for _, y in points], colour)
            for label, points, colour in (
                (f"{self.loaded.name}, told t", told, "accent"),
                (f"{self.loaded.name}, told T/2", untold, "noise"),
                (f"{UNTOLD}, takes none", timeless, "foreground"),
            )
            if points
        ]
        return Curves(
            "error of ε by SNR, dB", tuple(curves), (-30.0, 30.0), (1e-3, 10.0), True, x_name="SNR/dB"
        )


def _ratio(told: Sequence[Point], untold: Sequence[Point]) -> str:
    """How many times as large the error is without the time, over all times."""
    if len(untold) < CURVE_TIMES:  # they come last
        return PENDING
    return times(float(np.mean([e for _, e in untold]) / np.mean([e for _, e in told])))


def _mean_error(points: Sequence[Point]) -> str:
    return f"MSE {signif(float(np.mean([e for _, e in points])))}" if points else "does not ship here"
