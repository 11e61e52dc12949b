"""The pages of questions 16 to 25: what they measure, against closed forms and against their parts."""

from __future__ import annotations

import itertools
import math
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
import torch
from page_promises import assert_fits, row

from difftui.data import held_out
from difftui.diffusion import make_schedule, sample, starting_noise, transitions
from difftui.evaluation.report import report
from difftui.experiments import PENDING, Curve, Findings, Page, Pictures, Setup, sheet
from difftui.experiments.losses import LEVELS
from difftui.experiments.materials import clean, load_network, readings, real_frechet, recognised
from difftui.experiments.questions import emerging, fault, gap, prompt, sets, step_counts
from difftui.experiments.questions.emerging import settled_from
from difftui.experiments.questions.fault import exact_errors, exact_walk, known_digits
from difftui.experiments.questions.sets import digits_by_chance
from difftui.pipelines import DEFAULT
from difftui.runs import shipped_runs

REDUCED = {
    emerging.EMERGING: lambda setup: emerging.emerging(setup, "cpu", count=6, steps=10),
    emerging.GRADUAL: lambda setup: emerging.gradual(setup, "cpu", count=6, steps=10),
    sets.TWELVE: lambda setup: sets.twelve(setup, "cpu", steps=10),
    sets.SIXTEEN: lambda setup: sets.sixteen(setup, "cpu", steps=10),
    step_counts.STEPS_50_200: lambda setup: step_counts.steps_50_200(setup, "cpu", counts=(3, 6), count=4),
    step_counts.STEPS_FEWER: lambda setup: step_counts.steps_fewer(setup, "cpu", counts=(2, 4, 6), count=4),
    fault.IMPERFECT: lambda setup: fault.imperfect(setup, "cpu", count=3, steps=4, seen=2),
    gap.QUALITY_GAP: lambda setup: gap.quality_gap(setup, "cpu", count=2, steps=3),
    prompt.PROMPT_TO_IMAGE: lambda setup: prompt.prompt_to_image(setup, "cpu"),
}
"""The pages, at less than their size."""

PAGES = tuple(REDUCED)


@lru_cache
def findings_of(page: Page, setup: Setup = Setup()) -> tuple[Findings, ...]:  # noqa: B008 (frozen)
    """All that a page finds."""
    return tuple(REDUCED[page](page.chosen(setup)))


def points(curve: Curve) -> tuple[list[float], list[float]]:
    """x and y of a curve."""
    return np.asarray(curve.x, np.float64).tolist(), np.asarray(curve.y, np.float64).tolist()


# What all pages promise.


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_comes_to_its_end_and_fits_a_narrow_screen(page: Page) -> None:
    found = findings_of(page)
    assert_fits(page, found)
    assert found[0].done < 0.1
    assert found[0].seen == ""
    last = found[-1]
    assert "time" not in page.offers
    assert all(PENDING not in block.captions for block in last.blocks if isinstance(block, Pictures))
    sheet([block for block in last.blocks if isinstance(block, Pictures)])  # can be saved as one picture


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_offers_is_what_it_says(page: Page) -> None:
    assert page.needs_torch
    assert ("network" in page.offers) == bool(page.networks)
    assert "seed" in page.offers


@pytest.mark.parametrize("page", [emerging.EMERGING, sets.TWELVE], ids=lambda page: page.name)
def test_a_seed_gives_the_same_again_and_another_something_else(page: Page) -> None:
    again, other = tuple(REDUCED[page](Setup()))[-1], tuple(REDUCED[page](Setup(seed=9)))[-1]
    last = findings_of(page)[-1]
    assert (again.table, again.seen) == (last.table, last.seen)
    assert np.array_equal(again.blocks[0].images, last.blocks[0].images)
    assert not np.array_equal(other.blocks[0].images, last.blocks[0].images)


