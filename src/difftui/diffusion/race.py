"""Several ways to draw a picture, raced side by side: whoever has asked the network least goes next.

Importing this module does not import torch; calling its functions does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from difftui.diffusion.samplers import Frame
from difftui.diffusion.sampling import MNIST_SHAPE, Model, sample, starting_noise
from difftui.diffusion.schedule import NoiseSchedule

if TYPE_CHECKING:
    import torch
    from torch import Tensor

__all__ = ["Turn", "Way", "lanes_of", "race", "starts"]


@dataclass(frozen=True, slots=True)
class Way:
    """One way to draw one picture.

    Attributes:
        sampler: one of :data:`~difftui.diffusion.samplers.SAMPLERS` or of its ``EXPERIMENTS``.
        steps: sampler steps, 1 ... T.
        seed: of the noise it starts from, x_T.
        noise_seed: of the noise that random samplers add on the way; None is ``seed``.
        label: the class asked for; None asks for none.
        guidance: ``w`` of :func:`~difftui.diffusion.guidance.guided`.
        eta: DDIM's share of fresh noise.
    """

    sampler: str = "ddim"
    steps: int = 50
    seed: int = 0
    noise_seed: int | None = None
    label: int | None = None
    guidance: float = 0.0
    eta: float = 0.0


@dataclass(frozen=True, eq=False, slots=True)
class Turn:
    """One step of pictures that are drawn together.

    Attributes:
        ways: which of the ways took the step, as positions in what :func:`race` was given.
        frame: the step; its pictures are in the order of ``ways``.
        looks: how often the network has been asked so far for each of these pictures: counted, not computed.
            Guidance asks twice a look.
        seconds: that all their steps have taken so far, the device's work included. Measured; the other lanes
            had their turns in between, which are not in it.
    """

    ways: tuple[int, ...]
    frame: Frame[Tensor]
    looks: int
    seconds: float

    @property
    def done(self) -> bool:
        """Whether these pictures are finished."""
        return self.frame.s < 0


def lanes_of(ways: Sequence[Way]) -> tuple[tuple[int, ...], ...]:
    """Positions of the ways that can be drawn in one batch: only seeds and labels may differ."""
    together: dict[object, list[int]] = {}
    for index, way in enumerate(ways):
        key = (way.sampler, way.steps, way.guidance, way.eta, way.label is None)
        together.setdefault(key, []).append(index)
    return tuple(tuple(lane) for lane in together.values())


def starts(ways: Sequence[Way], shape: tuple[int, ...] = MNIST_SHAPE, temperature: float = 1.0) -> Tensor:
    """The x_T of each way, (N, C, H, W): ways of one seed start from the same bits."""
    return temperature * starting_noise([way.seed for way in ways], shape)


def race(
    model: Model,
    schedule: NoiseSchedule,
    ways: Sequence[Way],
    *,
    target: str = "eps",
    temperature: float = 1.0,
    clip_x0: bool = True,
    shape: tuple[int, ...] = MNIST_SHAPE,
    device: torch.device | str = "cpu",
) -> Generator[Turn, None, None]:
    """Draw every way's picture: one :class:`Turn` an event, until all are finished.

    Ways that :func:`lanes_of` puts together share their batches. The lane that has looked least goes next, so
    a short one is finished while a long one is still noise: the race is one of cost.

    Args:
        model: as :func:`~difftui.diffusion.sampling.sample` takes it.
        schedule: the one it was trained on.
        ways: one picture each.
        target, clip_x0: as :func:`~difftui.diffusion.sampling.sample`.
        temperature: standard deviation of all noise, the start's and the steps'.
        shape: (C, H, W) of a picture.
        device: where to compute.

    Raises:
        ValueError: at the call, as :func:`~difftui.diffusion.sampling.sample` does.
    """
    lanes = []
    for members in lanes_of(ways):
        mine = [ways[index] for index in members]
        draw = partial(
            sample,
            schedule=schedule,
            sampler=mine[0].sampler,
            steps=mine[0].steps,
            x_T=starts(mine, shape, temperature),
            seeds=[way.seed if way.noise_seed is None else way.noise_seed for way in mine],
            labels=[way.label for way in mine if way.label is not None] or None,
            guidance=mine[0].guidance,
            eta=mine[0].eta,
            target=target,
            temperature=temperature,
            clip_x0=clip_x0,
            device=device,
        )
        lanes.append(_Lane(members, model, draw))
    return _turns(lanes)


def _turns(lanes: list[_Lane]) -> Generator[Turn, None, None]:
    running = list(lanes)
    while running:
        lane = min(running, key=lambda lane: lane.looks)  # the first of several
        turn = lane.step()
        if turn.done:
            running.remove(lane)
        yield turn


class _Lane:
    """Pictures drawn in one batch, with what they have cost."""

    def __init__(
        self,
        members: tuple[int, ...],
        model: Model,
        draw: Callable[[Model], Generator[Frame[Tensor], None, None]],
    ) -> None:
        self.members = members
        self.seconds = 0.0
        self._draw = draw
        self._counted = _Counted(model, len(members))
        self._frames = draw(self._counted)

    @property
    def looks(self) -> int:
        return self._counted.looks

    def step(self) -> Turn:
        if not self.looks:
            self._warm_up()
        began = time.perf_counter()
        frame = next(self._frames)
        _wait_for(frame.x)
        self.seconds += time.perf_counter() - began
        return Turn(self.members, frame, self.looks, self.seconds)

    def _warm_up(self) -> None:
        """One step for nothing: libraries choose their kernels, which is no part of a sampler's time."""
        frames = self._draw(self._counted.model)
        _wait_for(next(frames).x)
        frames.close()


@dataclass(eq=False)
class _Counted:
    """The network, and how often it has been asked for each of the pictures."""

    model: Model
    pictures: int
    looks: int = field(default=0, init=False)

    def __call__(self, x: Tensor, t: Tensor, **labels: Tensor) -> Tensor:
        self.looks += len(x) // self.pictures
        return self.model(x, t, **labels)

    def __getattr__(self, name: str) -> Any:  # such as num_classes
        return getattr(self.model, name)


def _wait_for(x: Tensor) -> None:
    """Until the device has computed it: on a GPU asking is over long before the answer."""
    if x.device.type != "cpu":
        x.flatten()[0].item()
