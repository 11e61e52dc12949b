"""What is trained, as rows of text: the choices before a training, the facts during it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from textual.content import Content

from difftui.ui.keys import shown_key
from difftui.ui.panels.plan import DEVICES, HANG_UP, Plan, length_text
from difftui.words import grouped

if TYPE_CHECKING:
    from difftui.engine.training import TrainingView
    from difftui.training.recipe import Recipe

__all__ = ["choice_row", "plan_rows", "view_rows"]

TARGETS = {
    "eps": "the noise ε",
    "x0": "the clean x₀",
    "v": "the velocity v",
    "x_prev": "the step before, x_{t-1}",
}
LABEL = 10


def row(name: str, value: str) -> Content:
    """A fact."""
    return Content.assemble("  ", (f"{name:<{LABEL}}", "$muted"), " ", value)


def choice_row(key: str, name: str, value: str, action: str) -> Content:
    """A fact that a key or a click changes."""
    return Content.from_markup(
        f"[@click=screen.{action}][b $accent]{key}[/] [$muted]{name:<{LABEL}}[/] [b]$value[/][/]", value=value
    )


def plan_rows(plan: Plan) -> Content:
    """A plan, with the keys that change it."""
    recipe = plan.recipe
    rows = [
        choice_row("p", "recipe", recipe.name, "preset(1)"),
        choice_row("b", "length", length_text(recipe), "budget(1)"),
        *_recipe_rows(recipe),
        choice_row(shown_key("train", "keep"), "on hang-up", _word(HANG_UP, plan.keep), "keep()"),
        choice_row(shown_key("train", "edit"), "edit", "all of it", "edit()"),
    ]
    if plan.devices == "all":
        rows.insert(-2, row("device", _word(DEVICES, plan.devices)))
    return Content("\n").join(rows)


def view_rows(view: TrainingView) -> Content:
    """A training under way."""
    about, recipe = view.about, view.recipe
    rows = [row("recipe", recipe.name), row("length", length_text(recipe)), *_recipe_rows(recipe)]
    if "parameters" in about:
        rows.append(row("weights", f"{grouped(int(about['parameters']))}, {about.get('precision', '')}"))
    rows.append(row("average", f"{recipe.ema_decay:g}" if recipe.ema_decay is not None else "none"))
    rows.append(row("decay", recipe.decay))
    rows.append(row("seed", str(recipe.seed)))
    if "images" in about:
        rows.append(row("digits", f"{grouped(int(about['images']))} of {Path(recipe.data).name}"))
    return Content("\n").join(rows)


def _recipe_rows(recipe: Recipe) -> list[Content]:
    weighting = "" if recipe.weighting == "none" else f", {recipe.weighting}"
    return [
        row("network", recipe.model),
        row("predicts", TARGETS[recipe.target] + weighting),
        row("noise", f"{recipe.schedule}, T = {grouped(recipe.timesteps)}"),
        row("batch", f"{recipe.batch_size}   lr {recipe.learning_rate:g}"),
    ]


def _word(words: Mapping[str, object], value: object) -> str:
    return next(word for word, meaning in words.items() if meaning == value)
