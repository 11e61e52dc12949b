"""What a network is made of: its parts with their parameters, and what its first layer looks for."""

from __future__ import annotations

from torch import Tensor, nn

from difftui.models.toy_unet import CLAIMED, TARGET_LOSS, ToyUNet

__all__ = ["claims", "first_filters", "kernel_count", "parts"]


def parts(model: nn.Module) -> tuple[tuple[str, int], ...]:
    """The network's own parts in the order of their making, each with how many numbers it learned."""
    counts: dict[str, int] = {}
    for name, parameter in model.named_parameters():
        part = name.partition(".")[0]
        counts[part] = counts.get(part, 0) + parameter.numel()
    return tuple(counts.items())


def kernel_count(model: nn.Module) -> int:
    """How many of the learned numbers are weights and biases of 3x3 convolutions."""
    return sum(
        parameter.numel()
        for layer in model.modules()
        if isinstance(layer, nn.Conv2d) and layer.kernel_size == (3, 3)
        for parameter in layer.parameters()
    )


def first_filters(model: nn.Module) -> Tensor:
    """What the first layer multiplies the picture with, as pictures: (N, channels, H, W) of the pixels.

    3x3 for a convolution over pixels; 6x6 for one over patches of 2x2; the whole picture for an autoencoder.

    Raises:
        ValueError: a network that does not say.
    """
    look = getattr(model, "first_filters", None)
    if look is None:
        raise ValueError(f"{type(model).__name__} does not say what its first layer looks for")
    filters: Tensor = look()
    return filters


def claims(model: nn.Module) -> tuple[int | None, float | None]:
    """What the lab that a network comes from says of it: its number of parameters, and the loss to reach."""
    return (CLAIMED, TARGET_LOSS) if isinstance(model, ToyUNet) else (None, None)
