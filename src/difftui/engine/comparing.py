"""Comparisons as jobs: pictures drawn side by side, kept step by step so that they can be scrubbed; and the
measurement of many pictures drawn in the same ways.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from difftui.diffusion.comparison import Plan
from difftui.diffusion.race import Way
from difftui.engine.engine import Workbench
from difftui.engine.sampling import network_of
from difftui.errors import DifftuiError

if TYPE_CHECKING:
    from difftui.data import Digits
    from difftui.evaluation.comparison import Figure, Measuring
    from difftui.evaluation.recogniser import Recogniser
    from difftui.training.loading import LoadedModel

__all__ = [
    "ComparisonRequest",
    "ComparisonView",
    "MeasurementView",
    "caption_lines",
    "digits_for_floor",
    "figures_table",
    "moments",
    "recogniser_for",
    "settled",
    "start_comparison",
    "start_measurement",
]

DEFAULT_SAMPLER, DEFAULT_STEPS = "ddim", 25
EVERY_LOOK = 50  # from here on moments lie further apart
GROWTH = 1.02


@dataclass(frozen=True, slots=True)
class ComparisonRequest:
    """What to compare.

    Attributes:
        source: the network, as of :class:`~difftui.engine.sampling.SamplingRequest`.
        view: one of :data:`~difftui.diffusion.comparison.VIEWS`.
        sampler, steps: wherever the view does not vary them; None is DDIM, and 25 steps or all there are.
        seed: of the start.
        label: the class asked for; None leaves it open: a network that learned to go without labels is asked
            for none, another for one that follows from the seed. Networks without classes ignore it.
        guidance: None is what the network's recipe advises.
        temperature: None is what the recipe advises.
    """

    source: str | Path
    view: str = "steps"
    sampler: str | None = None
    steps: int | None = None
    seed: int = 0
    label: int | None = None
    guidance: float | None = None
    temperature: float | None = None


@dataclass(frozen=True, slots=True)
class ComparisonView:
    """A comparison, as far as it has come.

    Attributes:
        request: what was asked.
        plan: the ways, see :class:`~difftui.diffusion.comparison.Plan`.
        name: of the run or checkpoint.
        weights_step: optimiser steps behind the weights; ``live``: whether they are being trained.
        num_classes: the classes it can be asked for, or None.
        guided: whether its training hid labels now and then, so that it can be guided.
        T: timesteps of its schedule.
        temperature: really used.
        figures: what is known of each way.
        apart: of each row of the plan, the mean distance between two of its pictures, or None.
        reference_steps: steps made towards the reference that is none of the ways, of how many; None where
            there is no such.
        unread: why the pictures are not read by the recogniser, or "".
        x: of each way (steps + 1, C, H, W) float16, the pictures from x_T on; as many as ``figures`` says and
            one more are filled. Shared with the engine's thread: do not write.
        beliefs: of each way (steps,), the distance (root mean square) of every clean picture x̂0 that the
            network guessed on the way to the finished reference; None before that is there.
        looks: of each way (steps + 1,), how often the network had been asked for each of those pictures.
    """

    request: ComparisonRequest
    plan: Plan
    name: str
    weights_step: int
    live: bool
    num_classes: int | None
    guided: bool
    T: int
    temperature: float
    figures: tuple[Figure, ...]
    apart: tuple[float | None, ...]
    reference_steps: tuple[int, int] | None
    unread: str
    x: tuple[NDArray[np.float16], ...]
    beliefs: tuple[NDArray[np.float64], ...] | None
    looks: tuple[NDArray[np.int64], ...]

    @property
    def drawn(self) -> bool:
        """Whether all pictures are finished (the reference may not be)."""
        return all(figure.done for figure in self.figures)

    @property
    def done(self) -> bool:
        """Whether nothing more will come."""
        steps = self.reference_steps
        return self.drawn and (steps is None or steps[0] == steps[1])

    @property
    def most_looks(self) -> int:
        """The looks of the costliest way: foreseen until it is finished, then counted."""
        return int(max(looks[-1] for looks in self.looks))

    @property
    def newest(self) -> int:
        """Looks up to which every way's picture is known."""
        behind = [f.looks for f in self.figures if not f.done]
        return min(behind) if behind else self.most_looks

    def index_at(self, way: int, looks: int) -> int:
        """Which of a way's pictures is there when the network has been asked so often for it."""
        known = self.looks[way][: self.figures[way].steps + 1]
        return int(np.searchsorted(known, looks, side="right")) - 1

    def pictures_at(self, looks: int) -> list[NDArray[np.float16]]:
        """Every way's picture after so many looks, each (C, H, W)."""
        return [self.x[way][self.index_at(way, looks)] for way in range(len(self.x))]


