"""Growing curves: views never change, smoothing is the average it claims to be."""

import numpy as np

from difftui.runs import Series


def test_a_view_never_changes_while_the_series_grows() -> None:
    series = Series()
    for step in range(1000):
        series.append(step, step * 0.5)
    view = series.view()
    before = view.y.copy()
    for step in range(1000, 5000):
        series.append(step, -1.0)
    assert len(view) == 1000
    np.testing.assert_array_equal(view.y, before)
    assert not view.y.flags.writeable
    assert len(series.view()) == 5000


def test_smoothing_of_a_constant_is_the_constant_and_forgets_like_its_decay() -> None:
    series = Series()
    for step in range(2000):
        series.append(step, 3.0)
    assert np.abs(series.view().smooth - 3.0).max() < 1e-6
    series.append(2000, 4.0)
    assert abs(series.view().smooth[-1] - (3.0 + (1 - 0.98))) < 1e-6


def test_a_gap_is_kept_and_leaves_the_average_alone() -> None:
    series = Series()
    series.append(0, 2.0)
    series.append(1, float("nan"))
    series.append(2, 2.0)
    view = series.view()
    assert np.isnan(view.y[1])
    np.testing.assert_allclose(view.smooth, 2.0)
