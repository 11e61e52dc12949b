"""Training as a job: the core's events, gathered into what a screen shows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from difftui.engine.engine import Workbench
from difftui.runs import Curve, Run, Series, create_run, find_own_run, read_metrics
from difftui.training.recipe import Recipe

if TYPE_CHECKING:
    from torch import nn

    from difftui.data import Digits
    from difftui.training.trainer import Progress, Trainer

__all__ = ["SampleStrip", "TrainingView", "resume_training", "start_training"]

STRIP_STEPS = 12
STRIP_SHARE = 0.025  # of the time may go into the strip of samples
STRIP_SECONDS = 2.0  # and it is drawn no more often than this


@dataclass(frozen=True, slots=True)
class SampleStrip:
    """Pictures drawn from the weights as they were at one step, always from the same noise.

    Attributes:
        step: optimiser steps done when they were drawn.
        images: (n, H, W) float32, about [-1, 1].
        labels: the digits asked for, or None where the network cannot be asked.
        sampler_steps: sampler steps spent on them.
    """

    step: int
    images: NDArray[np.float32]
    labels: tuple[int, ...] | None
    sampler_steps: int


@dataclass(frozen=True, slots=True)
class TrainingView:
    """A training run at one moment.

    Attributes:
        run: where it is kept.
        recipe: what is trained.
        progress: the core's newest event; None while the network and the data are being prepared.
        curve: loss of every step so far (block means for steps of earlier sittings).
        saved_at: ``time.monotonic()`` of the newest save in this sitting, or None.
        strip: newest samples, or None before the first.
        parameters: trainable numbers in the network.
        precision: number format of the network's layers ("fp32" or "bf16").
        images: size of the data set, and ``source`` where it came from.
    """

    run: Run
    recipe: Recipe
    progress: Progress | None
    curve: Curve
    saved_at: float | None
    strip: SampleStrip | None
    parameters: int
    precision: str
    images: int
    source: str


Training = Callable[[Workbench], Iterator[TrainingView | None]]
"""Work for :meth:`Engine.submit`: an event is one optimiser step, but for the first, when all is prepared."""


def start_training(recipe: Recipe, name: str) -> Training:
    """Make a new run called ``name`` and train it.

    Its recipe names the digits that are really used: "bundled" where ``recipe`` says "mnist" and there is no
    more than those.
    """

    def start(bench: Workbench) -> Iterator[TrainingView | None]:
        from difftui.data import load, settled

        settled_recipe = replace(recipe, data=settled(recipe.data))
        digits = load(settled_recipe.data)  # before the run: without digits there is nothing to keep
        run = create_run(name, settled_recipe.to_json())
        return _train(bench, settled_recipe, run, digits, resume=False)

    return start


def resume_training(name: str, data: str | None = None) -> Training:
    """Go on with the user's run called ``name``, or in the directory of that path.

    Args:
        name: as for :func:`difftui.runs.find_own_run`.
        data: where its digits are now; None is where its recipe says.
    """

    def start(bench: Workbench) -> Iterator[TrainingView | None]:
        from difftui.data import load

        run = find_own_run(name)
        recipe = Recipe.from_json(run.recipe_text())
        return _train(bench, recipe, run, load(data or recipe.data), resume=True)

    return start


def _train(
    bench: Workbench, recipe: Recipe, run: Run, digits: Digits, *, resume: bool
) -> Iterator[TrainingView | None]:
    from difftui.models import parameter_count
    from difftui.training.trainer import Session

    session = Session(recipe, run, digits=digits, device=bench.device.torch_device_name)
    series = _earlier_losses(run) if resume else Series()
    parameters = parameter_count(session.trainer.model)
    strips = _Strips(session.trainer)
    saved_at: float | None = None

    def view(progress: Progress | None) -> TrainingView:
        return TrainingView(
            run=run,
            recipe=recipe,
            progress=progress,
            curve=series.view(),
            saved_at=saved_at,
            strip=strips.newest,
            parameters=parameters,
            precision=session.trainer.precision,
            images=len(digits.images),
            source=digits.source,
        )

    bench.live[run.name] = session.trainer
    events = session.events(resume=resume)
    progress: Progress | None = None
    try:
        yield view(None)
        for progress in events:
            first = progress.step - len(progress.losses) + 1
            for offset, loss in enumerate(progress.losses):
                series.append(first + offset, loss)
            if progress.saved_step == progress.step:  # else it is of an earlier event, or an earlier sitting
                saved_at = time.monotonic()
            yield view(progress)
            if strips.due():
                yield from strips.draw()
        saved_at = time.monotonic()  # the core saves before it ends
        yield from strips.draw()
        yield view(progress)
    finally:
        bench.live.pop(run.name, None)
        events.close()


def _earlier_losses(run: Run) -> Series:
    """The curve of earlier sittings, from the run's metrics up to its newest saved state."""
    series = Series()
    last = run.status().step
    for row in read_metrics(run.metrics.path):
        step, loss = row.get("step"), row.get("loss")
        if isinstance(step, int) and isinstance(loss, int | float) and step <= last:
            series.append(step, float(loss))
    return series


class _Strips:
    """Draws the strip of samples now and then, spending a bounded share of the time on it."""

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self.newest: SampleStrip | None = None
        self.labels = tuple(range(10)) if trainer.num_classes is not None else None
        self.seeds = tuple(range(10))
        self._model: nn.Module | None = None
        self._next = time.monotonic() + STRIP_SECONDS

    def due(self) -> bool:
        return time.monotonic() >= self._next

    def draw(self) -> Iterator[None]:
        """Draw, yielding after every sampler step so that nothing else waits for the whole strip."""
        from difftui.diffusion import sample

        spent, began = 0.0, time.perf_counter()
        step, steps = self.trainer.step, min(STRIP_STEPS, self.trainer.schedule.T)
        frames = sample(
            self._current_model(),
            self.trainer.schedule,
            sampler=self.trainer.recipe.sampler,
            steps=steps,
            temperature=self.trainer.recipe.temperature,
            seeds=self.seeds,
            labels=self.labels,
            target=self.trainer.recipe.target,
            clip_x0=True,
        )
        for frame in frames:
            if frame.s < 0:
                images = frame.x[:, 0].cpu().numpy()
                self.newest = SampleStrip(step, images, self.labels, steps)
            spent += time.perf_counter() - began
            yield
            began = time.perf_counter()
        self._next = time.monotonic() + max(STRIP_SECONDS, spent / STRIP_SHARE)

    def _current_model(self) -> nn.Module:
        from difftui.engine.live import sampling_copy

        self._model = sampling_copy(self.trainer, into=self._model)
        return self._model
