"""One look and many: what the network is shown, and what comes of feeding it its own answers."""

from itertools import pairwise

import pytest
import torch
from torch import Tensor

from difftui.diffusion import GaussianDenoiser, make_schedule, sample
from difftui.diffusion.one_shot import look_again, noise_level, noised
from difftui.models.autoencoder import Autoencoder

SCHEDULE = make_schedule("linear", 1000)


def exact(x: Tensor, t: Tensor) -> Tensor:
    return GaussianDenoiser[Tensor](SCHEDULE, 0.2, 0.5)(x, int(t[0])).x0


def test_one_look_is_the_best_estimate() -> None:
    """E[x_0 | y] for y = x_0 + s n, x_0 ~ N(m, 0.25): m + 0.25 / (0.25 + s²) (y - m)."""
    clean, eps = torch.full((1, 1, 4, 4), 0.4), torch.randn(1, 1, 4, 4)
    shown = noised(SCHEDULE, clean, eps, 400)
    s = noise_level(SCHEDULE, 400)
    assert torch.allclose(shown, clean + s * eps, atol=1e-5)
    [look] = look_again(exact, SCHEDULE, shown, t=400, target="x0")
    wanted = (0.2 + 0.25 / (0.25 + s**2) * (shown - 0.2)).clamp(-1, 1)
    assert torch.allclose(look.cleaned, wanted, atol=1e-5)


def test_repeated_application_drifts_to_the_mean() -> None:
    shown = torch.randn(1, 1, 4, 4)
    looks = list(look_again(exact, SCHEDULE, shown, t=600, target="x0", times=5))
    assert [look.count for look in looks] == [1, 2, 3, 4, 5]
    assert all(torch.equal(a.cleaned, b.shown) for a, b in pairwise(looks))
    assert (looks[-1].cleaned - 0.2).abs().max() < 0.01  # what it was shown is forgotten


def test_the_denoisers_one_level_is_its_noise() -> None:
    one = make_schedule("linear", 1, beta_start=0.5, beta_end=0.5)
    assert noise_level(one, 0) / 2 == pytest.approx(0.5)  # in pixels of [0, 1]
    net = Autoencoder()
    [look] = look_again(net, one, torch.zeros(2, 1, 28, 28), t=0, target="x0")
    assert torch.allclose(look.cleaned, net(torch.zeros(2, 1, 28, 28), torch.zeros(2)))


@pytest.mark.parametrize("sampler", ["ddpm", "ddim", "dpm-solver++", "heun", "naive-stride"])
def test_a_network_that_cleans_in_one_look_cannot_be_sampled(sampler: str) -> None:
    one = make_schedule("linear", 1, beta_start=0.5, beta_end=0.5)
    with pytest.raises(ValueError, match=f"cannot tell the noise that {sampler.replace('+', '.')} needs"):
        sample(Autoencoder(), one, sampler=sampler, target="x0")
    *_, last = sample(Autoencoder(), one, sampler="looped-x0", target="x0")
    assert last.x.shape == (1, 1, 28, 28)


@pytest.mark.parametrize(
    ("t", "times", "told"), [(1000, 1, "0 to 999"), (-1, 1, "0 to 999"), (5, 0, "times")]
)
def test_wrong_looks(t: int, times: int, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        look_again(exact, SCHEDULE, torch.zeros(1, 1, 4, 4), t=t, times=times)
