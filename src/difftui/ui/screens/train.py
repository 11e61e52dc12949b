"""Training, live: the loss as it falls, and what the network can draw by now."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content

from difftui.engine import Job, JobState
from difftui.errors import DifftuiError
from difftui.runs import Run, Status, find_own_run, list_runs, unused_name
from difftui.training.recipe import PRESETS, Recipe
from difftui.ui.screens.base import LabScreen
from difftui.ui.widgets.pixels import PixelView, resample
from difftui.ui.widgets.plot import CurvePlot, Line, Series
from difftui.ui.widgets.text import ActionText
from difftui.words import duration, grouped

if TYPE_CHECKING:
    from difftui.engine.training import SampleStrip, TrainingView

__all__ = ["SCREEN", "TrainScreen"]

THUMBNAIL = 14  # pixels across a sample: half its size, so that ten have room
MINUTES = (0.5, 1.0, 2.0, 5.0, 15.0, 60.0)
PLOT_SECONDS = 0.5  # the curve is drawn no more often: its change is slow, its bytes are many


@dataclass(frozen=True, slots=True)
class Budget:
    """How long to train: the recipe's own length, or minutes."""

    minutes: float | None = None

    def applied(self, recipe: Recipe) -> Recipe:
        """The recipe with this length."""
        return recipe if self.minutes is None else recipe.with_budget(minutes=self.minutes)


