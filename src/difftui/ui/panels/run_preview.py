"""The losses of the run that is chosen in a list, as a small still plot."""

from __future__ import annotations

import time

from textual.worker import get_current_worker
from textual_plotext import PlotextPlot

from difftui.runs import Run
from difftui.runs.history import History
from difftui.runs.reader import MetricsReader
from difftui.ui.pixels.display import has_all_characters
from difftui.ui.plotting.still import plot_losses

__all__ = ["RunPreview"]

READING_SECONDS = 1.0  # of a run of days parts are left out, so that it takes less
SLICE_SECONDS = 0.05  # after which it looks whether another run is wanted


class RunPreview(PlotextPlot):
    """Reads a run's curves aside and draws them once; a run without any says so.

    Attributes:
        history: what is drawn; None before it is read.
    """

    DEFAULT_CSS = """
    RunPreview { height: 10; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.history: History | None = None

    def look_at(self, run: Run) -> None:
        """Show this run instead."""
        self.run_worker(lambda: self._read(run), thread=True, exclusive=True, group="preview")

    def _read(self, run: Run) -> None:
        worker = get_current_worker()
        reader = MetricsReader(run.metrics.path)
        deadline = time.monotonic() + READING_SECONDS
        while not worker.is_cancelled:
            reader.read(time.monotonic() + SLICE_SECONDS)
            if not reader.behind or time.monotonic() > deadline:
                break
        if not worker.is_cancelled:
            self.app.call_from_thread(self._show, reader.builder.view())

    def _show(self, history: History) -> None:
        self.history = history
        self._plot_again()

    def on_resize(self) -> None:
        self._plot_again()

    def _plot_again(self) -> None:
        if self.history is None:
            return
        marker = "braille" if has_all_characters(self.app) else "*"
        seen = plot_losses(self.plt, self.history, *self.size, marker=marker)
        self.plt.title("" if seen else "no curve yet")
        self.refresh()
