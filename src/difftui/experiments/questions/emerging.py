"""Questions 16 and 17: when a digit can be read while it is drawn, and whether that comes bit by bit."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from difftui.diffusion import starting_noise, transitions
from difftui.experiments.figures import decibels
from difftui.experiments.leak import best_guess
from difftui.experiments.materials import drawn, load_network, readings, recognised
from difftui.experiments.page import PENDING, Curve, Curves, Findings, Page, Pictures, Setup, Table
from difftui.experiments.walks import walk, way

if TYPE_CHECKING:
    from difftui.training.loading import LoadedModel

__all__ = ["EMERGING", "GRADUAL", "settled_from"]

NETWORKS = ("quick", "conditional", "lab")
Floats = NDArray[np.float64]
Grey = NDArray[np.float32]
Digits = NDArray[np.intp]
DRAWN, STEPS = 24, 100
READERS = ("estimate, read", "x_t, best guess", "x_t, read")
"""Who tells digits: the recogniser from x̂0, Bayes' rule from x_t, and the recogniser from x_t."""
SHORT = ("estimate", "guess", "x_t")
COLOURS = ("accent", "noise", "foreground")
SHOWN = 6  # pictures of a strip
SINGLE = 3  # pictures of which each has a curve


def settled_from(digits: NDArray[np.integer]) -> NDArray[np.intp]:
    """From which look on each picture is read as in the end, and never otherwise again.

    Args:
        digits: (looks, N) what is read, the finished pictures last.

    Returns:
        (N,) places of looks, the last at the latest.
    """
    other = digits != digits[-1]
    looks = len(digits)
    # The last look that said something else, counted from behind; those that never did settle at once.
    behind = np.argmax(other[::-1], axis=0)
    found: NDArray[np.intp] = np.where(other.any(axis=0), looks - behind, 0)
    return found


@dataclass(slots=True)
class _Way:
    """Many pictures on their way, and what is read at each stop.

    Attributes:
        loaded, steps: the network, and the number of steps.
        times: of the stops, T - 1 first; -1 is the finished picture.
        kept: the stops whose pictures are shown.
        reads_noisy: whether x_t is read too, and not the estimate alone.
        strips: (2, kept, H, W), x_t and x̂0 of the first picture, paper where there are none yet.
        told: what is told at each stop so far, (N,) digits, by the place in :data:`READERS`.
        certainties: (N, 10) readings of x̂0 at each stop so far; the finished pictures come last.
        estimates: (N, H, W) x̂0 at each stop so far, likewise.
    """

    loaded: LoadedModel
    steps: int
    times: tuple[int, ...]
    kept: list[int]
    reads_noisy: bool
    strips: Grey
    told: tuple[list[Digits], ...] = field(default_factory=lambda: tuple([] for _ in READERS))
    certainties: list[Grey] = field(default_factory=list)
    estimates: list[Grey] = field(default_factory=list)

    @property
    def stops(self) -> int:
        """How many there have been."""
        return len(self.estimates)

    @property
    def finished(self) -> bool:
        """Whether the pictures are."""
        return self.stops == len(self.times)

    def take(self, x_t: Grey, x0: Grey) -> None:
        """The pictures at the next stop."""
        place = self.stops
        read = readings(x0)
        # At the end there is as little noise as before, and not none, which no Gaussian has.
        level = self.loaded.schedule.alpha_bar(max(self.times[place], 0))
        self.told[0].append(read.argmax(axis=1))
        if self.reads_noisy:
            self.told[1].append(best_guess(x_t, math.sqrt(level), 1.0 - level))
            self.told[2].append(recognised(x_t))
        self.certainties.append(read)
        self.estimates.append(x0)
        if place in self.kept:
            self.strips[:, self.kept.index(place)] = x_t[0], x0[0]

    def share(self, reader: int) -> Floats:
        """At each stop so far the share of pictures that this reader tells from then on as it does now."""
        settled = settled_from(np.stack(self.told[reader]))
        return np.array([float((settled <= stop).mean()) for stop in range(self.stops)])

    def time_of(self, reader: int, share: float) -> int:
        """The timestep at which it tells that share of them for good."""
        return self.times[int(np.argmax(self.share(reader) >= share))]

    def certainty(self) -> Floats:
        """(stops, N): how probable x̂0 is taken to be the digit that comes of it."""
        told = np.stack(self.certainties)
        ends = told[-1].argmax(axis=1)
        sure: Floats = told[:, np.arange(len(ends)), ends].astype(np.float64)
        return sure

    def to_go(self) -> Floats:
        """At each stop the mean distance of x̂0 to the finished picture, over that of the first x̂0."""
        stack = np.stack(self.estimates).astype(np.float64)
        away = np.sqrt(((stack - stack[-1]) ** 2).sum(axis=(2, 3)))
        left: Floats = (away / away[0]).mean(axis=1)
        return left

    def pictures(self) -> tuple[Pictures, Pictures]:
        """One drawing at some stops: x_t, and what the network takes it for."""
        captions = tuple("the end" if self.times[i] < 0 else f"t = {self.times[i]}" for i in self.kept)
        x_t, x0 = self.strips.copy()
        return Pictures("one drawing: x_t", x_t, captions), Pictures("x̂0, estimated from it", x0, captions)

    def ticks(self) -> tuple[tuple[float, str], ...]:
        """The way goes from left to right, and t falls on it."""
        T = self.loaded.schedule.T
        return ((0.0, f"noise {T - 1}"), (T / 2, f"t = {round(T / 2)}"), (float(T), "picture"))

    def along(self) -> Floats:
        """Where the stops lie: 0 is noise, T the finished picture."""
        return float(self.loaded.schedule.T - 1) - np.asarray(self.times[: self.stops], np.float64)

    def turning(self) -> Floats:
        """(N,) timesteps from the last x̂0 less than :data:`LOW` sure to the last less than :data:`HIGH`."""
        certainty, times = self.certainty(), np.asarray(self.times, np.float64)

        def last_below(limit: float) -> Floats:
            below = certainty < limit
            # A drawing that never is below has turned before its first stop.
            places = np.where(below.any(axis=0), len(times) - 1 - np.argmax(below[::-1], axis=0), 0)
            return times[places]

        return last_below(LOW) - last_below(HIGH)

    def covered(self) -> tuple[float, float, float]:
        """The share of x̂0's way to the finished picture in each third of the time."""
        along, left = self.along(), self.to_go()
        T = float(self.loaded.schedule.T)
        after = [float(np.interp(T * part / 3, along, left)) for part in range(4)]
        return after[0] - after[1], after[1] - after[2], after[2] - after[3]

    def plot(
        self, title: str, curves: tuple[Curve, ...], lines: tuple[tuple[float, str], ...] = ()
    ) -> Curves:
        """Shares from 0 to 1 along the way."""
        T = float(self.loaded.schedule.T)
        return Curves(
            title, curves, (0.0, T), (0.0, 1.0), lines=lines, x_ticks=self.ticks(), x_name="T - 1 - t"
        )

    def snr(self, t: int) -> str:
        """The ratio at a timestep, in decibels."""
        return decibels(float(self.loaded.schedule.snr[t])) if t >= 0 else "no noise"


