"""Pictures drawn in several ways, and what can honestly be said of each.

Of one picture: what it cost, how a recogniser reads it, how far it lies from another. None of that is
quality. Quality is a matter of many pictures, and :func:`measure` draws them.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from difftui.data import COLLECTIONS, Digits
from difftui.diffusion.comparison import Plan, plan
from difftui.diffusion.race import Turn, Way, race
from difftui.diffusion.samplers import looks
from difftui.errors import DifftuiError
from difftui.evaluation.frechet import Statistics
from difftui.evaluation.recogniser import Recogniser, judge, load_recogniser
from difftui.evaluation.report import matched_draws, random_draws, real_floor, reference_statistics, report
from difftui.models.side_by_side import side_by_side
from difftui.training.loading import LoadedModel

__all__ = [
    "Compared",
    "Figure",
    "Floor",
    "Measured",
    "Measuring",
    "Reading",
    "Tally",
    "compare",
    "made_plan",
    "measure",
    "rms",
    "why_not_judged",
]

BATCH = 64  # pictures measured together: half a second of a slow CPU at most before others have their turn


@dataclass(frozen=True, slots=True)
class Reading:
    """What the recogniser reads in a picture: the most probable digit, and its probability. Not its quality:
    blobs and noise can be read with certainty.
    """

    digit: int
    probability: float


@dataclass(frozen=True, eq=False, slots=True)
class Compared:
    """One step of a comparison.

    Attributes:
        turn: whose, and what came of it; ``turn.ways`` is () for the reference that is none of the ways.
        readings: of the finished pictures, one each; None before, or where no recogniser can read them.
    """

    turn: Turn
    readings: tuple[Reading, ...] | None


@dataclass(frozen=True, slots=True)
class Figure:
    """What is known of one way's picture.

    Attributes:
        steps: sampler steps made.
        looks: how often the network was asked.
        seconds: that it has taken, with the others of its batch.
        done: whether it is finished.
        reading: of the finished picture, or None.
        distance: root mean square difference of pixels (of [-1, 1]) to the reference; None before both are
            finished, or without a reference.
    """

    steps: int = 0
    looks: int = 0
    seconds: float = 0.0
    done: bool = False
    reading: Reading | None = None
    distance: float | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """Many pictures drawn in one way.

    Attributes:
        samples: how many.
        frechet: Fréchet distance of the recogniser's features to those of 60 000 real digits.
        agreement: share read as the digit asked for; None where none was asked.
        confident: share read with a probability above 0.9.
        seconds: that drawing them took.
    """

    samples: int
    frechet: float
    agreement: float | None
    confident: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Floor:
    """The Fréchet distance of as many real digits as were drawn: mean and spread over the draws."""

    mean: float
    spread: float
    samples: int


@dataclass(frozen=True, slots=True)
class Measuring:
    """A measurement under way.

    Attributes:
        count: pictures a way.
        done: of each way of the plan, or None before it is measured.
        current: the way at work, or None when all are measured.
        fraction: of the whole, 0 to 1, by how often the network is asked.
        floor: None where the real digits for it are not on this machine.
    """

    count: int
    done: tuple[Measured | None, ...]
    current: int | None
    fraction: float
    floor: Floor | None


def why_not_judged(loaded: LoadedModel) -> str | None:
    """Why the recogniser cannot judge what this network draws, in one line; None where it can."""
    shape, data = _shape(loaded), loaded.recipe.data
    if shape != (1, 28, 28):
        return (
            f"the recogniser judges grey digits of 28x28, and {loaded.name} draws {shape[1]}x{shape[2]}"
            f"{'' if shape[0] == 1 else ' in colour'}: it cannot be judged."
        )
    if data in COLLECTIONS:
        return f"the recogniser knows digits, and {loaded.name} learned {data}: not comparable."
    return None


def made_plan(loaded: LoadedModel, view: str, way: Way) -> Plan:
    """The comparison of this name for this network.

    Args:
        loaded: the network.
        view: one of :data:`~difftui.diffusion.comparison.VIEWS`.
        way: what the view does not vary.

    Raises:
        DifftuiError: the network cannot do it; one line that says why, and what to do.
    """
    classes = _classes(loaded)
    if getattr(loaded.model, "one_shot", False):
        raise DifftuiError(
            f"{loaded.name} cleans a picture in one look, and samplers have no steps to make with it. "
            "Choose another network."
        )
    if classes is None and view in ("labels", "guidance"):
        asked = "asked for one" if view == "labels" else "guided towards one"
        raise DifftuiError(
            f"{loaded.name} was trained without labels and cannot be {asked}. "
            "Choose a network that knows labels, such as quick or conditional."
        )
    if way.label is not None:
        if classes is None:
            raise DifftuiError(f"{loaded.name} was trained without labels: it draws what it likes.")
        if not 0 <= way.label < classes:
            raise DifftuiError(f"{loaded.name} knows the labels 0 to {classes - 1}, not {way.label}.")
    if view == "guidance":
        loaded.guidance(True, 1.0)  # tells where the training hid no labels
        if way.label is None:
            raise DifftuiError("guidance leads towards a label: ask for one (--label, or d on the screen).")
    return plan(view, loaded.schedule.T, way, labels=classes)


def compare(
    loaded: LoadedModel, what: Plan, *, temperature: float, recogniser: Recogniser | None = None
) -> Generator[Compared, None, None]:
    """Draw a plan's pictures, and then its reference where that is none of them: a step an event.

    Args:
        loaded: the network.
        what: the plan, see :func:`made_plan`.
        temperature: standard deviation of all noise.
        recogniser: reads the finished pictures; None leaves them unread.

    Raises:
        ValueError: at the call, where the network cannot do it.
    """
    rounds = [_race(loaded, what.ways, temperature)]
    if what.reference is not None and what.reference not in what.ways:
        rounds.append(_race(loaded, (what.reference,), temperature))
    return _compared(rounds, recogniser)


def _compared(
    rounds: list[Generator[Turn, None, None]], recogniser: Recogniser | None
) -> Generator[Compared, None, None]:
    for number, turns in enumerate(rounds):
        for turn in turns:
            if number:
                turn = Turn((), turn.frame, turn.looks, turn.seconds)
            readings = _read(recogniser, turn.frame.x) if turn.done and recogniser is not None else None
            yield Compared(turn, readings)


class Tally:
    """Takes in the events of :func:`compare` and tells what is known so far.

    Attributes:
        plan: what is compared.
        figures: what is known of each way.
    """

    def __init__(self, what: Plan) -> None:
        self.plan = what
        self.figures = (Figure(),) * len(what.ways)
        self._pictures: dict[int | None, NDArray[np.float32]] = {}  # the finished ones; None: the reference
        at = what.ways.index(what.reference) if what.reference in what.ways else None
        self._reference_at = at

    def take(self, event: Compared) -> None:
        """One more event."""
        turn, figures = event.turn, list(self.figures)
        pictures = turn.frame.x.cpu().numpy() if turn.done else None
        for place, way in enumerate(turn.ways):
            reading = None if event.readings is None else event.readings[place]
            figures[way] = Figure(figures[way].steps + 1, turn.looks, turn.seconds, turn.done, reading)
            if pictures is not None:
                self._pictures[way] = pictures[place]
        if not turn.ways and pictures is not None:
            self._pictures[None] = pictures[0]
        self.figures = tuple(figures)
        if turn.done:
            self._tell_distances()

    @property
    def reference(self) -> NDArray[np.float32] | None:
        """The finished reference, (C, H, W), or None before, or where there is none."""
        known = self.plan.reference is not None
        return self._pictures.get(self._reference_at) if known else None

    def pictures(self) -> NDArray[np.float32]:
        """The pictures of all ways, (N, C, H, W), when all are finished."""
        return np.stack([self._pictures[way] for way in range(len(self.plan.ways))])

    def apart(self) -> tuple[float | None, ...]:
        """For each of the plan's rows the mean distance between two of its pictures; None before the end."""
        return tuple(_spread([self._pictures.get(way) for way in row]) for row in self.plan.rows)

    def _tell_distances(self) -> None:
        reference = self.reference
        if reference is not None:
            self.figures = tuple(
                replace(figure, distance=rms(self._pictures[way], reference)) if figure.done else figure
                for way, figure in enumerate(self.figures)
            )


