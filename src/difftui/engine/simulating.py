"""Paths of an equation as a job: all that a screen needs to show any moment of them, and their error by step.

A simulation is a second's work in NumPy and needs no torch. The job runs ahead; whoever watches goes through
what is recorded at a pace of one's own. The arrays of a record are filled row by row and a row is never
written again, so snapshots share them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from difftui.diffusion.sde import (
    Convergence,
    Diffusion,
    Equation,
    Geometric,
    PathFrame,
    ReverseDiffusion,
    RoundTrip,
    convergence,
    fitted_orders,
    has_exact_paths,
    simulate,
)

__all__ = ["MOST_DRAWN", "ErrorView", "Law", "PathView", "Simulation", "start_errors", "start_paths"]

Floats = NDArray[np.float64]

MOST_DRAWN = 40  # paths; more are a cloud in which none can be followed
MOST_NUMBERS = 2_000_000  # kept of all paths: 16 MB
MOST_FRAMES = 2000
LAW_TIMES, LAW_PLACES = 241, 193
REACH = 2.8  # standard deviations that the axis goes beyond the mean
LOG_REACH = 2.2  # the same of a price, for its logarithm
BELOW = 0.06  # of its height, that the axis of a price goes below 0: coarse steps do lead there
ERROR_PATHS = 10_000
ERROR_STEPS = (8, 16, 32, 64, 128)


@dataclass(frozen=True)
class Simulation:
    """What is to be followed: an equation, and how; the numbers as :func:`simulate` takes them."""

    equation: Equation
    paths: int = 1000
    steps: int = 1000
    seed: int = 0

    @property
    def dt(self) -> float:
        """The length of a step."""
        return self.equation.time / self.steps

    @property
    def every(self) -> int:
        """Steps between two frames that are kept."""
        return max(1, -(-self.steps * self.paths // MOST_NUMBERS), -(-self.steps // MOST_FRAMES))

    @property
    def frames(self) -> int:
        """Frames in all, the start among them; the last is the end."""
        return 1 + -(-self.steps // self.every)


@dataclass(frozen=True, eq=False, slots=True)
class Law:
    """The exact law of an equation over its time.

    Attributes:
        low, high: what nearly all paths stay within.
        t, x: (m,) times and (n,) places.
        strength: (n, m), the density as a share of its highest value at that time.
        times: (frames,) of the frames that there will be.
        mean, variance: (frames,) of theory, at these times.
        alpha_bar: (frames,) the signal's share of the variance, of a diffusion; None for other equations.
    """

    low: float
    high: float
    t: Floats
    x: Floats
    strength: Floats
    times: Floats
    mean: Floats
    variance: Floats
    alpha_bar: Floats | None

    @property
    def starts_with_noise(self) -> bool:
        """Whether this is a diffusion that comes from noise and ends in data."""
        return self.alpha_bar is not None and bool(self.alpha_bar[0] < self.alpha_bar[-1])


@dataclass(frozen=True, eq=False, slots=True)
class PathView:
    """Paths as far as they have been followed; read-only.

    Attributes:
        simulation: what is followed.
        law: what theory says.
        t: (done,) the times of the frames there are.
        x: (done, paths) Euler-Maruyama's values.
        exact: (done, drawn) the exact solution of the paths that are drawn; None where there is none.
        mean, variance: (done,) of the paths.
        mean_error, variance_error: (done,) their standard errors, estimated from the paths.
        variation: (done,) the first path's quadratic variation: the sum of its squared changes.
        strong: (done,) mean of |x - exact| over all paths; None where there is no exact solution.
        part: (drawn,) which part of the data each drawn path begins in (for an equation that begins with
            noise: ends in, once that is known); None for other equations.
        kept: of a round trip that is complete, for each part of the data the share of the paths from there
            that end in the last part; else None.
    """

    simulation: Simulation
    law: Law
    t: Floats
    x: Floats
    exact: Floats | None
    mean: Floats
    variance: Floats
    mean_error: Floats
    variance_error: Floats
    variation: Floats
    strong: Floats | None
    part: NDArray[np.intp] | None
    kept: tuple[float, ...] | None

    @property
    def newest(self) -> int:
        """The last frame there is."""
        return len(self.t) - 1

    @property
    def complete(self) -> bool:
        """Whether that is the end."""
        return len(self.t) == self.simulation.frames

    @property
    def drawn(self) -> int:
        """How many of the paths are to be drawn: the first ones."""
        return min(self.simulation.paths, MOST_DRAWN)

    def density(self, x: Floats, frame: int) -> Floats:
        """The exact density at a frame, the shape of ``x``; infinite at a start in one point."""
        return self.simulation.equation.density(x, float(self.t[frame]))


@dataclass(frozen=True, slots=True)
class ErrorView:
    """Euler-Maruyama's error for several sizes of step.

    Attributes:
        errors: from the coarsest step on, as many as are measured.
        strong, weak: the fitted orders; None where they cannot be told (yet).
        complete: whether all are measured.
    """

    errors: tuple[Convergence, ...]
    strong: float | None
    weak: float | None
    complete: bool


def start_paths(simulation: Simulation) -> Callable[[], Iterator[PathView]]:
    """Work for :meth:`Engine.submit_light`: the start, then one frame an event."""
    return lambda: _follow(simulation)


def start_errors(equation: Equation, seed: int = 0) -> Callable[[], Iterator[ErrorView]]:
    """Work for :meth:`Engine.submit_light`: one size of step an event, on 10 000 paths.

    Raises:
        ValueError: when pulled, if the equation has no exact solution on a path.
    """
    return lambda: _measure(equation, seed)


def law_of(simulation: Simulation) -> Law:
    """What theory says over the whole time, on a grid that is fine enough for a screen."""
    equation = simulation.equation
    times = np.minimum(np.arange(simulation.frames) * simulation.every * simulation.dt, equation.time)
    mean = np.array([equation.mean(t) for t in times.tolist()])
    variance = np.array([equation.variance(t) for t in times.tolist()])
    low, high = _limits(equation, times, mean, variance)
    t, x = np.linspace(0.0, equation.time, LAW_TIMES), np.linspace(low, high, LAW_PLACES)
    columns = [_share_of_highest(equation.density(x, at), x, equation.mean(at)) for at in t.tolist()]
    signal = _alpha_bars(equation, times)
    return Law(low, high, t, x, np.stack(columns, axis=1), times, mean, variance, signal)


def _alpha_bars(equation: Equation, times: Floats) -> Floats | None:
    if isinstance(equation, Diffusion):
        return np.array([equation.alpha_bar(t) for t in times.tolist()])
    if isinstance(equation, ReverseDiffusion):
        return _alpha_bars(equation.forward, equation.time - times)
    if isinstance(equation, RoundTrip):
        turn = equation.forward.time
        return _alpha_bars(equation.forward, turn - np.abs(times - turn))
    return None


def _limits(equation: Equation, times: Floats, mean: Floats, variance: Floats) -> tuple[float, float]:
    """What nearly all paths stay within; of a price by its logarithm, since few paths make its variance."""
    if isinstance(equation, Geometric):
        grown = (equation.mu - equation.sigma**2 / 2) * times + LOG_REACH * equation.sigma * np.sqrt(times)
        high = max(float(mean.max()), equation.x0 * float(np.exp(grown.max())))
        return -BELOW * high, high
    reach = REACH * np.sqrt(variance)
    return float((mean - reach).min()), float((mean + reach).max())


def _share_of_highest(density: Floats, x: Floats, mean: float) -> Floats:
    """Divided by the highest value; a law too narrow for the places is the one nearest to its mean."""
    highest = density.max()
    if 0.0 < highest < np.inf:
        shares: Floats = density / highest
        return shares
    peak = np.zeros_like(x)
    peak[np.abs(x - mean).argmin()] = 1.0
    return peak


class _Record:
    """The arrays of a simulation, filled frame by frame."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._law = law_of(simulation)
        frames, self._drawn = simulation.frames, min(simulation.paths, MOST_DRAWN)
        self._t, self._strong, self._variation = np.zeros(frames), np.zeros(frames), np.zeros(frames)
        self._x = np.zeros((frames, simulation.paths))
        self._exact = np.zeros((frames, self._drawn))
        self._moments = np.zeros((4, frames))
        self._solved = has_exact_paths(simulation.equation)
        self._done = 0

    def add(self, frame: PathFrame) -> PathView:
        """Keep a frame; the snapshot of what there is now."""
        at, self._done = self._done, self._done + 1
        self._t[at], self._x[at] = frame.t, frame.x
        if at:
            self._variation[at] = self._variation[at - 1] + (self._x[at, 0] - self._x[at - 1, 0]) ** 2
        self._moments[:, at] = frame.mean, frame.variance, *_standard_errors(frame)
        if frame.exact is not None:
            self._exact[at] = frame.exact[: self._drawn]
            self._strong[at] = np.abs(frame.x - frame.exact).mean()
        return self._view()

    def _view(self) -> PathView:
        done = slice(self._done)
        mean, variance, mean_error, variance_error = (_frozen(row[done]) for row in self._moments)
        return PathView(
            self._simulation,
            self._law,
            t=_frozen(self._t[done]),
            x=_frozen(self._x[done]),
            exact=_frozen(self._exact[done]) if self._solved else None,
            mean=mean,
            variance=variance,
            mean_error=mean_error,
            variance_error=variance_error,
            variation=_frozen(self._variation[done]),
            strong=_frozen(self._strong[done]) if self._solved else None,
            part=self._part(),
            kept=self._kept(),
        )

    def _kept(self) -> tuple[float, ...] | None:
        equation = self._simulation.equation
        if not isinstance(equation, RoundTrip) or self._done < len(self._t):
            return None
        data = equation.forward.data
        last, start, end = len(data.means) - 1, data.likeliest(self._x[0]), data.likeliest(self._x[-1])
        shares = [end[start == part] == last for part in range(last + 1)]
        return tuple(float(share.mean()) if len(share) else float("nan") for share in shares)

    def _part(self) -> NDArray[np.intp] | None:
        equation = self._simulation.equation
        if isinstance(equation, Diffusion):
            return equation.data.likeliest(self._x[0, : self._drawn])
        if isinstance(equation, RoundTrip):
            return equation.forward.data.likeliest(self._x[0, : self._drawn])
        if isinstance(equation, ReverseDiffusion) and self._done == len(self._t):
            return equation.forward.data.likeliest(self._x[-1, : self._drawn])
        return None


