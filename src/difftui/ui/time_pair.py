"""The lecture's net comes in two kinds, told the time and not: which of the networks here are such a pair."""

from __future__ import annotations

from collections.abc import Sequence

from difftui.training.recipe import Recipe
from difftui.ui.sources import Source

__all__ = ["pair_of", "what_to_train"]

SWITCHED = "residual-unet"  # the network that has the switch


def pair_of(source: Source, sources: Sequence[Source]) -> Source | None:
    """The network of the other kind whose loss is of the same thing, or None.

    How long and with what step size each was trained may differ; the steps are told beside it.
    """
    if source.recipe is None or source.recipe.model != SWITCHED:
        return None
    wanted = _measured(source.recipe)
    for other in sources:
        if other.recipe is not None and other.recipe.model == SWITCHED:
            differs = _told(other.recipe) != _told(source.recipe)
            if differs and _measured(other.recipe) == wanted:
                return other
    return None


def what_to_train(source: Source, sources: Sequence[Source]) -> str:
    """What is missing for the comparison, as a command; empty where nothing is."""
    recipe = source.recipe
    if recipe is not None and recipe.model == SWITCHED:
        if pair_of(source, sources) is not None:
            return ""
        option = "" if _told(recipe) else " --model-option time=yes"
        return f"Its twin is not here: difftui train --preset lecture{option}"
    if any(other.recipe is not None and other.recipe.model == SWITCHED for other in sources):
        return ""
    return "The lecture's net, never told t, is not here: difftui train --preset lecture"


def _told(recipe: Recipe) -> bool:
    return bool(recipe.model_options.get("time", False))


def _measured(recipe: Recipe) -> tuple[object, ...]:
    """What two losses must have in common to be of the same thing."""
    options = {name: value for name, value in recipe.model_options.items() if name not in ("time", "size")}
    return (
        recipe.schedule, recipe.timesteps, dict(recipe.schedule_options), recipe.target, recipe.image_size,
        recipe.classes, options,
    )  # fmt: skip
