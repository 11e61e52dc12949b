"""The error on held-out digits: against closed forms and against the loss that training itself draws."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from difftui.data import Digits, bundled, held_out
from difftui.training.objective import Objective
from difftui.training.progress import Validation
from difftui.training.recipe import Recipe
from difftui.training.seeding import generator
from difftui.training.trainer import Trainer
from difftui.training.validation import Validator

CPU = torch.device("cpu")


class Zero(nn.Module):
    """Always answers 0."""

    def forward(self, x: Tensor, t: Tensor, label: Tensor | None = None) -> Tensor:
        return torch.zeros_like(x)


def measured(recipe: Recipe, model: nn.Module, few: Digits) -> Validation:
    validator = Validator(Trainer(recipe, few, CPU))
    for _ in validator.measure(model):
        pass
    assert validator.newest is not None
    return validator.newest


def test_held_out_digits_are_none_of_those_that_are_trained_on() -> None:
    seen = {image.tobytes() for image in bundled().images}
    assert not [image for image in held_out().images if image.tobytes() in seen]
    assert len(held_out()) == 500
    assert set(held_out().labels) == set(range(10))


def test_answering_nothing_costs_the_variance_of_the_noise(small: Recipe, few: Digits) -> None:
    found = measured(small, Zero(), few)
    assert found.loss == pytest.approx(1.0, abs=0.01)  # E[ε²]; 392 000 draws: standard deviation 0.002
    assert found.by_timestep == pytest.approx((1.0,) * 10, abs=0.03)


def test_by_timestep_is_the_mean_over_its_tenth(small: Recipe, few: Digits) -> None:
    """For v, answering 0 costs ᾱ E[ε²] + (1-ᾱ) E[x₀²], in closed form at each t."""
    recipe = replace(small, target="v", weighting="none", time_sampling="uniform", schedule="cosine")
    found = measured(recipe, Zero(), few)
    x0 = torch.from_numpy(held_out().images.copy()).float() / 127.5 - 1
    power = x0.square().mean().item()
    trainer = Trainer(recipe, few, CPU)
    alpha_bars = torch.from_numpy(trainer.schedule.alpha_bars.copy())
    expected = (alpha_bars + (1 - alpha_bars) * power).view(10, -1).mean(1).tolist()
    assert found.by_timestep == pytest.approx(expected, abs=0.03)
    assert found.loss == pytest.approx(sum(expected) / 10, abs=0.01)


@pytest.mark.parametrize(
    "changes",
    [
        {"time_sampling": "logit-normal", "time_mean": 0.4, "time_spread": 1.3, "target": "v"},
        {"time_sampling": "logit-normal", "time_mean": -1.0, "time_spread": 0.7, "target": "x0"},
        {"time_sampling": "stratified", "target": "v", "weighting": "min-snr"},
        {"time_sampling": "uniform", "target": "eps", "weighting": "min-snr"},
    ],
)
def test_it_estimates_what_training_estimates(small: Recipe, few: Digits, changes: dict[str, Any]) -> None:
    """Its importance weights against 200 000 timesteps drawn as training draws them."""
    recipe = replace(small, schedule="cosine", **changes)
    trainer = Trainer(recipe, few, CPU)
    objective = Objective(trainer.schedule, recipe, CPU)
    t = objective.draw_timesteps(200_000, generator(CPU, "test"))
    x0 = torch.from_numpy(held_out().images.copy()).float() / 127.5 - 1
    power = x0.square().mean()
    signal, noise = objective.signal.square(), objective.noise.square()
    by_t = {"eps": torch.ones_like(signal), "x0": power.expand_as(signal), "v": signal + noise * power}
    wanted = (objective.weights * by_t[recipe.target])[t].mean().item()
    assert measured(recipe, Zero(), few).loss == pytest.approx(wanted, rel=0.02)


def test_the_density_of_timesteps_is_that_of_the_draws(small: Recipe, few: Digits) -> None:
    recipe = replace(small, time_sampling="logit-normal", time_mean=0.4, time_spread=1.3)
    objective = Trainer(recipe, few, CPU).objective
    density = objective.time_density()
    assert density.sum().item() == pytest.approx(1.0, abs=1e-6)
    t = objective.draw_timesteps(400_000, generator(CPU, "test"))
    drawn = torch.bincount(t, minlength=1000).view(20, -1).sum(1) / 400_000
    assert (drawn - density.view(20, -1).sum(1)).abs().max() < 1e-4  # stratified: hardly any variance


def test_tenths_without_a_timestep_have_no_figure(small: Recipe, few: Digits) -> None:
    found = measured(replace(small, timesteps=4, model_options={**small.model_options}), Zero(), few)
    told = [not math.isnan(error) for error in found.by_timestep]
    assert told == [True, False, True, False, False, True, False, True, False, False]


def test_measuring_changes_nothing_in_the_training(small: Recipe, few: Digits) -> None:
    plain, watched = Trainer(small, few, CPU), Trainer(small, few, CPU)
    validator = Validator(watched)
    for _ in range(3):
        wanted = plain.train_step()
        assert torch.equal(watched.train_step(), wanted)
        for _ in validator.measure(watched.sampling_model()):
            pass
    assert all(torch.equal(a, b) for a, b in zip(plain.weights, watched.weights, strict=True))
