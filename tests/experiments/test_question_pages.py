"""The pages of questions 1 to 15: against closed forms and other ways to find the same, and that they fit."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
import torch
from page_promises import assert_fits, row

from difftui.data import bundled, held_out
from difftui.diffusion import add_noise, make_schedule
from difftui.diffusion.analytic import PointsDenoiser
from difftui.evaluation.recogniser import accuracy, load_recogniser
from difftui.experiments import Findings, Page, Setup
from difftui.experiments.materials import clean, load_network, picture, some_of_each
from difftui.experiments.questions import toy_runs
from difftui.experiments.questions.classifier import AGAINST_CLASSIFIER, against_classifier
from difftui.experiments.questions.copies import LEARNED_REVERSE, learned_reverse
from difftui.experiments.questions.one_jump import ONE_JUMP, one_jump, perplexity
from difftui.experiments.questions.recognition import (
    EARLY_LATE,
    UNRECOGNISABLE,
    early_late,
    told_at,
    unrecognisable,
)
from difftui.experiments.questions.there_and_back import THERE_AND_BACK, there_and_back
from difftui.experiments.questions.toy_denoising import TOY_DENOISING, denoising_errors, toy_denoising
from difftui.experiments.questions.toy_runs import TOY, held_out_loss, minutes, own_toy, shipped_toy
from difftui.experiments.questions.toy_training import TOY_LOSS, TRAINING_TIME, toy_loss, training_time
from difftui.experiments.questions.training_both import TRAIN_BOTH, error_at, train_both
from difftui.models import build
from difftui.runs import Run, create_run
from difftui.training import preset
from difftui.training.pace import measured_pace
from difftui.words import grouped

STEPS = 8
REDUCED: dict[str, Callable[[Setup, str], Iterator[Findings]]] = {
    "there-and-back": lambda setup, device: there_and_back(setup, device, steps=STEPS),
    "copies": lambda setup, device: learned_reverse(setup, device, steps=10, known=500),
    "classifier": lambda setup, device: against_classifier(setup, device, steps=5),
    "unrecognisable": lambda setup, device: unrecognisable(setup, device, of_each=2),
    "early-late": lambda setup, device: early_late(setup, device, of_each=2),
    "jump": lambda setup, device: one_jump(setup, device, draws=100),
    "time": lambda setup, device: training_time(setup, device, seconds=0.1),
    "loss": toy_loss,
    "denoising": lambda setup, device: toy_denoising(setup, device, seen=40),
    "both": lambda setup, device: train_both(setup, device, steps=STEPS),
}
PAGES = (
    THERE_AND_BACK,
    LEARNED_REVERSE,
    AGAINST_CLASSIFIER,
    UNRECOGNISABLE,
    EARLY_LATE,
    ONE_JUMP,
    TRAINING_TIME,
    TOY_LOSS,
    TOY_DENOISING,
    TRAIN_BOTH,
)
USUAL = Setup()


@lru_cache
def findings_of(name: str, setup: Setup = USUAL) -> tuple[Findings, ...]:
    """All that a page finds, at reduced size."""
    (page,) = [page for page in PAGES if page.name == name]
    return tuple(REDUCED[name](page.chosen(setup), "cpu"))


def number(cell: str) -> float:
    """The first number of a cell."""
    (found, *_) = re.findall(r"-?\d[\d ]*\.?\d*(?:e[-+]\d+)?", cell)
    return float(found.replace(" ", ""))


# What all pages promise.


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_comes_to_its_end_and_fits_a_narrow_screen(page: Page) -> None:
    assert_fits(page, findings_of(page.name))


def test_names_are_as_many_as_pages_and_none_is_of_the_labs_screen() -> None:
    from difftui.experiments import PAGES as OTHERS

    names = [page.name for page in (*PAGES, *OTHERS)]
    assert len(set(names)) == len(names)
    assert {page.source for page in PAGES} == {"Modules"}


def test_importing_the_pages_imports_no_torch() -> None:
    modules = sorted({page.run.__module__ for page in PAGES})
    assert len(modules) == 8
    code = f"import sys, {', '.join(modules)}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_findings_are_frozen() -> None:
    first, *_, last = findings_of("copies")
    assert not np.shares_memory(first.blocks[0].images, last.blocks[0].images)
    assert not np.array_equal(first.blocks[0].images, last.blocks[0].images)


# 1. There and back.


def test_there_is_the_formula_and_back_the_networks_own_calls() -> None:
    loaded = load_network(("quick",), "", "cpu")
    calls: list[int] = []
    handle = loaded.model.register_forward_hook(lambda *_: calls.append(1))
    try:
        *_, found = there_and_back(Setup(seed=3), "cpu", steps=STEPS)
    finally:
        handle.remove()
    assert len(calls) == STEPS + 1  # once before the clock runs
    assert row(found, "calls of a network") == ("0", f"{STEPS} of {STEPS}")
    learnt = sum(weights.numel() for weights in build("patch-unet").parameters())
    assert row(found, "numbers that were learnt")[1] == grouped(learnt)
    assert row(found, "noise in it")[1] == f"x_T and {STEPS - 1} more, {grouped(784 * STEPS)} numbers"
    there, back = (block.images for block in found.blocks)
    eps = np.random.default_rng(3).standard_normal((28, 28))
    levels = np.asarray(loaded.schedule.alpha_bars)[[0, 125, 250, 375, 500, 624, 749, 874, 999]]
    for image, level in zip(there, levels, strict=True):
        assert image == pytest.approx(np.sqrt(level) * picture(USUAL) + np.sqrt(1 - level) * eps, abs=1e-5)
    *_, frame = loaded.sample((3,), steps=STEPS)
    assert np.array_equal(back[-1], frame.x[0, 0].numpy())


# 2. The exact way back.


def test_the_exact_way_back_ends_in_known_digits_and_the_learnt_one_does_not() -> None:
    found = findings_of("copies")[-1]
    known = clean(bundled().images[:500]).reshape(500, -1)
    exact, learnt = (block.images.reshape(6, -1) for block in found.blocks[:2])
    assert max(np.linalg.norm(known - x, axis=1).min() for x in exact) < 1e-3
    distances = [np.linalg.norm(known - x, axis=1).min() for x in learnt]
    assert min(distances) > 3.0
    assert row(found, "of 6 pictures") == ("6", "0")
    assert row(found, "distance to")[0] == "0.0"
    assert float(row(found, "distance to")[1]) == pytest.approx(np.median(distances), abs=0.06)
    assert row(found, "numbers needed")[0] == "392 000"


# 3. A classifier.


def test_ten_probabilities_come_out_of_one_and_other_digits_of_the_other() -> None:
    found = findings_of("classifier")[-1]
    _, belief = found.blocks
    probabilities = np.asarray(belief.curves[0].y)
    x0 = torch.from_numpy(picture(USUAL).astype(np.float32))[None, None]
    with torch.inference_mode():
        assert probabilities == pytest.approx(load_recogniser()(x0).softmax(1)[0].numpy(), abs=1e-5)
    told, drawn = row(found, "asked 4 times")
    assert told == "0 apart"
    assert number(drawn) > 5.0
    assert [cell.split(",")[0] for cell in row(found, "calls for one result")] == ["1", "5"]


# 5. and 6. How long a digit can be told.


def test_without_noise_the_recogniser_tells_what_it_tells_and_in_noise_nobody_anything() -> None:
    digits = some_of_each(5)
    eps = np.random.default_rng(0).standard_normal(digits.shape)
    places = np.concatenate([[held_out().of_class(label)[i] for label in range(10)] for i in range(5)])
    told, guessed = told_at(digits, eps, 1.0 - 1e-9)
    assert told == accuracy(load_recogniser(), held_out().images[places], held_out().labels[places])
    assert guessed > 0.8
    told, guessed = told_at(digits, eps, 1e-9)
    assert told < 0.3
    assert guessed < 0.3


def test_the_first_timestep_below_half_is_one_and_those_before_it_are_not() -> None:
    found = findings_of("unrecognisable")[-1]
    digits = some_of_each(2)
    eps = np.random.default_rng(0).standard_normal(digits.shape)
    schedule = make_schedule("scaled-linear", 200)
    t = int(number(row(found, "recogniser right")[0].removeprefix("t = ")))
    assert told_at(digits, eps, schedule.alpha_bar(t))[0] < 0.5
    assert told_at(digits, eps, schedule.alpha_bar(t - 4))[0] >= 0.5
    assert row(found, "best guess right")[1] == "never"  # the usual betas leave 36 % of the digit
    assert number(row(found, "SNR where")[0]) == pytest.approx(10 * math.log10(schedule.snr[t]), abs=0.06)


def test_two_timesteps_of_two_schedules_by_their_closed_forms() -> None:
    found = findings_of("early-late")[-1]
    betas = np.linspace(1e-4, 0.02, 200)
    scaled, plain = np.cumprod(1 - 5 * betas), np.cumprod(1 - betas)
    levels = [scaled[50], scaled[150], plain[50], plain[150]]
    assert [float(cell) for cell in row(found, "signal left")] == pytest.approx(np.sqrt(levels), rel=0.01)
    decibels = [number(cell.lstrip("+")) for cell in row(found, "SNR")]
    assert decibels == pytest.approx([10 * math.log10(a / (1 - a)) for a in levels], abs=0.06)


# 9. One jump.


def test_steps_and_a_jump_agree_within_chance() -> None:
    for setup in (USUAL, Setup(label=1, seed=2, time=0.25)):
        found = findings_of("jump", setup)[-1]
        assert found.time is not None
        t, last = found.time
        level = float(np.cumprod(1 - 5 * np.linspace(1e-4, 0.02, 200))[t])
        for name, exact in (("signal", math.sqrt(level)), ("noise √", math.sqrt(1 - level))):
            formula, steps, jump = row(found, name)
            said, off = (float(part) for part in formula.split(" ± "))
            assert said == pytest.approx(exact, abs=1e-4)
            assert float(steps) == pytest.approx(exact, abs=4.5 * off + 1e-4)
            assert float(jump) == pytest.approx(exact, abs=4.5 * off + 1e-4)
        assert last == 199


def test_as_many_may_lie_behind_as_the_closed_forms_say() -> None:
    pair = np.array([[1.0, 0.0], [-1.0, 0.0]])
    schedule = make_schedule("linear", 1000)
    two = PointsDenoiser(schedule, pair)
    assert perplexity(two, np.zeros((1, 2)), 500) == pytest.approx(2.0)
    x, t = np.array([[0.3, 0.7]]), 400
    a = float(schedule.alpha_bars[t])
    p = 1 / (1 + math.exp(-2 * math.sqrt(a) * 0.3 / (1 - a)))
    assert perplexity(two, x, t) == pytest.approx(p**-p * (1 - p) ** (p - 1))
    digits = clean(bundled().images[:300])
    many = PointsDenoiser(make_schedule("cosine", 1000), digits)
    rng = np.random.default_rng(0)
    for t, behind in ((0, 1.0), (999, 300.0)):
        x_t = add_noise(digits[:4], rng.standard_normal((4, 28, 28)), many.schedule.alpha_bar(t))
        assert perplexity(many, x_t, t) == pytest.approx(behind, rel=1e-3)
    curve = np.asarray(findings_of("jump")[-1].blocks[1].curves[0].y)
    assert curve[0] == pytest.approx(1.0)
    assert curve[-1] > 9000


# 10. to 12. Training the toy.


def written_run(name: str, recipe_name: str = "toy", **changes: object) -> Run:
    """A run with metrics: 300 steps in 60 seconds, with losses of 0.04."""
    run = create_run(name, replace(preset(recipe_name), **changes).to_json())
    for step in range(100, 301, 100):
        run.metrics.append({"step": step, "seconds": step / 5, "loss": 0.04})
    return run


def test_a_pace_is_images_over_seconds_and_counts_whole_batches() -> None:
    *_, pace = measured_pace(TOY, "cpu", 0.05)
    assert pace.seconds >= 0.05
    assert pace.images % TOY.batch_size == 0
    assert pace.images_per_second == pace.images / pace.seconds > 0


def test_a_prediction_is_all_images_at_that_pace() -> None:
    found = findings_of("time")[-1]
    steps, time, rate = row(found, "predicted: the bundled")
    assert steps == grouped(8 * math.ceil(10_000 / 128))
    spelled = re.fullmatch(r"about (?:(\d+) min )?(\d+) s", time)
    assert spelled is not None
    seconds = 60 * int(spelled[1] or 0) + int(spelled[2])
    assert seconds == pytest.approx(80_000 / number(rate), abs=1.0 + 0.001 * seconds)
    assert row(found, "took: the toy that ships")[:2] == ("3 752", "2 min 56 s")
    assert row(found, "took: yours")[1] == "none yet"
    assert [minutes(s) for s in (7.4, 60, 3599.6)] == ["7 s", "1 min 00 s", "60 min 00 s"]


def test_own_trainings_of_the_same_kind_stand_beside_them() -> None:
    assert own_toy() is None
    written_run("other", "lab")
    written_run("short", timesteps=100)  # its loss measures something else
    assert own_toy() is None
    written_run("x" * 60)
    found = tuple(training_time(USUAL, "cpu", seconds=0.05))
    assert_fits(TRAINING_TIME, found)
    assert row(found[-1], "took: xxx")[:2] == ("300", "1 min 00 s")
    assert number(found[-1].seen.split("took 1 min 00 s: ")[1]) > 0
    found = tuple(toy_loss(USUAL, "cpu"))
    assert_fits(TOY_LOSS, found)
    assert row(found[-1], "loss, last")[2] == "0.0400"
    assert row(found[-1], "first below")[2] == "100"
    assert row(found[-1], "on held-out")[2] == "no weights yet"


def test_the_toy_that_ships_reaches_its_target() -> None:
    found = findings_of("loss")[-1]
    said, ended, yours = row(found, "loss, last")
    assert (said, yours) == ("about 0.05", "none yet")
    rows = [line for line in shipped_toy().rows if "loss" in line]
    assert float(ended) == pytest.approx(rows[-2]["loss"], abs=5e-4)
    first = number(row(found, "first below")[1])
    means = {line["step"]: line["loss"] for line in rows}
    assert np.mean([loss for step, loss in means.items() if first < step <= first + 500]) < 0.05
    assert np.mean([loss for step, loss in means.items() if first - 500 < step < first]) > 0.049
    assert float(row(found, "on held-out")[1]) == pytest.approx(0.0436, abs=2e-4)  # as its training found


# 13. and 14. One look.


def test_the_error_of_the_noised_is_its_closed_form_and_that_of_the_cleaned_the_networks() -> None:
    found = findings_of("denoising")[-1]
    levels = np.cumprod(1 - 5 * np.linspace(1e-4, 0.02, 200))
    for t in (25, 50, 100, 150):
        _, noised, cleaned, ratio = row(found, f"t = {t}")
        exact = (1 - levels[t]) / levels[t]
        assert number(noised) == pytest.approx(exact, rel=5 * math.sqrt(2 / (40 * 256)) + 0.005)
        assert number(ratio) == pytest.approx(number(noised) / number(cleaned), rel=0.02)
    loaded = load_network(("toy",), "", "cpu")
    x0 = torch.from_numpy(clean(held_out().images[:4, 6:22, 6:22]).astype(np.float32))[:, None]
    eps = torch.randn(x0.shape, generator=torch.Generator().manual_seed(1))
    a = float(levels[25])
    x_t = a**0.5 * x0 + (1 - a) ** 0.5 * eps
    with torch.inference_mode():
        said = loaded.model(x_t, torch.full((4,), 25))
    x0_hat = ((x_t - (1 - a) ** 0.5 * said) / a**0.5).clamp(-1, 1)
    _, error = denoising_errors(loaded, x0, eps, 25, "cpu")
    assert error == pytest.approx(float((x0_hat - x0).square().mean()), rel=1e-3)


# 15. Both trained.


def test_two_trainings_start_from_knowing_nothing_and_are_the_same_again() -> None:
    found = findings_of("both")[-1]
    told, predicted = (np.asarray(curve.y) for curve in found.blocks[0].curves)
    assert len(told) == len(predicted) == STEPS
    assert told[0] == pytest.approx(math.log(10), abs=0.5)
    assert predicted[0] == pytest.approx(1.0, abs=0.5)
    assert row(found, "who knows it")[0] == f"a person: {grouped(STEPS * 32)} labels"
    again = next(each for each in train_both(USUAL, "cpu", steps=STEPS) if each.done > 0.15)
    for curve, first in zip(again.blocks[0].curves, (told, predicted), strict=True):
        assert np.array_equal(curve.y, first[: len(curve.y)])
        assert len(curve.y) >= 2


def test_the_denoisers_error_is_large_where_there_is_hardly_any_noise() -> None:
    found = findings_of("both")[-1]
    shipped = load_network(("toy",), "", "cpu")
    errors = [error_at(shipped.model, shipped.schedule, t, "cpu", seen=20) for t in (0, 199)]
    assert errors[0] > 20 * errors[1]
    assert number(row(found, "  with hardly")[1]) == pytest.approx(errors[0], rel=0.2)
    *_, (share, loss) = held_out_loss(shipped, "cpu")
    assert (share, f"MSE {loss:.4f}") == (1.0, row(found, "the ones that ship")[1])
    assert toy_runs.CHUNK < 500  # in pieces
