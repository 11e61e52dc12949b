"""A run's losses as a still plot, drawn by plotext: in a list of runs, or as text on the command line.

What moves on the screen is drawn by :mod:`difftui.ui.plotting.raster`, in a fifth of the time and with only
the changed cells sent. A still is drawn once, so the library's own drawing serves.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np

from difftui.runs.history import History
from difftui.ui.plotting.records import Floats
from difftui.ui.plotting.reduction import finite_stretches, reduce_to_columns
from difftui.ui.plotting.ticks import log10, x_ticks, y_ticks

__all__ = ["COLOURS", "Figure", "plot_losses"]

COLOURS: Mapping[str, tuple[int, int, int]] = MappingProxyType(
    {"loss, smoothed": (230, 159, 0), "validation": (86, 180, 233)}
)
"""Series and their colours, colour-blind-safe (Okabe and Ito)."""

LEAST_FACTOR = 2.0  # of the losses' range, below which a logarithmic axis tells no more than a linear one
MARGIN = 8  # columns that the axis takes
DOTS_ACROSS = 2  # of a braille cell


class Figure(Protocol):
    """What is used of plotext's module, and of ``PlotextPlot.plt``, which is alike."""

    def clear_figure(self) -> object: ...
    def plot(self, *data: Any, **how: Any) -> object: ...
    def xlabel(self, label: str) -> object: ...
    def xticks(self, places: list[float], labels: list[str]) -> object: ...
    def yticks(self, places: list[float], labels: list[str]) -> object: ...
    def yscale(self, scale: str) -> object: ...


def plot_losses(
    figure: Figure, history: History, columns: int, rows: int, *, marker: str = "braille"
) -> bool:
    """Draw the smoothed training loss and the validation loss over the steps, log y where they span far.

    Args:
        figure: is cleared first.
        history: the run's curves; NaN is a gap.
        columns, rows: cells there are; curves are reduced to their dots first.
        marker: plotext's name for what points are made of, or one character.

    Returns:
        Whether there is anything to see: two points of a curve at least.
    """
    figure.clear_figure()
    curves = {
        "loss, smoothed": (history.loss.x, history.loss.smooth),
        "validation": (history.validation.x, history.validation.y),
    }
    seen = {name: one for name, one in curves.items() if np.isfinite(one[1]).sum() > 1}
    for name, (x, y) in seen.items():
        _plot(figure, name, x, y, columns * DOTS_ACROSS, marker)
    if seen:
        _scale_x(figure, np.concatenate([x for x, _ in seen.values()]), columns - MARGIN)
        _scale_y(figure, np.concatenate([y for _, y in seen.values()]), rows)
    figure.xlabel("step")
    return bool(seen)


def _scale_x(figure: Figure, steps: Floats, columns: int) -> None:
    ticks = x_ticks((float(steps.min()), float(steps.max())), 2 * columns // 3)
    figure.xticks([place for place, _ in ticks], [label for _, label in ticks])


def _scale_y(figure: Figure, losses: Floats, rows: int) -> None:
    losses = losses[np.isfinite(losses)]
    low, high = float(losses.min()), float(losses.max())
    log = low > 0 and high > low * LEAST_FACTOR
    if log:
        figure.yscale("log")
        ticks = [(10**place, label) for place, label in y_ticks((log10(low), log10(high)), rows, True)]
    else:
        ticks = list(y_ticks((low, high), rows, False)) if high > low else [(low, f"{low:.3g}")]
    figure.yticks([place for place, _ in ticks], [label for _, label in ticks])


def _plot(figure: Figure, name: str, x: Floats, y: Floats, dots: int, marker: str) -> None:
    place, _, mean, _ = reduce_to_columns(x, y, dots, (float(x[0]), max(float(x[-1]), float(x[0]) + 1e-9)))
    label: str | None = name
    for stretch in finite_stretches(np.isfinite(mean)):
        figure.plot(
            place[stretch].tolist(), mean[stretch].tolist(), label=label, color=COLOURS[name], marker=marker
        )
        label = None  # one entry in the legend, however many gaps
