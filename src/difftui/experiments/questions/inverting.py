"""Two pages on inverting a function: beyond the data, and where one y has two x."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from difftui.experiments.figures import signif
from difftui.experiments.page import PENDING, Curve, Curves, Findings, Page, Setup, Table
from difftui.inversion import (
    ConditionalModel,
    ConditionalRecipe,
    InversionRecipe,
    Problem,
    draw,
    fit_inverse,
    learn,
)

__all__ = ["BEYOND", "TWO_ANSWERS", "beyond", "two_answers"]

Floats = NDArray[np.floating[Any]]

UNITS = (16, 16)  # of the regression: the lab's 3 and 3 often end as a straight line, or dead
STEPS = 2000  # of the diffusion model's training
EPOCHS_A_TURN, STEPS_A_TURN = 50, 100
EACH = 400  # draws at one y
PAIRS = 2000  # draws whose error is measured
CLOUD = 300  # draws over all y, one each, to look at

ONE, TWO = Problem("sin", (-1.0, 1.0)), Problem("sin", (0.0, math.pi))
ASKED_BEYOND = (0.5, 0.8, 0.95, 1.2)
ASKED_TWO = (0.2, 0.5, 0.8)


@dataclass(frozen=True, slots=True, eq=False)
class _Learnt:
    """Both ways of inverting, as far as they have come.

    Attributes:
        done: share of the work.
        grid, answers: (G,), the regression's x for each y.
        mse: its error on its data.
        cloud: (2, CLOUD) y and a draw for each; None before there is a model.
        draws: (asked, EACH) x drawn at each y asked for; None before the end.
        error: mean squared error of a draw at the y of x spread evenly over their range; NaN before the end.
    """

    done: float
    grid: Floats
    answers: Floats
    mse: float
    cloud: Floats | None = None
    draws: Floats | None = None
    error: float = math.nan


def beyond(setup: Setup, device: str, *, steps: int = STEPS) -> Iterator[Findings]:
    """The sine of [-1, 1] inverted by a regression and by a diffusion model, asked beyond what they saw."""
    for learnt in _both(ONE, ASKED_BEYOND, setup.seed, steps):
        yield _beyond(learnt)


def two_answers(setup: Setup, device: str, *, steps: int = STEPS) -> Iterator[Findings]:
    """The same for the sine of [0, π], where every y has two x."""
    for learnt in _both(TWO, ASKED_TWO, setup.seed, steps):
        yield _two(learnt)


def _both(problem: Problem, asked: tuple[float, ...], seed: int, steps: int) -> Iterator[_Learnt]:
    low, high = problem.y_window
    grid = np.linspace(low, high, 201, dtype=np.float32)
    recipe = InversionRecipe(UNITS, function=problem.function, x_range=problem.x_range, seed=seed)
    for fit in fit_inverse(recipe, grid=grid):
        newest = _Learnt(0.3 * fit.epoch / recipe.epochs, grid, fit.prediction, fit.mse)
        if fit.epoch % EPOCHS_A_TURN == 0:
            yield newest
    answers, mse = newest.answers, newest.mse
    model: ConditionalModel | None = None
    at = np.linspace(low, high, CLOUD)
    for step in learn(ConditionalRecipe(problem, steps=steps, seed=seed), every=STEPS_A_TURN):
        model = step.model
        done = 0.3 + 0.6 * step.step / step.steps
        yield _Learnt(done, grid, answers, mse, np.array([at, _drawn(model, at, seed, 12)]))
    assert model is not None
    draws = _drawn(model, np.repeat(asked, EACH), seed).reshape(len(asked), EACH)
    cloud = np.array([at, _drawn(model, at, seed)])
    x = np.linspace(*problem.x_range, PAIRS)
    error = float(np.square(_drawn(model, problem.f.value(x), seed + 1) - x).mean())
    yield _Learnt(1.0, grid, answers, mse, cloud, draws, error)


def _drawn(model: ConditionalModel, y: Floats, seed: int, steps: int | None = None) -> Floats:
    """One x drawn for each y: by DDPM at every timestep, or in a few steps by DDIM."""
    *_, last = draw(model, y, sampler="ddim" if steps else "ddpm", steps=steps, seed=seed)
    return last.x


def _curves(problem: Problem, learnt: _Learnt, title: str) -> Curves:
    """All answers over y."""
    low, high = problem.x_range
    truth = np.linspace(low, high, 200)
    parts = [Curve("data", problem.f.value(truth), truth, "muted", points=True)]
    if not problem.many_valued:
        inverse = problem.best_answer(learnt.grid.astype(np.float64))
        there = np.isfinite(inverse)
        parts.append(Curve("arcsin", learnt.grid[there], inverse[there], "foreground"))
    if learnt.cloud is not None:
        parts.append(Curve("draws", learnt.cloud[0], learnt.cloud[1], "noise", points=True))
    parts.append(Curve("regression", learnt.grid, learnt.answers, "accent"))
    return Curves(title, tuple(parts), problem.y_window, problem.x_window, x_name="y")


def _answer(learnt: _Learnt, y: float) -> float:
    return float(np.interp(y, learnt.grid, learnt.answers))


def _beyond(learnt: _Learnt) -> Findings:
    rows = []
    seen_to = ONE.seen[1]
    for place, y in enumerate(ASKED_BEYOND):
        exact = float(ONE.best_answer(np.array([y]))[0])
        where = "seen" if y <= seen_to else "not seen" if y <= 1.0 else "no sine"
        said = PENDING if learnt.draws is None else _spread(learnt.draws[place])
        told = f"{exact:.3f}" if math.isfinite(exact) else "none"
        rows.append((f"y = {y:g}, {where}", told, f"{_answer(learnt, y):.3f}", said))
    seen = ""
    if learnt.draws is not None:
        last, y = learnt.draws[-1], ASKED_BEYOND[-1]
        seen = (
            f"No x has the sine {y:g}, yet both answer: {_answer(learnt, y):.2f}, and "
            f"{_spread(last, 2)}, whose spread is no warning. Neither knows that the data end at |y| = "
            f"{seen_to:.2f}."
        )
    header = ("sine of [-1, 1]", "arcsin y", "regression", "draws ± their spread")
    return Findings(
        learnt.done, (_curves(ONE, learnt, "x from y = sin x"),), Table(header, tuple(rows)), seen
    )


def _spread(draws: Floats, places: int = 3) -> str:
    return f"{draws.mean():.{places}f} ± {draws.std():.{places}f}"


def _two(learnt: _Learnt) -> Findings:
    rows = []
    for place, y in enumerate(ASKED_TWO):
        left, right = (float(branch) for branch in TWO.branches(np.array([y]))[:, 0])
        told = (PENDING, PENDING)
        if learnt.draws is not None:
            draws = learnt.draws[place]
            upper = float((draws > math.pi / 2).mean())
            told = f"{1 - upper:.0%} and {upper:.0%}", signif(_off(y, draws), 2)
        rows.append((f"y = {y:g}", f"{left:.3f} and {right:.3f}", f"{_answer(learnt, y):.3f}", *told))
    error = PENDING if learnt.draws is None else f"{learnt.error:.3f}"
    rows.append(("MSE", f"{TWO.floor:.3f} at best", f"{learnt.mse:.3f}", error, ""))
    seen = ""
    if learnt.draws is not None:
        off = max(_off(y, draws) for y, draws in zip(ASKED_TWO, learnt.draws, strict=True))
        seen = (
            "The regression answers near π/2, the x of y = 1 alone; no answer's MSE is below "
            f"{TWO.floor:.3f}. Draws err by {learnt.error:.2f}, yet half lie within {signif(off, 1)} of an x."
        )
    header = ("sine of [0, π]", "its two x", "regression", "draws: on each", "off by")
    return Findings(
        learnt.done, (_curves(TWO, learnt, "x from y = sin x"),), Table(header, tuple(rows)), seen
    )


def _off(y: float, draws: Floats) -> float:
    """The median distance of draws at y to the nearer of its two x."""
    return float(np.median(TWO.nearest(np.full(len(draws), y), draws.astype(np.float64))[1]))


BEYOND = Page(
    name="beyond",
    title="Asked for an x that no data had",
    source="Brief",
    says="what happens with values outside the range?",
    look="Where do the answers leave the data? Does either of them say that it cannot know?",
    how="1-16-16-1 (ReLU, 500 epochs) on 200 points of y = sin x, x in [-1, 1], so that |y| <= 0.841; a "
    "conditional diffusion model on the same pairs, 2000 steps; 400 draws by DDPM at each y.",
    run=beyond,
    offers=frozenset({"seed"}),
)

TWO_ANSWERS = Page(
    name="two-answers",
    title="One y, two x: a mean against draws",
    source="Brief",
    says="more complex functions; how does inversion relate to diffusion?",
    look="Where does the line of the regression run, and where do the draws fall?",
    how="As for one x, but x in [0, π]: every y has x and π - x, equally likely. The floor is "
    "E[(x - E[x | y])²] = π²/12, closed form; an independent draw of the same spread has twice that error. "
    "Off by: the median distance of 400 draws to the nearer x.",
    run=two_answers,
    offers=frozenset({"seed"}),
)
