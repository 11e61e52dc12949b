"""Exact denoisers against Bayes' rule done by hand, and the distributions that samplers draw with them."""

from typing import Any

import numpy as np
import pytest

from difftui.diffusion import (
    DDIM,
    DDPM,
    SCHEDULES,
    GaussianDenoiser,
    PointsDenoiser,
    Sampler,
    add_noise,
    make_sampler,
    make_schedule,
    transitions,
)

RULES: list[tuple[str, dict[str, Any]]] = [
    ("ddim", {}),
    ("ddim", {"eta": 0.5}),
    ("ddim", {"eta": 1.0}),
    ("ddpm", {}),
    ("ddpm", {"variance": "beta"}),
]


@pytest.mark.parametrize("t", [0, 100, 999])
def test_the_gaussian_answer_is_the_mean_over_all_clean_pictures(t: int) -> None:
    schedule = make_schedule("linear", 1000)
    mean, std, a = 0.3, 0.7, schedule.alpha_bar(t)
    clean = np.linspace(mean - 12 * std, mean + 12 * std, 2_000_001)
    for x_t in (-1.0, 0.2, 2.5):
        weight = np.exp(-0.5 * ((clean - mean) / std) ** 2 - 0.5 * (x_t - a**0.5 * clean) ** 2 / (1 - a))
        by_hand = (clean * weight).sum() / weight.sum()
        said = GaussianDenoiser[Any](schedule, mean, std)(np.array([x_t]), t)
        assert said.x0[0] == pytest.approx(by_hand, abs=1e-9)
        assert add_noise(said.x0, said.eps, a)[0] == pytest.approx(x_t, abs=1e-12)


def test_the_gaussian_may_differ_by_pixel() -> None:
    schedule = make_schedule("linear", 1000)
    mean, std = np.array([[0.0, 1.0]]), np.array([[0.0, 2.0]])
    said = GaussianDenoiser[Any](schedule, mean, std)(np.array([[5.0, 5.0]]), 500)
    one_by_one = GaussianDenoiser[Any](schedule, 1.0, 2.0)(np.array([[5.0, 5.0]]), 500)
    assert said.x0[0, 0] == 0.0
    assert said.x0[0, 1] == one_by_one.x0[0, 1]


@pytest.mark.parametrize("t", [0, 300, 999])
def test_the_points_answer_is_bayes_rule(t: int) -> None:
    schedule = make_schedule("cosine", 1000)
    rng = np.random.default_rng(0)
    points, weights = rng.uniform(-1, 1, (5, 1, 2, 2)), np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    a = schedule.alpha_bar(t)
    x_t = add_noise(points[:3], rng.standard_normal((3, 1, 2, 2)), a)
    denoise = PointsDenoiser(schedule, points, weights)
    said = denoise(x_t, t)
    for i in range(3):
        density = weights * np.exp(-((x_t[i] - a**0.5 * points) ** 2).sum(axis=(1, 2, 3)) / (2 * (1 - a)))
        share = density / density.sum()
        assert np.abs(denoise.responsibilities(x_t, t)[i] - share).max() < 1e-9
        assert np.abs(said.x0[i] - (share[:, None, None, None] * points).sum(axis=0)).max() < 1e-9
    assert np.abs(add_noise(said.x0, said.eps, a) - x_t).max() < 1e-12


def test_near_the_clean_picture_the_nearest_point_is_said_without_overflow() -> None:
    schedule = make_schedule("cosine", 10_000)
    points = np.random.default_rng(0).uniform(-1, 1, (20, 1, 28, 28))
    said = PointsDenoiser(schedule, points)(points[3:5], 0)
    assert np.abs(said.x0 - points[3:5]).max() < 1e-12
    assert np.isfinite(said.eps).all()


def test_wrong_points_are_refused() -> None:
    schedule = make_schedule("linear", 10)
    with pytest.raises(ValueError, match="at least one point"):
        PointsDenoiser(schedule, np.zeros((0, 2)))
    for weights in (np.ones(3), np.array([1.0, 0.0]), np.array([1.0, -1.0]), np.ones((2, 1))):
        with pytest.raises(ValueError, match="weights must be 2 numbers above 0"):
            PointsDenoiser(schedule, np.zeros((2, 2)), weights)


def final_moments(sampler: Sampler[Any], T: int, steps: int) -> tuple[float, float]:
    """Mean and standard deviation at the end of the chain, without drawing: here each step is affine.

    x_s = b + k x_t + c z, whose b, k and c show when the step is taken from 0 and from 1, and with noise.
    The source of noise hands out 0 for the first two entries and 1 for the third.
    """
    mean, variance = 0.0, 1.0
    for t, s in transitions(T, steps):
        b, b_plus_k, b_plus_c = sampler.step(np.array([0.0, 1.0, 0.0]), t, s).x
        mean = b + (b_plus_k - b) * mean
        variance = (b_plus_k - b) ** 2 * variance + (b_plus_c - b) ** 2
    return mean, variance**0.5


