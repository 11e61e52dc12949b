"""Which part of a growing curve is looked at: the data, their bounds and the view are three things."""

from __future__ import annotations

from dataclasses import dataclass, replace

from difftui.ui.plotting.records import Range

__all__ = ["Viewport"]

ZOOM = 1.5  # a step of zooming in takes this much of the width away


@dataclass(frozen=True, slots=True)
class Viewport:
    """A window on x. New data change the bounds, never what a window that was set looks at.

    Attributes:
        width: of the window; None is all there is.
        end: its right edge; None follows the newest data.
    """

    width: float | None = None
    end: float | None = None

    @property
    def live(self) -> bool:
        """Whether everything is shown, new data included."""
        return self.width is None

    @property
    def follows(self) -> bool:
        """Whether the newest data are shown."""
        return self.end is None

    def over(self, bounds: Range) -> Range:
        """The limits to draw on data with these bounds."""
        if self.width is None:
            return bounds
        end = bounds[1] if self.end is None else self.end
        return end - self.width, end

    def zoomed(self, bounds: Range, steps: float, *, anchor: float = 1.0, least: float = 0.0) -> Viewport:
        """Closer, or (negative steps) further away.

        Args:
            bounds: of the data.
            steps: each divides the width by 1.5.
            anchor: the point that stays in its place, as a share of the window from the left.
            least: the narrowest window.
        """
        start, end = self.over(bounds)
        whole = bounds[1] - bounds[0]
        width = max((end - start) / ZOOM**steps, min(least, whole))
        if width >= whole:
            return Viewport()
        end += (1 - anchor) * (width - (end - start))
        if self.follows and anchor == 1.0:
            return Viewport(width)
        return Viewport(width, end)._held(bounds)

    def panned(self, bounds: Range, share: float) -> Viewport:
        """Moved by a share of the window's width; at the right end it follows the data again."""
        if self.width is None:
            return self
        end = self.over(bounds)[1] + share * self.width
        return replace(self, end=end)._held(bounds)

    def _held(self, bounds: Range) -> Viewport:
        """Within the bounds; a window that touches the newest data follows them."""
        if self.width is None or self.end is None:
            return self
        end = max(self.end, bounds[0] + self.width)
        return replace(self, end=None if end >= bounds[1] else end)
