"""Simulations as jobs: what is recorded is what sde.simulate yields, and theory is beside it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from difftui.diffusion.sde import EQUATIONS, Mixture, make_equation, simulate
from difftui.engine import Engine
from difftui.engine.simulating import (
    MOST_DRAWN,
    MOST_FRAMES,
    MOST_NUMBERS,
    PathView,
    Simulation,
    start_errors,
    start_paths,
)


def last(simulation: Simulation) -> PathView:
    *_, view = start_paths(simulation)()
    return view


@pytest.mark.parametrize("name", sorted(EQUATIONS))
def test_it_records_what_the_simulation_yields(name: str) -> None:
    simulation = Simulation(make_equation(name), paths=50, steps=40, seed=3)
    frames = list(simulate(simulation.equation, paths=50, steps=40, seed=3))
    view = last(simulation)
    assert view.complete
    assert len(view.t) == simulation.frames == 41
    assert np.array_equal(view.x, [frame.x for frame in frames])
    assert view.t.tolist() == [frame.t for frame in frames]
    assert view.mean.tolist() == [frame.mean for frame in frames]
    assert view.variance.tolist() == [frame.variance for frame in frames]
    assert view.law.mean.tolist() == pytest.approx([frame.theory_mean for frame in frames])
    assert view.law.variance.tolist() == pytest.approx([frame.theory_variance for frame in frames])
    assert view.drawn == MOST_DRAWN
    ends = [frame.exact for frame in frames]
    if ends[-1] is None:
        assert view.exact is view.strong is None
    else:
        exact = np.array(ends)
        assert view.exact is not None
        assert np.array_equal(view.exact, exact[:, :MOST_DRAWN])
        assert view.strong == pytest.approx(np.abs(view.x - exact).mean(axis=1), abs=1e-15)


def test_a_snapshot_stays_as_it_was_and_cannot_be_written() -> None:
    views = list(start_paths(Simulation(make_equation("brownian"), paths=3, steps=5))())
    assert [view.newest for view in views] == [0, 1, 2, 3, 4, 5]
    assert [view.complete for view in views] == [False] * 5 + [True]
    assert np.array_equal(views[2].x, views[-1].x[:3])
    for values in (views[0].x, views[0].t, views[0].mean, views[0].variation):
        with pytest.raises(ValueError, match="read-only"):
            values[0] = 1.0


def test_many_numbers_are_thinned_and_the_end_is_kept() -> None:
    many = Simulation(make_equation("brownian"), paths=20_000, steps=10_000)
    assert many.every * MOST_NUMBERS >= many.paths * many.steps
    long = Simulation(make_equation("brownian"), paths=1, steps=MOST_FRAMES + 1)
    view = last(long)
    assert long.every == 2
    assert len(view.t) == long.frames == MOST_FRAMES // 2 + 2
    assert view.t[-1] == 10.0


def test_the_quadratic_variation_of_brownian_motion_is_its_time() -> None:
    """Each step has the variance dt, so that their squares add up to t, with a deviation of t sqrt(2 / n)."""
    view = last(Simulation(make_equation("brownian"), paths=1, steps=2000, seed=1))
    assert view.variation[-1] == pytest.approx(10.0, abs=5 * 10 * math.sqrt(2 / 2000))
    assert view.variation[-1] == pytest.approx((np.diff(view.x[:, 0]) ** 2).sum())


def test_standard_errors_are_those_of_normal_numbers() -> None:
    view = last(Simulation(make_equation("brownian"), paths=20_000, steps=4))
    deviation = math.sqrt(view.variance[-1])
    assert view.mean_error[-1] == pytest.approx(deviation / math.sqrt(20_000))
    assert view.variance_error[-1] == pytest.approx(view.variance[-1] * math.sqrt(2 / 20_000), rel=0.05)
    alone = last(Simulation(make_equation("brownian"), paths=1, steps=4))
    assert alone.mean_error.tolist() == alone.variance_error.tolist() == [0.0] * 5


def test_parts_are_told_where_they_can_be() -> None:
    data = Mixture()

    def views(name: str) -> list[PathView]:
        return list(start_paths(Simulation(make_equation(name), paths=60, steps=30))())

    there = views("diffusion")[0]
    assert there.part is not None
    assert np.array_equal(there.part, there.x[0, :MOST_DRAWN] > 0)
    back = views("reverse")
    assert all(view.part is None for view in back[:-1])
    assert back[-1].part is not None
    assert np.array_equal(back[-1].part, data.likeliest(back[-1].x[-1, :MOST_DRAWN]))
    assert (there.law.starts_with_noise, back[-1].law.starts_with_noise) == (False, True)
    trip = views("round-trip")
    assert trip[-2].kept is None
    above, end = trip[-1].x[0] > 0, trip[-1].x[-1] > 0
    assert list(trip[-1].kept or ()) == pytest.approx([end[~above].mean(), end[above].mean()])
    assert views("brownian")[-1].part is None


@pytest.mark.parametrize("name", sorted(EQUATIONS))
def test_nearly_all_paths_stay_within_the_axis(name: str) -> None:
    view = last(Simulation(make_equation(name), paths=1000, steps=100))
    outside = (view.x < view.law.low) | (view.x > view.law.high)
    assert outside.mean() < 0.01
    assert np.isfinite(view.law.strength).all()
    assert (view.law.strength.max(axis=0) == 1.0).all()


def test_errors_come_one_by_one_with_the_orders_of_the_rule() -> None:
    """Strong order 1/2 where noise multiplies x, and weak order 1 (Kloeden & Platen)."""
    views = list(start_errors(make_equation("geometric"))())
    assert [len(view.errors) for view in views] == [1, 2, 3, 4, 5]
    assert [view.complete for view in views] == [False] * 4 + [True]
    assert views[0].strong is None
    assert views[-1].strong == pytest.approx(0.5, abs=0.05)
    assert views[-1].weak == pytest.approx(1.0, abs=0.2)
    with pytest.raises(ValueError, match="no exact solution"):
        next(start_errors(make_equation("reverse"))())


def test_the_engine_pulls_it_without_torch() -> None:
    engine = Engine("cpu")
    engine._load = lambda: None  # type: ignore[method-assign]  # torch never comes
    job = engine.submit_light("paths", start_paths(Simulation(make_equation("drift"), paths=5, steps=10)))
    engine.start()
    try:
        from helpers import eventually

        eventually(lambda: job.state.final)
        assert job.snapshot is not None
        assert job.snapshot.complete
    finally:
        assert engine.shutdown(60)
