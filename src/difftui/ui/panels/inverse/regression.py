"""One regression, live: a small network learns x from y, and a ruler is held against it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Digits

from difftui.engine.fitting import FitView, start_fit
from difftui.inversion import Baselines, baselines
from difftui.ui.keys import shown_key
from difftui.ui.pace import LATE_SECONDS, Pace
from difftui.ui.panels.inverse.chosen import (
    LESSON,
    Chosen,
    figure_of,
    line_of_progress,
    net_title,
    ratio_text,
)
from difftui.ui.panels.inverse.plane import (
    Plane,
    average_series,
    curve_series,
    line_series,
    truth_on_grid,
    unseen,
)
from difftui.ui.widgets.plot import CurvePlot, Line, Series
from difftui.ui.widgets.text import ActionText, choice

if TYPE_CHECKING:
    from difftui.engine import Engine, Job
    from difftui.inversion import InversionRecipe

__all__ = ["AT_ONCE", "PACES", "Regression", "verdict"]

AT_ONCE = 1e6
PACES = (10.0, 30.0, 100.0, AT_ONCE)  # epochs a second
ENDLESS = 1_000_000  # the job's own end, which nobody waits for
UNTRAINED_SECONDS = 1.0  # so long the untrained network is shown before it learns
PLOT_SHARE = 0.25  # of the time may go into drawing the plots; numbers are drawn at every tick
ROOM_FOR_FIVE = 52  # columns that a legend of five names takes
LOSS_TITLES = {True: "MSE by epoch, log", False: "MSE by epoch, linear"}
ERROR_AXES = (0.1, 0.3, 1.0, 3.0)
AS_GOOD = 1.02  # times the average's error is the average


class Regression(Vertical):
    """The fit of one network.

    Attributes:
        job: the fit, or None before the first; ``goal`` the epoch where it holds.
        playing: what the user wants; the fit rests all the same when it reaches its goal.
        known: the baselines of the problem.
    """

    TITLE = "regression"
    IDLE: ClassVar[frozenset[str]] = frozenset()  # actions that do nothing here

    def __init__(self, chosen: Chosen, engine: Engine, fps: float) -> None:
        super().__init__(id="regression")
        self.chosen = chosen
        self.engine = engine
        self.pace = Pace(30.0, late=max(LATE_SECONDS, 1.5 / fps))
        self.playing = True
        self.goal = LESSON
        self.job: Job[FitView] | None = None
        self.known: Baselines = baselines(chosen.of())
        self._fresh = False
        self.drawn: tuple[object, ...] = ()
        self._next_plots = 0.0

    def compose(self) -> ComposeResult:
        with Horizontal(classes="plots"):
            yield Plane(id="fit", classes="panel", x_name="y")
            with Vertical(id="errors"):
                yield CurvePlot(id="mse", classes="panel", x_name="epoch")
                yield CurvePlot(id="error", classes="panel", x_name="y")
        with Horizontal(classes="worth"):
            yield Digits(id="ratio")
            yield ActionText(id="verdict")

    # -- what the user does

    def begin(self) -> None:
        """Start anew with what is chosen."""
        self.close()
        recipe, problem = self.recipe, self.chosen.of()
        self.known = baselines(problem)
        self.job = self.engine.submit_light(f"inverse {net_title(recipe)}", start_fit(recipe), paused=True)
        self.job.step()  # the untrained network
        fit = self.query_one("#fit", Plane)
        fit.border_title = f"x from y · {net_title(recipe)}"
        fit.name_shades(problem)
        self.query_one("#mse", CurvePlot).border_subtitle = f"┄┄ best line {figure_of(self.known.line.mse)}"
        against = "average" if problem.many_valued else _inverse_name(problem.function)
        self.query_one("#error", CurvePlot).border_title = f"error: answer - {against}"
        self.goal = LESSON
        self._fresh = True

    def close(self) -> None:
        """Put the fit away."""
        if self.job is not None:
            self.job.close()

    def play(self) -> None:
        """Let it learn, or hold; at the goal: as many epochs again."""
        if self.playing and self.epoch >= self.goal:
            self.goal += LESSON
        else:
            self.playing = not self.playing
        self._settle()

    def step(self, count: int) -> None:
        """Learn for some epochs, then hold; there is no way back but to start again."""
        if count < 1 or self.job is None or self.job.snapshot is None:
            return
        if self.playing:
            self.playing = False
            self._settle()
        self.pace.asked += count
        self.goal = max(self.goal, -(-self.pace.asked // LESSON) * LESSON)
        self.job.step(count)

    def speed(self, by: int) -> None:
        """How many epochs a second are shown."""
        self.pace.rate = PACES[(PACES.index(self.pace.rate) + by) % len(PACES)]

    # -- the fit

    @property
    def recipe(self) -> InversionRecipe:
        """What is fitted."""
        return self.chosen.recipe(ENDLESS)

    @property
    def view(self) -> FitView | None:
        """The fit as far as it has come."""
        return self.job.snapshot if self.job is not None else None

    @property
    def epoch(self) -> int:
        """Epochs done."""
        return self.view.progress.epoch if self.view is not None else 0

    def _settle(self) -> None:
        """Count anew from where the fit is."""
        if self.job is not None:
            self.job.pause()
            self.pace.start(self.epoch)

    def advance(self, now: float) -> None:
        """Ask for the epochs that are due, whichever view is shown."""
        job, view = self.job, self.view
        if job is None or view is None:
            return
        if self._fresh:
            self._fresh = False
            self.pace.start(0, at=now + (0.0 if self.pace.rate == AT_ONCE else UNTRAINED_SECONDS))
        if self.playing and not job.state.final:
            count = self.pace.due(now, view.progress.epoch, self.goal)
            if count:
                job.step(count)

    # -- drawing

    def tick(self, now: float) -> None:
        """Draw what is new."""
        job, view = self.job, self.view
        if job is None:
            return
        self.query_one("#verdict", ActionText).say(self._judgement(job, view))
        if view is None:
            return
        ratio = ratio_text(view.progress.mse_over_line) + "x"  # Digits draws x as ×
        digits = self.query_one("#ratio", Digits)
        if digits.value != ratio:
            digits.update(ratio)
        drawn = (job, view.progress.epoch, self.goal, self.chosen.log)
        if drawn != self.drawn and now >= self._next_plots:
            began = time.perf_counter()
            self._draw_fit(view)
            self._draw_loss(view)
            self._draw_error(view)
            self.drawn = drawn
            self._next_plots = now + (time.perf_counter() - began) / PLOT_SHARE

    def _draw_fit(self, view: FitView) -> None:
        problem, grid = view.recipe.problem, view.progress.grid.astype(np.float64)
        plane = self.query_one("#fit", Plane)
        named = not problem.many_valued or plane.size.width >= ROOM_FOR_FIVE
        plane.draw(
            problem,
            [
                *curve_series(problem, beyond="true" if named else ""),
                line_series(self.known.line, grid),
                *average_series(problem),
                Series(grid, view.progress.prediction, "network", "accent"),
            ],
        )

    def _draw_loss(self, view: FitView) -> None:
        lines = [Line(self.known.line.mse, colour="foreground")]
        if self.known.average_mse > 0:
            lines.append(Line(self.known.average_mse, colour="green"))
        plot = self.query_one("#mse", CurvePlot)
        plot.border_title = LOSS_TITLES[self.chosen.log]
        plot.set_series(
            [Series(view.losses.x, view.losses.y)],
            x_range=(0.0, float(self.goal)),
            log_y=self.chosen.log,
            lines=lines,
        )

    def _draw_error(self, view: FitView) -> None:
        problem, grid = view.recipe.problem, view.progress.grid.astype(np.float64)
        truth = truth_on_grid(problem)
        low, high = problem.seen
        error = view.progress.prediction - truth
        largest = float(np.nanmax(np.abs(error[(grid >= low) & (grid <= high)])))
        limit = next((axis for axis in ERROR_AXES if largest <= axis), ERROR_AXES[-1])
        x_low, x_high = max(grid[0], -1.0), min(grid[-1], 1.0)
        self.query_one("#error", CurvePlot).set_series(
            [
                Series(grid, self.known.line.at(grid) - truth, "line", "foreground"),
                Series(grid, error, "network", "accent"),
            ],
            x_range=(x_low, x_high),
            y_range=(-limit, limit),
            x_ticks=((-1.0, "-1"), (0.0, "y = 0"), (1.0, "1")),
            lines=[Line(0.0)],
            shades=unseen(problem),
        )

    def choices(self) -> list[Content]:
        """What can be chosen, beside what all views share."""
        rate = self.pace.rate
        speed = "all at once" if rate == AT_ONCE else f"{rate:.0f} epochs/s"
        return [
            *self.chosen.net_choices(),
            choice("r", "seed", f"{self.chosen.seed:<3}", "reseed(1)"),
            choice("f", "speed", speed, "speed(1)"),
        ]

    def progress(self, columns: int) -> Content:
        """How far it is."""
        job, epoch = self.job, self.epoch
        if job is not None and job.error is not None:
            mark, hint = "✗ failed  ", f"{shown_key('inverse', 'restart')} restarts"
        elif self.playing and epoch >= self.goal:
            mark, hint = "■ done    ", f"space {LESSON} more · tab 100 seeds"
        elif self.playing:
            mark, hint = "▶ learning", "space holds"
        else:
            mark, hint = "⏸ held    ", "space goes on" if epoch else "space lets it learn"
        return line_of_progress(
            f"{mark}  epoch {epoch:>5} of {self.goal}  ", epoch / self.goal, hint, columns
        )

    def _judgement(self, job: Job[FitView], view: FitView | None) -> Content:
        if job.error is not None:
            return Content(job.error).stylize("$error")
        if view is None:
            return Content("the network is being made …").stylize("$muted")
        progress = view.progress
        dead, units = progress.dead_units, progress.hidden_units
        details = f"[$muted]MSE[/] {figure_of(progress.mse)} [$muted]· {progress.parameters} weights"
        if self.known.floor > 0:
            details += f" · every regression ≥ {self.known.floor:.3g}"
        elif dead:
            details += f" · {dead} of {units} units dead"
        return Content("\n").join(
            [
                Content(f"the error of the best straight line, {figure_of(self.known.line.mse)}:").stylize(
                    "$muted"
                ),
                Content(verdict(view, self.known)).stylize("bold"),
                Content.from_markup(details + "[/]"),
            ]
        )


def verdict(view: FitView, known: Baselines) -> str:
    """What the error means, in a few words; the best straight line is the measure, or the average's error."""
    progress = view.progress
    if progress.dead and not known.average_mse:
        return "dead: it answers one constant"
    if progress.epoch == 0:
        return "not trained yet"
    if known.average_mse and progress.mse <= AS_GOOD * known.average_mse:
        return "it answers the average of the branches"
    if progress.dead:
        return "dead: it answers one constant"
    if progress.mse_over_line < 0.95:
        return "it learned more than a line"
    if progress.mse_over_line > 1.05:
        return "so far worse than a straight line"
    if not view.recipe.hidden_layers:
        return "a straight line is all that it can be"
    return "no better than a straight line"


def _inverse_name(function: str) -> str:
    return "arcsin y" if function == "sin" else "true x"
