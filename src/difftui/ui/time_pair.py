"""The lecture's net comes in two kinds, told the time and not: which of the networks here are such a pair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from difftui.training.recipe import Recipe
from difftui.ui.sources import Source

__all__ = ["pair_of", "what_to_train"]

SWITCHED = "residual-unet"  # the network that has the switch


def pair_of(source: Source, sources: Sequence[Source]) -> Source | None:
    """The network whose recipe differs from this one's by the switch of the time alone, or None.

    Names, seeds, data and lengths of training may differ: they are told beside it.
    """
    if source.recipe is None or source.recipe.model != SWITCHED:
        return None
    wanted = _bare(source.recipe)
    for other in sources:
        if other.recipe is not None and other.recipe.model == SWITCHED:
            differs = _told(other.recipe) != _told(source.recipe)
            if differs and _bare(other.recipe) == wanted:
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


def _bare(recipe: Recipe) -> Recipe:
    """The recipe without the switch, and without what does not make networks another kind."""
    options = {name: value for name, value in recipe.model_options.items() if name not in ("time", "size")}
    return replace(
        recipe, name=SWITCHED, data=SWITCHED, seed=0, epochs=1, steps=None, minutes=None, precision="auto",
        sampler="ddpm", sampler_steps=None, temperature=1.0, guidance=0.0, model_options=options,
    )  # fmt: skip
