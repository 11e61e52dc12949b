"""Comparisons say what a recogniser and plain arithmetic say, and refuse what makes no sense."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from helpers import SMALL

from difftui import models
from difftui.data import Digits, bundled
from difftui.diffusion import make_schedule
from difftui.diffusion.comparison import plan
from difftui.diffusion.race import Way
from difftui.errors import DifftuiError
from difftui.evaluation.comparison import Tally, compare, made_plan, measure, rms, why_not_judged
from difftui.evaluation.recogniser import judge, load_recogniser
from difftui.evaluation.report import matched_draws, real_floor, reference_statistics, report
from difftui.training.loading import LoadedModel
from difftui.training.recipe import Recipe

T = 16


def loaded(model: str = "patch-unet", **changes: Any) -> LoadedModel:
    """A network with random weights that says something else for each label."""
    options = {"patch-unet": SMALL, "lab-unet": {"timesteps": T}}.get(model, {})
    defaults: dict[str, Any] = {"schedule": "cosine", "timesteps": T, "target": "v", "steps": 1}
    recipe = Recipe(name="tiny", model=model, model_options=options, data="bundled", **defaults | changes)
    torch.manual_seed(0)
    network = models.build(recipe.model, **recipe.model_options).eval().requires_grad_(False)
    for weight in network.parameters():
        if not weight.any():  # outputs begin at zero
            weight.normal_(0, 0.05)
    return LoadedModel(network, recipe, make_schedule(recipe.schedule, T), 1, "tiny")


CONDITIONAL = loaded(label_drop=0.1)


def test_distances_and_readings_are_those_of_the_pictures() -> None:
    what = made_plan(CONDITIONAL, "samplers", Way(steps=5, seed=4, label=3))
    recogniser, tally = load_recogniser(), Tally(what)
    events = list(compare(CONDITIONAL, what, temperature=0.9, recogniser=recogniser))
    for event in events:
        assert (event.readings is None) == (not event.turn.done)
        tally.take(event)
    assert events[-1].turn.ways == (), "the reference comes last, when all else is drawn"
    *_, exact = CONDITIONAL.sample([4], [3], sampler="ddim", steps=T, temperature=0.9)
    for index, figure in enumerate(tally.figures):
        way = what.ways[index]
        *_, last = CONDITIONAL.sample([4], [3], sampler=way.sampler, steps=5, temperature=0.9)
        assert np.abs(tally.pictures()[index] - last.x[0].numpy()).max() < 1e-5
        assert (figure.steps, figure.done) == (5, True)
        assert figure.distance == pytest.approx(
            float((last.x - exact.x).double().pow(2).mean().sqrt()), abs=1e-5
        )
        _, probabilities = judge(recogniser, last.x.clamp(-1, 1))
        assert figure.reading is not None
        assert figure.reading.digit == int(probabilities.argmax())
        assert figure.reading.probability == pytest.approx(float(probabilities.max()), abs=1e-4)


def test_a_reference_among_the_ways_is_at_no_distance_from_itself() -> None:
    what = made_plan(CONDITIONAL, "guidance", Way(steps=3, label=1))
    tally = Tally(what)
    for event in compare(CONDITIONAL, what, temperature=1.0):
        assert event.readings is None
        tally.take(event)
    distances = [figure.distance for figure in tally.figures]
    assert distances[1] == 0.0
    assert all(distance is not None and distance > 0 for i, distance in enumerate(distances) if i != 1)
    assert tally.apart() == ()


def test_rows_tell_how_far_their_pictures_lie_apart() -> None:
    what = made_plan(CONDITIONAL, "variety", Way(steps=4, seed=1))
    tally = Tally(what)
    for event in compare(CONDITIONAL, what, temperature=1.0):
        assert tally.apart()[0] is None or event.turn.ways[0] == 5 or event.turn.done
        tally.take(event)
    x = tally.pictures().astype(np.float64)
    for told, row in zip(tally.apart(), what.rows, strict=True):
        pairs = [np.sqrt(((x[i] - x[j]) ** 2).mean()) for i in row for j in row if i < j]
        assert told == pytest.approx(np.mean(pairs))
    assert rms(x[0], x[0]) == 0


def test_measured_is_what_the_report_says_of_the_same_seeds() -> None:
    digits, count = bundled(), 20
    real = Digits(digits.images[:400], digits.labels[:400], "some digits")
    what = plan("steps", T, Way(seed=77, label=5))  # neither is for what is measured
    events = list(measure(CONDITIONAL, what, count=count, temperature=0.8, real=real))
    fractions = [event.fraction for event in events]
    assert fractions == sorted(fractions)
    last = events[-1]
    assert (last.fraction, last.current, None in last.done) == (1.0, None, False)
    assert events[0].current == 0, "the cheapest first"
    labels = [index % 10 for index in range(count)]
    *_, frame = CONDITIONAL.sample(
        range(count), labels, sampler="ddim", steps=what.ways[1].steps, temperature=0.8
    )
    judged = report(frame.x, labels)
    result = last.done[1]
    assert result is not None
    assert result.frechet == pytest.approx(judged.frechet, rel=1e-4)
    assert (result.agreement, result.samples) == (judged.agreement, count)
    draws = matched_draws(real.labels, np.array(labels))
    mean, spread = real_floor(load_recogniser(), reference_statistics(), real.images, draws)
    assert last.floor is not None
    assert (last.floor.mean, last.floor.spread) == pytest.approx((mean, spread))


def test_what_makes_no_sense_is_told_in_one_line() -> None:
    unlabelled, undropped = loaded("lab-unet"), loaded()
    one_look = loaded("autoencoder", target="x0")
    cases = [
        (one_look, "steps", Way(), "cleans a picture in one look"),
        (unlabelled, "labels", Way(), "was trained without labels and cannot be asked"),
        (unlabelled, "guidance", Way(), "was trained without labels and cannot be guided"),
        (unlabelled, "steps", Way(label=3), "was trained without labels: it draws what it likes"),
        (undropped, "guidance", Way(label=3), "cannot be guided: its training hid no labels"),
        (CONDITIONAL, "guidance", Way(), "guidance leads towards a label"),
        (CONDITIONAL, "steps", Way(label=10), "knows the labels 0 to 9, not 10"),
    ]
    for network, view, way, told in cases:
        with pytest.raises(DifftuiError, match=told) as failure:
            made_plan(network, view, way)
        assert "\n" not in str(failure.value)


def test_what_cannot_be_measured_is_told() -> None:
    what = made_plan(CONDITIONAL, "labels", Way())
    arguments: dict[str, Any] = {"temperature": 1.0, "real": None}
    with pytest.raises(DifftuiError, match="the labels view asks about single pictures"):
        measure(CONDITIONAL, what, count=4, **arguments)
    with pytest.raises(DifftuiError, match="needs 2 pictures or more"):
        measure(CONDITIONAL, plan("steps", T, Way()), count=1, **arguments)
    clothes = replace(CONDITIONAL, recipe=replace(CONDITIONAL.recipe, data="fashion-mnist"))
    assert "learned fashion-mnist" in (why_not_judged(clothes) or "")
    with pytest.raises(DifftuiError, match="learned fashion-mnist"):
        measure(clothes, plan("steps", T, Way()), count=4, **arguments)
    assert why_not_judged(CONDITIONAL) is None
