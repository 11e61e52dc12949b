"""Stochastic differential equations against their closed forms: laws, paths, orders of convergence."""

import dataclasses
import math

import numpy as np
import pytest

from difftui.diffusion import make_schedule
from difftui.diffusion.sde import (
    EQUATIONS,
    Convergence,
    Diffusion,
    Geometric,
    Linear,
    Mixture,
    ReverseDiffusion,
    convergence,
    fitted_order,
    fitted_orders,
    make_equation,
    simulate,
)

PATHS = 20_000


@pytest.mark.parametrize("name", sorted(EQUATIONS))
def test_mean_and_variance_follow_the_theory(name: str) -> None:
    """Five standard errors, and what a step of this size errs."""
    equation = make_equation(name)
    for frame in simulate(equation, paths=PATHS, steps=300, every=75, seed=1):
        deviation = math.sqrt(frame.theory_variance)
        assert frame.mean == pytest.approx(
            frame.theory_mean, abs=5 * deviation / math.sqrt(PATHS) + 0.01 * (1 + abs(frame.theory_mean))
        )
        assert frame.variance == pytest.approx(frame.theory_variance, rel=0.08, abs=1e-9)


def test_the_lectures_three_demos_by_hand() -> None:
    brownian = make_equation("brownian")
    frames = list(simulate(brownian, paths=5, steps=1000))
    assert len(frames) == 1001
    assert frames[0].x.tolist() == [0.0] * 5
    assert (frames[-1].t, frames[-1].theory_variance) == (10.0, 10.0)
    steps = np.diff([frame.x for frame in frames], axis=0)
    # The standard deviation of a step is sqrt(dt); "variance sqrt(dt)" would be ten times as much.
    assert steps.std() == pytest.approx(math.sqrt(0.01), rel=0.05)
    drift = make_equation("drift")
    assert drift.mean(10.0) == pytest.approx(10 * math.e)  # the noise-free path
    price = Geometric(mu=0.1, sigma=0.3, x0=2.0)
    assert price.mean(5.0) == pytest.approx(2 * math.exp(0.5))
    assert all(
        frame.exact is not None and (frame.exact > 0).all() for frame in simulate(price, paths=200, steps=20)
    )


def test_ornstein_uhlenbeck_settles() -> None:
    pulled = make_equation("ornstein-uhlenbeck", theta=2.0, sigma=0.8, level=1.5, time=20.0)
    assert pulled.mean(20.0) == pytest.approx(1.5)
    assert pulled.variance(20.0) == pytest.approx(0.8**2 / 4)


@pytest.mark.parametrize(
    ("equation", "strong"), [(Geometric(), 0.5), (Linear(), 1.0), (Linear(rate=-1.0, x0=3.0), 1.0)]
)
def test_the_order_of_euler_maruyama(equation: Geometric | Linear, strong: float) -> None:
    """Strong order 1/2 where noise multiplies x, 1 where it is added; weak order 1 (Kloeden & Platen)."""
    errors = list(convergence(equation, step_counts=(16, 32, 64, 128), paths=4000))
    dts = [error.dt for error in errors]
    assert fitted_order(dts, [error.strong for error in errors]) == pytest.approx(strong, abs=0.12)
    assert fitted_order(dts, [error.weak for error in errors]) == pytest.approx(1.0, abs=0.2)
    assert all(error.weak <= error.strong for error in errors)


def test_brownian_motion_has_no_error_at_all() -> None:
    [error] = convergence(make_equation("brownian"), step_counts=(10,), paths=100)
    assert error.strong < 1e-12


@pytest.mark.parametrize("name", ["drift", "ornstein-uhlenbeck", "geometric"])
def test_the_exact_solution_does_not_depend_on_the_step(name: str) -> None:
    """Its law after one step of 2 is that after many: composed normals, checked by their moments."""
    equation = make_equation(name, time=2.0)
    for steps in (1, 40):
        *_, last = simulate(equation, paths=PATHS, steps=steps, every=steps)
        assert last.exact is not None
        assert last.exact.mean() == pytest.approx(equation.mean(2.0), rel=0.02, abs=0.02)
        assert last.exact.var() == pytest.approx(equation.variance(2.0), rel=0.06)