def _walked(setup: Setup, device: str, count: int, steps: int, *, reads_noisy: bool) -> Iterator[_Way]:
    """DDPM from so many seeds, after each stop."""
    loaded = load_network(NETWORKS, setup.network, device)
    seeds = range(setup.seed, setup.seed + count)
    x_T = starting_noise(seeds, loaded.model.image_shape)  # type: ignore[arg-type]
    jumps = transitions(loaded.schedule.T, steps)
    kept = sorted({round(i * steps / (SHOWN - 1)) for i in range(SHOWN)})
    strips = np.full((2, len(kept), *x_T.shape[2:]), -1.0, np.float32)
    strips[0, 0] = x_T[0, 0].numpy()
    so_far = _Way(loaded, steps, (*(t for t, _ in jumps), -1), kept, reads_noisy, strips)
    yield so_far
    x = drawn(x_T)
    for frame in walk(loaded, "ddpm", x_T, seeds, steps):
        so_far.take(x, drawn(frame.x0_hat))
        x = drawn(frame.x)
        yield so_far
    so_far.take(x, x)
    yield so_far


# Question 16: from which timestep on a digit can be read.


def emerging(setup: Setup, device: str, *, count: int = DRAWN, steps: int = STEPS) -> Iterator[Findings]:
    """Ask the recogniser about x_t and x̂0 at every step: since when has it known what they become?"""
    for so_far in _walked(setup, device, count, steps, reads_noisy=True):
        yield _emerging(so_far, count)


