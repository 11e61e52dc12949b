"""Three pages about the way back from noise: the looped estimate, the naive stride, what makes variety."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from difftui.diffusion import starting_noise, transitions
from difftui.experiments.figures import signif
from difftui.experiments.materials import (
    apart,
    drawn,
    grain,
    ink,
    load_network,
    nearest_digit,
    real_apart,
    real_grain,
    real_ink,
    real_nearest,
    recognised,
)
from difftui.experiments.page import PENDING, Findings, Pictures, Setup, Table
from difftui.experiments.walks import walk, way

if TYPE_CHECKING:
    from difftui.training.loading import LoadedModel

__all__ = ["NETWORKS", "STEPS", "looped", "strided", "variety"]

NETWORKS = ("lab", "quick", "conditional", "lecture")
STEPS = 50  # of the networks' 1000 timesteps
DRAWN = 6
Grey = NDArray[np.float32]


# Page: the step that answers with x̂0.

SHOWN = 6  # pictures of each strip: about the lecture's 999, 799, 599, 399, 199, 0


def looped(setup: Setup, device: str, *, steps: int = STEPS) -> Iterator[Findings]:
    """Feed the estimate back as if it were x_{t-1}; beside it DDPM, from the same noise."""
    loaded = load_network(NETWORKS, setup.network, device)
    seeds = tuple(range(setup.seed, setup.seed + DRAWN))
    x_T = starting_noise(seeds, loaded.model.image_shape)  # type: ignore[arg-type]
    kept = sorted({round(i * steps / (SHOWN - 1)) for i in range(SHOWN)})
    strips = np.full((2, len(kept), *x_T.shape[2:]), -1.0, np.float32)
    strips[:, 0] = x_T[0, 0].numpy()
    state = _Loop(loaded, steps, kept, strips)
    yield state.findings(0)
    walks = [walk(loaded, sampler, x_T, seeds, steps) for sampler in ("looped-x0", "ddpm")]
    for index, frames in enumerate(zip(*walks, strict=True), start=1):
        if index in kept:
            strips[:, kept.index(index)] = [drawn(frame.x[:1])[0] for frame in frames]
        if index - 1 == steps // 2:
            state.noise = [signif(float(frame.eps_hat.square().mean().sqrt()), 2) for frame in frames]
        if index == steps:
            state.ends = [drawn(frame.x) for frame in frames]
        yield state.findings(index)


@dataclass(slots=True)
class _Loop:
    """How far the loop and the right step beside it have come.

    Attributes:
        loaded, steps: the network and the number of steps.
        kept: the steps whose pictures are shown; 0 is the noise at the start.
        strips: (2, kept, H, W), those pictures, paper where there are none yet.
        noise: half way, the standard deviation of ε̂ in each.
        ends: the finished pictures of each, (N, H, W).
    """

    loaded: LoadedModel
    steps: int
    kept: list[int]
    strips: Grey
    noise: list[str] = field(default_factory=lambda: [PENDING, PENDING])
    ends: list[Grey] = field(default_factory=list)

    def findings(self, done: int) -> Findings:
        """The page after so many steps."""
        jumps = transitions(self.loaded.schedule.T, self.steps)
        times = (jumps[0][0], *(s for _, s in jumps))
        captions = tuple("the end" if times[i] < 0 else f"t = {times[i]}" for i in self.kept)
        strips = self.strips.copy()
        rows = (
            (f"noise found at t = {times[self.steps // 2]}", "is 1", *self.noise, ""),
            self._measured(f"how far {DRAWN} drawings lie apart", "a digit each", apart, real_apart()),
            self._measured("share of ink in the end", "", ink, real_ink()),
        )
        return Findings(
            done / self.steps,
            (
                Pictures("the lab's loop: x̂0 goes in as x_{t-1}", strips[0], captions),
                Pictures(f"DDPM ({way(self.loaded, self.steps)})", strips[1], captions),
            ),
            Table(("", "the lab says", "its loop", "right step", "real digits"), rows),
            self._seen(),
            needed=2,
        )

    def _measured(
        self, name: str, says: str, measure: Callable[[Grey], float], real: float
    ) -> tuple[str, ...]:
        found = [signif(measure(end)) for end in self.ends] or [PENDING, PENDING]
        return name, says, *found, signif(real)

    def _seen(self) -> str:
        if not self.ends:
            return ""
        loop, right = (signif(apart(end), 2) for end in self.ends)
        return (
            f"The loop's {DRAWN} drawings end {loop} apart, the right step's {right}. A picture cleaned once "
            "is called noisy still, and is cleaned away."
        )


# Page: the naive stride.

WAYS = (
    ("naive-stride", "the plain formula"),
    ("ddpm", "DDPM, respaced"),
    ("ddim", "DDIM, η = 0"),
)
EACH = 4


def strided(setup: Setup, device: str, *, steps: int = STEPS) -> Iterator[Findings]:
    """From the same noise in fifty steps: the formula for neighbours, and two that know of strides."""
    loaded = load_network(NETWORKS, setup.network, device)
    seeds = tuple(range(setup.seed, setup.seed + EACH))
    x_T = starting_noise(seeds, loaded.model.image_shape)  # type: ignore[arg-type]
    images = np.repeat(x_T[None, :, 0].numpy(), len(WAYS), axis=0)
    yield _strided(loaded, images, 0.0, steps)
    walks = [walk(loaded, sampler, x_T, seeds, steps) for sampler, _ in WAYS]
    for index, frames in enumerate(zip(*walks, strict=True), start=1):
        images = np.stack([drawn(frame.x) for frame in frames])
        yield _strided(loaded, images, index / steps, steps)


def _strided(loaded: LoadedModel, images: NDArray[np.float32], done: float, steps: int) -> Findings:
    finished = done == 1.0
    stride = loaded.schedule.T // steps
    said = ("50 or 100 steps", "", "")
    rows = [
        (
            name,
            claim,
            signif(nearest_digit(each)) if finished else PENDING,
            signif(grain(each), 2),
        )
        for (_, name), claim, each in zip(WAYS, said, images, strict=True)
    ]
    rows.append(("real digits", "", signif(real_nearest()), signif(real_grain(), 2)))
    seen = ""
    if finished:
        naive, ddpm, ddim = (signif(nearest_digit(each)) for each in images)
        seen = (
            f"A plain step takes one timestep's noise where {stride} go by: nearly all stays, {naive} "
            f"from any digit. Respaced, the same {steps} steps end {ddpm} away; DDIM {ddim}."
        )
    blocks = tuple(
        Pictures(name if i else f"plain, every {stride}th t", each)
        for i, ((_, name), each) in enumerate(zip(WAYS, images, strict=True))
    )
    header = (way(loaded, steps), "the lab says", "nearest real digit", "grain")
    return Findings(done, blocks, Table(header, tuple(rows)), seen, needed=len(blocks))


# Page: what makes variety.


def variety(setup: Setup, device: str, *, steps: int = STEPS // 2) -> Iterator[Findings]:
    """DDIM without any noise from four starts and from one; DDPM from that one start."""
    loaded = load_network(("quick", "lab", "conditional", "lecture"), setup.network, device)
    seeds = tuple(range(setup.seed, setup.seed + EACH))
    starts = starting_noise(seeds, loaded.model.image_shape)  # type: ignore[arg-type]
    same = starts[:1].expand_as(starts).contiguous()
    walks = [
        walk(loaded, "ddim", starts, seeds, steps),
        walk(loaded, "ddim", same, seeds, steps),
        walk(loaded, "ddpm", same, seeds, steps),
    ]
    images = np.stack([drawn(x) for x in (starts, same, same)])
    yield _variety(loaded, images, 0.0, steps)
    for index, frames in enumerate(zip(*walks, strict=True), start=1):
        images = np.stack([drawn(frame.x) for frame in frames])
        yield _variety(loaded, images, index / steps, steps)


def _variety(loaded: LoadedModel, images: NDArray[np.float32], done: float, steps: int) -> Findings:
    finished = done == 1.0
    names = (
        ("four starts, no noise (DDIM)", "collapse to one"),
        ("one start, no noise (DDIM)", ""),
        ("one start, noise added (DDPM)", "this gives variety"),
    )
    rows = [
        (
            name,
            claim,
            signif(apart(each)) if finished else PENDING,
            " ".join(map(str, recognised(each))) if finished else PENDING,
        )
        for (name, claim), each in zip(names, images, strict=True)
    ]
    rows.append(("real digits", "", signif(real_apart()), ""))
    seen = ""
    if finished:
        free, fixed, noisy = (signif(apart(each)) for each in images)
        seen = (
            f"With no noise added four starts end {free} apart: the start alone gives variety. Noise on the "
            f"way does too ({noisy}); without both: {fixed}."
        )
    titles = ("four x_T, DDIM η = 0", "one x_T, DDIM η = 0", "one x_T, DDPM")
    blocks = tuple(Pictures(title, each) for title, each in zip(titles, images, strict=True))
    header = (way(loaded, steps), "the lab says", "apart", "recognised as")
    return Findings(done, blocks, Table(header, tuple(rows)), seen, needed=len(blocks))
