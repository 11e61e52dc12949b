"""Samplers against Hugging Face diffusers, against each other, and against their own definitions.

The peer keeps its tables in float32, where 1 - alpha_bar loses up to four digits at small t. Formulas are
therefore compared with a peer whose table is recomputed in float64 (`exact_tables`), every step of every
schedule; the peer as it comes is compared where its rounding allows 1e-5.
"""

import dataclasses
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import (
    DDIMScheduler,
    DDPMScheduler,
    DPMSolverMultistepScheduler,
    HeunDiscreteScheduler,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from difftui.diffusion import (
    DDIM,
    DDPM,
    EXPERIMENTS,
    SAMPLERS,
    SCHEDULES,
    VARIANCES,
    DPMSolverPP2M,
    GaussianDenoiser,
    Heun,
    LoopedX0,
    NaiveStride,
    NoiseSchedule,
    Prediction,
    add_noise,
    looks,
    make_sampler,
    make_schedule,
    posterior_mean,
    read_output,
    timesteps,
    training_target,
    transitions,
    velocity,
)

KINDS = sorted(SCHEDULES)
PEER_VARIANCE = {"beta_tilde": "fixed_small", "beta": "fixed_large"}


def peer_options(schedule: NoiseSchedule) -> dict[str, Any]:
    options: dict[str, Any] = {"num_train_timesteps": schedule.T, "clip_sample": False}
    if schedule.kind == "linear":
        return options | {"beta_schedule": "linear"}
    if schedule.kind == "cosine":
        return options | {"beta_schedule": "squaredcos_cap_v2"}
    return options | {"trained_betas": schedule.betas.tolist()}


def exact_tables(peer: Any, schedule: NoiseSchedule) -> Any:
    peer.alphas_cumprod = torch.cumprod(1.0 - torch.tensor(schedule.betas), dim=0)
    peer.one = torch.tensor(1.0, dtype=torch.float64)
    return peer


def fixed(noise: Tensor) -> Callable[[Tensor], Tensor]:
    return lambda x_t: noise


def noised(schedule: NoiseSchedule, t: int, dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
    """A picture at time t, what a plausible but wrong network says of its noise, and fresh noise."""
    source = torch.Generator().manual_seed(t)
    x0 = torch.rand(2, 1, 8, 8, generator=source, dtype=dtype) * 2 - 1
    eps, error, fresh = torch.randn(3, 2, 1, 8, 8, generator=source, dtype=dtype)
    # The error shrinks with the signal, so that the estimated picture stays within a few units.
    said = eps + 0.5 * error * schedule.alpha_bar(t) ** 0.5
    return add_noise(x0, eps, schedule.alpha_bar(t)), said, fresh


def reads(schedule: NoiseSchedule, said: Tensor) -> Callable[[Tensor, int], Prediction[Tensor]]:
    def denoise(x_t: Tensor, t: int) -> Prediction[Tensor]:
        a = schedule.alpha_bar(t)
        return Prediction(x0=(x_t - (1 - a) ** 0.5 * said) / a**0.5, eps=said)

    return denoise


def ddpm_gap(
    peer: Any, schedule: NoiseSchedule, t: int, s: int, variance: str, dtype: torch.dtype, clip: bool = False
) -> float:
    x_t, said, _ = noised(schedule, t, dtype)
    fresh = torch.randn(x_t.shape, generator=torch.Generator().manual_seed(t), dtype=dtype)
    ours = DDPM(schedule, reads(schedule, said), fixed(fresh), variance, clip).step(x_t, t, s)
    theirs = peer.step(said, t, x_t, generator=torch.Generator().manual_seed(t))
    x0_gap = (ours.x0_hat - theirs.pred_original_sample).abs().max() * schedule.alpha_bar(t) ** 0.5
    return max((ours.x - theirs.prev_sample).abs().max().item(), x0_gap.item())


def ddim_gap(
    peer: Any, schedule: NoiseSchedule, t: int, s: int, eta: float, dtype: torch.dtype, clip: bool = False
) -> float:
    x_t, said, fresh = noised(schedule, t, dtype)
    ours = DDIM(schedule, reads(schedule, said), fixed(fresh), eta, clip).step(x_t, t, s)
    theirs = peer.step(
        said, t, x_t, eta=eta, variance_noise=fresh if eta else None, use_clipped_model_output=clip
    )
    x0_gap = (ours.x0_hat - theirs.pred_original_sample).abs().max() * schedule.alpha_bar(t) ** 0.5
    return max((ours.x - theirs.prev_sample).abs().max().item(), x0_gap.item())


@pytest.mark.parametrize("variance", sorted(VARIANCES))
@pytest.mark.parametrize(("T", "steps"), [(1000, 50), (1000, 61), (200, 200), (200, 7)])
@pytest.mark.parametrize("kind", KINDS)
def test_ddpm_is_the_peers_on_any_grid(kind: str, T: int, steps: int, variance: str) -> None:
    schedule = make_schedule(kind, T)
    peer: Any = DDPMScheduler(
        variance_type=PEER_VARIANCE[variance], timestep_spacing="linspace", **peer_options(schedule)
    )
    exact_tables(peer, schedule).set_timesteps(steps)
    assert timesteps(T, steps) == tuple(peer.timesteps.tolist())
    gaps = [ddpm_gap(peer, schedule, t, s, variance, torch.float64) for t, s in transitions(T, steps)]
    assert max(gaps) < 1e-9


@pytest.mark.parametrize("eta", [0.0, 0.3, 1.0])
@pytest.mark.parametrize(("T", "steps"), [(1000, 50), (1000, 61), (200, 200), (200, 7)])
@pytest.mark.parametrize("kind", KINDS)
def test_ddim_is_the_peers_on_the_peers_own_grid(kind: str, T: int, steps: int, eta: float) -> None:
    # The peer always jumps by T // steps, which agrees with its grid for "leading" spacing only.
    schedule = make_schedule(kind, T)
    peer: Any = DDIMScheduler(timestep_spacing="leading", set_alpha_to_one=True, **peer_options(schedule))
    exact_tables(peer, schedule).set_timesteps(steps)
    grid = [*peer.timesteps.tolist(), -1]
    gaps = [ddim_gap(peer, schedule, t, s, eta, torch.float64) for t, s in pairwise(grid)]
    assert max(gaps) < 1e-9


@pytest.mark.parametrize("steps", [7, 50, 61])
def test_the_peer_as_it_comes_agrees_to_1e_5_a_step(steps: int) -> None:
    schedule = make_schedule("linear", 1000)
    for variance, theirs in PEER_VARIANCE.items():
        ddpm: Any = DDPMScheduler(variance_type=theirs, timestep_spacing="linspace", **peer_options(schedule))
        ddpm.set_timesteps(steps)
        for t, s in transitions(1000, steps):
            assert ddpm_gap(ddpm, schedule, t, s, variance, torch.float32) <= 1e-5
    ddim: Any = DDIMScheduler(timestep_spacing="leading", set_alpha_to_one=True, **peer_options(schedule))
    ddim.set_timesteps(steps)
    for eta in (0.0, 0.5, 1.0):
        for t, s in pairwise([*ddim.timesteps.tolist(), -1]):
            assert ddim_gap(ddim, schedule, t, s, eta, torch.float32) <= 1e-5


@pytest.mark.parametrize("kind", KINDS)
def test_every_step_in_float32_agrees_to_1e_5(kind: str) -> None:
    schedule = make_schedule(kind, 1000)
    peer: Any = exact_tables(DDPMScheduler(variance_type="fixed_small", **peer_options(schedule)), schedule)
    ddim: Any = exact_tables(DDIMScheduler(set_alpha_to_one=True, **peer_options(schedule)), schedule)
    ddim.set_timesteps(1000)
    for t, s in transitions(1000, 1000)[::9]:
        # Where almost no signal is left (the last cosine step: 1 / 20 291) rounding of x_t alone is larger.
        allowed = max(1e-5, 1e-6 * (schedule.alpha_bar(s) / schedule.alpha_bar(t)) ** 0.5)
        assert ddpm_gap(peer, schedule, t, s, "beta_tilde", torch.float32) <= allowed
        assert ddim_gap(ddim, schedule, t, s, 0.0, torch.float32) <= allowed


@pytest.mark.parametrize("kind", KINDS)
def test_clipping_is_the_peers(kind: str) -> None:
    schedule = make_schedule(kind, 1000)
    options = peer_options(schedule) | {"clip_sample": True}
    ddpm: Any = exact_tables(DDPMScheduler(timestep_spacing="linspace", **options), schedule)
    ddpm.set_timesteps(20)
    gaps = [
        ddpm_gap(ddpm, schedule, t, s, "beta_tilde", torch.float64, clip=True)
        for t, s in transitions(1000, 20)
    ]
    ddim: Any = exact_tables(DDIMScheduler(timestep_spacing="leading", **options), schedule)
    ddim.set_timesteps(20)
    gaps += [
        ddim_gap(ddim, schedule, t, s, 0.5, torch.float64, clip=True)
        for t, s in pairwise([*ddim.timesteps.tolist(), -1])
    ]
    assert max(gaps) < 1e-9


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # the peer's, not ours
@pytest.mark.parametrize("steps", [7, 20, 61])
def test_deterministic_ddim_on_our_grid_is_first_order_dpm_solver(steps: int) -> None:
    # A second peer, which takes both times from the grid it is given, even where steps do not divide T.
    schedule = make_schedule("linear", 1000)
    options = peer_options(schedule)
    del options["clip_sample"]
    peer: Any = DPMSolverMultistepScheduler(
        algorithm_type="dpmsolver++", solver_order=1, final_sigmas_type="zero", **options
    )
    peer.set_timesteps(timesteps=list(timesteps(1000, steps)))
    for t, s in transitions(1000, steps):
        x_t, said, fresh = noised(schedule, t, torch.float32)
        ours = DDIM(schedule, reads(schedule, said), fixed(fresh)).step(x_t, t, s)
        assert (ours.x - peer.step(said, t, x_t).prev_sample).abs().max() <= 1e-5


def bent(schedule: NoiseSchedule) -> Callable[[Tensor, int], Prediction[Tensor]]:
    """A denoiser that depends on x_t and t as a network does, and never quite agrees with itself."""

    def denoise(x_t: Tensor, t: int) -> Prediction[Tensor]:
        a = schedule.alpha_bar(t)
        said = torch.tanh(x_t) * (1 - a) ** 0.5 + 0.1 * torch.sin(3 * x_t + t / 100) * a**0.5
        return Prediction(x0=(x_t - (1 - a) ** 0.5 * said) / a**0.5, eps=said)

    return denoise


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # the peer's, not ours
@pytest.mark.parametrize("steps", [3, 7, 20, 61])
def test_dpm_solver_is_the_peers_step_by_step(steps: int) -> None:
    schedule = make_schedule("linear", 1000)
    options = peer_options(schedule)
    del options["clip_sample"]
    peer: Any = DPMSolverMultistepScheduler(
        algorithm_type="dpmsolver++",
        solver_order=2,
        solver_type="midpoint",
        final_sigmas_type="zero",
        **options,
    )
    peer.set_timesteps(timesteps=list(timesteps(1000, steps)))
    denoise = bent(schedule)
    ours = DPMSolverPP2M(schedule, denoise)
    x = torch.randn(2, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    orders = []
    for t, s in transitions(1000, steps):
        frame = ours.step(x, t, s)
        theirs = peer.step(denoise(x, t).eps, t, x).prev_sample
        assert (frame.x - theirs).abs().max() <= 2e-5 * max(1.0, float(theirs.abs().max()))
        orders.append((frame.x - DDIM(schedule, denoise, fixed(x)).step(x, t, s).x).abs().max().item())
        x = frame.x  # the same for both at every step
    assert max(orders[0], orders[-1]) < 1e-5  # first order at both ends
    assert all(gap > 1e-4 for gap in orders[1:-1])


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # the peer's, not ours
@pytest.mark.parametrize("steps", [3, 7, 20, 61])
def test_heun_is_the_peers_step_by_step(steps: int) -> None:
    schedule = make_schedule("linear", 1000)
    options = peer_options(schedule) | {"use_karras_sigmas": False}
    del options["clip_sample"]
    peer: Any = HeunDiscreteScheduler(**{"beta_start": 1e-4, "beta_end": 0.02} | options)
    peer.set_timesteps(timesteps=list(timesteps(1000, steps)))
    denoise = bent(schedule)
    ours = Heun(schedule, denoise)
    x = torch.randn(2, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    for t, s in transitions(1000, steps):
        frame = ours.step(x, t, s)
        # The peer keeps x / sqrt(a), which is our x seen from sigma.
        at = x / schedule.alpha_bar(t) ** 0.5
        theirs = peer.step(denoise(x, t).eps, t, at).prev_sample
        if s >= 0:
            a = schedule.alpha_bar(s)
            theirs = peer.step(denoise(theirs * a**0.5, s).eps, s, theirs).prev_sample * a**0.5
        assert (frame.x - theirs).abs().max() <= 1e-4 * max(1.0, float(theirs.abs().max()))
        x = frame.x


@pytest.mark.parametrize(("name", "order"), [("ddim", 1), ("dpm-solver++", 2), ("heun", 2)])
def test_the_order_of_convergence(name: str, order: int) -> None:
    """Half the step, half or a quarter of the error, against the exact flow of a Gaussian."""
    schedule = make_schedule("cosine", 10_000)
    exact = GaussianDenoiser[Any](schedule, 0.0, 0.5)
    first, last = 8000, 2000

    def level(t: int) -> float:
        a = schedule.alpha_bar(t)
        return (a * 0.25 + 1 - a) ** 0.5

    def error(count: int) -> float:
        sampler = make_sampler(name, schedule, exact, np.zeros_like)
        x = np.full((1, 1, 1, 1), level(first))
        for t, s in pairwise(np.linspace(first, last, count + 1).round().astype(int).tolist()):
            x = sampler.step(x, t, s).x
        return abs(float(x[0, 0, 0, 0]) - level(last))

    coarse, fine = error(40), error(80)
    assert np.log2(coarse / fine) == pytest.approx(order, abs=0.25)


def test_dpm_solver_forgets_a_trajectory_that_was_left() -> None:
    schedule = make_schedule("cosine", 1000)
    (x_t, other), exact = arrays(0, 2), GaussianDenoiser[Any](schedule, 0.3, 1.4)
    sampler = DPMSolverPP2M[Any](schedule, exact)
    sampler.step(other, 700, 600)
    fresh = DPMSolverPP2M[Any](schedule, exact).step(x_t, 900, 800).x
    assert np.array_equal(sampler.step(x_t, 900, 800).x, fresh)


def test_heun_does_not_correct_where_the_cosine_schedule_begins() -> None:
    schedule = make_schedule("cosine", 1000)
    (x_t,), exact = arrays(0, 1), GaussianDenoiser[Any](schedule, 0.0, 0.5)
    plain = DDIM[Any](schedule, exact, np.zeros_like)
    heun = Heun[Any](schedule, exact)
    assert np.array_equal(heun.step(x_t, 999, 957).x, plain.step(x_t, 999, 957).x)
    assert np.abs(heun.step(x_t, 957, 916).x - plain.step(x_t, 957, 916).x).max() > 1e-3


@pytest.mark.parametrize("name", sorted(SAMPLERS))
def test_looks_are_counted_as_they_are_made(name: str) -> None:
    schedule, asked = make_schedule("linear", 1000), [0]
    exact = GaussianDenoiser[Any](schedule, 0.0, 0.5)

    def counting(x: Any, t: int) -> Prediction[Any]:
        asked[0] += 1
        return exact(x, t)

    sampler, x = make_sampler(name, schedule, counting, np.zeros_like), np.zeros((1, 1, 2, 2))
    for t, s in transitions(1000, 9):
        x = sampler.step(x, t, s).x
    assert asked[0] == looks(name, 9)


# The labs' mistakes, kept as experiments: right where the labs would be right, and seen to break.


def test_the_naive_stride_is_ddpm_for_neighbours_only() -> None:
    schedule = make_schedule("linear", 1000)
    x_t, fresh = arrays(0, 2)
    exact = GaussianDenoiser[Any](schedule, 0.0, 0.5)
    naive = NaiveStride[Any](schedule, exact, lambda x: fresh)
    ddpm = DDPM[Any](schedule, exact, lambda x: fresh, "beta")
    assert np.abs(naive.step(x_t, 600, 599).x - ddpm.step(x_t, 600, 599).x).max() < 1e-9
    assert np.abs(naive.step(x_t, 600, 580).x - ddpm.step(x_t, 600, 580).x).max() > 0.1


def test_the_naive_stride_leaves_noise_where_respacing_draws_the_data() -> None:
    schedule = make_schedule("linear", 1000)
    exact = GaussianDenoiser[Any](schedule, 0.0, 0.1)  # data of standard deviation 0.1

    def spread(name: str, steps: int) -> float:
        draws = np.random.default_rng(0)
        sampler = make_sampler(name, schedule, exact, lambda x: draws.standard_normal(x.shape))
        x = draws.standard_normal((1, 1, 64, 64))
        for t, s in transitions(1000, steps):
            x = sampler.step(x, t, s).x
        return float(x.std())

    assert spread("ddpm", 50) < 0.12
    assert spread("naive-stride", 1000) < 0.12
    assert spread("naive-stride", 50) > 0.5


def test_the_looped_estimate_shows_clean_pictures_at_noisy_times() -> None:
    schedule = make_schedule("linear", 1000)
    (x_t,) = arrays(0, 1)
    exact = GaussianDenoiser[Any](schedule, 0.0, 0.5)
    frame = LoopedX0[Any](schedule, exact).step(x_t, 900, 800)
    assert np.array_equal(frame.x, exact(x_t, 900).x0.clip(-1, 1))
    # From noise, each look shrinks what the last one found towards the mean: nothing is drawn.
    sampler, x = make_sampler("looped-x0", schedule, exact, np.zeros_like), x_t
    for t, s in transitions(1000, 10):
        x = sampler.step(x, t, s).x
    assert x.std() < 0.01


# Between ourselves, in NumPy.

GRIDS = st.tuples(st.integers(0, 999), st.integers(-1, 998)).filter(lambda pair: pair[0] > pair[1])


def arrays(seed: int, count: int) -> Any:
    return np.random.default_rng(seed).standard_normal((count, 3, 1, 4, 4))


@given(kind=st.sampled_from(KINDS), jump=GRIDS, seed=st.integers(0, 100), clip=st.booleans())
def test_ddim_with_eta_one_is_ddpm_with_beta_tilde(
    kind: str, jump: tuple[int, int], seed: int, clip: bool
) -> None:
    schedule = make_schedule(kind, 1000)
    x_t, fresh = arrays(seed, 2)
    exact = GaussianDenoiser[Any](schedule, 0.3, 1.4)
    ddim = DDIM[Any](schedule, exact, lambda x: fresh, eta=1.0, clip_x0=clip).step(x_t, *jump)
    ddpm = DDPM[Any](schedule, exact, lambda x: fresh, clip_x0=clip).step(x_t, *jump)
    assert np.abs(ddim.x - ddpm.x).max() < 1e-9


@given(kind=st.sampled_from(KINDS), jump=GRIDS, name=st.sampled_from(sorted(SAMPLERS)), clip=st.booleans())
def test_the_two_estimates_of_a_frame_agree(kind: str, jump: tuple[int, int], name: str, clip: bool) -> None:
    schedule = make_schedule(kind, 1000)
    x_t, fresh = arrays(0, 2)
    exact = GaussianDenoiser[Any](schedule, 0.5, 2.0)
    frame = make_sampler(name, schedule, exact, lambda x: fresh, clip_x0=clip).step(x_t, *jump)
    assert (frame.t, frame.s) == jump
    assert np.abs(add_noise(frame.x0_hat, frame.eps_hat, schedule.alpha_bar(frame.t)) - x_t).max() < 1e-9
    if clip:
        assert np.abs(frame.x0_hat).max() <= 1.0


@given(kind=st.sampled_from(KINDS), t=st.integers(0, 999), variance=st.sampled_from(sorted(VARIANCES)))
def test_the_last_step_returns_the_estimate_without_noise(kind: str, t: int, variance: str) -> None:
    schedule = make_schedule(kind, 1000)
    (x_t,) = arrays(t, 1)
    exact = GaussianDenoiser[Any](schedule, 0.0, 1.0)

    def no_noise(x: Any) -> Any:
        raise AssertionError("the last step asked for noise")

    last = DDPM[Any](schedule, exact, no_noise, variance).step(x_t, t, -1)
    assert np.abs(last.x - last.x0_hat).max() < 1e-12
    last = DDIM[Any](schedule, exact, no_noise, eta=1.0).step(x_t, t, -1)
    assert np.abs(last.x - last.x0_hat).max() < 1e-12


@settings(max_examples=50)
@given(kind=st.sampled_from(KINDS), jump=GRIDS, eta=st.floats(0, 1e6))
def test_ddim_with_a_perfect_answer_lands_at_the_right_level_for_any_eta(
    kind: str, jump: tuple[int, int], eta: float
) -> None:
    """x_s is sqrt(a_s) x_0 and noise of variance 1 - a_s, however much of it is fresh."""
    schedule = make_schedule(kind, 1000)
    t, s = jump
    x0, eps, fresh = arrays(7, 3)
    x_t = add_noise(x0, eps, schedule.alpha_bar(t))

    def landed(fresh: Any) -> Any:
        perfect = lambda x, t: Prediction(x0=x0, eps=eps)  # noqa: E731
        return DDIM[Any](schedule, perfect, lambda x: fresh, eta=eta).step(x_t, t, s).x

    old = landed(np.zeros_like(fresh)) - x0 * schedule.alpha_bar(s) ** 0.5
    new = landed(fresh) - landed(np.zeros_like(fresh))
    kept, added = (old / eps).mean(), (new / fresh).mean()
    assert kept >= 0.0
    assert kept**2 + added**2 == pytest.approx(1.0 - schedule.alpha_bar(s), rel=1e-6, abs=1e-12)


def test_a_large_eta_uses_fresh_noise_only() -> None:
    schedule = make_schedule("linear", 1000)
    x_t, fresh = arrays(0, 2)
    exact = GaussianDenoiser[Any](schedule, 0.0, 0.5)
    frame = DDIM[Any](schedule, exact, lambda x: fresh, eta=100.0).step(x_t, 999, 500)
    assert np.abs(frame.x - add_noise(frame.x0_hat, fresh, schedule.alpha_bar(500))).max() < 1e-12


def test_a_strided_step_with_the_plain_formula_is_wrong() -> None:
    """What respacing mends: the schedule's own beta belongs to a step of one, 16 times too small here."""
    schedule = make_schedule("linear", 1000)
    x_t, fresh = arrays(0, 2)
    exact = GaussianDenoiser[Any](schedule, 0.0, 0.5)
    zero = DDPM[Any](schedule, exact, lambda x: 0 * x, "beta").step(x_t, 999, 979).x
    sigma = (
        (DDPM[Any](schedule, exact, lambda x: fresh, "beta").step(x_t, 999, 979).x - zero) / fresh
    ).mean()
    assert sigma**2 == pytest.approx(1 - schedule.alpha_bar(999) / schedule.alpha_bar(979))
    assert sigma**2 > 16 * schedule.betas[999]


def test_numpy_and_torch_take_the_same_step() -> None:
    schedule = make_schedule("cosine", 1000)
    x_t, fresh = arrays(0, 2)
    for name in SAMPLERS:
        exact = GaussianDenoiser[Any](schedule, 0.1, 0.5)
        in_numpy = make_sampler(name, schedule, exact, lambda x: fresh).step(x_t, 700, 300)
        in_torch = make_sampler(name, schedule, exact, lambda x: torch.from_numpy(fresh)).step(
            torch.from_numpy(x_t), 700, 300
        )
        assert np.abs(in_numpy.x - in_torch.x.numpy()).max() < 1e-12


@pytest.mark.parametrize("target", ["x0", "v", "x_prev"])
def test_other_targets_lead_to_the_same_step(target: str) -> None:
    schedule = make_schedule("cosine", 1000)
    (x_t,) = arrays(3, 1)
    exact = GaussianDenoiser[Any](schedule, 0.1, 0.5)

    def through_target(x: Any, t: int) -> Prediction[Any]:
        said, a, before = exact(x, t), schedule.alpha_bar(t), schedule.alpha_bar(t - 1)
        answers = {
            "x0": said.x0,
            "v": velocity(said.x0, said.eps, a),
            "x_prev": posterior_mean(said.x0, x, a, before),
        }
        assert np.allclose(training_target(target, said.x0, said.eps, a, before), answers[target])
        return read_output(target, answers[target], x, a, before)

    plain = DDIM[Any](schedule, exact, np.zeros_like).step(x_t, 800, 400).x
    assert (
        np.abs(DDIM[Any](schedule, through_target, np.zeros_like).step(x_t, 800, 400).x - plain).max() < 1e-10
    )


def test_the_step_before_magnifies_its_error() -> None:
    """The lecture's target: half way through the linear schedule an error grows 330-fold in x_0."""
    schedule = make_schedule("linear", 1000)
    a, before = schedule.alpha_bar(500), schedule.alpha_bar(499)
    x_t, said = arrays(0, 2)
    plain = read_output("x_prev", said, x_t, a, before).x0
    off = read_output("x_prev", said + 0.01, x_t, a, before).x0
    assert (off - plain).mean() / 0.01 == pytest.approx(330, rel=0.02)
    with pytest.raises(ValueError, match="one step earlier"):
        read_output("x_prev", said, x_t, a)


@pytest.mark.parametrize(("t", "s"), [(5, 5), (5, 6), (-1, -1), (10, 3), (0, -2)])
@pytest.mark.parametrize("name", sorted({**SAMPLERS, **EXPERIMENTS}))
def test_impossible_jumps_are_refused(name: str, t: int, s: int) -> None:
    schedule = make_schedule("linear", 10)
    sampler = make_sampler(name, schedule, GaussianDenoiser[Any](schedule, 0.0, 1.0), np.zeros_like)
    with pytest.raises(ValueError, match=r"smaller time|outside -1 \.\.\. 9"):
        sampler.step(np.zeros((1, 1, 2, 2)), t, s)


@pytest.mark.parametrize(
    ("name", "options", "complaint"),
    [
        ("ddqm", {}, "unknown sampler 'ddqm'; known are ddpm, ddim, dpm-solver"),
        ("ddpm", {"variance": "large"}, "unknown variance 'large'; known are beta_tilde, beta"),
        ("ddpm", {"eta": 1.0}, "eta belongs to ddim"),
        ("ddim", {"variance": "beta"}, "variance belongs to ddpm"),
        ("heun", {"eta": 0.5}, "eta belongs to ddim, not to heun"),
        ("dpm-solver++", {"variance": "beta"}, "variance belongs to ddpm, not to dpm-solver"),
        ("ddim", {"eta": -0.1}, "eta must be a number from 0 up"),
        ("ddim", {"eta": float("nan")}, "eta must be a number from 0 up"),
        ("ddim", {"eta": float("inf")}, "eta must be a number from 0 up"),
    ],
)
def test_wrong_options_are_refused(name: str, options: dict[str, Any], complaint: str) -> None:
    schedule = make_schedule("linear", 10)
    with pytest.raises(ValueError, match=complaint):
        make_sampler(name, schedule, GaussianDenoiser[Any](schedule, 0.0, 1.0), np.zeros_like, **options)


def test_frames_cannot_be_changed() -> None:
    schedule = make_schedule("linear", 10)
    sampler = DDIM[Any](schedule, GaussianDenoiser[Any](schedule, 0.0, 1.0), np.zeros_like)
    frame = sampler.step(np.zeros((1, 1, 2, 2)), 9, 4)
    with pytest.raises(dataclasses.FrozenInstanceError):
        frame.t = 3  # type: ignore[misc]
