"""The moving average, against Hugging Face diffusers'."""

import pytest
import torch
from diffusers.training_utils import EMAModel

from difftui.training.ema import Ema


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.999])
def test_it_is_that_of_diffusers(decay: float) -> None:
    draw = torch.Generator().manual_seed(0)
    weights = [torch.nn.Parameter(torch.randn(shape, generator=draw)) for shape in ((3, 2), (5,))]
    mine = Ema(weights, decay)
    peer = EMAModel(weights, decay=decay)
    peer.step(weights)  # its first step only copies; from then on both count alike
    for _ in range(30):
        for weight in weights:
            weight.data.add_(torch.randn(weight.shape, generator=draw))
        mine.update(weights)
        peer.step(weights)
        for a, b in zip(mine.average, peer.shadow_params, strict=True):
            assert (a - b).abs().max() < 1e-5


def test_it_does_not_follow_the_weights_by_itself() -> None:
    weight = torch.zeros(3)
    average = Ema([weight], 0.9).average[0]
    weight.add_(1)
    assert average.tolist() == [0, 0, 0]
