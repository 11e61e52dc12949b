"""Pictures as networks see them."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

__all__ = ["as_seen"]


def as_seen(images: NDArray[np.uint8], device: torch.device | str = "cpu") -> torch.Tensor:
    """x_0 = v / 127.5 - 1 of bytes v from 0 (paper) to 255 (ink), in [-1, 1], float32, of the same shape."""
    return torch.from_numpy(images.copy()).float().to(device) / 127.5 - 1.0
