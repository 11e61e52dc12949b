"""A small class-conditional U-Net on 2x2 patches, quick enough to learn digits in a minute on two cores."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from difftui.models.layers import sinusoids, zeroed

__all__ = ["PatchUNet"]

GROUPS = 8
TIME_FEATURES = 64


class PatchUNet(nn.Module):
    """Residual U-Net for 28x28 greyscale digits with one skip, at 14x14 and 7x7.

    Each 2x2 patch becomes four channels (space-to-depth), so nothing is computed at full resolution. A
    convolution at 14x14, a strided one down to 7x7, `middle_blocks` residual blocks there, up again, joined
    with the 14x14 features, one residual block, and a convolution whose four channels are the 2x2 patches of
    the answer.

    Time (sinusoids; Vaswani et al. 2017, section 3.5) and class give one vector that scales and shifts the
    second normalisation of every block (FiLM; Perez et al. 2018, eq. 1). The class also adds a learned 7x7
    map of its own: where a digit's strokes go, from the first steps of training.

    Shapes: x (B, 1, 28, 28) in [-1, 1]; t (B,) integers >= 0; label (B,) integers from 0 to num_classes,
    where num_classes itself, or None for the batch, means "any class"; returns (B, 1, 28, 28).

    Raises:
        ValueError: a width that is no multiple of 8, the number of normalisation groups.
    """

    image_shape = (1, 28, 28)
    # GroupNorm in bfloat16 is several times slower on channels-last tensors on a CPU, which costs more than
    # convolutions gain there.
    memory_format = torch.contiguous_format

    def __init__(
        self, width: int = 32, middle_width: int = 64, middle_blocks: int = 3, num_classes: int = 10
    ) -> None:
        super().__init__()
        if width % GROUPS or middle_width % GROUPS:
            raise ValueError(f"widths must be multiples of {GROUPS}, not {width} and {middle_width}")
        self.num_classes: int | None = num_classes
        embedding = 128
        self.time_1 = nn.Linear(TIME_FEATURES, embedding)
        self.time_2 = nn.Linear(embedding, embedding)
        self.class_vector = nn.Embedding(num_classes + 1, embedding)
        self.class_map = nn.Parameter(0.02 * torch.randn(num_classes + 1, middle_width, 7, 7))
        self.enter = nn.Conv2d(4, width, 3, padding=1)
        self.down = nn.Conv2d(width, middle_width, 3, stride=2, padding=1)
        self.middle = nn.ModuleList(
            Block(middle_width, middle_width, embedding) for _ in range(middle_blocks)
        )
        self.up = nn.ConvTranspose2d(middle_width, width, 2, stride=2)
        self.join = Block(2 * width, width, embedding)
        self.norm = nn.GroupNorm(GROUPS, width)
        self.leave = zeroed(nn.Conv2d(width, 4, 3, padding=1))

    def first_filters(self) -> Tensor:
        """The first convolution's kernels in pixels, (width, channels, 3 patch, 3 patch): it sees patches."""
        return F.pixel_shuffle(self.enter.weight.detach(), 2)

    def forward(self, x: Tensor, t: Tensor, label: Tensor | None = None) -> Tensor:
        if label is None:
            label = torch.full_like(t, self.class_vector.num_embeddings - 1)
        time = self.time_2(F.silu(self.time_1(sinusoids(t, TIME_FEATURES))))
        condition = F.silu(time + self.class_vector(label))
        fine = self.enter(F.pixel_unshuffle(x, 2))
        coarse = self.down(fine)
        coarse = coarse + self.class_map[label].to(coarse.dtype)
        for block in self.middle:
            coarse = block(coarse, condition)
        joined = self.join(torch.cat([fine, self.up(coarse)], dim=1), condition)
        return F.pixel_shuffle(self.leave(F.silu(self.norm(joined))), 2)


class Block(nn.Module):
    """x + conv(SiLU(FiLM(norm(conv(SiLU(norm(x))))))), both convolutions 3x3; starts as the identity."""

    def __init__(self, inputs: int, outputs: int, condition: int) -> None:
        super().__init__()
        self.norm_1 = nn.GroupNorm(GROUPS, inputs)
        self.conv_1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.norm_2 = nn.GroupNorm(GROUPS, outputs, affine=False)
        self.film = zeroed(nn.Linear(condition, 2 * outputs))
        self.conv_2 = zeroed(nn.Conv2d(outputs, outputs, 3, padding=1))
        self.skip = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        h = self.conv_1(F.silu(self.norm_1(x)))
        scale, shift = self.film(condition).to(h.dtype)[:, :, None, None].chunk(2, dim=1)
        h = self.conv_2(F.silu(self.norm_2(h) * (1 + scale) + shift))
        out: Tensor = self.skip(x) + h
        return out
