"""Diffusion: draws of x given y, as they come out of noise, beside the one answer of the regression."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from textual.app import ComposeResult
from textual.color import Color
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.events import Click

from difftui.diffusion import SAMPLERS
from difftui.engine.conditional import (
    DrawRequest,
    DrawView,
    LearningView,
    probes_of,
    start_drawing,
    start_learning,
)
from difftui.engine.job import JobState
from difftui.inversion import ConditionalModel, ConditionalRecipe, Problem
from difftui.ui.panels.inverse.chosen import Chosen, line_of_progress
from difftui.ui.panels.inverse.paths import Paths
from difftui.ui.panels.inverse.plane import Plane, average_series, curve_series
from difftui.ui.playhead import Playhead
from difftui.ui.widgets.plot import Series
from difftui.ui.widgets.side_histogram import Mark, SideHistogram
from difftui.ui.widgets.slider import Slider
from difftui.ui.widgets.text import ActionText, choice

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from difftui.engine import Engine, Job
    from difftui.engine.fitting import FitView

__all__ = ["Diffusion"]

FPS = 15.0
RATES = (3.75, 7.5, 15.0, 30.0, 60.0)  # frames a second
SAMPLER_NAMES = {"ddpm": "DDPM", "ddim": "DDIM", "dpm-solver++": "DPM-Solver++", "heun": "Heun"}
CLOSE = 0.05  # of the range's width: so near a branch a draw is right
NEAR = 0.05  # of the plane's width: so near a y draws are counted together while the model learns
DOTS_A_CELL = 1.2
NOISE_ONLY = 0.2  # of the amplitude is signal: up to here the cloud has the colour of noise


class Diffusion(Vertical):
    """The conditional model: it learns once a problem, then draws as often as one likes.

    Attributes:
        models: trained, by problem.
        learning, drawing: the jobs, or None.
        playhead: which frame of the drawing is shown.
        noise: seed of the noise; ``sampler`` a place in SAMPLERS; ``probe`` a place among the y.
        held: the user holds the training.
        turned: the paths at one y stand in the place of the plane; with room for both, they are put away.
    """

    TITLE = "diffusion"
    IDLE: ClassVar[frozenset[str]] = frozenset({"log"})  # actions that do nothing here

    def __init__(self, chosen: Chosen, engine: Engine) -> None:
        super().__init__(id="diffusion")
        self.chosen = chosen
        self.engine = engine
        self.models: dict[Problem, ConditionalModel] = {}
        self.learning: Job[LearningView] | None = None
        self.drawing: Job[DrawView] | None = None
        self.playhead = Playhead(FPS)
        self.noise = 0
        self.sampler = 0
        self.probe = 0
        self.held = False
        self.turned = False
        self.regression: FitView | None = None  # what the first view has learned so far
        self.of: Problem | None = None
        self.drawn: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        self.set_class(self.turned, "-turned")
        with Horizontal(classes="plots"):
            yield Plane(id="plane", classes="panel", x_name="y")
            yield Paths(id="paths", classes="panel")
            yield SideHistogram(id="counts", classes="panel")
        yield Slider("[$secondary]noise[/]", "[$accent]x[/]", id="time")
        yield ActionText(id="lesson")

    # -- what the user does

    def begin(self) -> None:
        """Learn anew."""
        self.models.pop(self.chosen.of(), None)
        self.of = None
        self.come()

    def come(self) -> None:
        """This view is shown: learn the chosen problem, or draw it, unless that is going on."""
        problem = self.chosen.of()
        if problem == self.of:
            self.resume()
            return
        self.close()
        self.of, self.held = problem, False
        low, high = problem.seen
        self.probe = int(np.argmin(np.abs(probes_of(problem) - (max(low, 0.0) + high) / 2)))
        self.query_one("#plane", Plane).name_shades(problem)
        self.learning = self.drawing = None
        if problem in self.models:
            self._draw_anew()
        else:
            self.learning = self.engine.submit_light(
                f"diffusion of {problem.f.label}", start_learning(ConditionalRecipe(problem=problem))
            )

    def close(self) -> None:
        """Put the jobs away."""
        for job in (self.learning, self.drawing):
            if job is not None:
                job.close()

    def rest(self) -> None:
        """Nobody looks."""
        self.playhead.rest()
        for job in (self.learning, self.drawing):
            if job is not None and not job.state.final:
                job.pause()

    def resume(self) -> None:
        """Go on where it rested."""
        for job in (self.learning, self.drawing):
            if job is not None and job.state is JobState.PAUSED and not self.held:
                job.resume()

    def play(self) -> None:
        """While it learns: hold or go on. Then: play or hold; at the end play again."""
        head = self.playhead
        if self.drawing is None:
            self.held = not self.held
            if self.held:
                self.rest()
            else:
                self.resume()
        elif not head.playing and self.view is not None and head.index >= self.newest:
            head.start()
        else:
            head.playing = not head.playing

    def step(self, by: int) -> None:
        """Some frames on, or back towards the noise."""
        if self.view is not None:
            self.playhead.go(self.playhead.index + by, self.newest)

    def jump(self, end: int) -> None:
        """The noise (0) or the newest frame (1)."""
        if self.view is not None:
            self.playhead.go(self.newest if end else 0, self.newest)

    def pick(self, by: int) -> None:
        """Another y at which draws are counted."""
        if self.of is not None:
            self.probe = min(max(self.probe + by, 0), len(probes_of(self.of)) - 1)

    def turn(self) -> None:
        """The paths at one y, or the plane; see ``turned``."""
        self.turned = not self.turned
        self.set_class(self.turned, "-turned")

    def reseed(self, by: int) -> None:
        """Other noise."""
        self.noise = max(0, self.noise + by)
        if self.drawing is not None:
            self._draw_anew()

    def choose_sampler(self, by: int) -> None:
        """Another sampler."""
        self.sampler = (self.sampler + by) % len(SAMPLERS)
        if self.drawing is not None:
            self._draw_anew()

    def speed(self, by: int) -> None:
        """Faster or slower."""
        at = RATES.index(self.playhead.rate)
        self.playhead.rate = RATES[(at + by) % len(RATES)]

    def on_slider_moved(self, event: Slider.Moved) -> None:
        if self.view is not None:
            self.playhead.go(event.value, self.newest)

    def on_click(self, event: Click) -> None:
        """On the plane: that y."""
        plane = self.query_one("#plane", Plane)
        if event.widget is plane and self.of is not None:
            self.probe = int(np.argmin(np.abs(probes_of(self.of) - plane.x_at(event.x))))

    # -- the jobs

    @property
    def view(self) -> DrawView | None:
        """The drawing as far as it has come."""
        return self.drawing.snapshot if self.drawing is not None else None

    @property
    def newest(self) -> int:
        """The last frame there is."""
        return self.view.count - 1 if self.view is not None else 0

    def _draw_anew(self) -> None:
        assert self.of is not None
        if self.drawing is not None:
            self.drawing.close()
        request = DrawRequest(sampler=list(SAMPLERS)[self.sampler], seed=self.noise)
        self.drawing = self.engine.submit_light(
            "drawing x given y", start_drawing(self.models[self.of], request)
        )
        self.playhead.start()

    def _learned(self) -> None:
        """The training has come to its end: draw."""
        job = self.learning
        if job is None or job.state is not JobState.DONE or job.snapshot is None or self.drawing is not None:
            return
        assert self.of is not None
        self.models[self.of] = job.snapshot.progress.model
        self._draw_anew()

    # -- drawing

    def tick(self, now: float) -> None:
        """Draw what is new."""
        self._learned()
        job = self.drawing or self.learning
        if job is not None and job.error is not None:
            self._say(Content(job.error).stylize("$error"))
            return
        view, learning = self.view, self.learning.snapshot if self.learning is not None else None
        fit = self.regression
        epoch = fit.progress.epoch if fit is not None else 0
        room = self.query_one("#plane", Plane).size  # as many draws are shown as it has room for
        if view is not None:
            self.playhead.advance(now, self.newest, complete=view.done)
            index = min(self.playhead.index, self.newest)
            self.query_one("#time", Slider).move(index, last=len(view.times) - 1, reached=self.newest)
            drawn: tuple[object, ...] = (self.drawing, index, self.probe, epoch, room)
            if drawn != self.drawn:
                self.drawn = drawn
                self._draw_frame(view, index)
        elif learning is not None and self.of is not None:
            drawn = (self.learning, learning.progress.step, self.probe, epoch, room)
            if drawn != self.drawn:
                self.drawn = drawn
                self._draw_learning(learning)
        elif self.of is not None and self.drawn != (self.of,):
            self.drawn = (self.of,)
            self.query_one("#plane", Plane).draw(self.of, self._ground(self.of))

    def _draw_learning(self, view: LearningView) -> None:
        problem = view.recipe.problem
        series = self._ground(problem)
        plane = self.query_one("#plane", Plane)
        plane.border_title = f"what it draws after {view.looked_at} steps of learning"
        if view.x is not None:
            every = self._thinning(plane, len(view.y))
            series.append(Series(view.y[::every], view.x[::every], "draws", "accent", kind="scatter"))
        y = float(probes_of(problem)[self.probe])
        plane.draw(problem, series, y)
        near = np.abs(view.y - y) <= NEAR * (view.y[-1] - view.y[0])
        draws = view.x[near] if view.x is not None else np.zeros(0)
        self._count(problem, draws.astype(np.float64), y, "accent", f"{len(draws)} draws with y near {y:g}")
        self.query_one(Paths).learning(view)
        self._say(_what_it_learns(problem))

    def _draw_frame(self, view: DrawView, index: int) -> None:
        problem = view.model.recipe.problem
        colour = self._colour(float(view.alpha_bars[index]))
        y = float(view.probes[self.probe])
        plane = self.query_one("#plane", Plane)
        every = self._thinning(plane, len(view.y))
        y_shown, x_shown = view.y[::every], view.cloud[index, ::every]
        plane.border_title = f"{len(y_shown)} draws of x given y · {_time(view, index)}"
        cloud = Series(y_shown, x_shown, "draws", colour, kind="scatter")
        plane.draw(problem, [*self._ground(problem), cloud], y)
        branches, _ = _exact(problem, y)
        self.query_one(Paths).follow(view, index, self.probe, branches[np.isfinite(branches)])
        self._draw_counts(view, index, y, colour)

    @staticmethod
    def _thinning(plane: Plane, points: int) -> int:
        """Every how many draws are shown, so that a small plane is not all dots."""
        return max(1, round(points / max(1, plane.size.area * DOTS_A_CELL)))

    def _draw_counts(self, view: DrawView, index: int, y: float, colour: str) -> None:
        problem, draws = view.model.recipe.problem, view.at[index, self.probe].astype(np.float64)
        answer, found = self._count(problem, draws, y, colour, f"{len(draws)} draws")
        branches, shares = _exact(problem, y)
        known = np.isfinite(branches)
        distance = np.abs(branches[known, None] - draws).min(axis=0) if known.any() else draws
        width = problem.x_range[1] - problem.x_range[0]
        self._say(_lesson(y, branches[known], found[known], shares[known], answer, distance / width))

    def _count(
        self, problem: Problem, draws: NDArray[np.float64], y: float, colour: str, caption: str
    ) -> tuple[float | None, NDArray[np.float64]]:
        """Show where these draws lie; the regression's answer, and the share nearest to each branch."""
        branches, _ = _exact(problem, y)
        known = np.isfinite(branches)
        distance = np.abs(np.where(known, branches, np.inf)[:, None] - draws)
        found = np.bincount(np.argmin(distance, axis=0), minlength=len(branches)) / max(1, len(draws))
        marks = [
            Mark(float(x), f"{x:.2f} {100 * share:4.0f} %", "foreground")
            for x, share, there in zip(branches, found, known, strict=True)
            if there and len(draws)
        ]
        answer = self._answer(y)
        if answer is not None and known.any():
            marks.append(Mark(answer, "regression", "foreground"))
        counts = self.query_one("#counts", SideHistogram)
        counts.border_title = f"x given y = {y:g}"
        counts.show(draws, problem.x_window, marks=marks, caption=caption, colour=colour)
        return answer, found

    def _ground(self, problem: Problem) -> list[Series]:
        """What lies under the draws: the truth, the average, and what the regression has learned."""
        series = [*curve_series(problem, ground=True), *average_series(problem)]
        fit = self.regression
        if fit is not None and fit.recipe.problem == problem and fit.progress.epoch > 0:
            series.append(Series(fit.progress.grid, fit.progress.prediction, "regression", "foreground"))
        return series

    def _answer(self, y: float) -> float | None:
        """What the regression says to this y."""
        fit = self.regression
        if fit is None or fit.recipe.problem != self.of or fit.progress.epoch == 0:
            return None
        return float(np.interp(y, fit.progress.grid, fit.progress.prediction))

    def _colour(self, alpha_bar: float) -> str:
        """From the colour of noise to that of signal, by the share of signal in the amplitude."""
        theme = self.app.theme_variables
        noise, signal = Color.parse(theme["secondary"]), Color.parse(theme["accent"])
        if noise.ansi is not None or signal.ansi is not None:
            return "accent"
        share = max(0.0, alpha_bar**0.5 - NOISE_ONLY) / (1.0 - NOISE_ONLY)
        return noise.blend(signal, round(8 * share) / 8).hex

    def _say(self, text: Content) -> None:
        self.query_one("#lesson", ActionText).say(text)

    def choices(self) -> list[Content]:
        """What can be chosen, beside what all views share."""
        y = probes_of(self.of)[self.probe] if self.of is not None else 0.0
        rate = self.playhead.rate
        return [
            choice("n", "y", f"{y:<4g}", "pick(1)"),
            choice("a", "sampler", SAMPLER_NAMES[list(SAMPLERS)[self.sampler]], "activation(1)"),
            choice("r", "noise", f"{self.noise:<3}", "reseed(1)"),
            choice("f", "speed", f"{rate:g} frames/s", "speed(1)"),
            choice("g", "", "paths", "grid"),
        ]

    def progress(self, columns: int) -> Content:
        """How far it is."""
        job, learning = self.learning, self.learning.snapshot if self.learning is not None else None
        view, head = self.view, self.playhead
        if (job is not None and job.error is not None) or (
            self.drawing is not None and self.drawing.error is not None
        ):
            return line_of_progress("✗ failed  ", 0.0, "⌫ learns again", columns)
        if view is not None:
            if head.playing:
                words, hint = "▶ denoising", "space holds · ←/→ step · n other y"
            elif head.index >= len(view.times) - 1:
                words, hint = "■ denoised ", "space again · r noise · n y · a sampler · p problem"
            else:
                words, hint = "⏸ held     ", "space goes on · ←/→ step · n other y"
            return Content(f"{words}  {_time(view, head.index):<8}  ") + Content(hint).stylize("$muted")
        step = learning.progress.step if learning is not None else 0
        steps = learning.progress.steps if learning is not None else ConditionalRecipe().steps
        loss = f"loss {learning.progress.loss:.3f}  " if learning is not None else ""
        mark = "⏸ held    " if self.held else "▶ learning"
        hint = "space goes on" if self.held else "space holds"
        return line_of_progress(f"{mark}  step {step:>4} of {steps}  {loss}", step / steps, hint, columns)


