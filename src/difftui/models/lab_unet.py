"""The U-Net of the lab sheet's worked solution: 257 265 parameters, no normalisation, no attention."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from difftui.models.layers import glorot_, upsampled_conv


class LabUNet(nn.Module):
    """Noise predictor for 28×28 greyscale digits, layer for layer the lab's.

    The time enters as one more picture: t/T → Dense 32 → Dense 784 → 28×28, laid beside x_t. Then
    conv 2→32, pool, conv 32→64, pool, conv 64→128 at 7×7, and twice (upsample, join the skip, conv):
    192→64, 96→32; a 1×1 convolution to one channel. ReLU everywhere but at the end. Weights start as Keras
    starts them (Glorot), since that is what the lab ran.

    Shapes: x (B, 1, 28, 28) in [-1, 1]; t (B,) integers in [0, timesteps); returns (B, 1, 28, 28).
    ``label`` is accepted and must be None: this network cannot be asked for a digit.
    """

    image_shape = (1, 28, 28)
    num_classes: int | None = None

    def __init__(self, timesteps: int = 1000) -> None:
        super().__init__()
        self.timesteps = timesteps
        self.time_1 = nn.Linear(1, 32)
        self.time_2 = nn.Linear(32, 28 * 28)
        self.down_1 = nn.Conv2d(2, 32, 3, padding=1)
        self.down_2 = nn.Conv2d(32, 64, 3, padding=1)
        self.middle = nn.Conv2d(64, 128, 3, padding=1)
        self.up_1 = nn.Conv2d(192, 64, 3, padding=1)
        self.up_2 = nn.Conv2d(96, 32, 3, padding=1)
        self.out = nn.Conv2d(32, 1, 1)
        self.apply(glorot_)

    def first_filters(self) -> Tensor:
        """The first layer's kernels over the picture, (32, 1, 3, 3); it has as many over the map of t."""
        return self.down_1.weight.detach()[:, :1]

    def forward(self, x: Tensor, t: Tensor, label: Tensor | None = None) -> Tensor:
        if label is not None:
            raise ValueError("lab-unet is unconditional: it takes no label")
        time = (t.to(x.dtype) / self.timesteps).unsqueeze(1)
        time_map = F.relu(self.time_2(F.relu(self.time_1(time)))).view(-1, 1, 28, 28)
        fine = F.relu_(self.down_1(torch.cat([x, time_map], dim=1)))
        half = F.relu_(self.down_2(F.max_pool2d(fine, 2)))
        quarter = F.relu_(self.middle(F.max_pool2d(half, 2)))
        half_up = F.relu_(upsampled_conv(self.up_1, quarter, half))
        fine_up = F.relu_(upsampled_conv(self.up_2, half_up, fine))
        out: Tensor = self.out(fine_up)
        return out
