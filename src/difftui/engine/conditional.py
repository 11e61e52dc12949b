"""The conditional diffusion model as jobs: it learns and shows what it draws so far; then it draws for good.

A drawing is kept frame by frame, so that it can be scrubbed back and forth. NumPy only.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from difftui.diffusion import transitions
from difftui.inversion import ConditionalModel, ConditionalRecipe, LearningProgress, Problem, draw, learn
from difftui.runs import Curve, Series

__all__ = [
    "DrawRequest",
    "DrawView",
    "LearningView",
    "cloud_grid",
    "probes_of",
    "start_drawing",
    "start_learning",
]

CLOUD = 1600  # points over the plane
PER_PROBE = 400  # draws at one y
LOOK_EVERY = 200  # optimiser steps between two looks at what it draws
LOOK_STEPS = 12  # of the sampler, for such a look
LOOK_SAMPLER = "ddim"

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class LearningView:
    """A conditional model in the making.

    Attributes:
        recipe: of the model.
        progress: where it is, with the weights so far.
        losses: by optimiser step.
        y, x: (N,) finished draws with the weights of ``looked_at`` steps, the same noise every time; x is
            None before the first look.
        looked_at: see there.
    """

    recipe: ConditionalRecipe
    progress: LearningProgress
    losses: Curve
    y: Floats
    x: Floats | None
    looked_at: int


@dataclass(frozen=True, slots=True)
class DrawRequest:
    """How to draw.

    Attributes:
        sampler: a name in :data:`~difftui.diffusion.SAMPLERS`.
        steps: of the sampler; None is every timestep.
        seed: of all noise.
    """

    sampler: str = "ddpm"
    steps: int | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class DrawView:
    """Draws on their way from noise, as far as they have come.

    Attributes:
        request: what was asked.
        model: that draws.
        times: (frames,) T-1 … 0, -1; ``alpha_bars`` (frames,) to them.
        y: (N,) evenly over the plane; ``cloud`` (frames, N) one x for each.
        probes: (K,) y at which many are drawn; ``at`` (frames, K, M) those x.
        count: how many frames are there. Shared with the engine's thread, which fills the rest: do not write.
    """

    request: DrawRequest
    model: ConditionalModel
    times: tuple[int, ...]
    alpha_bars: NDArray[np.float64]
    y: Floats
    cloud: Floats
    probes: Floats
    at: Floats
    count: int

    @property
    def done(self) -> bool:
        """Whether the last frame is there."""
        return self.count == len(self.times)


def cloud_grid(problem: Problem) -> Floats:
    """Equally spaced y over all that is looked at, float32 (points,)."""
    return np.linspace(*problem.y_window, CLOUD, dtype=np.float32)


def probes_of(problem: Problem) -> Floats:
    """Round y over all that is looked at, float32 (K,): multiples of 0.2, or of 0.1 where that is narrow."""
    low, high = problem.y_window
    tenths = 2 if high - low > 2 else 1
    while (high - low) * 10 / tenths > 30:  # wide ranges, from the command line only
        tenths *= 10
    first, last = math.ceil(low * 10 / tenths), math.floor(high * 10 / tenths)
    return (np.arange(first, last + 1) * tenths / 10).astype(np.float32)


def start_learning(recipe: ConditionalRecipe) -> Callable[[], Iterator[LearningView]]:
    """Work for :meth:`Engine.submit_light`: twenty optimiser steps an event."""
    return lambda: _learn(recipe)


def _learn(recipe: ConditionalRecipe) -> Iterator[LearningView]:
    losses = Series()
    y = cloud_grid(recipe.problem)
    x: Floats | None = None
    looked_at = 0
    for progress in learn(recipe):
        losses.append(progress.step, progress.loss)
        if progress.step % LOOK_EVERY == 0 or progress.step == progress.steps:
            frames = draw(progress.model, y, sampler=LOOK_SAMPLER, steps=min(LOOK_STEPS, recipe.timesteps))
            x, looked_at = deque(frames, maxlen=1)[0].x, progress.step
        yield LearningView(recipe, progress, losses.view(), y, x, looked_at)


def start_drawing(model: ConditionalModel, request: DrawRequest) -> Callable[[], Iterator[DrawView]]:
    """Work for :meth:`Engine.submit_light`: a sampler step an event; the first is the noise."""
    return lambda: _draw(model, request)


def _draw(model: ConditionalModel, request: DrawRequest) -> Iterator[DrawView]:
    problem, T = model.recipe.problem, model.schedule.T
    steps = T if request.steps is None else min(request.steps, T)
    times = (T - 1, *(s for _, s in transitions(T, steps)))
    alpha_bars = np.array([model.schedule.alpha_bar(t) for t in times])
    y, probes = cloud_grid(problem), probes_of(problem)
    cloud = np.zeros((len(times), len(y)), np.float32)
    at = np.zeros((len(times), len(probes), PER_PROBE), np.float32)
    asked = np.concatenate([y, np.repeat(probes, PER_PROBE)])
    frames = draw(model, asked, sampler=request.sampler, steps=steps, seed=request.seed)
    for index, frame in enumerate(frames):
        cloud[index], at[index] = frame.x[: len(y)], frame.x[len(y) :].reshape(at.shape[1:])
        yield DrawView(request, model, times, alpha_bars, y, cloud, probes, at, index + 1)
