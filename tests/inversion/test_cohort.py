"""Many networks in one array programme: each the one it would be alone, and the figures of LABS."""

from collections import deque
from functools import cache

import numpy as np
import pytest

from difftui.inversion import ACTIVATIONS, CohortProgress, InversionRecipe, Problem, fit_cohort, fit_inverse
from difftui.inversion.recipe import Activation
from difftui.proportion import wilson


@cache
def cohort(recipe: InversionRecipe, count: int) -> CohortProgress:
    return deque(fit_cohort(recipe, count, every=recipe.epochs), maxlen=1)[0]


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_each_is_the_single_fit_of_its_seed(activation: Activation) -> None:
    recipe = InversionRecipe(hidden_layers=(5, 4), activation=activation, epochs=40, seed=3, points=90)
    together = cohort(recipe, 4)
    assert together.seeds.tolist() == [3, 4, 5, 6]
    for place, seed in enumerate(together.seeds):
        alone = deque(
            fit_inverse(
                InversionRecipe(
                    hidden_layers=(5, 4), activation=activation, epochs=40, seed=int(seed), points=90
                )
            ),
            maxlen=1,
        )[0]
        assert abs(together.mse[place] - alone.mse) < 1e-9
        assert together.mse_over_line[place] == pytest.approx(alone.mse_over_line, rel=1e-9)
        assert np.abs(together.prediction[place] - alone.prediction).max() < 1e-6
        assert together.dead[place] == alone.dead


def test_the_labs_net_over_100_seeds() -> None:
    """LABS: median 6.0e-4, 19 % near the line, 19 % dead."""
    end = cohort(InversionRecipe(), 100)
    assert end.epoch == 500
    assert float(np.median(end.mse)) == pytest.approx(6.0e-4, rel=0.1)
    assert 14 <= end.near_line.sum() <= 30
    assert 14 <= end.dead.sum() <= 24
    assert end.mse[end.dead] == pytest.approx(0.337, abs=1e-3)
    assert not (end.near_line & end.dead).any()


def test_three_units_and_sixteen() -> None:
    """LABS: 1-3-1 median 7.3e-4, 43 % near the line; 1-16-16-1 median 1.1e-5. Fewer seeds here."""
    three = cohort(InversionRecipe(hidden_layers=(3,)), 60)
    assert float(np.median(three.mse)) == pytest.approx(7.3e-4, rel=0.05)
    assert 0.3 <= three.near_line.mean() <= 0.56
    ours, theirs = wilson(int(three.dead.sum()), 60), wilson(3, 100)
    assert ours[0] < theirs[1], "LABS has 3 dead of 100, which is 1 to 8.5 %"
    assert float(np.median(cohort(InversionRecipe(hidden_layers=(16, 16)), 12).mse)) < 3e-5


def test_constant_nets_of_an_even_problem_are_dead_and_not_near() -> None:
    """On x² the best line is a constant: who answers one is dead all the same."""
    recipe = InversionRecipe(function="square", x_range=(-1.0, 1.0), epochs=100)
    end = cohort(recipe, 30)
    assert end.dead.any()
    assert not (end.dead & end.near_line).any()
    assert np.ptp(end.prediction[end.dead], axis=1).max() < 0.3  # beyond the data a dead net may bend


def test_events_come_at_the_epochs_asked_for() -> None:
    events = list(fit_cohort(InversionRecipe(epochs=7, points=20), 2, every=3))
    assert [event.epoch for event in events] == [0, 3, 6, 7]
    assert events[0].grid.shape == (261,)
    assert events[0].prediction.shape == (2, 261)
    with pytest.raises(ValueError, match="read-only"):
        events[0].prediction[0, 0] = 1.0


def test_bad_counts() -> None:
    for count in (0, 1001):
        with pytest.raises(ValueError, match="count must be a whole number from 1 to 1000"):
            fit_cohort(InversionRecipe(), count)


def test_the_grid_is_the_problems_own() -> None:
    event = next(fit_cohort(InversionRecipe(function="bishop", x_range=(0.0, 1.0)), 1))
    assert (float(event.grid[0]), float(event.grid[-1])) == pytest.approx(
        Problem("bishop", (0.0, 1.0)).y_window
    )
