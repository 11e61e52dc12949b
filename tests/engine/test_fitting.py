"""The sine fit as a job: what a view holds, epochs asked for in portions, putting it away."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator

import numpy as np
import pytest
from helpers import eventually

from difftui.engine import Engine, JobState
from difftui.engine.fitting import FitView, start_fit
from difftui.inversion import InversionRecipe, fit_inverse, untrained


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = Engine("cpu")
    engine.start()
    yield engine
    assert engine.shutdown(60)


def test_first_the_untrained_network_then_an_epoch_a_view() -> None:
    recipe = InversionRecipe(epochs=4, seed=3)
    views = list(start_fit(recipe)())
    assert [view.progress.epoch for view in views] == [0, 1, 2, 3, 4]
    assert np.array_equal(views[0].progress.prediction, untrained(recipe).prediction)
    core = [untrained(recipe).mse, *(progress.mse for progress in fit_inverse(recipe))]
    assert [view.progress.mse for view in views] == core
    assert views[-1].losses.x.tolist() == [0, 1, 2, 3, 4]
    assert views[-1].losses.y.tolist() == core
    assert {view.recipe for view in views} == {recipe}


def test_an_early_view_stays_as_it_was() -> None:
    """More epochs than the series has room for at first, so that it has to grow meanwhile."""
    fit = start_fit(InversionRecipe(epochs=1100, points=4))()
    early = [next(fit) for _ in range(3)][-1]
    before = early.losses.y.copy(), early.progress.prediction.copy()
    last = deque(fit, maxlen=1)[0]
    assert len(early.losses) == 3
    assert np.array_equal(early.losses.y, before[0])
    assert np.array_equal(early.progress.prediction, before[1])
    assert len(last.losses) == 1101
    assert np.array_equal(last.losses.y[:3], before[0])


def test_epochs_asked_for_in_portions_are_exactly_those_and_the_same_fit(engine: Engine) -> None:
    recipe = InversionRecipe(epochs=200)
    job = engine.submit_light("fit", start_fit(recipe), paused=True)
    job.step()
    eventually(lambda: job.snapshot is not None)
    job.step(1)
    eventually(lambda: job.version == 2 and job.state is JobState.PAUSED)
    for count in (7, 10, 30):  # whether or not the portion before is done
        job.step(count)
    eventually(lambda: job.version == 49 and job.state is JobState.PAUSED)
    time.sleep(0.02)
    view = job.snapshot
    assert view is not None
    assert (view.progress.epoch, job.version, job.state) == (48, 49, JobState.PAUSED)
    straight: FitView = deque(start_fit(InversionRecipe(epochs=48))(), maxlen=1)[0]
    assert view.progress.mse == straight.progress.mse
    with pytest.raises(ValueError, match="count"):
        job.step(0)
    job.step(1000)
    eventually(lambda: job.state is JobState.DONE)
    assert job.snapshot is not None
    assert job.snapshot.progress.epoch == 200


def test_a_fit_can_be_held_and_put_away_while_epochs_are_owed(engine: Engine) -> None:
    job = engine.submit_light("fit", start_fit(InversionRecipe(epochs=10**6)), paused=True)
    job.step(10**5)
    eventually(lambda: job.version > 5)
    job.pause()
    eventually(lambda: job.state is JobState.PAUSED)
    held = job.version
    job.step()
    eventually(lambda: job.version == held + 1 and job.state is JobState.PAUSED)
    job.step(10**5)
    job.close()
    eventually(lambda: job.state is JobState.CLOSED)
    assert job.snapshot is not None
    assert len(job.snapshot.losses) == job.version
