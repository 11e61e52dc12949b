"""The fit itself: what it reports, that it learns, and when it cannot."""

import subprocess
import sys
from collections import deque

import numpy as np
import pytest

from difftui.inversion import (
    ACTIVATIONS,
    FitProgress,
    InversionRecipe,
    baselines,
    best_line,
    fit_inverse,
    pairs,
    untrained,
)
from difftui.inversion.mlp import MLP
from difftui.inversion.recipe import Activation


def last(recipe: InversionRecipe) -> FitProgress:
    return deque(fit_inverse(recipe), maxlen=1)[0]


def test_one_next_is_one_epoch() -> None:
    fit = fit_inverse(InversionRecipe(epochs=3))
    assert [next(fit).epoch, next(fit).epoch] == [1, 2]
    assert [progress.epoch for progress in fit] == [3]


def test_what_a_progress_holds() -> None:
    progress = next(fit_inverse(InversionRecipe(hidden_layers=(3, 5))))
    assert progress.parameters == InversionRecipe(hidden_layers=(3, 5)).parameters == 32
    assert progress.hidden_units == 8
    assert progress.mse_over_line == pytest.approx(progress.mse / baselines().line.mse)
    assert progress.grid.dtype == progress.prediction.dtype == np.float32
    assert progress.grid.shape == progress.prediction.shape == (261,)
    assert progress.grid[0] == np.float32(-1.3)
    assert progress.grid[-1] == np.float32(1.3)
    with pytest.raises(ValueError, match="read-only"):
        progress.prediction[0] = 0.0


def test_the_untrained_network_is_the_one_that_the_fit_starts_from() -> None:
    """With a step size near 0 the first epoch changes nothing that can be seen."""
    recipe = InversionRecipe(seed=3, learning_rate=1e-12)
    start, first = untrained(recipe), next(fit_inverse(recipe))
    assert (start.epoch, first.epoch) == (0, 1)
    assert np.abs(start.prediction - first.prediction).max() < 1e-6
    assert start.mse == pytest.approx(first.mse, rel=1e-6)
    assert np.abs(start.prediction - next(fit_inverse(InversionRecipe(seed=3))).prediction).max() > 1e-3
    with pytest.raises(ValueError, match="grid"):
        untrained(recipe, grid=np.zeros((2, 2), np.float32))


def test_mse_is_measured_over_the_whole_set_at_the_end_of_the_epoch() -> None:
    y, x = pairs(points=50)
    recipe = InversionRecipe(hidden_layers=(8,), points=50, batch_size=16, epochs=3, learning_rate=0.05)
    for progress in fit_inverse(recipe, grid=y.astype(np.float32)):
        assert progress.mse == pytest.approx(np.mean((progress.prediction - x) ** 2), rel=1e-4)


def test_progress_keeps_its_prediction_when_the_fit_goes_on() -> None:
    fit = fit_inverse(InversionRecipe(learning_rate=0.1))
    first = next(fit)
    before = first.prediction.copy()
    second = next(fit)
    assert np.array_equal(first.prediction, before)
    assert not np.array_equal(second.prediction, before)


def test_same_seed_same_fit_bit_for_bit() -> None:
    runs = [
        [(p.mse, p.prediction.tobytes()) for p in fit_inverse(InversionRecipe(epochs=5, seed=seed))]
        for seed in (7, 7, 8)
    ]
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


def test_the_global_generator_is_left_alone() -> None:
    before = np.random.get_state(legacy=False)["state"]  # noqa: NPY002
    next(fit_inverse(InversionRecipe()))
    after = np.random.get_state(legacy=False)["state"]  # noqa: NPY002
    assert (before["pos"], before["key"].tobytes()) == (after["pos"], after["key"].tobytes())


def test_two_fits_in_turn_do_not_disturb_each_other() -> None:
    recipes = [InversionRecipe(epochs=4, seed=seed) for seed in (1, 2)]
    in_turn = [p.mse for pair in zip(*map(fit_inverse, recipes), strict=True) for p in pair]
    alone = [[p.mse for p in fit_inverse(recipe)] for recipe in recipes]
    assert in_turn[0::2] == alone[0]
    assert in_turn[1::2] == alone[1]


def test_without_hidden_layers_it_finds_the_best_line() -> None:
    end = last(InversionRecipe(hidden_layers=(), learning_rate=0.01, batch_size=200, epochs=1500))
    line = best_line(*pairs())
    assert end.mse_over_line == pytest.approx(1.0, abs=1e-6)
    assert np.abs(end.prediction - line.at(end.grid.astype(np.float64))).max() < 1e-5
    assert (end.hidden_units, end.dead_units, end.dead) == (0, 0, False)


@pytest.mark.parametrize(("activation", "ratio"), [("relu", 0.1), ("tanh", 0.5), ("silu", 0.5)])
def test_a_wide_net_beats_the_line(activation: Activation, ratio: float) -> None:
    """With the lab's 500 epochs; smooth units learn more slowly (0.004, 0.15 and 0.25 were measured)."""
    end = last(InversionRecipe(hidden_layers=(16, 16), activation=activation))
    assert end.mse_over_line < ratio
    assert not end.dead


def test_a_dead_net_is_reported() -> None:
    """1-1-1-1 with biases 0: the second unit sees a sum ≥ 0 times its weight, so its sign decides."""
    seen = set()
    for seed in range(12):
        second_weight = MLP((1, 1, 1, 1), "relu", np.random.default_rng(seed)).parameters[2]
        progress = next(fit_inverse(InversionRecipe(hidden_layers=(1, 1), seed=seed)))
        assert progress.dead == (second_weight < 0), seed
        assert progress.dead_units == int(progress.dead)
        if progress.dead:
            assert progress.mse == pytest.approx(baselines().constant_mse, rel=1e-3)
            assert np.ptp(progress.prediction) == 0.0
        seen.add(progress.dead)
    assert seen == {True, False}


def test_only_units_with_a_flat_half_can_be_dead() -> None:
    """On y > 0 alone, a unit with a negative weight sees negative sums only: fatal for ReLU alone."""
    for seed in range(8):
        weight = MLP((1, 1, 1), "relu", np.random.default_rng(seed)).parameters[0]
        for activation in ACTIVATIONS:
            recipe = InversionRecipe(hidden_layers=(1,), activation=activation, x_range=(0.1, 1.0), seed=seed)
            assert next(fit_inverse(recipe)).dead_units == int(activation == "relu" and weight < 0), seed


def test_a_grid_of_ones_own_is_copied() -> None:
    grid = np.linspace(-1.0, 1.0, 5, dtype=np.float32)
    fit = fit_inverse(InversionRecipe(), grid=grid)
    grid[:] = 0.0
    assert next(fit).grid.tolist() == [-1.0, -0.5, 0.0, 0.5, 1.0]


@pytest.mark.parametrize("grid", [np.zeros((2, 2)), np.zeros(0), np.array([0.0, np.nan])])
def test_a_bad_grid_is_refused_at_the_call(grid: np.ndarray) -> None:
    with pytest.raises(ValueError, match="grid must be a one-dimensional list"):
        fit_inverse(InversionRecipe(), grid=grid)


def test_needs_no_torch() -> None:
    code = (
        "import sys; from difftui.inversion import InversionRecipe, fit_inverse;"
        "next(fit_inverse(InversionRecipe()));"
        "sys.exit(any(name.split('.')[0] in ('torch', 'textual') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
