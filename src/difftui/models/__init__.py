"""The networks, by name. All are called ``model(x, t, label=None)`` with integer t."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import torch
from torch import nn

from difftui.models.attention_unet import AttentionUNet
from difftui.models.autoencoder import Autoencoder
from difftui.models.lab_unet import LabUNet
from difftui.models.patch_unet import PatchUNet
from difftui.models.residual_unet import ResidualUNet
from difftui.models.toy_unet import ToyUNet

__all__ = ["MODELS", "build", "defaults", "fitted", "parameter_count", "place"]

MODELS: Mapping[str, Callable[..., nn.Module]] = MappingProxyType(
    {
        "attention-unet": AttentionUNet,
        "autoencoder": Autoencoder,
        "lab-unet": LabUNet,
        "patch-unet": PatchUNet,
        "residual-unet": ResidualUNet,
        "toy-unet": ToyUNet,
    }
)


def build(name: str, **options: Any) -> nn.Module:
    """A fresh network by its name.

    The result is called ``model(x, t, label=None)``: x (B, C, H, W) floats in [-1, 1], t (B,) integers,
    label (B,) integers or None. It has ``image_shape`` (C, H, W) and ``num_classes`` (None: unconditional).

    Raises:
        ValueError: the name is unknown, or the network does not take an option.
    """
    if name not in MODELS:
        raise ValueError(f"unknown model {name!r}; known: {', '.join(MODELS)}")
    try:
        return MODELS[name](**options)
    except TypeError as error:
        raise ValueError(f"model {name!r} does not take these options: {error}") from None


def fitted(
    name: str, options: Mapping[str, Any], shape: tuple[int, int, int], num_classes: int | None
) -> dict[str, Any]:
    """The options with which a network fits these pictures, as far as it can be fitted.

    Args:
        name: of the network.
        options: those chosen so far; they stay, save for what the pictures decide.
        shape: of one picture, (C, H, W).
        num_classes: how many classes the pictures have; None where they have none.

    Raises:
        ValueError: the name is unknown, or the network cannot be built for such pictures.
    """
    network = MODELS.get(name)
    if network is None:
        raise ValueError(f"unknown model {name!r}; known: {', '.join(MODELS)}")
    wanted = {"channels": shape[0], "size": shape[1], "num_classes": num_classes or 0}
    adapts: frozenset[str] = getattr(network, "adapts", frozenset())
    result = {**options, **{key: value for key, value in wanted.items() if key in adapts}}
    with torch.device("meta"):
        drawn: tuple[int, int, int] = build(name, **result).image_shape  # type: ignore[assignment]
    if drawn != shape:
        raise ValueError(f"{name} draws pictures of {_told(drawn)}, and these are {_told(shape)}")
    return result


def defaults(name: str) -> dict[str, Any]:
    """The options of a network that are taken where none are given."""
    signature = inspect.signature(MODELS[name])
    return {key: parameter.default for key, parameter in signature.parameters.items()}


def _told(shape: tuple[int, int, int]) -> str:
    channels, height, width = shape
    return f"{height}x{width}{'' if channels == 1 else f' in {channels} colours'}"


def parameter_count(model: nn.Module) -> int:
    """How many numbers a network learns or has learnt (a loaded one learns no more, so all are counted)."""
    return sum(weight.numel() for weight in model.parameters())


def place(model: nn.Module, device: torch.device | str) -> nn.Module:
    """The network on its device, its weights in the memory format that it says it is fastest in."""
    wanted = getattr(model, "memory_format", torch.channels_last)
    return model.to(torch.device(device)).to(memory_format=wanted)
