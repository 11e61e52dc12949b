"""A class-conditional U-Net of residual blocks and self-attention: the net of "draw me a 7"."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from difftui.models.layers import sinusoids, zeroed
from difftui.models.patch_unet import GROUPS, TIME_FEATURES, Block

__all__ = ["AttentionUNet"]


class AttentionUNet(nn.Module):
    """Residual U-Net with self-attention where the picture is coarsest, as Ho et al. (2020, app. B) have it.

    The picture enters as ``patch`` x ``patch`` patches laid into the channels. On that fine grid (14x14 for
    digits) one residual block; a strided convolution halves it (7x7); there ``middle_blocks`` times a
    residual block and self-attention, in which each of the 49 places looks at all others; up again, joined
    with the fine features, one residual block, and a convolution to the patches of the answer.

    Time (sinusoids; Vaswani et al. 2017, section 3.5) and class give one vector that scales and shifts the
    second normalisation of every block (FiLM; Perez et al. 2018, eq. 1). A learned map for each class is
    added to the coarse features: by it attention also knows the places apart. The class after the last,
    "any", is what a label is replaced with when it is hidden in training, so that the net can be guided
    (Ho & Salimans 2022).

    Shapes: x (B, channels, size, size) in [-1, 1]; t (B,) integers >= 0; label (B,) integers from 0 to
    num_classes, where num_classes itself, or None for the batch, means "any class"; returns x's shape. With
    ``num_classes=0`` the net is unconditional and label must be None.

    Raises:
        ValueError: a width that is no multiple of 8 (groups of the normalisation) and of ``heads``; a size
            that is no multiple of 2 ``patch``.
    """

    adapts = frozenset({"channels", "size", "num_classes"})
    # As PatchUNet: GroupNorm in bfloat16 is several times slower on channels-last tensors on a CPU.
    memory_format = torch.contiguous_format

    def __init__(
        self,
        channels: int = 1,
        size: int = 28,
        patch: int = 2,
        width: int = 32,
        middle_width: int = 96,
        middle_blocks: int = 3,
        heads: int = 4,
        num_classes: int = 10,
    ) -> None:
        super().__init__()
        if width % GROUPS or middle_width % GROUPS or middle_width % heads:
            raise ValueError(
                f"widths must be multiples of {GROUPS}, and the middle one of the {heads} heads too,"
                f" not {width} and {middle_width}"
            )
        if size % (2 * patch):
            raise ValueError(f"pictures must be a multiple of {2 * patch} pixels wide, not {size}")
        self.image_shape = (channels, size, size)
        self.num_classes: int | None = num_classes or None
        self.patch = patch
        embedding, coarse = 128, size // (2 * patch)
        self.time_1 = nn.Linear(TIME_FEATURES, embedding)
        self.time_2 = nn.Linear(embedding, embedding)
        self.class_vector = nn.Embedding(num_classes + 1, embedding)
        self.class_map = nn.Parameter(0.02 * torch.randn(num_classes + 1, middle_width, coarse, coarse))
        self.enter = nn.Conv2d(channels * patch**2, width, 3, padding=1)
        self.fine = Block(width, width, embedding)
        self.down = nn.Conv2d(width, middle_width, 3, stride=2, padding=1)
        self.middle = nn.ModuleList(
            Block(middle_width, middle_width, embedding) for _ in range(middle_blocks)
        )
        self.attend = nn.ModuleList(Attention(middle_width, heads) for _ in range(middle_blocks))
        self.up = nn.ConvTranspose2d(middle_width, width, 2, stride=2)
        self.join = Block(2 * width, width, embedding)
        self.norm = nn.GroupNorm(GROUPS, width)
        self.leave = zeroed(nn.Conv2d(width, channels * patch**2, 3, padding=1))

    def first_filters(self) -> Tensor:
        """The first convolution's kernels in pixels, (width, channels, 3 patch, 3 patch): it sees patches."""
        return F.pixel_shuffle(self.enter.weight.detach(), self.patch)

    def forward(self, x: Tensor, t: Tensor, label: Tensor | None = None) -> Tensor:
        if label is None:
            label = torch.full_like(t, self.class_vector.num_embeddings - 1)
        elif self.num_classes is None:
            raise ValueError("this attention-unet is unconditional: it takes no label")
        time = self.time_2(F.silu(self.time_1(sinusoids(t, TIME_FEATURES))))
        condition = F.silu(time + self.class_vector(label))
        fine = self.fine(self.enter(F.pixel_unshuffle(x, self.patch)), condition)
        coarse = self.down(fine)
        coarse = coarse + self.class_map[label].to(coarse.dtype)
        for block, attend in zip(self.middle, self.attend, strict=True):
            coarse = attend(block(coarse, condition))
        joined = self.join(torch.cat([fine, self.up(coarse)], dim=1), condition)
        return F.pixel_shuffle(self.leave(F.silu(self.norm(joined))), self.patch)


class Attention(nn.Module):
    """x + W softmax(QKᵀ/√d) V over all places, in ``heads`` parts; starts as the identity.

    Vaswani et al. (2017, section 3.2); Q, K and V are linear in the normalised x (B, C, H, W).
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.GroupNorm(GROUPS, width)
        self.qkv = nn.Conv2d(width, 3 * width, 1)
        self.out = zeroed(nn.Conv2d(width, width, 1))

    def forward(self, x: Tensor) -> Tensor:
        batch, width, high, wide = x.shape
        parts = self.qkv(self.norm(x)).view(batch, 3, self.heads, width // self.heads, high * wide)
        q, k, v = parts.transpose(3, 4).unbind(1)  # each (B, heads, places, width / heads)
        seen = F.scaled_dot_product_attention(q, k, v)
        out: Tensor = x + self.out(seen.transpose(2, 3).reshape(x.shape))
        return out
