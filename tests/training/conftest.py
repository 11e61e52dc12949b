"""A small, real training: 20 bundled digits, three steps an epoch, the last one a partial batch."""

from dataclasses import replace

import pytest

from difftui.data import Digits, bundled
from difftui.training import Recipe, preset


@pytest.fixture(scope="session")
def few() -> Digits:
    return Digits(bundled().images[:20], bundled().labels[:20], "20 bundled digits")


@pytest.fixture(scope="session")
def small() -> Recipe:
    """Everything a resumed training could get wrong: warm-up, decay, average, stratified times."""
    return replace(
        preset("lab").with_budget(steps=8),
        name="small",
        data="bundled",
        batch_size=8,
        learning_rate=1e-3,
        warmup_steps=3,
        decay="cosine",
        ema_decay=0.9,
        time_sampling="stratified",
        precision="fp32",
    )
