"""The generated long run is a run like any other, and looking at it costs what it should."""

from pathlib import Path

import numpy as np
import pytest

from difftui.bench.scale import make_run, measure_scale
from difftui.runs import Follower, read_metrics
from difftui.training.recipe import Recipe, preset


def test_the_generated_run_is_genuine(tmp_path: Path) -> None:
    run = make_run(tmp_path / "long", 30_000)
    assert Recipe.from_json(run.recipe_text()) == preset("quick")
    follower = Follower(run)
    follower.poll()
    while follower.behind:
        follower.poll()
    assert (follower.status.state, follower.status.step) == ("finished", 30_000)
    assert len(follower.strips) == 200
    assert follower.strips[-1].step == 30_000
    rows = [row for row in read_metrics(run.metrics.path) if "loss" in row]
    assert rows[-1]["step"] == 30_000
    assert np.all(np.diff([row["step"] for row in rows]) > 0)
    loss = follower.history.loss
    assert np.all(loss.low <= loss.y)
    assert np.all(loss.y <= loss.high)
    assert follower.history.by_timestep is not None


@pytest.mark.slow
def test_a_million_steps_are_held_in_little_memory() -> None:
    """How long opening and drawing take is for the benchmark to say: it depends on what else runs."""
    figures = measure_scale()
    assert figures.steps == 1_000_000
    assert figures.open_seconds > 0
    assert figures.redraw_ms > 0
    assert figures.memory_mb < 50
