"""The strengths of noise at which a network is asked."""

import pytest

from difftui.diffusion import make_schedule
from difftui.diffusion.ladder import Ladder

ONE = make_schedule("linear", 1, beta_start=0.5, beta_end=0.5)


def test_the_usual_looks_are_those_of_the_guided_lab_at_any_length() -> None:
    assert Ladder(make_schedule("scaled-linear", 200)).usual == (25, 50, 100, 150)
    assert Ladder(make_schedule("linear", 1000)).usual == (125, 250, 500, 750)
    assert Ladder(make_schedule("linear", 2)).usual == (0, 0, 1, 1)


def test_rungs_are_timesteps_with_their_noise() -> None:
    schedule = make_schedule("cosine", 100)
    ladder = Ladder(schedule)
    a = schedule.alpha_bars[40]
    assert ladder.sigma(40) == pytest.approx(((1 - a) / a) ** 0.5)
    assert (ladder.last, ladder.told(40), ladder.label(40)) == (99, 40, "t = 40")
    assert (ladder.held(-3), ladder.held(1000)) == (0, 99)


def test_one_look_knows_one_time_and_any_noise() -> None:
    ladder = Ladder(ONE, one_shot=True)
    assert [ladder.label(rung) for rung in ladder.usual] == [
        "noise 0.10",
        "noise 0.25",
        "noise 0.50",
        "noise 1.00",
    ]
    assert {ladder.told(rung) for rung in range(ladder.last + 1)} == {0}
    assert ladder.sigma(10) == pytest.approx(1.0)  # 0.5 beside [0, 1] is 1 beside [-1, 1]
    assert ladder.sigma(0) == 0.0
    assert ladder.label(ladder.last) == "noise 2.00"
