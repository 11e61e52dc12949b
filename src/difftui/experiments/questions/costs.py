"""What a network costs: numbers learnt, and time, on the machine that runs the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from difftui.experiments.figures import signif

if TYPE_CHECKING:
    from torch import nn

    from difftui.training.loading import LoadedModel

__all__ = ["milliseconds", "parameters", "wake"]


def parameters(model: nn.Module) -> int:
    """How many numbers a network has learnt (loaded ones learn no more, so all are counted)."""
    return sum(weights.numel() for weights in model.parameters())


def milliseconds(seconds: float) -> str:
    """A short time: "0.088 ms", "71 ms"."""
    return f"{signif(1000 * seconds, 2)} ms"


def wake(loaded: LoadedModel, device: str) -> None:
    """Ask once before a clock runs: the first answer takes longer than all others."""
    import torch

    with torch.inference_mode():
        x = torch.zeros(1, *loaded.model.image_shape, device=device)  # type: ignore[misc]
        loaded.model(x, torch.zeros(1, dtype=torch.long, device=device))
