"""The plots of a stochastic differential equation: its paths, the law they follow, their moments, the error."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from difftui.ui.panels.sde_scene import number
from difftui.ui.theme import SERIES
from difftui.ui.widgets.plot import CurvePlot, Glow, Line, Marker, Series
from difftui.words import grouped

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from difftui.engine.simulating import ErrorView, Law, PathView

    Floats = NDArray[np.float64]

__all__ = ["ErrorPlot", "LawPlot", "MomentPlot", "PathPlot", "SignalPlot"]

FEW = 6  # paths, each in a colour of its own
PARTS = ("blue", "accent")  # colours of paths by the part of the data that they begin or end in
ROOM = 1.2  # of the law's highest value, that the histogram has
FINE_ROWS = 48  # of dots, up to which a bin of the histogram has two, and from which it has four
ENOUGH = 500  # paths, below which it has four all the same
SPAN = 5.0  # standard errors beyond theory that the axis of a mean goes


class PathPlot(CurvePlot):
    """Paths over time as far as they have been followed, on the glow of the exact density."""

    def __init__(self, *, id: str, classes: str) -> None:
        super().__init__(id=id, classes=classes)
        self._glow: tuple[Law, Glow] | None = None

    def show(self, view: PathView, frame: int, ticks: Sequence[tuple[float, str]] | None) -> None:
        """Show the paths up to a frame.

        Args:
            view: the paths.
            frame: the last one shown.
            ticks: (time, label) pairs of its axis; None chooses round times.
        """
        law, time = view.law, view.simulation.equation.time
        if self._glow is None or self._glow[0] is not law:
            self._glow = law, Glow(law.t, law.x, law.strength)
        paths = f"{grouped(view.drawn)} of {grouped(view.simulation.paths)} paths"
        self.set_series(
            [*_bundles(view, frame, paths), *_beside(view, frame)],
            x_range=(0.0, time),
            y_range=(law.low, law.high),
            x_ticks=ticks,
            glow=self._glow[1],
        )


class LawPlot(CurvePlot):
    """The histogram of all paths at one moment on its side, and the exact density: the same axis as the paths'."""

    def show(self, view: PathView, frame: int) -> None:
        """Show one frame."""
        law = view.law
        dots = self.dots_high(legend=True)
        if not dots:
            return
        places = np.linspace(law.low, law.high, dots)
        bins = 2 if dots <= FINE_ROWS and view.simulation.paths >= ENOUGH else 4
        measured = _histogram(view.x[frame], places, bins)
        fine = np.linspace(law.low, law.high, 2 * dots)
        exact = view.density(fine, frame)
        sharp = not np.isfinite(exact).all() or exact.max() <= 0
        top = ROOM * float(measured.max() if sharp else exact.max()) or 1.0
        series = [
            Series(measured, places, "measured", "blue", "band", np.zeros(dots), measured, "y"),
            Series(np.full_like(fine, np.nan) if sharp else exact, fine, "theory", "foreground", along="y"),
        ]
        self.border_title = f"law at t = {view.t[frame]:.3g}"
        self.set_series(
            series,
            x_range=(0.0, top),
            y_range=(law.low, law.high),
            x_ticks=[(0.0, "0"), (top / ROOM, f"{top / ROOM:.3g}")],
        )


class MomentPlot(CurvePlot):
    """The mean or the variance of the paths over time, with twice its standard error, against theory."""

    def __init__(self, name: str, *, id: str, classes: str) -> None:
        """Make it for "mean" or "variance"."""
        super().__init__(id=id, classes=classes)
        self._name = name

    def show(self, view: PathView, frame: int, ticks: Sequence[tuple[float, str]] | None) -> None:
        """Show it up to a frame."""
        law, shown = view.law, slice(frame + 1)
        mean = self._name == "mean"
        measured = (view.mean if mean else view.variance)[shown]
        error = 2 * (view.mean_error if mean else view.variance_error)[shown]
        theory = law.mean if mean else law.variance
        times = np.linspace(0.0, view.simulation.equation.time, len(theory))
        told = f"{self._name} [b]{_short(measured[-1])}[/]"
        if view.simulation.paths > 1:
            told += f" [$muted]±[/] {_short(error[-1])}"
        self.border_title = f"{told} · theory [b]{_short(theory[frame])}[/]"
        self.set_series(
            [
                Series(view.t[shown], measured, "", "muted", "band", measured - error, measured + error),
                Series(times, _dashed(theory), colour="foreground"),
                Series(view.t[shown], measured, colour="accent"),
            ],
            x_range=(0.0, view.simulation.equation.time),
            y_range=_span(law, view.simulation.paths, mean=mean),
            x_ticks=ticks,
        )


