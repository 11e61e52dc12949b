"""Fitting an inverse by regression, one epoch at a time: one network, or many side by side."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from difftui.inversion.baselines import best_line, pairs
from difftui.inversion.mlp import MLP, Adam
from difftui.inversion.problem import Problem
from difftui.inversion.recipe import InversionRecipe

__all__ = [
    "CohortProgress",
    "FitProgress",
    "fit_cohort",
    "fit_inverse",
    "prediction_grid",
    "untrained",
]

Floats = NDArray[np.floating[Any]]

NEAR = 0.05  # of the line's error: so near is "no better than a straight line"
MOST_NETWORKS = 1000


@dataclass(frozen=True, slots=True, eq=False)
class FitProgress:
    """The state of a fit at the end of an epoch.

    Attributes:
        epoch: epochs done, from 1; 0 is the network that :func:`untrained` measures.
        mse: mean squared error in x over the whole data set, measured now (no running mean).
        mse_over_line: ``mse`` divided by that of the best straight line; about 1 means a ruler does as well.
        grid: the y at which the network is asked, float32 (G,), read-only; wider than the data.
        prediction: its x there, float32 (G,), read-only.
        parameters: number of weights and biases.
        hidden_units: number of hidden units.
        dead_units: hidden ReLU units that give 0 for every point of the data, so that they neither help
            nor learn. Always 0 for tanh and SiLU, which have no such flat half.
        dead: the network's answer is the same for every point of the data.
    """

    epoch: int
    mse: float
    mse_over_line: float
    grid: NDArray[np.float32]
    prediction: NDArray[np.float32]
    parameters: int
    hidden_units: int
    dead_units: int
    dead: bool


@dataclass(frozen=True, slots=True, eq=False)
class CohortProgress:
    """Many fits of one recipe that differ in their seeds alone, S of them, at the end of an epoch.

    Attributes:
        epoch: epochs done.
        seeds: (S,) of each network; each is the network that :func:`fit_inverse` makes of that seed.
        mse: (S,) as in :class:`FitProgress`.
        mse_over_line: (S,) the same over the best straight line's.
        dead: (S,) whether a network answers one constant.
        grid, prediction: float32 (G,) and (S, G).
    """

    epoch: int
    seeds: NDArray[np.int64]
    mse: Floats
    mse_over_line: Floats
    dead: NDArray[np.bool_]
    grid: NDArray[np.float32]
    prediction: NDArray[np.float32]

    @property
    def near_line(self) -> NDArray[np.bool_]:
        """(S,) whether the error is within 5 % of the best straight line's; dead networks are not counted."""
        return np.asarray((np.abs(self.mse_over_line - 1.0) <= NEAR) & ~self.dead)


def prediction_grid(problem: Problem | None = None, points: int = 261) -> NDArray[np.float32]:
    """Equally spaced y over ``problem.y_window``, float32 (points,): -1.3 to 1.3 for a sine.

    It reaches beyond the data and, where it can, beyond the function, to show what a network says where there
    is nothing to learn from.
    """
    return np.linspace(*(problem or Problem()).y_window, points, dtype=np.float32)


def fit_inverse(
    recipe: InversionRecipe, *, grid: NDArray[np.float32] | None = None
) -> Generator[FitProgress, None, None]:
    """Train a network on (f(x) → x) and yield after every epoch; ``next()`` trains exactly one.

    Minimises the mean squared error with Adam over batches in a new random order each epoch. Nothing is
    computed until the first ``next()``. One generator seeded by ``recipe.seed`` draws the starting weights
    and the orders, so the same recipe gives the same numbers on the same machine.

    Args:
        recipe: the network, the data and the training.
        grid: y (G,) at which to report the prediction; by default :func:`prediction_grid` of the problem.

    Raises:
        ValueError: at the call, when the grid is not a one-dimensional list of finite numbers.
    """
    return _fit(recipe, _checked(grid, recipe))


def untrained(recipe: InversionRecipe, *, grid: NDArray[np.float32] | None = None) -> FitProgress:
    """The network before its first epoch (``epoch`` 0): the weights that :func:`fit_inverse` starts from.

    Args:
        recipe: the network and the data.
        grid: as for :func:`fit_inverse`.

    Raises:
        ValueError: as :func:`fit_inverse`.
    """
    y, x = pairs(recipe.problem, recipe.points)
    net = MLP(recipe.layers, recipe.activation, np.random.default_rng(recipe.seed))
    return _measure(net, 0, y, x, _checked(grid, recipe), best_line(y, x).mse)


def fit_cohort(
    recipe: InversionRecipe, count: int = 100, *, every: int = 5, grid: NDArray[np.float32] | None = None
) -> Generator[CohortProgress, None, None]:
    """Train ``count`` networks in one array programme, with the seeds ``recipe.seed``, + 1, + 2 and so on.

    Each draws from a generator of its own, so it is the network of :func:`fit_inverse` with that seed, but
    for the rounding of sums taken in another order.

    Args:
        recipe: as for :func:`fit_inverse`.
        count: how many, 1 to 1000.
        every: epochs between two events; the first event is the untrained networks, the last the end.
        grid: as for :func:`fit_inverse`.

    Raises:
        ValueError: at the call, for a count or a grid that cannot be.
    """
    if not 1 <= count <= MOST_NETWORKS:
        raise ValueError(f"count must be a whole number from 1 to {MOST_NETWORKS}, not {count!r}")
    return _fit_cohort(recipe, np.arange(recipe.seed, recipe.seed + count), every, _checked(grid, recipe))


