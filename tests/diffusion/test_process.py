"""The forward process, the conversions and the posterior, against closed forms and diffusers."""

import math

import numpy as np
import pytest
import torch
from diffusers import DDPMScheduler
from hypothesis import given
from hypothesis import strategies as st

from difftui.diffusion import (
    SCHEDULES,
    TARGETS,
    add_noise,
    eps_from_v,
    eps_from_x0,
    make_schedule,
    posterior_mean,
    posterior_variance,
    read_output,
    step_beta,
    training_target,
    velocity,
    x0_from_eps,
    x0_from_v,
)

LEVELS = st.floats(min_value=1e-6, max_value=1 - 1e-6)
PIXELS = st.floats(min_value=-5, max_value=5)


@pytest.mark.parametrize("t", [0, 250, 500, 750, 999])
def test_noising_and_velocity_are_the_peers(t: int) -> None:
    peer = DDPMScheduler(beta_schedule="linear")
    alpha_bar = make_schedule("linear", 1000).alpha_bar(t)
    torch.manual_seed(0)
    x0, eps = torch.rand(4, 1, 28, 28) * 2 - 1, torch.randn(4, 1, 28, 28)
    times = torch.full((4,), t)
    assert (add_noise(x0, eps, alpha_bar) - peer.add_noise(x0, eps, times)).abs().max() < 1e-5
    assert (velocity(x0, eps, alpha_bar) - peer.get_velocity(x0, eps, times)).abs().max() < 1e-5


@given(x0=PIXELS, eps=PIXELS, alpha_bar=LEVELS)
def test_conversions_invert_each_other(x0: float, eps: float, alpha_bar: float) -> None:
    clean, noise = np.array([x0]), np.array([eps])
    x_t = add_noise(clean, noise, alpha_bar)
    v = velocity(clean, noise, alpha_bar)
    # Division by sqrt(alpha_bar) or sqrt(1 - alpha_bar) multiplies rounding by up to 1000.
    assert x0_from_eps(x_t, noise, alpha_bar) == pytest.approx(clean, abs=1e-10)
    assert eps_from_x0(x_t, clean, alpha_bar) == pytest.approx(noise, abs=1e-10)
    assert x0_from_v(x_t, v, alpha_bar) == pytest.approx(clean, abs=1e-13)
    assert eps_from_v(x_t, v, alpha_bar) == pytest.approx(noise, abs=1e-13)


@given(x0=PIXELS, eps=PIXELS, alpha_bar=LEVELS)
def test_noise_turns_x_t_and_v_like_a_rotation(x0: float, eps: float, alpha_bar: float) -> None:
    x_t = add_noise(np.array([x0]), np.array([eps]), alpha_bar)
    v = velocity(np.array([x0]), np.array([eps]), alpha_bar)
    assert x_t**2 + v**2 == pytest.approx(x0**2 + eps**2, rel=1e-12, abs=1e-12)


def test_the_ends_of_the_process() -> None:
    x0, eps = np.array([0.3, -1.0]), np.array([2.0, 0.5])
    assert np.array_equal(add_noise(x0, eps, 1.0), x0)
    assert np.array_equal(add_noise(x0, eps, 0.0), eps)
    assert np.array_equal(velocity(x0, eps, 1.0), eps)
    assert np.array_equal(velocity(x0, eps, 0.0), -x0)


def test_signal_level_may_differ_by_picture() -> None:
    bars = make_schedule("cosine", 1000).alpha_bars[[3, 600]]
    rng = np.random.default_rng(0)
    x0, eps = rng.uniform(-1, 1, (2, 1, 4, 4)), rng.standard_normal((2, 1, 4, 4))
    together = add_noise(x0, eps, bars.reshape(2, 1, 1, 1))
    for i in range(2):
        assert np.array_equal(together[i], add_noise(x0[i], eps[i], float(bars[i])))


