"""How long a training will take, before it starts, from what is known; and what it took, after."""

from __future__ import annotations

from dataclasses import dataclass

from difftui.data import settled
from difftui.errors import DifftuiError
from difftui.runs import last_metrics, list_runs
from difftui.training.recipe import Recipe
from difftui.words import duration

__all__ = ["Estimate", "clock", "estimate"]

IMAGES = {"mnist": 60_000, "bundled": 10_000}


@dataclass(frozen=True, slots=True)
class Estimate:
    """A time, and where it is from.

    Attributes:
        seconds: of training; None where nothing is known yet.
        source: in a few words; empty where the recipe itself says how long.
    """

    seconds: float | None
    source: str

    @property
    def words(self) -> str:
        """For the screen before the start."""
        if self.seconds is None:
            return self.source
        return f"takes about {duration(self.seconds)}, {self.source}" if self.source else ""

    def against(self, seconds: float) -> str:
        """The truth, and what was thought."""
        truth = f"took {clock(seconds)}"
        return f"{truth}, the estimate was {clock(self.seconds)}" if self.seconds and self.source else truth


def estimate(recipe: Recipe, device: str) -> Estimate:
    """How long ``recipe`` will train on ``device``.

    By the images a second of the newest run of the same network on the same device; a run with the same batch
    goes before others. A budget in minutes is no estimate.

    Args:
        recipe: what is to be trained.
        device: its label.
    """
    if recipe.minutes is not None:
        return Estimate(60 * recipe.minutes, "")
    steps = recipe.total_steps(_images(recipe.data)) or 0
    known = _known_rate(recipe, device)
    if known is None:
        return Estimate(None, "how long it takes shows after its first steps")
    rate, name = known
    return Estimate(steps * recipe.batch_size / rate, f"at the {rate:.0f} images/s of {name}")


def clock(seconds: float) -> str:
    """A time to the second: "12:40", "1:02:05"."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _images(data: str) -> int:
    try:
        return IMAGES.get(settled(data), IMAGES["mnist"])
    except DifftuiError:  # it is told where the digits are chosen
        return IMAGES["mnist"]


def _known_rate(recipe: Recipe, device: str) -> tuple[float, str] | None:
    found: tuple[float, str] | None = None
    for run in list_runs():
        if run.about().get("device") != device:
            continue
        try:
            other = Recipe.from_json(run.recipe_text())
        except (DifftuiError, ValueError):
            continue
        rate = last_metrics(run.metrics.path).get("rate")
        if other.model != recipe.model or not isinstance(rate, int | float) or not rate > 0:
            continue
        if other.batch_size == recipe.batch_size:
            return float(rate), run.name
        found = found or (float(rate), run.name)
    return found