class TrainScreen(LabScreen):
    """Start, watch, pause, stop and resume a training."""

    NAME = "train"

    def __init__(self) -> None:
        super().__init__()
        self.preset = next(iter(PRESETS))
        self.budgets = (Budget(), *(Budget(m) for m in MINUTES))
        self.budget = 0
        self.resumable: list[Run] = []
        self.chosen_run: Run | None = None
        self.chosen_status = Status()  # of the chosen run, as it was when it was chosen
        self.chosen_run_recipe: Recipe | None = None  # None also where it cannot be read
        self.log_axis = True
        self._was_active = False
        self._drawn_version = -1
        self._drawn_at = 0.0
        self._drawn_strip: tuple[SampleStrip | None, tuple[int, int]] | None = None
        self._texts: dict[str, Content] = {}

    # -- composition

    def compose_body(self) -> ComposeResult:
        with Vertical(id="train"):
            yield CurvePlot(id="loss", classes="panel")
            yield ActionText(id="invitation", classes="panel")
            with Horizontal(id="below"):
                with Vertical(id="samples", classes="panel"):
                    yield PixelView(id="strip")
                    yield ActionText(id="strip-empty", classes="muted")
                yield ActionText(id="facts", classes="panel")
            yield ActionText(id="bar")
            yield ActionText(id="status")

    def on_mount(self) -> None:
        self.query_one("#facts").border_title = "recipe"
        self.query_one("#samples").border_title = "samples from the current weights"
        self.query_one("#invitation").border_title = "train a network to take noise away"

    def on_screen_resume(self) -> None:
        self._look_for_runs()
        wanted, self.lab.wanted_run = self.lab.wanted_run, None
        if wanted is not None and not self.lab.training_is_active():
            self._choose_wanted(wanted)
        self._drawn_version = -1

    # -- actions

    def action_play(self) -> None:
        """Start what is chosen; a training under way pauses or goes on."""
        job = self.lab.training
        if job is None or job.state.final:
            self._start(paused=False)
        elif job.state is JobState.PAUSED:
            job.resume()
        else:
            job.pause()

    def action_step(self, count: int) -> None:
        """One optimiser step, then hold; also from the start."""
        job = self.lab.training
        if job is None or job.state.final:
            job = self._start(paused=True)
            count += 1  # the first event tells that all is prepared
        if job is not None:
            job.step(count)

    def action_stop(self) -> None:
        """End the training; it is saved and can be resumed."""
        job = self.lab.training
        if job is None or job.state.final:
            return
        job.close()
        if job.snapshot is None:  # there was nothing yet to save, and there is nothing to show
            self._clear_finished()

    def action_preset(self, by: int) -> None:
        """Walk through the recipes."""
        if not self.lab.training_is_active():
            names = list(PRESETS)
            self.preset = names[(names.index(self.preset) + by) % len(names)]
            self._choose_run(None)
            self.budget = 0

    def action_budget(self, by: int) -> None:
        """Train for longer or shorter."""
        if not self.lab.training_is_active() and self.chosen_run is None:
            self.budget = (self.budget + by) % len(self.budgets)
            self._clear_finished()

    def action_resume_run(self, by: int) -> None:
        """Walk through the runs that can be resumed."""
        if self.lab.training_is_active() or not self.resumable:
            return
        paths = [run.path for run in self.resumable]
        at = paths.index(self.chosen_run.path) if self.chosen_run and self.chosen_run.path in paths else -1
        self._choose_run(self.resumable[(at + by) % len(paths) if at >= 0 else 0])

    def action_log(self) -> None:
        """Logarithmic or linear loss axis."""
        self.log_axis = not self.log_axis
        self._drawn_version = -1

    def action_generate(self) -> None:
        """Draw with the weights of the run shown here."""
        job = self.lab.training
        if job is not None and job.snapshot is not None:
            self.lab.wanted_run = job.snapshot.run.name
        self.lab.action_go("generate")

    # -- drawing

    def tick(self, now: float) -> None:
        job = self.lab.training
        version = job.version if job is not None else 0  # before the snapshot: a newer one is drawn later
        view = job.snapshot if job is not None else None
        self.set_class(job is None, "-idle")
        if self.lab.training_is_active() != self._was_active:
            self._was_active = not self._was_active
            self._look_for_runs()
        if job is None:
            self._say("invitation", self._invitation())
        self._say("facts", self._facts(view))
        self._say("bar", self._bar(job, view))
        self._say("status", self._status(job, view))
        self._draw_title(job)
        self._draw_strip(view)
        if job is not None and view is not None and version != self._drawn_version:
            resting = job.state.final or job.state is JobState.PAUSED
            if resting or now - self._drawn_at >= PLOT_SECONDS:
                self._draw_curve(view)
                self._drawn_version, self._drawn_at = version, now

    def _draw_title(self, job: Job[TrainingView] | None) -> None:
        words = {
            None: "loss",
            JobState.WAITING: "loss · preparing …",
            JobState.RUNNING: "loss · training",
            JobState.PAUSED: "loss · paused",
            JobState.DONE: "loss · finished",
            JobState.CLOSED: "loss · stopped and saved",
            JobState.FAILED: "loss · failed",
        }
        plot = self.query_one("#loss", CurvePlot)
        title = words[job.state if job is not None else None]
        if plot.border_title != title:
            plot.border_title = title

    def _draw_curve(self, view: TrainingView) -> None:
        curve = view.curve
        plot = self.query_one("#loss", CurvePlot)
        lines = [Line(1.0, "always answering 0")] if view.recipe.target == "eps" else []
        plot.set_series(
            [
                Series(curve.x, curve.y, "each batch", "muted", kind="band"),
                Series(curve.x, curve.smooth, "smoothed", "accent"),
            ],
            log_y=self.log_axis,
            lines=lines,
        )
        if view.progress is not None and len(curve):
            plot.border_subtitle = f"step {grouped(view.progress.step)} · smoothed {curve.smooth[-1]:.4f}"

    def _draw_strip(self, view: TrainingView | None) -> None:
        strip = view.strip if view is not None else None
        panel = self.query_one("#samples")
        room = self._strip_room(panel.content_size.width, panel.content_size.height)
        if (strip, room) == self._drawn_strip:
            return
        self._drawn_strip = (strip, room)
        self._say("strip-empty", Content("" if strip else "none yet: they come as the network trains"))
        self.query_one("#strip-empty").display = strip is None
        pixels = self.query_one("#strip", PixelView)
        pixels.display = strip is not None
        panel.border_subtitle = ""
        if strip is not None:
            columns, rows = room
            shown = resample(strip.images[: columns * rows], THUMBNAIL, THUMBNAIL)
            pixels.columns = columns
            pixels.show(shown)
            asked = (
                f"asked for {strip.labels[0]} … {strip.labels[len(shown) - 1]}"
                if strip.labels
                else "unconditional"
            )
            panel.border_subtitle = f"step {grouped(strip.step)} · {asked} · same noise each time"

    def _strip_room(self, width: int, height: int) -> tuple[int, int]:
        """How many half-size digits (14×7 cells, one apart) fit: across, and rows of them."""
        across = max(1, (width + 1) // 15)
        return min(across, 5 if across < 10 else 10), max(1, (height + 1) // 8)

    def _say(self, name: str, text: Content) -> None:
        if self._texts.get(name) != text:
            self._texts[name] = text
            self.query_one(f"#{name}", ActionText).update(text)

    def _facts(self, view: TrainingView | None) -> Content:
        recipe = view.recipe if view is not None else self._chosen_recipe()
        if recipe is None:
            return Content("this run's recipe cannot be read")
        choosing = not self.lab.training_is_active()
        if choosing and self.chosen_run is not None:
            source = _choice("o", "resume", self.chosen_run.name, "resume_run(1)", choosing)
        else:
            source = _choice("p", "recipe", recipe.name, "preset(1)", choosing)
        rows = [
            source,
            _choice("b", "length", _length(recipe), "budget(1)", choosing and self.chosen_run is None),
            _row("network", recipe.model),
            _row("predicts", _TARGETS[recipe.target]),
            _row("noise", f"{recipe.schedule}, T = {grouped(recipe.timesteps)}"),
            _row("batch", f"{recipe.batch_size}   lr {recipe.learning_rate:g}"),
        ]
        if choosing and self.resumable and self.chosen_run is None:
            rows.append(_choice("o", "or resume", self.resumable[0].name, "resume_run(1)", True))
        elif view is not None:
            rows.append(_row("weights", f"{grouped(view.parameters)}, {view.precision}"))
        return Content("\n").join(rows)

    def _bar(self, job: Job[TrainingView] | None, view: TrainingView | None) -> Content:
        if job is not None and job.error:
            return Content(f" {job.error}").stylize("$error")
        if view is None or view.progress is None:
            return Content()
        progress = view.progress
        left = progress.seconds_left
        ends = (
            "done" if progress.fraction >= 1 else f"about {duration(left)} left" if left is not None else ""
        )
        rate = grouped(round(progress.images_per_second))
        words = f" {progress.fraction:4.0%}   epoch {progress.epoch:6.2f}   {rate:>7} images/s   {ends:>18} "
        width = max(8, self.size.width - len(words) - 1)
        full = round(width * progress.fraction)
        return Content.from_markup(f" [$accent]{'━' * full}[/][$border]{'━' * (width - full)}[/]") + Content(
            words
        )

    def _status(self, job: Job[TrainingView] | None, view: TrainingView | None) -> Content:
        if job is None:
            return Content()
        progress = view.progress if view is not None else None
        if view is None or progress is None:
            waiting = (
                "loading torch …"
                if self.lab.engine.device is None
                else "preparing the network and the digits …"
            )
            return Content("" if job.state.final else f" {waiting}").stylize("$muted")
        total = f" of {grouped(progress.total_steps)}" if progress.total_steps else ""
        parts = [
            view.run.name,
            f"step {grouped(progress.step)}{total}",
            f"lr {progress.learning_rate:.1e}",
            _saved(job, view),
        ]
        text = Content(" " + " · ".join(parts)).stylize("$muted")
        if job.state is JobState.DONE:
            text += Content.from_markup("   [@click=screen.generate()][b $accent]g[/] draw digits with it[/]")
        return text

    def _invitation(self) -> Content:
        """What the choice is and how to start it, where the loss will be drawn."""
        recipe = self._chosen_recipe()
        if self.chosen_run is not None:
            status = self.chosen_status
            share = f"{status.fraction:.0%} of its way"
            what = f"{self.chosen_run.name} stopped at step {grouped(status.step)}, {share}."
            start = f"go on with {self.chosen_run.name}"
        else:
            what = _NOTES.get(self.preset, "")
            start = f"train [b]{self.preset}[/] for {_length(recipe)}" if recipe is not None else ""
        lines = [Content(line) for line in what.splitlines()]
        lines += [Content(), Content.from_markup(f"Press [b $accent]space[/] to {start}.")]
        if self.lab.engine.device is None and not self.lab.engine.problem:
            lines.append(
                Content("torch is still loading; it starts as soon as that is done").stylize("$muted")
            )
        return Content("\n").join(lines)

    # -- what is chosen

    def _chosen_recipe(self) -> Recipe | None:
        if self.chosen_run is not None:
            return self.chosen_run_recipe
        recipe = self.budgets[self.budget].applied(PRESETS[self.preset])
        return replace(recipe, data=self.lab.data) if self.lab.data else recipe

    def _choose_run(self, run: Run | None) -> None:
        """Choose a run to go on with, or (None) the recipe to begin with."""
        self.chosen_run, self.chosen_run_recipe = run, None
        if run is not None:
            self.chosen_status = run.status()
            with suppress(DifftuiError, ValueError):
                self.chosen_run_recipe = Recipe.from_json(run.recipe_text())
        self._clear_finished()

    def _choose_wanted(self, name: str) -> None:
        """Choose the run that ``--run`` or another screen named, if there is something left to train."""
        try:
            run = find_own_run(name)
        except DifftuiError as error:
            self.notify(str(error), severity="warning", markup=False)
            return
        if run.status().state == "finished":
            self.notify(f"{run.name} is finished. Draw with it on screen 5.", markup=False)
        else:
            self._choose_run(run)

    def _look_for_runs(self) -> None:
        self.resumable = [run for run in list_runs() if run.status().state in ("stopped", "failed")]

    def _clear_finished(self) -> None:
        """A new choice puts the finished training aside: the screen shows what would be started."""
        self.lab.training = None
        self._drawn_version = -1
        plot = self.query_one("#loss", CurvePlot)
        plot.set_series([])
        plot.border_subtitle = ""
        self.query_one("#samples").border_subtitle = ""

    def _start(self, *, paused: bool) -> Job[TrainingView] | None:
        from difftui.engine.training import resume_training, start_training

        if self.chosen_run is not None:
            name = self.chosen_run.name
            work = resume_training(str(self.chosen_run.path), self.lab.data)
        else:
            recipe = self._chosen_recipe()
            if recipe is None:
                return None
            name = unused_name(recipe.name)
            work = start_training(recipe, name)
        self.lab.training = self.lab.engine.submit(name, work, paused=paused)
        self.chosen_run = None
        self._drawn_version = -1
        return self.lab.training


_NOTES = {
    "lab": "The lab sheet's own U-Net and recipe, 257 265 parameters, no label.\n"
    "It draws strokes long before digits: watch its samples, not its loss.",
    "quick": "A small modern network that is told which digit to draw.\n"
    "After a minute on two cores most of its digits can be read.",
}
_TARGETS = {"eps": "the noise ε", "x0": "the clean x₀", "v": "the velocity v"}


def _row(name: str, value: str) -> Content:
    return Content.from_markup(f"  [$muted]{name:<9}[/] ") + Content(value)


def _choice(key: str, name: str, value: str, action: str, active: bool) -> Content:
    if not active:
        return _row(name, value)
    return Content.from_markup(
        f"[@click=screen.{action}][b $accent]{key}[/] [$muted]{name:<9}[/] [b]{value}[/][/]"
    )


def _length(recipe: Recipe) -> str:
    if recipe.minutes is not None:
        return f"{recipe.minutes:g} min"
    return f"{recipe.epochs} epochs" if recipe.epochs is not None else f"{grouped(recipe.steps or 0)} steps"


def _saved(job: Job[TrainingView], view: TrainingView) -> str:
    if job.state in (JobState.DONE, JobState.CLOSED):
        return "saved"
    if view.saved_at is not None:
        return f"saved {duration(time.monotonic() - view.saved_at)} ago"
    step = view.progress.saved_step if view.progress is not None else None
    return "not saved yet" if step is None else f"saved at step {grouped(step)}"


SCREEN = TrainScreen
