"""Trainings of the guided lab's toy network: the one that ships, and the newest of the student's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from difftui.errors import DifftuiError
from difftui.experiments.materials import never_seen
from difftui.runs import History, HistoryBuilder, Run, list_runs, read_metrics, shipped_runs
from difftui.training.recipe import Recipe, preset
from difftui.training.reference import incomparable

if TYPE_CHECKING:
    from difftui.training.loading import LoadedModel

__all__ = ["TOY", "ToyRun", "held_out_loss", "minutes", "own_toy", "shipped_toy"]

TOY = preset("toy")
LONGEST_NAME = 24
CHUNK = 100  # digits a look
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ToyRun:
    """A training of the toy network, as its files tell of it.

    Attributes:
        run, recipe: where it is, and how it was trained.
    """

    run: Run
    recipe: Recipe

    @property
    def name(self) -> str:
        """What it is called, in as few characters as a table has room for."""
        name = self.run.name
        return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"

    @cached_property
    def rows(self) -> tuple[dict[str, Any], ...]:
        """Its metrics, oldest first."""
        return tuple(read_metrics(self.run.metrics.path))

    @cached_property
    def history(self) -> History:
        """Its curves."""
        builder = HistoryBuilder()
        for row in self.rows:
            builder.add_row(row)
        return builder.view()

    @cached_property
    def clock(self) -> tuple[Floats, Floats]:
        """Steps, and the seconds of training that they had taken by then."""
        told = [
            (row["step"], row["seconds"])
            for row in self.rows
            if isinstance(row.get("step"), int) and isinstance(row.get("seconds"), int | float)
        ]
        steps, seconds = np.array(told or [(0, 0.0)], np.float64).T
        return steps, seconds

    @property
    def steps(self) -> int:
        """How far it came."""
        return int(self.clock[0][-1])

    @property
    def seconds(self) -> float:
        """What that took."""
        return float(self.clock[1][-1])


def shipped_toy() -> ToyRun:
    """The one that ships.

    Raises:
        DifftuiError: it does not, here.
    """
    for run in shipped_runs():
        if run.name == TOY.name:
            return ToyRun(run, Recipe.from_json(run.recipe_text()))
    raise DifftuiError("The network toy does not ship here. Install difftui again.")


def own_toy() -> ToyRun | None:
    """The student's newest training whose loss measures the same as the lab's toy; None if there is none."""
    for run in list_runs():
        try:
            recipe = Recipe.from_json(run.recipe_text())
        except (DifftuiError, ValueError):
            continue
        found = ToyRun(run, recipe)
        if recipe.model == TOY.model and incomparable(TOY, recipe) is None and found.steps:
            return found
    return None


def held_out_loss(loaded: LoadedModel, device: str) -> Iterator[tuple[float, float]]:
    """The loss on digits that no training saw: the share of them asked about so far, and their mean.

    As a training measures it, at timesteps and with noise that never change.
    """
    import torch

    from difftui.training.objective import Objective
    from difftui.training.validation import fixed_draws

    digits = never_seen(loaded)
    objective = Objective(loaded.schedule, loaded.recipe, torch.device(device))
    x0, t, eps = fixed_draws(digits, loaded.schedule.T)
    total = 0.0
    for start in range(0, len(digits), CHUNK):
        part = slice(start, start + CHUNK)
        with torch.inference_mode():
            x, times, noise = (tensor[part].to(device) for tensor in (x0, t, eps))
            total += float(objective.errors(loaded.model, x, None, times, noise).sum())
        asked = min(start + CHUNK, len(digits))
        yield asked / len(digits), total / asked


def minutes(seconds: float) -> str:
    """A time to the second: "2 min 56 s", "42 s"."""
    whole, rest = divmod(round(seconds), 60)
    return f"{whole} min {rest:02d} s" if whole else f"{rest} s"
