"""A hundred initialisations of one regression, sorted by what became of them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.events import Click
from textual.widgets import Digits

from difftui.engine.fitting import start_cohort
from difftui.engine.job import JobState
from difftui.inversion import Baselines, CohortProgress, baselines
from difftui.proportion import wilson
from difftui.ui.panels.inverse.chosen import (
    LESSON,
    Chosen,
    figure_of,
    line_of_progress,
    net_title,
    ratio_text,
)
from difftui.ui.panels.inverse.plane import Plane, average_series, curve_series
from difftui.ui.widgets.plot import CurvePlot, Line, Marker, Series
from difftui.ui.widgets.text import ActionText, choice

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from difftui.engine import Engine, Job
    from difftui.inversion import InversionRecipe

__all__ = ["COUNT", "Seeds"]

COUNT = 100
WIDTH = np.array([-0.4, -0.2, 0.0, 0.2, 0.4])  # points that make one rank as wide as it is


class Seeds(Vertical):
    """The strip of a hundred nets, and the chosen one.

    Attributes:
        job: of the hundred, or None while this view was never shown.
        recipe: what they were made of; ``picked`` the chosen one's place among the seeds.
    """

    TITLE = f"{COUNT} seeds"
    IDLE: ClassVar[frozenset[str]] = frozenset({"speed"})  # actions that do nothing here

    def __init__(self, chosen: Chosen, engine: Engine) -> None:
        super().__init__(id="seeds")
        self.chosen = chosen
        self.engine = engine
        self.job: Job[CohortProgress] | None = None
        self.recipe: InversionRecipe | None = None
        self.picked = 0
        self.held = False  # by the user
        self.known: Baselines = baselines(chosen.of())
        self.drawn: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        with Horizontal(classes="plots"):
            yield CurvePlot(id="strip", classes="panel", x_name="rank")
            yield Plane(id="one", classes="panel", x_name="y")
        with Horizontal(classes="worth"):
            yield Digits(id="near")
            yield ActionText(id="census")

    # -- what the user does

    def wanted(self) -> InversionRecipe:
        """The recipe of the first of the hundred to which the chosen seed belongs."""
        return self.chosen.recipe(seed=self.chosen.seed // COUNT * COUNT)

    def begin(self) -> None:
        """Train a hundred, with what is chosen."""
        self.close()
        self.held = False
        self.recipe = self.wanted()
        self.known = baselines(self.recipe.problem)
        self.picked = self.chosen.seed % COUNT
        self.job = self.engine.submit_light(f"{COUNT} seeds", start_cohort(self.recipe, COUNT))
        self.query_one(
            "#strip", CurvePlot
        ).border_title = f"{COUNT} × {net_title(self.recipe)}, sorted by MSE"

    def come(self) -> None:
        """This view is shown: train what is chosen now, unless it was trained before."""
        if self.recipe != self.wanted():
            self.begin()
        else:
            self.resume()

    def close(self) -> None:
        """Put the nets away."""
        if self.job is not None:
            self.job.close()

    def rest(self) -> None:
        """Nobody looks."""
        if self.job is not None and not self.job.state.final:
            self.job.pause()

    def resume(self) -> None:
        """Go on where it rested."""
        if self.job is not None and self.job.state is JobState.PAUSED and not self.held:
            self.job.resume()

    def play(self) -> None:
        """Hold, or go on."""
        self.held = not self.held
        if self.held:
            self.rest()
        else:
            self.resume()

    def step(self, by: int) -> None:
        """Along the strip."""
        view = self.view
        if view is not None:
            order = self._order(view)
            at = int(np.flatnonzero(order == self.picked)[0])
            self.picked = int(order[min(max(at + by, 0), COUNT - 1)])

    def jump(self, end: int) -> None:
        """To the best (0) or the worst (1) net."""
        if self.view is not None:
            self.picked = int(self._order(self.view)[-1 if end else 0])

    def on_click(self, event: Click) -> None:
        """On the strip: that net."""
        plot = self.query_one("#strip", CurvePlot)
        if event.widget is plot and self.view is not None:
            rank = round(plot.x_at(event.x)) - 1
            self.picked = int(self._order(self.view)[min(max(rank, 0), COUNT - 1)])

    @property
    def view(self) -> CohortProgress | None:
        """The hundred as far as they have come."""
        return self.job.snapshot if self.job is not None else None

    @property
    def seed(self) -> int:
        """Of the chosen net."""
        return (self.recipe.seed if self.recipe is not None else 0) + self.picked

    @staticmethod
    def _order(view: CohortProgress) -> NDArray[np.intp]:
        """Places among the seeds, the smallest error first."""
        return np.argsort(view.mse, kind="stable")

    # -- drawing

    def tick(self, now: float) -> None:
        """Draw what is new."""
        job, view = self.job, self.view
        census = self.query_one("#census", ActionText)
        if job is not None and job.error is not None:
            census.say(Content(job.error).stylize("$error"))
        elif view is None:
            census.say(Content(f"{COUNT} networks are being made …").stylize("$muted"))
        if job is None or view is None:
            return
        drawn = (job, view.epoch, self.picked, self.chosen.log)
        if drawn != self.drawn:
            self.drawn = drawn
            if job.error is None:
                census.say(self._census(view))
            digits = self.query_one("#near", Digits)
            digits.update(f"{int(view.near_line.sum())}")
            self._draw_strip(view)
            self._draw_one(view)

    def _draw_strip(self, view: CohortProgress) -> None:
        order = self._order(view)
        mse, ratio = view.mse[order], view.mse_over_line[order]
        dead, near = view.dead[order], view.near_line[order]
        rank = np.arange(1, COUNT + 1)
        low, high = _axis(mse, self.known, log=self.chosen.log)
        series = []
        for kind, label, colour in (
            (~near & ~dead & (ratio < 1), "beat", "accent"),
            (near, "near", "foreground"),
            (~near & ~dead & (ratio > 1), "lose", "muted"),
            (dead, "dead", "error"),
        ):
            if kind.any():
                y = np.repeat(np.where(kind, mse, np.nan), len(WIDTH))
                series.append(
                    Series(
                        (rank[:, None] + WIDTH).ravel(), y, f"{int(kind.sum())} {label}", colour, "band",
                        low=np.where(np.isfinite(y), low, np.nan), high=y,
                    )
                )  # fmt: skip
        at = int(np.flatnonzero(order == self.picked)[0]) + 1
        plot = self.query_one("#strip", CurvePlot)
        plot.place_words = lambda rank: f"{rank:.0f}"
        plot.border_subtitle = f"┄┄ best line {figure_of(self.known.line.mse)}"
        plot.set_series(
            series,
            x_range=(0.5, COUNT + 0.5),
            y_range=(low, high),
            log_y=self.chosen.log,
            lines=[Line(self.known.line.mse, colour="foreground")],
            markers=[Marker(float(at), f"seed {self.seed}", "foreground")],
            x_ticks=((1.0, "best"), (50.0, "median"), (100.0, "worst")),
        )

    def _draw_one(self, view: CohortProgress) -> None:
        assert self.recipe is not None
        problem, grid = self.recipe.problem, view.grid.astype(np.float64)
        plane = self.query_one("#one", Plane)
        plane.border_title = f"seed {self.seed}: MSE {figure_of(float(view.mse[self.picked]))}"
        plane.draw(
            problem,
            [
                *curve_series(problem, label=""),
                *average_series(problem),
                Series(grid, view.prediction[self.picked], "network", "accent"),
            ],
        )

    def choices(self) -> list[Content]:
        """What can be chosen, beside what all views share."""
        first = self.recipe.seed if self.recipe is not None else 0
        return [
            *self.chosen.net_choices(),
            choice("r", "seeds", f"{first} … {first + COUNT - 1}", "reseed(1)"),
            choice("enter", "open", f"seed {self.seed}", "open()"),
        ]

    def progress(self, columns: int) -> Content:
        """How far it is."""
        job, view = self.job, self.view
        epoch = view.epoch if view is not None else 0
        goal = self.recipe.epochs if self.recipe is not None else LESSON
        if job is not None and job.error is not None:
            mark, hint = "✗ failed  ", "⌫ restarts"
        elif epoch >= goal:
            mark, hint = "■ done    ", "←/→ choose a net · tab diffusion"
        elif self.held:
            mark, hint = "⏸ held    ", "space goes on"
        else:
            mark, hint = "▶ learning", "space holds"
        return line_of_progress(f"{mark}  epoch {epoch:>5} of {goal}  ", epoch / goal, hint, columns)

    def _census(self, view: CohortProgress) -> Content:
        dead, near = int(view.dead.sum()), int(view.near_line.sum())
        better = int((~view.dead & ~view.near_line & (view.mse_over_line < 1)).sum())
        worse = COUNT - dead - near - better
        median = float(np.median(view.mse))
        return Content("\n").join(
            [
                Content(f"of {COUNT} are within 5 % of the best line's error").stylize("$muted")
                + _interval(near),
                Content(f"{better} beat it · {worse} do worse · {dead} are dead").stylize("bold")
                + _interval(dead),
                Content.from_markup(
                    f"[$muted]median MSE[/] {figure_of(median)} [$muted]· "
                    f"{ratio_text(median / self.known.line.mse)} × the line's · (95 % interval)[/]"
                ),
            ]
        )


def _interval(count: int) -> Content:
    """Within what the true share lies, a hundred seeds being no more than a hundred draws."""
    low, high = wilson(count, COUNT)
    return Content(f" ({100 * low:.0f} to {100 * high:.0f} %)").stylize("$muted")


def _axis(mse: NDArray[np.floating], known: Baselines, *, log: bool) -> tuple[float, float]:
    """Limits of the strip: whole powers of ten, or from 0."""
    largest = max(float(mse.max()), known.line.mse)
    if not log:
        return 0.0, 1.05 * largest
    smallest = min(float(mse.min()), known.line.mse)
    return 10.0 ** math.floor(math.log10(smallest)), 10.0 ** math.ceil(math.log10(1.01 * largest))
