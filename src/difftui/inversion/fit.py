"""Fitting the inverse of the sine, one epoch at a time."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from difftui.inversion.baselines import best_line, sine_pairs
from difftui.inversion.mlp import Adam, InverseMLP
from difftui.inversion.recipe import InversionRecipe

__all__ = ["FitProgress", "fit_inverse", "prediction_grid", "untrained"]

Floats = NDArray[np.float64]


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


def prediction_grid(limit: float = 1.3, points: int = 261) -> NDArray[np.float32]:
    """Equally spaced y from -limit to limit, float32 (points,).

    The default reaches beyond every sine, to show what a network says where there is nothing to learn from.
    """
    return np.linspace(-limit, limit, points, dtype=np.float32)


def fit_inverse(
    recipe: InversionRecipe, *, grid: NDArray[np.float32] | None = None
) -> Generator[FitProgress, None, None]:
    """Train a network on (sin x → x) and yield after every epoch; ``next()`` trains exactly one.

    Minimises the mean squared error with Adam over batches in a new random order each epoch. Nothing is
    computed until the first ``next()``. One generator seeded by ``recipe.seed`` draws the starting weights
    and the orders, so the same recipe gives the same numbers on the same machine.

    Args:
        recipe: the network, the data and the training.
        grid: y (G,) at which to report the prediction; by default :func:`prediction_grid`.

    Raises:
        ValueError: at the call, when the grid is not a one-dimensional list of finite numbers.
    """
    return _fit(recipe, _checked(grid))


def untrained(recipe: InversionRecipe, *, grid: NDArray[np.float32] | None = None) -> FitProgress:
    """The network before its first epoch (``epoch`` 0): the weights that :func:`fit_inverse` starts from.

    Args:
        recipe: the network and the data.
        grid: as for :func:`fit_inverse`.

    Raises:
        ValueError: as :func:`fit_inverse`.
    """
    y, x = sine_pairs(recipe.points, recipe.x_range)
    net = _start(recipe, np.random.default_rng(recipe.seed))
    return _measure(net, 0, y, x, _checked(grid), best_line(y, x).mse)


def _checked(grid: NDArray[np.float32] | None) -> NDArray[np.float32]:
    places = prediction_grid() if grid is None else np.array(grid, dtype=np.float32)
    if places.ndim != 1 or places.size == 0 or not np.isfinite(places).all():
        raise ValueError("grid must be a one-dimensional list of finite numbers, and not empty")
    places.setflags(write=False)
    return places


def _start(recipe: InversionRecipe, rng: np.random.Generator) -> InverseMLP:
    return InverseMLP(recipe.hidden_layers, recipe.activation, rng)


def _fit(recipe: InversionRecipe, grid: NDArray[np.float32]) -> Generator[FitProgress, None, None]:
    rng = np.random.default_rng(recipe.seed)
    y, x = sine_pairs(recipe.points, recipe.x_range)
    line_mse = best_line(y, x).mse
    net = _start(recipe, rng)
    optimiser = Adam(net.parameters, recipe.learning_rate)
    for epoch in range(1, recipe.epochs + 1):
        _train_epoch(net, optimiser, y, x, recipe.batch_size, rng)
        yield _measure(net, epoch, y, x, grid, line_mse)


def _train_epoch(
    net: InverseMLP, optimiser: Adam, y: Floats, x: Floats, batch_size: int, rng: np.random.Generator
) -> None:
    order = rng.permutation(len(y))
    shuffled_y, shuffled_x = y[order, None], x[order, None]
    for start in range(0, len(y), batch_size):
        batch = slice(start, start + batch_size)
        optimiser.step(net.gradient(shuffled_y[batch], shuffled_x[batch]))


def _measure(
    net: InverseMLP, epoch: int, y: Floats, x: Floats, grid: NDArray[np.float32], line_mse: float
) -> FitProgress:
    answers, sums = net.forward(np.concatenate([y, grid])[:, None])
    on_data = answers[: len(y), 0]
    prediction = answers[len(y) :, 0].astype(np.float32)
    prediction.setflags(write=False)
    mse = float(np.mean(np.square(on_data - x)))
    silent = sum(int(np.all(z[: len(y)] <= 0.0, axis=0).sum()) for z in sums)
    return FitProgress(
        epoch=epoch,
        mse=mse,
        mse_over_line=mse / line_mse,
        grid=grid,
        prediction=prediction,
        parameters=net.parameters.size,
        hidden_units=sum(z.shape[1] for z in sums),
        dead_units=silent if net.activation == "relu" else 0,
        # A millionth of the data's width: rounding apart, nothing that a screen or a student could see.
        dead=bool(np.ptp(on_data) <= 1e-6 * np.ptp(x)),
    )
