"""The networks of the other labs: the true parameter counts, and what each is and is not told."""

from typing import Any, TypeVar

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from difftui import models
from difftui.models.attention_unet import Attention, AttentionUNet
from difftui.models.autoencoder import Autoencoder
from difftui.models.residual_unet import ResidualUNet
from difftui.models.toy_unet import CLAIMED, ToyUNet
from difftui.training import PRESETS, preset

Net = TypeVar("Net", bound=nn.Module)


def awake(net: Net) -> Net:
    """Its zero-initialised layers given weights, so that everything in it has an effect."""
    torch.manual_seed(1)
    with torch.no_grad():
        for weight in net.parameters():
            if not weight.any():
                weight.normal_(std=0.1)
    return net.eval()


def batch(shape: tuple[int, ...], count: int = 2) -> tuple[Tensor, Tensor]:
    draws = torch.Generator().manual_seed(1)
    return torch.randn(count, *shape, generator=draws), torch.randint(200, (count,), generator=draws)


@pytest.mark.parametrize(
    ("name", "options", "count"),
    [
        ("lab-unet", {}, 257_265),
        ("residual-unet", {}, 4_284_481),
        ("autoencoder", {}, 949_184),
        ("toy-unet", {}, 231_297 + 33 * (32 + 64 + 128)),
        ("attention-unet", {}, 870_884),
    ],
)
def test_the_true_parameter_counts(name: str, options: dict[str, int], count: int) -> None:
    with torch.device("meta"):
        assert models.parameter_count(models.build(name, **options)) == count


def test_the_toys_convolutions_alone_have_more_than_the_sheet_claims() -> None:
    weights = sum(p.numel() for m in ToyUNet().modules() if isinstance(m, nn.Conv2d) for p in m.parameters())
    assert weights == 231_297
    assert weights > 2 * CLAIMED


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_every_preset_builds_a_network_for_its_pictures(name: str) -> None:
    recipe = preset(name)
    with torch.device("meta"):
        net = models.build(recipe.model, **recipe.model_options)
    size = recipe.image_size or 28
    assert net.image_shape == (1, size, size)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("toy-unet", (1, 16, 16)),
        ("toy-unet", (3, 32, 32)),
        ("residual-unet", (1, 28, 28)),
        ("autoencoder", (3, 8, 8)),
        ("attention-unet", (1, 28, 28)),
        ("attention-unet", (3, 32, 32)),
    ],
)
def test_built_for_pictures_and_each_sees_only_itself(name: str, shape: tuple[int, int, int]) -> None:
    net = awake(models.build(name, **models.fitted(name, {}, shape, None)))
    x, t = batch(shape)
    with torch.no_grad():
        out = net(x, t)
        alone = torch.cat([net(x[i : i + 1], t[i : i + 1]) for i in range(2)])
    assert out.shape == x.shape
    assert (out - alone).abs().max() < 1e-4
    if getattr(net, "num_classes", 10) is None:
        with pytest.raises(ValueError, match=r"unconditional|no label"):
            net(x, t, torch.zeros(2, dtype=torch.long))


