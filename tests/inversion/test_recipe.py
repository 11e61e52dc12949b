"""The record of a fit: its JSON form and what it refuses."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from difftui.inversion.recipe import ACTIVATIONS, InversionRecipe


@given(
    hidden_layers=st.lists(st.integers(1, 256), max_size=4).map(tuple),
    activation=st.sampled_from(ACTIVATIONS),
    low=st.floats(-100, 99),
    width=st.floats(0.02, 1.0),
    learning_rate=st.floats(1e-12, 1.0),
    seed=st.integers(0, 2**63 - 1),
)
def test_json_round_trip(low: float, width: float, **rest: Any) -> None:
    recipe = InversionRecipe(x_range=(low, low + width), **rest)
    again = InversionRecipe.from_json(recipe.to_json())
    assert again == recipe
    assert hash(again) == hash(recipe)
    assert isinstance(again.hidden_layers, tuple)


def test_defaults_are_the_labs() -> None:
    recipe = InversionRecipe.from_json("{}")
    assert recipe == InversionRecipe()
    assert recipe.layers == (1, 3, 3, 1)
    assert recipe.parameters == 22
    assert json.loads(recipe.to_json())["epochs"] == 500


@pytest.mark.parametrize(("hidden", "count"), [((), 2), ((3,), 10), ((16, 16), 321)])
def test_parameters(hidden: tuple[int, ...], count: int) -> None:
    assert InversionRecipe(hidden_layers=hidden).parameters == count


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("hidden_layers", 3, "hidden_layers must be a list"),
        ("hidden_layers", (3,) * 5, "at most 4 layers"),
        ("hidden_layers", (3, 0), "units must be a whole number from 1 to 256, not 0"),
        ("hidden_layers", (257,), "units must be a whole number"),
        ("hidden_layers", (True,), "units must be a whole number"),
        ("activation", "gelu", "relu, tanh, silu, not 'gelu'"),
        ("activation", None, "activation must be one of"),
        ("points", 3, "points must be a whole number from 4 to 10000, not 3"),
        ("points", 200.0, "points must be a whole number"),
        ("epochs", 0, "epochs must be"),
        ("batch_size", 0, "batch_size must be"),
        ("seed", -1, "seed must be"),
        ("seed", 2**63, "seed must be"),
        ("learning_rate", 0.0, "learning_rate must be above 0"),
        ("learning_rate", float("nan"), "learning_rate must be above 0"),
        ("learning_rate", "fast", "learning_rate must be above 0"),
        ("x_range", (1.0, -1.0), "x_range must be two numbers"),
        ("x_range", (0.0, float("inf")), "x_range must be two numbers"),
        ("x_range", (1.0,), "x_range must be two numbers"),
    ],
)
def test_bad_values_are_named(field: str, value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        InversionRecipe(**{field: value})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not an inversion recipe: Expecting"),
        ("[1]", "expected a JSON object"),
        ('{"layers": [3]}', "unknown field 'layers'"),
        ('{"format": 2}', "another version"),
        ('{"hidden_layers": null}', "hidden_layers must be a list"),
        ('{"epochs": "many"}', "epochs must be a whole number"),
    ],
)
def test_bad_json_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        InversionRecipe.from_json(text)
