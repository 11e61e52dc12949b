"""Watching a training that another process runs, here or on another node, through its files alone."""

from __future__ import annotations

import threading
import time

from difftui.engine.job import JobState
from difftui.engine.training import TrainingView
from difftui.errors import DifftuiError
from difftui.runs import Follower, LifeSign, Run, Strip, Verb, ask
from difftui.training.progress import Progress, SampleStrip, Validation
from difftui.training.recipe import Recipe

__all__ = ["Watch"]

POLL_SECONDS = 0.5
QUIET_SECONDS = 2.0  # between polls of a run that nobody trains


class Watch:
    """Looks at a run's files now and then, in a thread of its own, and publishes what it sees as a job does.

    It reads as :class:`~difftui.engine.job.Job`: ``snapshot`` is the newest view, ``version`` grows with
    every new one. Pausing, resuming and stopping are requests to whoever trains the run; what becomes of them
    is seen when it happens. It needs no torch, and a file system that hangs stops this thread alone.

    Attributes:
        run: which.
        name: its name.
        snapshot: newest view; None before the first look.
        version: grows by one just after every new snapshot.
        state: RUNNING or PAUSED while somebody trains it; DONE, CLOSED or FAILED as it ended.
        error: one line when it failed or cannot be watched.
        held: one line when it cannot go on and waits, such as for room on its disk; else None.
        life: the newest sign of life.
        who: who trains it, in words, or empty.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.name = run.name
        self.snapshot: TrainingView | None = None
        self.version = 0
        self.state = JobState.WAITING
        self.error: str | None = None
        self.held: str | None = None
        self.life = LifeSign("not running", None)
        self.who = ""
        self._recipe: Recipe | None = None
        self._strips: dict[int, SampleStrip] = {}
        self._saved_step = -1
        self._saved_at: float | None = None
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, name=f"watches {run.name}", daemon=True)

    def start(self) -> Watch:
        """Begin to look."""
        self._thread.start()
        return self

    def leave(self) -> None:
        """Look no more. The training goes on."""
        self._end.set()

    def pause(self) -> None:
        """Ask the training to pause. This and its like raise DifftuiError where it is not ours to ask."""
        self._ask("pause")

    def resume(self) -> None:
        """Ask it to go on."""
        self._ask("resume")

    def close(self) -> None:
        """Ask it to stop and save."""
        self._ask("stop")

    def post(self, word: str) -> None:
        """Ask it for samples ("sample")."""
        if word == "sample":
            self._ask("sample")

    def _ask(self, verb: Verb) -> None:
        ask(self.run, verb)

    def _watch(self) -> None:
        follower = Follower(self.run)
        while not self._end.is_set():
            try:
                changed = follower.poll()
                self._look(follower, changed or self.snapshot is None)
            except (DifftuiError, ValueError, OSError) as error:
                self.error = f"{self.name} cannot be watched: {error}"
                self.state = JobState.FAILED
            if not follower.behind:
                self._end.wait(POLL_SECONDS if self.life.state == "alive" else QUIET_SECONDS)

    def _look(self, follower: Follower, changed: bool) -> None:
        """Publish what the follower saw."""
        if self._recipe is None:
            self._recipe = Recipe.from_json(self.run.recipe_text())
        self.life = follower.life
        holder = follower.holder
        self.who = holder.who if holder is not None else ""
        alive = self.life.state == "alive"
        self.held = holder.held or None if holder is not None and alive else None
        if changed:
            self.snapshot = self._view(follower, self._recipe)
            self.version += 1
        self.error = follower.status.message or "it failed" if follower.status.state == "failed" else None
        self.state = self._state_of(follower)

    def _state_of(self, follower: Follower) -> JobState:
        if follower.life.state == "alive":
            holder = follower.holder
            waits = holder is not None and (holder.state == "paused" or holder.held)
            return JobState.PAUSED if waits else JobState.RUNNING
        ended = {"finished": JobState.DONE, "failed": JobState.FAILED}
        return ended.get(follower.status.state, JobState.CLOSED)

    def _view(self, follower: Follower, recipe: Recipe) -> TrainingView:
        status = follower.status
        if status.step != self._saved_step:
            if self._saved_step >= 0:  # at the first look it is not known when that was
                self._saved_at = time.monotonic()
            self._saved_step = status.step
        self._strips = {s.step: self._strips.get(s.step) or _strip(s) for s in follower.strips}
        strips = tuple(self._strips.values())
        return TrainingView(
            run=self.run,
            recipe=recipe,
            progress=_progress(recipe, follower, strips[-1] if strips else None),
            history=follower.history,
            saved_at=self._saved_at,
            strips=strips,
            about=follower.about,
        )


def _progress(recipe: Recipe, follower: Follower, strip: SampleStrip | None) -> Progress | None:
    """What the curves and the newest save tell; None before there is any loss."""
    history = follower.history
    if not len(history.loss):
        return None
    step, images = int(history.loss.x[-1]), follower.about.get("images")
    known = images if isinstance(images, int) and images > 0 else None
    total = recipe.steps if known is None else recipe.total_steps(known)
    if total is not None:
        fraction = step / total
    elif recipe.minutes is not None:
        fraction = history.seconds / (60 * recipe.minutes)
    else:  # epochs over a data set of unknown size
        fraction = follower.status.fraction
    measured = None
    if history.by_timestep is not None and len(history.validation):
        loss = float(history.validation.y[-1])
        measured = Validation(history.by_timestep_step, loss, history.by_timestep)
    return Progress(
        step=step,
        total_steps=total,
        epoch=step / recipe.steps_per_epoch(known) if known else 0.0,
        fraction=min(1.0, fraction),
        images=step * recipe.batch_size,
        seconds=history.seconds,
        losses=(),
        images_per_second=follower.last_row.get("rate", 0.0),
        seconds_left=follower.last_row.get("left"),
        learning_rate=follower.last_row.get("lr", 0.0),
        gradient_norm=follower.last_row.get("grad"),
        saved_step=follower.status.step or None,
        validation=measured,
        strip=strip,
    )


def _strip(strip: Strip) -> SampleStrip:
    return SampleStrip(strip.step, strip.images, None, None)
