"""The forward step told three ways: its figures are the schedule's, and its pseudocode runs."""

import math
import re
from typing import Any

import numpy as np
import pytest

from difftui.diffusion import add_noise, make_schedule
from difftui.diffusion.told import Pixel, forward_told

CASES = [
    ("linear", 1000, 259),
    ("linear", 1000, 999),
    ("cosine", 200, 0),
    ("sigmoid", 10, 9),
    ("linear", 2, 1),
]
COLUMNS = 78


@pytest.mark.parametrize(("kind", "T", "t"), CASES)
def test_the_pseudocode_is_the_forward_process(kind: str, T: int, t: int) -> None:
    schedule = make_schedule(kind, T)
    rng = np.random.default_rng(3)
    x_0, eps = rng.uniform(-1, 1, (4, 4)), rng.standard_normal((4, 4))
    given: dict[str, Any] = {
        "beta": schedule.betas,
        "x_0": x_0,
        "eps": eps,
        "sqrt": math.sqrt,
        "normal": np.zeros,
    }
    leap, step = forward_told(schedule, t)
    exec("\n".join(leap.code), given)
    np.testing.assert_allclose(given["x_t"], add_noise(x_0, eps, schedule.alpha_bar(t)), rtol=1e-12)
    # Small steps without noise keep as much as the leap; from nothing, they gather its noise.
    exec("\n".join(step.code), given)
    np.testing.assert_allclose(given["x_t"], add_noise(x_0, 0 * eps, schedule.alpha_bar(t)), rtol=1e-12)
    many = np.zeros(20_000)
    exec("\n".join(step.code), given := {**given, "x_0": many, "normal": rng.standard_normal})
    spread = np.sqrt(2 / len(many))  # of a variance, in parts of itself
    assert given["x_t"].var() == pytest.approx(1 - schedule.alpha_bar(t), rel=5 * spread)


@pytest.mark.parametrize(("kind", "T", "t"), CASES)
def test_all_three_have_the_schedules_figures(kind: str, T: int, t: int) -> None:
    schedule = make_schedule(kind, T)
    a, beta = np.cumprod(1 - schedule.betas)[t], schedule.betas[t]
    leap, step = forward_told(schedule, t, Pixel(3, 4, 1.0, -0.5))
    for told, kept, added in ((leap, a, 1 - a), (step, 1 - beta, beta)):
        for text in (told.symbols[-2 if told is leap else -1], told.code[-1]):
            found = [float(n) for n in re.findall(r"\d\.\d+(?:e-\d+)?", text)][-2:]
            assert found == pytest.approx([math.sqrt(kept), math.sqrt(added)], rel=5.1e-4)
        share = re.search(r"[Kk]eeps? ([\d.]+)%", told.words)
        size = re.search(r"noise of size ([\d.e-]+\d)", told.words)
        assert share
        assert float(share[1]) / 100 == pytest.approx(math.sqrt(kept), rel=5.1e-3)
        assert size
        assert float(size[1]) == pytest.approx(math.sqrt(added), rel=5.1e-3)
        assert max(map(len, (*told.symbols, *told.code, told.needs))) <= COLUMNS - 4
    assert float(leap.symbols[-1].split("= ")[-1]) == pytest.approx(
        math.sqrt(a) - 0.5 * math.sqrt(1 - a), abs=6e-4
    )


def test_who_leads_changes_where_the_snr_falls_below_one() -> None:
    schedule = make_schedule("linear", 1000)
    assert "the digit still leads" in forward_told(schedule, 258)[0].words
    assert "noise leads" in forward_told(schedule, 259)[0].words
    for t in (-1, 1000):
        with pytest.raises(ValueError, match=r"outside 0 \.\.\. 999"):
            forward_told(schedule, t)


def test_the_pixel_is_the_brightest() -> None:
    x0, eps = np.full((3, 4), -1.0), np.arange(12.0).reshape(3, 4)
    x0[1, 2] = 0.8
    assert Pixel.brightest(x0, eps) == Pixel(1, 2, 0.8, 6.0)