@pytest.mark.parametrize(
    ("name", "shape", "told"),
    [
        ("lab-unet", (3, 32, 32), "lab-unet draws pictures of 28x28, and these are 32x32 in 3 colours"),
        ("patch-unet", (1, 16, 16), "patch-unet draws pictures of 28x28, and these are 16x16"),
        ("toy-unet", (1, 30, 30), "multiple of 4, not 30"),
        ("residual-unet", (1, 30, 30), "multiple of 4, not 30"),
        ("attention-unet", (1, 30, 30), "multiple of 4 pixels wide, not 30"),
        ("unet", (1, 28, 28), "unknown model 'unet'"),
    ],
)
def test_pictures_that_do_not_fit(name: str, shape: tuple[int, int, int], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        models.fitted(name, {}, shape, 10)


def test_what_is_told_the_time_and_what_is_not() -> None:
    x, _ = batch((1, 28, 28))
    early, late = torch.zeros(2, dtype=torch.long), torch.full((2,), 150)
    torch.manual_seed(0)
    blind = ResidualUNet()
    told = ResidualUNet(time=True)
    told.load_state_dict(blind.state_dict(), strict=False)
    with torch.no_grad():
        assert torch.equal(blind(x, early), blind(x, late))
        assert torch.equal(told(x, early), blind(x, early))  # both start as the same function
        awake(told)
        assert (told(x, early) - told(x, late)).abs().max() > 1e-3
        toy, small = awake(ToyUNet()), x[..., :16, :16]
        assert (toy(small, early) - toy(small, late)).abs().max() > 1e-3
        auto = Autoencoder()
        assert torch.equal(auto(x, early), auto(x, late))
    assert models.parameter_count(told) - 4_284_481 == 65 * (64 + 128 + 256 + 256 + 256 + 128 + 64)


def test_the_autoencoder_is_the_lectures_in_its_own_pixels() -> None:
    """sigmoid(W4 relu(W3 relu(W2 relu(W1 y)))) for y = clean + 0.5 n in [0, 1], in NumPy."""
    torch.manual_seed(0)
    net, draws = Autoencoder(), np.random.default_rng(0)
    clean, n = draws.random((3, 784)), draws.standard_normal((3, 784))
    h = clean + 0.5 * n
    layers = (net.encode_1, net.encode_2, net.decode_1, net.decode_2)
    for index, layer in enumerate(layers):
        h = h @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()
        h = np.maximum(h, 0) if index < 3 else 1 / (1 + np.exp(-h))
    recipe = preset("denoiser")
    a = net.alpha_bar
    assert a == 0.5 == 1 - recipe.schedule_options["beta_start"]
    # The forward process at that level: eps = n, since x = 2 y - 1 doubles the noise and a = 1 - a.
    x_t = a**0.5 * (2 * clean - 1) + (1 - a) ** 0.5 * n
    out = net(torch.from_numpy(x_t).float().view(3, 1, 28, 28), torch.zeros(3, dtype=torch.long))
    assert np.abs(out.detach().numpy().reshape(3, 784) - (2 * h - 1)).max() < 1e-5


def test_attention_is_torchs_multi_head_attention() -> None:
    torch.manual_seed(0)
    ours: Any = awake(Attention(16, heads=4))
    theirs = nn.MultiheadAttention(16, 4, batch_first=True)
    x = torch.randn(2, 16, 3, 3)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(ours.qkv.weight.flatten(1))
        theirs.in_proj_bias.copy_(ours.qkv.bias)
        theirs.out_proj.weight.copy_(ours.out.weight.flatten(1))
        theirs.out_proj.bias.copy_(ours.out.bias)
        tokens = F.group_norm(x, 8, ours.norm.weight, ours.norm.bias).flatten(2).transpose(1, 2)
        wanted = x + theirs(tokens, tokens, tokens)[0].transpose(1, 2).reshape(x.shape)
        assert (ours(x) - wanted).abs().max() < 1e-5


def test_the_attention_net_starts_at_zero_and_then_every_input_matters() -> None:
    x, t = batch((1, 28, 28))
    label = torch.tensor([3, 7])
    torch.manual_seed(0)
    net = AttentionUNet()
    with torch.no_grad():
        assert net(x, t, label).abs().max() == 0
        awake(net)
        out = net(x, t, label)
        for other in (net(-x, t, label), net(x, t + 300, label), net(x, t, label + 1), net(x, t)):
            assert (other - out).abs().amax(dim=(1, 2, 3)).min() > 1e-3
        assert (net(x, t) - net(x, t, torch.full_like(label, 10))).abs().max() < 1e-5
        far = x.clone()
        far[:, :, 0, 0] += 3.0  # attention carries a corner to the opposite one
        assert (net(far, t, label) - out)[:, :, -4:, -4:].abs().max() > 1e-5


@pytest.mark.parametrize("options", [{"width": 12}, {"middle_width": 100}, {"heads": 5}])
def test_widths_that_cannot_be_grouped(options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="multiples of 8"):
        AttentionUNet(**options)


@pytest.mark.parametrize("name", ["toy", "lecture", "conditional", "denoiser"])
def test_a_few_steps_learn_on_real_digits(name: str) -> None:
    """Through the trainer, on 64 real digits: the loss falls well below where it began."""
    from dataclasses import replace

    from difftui.data import Digits, bundled
    from difftui.training import Trainer

    digits = Digits(bundled().images[:64], bundled().labels[:64], "64 bundled digits")
    recipe = replace(preset(name).with_budget(steps=60), batch_size=8, warmup_steps=0, precision="fp32")
    steps = 6 if name == "lecture" else 20
    trainer = Trainer(recipe, digits, torch.device("cpu"))
    losses = [trainer.train_step().item() for _ in range(steps)]
    assert np.mean(losses[-3:]) < 0.9 * np.mean(losses[:2])
