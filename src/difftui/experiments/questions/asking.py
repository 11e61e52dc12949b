"""A network that is asked: what it begins with, what it has learnt, and what an answer costs here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from difftui.diffusion import starting_noise
from difftui.experiments.figures import signif
from difftui.experiments.materials import drawn

if TYPE_CHECKING:
    from difftui.training.loading import LoadedModel

__all__ = ["beginning", "milliseconds", "wake"]


def beginning(loaded: LoadedModel, seed: int) -> NDArray[np.float32]:
    """The noise that a drawing of this seed begins with, as the network is best drawn with, (H, W)."""
    noise = starting_noise((seed,), loaded.model.image_shape)  # type: ignore[arg-type]
    first: NDArray[np.float32] = drawn(loaded.drawing()[2] * noise)[0]
    return first


def milliseconds(seconds: float) -> str:
    """A short time: "0.088 ms", "71 ms"."""
    return f"{signif(1000 * seconds, 2)} ms"


def wake(loaded: LoadedModel, device: str) -> None:
    """Ask once before a clock runs: the first answer takes longer than all others."""
    import torch

    with torch.inference_mode():
        x = torch.zeros(1, *loaded.model.image_shape, device=device)  # type: ignore[misc]
        loaded.model(x, torch.zeros(1, dtype=torch.long, device=device))
