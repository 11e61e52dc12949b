"""Training, live: start or attach, watch the loss, and see what the network can draw by now."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content

from difftui.engine import Job, JobState
from difftui.engine.handover import Handover, begin_apart, move_apart, resume_apart
from difftui.engine.telemetry import Telemetry
from difftui.engine.watching import Watch
from difftui.errors import DifftuiError
from difftui.runs import Follower, Run, find_run, unused_name
from difftui.state import Choices
from difftui.training.recipe import PRESETS, Recipe
from difftui.ui.panels.device_line import device_line
from difftui.ui.panels.estimate import Estimate, Estimates
from difftui.ui.panels.facts import plan_rows, view_rows
from difftui.ui.panels.invitation import Invitation, key_text
from difftui.ui.panels.loss_plot import Ghost
from difftui.ui.panels.next_keys import next_keys
from difftui.ui.panels.plan import Plan, length_text
from difftui.ui.panels.progress_lines import bar_line, number_line
from difftui.ui.panels.recipe_form import RecipeForm
from difftui.ui.panels.run_list import OPEN, RunEntry, find_entries
from difftui.ui.panels.run_picker import Picked, RunPicker
from difftui.ui.panels.sample_scrubber import SampleScrubber
from difftui.ui.panels.standing import Feed, Standing, standing_of
from difftui.ui.panels.training_curves import TrainingCurves
from difftui.ui.panels.zero_loss import ZeroLoss
from difftui.ui.screens.base import LabScreen
from difftui.ui.widgets.text import ActionText

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from difftui.engine.training import TrainingView

__all__ = ["SCREEN", "TrainScreen"]

MINUTES = (0.5, 1.0, 2.0, 5.0, 15.0, 60.0)
NEWS_SECONDS = 0.5  # curves and running numbers are drawn together, no more often: training needs the time


class TrainScreen(LabScreen):
    """Start, watch, pause, stop, resume, attach to and hand over a training."""

    NAME = "train"

    def __init__(self) -> None:
        super().__init__()
        self.plan = Plan(next(iter(PRESETS.values())))
        self.entries: list[RunEntry] = []
        self.ghost: Ghost | None = None
        self.log_axis = True
        self.estimate = Estimate(None, "")
        self._estimates: Estimates | None = None
        self._considered = self.plan.recipe  # whose speed is measured
        self.handover: Handover | None = None
        self._started: tuple[Recipe, Estimate] | None = None  # what this app started last
        self._zero = ZeroLoss(lambda work: self.run_worker(work, thread=True))
        self._telemetry: Telemetry | None = None
        self._standing: Standing | None = None
        self._drawn: tuple[object, ...] = ()
        self._said_at = 0.0

    # -- composition

    def compose_body(self) -> ComposeResult:
        with Vertical(id="train"):
            yield TrainingCurves(id="upper")
            yield ActionText(id="invitation", classes="panel")
            with Horizontal(id="below"):
                with Vertical(id="samples-panel", classes="panel"):
                    yield SampleScrubber(id="samples")
                yield ActionText(id="facts", classes="panel")
            yield ActionText(id="bar")
            yield ActionText(id="status")
            yield ActionText(id="device")

    def on_mount(self) -> None:
        self.query_one("#invitation").border_title = "train a network to take noise away"
        self.query_one("#facts").border_title = "recipe"
        self.query_one("#samples-panel").border_title = "always from the same noise"

    def remember(self) -> dict[str, object]:
        return {"recipe": self.plan.recipe.to_json(), "keep": self.plan.keep, "log": self.log_axis}

    def recall(self, choices: Choices) -> None:
        self.log_axis = choices.one_of("log", (True, False), self.log_axis)
        keep = choices.one_of("keep", (True, False), self.plan.keep)
        recipe = self.plan.recipe
        with suppress(ValueError, DifftuiError):  # of another version, or damaged
            recipe = replace(Recipe.from_json(choices.text("recipe")), data=recipe.data)
        self.plan = replace(self.plan, recipe=recipe, keep=keep)

    def visit(self, choices: Mapping[str, object]) -> None:
        """Only what is planned changes, and that only while no training is under way."""
        if not self._choosing():
            self.notify("A training is under way: it goes on, and its recipe stays.", markup=False)
            return
        super().visit(choices)
        self._look_around()

    def on_unmount(self) -> None:
        if self._telemetry is not None:
            self._telemetry.stop()

    def on_screen_resume(self) -> None:
        if self.lab.data and self.plan.recipe.data != self.lab.data:
            self.plan = replace(self.plan, recipe=replace(self.plan.recipe, data=self.lab.data))
        self._look_around()
        wanted, self.lab.wanted_run = self.lab.wanted_run, None
        go_on, self.lab.go_on = self.lab.go_on, False
        if wanted is not None:
            self._open_wanted(wanted, go_on=go_on)
        self._drawn = ()

    def idle_actions(self) -> frozenset[str]:
        feed = self.lab.training
        trains = feed is not None and not feed.state.final
        loss = self._curves.loss
        works = {
            "stop": trains,
            "edit": not trains and self.handover is None,
            "scrub": len(self._samples.strips) > 1,
            "zoom": bool(loss.region) and loss.has_curves,
        }
        return super().idle_actions() | {name for name, does in works.items() if not does}

    # -- actions: training

    def action_play(self) -> None:
        """Start what is planned; a training under way pauses or goes on."""
        feed = self.lab.training
        if feed is None or feed.state.final:
            self._start(paused=False)
        elif feed.state is JobState.PAUSED:
            self._ask(feed.resume)
        else:
            self._ask(feed.pause)

    def action_step(self, count: int) -> None:
        """One optimiser step, then hold; also from the start."""
        feed = self.lab.training
        if isinstance(feed, Watch) and not feed.state.final:
            self.notify(
                f"{feed.name} trains in another process, which cannot be stepped. Pause it with space."
            )
            return
        if feed is None or feed.state.final:
            self._start(paused=True)
            feed = self.lab.training
            count += 1  # the first event tells that all is prepared
        if isinstance(feed, Job):
            feed.step(count)

    def action_stop(self) -> None:
        """End the training; it is saved and can be resumed."""
        feed = self.lab.training
        if feed is None or feed.state.final:
            return
        self._ask(feed.close)
        if feed.snapshot is None and isinstance(feed, Job):  # nothing to save yet, and nothing to show
            self._put_aside()

    def action_sample(self) -> None:
        """Draw samples and measure now."""
        feed = self.lab.training
        if feed is not None and not feed.state.final:
            self._ask(lambda: feed.post("sample"))

    def action_keep(self) -> None:
        """Before the start a choice; during it, hand the training over to a process of its own."""
        feed = self.lab.training
        if self.handover is not None:
            return
        if isinstance(feed, Job) and not feed.state.final:
            self.handover = Handover(feed.name, move_apart(feed, self._device(), self.lab.data))
        elif feed is None or feed.state.final:
            self.plan = replace(self.plan, keep=not self.plan.keep)
        else:
            self.notify(f"{feed.name} already trains in a process of its own: leaving does it no harm.")

    def action_go_on(self) -> None:
        """Resume what was interrupted, or attach to what runs."""
        feed = self.lab.training
        if isinstance(feed, Watch) and self._standing in (Standing.STOPPED, Standing.LOST, Standing.FAILED):
            self._resume(feed.run)
        elif (offer := self._offer()) is not None:
            self._open(offer)

    def action_halve(self) -> None:
        """After an end for want of memory, half the batch; after divergence, half the learning rate."""
        recipe = self._recipe_shown()
        if recipe is None or self._standing not in (Standing.NO_MEMORY, Standing.DIVERGED):
            return
        if self._standing is Standing.NO_MEMORY:
            half = self._smaller_batch(recipe)
            if half is None:
                return
            recipe = replace(recipe, batch_size=half)
        else:
            recipe = replace(recipe, learning_rate=recipe.learning_rate / 2)
        self.plan = replace(self.plan, recipe=recipe)
        self._start(paused=False)

    def action_generate(self) -> None:
        """Draw with the weights of the run shown here."""
        feed = self.lab.training
        if feed is not None and feed.snapshot is not None:
            self.lab.wanted_run = feed.snapshot.run.name
        self.lab.action_go("generate")

    # -- actions: what to train

    def action_preset(self, by: int) -> None:
        """Walk through the recipes."""
        if self._choosing():
            names = list(PRESETS)
            at = names.index(self.plan.recipe.name) if self.plan.recipe.name in names else -by
            self._plan_recipe(PRESETS[names[(at + by) % len(names)]])

    def action_budget(self, by: int) -> None:
        """Train for longer or shorter."""
        if self._choosing():
            recipe = self.plan.recipe
            own = PRESETS.get(recipe.name, recipe)
            lengths = [own, *(recipe.with_budget(minutes=m) for m in MINUTES)]
            at = next((i for i, r in enumerate(lengths) if length_text(r) == length_text(recipe)), -by)
            chosen = lengths[(at + by) % len(lengths)]
            self._plan_recipe(
                replace(recipe, epochs=chosen.epochs, steps=chosen.steps, minutes=chosen.minutes)
            )

    def action_edit(self) -> None:
        """The whole recipe as a form."""
        if self._choosing():
            self.lab.push_screen(RecipeForm(self.plan, self._estimate_words), self._take_plan)

    def action_runs(self) -> None:
        """The list of runs."""
        self._look_around()
        self.lab.push_screen(RunPicker(self.entries), self._take_pick)

    def action_aside(self) -> None:
        """Leave what is shown: back to the recipe. What trains elsewhere goes on."""
        feed = self.lab.training
        if feed is not None and (isinstance(feed, Watch) or feed.state.final):
            self._put_aside()

    # -- actions: the view

    def action_log(self) -> None:
        """Logarithmic or linear loss axis."""
        self.log_axis = not self.log_axis
        self._drawn = ()

    def action_zoom(self, steps: int) -> None:
        """Look closer at the curve, or from further away."""
        self._curves.loss.zoom(steps)

    def action_pan(self, share: float) -> None:
        """Move along the curve."""
        self._curves.loss.pan(share / 4)

    def action_all(self) -> None:
        """The whole curve, live."""
        self._curves.loss.show_all()

    def action_scrub(self, by: int) -> None:
        """Samples of an earlier or a later checkpoint."""
        self._samples.scrub(by)

    def action_unpin(self) -> None:
        """Take the pinned curve away."""
        self.ghost = None
        self._drawn = ()

    def on_sample_scrubber_scrubbed(self) -> None:
        self._drawn = ()

    # -- drawing

    def tick(self, now: float) -> None:
        self._attend_handover()
        feed = self.lab.training
        version = feed.version if feed is not None else 0  # before the snapshot: a newer one is drawn later
        view = feed.snapshot if feed is not None else None
        standing = standing_of(feed)
        if standing is not self._standing:
            self._change_standing(standing)
        due = feed is None or now - self._said_at >= NEWS_SECONDS
        if due:
            self._said_at = now
            self._say_all(feed, view, standing, now)
        if feed is None:
            self._measure_pace()
            self.say("invitation", self._invitation(), layout=True)
            return
        if due:
            self._curves.entitle(feed, standing)
        if view is None:
            return
        none = "no samples were kept" if standing.over else "no samples yet: they come as the network trains"
        self._samples.show(view.strips, empty=none)
        zero, chosen = self._zero.of(view.recipe), self._samples.chosen
        key = (feed, version, self.ghost, self.log_axis, chosen, zero)
        if key != self._drawn and (due or standing.over or not self._drawn):
            self._drawn = key
            self._curves.show(
                view, standing, ghost=self.ghost, log_axis=self.log_axis, chosen=chosen, zero=zero
            )

    def _say_all(self, feed: Feed | None, view: TrainingView | None, standing: Standing, now: float) -> None:
        self.say("facts", view_rows(view) if view is not None else plan_rows(self.plan))
        self.say("bar", self._bar(feed, view, standing))
        self.say("status", self._status(view, standing, now))
        self.say("device", self._device_text(feed, standing))

    @property
    def _curves(self) -> TrainingCurves:
        return self.query_one(TrainingCurves)

    @property
    def _samples(self) -> SampleScrubber:
        return self.query_one("#samples", SampleScrubber)

    def _change_standing(self, standing: Standing) -> None:
        for one in Standing:
            self.set_class(one is standing, one.css_class)
        if standing.over or self._standing is None or self._standing.over:
            self._look_around()
        if not standing.over:
            self._read_device()
        self._standing, self._drawn, self._said_at = standing, (), 0.0

    def _bar(self, feed: Feed | None, view: TrainingView | None, standing: Standing) -> Content:
        """How far it is; instead of that, what went wrong and what to press."""
        if self.handover is not None:
            return Content(f" {self.handover.name} moves to a process of its own …").stylize("$accent")
        if feed is not None and (feed.error or feed.held):
            return Content(f" {feed.error or feed.held}").stylize("$error")
        if view is not None and view.progress is not None:
            estimate = self._started[1] if self._started is not None and isinstance(feed, Job) else None
            return bar_line(view.progress, standing, estimate, self.size.width)
        if feed is None or standing.over:
            return Content()
        torch = isinstance(feed, Job) and self.lab.engine.device is None
        waiting = "loading torch …" if torch else "preparing the network and the digits …"
        return Content(f" {waiting}").stylize("$muted")

    def _status(self, view: TrainingView | None, standing: Standing, now: float) -> Content:
        recipe = self._recipe_shown()
        keys = next_keys(
            standing,
            recipe,
            watched=isinstance(self.lab.training, Watch),
            smaller_batch=self._smaller_batch(recipe) if recipe is not None else None,
        )
        if keys.cell_length and standing is not Standing.FINISHED:
            return keys
        if view is None or view.progress is None:
            return Content()
        room = self.size.width - keys.cell_length - 2
        return number_line(view, standing, now, room) + ("  " if keys.cell_length else "") + keys

    def _device_text(self, feed: Feed | None, standing: Standing) -> Content:
        if feed is None or standing.over:
            return Content()
        if isinstance(feed, Watch):
            device = feed.snapshot.about.get("device", "") if feed.snapshot is not None else ""
            line = f" {device} · {feed.who} · goes on without this terminal"
            return Content(line).stylize("$muted")
        stats = self._telemetry.snapshot if self._telemetry is not None else None
        device = self.lab.engine.device
        note = "no GPU" if device is not None and device.torch_device_name == "cpu" else ""
        wide = self.size.width >= 100
        words = "keeps it going" if wide else "keeps it on hang-up"
        before = Content(" · ends when you hang up, " if wide else " · ").stylize("$muted")
        ends: Content = before + key_text("keep", words)
        reading = device_line(stats, self.size.width - ends.cell_length, note)
        return reading + (ends if stats is not None else "")

    def _invitation(self) -> Content:
        """What the choice is and how to start it, where the loss will be drawn."""
        return Invitation(
            recipe=self.plan.recipe,
            startable=self.handover is None,
            estimate=self.estimate.words,
            offer=self._offer(),
            pinned=self.ghost.name if self.ghost is not None else "",
            runs=len(self.entries),
            loading=self.lab.engine.device is None and not self.lab.engine.problem,
        ).text()

    # -- what is planned

    def _choosing(self) -> bool:
        """Whether the recipe may change; a training that is over is put aside then."""
        feed = self.lab.training
        if self.handover is not None or (feed is not None and not feed.state.final):
            return False
        if feed is not None:
            self._put_aside()
        return True

    def _plan_recipe(self, recipe: Recipe) -> None:
        if self.lab.data:
            recipe = replace(recipe, data=self.lab.data)
        self.plan = replace(self.plan, recipe=recipe)
        self._look_around()

    def _take_plan(self, plan: Plan | None) -> None:
        if plan is not None:
            self.plan = plan
        self._look_around()

    def _estimate_words(self, plan: Plan) -> str:
        """For the recipe form, which asks again and again while it is open."""
        self._considered = plan.recipe
        return self._estimated(plan.recipe).words or f"takes {length_text(plan.recipe)}"

    def _estimated(self, recipe: Recipe) -> Estimate:
        if self._estimates is None:
            self._estimates = Estimates(self.lab.engine)
        return self._estimates.of(recipe)

    def _measure_pace(self) -> None:
        """Nothing trains: find out how long what is planned would take, where no run tells."""
        if self._estimates is not None and self._estimates.measure(self._considered):
            self.estimate = self._estimated(self.plan.recipe)

    def _look_around(self) -> None:
        """What there is to go on with, and how long what is planned will take."""
        self.entries = find_entries()
        if self._estimates is not None:
            self._estimates.look_again()
        self._considered = self.plan.recipe
        self.estimate = self._estimated(self.plan.recipe)

    def _offer(self) -> RunEntry | None:
        return next((entry for entry in self.entries if entry.kind in OPEN), None)

    def _recipe_shown(self) -> Recipe | None:
        feed = self.lab.training
        if feed is not None and feed.snapshot is not None:
            return feed.snapshot.recipe
        return self._started[0] if self._started is not None else None

    def _smaller_batch(self, recipe: Recipe) -> int | None:
        suggested = getattr(getattr(self.lab.training, "failure", None), "batch_size", None)
        return suggested if isinstance(suggested, int) else recipe.batch_size // 2 or None

    # -- starting, resuming, attaching

    def _start(self, *, paused: bool) -> None:
        from difftui.engine.training import start_training

        if self.handover is not None:
            return
        recipe = self.plan.recipe
        name = unused_name(recipe.name)
        self._put_aside()
        self._started = recipe, self._estimated(recipe)
        if self.plan.keep or self.plan.devices == "all":
            device = None if self.plan.devices == "all" else self._device()
            self.handover = Handover(name, begin_apart(recipe, name, device))
        else:
            self.lab.training = self.lab.engine.submit(name, start_training(recipe, name), paused=paused)

    def _resume(self, run: Run) -> None:
        from difftui.engine.training import resume_training

        self._put_aside()
        self._started = None
        if self.plan.keep:
            self.handover = Handover(run.name, resume_apart(run, self._device(), self.lab.data))
        else:
            work = resume_training(str(run.path), self.lab.data)
            self.lab.training = self.lab.engine.submit(run.name, work)

    def _show_run(self, run: Run) -> None:
        """Show a run that somebody else trains, or has trained."""
        self._put_aside()
        self._started = None
        self.lab.watch_run(run)

    def _put_aside(self) -> None:
        """The screen shows again what would be started."""
        if self._estimates is not None:
            self._estimates.stop()
        self.lab.stop_watching()
        self.lab.training = None
        self._drawn = ()
        self._curves.blank()
        self._samples.chosen = None
        self._samples.show(())
        self._look_around()

    def _attend_handover(self) -> None:
        handover = self.handover
        if handover is None or (handover.run is None and handover.error is None):
            return
        self.handover = None
        if handover.run is not None:
            started = self._started
            self._show_run(handover.run)
            self._started = started
        else:
            self.notify(str(handover.error), severity="error", timeout=30, markup=False)
            self._look_around()

    def _open_wanted(self, name: str, *, go_on: bool) -> None:
        """Show the run that ``--run`` or another screen named, or go on with it at once."""
        if self.lab.own_training() is not None:
            return
        try:
            run = find_run(name)
        except DifftuiError as error:
            self.notify(str(error), severity="warning", markup=False)
            return
        entry = next((e for e in self.entries if e.run.path.resolve() == run.path.resolve()), None)
        if go_on and entry is not None:
            self._open(entry)
        else:
            self._show_run(run)

    def _open(self, entry: RunEntry) -> None:
        if entry.kind == "interrupted":
            self._resume(entry.run)
        else:
            self._show_run(entry.run)

    def _take_pick(self, picked: Picked | None) -> None:
        if picked is None:
            return
        if picked.verb == "pin":
            self.run_worker(lambda: self._pin(picked.entry.run), thread=True)
        elif (own := self.lab.own_training()) is not None or self.handover is not None:
            name = own.name if own is not None else "A training"
            self.notify(f"{name} trains here. Stop it with x, or hand it over with z, first.", markup=False)
        elif picked.verb == "watch":
            self._show_run(picked.entry.run)
        else:
            self._open(picked.entry)

    def _ask(self, request: Callable[[], object]) -> None:
        """Do what may be refused, and show why."""
        try:
            request()
        except DifftuiError as error:
            self.notify(str(error), severity="error", markup=False)

    def _device(self) -> str | None:
        device = self.lab.engine.device
        return device.torch_device_name if device is not None else "auto"

    # -- what takes a while to read

    def _read_device(self) -> None:
        """From the first training on; a screen on which nothing moves need not know."""
        device = self.lab.engine.device
        if self._telemetry is None and self.lab.own_training() is not None and device is not None:
            self._telemetry = Telemetry()
            self._telemetry.watch(device)
            self._telemetry.start()

    def _pin(self, run: Run) -> None:
        """In a thread: read a run's curves, and lay them beside the live ones."""
        follower = Follower(run)
        try:
            follower.poll()
            while follower.behind:
                follower.poll()
            ghost = Ghost(run.name, Recipe.from_json(run.recipe_text()), follower.history)
        except (DifftuiError, ValueError) as error:
            self.lab.call_from_thread(self.notify, f"{run.name} cannot be pinned: {error}", markup=False)
            return
        self.lab.call_from_thread(self._set_ghost, ghost)

    def _set_ghost(self, ghost: Ghost) -> None:
        self.ghost, self._drawn = ghost, ()
        recipe = self._recipe_shown()
        refusal = ghost.refusal(recipe) if recipe is not None else ""
        if refusal:
            elsewhere = "Errors at equal noise compare: Labs, page 7."
            self.notify(f"{refusal} {elsewhere}", severity="warning", timeout=15, markup=False)


SCREEN = TrainScreen
