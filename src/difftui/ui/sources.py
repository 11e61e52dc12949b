"""Trained networks to choose from: those that ship, the user's runs, the run in training now."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from difftui.errors import DifftuiError
from difftui.runs import Run, find_run, list_runs, shipped_runs
from difftui.training.recipe import Recipe

__all__ = ["Source", "find_sources", "named_source"]

FIRST = "quick"  # the conditional one: it draws what it is asked for, and well


@dataclass(frozen=True, slots=True)
class Source:
    """A trained network.

    Attributes:
        run: where it is kept.
        shipped: it came with difftui.
        live: it is being trained by this app.
        recipe: how it was trained and is best drawn with, or None where that cannot be read.
    """

    run: Run
    shipped: bool
    live: bool
    recipe: Recipe | None

    @property
    def name(self) -> str:
        """The run's name."""
        return self.run.name

    @property
    def wanted(self) -> str | Path:
        """What a sampling request calls it: by name the weights of this moment, by path those on disk."""
        return self.run.name if self.live else self.run.path


def find_sources(live: Run | None) -> list[Source]:
    """Everything that can draw: shipped checkpoints, "quick" first; then runs with weights, newest first.

    Args:
        live: the run that this app is training now; it can draw before it has saved any weights.
    """
    shipped = sorted(shipped_runs(), key=lambda run: run.name != FIRST)
    found = [_source(run, shipped=True) for run in shipped]
    drawing = [source for source in found if source.recipe is not None]  # a recogniser ships as well
    runs = [run for run in list_runs() if run == live or run.weights_path.is_file()]
    return drawing + [_source(run, live=run == live) for run in runs]


def named_source(name: str) -> Source:
    """The network that ``--run`` or another screen names, whether it has weights or not.

    Raises:
        DifftuiError: there is no such run.
    """
    run = find_run(name)
    return _source(run, shipped=run in shipped_runs())


def _source(run: Run, *, shipped: bool = False, live: bool = False) -> Source:
    try:
        recipe = Recipe.from_json(run.recipe_text())
    except (DifftuiError, ValueError):
        recipe = None  # the engine will say what is wrong with it, when it is asked to draw
    return Source(run, shipped, live, recipe)
