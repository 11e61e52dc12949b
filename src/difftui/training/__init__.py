"""Training: recipes (plain records) and the loop that follows them.

The records import no torch; ``train`` and ``Trainer`` do, when they are first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from difftui.training.recipe import PRESETS, Recipe, preset

if TYPE_CHECKING:
    from difftui.training.trainer import Progress, Session, Trainer, train

__all__ = ["PRESETS", "Progress", "Recipe", "Session", "Trainer", "preset", "train"]


def __getattr__(name: str) -> Any:
    if name in ("Progress", "Session", "Trainer", "train"):
        from difftui.training import trainer

        return getattr(trainer, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
