"""The loss of a network that answers 0, against the objective that training really uses."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from difftui.data import bundled
from difftui.diffusion import make_schedule
from difftui.training.objective import Objective
from difftui.training.recipe import PRESETS, Recipe
from difftui.training.reference import incomparable, loss_of_zero, mean_square

BASE = Recipe(name="base", model="patch-unet", schedule="cosine", timesteps=200, steps=1)


class Silence(nn.Module):
    def forward(self, x: Tensor, t: Tensor, label: Tensor | None = None) -> Tensor:
        return torch.zeros_like(x)


@pytest.mark.parametrize("target", ["eps", "x0", "v", "x_prev"])
@pytest.mark.parametrize("weighting", ["none", "min-snr"])
@pytest.mark.parametrize("time_sampling", ["uniform", "stratified", "logit-normal"])
def test_it_is_what_training_measures(target: str, weighting: str, time_sampling: str) -> None:
    recipe = replace(
        BASE, target=target, weighting=weighting, time_sampling=time_sampling, time_mean=0.4, time_spread=1.3
    )
    digits = bundled()
    schedule = make_schedule(recipe.schedule, recipe.timesteps)
    objective = Objective(schedule, recipe, torch.device("cpu"))
    draws = torch.Generator().manual_seed(0)
    images = torch.from_numpy(digits.images[:4000].copy()).unsqueeze(1).float() / 127.5 - 1
    t = objective.draw_timesteps(len(images), draws)
    eps = torch.randn(images.shape, generator=draws)
    losses = objective.loss(Silence(), images, None, t, eps)
    expected = loss_of_zero(recipe, mean_square(digits.images))
    assert expected is not None
    error = float(losses.std()) / len(losses) ** 0.5
    assert abs(float(losses.mean()) - expected) < 5 * error + 0.005 * expected


def test_predicting_noise_unweighted_it_is_one_and_needs_no_data() -> None:
    for name in ("uniform", "stratified", "logit-normal"):
        assert loss_of_zero(replace(BASE, time_sampling=name), None) == pytest.approx(1.0, abs=1e-12)
    assert loss_of_zero(PRESETS["lab"], None) == pytest.approx(1.0, abs=1e-12)


def test_without_the_data_it_is_not_made_up() -> None:
    assert loss_of_zero(replace(BASE, target="v"), None) is None
    assert loss_of_zero(replace(BASE, target="x0"), None) is None


def test_mean_square_is_that_of_the_scaled_pixels() -> None:
    images = np.random.default_rng(0).integers(0, 256, (50, 28, 28), dtype=np.uint8)
    assert abs(mean_square(images) - ((images / 127.5 - 1) ** 2).mean()) < 1e-12


def test_losses_of_the_same_question_can_be_compared() -> None:
    other = replace(BASE, model="lab-unet", batch_size=7, learning_rate=0.1, seed=5, steps=None, minutes=3.0)
    assert incomparable(BASE, other) is None
    assert incomparable(BASE, replace(BASE, time_mean=0.3)) is None, "it is not used when t is uniform"
    assert incomparable(BASE, replace(BASE, time_sampling="stratified")) is None, "the same density"
    for data in ("bundled", "mnist"):
        assert incomparable(BASE, replace(BASE, data=data)) is None, "some of the same digits"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"target": "v"}, "target v instead of eps"),
        ({"image_size": 16}, "image size 16 instead of none"),
        ({"classes": 4}, "number of classes 4 instead of none"),
        ({"timesteps": 1000}, "T 1000 instead of 200"),
        ({"schedule": "linear"}, "schedule linear instead of cosine"),
        ({"weighting": "min-snr"}, "weighting min-snr instead of none"),
        ({"time_sampling": "logit-normal"}, "timesteps drawn otherwise"),
        ({"data": "kmnist"}, "pictures of kmnist instead of MNIST"),
    ],
)
def test_what_makes_losses_incomparable_is_told(change: dict[str, object], told: str) -> None:
    assert incomparable(BASE, replace(BASE, **change)) == told


def test_logit_normal_with_other_parameters_is_another_loss() -> None:
    one = replace(BASE, time_sampling="logit-normal", time_mean=0.4)
    assert incomparable(one, replace(one, time_mean=0.0)) == "timesteps drawn otherwise"
