"""What a network is made of, against its weights and against the convolutions of torch."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from difftui import models
from difftui.models.inside import claims, first_filters, kernel_count, parts

SHAPES = {
    "attention-unet": (32, 1, 6, 6),
    "autoencoder": (400, 1, 28, 28),
    "lab-unet": (32, 1, 3, 3),
    "patch-unet": (32, 1, 6, 6),
    "residual-unet": (64, 1, 3, 3),
    "toy-unet": (32, 1, 3, 3),
}


@pytest.mark.parametrize("name", models.MODELS)
def test_every_network_shows_its_first_layer_and_its_parts(name: str) -> None:
    net = models.build(name)
    assert first_filters(net).shape == SHAPES[name]
    assert sum(count for _, count in parts(net)) == models.parameter_count(net)
    assert sum(count for _, count in parts(net.requires_grad_(False))) > 0  # a loaded network learns no more


@pytest.mark.parametrize("name", ["attention-unet", "patch-unet"])
def test_filters_over_patches_are_filters_of_pixels(name: str) -> None:
    """A 3x3 convolution over patches of 2x2 is a 6x6 convolution over pixels with stride 2."""
    net = models.build(name)
    x = torch.randn(2, 1, 28, 28)
    enter: nn.Conv2d = net.enter  # type: ignore[assignment]
    patches = F.conv2d(F.pixel_unshuffle(x, 2), enter.weight, padding=1)
    pixels = F.conv2d(x, first_filters(net), stride=2, padding=2)
    assert (patches - pixels).abs().max() < 1e-5


def test_the_autoencoders_filters_are_its_weights() -> None:
    net = models.build("autoencoder", hidden=7)
    x = torch.randn(3, 1, 28, 28)
    encode: nn.Linear = net.encode_1  # type: ignore[assignment]
    by_filter = (x[:, None] * first_filters(net)).sum(dim=(2, 3, 4)) + encode.bias
    assert (encode(x.flatten(1)) - by_filter).abs().max() < 1e-4


def test_what_the_toys_lab_claims() -> None:
    toy = models.build("toy-unet")
    assert claims(toy) == (100_000, 0.05)
    assert kernel_count(toy) == 231_297
    assert claims(models.build("lab-unet")) == (None, None)
    with pytest.raises(ValueError, match="Linear does not say"):
        first_filters(nn.Linear(2, 2))