class ErrorPlot(CurvePlot):
    """Euler-Maruyama's strong and weak error over the size of the step, both axes logarithmic."""

    def show(self, view: ErrorView | None, dt: float) -> None:
        """Show what is measured so far.

        Args:
            view: the errors, or None where none is measured yet.
            dt: the step of the paths that are shown.
        """
        self.border_subtitle = ""
        if view is None or len(view.errors) < 2:
            self.border_title = "error by dt: being measured …"
            self.set_series([])
            return
        if view.strong is None:
            self.border_title = "error by dt: none, Euler-Maruyama is exact"
            self.set_series([])
            return
        weak = f"dt^{view.weak:.2f}" if view.weak is not None else "in the noise"
        self.border_title = f"error: strong [b]dt^{view.strong:.2f}[/] · weak [b]{weak}[/]"
        places = np.log10([error.dt for error in view.errors])
        strong, mean = ([getattr(e, kind) for e in view.errors] for kind in ("strong", "weak"))
        noise = np.array([error.weak_noise for error in view.errors])
        ends = float(places.min()), float(places.max())
        self.set_series(
            [
                Series(places, strong, "strong", "accent"),
                Series(*_fine_dashes(places, np.array(mean)), "weak", "blue"),
                Series(places, 2 * noise, "noise of weak", "muted", "scatter"),
            ],
            x_range=ends if ends[0] < ends[1] else (ends[0] - 1, ends[0]),
            log_y=True,
            markers=[Marker(float(np.log10(dt)), "now", "muted")],
            x_ticks=[(at, f"{10**at:.2g}") for at in (places[-1], places[0], places[len(places) // 2])],
        )


class SignalPlot(CurvePlot):
    """What of the data is left in x over the time of a diffusion, and how much noise there is."""

    def show(self, view: PathView, frame: int, ticks: Sequence[tuple[float, str]] | None) -> None:
        """Show both over the whole time, and where the frame is."""
        if view.law.alpha_bar is None:
            self.set_series([])
            return
        signal, noise = np.sqrt(view.law.alpha_bar), np.sqrt(1 - view.law.alpha_bar)
        time = view.simulation.equation.time
        times = np.linspace(0.0, time, len(signal))
        self.border_title = f"[$accent]√ᾱ[/] [b]{signal[frame]:.3f}[/] · least [b]{signal.min():.2g}[/]"
        self.set_series(
            [Series(times, signal, "signal √ᾱ"), Series(times, _dashed(noise), "noise √(1-ᾱ)", "noise")],
            x_range=(0.0, time),
            y_range=(0.0, 1.0),
            markers=[Marker(float(view.t[frame]), colour="muted")],
            x_ticks=ticks,
        )


def _bundles(view: PathView, frame: int, label: str) -> list[Series]:
    """The drawn paths up to a frame, those of one colour together."""
    t, drawn = view.t[: frame + 1], view.x[: frame + 1, : view.drawn].T
    if view.part is not None:
        groups = [(drawn[view.part == part], colour) for part, colour in enumerate(PARTS)]
    elif view.drawn <= FEW:
        groups = [(drawn[i : i + 1], SERIES[i]) for i in reversed(range(view.drawn))]
    else:
        groups = [(drawn[1:], "blue"), (drawn[:1], "accent")]
    labels = [label, *[""] * len(groups)]
    return [
        Series(t, paths, text, colour)
        for (paths, colour), text in zip(groups, labels, strict=False)
        if len(paths)
    ]


def _beside(view: PathView, frame: int) -> list[Series]:
    """What the paths are held against: the mean of theory, and the exact solution of the first path."""
    times = np.linspace(0.0, view.simulation.equation.time, len(view.law.mean))
    lines = [Series(times, _dashed(view.law.mean), "mean in theory", "foreground")]
    if view.exact is not None:
        lines.append(
            Series(view.t[: frame + 1], _dashed(view.exact[: frame + 1, 0], 3), "one, exactly", "green")
        )
    return lines


def _histogram(x: Floats, places: Floats, bins: int) -> Floats:
    """The density of x at each of evenly spaced places, `bins` neighbours sharing one bin: (n,)."""
    gap = places[1] - places[0]
    edges = places[0] - gap / 2 + gap * np.arange(0, len(places) + 1, bins)
    counts = np.histogram(x, edges)[0]
    return np.repeat(counts / (len(x) * gap * bins), bins)[: len(places)]


def _span(law: Law, paths: int, *, mean: bool) -> tuple[float, float]:
    """The axis of a moment: theory over the whole time, and room for what so many paths err by."""
    highest = float(law.variance.max())
    if mean:
        room = SPAN * float(np.sqrt(highest / paths))
        return float(law.mean.min()) - room, float(law.mean.max()) + room
    return 0.0, highest * (1.0 + SPAN / np.sqrt(paths))


def _dashed(y: Floats, length: int = 0) -> Floats:
    """The curve with gaps, about sixteen or each so many points."""
    length = length or max(1, len(y) // 48)
    return np.where(np.arange(len(y)) // length % 3 < 2, y, np.nan)


def _fine_dashes(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """A curve of few points on a log axis, dashed between them."""
    order = np.argsort(x)
    fine = np.linspace(x[order[0]], x[order[-1]], 60)
    between = 10 ** np.interp(fine, x[order], np.log10(np.maximum(y[order], 1e-300)))
    return fine, np.where(np.arange(60) // 2 % 2 == 0, between, np.nan)


def _short(value: float) -> str:
    """A number to three digits."""
    return number(round(float(value), 6)) if abs(value) < 5e-7 else f"{value:.3g}"
