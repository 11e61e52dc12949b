"""Sampling as a job: a whole trajectory, kept frame by frame so that it can be scrubbed back and forth."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from difftui.engine.engine import Workbench
from difftui.errors import DifftuiError
from difftui.pipelines import PipelineRef
from difftui.words import gib

if TYPE_CHECKING:
    from difftui.training.drawing import Drawable
    from difftui.training.loading import LoadedModel

__all__ = ["SamplingRequest", "SamplingView", "network_of", "start_sampling"]

MOST_BYTES = 2**30  # of frames kept


@dataclass(frozen=True, slots=True)
class SamplingRequest:
    """What to draw.

    Attributes:
        source: a run by name: where it is training now, its present weights, else those it has on disk. A
            shipped checkpoint by name. Or a path, of a run's directory or a weights file: always what is on
            disk. Or a diffusers pipeline.
        sampler: one of :data:`difftui.diffusion.SAMPLERS` or an experiment; None is what the network's recipe
            advises.
        steps: sampler steps; more than the schedule has timesteps is every timestep; None is what the recipe
            advises.
        seeds: one picture each.
        label: the class asked for. "each" asks the k-th picture for class k modulo their number. None leaves
            it open: a network that learned to go without labels is asked for none, another for a class that
            follows from the picture's seed. Networks without classes ignore it.
        temperature: standard deviation of all noise; None is what the recipe advises.
        guidance: w of :mod:`difftui.diffusion.guidance`; None is what the recipe advises. Where nothing is
            asked for there is none.
        eta: DDIM's share of fresh noise.
        clip_x0: hold the estimated clean picture within [-1, 1]; None is as the network has it.
    """

    source: str | Path | PipelineRef
    sampler: str | None = None
    steps: int | None = None
    seeds: tuple[int, ...] = (0,)
    label: int | Literal["each"] | None = None
    temperature: float | None = None
    guidance: float | None = None
    eta: float = 0.0
    clip_x0: bool | None = None


@dataclass(frozen=True, slots=True)
class SamplingView:
    """A trajectory, as far as it has come.

    Index i of ``x`` is the picture at time ``times[i]``: times[0] = T-1 is the pure noise it starts from,
    times[-1] = -1 the finished picture. ``x0_hat[i]`` is what the network took the clean picture to be when
    it looked at ``x[i]``; there are ``count`` pictures and ``count - 1`` such beliefs so far. Once it is
    done, the finished picture stands as its own belief.

    Attributes:
        request: what was asked.
        name: of the run or checkpoint.
        weights_step: optimiser steps behind the weights, or None where nobody has told.
        live: whether the weights came from a run that was training.
        model: the network's kind; ``parameters`` how many; ``num_classes`` the classes it can be asked for,
            or None.
        samplers: those, and the experiments, that can draw with it; ``guidable`` whether guidance can.
        labels: the classes it was really asked for, one a picture, or None for none.
        sampler, temperature, guidance: really used.
        schedule: name of the noise schedule; ``T`` its timesteps.
        times: (steps + 1,) timesteps, falling; ``alpha_bars`` (steps + 1,) float64, the share of x_0's power
            in the picture at each.
        count: how many pictures are there.
        seconds: that the sampler has computed so far, all pictures together.
        x, x0_hat: (steps + 1, n, H, W) greys or (steps + 1, n, H, W, 3) colours, float16, about [-1, 1]; only
            the parts named above are filled. Shared with the engine's thread, which goes on filling: do not
            write.
    """

    request: SamplingRequest
    name: str
    weights_step: int | None
    live: bool
    model: str
    parameters: int
    num_classes: int | None
    samplers: tuple[str, ...]
    guidable: bool
    labels: tuple[int, ...] | None
    sampler: str
    temperature: float
    guidance: float
    schedule: str
    T: int
    times: tuple[int, ...]
    alpha_bars: NDArray[np.float64]
    count: int
    seconds: float
    x: NDArray[np.float16]
    x0_hat: NDArray[np.float16]

    @property
    def done(self) -> bool:
        """Whether the finished pictures are there."""
        return self.count == len(self.times)

    @property
    def newest(self) -> int:
        """The last index at which there is a picture and a belief about it (0 before there is any)."""
        return self.count - 1 if self.done else max(self.count - 2, 0)

    def has_belief(self, index: int) -> bool:
        """Whether the network has looked at ``x[index]``."""
        return index < self.count - 1 or self.done

    def eps_hat(self, index: int) -> NDArray[np.float32] | None:
        """The noise that the network saw in ``x[index]``: (x_t - √ᾱ_t x̂0) / √(1-ᾱ_t).

        Recovered from the float16 pictures: good to 0.1 where t is smallest, to 0.002 for most t.

        Returns:
            (n, H, W) or (n, H, W, 3), or None where there is none: no belief yet, or a clean picture.
        """
        if not self.has_belief(index) or self.times[index] < 0:
            return None
        alpha_bar = float(self.alpha_bars[index])
        signal = self.x0_hat[index].astype(np.float32) * np.float32(alpha_bar**0.5)
        eps: NDArray[np.float32] = (self.x[index].astype(np.float32) - signal) / np.float32(
            (1 - alpha_bar) ** 0.5
        )
        return eps

    def change(self, index: int) -> NDArray[np.float32] | None:
        """What the step into ``x[index]`` changed, in its shape; None for the noise it starts from."""
        if not 0 < index < self.count:
            return None
        change: NDArray[np.float32] = self.x[index].astype(np.float32) - self.x[index - 1]
        return change

    def belief_moved(self, index: int, picture: int) -> float | None:
        """Mean absolute change of a picture's belief since the one before, in pixel values, or None."""
        if index < 1 or not self.has_belief(index):
            return None
        now = self.x0_hat[index, picture].astype(np.float32)
        return float(np.abs(now - self.x0_hat[index - 1, picture]).mean())


