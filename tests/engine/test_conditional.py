"""The conditional model as jobs: what it shows while it learns, and a drawing kept frame by frame."""

import math
from collections import deque

import numpy as np
import pytest

from difftui.engine.conditional import (
    LOOK_EVERY,
    DrawRequest,
    DrawView,
    LearningView,
    cloud_grid,
    probes_of,
    start_drawing,
    start_learning,
)
from difftui.inversion import PROBLEMS, ConditionalRecipe, Problem, draw

WIDE = Problem("sin", (-math.pi, math.pi))


@pytest.fixture(scope="module")
def learned() -> list[LearningView]:
    return list(start_learning(ConditionalRecipe(WIDE, steps=LOOK_EVERY + 40))())


def test_it_shows_what_it_draws_so_far(learned: list[LearningView]) -> None:
    assert [view.progress.step for view in learned] == [*range(20, LOOK_EVERY + 41, 20)]
    assert {view.looked_at for view in learned} == {0, LOOK_EVERY, LOOK_EVERY + 40}
    for view in learned:
        assert (view.x is None) == (view.looked_at == 0)
        assert view.x is None or view.x.shape == view.y.shape == cloud_grid(WIDE).shape
    assert learned[-1].losses.y.tolist() == [view.progress.loss for view in learned]


def test_a_drawing_keeps_its_frames(learned: list[LearningView]) -> None:
    model = learned[-1].progress.model
    views = list(start_drawing(model, DrawRequest(steps=6, seed=2))())
    assert [view.count for view in views] == [1, 2, 3, 4, 5, 6, 7]
    last: DrawView = views[-1]
    assert last.done
    assert not views[-2].done
    assert last.times[0] == 99
    assert last.times[-1] == -1
    assert np.all(np.diff(last.alpha_bars) > 0)
    assert last.cloud.shape == (7, *last.y.shape)
    assert last.at.shape[:2] == (7, len(last.probes))
    asked = np.concatenate([last.y, np.repeat(last.probes, last.at.shape[2])])
    final = deque(draw(model, asked, steps=6, seed=2), maxlen=1)[0].x
    assert np.array_equal(last.cloud[-1], final[: len(last.y)])
    assert np.array_equal(last.at[-1].ravel(), final[len(last.y) :])


def test_probes_are_round_and_within_what_is_looked_at() -> None:
    assert probes_of(WIDE).tolist() == pytest.approx([k / 5 for k in range(-6, 7)])
    for problem in (*PROBLEMS, Problem("square", (-9.0, 50.0))):
        probes, (low, high) = probes_of(problem), problem.y_window
        assert 5 <= len(probes) <= 31
        assert low <= probes[0] < probes[-1] <= high
