"""Trained networks to choose from: those that ship, the user's runs, the run in training now."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from difftui.errors import DifftuiError
from difftui.paths import home_dir
from difftui.runs import Run, find_run, list_runs, shipped_runs
from difftui.training.drawing import samplers_for
from difftui.training.recipe import OTHER_STEPS, Recipe

__all__ = ["CLASSES", "RUN_PICTURES", "SIDE", "Source", "find_sources", "named_source"]

FIRST = "quick"  # the conditional one: it draws what it is asked for, and well
CLASSES, SIDE = 10, 28  # of digits, which is what a recipe that says nothing else is for
RUN_PICTURES = 12  # drawn together


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

    absent = False
    together = RUN_PICTURES

    @property
    def name(self) -> str:
        """The run's name."""
        return self.run.name

    @property
    def place(self) -> Run:
        """Where it lies: what stays the same while it trains."""
        return self.run

    @property
    def wanted(self) -> str | Path:
        """What a sampling request calls it: by name the weights of this moment, by path those on disk."""
        return self.run.name if self.live else self.run.path

    @property
    def exports(self) -> Path:
        """Where pictures drawn with it are saved."""
        return home_dir() / "exports" if self.shipped else self.run.samples_path

    @property
    def timesteps(self) -> int | None:
        """The length of its schedule, where that is known."""
        return self.recipe.timesteps if self.recipe is not None else None

    @property
    def side(self) -> int:
        """Pixels across a picture."""
        if self.recipe is None:
            return SIDE
        size = self.recipe.model_options.get("size", self.recipe.image_size)
        return size if type(size) is int and size > 0 else SIDE

    @property
    def classes(self) -> int:
        """How many it may be asked for; the digits where nothing is said."""
        told = self.recipe.model_options.get("num_classes") if self.recipe is not None else None
        return told if type(told) is int and told > 0 else CLASSES

    @property
    def asked(self) -> str:
        """What it is asked for: a digit, or a class of other pictures."""
        return "digit" if self.recipe is None or self.recipe.data in ("mnist", "bundled") else "class"

    @property
    def samplers(self) -> tuple[str, ...]:
        """Those, and the experiments, that can draw with it."""
        return samplers_for(one_shot=self.recipe is not None and self.recipe.sampler == "looped-x0")

    @property
    def guidable(self) -> bool:
        """Whether it learned to go without labels, which guidance needs."""
        return self.recipe is not None and self.recipe.label_drop > 0

    @property
    def guidance(self) -> float:
        """What its recipe advises."""
        return self.recipe.guidance if self.recipe is not None else 0.0

    def drawing(self, sampler: str | None, steps: int | None) -> tuple[str, int]:
        """Sampler and steps: what is given and can draw with it, else what its recipe advises."""
        if sampler not in self.samplers:
            sampler = None
        if self.recipe is None:
            return sampler or "ddim", steps or OTHER_STEPS
        chosen, count, _ = self.recipe.drawing(sampler, steps)
        return chosen, count


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