def _follow(simulation: Simulation) -> Iterator[PathView]:
    frames = simulate(
        simulation.equation,
        paths=simulation.paths,
        steps=simulation.steps,
        seed=simulation.seed,
        every=simulation.every,
    )
    record = _Record(simulation)
    for frame in frames:
        yield record.add(frame)


def _measure(equation: Equation, seed: int) -> Iterator[ErrorView]:
    errors: tuple[Convergence, ...] = ()
    for error in convergence(equation, step_counts=ERROR_STEPS, paths=ERROR_PATHS, seed=seed):
        errors = (*errors, error)
        yield ErrorView(errors, *fitted_orders(errors), complete=len(errors) == len(ERROR_STEPS))


def _standard_errors(frame: PathFrame) -> tuple[float, float]:
    """Of the mean and of the variance, from the paths' own second and fourth moments; 0 for a single path."""
    count = len(frame.x)
    if count < 2:
        return 0.0, 0.0
    fourth = float(((frame.x - frame.mean) ** 4).mean())
    return (
        float(np.sqrt(frame.variance / count)),
        float(np.sqrt(max(0.0, fourth - frame.variance**2 * (count - 3) / (count - 1)) / count)),
    )


def _frozen(values: Floats) -> Floats:
    view = values.view()
    view.flags.writeable = False
    return view
