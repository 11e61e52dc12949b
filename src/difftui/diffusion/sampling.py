"""From noise to pictures, one frame at a time: the generator that drives a network and a sampler.

Importing this module does not import torch; calling its functions does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from difftui.diffusion.grid import transitions
from difftui.diffusion.guidance import check_guidance, guided
from difftui.diffusion.process import Prediction, check_target, read_output
from difftui.diffusion.samplers import Denoise, Frame, Noise, Sampler, make_sampler
from difftui.diffusion.schedule import NoiseSchedule

if TYPE_CHECKING:
    import torch
    from torch import Tensor

Model: TypeAlias = "Callable[..., Tensor]"
"""A network, or anything called like one: ``model(x, t)`` or ``model(x, t, label=labels)`` with ``x`` of
shape (B, C, H, W) and integer ``t`` and ``labels`` of shape (B,)."""

MNIST_SHAPE = (1, 28, 28)


def sample(
    model: Model,
    schedule: NoiseSchedule,
    *,
    sampler: str = "ddim",
    steps: int | None = None,
    x_T: Tensor | None = None,
    seeds: Sequence[int] | None = None,
    shape: tuple[int, ...] | None = None,
    labels: int | Sequence[int] | None = None,
    guidance: float = 0.0,
    target: str = "eps",
    eta: float = 0.0,
    variance: str = "beta_tilde",
    clip_x0: bool = False,
    temperature: float = 1.0,
    device: torch.device | str | None = None,
) -> Generator[Frame[Tensor], None, None]:
    """Draw pictures from a trained network, one :class:`~difftui.diffusion.samplers.Frame` a step.

    Pull a frame to make a step, do not pull to pause, close the generator to stop. The last frame's ``x``
    (its ``s`` is -1) holds the finished pictures. Each picture depends on its own seed and label only, not on
    its neighbours in the batch (up to the rounding of the network's batched arithmetic).

    Arguments are checked here, before the first frame is pulled. The network is used as it is: put a module
    in evaluation mode first. Each step runs under ``torch.inference_mode``, so frames cannot be
    differentiated through.

    Args:
        model: The network; see :data:`Model`. Without ``labels`` it is called as ``model(x, t)``.
        schedule: The schedule the network was trained on.
        sampler: One of :data:`~difftui.diffusion.samplers.SAMPLERS`, or of its ``EXPERIMENTS``.
        steps: How many steps, 1 ... T, spread evenly; None visits every timestep.
        x_T: The starting pictures, shape (B, C, H, W); None draws them by :func:`starting_noise`.
        seeds: One seed a picture, each from 0 up. None is one picture with seed 0, or 0, 1, 2 ... for the
            pictures of ``x_T``.
        shape: The shape (C, H, W) of one picture; None is ``model.image_shape`` where the network has one,
            else (1, 28, 28). Not used with ``x_T``.
        labels: One class for all pictures, or one for each; None asks for none.
        guidance: How far beyond the label's answer to go, ``w`` in ``c + w (c - u)``; see
            :mod:`~difftui.diffusion.guidance`. Other than 0 it needs labels, and a network that was
            trained to go without them too; each step then asks both ways, in one batch of twice the size.
        target: What the network predicts, one of :data:`~difftui.diffusion.process.TARGETS`.
        eta: For ``"ddim"``: the share of fresh noise, 0 (none) up to 1 (as DDPM) and beyond.
        variance: For ``"ddpm"``: ``"beta_tilde"`` or ``"beta"``.
        clip_x0: Hold the estimated clean picture within [-1, 1] at each step.
        temperature: Standard deviation of all noise drawn here, the start and the steps' (a given ``x_T`` is
            left as it is). Below 1 the pictures are more typical and less varied than those of the model's
            own distribution, above 1 less typical; 1 samples that distribution.
        device: Where to compute; None is where the network's weights are, else where ``x_T`` is, else the
            CPU.

    Returns:
        A generator of ``steps`` frames of float32 tensors on that device.

    Raises:
        ValueError: If a name is unknown, a number is out of range, an option belongs to the other sampler,
            the counts of seeds, labels and pictures disagree, the network takes no such label, or
            guidance is asked for without labels, or the sampler needs the noise from a network that cleans
            in one look (``one_shot``); while
            running, if the network's output has another shape than its input.
    """
    import torch

    jumps = transitions(schedule.T, schedule.T if steps is None else steps)
    if seeds is None:
        seeds = range(1 if x_T is None else len(x_T))
    if not (math.isfinite(temperature) and temperature >= 0.0):
        raise ValueError(f"the temperature must be a number from 0 up, not {temperature!r}.")
    if x_T is None:
        x_T = temperature * starting_noise(seeds, _shape_of(model) if shape is None else shape)
        where = _device_of(model) or torch.device("cpu")
    else:
        if len(seeds) != len(x_T):
            raise ValueError(f"{len(seeds)} seeds were given for {len(x_T)} starting pictures.")
        where = _device_of(model) or x_T.device
    x = torch.as_tensor(x_T, dtype=torch.float32, device=where if device is None else device)
    if getattr(model, "one_shot", False) and sampler != "looped-x0":
        raise ValueError(
            f"this network cleans a picture in one look and cannot tell the noise that {sampler} needs;"
            " draw with looped-x0, or clean noisy digits with it."
        )
    denoise = network_denoiser(
        model, schedule, target=target, labels=_one_each(labels, len(seeds)), guidance=guidance
    )
    rule = make_sampler(
        sampler,
        schedule,
        denoise,
        step_noise(seeds, temperature),
        eta=eta,
        variance=variance,
        clip_x0=clip_x0,
    )
    return _frames(rule, x, jumps)


def starting_noise(seeds: Sequence[int], shape: tuple[int, ...] = MNIST_SHAPE) -> Tensor:
    """Pure noise to start from, ``x_T ~ N(0, I)``, each picture from its own seed.

    Picture ``i`` is ``torch.randn(shape, generator=torch.Generator().manual_seed(seeds[i]))``: it depends on
    nothing else, and is drawn on the CPU so that it is the same whatever the device.

    Args:
        seeds: One seed a picture, each from 0 up.
        shape: The shape of one picture.

    Returns:
        A float32 CPU tensor of shape (B, \\*shape).

    Raises:
        ValueError: If there are no seeds, or one is not a whole number from 0 to 2^63 - 1.
    """
    import torch

    check_seeds(seeds)
    return torch.stack(
        [torch.randn(shape, generator=torch.Generator().manual_seed(int(seed))) for seed in seeds]
    )


def step_noise(seeds: Sequence[int], temperature: float = 1.0) -> Noise[Tensor]:
    """A source of the noise that random samplers add at each step, one stream a picture.

    A picture's stream follows from its seed, but is another than the one :func:`starting_noise` draws from:
    otherwise the first noise added would be the starting picture over again.

    Args:
        seeds: One seed a picture, each from 0 up.
        temperature: Standard deviation of the noise.

    Returns:
        A function from pictures of shape (B, ...) to normal noise of that shape, type and device. Each call
        draws anew.

    Raises:
        ValueError: If there are no seeds, or one is not a whole number from 0 to 2^63 - 1.
    """
    import torch

    check_seeds(seeds)
    streams = [torch.Generator().manual_seed(_second_seed(int(seed))) for seed in seeds]

    def draw(x_t: Tensor) -> Tensor:
        drawn = torch.stack([torch.randn(x_t.shape[1:], generator=stream) for stream in streams])
        return (temperature * drawn).to(x_t)

    return draw


def network_denoiser(
    model: Model,
    schedule: NoiseSchedule,
    *,
    target: str = "eps",
    labels: Sequence[int] | None = None,
    guidance: float = 0.0,
) -> Denoise[Tensor]:
    """Make a denoiser, as samplers want it, from a network.

    Args:
        model: The network; see :data:`Model`.
        schedule: The schedule it was trained on.
        target: What it predicts, one of :data:`~difftui.diffusion.process.TARGETS`.
        labels: One class a picture; None calls it as ``model(x, t)``.
        guidance: ``w`` of :func:`~difftui.diffusion.guidance.guided`. Other than 0 the network must have
            ``num_classes``, which is its label for "any class".

    Raises:
        ValueError: If the target is unknown, the network says (by ``num_classes``) that it takes no labels
            or not these, or guidance has nothing to guide by.
    """
    import torch

    check_target(target)
    _check_labels(model, labels)
    check_guidance(guidance)
    asked = None if labels is None else torch.tensor(labels, dtype=torch.long)
    if guidance != 0.0:
        if asked is None:
            raise ValueError("guidance needs a label to guide towards: ask for one, or leave guidance at 0.")
        if getattr(model, "num_classes", None) is None:
            raise ValueError("guidance needs a network that says which of its labels means any class.")

    def answer(x_t: Tensor, times: Tensor) -> Tensor:
        if asked is None:
            return model(x_t, times)
        label = asked.to(x_t.device)
        if guidance == 0.0:
            return model(x_t, times, label=label)
        both = torch.cat([label, torch.full_like(label, model.num_classes)])  # type: ignore[attr-defined]
        with_label, without = model(torch.cat([x_t, x_t]), torch.cat([times, times]), label=both).chunk(2)
        return guided(with_label, without, guidance)

    def denoise(x_t: Tensor, t: int) -> Prediction[Tensor]:
        times = torch.full((len(x_t),), t, dtype=torch.long, device=x_t.device)
        output = answer(x_t, times)
        if output.shape != x_t.shape:
            shapes = f"{tuple(output.shape)} to pictures of shape {tuple(x_t.shape)}"
            raise ValueError(f"the network answered with shape {shapes}.")
        # A network under autocast may answer in half precision; the sampler's arithmetic must not follow it.
        levels = schedule.alpha_bar(t), schedule.alpha_bar(t - 1)
        return read_output(target, output.to(x_t.dtype), x_t, *levels)

    return denoise


def check_seeds(seeds: Sequence[int]) -> None:
    """Raise a ValueError unless there is at least one seed and each is a whole number from 0 to 2^63 - 1."""
    if not len(seeds):
        raise ValueError("give at least one seed: there is one picture for each.")
    for seed in seeds:
        if not 0 <= seed < 2**63 or int(seed) != seed:
            raise ValueError(f"a seed must be a whole number from 0 to 2^63 - 1, not {seed!r}.")


def _frames(
    sampler: Sampler[Tensor], x: Tensor, jumps: Sequence[tuple[int, int]]
) -> Generator[Frame[Tensor], None, None]:
    import torch

    for t, s in jumps:
        # Left before each yield: the caller's own torch code must not find itself in inference mode.
        with torch.inference_mode():
            frame = sampler.step(x, t, s)
        yield frame
        x = frame.x


def _device_of(model: Model) -> torch.device | None:
    import torch

    if not isinstance(model, torch.nn.Module):
        return None
    weight = next(model.parameters(), None)
    return None if weight is None else weight.device


def _shape_of(model: Model) -> tuple[int, ...]:
    shape: tuple[int, ...] = getattr(model, "image_shape", MNIST_SHAPE)
    return shape


def _one_each(labels: int | Sequence[int] | None, count: int) -> list[int] | None:
    if labels is None:
        return None
    if isinstance(labels, (int, np.integer)):
        return [int(labels)] * count
    if len(labels) != count:
        raise ValueError(f"{len(labels)} labels were given for {count} pictures.")
    return [int(label) for label in labels]


def _check_labels(model: Model, labels: Sequence[int] | None) -> None:
    if labels is None or not hasattr(model, "num_classes"):
        return
    if model.num_classes is None:
        raise ValueError("this network was trained without labels and cannot be asked for one.")
    for label in labels:
        if not 0 <= label < model.num_classes:
            raise ValueError(f"label {label} is outside 0 ... {model.num_classes - 1}.")


def _second_seed(seed: int) -> int:
    return int(np.random.SeedSequence((seed, 1)).generate_state(1, np.uint64)[0])
