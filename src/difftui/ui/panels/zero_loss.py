"""The loss of always answering 0, which a training must get below; found out where it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from difftui.errors import DifftuiError
from difftui.training.recipe import Recipe
from difftui.training.reference import loss_of_zero, mean_square

__all__ = ["ZeroLoss"]


class ZeroLoss:
    """Answers at once with what is known, for screens ask at every frame.

    Args:
        aside: runs a function in a thread: the digits of a recipe may first have to be read.
    """

    def __init__(self, aside: Callable[[Callable[[], None]], object]) -> None:
        self._aside = aside
        self._mean_squares: dict[str, float | None] = {}  # by the name of the data; None: not known yet
        self._newest: tuple[tuple[Recipe, float | None], float | None] | None = None

    def of(self, recipe: Recipe) -> float | None:
        """The loss of always answering 0, or None as long as what it takes is not known."""
        if recipe.target != "eps" and recipe.data not in self._mean_squares:
            self._mean_squares[recipe.data] = None
            self._aside(lambda: self._measure(recipe.data))
        asked = recipe, self._mean_squares.get(recipe.data)
        if self._newest is None or self._newest[0] != asked:  # worked out over all T: not for every frame
            self._newest = asked, loss_of_zero(*asked)
        return self._newest[1]

    def _measure(self, data: str) -> None:
        """In a thread."""
        from difftui.data import load

        with suppress(DifftuiError):  # a run from another machine: its digits are not here
            self._mean_squares[data] = mean_square(load(data).images)