def rms(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """Root mean square difference of two pictures, in units of their pixels."""
    return float(np.sqrt(np.mean((a.astype(np.float64) - b) ** 2)))


def measure(
    loaded: LoadedModel,
    what: Plan,
    *,
    count: int,
    temperature: float,
    real: Digits | None,
    recogniser: Recogniser | None = None,
) -> Generator[Measuring, None, None]:
    """Draw ``count`` pictures in each of a plan's ways and measure them, the cheapest way first.

    Picture i has seed i, and label i mod the number of classes where the network knows labels: the plan's
    seed and label are left aside, for the Fréchet distance is one to digits of all kinds.

    Args:
        loaded: the network.
        what: a plan that is ``measurable``.
        count: pictures a way, 2 or more.
        temperature: standard deviation of all noise.
        real: digits that the reference has not seen (MNIST's test set), for the floor; None leaves it out.
        recogniser: whose features; None is the shipped one.

    Yields:
        An event for each sampler step, and one with each result.

    Raises:
        DifftuiError: at the call, where pictures of this network or plan cannot be measured.
    """
    problem = why_not_judged(loaded)
    if problem is not None:
        raise DifftuiError(problem)
    if not what.measurable:
        raise DifftuiError(f"the {what.view} view asks about single pictures: there is nothing to measure.")
    if count < 2:
        raise DifftuiError(f"a Fréchet distance needs 2 pictures or more, not {count}.")
    return _measured(loaded, what, count, temperature, real, recogniser or load_recogniser())


def _measured(
    loaded: LoadedModel,
    what: Plan,
    count: int,
    temperature: float,
    real: Digits | None,
    recogniser: Recogniser,
) -> Generator[Measuring, None, None]:
    classes = _classes(loaded)
    labels = None if classes is None else [index % classes for index in range(count)]
    reference = reference_statistics()
    floor = None if real is None else _floor(recogniser, reference, real, count, labels)
    costs = [_cost(way) for way in what.ways]
    done: list[Measured | None] = [None] * len(what.ways)
    spent = 0
    for current in sorted(range(len(what.ways)), key=lambda index: costs[index]):
        pictures: list[Tensor] = []
        seconds = 0.0
        for share, took, finished in _drawn(loaded, what.ways[current], count, labels, temperature):
            pictures += finished
            seconds += took
            fraction = (spent + share * costs[current]) / sum(costs)
            yield Measuring(count, tuple(done), current, fraction, floor)
        judged = report(torch.cat(pictures), labels, recogniser=recogniser, reference=reference)
        done[current] = Measured(count, judged.frechet, judged.agreement, judged.confident, seconds)
        spent += costs[current]
        yield Measuring(count, tuple(done), current if None in done else None, spent / sum(costs), floor)


def _drawn(
    loaded: LoadedModel, way: Way, count: int, labels: list[int] | None, temperature: float
) -> Generator[tuple[float, float, list[Tensor]], None, None]:
    """After each step: the share done, the step's seconds, and the pictures that it finished, on the CPU."""
    batches = [range(start, min(start + BATCH, count)) for start in range(0, count, BATCH)]
    for number, batch in enumerate(batches):
        frames = loaded.sample(
            batch,
            None if labels is None else [labels[index] for index in batch],
            sampler=way.sampler,
            steps=way.steps,
            temperature=temperature,
            guidance=way.guidance,
            eta=way.eta,
        )
        for index in range(1, way.steps + 1):
            began = time.perf_counter()
            frame = next(frames)
            finished = [frame.x.cpu()] if frame.s < 0 else []
            yield (number + index / way.steps) / len(batches), time.perf_counter() - began, finished


def _floor(
    recogniser: Recogniser, reference: Statistics, real: Digits, count: int, labels: list[int] | None
) -> Floor:
    available = real.labels
    draws = random_draws(len(real), count) if labels is None else matched_draws(available, np.array(labels))
    return Floor(*real_floor(recogniser, reference, real.images, draws), count)


def _cost(way: Way) -> int:
    """How often the network is asked, where nothing has been counted yet."""
    return looks(way.sampler, way.steps) * (1 if way.guidance == 0.0 else 2)


def _race(loaded: LoadedModel, ways: Sequence[Way], temperature: float) -> Generator[Turn, None, None]:
    return race(
        side_by_side(loaded.model),
        loaded.schedule,
        ways,
        target=loaded.recipe.target,
        temperature=temperature,
        shape=_shape(loaded),
        device=next(loaded.model.parameters()).device,
    )


def _read(recogniser: Recogniser, pictures: Tensor) -> tuple[Reading, ...]:
    _, probabilities = judge(recogniser, pictures.cpu().clamp(-1, 1))
    best, digits = probabilities.max(dim=1)
    return tuple(
        Reading(int(digit), float(probability)) for digit, probability in zip(digits, best, strict=True)
    )


def _spread(pictures: Sequence[NDArray[np.float32] | None]) -> float | None:
    """The mean distance between two of them, or None while one is not there."""
    there = [picture for picture in pictures if picture is not None]
    if len(there) < len(pictures) or len(there) < 2:
        return None
    pairs = [rms(a, b) for index, a in enumerate(there) for b in there[:index]]
    return float(np.mean(pairs))


def _shape(loaded: LoadedModel) -> tuple[int, int, int]:
    shape: tuple[int, int, int] = tuple(loaded.model.image_shape)  # type: ignore[arg-type]
    return shape


def _classes(loaded: LoadedModel) -> int | None:
    classes: int | None = getattr(loaded.model, "num_classes", None)
    return classes
