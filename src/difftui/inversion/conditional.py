"""A conditional diffusion model of x given y, in one dimension, on the pairs that the regression sees.

A small network looks at a noisy x_t, its time t and the given y, and is trained on the velocity
v = √ᾱ ε - √(1-ᾱ) x_0 with the schedules of :mod:`difftui.diffusion`; that room's samplers then draw x from
noise. Asked for x given y it does not answer with one number but with as many draws as one likes, and where
several x share that y, they fall on all of them.

x and y are scaled to [-1, 1] by the problem's own range and by what was seen. NumPy, as the regression is and
for the same reason: a step of 400 pairs takes about a millisecond on one core.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from difftui.diffusion import (
    SAMPLERS,
    SCHEDULES,
    NoiseSchedule,
    Prediction,
    add_noise,
    make_sampler,
    make_schedule,
    read_output,
    training_target,
    transitions,
)
from difftui.inversion.baselines import pairs
from difftui.inversion.mlp import MLP, Adam
from difftui.inversion.problem import Problem

__all__ = ["ConditionalModel", "ConditionalRecipe", "Drawing", "LearningProgress", "draw", "learn"]

Floats = NDArray[np.floating[Any]]
"""Of float32 here, save where a problem's own units come in."""

HIDDEN = (64, 64, 64)
WAVES = 8  # cosines of the time, in half turns over the schedule
TARGET = "v"
BETAS = (0.9, 0.99)
WARM_UP = 100  # steps
MOST_DECAY = 0.998  # of the running mean of the weights
MOST_STEPS = 1_000_000


@dataclass(frozen=True, slots=True)
class ConditionalRecipe:
    """Everything that decides a conditional model.

    Attributes:
        problem: what is inverted.
        points: pairs in the data set, the same as the regression's.
        schedule: a name in :data:`~difftui.diffusion.SCHEDULES`.
        timesteps: T of the schedule.
        steps: optimiser steps.
        batch_size: pairs a step, each with a time and a noise of its own.
        learning_rate: Adam's at its highest; after a warm-up it falls along a cosine to 0.
        seed: of the weights, the pairs, times and noises.

    Raises:
        ValueError: a value out of range; the message names it.
    """

    problem: Problem = field(default_factory=Problem)
    points: int = 200
    schedule: str = "cosine"
    timesteps: int = 100
    steps: int = 4000
    batch_size: int = 400
    learning_rate: float = 1e-2
    seed: int = 0

    def __post_init__(self) -> None:
        if self.schedule not in SCHEDULES:
            raise ValueError(f"schedule must be one of {', '.join(SCHEDULES)}, not {self.schedule!r}")
        limits = {"points": (4, 10_000), "timesteps": (2, 10_000), "steps": (1, MOST_STEPS)}
        for name, (low, high) in (limits | {"batch_size": (1, 10_000)}).items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
                raise ValueError(f"{name} must be a whole number from {low} to {high}, not {value!r}")
        if not 0.0 < self.learning_rate <= 1.0:
            raise ValueError(f"learning_rate must be above 0 and at most 1, not {self.learning_rate!r}")


@dataclass(frozen=True, eq=False)
class ConditionalModel:
    """A network that can draw x given y. Its weights do not change any more.

    Attributes:
        recipe: how it was made.
        schedule: of the noise.
        network: (x_t, y, features of t) → v, all scaled.
        step: optimiser steps behind the weights.
    """

    recipe: ConditionalRecipe
    schedule: NoiseSchedule
    network: MLP
    step: int

    @property
    def parameters(self) -> int:
        """Number of weights and biases."""
        return self.network.parameters.size

    def denoise(self, x_t: Floats, t: int, y: Floats) -> Prediction[NDArray[Any]]:
        """What the network takes x_0 and ε to be, scaled; x_t and y (scaled) are (N,)."""
        times = np.full(x_t.shape, t)
        output, _ = self.network.forward(_inputs(x_t, y, times, self.schedule.T))
        return read_output(TARGET, output[:, 0], x_t, self.schedule.alpha_bar(t))


@dataclass(frozen=True, slots=True, eq=False)
class LearningProgress:
    """A training after a chunk of steps.

    Attributes:
        step: optimiser steps done; ``steps`` of so many.
        loss: mean squared error of v over the chunk's batches. It has a floor above 0: the noise in x_t
            cannot be told exactly from x_t.
        model: with the running mean of the weights so far.
    """

    step: int
    steps: int
    loss: float
    model: ConditionalModel


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """Draws on their way from noise.

    Attributes:
        time: where they are now, T-1 (pure noise) … 0, then -1: finished.
        x: (N,) in the problem's own units; scaled it is √ᾱ x_0 + √(1-ᾱ) ε.
        alpha_bar: share of x_0's power in it.
    """

    time: int
    x: Floats
    alpha_bar: float


