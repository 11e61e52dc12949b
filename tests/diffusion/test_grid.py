"""Respaced grids, against their definition and the peer's "linspace"."""

from itertools import pairwise

import pytest
from diffusers import DDPMScheduler
from hypothesis import given
from hypothesis import strategies as st

from difftui.diffusion import timesteps, transitions

T_AND_STEPS = st.integers(1, 10_000).flatmap(lambda T: st.tuples(st.just(T), st.integers(1, T)))


@given(T_AND_STEPS)
def test_a_grid_falls_strictly_from_noise_to_the_first_step(sizes: tuple[int, int]) -> None:
    T, steps = sizes
    grid = timesteps(T, steps)
    assert len(grid) == steps
    assert grid[0] == T - 1
    assert all(t > s for t, s in pairwise(grid))
    if steps >= 2:
        assert grid[-1] == 0


@given(T_AND_STEPS)
def test_a_grid_is_as_even_as_whole_numbers_allow(sizes: tuple[int, int]) -> None:
    T, steps = sizes
    if steps >= 2:
        gap = (T - 1) / (steps - 1)
        assert all(abs(t - (T - 1 - i * gap)) <= 0.5 + 1e-9 for i, t in enumerate(timesteps(T, steps)))


@given(T_AND_STEPS)
def test_transitions_join_up_and_end_at_the_clean_picture(sizes: tuple[int, int]) -> None:
    T, steps = sizes
    jumps = transitions(T, steps)
    assert tuple(t for t, _ in jumps) == timesteps(T, steps)
    assert tuple(s for _, s in jumps) == (*timesteps(T, steps)[1:], -1)


@pytest.mark.parametrize("steps", [2, 7, 25, 50, 61, 103, 121, 333, 999, 1000])
def test_the_grid_is_the_peers_linspace(steps: int) -> None:
    peer = DDPMScheduler(timestep_spacing="linspace")
    peer.set_timesteps(steps)
    assert timesteps(1000, steps) == tuple(peer.timesteps.tolist())


def test_the_full_grid_visits_every_timestep() -> None:
    assert timesteps(1000, 1000) == tuple(range(999, -1, -1))


@pytest.mark.parametrize("steps", [0, -1, 101, 10.0, None, True])
def test_a_wrong_number_of_steps_is_refused(steps: object) -> None:
    with pytest.raises(ValueError, match="steps must be a whole number from 1 to T = 100"):
        timesteps(100, steps)
