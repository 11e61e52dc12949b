"""Sampling from a network that is being trained. Only for the engine's thread, which holds the trainer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from difftui.training.loading import LoadedModel

if TYPE_CHECKING:
    from difftui.training.trainer import Trainer

__all__ = ["live_model"]


def live_model(trainer: Trainer, name: str) -> LoadedModel:
    """A run's network as it is between two steps, in the form that ``load_model`` gives."""
    return LoadedModel(
        model=trainer.sampling_model(),
        recipe=trainer.recipe,
        schedule=trainer.schedule,
        step=trainer.step,
        name=name,
    )