def _checked(grid: NDArray[np.float32] | None, recipe: InversionRecipe) -> NDArray[np.float32]:
    places = prediction_grid(recipe.problem) if grid is None else np.array(grid, dtype=np.float32)
    if places.ndim != 1 or places.size == 0 or not np.isfinite(places).all():
        raise ValueError("grid must be a one-dimensional list of finite numbers, and not empty")
    places.setflags(write=False)
    return places


def _fit(recipe: InversionRecipe, grid: NDArray[np.float32]) -> Generator[FitProgress, None, None]:
    rng = np.random.default_rng(recipe.seed)
    y, x = pairs(recipe.problem, recipe.points)
    line_mse = best_line(y, x).mse
    net = MLP(recipe.layers, recipe.activation, rng)
    optimiser = Adam(net.parameters, recipe.learning_rate)
    for epoch in range(1, recipe.epochs + 1):
        _train_epoch(net, optimiser, y, x, rng.permutation(len(y)), recipe.batch_size)
        yield _measure(net, epoch, y, x, grid, line_mse)


def _fit_cohort(
    recipe: InversionRecipe, seeds: NDArray[np.int64], every: int, grid: NDArray[np.float32]
) -> Generator[CohortProgress, None, None]:
    rngs = [np.random.default_rng(int(seed)) for seed in seeds]
    y, x = pairs(recipe.problem, recipe.points)
    line_mse = best_line(y, x).mse
    nets = MLP(recipe.layers, recipe.activation, rngs)
    optimiser = Adam(nets.parameters, recipe.learning_rate)
    yield _measure_all(nets, 0, seeds, y, x, grid, line_mse)
    for epoch in range(1, recipe.epochs + 1):
        orders = np.stack([rng.permutation(len(y)) for rng in rngs])
        _train_epoch(nets, optimiser, y, x, orders, recipe.batch_size)
        if epoch % every == 0 or epoch == recipe.epochs:
            yield _measure_all(nets, epoch, seeds, y, x, grid, line_mse)


def _train_epoch(
    net: MLP, optimiser: Adam, y: Floats, x: Floats, order: NDArray[np.int64], batch_size: int
) -> None:
    """One pass over the data in this order, (N,), or (S, N) for networks side by side."""
    shuffled_y, shuffled_x = y[order, None], x[order, None]
    for start in range(0, len(y), batch_size):
        batch = slice(start, start + batch_size)
        _, gradient = net.gradient(shuffled_y[..., batch, :], shuffled_x[..., batch, :])
        optimiser.step(gradient)


def _answers(
    net: MLP, y: Floats, grid: NDArray[np.float32]
) -> tuple[Floats, NDArray[np.float32], Sequence[Floats]]:
    """Answers on the data (..., N) and on the grid (..., G), and the hidden sums on the data."""
    answers, sums = net.forward(np.concatenate([y, grid])[:, None])
    prediction = answers[..., len(y) :, 0].astype(np.float32)
    prediction.setflags(write=False)
    return answers[..., : len(y), 0], prediction, [z[..., : len(y), :] for z in sums]


def _constant(on_data: Floats, x: Floats) -> NDArray[np.bool_]:
    """Whether the answers are one: to a millionth of the data's width, which nobody could see."""
    return np.asarray(np.ptp(on_data, axis=-1) <= 1e-6 * np.ptp(x))


def _measure(
    net: MLP, epoch: int, y: Floats, x: Floats, grid: NDArray[np.float32], line_mse: float
) -> FitProgress:
    on_data, prediction, sums = _answers(net, y, grid)
    mse = float(np.mean(np.square(on_data - x)))
    silent = sum(int(np.all(z <= 0.0, axis=0).sum()) for z in sums)
    return FitProgress(
        epoch=epoch,
        mse=mse,
        mse_over_line=mse / line_mse,
        grid=grid,
        prediction=prediction,
        parameters=net.parameters.size,
        hidden_units=sum(z.shape[1] for z in sums),
        dead_units=silent if net.activation == "relu" else 0,
        dead=bool(_constant(on_data, x)),
    )


def _measure_all(
    nets: MLP,
    epoch: int,
    seeds: NDArray[np.int64],
    y: Floats,
    x: Floats,
    grid: NDArray[np.float32],
    line_mse: float,
) -> CohortProgress:
    on_data, prediction, _ = _answers(nets, y, grid)
    mse = np.mean(np.square(on_data - x), axis=-1)
    return CohortProgress(epoch, seeds, mse, mse / line_mse, _constant(on_data, x), grid, prediction)
