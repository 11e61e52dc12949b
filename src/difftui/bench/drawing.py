"""How fast a trained network draws."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from statistics import median

__all__ = ["sampling_speed"]


def sampling_speed(device: str, counts: Sequence[int] = (1, 10, 64), runs: int = 3) -> Mapping[int, float]:
    """Images a second that the shipped network "quick" draws, by how many at once; medians.

    Args:
        device: where to compute.
        counts: pictures drawn together.
        runs: drawings measured for each, after one that is not.
    """
    from difftui.engine.device import configure_threads
    from difftui.training import load_model

    configure_threads()
    model = load_model("quick", device)
    rates = {}
    for count in counts:
        times = []
        for _ in range(1 + runs):
            began = time.perf_counter()
            for frame in model.sample(range(count), [number % 10 for number in range(count)]):
                last = frame.x
            last.cpu()  # waits for the device
            times.append(time.perf_counter() - began)
        rates[count] = count / median(times[1:])
    return rates
