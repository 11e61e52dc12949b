"""The lecture's residual U-Net: 4 284 481 parameters, and no time among its inputs."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from difftui.models.layers import sinusoids, zeroed

__all__ = ["ResidualUNet"]

TIME_FEATURES = 64


class ResidualUNet(nn.Module):
    """Residual blocks 1 - 64 - 128 - 256, two more in the middle, and transposed convolutions up again.

    A block is x' + conv(ReLU(conv(x))) under a last ReLU, 3x3 with biases and no normalisation; x' is x,
    through a 1x1 convolution where channels or size change. The second and third block halve the picture. On
    the way up a 3x3 transposed convolution doubles it and a block follows, twice; what the same size gave on
    the way down is added. A 3x3 convolution ends it. The lecture's summary does not tell kernels and skips;
    of the arrangements that fit its description this one has exactly its 4 284 481 parameters (added skips
    have none).

    Without ``time`` the net is told nothing of t and has to guess the noise level from the picture. With it
    sinusoids of t (Vaswani et al. 2017, section 3.5) are added, through a linear layer each that starts at 0,
    between the two convolutions of every block, so that both nets start as the same function.

    Shapes: x (B, channels, H, W) in [-1, 1], H and W multiples of 4; t (B,) integers >= 0; returns x's shape.
    ``label`` must be None: this network cannot be asked for a digit.

    Raises:
        ValueError: a size that is no multiple of 4.
    """

    num_classes: int | None = None
    adapts = frozenset({"channels", "size"})

    def __init__(self, channels: int = 1, size: int = 28, time: bool = False) -> None:
        super().__init__()
        if size % 4:
            raise ValueError(
                f"residual-unet halves a picture twice: its size must be a multiple of 4, not {size}"
            )
        self.image_shape = (channels, size, size)
        self.down_1 = _Block(channels, 64, time=time)
        self.down_2 = _Block(64, 128, stride=2, time=time)
        self.down_3 = _Block(128, 256, stride=2, time=time)
        self.middle_1 = _Block(256, 256, time=time)
        self.middle_2 = _Block(256, 256, time=time)
        self.grow_2 = nn.ConvTranspose2d(256, 128, 3, stride=2, padding=1, output_padding=1)
        self.up_2 = _Block(128, 128, time=time)
        self.grow_1 = nn.ConvTranspose2d(128, 64, 3, stride=2, padding=1, output_padding=1)
        self.up_1 = _Block(64, 64, time=time)
        self.out = nn.Conv2d(64, channels, 3, padding=1)
        self.time = time

    def first_filters(self) -> Tensor:
        """The first convolution's kernels, (64, channels, 3, 3)."""
        return self.down_1.conv_1.weight.detach()

    def forward(self, x: Tensor, t: Tensor, label: Tensor | None = None) -> Tensor:
        if label is not None:
            raise ValueError("residual-unet is unconditional: it takes no label")
        features = sinusoids(t, TIME_FEATURES) if self.time else None
        fine = self.down_1(x, features)
        half = self.down_2(fine, features)
        quarter = self.down_3(half, features)
        quarter = self.middle_2(self.middle_1(quarter, features), features)
        half = self.up_2(self.grow_2(quarter) + half, features)
        fine = self.up_1(self.grow_1(half) + fine, features)
        out: Tensor = self.out(fine)
        return out


class _Block(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int = 1, *, time: bool) -> None:
        super().__init__()
        self.conv_1 = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1)
        self.conv_2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        same = inputs == outputs and stride == 1
        self.skip = nn.Identity() if same else nn.Conv2d(inputs, outputs, 1, stride=stride)
        self.shift = zeroed(nn.Linear(TIME_FEATURES, outputs)) if time else None

    def forward(self, x: Tensor, features: Tensor | None) -> Tensor:
        h = self.conv_1(x)
        if self.shift is not None:
            h = h + self.shift(features).to(h.dtype)[:, :, None, None]
        return F.relu(self.skip(x) + self.conv_2(F.relu(h)))
