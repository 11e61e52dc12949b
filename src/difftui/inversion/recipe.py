"""What an inversion is, before it runs: one frozen record with a JSON form. Imports no torch."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, fields
from itertools import pairwise
from typing import Literal, get_args

from difftui.inversion.problem import FUNCTIONS, Problem

__all__ = ["ACTIVATIONS", "InversionRecipe"]

Activation = Literal["relu", "tanh", "silu"]
ACTIVATIONS: tuple[Activation, ...] = get_args(Activation)

FORMAT = 1
MAX_LAYERS = 4
MAX_UNITS = 256


@dataclass(frozen=True, slots=True)
class InversionRecipe:
    """Everything that decides a fit's outcome. The defaults are the lab's: 1-3-3-1, ReLU, 500 epochs.

    Attributes:
        hidden_layers: units of each hidden layer, up to 4 layers of 1 to 256; () leaves a straight line.
        activation: what follows every hidden layer.
        points: size of the data set.
        function: what is inverted, one of :data:`~difftui.inversion.problem.FUNCTIONS`.
        x_range: the x of the data (of a sine, in radians, and only within [-π/2, π/2] can it be undone).
        epochs: passes over the data.
        learning_rate: Adam's step size, above 0 and at most 1.
        batch_size: points a step; the last batch of an epoch may be smaller.
        seed: of the starting weights and of the order of the data.

    Raises:
        ValueError: a value of the wrong type or out of range; the message names the field.
    """

    hidden_layers: tuple[int, ...] = (3, 3)
    activation: Activation = "relu"
    points: int = 200
    function: str = "sin"
    x_range: tuple[float, float] = (-1.0, 1.0)
    epochs: int = 500
    learning_rate: float = 1e-3
    batch_size: int = 32
    seed: int = 0

    def __post_init__(self) -> None:
        _check(self)
        object.__setattr__(self, "hidden_layers", tuple(self.hidden_layers))
        object.__setattr__(self, "x_range", (float(self.x_range[0]), float(self.x_range[1])))
        object.__setattr__(self, "learning_rate", float(self.learning_rate))

    @property
    def problem(self) -> Problem:
        """The function and the range, with all that is exactly known of them."""
        return Problem(self.function, self.x_range)

    @property
    def layers(self) -> tuple[int, ...]:
        """Units of every layer from the input y to the output x: (1, 3, 3, 1)."""
        return (1, *self.hidden_layers, 1)

    @property
    def parameters(self) -> int:
        """Number of weights and biases: Σ (in + 1) · out over the layers."""
        return sum((inputs + 1) * outputs for inputs, outputs in pairwise(self.layers))

    def to_json(self) -> str:
        """The record as JSON text that :meth:`from_json` reads back to an equal record."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> InversionRecipe:
        """Read what :meth:`to_json` wrote; a field left out takes its default.

        Raises:
            ValueError: not JSON, an unknown field, or a value of the wrong type or out of range.
        """
        try:
            raw = json.loads(text)
        except json.JSONDecodeError as error:
            raise ValueError(f"not an inversion recipe: {error}") from None
        if not isinstance(raw, dict):
            raise ValueError("not an inversion recipe: expected a JSON object")
        if raw.pop("format", FORMAT) != FORMAT:
            raise ValueError("this inversion recipe was written by another version of difftui")
        unknown = sorted(set(raw) - {f.name for f in fields(cls)})
        if unknown:
            raise ValueError(f"not an inversion recipe: unknown field {unknown[0]!r}")
        return cls(**raw)


def _check(recipe: InversionRecipe) -> None:
    _check_layers(recipe.hidden_layers)
    if recipe.activation not in ACTIVATIONS:
        raise ValueError(f"activation must be one of {', '.join(ACTIVATIONS)}, not {recipe.activation!r}")
    if recipe.function not in FUNCTIONS:
        raise ValueError(f"function must be one of {', '.join(FUNCTIONS)}, not {recipe.function!r}")
    _check_whole("points", recipe.points, 4, 10_000)
    _check_whole("epochs", recipe.epochs, 1, 1_000_000)
    _check_whole("batch_size", recipe.batch_size, 1, 10_000)
    _check_whole("seed", recipe.seed, 0, 2**63 - 1)
    if not _is_number(recipe.learning_rate) or not 0.0 < recipe.learning_rate <= 1.0:
        raise ValueError(f"learning_rate must be above 0 and at most 1, not {recipe.learning_rate!r}")
    _check_range(recipe.x_range)


def _check_layers(layers: object) -> None:
    if not isinstance(layers, (tuple, list)) or len(layers) > MAX_LAYERS:
        raise ValueError(f"hidden_layers must be a list of at most {MAX_LAYERS} layers, not {layers!r}")
    for units in layers:
        _check_whole("a hidden layer's units", units, 1, MAX_UNITS)


def _check_whole(name: str, value: object, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{name} must be a whole number from {low} to {high}, not {value!r}")


def _check_range(x_range: object) -> None:
    """Two rising numbers, wide enough that the data are not one point but for rounding."""
    if isinstance(x_range, (tuple, list)) and len(x_range) == 2 and all(map(_is_number, x_range)):
        low, high = x_range
        if abs(low) <= 100 and abs(high) <= 100 and high - low >= 0.01:
            return
    raise ValueError(
        f"x_range must be two numbers within -100 and 100, the second at least 0.01 larger, not {x_range!r}"
    )


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
