"""Growing curves: bounded, exact in every bucket, and views that never change."""

import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from difftui.runs import HistoryBuilder, Series

VALUES = st.one_of(st.floats(-1e6, 1e6), st.just(math.nan), st.just(math.inf))
POINTS = st.lists(
    st.tuples(st.floats(1e-3, 1e3), VALUES, st.integers(1, 50), st.floats(0, 10), st.floats(0, 10)),
    min_size=5,
    max_size=200,
)


def test_a_view_never_changes_while_the_series_grows() -> None:
    series = Series(64)
    views = []
    for step in range(1000):
        series.append(step, math.sin(step))
        view = series.view()
        parts = (view.x, view.y, view.low, view.high, view.smooth)
        views.append((parts, [part.copy() for part in parts]))
    for parts, copies in views:
        for part, copy in zip(parts, copies, strict=True):
            np.testing.assert_array_equal(part, copy)
            assert not part.flags.writeable


def test_a_short_series_keeps_every_value() -> None:
    series = Series()
    for step in range(5000):
        series.append(step, step * 0.5)
    view = series.view()
    assert len(view) == 5000
    for part in (view.y, view.low, view.high):
        np.testing.assert_array_equal(part, np.arange(5000) * 0.5)
    assert series.view() is view


@settings(max_examples=100)
@given(POINTS, st.integers(8, 40), st.integers(1, 7))
def test_every_bucket_is_exact_whatever_comes(
    points: list[tuple[float, float, int, float, float]], buckets: int, look_every: int
) -> None:
    """Lowest, highest and weighted mean of the values between two places, against a plain sum over them."""
    series, x, rows = Series(buckets), 0.0, []
    for number, (gap, y, weight, below, above) in enumerate(points):
        x += gap
        series.append(x, y, low=y - below, high=y + above, weight=weight)
        rows.append((x, y, weight, y - below, y + above))
        if number % look_every == 0:
            series.view()
    view = series.view()
    assert 1 <= len(view) <= buckets
    assert view.x[-1] == x
    assert np.all(np.diff(view.x) > 0)
    good = [row for row in rows if math.isfinite(row[1])]
    assert series.weight == sum(row[2] for row in good)
    left = -math.inf
    for place, mean, low, high in zip(view.x, view.y, view.low, view.high, strict=True):
        inside = [row for row in good if left < row[0] <= place]
        left = place
        if not inside:
            assert math.isnan(mean)
            assert math.isnan(low)
            assert math.isnan(high)
            continue
        assert low == min(row[3] for row in inside)
        assert high == max(row[4] for row in inside)
        truth = math.fsum(row[1] * row[2] for row in inside) / sum(row[2] for row in inside)
        assert abs(mean - truth) <= 1e-9 * max(1.0, *(abs(row[1]) for row in inside))


@settings(max_examples=30)
@given(st.lists(st.floats(-10, 10), min_size=40, max_size=200), st.randoms(use_true_random=False))
def test_blocks_of_values_count_as_the_values_do(values: list[float], random: object) -> None:
    """However a row of losses is cut into blocks: the same lowest, highest, mean and weight in all."""
    series, at = Series(8), 0
    while at < len(values):
        block = values[at : at + random.randint(1, 9)]
        at += len(block)
        series.append(at, sum(block) / len(block), low=min(block), high=max(block), weight=len(block))
    view = series.view()
    assert series.weight == len(values)
    assert min(view.low) == min(values)
    assert max(view.high) == max(values)
    edges = [0, *view.x.astype(int)]
    for left, right, mean in zip(edges, edges[1:], view.y, strict=False):
        assert abs(mean - np.mean(values[left:right])) < 1e-9


def test_a_very_long_series_is_small_and_exact() -> None:
    draws = np.random.default_rng(1)
    values = draws.standard_normal(100_000)
    series = Series(256)
    tracemalloc.start()
    for step, value in enumerate(values.tolist(), 1):
        series.append(step, value)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    view = series.view()
    assert size < 100_000
    assert 128 <= len(view) <= 256
    assert series.weight == 100_000
    starts = np.concatenate([[0], view.x[:-1]]).astype(int)
    np.testing.assert_array_equal(view.low, np.minimum.reduceat(values, starts))
    np.testing.assert_array_equal(view.high, np.maximum.reduceat(values, starts))
    counts = np.diff([*starts, 100_000])
    assert np.abs(view.y - np.add.reduceat(values, starts) / counts).max() < 1e-12
    assert len(set(counts[1:-1])) == 1  # neighbours are equally wide


