"""Trajectories as jobs: the frames kept are the sampler's, and each picture is what was asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import eventually, tiny, train_tiny

from difftui.diffusion import make_schedule, sample, starting_noise, transitions
from difftui.engine import Engine, Job, JobState, Workbench
from difftui.engine.sampling import SamplingRequest, SamplingView, start_sampling
from difftui.engine.training import start_training
from difftui.runs import create_run
from difftui.training import load_model
from difftui.training.recipe import Recipe

T = 40


def recipe(model: str = "patch-unet", **changes: Any) -> Recipe:
    return tiny(T, model, **{"schedule": "cosine", "target": "v", "learning_rate": 0.02} | changes)


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = Engine("cpu")
    engine.start()
    yield engine
    assert engine.shutdown(60)


def drawn(engine: Engine, **request: Any) -> SamplingView:
    job = engine.submit("drawing", start_sampling(SamplingRequest(**request)))
    eventually(lambda: job.state.final)
    assert job.state is JobState.DONE, job.error
    assert job.snapshot is not None
    assert job.snapshot.done
    return job.snapshot


@pytest.mark.parametrize("sampler", ["ddim", "ddpm"])
@pytest.mark.parametrize("steps", [1, 7, None, 10**6])
def test_the_frames_are_those_of_the_sampler(engine: Engine, sampler: str, steps: int | None) -> None:
    run = train_tiny("one", recipe())
    view = drawn(engine, source=run.path, sampler=sampler, steps=steps, seeds=(3, 8), label=5)
    loaded = load_model("one")
    taken = min(steps or T, T)
    frames = list(
        sample(
            loaded.model, loaded.schedule, sampler=sampler, steps=taken, seeds=(3, 8), labels=5,
            target="v", clip_x0=True,
        )
    )  # fmt: skip
    assert view.times == (T - 1, *(s for _, s in transitions(T, taken)))
    assert view.count == len(frames) + 1
    assert np.array_equal(view.x[0], starting_noise((3, 8)).numpy()[:, 0].astype(np.float16))
    schedule = make_schedule("cosine", T)
    for i, frame in enumerate(frames):
        assert np.abs(view.x[i + 1] - frame.x[:, 0].numpy()).max() < 4e-3, "float16 of about [-4, 4]"
        assert np.abs(view.x0_hat[i] - frame.x0_hat[:, 0].numpy()).max() < 1e-3
        assert view.alpha_bars[i] == schedule.alpha_bar(frame.t)
        eps = view.eps_hat(i)
        assert eps is not None
        rounding = 2**-9 / np.sqrt(1 - schedule.alpha_bar(frame.t))
        assert np.abs(eps - frame.eps_hat[:, 0].numpy()).max() < max(rounding, 2e-3)
    assert view.alpha_bars[-1] == 1.0
    assert np.array_equal(view.x0_hat[-1], view.x[-1]), "the finished picture is its own belief"
    assert view.eps_hat(len(frames)) is None
    assert (view.name, view.weights_step, view.live) == ("one", 3, False)
    assert (view.model, view.schedule, view.T, view.num_classes) == ("patch-unet", "cosine", T, 10)


def test_the_recipe_advises_where_nothing_is_asked(engine: Engine) -> None:
    advised = recipe(sampler="ddim", sampler_steps=6, temperature=0.5)
    train_tiny("one", advised)
    train_tiny("plain", recipe())
    view = drawn(engine, source="one", seeds=(4,))
    assert (view.sampler, view.temperature, len(view.times)) == ("ddim", 0.5, 7)
    assert np.array_equal(view.x[0], (0.5 * starting_noise((4,)))[:, 0].numpy().astype(np.float16))
    view = drawn(engine, source="one", sampler="ddpm", steps=3, temperature=1.0)
    assert (view.sampler, view.temperature, len(view.times)) == ("ddpm", 1.0, 4)
    view = drawn(engine, source="plain")
    assert (view.sampler, view.temperature, len(view.times)) == ("ddpm", 1.0, T + 1)


@pytest.mark.parametrize("temperature", [0.0, 0.7])
def test_temperature_scales_the_noise_of_the_start_and_of_the_steps(
    engine: Engine, temperature: float
) -> None:
    train_tiny("one", recipe())
    loaded = load_model("one")
    view = drawn(engine, source="one", steps=6, seeds=(1,), label=3, temperature=temperature)
    frames = sample(
        loaded.model, loaded.schedule, sampler="ddpm", steps=6, seeds=(1,), labels=3, target="v",
        temperature=temperature, clip_x0=True,
    )  # fmt: skip
    for i, frame in enumerate(frames):
        assert np.abs(view.x[i + 1] - frame.x[:, 0].numpy()).max() < 4e-3


def test_a_trajectory_grows_by_one_picture_an_event(engine: Engine) -> None:
    train_tiny("one", recipe())
    request = SamplingRequest("one", steps=4)
    job: Job[SamplingView] = engine.submit("drawing", start_sampling(request), paused=True)
    seen = []
    for count in range(1, 6):
        job.step()
        eventually(lambda count=count: job.version == count and job.state is JobState.PAUSED)
        view = job.snapshot
        assert view is not None
        seen.append((view.count, view.newest, view.done))
        assert [view.has_belief(i) for i in range(view.count)] == [True] * (view.count - 1) + [view.done]
        assert view.change(0) is None
        if view.count > 1:
            moved = view.x[1].astype(np.float32) - view.x[0]
            assert np.array_equal(view.change(1), moved)
        assert view.change(view.count) is None
    assert seen == [(1, 0, False), (2, 0, False), (3, 1, False), (4, 2, False), (5, 4, True)]
    assert view.belief_moved(0, 0) is None
    step = np.abs(view.x0_hat[2, 0].astype(np.float64) - view.x0_hat[1, 0]).mean()
    assert view.belief_moved(2, 0) == pytest.approx(step, abs=1e-6)


def test_a_picture_depends_on_its_seed_and_digit_alone(engine: Engine) -> None:
    train_tiny("one", recipe())
    together = drawn(engine, source="one", steps=5, seeds=tuple(range(12)), label="each", sampler="ddpm")
    assert together.labels == (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1)
    alone = drawn(engine, source="one", steps=5, seeds=(11,), label=1, sampler="ddpm")
    assert np.abs(alone.x[:, 0].astype(float) - together.x[:, 11]).max() < 8e-3
    other = drawn(engine, source="one", steps=5, seeds=(11,), label=2, sampler="ddpm")
    assert np.array_equal(other.x[0], alone.x[0]), "the same noise"
    assert np.abs(other.x[-1].astype(float) - alone.x[-1]).max() > 0.01, "another digit"


def test_no_digit_in_particular(engine: Engine) -> None:
    """Without a wish, a network that learned to go without labels gets none, another one by the seed."""
    train_tiny("always-told", recipe())
    train_tiny("sometimes-told", recipe(label_drop=0.1))
    train_tiny("never-told", recipe("lab-unet", target="eps"))
    seeds = tuple(range(40))
    told = drawn(engine, source="always-told", steps=1, seeds=seeds)
    assert told.labels is not None
    assert set(told.labels) == set(range(10))
    assert drawn(engine, source="always-told", steps=1, seeds=seeds[7:9]).labels == told.labels[7:9]
    assert drawn(engine, source="sometimes-told", steps=1).labels is None
    never = drawn(engine, source="never-told", steps=1, label=3)
    assert (never.labels, never.num_classes) == (None, None)


def test_the_run_in_training_draws_with_its_weights_of_now(engine: Engine) -> None:
    training = engine.submit("training", start_training(recipe(steps=10**6), "growing"), paused=True)
    training.step(4)
    eventually(lambda: training.version == 4 and training.state is JobState.PAUSED)
    first = drawn(engine, source="growing", steps=3, label=2)
    assert (first.live, first.weights_step) == (True, 3)
    assert not (training.snapshot.run.weights_path).exists()
    training.step(2)
    eventually(lambda: training.version == 6 and training.state is JobState.PAUSED)
    second = drawn(engine, source="growing", steps=3, label=2)
    assert second.weights_step == 5
    assert np.abs(second.x[-1].astype(float) - first.x[-1]).max() > 0
    training.close()
    eventually(lambda: training.state is JobState.CLOSED)
    saved = drawn(engine, source="growing", steps=3, label=2)
    assert (saved.live, saved.weights_step) == (False, 5)
    assert np.abs(saved.x[-1].astype(float) - second.x[-1]).max() < 4e-3


def test_training_goes_on_while_trajectories_are_drawn(engine: Engine) -> None:
    training = engine.submit("training", start_training(recipe(steps=10**6), "growing"))
    eventually(lambda: training.version > 5)
    request = SamplingRequest(source="growing", steps=T, sampler="ddpm", seeds=tuple(range(12)))

    def one_after_another(bench: Workbench) -> Iterator[SamplingView | None]:
        while True:
            yield from start_sampling(request)(bench)

    drawing = engine.submit("drawing", one_after_another)
    eventually(lambda: drawing.version > 0)
    before = training.version, drawing.version
    eventually(lambda: training.version >= before[0] + 5 and drawing.version >= before[1] + 5)
    assert drawing.snapshot is not None
    assert drawing.snapshot.live
    assert training.state is drawing.state is JobState.RUNNING


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"source": "nobody"}, "there is no run called 'nobody'. Known: conditional,"),
        ({"source": "empty"}, "the run empty has no weights yet. Train it first, or choose another."),
        ({"source": "good", "label": 10}, "label 10 is outside 0 ... 9."),
        ({"source": "good", "sampler": "magic"}, "magic"),
        ({"source": "good", "seeds": (-1,)}, "a seed must be a whole number from 0 to 2^63 - 1, not -1."),
    ],
)
def test_what_cannot_be_drawn_fails_with_one_line(
    engine: Engine, request_: dict[str, Any], message: str
) -> None:
    create_run("empty", recipe().to_json())
    train_tiny("good", recipe())
    job = engine.submit("drawing", start_sampling(SamplingRequest(**request_)))
    eventually(lambda: job.state.final)
    assert job.state is JobState.FAILED
    assert job.error is not None
    assert message in job.error
    assert "\n" not in job.error
    assert drawn(engine, source="good", steps=1).done, "the engine lives on"


@pytest.mark.parametrize("keep", [0.5, 0.0])
def test_truncated_weights_are_named(engine: Engine, keep: float) -> None:
    weights = train_tiny("cut", recipe()).weights_path
    weights.write_bytes(weights.read_bytes()[: int(keep * weights.stat().st_size)])
    job = engine.submit("drawing", start_sampling(SamplingRequest("cut")))
    eventually(lambda: job.state.final)
    assert job.error is not None
    assert str(weights) in job.error
    assert "damaged" in job.error


def test_a_weights_file_by_its_path(engine: Engine, tmp_path: Path) -> None:
    run = train_tiny("one", recipe())
    moved = run.weights_path.rename(tmp_path / "mine.safetensors")
    assert drawn(engine, source=moved, steps=1).name == "mine"