def test_numpy_and_torch_agree_and_keep_float32() -> None:
    rng = np.random.default_rng(0)
    x0 = rng.uniform(-1, 1, (2, 1, 4, 4)).astype(np.float32)
    eps = rng.standard_normal((2, 1, 4, 4)).astype(np.float32)
    in_numpy = add_noise(x0, eps, 0.3)
    in_torch = add_noise(torch.from_numpy(x0), torch.from_numpy(eps), 0.3)
    assert in_numpy.dtype == np.float32
    assert in_torch.dtype == torch.float32
    assert np.abs(in_numpy - in_torch.numpy()).max() < 1e-6


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_a_perfect_answer_reads_back_as_the_truth(target: str) -> None:
    rng = np.random.default_rng(0)
    x0, eps = rng.uniform(-1, 1, 50), rng.standard_normal(50)
    x_t = add_noise(x0, eps, 0.2)
    answer = training_target(target, x0, eps, 0.2, alpha_bar_before=0.4)
    said = read_output(target, answer, x_t, 0.2, alpha_bar_before=0.4)
    assert np.abs(said.x0 - x0).max() < 1e-14
    assert np.abs(said.eps - eps).max() < 1e-14


@pytest.mark.parametrize("target", sorted(TARGETS))
@given(output=PIXELS, x_t=PIXELS, alpha_bar=LEVELS)
def test_any_answer_reads_as_two_views_that_agree(
    target: str, output: float, x_t: float, alpha_bar: float
) -> None:
    before = (1 + alpha_bar) / 2
    said = read_output(target, np.array([output]), np.array([x_t]), alpha_bar, alpha_bar_before=before)
    assert add_noise(said.x0, said.eps, alpha_bar) == pytest.approx(x_t, abs=1e-9)


def test_an_unknown_target_lists_the_known_ones() -> None:
    pixel = np.zeros(1)
    for refused in (training_target, read_output):
        with pytest.raises(ValueError, match="unknown target 'noise'; known are eps, x0, x_prev, v"):
            refused("noise", pixel, pixel, 0.5)


@given(
    kind=st.sampled_from(sorted(SCHEDULES)),
    times=st.tuples(st.integers(-1, 999), st.integers(-1, 999)).filter(lambda pair: pair[0] != pair[1]),
    x0=PIXELS,
    x_t=PIXELS,
)
def test_the_posterior_is_bayes_rule(kind: str, times: tuple[int, int], x0: float, x_t: float) -> None:
    """q(x_s | x_t, x_0) is proportional to q(x_t | x_s) q(x_s | x_0): precisions add, means are weighted."""
    s, t = sorted(times)
    schedule = make_schedule(kind, 1000)
    a_t, a_s = schedule.alpha_bar(t), schedule.alpha_bar(s)
    mean = posterior_mean(np.array([x0]), np.array([x_t]), a_t, a_s)[0]
    variance = posterior_variance(a_t, a_s)
    if s == -1:
        assert variance == 0.0
        assert mean == pytest.approx(x0, abs=1e-12)
        return
    jump = a_t / a_s
    precision = jump / (1 - jump) + 1 / (1 - a_s)
    weighted = math.sqrt(jump) * x_t / (1 - jump) + math.sqrt(a_s) * x0 / (1 - a_s)
    assert variance == pytest.approx(1 / precision, rel=1e-9)
    assert mean == pytest.approx(weighted / precision, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("kind", sorted(SCHEDULES))
def test_between_neighbours_the_tables_are_the_formulas(kind: str) -> None:
    schedule = make_schedule(kind, 1000)
    for t in (0, 1, 2, 487, 998, 999):
        a_t, a_s = schedule.alpha_bar(t), schedule.alpha_bar(t - 1)
        assert step_beta(a_t, a_s) == pytest.approx(schedule.betas[t], rel=1e-9)
        assert posterior_variance(a_t, a_s) == pytest.approx(schedule.posterior_variance[t], rel=1e-9)