def third_entry(x: Any) -> Any:
    return np.array([0.0, 0.0, 1.0])


@pytest.mark.parametrize("kind", ["scaled-linear", "cosine", "sigmoid"])
@pytest.mark.parametrize(("name", "options"), RULES)
def test_a_gaussian_comes_out_as_it_is_and_closer_with_more_steps(
    kind: str, name: str, options: dict[str, Any]
) -> None:
    schedule = make_schedule(kind, 4000)
    sampler = make_sampler(name, schedule, GaussianDenoiser[Any](schedule, 0.3, 0.5), third_entry, **options)
    errors = []
    for steps in (50, 400, 4000):
        mean, std = final_moments(sampler, 4000, steps)
        errors.append(abs(std - 0.5))
        assert mean == pytest.approx(0.3, abs=0.01)
    assert errors[2] < errors[1] < errors[0]
    assert errors[2] < 0.006


def test_the_two_variances_of_ddpm_enclose_the_truth() -> None:
    """beta_tilde is right for a single point and beta for N(0, I) (Ho et al. 2020, section 3.2)."""
    schedule = make_schedule("linear", 1000)
    ends = {}
    for variance in ("beta_tilde", "beta"):
        for std in (0.0, 0.5, 1.0):
            exact = GaussianDenoiser[Any](schedule, 0.0, std)
            ends[variance, std] = final_moments(DDPM[Any](schedule, exact, third_entry, variance), 1000, 50)[
                1
            ]
    assert ends["beta_tilde", 0.0] == pytest.approx(0.0, abs=1e-9)
    assert ends["beta_tilde", 0.5] < 0.5 < ends["beta", 0.5]
    # The very last step adds no noise, which costs beta_0 = 1e-4 of the variance.
    assert ends["beta", 1.0] ** 2 == pytest.approx(1.0 - 1e-4, abs=1e-6)


@pytest.mark.parametrize(("name", "options"), RULES)
def test_drawn_gaussians_have_the_mean_and_spread(name: str, options: dict[str, Any]) -> None:
    schedule = make_schedule("cosine", 1000)
    rng = np.random.default_rng(0)
    exact = GaussianDenoiser[Any](schedule, 0.3, 0.5)
    sampler = make_sampler(name, schedule, exact, lambda x: rng.standard_normal(x.shape), **options)
    x = rng.standard_normal(20_000)
    for t, s in transitions(1000, 250):
        x = sampler.step(x, t, s).x
    # Four standard errors, and a hundredth for the 250 steps.
    assert x.mean() == pytest.approx(0.3, abs=4 * 0.5 / 20_000**0.5)
    assert x.std() == pytest.approx(0.5, abs=4 * 0.5 / 40_000**0.5 + 0.01)


@pytest.mark.parametrize(("name", "options"), RULES)
def test_drawn_points_are_the_points_in_their_proportions(name: str, options: dict[str, Any]) -> None:
    schedule = make_schedule("cosine", 1000)
    rng = np.random.default_rng(0)
    points = np.array([[0.8, 0.1], [-0.6, 0.7], [-0.1, -0.9]])
    shares = np.array([0.5, 0.3, 0.2])
    exact = PointsDenoiser(schedule, points, shares)
    sampler = make_sampler(name, schedule, exact, lambda x: rng.standard_normal(x.shape), **options)
    drawn = 4000
    x = rng.standard_normal((drawn, 2))
    for t, s in transitions(1000, 200):
        x = sampler.step(x, t, s).x
    distance = np.abs(x[:, None] - points).max(axis=2)
    assert np.quantile(distance.min(axis=1), 0.999) < 1e-3
    counts = np.bincount(distance.argmin(axis=1), minlength=3)
    assert (counts > 0).all()
    assert (np.abs(counts - drawn * shares) < 4 * np.sqrt(drawn * shares * (1 - shares))).all()


@pytest.mark.parametrize("kind", sorted(SCHEDULES))
def test_one_point_is_reached_exactly_from_anywhere(kind: str) -> None:
    schedule = make_schedule(kind, 100)
    point = np.full((1, 1, 2, 2), 0.25)
    sampler = DDIM[Any](schedule, PointsDenoiser(schedule, point), np.zeros_like)
    x = np.random.default_rng(0).standard_normal((4, 1, 2, 2))
    for t, s in transitions(100, 3):
        x = sampler.step(x, t, s).x
    assert np.abs(x - point).max() < 1e-12
