"""Sampling from a network that is being trained. Only for the engine's thread, which holds the trainer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from difftui import models
from difftui.training.loading import LoadedModel

if TYPE_CHECKING:
    from torch import nn

    from difftui.training.trainer import Trainer

__all__ = ["live_model", "sampling_copy"]


def sampling_copy(trainer: Trainer, into: nn.Module | None = None) -> nn.Module:
    """A copy of the trainer's network with the weights that sampling uses, in evaluation mode.

    Args:
        trainer: whose weights.
        into: an earlier copy to fill again, or None to build one.
    """
    if into is None:
        recipe = trainer.recipe
        into = models.place(models.build(recipe.model, **recipe.model_options), trainer.device)
    into.load_state_dict(trainer.sampling_weights())
    return into.eval()


def live_model(trainer: Trainer, name: str) -> LoadedModel:
    """A run's network as it is between two steps, in the form that ``load_model`` gives."""
    return LoadedModel(
        model=sampling_copy(trainer),
        recipe=trainer.recipe,
        schedule=trainer.schedule,
        step=trainer.step,
        name=name,
    )
