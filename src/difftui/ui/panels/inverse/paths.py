"""The paths of a few draws at one y, from the noise to x: where each of them settles for a branch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from difftui.ui.widgets.plot import CurvePlot, Line, Series

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from difftui.engine.conditional import DrawView, LearningView

__all__ = ["JAGGED", "SMOOTH", "Paths"]

SMOOTH = 12  # paths that are smooth; more are a thicket
JAGGED = ("accent", "noise", "green")  # colours of paths that are not: in one colour nobody tells them apart
NOISY = ("ddpm",)  # samplers that add noise on the way


class Paths(CurvePlot):
    """Time across, noise left and x right, as the slider below has it; x up, as the plane beside it has it.

    While the network still learns there is nothing to follow: its loss stands here.
    """

    def learning(self, view: LearningView) -> None:
        """The loss by optimiser step."""
        self.entitle("loss by step, log")
        losses = view.losses
        self.set_series(
            [Series(losses.x, losses.y, "MSE of the noise", "accent")],
            x_range=(0.0, float(view.progress.steps)),
            log_y=True,
        )

    def follow(self, view: DrawView, index: int, probe: int, branches: NDArray[np.float64]) -> None:
        """Each draw from the first frame to this one.

        Args:
            view: the drawing.
            index: the frame that is shown; later ones are not, though they may be there.
            probe: place of the y among its probes.
            branches: (B,) every x that has this y.
        """
        y, last = float(view.probes[probe]), len(view.times) - 1
        noisy = view.request.sampler in NOISY
        count = len(JAGGED) if noisy else SMOOTH
        done = np.arange(index + 1)
        paths = view.at[: index + 1, probe, :count].T.astype(np.float64)
        label = f"{count} of them, at y = {y:g}"
        if noisy:
            series = [
                Series(done, path, "" if place else label, colour)
                for place, (path, colour) in enumerate(zip(paths, JAGGED, strict=True))
            ]
        else:
            ends = np.full(count, float(index))
            series = [
                Series(done, paths, label, "noise"),
                Series(ends, paths[:, -1], "", "accent", kind="scatter"),
            ]
        self.entitle("noise is added on the way" if noisy else "the start alone decides")
        self.set_series(
            series,
            x_range=(0.0, float(last)),
            y_range=view.model.recipe.problem.x_window,
            x_ticks=((0.0, f"t = {view.times[0]}"), (float(last), "x")),
            lines=[Line(float(x), colour="foreground") for x in branches],
        )
