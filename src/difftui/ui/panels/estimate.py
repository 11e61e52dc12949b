"""How long a training will take, before it starts, from what is known or measured; what it took, after."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from difftui.data import settled
from difftui.errors import DifftuiError
from difftui.runs import last_metrics, list_runs
from difftui.training.recipe import Recipe
from difftui.words import duration

if TYPE_CHECKING:
    from difftui.engine import Engine, Job
    from difftui.engine.pace import PaceView

__all__ = ["Estimate", "Estimates", "clock", "estimate", "known_rate"]

CLASSES = 10  # of digits, about as many of each
MEASURING = "measuring how long it takes …"
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


class Estimates:
    """Estimates for one engine: by runs there are; else by a moment of training, measured while it rests."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._job: Job[PaceView] | None = None
        self._asked: tuple[object, ...] = ()
        self._measured: dict[tuple[object, ...], float | None] = {}  # images a second; None: it failed
        self._known: dict[tuple[object, ...], tuple[float, str] | None] = {}  # from the runs, as last read

    def look_again(self) -> None:
        """There may be other runs by now. Until then none is read twice, for screens ask at every frame."""
        self._known.clear()

    def of(self, recipe: Recipe) -> Estimate:
        """How long ``recipe`` will train, as far as that is known now."""
        device = self._engine.device.label if self._engine.device is not None else ""
        found = estimate(recipe, device, self._rate_of)
        if found.seconds is not None:
            return found
        if self._job is not None and self._asked == _kind(recipe):
            return Estimate(None, MEASURING)
        rate = self._measured.get(_kind(recipe))
        return found if rate is None else _at(recipe, rate, "measured just now")

    def measure(self, recipe: Recipe) -> bool:
        """See to it that the speed of ``recipe`` is measured, if it is not known. To be called now and then.

        Returns:
            Whether :meth:`of` may say something new.
        """
        if self._job is not None:
            if self._asked == _kind(recipe) or self._job.state.final:
                return self._take()
            self.stop()  # it is another one that is asked for by now
        if (
            self._engine.device is None
            or _kind(recipe) in self._measured
            or self.of(recipe).seconds is not None
        ):
            return False
        from difftui.engine.pace import start_pace

        self._asked = _kind(recipe)
        self._job = self._engine.submit("pace", start_pace(recipe))
        return True

    def stop(self) -> None:
        """The engine has something better to do."""
        if self._job is not None:
            self._job.close()
            self._job = None

    def _rate_of(self, recipe: Recipe, device: str) -> tuple[float, str] | None:
        key = (recipe.model, recipe.batch_size, device)
        if key not in self._known:
            self._known[key] = known_rate(recipe, device)
        return self._known[key]

    def _take(self) -> bool:
        job = self._job
        if job is None or not job.state.final:
            return False
        self._measured[self._asked] = job.snapshot.images_per_second if job.snapshot is not None else None
        self._job = None
        return True


def _kind(recipe: Recipe) -> tuple[object, ...]:
    """What the speed of a step depends on."""
    return recipe.model, repr(sorted(recipe.model_options.items())), recipe.batch_size, recipe.precision


def known_rate(recipe: Recipe, device: str) -> tuple[float, str] | None:
    """Images a second of the newest run of the same network on that device, and its name; reads all runs."""
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


def estimate(
    recipe: Recipe,
    device: str,
    rate_of: Callable[[Recipe, str], tuple[float, str] | None] = known_rate,
) -> Estimate:
    """How long ``recipe`` will train on ``device``.

    By the images a second of the newest run of the same network on the same device; a run with the same batch
    goes before others. A budget in minutes is no estimate.

    Args:
        recipe: what is to be trained.
        device: its label.
        rate_of: who knows the rates of runs.
    """
    if recipe.minutes is not None:
        return Estimate(60 * recipe.minutes, "")
    known = rate_of(recipe, device)
    if known is None:
        return Estimate(None, "how long it takes shows after its first steps")
    rate, name = known
    return _at(recipe, rate, f"as {name} had")


def _at(recipe: Recipe, rate: float, source: str) -> Estimate:
    images = _images(recipe.data) * min(recipe.classes or CLASSES, CLASSES) // CLASSES
    steps = recipe.total_steps(images) or 0
    return Estimate(steps * recipe.batch_size / rate, f"at {rate:.0f} images/s, {source}")


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
