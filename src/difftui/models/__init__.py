"""The networks, by name. All are called ``model(x, t, label=None)`` with integer t."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from torch import nn

from difftui.models.lab_unet import LabUNet

__all__ = ["MODELS", "build", "parameter_count"]

MODELS: Mapping[str, Callable[..., nn.Module]] = MappingProxyType(
    {
        "lab-unet": LabUNet,
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
