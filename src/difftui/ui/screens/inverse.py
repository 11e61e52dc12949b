"""The sine inversion, live: a small network learns arcsin, and a ruler is held against it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Digits

from difftui.engine.fitting import FitView, start_fit
from difftui.inversion import ACTIVATIONS, InversionRecipe, baselines, pairs
from difftui.state import MOST_SEED, Choices
from difftui.ui.keys import shown_key
from difftui.ui.screens.base import LabScreen
from difftui.ui.widgets.plot import CurvePlot, Line, Marker, Series, Shade
from difftui.ui.widgets.text import ActionText

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from difftui.engine import Job

__all__ = ["SCREEN", "InverseScreen", "Pace", "ratio_text", "verdict"]

ACTIVATION_NAMES = {"relu": "ReLU", "tanh": "tanh", "silu": "SiLU"}
HIDDEN: tuple[tuple[int, ...], ...] = ((), (3,), (3, 3), (8, 8), (16, 16), (64, 64))
AT_ONCE = 1e6
PACES = (10.0, 30.0, 100.0, AT_ONCE)  # epochs a second
LESSON = 500  # epochs of the lab; the fit holds here, and again after as many more
ENDLESS = 1_000_000  # the job's own end, which nobody waits for
UNTRAINED_SECONDS = 1.0  # so long the untrained network is shown before it learns
# Epochs not asked for in time (another screen was shown) are not made up for. A slow clock has longer.
LATE_SECONDS = 0.25
PLOT_SHARE = 0.25  # of the time may go into drawing the plots; numbers are drawn at every tick
LOSS_TITLES = {True: "MSE by epoch, log", False: "MSE by epoch, linear"}
Y_TICKS = ((-1.0, "-1"), (0.0, "y = 0"), (1.0, "1"), (-0.5, "-0.5"), (0.5, "0.5"))  # the first win
HALF_TURN = np.pi / 2  # arcsin y lies within ± this
ERROR_AXES = (0.1, 0.3, 1.0, 3.0)


@dataclass(slots=True)
class Pace:
    """How many epochs to ask for so that about ``rate`` a second are done.

    Attributes:
        rate: epochs a second.
        asked: the epoch that the last request leads to.
        late: seconds for which epochs that were not asked for in time are made up.
    """

    rate: float
    asked: int = 0
    late: float = LATE_SECONDS
    _owed: float = field(default=0.0, init=False)
    _seen: float | None = field(default=None, init=False)

    def start(self, epoch: int, at: float | None = None) -> None:
        """Count from this epoch, and from the time ``at`` (None: from the next :meth:`due`)."""
        self.asked, self._owed, self._seen = epoch, 0.0, at

    def due(self, now: float, epoch: int, goal: int) -> int:
        """Epochs to ask for at the time ``now``, when ``epoch`` are done and ``goal`` is where to hold."""
        seen = now if self._seen is None else self._seen
        if now < seen:
            return 0
        self._seen = now
        self._owed = min(self._owed + (now - seen) * self.rate, self.late * self.rate)
        if self.asked > epoch:  # the worker is busy with something else, or this is all the speed it has
            return 0
        count = min(int(self._owed), max(goal - self.asked, 0))
        self._owed -= count
        self.asked += count
        return count


class InverseScreen(LabScreen):
    """Watch a network learn arcsin from y = sin x, and see what its error is worth."""

    NAME = "inverse"

    def __init__(self) -> None:
        super().__init__()
        self.hidden = HIDDEN.index((3, 3))
        self.activation = 0
        self.seed = 0
        self.pace = Pace(30.0)
        self.playing = True  # what the user wants; the fit rests all the same when it reaches its goal
        self.goal = LESSON
        self.log_axis = True
        self.job: Job[FitView] | None = None
        self._fresh = False
        self._drawn: tuple[object, ...] = ()
        self._next_plots = 0.0
        self._texts: dict[str, Content] = {}
        self._known = baselines()

    # -- composition

    def compose_body(self) -> ComposeResult:
        fit = CurvePlot(id="fit", classes="panel")
        fit.border_subtitle = "shaded: no data · |y| > 1: no inverse"
        loss = CurvePlot(id="mse", classes="panel")
        loss.border_title = LOSS_TITLES[self.log_axis]
        loss.border_subtitle = f"┄┄ best line {self._known.line.mse:.2e}"
        error = CurvePlot(id="error", classes="panel")
        error.border_title = "error: answer - arcsin y"
        with Vertical(id="inverse"):
            with Horizontal(id="plots"):
                yield fit
                with Vertical(id="errors"):
                    yield loss
                    yield error
            with Horizontal(id="worth"):
                yield Digits(id="ratio")
                yield ActionText(id="verdict")
            yield ActionText(id="choices")
            yield ActionText(id="progress")

    def on_mount(self) -> None:
        self.pace.late = max(LATE_SECONDS, 1.5 / self.lab.clock.fps)
        self._begin()

    def remember(self) -> dict[str, object]:
        return {
            "hidden": "-".join(map(str, HIDDEN[self.hidden])),
            "activation": ACTIVATIONS[self.activation],
            "seed": self.seed,
            "rate": self.pace.rate,
            "log": self.log_axis,
        }

    def recall(self, choices: Choices) -> None:
        names = ["-".join(map(str, layers)) for layers in HIDDEN]
        self.hidden = names.index(choices.one_of("hidden", names, names[self.hidden]))
        self.activation = ACTIVATIONS.index(choices.one_of("activation", ACTIVATIONS, ACTIVATIONS[0]))
        self.seed = choices.whole("seed", 0, MOST_SEED, self.seed)
        self.pace.rate = choices.one_of("rate", PACES, self.pace.rate)
        self.log_axis = choices.one_of("log", (True, False), self.log_axis)

    # -- actions

    def action_play(self) -> None:
        """Let it learn, or hold; at the goal: as many epochs again."""
        if self.playing and self._resting():
            self.goal += LESSON
        else:
            self.playing = not self.playing
        self._settle()

    def action_step(self, count: int) -> None:
        """Learn for some epochs, then hold."""
        if self.job is None or self.job.snapshot is None:
            return
        if self.playing:
            self.playing = False
            self._settle()
        self.pace.asked += count
        self.goal = max(self.goal, -(-self.pace.asked // LESSON) * LESSON)
        self.job.step(count)

    def action_hidden(self, by: int) -> None:
        """Choose the hidden layers."""
        self.hidden = (self.hidden + by) % len(HIDDEN)
        self._begin()

    def action_activation(self, by: int) -> None:
        """Choose what follows each hidden layer; without any there is nothing to choose."""
        if HIDDEN[self.hidden]:
            self.activation = (self.activation + by) % len(ACTIVATIONS)
            self._begin()

    def action_reseed(self, by: int) -> None:
        """Start again from other random weights."""
        self.seed = max(0, self.seed + by)
        self._begin()

    def action_restart(self) -> None:
        """Start again from the same random weights."""
        self._begin()

    def action_speed(self, by: int) -> None:
        """Choose how many epochs a second are shown."""
        self.pace.rate = PACES[(PACES.index(self.pace.rate) + by) % len(PACES)]

    def action_log(self) -> None:
        """Logarithmic or linear axis of the mean squared error."""
        self.log_axis = not self.log_axis
        self.query_one("#mse", CurvePlot).border_title = LOSS_TITLES[self.log_axis]

    # -- the fit

    @property
    def recipe(self) -> InversionRecipe:
        """What the screen is set to."""
        return InversionRecipe(
            hidden_layers=HIDDEN[self.hidden],
            activation=ACTIVATIONS[self.activation],
            seed=self.seed,
            epochs=ENDLESS,
        )

    def _begin(self) -> None:
        if self.job is not None:
            self.job.close()
        self.job = self.lab.engine.submit_light(
            f"inverse {_title(self.recipe)}", start_fit(self.recipe), paused=True
        )
        self.job.step()  # the untrained network
        self.query_one("#fit", CurvePlot).border_title = f"x from y = sin x · {_title(self.recipe)}"
        self.goal = LESSON
        self._fresh = True

    def _settle(self) -> None:
        """Count anew from where the fit is."""
        if self.job is not None:
            self.job.pause()
            self.pace.start(self._epoch())

    def _epoch(self) -> int:
        view = self.job.snapshot if self.job is not None else None
        return view.progress.epoch if view is not None else 0

    def _resting(self) -> bool:
        """Whether as many epochs are done as were to be done."""
        return self._epoch() >= self.goal

    def tick(self, now: float) -> None:
        job = self.job
        if job is None:
            return
        view = job.snapshot
        if view is not None:
            if self._fresh:
                self._fresh = False
                self.pace.start(0, at=now + (0.0 if self.pace.rate == AT_ONCE else UNTRAINED_SECONDS))
            if self.playing and not job.state.final:
                count = self.pace.due(now, view.progress.epoch, self.goal)
                if count:
                    job.step(count)
        self._draw(now, job, view)

    # -- drawing

    def _draw(self, now: float, job: Job[FitView], view: FitView | None) -> None:
        self._say("choices", self._choices())
        self._say("progress", self._progress(job, view))
        self._say("verdict", self._judgement(job, view))
        if view is None:
            return
        ratio = ratio_text(view.progress.mse_over_line) + "x"  # Digits draws x as ×
        digits = self.query_one("#ratio", Digits)
        if digits.value != ratio:
            digits.update(ratio)
        drawn = (job, view.progress.epoch, self.goal, self.log_axis)
        if drawn != self._drawn and now >= self._next_plots:
            began = time.perf_counter()
            self._draw_fit(view)
            self._draw_loss(view)
            self._draw_error(view)
            self._drawn = drawn
            self._next_plots = now + (time.perf_counter() - began) / PLOT_SHARE

    def _draw_fit(self, view: FitView) -> None:
        grid, recipe = view.progress.grid, view.recipe
        y, x = pairs(recipe.problem, recipe.points)
        self.query_one("#fit", CurvePlot).set_series(
            [
                Series(grid, recipe.problem.best_answer(grid.astype(np.float64)), "arcsin", "muted"),
                Series(y, x, "data", "muted", kind="scatter"),
                Series(grid, _dashed(self._known.line.at(grid.astype(np.float64))), "line", "foreground"),
                Series(grid, view.progress.prediction, "network", "accent"),
            ],
            x_range=(float(grid[0]), float(grid[-1])),
            y_range=(-HALF_TURN, HALF_TURN),
            x_ticks=Y_TICKS,
            markers=[Marker(-1.0, colour="muted"), Marker(1.0, colour="muted")],
            shades=self._unseen(),
        )

    def _draw_loss(self, view: FitView) -> None:
        self.query_one("#mse", CurvePlot).set_series(
            [Series(view.losses.x, view.losses.y)],
            x_range=(0.0, float(self.goal)),
            log_y=self.log_axis,
            lines=[Line(self._known.line.mse, colour="foreground")],
        )

    def _draw_error(self, view: FitView) -> None:
        grid = view.progress.grid.astype(np.float64)
        truth = view.recipe.problem.best_answer(grid)
        low, high = self._known.seen
        error = view.progress.prediction - truth
        largest = float(np.abs(error[(grid >= low) & (grid <= high)]).max())
        limit = next((axis for axis in ERROR_AXES if largest <= axis), ERROR_AXES[-1])
        self.query_one("#error", CurvePlot).set_series(
            [
                Series(grid, self._known.line.at(grid) - truth, "line", "foreground"),
                Series(grid, error, "network", "accent"),
            ],
            x_range=(-1.0, 1.0),
            y_range=(-limit, limit),
            x_ticks=Y_TICKS[:3],
            lines=[Line(0.0)],
            shades=self._unseen(),
        )

    def _unseen(self) -> list[Shade]:
        low, high = self._known.seen
        return [Shade(-9.0, low), Shade(high, 9.0)]

    def _say(self, name: str, text: Content) -> None:
        if self._texts.get(name) != text:
            self._texts[name] = text
            self.query_one(f"#{name}", ActionText).update(text, layout=False)

    def _choices(self) -> Content:
        recipe, pace = self.recipe, self.pace.rate
        activation = ACTIVATION_NAMES[recipe.activation] if recipe.hidden_layers else "-"
        hidden = "-".join(map(str, recipe.hidden_layers)) or "none"
        return Content("  ").join(
            [
                _choice(shown_key(self.NAME, "hidden(1)"), "hidden", f"{hidden:<5}", "hidden(1)"),
                _choice("a", "activation", f"{activation:<4}", "activation(1)"),
                _choice("r", "seed", f"{self.seed:<3}", "reseed(1)"),
                _choice(
                    "f", "speed", "all at once" if pace == AT_ONCE else f"{pace:.0f} epochs/s", "speed(1)"
                ),
            ]
        )

    def _progress(self, job: Job[FitView], view: FitView | None) -> Content:
        epoch = view.progress.epoch if view is not None else 0
        if job.error is not None:
            mark, hint = "✗ failed  ", f"{shown_key(self.NAME, 'restart')} restarts"
        elif self.playing and epoch >= self.goal:
            mark, hint = "■ done    ", f"space {LESSON} more · r re-seed"
        elif self.playing:
            mark, hint = "▶ learning", "space holds"
        else:
            mark, hint = "⏸ held    ", "space goes on" if epoch else "space lets it learn"
        counts = f"{mark}  epoch {epoch:>5} of {self.goal}  "
        width = max(8, self.size.width - len(counts) - 30)
        full = round(width * min(epoch / self.goal, 1.0))
        bar = Content.from_markup(f"[$accent]{'━' * full}[/][$border]{'─' * (width - full)}[/]")
        return Content(counts) + bar + Content.from_markup(f"  [$muted]{hint}[/]")

    def _judgement(self, job: Job[FitView], view: FitView | None) -> Content:
        if job.error is not None:
            return Content(job.error).stylize("$error")
        if view is None:
            return Content("the network is being made …").stylize("$muted")
        progress = view.progress
        dead, units = progress.dead_units, progress.hidden_units
        return Content("\n").join(
            [
                Content(f"the error of the best straight line, {self._known.line.mse:.2e}:").stylize(
                    "$muted"
                ),
                Content(verdict(view)).stylize("bold"),
                Content.from_markup(
                    f"[$muted]MSE[/] {progress.mse:.2e} [$muted]· {progress.parameters} weights"
                    + (f" · {dead} of {units} units dead" if dead else "")
                    + "[/]"
                ),
            ]
        )


def verdict(view: FitView) -> str:
    """What the error means, in a few words; the best straight line is the measure."""
    progress = view.progress
    if progress.dead:
        return "dead: it answers one constant"
    if progress.epoch == 0:
        return "not trained yet"
    if progress.mse_over_line < 0.95:
        return "it learned more than a line"
    if progress.mse_over_line > 1.05:
        return "so far worse than a straight line"
    if not view.recipe.hidden_layers:
        return "a straight line is all that it can be"
    return "no better than a straight line"


def ratio_text(ratio: float) -> str:
    """A ratio to about two digits: 470, 21.9, 0.59, 0.084, 0.0021."""
    for least, digits in ((99.5, 0), (9.95, 1), (0.0995, 2), (0.00995, 3)):
        if ratio >= least:
            return f"{ratio:.{digits}f}"
    return f"{ratio:.4f}"


def _dashed(y: NDArray[np.float64]) -> NDArray[np.float64]:
    """The curve with gaps."""
    return np.where(np.arange(len(y)) // 4 % 2 == 0, y, np.nan)


def _title(recipe: InversionRecipe) -> str:
    """1-[3]-[3]-1 ReLU"""
    layers = "-".join(["1", *(f"[{units}]" for units in recipe.hidden_layers), "1"])
    return f"{layers} {ACTIVATION_NAMES[recipe.activation]}" if recipe.hidden_layers else layers


def _choice(key: str, name: str, value: str, action: str) -> Content:
    return Content.from_markup(
        f"[@click=screen.{action}][b $accent]{key}[/] [$muted]{name}[/] [b]{value}[/][/]"
    )


SCREEN = InverseScreen
