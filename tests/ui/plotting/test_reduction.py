"""Many points to a few columns, against a loop over the columns."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from difftui.ui.plotting.reduction import finite_stretches, reduce_to_columns


@given(st.integers(1, 400), st.integers(1, 40), st.integers(0, 5))
def test_reduction_is_lowest_mean_and_highest_of_each_column(count: int, columns: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = np.sort(rng.uniform(-2, 5, count)), rng.normal(size=count)
    y[rng.random(count) < 0.2] = np.nan
    places, low, mean, high = reduce_to_columns(x, y, columns, (-1.0, 4.0))
    inside = (x >= -1) & (x <= 4)
    if inside.sum() <= columns:
        assert np.array_equal(places, x[inside])
        assert np.array_equal(mean, y[inside], equal_nan=True)
        return
    assert len(places) <= columns
    column = np.floor((x - -1.0) / 5.0 * columns).clip(0, columns - 1)
    for i, place in enumerate(places):
        values = y[inside & (column == math.floor((place + 1.0) / 5.0 * columns))]
        values = values[~np.isnan(values)]
        if len(values) == 0:
            assert np.isnan([low[i], mean[i], high[i]]).all()
        else:
            assert abs(mean[i] - values.mean()) < 1e-12
            assert (low[i], high[i]) == (values.min(), values.max())


def test_reduction_takes_points_in_any_order() -> None:
    rng = np.random.default_rng(0)
    x, y = np.arange(1000.0), rng.normal(size=1000)
    order = rng.permutation(1000)
    for ours, sorted_ in zip(
        reduce_to_columns(x[order], y[order], 50, (0.0, 999.0)),
        reduce_to_columns(x, y, 50, (0.0, 999.0)),
        strict=True,
    ):
        assert np.abs(ours - sorted_).max() < 1e-12


def test_points_that_stand_for_many_give_their_extremes_and_the_nearest_beyond_are_kept() -> None:
    x = np.arange(100.0)
    y, low, high = np.sin(x), np.sin(x) - x, np.sin(x) + x
    places, lows, means, highs = reduce_to_columns(x, y, 5, (9.5, 59.5), low=low, high=high, beyond=True)
    assert places.tolist() == [9.0, 14.5, 24.5, 34.5, 44.5, 54.5, 60.0]
    for i, start in enumerate(range(10, 60, 10), start=1):
        part = slice(start, start + 10)
        assert lows[i] == low[part].min()
        assert highs[i] == high[part].max()
        assert abs(means[i] - y[part].mean()) < 1e-12
    assert (lows[0], means[0], highs[-1]) == (low[9], y[9], high[60])


def test_finite_stretches() -> None:
    good = np.array([True, True, False, False, True, False, True])
    assert finite_stretches(good) == [slice(0, 2), slice(4, 5), slice(6, 7)]
    assert finite_stretches(np.zeros(3, bool)) == []