def test_the_diffusion_is_the_linear_schedule_in_the_limit() -> None:
    schedule, continuous = make_schedule("linear", 1000), Diffusion()
    for t in (99, 499, 899):
        assert schedule.alpha_bar(t) == pytest.approx(continuous.alpha_bar((t + 1) / 1000), rel=0.06)
    assert continuous.alpha_bar(1.0) == pytest.approx(math.exp(-10.05))
    fine = make_schedule("linear", 10_000, beta_start=1e-5, beta_end=0.002)
    assert fine.alpha_bar(4999) == pytest.approx(continuous.alpha_bar(0.5), rel=2e-3)


def test_the_score_is_the_slope_of_the_log_density() -> None:
    data, x = Mixture(), np.linspace(-3, 3, 41)
    for alpha_bar in (1.0, 0.6, 0.01):
        h = 1e-5
        slope = (np.log(data.density(x + h, alpha_bar)) - np.log(data.density(x - h, alpha_bar))) / (2 * h)
        assert np.allclose(data.score(x, alpha_bar), slope, rtol=1e-4, atol=1e-4)
        wide = np.linspace(-12, 12, 20_001)
        assert np.trapezoid(data.density(wide, alpha_bar), wide) == pytest.approx(1.0, abs=1e-6)
    assert data.score(np.array([1e3]), 0.5)[0] < -500  # far out no probability underflows


@pytest.mark.parametrize("noisy", [True, False])
def test_the_way_back_brings_the_data_back(noisy: bool) -> None:
    backward = ReverseDiffusion(noisy=noisy)
    *_, last = simulate(backward, paths=PATHS, steps=600, every=600, seed=2)
    edges = np.linspace(-2, 2, 41)
    seen = np.histogram(last.x, edges)[0] / PATHS
    middle = (edges[1:] + edges[:-1]) / 2
    wanted = backward.density(middle, 1.0) * (edges[1] - edges[0])
    assert np.abs(seen - wanted).sum() < 0.12  # total variation, twice; noise alone gives 0.04
    assert (last.x > 0).mean() == pytest.approx(0.7, abs=0.02)  # the parts' shares


def test_forward_closes_in_on_the_gaussian() -> None:
    *_, last = simulate(Diffusion(), paths=PATHS, steps=400, every=400)
    ordered = np.sort(last.x)
    cdf = np.array([0.5 * (1 + math.erf(value / math.sqrt(2))) for value in ordered])
    gap = np.abs(cdf - (np.arange(PATHS) + 0.5) / PATHS).max()
    assert gap < 1.63 / math.sqrt(PATHS)  # Kolmogorov-Smirnov, 1 %


def test_the_same_seed_gives_the_same_paths_and_frames_are_frozen() -> None:
    first, again, other = ([*simulate(make_equation("drift"), steps=20, seed=seed)][-1] for seed in (3, 3, 4))
    assert np.array_equal(first.x, again.x)
    assert not np.array_equal(first.x, other.x)
    with pytest.raises(dataclasses.FrozenInstanceError):
        first.step = 2  # type: ignore[misc]
    with pytest.raises(ValueError, match="read-only"):
        first.x[0] = 0.0


def test_a_single_path_and_thinned_frames() -> None:
    frames = list(simulate(make_equation("brownian"), paths=1, steps=10, every=4))
    assert [frame.step for frame in frames] == [0, 4, 8, 10]
    assert all(frame.variance == 0.0 for frame in frames)


