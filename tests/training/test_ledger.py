"""What the books of a training say: the time that is left."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from difftui.data import Digits
from difftui.training.ledger import PACE_SECONDS, Ledger
from difftui.training.recipe import Recipe
from difftui.training.trainer import Trainer


def pretend(trainer: Trainer, ledger: Ledger, steps: int, seconds: float) -> None:
    """Steps of known length, so that what is left has a closed form."""
    for _ in range(steps):
        trainer.step += 1
        trainer.seconds += seconds
        ledger.add(torch.tensor(0.5))
        ledger.read()


def test_what_is_left_is_told_by_the_pace_of_the_last_minute_of_this_sitting(
    small: Recipe, few: Digits
) -> None:
    trainer = Trainer(replace(small, steps=1000), few, torch.device("cpu"))
    trainer.step, trainer.seconds = 100, 36_000.0  # an earlier sitting on a machine with much else to do
    ledger = Ledger(trainer, None)
    assert ledger.seconds_left is None
    pretend(trainer, ledger, 1, 3.0)
    assert ledger.seconds_left is None, "one reading is no pace"
    pretend(trainer, ledger, 99, 3.0)
    assert ledger.seconds_left == pytest.approx(800 * 3.0, rel=1e-2)
    pretend(trainer, ledger, int(PACE_SECONDS / 0.5) + 2, 0.5)
    assert ledger.seconds_left == pytest.approx((1000 - trainer.step) * 0.5, rel=5e-2)
    pretend(trainer, ledger, 1000 - trainer.step, 0.5)
    assert ledger.seconds_left == 0


def test_of_a_budget_of_time_what_is_left_is_the_rest(small: Recipe, few: Digits) -> None:
    trainer = Trainer(small.with_budget(minutes=10), few, torch.device("cpu"))
    trainer.seconds = 60.0
    ledger = Ledger(trainer, None)
    pretend(trainer, ledger, 4, 30.0)
    assert ledger.seconds_left == pytest.approx(600 - 180, abs=1)