def start_sampling(request: SamplingRequest) -> Callable[[Workbench], Iterator[SamplingView]]:
    """Work for :meth:`Engine.submit`: draw by ``request``, one sampler step an event."""

    def start(bench: Workbench) -> Iterator[SamplingView]:
        return _draw(bench, request)

    return start


def _draw(bench: Workbench, request: SamplingRequest) -> Iterator[SamplingView]:
    import torch

    from difftui.diffusion import starting_noise, transitions
    from difftui.models import parameter_count
    from difftui.training.drawing import draw
    from difftui.training.strips import as_shown

    network, live = _drawable(bench, request.source)
    schedule = network.schedule
    num_classes: int | None = network.model.num_classes  # type: ignore[assignment]
    shape: tuple[int, int, int] = network.model.image_shape  # type: ignore[assignment]
    sampler, steps, temperature = network.drawing(request.sampler, request.steps, request.temperature)
    noise = temperature * starting_noise(request.seeds, shape)
    labels = _labels(request, num_classes, goes_without=network.goes_without)
    guidance = _guidance(request, network, labels)
    times = (schedule.T - 1, *(s for _, s in transitions(schedule.T, steps)))
    alpha_bars = np.array([schedule.alpha_bar(t) for t in times])
    first = as_shown(noise).numpy()
    kept = (len(times), *first.shape)
    _check_room(kept)
    x, x0_hat = np.zeros(kept, np.float16), np.zeros(kept, np.float16)
    x[0] = first
    frames = draw(
        network,
        request.seeds,
        labels,
        sampler=sampler,
        steps=steps,
        temperature=temperature,
        guidance=guidance,
        eta=request.eta,
        clip_x0=request.clip_x0,
    )
    parameters = parameter_count(network.model)

    def view(count: int, seconds: float) -> SamplingView:
        return SamplingView(
            request, network.name, network.step, live, network.kind, parameters, num_classes,
            network.samplers, network.goes_without, labels, sampler, temperature, guidance,
            schedule.kind, schedule.T, times, alpha_bars, count, seconds, x, x0_hat,
        )  # fmt: skip

    yield view(1, 0.0)
    seconds = 0.0
    for index in range(len(times) - 1):
        began = perf_counter()
        frame = next(frames)
        # Together, since each fetch from a GPU waits until it has done all that was asked of it.
        x[index + 1], x0_hat[index] = torch.stack([as_shown(frame.x), as_shown(frame.x0_hat)]).cpu().numpy()
        seconds += perf_counter() - began
        if frame.s < 0:
            x0_hat[index + 1] = x[index + 1]
        yield view(index + 2, seconds)


def _check_room(kept: tuple[int, ...]) -> None:
    """Raise DifftuiError where x and x̂0 of all frames, in half precision, are more than can be kept."""
    size = 4 * math.prod(kept)
    if size > MOST_BYTES:
        raise DifftuiError(
            f"{kept[1]} pictures in {kept[0] - 1} steps would keep {gib(size)} of frames, "
            f"and {gib(MOST_BYTES)} is the most. Take fewer steps, or fewer pictures."
        )


def _drawable(bench: Workbench, source: str | Path | PipelineRef) -> tuple[Drawable, bool]:
    """What to draw with, and whether it is being trained."""
    if isinstance(source, PipelineRef):
        from difftui.pipelines.loading import load_pipeline

        return load_pipeline(source, bench.device.torch_device_name), False
    return network_of(bench, source)


def network_of(bench: Workbench, source: str | Path) -> tuple[LoadedModel, bool]:
    """The network of a run, as :attr:`SamplingRequest.source` names it, and whether it is being trained."""
    from difftui.engine.live import live_model
    from difftui.training.loading import load_model

    trainer = bench.live.get(source) if isinstance(source, str) else None
    if trainer is not None:
        return live_model(trainer, str(source)), True
    return load_model(source, bench.device.torch_device_name), False


def _guidance(request: SamplingRequest, network: Drawable, labels: tuple[int, ...] | None) -> float:
    """What is wanted, where something is asked for; what is advised where nothing is wanted."""
    if labels is None:
        return 0.0
    if request.guidance and not network.goes_without:
        raise DifftuiError(
            f"{network.name} cannot be guided: its training hid no labels (label_drop 0). Set guidance to 0."
        )
    return network.guidance(True, request.guidance)


def _labels(
    request: SamplingRequest, num_classes: int | None, *, goes_without: bool
) -> tuple[int, ...] | None:
    """The class to ask for, one a picture, or None to ask for none."""
    if num_classes is None:
        return None
    if request.label is None:
        if goes_without:
            return None
        # Its own stream: the label must not hang together with the noise that the seed also gives.
        return tuple(int(np.random.default_rng((seed, 2)).integers(num_classes)) for seed in request.seeds)
    if request.label == "each":
        return tuple(index % num_classes for index in range(len(request.seeds)))
    return (request.label,) * len(request.seeds)