def _emerging(so_far: _Way, count: int) -> Findings:
    finished = so_far.finished

    def told(name: str, what: Callable[[int], str]) -> tuple[str, ...]:
        return name, *(what(reader) if finished else PENDING for reader in range(len(READERS)))

    def at(share: float) -> Callable[[int], str]:
        return lambda reader: f"t = {so_far.time_of(reader, share)}"

    rows = (
        told("half of them told for good from", at(0.5)),
        told("SNR there", lambda reader: so_far.snr(so_far.time_of(reader, 0.5))),
        told("a quarter from", at(0.25)),
        told("three quarters from", at(0.75)),
    )
    seen = ""
    if finished:
        guess, best, _ = (so_far.time_of(reader, 0.5) for reader in range(len(READERS)))
        seen = (
            f"Half of {count} are told for good from x_t at t = {best} ({so_far.snr(best)}), from x̂0 at t = "
            f"{guess} ({so_far.snr(guess)}). Another schedule has another t: compare the SNR."
        )
    curves = tuple(
        Curve(name, so_far.along(), so_far.share(reader), colour)
        for reader, (name, colour) in enumerate(zip(SHORT, COLOURS, strict=True))
        if so_far.stops
    )
    plot = so_far.plot("share told for good", curves, lines=((0.5, ""),))
    return Findings(
        so_far.stops / len(so_far.times),
        (*so_far.pictures(), plot),
        Table((way(so_far.loaded, so_far.steps), *READERS), rows),
        seen,
    )


EMERGING = Page(
    name="emerging",
    title="From which timestep on can the digit be read?",
    source="Modules",
    says="predict the timestep at which the digit becomes recognisable.",
    look="In which picture do you see the digit? And where the network has estimated it?",
    how=f"DDPM from {DRAWN} seeds on a respaced grid. At each step the recogniser, which knows clean digits "
    "only, reads x̂0 and x_t; best guess: the most probable digit behind x_t by Bayes' rule, were 10 000 real "
    "ones all there are. Told for good: as in the end, and never otherwise from there on.",
    run=emerging,
    offers=frozenset({"seed", "network"}),
    networks=NETWORKS,
    needs_torch=True,
)


# Question 17: bit by bit, or at once.

LOW, HIGH = 0.25, 0.75


def gradual(setup: Setup, device: str, *, count: int = DRAWN, steps: int = STEPS) -> Iterator[Findings]:
    """How long it takes one drawing, and all of them, to become readable; and how far x̂0 moves when."""
    for so_far in _walked(setup, device, count, steps, reads_noisy=False):
        yield _gradual(so_far, count)


def _gradual(so_far: _Way, count: int) -> Findings:
    T = so_far.loaded.schedule.T
    found, seen = [PENDING] * 5, ""
    if so_far.finished:
        early, late = (so_far.time_of(0, share) for share in (LOW, HIGH))
        one = float(np.median(so_far.turning()))
        thirds = so_far.covered()
        parts = [f"{share:.0%}" for share in thirds]
        found = [f"{one:.0f} timesteps", f"{early - late} timesteps", *parts]
        seen = (
            f"One drawing turns from {LOW:.0%} to {HIGH:.0%} sure in about {one:.0f} of {T} timesteps, each "
            f"at its own t: all take {early - late}. x̂0 moves all along: {', '.join(parts)} a third."
        )
    curves = tuple(
        Curve(f"drawing {i + 1}", so_far.along(), so_far.certainty()[:, i], colour)
        for i, colour in zip(range(SINGLE), ("accent", "noise", "foreground"), strict=False)
        if so_far.stops
    )
    rows = (
        (f"one estimate: {LOW:.0%} to {HIGH:.0%} sure in", found[0], f"{(HIGH - LOW) * T:.0f}"),
        (f"all {count}: {LOW:.0%} to {HIGH:.0%} of them read in", found[1], f"{(HIGH - LOW) * T:.0f}"),
        *((f"way of it in the {which} third", found[2 + i], "33%") for i, which in enumerate(THIRDS)),
    )
    return Findings(
        so_far.stops / len(so_far.times),
        (so_far.plot("how sure of the digit", curves), *so_far.pictures()[::-1]),
        Table((way(so_far.loaded, so_far.steps), "measured now", "if it were even"), rows),
        seen,
    )


THIRDS = ("first", "middle", "last")

GRADUAL = Page(
    name="gradual",
    title="Does the digit come bit by bit, or at once?",
    source="Modules",
    says="does the digit appear gradually or suddenly?",
    look="Follow one curve: how steep is it? Then all: do they rise at the same t?",
    how=f"As for the question before, x̂0 of {DRAWN} seeds. Sure: the probability of the digit that comes of "
    "it. Read: for good. The way of x̂0: its distance √Σ(a-b)² to the finished picture, from 100% to 0.",
    run=gradual,
    offers=frozenset({"seed", "network"}),
    networks=NETWORKS,
    needs_torch=True,
)
