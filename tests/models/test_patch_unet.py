"""The quick net: shapes, labels, time, gradients, and that it starts and learns as it should."""

import pytest
import torch
from diffusers.models.embeddings import get_timestep_embedding
from torch.nn import functional as F

from difftui import models
from difftui.models.layers import sinusoids
from difftui.models.patch_unet import PatchUNet


def awake(seed: int = 0) -> PatchUNet:
    """A net whose zero-initialised layers have been given weights, so that everything in it has an effect."""
    torch.manual_seed(seed)
    net = PatchUNet(width=16, middle_width=24, middle_blocks=1)
    with torch.no_grad():
        for weight in net.parameters():
            if not weight.any():
                weight.normal_(std=0.1)
    return net.eval()


def batch(count: int = 3) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    draws = torch.Generator().manual_seed(1)
    x = torch.randn(count, 1, 28, 28, generator=draws)
    return x, torch.randint(1000, (count,), generator=draws), torch.arange(count) % 10


def test_registered_with_its_attributes_and_size() -> None:
    net = models.build("patch-unet")
    assert net.image_shape == (1, 28, 28)
    assert net.num_classes == 10
    assert models.parameter_count(net) == 399_524
    assert models.parameter_count(net) * 4 < 4_000_000  # bytes on disk


def test_starts_by_answering_zero() -> None:
    torch.manual_seed(0)
    x, t, label = batch()
    assert PatchUNet()(x, t, label).abs().max() == 0


def test_no_label_is_the_class_any() -> None:
    net, (x, t, label) = awake(), batch()
    without = net(x, t)
    torch.testing.assert_close(without, net(x, t, torch.full_like(label, 10)), atol=1e-6, rtol=0)
    assert (without - net(x, t, label)).abs().max() > 1e-3


def test_every_input_matters() -> None:
    net, (x, t, label) = awake(), batch()
    out = net(x, t, label)
    assert out.shape == x.shape
    for other in (net(-x, t, label), net(x, (t + 500) % 1000, label), net(x, t, (label + 1) % 10)):
        assert (other - out).abs().amax(dim=(1, 2, 3)).min() > 1e-3


def test_one_picture_does_not_see_the_others() -> None:
    net, (x, t, label) = awake(), batch()
    alone = torch.cat([net(x[i : i + 1], t[i : i + 1], label[i : i + 1]) for i in range(3)])
    torch.testing.assert_close(net(x, t, label), alone, atol=1e-5, rtol=0)


def test_gradients_reach_every_weight() -> None:
    net, (x, t, label) = awake(), batch()
    net(x, t, label).square().mean().backward()
    assert [name for name, p in net.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_bfloat16_stays_close_to_float32() -> None:
    net, (x, t, label) = awake(), batch()
    exact = net(x, t, label)
    with torch.autocast("cpu", torch.bfloat16):
        rough = net(x, t, label).float()
    assert (rough - exact).abs().max() < 0.05 * exact.abs().max()


def test_sinusoids_are_the_peers() -> None:
    t = torch.tensor([0, 1, 37, 999])
    peer = get_timestep_embedding(t, 64, flip_sin_to_cos=True, downscale_freq_shift=0)
    torch.testing.assert_close(sinusoids(t, 64), peer, atol=1e-4, rtol=0)


def test_learns_to_tell_classes_apart() -> None:
    torch.manual_seed(0)
    net = PatchUNet(width=16, middle_width=16, middle_blocks=1)
    patterns = torch.randn(2, 1, 28, 28).sign()
    optimiser = torch.optim.Adam(net.parameters(), lr=5e-3)
    for _ in range(60):
        label = torch.arange(16) % 2
        noise = torch.randn(16, 1, 28, 28)
        loss = F.mse_loss(net(noise, torch.full((16,), 999), label), patterns[label])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss < 0.5  # a net blind to the label cannot go below 0.5: half the pixels of the two differ


def test_widths_must_fit_the_groups() -> None:
    with pytest.raises(ValueError, match="multiples of 8"):
        PatchUNet(width=20)
