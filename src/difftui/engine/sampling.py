"""Sampling as a job: a whole trajectory, kept frame by frame so that it can be scrubbed back and forth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from difftui.engine.engine import Workbench

__all__ = ["SamplingRequest", "SamplingView", "start_sampling"]


@dataclass(frozen=True, slots=True)
class SamplingRequest:
    """What to draw.

    Attributes:
        source: a run or shipped checkpoint by name; where that run is training now, its present weights.
        sampler: "ddim" or "ddpm".
        steps: sampler steps; None is every timestep of the schedule.
        seeds: one picture each.
        label: the digit asked for; "each" asks the k-th picture for digit k mod 10; None asks for none.
        eta: DDIM's share of fresh noise.
        clip_x0: hold the estimated clean picture within [-1, 1].
    """

    source: str
    sampler: str = "ddim"
    steps: int | None = 25
    seeds: tuple[int, ...] = (0,)
    label: int | str | None = None
    eta: float = 0.0
    clip_x0: bool = True


@dataclass(frozen=True, slots=True)
class SamplingView:
    """A trajectory, as far as it has come.

    Index i of ``x`` is the picture at time ``times[i]``: times[0] = T-1 is the pure noise it starts from,
    times[-1] = -1 the finished picture. ``x0_hat[i]`` is what the network took the clean picture to be when it
    looked at ``x[i]``; there are ``count`` pictures and ``count - 1`` beliefs so far.

    Attributes:
        request: what was asked, with the label that was really used.
        weights_step: optimiser steps behind the weights.
        T: timesteps of the schedule; ``schedule`` its name.
        num_classes: classes the network can be asked for, or None.
        live: whether the weights came from a run that was training.
        times: (steps + 1,) timesteps, falling.
        count: how many of them are there.
        x, x0_hat: (steps + 1, n, H, W) float16; only the parts named above are filled.
        moved: (steps + 1,) mean absolute change of x0_hat against the one before, NaN for the first.
    """

    request: SamplingRequest
    weights_step: int
    T: int
    schedule: str
    model: str
    num_classes: int | None
    live: bool
    times: tuple[int, ...]
    count: int
    x: NDArray[np.float16]
    x0_hat: NDArray[np.float16]
    moved: NDArray[np.float32]

    @property
    def done(self) -> bool:
        """Whether the finished pictures are there."""
        return self.count == len(self.times)


def start_sampling(request: SamplingRequest) -> Callable[[Workbench], Iterator[SamplingView]]:
    """Work for :meth:`Engine.submit`: draw by ``request``, one sampler step an event."""

    def start(bench: Workbench) -> Iterator[SamplingView]:
        return _draw(bench, request)

    return start


def _draw(bench: Workbench, request: SamplingRequest) -> Iterator[SamplingView]:
    from difftui.diffusion import sample, starting_noise
    from difftui.diffusion.grid import transitions
    from difftui.engine.live import live_model
    from difftui.training.loading import load_model

    device = bench.device.torch_device_name
    live = bench.live.get(request.source)
    loaded = live_model(live, request.source) if live is not None else load_model(request.source, device)
    schedule, model = loaded.schedule, loaded.model
    labels = _labels(request, model.num_classes)
    if labels is None:
        request = replace(request, label=None)
    steps = min(request.steps or schedule.T, schedule.T)
    times = (schedule.T - 1, *(s for _, s in transitions(schedule.T, steps)))
    noise = starting_noise(request.seeds, model.image_shape)
    kept = (len(times), len(request.seeds), *noise.shape[2:])
    x, x0_hat = np.zeros(kept, np.float16), np.zeros(kept, np.float16)
    moved = np.full(len(times), np.nan, np.float32)
    x[0] = noise[:, 0].numpy()

    def view(count: int) -> SamplingView:
        return SamplingView(
            request, loaded.step, schedule.T, schedule.kind, loaded.recipe.model,
            model.num_classes, live is not None, times, count, x, x0_hat, moved,
        )  # fmt: skip

    yield view(1)
    frames = sample(
        model,
        schedule,
        sampler=request.sampler,
        steps=steps,
        x_T=noise,
        seeds=request.seeds,
        labels=labels,
        target=loaded.recipe.target,
        eta=request.eta,
        clip_x0=request.clip_x0,
    )
    for index, frame in enumerate(frames):
        x[index + 1] = frame.x[:, 0].cpu().numpy()
        x0_hat[index] = frame.x0_hat[:, 0].cpu().numpy()
        if index:
            moved[index] = np.abs(x0_hat[index].astype(np.float32) - x0_hat[index - 1]).mean()
        if frame.s < 0:
            x0_hat[index + 1] = x[index + 1]
        yield view(index + 2)


def _labels(request: SamplingRequest, num_classes: int | None) -> list[int] | None:
    """One label a picture, or None where none was asked for or the network takes none."""
    if request.label is None or num_classes is None:
        return None
    if request.label == "each":
        return [index % num_classes for index in range(len(request.seeds))]
    return [int(request.label)] * len(request.seeds)
