"""Classifier-free guidance: the convention, that it is one for every target, and what it refuses."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from difftui.diffusion import add_noise, guided, make_schedule, sample, training_target
from difftui.diffusion.sampling import network_denoiser

SCHEDULE = make_schedule("cosine", 100)


class Classes(nn.Module):
    """Knows each class by its mean and answers in the target's terms; "any class" is their middle."""

    num_classes = 3
    image_shape = (1, 2, 2)

    def __init__(self, target: str) -> None:
        super().__init__()
        self.target = target
        self.batches: list[int] = []

    def forward(self, x: Tensor, t: Tensor, label: Tensor | None = None) -> Tensor:
        self.batches.append(len(x))
        means = torch.tensor([-0.4, 0.1, 0.3, 0.0], dtype=x.dtype)
        x0 = means[torch.full_like(t, 3) if label is None else label].view(-1, 1, 1, 1).expand_as(x)
        a = SCHEDULE.alpha_bar(int(t[0]))
        eps = (x - a**0.5 * x0) / (1 - a) ** 0.5
        return training_target(self.target, x0, eps, a)


def test_the_convention_is_ho_and_salimans() -> None:
    c, u = torch.tensor([1.0]), torch.tensor([0.25])
    assert guided(c, u, 0.0).item() == 1.0  # the conditional answer
    assert guided(c, u, -1.0).item() == 0.25  # the unconditional one
    assert guided(c, u, 2.0).item() == 3 * 1.0 - 2 * 0.25  # (1 + w) c - w u
    scale = 3.0  # as diffusers counts: u + scale (c - u)
    assert guided(c, u, scale - 1).item() == 0.25 + scale * (1.0 - 0.25)


@pytest.mark.parametrize("target", ["eps", "x0", "v"])
@pytest.mark.parametrize("w", [-1.0, 0.0, 0.5, 3.0])
def test_guiding_any_target_guides_the_clean_picture(target: str, w: float) -> None:
    model = Classes(target)
    x_t = add_noise(torch.zeros(2, 1, 2, 2), torch.randn(2, 1, 2, 2), SCHEDULE.alpha_bar(60)).double()
    said = network_denoiser(model, SCHEDULE, target=target, labels=(0, 2), guidance=w)(x_t, 60)
    wanted = torch.tensor([-0.4, 0.3]) * (1 + w)
    assert (said.x0[:, 0, 0, 0] - wanted).abs().max() < 1e-5
    assert (add_noise(said.x0, said.eps, SCHEDULE.alpha_bar(60)) - x_t).abs().max() < 1e-5
    assert model.batches == [2 if w == 0 else 4]


def test_pictures_are_drawn_beyond_the_class_and_not_beyond_the_range() -> None:
    def drawn(**options: float) -> float:
        frames = sample(Classes("v"), SCHEDULE, steps=5, seeds=(1,), labels=2, target="v", **options)
        return float([frame.x.mean() for frame in frames][-1])

    assert drawn() == pytest.approx(0.3, abs=1e-4)
    assert drawn(guidance=1.0) == pytest.approx(0.6, abs=1e-4)
    assert drawn(guidance=9.0, clip_x0=True) == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize(
    ("model", "options", "told"),
    [
        (Classes("eps"), {"guidance": 1.0}, "needs a label"),
        (lambda x, t, label: x, {"guidance": 1.0, "labels": 0, "shape": (1, 2, 2)}, "any class"),
        (Classes("eps"), {"guidance": 99.0, "labels": 0}, "from -1 to 20"),
        (Classes("eps"), {"guidance": float("nan"), "labels": 0}, "from -1 to 20"),
    ],
)
def test_what_cannot_be_guided(model: Callable[..., Tensor], options: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        sample(model, SCHEDULE, steps=2, **options)
