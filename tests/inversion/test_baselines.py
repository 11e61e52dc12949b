"""The closed forms against NumPy's own least squares, and the figures the lab quotes."""

import math

import numpy as np
import pytest

from difftui.inversion.baselines import baselines, best_line, pairs
from difftui.inversion.problem import Problem


@pytest.mark.parametrize("x_range", [(-1.0, 1.0), (-0.3, 1.5), (-math.pi, math.pi)])
def test_best_line_is_the_least_squares_solution(x_range: tuple[float, float]) -> None:
    y, x = pairs(Problem(x_range=x_range))
    for intercept in (True, False):
        design = np.stack([y, np.ones_like(y)], axis=1) if intercept else y[:, None]
        solution, residual, *_ = np.linalg.lstsq(design, x)
        line = best_line(y, x, intercept=intercept)
        assert line.slope == pytest.approx(solution[0], abs=1e-12)
        assert line.intercept == pytest.approx(solution[1] if intercept else 0.0, abs=1e-12)
        assert line.mse == pytest.approx(residual[0] / 200, rel=1e-10)
        assert np.mean((line.at(y) - x) ** 2) == pytest.approx(line.mse, rel=1e-10)


def test_figures_of_the_lab() -> None:
    found = baselines()
    assert found.line.slope == pytest.approx(1.1056, abs=5e-5)
    assert found.line.intercept == pytest.approx(0.0, abs=1e-12)
    assert found.line.mse == pytest.approx(0.000716, abs=5e-7)
    assert found.line.mse < 0.0007180905069148852  # the worked solution's "success" loses to a ruler
    assert found.identity_mse == pytest.approx(0.00378, abs=5e-6)
    assert found.constant_mse == pytest.approx(0.337, abs=5e-4)
    assert found.seen == pytest.approx((-math.sin(1), math.sin(1)), abs=1e-15)


def test_symmetric_data_need_no_intercept_and_lopsided_data_do() -> None:
    even = baselines()
    assert even.line.slope == pytest.approx(even.line_through_origin.slope, abs=1e-14)
    odd = baselines(Problem(x_range=(0.0, 1.5)))
    assert odd.line.mse < 0.8 * odd.line_through_origin.mse


def test_constant_y_gets_a_flat_line() -> None:
    line = best_line(np.full(5, 0.5), np.arange(5.0))
    assert (line.slope, line.intercept, line.mse) == (0.0, 2.0, 2.0)


def test_pairs_undo_each_other() -> None:
    y, x = pairs(Problem(x_range=(-1.5, 1.5)), 50)
    assert x[0] == -1.5
    assert x[-1] == 1.5
    assert np.abs(Problem(x_range=(-1.5, 1.5)).best_answer(y) - x).max() < 1e-12


def test_no_inverse_beyond_one() -> None:
    known = Problem().best_answer(np.array([-1.3, -1.0, 0.0, 1.0, np.nextafter(1.0, 2.0)]))
    assert np.isnan(known).tolist() == [True, False, False, False, True]
    assert known[3] == pytest.approx(math.pi / 2)


def test_bad_arguments() -> None:
    with pytest.raises(ValueError, match="at least 2 points, not 1"):
        pairs(points=1)
    with pytest.raises(ValueError, match="must rise"):
        Problem(x_range=(1.0, 1.0))
    with pytest.raises(ValueError, match=r"one length, not of shapes \(3,\) and \(2,\)"):
        best_line(np.zeros(3), np.zeros(2))
    with pytest.raises(ValueError, match="one length"):
        best_line(np.zeros(0), np.zeros(0))
