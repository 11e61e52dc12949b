"""The plane of y (across) and x (up) that all views of the Inverse screen share: truth, data and answers."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from difftui.inversion import Line, Problem, prediction_grid
from difftui.ui.widgets.plot import CurvePlot, Marker, Series, Shade

__all__ = ["Plane", "average_series", "curve_series", "dashed", "line_series", "truth_on_grid", "unseen"]

Floats = NDArray[np.float64]

TRUTH = 3000  # points of the true curve
SPARSE = 40  # of them, one in so many is drawn where there are no data
AVERAGE = 521  # and of the average
FAR = 1e9


class Plane(CurvePlot):
    """A plot of x over y."""

    def draw(
        self,
        problem: Problem,
        series: list[Series],
        at: float | None = None,
    ) -> None:
        """Show these curves, with the parts shaded where there are no data, and perhaps a y marked."""
        image = [Marker(y, colour="muted") for y in problem.f.image if np.isfinite(y)]
        self.set_series(
            series,
            x_range=problem.y_window,
            y_range=problem.x_window,
            x_ticks=_y_ticks(problem, at),
            markers=[*image, *([Marker(at, colour="foreground")] if at is not None else [])],
            shades=unseen(problem),
        )

    def name_shades(self, problem: Problem) -> None:
        """Say under the plot what is shaded."""
        self.border_subtitle = shade_words(problem)


def unseen(problem: Problem) -> list[Shade]:
    """The y of which there are no data."""
    low, high = problem.seen
    return [Shade(-FAR, low), Shade(high, FAR)]


def shade_words(problem: Problem) -> str:
    """What the shaded parts are."""
    low, high = problem.f.image
    missing = "|y| > 1: no inverse" if high == -low else "y < 0: no inverse"
    if not np.isfinite(low):
        return "shaded: no data"
    if np.allclose(problem.seen, problem.f.image):
        return f"shaded: {missing}"
    return f"shaded: no data · {missing}"


@lru_cache(maxsize=16)
def curve_series(
    problem: Problem, *, label: str = "data", beyond: str = "", ground: bool = False
) -> list[Series]:
    """The true curve over all that is looked at.

    Args:
        problem: whose curve it is.
        label: of the part where there are data; ``beyond``: of the rest.
        ground: whether it gives way where other curves are.
    """
    kind: Literal["scatter", "ground"] = "ground" if ground else "scatter"
    low, high = problem.x_range
    x = np.linspace(*problem.x_window, TRUTH)
    inside = (x >= low) & (x <= high)
    y = problem.f.value(x)
    return [
        Series(
            y[~inside][::SPARSE], x[~inside][::SPARSE], "" if inside.all() else beyond, "muted", kind="ground"
        ),
        Series(y[inside], x[inside], label, "muted", kind=kind),
    ]


@lru_cache(maxsize=16)
def average_series(problem: Problem) -> list[Series]:
    """E[x | y], where the branches are many."""
    grid = np.linspace(*problem.y_window, AVERAGE)
    if not problem.many_valued:
        return []
    return [Series(grid, problem.average(grid), "average", "green")]


@lru_cache(maxsize=16)
def truth_on_grid(problem: Problem) -> Floats:
    """The best answer at each y of the fits' grid."""
    return problem.best_answer(prediction_grid(problem).astype(np.float64))


def line_series(line: Line, grid: Floats) -> Series:
    """The best straight line, dashed."""
    return Series(grid, dashed(line.at(grid)), "line", "foreground")


def dashed(y: Floats) -> Floats:
    """The curve with gaps."""
    return np.where(np.arange(len(y)) // 4 % 2 == 0, y, np.nan)


def _y_ticks(problem: Problem, at: float | None) -> list[tuple[float, str]]:
    """Round y; the first win where there is no room for all."""
    low, high = problem.y_window
    ticks = [-1.0, 0.0, 1.0, -0.5, 0.5]
    round_ones = [(y, "y = 0" if y == 0 else f"{y:g}") for y in ticks if low <= y <= high]
    return round_ones if at is None else [(at, f"▲ {at:.2g}"), *round_ones]