@dataclass(frozen=True, slots=True)
class MeasurementView:
    """A measurement, as far as it has come.

    Attributes:
        request: of the comparison that it belongs to.
        plan: the ways that are measured.
        measuring: results so far.
        no_floor: why there is no floor, or "".
    """

    request: ComparisonRequest
    plan: Plan
    measuring: Measuring
    no_floor: str


def moments(most: int) -> tuple[int, ...]:
    """Numbers of looks at which a race is shown: each up to 50, then further and further apart.

    A race of 25 steps against 1000 at an even pace would show the first for an instant, and then the last
    alone for long.
    """
    shown = [0]
    while shown[-1] < most:
        last = shown[-1]
        shown.append(min(most, max(last + 1, round(last * GROWTH) if last >= EVERY_LOOK else 0)))
    return tuple(shown)


def start_comparison(request: ComparisonRequest) -> Callable[[Workbench], Iterator[ComparisonView]]:
    """Work for :meth:`Engine.submit`: draw by ``request``, one sampler step an event.

    It fails with one line where the network cannot do it.
    """

    def start(bench: Workbench) -> Iterator[ComparisonView]:
        return _compare(bench, request)

    return start


def start_measurement(
    request: ComparisonRequest, count: int, data: str | None = None
) -> Callable[[Workbench], Iterator[MeasurementView]]:
    """Work for :meth:`Engine.submit`: measure ``count`` pictures of each way of that comparison.

    Args:
        request: the comparison.
        count: pictures a way.
        data: where full MNIST lies, for the floor; None is what is found.
    """

    def start(bench: Workbench) -> Iterator[MeasurementView]:
        return _measure(bench, request, count, data)

    return start


def _compare(bench: Workbench, request: ComparisonRequest) -> Iterator[ComparisonView]:
    import torch

    from difftui.diffusion.race import starts
    from difftui.diffusion.samplers import looks
    from difftui.evaluation.comparison import Tally, compare

    loaded, live = network_of(bench, request.source)
    what, temperature = settled(loaded, request)
    recogniser, unread = recogniser_for(loaded)
    shape: tuple[int, ...] = tuple(loaded.model.image_shape)  # type: ignore[arg-type]
    x = tuple(np.zeros((way.steps + 1, *shape), np.float16) for way in what.ways)
    seen = tuple(_foreseen(way, looks(way.sampler, way.steps)) for way in what.ways)
    for kept, start in zip(x, starts(what.ways, shape, temperature).numpy(), strict=True):
        kept[0] = start
    guesses = tuple(np.zeros_like(kept[1:]) for kept in x)
    beliefs: tuple[NDArray[np.float64], ...] | None = None
    tally = Tally(what)
    reference = what.reference
    apart_from = reference is not None and reference not in what.ways
    reference_steps = (0, reference.steps) if apart_from and reference is not None else None

    def view() -> ComparisonView:
        return ComparisonView(
            request, what, loaded.name, loaded.step, live, getattr(loaded.model, "num_classes", None),
            loaded.recipe.label_drop > 0, loaded.schedule.T, temperature, tally.figures, tally.apart(),
            reference_steps, unread, x, beliefs, seen,
        )  # fmt: skip

    yield view()
    for event in compare(loaded, what, temperature=temperature, recogniser=recogniser):
        turn = event.turn
        if turn.ways:
            # Together, since each fetch from a GPU waits until it has done all that was asked of it.
            both = torch.stack([turn.frame.x, turn.frame.x0_hat]).cpu().numpy()
            for place, way in enumerate(turn.ways):
                index = tally.figures[way].steps + 1
                x[way][index], guesses[way][index - 1] = both[:, place]
                seen[way][index] = turn.looks
        elif reference_steps is not None:
            reference_steps = (reference_steps[0] + 1, reference_steps[1])
        tally.take(event)
        if turn.done and tally.reference is not None and all(figure.done for figure in tally.figures):
            beliefs = tuple(_distances(guess, tally.reference) for guess in guesses)
        yield view()


def _measure(
    bench: Workbench, request: ComparisonRequest, count: int, data: str | None
) -> Iterator[MeasurementView]:
    from difftui.evaluation.comparison import measure

    loaded, _ = network_of(bench, request.source)
    what, temperature = settled(loaded, request)
    real, no_floor = digits_for_floor(data)
    for measuring in measure(loaded, what, count=count, temperature=temperature, real=real):
        yield MeasurementView(request, what, measuring, no_floor)


