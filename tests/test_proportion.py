"""The interval of a share: its own equation, and a published figure."""

import math

import pytest

from difftui.proportion import wilson


@pytest.mark.parametrize(("count", "of"), [(1, 10), (19, 100), (992, 1000), (50, 100)])
def test_both_ends_are_just_so_far_from_what_was_counted(count: int, of: int) -> None:
    for p in wilson(count, of):
        assert abs(count / of - p) / math.sqrt(p * (1 - p) / of) == pytest.approx(1.96, abs=1e-4)


def test_a_published_figure_and_the_ends() -> None:
    """Newcombe (1998), method 3: 81 of 263 and 15 of 148."""
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert wilson(0, 20)[0] == 0.0
    assert wilson(20, 20)[1] == 1.0
    with pytest.raises(ValueError, match="21 of 20"):
        wilson(21, 20)
