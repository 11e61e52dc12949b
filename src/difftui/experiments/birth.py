"""Page: ten pictures on the way from noise, by a network that has learnt nothing and by one that has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from difftui.diffusion import starting_noise, transitions
from difftui.experiments.figures import signif
from difftui.experiments.materials import drawn, grain, load_network, nearest_digit, readings
from difftui.experiments.page import PENDING, Findings, Pictures, Setup, Table
from difftui.experiments.walks import walk, way

if TYPE_CHECKING:
    from difftui.training.loading import LoadedModel

__all__ = ["NETWORKS", "birth", "untrained"]

NETWORKS = ("lab", "quick", "conditional", "lecture")
STEPS = 50  # of the networks' 1000 timesteps
SHOWN = 10  # snapshots, as in the guided lab
MEASURED = (0, 3, 6, 8, 9)  # those of them that stand in the table
WAYS = ("untrained", "trained")
Grey = NDArray[np.float32]


def untrained(loaded: LoadedModel, device: str) -> LoadedModel:
    """The same architecture with the weights that a training starts from, always the same ones."""
    import torch

    from difftui import models

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        fresh = models.build(loaded.recipe.model, **loaded.recipe.model_options)
    placed = models.place(fresh.requires_grad_(False).eval(), device)
    return replace(loaded, model=placed, step=0)


def birth(setup: Setup, device: str, *, steps: int = STEPS) -> Iterator[Findings]:
    """DDPM from one x_T with both networks, ten snapshots of each, and what the trained one expects."""
    loaded = load_network(NETWORKS, setup.network, device)
    x_T = starting_noise((setup.seed,), loaded.model.image_shape)  # type: ignore[arg-type]
    state = _Strips(loaded, steps, drawn(x_T)[0])
    yield state.findings(0)
    both = (untrained(loaded, device), loaded)
    walks = [walk(each, "ddpm", x_T, (setup.seed,), steps) for each in both]
    for done, (fresh, learnt) in enumerate(zip(*walks, strict=True), start=1):
        if done - 1 in state.kept:  # the estimate belongs to the x_t that was looked at
            state.expected[state.kept.index(done - 1)] = drawn(learnt.x0_hat)[0]
        if done in state.kept:
            place = state.kept.index(done)
            for name, frame in zip(WAYS, (fresh, learnt), strict=True):
                state.put(name, place, drawn(frame.x)[0])
        yield state.findings(done)


@dataclass(slots=True, init=False)
class _Strips:
    """Both ways, as far as they have come.

    Attributes:
        loaded, steps: the trained network, and the number of steps.
        kept: the steps whose pictures are shown; 0 is the noise at the start.
        pictures: by way, (10, H, W): x_t, paper where there is none yet.
        expected: (10, H, W): x̂0 at each x_t of the trained network; the last is the picture itself.
        distances: by way, to the nearest real digit, of each measured picture; None before it is there.
    """

    loaded: LoadedModel
    steps: int
    kept: list[int]
    pictures: dict[str, Grey]
    expected: Grey
    distances: dict[str, list[float | None]]

    def __init__(self, loaded: LoadedModel, steps: int, noise: Grey) -> None:
        self.loaded, self.steps = loaded, steps
        self.kept = [round(i * steps / (SHOWN - 1)) for i in range(SHOWN)]
        paper = np.full((SHOWN, *noise.shape), -1.0, np.float32)
        self.expected = paper.copy()
        self.pictures = {name: paper.copy() for name in WAYS}
        self.distances = {name: [None] * SHOWN for name in WAYS}
        for name in WAYS:
            self.put(name, 0, noise)

    def put(self, name: str, place: int, image: Grey) -> None:
        """Keep a picture, and measure it where the table has it."""
        self.pictures[name][place] = image
        if place in MEASURED:
            self.distances[name][place] = nearest_digit(image[None])
        if name == WAYS[1] and place == SHOWN - 1:
            self.expected[place] = image

    @property
    def times(self) -> list[int]:
        """The timestep of each picture; -1 at the end."""
        jumps = transitions(self.loaded.schedule.T, self.steps)
        return [jumps[0][0] if step == 0 else jumps[step - 1][1] for step in self.kept]

    def findings(self, done: int) -> Findings:
        """The page after so many steps."""
        captions = tuple("x_0" if t < 0 else str(t) for t in self.times)
        fresh, learnt = (self.pictures[name].copy() for name in WAYS)
        ended = done == self.steps
        return Findings(
            done / self.steps,
            (
                Pictures("trained: x_t, by t", learnt, captions),
                Pictures("untrained, from the same noise: x_t, by t", fresh, captions),
                Pictures("trained: x̂0, what it takes that x_t for", self.expected.copy(), captions),
            ),
            self._table(),
            self._seen() if ended else "",
            more=(("On the way", self._steps_told()),) if ended else (),
        )

    def _table(self) -> Table:
        times = self.times
        head = ("the end" if times[place] < 0 else f"t = {times[place]}" for place in MEASURED)
        signal = (signif(self.loaded.schedule.alpha_bar(times[place]) ** 0.5, 2) for place in MEASURED)
        return Table(
            (way(self.loaded, self.steps), *head),
            (
                ("signal share √ᾱ", *signal),
                *(
                    (f"to a real digit, {name}", *(_told(self.distances[name][place]) for place in MEASURED))
                    for name in WAYS
                ),
            ),
        )

    def _steps_told(self) -> Table:
        """For each snapshot: how far it is from where it ends, and what x̂0 is read as."""
        read = readings(self.expected)
        rows = []
        for place, t in enumerate(self.times):
            away = (
                float(np.linalg.norm(images[place].astype(np.float64) - images[-1]))
                for images in (self.pictures[name] for name in WAYS)
            )
            digit, sure = read[place].argmax(), read[place].max()
            name = "the end" if t < 0 else f"t = {t}"
            rows.append((name, *(signif(each) for each in away), f"{digit}, {sure:.0%}"))
        return Table(("x_t at", "to its end, untrained", "to its end, trained", "x̂0 read as"), tuple(rows))

    def _seen(self) -> str:
        fresh, learnt = (self.pictures[name][-1:] for name in WAYS)
        read = readings(learnt)[0]
        return (
            "One start, as many steps: weights that learnt nothing leave a grain of "
            f"{signif(grain(fresh), 2)} (noise 1.1); trained ones {signif(grain(learnt), 2)}: "
            f"read as {read.argmax()}, "
            f"{read.max():.0%} sure."
        )


def _told(distance: float | None) -> str:
    return PENDING if distance is None else signif(distance)