def test_places_that_do_not_rise_and_places_far_away() -> None:
    series = Series(8)
    for value in range(1000):
        series.append(3.0, value)
    series.append(1e15, 7.0)
    series.append(1e15 + 1, 8.0)
    view = series.view()
    assert len(view) <= 8
    assert (view.low.min(), view.high.max(), series.weight) == (0.0, 999.0, 1002.0)
    with pytest.raises(ValueError, match="must not fall"):
        series.append(3.0, 1.0)
    with pytest.raises(ValueError, match="must be finite"):
        series.append(math.inf, 1.0)
    with pytest.raises(ValueError, match="weight must be more than 0"):
        series.append(2e15, 1.0, weight=0)
    with pytest.raises(ValueError, match="buckets must be at least 8"):
        Series(7)


def test_smoothing_of_a_constant_is_the_constant_and_forgets_like_its_decay() -> None:
    series = Series()
    for step in range(2000):
        series.append(step, 3.0)
    assert np.abs(series.view().smooth - 3.0).max() < 1e-6
    series.append(2000, 4.0)
    assert abs(series.view().smooth[-1] - (3.0 + (1 - 0.98))) < 1e-6


def test_smoothing_is_the_recursion_that_it_is_said_to_be() -> None:
    values = np.random.default_rng(2).standard_normal(7000)
    series, average, worst = Series(), 0.0, 0.0
    for count, value in enumerate(values.tolist()):
        kept = count / (count + 9) if count < 441 else 0.98 if count < 5000 else (count / (count + 1)) ** 100
        average = kept * average + (1 - kept) * value
        series.append(count, value)
        worst = max(worst, abs(series.view().smooth[-1] - average))
    assert worst < 1e-12


@given(st.integers(0, 6000), st.integers(1, 3000))
@settings(max_examples=25)
def test_a_block_smooths_as_its_values_would(before: int, block: int) -> None:
    one, many = Series(), Series()
    for series in (one, many):
        if before:
            series.append(0, 5.0, weight=before)
    one.append(1, 2.0, weight=block)
    for _ in range(block):
        many.append(1, 2.0)
    assert abs(one.view().smooth[-1] - many.view().smooth[-1]) < 1e-9


def test_a_gap_is_kept_and_leaves_the_average_alone() -> None:
    series = Series()
    series.append(0, 2.0)
    series.append(1, float("nan"))
    series.append(2, 2.0)
    view = series.view()
    assert np.isnan(view.y[1])
    np.testing.assert_allclose(view.smooth, 2.0)


def test_a_history_from_losses_and_rows() -> None:
    builder = HistoryBuilder()
    builder.add_losses(1, [3.0, 2.0])
    builder.add_row({"step": 2, "seconds": 0.5, "loss": 2.5, "grad": 1.5, "lr": 1e-3, "rate": 640})
    builder.add_losses(2, [9.0, 1.0])  # step 2 is known
    builder.add_row({"step": 3, "seconds": 0.7, "validation": 0.4, "bins": [0.1, None, 0.3]})
    builder.add_row({"step": 7, "seconds": 1.0, "loss": 0.5, "low": 0.25, "high": 1.0})
    history = builder.view()
    assert history.loss.x.tolist() == [1, 2, 3, 7]
    assert history.loss.y.tolist() == [3, 2, 1, 0.5]
    assert history.loss.low.tolist() == [3, 2, 1, 0.25]
    assert (history.validation.x.tolist(), history.validation.y.tolist()) == ([3], [0.4])
    assert history.gradient_norm.y.tolist() == [1.5]
    assert history.learning_rate.y.tolist() == [1e-3]
    assert history.images_per_second.y.tolist() == [640]
    assert history.by_timestep is not None
    np.testing.assert_array_equal(history.by_timestep, [0.1, math.nan, 0.3])
    assert (history.by_timestep_step, history.seconds) == (3, 1.0)
    assert builder.view() is history
    builder.add_row({"step": 8})
    assert builder.view() is not history


LEAVES = st.sampled_from(
    [None, True, -1, 0, 3, 10**14, 10**400, 0.5, -2.5, 1e308, math.inf, math.nan, "3", {}, {"step": 1}]
)
JSON = LEAVES | st.lists(LEAVES, max_size=4)
KEYS = ("step", "seconds", "loss", "low", "high", "grad", "lr", "rate", "validation", "bins")


@settings(max_examples=60)
@given(st.lists(st.dictionaries(st.sampled_from(KEYS), JSON, min_size=3), max_size=12))
def test_rows_that_make_no_sense_do_no_harm(rows: list[dict[str, object]]) -> None:
    builder = HistoryBuilder()
    for row in rows:
        builder.add_row(row)
    history = builder.view()
    for curve in (history.loss, history.validation, history.gradient_norm):
        assert not np.any(np.diff(curve.x) < 0)
        assert not np.isinf(curve.y).any()
        good = np.isfinite(curve.y)
        assert np.all(curve.low[good] <= curve.high[good])
