"""The game and the best guess: probabilities against closed forms, and what can and cannot be told."""

from __future__ import annotations

import numpy as np
import pytest

from difftui.data import held_out
from difftui.diffusion import make_schedule
from difftui.experiments.guess import TRIALS, at_least, judge_game, new_game
from difftui.experiments.leak import best_guess, told_at_the_end
from difftui.experiments.materials import clean


def test_the_binomial_tail() -> None:
    assert at_least(0, 20, 0.1) == pytest.approx(1.0)
    assert at_least(1, 20, 0.1) == pytest.approx(1 - 0.9**20)
    assert at_least(20, 20, 0.1) == pytest.approx(1e-20)
    assert at_least(2, 3, 0.5) == pytest.approx(0.5)
    assert at_least(1, 0, 0.1) == 0.0


def test_a_game_counts_its_right_answers_and_ends() -> None:
    game = new_game("linear 200", seed=3)
    assert len(game.labels) == TRIALS
    for label in game.labels:
        assert not game.over
        game = game.answered(int(label))
    assert game.over
    assert game.right == TRIALS
    assert game.luck == pytest.approx(1e-20)
    assert game.answered(0) is game
    wrong = new_game("linear 200", seed=3).answered((int(game.labels[0]) + 1) % 10)
    assert wrong.right == 0
    assert wrong.luck == pytest.approx(1.0)


def test_pictures_hold_the_signal_they_say() -> None:
    for looks in (1, 100):
        game = new_game("linear 200", seed=0, looks=looks)
        x0 = game.originals
        found = float((game.pictures * x0).sum() / (x0**2).sum())
        assert found == pytest.approx(game.signal, abs=0.03)
        noise = game.pictures - game.signal * x0
        assert noise.var() == pytest.approx(1 - game.schedule.alpha_bars[-1], rel=0.03)
    assert new_game("linear 200", 0).signal == pytest.approx(0.364, abs=0.001)
    with pytest.raises(ValueError, match="unknown schedule"):
        new_game("linear", 0)


def test_another_seed_is_another_game_and_the_same_is_the_same() -> None:
    one, same, other = (new_game("cosine 1000", seed) for seed in (1, 1, 2))
    assert np.array_equal(one.pictures, same.pictures)
    assert not np.array_equal(one.pictures, other.pictures)


def test_labels_are_equally_likely() -> None:
    counts = np.bincount(
        np.concatenate([new_game("cosine 200", seed).labels for seed in range(100)]), minlength=10
    )
    assert np.square(counts - 200).sum() / 200 < 27.9  # χ² of nine degrees, one in a thousand


def test_the_best_guess_tells_clear_digits_and_not_what_is_gone() -> None:
    digits = held_out()
    x0 = clean(digits.images[:100])
    eps = np.random.default_rng(0).standard_normal(x0.shape)
    clear = best_guess(0.6 * x0 + 0.8 * eps, 0.6, 0.64)
    assert (clear == digits.labels[:100]).mean() > 0.85
    assert told_at_the_end(make_schedule("linear", 200), draws=1) > 0.6
    assert told_at_the_end(make_schedule("cosine", 1000), draws=1) == pytest.approx(0.1, abs=0.05)


def test_machines_answer_the_same_twenty() -> None:
    (judged,) = judge_game(new_game("linear 200", seed=0))
    assert judged.best >= 10
    assert 0 <= judged.recogniser <= judged.best
