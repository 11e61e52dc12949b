"""The pages of the discussions: against closed forms, NumPy's SVD, a linear denoiser and sampling itself."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
import torch
from page_promises import assert_fits, row
from torch import Tensor, nn

from difftui.data import bundled, held_out
from difftui.diffusion import PointsDenoiser, make_schedule, sample, starting_noise
from difftui.experiments import PAGES as LABS
from difftui.experiments import Findings, Page, Setup
from difftui.experiments.materials import clean, load_network, picture
from difftui.experiments.page import Run
from difftui.experiments.questions import QUESTIONS
from difftui.experiments.questions.constrained import block_means, filled, from_means, spread
from difftui.experiments.questions.inpainting import INPAINT, inpaint
from difftui.experiments.questions.inverting import BEYOND, TWO_ANSWERS, beyond, two_answers
from difftui.experiments.questions.latents import LATENTS, components, latents, needed
from difftui.experiments.questions.one_call import ONE_CALL, one_call
from difftui.experiments.questions.sharpening import SHARPEN, sharpen
from difftui.training.loading import LoadedModel

STEPS = 10
REDUCED: dict[str, Run] = {
    "inpaint": lambda setup, device: inpaint(setup, device, steps=STEPS, rounds=2),
    "sharpen": lambda setup, device: sharpen(setup, device, steps=STEPS),
    "one-call": one_call,
    "latents": latents,
    "beyond": lambda setup, device: beyond(setup, device, steps=600),
    "two-answers": lambda setup, device: two_answers(setup, device, steps=600),
}
PAGES = (INPAINT, SHARPEN, ONE_CALL, LATENTS, BEYOND, TWO_ANSWERS)
USUAL = Setup()


@lru_cache
def findings_of(name: str) -> tuple[Findings, ...]:
    """All that a page finds, at reduced size."""
    return tuple(REDUCED[name](USUAL, "cpu"))


# What all pages promise.


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_comes_to_its_end_and_fits_a_narrow_screen(page: Page) -> None:
    found = findings_of(page.name)
    assert_fits(page, found)
    assert all(not findings.seen for findings in found[:-1])


def test_names_are_as_many_as_pages_and_all_are_asked_about() -> None:
    names = [
        page.name for page in (*LABS, *{question.page.name: question.page for question in QUESTIONS}.values())
    ]
    own = {page.name for page in PAGES}
    assert all(names.count(name) == 1 for name in own)
    assert own <= {question.page.name for question in QUESTIONS if question.number > 25}
    assert {question.page.source for question in QUESTIONS if question.page in PAGES} <= {"Brief", "Lecture"}


def test_importing_the_pages_imports_no_torch() -> None:
    code = "import sys, difftui.experiments.questions; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("page", PAGES[:3], ids=lambda page: page.name)
def test_findings_are_frozen(page: Page) -> None:
    first, *_, last = findings_of(page.name)
    assert not np.shares_memory(first.blocks[0].images, last.blocks[0].images)
    assert not np.array_equal(first.blocks[0].images, last.blocks[0].images)


# 32. Known pixels.


class Exact(nn.Module):
    """Answers with the exact noise where every clean picture is one of a few known ones."""

    def __init__(self, points: np.ndarray) -> None:
        super().__init__()
        self.image_shape = points.shape[1:]
        self.unused = nn.Parameter(torch.zeros(1))  # by which its device is found
        self.exact = PointsDenoiser(make_schedule("linear", 1000), points)

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        return torch.from_numpy(self.exact(x.numpy().astype(np.float64), int(t[0])).eps).to(x)


def knowing(points: np.ndarray) -> LoadedModel:
    """A network that knows these pictures (N, 1, H, W) and no others."""
    loaded = load_network(("quick",), "", "cpu")
    recipe = replace(loaded.recipe, target="eps")
    return replace(loaded, model=Exact(points), recipe=recipe, schedule=make_schedule("linear", 1000))


@pytest.mark.parametrize("rounds", [1, 3])
def test_what_is_filled_in_agrees_with_what_is_known(rounds: int) -> None:
    """Of (1, 1) and (-1, -1) the first pixel is known to be 1: then the second is, too."""
    loaded = knowing(np.array([[1.0, 1.0], [-1.0, -1.0]]).reshape(2, 1, 1, 2))
    x0, known = torch.tensor([1.0, -7.0]).reshape(1, 1, 1, 2), torch.tensor([1.0, 0.0]).reshape(1, 1, 1, 2)
    seeds = range(40)
    x_T = starting_noise(seeds, (1, 1, 2))
    *_, x = filled(loaded, x0, known, x_T, seeds, 100, rounds=rounds)
    assert torch.equal(x[..., 0], torch.ones(40, 1, 1))
    assert float((x[..., 1] > 0.99).float().mean()) > 0.9
    free = list(sample(loaded.model, loaded.schedule, sampler="ddpm", steps=100, x_T=x_T, seeds=seeds))[-1].x
    assert 10 <= int((free[..., 1] > 0.99).sum()) <= 30


def test_two_right_fillings_are_both_drawn() -> None:
    points = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, -1.0], [-1.0, -1.0]]).reshape(4, 1, 1, 2)
    x0, known = torch.ones(1, 1, 1, 2), torch.tensor([1.0, 0.0]).reshape(1, 1, 1, 2)
    seeds = range(60)
    *_, x = filled(knowing(points), x0, known, starting_noise(seeds, (1, 1, 2)), seeds, 100, rounds=2)
    assert 15 <= int((x[..., 1] > 0.99).sum()) <= 45
    assert float(x[..., 1].abs().min()) > 0.99


def test_hidden_pixels_are_not_looked_at_and_steps_are_asked_for_as_often_as_said() -> None:
    loaded = load_network(("quick",), "", "cpu")
    x0 = torch.from_numpy(picture(USUAL).astype(np.float32))[None, None]
    known = torch.zeros_like(x0)
    known[..., :14, :] = 1.0
    x_T = starting_noise((0,))
    calls: list[int] = []
    handle = loaded.model.register_forward_hook(lambda *_: calls.append(1))
    try:
        ends = [
            list(filled(loaded, each, known, x_T, (0,), 5, rounds=3))
            for each in (x0, x0 * known + 9 * (1 - known))
        ]
    finally:
        handle.remove()
    assert len(calls) == 2 * len(ends[0]) == 2 * (3 * 4 + 1)
    assert torch.equal(ends[0][-1], ends[1][-1])
    assert torch.equal(ends[0][-1] * known, x0 * known)


def test_the_page_of_known_pixels_measures_them() -> None:
    found = findings_of("inpaint")[-1]
    ((_, cost),) = found.more
    assert cost.rows[0][1:] == (str(STEPS), str(STEPS), str(2 * (STEPS - 1) + 1))
    assert cost.rows[1][1:] == ("0", "0", "0")
    digit = picture(USUAL)
    assert np.array_equal(found.blocks[1].images[0], digit.astype(np.float32))
    for block in found.blocks:
        assert all(np.array_equal(image[:14], digit[:14].astype(np.float32)) for image in block.images[1:])
    seams = [float(cell) for cell in row(found, "seam")]
    assert seams[0] > 1.5 * max(seams[1:3])
    assert seams[3] == pytest.approx(np.abs(digit[14] - digit[13]).mean(), rel=0.06)


# 33. Known means.


def test_drawings_have_the_block_means_asked_for_and_are_no_copies() -> None:
    found = findings_of("sharpen")[-1]
    known, *drawings, digit = found.blocks[0].images.astype(np.float64)
    assert np.array_equal(digit.astype(np.float32), picture(USUAL).astype(np.float32))
    means = digit.reshape(7, 4, 7, 4).mean(axis=(1, 3))
    assert known == pytest.approx(np.kron(means, np.ones((4, 4))), abs=1e-6)
    for drawing in drawings:
        assert drawing.reshape(7, 4, 7, 4).mean(axis=(1, 3)) == pytest.approx(means, abs=1e-5)
        assert np.linalg.norm(drawing - digit) > 2.0
    off = [float(cell) for cell in row(found, "block means")]
    assert off[0] < 1e-6
    assert off[1] < 1e-5 < 0.5 < off[2]
    blocks, fitted, free = (float(cell) for cell in row(found, "distance"))
    assert blocks == pytest.approx(np.linalg.norm(known - digit), rel=0.01)
    assert fitted < 0.7 * free


def test_a_mean_that_only_one_known_picture_has_brings_it_back_mostly() -> None:
    """The projection is no exact sampler: now and then it ends in a mixture that has the mean, too."""
    points = np.array([[[1.0, -1.0], [-1.0, -1.0]], [[1.0, 1.0], [1.0, -1.0]]])[:, None]
    x_T = starting_noise(range(20), (1, 2, 2))
    for point in points:
        means = torch.full((1, 1, 1, 1), float(point.mean()))
        *_, x = from_means(knowing(points), means, x_T, range(20), 100)
        assert np.mean(np.abs(x.numpy() - point).max(axis=(1, 2, 3)) < 0.02) >= 0.7
        assert block_means(x, 2).flatten().numpy() == pytest.approx(float(point.mean()), abs=1e-6)


def test_spreading_is_undone_by_the_mean() -> None:
    means = torch.randn(2, 1, 7, 7, generator=torch.Generator().manual_seed(0))
    assert spread(means, 4).shape == (2, 1, 28, 28)
    assert torch.allclose(block_means(spread(means, 4), 4), means)


# 29. and 30. One call.


def test_one_call_is_one_and_knows_next_to_nothing() -> None:
    found = findings_of("one-call")[-1]
    one, _, many, whole, real = row(found, "how far")
    assert float(one) < 0.3 * float(many)
    assert float(many) == pytest.approx(float(real), rel=0.3)
    assert whole == "not drawn"
    loaded = load_network(("quick",), "", "cpu")
    seeds = tuple(range(6))
    for block, steps in zip(found.blocks, (1, 5, 25), strict=True):
        *_, frame = sample(
            loaded.model, loaded.schedule, sampler="ddim", steps=steps, seeds=seeds,
            target=loaded.recipe.target, clip_x0=True,
        )  # fmt: skip
        assert block.images == pytest.approx(frame.x[:4, 0].numpy(), abs=1e-4)
    seconds = [
        float(number) / (1000 if unit == "ms" else 1)
        for number, unit in re.findall(r"([\d.]+) (ms|s)", " ".join(row(found, "time")))
    ]
    assert np.divide(seconds, seconds[0]) == pytest.approx([1, 5, 25, 1000], rel=0.1)


# 36. Latents.


def test_components_are_those_of_the_singular_value_decomposition() -> None:
    mean, directions, variance = components()
    digits = clean(bundled().images).reshape(-1, 784)
    assert variance.sum() == pytest.approx(digits.var(axis=0).sum(), rel=1e-9)
    _, singular, right = np.linalg.svd(digits[:, :] - mean, full_matrices=False)
    assert variance == pytest.approx(singular**2 / len(digits), abs=1e-6)
    assert np.abs(np.sum(directions[:20] * right[:20], axis=1)) == pytest.approx(1.0, abs=1e-6)
    assert needed(np.array([6.0, 3.0, 1.0]), 0.6) == 1
    assert needed(np.array([6.0, 3.0, 1.0]), 0.61) == 2
    assert needed(np.array([6.0, 3.0, 1.0]), 1.0) == 3
    found = findings_of("latents")[-1]
    kept = np.cumsum(singular**2) / np.sum(singular**2)
    for share in (0.9, 0.95, 0.99):
        count = int(row(found, f"{share:.0%}")[0])
        assert kept[count - 2] < share <= kept[count - 1]
    others = clean(held_out().images[:500]).reshape(500, -1) - mean
    count = int(row(found, "95%")[0])
    left = np.square(others @ right[:count].T).sum() / np.square(others).sum()
    assert row(found, "95%")[3] == f"{left:.1%}"
    assert row(found, "Stable Diffusion")[:3] == ("16 384", "786 432", "48.0 ×")
    digit = picture(USUAL).ravel() - mean
    told = mean + right[:count].T @ (right[:count] @ digit)
    assert found.blocks[0].images[2].ravel() == pytest.approx(told, abs=1e-6)


# 26. and 27. Inverting.


def test_answers_leave_arcsin_where_the_data_end() -> None:
    found = findings_of("beyond")[-1]
    for y in (0.5, 0.8, 0.95):
        exact, regression, drawn = row(found, f"y = {y:g}")
        assert float(exact) == pytest.approx(math.asin(y), abs=6e-4)
        near = 0.05 if y < 0.84 else 0.3
        assert float(regression) == pytest.approx(math.asin(y), abs=near)
        assert float(drawn.split(" ± ")[0]) == pytest.approx(math.asin(y), abs=near)
    assert math.asin(0.95) - float(row(found, "y = 0.95")[1]) > 0.05
    assert row(found, "y = 1.2")[0] == "none"


def test_a_mean_is_no_answer_and_draws_are_either() -> None:
    found = findings_of("two-answers")[-1]
    for y in (0.2, 0.5, 0.8):
        branches, regression, shares, off = row(found, f"y = {y:g}")
        left, right = (float(part) for part in branches.split(" and "))
        assert (left, right) == pytest.approx((math.asin(y), math.pi - math.asin(y)), abs=6e-4)
        assert float(regression) == pytest.approx(math.pi / 2, abs=0.15)
        assert int(shares.split("%")[0]) == pytest.approx(50, abs=12)
        assert float(off) < 0.1
    best, regression, drawn, _ = row(found, "MSE")
    floor = math.pi**2 / 12
    assert best == f"{floor:.3f} at best"
    assert floor - 0.01 < float(regression) < floor + 0.05
    assert float(drawn) == pytest.approx(2 * floor, abs=0.3)  # two independent draws of one spread
