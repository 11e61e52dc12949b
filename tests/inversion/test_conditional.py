"""The conditional diffusion model against the exact conditional distribution: places and shares."""

import math
from collections import deque

import numpy as np
import pytest

from difftui.diffusion import SAMPLERS
from difftui.inversion import ConditionalModel, ConditionalRecipe, Problem, draw, learn

WIDE = Problem("sin", (-math.pi, math.pi))
BISHOP = Problem("bishop", (0.0, 1.0))


def trained(problem: Problem, steps: int = 2000) -> ConditionalModel:
    return deque(learn(ConditionalRecipe(problem, steps=steps), every=steps), maxlen=1)[0].model


@pytest.fixture(scope="module")
def wide() -> ConditionalModel:
    return trained(WIDE)


def drawn(model: ConditionalModel, y: float, count: int = 2000, **how: object) -> np.ndarray:
    *_, last = draw(model, np.full(count, y), **how)
    assert last.time == -1
    assert last.alpha_bar == 1.0
    return last.x.astype(np.float64)


@pytest.mark.parametrize("y", [0.5, -0.8, 0.2])
def test_both_branches_with_their_shares(wide: ConditionalModel, y: float) -> None:
    """Shares are 1/2 each; with 2000 draws chance alone makes that ±0.022 (two deviations)."""
    draws = drawn(wide, y)
    exact = np.array([math.asin(y), math.copysign(math.pi, y) - math.asin(y)])
    distance = np.abs(draws - exact[:, None])
    assert np.bincount(distance.argmin(0)) / len(draws) == pytest.approx([0.5, 0.5], abs=0.07)
    width = 2 * math.pi
    assert np.median(distance.min(0)) < 0.01 * width
    assert np.mean(distance.min(0) < 0.05 * width) > 0.96
    average = math.copysign(math.pi / 2, y)
    assert np.mean(np.abs(draws - average) < 0.2) < 0.02, "where the regression answers, nothing is drawn"
    assert draws.mean() == pytest.approx(average, abs=0.25)


def test_unequal_shares() -> None:
    """Bishop's curve at y = 0.5: exactly 27, 45 and 27 %."""
    model = trained(BISHOP, 1500)
    branches = BISHOP.branches(np.array(0.5))
    draws = drawn(model, 0.5)
    index, distance = BISHOP.nearest(np.full(draws.shape, 0.5), draws)
    assert np.bincount(index) / len(draws) == pytest.approx(BISHOP.shares(branches), abs=0.08)
    assert np.median(distance) < 0.02
    alone = drawn(model, 0.8, 500)  # here there is one x
    assert np.abs(alone - BISHOP.best_answer(np.array(0.8))).max() < 0.1


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_every_sampler_finds_both(wide: ConditionalModel, sampler: str) -> None:
    draws = drawn(wide, 0.5, sampler=sampler, steps=40)
    near = [np.mean(np.abs(draws - x) < 0.3) for x in (math.pi / 6, 5 * math.pi / 6)]
    assert min(near) > 0.35
    assert sum(near) > 0.9


def test_frames_come_from_noise(wide: ConditionalModel) -> None:
    frames = list(draw(wide, np.full(4000, 0.5), steps=10, seed=3))
    assert len(frames) == 11
    assert [frame.time for frame in frames][:1] == [99]
    first = frames[0].x / math.pi
    assert (first.mean(), first.std()) == pytest.approx((0.0, 1.0), abs=0.05)
    assert np.all(np.diff([frame.alpha_bar for frame in frames]) > 0)
    again = list(draw(wide, np.full(4000, 0.5), steps=10, seed=3))
    other = list(draw(wide, np.full(4000, 0.5), steps=10, seed=4))
    assert np.array_equal(frames[-1].x, again[-1].x)
    assert not np.array_equal(frames[-1].x, other[-1].x)


def test_a_finished_model_does_not_change_while_learning_goes_on() -> None:
    learning = learn(ConditionalRecipe(steps=40), every=10)
    first = next(learning)
    before = first.model.network.parameters.copy()
    rest = list(learning)
    assert np.array_equal(first.model.network.parameters, before)
    assert [progress.step for progress in rest] == [20, 30, 40]
    assert rest[-1].loss < first.loss
    assert rest[-1].model.parameters == before.size == 12 * 64 + 2 * 65 * 64 + 65


def test_the_loss_of_v_falls_to_what_cannot_be_known() -> None:
    """One-valued: x_t and y tell x, so v can be told; on [0, π] half of it cannot, near T."""
    easy = deque(learn(ConditionalRecipe(Problem(), steps=400), every=100), maxlen=1)[0]
    hard = deque(learn(ConditionalRecipe(Problem("sin", (0.0, math.pi)), steps=400), every=100), maxlen=1)[0]
    assert easy.loss < 0.05
    assert hard.loss > 0.2


def test_bad_recipes_and_samplers(wide: ConditionalModel) -> None:
    for wrong, told in (
        ({"schedule": "round"}, "schedule must be one of linear"),
        ({"steps": 0}, "steps must be a whole number from 1"),
        ({"timesteps": 1}, "timesteps must be"),
        ({"points": 2.5}, "points must be"),
        ({"learning_rate": 0.0}, "learning_rate must be above 0"),
    ):
        with pytest.raises(ValueError, match=told):
            ConditionalRecipe(**wrong)
    with pytest.raises(ValueError, match="unknown sampler 'euler'"):
        next(draw(wide, np.zeros(1), sampler="euler"))
