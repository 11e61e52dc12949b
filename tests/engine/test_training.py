"""Training as a job: what is recorded, what a view tells, and that an event is a step."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import SMALL, eventually

from difftui.data import bundled
from difftui.engine import Engine, Job, JobState
from difftui.engine.training import TrainingView, resume_training, start_training
from difftui.runs import Run, ask, find_run, list_runs, read_strip
from difftui.training import onlooker, session
from difftui.training.recipe import PRESETS, Recipe

T = 6


def recipe(**changes: Any) -> Recipe:
    defaults: dict[str, Any] = {
        "model": "patch-unet", "model_options": SMALL, "data": "bundled", "timesteps": T, "batch_size": 2,
        "steps": 10**6,
    }  # fmt: skip
    return Recipe(name="tiny", **defaults | changes)


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


def look_after_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onlooker, "REST_SECONDS", 0.0)
    monkeypatch.setattr(onlooker, "SHARE", 1e9)


def test_an_event_is_a_step_though_samples_are_drawn_between(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_after_every_step(monkeypatch)
    job = engine.submit("training", start_training(recipe(), "tiny-1"), paused=True)
    job.step()
    assert after(job, 1).progress is None
    job.step(4)
    view = after(job, 5)
    assert view.progress is not None
    assert view.progress.step == 4
    assert [strip.step for strip in view.strips] == [1, 2, 3, 4]
    assert view.strips[-1].sampler_steps == T, "as many as there are timesteps"
    assert view.history.validation.x.tolist() == [1, 2, 3, 4]
    assert view.history.by_timestep is not None
    assert view.about["images"] == 10_000


def test_what_is_saved_in_the_middle_of_a_look_is_told(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_after_every_step(monkeypatch)
    looking = threading.Event()

    def endless(_: onlooker.Onlooker) -> Iterator[None]:
        while True:
            looking.set()
            yield None

    monkeypatch.setattr(onlooker.Onlooker, "look", endless)
    job = engine.submit("training", start_training(recipe(), "tiny-1"))
    assert looking.wait(60)
    assert job.snapshot is not None
    assert job.snapshot.progress is None, "the step before the look is not told yet"
    job.close()
    eventually(lambda: job.state is JobState.CLOSED)
    progress = job.snapshot.progress
    assert (progress.step, progress.saved_step, find_run("tiny-1").status().step) == (1, 1, 1)
    assert job.snapshot.history.loss.x.tolist() == [1]


def test_chosen_classes_and_a_size_make_a_network_that_fits(engine: Engine) -> None:
    chosen = recipe(
        model="attention-unet", classes=2, image_size=12,
    )  # fmt: skip
    job = engine.submit("training", start_training(chosen, "tiny-1"), paused=True)
    job.step(2)
    view = after(job, 2)
    assert dict(view.recipe.model_options) | {"size": 12, "num_classes": 2} == dict(view.recipe.model_options)
    assert view.about["images"] == int((bundled().labels < 2).sum())
    assert Recipe.from_json(view.run.recipe_text()) == view.recipe
    job.close()
    none = engine.submit("training", start_training(recipe(classes=11), "tiny-2"))
    eventually(lambda: none.state is JobState.FAILED)
    assert none.error == "bundled MNIST digits has 10 classes, not 11. Choose another number of classes."
    assert [run.name for run in list_runs()] == ["tiny-1"]


def test_what_was_seen_before_is_there_after_resuming(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_after_every_step(monkeypatch)
    monkeypatch.setattr(session, "REPORT_SECONDS", 0.0)
    first = engine.submit("training", start_training(recipe(), "tiny-1"), paused=True)
    first.step(4)
    before = after(first, 4)
    first.close()
    eventually(lambda: first.state is JobState.CLOSED)
    again = engine.submit("training", resume_training("tiny-1"), paused=True)
    again.step(2)
    view = after(again, 2)
    assert view.history.loss.x.tolist() == [1, 2, 3, 4]
    assert view.history.loss.y[:3].tolist() == pytest.approx(before.history.loss.y.tolist(), abs=1e-6)
    assert [strip.step for strip in view.strips] == [1, 2, 3, 4]
    assert (view.strips[1].images == before.strips[1].images).all()


def test_samples_come_when_they_are_asked_for(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onlooker, "REST_SECONDS", 1e9)
    job = engine.submit("training", start_training(recipe(), "tiny-1"), paused=True)
    job.step(3)
    assert after(job, 3).strips == ()
    job.post("sample")
    job.step(2)
    assert len(after(job, 5).strips) == 1


def test_others_can_pause_resume_and_stop_it(engine: Engine) -> None:
    """By files in the run's directory, as another process would."""
    job = engine.submit("training", start_training(recipe(), "tiny-1"))
    eventually(lambda: job.snapshot is not None and job.snapshot.progress is not None)
    run = find_run("tiny-1")
    for verb, state in (("pause", JobState.PAUSED), ("resume", JobState.RUNNING), ("stop", JobState.CLOSED)):
        ask(run, verb)
        eventually(lambda state=state: job.state is state)
    assert run.status().state == "stopped"


def test_a_disk_that_refuses_holds_the_job_until_it_is_resumed(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "SAVE_SECONDS", 0.0)
    job = engine.submit("training", start_training(recipe(), "tiny-1"), paused=True)
    job.step(2)
    after(job, 2)
    run = find_run("tiny-1")
    state = run.state_paths[0].parent
    aside = state.rename(state.with_name("aside"))
    state.write_text("no folder")  # even root cannot write into a file
    job.step(5)
    eventually(lambda: job.held is not None and job.state is JobState.PAUSED)
    assert job.held.startswith(f"{run.path} cannot be written")
    assert job.held.endswith("Step 1 is kept: make room, then go on.")
    state.unlink()
    aside.rename(state)
    job.step(1)
    eventually(lambda: job.version == 3 and job.state is JobState.PAUSED)
    assert job.held is None
    assert job.snapshot.progress.step == 2


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


def test_coloured_pictures_are_trained_on_and_shown_in_colour(engine: Engine, tmp_path: Path) -> None:
    from PIL import Image

    draws = np.random.default_rng(0)
    for index in range(12):
        kind = tmp_path / "pictures" / ("red" if index % 2 else "blue")
        kind.mkdir(parents=True, exist_ok=True)
        pixels = draws.integers(0, 256, (20, 24, 3), np.uint8)
        Image.fromarray(pixels).save(kind / f"{index}.png")
    coloured = replace(
        PRESETS["conditional"], data=str(tmp_path / "pictures"), image_size=8, batch_size=4, sampler_steps=2
    ).with_budget(steps=2)
    job = engine.submit("training", start_training(coloured, "coloured"))
    eventually(lambda: job.state.final)
    assert job.error is None
    view = job.snapshot
    assert view is not None
    assert view.recipe.model_options == {"channels": 3, "size": 8, "num_classes": 2}
    assert view.strips[-1].images.shape == (10, 8, 8, 3)
    (_, strip) = view.run.sample_strips()[-1]
    assert np.array_equal(read_strip(strip), view.strips[-1].images)
