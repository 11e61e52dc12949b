"""Training as a job: the core's events, gathered into what a screen shows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from difftui.engine.engine import Workbench
from difftui.engine.job import JobState
from difftui.runs import (
    History,
    HistoryBuilder,
    Run,
    Verb,
    create_run,
    find_own_run,
    look_back,
)
from difftui.training.progress import Hold, Progress, SampleStrip, Validation
from difftui.training.recipe import Recipe

if TYPE_CHECKING:
    from difftui.data import Pictures

__all__ = ["StripAlbum", "Training", "TrainingView", "resume_training", "start_training"]

MOST_STRIPS = 200  # kept in memory; of more, every other one goes


@dataclass(frozen=True, slots=True)
class TrainingView:
    """A training run at one moment, in this process or another.

    Attributes:
        run: where it is kept.
        recipe: what is trained.
        progress: the core's newest event; None while the network and the data are being prepared.
        history: its curves so far.
        saved_at: ``time.monotonic()`` of the newest save that was seen, or None.
        strips: the samples drawn so far, oldest first, thinned where they were many.
        about: facts of this sitting (see :meth:`Run.about`): parameters, precision, images, source, …
    """

    run: Run
    recipe: Recipe
    progress: Progress | None
    history: History
    saved_at: float | None
    strips: tuple[SampleStrip, ...]
    about: Mapping[str, Any]


Training = Callable[[Workbench], Iterator[TrainingView | Hold | None]]
"""Work for :meth:`Engine.submit`: an event is one optimiser step, but for the first, when all is prepared."""


def start_training(recipe: Recipe, name: str) -> Training:
    """Make a new run called ``name`` and train it.

    Its network is built for the pictures, as on the command line. Its recipe names those really used:
    "bundled" where ``recipe`` says "mnist" and there is no more than those.
    """

    def start(bench: Workbench) -> Iterator[TrainingView | Hold | None]:
        from difftui.training.preparing import made_ready

        ready, digits = made_ready(recipe)  # before the run: without digits there is nothing to keep
        run = create_run(name, ready.to_json())
        return _train(bench, ready, run, digits, resume=False)

    return start


def resume_training(name: str, data: str | None = None) -> Training:
    """Go on with the user's run called ``name``, or in the directory of that path.

    Args:
        name: as for :func:`difftui.runs.find_own_run`.
        data: where its digits are now; None is where its recipe says.
    """

    def start(bench: Workbench) -> Iterator[TrainingView | Hold | None]:
        from difftui.data import load_pictures

        run = find_own_run(name)
        recipe = Recipe.from_json(run.recipe_text())
        digits = load_pictures(data or recipe.data, size=recipe.image_size)
        return _train(bench, recipe, run, digits, resume=True)

    return start


def _train(
    bench: Workbench, recipe: Recipe, run: Run, digits: Pictures, *, resume: bool
) -> Iterator[TrainingView | Hold | None]:
    from difftui.training.session import Session

    job = bench.job
    assert job is not None  # the engine hands its bench to a job

    def obey(verb: Verb) -> None:
        {"pause": job.pause, "resume": job.resume, "stop": job.close}.get(verb, lambda: None)()

    session = Session(
        recipe,
        run,
        digits=digits,
        device=bench.device.torch_device_name,
        on_request=obey,
        state=lambda: "paused" if job.state is JobState.PAUSED else "training",
        device_label=bench.device.label,
    )
    album = _Album(run, resume=resume)
    bench.live[run.name] = session.trainer
    events = session.events(resume=resume)
    try:
        yield album.view(recipe, None)
        for event in events:
            if "sample" in job.posts():
                session.ask_for_samples()
            if isinstance(event, Progress):
                album.add(event)
                yield album.view(recipe, event)
            else:
                yield event
    finally:
        bench.live.pop(run.name, None)
        events.close()
        if session.farewell is not None:
            album.add(session.farewell)
            job.publish(album.view(recipe, session.farewell))


class _Album:
    """Gathers a training's events into views."""

    def __init__(self, run: Run, *, resume: bool) -> None:
        self.run = run
        self.history, earlier = look_back(run, run.status().step) if resume else (HistoryBuilder(), ())
        self.strips = StripAlbum(SampleStrip(strip.step, strip.images, None, None) for strip in earlier)
        self._about: Mapping[str, Any] = {}
        self._saved_at: float | None = None
        self._saved_step = self._strip_step = self._validated_step = -1

    def add(self, progress: Progress) -> None:
        """Take in what the event brings."""
        if not self._about:
            self._about = self.run.about()  # the session wrote it before its first event
        if progress.losses:
            first = progress.step - len(progress.losses) + 1
            self.history.add_losses(first, progress.losses)
            self.history.add_row(
                {
                    "step": progress.step,
                    "grad": progress.gradient_norm,
                    "lr": progress.learning_rate,
                    "rate": progress.images_per_second,
                }
            )
        measured, strip = progress.validation, progress.strip
        if measured is not None and measured.step != self._validated_step:
            self._validated_step = measured.step
            self.history.add_row(_validation_row(measured))
        if strip is not None and strip.step != self._strip_step:
            self._strip_step = strip.step
            self.strips.add(strip)
        if progress.saved_step is not None and progress.saved_step != self._saved_step:
            if progress.saved_step == progress.step:  # else it is of an earlier sitting
                self._saved_at = time.monotonic()
            self._saved_step = progress.saved_step

    def view(self, recipe: Recipe, progress: Progress | None) -> TrainingView:
        return TrainingView(
            run=self.run,
            recipe=recipe,
            progress=progress,
            history=self.history.view(),
            saved_at=self._saved_at,
            strips=self.strips.all,
            about=self._about,
        )


class StripAlbum:
    """Strips of samples in the order of their steps; of too many, every other older one goes.

    Attributes:
        all: what is kept, oldest first.
    """

    def __init__(self, earlier: Iterable[SampleStrip] = ()) -> None:
        self.all = tuple(earlier)

    def add(self, strip: SampleStrip) -> None:
        """Keep one more; one of the same step is replaced."""
        kept = tuple(s for s in self.all if s.step < strip.step)
        if len(kept) >= MOST_STRIPS:
            kept = kept[:1] + kept[2::2]  # the first stays, for it shows where all began
        self.all = (*kept, strip)


def _validation_row(measured: Validation) -> dict[str, Any]:
    return {"step": measured.step, "validation": measured.loss, "bins": list(measured.by_timestep)}
