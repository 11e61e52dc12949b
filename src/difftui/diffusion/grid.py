"""Respaced time grids: which timesteps a sampler visits when it takes fewer steps than the schedule has."""

from __future__ import annotations

from itertools import pairwise

import numpy as np


def timesteps(T: int, steps: int) -> tuple[int, ...]:
    """The timesteps at which the network is asked, evenly spread over the schedule.

    They fall strictly from ``T - 1``, where there is only noise, to 0; a single step visits ``T - 1``
    alone. ``steps`` need not divide ``T``. This is the spacing called "linspace" by Lin et al. (2023),
    Common Diffusion Noise Schedules and Sample Steps are Flawed, table 2.

    Args:
        T: The length of the schedule.
        steps: How many timesteps to visit, 1 ... T.

    Returns:
        ``steps`` integers.

    Raises:
        ValueError: If ``steps`` is not a whole number from 1 to ``T``.

    Example:
        >>> timesteps(1000, 5)
        (999, 749, 500, 250, 0)
    """
    _check_steps(T, steps)
    if steps == 1:
        return (T - 1,)
    rising = np.linspace(0, T - 1, steps).round()
    return tuple(int(t) for t in rising[::-1])


def transitions(T: int, steps: int) -> tuple[tuple[int, int], ...]:
    """The jumps ``(t, s)`` that a sampler makes on that grid.

    The last lands on ``s = -1``, the clean picture. Both times of a jump come from one grid, so that no
    sampler has to guess where it goes next.

    Args:
        T: The length of the schedule.
        steps: How many jumps to make, 1 ... T.

    Returns:
        ``steps`` pairs with ``t > s``.

    Raises:
        ValueError: If ``steps`` is not a whole number from 1 to ``T``.

    Example:
        >>> transitions(1000, 3)
        ((999, 500), (500, 0), (0, -1))
    """
    return tuple(pairwise((*timesteps(T, steps), -1)))


def _check_steps(T: int, steps: object) -> None:
    if isinstance(steps, bool) or not isinstance(steps, (int, np.integer)) or not 1 <= steps <= T:
        raise ValueError(f"steps must be a whole number from 1 to T = {T}, not {steps!r}.")
