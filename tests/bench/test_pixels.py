"""The bytes of a frame are promised; they depend on nothing but the code. Times are reported, not tested."""

import numpy as np
import pytest

from difftui.bench import pixels
from difftui.data import bundled
from difftui.diffusion import make_schedule

pytestmark = pytest.mark.usefixtures("no_rest")


@pytest.fixture(autouse=True)
def wide_palette(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("COLORTERM", raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)


def test_a_digit_of_noise_keeps_its_promise() -> None:
    cost = pixels.measure(pixels.noise(pixels.WARM_UP + 30)[:, 0])
    assert cost.frames == 30
    assert cost.bytes_median <= 5000
    assert cost.bytes_max <= 5500
    assert cost.draw_ms > 0
    assert cost.app_ms >= cost.draw_ms


def test_a_late_frame_costs_little_and_one_step_of_a_walk_less() -> None:
    digits, schedule = bundled().images[: pixels.WARM_UP + 10], make_schedule("linear", 1000)
    other_digits = pixels.measure(pixels.noised(digits, schedule.alpha_bar(10)))
    assert other_digits.bytes_median <= 1200
    steps = pixels.walk(digits[7], first=60, steps=pixels.WARM_UP + 30)
    assert pixels.measure(steps).bytes_median <= 300, "what cannot be seen to change is not sent"


def test_noised_is_the_forward_process() -> None:
    digits = np.zeros((2, 28, 28), np.uint8)
    digits[1] = 255
    assert np.abs(pixels.noised(digits, 1.0)[0] + 1.0).max() == 0
    assert np.abs(pixels.noised(digits, 1.0)[1] - 1.0).max() == 0
    pure = pixels.noised(np.repeat(digits, 50, axis=0), 0.0)
    assert abs(pure.mean()) < 0.02
    assert abs(pure.std() - 1.0) < 0.02
