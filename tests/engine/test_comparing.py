"""Comparisons as jobs: every step is kept, moments go from each to few, and measurements are one's own."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from helpers import eventually, tiny, train_tiny

from difftui.diffusion.comparison import VIEWS
from difftui.engine import Engine, Job, JobState
from difftui.engine.comparing import (
    ComparisonRequest,
    ComparisonView,
    caption_lines,
    figures_table,
    moments,
    start_comparison,
    start_measurement,
)
from difftui.training import load_model

T = 30
TINY = tiny(T, label_drop=0.1, temperature=0.9)


@pytest.fixture
def engine() -> Iterator[Engine]:
    train_tiny("one", TINY)
    engine = Engine("cpu")
    engine.start()
    yield engine
    assert engine.shutdown(60)


def ended(job: Job[Any]) -> Any:
    eventually(lambda: job.state.final)
    assert job.state is JobState.DONE, job.error
    return job.snapshot


def compared(engine: Engine, **request: Any) -> ComparisonView:
    view: ComparisonView = ended(engine.submit("c", start_comparison(ComparisonRequest("one", **request))))
    assert view.done
    return view


def test_every_step_is_kept_as_it_was_drawn(engine: Engine) -> None:
    for name in VIEWS:
        view = compared(engine, view=name, steps=6, seed=5, label=2)
        assert (view.name, view.num_classes, view.guided, view.temperature) == ("one", 10, True, 0.9)
        way = view.plan.ways[2]
        frames = load_model("one").sample(
            [way.seed], None if way.label is None else [way.label], sampler=way.sampler, steps=way.steps,
            guidance=way.guidance,
        )  # fmt: skip
        for index, frame in enumerate(frames, 1):
            assert np.abs(view.x[2][index] - frame.x[0].numpy()).max() < 4e-3, "float16 of about [-4, 4]"
        assert len(view.x[2]) == index + 1
        if name != "variety":
            assert all(np.array_equal(x[0], view.x[0][0]) for x in view.x), "one x_T, to the bit"
        assert [figure.done for figure in view.figures] == [True] * len(view.x)


def test_a_moment_is_a_number_of_looks(engine: Engine) -> None:
    view = compared(engine, view="samplers", steps=5, label=1)
    heun = view.plan.names.index("Heun")
    assert view.most_looks == view.looks[heun][-1] == view.newest > 5
    assert view.reference_steps == (T, T)
    for way, x in enumerate(view.x):
        indices = [view.index_at(way, looks) for looks in range(view.most_looks + 1)]
        assert (indices[0], indices[-1]) == (0, 5)
        assert all(b - a in (0, 1) for a, b in pairwise(indices))
        for looks, index in enumerate(indices):
            assert view.looks[way][index] <= looks
            assert np.array_equal(view.pictures_at(looks)[way], x[index])


def test_moments_are_each_look_at_first_and_then_further_apart() -> None:
    assert moments(0) == (0,)
    assert moments(30) == tuple(range(31))
    long = moments(1000)
    assert (long[0], long[50], long[-1]) == (0, 50, 1000)
    assert len(long) < 220
    steps = np.diff(long)
    assert steps.min() == 1
    assert (np.diff(steps[:-1]) >= 0).all(), "the last is what is left"


def test_guesses_are_held_against_the_reference(engine: Engine) -> None:
    view = compared(engine, view="guidance", steps=4, label=1)
    exact = view.x[1][-1].astype(np.float64)
    assert view.beliefs is not None
    for way, beliefs in zip(view.plan.ways, view.beliefs, strict=True):
        frames = load_model("one").sample(
            [way.seed], [1], sampler=way.sampler, steps=4, guidance=way.guidance
        )
        wanted = [np.sqrt(((frame.x0_hat[0].numpy() - exact) ** 2).mean()) for frame in frames]
        assert np.abs(beliefs - wanted).max() < 2e-3
    assert view.beliefs[1][-1] < 1e-3, "the last guess is the picture"
    assert compared(engine, view="labels", steps=2).beliefs is None


def test_figures_are_a_table_and_captions(engine: Engine) -> None:
    view = compared(engine, view="steps", label=3)
    header, rows = figures_table(view.plan, view.figures)
    assert header[:4] == ("picture", "sampler", "steps", "calls")
    assert [row[3] for row in rows] == [row[2] for row in rows] == [25, 30] or len(rows) == 4
    captions = caption_lines(view.plan, view.figures)
    assert captions[-1][-1] == "rms 0.000"
    assert all(line.isascii() for lines in captions for line in lines)


def test_a_measurement_needs_a_view_of_many(engine: Engine) -> None:
    work = start_measurement(ComparisonRequest("one", view="steps"), 12)
    measured = ended(engine.submit("m", work))
    assert [result.samples for result in measured.measuring.done] == [12] * len(measured.plan.ways)
    assert measured.measuring.floor is None
    assert "test" in measured.no_floor
    job = engine.submit("m", start_measurement(ComparisonRequest("one", view="labels"), 12))
    eventually(lambda: job.state is JobState.FAILED)
    assert "single pictures" in (job.error or "")


def test_without_recogniser_pictures_are_drawn_and_not_read(
    engine: Engine, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from difftui.evaluation import recogniser

    monkeypatch.setattr(recogniser, "checkpoints_dir", lambda: tmp_path)
    view = compared(engine, view="guidance", steps=2, label=1)
    assert view.unread
    assert [figure.reading for figure in view.figures] == [None] * 6
