"""Walks from noise to pictures: the plain process, as the labs have it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from difftui.diffusion import Frame
    from difftui.training.loading import LoadedModel

__all__ = ["walk", "way"]


def walk(
    loaded: LoadedModel, sampler: str, x_T: Tensor, seeds: Sequence[int], steps: int
) -> Iterator[Frame[Tensor]]:
    """As :func:`difftui.diffusion.sample`, at temperature 1 and without labels: the plain process."""
    from difftui.diffusion import sample
    from difftui.models.side_by_side import side_by_side

    return sample(
        side_by_side(loaded.model),
        loaded.schedule,
        sampler=sampler,
        steps=steps,
        x_T=x_T,
        seeds=seeds,
        target=loaded.recipe.target,
        clip_x0=True,
    )


def way(loaded: LoadedModel, steps: int) -> str:
    """Who draws, and in how many steps: "quick, 50 of 1000 steps"."""
    return f"{loaded.name}, {steps} of {loaded.schedule.T} steps"
