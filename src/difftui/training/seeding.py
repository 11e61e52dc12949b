"""Every random draw of a training is a function of (seed, purpose, position), so no state can be lost."""

from __future__ import annotations

import hashlib

import torch

__all__ = ["derived_seed", "generator"]


def derived_seed(*parts: int | str) -> int:
    """A well-mixed 32-bit seed from its parts, e.g. ``derived_seed(0, "noise", 1234)``.

    32 bits, since PyTorch's CPU generator (MT19937) reads no more of its seed.
    """
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=4).digest()
    return int.from_bytes(digest, "little")


def generator(device: torch.device, *parts: int | str) -> torch.Generator:
    """A generator on ``device`` that starts at :func:`derived_seed` of ``parts``."""
    return torch.Generator(device).manual_seed(derived_seed(*parts))
