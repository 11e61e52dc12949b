"""Each way to lay a step out is timed as a real training."""

import pytest

from difftui.bench.arrangements import ARRANGEMENTS, OURS, arrangement_speed

pytestmark = pytest.mark.slow


def test_an_arrangement_takes_its_turns() -> None:
    other = ARRANGEMENTS[-1]
    seconds = arrangement_speed("quick", [other], turns=1)
    assert list(seconds) == [other]
    assert seconds[other] > 0
    assert OURS in ARRANGEMENTS
    assert len({arrangement.words for arrangement in ARRANGEMENTS}) == len(ARRANGEMENTS)
