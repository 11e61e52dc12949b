"""What is exactly known of an inverse, against closed forms and against counting."""

import math

import numpy as np
import pytest

from difftui.inversion import FUNCTIONS, PROBLEMS, Problem, baselines

WIDE = Problem("sin", (-math.pi, math.pi))
HALF = Problem("sin", (0.0, math.pi))
Y = np.linspace(-0.999, 0.999, 41)


def test_branches_of_the_sine_are_arcsin_and_its_mirror() -> None:
    branches = np.sort(WIDE.branches(Y), axis=0)  # NaN last
    mirror = np.where(Y >= 0, math.pi - np.arcsin(Y), -math.pi - np.arcsin(Y))
    expected = np.sort(np.stack([np.arcsin(Y), mirror]), axis=0)
    there = np.isfinite(branches).sum(axis=0)
    assert (there[np.abs(Y) > 1e-9] == 2).all()
    assert np.abs(branches[:2] - expected)[:, np.abs(Y) > 1e-9].max() < 1e-12
    assert np.isnan(WIDE.branches(np.array([1.0001, -3.0]))).all()


def test_three_branches_of_sin_3x_average_to_a_third_of_their_middle() -> None:
    problem = Problem("sin3", (-math.pi / 2, math.pi / 2))
    assert np.isfinite(problem.branches(Y)).all()
    assert np.abs(problem.average(Y) + np.arcsin(Y) / 9).max() < 1e-12


def test_every_branch_is_an_inverse() -> None:
    for problem in PROBLEMS:
        y = np.linspace(*problem.seen, 101)[1:-1]
        branches = problem.branches(y)
        known = np.isfinite(branches)
        assert known.any(axis=0).all()
        assert np.abs(problem.f.value(branches) - y)[known].max() < 1e-9
        assert np.abs(problem.shares(branches).sum(axis=0) - 1).max() < 1e-12


def test_slopes_are_derivatives_and_turns_their_zeros() -> None:
    x = np.linspace(-2, 2, 101)
    for function in FUNCTIONS.values():
        numeric = (function.value(x + 1e-6) - function.value(x - 1e-6)) / 2e-6
        assert np.abs(function.slope(x) - numeric).max() < 1e-7
        turns = function.turns(-2.0, 2.0)
        assert np.abs(function.slope(turns)).max() < 1e-12
        signs = np.flatnonzero(np.diff(np.sign(function.slope(np.linspace(-2, 2, 100_002)))))
        assert len(turns) == len(signs)


def test_the_average_is_a_step_or_flat() -> None:
    y = Y[np.abs(Y) > 1e-9]
    assert np.abs(WIDE.average(y) - np.sign(y) * math.pi / 2).max() < 1e-12
    assert np.abs(HALF.average(np.abs(y)) - math.pi / 2).max() < 1e-12
    assert np.isnan(HALF.average(np.array([-0.5]))).all()
    assert np.abs(Problem("square").average(np.linspace(0.01, 0.99, 9))).max() < 1e-12


def test_floors_in_closed_form() -> None:
    assert WIDE.floor == pytest.approx(math.pi**2 / 12, abs=1e-12)
    assert HALF.floor == pytest.approx(math.pi**2 / 12, abs=1e-12)
    assert Problem("square", (-1.0, 1.0)).floor == pytest.approx(1 / 3, abs=1e-12)
    # x = ±√y up to y = 1, then √y alone: ∫ x² over [-1, 1], over a range of 3.
    assert Problem("square", (-1.0, 2.0)).floor == pytest.approx(2 / 9, abs=1e-12)
    assert Problem("sin3", (-math.pi / 2, math.pi / 2)).floor == pytest.approx(
        20 * math.pi**2 / 243, abs=1e-12
    )
    assert Problem("sin", (-1.0, 1.0)).floor == 0.0


def test_shares_and_floor_where_branches_are_unequal_by_counting() -> None:
    """Bishop's curve: many x, sorted into narrow bins of y, without any derivative."""
    problem = Problem("bishop", (0.0, 1.0))
    x = (np.arange(2_000_000) + 0.5) / 2_000_000
    y = problem.f.value(x)
    at = 0.5
    near = x[np.abs(y - at) < 1e-3]
    index, _ = problem.nearest(np.full(near.shape, at), near)
    counted = np.bincount(index, minlength=3) / len(near)
    assert np.abs(counted - problem.shares(problem.branches(np.array(at)))).max() < 2e-3
    assert counted.max() - counted.min() > 0.15
    bins = np.floor(y * 4000).astype(int)
    number = np.bincount(bins)
    mean = np.bincount(bins, x) / np.maximum(number, 1)
    assert problem.floor == pytest.approx(float(np.mean((x - mean[bins]) ** 2)), rel=5e-3)


def test_one_valued_inverse_goes_on_beyond_the_data() -> None:
    lab = Problem()
    assert np.abs(lab.best_answer(Y) - np.arcsin(Y)).max() < 1e-12
    assert np.isnan(lab.best_answer(np.array([-1.01, 1.01]))).all()
    assert lab.y_window == pytest.approx((-1.3, 1.3))
    assert lab.x_window == pytest.approx((-math.pi / 2, math.pi / 2))
    assert lab.seen == pytest.approx((-math.sin(1), math.sin(1)))


def test_baselines_of_many_valued_data() -> None:
    """On [0, π] nothing beats a constant; on [-π, π] the line is beaten by the step, and by nothing else."""
    half, wide = baselines(HALF, 5000), baselines(WIDE, 5000)
    assert half.line.mse == pytest.approx(half.floor, rel=1e-3)
    assert half.average_mse == pytest.approx(half.constant_mse, rel=1e-9)
    assert wide.line.slope == pytest.approx(2.0, rel=2e-3)  # cov 1, variance 1/2
    assert wide.line.mse == pytest.approx(math.pi**2 / 3 - 2, rel=2e-3)
    assert wide.average_mse == pytest.approx(math.pi**2 / 12, rel=1e-2)  # both ends have y = 0
    assert baselines().average_mse == 0.0


def test_nearest_names_branch_and_distance() -> None:
    index, distance = HALF.nearest(np.array([0.5, 0.5, 2.0]), np.array([0.5, 2.7, 1.0]))
    assert index.tolist() == [0, 1, 0]
    assert distance[:2] == pytest.approx([math.pi / 6 - 0.5, 2.7 - 5 * math.pi / 6])
    assert math.isnan(distance[2])


def test_bad_problems_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown function 'cos'; known: sin, sin3, square, bishop"):
        Problem("cos")
    with pytest.raises(ValueError, match="x_range must rise"):
        Problem("sin", (1.0, 1.0))
