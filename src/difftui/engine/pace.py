"""How fast a training would be here, found out by a moment of it: :mod:`difftui.training.pace` as a job."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from difftui.engine.engine import Workbench

if TYPE_CHECKING:
    from difftui.training.recipe import Recipe

__all__ = ["PaceView", "start_pace"]


@dataclass(frozen=True, slots=True)
class PaceView:
    """What a moment of training has shown.

    Attributes:
        recipe: what was trained.
        images_per_second: of training steps alone, without looks at the network and saving.
    """

    recipe: Recipe
    images_per_second: float


def start_pace(recipe: Recipe) -> Callable[[Workbench], Iterator[PaceView | None]]:
    """Work for :meth:`Engine.submit`: half a second of steps on bundled digits; one event, the last.

    A network that takes other pictures cannot be measured so: the job fails.
    """
    return lambda bench: _measure(bench, recipe)


def _measure(bench: Workbench, recipe: Recipe) -> Iterator[PaceView | None]:
    from difftui.training.pace import measured_pace

    measured = 0.0
    for pace in measured_pace(recipe, bench.device.torch_device_name):
        measured = pace.images_per_second
        yield None
    yield PaceView(recipe, measured)
