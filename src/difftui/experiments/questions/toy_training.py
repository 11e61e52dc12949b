"""Pages: how long the toy network trains on this machine, and how far its loss falls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from difftui.data import bundled, settled
from difftui.errors import DifftuiError
from difftui.experiments.figures import times
from difftui.experiments.page import PENDING, Curve, Curves, Findings, Page, Setup, Table
from difftui.experiments.questions.toy_runs import TOY, ToyRun, held_out_loss, minutes, own_toy, shipped_toy
from difftui.runs import last_loss
from difftui.words import grouped, loss_text

__all__ = ["TOY_LOSS", "TRAINING_TIME", "toy_loss", "training_time"]

Floats = NDArray[np.float64]

MNIST = 60_000  # digits in all of it
NONE_YET = "none yet: difftui train --preset toy"


# Page: how long.

SECONDS = 2.0  # of training that are timed


def training_time(setup: Setup, device: str, *, seconds: float = SECONDS) -> Iterator[Findings]:
    """Train for a moment, and tell from it how long the whole takes; beside it what others took."""
    from difftui.training.pace import measured_pace

    state = _Times(shipped_toy(), own_toy())
    yield state.findings(0.0)
    for pace in measured_pace(TOY, device, seconds):
        if pace.images:
            state.points.append((pace.seconds, pace.images_per_second))
        yield state.findings(min(0.99, pace.seconds / seconds))
    yield state.findings(1.0)


@dataclass(slots=True)
class _Times:
    """What is known of the time so far.

    Attributes:
        shipped, own: trainings that there were.
        points: seconds of training just now, and images a second by then.
    """

    shipped: ToyRun
    own: ToyRun | None
    points: list[tuple[float, float]] = field(default_factory=list)

    def takes(self, images: int) -> float | None:
        """Seconds for so many images at the pace measured."""
        return images / self.points[-1][1] if self.points else None

    def predicted(self, digits: int) -> float | None:
        """Seconds for all epochs of the recipe on so many digits."""
        return self.takes((TOY.epochs or 1) * digits)

    def findings(self, done: float) -> Findings:
        """The page at this point."""
        finished = done == 1.0
        rows = [self._prediction(name, digits) for name, digits in _sets()]
        rows.append(("took: the toy that ships", _steps(self.shipped), minutes(self.shipped.seconds), ""))
        if self.own is None:
            rows.append(("took: yours", "", "none yet", ""))
        else:
            seconds = self.takes(self.own.steps * self.own.recipe.batch_size)
            rows += [
                (f"predicted: {self.own.name}", _steps(self.own), _about(seconds), self._pace(seconds)),
                (f"took: {self.own.name} (yours)", _steps(self.own), minutes(self.own.seconds), ""),
            ]
        return Findings(
            done,
            (self._clock(), self._speed()),
            Table((f"preset toy, {TOY.epochs} epochs", "steps", "time", "images/s"), tuple(rows)),
            self._seen() if finished else "",
            needed=2,
        )

    def _prediction(self, name: str, digits: int) -> tuple[str, ...]:
        steps = (TOY.epochs or 1) * TOY.steps_per_epoch(digits)
        seconds = self.predicted(digits)
        return f"predicted: {name}", grouped(steps), _about(seconds), self._pace(seconds)

    def _pace(self, seconds: float | None) -> str:
        return PENDING if seconds is None else grouped(round(self.points[-1][1]))

    def _clock(self) -> Curves:
        _, digits = _sets()[0]
        steps = (TOY.epochs or 1) * TOY.steps_per_epoch(digits)
        curves = [Curve("ships", self.shipped.clock[0], self.shipped.clock[1] / 60, "foreground")]
        if self.own is not None:
            curves.append(Curve("yours", self.own.clock[0], self.own.clock[1] / 60, "green"))
        seconds = self.predicted(digits)
        if seconds is not None:
            curves.append(Curve("predicted", (0.0, float(steps)), (0.0, seconds / 60), "accent"))
        return Curves("minutes of training, by step", tuple(curves), x_name="step")

    def _speed(self) -> Curves:
        spent, rate = np.array(self.points or [(0.0, np.nan)]).T
        return Curves(
            "images a second, trained just now",
            (Curve("", spent, rate, "accent"),),
            (0.0, max(SECONDS, float(spent[-1]))),
            (0.0, 1.3 * float(rate.max()) if self.points else 1.0),
            x_name="s",
        )

    def _seen(self) -> str:
        name, digits = _sets()[0]
        seconds = self.predicted(digits) or 0.0
        told = f"About {minutes(seconds)} for {TOY.epochs} epochs of {name} at this machine's pace now. "
        if self.own is None:
            return (
                told + f"The toy that ships took {minutes(self.shipped.seconds)} elsewhere; yours: none yet."
            )
        ratio = self.own.seconds / (self.takes(self.own.steps * self.own.recipe.batch_size) or 1.0)
        return told + f"{self.own.name} took {minutes(self.own.seconds)}: {times(ratio)} its prediction."


def _sets() -> list[tuple[str, int]]:
    """Digits that there are to train on: those that Train takes here, first."""
    sets = [("the bundled digits", len(bundled()))]
    return [("all of MNIST", MNIST), *sets] if settled(TOY.data) == TOY.data else sets


def _steps(training: ToyRun) -> str:
    return grouped(training.steps)


def _about(seconds: float | None) -> str:
    return PENDING if seconds is None else f"about {minutes(seconds)}"


# Page: how far the loss falls.


def toy_loss(setup: Setup, device: str) -> Iterator[Findings]:
    """The losses of trainings that there were, and their errors on held-out digits, measured now."""
    trainings = [shipped_toy(), own_toy()]
    held: list[str] = [PENDING, PENDING]
    yield _toy_loss(trainings, held, 0.0)
    from difftui.training.loading import load_model

    for place, training in enumerate(trainings):
        if training is None:
            continue
        try:
            loaded = load_model(training.run.path, device)
        except DifftuiError:
            held[place] = "no weights yet"
            continue
        for share, loss in held_out_loss(loaded, device):
            held[place] = loss_text(loss) if share == 1.0 else PENDING
            yield _toy_loss(trainings, held, 0.45 * (place + share))
    yield _toy_loss(trainings, held, 1.0)


def _toy_loss(trainings: list[ToyRun | None], held: list[str], done: float) -> Findings:
    from difftui.models.toy_unet import TARGET_LOSS

    found = [_losses(training, loss, TARGET_LOSS) for training, loss in zip(trainings, held, strict=True)]
    says = (f"about {TARGET_LOSS}", "", "", f"{TOY.epochs} epochs", "")
    names = (
        "loss, last 100 steps",
        "on held-out digits, measured now",
        f"first below {TARGET_LOSS} at step",
        "of so many steps",
        "loss of always answering 0",
    )
    rows = tuple((name, said, *cells) for name, said, *cells in zip(names, says, *found, strict=True))
    colours = ("foreground", "accent")
    curves = tuple(
        Curve(label, training.history.loss.x, training.history.loss.smooth, colour)
        for label, colour, training in zip(("ships", "yours"), colours, trainings, strict=True)
        if training is not None
    )
    ship, own = found
    seen = ""
    if done == 1.0:
        yours = f"Yours: {own[0]}, held-out {own[1]}." if trainings[1] else f"Yours: {NONE_YET}."
        seen = (
            f"The toy that ships falls below {TARGET_LOSS} at step {ship[2]} and ends at {ship[0]}, held-out "
            f"{ship[1]}. {yours}"
        )
    return Findings(
        done,
        (
            Curves(
                "loss (MSE of ε) by step, smoothed",
                curves,
                y_range=(0.03, 1.0),
                log_y=True,
                lines=((TARGET_LOSS, f"the lab's target {TARGET_LOSS}"),),
                x_name="step",
            ),
        ),
        Table(("preset toy", "the lab says", "ships", "yours"), rows),
        seen,
    )


def _losses(training: ToyRun | None, held: str, target: float) -> tuple[str, ...]:
    """The cells of one training."""
    if training is None:
        return "none yet", "", "", "", ""
    loss = training.history.loss
    below = np.flatnonzero(loss.smooth < target)
    first = grouped(int(loss.x[below[0]])) if len(below) else "never"
    ended = last_loss(training.run.metrics.path)
    return "none yet" if ended is None else loss_text(ended), held, first, grouped(training.steps), "1"


TRAINING_TIME = Page(
    name="time",
    title="How long the toy network trains",
    source="Modules",
    says="8 epochs, 16×16 digits: how long will it take, and how long did it?",
    look="Watch the pace settle. Does your own training keep to the prediction?",
    how="Two seconds of real training steps of the preset toy on bundled digits; images a second times what "
    "8 epochs show. Looks at the network and saving come on top. The others' times are in their files.",
    run=training_time,
    needs_torch=True,
)

TOY_LOSS = Page(
    name="loss",
    title="The toy's loss against its target",
    source="Modules",
    says="a final loss of about 0.05; what is yours?",
    look="Where does each curve cross the target, and how far below does it end?",
    how="The losses that the trainings wrote down: curves as moving averages, the figure as the mean of the "
    "last 100 steps. Held-out: 500 test digits, "
    "digit i noised to t = T (i + 1/2) / 500; mean squared error of ε. E|ε|² is 1 a pixel: the last row.",
    run=toy_loss,
    needs_torch=True,
)
