"""Where the pictures part or meet: how far each way's guess of the clean picture is from the reference."""

from __future__ import annotations

import numpy as np

from difftui.engine.comparing import ComparisonView
from difftui.ui.plotting.records import Marker, Series
from difftui.ui.theme import SERIES
from difftui.ui.widgets.plot import CurvePlot

__all__ = ["BeliefPlot"]

LEAST = 1e-3
"""Smaller distances are lost in the rounding of the pictures that are kept."""
_TICKS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)


class BeliefPlot(CurvePlot):
    """One curve a way over the calls of the network, both axes logarithmic."""

    def show_view(self, view: ComparisonView, looks: int) -> None:
        """Draw what is known, with a mark at the moment that is shown.

        Args:
            view: the comparison.
            looks: the moment.
        """
        waits = " · waits" if view.beliefs is None else ""
        self.border_title = f"RMS of x̂0 by call{waits}"
        if view.beliefs is None:
            self.set_series([])
            return
        self.place_words = lambda place: f"call {10**place:.0f}"
        most = max(view.most_looks, 2)
        curves = [
            Series(
                np.log10(seen[1:]),
                np.where(beliefs >= LEAST, beliefs, np.nan),
                name.removesuffix(" steps").replace("000", "k"),
                colour,
            )
            for seen, beliefs, name, colour in zip(
                view.looks, view.beliefs, view.plan.names, SERIES, strict=False
            )
        ]
        self.set_series(
            curves,
            x_range=(0.0, float(np.log10(most))),
            log_y=True,
            markers=[Marker(float(np.log10(max(looks, 1))), colour="foreground")],
            x_ticks=[(float(np.log10(tick)), str(tick)) for tick in _TICKS if tick <= most],
        )