@pytest.mark.parametrize(
    ("name", "options", "told"),
    [
        ("levy", {}, "unknown equation 'levy'; known are brownian"),
        ("brownian", {"sigma": -1.0}, "sigma must be a number above 0"),
        ("brownian", {"mu": 1.0}, "brownian has no parameter mu; it has sigma, x0, time"),
        ("drift", {"rate": 0.0}, "is Brownian motion"),
        ("drift", {"rate": 99.0}, "overflow"),
        ("geometric", {"x0": 0.0}, "x0 must be a number above 0"),
        ("geometric", {"mu": 1e9}, "overflow"),
        ("ornstein-uhlenbeck", {"theta": -1.0}, "theta must be a number above 0"),
        ("diffusion", {"beta_end": float("nan")}, "beta_end must be a number above 0"),
    ],
)
def test_wrong_equations(name: str, options: dict[str, float], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        make_equation(name, **options)


def test_wrong_simulations() -> None:
    brownian = make_equation("brownian")
    for options, told in (({"paths": 0}, "paths"), ({"steps": 0}, "steps"), ({"every": 0}, "every")):
        with pytest.raises(ValueError, match=told):
            simulate(brownian, **options)
    with pytest.raises(ValueError, match="no exact solution"):
        convergence(Diffusion())
    with pytest.raises(ValueError, match="at least one"):
        Mixture(means=(), stds=(), weights=())
    with pytest.raises(ValueError, match="sum to 1"):
        Mixture(means=(0.0,), stds=(1.0,), weights=(0.5,))


@pytest.mark.parametrize("name", sorted(EQUATIONS))
def test_the_density_has_the_moments_of_the_theory(name: str) -> None:
    """Integrated numerically: it sums to 1 and has the mean and the variance that are told beside it."""
    equation = make_equation(name)
    for t in (0.3 * equation.time, 0.8 * equation.time):
        mean, deviation = equation.mean(t), math.sqrt(equation.variance(t))
        x = np.linspace(mean - 12 * deviation, mean + 40 * deviation, 200_001)
        density = equation.density(x, t)
        assert np.trapezoid(density, x) == pytest.approx(1.0, abs=1e-4)
        assert np.trapezoid(density * x, x) == pytest.approx(mean, abs=1e-3 * (1 + abs(mean)))
        assert np.trapezoid(density * (x - mean) ** 2, x) == pytest.approx(deviation**2, rel=2e-3)


def test_a_start_in_one_point_has_its_density_there() -> None:
    for name, x0 in (("brownian", 0.0), ("drift", 10.0), ("geometric", 1.0)):
        assert make_equation(name).density(np.array([x0 - 1, x0, x0 + 1]), 0.0).tolist() == [
            0.0,
            math.inf,
            0.0,
        ]


def test_the_round_trip_is_both_ways_in_one() -> None:
    trip = make_equation("round-trip")
    assert trip.time == 2.0
    frames = list(simulate(trip, paths=PATHS, steps=400, every=100, seed=4))
    there, back = Diffusion(), ReverseDiffusion()
    half = list(simulate(there, paths=PATHS, steps=200, every=100, seed=4))
    assert np.array_equal(frames[1].x, half[1].x)
    assert np.array_equal(frames[2].x, half[2].x)  # noise at the turn
    assert frames[3].theory_variance == pytest.approx(back.variance(0.5))
    start, end = frames[0].x > 0, frames[-1].x > 0
    assert end.mean() == pytest.approx(0.7, abs=0.02)
    # By noise a path forgets where it came from: the ends of both kinds of starts are shared alike.
    assert end[start].mean() == pytest.approx(end[~start].mean(), abs=0.03)


def test_orders_are_told_only_where_errors_are() -> None:
    def measured(strong: float, weak: float, noise: float) -> list[Convergence]:
        return [Convergence(n, 1 / n, strong / math.sqrt(n), weak / n, noise) for n in (8, 16, 32)]

    assert fitted_orders(measured(1.0, 1.0, 1e-9)) == pytest.approx((0.5, 1.0))
    assert fitted_orders(measured(1.0, 1.0, 1.0)) == (pytest.approx(0.5), None)  # type: ignore[comparison-overlap]  # approx
    assert fitted_orders(measured(1e-16, 1e-16, 0.0)) == (None, None)
