"""A network of difftui's as a model of diffusers."""

from __future__ import annotations

from typing import Any

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from diffusers.models.unets.unet_2d import UNet2DOutput
from torch import Tensor

from difftui.models import build


class DifftuiUNet(ModelMixin, ConfigMixin):  # type: ignore[misc]
    """The network, called as diffusers calls a UNet2DModel.

    Args:
        network: its name in difftui.
        options: its own arguments.
        sample_size: pixels across a picture.
        in_channels, out_channels: colours of a picture.
        num_classes: how many it can be asked for, or None. The number itself is the label for "any".
    """

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(
        self,
        network: str,
        options: dict[str, Any],
        sample_size: int,
        in_channels: int,
        out_channels: int,
        num_classes: int | None = None,
    ) -> None:
        super().__init__()
        self.net = build(network, **options)

    def forward(
        self,
        sample: Tensor,
        timestep: Tensor | int,
        class_labels: Tensor | None = None,
        return_dict: bool = True,
    ) -> Any:
        """What it predicts for pictures (B, C, H, W) at one timestep, or at one for each."""
        times = torch.as_tensor(timestep, device=sample.device).long().reshape(-1).expand(len(sample))
        answer = self.net(sample, times, class_labels)
        return UNet2DOutput(sample=answer) if return_dict else (answer,)