def test_findings_are_frozen() -> None:
    """What was handed out earlier is not drawn over later."""
    for page in PAGES:
        first, *_, last = (
            next(block for block in findings.blocks if isinstance(block, Pictures))
            for findings in findings_of(page)
        )
        assert not np.shares_memory(first.images, last.images)
        assert not np.array_equal(first.images, last.images)


def test_the_pages_import_no_torch() -> None:
    names = ", ".join(
        f"difftui.experiments.questions.{module}"
        for module in ("emerging", "fault", "gap", "prompt", "sets", "step_counts")
    )
    told = subprocess.run(
        [sys.executable, "-c", f"import sys, {names}; print('torch' in sys.modules)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert told.stdout.strip() == "False"


# 16. and 17. When a digit can be read.


def test_settled_is_never_otherwise_again() -> None:
    told = np.array([[7, 1, 0, 3], [2, 7, 0, 3], [7, 7, 0, 3], [7, 7, 5, 3]])
    # The first wavers, the second settles and stays, the third changes at the very end, the last never does.
    assert settled_from(told).tolist() == [2, 1, 3, 0]


@pytest.mark.parametrize("network", ["quick", "lab"])
def test_at_the_end_all_are_told_and_times_are_those_of_the_grid(network: str) -> None:
    found = findings_of(emerging.EMERGING, Setup(network=network))[-1]
    *_, curves = found.blocks
    assert len(curves.curves) == 3
    for curve in curves.curves:
        x, y = points(curve)
        assert y[-1] == 1.0
        assert y == sorted(y)
    grid = [*(t for t, _ in transitions(1000, 10)), -1]
    assert [999 - along for along in x] == grid
    for reader in range(3):
        times = [
            int(row(found, name)[reader].split("=")[1]) for name in ("a quarter", "half", "three quarters")
        ]
        assert set(times) <= set(grid)
        assert times == sorted(times, reverse=True)
    at = int(row(found, "half")[0].split("=")[1])
    snr = make_schedule("cosine" if network == "quick" else "linear", 1000).snr[at]
    assert row(found, "SNR")[0] == f"{10 * math.log10(snr):+.1f} dB"


def test_the_strip_ends_in_the_picture_itself() -> None:
    above, below = findings_of(emerging.EMERGING)[-1].blocks[:2]
    x_t, x0 = above.images, below.images
    assert above.captions[5] == below.captions[5] == "the end"
    assert np.array_equal(x_t[-1], x0[-1])
    assert np.array_equal(x_t[0], starting_noise([0])[0, 0].numpy())
    assert not np.array_equal(x_t[0], x0[0])


def test_the_way_of_the_estimate_adds_up() -> None:
    found = findings_of(emerging.GRADUAL)[-1]
    thirds = [int(row(found, f"way of it in the {which}")[0].rstrip("%")) for which in emerging.THIRDS]
    assert sum(thirds) == pytest.approx(100, abs=2)
    for curve in found.blocks[0].curves:
        assert points(curve)[1][-1] > 0.1  # the most probable of ten
    one, all_of_them = (row(found, name)[0] for name in ("one estimate", "all 6"))
    assert 0 <= int(one.split()[0]) < 1000
    assert 0 <= int(all_of_them.split()[0]) < 1000


# 18. and 21. Sets of drawings.


@pytest.mark.parametrize("draws", [1, 2, 4])
def test_digits_by_chance_are_those_of_all_draws_that_can_be(draws: int) -> None:
    counts = [len(set(each)) for each in itertools.product(range(10), repeat=draws)]
    mean, spread = digits_by_chance(draws)
    assert mean == pytest.approx(np.mean(counts))
    assert spread == pytest.approx(np.std(counts), abs=1e-6)


def test_twelve_are_counted_as_they_are_captioned() -> None:
    found = findings_of(sets.TWELVE)[-1]
    (pictures,) = found.blocks
    assert len(pictures.images) == 12
    digits = [int(caption.split(",")[0]) for caption in pictures.captions]
    assert digits == recognised(pictures.images).tolist()
    assert row(found, "variety: digits") == (f"{len(set(digits))} of ten", "7.2 ± 1.0 by chance")
    sure = int((readings(pictures.images).max(axis=1) > 0.9).sum())
    assert row(found, "quality: read") == (f"{sure} of 12", "99 of 100")
    assert float(row(found, "quality: to the nearest")[0]) > float(row(found, "quality: to the nearest")[1])


def test_sixteen_and_the_labs_own_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = findings_of(sets.SIXTEEN)[-1]
    assert sum(int(cell) for cell in found.more[0][1].rows[0][1:]) == 16
    assert row(found, "categories")[1] == "8.1 ± 1.0 by chance"
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    monkeypatch.delenv("HUGGINGFACE_HUB_CACHE", raising=False)
    first = next(sets.sixteen(Setup(), "cpu"))
    assert row(first, "the lab's network") == ("not here", "difftui networks --fetch")
    kept = tmp_path / "hub" / f"models--{DEFAULT.replace('/', '--')}"
    (kept / "refs").mkdir(parents=True)
    (kept / "refs" / "main").write_text("abc")
    (kept / "snapshots" / "abc").mkdir(parents=True)
    (kept / "snapshots" / "abc" / "model_index.json").write_text("{}")
    first = next(sets.sixteen(Setup(), "cpu"))
    assert row(first, "the lab's network")[0] == "is here"


# 19., 22. and 23. Numbers of steps.


def test_all_numbers_of_steps_start_alike_and_end_as_the_sampler_does() -> None:
    first, *_, last = findings_of(step_counts.STEPS_50_200)
    few, many, others = (block.images for block in first.blocks)
    assert np.array_equal(few, many)
    assert np.array_equal(others, np.concatenate([few, many]))
    loaded = load_network(("lab",), "lab", "cpu")
    *_, frame = sample(loaded.model, loaded.schedule, sampler="ddim", steps=6, seeds=range(4), clip_x0=True)
    assert last.blocks[2].images[4:] == pytest.approx(frame.x[:, 0].numpy(), abs=1e-4)


def test_distances_are_those_of_the_report() -> None:
    """Of pictures that are drawn here: the shipped digits as if a network had."""
    digits = held_out()
    pictures = clean(digits.images[:40])
    from difftui.experiments.materials import frechet

    told = report(pictures[:, None].astype(np.float32), real=digits)
    assert frechet(pictures) == pytest.approx(told.frechet)
    assert real_frechet(40) == pytest.approx((told.floor, told.floor_spread))


def test_each_number_of_steps_has_its_row_and_its_point() -> None:
    found = findings_of(step_counts.STEPS_FEWER)[-1]
    names = [cells[0] for cells in found.table.rows]
    assert names == ["2 steps", "4 steps", "6 steps", "real digits"]
    assert all(cells[1].endswith(" ms") for cells in found.table.rows[:3])
    ddpm, ddim = found.blocks[1].curves
    assert points(ddpm)[0] == points(ddim)[0] == [2, 4, 6]
    assert found.blocks[0].captions == found.blocks[2].captions == ("2 steps", "4 steps", "6 steps")
    assert found.blocks[1].lines[0][0] == real_frechet(4)[0]


# 20. Who is at fault.


def test_the_exact_denoiser_draws_what_it_knows() -> None:
    seeds = range(5)
    *_, ends = exact_walk(make_schedule("linear", 1000), starting_noise(seeds), seeds, 30)
    known = known_digits().reshape(-1, 784)
    away = np.linalg.norm(ends.reshape(5, 1, 784).numpy() - known[None], axis=2)
    assert away.min(axis=1) == pytest.approx(np.zeros(5), abs=1e-3)
    assert len(set(away.argmin(axis=1))) == 5


def test_under_noise_alone_the_exact_error_is_that_of_the_mean() -> None:
    schedule = make_schedule("linear", 1000)
    error, *_ = exact_errors(schedule, 20, 0)
    t = int(np.abs(10 * np.log10(schedule.snr) - LEVELS[0]).argmin())
    a = schedule.alpha_bar(t)
    # ε̂ - ε = √(a / (1 - a)) (x_0 - x̂0), and x̂0 is near the mean of all known digits.
    mean = known_digits().mean(axis=0)
    spread = float(np.square(clean(held_out().images[:20])[:, None] - mean).mean())
    assert error == pytest.approx(a / (1 - a) * spread, rel=0.1)


def test_only_the_denoiser_differs() -> None:
    found = findings_of(fault.IMPERFECT)[-1]
    assert row(found, "exact denoiser")[0] == "0"
    assert row(found, "lab")[0] == "257 265"
    assert row(found, "lecture")[0] == "4 284 481"
    assert found.blocks[1].title == "lab"
    other = next(REDUCED[fault.IMPERFECT](Setup(network="quick")))
    assert other.table.rows[2][0] == "quick"
    assert [cells[0] for cells in other.table.rows].count("quick") == 1


# 24. The gap.


def test_facts_are_those_of_the_files() -> None:
    found = findings_of(gap.QUALITY_GAP)[-1]
    for name, parameters in (("lab", "257 265"), ("lecture", "4 284 481"), ("toy", "238 689")):
        assert row(found, name)[0] == parameters
        loaded = load_network((name,), name, "cpu")
        assert sum(weight.numel() for weight in loaded.model.parameters()) == int(parameters.replace(" ", ""))
        assert row(found, name)[2] == f"{loaded.step * loaded.recipe.batch_size / 1e6:.2f} M"
    assert row(found, "lab")[2] == "3.00 M"  # 50 epochs of 60 000
    assert row(found, "toy")[1:2] + row(found, "toy")[4:] == ("16×16", "-", "-")
    assert {cells[0] for cells in found.table.rows} >= {run.name for run in shipped_runs()} - {"denoiser"}
    ((_, quoted),) = found.more
    assert [cells[1] for cells in quoted.rows] == ["~100 K", "~30 M", "890 M", "~10 B"]
    toy = found.blocks[0].images[0]
    assert (toy[:6] == -1).all()
    assert (toy[6:22, 6:22] > -1).any()


# 25. From a caption to a picture.


def test_the_stages_are_what_the_network_is_made_of() -> None:
    loaded = load_network(("conditional",), "conditional", "cpu")
    found = findings_of(prompt.PROMPT_TO_IMAGE, Setup(label=4))[-1]
    assert row(found, "caption to label")[0] == '"a four": 4, of 10'
    vector, places = prompt.embedded(loaded, 4)
    assert torch.equal(vector, loaded.model.get_parameter("class_vector.weight")[4])
    assert row(found, "label to numbers")[0] == f"{len(vector)} + {96 * 7 * 7:,}".replace(",", " ")
    assert places.shape == (96, 7, 7)
    *_, frame = loaded.sample([0], [4])
    way, others = (block.images for block in found.blocks)
    assert way[-1] == pytest.approx(frame.x[0, 0].numpy(), abs=1e-5)
    assert others[2] == pytest.approx(way[-1], abs=1e-5)  # w = 0.3 is what ships
    assert row(found, "picture, read")[0].startswith(f"{recognised(way[-1:])[0]}, ")


def test_the_looks_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = load_network(("conditional",), "conditional", "cpu")
    asked: list[int] = []
    hook = loaded.model.register_forward_hook(lambda module, given, told: asked.append(len(given[0])))
    try:
        for findings in prompt.prompt_to_image(Setup(), "cpu"):
            if row(findings, "15 steps")[1] != PENDING:
                break
    finally:
        hook.remove()
    assert row(findings, "15 steps, w = 0.3")[0] == f"network asked {sum(asked)} ×" == "network asked 30 ×"