def learn(recipe: ConditionalRecipe, *, every: int = 20) -> Generator[LearningProgress, None, None]:
    """Train a conditional model; an event after every ``every`` steps and at the end.

    Adam on the mean squared error of v, each pair of a batch with its own t and ε. Returned weights are a
    running mean. The same recipe gives the same numbers on the same machine.
    """
    rng = np.random.default_rng(recipe.seed)
    y, x = _scaled_pairs(recipe)
    schedule = make_schedule(recipe.schedule, recipe.timesteps)
    alpha_bars = schedule.alpha_bars.astype(np.float32)
    network = MLP((3 + WAVES, *HIDDEN, 1), "relu", rng, dtype=np.float32)
    mean = network.parameters.copy()
    optimiser = Adam(network.parameters, recipe.learning_rate, BETAS)
    losses: list[float] = []
    for step in range(1, recipe.steps + 1):
        chosen = rng.integers(0, recipe.points, recipe.batch_size)
        times = rng.integers(0, schedule.T, recipe.batch_size)
        eps = rng.standard_normal(recipe.batch_size, dtype=np.float32)
        level = alpha_bars[times]
        x_t = add_noise(x[chosen], eps, level)
        wanted = training_target(TARGET, x[chosen], eps, level)
        loss, gradient = network.gradient(_inputs(x_t, y[chosen], times, schedule.T), wanted[:, None])
        optimiser.learning_rate = _learning_rate(recipe, step)
        optimiser.step(gradient)
        mean += (network.parameters - mean) * np.float32(1.0 - min(MOST_DECAY, (1 + step) / (10 + step)))
        losses.append(float(loss))
        if step % every == 0 or step == recipe.steps:
            model = ConditionalModel(recipe, schedule, network.with_parameters(mean), step)
            yield LearningProgress(step, recipe.steps, float(np.mean(losses)), model)
            losses.clear()


def draw(
    model: ConditionalModel,
    y: Floats,
    *,
    sampler: str = "ddpm",
    steps: int | None = None,
    seed: int = 0,
) -> Generator[Drawing, None, None]:
    """Draw one x for each given y (N,), a frame a sampler step; the first is the noise it starts from.

    Args:
        model: trained by :func:`learn`.
        y: in the problem's own units; any, seen or not.
        sampler: a name in :data:`~difftui.diffusion.SAMPLERS`.
        steps: sampler steps; None is every timestep.
        seed: of all noise.

    Raises:
        ValueError: at the first frame, for an unknown sampler or a number of steps that cannot be.
    """
    if sampler not in SAMPLERS:
        raise ValueError(f"unknown sampler {sampler!r}; known are {', '.join(SAMPLERS)}.")
    rng = np.random.default_rng(seed)
    schedule, problem = model.schedule, model.recipe.problem
    given = _scale(np.asarray(y, np.float64), problem.seen)
    stepper = make_sampler(
        sampler,
        schedule,
        lambda x_t, t: model.denoise(x_t, t, given),
        lambda like: rng.standard_normal(like.shape, dtype=np.float32),
    )
    x = rng.standard_normal(given.shape, dtype=np.float32)
    yield Drawing(schedule.T - 1, _unscale(x, problem.x_range), schedule.alpha_bar(schedule.T - 1))
    for t, s in transitions(schedule.T, schedule.T if steps is None else steps):
        x = stepper.step(x, t, s).x.astype(np.float32)
        yield Drawing(s, _unscale(x, problem.x_range), schedule.alpha_bar(s))


def _scaled_pairs(recipe: ConditionalRecipe) -> tuple[Floats, Floats]:
    y, x = pairs(recipe.problem, recipe.points)
    return _scale(y, recipe.problem.seen), _scale(x, recipe.problem.x_range)


def _scale(values: NDArray[np.float64], limits: tuple[float, float]) -> Floats:
    """To -1 … 1."""
    low, high = limits
    return ((values - (low + high) / 2) / ((high - low) / 2)).astype(np.float32)


def _unscale(values: Floats, limits: tuple[float, float]) -> Floats:
    low, high = limits
    return (values * ((high - low) / 2) + (low + high) / 2).astype(np.float32)


def _inputs(x_t: Floats, y: Floats, times: NDArray[np.int64], T: int) -> Floats:
    """x_t, y and the time u in [0, 1] as 2u - 1 and cos πku, k = 1 … 8: (N, 11)."""
    result = np.empty((len(x_t), 3 + WAVES), np.float32)
    share = times / max(1, T - 1)
    result[:, 0], result[:, 1], result[:, 2] = x_t, y, 2 * share - 1
    result[:, 3:] = np.cos(np.pi * share[:, None] * np.arange(1, WAVES + 1))
    return result


def _learning_rate(recipe: ConditionalRecipe, step: int) -> float:
    warm = min(1.0, step / WARM_UP)
    return recipe.learning_rate * warm * (0.5 + 0.5 * math.cos(math.pi * step / recipe.steps))
