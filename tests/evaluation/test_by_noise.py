"""Error by noise, of networks whose answers are known in closed form."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from difftui.diffusion import make_schedule
from difftui.evaluation.by_noise import ErrorCurve, error_by_noise
from difftui.models.autoencoder import Autoencoder
from difftui.training import preset
from difftui.training.loading import LoadedModel

TOY = preset("toy")
SCHEDULE = make_schedule(TOY.schedule, TOY.timesteps)


class Constant(nn.Module):
    """Answers the same everywhere, and notes what it was told."""

    image_shape = (1, 16, 16)
    num_classes = None

    def __init__(self, answer: float) -> None:
        super().__init__()
        self.answer = nn.Parameter(torch.tensor(answer))
        self.told: set[int] = set()

    def forward(self, x: Tensor, t: Tensor, label: None = None) -> Tensor:
        self.told |= set(t.tolist())
        return torch.zeros_like(x) + self.answer


def curves(network: nn.Module, x0: Tensor, told: int | None = None, target: str = "eps") -> list[ErrorCurve]:
    loaded = LoadedModel(network, replace(TOY, target=target), SCHEDULE, 0, "net")
    events = list(error_by_noise(loaded, x0, told=told))
    return [event for event in events if event is not None]


def test_who_answers_no_noise_leaves_the_picture_as_it_is() -> None:
    x0 = torch.rand(16, 1, 16, 16) * 2 - 1
    first, last = curves(Constant(0.0), x0)
    assert (first.pictures, last.pictures) == (8, 16)
    assert np.abs(last.clean - last.untouched).max() < 1e-6  # x_t / √ᾱ, held within [-1, 1]
    assert abs(last.mean_loss - 1.0) < 0.02  # of 16 · 256 · 32 squares of normal noise
    assert list(last.rungs[:3]) == [3, 9, 15]  # the middles of 32 equal parts of 200
    assert last.rungs[-1] == 196
    again = curves(Constant(0.0), x0)[-1]
    assert np.array_equal(again.loss, last.loss)


def test_who_knows_the_picture_is_right_at_any_noise() -> None:
    x0 = torch.full((8, 1, 16, 16), 0.25)
    (curve,) = curves(Constant(0.25), x0, target="x0")
    assert curve.loss.max() == 0
    assert curve.clean.max() == 0
    a = SCHEDULE.alpha_bars[curve.rungs[0]]
    expected = (1 - a) / a / 4  # nothing is cut off there: the noise's variance, in pixels of [0, 1]
    assert abs(curve.untouched[0] / expected - 1) < 0.1
    (wrong,) = curves(Constant(0.75), x0, target="x0")
    assert np.allclose(wrong.loss, 0.25)
    assert np.allclose(wrong.clean, 0.0625)


def test_what_is_told() -> None:
    x0 = torch.zeros(8, 1, 16, 16)
    truthful, lied_to = Constant(0.0), Constant(0.0)
    told, untold = curves(truthful, x0)[-1], curves(lied_to, x0, told=70)[-1]
    assert truthful.told == set(told.rungs.tolist())
    assert lied_to.told == {70}
    assert np.array_equal(told.loss, untold.loss)  # the same noise for both


def test_one_look_at_any_noise() -> None:
    recipe = preset("denoiser")
    one = make_schedule(recipe.schedule, 1, **recipe.schedule_options)
    loaded = LoadedModel(Autoencoder().eval(), recipe, one, 0, "net")
    *_, curve = error_by_noise(loaded, torch.zeros(8, 1, 28, 28))
    assert curve is not None
    assert list(curve.rungs[:3]) == [0, 1, 3]
    assert curve.untouched[0] == 0
    assert abs(curve.untouched[2] / 0.15**2 - 1) < 0.05
