"""Training as a job: what is recorded, what a view tells, and that an event is a step."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers import eventually

from difftui.engine import Engine, Job, JobState
from difftui.engine import training as training_module
from difftui.engine.training import TrainingView, resume_training, start_training
from difftui.runs import Run, find_run, list_runs
from difftui.training.recipe import Recipe

T = 6


def recipe(**changes: Any) -> Recipe:
    options = {"width": 8, "middle_width": 8, "middle_blocks": 1}
    defaults: dict[str, Any] = {"data": "bundled", "timesteps": T, "batch_size": 2, "steps": 10**6}
    return Recipe(name="tiny", model="patch-unet", model_options=options, **defaults | changes)


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = Engine("cpu")
    engine.start()
    yield engine
    assert engine.shutdown(60)


def after(job: Job[TrainingView], events: int) -> TrainingView:
    """The view once there were this many events and the job is held."""
    eventually(lambda: job.error or (job.version == events and job.state is JobState.PAUSED))
    assert job.error is None
    assert job.snapshot is not None
    return job.snapshot


def test_an_event_is_a_step_though_samples_are_drawn_between(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_module, "STRIP_SECONDS", 0.0)
    monkeypatch.setattr(training_module, "STRIP_SHARE", 1e9)  # after each step, however long it takes
    job = engine.submit("training", start_training(recipe(), "tiny-1"), paused=True)
    job.step()
    assert after(job, 1).progress is None
    job.step(4)
    view = after(job, 5)
    assert view.progress is not None
    assert view.progress.step == 4
    assert view.strip is not None
    assert (view.strip.step, view.strip.sampler_steps) == (3, T), "as many as there are timesteps"


def test_only_saves_of_this_sitting_have_a_time(engine: Engine) -> None:
    first = engine.submit("training", start_training(recipe(), "tiny-1"), paused=True)
    first.step(4)
    assert after(first, 4).saved_at is None
    first.close()
    eventually(lambda: first.state is JobState.CLOSED)

    again = engine.submit("training", resume_training("tiny-1"), paused=True)
    again.step(2)
    view = after(again, 2)
    assert view.progress is not None
    assert (view.progress.step, view.progress.saved_step, view.saved_at) == (4, 3, None)


def test_the_run_names_the_digits_it_really_saw(engine: Engine) -> None:
    """Else, once MNIST is downloaded, the run could not be resumed: it would be given other digits."""
    job = engine.submit("training", start_training(recipe(data="mnist"), "tiny-1"), paused=True)
    job.step()
    assert after(job, 1).recipe.data == "bundled"
    assert Recipe.from_json(find_run("tiny-1").recipe_text()).data == "bundled"


def test_a_moved_data_folder_is_told_and_can_be_named_anew(engine: Engine, own_home: Path) -> None:
    first = engine.submit("training", start_training(recipe(), "tiny-1"), paused=True)
    first.step(2)
    after(first, 2)
    first.close()
    eventually(lambda: first.state is JobState.CLOSED)
    run = find_run("tiny-1")
    run.recipe_path.write_text(recipe(data=str(own_home / "gone")).to_json())

    lost = engine.submit("training", resume_training("tiny-1"))
    eventually(lambda: lost.state is JobState.FAILED)
    assert "gone" in str(lost.error)
    found = engine.submit("training", resume_training(str(run.path), "bundled"), paused=True)
    found.step(2)
    view = after(found, 2)
    assert view.progress is not None
    assert view.progress.step == 2


def test_without_digits_no_run_is_made(engine: Engine, own_home: Path) -> None:
    job = engine.submit("training", start_training(recipe(data=str(own_home / "nowhere")), "tiny-1"))
    eventually(lambda: job.state is JobState.FAILED)
    assert "nowhere (--data) is not a folder" in str(job.error)
    assert list_runs() == []


def test_a_run_that_cannot_be_saved_is_no_longer_drawn_from(engine: Engine) -> None:
    """Closing fails on a full disk; what is left must not pass for a network in training."""
    bench = engine.submit("look", lambda bench: iter([bench]))
    job = engine.submit("training", start_training(recipe(), "tiny-1"), paused=True)
    job.step(3)
    run: Run = after(job, 3).run
    assert bench.snapshot is not None
    assert set(bench.snapshot.live) == {"tiny-1"}
    (run.path / "state").write_text("in the way")
    job.close()
    eventually(lambda: job.state is JobState.FAILED)
    assert "Nothing was saved yet: make room" in str(job.error)
    assert bench.snapshot.live == {}
