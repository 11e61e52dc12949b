"""The toy denoiser of the guided lab: two poolings, sinusoidal time, 16x16 digits."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from difftui.models.layers import sinusoids, upsampled_conv

__all__ = ["CLAIMED", "TARGET_LOSS", "ToyUNet"]

CLAIMED = 100_000
"""The lab sheet's "about 100 000 parameters"; its 3x3 convolutions alone have 231 297."""

TARGET_LOSS = 0.05
"""The loss that the lab sheet says to reach, about."""


class ToyUNet(nn.Module):
    """Conv 32, pool, conv 64, pool, conv 128, up, join, conv 64, up, join, conv 32, conv to the answer.

    The sheet names these convolutions (all 3x3, ReLU) and a 32-dimensional sinusoidal time embedding
    (Vaswani et al. 2017, section 3.5), but not how the time enters. Here a linear layer each turns it into as
    many numbers as the first three convolutions have channels, which are added to what they give.

    Shapes: x (B, channels, size, size) in [-1, 1]; t (B,) integers >= 0; returns x's shape. ``label`` must be
    None: this network cannot be asked for a digit.

    Raises:
        ValueError: a size that is no multiple of 4.
    """

    num_classes: int | None = None
    adapts = frozenset({"channels", "size"})
    TIME_FEATURES = 32

    def __init__(self, channels: int = 1, size: int = 16) -> None:
        super().__init__()
        if size % 4:
            raise ValueError(f"toy-unet halves a picture twice: its size must be a multiple of 4, not {size}")
        self.image_shape = (channels, size, size)
        self.down_1 = nn.Conv2d(channels, 32, 3, padding=1)
        self.down_2 = nn.Conv2d(32, 64, 3, padding=1)
        self.middle = nn.Conv2d(64, 128, 3, padding=1)
        self.up_1 = nn.Conv2d(192, 64, 3, padding=1)
        self.up_2 = nn.Conv2d(96, 32, 3, padding=1)
        self.out = nn.Conv2d(32, channels, 3, padding=1)
        self.times = nn.ModuleList(nn.Linear(self.TIME_FEATURES, width) for width in (32, 64, 128))

    def forward(self, x: Tensor, t: Tensor, label: Tensor | None = None) -> Tensor:
        if label is not None:
            raise ValueError("toy-unet is unconditional: it takes no label")
        features = sinusoids(t, self.TIME_FEATURES)
        first, second, third = (layer(features).to(x.dtype)[:, :, None, None] for layer in self.times)
        fine = F.relu(self.down_1(x) + first)
        half = F.relu(self.down_2(F.max_pool2d(fine, 2)) + second)
        quarter = F.relu(self.middle(F.max_pool2d(half, 2)) + third)
        half_up = F.relu(upsampled_conv(self.up_1, quarter, half))
        fine_up = F.relu(upsampled_conv(self.up_2, half_up, fine))
        out: Tensor = self.out(fine_up)
        return out

    def first_filters(self) -> Tensor:
        """The first layer's kernels, (32, channels, 3, 3): what the net looks for in the pixels."""
        return self.down_1.weight.detach()
