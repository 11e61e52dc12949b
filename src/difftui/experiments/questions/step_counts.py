"""Questions 19, 22 and 23: more steps and fewer, from the same noise: what they cost and what they bring."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from difftui.diffusion import starting_noise
from difftui.experiments.figures import signif, times
from difftui.experiments.materials import (
    SURE,
    drawn,
    frechet,
    load_network,
    nearest_digit,
    readings,
    real_certainty,
    real_frechet,
    real_nearest,
)
from difftui.experiments.page import PENDING, Curve, Curves, Findings, Page, Pictures, Setup, Table
from difftui.experiments.walks import walk

if TYPE_CHECKING:
    from difftui.training.loading import LoadedModel

__all__ = ["STEPS_50_200", "STEPS_FEWER"]

NETWORKS = ("lab", "quick", "conditional")
Grey = NDArray[np.float32]
DRAWN = 64
SHOWN = 6  # pictures of each row
SAMPLERS = (("ddpm", "DDPM"), ("ddim", "DDIM"))


@dataclass(slots=True)
class _Way:
    """One sampler in so many steps, as far as it has come.

    Attributes:
        sampler, name, steps: which it is.
        pictures: (N, H, W), as they are now.
        made: steps so far.
        spent: seconds that these took.
        sure: in the end, the share that is read with certainty.
        near: median distance to the nearest of 2000 real digits.
        far: Fréchet distance of the recogniser's features to those of 60 000 digits.
    """

    sampler: str
    name: str
    steps: int
    pictures: Grey
    made: int = 0
    spent: float = 0.0
    sure: float | None = None
    near: float = 0.0
    far: float = 0.0

    @property
    def seconds(self) -> float:
        """That one picture took, drawn together with the others."""
        return self.spent / len(self.pictures)

    def measure(self) -> None:
        """Judge the finished pictures."""
        self.near, self.far = nearest_digit(self.pictures), frechet(self.pictures)
        self.sure = float((readings(self.pictures).max(axis=1) > SURE).mean())


@dataclass(frozen=True, slots=True)
class _Race:
    """All ways, and what they are measured by.

    Attributes:
        loaded: the network.
        ways: for each number of steps every sampler.
        floor: Fréchet distance of as many real digits; mean and standard deviation.
    """

    loaded: LoadedModel
    ways: tuple[_Way, ...]
    floor: tuple[float, float]

    @property
    def done(self) -> float:
        """The share of all steps."""
        return sum(way.made for way in self.ways) / sum(way.steps for way in self.ways)

    @property
    def finished(self) -> bool:
        """Whether all are measured."""
        return all(way.sure is not None for way in self.ways)

    def of(self, name: str) -> list[_Way]:
        """What this sampler has finished."""
        return [way for way in self.ways if way.name == name and way.sure is not None]

    def told(self) -> tuple[tuple[str, ...], ...]:
        """A row for each number of steps, and one for real digits."""
        rows = []
        for start in range(0, len(self.ways), len(SAMPLERS)):
            pair = self.ways[start : start + len(SAMPLERS)]
            cells = [
                cell
                for way in pair
                for cell in (
                    (f"{way.sure:.0%}", signif(way.far, 2)) if way.sure is not None else (PENDING,) * 2
                )
            ]
            took = PENDING if pair[0].sure is None else f"{1000 * pair[0].seconds:.1f} ms"
            rows.append((f"{pair[0].steps} steps", took, *cells))
        sure, floor = f"{real_certainty()[1]:.0%}", self.told_floor()
        return (*rows, ("real digits", "", sure, floor, sure, floor))

    def told_floor(self) -> str:
        """The Fréchet distance of real digits: "6.2 ± 1.5"."""
        mean, spread = self.floor
        return f"{mean:.1f} ± {spread:.1f}" if mean < 10.0 else f"{mean:.0f} ± {spread:.0f}"

    def nearest(self) -> Table:
        """What else is known of each way."""
        rows = [
            (f"{way.name}, {way.steps} steps", f"{1000 * way.seconds:.1f} ms", signif(way.near))
            for way in self.ways
            if way.sure is not None
        ]
        rows.append(("real digits", "", signif(real_nearest())))
        return Table(("", "a picture took", "to the nearest real digit"), tuple(rows))

    def findings(self, blocks: tuple[Pictures | Curves, ...], seen: str, needed: int = 1) -> Findings:
        first = f"{self.loaded.name}, {len(self.ways[0].pictures)} each"
        header = (first, "a picture", "DDPM: sure", "Fréchet", "DDIM: sure", "Fréchet")
        return Findings(
            self.done,
            blocks,
            Table(header, self.told()),
            seen,
            more=(("time and pixels", self.nearest()),),
            needed=needed,
        )


def _raced(setup: Setup, device: str, counts: tuple[int, ...], count: int) -> Iterator[_Race]:
    """Every sampler with every number of steps, from the same x_T, after each step.

    The one that is least far on its way goes next: what else this machine does then slows all of them alike.
    """
    loaded = load_network(NETWORKS, setup.network, device)
    seeds = range(setup.seed, setup.seed + count)
    x_T = starting_noise(seeds, loaded.model.image_shape)  # type: ignore[arg-type]
    ways = tuple(_Way(sampler, name, steps, drawn(x_T)) for steps in counts for sampler, name in SAMPLERS)
    race = _Race(loaded, ways, real_frechet(count))
    yield race
    next(walk(loaded, "ddim", x_T, seeds, 1))  # prepares what the others find prepared
    walks = [walk(loaded, way.sampler, x_T, seeds, way.steps) for way in ways]
    while not race.finished:
        place = min(range(len(ways)), key=lambda i: (ways[i].made / ways[i].steps, i))
        way, began = ways[place], perf_counter()
        way.pictures = drawn(next(walks[place]).x)
        way.spent += perf_counter() - began
        way.made += 1
        if way.made == way.steps:
            way.measure()
        yield race


HOW = (
    "From the same noise, by DDPM and DDIM (η = 0) on respaced grids of the network's timesteps. Sure: read "
    "with over 90% certainty. Fréchet: distance of the recogniser's features to those of 60 000 digits; few "
    "pictures make it large, so as many held-out digits stand beside. A time is that of one picture of these."
)


# Question 19: fifty steps against two hundred.

FEW, MANY = 50, 200


def steps_50_200(
    setup: Setup, device: str, *, counts: tuple[int, int] = (FEW, MANY), count: int = DRAWN
) -> Iterator[Findings]:
    """The same starts in fifty steps and in four times as many."""
    for race in _raced(setup, device, counts, count):
        seen = ""
        if race.finished:
            few, many = race.ways[: len(SAMPLERS)], race.ways[len(SAMPLERS) :]
            ratio = sum(way.spent for way in many) / sum(way.spent for way in few)
            fars = [
                f"{a.name} from {signif(a.far, 2)} to {signif(b.far, 2)}"
                for a, b in zip(few, many, strict=True)
            ]
            seen = (
                f"{counts[1]} steps take {times(ratio)} the time of {counts[0]}. The Fréchet distance goes: "
                f"{', '.join(fars)}; real digits {race.told_floor()}."
            )
        blocks = tuple(
            Pictures(f"DDPM, {way.steps} steps", way.pictures[:SHOWN]) for way in race.ways[:: len(SAMPLERS)]
        )
        others = np.concatenate([way.pictures[:SHOWN] for way in race.ways[1 :: len(SAMPLERS)]])
        below = Pictures(f"DDIM, {counts[0]} above, {counts[1]} below", others, columns=len(others) // 2)
        yield race.findings((*blocks, below), seen, needed=2)


STEPS_50_200 = Page(
    name="steps",
    title="Fifty steps against two hundred",
    source="Modules",
    says="draw with 50 steps and with 200: what is the difference?",
    look="Compare picture by picture: each column began with the same noise.",
    how=HOW
    + " The lab's own network draws 16×16, which the recogniser cannot read; so 50 and 200 are of 1000.",
    run=steps_50_200,
    offers=frozenset({"seed", "network"}),
    networks=NETWORKS,
    needs_torch=True,
)


# Questions 22 and 23: 25, 50 and 100 steps, and why fewer are used.

FEWER = (10, 25, 50, 100)
COLOURS = ("foreground", "accent")


def steps_fewer(
    setup: Setup, device: str, *, counts: tuple[int, ...] = FEWER, count: int = DRAWN
) -> Iterator[Findings]:
    """The same starts in ten, 25, 50 and 100 steps: time grows with them, quality soon no more."""
    for race in _raced(setup, device, counts, count):
        yield race.findings(_fewer_blocks(race, counts), _seen_fewer(race))


def _fewer_blocks(race: _Race, counts: tuple[int, ...]) -> tuple[Pictures | Curves, ...]:
    """The first picture of each way, and how far all are from real digits."""
    ddpm, ddim = (
        Pictures(
            f"{name} from one start",
            np.stack([way.pictures[0] for way in race.ways[which :: len(SAMPLERS)]]),
            tuple(f"{steps} steps" for steps in counts),
        )
        for which, (_, name) in enumerate(SAMPLERS)
    )
    return ddpm, _by_steps(race, counts), ddim


def _by_steps(race: _Race, counts: tuple[int, ...]) -> Curves:
    curves = tuple(
        Curve(name, [each.steps for each in race.of(name)], [each.far for each in race.of(name)], colour)
        for (_, name), colour in zip(SAMPLERS, COLOURS, strict=True)
        if race.of(name)
    )
    ticks = tuple((float(steps), str(steps)) for steps in counts)
    return Curves(
        "Fréchet distance by steps",
        curves,
        (0.0, float(counts[-1])),
        log_y=True,
        lines=((race.floor[0], "real digits"),),
        x_ticks=ticks,
        x_name="steps",
    )


def _seen_fewer(race: _Race) -> str:
    if not race.finished:
        return ""
    ddim = race.of("DDIM")
    first, *_, last = ddim
    fars = ", ".join(signif(each.far, 2) for each in ddim)
    steps = ", ".join(str(each.steps) for each in ddim)
    more, longer = times(last.steps / first.steps), times(last.spent / first.spent)
    return (
        f"{more} the steps take {longer} the time. Distance "
        f"of DDIM at {steps} steps: {fars}; of real digits {race.told_floor()}."
    )


STEPS_FEWER = Page(
    name="fewer",
    title="25, 50, 100 steps: what is gained, at what price?",
    source="Modules",
    says="25, 50 and 100 steps; in practice 20 to 50 are made.",
    look="Where does the curve stop falling? The time does not stop rising.",
    how=HOW,
    run=steps_fewer,
    offers=frozenset({"seed", "network"}),
    networks=NETWORKS,
    needs_torch=True,
)
