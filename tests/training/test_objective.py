"""What is regressed on, against Hugging Face diffusers."""

import math
from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pytest
import torch
from diffusers import DDPMScheduler
from diffusers.training_utils import compute_snr
from torch import Tensor, nn

from difftui.diffusion import make_schedule
from difftui.training.objective import Objective
from difftui.training.recipe import Recipe

CPU = torch.device("cpu")
PEER = DDPMScheduler(
    num_train_timesteps=1000, beta_schedule="linear", beta_start=1e-4, beta_end=0.02, clip_sample=False
)


class Remembers(nn.Module):
    """Answers a constant, and keeps what it was asked."""

    def forward(self, x: Tensor, t: Tensor, label: Tensor | None = None) -> Tensor:
        self.asked = (x, t, label)
        return torch.full_like(x, 0.25)


def objective(recipe: Recipe) -> Objective:
    return Objective(make_schedule(recipe.schedule, recipe.timesteps), recipe, CPU)


@pytest.fixture
def batch() -> tuple[Tensor, Tensor, Tensor]:
    draw = torch.Generator().manual_seed(3)
    x0 = torch.rand(6, 1, 28, 28, generator=draw) * 2 - 1
    return x0, torch.randn(x0.shape, generator=draw), torch.tensor([0, 1, 258, 259, 700, 999])


def peers_previous(x0: Tensor, eps: Tensor, t: Tensor) -> Tensor:
    """The mean of x_{t-1} that the peer's own step gives when it is told the true noise."""
    x_t = PEER.add_noise(x0, eps, t)
    means = []
    for i, time in enumerate(t.tolist()):
        quiet = torch.Generator().manual_seed(0)
        step = PEER.step(eps[i : i + 1], time, x_t[i : i + 1], generator=quiet).prev_sample
        drawn = torch.randn(1, *x0.shape[1:], generator=torch.Generator().manual_seed(0))
        variance = PEER._get_variance(time, variance_type="fixed_small")
        means.append(step - drawn * (variance**0.5 if time else 0.0))
    return torch.cat(means)


def test_the_step_before_is_the_peers_mean(small: Recipe, batch: tuple[Tensor, Tensor, Tensor]) -> None:
    x0, eps, t = batch
    got = objective(replace(small, target="x_prev")).loss(Remembers(), x0, None, t, eps)
    by_hand = ((0.25 - peers_previous(x0, eps, t)) ** 2).mean(dim=(1, 2, 3))
    assert (got - by_hand).abs().max() < 1e-4


def test_min_snr_weighs_the_error_of_the_clean_picture_alike_for_every_target(small: Recipe) -> None:
    """An error d in x_0 costs w(t) |d|^2 with one w, min(SNR, 5), whatever the network says."""
    schedule = make_schedule("linear", 1000)
    a = schedule.alpha_bars
    before = np.concatenate(([1.0], a[:-1]))
    beta = schedule.betas
    share = {  # how much of an error of x_0 is seen in the target
        "eps": a / (1 - a),
        "x0": np.ones_like(a),
        "v": a / (1 - a) + 1,
        "x_prev": before * beta**2 / (1 - a) ** 2,
    }
    for target, shown in share.items():
        weights = objective(replace(small, target=target, weighting="min-snr")).weights.double().numpy()
        assert np.allclose(weights * shown, np.minimum(a / (1 - a), 5.0), rtol=1e-5)


@pytest.mark.parametrize("target", ["eps", "x0", "v"])
def test_noised_input_and_target_are_those_of_diffusers(
    small: Recipe, batch: tuple[Tensor, Tensor, Tensor], target: str
) -> None:
    x0, eps, t = batch
    net = Remembers()
    got = objective(replace(small, target=target)).loss(net, x0, None, t, eps)
    x_t, times, _ = net.asked
    assert (x_t - PEER.add_noise(x0, eps, t)).abs().max() < 1e-5
    assert torch.equal(times, t)
    wanted = {"eps": eps, "x0": x0, "v": PEER.get_velocity(x0, eps, t)}[target]
    by_hand = ((0.25 - wanted) ** 2).mean(dim=(1, 2, 3))
    assert got.shape == (6,)
    assert (got - by_hand).abs().max() < 1e-5


@pytest.mark.parametrize("target", ["eps", "x0", "v"])
def test_min_snr_weights_are_those_of_the_paper(small: Recipe, target: str) -> None:
    snr = compute_snr(PEER, torch.arange(1000)).double()
    clipped = torch.minimum(snr, torch.full_like(snr, 5.0))
    wanted = {"eps": clipped / snr, "x0": clipped, "v": clipped / (snr + 1)}[target]
    weights = objective(replace(small, target=target, weighting="min-snr")).weights
    assert ((weights - wanted) / wanted).abs().max() < 1e-3  # the peer's snr is in float32
    plain = objective(replace(small, target=target)).weights
    assert torch.equal(plain, torch.ones(1000))


def test_weights_multiply_the_error(small: Recipe, batch: tuple[Tensor, Tensor, Tensor]) -> None:
    x0, eps, t = batch
    weighted = objective(replace(small, weighting="min-snr"))
    got = weighted.loss(Remembers(), x0, None, t, eps)
    plain = objective(small).loss(Remembers(), x0, None, t, eps)
    assert torch.equal(got, weighted.weights[t] * plain)


@pytest.mark.parametrize(("T", "count"), [(1000, 64), (10, 7), (7, 64), (1, 5), (3, 1)])
def test_stratified_times_are_one_in_each_slice(small: Recipe, T: int, count: int) -> None:
    drawing = objective(replace(small, timesteps=T, schedule="cosine"))
    draws = torch.Generator().manual_seed(0)
    for _ in range(50):
        t = drawing.draw_timesteps(count, draws)
        assert t.shape == (count,)
        for i, value in enumerate(t.tolist()):
            assert i * T // count <= value <= min(T - 1, (i + 1) * T // count)


@pytest.mark.parametrize(("mean", "spread"), [(0.0, 1.0), (0.4, 1.3), (-2.0, 0.5)])
def test_logit_normal_times_follow_their_distribution(small: Recipe, mean: float, spread: float) -> None:
    recipe = replace(small, time_sampling="logit-normal", time_mean=mean, time_spread=spread)
    drawing = objective(recipe)
    draws = torch.Generator().manual_seed(0)
    drawn = torch.cat([drawing.draw_timesteps(64, draws) for _ in range(200)])
    assert drawn.min() >= 0
    assert drawn.max() <= 999
    for q in (0.05, 0.2, 0.5, 0.8, 0.95):  # Φ((logit q - m) / s)
        wanted = NormalDist(mean, spread).cdf(math.log(q / (1 - q)))
        assert (drawn < 1000 * q).float().mean().item() == pytest.approx(wanted, abs=0.005)


@pytest.mark.parametrize("how", ["uniform", "stratified"])
def test_every_timestep_is_equally_likely(small: Recipe, how: str) -> None:
    T, count, rounds = 10, 7, 4000
    drawing = objective(replace(small, timesteps=T, schedule="cosine", time_sampling=how))
    draws = torch.Generator().manual_seed(0)
    drawn = torch.cat([drawing.draw_timesteps(count, draws) for _ in range(rounds)])
    seen = torch.bincount(drawn, minlength=T).double()
    expected = rounds * count / T
    assert len(seen) == T
    assert (seen - expected).abs().max() < 5 * (expected * (1 - 1 / T)) ** 0.5
