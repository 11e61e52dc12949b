"""What to press next on Train, where that is not what is always pressed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from difftui.ui.panels.invitation import key_text
from difftui.ui.panels.standing import Standing

if TYPE_CHECKING:
    from difftui.training.recipe import Recipe

__all__ = ["next_keys"]


def next_keys(
    standing: Standing, recipe: Recipe | None, *, watched: bool, smaller_batch: int | None
) -> Content:
    """Keys and what they do; empty where there is nothing to be said.

    Args:
        standing: how the run is.
        recipe: the run's, where it is known.
        watched: whether it is, or was, trained elsewhere.
        smaller_batch: one that may fit where memory was short; None where the batch is 1.
    """
    if standing is Standing.NO_MEMORY and recipe is not None:
        return _keys(("halve", f"train with batches of {smaller_batch}")) if smaller_batch else Content()
    if standing is Standing.DIVERGED and recipe is not None:
        return _keys(("halve", f"train anew with learning rate {recipe.learning_rate / 2:g}"))
    if standing is Standing.HELD:
        return _keys(("play", "try again"))
    if watched and standing in (Standing.STOPPED, Standing.LOST, Standing.FAILED):
        return _keys(("go_on", "go on with it here"), ("aside", "leave it"))
    if standing is Standing.FINISHED:
        return _keys(("generate", "draw digits"), ("aside", "train another"))
    return Content()


def _keys(*entries: tuple[str, str]) -> Content:
    return Content(" ") + Content("   ").join([key_text(*entry) for entry in entries])
