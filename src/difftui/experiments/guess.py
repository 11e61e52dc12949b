"""The game: which digit was this, at t = T? Answers better than chance show that the schedule leaks."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from difftui.data import held_out
from difftui.diffusion import NoiseSchedule, add_noise
from difftui.experiments.leak import best_guess
from difftui.experiments.materials import clean, recognised
from difftui.experiments.schedules import NAMED, named

__all__ = ["TRIALS", "Game", "Judged", "at_least", "judge_game", "new_game"]

Floats = NDArray[np.float64]
TRIALS = 20


@dataclass(frozen=True, eq=False)
class Game:
    """Twenty noised digits and the answers so far.

    Attributes:
        name: of the schedule, one of :data:`~difftui.experiments.schedules.NAMED`.
        seed: of digits and noise.
        labels: (20,) the true digits; each of the ten is as likely, so blind answers are right by 1 in 10.
        looks: how many x_T of each digit are added up, each with its own noise.
        originals: (20, 28, 28) in [-1, 1].
        pictures: (20, 28, 28): the sum of the looks over √looks, which keeps the noise at its size.
        answers: of the first trials.
    """

    name: str
    seed: int
    looks: int
    labels: NDArray[np.intp]
    originals: Floats
    pictures: Floats
    answers: tuple[int, ...] = ()

    @cached_property
    def schedule(self) -> NoiseSchedule:
        """Of the noise."""
        return named(self.name)

    @property
    def signal(self) -> float:
        """How much of a digit is in its picture: √(looks · ᾱ_T)."""
        return math.sqrt(self.looks * float(self.schedule.alpha_bars[-1]))

    @property
    def over(self) -> bool:
        """Whether all are answered."""
        return len(self.answers) == len(self.labels)

    @property
    def right(self) -> int:
        """Right answers so far."""
        return sum(int(answer == label) for answer, label in zip(self.answers, self.labels, strict=False))

    @property
    def luck(self) -> float:
        """The probability that blind answers are right as often as these, or more often."""
        return at_least(self.right, len(self.answers), 0.1)

    def answered(self, digit: int) -> Game:
        """The game after one more answer; one that is over stays as it is."""
        return self if self.over else replace(self, answers=(*self.answers, digit))


@dataclass(frozen=True, slots=True)
class Judged:
    """How machines do on the same pictures.

    Attributes:
        recogniser: right answers of the recogniser, which has only seen clean digits.
        best: right answers of :func:`best_guess`, which knows the schedule.
    """

    recogniser: int
    best: int


def new_game(name: str, seed: int, looks: int = 1, trials: int = TRIALS) -> Game:
    """Draw held-out digits and noise.

    Raises:
        ValueError: no such schedule.
    """
    if name not in NAMED:
        raise ValueError(f"unknown schedule {name!r}; known are {'; '.join(NAMED)}.")
    rng = np.random.default_rng((seed, list(NAMED).index(name), looks))
    labels = rng.integers(10, size=trials)
    digits = held_out()
    originals = clean(digits.images[[rng.choice(digits.of_class(int(label))) for label in labels]])
    level = float(named(name).alpha_bars[-1])
    total = np.zeros_like(originals)
    for _ in range(looks):
        total += add_noise(originals, rng.standard_normal(originals.shape), level)
    return Game(name, seed, looks, labels.astype(np.intp), originals, total / math.sqrt(looks))


def at_least(successes: int, trials: int, chance: float) -> float:
    """P(X ≥ successes) for X ~ Binomial(trials, chance)."""
    return math.fsum(
        math.comb(trials, k) * chance**k * (1.0 - chance) ** (trials - k)
        for k in range(max(successes, 0), trials + 1)
    )


def judge_game(game: Game) -> Iterator[Judged]:
    """Let the machines answer. Imports torch."""
    variance = 1.0 - float(game.schedule.alpha_bars[-1])
    best = best_guess(game.pictures, game.signal, variance)
    yield Judged(int((recognised(game.pictures) == game.labels).sum()), int((best == game.labels).sum()))
