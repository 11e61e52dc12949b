"""Sampling as a job: a whole trajectory, kept frame by frame so that it can be scrubbed back and forth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from difftui.engine.engine import Workbench

if TYPE_CHECKING:
    from difftui.training.loading import LoadedModel

__all__ = ["SamplingRequest", "SamplingView", "network_of", "start_sampling"]


@dataclass(frozen=True, slots=True)
class SamplingRequest:
    """What to draw.

    Attributes:
        source: a run by name: where it is training now, its present weights, else those it has on disk. A
            shipped checkpoint by name. Or a path, of a run's directory or a weights file: always what is on
            disk.
        sampler: "ddim" or "ddpm"; None is what the network's recipe advises.
        steps: sampler steps; more than the schedule has timesteps is every timestep; None is what the recipe
            advises.
        seeds: one picture each.
        label: the digit asked for. "each" asks the k-th picture for digit k mod 10. None leaves it open: a
            network that learned to go without labels is asked for none, another for a digit that follows from
            the picture's seed. Networks without classes ignore it.
        temperature: standard deviation of all noise; None is what the recipe advises.
        eta: DDIM's share of fresh noise.
        clip_x0: hold the estimated clean picture within [-1, 1].
    """

    source: str | Path
    sampler: str | None = None
    steps: int | None = None
    seeds: tuple[int, ...] = (0,)
    label: int | Literal["each"] | None = None
    temperature: float | None = None
    eta: float = 0.0
    clip_x0: bool = True


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
        weights_step: optimiser steps behind the weights.
        live: whether the weights came from a run that was training.
        model: the network's kind; ``num_classes`` the classes it can be asked for, or None.
        labels: the digits it was really asked for, one a picture, or None for none.
        sampler, temperature: really used.
        schedule: name of the noise schedule; ``T`` its timesteps.
        times: (steps + 1,) timesteps, falling; ``alpha_bars`` (steps + 1,) float64, the share of x_0's power
            in the picture at each.
        count: how many pictures are there.
        x, x0_hat: (steps + 1, n, H, W) float16, about [-1, 1]; only the parts named above are filled. Shared
            with the engine's thread, which goes on filling: do not write.
    """

    request: SamplingRequest
    name: str
    weights_step: int
    live: bool
    model: str
    num_classes: int | None
    labels: tuple[int, ...] | None
    sampler: str
    temperature: float
    schedule: str
    T: int
    times: tuple[int, ...]
    alpha_bars: NDArray[np.float64]
    count: int
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
            (n, H, W), or None where there is none: no belief yet, or a clean picture.
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
        """What the step into ``x[index]`` changed: (n, H, W), or None for the noise it starts from."""
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

    from difftui.diffusion import sample, starting_noise, transitions
    from difftui.models.side_by_side import side_by_side
    from difftui.training.strips import luminance

    loaded, live = network_of(bench, request.source)
    schedule, recipe = loaded.schedule, loaded.recipe
    num_classes: int | None = getattr(loaded.model, "num_classes", None)
    shape: tuple[int, int, int] = loaded.model.image_shape  # type: ignore[assignment]
    sampler = request.sampler or recipe.sampler
    temperature = recipe.temperature if request.temperature is None else request.temperature
    noise = temperature * starting_noise(request.seeds, shape)
    labels = _labels(request, num_classes, goes_without=recipe.label_drop > 0)
    steps = min(request.steps or recipe.sampler_steps or schedule.T, schedule.T)
    times = (schedule.T - 1, *(s for _, s in transitions(schedule.T, steps)))
    alpha_bars = np.array([schedule.alpha_bar(t) for t in times])
    kept = (len(times), len(request.seeds), *shape[1:])
    x, x0_hat = np.zeros(kept, np.float16), np.zeros(kept, np.float16)
    x[0] = luminance(noise).numpy()

    def view(count: int) -> SamplingView:
        return SamplingView(
            request, loaded.name, loaded.step, live, recipe.model, num_classes, labels, sampler, temperature,
            schedule.kind, schedule.T, times, alpha_bars, count, x, x0_hat,
        )  # fmt: skip

    yield view(1)
    frames = sample(
        side_by_side(loaded.model),
        schedule,
        sampler=sampler,
        steps=steps,
        x_T=noise,
        seeds=request.seeds,
        labels=labels,
        guidance=loaded.guidance(labels is not None),
        target=recipe.target,
        temperature=temperature,
        eta=request.eta,
        clip_x0=request.clip_x0,
    )
    for index, frame in enumerate(frames):
        # Together, since each fetch from a GPU waits until it has done all that was asked of it.
        x[index + 1], x0_hat[index] = torch.stack([luminance(frame.x), luminance(frame.x0_hat)]).cpu().numpy()
        if frame.s < 0:
            x0_hat[index + 1] = x[index + 1]
        yield view(index + 2)


def network_of(bench: Workbench, source: str | Path) -> tuple[LoadedModel, bool]:
    """The network that :attr:`SamplingRequest.source` names, and whether it is being trained."""
    from difftui.engine.live import live_model
    from difftui.training.loading import load_model

    trainer = bench.live.get(source) if isinstance(source, str) else None
    if trainer is not None:
        return live_model(trainer, str(source)), True
    return load_model(source, bench.device.torch_device_name), False


def _labels(
    request: SamplingRequest, num_classes: int | None, *, goes_without: bool
) -> tuple[int, ...] | None:
    """The digit to ask for, one a picture, or None to ask for none."""
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
