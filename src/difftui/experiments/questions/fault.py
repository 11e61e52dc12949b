"""Question 20: why drawings are imperfect: is it the sampler, or the network?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from difftui.data import bundled, held_out
from difftui.diffusion import (
    NoiseSchedule,
    add_noise,
    make_sampler,
    make_schedule,
    starting_noise,
    transitions,
)
from difftui.diffusion.analytic import PointsDenoiser
from difftui.diffusion.process import Prediction
from difftui.diffusion.sampling import step_noise
from difftui.experiments.figures import signif
from difftui.experiments.losses import LEVELS, errors_by_level, timestep_at
from difftui.experiments.materials import (
    COMPARED,
    SURE,
    clean,
    drawn,
    load_network,
    nearest_digit,
    network_names,
    readings,
    real_certainty,
    real_nearest,
)
from difftui.experiments.page import PENDING, Curve, Curves, Findings, Page, Pictures, Setup, Table
from difftui.experiments.walks import walk
from difftui.words import grouped

if TYPE_CHECKING:
    from torch import Tensor

    from difftui.training.loading import LoadedModel

__all__ = ["IMPERFECT", "exact_errors", "exact_walk", "known_digits"]

NETWORKS = ("lab", "quick", "conditional", "lecture")
EXACT = "exact denoiser"
COLOURS = ("green", "accent", "noise", "foreground", "purple")
Floats = NDArray[np.float64]
Grey = NDArray[np.float32]
DRAWN, STEPS = 12, 100
SHOWN = 6  # pictures of each block
SEEN = 48  # digits at each strength of noise


def known_digits() -> Floats:
    """The 2000 digits that the exact denoiser knows by heart, (2000, 1, 28, 28)."""
    return clean(bundled().images[:COMPARED])[:, None]


def exact_walk(schedule: NoiseSchedule, x_T: Tensor, seeds: range, steps: int) -> Iterator[Tensor]:
    """As :func:`~difftui.experiments.walks.walk` by DDPM, with the exact denoiser of :func:`known_digits`."""
    import torch

    exact = PointsDenoiser(schedule, known_digits())

    def denoise(x_t: Tensor, t: int) -> Prediction[Tensor]:
        told = exact(x_t.numpy().astype(np.float64), t)
        return Prediction(x0=torch.from_numpy(told.x0).to(x_t), eps=torch.from_numpy(told.eps).to(x_t))

    rule = make_sampler("ddpm", schedule, denoise, step_noise(seeds), clip_x0=True)
    x = x_T
    for t, s in transitions(schedule.T, steps):
        x = rule.step(x, t, s).x
        yield x


def exact_errors(schedule: NoiseSchedule, seen: int, seed: int) -> Iterator[float]:
    """The exact denoiser's error of ε on held-out digits, as :func:`errors_by_level` measures networks'."""
    import torch

    exact = PointsDenoiser(schedule, known_digits())
    x0 = clean(held_out().images[:seen])[:, None]
    for level in LEVELS:
        t = timestep_at(schedule, level)
        eps = torch.randn(x0.shape, generator=torch.Generator().manual_seed(seed)).numpy().astype(np.float64)
        said = exact(add_noise(x0, eps, schedule.alpha_bar(t)), t)
        yield float(np.square(said.eps - eps).mean())


@dataclass(slots=True)
class _Source:
    """Something that draws.

    Attributes:
        name: what it is called.
        parameters: trained numbers, as words.
        pictures: (N, 28, 28), as they are now; None before.
        sure: in the end, how many are read with certainty.
        near: median distance to the nearest of 2000 real digits.
        errors: of ε at the first of the :data:`LEVELS`.
    """

    name: str
    parameters: str = PENDING
    pictures: Grey | None = None
    sure: str = PENDING
    near: str = PENDING
    errors: list[float] = field(default_factory=list)

    def measure(self, pictures: Grey) -> None:
        """Judge the finished pictures."""
        sure = int((readings(pictures).max(axis=1) > SURE).sum())
        self.sure, self.near = f"{sure} of {len(pictures)}", f"{nearest_digit(pictures):.1f}"

    def row(self) -> tuple[str, ...]:
        """Its row of the table."""
        clear, noisy = (
            signif(self.errors[LEVELS.index(level)], 2) if len(self.errors) == len(LEVELS) else PENDING
            for level in (20.0, -20.0)
        )
        return self.name, self.parameters, self.sure, self.near, clear, noisy


def imperfect(
    setup: Setup, device: str, *, count: int = DRAWN, steps: int = STEPS, seen: int = SEEN
) -> Iterator[Findings]:
    """The same sampler and the same starts with a denoiser that is exact, and with networks."""
    from difftui.models import parameter_count

    names = network_names(NETWORKS)
    shown = setup.network if setup.network in names else names[0]
    # The network that is shown goes first.
    names = (shown, *(name for name in names if name != shown))
    seeds = range(setup.seed, setup.seed + count)
    sources = [_Source(EXACT, "0"), *(_Source(name) for name in names)]
    yield _findings(sources, 0.0)
    work, made = len(sources) * (steps + len(LEVELS)), 0
    schedule = make_schedule("linear", 1000)
    for source in sources:
        loaded = None if source is sources[0] else load_network((source.name,), source.name, device)
        if loaded is not None:
            source.parameters = grouped(parameter_count(loaded.model))
        for source.pictures in _pictures(loaded, schedule, seeds, steps):
            made += 1
            yield _findings(sources, made / work)
        if source.pictures is not None:
            source.measure(source.pictures)
        for error in _errors(loaded, schedule, device, seen, setup.seed):
            source.errors.append(error)
            made += 1
            yield _findings(sources, made / work)


def _pictures(
    loaded: LoadedModel | None, schedule: NoiseSchedule, seeds: range, steps: int
) -> Iterator[Grey]:
    """DDPM from these seeds, by a network or, without one, by the exact denoiser."""
    x_T = starting_noise(seeds)
    if loaded is None:
        yield from map(drawn, exact_walk(schedule, x_T, seeds, steps))
    else:
        yield from (drawn(frame.x) for frame in walk(loaded, "ddpm", x_T, seeds, steps))


def _errors(
    loaded: LoadedModel | None, schedule: NoiseSchedule, device: str, seen: int, seed: int
) -> Iterator[float]:
    """Of ε at each level, on digits that neither has seen."""
    return (
        exact_errors(schedule, seen, seed) if loaded is None else errors_by_level(loaded, device, seen, seed)
    )


def _findings(sources: list[_Source], done: float) -> Findings:
    exact, network = sources[:2]
    real = ("real digits", "", f"{100 * real_certainty()[1]:.0f} of 100", f"{real_nearest():.1f}", "", "")
    rows = (exact.row(), real, *(source.row() for source in sources[1:]))
    curves = tuple(
        Curve(source.name, LEVELS[: len(source.errors)], tuple(source.errors), colour)
        for source, colour in zip(sources, COLOURS, strict=False)
        if source.errors
    )
    plot = Curves(
        "error of ε by SNR in dB: noise left, clean right",
        curves,
        (-30.0, 30.0),
        (1e-3, 10.0),
        True,
        x_name="SNR/dB",
    )
    header = ("who draws", "parameters", f"{SURE:.0%} sure", "nearest", "ε at +20 dB", "at -20 dB")
    return Findings(
        done,
        (_block(exact, f"{EXACT}, knows {COMPARED} digits"), _block(network, network.name), plot),
        Table(header, rows),
        _seen(exact, sources[1:]) if done == 1.0 else "",
        needed=2,
    )


def _block(source: _Source, title: str) -> Pictures:
    paper = np.full((SHOWN, 28, 28), -1.0, np.float32)
    return Pictures(title, paper if source.pictures is None else source.pictures[:SHOWN])


def _seen(exact: _Source, networks: list[_Source]) -> str:
    shown = networks[0]
    best = np.min([source.errors for source in networks], axis=0)
    behind = np.asarray(shown.errors) / best
    most = int(np.argmax(behind))
    return (
        f"Same sampler: exact, {exact.sure} clear, all copies; {shown.name}, {shown.sure}: the network errs. "
        f"Its ε is furthest behind at {LEVELS[most]:+.0f} dB: {signif(behind[most], 2)} × the best's error."
    )


IMPERFECT = Page(
    name="imperfect",
    title="Why imperfect: the sampler, or the network?",
    source="Modules",
    says="the drawings are not perfect. Why?",
    look="Both rows go the same steps from the same noise. Only the denoiser differs.",
    how=f"DDPM in {STEPS} steps from twelve seeds. The exact denoiser answers with the mean of {COMPARED} "
    "known digits, each weighed by how well it explains x_t (Bayes' rule). Nearest: median distance √Σ(a-b)² "
    f"to one of them. The error of ε: on {SEEN} held-out digits; networks that take labels are told them.",
    run=imperfect,
    offers=frozenset({"seed", "network"}),
    networks=NETWORKS,
    needs_torch=True,
)
