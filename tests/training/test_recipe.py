"""Recipes: their JSON form, and what they refuse."""

import json
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from difftui.training.recipe import PRESETS, Recipe, preset

OPTIONS = st.dictionaries(
    st.text(min_size=1), st.one_of(st.text(), st.integers(), st.booleans(), st.floats(allow_nan=False))
)
NUMBERS = st.dictionaries(st.text(min_size=1), st.floats(allow_nan=False, allow_infinity=False))


def unit(**changes: Any) -> st.SearchStrategy[float]:
    return st.floats(0, 1, **changes)


RECIPES = st.builds(
    Recipe,
    name=st.text(min_size=1),
    model=st.text(min_size=1),
    model_options=OPTIONS,
    data=st.text(min_size=1),
    schedule=st.text(min_size=1),
    timesteps=st.integers(1, 10_000),
    schedule_options=NUMBERS,
    target=st.sampled_from(["eps", "x0", "v"]),
    weighting=st.sampled_from(["none", "min-snr"]),
    time_sampling=st.sampled_from(["uniform", "stratified", "logit-normal"]),
    time_mean=st.floats(-10, 10),
    time_spread=st.floats(0.01, 10),
    batch_size=st.integers(1, 65_536),
    learning_rate=st.floats(0, 10),
    adam_betas=st.tuples(unit(exclude_max=True), unit(exclude_max=True)),
    weight_decay=st.floats(0, 10),
    warmup_steps=st.integers(0, 10**9),
    decay=st.sampled_from(["none", "cosine"]),
    ema_decay=st.none() | unit(),
    label_drop=unit(),
    seed=st.integers(0, 2**63 - 1),
    precision=st.sampled_from(["auto", "fp32", "bf16"]),
    steps=st.integers(1, 10**9),
)


@given(RECIPES)
def test_json_reads_back_to_an_equal_recipe(recipe: Recipe) -> None:
    assert Recipe.from_json(recipe.to_json()) == recipe


@given(RECIPES)
def test_json_is_plain_and_complete(recipe: Recipe) -> None:
    raw = json.loads(recipe.to_json())
    assert set(raw) == {"format", *(f.name for f in fields(Recipe))}


LAB = preset("lab")

WRONG = [
    ("timesteps", 0),
    ("timesteps", 10_001),
    ("timesteps", 10.0),
    ("timesteps", True),
    ("batch_size", 0),
    ("batch_size", "64"),
    ("seed", -1),
    ("seed", 2**63),
    ("warmup_steps", -1),
    ("learning_rate", float("nan")),
    ("learning_rate", -1e-3),
    ("learning_rate", "fast"),
    ("weight_decay", float("inf")),
    ("label_drop", 1.1),
    ("time_mean", 11),
    ("time_spread", 0),
    ("ema_decay", 2),
    ("adam_betas", (0.9, 1.0)),
    ("adam_betas", (0.9,)),
    ("target", "noise"),
    ("weighting", "snr"),
    ("time_sampling", "even"),
    ("decay", "linear"),
    ("precision", "fp16"),
    ("name", ""),
    ("model", 3),
    ("data", None),
    ("epochs", 0),
    ("epochs", 1.5),
]


@pytest.mark.parametrize(("field", "value"), WRONG)
def test_a_wrong_value_is_named(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=field):
        replace(LAB, **{field: value})


@pytest.mark.parametrize(("field", "value"), WRONG)
def test_a_wrong_value_in_json_is_refused(field: str, value: object) -> None:
    raw = json.loads(LAB.to_json())
    raw[field] = value
    with pytest.raises(ValueError, match=field):
        Recipe.from_json(json.dumps(raw))


@pytest.mark.parametrize("given", [{}, {"epochs": 1, "steps": 1}, {"epochs": 1, "minutes": 1.0}])
def test_exactly_one_budget(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="exactly one of epochs, steps and minutes"):
        LAB.with_budget(**given)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "not a recipe"),
        ("[]", "expected a JSON object"),
        ('{"name": "x"', "not a recipe"),
        ('{"name": "x"}', "model"),
        ('{"format": 99}', "another version"),
        (LAB.to_json().replace('"name"', '"nome"'), "unknown field 'nome'"),
        (LAB.to_json().replace('"model_options": {', '"model_options": 3, "x": {'), "unknown field"),
        (LAB.to_json().replace('"schedule_options": {}', '"schedule_options": 3'), "not a recipe"),
        (LAB.to_json().replace('"adam_betas": [', '"adam_betas": 3, "seed": 0, "x": ['), "unknown field"),
    ],
)
def test_foreign_json_is_refused(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Recipe.from_json(text)


def test_a_recipe_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        LAB.model_options["timesteps"] = 3  # type: ignore[index]
    with pytest.raises(AttributeError):
        LAB.seed = 3  # type: ignore[misc]


def test_lab_is_the_solutions_recipe() -> None:
    assert (LAB.model, LAB.schedule, LAB.timesteps, LAB.target) == ("lab-unet", "linear", 1000, "eps")
    assert (LAB.batch_size, LAB.learning_rate, LAB.adam_betas) == (64, 2e-4, (0.9, 0.999))
    assert (LAB.weight_decay, LAB.warmup_steps, LAB.decay, LAB.weighting) == (0, 0, "none", "none")
    assert LAB.total_steps(60_000) == 50 * 938


def test_budgets_in_steps() -> None:
    assert LAB.steps_per_epoch(64) == 1
    assert LAB.steps_per_epoch(65) == 2
    assert LAB.with_budget(steps=7).total_steps(60_000) == 7
    assert LAB.with_budget(minutes=2).total_steps(60_000) is None


def test_unknown_preset() -> None:
    with pytest.raises(ValueError, match=r"unknown preset 'labb'; known: .*lab"):
        preset("labb")
    assert all(PRESETS[name].name == name for name in PRESETS)
