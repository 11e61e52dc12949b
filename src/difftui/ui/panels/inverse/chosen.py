"""What is chosen on the Inverse screen, shared by its three views, and words about it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from textual.content import Content

from difftui.inversion import ACTIVATIONS, PROBLEMS, InversionRecipe, Problem
from difftui.ui.widgets.text import choice

__all__ = [
    "HIDDEN",
    "LESSON",
    "Chosen",
    "figure_of",
    "line_of_progress",
    "net_title",
    "problem_title",
    "ratio_text",
]

ACTIVATION_NAMES = {"relu": "ReLU", "tanh": "tanh", "silu": "SiLU"}
HIDDEN: tuple[tuple[int, ...], ...] = ((), (3,), (3, 3), (8, 8), (16, 16), (64, 64))
LESSON = 500  # epochs of the lab
ANGLES = {math.pi: "π", math.pi / 2: "π/2"}


@dataclass(slots=True)
class Chosen:
    """The choices that all views share.

    Attributes:
        problem, hidden, activation: indices into PROBLEMS, :data:`HIDDEN` and ACTIVATIONS.
        seed: of the one regression; the hundred are the hundred it belongs to.
        log: whether axes of errors are logarithmic.
    """

    problem: int = 0
    hidden: int = HIDDEN.index((3, 3))
    activation: int = 0
    seed: int = 0
    log: bool = True

    def of(self) -> Problem:
        """The problem itself."""
        return PROBLEMS[self.problem]

    def recipe(self, epochs: int = LESSON, seed: int | None = None) -> InversionRecipe:
        """The regression that is chosen."""
        return InversionRecipe(
            hidden_layers=HIDDEN[self.hidden],
            activation=ACTIVATIONS[self.activation],
            function=self.of().function,
            x_range=self.of().x_range,
            seed=self.seed if seed is None else seed,
            epochs=epochs,
        )

    def net_choices(self) -> list[Content]:
        """Hidden layers and activation, as the line of choices has them."""
        recipe = self.recipe()
        hidden = "-".join(map(str, recipe.hidden_layers)) or "none"
        activation = ACTIVATION_NAMES[recipe.activation] if recipe.hidden_layers else "-"
        return [
            choice("w", "hidden", f"{hidden:<5}", "hidden(1)"),
            choice("a", "activation", f"{activation:<4}", "activation(1)"),
        ]


def net_title(recipe: InversionRecipe) -> str:
    """1-[3]-[3]-1 ReLU"""
    layers = "-".join(["1", *(f"[{units}]" for units in recipe.hidden_layers), "1"])
    return f"{layers} {ACTIVATION_NAMES[recipe.activation]}" if recipe.hidden_layers else layers


def problem_title(problem: Problem) -> str:
    """y = sin x on [-π, π]"""
    low, high = (_number(value) for value in problem.x_range)
    return f"y = {problem.f.label} on [{low}, {high}]"


def _number(value: float) -> str:
    sign = "-" if value < 0 else ""
    named = next((name for angle, name in ANGLES.items() if math.isclose(angle, abs(value))), None)
    return f"{sign}{named}" if named else f"{value:g}"


def ratio_text(ratio: float) -> str:
    """A ratio to about two digits: 470, 21.9, 0.59, 0.084, 0.0021."""
    for least, digits in ((99.5, 0), (9.95, 1), (0.0995, 2), (0.00995, 3)):
        if ratio >= least:
            return f"{ratio:.{digits}f}"
    return f"{ratio:.4f}"


def figure_of(mse: float) -> str:
    """0.822, and small ones as 7.16e-04."""
    return f"{mse:.3f}" if mse >= 0.1 else f"{mse:.2e}"


@lru_cache(maxsize=256)
@lru_cache(maxsize=256)
def _bar(share: float, width: int) -> Content:
    """A line that is full to this share."""
    full = round(width * min(max(share, 0.0), 1.0))
    return Content.from_markup(f"[$accent]{'━' * full}[/][$border]{'─' * (width - full)}[/]")


def line_of_progress(words: str, share: float, hint: str, columns: int) -> Content:
    """What goes on, how far it is, and what the next key does."""
    width = max(8, columns - len(words) - len(hint) - 6)
    return Content(words) + _bar(share, width) + Content.from_markup(f"  [$muted]{hint}[/]")
