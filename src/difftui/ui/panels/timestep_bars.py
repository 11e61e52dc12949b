"""Loss by timestep: one bar for each part of the way from clean to noise."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from textual.content import Content
from textual.widget import Widget

__all__ = ["TimestepBars"]

EIGHTHS = " ▏▎▍▌▋▊▉"
FIGURE = 7  # cells
LABEL = 11


class TimestepBars(Widget):
    """Horizontal bars with figures, clean uppermost; all are drawn to the largest.

    Where there are fewer rows than bars, neighbours are averaged.
    """

    DEFAULT_CSS = """
    TimestepBars { width: 1fr; height: 1fr; }
    TimestepBars > .bars--bar { color: $accent; }
    TimestepBars > .bars--label { color: $muted; }
    """
    COMPONENT_CLASSES = {"bars--bar", "bars--label"}  # noqa: RUF012
    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.values: tuple[float, ...] = ()
        self.timesteps = 0
        self.empty = ""

    def show(self, values: Sequence[float], timesteps: int, *, empty: str = "") -> None:
        """Show mean errors of equal parts of 0 … ``timesteps`` - 1; draws only what is new.

        Args:
            values: one for each part, clean to noise; NaN has no bar.
            timesteps: T.
            empty: what to say where there are no values.
        """
        if empty != self.empty:
            self.empty = empty
            self.refresh()
        new = tuple(values)
        if repr(new) != repr(self.values) or timesteps != self.timesteps:  # NaN is not equal to itself
            self.values, self.timesteps = new, timesteps
            self.refresh()

    def render(self) -> Content:
        if not self.values:
            return Content(self.empty).stylize("$muted")
        values, starts = self._rows()
        largest = max((value for value in values if isfinite(value)), default=1.0) or 1.0
        room = max(1, self.size.width - LABEL - FIGURE - 2)
        lines = []
        for row, (value, start) in enumerate(zip(values, starts, strict=True)):
            end = "clean" if row == 0 else "noise" if row == len(values) - 1 else ""
            lines.append(
                Content.assemble(
                    (f"{end:<5} {start:>{LABEL - 6}} ", self.get_visual_style("bars--label")),
                    (_bar(value / largest, room), self.get_visual_style("bars--bar")),
                    f" {_figure(value):>{FIGURE}}",
                )
            )
        return Content("\n").join(lines)

    def _rows(self) -> tuple[list[float], list[int]]:
        """The values to show, and the first timestep of each."""
        count = len(self.values)
        each = next(
            (n for n in range(1, count + 1) if count % n == 0 and count // n <= self.size.height), count
        )
        groups = [self.values[i : i + each] for i in range(0, count, each)]
        known = [[value for value in group if isfinite(value)] for group in groups]
        means = [sum(group) / len(group) if group else float("nan") for group in known]
        return means, [-(-i * self.timesteps // count) for i in range(0, count, each)]


def _bar(share: float, room: int) -> str:
    eighths = round(share * room * 8) if isfinite(share) else 0
    full, rest = divmod(eighths, 8)
    return ("█" * full + (EIGHTHS[rest] if rest else "")).ljust(room)


def _figure(value: float) -> str:
    if not isfinite(value):
        return "–"
    return f"{value:.4f}" if value < 9.9995 else f"{value:.3g}"
