"""The lecture's one-shot denoiser: a fully connected autoencoder, 949 184 parameters."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["Autoencoder"]


class Autoencoder(nn.Module):
    """784 - 400 - 400 - 400 - 784, ReLU, sigmoid at the end: a noisy picture in, a clean one out.

    The lecture's pixels are y in [0, 1] and its input is y + ``noise`` n with n standard normal. The rest of
    difftui counts pixels as x = 2 y - 1 in [-1, 1] and noises by x_t = √ᾱ x_0 + √(1-ᾱ) ε: the same thing at
    the one level ᾱ = 1 / (1 + (2 noise)²), after dividing by √ᾱ, which this network does first. So it is
    trained on a schedule of a single step (see :meth:`alpha_bar`), with the target x0.

    It takes no time: it knows one level of noise, and cleans whatever it is shown as if that were in it.
    Hence ``one_shot``: a sampler, which needs the noise at many levels, cannot use it.

    Shapes: x (B, channels, size, size); t is not looked at; returns the clean picture in [-1, 1], x's shape.
    ``label`` must be None.
    """

    num_classes: int | None = None
    one_shot = True
    adapts = frozenset({"channels", "size"})

    def __init__(self, channels: int = 1, size: int = 28, hidden: int = 400, noise: float = 0.5) -> None:
        super().__init__()
        self.image_shape = (channels, size, size)
        pixels = channels * size**2
        self.noise = noise
        self.encode_1 = nn.Linear(pixels, hidden)
        self.encode_2 = nn.Linear(hidden, hidden)
        self.decode_1 = nn.Linear(hidden, hidden)
        self.decode_2 = nn.Linear(hidden, pixels)

    @property
    def alpha_bar(self) -> float:
        """The signal level that belongs to its noise: 0.5 for a noise of 0.5."""
        return 1.0 / (1.0 + (2.0 * self.noise) ** 2)

    def first_filters(self) -> Tensor:
        """The first layer's weights, (hidden, channels, size, size): each unit sees the whole picture."""
        return self.encode_1.weight.detach().view(-1, *self.image_shape)

    def forward(self, x: Tensor, t: Tensor, label: Tensor | None = None) -> Tensor:
        if label is not None:
            raise ValueError("autoencoder is unconditional: it takes no label")
        y = (x.flatten(1) / math.sqrt(self.alpha_bar) + 1.0) / 2.0
        code = F.relu(self.encode_2(F.relu(self.encode_1(y))))
        clean: Tensor = torch.sigmoid(self.decode_2(F.relu(self.decode_1(code)))) * 2.0 - 1.0
        return clean.view(x.shape)