@lru_cache(maxsize=64)
def _exact(problem: Problem, y: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """All x with this y, NaN on pieces that have none, and their probabilities."""
    branches = problem.branches(np.array(y))
    return branches, problem.shares(branches)


def _time(view: DrawView, index: int) -> str:
    """When a frame is."""
    time = view.times[index]
    return f"t = {time:>{len(str(view.times[0]))}}" if time >= 0 else "finished"


def _what_it_learns(problem: Problem) -> Content:
    """What to look for while it learns, in three lines."""
    if problem.many_valued:
        rest = (
            "The regression must answer one x to each y: the average of the branches.",
            "Diffusion need not: it draws, each time from other noise.",
        )
    else:
        rest = (
            "Here each y has one x, and both find it. Seek the difference where the data end.",
            "p chooses a range where a y has several x: there they part.",
        )
    return Content("\n").join(
        [
            Content("A network learns to take noise out of x, given y.").stylize("bold"),
            Content(rest[0]),
            Content(rest[1]).stylize("$muted"),
        ]
    )


def _lesson(
    y: float,
    branches: NDArray[np.float64],
    found: NDArray[np.float64],
    shares: NDArray[np.float64],
    answer: float | None,
    distance: NDArray[np.float64],
) -> Content:
    """What is to be seen at this y, in three lines; distances in widths of the range of x."""
    if not len(branches):
        return Content("\n").join(
            [
                Content(f"y = {y:g}: there is no x with this y.").stylize("bold"),
                Content("Both answer all the same: nothing tells a network what it has not seen."),
                Content(""),
            ]
        )
    places = " · ".join(f"{100 * part:.0f} %" for part in found)
    exact = " · ".join(f"{100 * part:.0f} %" for part in shares)
    *before, last = (f"{x:.2f}" for x in branches)
    first = f"y = {y:.2g} has x = " + (f"{', '.join(before)} and {last}" if before else last)
    if answer is not None:
        off = float(np.abs(branches - answer).min())
        first += f"; the regression says {round(answer, 2) + 0.0:.2f}, {off:.2f} off"
    close = float(np.mean(distance <= CLOSE))
    return Content("\n").join(
        [
            Content(first).stylize("bold"),
            Content(f"draws by the nearest x: {places}   (exactly {exact})"),
            Content(
                f"{100 * close:.1f} % of them are right to {100 * CLOSE:.0f} % of the range; half to "
                f"{100 * float(np.median(distance)):.2g} %"
            ).stylize("$muted"),
        ]
    )
