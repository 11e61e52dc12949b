"""The plots of a stochastic differential equation: its paths, their law and their moments, the error."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from difftui.diffusion.sde import Brownian, Geometric, Linear
from difftui.ui.panels.sde_scene import number
from difftui.ui.theme import SERIES
from difftui.ui.widgets.plot import CurvePlot, Glow, Marker, Series
from difftui.words import grouped

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from difftui.engine.simulating import ErrorView, Law, PathView

    Floats = NDArray[np.float64]

__all__ = ["ErrorPlot", "LawPlot", "MomentPlot", "PathPlot", "SignalPlot", "VariationPlot"]

FEW = 6  # paths, each in a colour of its own
LEAST_DRAWN, DOTS_A_PATH = 10, 4  # paths drawn at least, and rows of dots for each above that
POINTS = 60  # of the exact solution, over the whole time
PARTS = ("blue", "accent")  # colours of paths by the part of the data that they begin or end in
ROOM = 1.2  # of the law's highest value, that the histogram has
# Dots that one bin of the histogram is high, by the number of paths; a low plot has half.
BINS = ((5000, 1), (500, 2), (0, 4))
A_CROWD = 100  # paths, from which no bin of the histogram is much higher than the law
LOW = 48  # dots of a low plot
SPAN = 5.0  # standard errors beyond theory that the axis of a mean goes


class PathPlot(CurvePlot):
    """Paths over time as far as they have been followed, on the glow of the exact density."""

    def __init__(self, *, id: str, classes: str) -> None:
        super().__init__(id=id, classes=classes, x_name="t")
        self._glow: tuple[Law, Glow] | None = None

    def show(self, view: PathView, frame: int, ticks: Sequence[tuple[float, str]] | None) -> None:
        """Show the paths up to a frame.

        Args:
            view: the paths.
            frame: the last one shown.
            ticks: (time, label) pairs of its axis; None chooses round times.
        """
        law = view.law
        if self._glow is None or self._glow[0] is not law:
            self._glow = law, Glow(law.t, law.x, law.strength)
        drawn = min(view.drawn, max(LEAST_DRAWN, self.dots_high(legend=True) // DOTS_A_PATH))
        self.set_series(
            [*_bundles(view, frame, drawn), *_beside(view, frame)],
            x_range=(0.0, view.simulation.equation.time),
            y_range=(law.low, law.high),
            x_ticks=ticks,
            glow=self._glow[1],
        )


class LawPlot(CurvePlot):
    """The histogram of all paths at one moment, on its side on the paths' own axis, and the exact density."""

    def show(self, view: PathView, frame: int) -> None:
        """Show one frame."""
        law, paths = view.law, view.simulation.paths
        dots = self.dots_high(legend=True)
        if not dots:
            return
        places = np.linspace(law.low, law.high, dots)
        high = next(high for least, high in BINS if paths >= least)
        measured = _histogram(view.x[frame], places, max(1, high // 2) if dots <= LOW else high)
        exact = view.density(places, frame)
        in_one_point = not 0.0 < exact.max() < np.inf
        top = float(measured.max() if in_one_point else exact.max()) or 1.0
        if paths < A_CROWD:
            top = max(top, float(measured.max()))
        series = [Series(measured, places, "measured", "accent", along="y")]
        if not in_one_point:
            law_itself = Series(exact, places, "theory", "muted", "band", np.zeros(dots), exact, "y")
            series.insert(0, law_itself)
        self.entitle(f"{grouped(paths)} {'path' if paths == 1 else 'paths'} at t = {view.t[frame]:.3g}")
        self.set_series(
            series,
            x_range=(0.0, ROOM * top),
            y_range=(law.low, law.high),
            x_ticks=[(0.0, "0"), (top, f"{top:.3g}")],
        )


class MomentPlot(CurvePlot):
    """The mean or the variance of the paths over time, with twice its standard error, against theory."""

    def __init__(self, name: str, *, id: str, classes: str) -> None:
        """Make it for "mean" or "variance"."""
        super().__init__(id=id, classes=classes, x_name="t")
        self._name = name

    def show(self, view: PathView, frame: int, ticks: Sequence[tuple[float, str]] | None) -> None:
        """Show it up to a frame."""
        law, shown = view.law, slice(frame + 1)
        mean = self._name == "mean"
        measured = (view.mean if mean else view.variance)[shown]
        error = 2 * (view.mean_error if mean else view.variance_error)[shown]
        theory = law.mean if mean else law.variance
        told = f"{self._name} [b]{_short(measured[-1])}[/]"
        if view.simulation.paths > 1:
            told += f" ± {error[-1]:.2g}"
        _entitle(self, told, f"theory [b]{_short(theory[frame])}[/]")
        self.set_series(
            [
                Series(view.t[shown], measured, "", "muted", "band", measured - error, measured + error),
                Series(view.t[shown], measured, colour="accent"),
                Series(law.times, theory, "", "foreground", "dashes"),
            ],
            x_range=(0.0, view.simulation.equation.time),
            y_range=_span(view, theory, view.mean if mean else view.variance, mean=mean),
            x_ticks=ticks,
        )


class ErrorPlot(CurvePlot):
    """Euler-Maruyama's strong and weak error over the size of the step, both axes logarithmic."""

    def __init__(self, *, id: str, classes: str) -> None:
        super().__init__(id=id, classes=classes)
        self.place_words = lambda place: f"dt {10**place:.3g}"

    def show(self, view: ErrorView | None, dt: float, now: float) -> None:
        """Show what is measured so far.

        Args:
            view: the errors, or None where none is measured yet.
            dt, now: the step of the paths that are shown, and their mean |x - exact| at the frame shown.
        """
        if view is None or view.strong is None:
            _entitle(self, f"error [b]{_short(now)}[/]", "by dt: being measured …")
            self.set_series([])
            return
        weak = f"dt^{view.weak:.2f}" if view.weak is not None else "lost in its noise"
        _entitle(
            self, f"error [b]{_short(now)}[/] strong ∝ [b]dt^{view.strong:.2f}[/]", f"weak ∝ [b]{weak}[/]"
        )
        places = np.log10([error.dt for error in view.errors])
        strong, mean = ([getattr(e, kind) for e in view.errors] for kind in ("strong", "weak"))
        noise = np.array([error.weak_noise for error in view.errors])
        ends = float(places.min()), float(places.max())
        self.set_series(
            [
                Series(places, strong, "strong", "accent"),
                Series(places, mean, "weak", "blue", "dashes"),
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
        times, time = view.law.times, view.simulation.equation.time
        _entitle(self, f"signal left [b]{signal[frame]:.3f}[/]", f"at the noisiest [b]{signal.min():.2g}[/]")
        self.set_series(
            [Series(times, signal, "signal √ᾱ"), Series(times, noise, "noise √(1-ᾱ)", "noise", "dashes")],
            x_range=(0.0, time),
            y_range=(0.0, 1.0),
            markers=[Marker(float(view.t[frame]), colour="muted")],
            x_ticks=ticks,
        )


class VariationPlot(CurvePlot):
    """The quadratic variation of one path of Brownian motion, which tells the variance of its steps."""

    def show(self, view: PathView, frame: int) -> None:
        """Show it up to a frame, against ``sigma^2 t``; a step's variance is ``sigma^2 dt``."""
        law, dt = view.law, view.simulation.dt
        end, shown = view.simulation.equation.time, slice(frame + 1)
        measured, theory = _short(view.variation[frame]), _short(law.variance[frame])
        wrong = _short(law.variance[frame] / np.sqrt(dt))
        told = f"theory [b]{theory}[/] · variance √dt: [b]{wrong}[/]"
        _entitle(self, f"Σ(Δx)² of one path [b]{measured}[/]", told)
        self.set_series(
            [
                Series(view.t[shown], view.variation[shown], colour="accent"),
                Series(law.times, law.variance, "", "foreground", "dashes"),
            ],
            x_range=(0.0, end),
            y_range=(0.0, 1.25 * float(law.variance[-1])),
        )


def _bundles(view: PathView, frame: int, count: int) -> list[Series]:
    """So many paths up to a frame, those of one colour together."""
    t, drawn = view.t[: frame + 1], view.x[: frame + 1, :count].T
    names = [f"{count} of {grouped(view.simulation.paths)} paths"]
    if view.part is not None:
        part, way = view.part[:count], "to" if view.law.starts_with_noise else "from"
        groups = [(drawn[part == index], colour) for index, colour in enumerate(PARTS)]
        names = [f"{names[0]}: {way} below", f"{way} above"]
    elif count <= FEW:
        groups = [(drawn[i : i + 1], SERIES[i]) for i in reversed(range(count))]
    else:
        groups = [(drawn[1:], "blue"), (drawn[:1], "accent")]
        names += ["one"] * (view.exact is not None)
    return [
        Series(t, paths, name, colour)
        for (paths, colour), name in zip(groups, [*names, *[""] * FEW], strict=False)
    ]


def _beside(view: PathView, frame: int) -> list[Series]:
    """What the paths are held against: the exact solution of the first path, and the mean of theory.

    Where the drift is linear the mean is also the path without noise.
    """
    equation = view.simulation.equation
    name = "no noise" if isinstance(equation, Linear | Geometric) else "mean"
    mean = Series(view.law.times, view.law.mean, name, "foreground", "dashes")
    if view.exact is None or isinstance(equation, Brownian):
        return [mean]
    seen = slice(0, frame + 1, max(1, view.simulation.frames // POINTS))
    return [Series(view.t[seen], view.exact[seen, 0], "exact", "green", "scatter"), mean]


def _histogram(x: Floats, places: Floats, bins: int) -> Floats:
    """The density of x at each of evenly spaced places, `bins` neighbours sharing one bin: (n,)."""
    gap = places[1] - places[0]
    edges = places[0] - gap / 2 + gap * np.arange(0, len(places) + 1, bins)
    counts = np.histogram(x, edges)[0]
    return np.repeat(counts / (len(x) * gap * bins), bins)[: len(places)]


def _span(view: PathView, theory: Floats, measured: Floats, *, mean: bool) -> tuple[float, float]:
    """The axis of a moment: theory over the whole time, and room for what so many paths err by.

    Where the steps are so coarse that they lead further away, it is wider as soon as the end is known.
    """
    known = np.concatenate([theory, measured]) if view.complete else theory
    highest = float(view.law.variance.max())
    room = SPAN * (np.sqrt(highest) if mean else highest) / np.sqrt(view.simulation.paths)
    low, high = float(min(known.min(), theory.min() - room)), float(max(known.max(), theory.max() + room))
    return (low if mean else max(0.0, low)), high


def _entitle(plot: CurvePlot, title: str, more: str) -> None:
    """Both in the border: the second part below, where there is a border below."""
    below = bool(plot.gutter.bottom)
    if below:
        plot.entitle(title, more)
    else:
        plot.entitle(f"{title} · {more}")


def _short(value: float) -> str:
    """A number to three digits."""
    return number(round(float(value), 6)) if abs(value) < 5e-7 else f"{value:.3g}"
