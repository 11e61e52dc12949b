"""Round numbers on an axis."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from difftui.ui.plotting.ticks import round_ticks


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6), st.integers(2, 12))
def test_ticks_are_round_evenly_spaced_and_inside(low: float, span: float, most: int) -> None:
    high = low + span
    if high - low < 1e-9 * abs(low):
        return
    ticks = round_ticks(low, high, most)
    assert len(ticks) >= 2
    steps = np.diff(ticks)
    assert np.abs(steps - steps[0]).max() <= 1e-6 * steps[0]
    mantissa = steps[0] / 10 ** math.floor(math.log10(steps[0]) + 1e-6)
    assert min(abs(mantissa - nice) for nice in (1, 2, 2.5, 5, 10)) < 1e-3
    slack = 1e-6 * span
    assert low - slack <= ticks[0]
    assert ticks[-1] <= high + slack
    assert len(ticks) <= max(most, 4)
