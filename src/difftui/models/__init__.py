"""The networks, by name. All are called ``model(x, t, label=None)`` with integer t."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import torch
from torch import nn

from difftui.models.attention_unet import AttentionUNet
from difftui.models.lab_unet import LabUNet
from difftui.models.patch_unet import PatchUNet

__all__ = ["MODELS", "build", "parameter_count", "place"]

MODELS: Mapping[str, Callable[..., nn.Module]] = MappingProxyType(
    {
        "attention-unet": AttentionUNet,
        "lab-unet": LabUNet,
        "patch-unet": PatchUNet,
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


def parameter_count(model: nn.Module) -> int:
    """Number of trainable numbers in the network."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def place(model: nn.Module, device: torch.device | str) -> nn.Module:
    """The network on its device, its weights in the memory format that it says it is fastest in."""
    wanted = getattr(model, "memory_format", torch.channels_last)
    return model.to(torch.device(device)).to(memory_format=wanted)