def settled(loaded: LoadedModel, request: ComparisonRequest) -> tuple[Plan, float]:
    """The plan of a request for this network, and the temperature.

    Raises:
        DifftuiError: the network cannot do it.
    """
    from difftui.evaluation.comparison import made_plan

    recipe = loaded.recipe
    classes: int | None = getattr(loaded.model, "num_classes", None)
    label = request.label if classes is not None else None
    if classes is not None and label is None and not recipe.label_drop:
        # Its own stream: the label must not hang together with the noise that the seed also gives.
        label = int(np.random.default_rng((request.seed, 2)).integers(classes))
    way = Way(
        sampler=request.sampler or DEFAULT_SAMPLER,
        steps=request.steps or DEFAULT_STEPS,
        seed=request.seed,
        label=label,
        guidance=loaded.guidance(label is not None or request.view == "labels", request.guidance),
    )
    temperature = recipe.temperature if request.temperature is None else request.temperature
    return made_plan(loaded, request.view, way), temperature


def digits_for_floor(data: str | None) -> tuple[Digits | None, str]:
    """MNIST's test digits, for the floor; or None and why in one line."""
    from difftui.data import load

    try:
        folder = data if data is not None and Path(data).is_dir() else None
        return load("mnist", "test", data_dir=folder), ""
    except DifftuiError as error:
        return None, str(error)


def recogniser_for(loaded: LoadedModel) -> tuple[Recogniser | None, str]:
    """What reads the pictures; or None and why in one line."""
    from difftui.evaluation.comparison import why_not_judged
    from difftui.evaluation.recogniser import load_recogniser

    problem = why_not_judged(loaded)
    if problem is not None:
        return None, problem
    try:
        return load_recogniser(), ""
    except DifftuiError as error:
        return None, str(error)


def caption_lines(
    what: Plan, figures: Sequence[Figure], measuring: Measuring | None = None
) -> list[tuple[str, ...]]:
    """What to write under each picture of a sheet: plain ASCII."""
    captions = []
    for index, (name, figure) in enumerate(zip(what.names, figures, strict=True)):
        lines = [name + (" (experiment)" if what.is_experiment(index) else "")]
        lines.append(f"{figure.looks} calls, {figure.seconds:.2f} s")
        if figure.reading is not None:
            lines.append(f"read as {figure.reading.digit} ({figure.reading.probability:.1%})")
        if figure.distance is not None:
            lines.append(f"rms {figure.distance:.3f}")
        result = None if measuring is None else measuring.done[index]
        if result is not None:
            agrees = "" if result.agreement is None else f", {result.agreement:.0%} agree"
            lines.append(f"Frechet {result.frechet:.1f}{agrees}")
        captions.append(tuple(lines))
    return captions


def figures_table(
    what: Plan, figures: Sequence[Figure], measuring: Measuring | None = None
) -> tuple[tuple[str, ...], list[tuple[str | float | None, ...]]]:
    """The figures as a header and a row for each way; None for what is not known."""
    header: tuple[str, ...] = (
        "picture", "sampler", "steps", "calls", "seconds", "reads", "prob", "rms"
    )  # fmt: skip
    rows: list[tuple[str | float | None, ...]] = []
    for name, way, figure in zip(what.names, what.ways, figures, strict=True):
        read = figure.reading
        digit, probability = (None, None) if read is None else (read.digit, read.probability)
        rows.append(
            (name, way.sampler, way.steps, figure.looks, figure.seconds, digit, probability, figure.distance)
        )
    if measuring is None:
        return header, rows
    header += ("frechet", "agree", "sure")
    for index, result in enumerate(measuring.done):
        if result is None:
            rows[index] += (None, None, None)
        else:
            rows[index] += (result.frechet, result.agreement, result.confident)
    return header, rows


def _distances(pictures: NDArray[np.float16], to: NDArray[np.float32]) -> NDArray[np.float64]:
    """Root mean square difference of each picture (n, C, H, W) to one (C, H, W): (n,)."""
    squares = (pictures.astype(np.float32) - to) ** 2
    distances: NDArray[np.float64] = np.sqrt(squares.mean(axis=(1, 2, 3), dtype=np.float64))
    return distances


def _foreseen(way: Way, total: int) -> NDArray[np.int64]:
    """Looks before each picture as they are expected: even, until they have been counted."""
    twice = 1 if way.guidance == 0.0 else 2
    each = total / way.steps
    expected: NDArray[np.int64] = np.ceil(np.arange(way.steps + 1) * each).astype(np.int64) * twice
    expected[-1] = total * twice
    return expected
