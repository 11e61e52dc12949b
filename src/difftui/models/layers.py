"""Small differentiable pieces that more than one network uses."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def upsampled_conv(conv: nn.Conv2d, coarse: Tensor, skip: Tensor) -> Tensor:
    """``conv(cat(nearest_upsample_x2(coarse), skip))`` at about half the multiplications.

    A 3×3 kernel sliding over an image whose pixels were doubled meets every coarse pixel several times.
    Summing the taps that meet the same pixel turns (upsample, 3×3) into one transposed convolution with a
    4×4 kernel and stride 2: with W padded by zeros to 5×5, K[i, j] = Σ_{a,b∈{0,1}} W[i+a, j+b]. Four taps an
    output pixel instead of nine, and the doubled image is never written. The identity is exact; float32
    results differ from the plain form by rounding only (tested).

    Args:
        conv: 3×3 convolution with padding 1 over ``coarse`` and ``skip`` channels, in this order.
        coarse: (B, C1, H, W).
        skip: (B, C2, 2H, 2W).

    Returns:
        (B, out_channels, 2H, 2W).
    """
    from_coarse, from_skip = conv.weight[:, : coarse.shape[1]], conv.weight[:, coarse.shape[1] :]
    taps = F.pad(from_coarse, (1, 1, 1, 1))
    kernel = taps[..., :-1, :-1] + taps[..., 1:, :-1] + taps[..., :-1, 1:] + taps[..., 1:, 1:]
    kernel = kernel.flip(2, 3).transpose(0, 1)  # transposed convolutions correlate with the mirror image
    up = F.conv_transpose2d(coarse, kernel, conv.bias, stride=2, padding=1)
    return up.add_(F.conv2d(skip, from_skip, padding=1))


def glorot_(module: nn.Module) -> None:
    """Keras' initialisation of one layer: Glorot-uniform weights, zero biases (Glorot & Bengio 2010)."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            torch.nn.init.zeros_(module.bias)


def zeroed(layer: nn.Conv2d | nn.Linear) -> nn.Module:
    """The layer with weights and biases 0, so that a residual branch starts silent (Goyal et al. 2017)."""
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def sinusoids(t: Tensor, size: int) -> Tensor:
    """cos and sin of t at size/2 frequencies from 1 down towards 1/10000 rad: (B,) -> (B, size) float32."""
    rates = torch.exp(torch.arange(size // 2, device=t.device) * (-2 * math.log(10_000) / size))
    angles = t[:, None].float() * rates
    return torch.cat([angles.cos(), angles.sin()], dim=1)
