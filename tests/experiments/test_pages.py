"""The pages: what they measure against closed forms and the labs' figures, and that they fit their screen."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
import torch
from page_promises import COLUMNS, assert_fits, row

from difftui.data import held_out
from difftui.diffusion import make_schedule, sample, starting_noise
from difftui.errors import DifftuiError
from difftui.experiments import (
    CLAIMS,
    NAMED,
    PAGES,
    Curves,
    Findings,
    Pictures,
    Setup,
    find_page,
    materials,
    sheet,
)
from difftui.experiments import beginnings as beginnings_module
from difftui.experiments.beginnings import beginnings
from difftui.experiments.birth import birth, untrained
from difftui.experiments.losses import LEVELS, loss_under, losses
from difftui.experiments.materials import apart, clean, grain, picture, some_of_each
from difftui.experiments.printed_losses import LECTURE, Readings, by_epoch, fallen, last_readings
from difftui.experiments.reverse import looped, strided, variety
from difftui.experiments.schedules import short
from difftui.experiments.slips import walk_variance
from difftui.experiments.straight_line import line
from difftui.models import build
from difftui.runs import create_run, list_runs, shipped_runs
from difftui.runs.checkpoint import save_tensors
from difftui.training import preset

REDUCED = {
    "line": lambda setup, device: line(setup, device, epochs=20, seeds=3),
    "short": lambda setup, device: short(setup, device, draws=1),
    "loop": lambda setup, device: looped(setup, device, steps=10),
    "start": lambda setup, device: beginnings(setup, device, steps=8),
    "losses": lambda setup, device: losses(setup, device, seen=4),
    "stride": lambda setup, device: strided(setup, device, steps=10),
    "variety": lambda setup, device: variety(setup, device, steps=10),
    "birth": lambda setup, device: birth(setup, device, steps=18),
}
"""The pages that cost seconds, at less than their size."""


USUAL = Setup()


@lru_cache
def findings_of(name: str, setup: Setup = USUAL) -> tuple[Findings, ...]:
    """All that a page finds; where it costs seconds, at reduced size."""
    page = find_page(name)
    return tuple(REDUCED.get(name, page.run)(page.chosen(setup), "cpu"))


# What all pages promise.


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_comes_to_its_end_and_fits_a_narrow_screen(page: object) -> None:
    found = findings_of(page.name)
    assert_fits(page, found)
    last = found[-1]
    assert {type(block) for block in found[0].blocks} == {type(block) for block in last.blocks}
    for block in last.blocks[: last.needed]:  # side by side at the most
        assert len(block.title) <= COLUMNS // last.needed - 1, "a title would be cut"
    for block in last.blocks:
        if isinstance(block, Pictures) and last.needed == 1:  # one row of pictures over all columns
            room = COLUMNS // len(block.images) - 1
            assert max(map(len, block.captions), default=0) <= room, "a caption would be cut"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_of_the_ten_has_what_the_lab_says(page: object) -> None:
    header = " ".join(findings_of(page.name)[-1].table.header)
    assert ("lab says" in header) == (page in PAGES[:10]), header


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_is_not_offered_changes_nothing(page: object) -> None:
    other = Setup(label=3, seed=5, time=0.9, left="sigmoid 1000", right="linear 200", network="lab")
    chosen, usual = page.chosen(other), Setup()
    assert (chosen.label != usual.label) == ("digit" in page.offers)
    assert (chosen.seed != usual.seed) == ("seed" in page.offers)
    assert (chosen.time != usual.time) == ("time" in page.offers)
    assert (chosen.left != usual.left) == (chosen.right != usual.right) == ("schedules" in page.offers)
    assert (
        (chosen.network != usual.network)
        == ("network" in page.offers)
        == bool(page.networks and page.name != "losses")
    )


def test_findings_are_frozen() -> None:
    """What was handed out earlier is not drawn over later."""
    first, *_, last = findings_of("loop")
    assert not np.shares_memory(first.blocks[0].images, last.blocks[0].images)
    assert not np.array_equal(first.blocks[0].images, last.blocks[0].images)


def test_pages_are_found_by_number_and_name() -> None:
    assert CLAIMS == 10
    assert find_page("4") is find_page("loop") is PAGES[3]
    for asked in ("0", "14", "x", ""):
        with pytest.raises(DifftuiError, match="1 to 13"):
            find_page(asked)


# 1. The straight line.


def test_the_labs_success_is_a_rulers() -> None:
    found = findings_of("line")[-1]
    assert row(found, "the network over the line")[0] == "1.00 ×"
    assert row(found, "MSE of the best straight line")[1] == "0.000716, x = 1.1056 y"
    assert row(found, "MSE of answering")[1] == "0.00378"
    assert row(found, "MSE of the network")[1].endswith("at epoch 20")
    assert row(found, "last training loss")[0] == "0.000734"
    said, spent = row(found, "time of the epochs")
    assert said == "32 s for 500"
    assert 0 < float(spent.removesuffix(" s for 20")) < 60
    assert len(found.blocks[1].curves[0].x) == 3  # every start is a point


# 2. and 3. Schedules.


def test_what_the_clipped_cosine_leaves() -> None:
    found = findings_of("clipped")[-1]
    assert row(found, "signal left")[1] == "0.0565"
    assert row(found, "betas at the limit")[1] == "98, from t = 902 on"
    said, measured = row(found, "first and 11th")
    assert said == measured == "4.1284e-05, 8.9871e-05"
    said, measured = row(found, "last ten")
    assert said == measured == "1.9742e-02, 9 × 0.02"
    ((_, both),) = found.more
    assert {cells[0]: cells[1] for cells in both.rows}["950"] == "0.0200"
    assert 0.12 < float(row(found, "digits told")[1].split("%")[0]) / 100 < 0.22


def test_a_thousand_looks_bring_out_what_is_left_and_nothing_else() -> None:
    pictures = findings_of("clipped")[-1].blocks[0].images.astype(np.float64)
    digit, *grown = pictures
    alike = [np.corrcoef(digit.ravel(), each.ravel())[0, 1] for each in grown]
    # Corr² of √(nᾱ) x_0 + ε with x_0, of variance v, is nᾱv / (nᾱv + 1-ᾱ): 0.72 for n = 1000.
    assert alike[0] == pytest.approx(0.72, abs=0.05)
    assert abs(alike[1]) < 0.25
    assert abs(alike[2]) < 0.15


def test_two_hundred_steps_and_five_crossings() -> None:
    found = findings_of("short")[-1]
    crossings = {name: row(found, name)[1] for name, *_ in found.table.rows}
    assert crossings == {
        "linear 200": "t = 117, 59%",
        "scaled-linear 200": "t = 51, 26%",
        "cosine 200": "t = 99, 50%",
        "linear 1000": "t = 259, 26%",
        "cosine 1000": "t = 496, 50%",
    }
    left = float(row(found, "linear 200")[2])
    assert left == pytest.approx(0.36, abs=0.005)
    assert left**2 == pytest.approx(0.132, abs=0.001)
    told = {name: int(row(found, name)[3].rstrip("%")) for name, *_ in found.table.rows}
    assert told.pop("linear 200") > 60
    assert all(5 <= share <= 15 for share in told.values())


# 4., 9. and 10. The way back.


def test_the_loop_ends_in_one_picture_and_the_right_step_in_many() -> None:
    found = findings_of("loop")[-1]
    loop, right, real = (float(cell) for cell in row(found, "how far")[1:])
    assert loop < 0.5 * right
    assert right == pytest.approx(real, rel=0.4)
    _, looped_noise, right_noise, _ = row(found, "noise found")
    assert float(looped_noise) < float(right_noise) == pytest.approx(1.0, abs=0.1)


def test_the_plain_formula_leaves_noise() -> None:
    found = findings_of("stride")[-1]
    naive, ddpm, ddim, real = (float(row(found, name)[1]) for name in ("the plain", "DDPM", "DDIM", "real"))
    assert naive > 1.5 * max(ddpm, ddim) > real
    grains = [float(row(found, name)[2]) for name in ("the plain", "DDPM", "DDIM", "real")]
    assert grains[0] > 2 * max(grains[1:])


def test_the_start_alone_gives_variety() -> None:
    found = findings_of("variety")[-1]
    free, fixed, noisy, real = (float(cells[2]) for cells in found.table.rows)
    assert fixed == 0.0
    assert min(free, noisy) > 0.6 * real
    assert len(set(row(found, "one start, no noise")[2].split())) == 1


# 5. Beginnings.


def test_a_demo_from_a_noised_digit_repairs_it() -> None:
    found = findings_of("start")[-1]
    kept = row(found, "digits kept, from t = 2")[1]
    assert int(kept.split(",")[0]) >= 18
    assert int(row(found, "digits kept, from pure noise")[1].split()[0]) <= 8
    assert float(row(found, "error of ε")[1].split()[0]) > 2.0


# 6. Targets.


def test_one_answer_gives_all_errors_by_their_closed_forms() -> None:
    for t in (50, 500, 900):
        found = findings_of("targets", Setup(time=t / 999))[-1]
        assert found.time == (t, 999)
        error = {cells[0]: float(cells[2]) for cells in found.table.rows}
        schedule = make_schedule("linear", 1000)
        a, before, beta = schedule.alpha_bars[t], schedule.alpha_bars[t - 1], schedule.betas[t]
        assert error["x_0"] == pytest.approx(error["ε"] * (1 - a) / a, rel=0.02)
        assert error["v"] == pytest.approx(error["ε"] / a, rel=0.02)  # v̂ - v = (ε̂ - ε) / √ᾱ
        weight = np.sqrt(before) * beta / (1 - a)
        assert error["x_{t-1}"] == pytest.approx(weight**2 * error["x_0"], rel=0.02)


# 7. Losses.


def test_a_loss_is_the_mean_over_a_schedules_times() -> None:
    linear = make_schedule("linear", 1000)
    assert loss_under(linear, [0.25] * len(LEVELS)) == pytest.approx(0.25)
    # An error whose logarithm is straight in decibels is met exactly within the levels.
    errors = [10 ** (level / 40) for level in LEVELS]
    inside = np.clip(10 * np.log10(linear.snr), LEVELS[0], LEVELS[-1])
    assert loss_under(linear, errors) == pytest.approx(float(np.mean(10 ** (inside / 40))))


def test_the_same_network_has_other_losses_under_other_schedules() -> None:
    found = findings_of("losses")[-1]
    trained, said, own, linear, cosine = row(found, "lab")
    assert (trained, said) == ("linear 1000", "0.030")
    assert own == linear
    assert float(cosine) > 1.3 * float(linear)
    assert float(own) == pytest.approx(0.0277, rel=0.4)  # four digits only
    (_, told), (_, by_level), (_, epochs) = found.more
    assert len(by_level.rows) == len(LEVELS)
    assert epochs.rows[0][:2] == ("1", "0.2830")
    assert epochs.rows[-1][:2] == ("23", "0.1845")
    printed = {name.strip(): (said, ours) for name, said, ours in told.rows}
    assert printed["Lecture: epochs 1, 5, 23"][0] == "0.2830, 0.1971, 0.1845"
    assert printed["of the fall, by epoch 5"] == ("87%", "92%")
    assert printed["Solution: mean, the end"] == ("0.0304", "0.0287")
    assert printed["lowest, highest, batches"][0] == "0.020, 0.057, 53"
    assert max(sum(map(len, cells)) + 4 for cells in told.aligned()) <= COLUMNS - 4


def test_the_lectures_losses_are_all_there() -> None:
    assert len(LECTURE) == 23
    assert np.mean(LECTURE) == pytest.approx(0.19470, abs=5e-6)


def test_losses_by_epoch_are_means_of_the_steps() -> None:
    """Against losses of single steps, averaged directly."""
    losses_of_steps = np.random.default_rng(0).random(60)
    ends = [7, 15, 20, 31, 40, 60]
    rows = [
        {"step": end, "loss": part.mean(), "low": part.min(), "high": part.max()}
        for end, part in zip(ends, np.split(losses_of_steps, ends[:-1]), strict=True)
    ]
    thirds = losses_of_steps.reshape(3, 20).mean(axis=1)  # rows end where these do
    assert by_epoch(rows, 3) == pytest.approx(thirds)
    last = losses_of_steps[20:]
    assert last_readings(rows, 3) == Readings(last.min(), last.max(), pytest.approx(last.mean()), 40)
    assert fallen([3.0, 2.0, 1.0], 2) == 0.5


# 8. Slips.


def test_paths_of_deviation_root_dt_have_variance_t_and_the_others_do_not() -> None:
    for steps in (100, 1000):
        right, wrong = walk_variance(steps, seed=1)
        spread = 10.0 * 3 * np.sqrt(2 / 2000)  # three standard deviations of a variance from 2000 paths
        assert right[-1] == pytest.approx(10.0, abs=spread)
        assert wrong / np.maximum(right, 1e-12) == pytest.approx([0.0] + [np.sqrt(steps / 10.0)] * steps)


def test_the_slips_are_counted() -> None:
    found = findings_of("slips")[-1]
    assert row(found, "the toy network's")[1] == "238 689; 3×3 alone 231 297"
    ((_, counted),) = found.more
    assert ("lab-unet", "257 265", "257 265") in counted.rows
    assert {cells[-1] for cells in counted.rows} >= {"4 284 481", "949 184"}
    assert row(found, "signal left") == ("√α_t = 0.9950", "√ᾱ_t = 0.2789")


# To try.


def test_two_schedules_share_digit_and_noise() -> None:
    found = findings_of("ab", Setup(time=1.0, left="clipped-cosine 1000", right="cosine 1000"))[-1]
    assert row(found, "signal left at T")[0] == "0.0565"
    left, right = (block.images for block in found.blocks[:2])
    assert np.array_equal(left[0], left[1])  # at the end of time x_t is x_T
    x0 = picture(Setup())
    a = [float(make_schedule(kind, 1000).alpha_bars[-1]) for kind in ("clipped-cosine", "cosine")]
    noises = [
        (x - np.sqrt(level) * x0) / np.sqrt(1 - level)
        for x, level in zip((left[1], right[1]), a, strict=True)
    ]
    assert noises[0] == pytest.approx(noises[1], abs=1e-5)
    assert {*NAMED.values()} >= {("linear", 200), ("scaled-linear", 200)}


def test_five_noises_have_the_signal_in_common() -> None:
    found = findings_of("noises", Setup(time=0.2))[-1]
    for said, measured in (cells[1:] for cells in found.table.rows):
        assert float(measured) == pytest.approx(float(said), rel=0.06)
    images = found.blocks[0].images
    assert images[5] == pytest.approx(images[:5].mean(axis=0), abs=1e-6)


# Materials.


def test_measures_of_pictures() -> None:
    zeros, ones = np.zeros((1, 28, 28)), np.ones((1, 28, 28))
    assert apart(np.concatenate([zeros, ones])) == 28.0
    assert grain(ones) == 0.0
    # |a - b| of two independent standard normals is 2/√π on average.
    assert grain(np.random.default_rng(0).standard_normal((50, 28, 28))) == pytest.approx(
        2 / np.sqrt(np.pi), rel=0.02
    )
    digits = some_of_each(2)
    assert digits.shape == (20, 28, 28)
    first = held_out().images[held_out().of_class(3)[0]]
    assert np.array_equal(digits[3], clean(first))


def test_a_sheet_begins_each_block_on_a_new_row() -> None:
    three, five = np.full((3, 2, 2), 0.5), np.full((5, 2, 2), 2.0)
    images, columns = sheet([Pictures("", three), Pictures("", five, columns=2)])
    assert columns == 3
    filled = images.reshape(-1, 3, 4).max(axis=2)
    assert filled.tolist() == [[0.5] * 3, [1, 1, -1], [1, 1, -1], [1, -1, -1]]


def test_curves_are_drawn_within_their_axes() -> None:
    for page in PAGES:
        for block in findings_of(page.name)[-1].blocks:
            if isinstance(block, Curves):
                assert block.curves
                for curve in block.curves:
                    assert len(curve.x) == len(curve.y) > 0


# Networks that ship later.


def test_networks_that_come_to_ship_take_their_places(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("toy", "lecture"):
        recipe = preset(name)
        weights = build(recipe.model, **recipe.model_options).state_dict()
        path = create_run(name, recipe.to_json()).weights_path
        save_tensors(path, weights, {"recipe": recipe.to_json(), "step": "0"})
    monkeypatch.setattr(materials, "shipped_runs", lambda: [*list_runs(), *shipped_runs()])
    monkeypatch.setattr(beginnings_module, "SEEN", 2)
    materials._loaded.cache_clear()
    *_, found = losses(Setup(), "cpu", names=("toy", "lecture"), seen=2)
    assert row(found, "toy")[:2] == ("scaled-linear 200", "0.05")
    assert row(found, "lecture")[:2] == ("clipped-cosine 1000", "0.18")
    # Untrained, they say next to nothing, which errs by the noise's own variance.
    assert all(0.5 < float(row(found, name)[2]) < 3 for name in ("toy", "lecture"))
    *_, found = beginnings(Setup(), "cpu", steps=4)
    assert row(found, "the net that takes none")[1].startswith("MSE ")
    assert [curve.label for curve in found.blocks[2].curves][2] == "lecture, takes none"
    materials._loaded.cache_clear()


# 13. From noise, untrained and trained.


def test_untrained_weights_end_in_noise_and_trained_ones_where_sampling_does() -> None:
    found = findings_of("birth")
    trained, fresh, expected = (block.images for block in found[-1].blocks)
    (x_T,) = starting_noise((0,))[0].numpy()
    for findings in found:
        assert np.array_equal(findings.blocks[0].images[0], x_T)
        assert np.array_equal(findings.blocks[1].images[0], x_T)
    loaded = materials.load_network(("lab",), "", "cpu")
    frames = list(sample(loaded.model, loaded.schedule, sampler="ddpm", steps=18, seeds=(0,), clip_x0=True))
    assert [len(images) for images in (trained, fresh, expected)] == [10, 10, 10]
    for place in range(1, 10):  # every second of eighteen steps
        assert trained[place] == pytest.approx(frames[2 * place - 1].x[0, 0].numpy(), abs=1e-4)
        if place < 9:
            assert expected[place] == pytest.approx(frames[2 * place].x0_hat[0, 0].numpy(), abs=1e-4)
    assert np.array_equal(expected[-1], trained[-1])
    assert grain(fresh[-1]) > 0.6 > 3 * grain(trained[-1])
    away = [float(cell) for cell in row(found[-1], "to a real digit, trained")]
    assert away[0] == float(row(found[-1], "to a real digit, untrained")[0]) > 1.5 * away[-1]
    signal = [float(cell) for cell in row(found[-1], "signal")]
    times = [int(cell.removeprefix("t = ")) for cell in found[-1].table.header[1:-1]]
    levels = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))[times]
    assert signal == pytest.approx([*np.sqrt(levels), 1.0], rel=0.06)


def test_untrained_weights_are_fresh_and_always_the_same() -> None:
    loaded = materials.load_network(("lab",), "", "cpu")
    before = torch.random.get_rng_state()
    first, second = (untrained(loaded, "cpu").model.state_dict() for _ in range(2))
    assert torch.equal(before, torch.random.get_rng_state())
    for name, weights in loaded.model.state_dict().items():
        assert torch.equal(first[name], second[name])
        assert first[name].shape == weights.shape
    assert not all(torch.equal(first[name], kept) for name, kept in loaded.model.state_dict().items())
