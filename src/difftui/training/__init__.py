"""Training: recipes (plain records) and the loop that follows them.

The records import no torch; ``train``, ``load_model`` and their kind do, when they are first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from difftui.training.recipe import PRESETS, Recipe, preset

if TYPE_CHECKING:
    from difftui.training.loading import LoadedModel, load_model
    from difftui.training.trainer import Progress, Session, Trainer, train

__all__ = [
    "PRESETS",
    "LoadedModel",
    "Progress",
    "Recipe",
    "Session",
    "Trainer",
    "load_model",
    "preset",
    "train",
]


def __getattr__(name: str) -> Any:
    if name in ("Progress", "Session", "Trainer", "train"):
        from difftui.training import trainer

        return getattr(trainer, name)
    if name in ("LoadedModel", "load_model"):
        from difftui.training import loading

        return getattr(loading, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
