"""What pictures can be drawn with: a network of ours or of somebody else's, and how it is best asked."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Protocol

from difftui.diffusion import EXPERIMENTS, SAMPLERS, Frame, NoiseSchedule, sample

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["Drawable", "draw", "samplers_for"]


class Drawable(Protocol):
    """A trained network and all it takes to sample from it."""

    @property
    def model(self) -> nn.Module:
        """The network, in evaluation mode: ``model(x, t, label)``, ``image_shape`` and ``num_classes``."""
        ...

    @property
    def schedule(self) -> NoiseSchedule:
        """The noise schedule it was trained on."""
        ...

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    @property
    def step(self) -> int | None:
        """Optimiser steps behind the weights; None where nobody has told."""
        ...

    @property
    def kind(self) -> str:
        """The kind of network."""
        ...

    @property
    def target(self) -> str:
        """What it predicts, one of :data:`difftui.diffusion.TARGETS`."""
        ...

    @property
    def clip_x0(self) -> bool:
        """Whether its estimates of the clean picture are held within [-1, 1]."""
        ...

    @property
    def variance(self) -> str:
        """Of DDPM with it, one of :data:`difftui.diffusion.VARIANCES`."""
        ...

    @property
    def samplers(self) -> tuple[str, ...]:
        """The samplers, and experiments, that can draw with it."""
        ...

    @property
    def goes_without(self) -> bool:
        """Whether it learned labels and to go without them, which guidance needs."""
        ...

    def drawing(
        self, sampler: str | None = None, steps: int | None = None, temperature: float | None = None
    ) -> tuple[str, int, float]:
        """Sampler, its steps and the temperature: what is given, else what is advised.

        Raises:
            DifftuiError: the sampler cannot draw with it.
        """
        ...

    def guidance(self, labelled: bool, wanted: float | None = None) -> float:
        """Guidance: what is wanted, else what is advised where there are labels.

        Raises:
            DifftuiError: it cannot be guided.
        """
        ...


def draw(
    network: Drawable,
    seeds: Sequence[int],
    labels: Sequence[int] | None = None,
    *,
    sampler: str | None = None,
    steps: int | None = None,
    temperature: float | None = None,
    guidance: float | None = None,
    eta: float = 0.0,
    clip_x0: bool | None = None,
) -> Generator[Frame[Tensor], None, None]:
    """Draw pictures as the network is best drawn with, save where an argument says otherwise.

    :func:`difftui.diffusion.sample` with this network's schedule, target and settings.

    Args:
        network: what to ask.
        seeds: one picture each.
        labels: the class of each picture; None asks for none.
        sampler, steps, temperature, guidance: instead of what is advised; more steps than there are is all of
            them, and without labels there is no guidance.
        eta: DDIM's share of fresh noise.
        clip_x0: hold the estimated clean pictures within [-1, 1]; None is as the network has it.

    Raises:
        ValueError: as :func:`difftui.diffusion.sample` does.
        DifftuiError: the sampler, or guidance, is not for this network.
    """
    from difftui.models.side_by_side import side_by_side

    sampler, steps, temperature = network.drawing(sampler, steps, temperature)
    return sample(
        side_by_side(network.model),
        network.schedule,
        sampler=sampler,
        steps=steps,
        seeds=seeds,
        labels=labels,
        target=network.target,
        guidance=network.guidance(labels is not None, guidance),
        eta=eta,
        variance=network.variance if sampler == "ddpm" else "beta_tilde",
        temperature=temperature,
        clip_x0=network.clip_x0 if clip_x0 is None else clip_x0,
    )


def samplers_for(*, one_shot: bool) -> tuple[str, ...]:
    """What can draw with a network; one that cleans in one look cannot tell the noise that most need."""
    return ("looped-x0",) if one_shot else (*SAMPLERS, *EXPERIMENTS)
