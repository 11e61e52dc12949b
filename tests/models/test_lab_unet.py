"""The lab U-Net against the lab sheet's layer table and a plain re-telling of its forward pass."""

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from difftui import models
from difftui.models.lab_unet import LabUNet
from difftui.models.layers import glorot_, upsampled_conv

LAYER_TABLE = {
    "time_1": 64,
    "time_2": 25_872,
    "down_1": 608,
    "down_2": 18_496,
    "middle": 73_856,
    "up_1": 110_656,
    "up_2": 27_680,
    "out": 33,
}


@pytest.fixture(scope="module")
def net() -> LabUNet:
    torch.manual_seed(0)
    return LabUNet().eval()


def plain_forward(net: LabUNet, x: Tensor, t: Tensor) -> Tensor:
    """The lab's network as the lab writes it: upsample, concatenate, convolve."""
    time = F.relu(net.time_2(F.relu(net.time_1(t.float()[:, None] / net.timesteps)))).reshape(-1, 1, 28, 28)
    a = F.relu(net.down_1(torch.cat([x, time], 1)))
    b = F.relu(net.down_2(F.max_pool2d(a, 2)))
    c = F.relu(net.middle(F.max_pool2d(b, 2)))
    d = F.relu(net.up_1(torch.cat([F.interpolate(c, scale_factor=2), b], 1)))
    e = F.relu(net.up_2(torch.cat([F.interpolate(d, scale_factor=2), a], 1)))
    return net.out(e)


def test_it_has_the_layers_of_the_lab_sheet(net: LabUNet) -> None:
    counts = {name: sum(p.numel() for p in layer.parameters()) for name, layer in net.named_children()}
    assert counts == LAYER_TABLE
    assert models.parameter_count(net) == sum(LAYER_TABLE.values()) == 257_265


def test_it_computes_what_the_lab_writes(net: LabUNet) -> None:
    x = torch.randn(3, 1, 28, 28, generator=torch.Generator().manual_seed(1))
    t = torch.tensor([0, 500, 999])
    with torch.no_grad():
        got, wanted = net(x, t), plain_forward(net, x, t)
    assert got.shape == x.shape
    assert (got - wanted).abs().max() < 1e-5
    assert wanted.abs().max() > 0.01


def test_the_answer_depends_on_the_time_relative_to_T() -> None:
    torch.manual_seed(0)
    long = LabUNet(timesteps=1000).eval()
    short = LabUNet(timesteps=200).eval()
    short.load_state_dict(long.state_dict())
    x = torch.zeros(1, 1, 28, 28)
    assert torch.equal(long(x, torch.tensor([500])), short(x, torch.tensor([100])))
    assert not torch.equal(long(x, torch.tensor([500])), long(x, torch.tensor([100])))


def test_a_label_is_refused(net: LabUNet) -> None:
    assert net.num_classes is None
    with pytest.raises(ValueError, match="no label"):
        net(torch.zeros(1, 1, 28, 28), torch.tensor([0]), torch.tensor([3]))


@pytest.mark.parametrize(("coarse", "skip", "size"), [(3, 2, 5), (1, 4, 1), (128, 64, 7)])
def test_upsampled_conv_equals_upsample_then_convolve(coarse: int, skip: int, size: int) -> None:
    draw = torch.Generator().manual_seed(coarse)
    conv = nn.Conv2d(coarse + skip, 6, 3, padding=1).double()
    x = torch.randn(2, coarse, size, size, generator=draw, dtype=torch.float64, requires_grad=True)
    y = torch.randn(2, skip, 2 * size, 2 * size, generator=draw, dtype=torch.float64, requires_grad=True)
    got = upsampled_conv(conv, x, y)
    wanted = conv(torch.cat([F.interpolate(x, scale_factor=2, mode="nearest"), y], 1))
    assert (got - wanted).abs().max() < 1e-12
    along = torch.randn(got.shape, generator=draw, dtype=torch.float64)
    sources = (x, y, conv.weight, conv.bias)
    for mine, plain in zip(
        torch.autograd.grad(got, sources, along), torch.autograd.grad(wanted, sources, along), strict=True
    ):
        assert (mine - plain).abs().max() < 1e-10


def test_weights_start_as_in_keras() -> None:
    conv = nn.Conv2d(32, 64, 3)
    torch.manual_seed(0)
    conv.apply(glorot_)
    limit = math.sqrt(6 / (9 * 32 + 9 * 64))  # Glorot & Bengio 2010, eq. 16
    assert conv.bias is not None
    assert conv.bias.abs().max() == 0
    assert 0.99 * limit < conv.weight.abs().max() <= limit
    assert conv.weight.std().item() == pytest.approx(limit / math.sqrt(3), rel=0.02)


def test_wrong_names_and_options_are_told() -> None:
    with pytest.raises(ValueError, match="unknown model 'lab'; known: attention-unet, autoencoder, lab-unet"):
        models.build("lab")
    with pytest.raises(ValueError, match=r"lab-unet.*depth"):
        models.build("lab-unet", depth=3)
