"""Training: recipes (plain records) and the loop that follows them.

The records import no torch; ``train``, ``load_model`` and their kind do, when they are first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from difftui.training.progress import Hold, Progress, SampleStrip, Validation
from difftui.training.recipe import PRESETS, Recipe, preset

if TYPE_CHECKING:
    from difftui.training.loading import LoadedModel, load_model
    from difftui.training.session import Session, train
    from difftui.training.trainer import Trainer

__all__ = [
    "PRESETS",
    "Hold",
    "LoadedModel",
    "Progress",
    "Recipe",
    "SampleStrip",
    "Session",
    "Trainer",
    "Validation",
    "load_model",
    "preset",
    "train",
]


def __getattr__(name: str) -> Any:
    if name in ("Session", "train"):
        from difftui.training import session

        return getattr(session, name)
    if name == "Trainer":
        from difftui.training.trainer import Trainer

        return Trainer
    if name in ("LoadedModel", "load_model"):
        from difftui.training import loading

        return getattr(loading, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
