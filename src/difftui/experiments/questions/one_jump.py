"""Page: there in one jump without knowing a digit; and how many digits may lie behind what one sees."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from difftui.data import bundled
from difftui.diffusion import add_noise
from difftui.diffusion.analytic import PointsDenoiser
from difftui.experiments.figures import signif
from difftui.experiments.materials import clean
from difftui.experiments.page import PENDING, Curve, Curves, Findings, Page, Pictures, Setup, Table
from difftui.experiments.schedules import named
from difftui.words import grouped

__all__ = ["ONE_JUMP", "one_jump", "perplexity"]

Single = NDArray[np.float32]

SCHEDULE = "scaled-linear 200"
DRAWS = 300  # pictures noised both ways
ASKED = 20  # of them, for what may lie behind
STEPS_A_TURN = 20
CURVE_TIMES = (0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120, 140, 160, 199)


@lru_cache(maxsize=1)
def _denoiser() -> PointsDenoiser:
    """The exact denoiser were the 10 000 bundled digits all there are."""
    return PointsDenoiser(named(SCHEDULE), clean(bundled().images).astype(np.float32))


def perplexity(denoiser: PointsDenoiser, x_t: NDArray[np.floating], t: int) -> float:
    """How many known pictures may lie behind one x_t: exp of the mean entropy of p(x_0 | x_t), 1 to N.

    Args:
        denoiser: knows the pictures and their schedule.
        x_t: (B, ...) noised pictures.
        t: their timestep.
    """
    shares = denoiser.responsibilities(x_t, t).astype(np.float64)
    terms = shares * np.log(np.where(shares > 0.0, shares, 1.0))
    return math.exp(-float(terms.sum(axis=1).mean()))


def one_jump(setup: Setup, device: str, *, draws: int = DRAWS) -> Iterator[Findings]:
    """Noise one digit step by step and in one jump; then ask what may lie behind the outcomes."""
    schedule = named(SCHEDULE)
    t = round(setup.time * (schedule.T - 1))
    x0 = clean(bundled().images[bundled().of_class(setup.label)[0]]).astype(np.float32)
    state = _Ways(setup, t, x0)
    rng = np.random.default_rng(setup.seed)
    steps = t + 1
    yield state.findings(0.0)
    began = time.perf_counter()
    state.jumped = add_noise(x0[None], _normal(rng, draws), schedule.alpha_bar(t))
    state.seconds["jump"] = time.perf_counter() - began
    yield state.findings(0.02)
    x = np.repeat(x0[None], draws, axis=0)
    took = 0.0
    for step in range(steps):
        began = time.perf_counter()
        # q(x_s | x_{s-1}): a little less signal, a little fresh noise.
        x = add_noise(x, _normal(rng, draws), float(schedule.alphas[step]))
        took += time.perf_counter() - began
        if (step + 1) % STEPS_A_TURN == 0:
            yield state.findings(0.02 + 0.58 * (step + 1) / steps)
    state.walked, state.seconds["steps"] = x, took
    yield state.findings(0.6)
    for way, pictures in (("steps", state.walked), ("jump", state.jumped)):
        state.behind[way] = perplexity(_denoiser(), pictures[:ASKED], t)
        yield state.findings(0.65)
    state.guess = _denoiser()(state.jumped[:1], t).x0[0]
    for place, at in enumerate(CURVE_TIMES, 1):
        noised = add_noise(
            x0[None], _normal(np.random.default_rng((setup.seed, at)), ASKED), schedule.alpha_bar(at)
        )
        state.curve.append((at, perplexity(_denoiser(), noised, at)))
        yield state.findings(0.65 + 0.35 * place / len(CURVE_TIMES))


def _normal(rng: np.random.Generator, count: int) -> Single:
    return rng.standard_normal((count, 28, 28), dtype=np.float32)


@dataclass(slots=True)
class _Ways:
    """Both ways there, and what is known of the way back.

    Attributes:
        setup, t, x0: what is noised, and how far.
        jumped, walked: (draws, 28, 28), once they are there.
        seconds: what each way took.
        behind: perplexity of the start, by way.
        guess: the mean of all that may lie behind the first jump, (28, 28).
        curve: timesteps and perplexities.
    """

    setup: Setup
    t: int
    x0: Single
    jumped: Single | None = None
    walked: Single | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    behind: dict[str, float] = field(default_factory=dict)
    guess: NDArray[np.floating] | None = None
    curve: list[tuple[int, float]] = field(default_factory=list)

    def findings(self, done: float) -> Findings:
        """The page at this point."""
        schedule = named(SCHEDULE)
        a = schedule.alpha_bar(self.t)
        found = [_measured(pictures, self.x0, a) for pictures in (self.walked, self.jumped)]
        takes = [self.seconds.get(way) for way in ("steps", "jump")]
        behind = [self.behind.get(way) for way in ("steps", "jump")]
        count = grouped(len(bundled()))
        draws = "" if self.jumped is None else f", {len(self.jumped)} pictures"
        off = _by_chance(len(self.jumped), self.x0, a) if self.jumped is not None else None
        rows = (
            ("signal left √ᾱ", _expected(math.sqrt(a), off and off[0]), *(signal for signal, _ in found)),
            ("noise √(1-ᾱ)", _expected(math.sqrt(1.0 - a), off and off[1]), *(noise for _, noise in found)),
            (f"time{draws}", "", *(PENDING if s is None else f"{1000 * s:.1f} ms" for s in takes)),
            (f"back: digits of {count} behind it", "", *(PENDING if b is None else _many(b) for b in behind)),
        )
        header = (f"t = {self.t}, {SCHEDULE}", "formula ± chance", self._steps(), "one jump")
        return Findings(
            done,
            (self._pictures(), self._curves()),
            Table(header, rows),
            self._seen() if done == 1.0 else "",
            time=(self.t, schedule.T - 1),
            needed=2,
        )

    def _pictures(self) -> Pictures:
        paper = np.full_like(self.x0, -1.0)
        first = [paper if pictures is None else pictures[0] for pictures in (self.walked, self.jumped)]
        guess = paper if self.guess is None else self.guess
        return Pictures(
            f"there and back at t = {self.t}",
            np.array([self.x0, *first, guess], np.float32),
            ("x_0", "steps", "jump", "E[x_0]"),
            4,
        )

    def _curves(self) -> Curves:
        last = named(SCHEDULE).T - 1
        times, many = zip(*self.curve, strict=True) if self.curve else ((0,), (math.nan,))
        return Curves(
            "known digits that may lie behind x_t",
            (Curve("", times, many, "accent"),),
            (0.0, float(last)),
            (0.9, 2e4),
            True,
            lines=((float(len(bundled())), "all there are"),),
            marks=((float(self.t), ""),),
            x_ticks=((0.0, "0 clean"), (float(last), f"noise {last}")),
            x_name="t",
        )

    def _steps(self) -> str:
        return f"{self.t + 1} small steps" if self.t else "1 small step"

    def _seen(self) -> str:
        ends = [_many(many) for _, many in (self.curve[0], self.curve[-1])]
        return (
            f"There, {self._steps()} or one jump is the same, and no digit need be known. Back, "
            f"{_many(self.behind['jump'])} fit such an x_t ({ends[0]} at t = 0, {ends[1]} at the end): to be "
            "learnt."
        )


def _measured(pictures: Single | None, x0: Single, level: float) -> tuple[str, str]:
    """The factor of the digit in these pictures, and the standard deviation of what is left."""
    if pictures is None:
        return PENDING, PENDING
    digit = x0.astype(np.float64)
    factor = float((pictures * digit).sum() / (len(pictures) * (digit * digit).sum()))
    noise = float((pictures - math.sqrt(level) * digit).std())
    return f"{factor:.4f}", f"{noise:.4f}"


def _by_chance(count: int, x0: Single, level: float) -> tuple[float, float]:
    """Standard errors of both figures from n pictures: σ / (|x_0| √n) and σ / √(2 n pixels)."""
    sigma = math.sqrt(1.0 - level)
    return sigma / (float(np.linalg.norm(x0)) * math.sqrt(count)), sigma / math.sqrt(2 * count * x0.size)


def _expected(value: float, off: float | None) -> str:
    return f"{value:.4f} ± {PENDING if off is None else signif(off, 2)}"


def _many(number: float) -> str:
    return signif(number) if number < 1000 else grouped(round(number))


ONE_JUMP = Page(
    name="jump",
    title="Forward is one formula; back must be learnt",
    source="Modules",
    says="why is forward easy, and why must the reverse be learned?",
    look="Move t. The way there stays one formula; how many digits could have been its start?",
    how="300 noises: t + 1 steps of q(x_s | x_{s-1}) against one jump with ᾱ; factor of x_0, and noise "
    "beside it. Behind: exp of the entropy of p(x_0 | x_t) by Bayes' rule, were the 10 000 bundled digits "
    "all there are; the mean is E[x_0 | x_t].",
    run=one_jump,
    offers=frozenset({"digit", "seed", "time"}),
)
