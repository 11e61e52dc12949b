"""Fits of an inverse as jobs: one with every epoch's error kept, one snapshot an epoch; or a hundred at once.

The job sets no pace of its own. Whoever watches asks for epochs by :meth:`~difftui.engine.job.Job.step`, so
that a fit of 0.3 s can be watched for as long as one likes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from difftui.inversion import (
    CohortProgress,
    FitProgress,
    InversionRecipe,
    fit_cohort,
    fit_inverse,
    untrained,
)
from difftui.runs import Curve, Series

__all__ = ["FitView", "start_cohort", "start_fit"]


@dataclass(frozen=True, slots=True)
class FitView:
    """A fit between two epochs.

    Attributes:
        recipe: what is fitted.
        progress: the network now; epoch 0 is the untrained one.
        losses: x = epochs done, 0 to ``progress.epoch``; y = mean squared error over the data then.
    """

    recipe: InversionRecipe
    progress: FitProgress
    losses: Curve


def start_fit(recipe: InversionRecipe) -> Callable[[], Iterator[FitView]]:
    """Work for :meth:`Engine.submit_light`: the untrained network, then one epoch an event. NumPy only."""
    return lambda: _fit(recipe)


def _fit(recipe: InversionRecipe) -> Iterator[FitView]:
    losses = Series()
    start = untrained(recipe)
    losses.append(0, start.mse)
    yield FitView(recipe, start, losses.view())
    for progress in fit_inverse(recipe):
        losses.append(progress.epoch, progress.mse)
        yield FitView(recipe, progress, losses.view())


def start_cohort(recipe: InversionRecipe, count: int) -> Callable[[], Iterator[CohortProgress]]:
    """Work for :meth:`Engine.submit_light`: many fits that differ in their seeds, five epochs an event."""
    return lambda: fit_cohort(recipe, count)
